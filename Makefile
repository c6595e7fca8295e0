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
	mkdir -p $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	cp -f wl $(DESTDIR)$(BINDIR)/wl
	chmod 755 $(DESTDIR)$(BINDIR)/wl
	cp -f wl.1 $(DESTDIR)$(MANDIR)/man1/wl.1
	chmod 644 $(DESTDIR)$(MANDIR)/man1/wl.1

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/wl $(DESTDIR)$(MANDIR)/man1/wl.1

clean:
	rm -f wl

.PHONY: all test demo bench install uninstall clean
