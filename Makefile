# wl builds with any make and any C99 compiler; arguments override what is
# set here (make CC=clang CFLAGS=-Os), make -e takes the environment.
.POSIX:

CC = cc
CFLAGS = -O2 -g -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -fstack-protector-strong -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2 -fno-asynchronous-unwind-tables
# On Linux and the BSDs also: CFLAGS='... -fPIE' LDFLAGS='-pie -Wl,-z,relro,-z,now'
LDFLAGS =
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d

all: wl

wl: wl.c
	$(CC) -std=c99 $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ wl.c $(LDLIBS)

test: wl
	sh ./test.sh ./wl

demo: wl
	sh ./test.sh demo ./wl

bench: wl
	sh ./test.sh bench ./wl

install: wl
	mkdir -p $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	cp -f wl $(DESTDIR)$(BINDIR)/wl
	chmod 755 $(DESTDIR)$(BINDIR)/wl
	cp -f wl.1 $(DESTDIR)$(MANDIR)/man1/wl.1
	chmod 644 $(DESTDIR)$(MANDIR)/man1/wl.1
	printf '%s\n' '_wl() { case $$3 in -[Fi]) return ;; esac' \
	    'case $$2 in -*) set -- "$$(wl -h | sed -n "s/^  \(-.\)  .*/\1/p")" "$$2" ;;' \
	    '*) set -- "$$(wl -l)" "$$2" ;; esac' \
	    'COMPREPLY=($$(compgen -W "$$1" -- "$$2")); }' \
	    'complete -o default -F _wl wl' >$(DESTDIR)$(BASHDIR)/wl
	printf '%s\n' '#compdef wl' \
	    '[[ $$words[CURRENT-1] = -[Fi] ]] && { _files; return }' \
	    '[[ $$PREFIX != -* ]] && { compadd -- $${(f)"$$(wl -l)"}; return }' \
	    'local -a o; o=($${(f)"$$(wl -h | sed -n "s/^  \(-.\)  /\1:/p")"})' \
	    '_describe -o option o' >$(DESTDIR)$(ZSHDIR)/_wl
	printf '%s\n' 'complete -c wl -f -a "(wl -l)"' \
	    'complete -c wl -s F -r -F; complete -c wl -s i -r -F' \
	    'wl -h | string replace -rf "^  -(.)  " "\$$1 " |' \
	    '    while read o d; complete -c wl -s $$o -d $$d; end' \
	    >$(DESTDIR)$(FISHDIR)/wl.fish
	chmod 644 $(DESTDIR)$(BASHDIR)/wl $(DESTDIR)$(ZSHDIR)/_wl \
	    $(DESTDIR)$(FISHDIR)/wl.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/wl $(DESTDIR)$(MANDIR)/man1/wl.1 \
	    $(DESTDIR)$(BASHDIR)/wl $(DESTDIR)$(ZSHDIR)/_wl \
	    $(DESTDIR)$(FISHDIR)/wl.fish

clean:
	rm -f wl

.PHONY: all test demo bench install uninstall clean
