#!/bin/sh
#
# test.sh - the tests of wl
#
#	sh test.sh [WL]                 every test on WL (./wl), then every
#	                                test on a build with sanitizers
#	sh test.sh only [GROUP ...]     every test on ./wl once, or these groups,
#	                                each the name of a function without test_
#	sh test.sh with DIR [GROUP ...] these groups, or those about lists and
#	                                connections and random configurations,
#	                                with the ssh and sshd below DIR: so run
#	                                with 10.0; in part with 8.2 to 10.5
#	sh test.sh trees N [SEED [WL]]  N random configurations, from SEED on,
#	                                read as ssh reads them
#	sh test.sh fuzz RUNS            RUNS random inputs to the reader (30s:
#	                                for 30 seconds)
#	sh test.sh demo [WL]            no test: wl's prompt on hosts of its own
#	sh test.sh bench [AREA] [WL]    measures wl next to others; areas: keys,
#	                                list, rank, connect
#
# The tests use the real ssh and sshd, without a port, and a real terminal,
# tmux, and the programs that wl is used with: bash, zsh, fish, rsync and git.
# They need these, strace, awk, sed and a C compiler, and write nothing outside
# a temporary directory, but for the sockets that wl itself makes. A failure
# prints its name, what was wanted and what came, and the run goes on, until
# 20 fail in a row. The last line is "N passed, N failed", and the exit status
# is 1 if any failed, 2 if nothing can be tested here.
#
# A group of tests is a function that uses these words, defined below:
#
#	is NAME WANT GOT       the test NAME: are the two texts the same?
#	ok NAME COMMAND ...    the test NAME: does the command succeed?
#	skip NAME WHY          the test NAME cannot be done here
#	run ARGUMENTS          runs wl without a terminal; sets out, err, rc
#	write FILE <TEXT       writes a file of ~/.ssh
#	fresh                  empties HOME, but for ~/.ssh
#	until_true COMMAND     waits for the shell command to succeed
#	start ARGUMENTS        runs wl on a terminal of $size
#	keys KEY ...           types, as tmux send-keys does
#	screen TEXT            waits for the text on the screen
#	begin TEXT ARGUMENTS   start, then screen
#	brings TEXT KEY ...    keys, then screen
#	shows NAME WANT        the test NAME: does this screen come, whole?
#	soon COMMAND NAME WANT the test NAME: does the command, about the
#	                       screen that is there, soon print this?
#	stop                   ends that terminal
#	server [LINE ...]      makes an sshd, its keys and hosts to connect to

# Text for eval, awk, the other side of a connection; optional arguments; words
# that are called by their name; names of files that are ours; octal numbers:
# shellcheck disable=SC2016,SC2119,SC2120,SC2317,SC2012,SC2034,SC2059

set -u
umask 022

passed=0 failed=0 skipped=0 row=0

# need PROGRAM:PACKAGE ... makes sure that there are these programs (a function
# of that name is none) or files, and ssh's: what is missing is installed where
# that is Debian and ours to change, else it is an error.
there()
{
	case $1 in
	/*)	[ -e "$1" ] ;;
	*)	(command unset -f "$1" 2>/dev/null
		PATH=$PATH:/usr/sbin command -v "$1" >/dev/null) ;;
	esac
}

need()
{
	missing='' packages=''
	for want in ssh:openssh-client sshd:openssh-server timeout:coreutils \
	    "$@"; do
		there "${want%:*}" || {
			missing="$missing ${want%:*}"
			packages="$packages ${want#*:}"
		}
	done
	[ "$missing" ] || return 0
	# shellcheck disable=SC2086	# a list of packages
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
	    echo "test.sh: installing$packages" >&2 &&
	    export DEBIAN_FRONTEND=noninteractive && apt-get -q update >&2 &&
	    apt-get -qy install --no-install-recommends $packages >&2; then
		return 0
	fi
	echo "test.sh: missing:$missing; please install:$packages" >&2
	exit 2
}

# The environment: nothing of the user's reaches wl or ssh. The names of
# directories are short, for a socket's path must fit into 100 bytes.
setup()
{
	tmp=$(mktemp -d /tmp/wl.XXXXXX) || exit 2
	workers=''
	trap 'stop; kill $workers 2>/dev/null; rm -rf "$tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' HUP TERM
	export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C SHELL=/bin/sh TERM=dumb
	export HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/run"
	export XDG_STATE_HOME="$tmp/state"
	export ASAN_OPTIONS="exitcode=99:detect_leaks=0:log_path=$tmp/report"
	export UBSAN_OPTIONS="exitcode=99:print_stacktrace=1:log_path=$tmp/report"
	uses=$XDG_STATE_HOME/wl/recent
	unset SSH_AUTH_SOCK SSH_ASKPASS SSH_ASKPASS_REQUIRE SSH_CONNECTION
	unset DISPLAY WAYLAND_DISPLAY TMUX TMUX_TMPDIR NO_COLOR VISUAL EDITOR
	unset LANG LC_CTYPE LINES COLUMNS ENV BASH_ENV ZDOTDIR GIT_DIR
	unset XDG_CONFIG_HOME XDG_DATA_HOME
	mkdir -m 700 "$HOME" "$HOME/.ssh" "$XDG_RUNTIME_DIR"
	me=$(id -un) tab=$(printf '\t') esc=$(printf '\033')
	newline='
'
	printf 'set -g %s\n' 'status off' 'escape-time 0' \
	    'default-shell /bin/sh' 'history-limit 1000' >"$tmp/tmux.conf"
	size=80x24 server='' sanitized='' old='' patience=100 vain=0 parts=''
	alive='-o ServerAliveInterval=30' none='-N -T'
	alone=$(command -v setsid)
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd	# sshd insists on it
	for socket in /dev/shm/wl-"$(id -u)"/*-????????????????; do
		[ ! -S "$socket" ] ||
		    echo "test.sh: screens will show as open: $socket" >&2
	done
}

# Results.
indent() { printf '%s\n' "$1" | sed 's/^/	/' | cat -v; }

is()
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1)) row=0
		return 0
	fi
	failed=$((failed + 1)) row=$((row + 1))
	printf 'FAILED: %s\n    want:\n' "$1"
	indent "$2"
	echo '    got:'
	indent "$3"
	[ $row -lt 20 ] || {
		echo 'test.sh: 20 failures in a row: the rest is not tried'
		summary
	}
	return 1
}

ok()
{
	sentence=$1
	shift
	"$@" && result='it does' || result="it does not: $*"
	is "$sentence" 'it does' "$result"
}

# can NAME WHY COMMAND ...: can this be done here? Else the test NAME is
# skipped.
skip()
{
	skipped=$((skipped + 1))
	printf 'skipped: %s: %s\n' "$1" "$2"
}

can()
{
	untried=$1 why=$2
	shift 2
	"$@" >/dev/null 2>&1 || {
		skip "$untried" "$why"
		return 1
	}
}

# script FILE: an executable file, a shell's script that comes on standard
# input. fake DIRECTORY: something like ssh there: -G is ssh's, the rest does
# what standard input says.
script()
{
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod +x "$1"
}

fake()
{
	mkdir -p "$1"
	{
		echo "case \" \$* \" in *' -G '*) exec $(command -v ssh) \"\$@\" ;; esac"
		cat
	} | script "$1/ssh"
}

# within runs a program that is killed after some seconds; its exit status is
# then 137. launch runs wl like that, with nothing to read and away from any
# terminal, and run keeps what it says, with a mark if the last newline lacks.
within() { timeout -s KILL "$@"; }

whole()
{
	text=$(cat "$1"; echo .)
	text=${text%.}
	case $text in
	'')	;;
	*"$newline")
		text=${text%?} ;;
	*)	text="$text$newline(no newline at the end)" ;;
	esac
}

launch()
{
	# shellcheck disable=SC2086	# setsid, or nothing
	within "${limit:-30}" $alone "$wl" "$@" \
	    </dev/null >"$tmp/out" 2>"$tmp/err"
	rc=$?
}

run()
{
	launch "$@"
	tr -d '\r' <"$tmp/err" >"$tmp/text"	# ssh ends its lines in CR LF
	whole "$tmp/text"
	err=$text
	whole "$tmp/out"
	out=$text
}

# How long to wait depends on the machine. Each wait in vain halves it for the
# next one, for then more than time is missing.
until_true()
{
	tries=${2:-$((patience >> vain))} pause=0.02
	until eval "$1"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || {
			[ $vain -ge 3 ] || vain=$((vain + 1))
			return 1
		}
		[ $((tries % 20)) != 0 ] || pause=0.1
		sleep $pause
	done
	vain=0
}

# Files of the configuration. Tests name it with -F, for wl finds the user's
# own through the password file, as ssh does; HOME leads its includes to here.
# blocks puts each setting behind a :: on a line of its own.
config=.ssh/config

fresh()
{
	rm -rf "$HOME"
	mkdir -p "$HOME/.ssh"
}

blocks()
{
	sed 's/ :: /\
    /g'
}

write()
{
	mkdir -p "$(dirname "$HOME/.ssh/$1")"
	cat >"$HOME/.ssh/$1"
}

# The terminal: a private tmux, without a status line, that keeps the screen
# when wl has ended and shows how it ended. start takes NAME=VALUE for the
# environment before wl's arguments. A screen has no blanks at the ends of its
# lines, and no empty lines at its end; the prompt's word on its keys, which
# is there as long as there is no query, is left out. begin is start, brings is
# keys, and then the screen has to show the text that is their first argument;
# enters does so with a line; vanishes waits until it no longer does.
tmux() { command tmux -u -S "$tmp/tmux" -f "$tmp/tmux.conf" "$@"; }

word() { printf "'%s' " "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"; }

start()
{
	rm -f "$tmp/pid" "$tmp/before" "$tmp/after"
	{
		echo "trap : INT QUIT; stty -g >$tmp/before; exec 2>/dev/null"
		printf 'env '
		while :; do
			case ${1-} in
			[A-Z]*=*) word "$1"; shift ;;
			*) break ;;
			esac
		done
		for argument in sh -c 'echo $$ >"$0"; exec "$@" 2>/dev/tty' \
		    "$tmp/pid" "$wl" "$@"; do
			word "$argument"
		done
		printf '\nstatus=$?; stty -g >%s\n' "$tmp/after"
		printf 'printf "exit %%s\\n" $status; exec cat\n'
	} >"$tmp/session"
	tmux new-session -d -x "${size%x*}" -y "${size#*x}" \
	    "exec sh $tmp/session"
}

keys() { tmux send-keys "$@"; }

capture() { screen=$(tmux capture-pane -p 2>&1 | sed 's/? keys/      /'); }

screen()
{
	wanted=$1
	until_true 'capture
	    case $screen in *"$wanted"*) ;; *) false ;; esac' ||
	    is "the screen shows $wanted" "$wanted" "$screen"
}

vanishes()
{
	wanted=$1
	until_true 'capture; case $screen in *"$wanted"*) false ;; esac' ||
	    is "the screen does not show $wanted" "not $wanted" "$screen"
}

begin()
{
	appears=$1
	shift
	start "$@"
	screen "$appears"
}

brings()
{
	appears=$1
	shift
	keys "$@"
	screen "$appears"
}

enters()
{
	keys -l -- "$2"
	brings "$1" Enter
}

shown() { printf '%s\n' "$screen"; }

soon()
{
	awaited=${3-$(cat)} got=''
	until_true "capture; got=\$($1)"'; [ "$got" = "$awaited" ]' "${4-}"
	is "$2" "$awaited" "$got"
}

shows() { soon shown "$@"; }

stop()
{
	[ ! -S "$tmp/tmux" ] || tmux kill-server 2>/dev/null
	rm -f "$tmp/tmux"
	hangup "$@"
}

# The other end: hosts whose ProxyCommand is an sshd that serves only them,
# as this user, without a port. Its login program runs the command, or greets
# and runs a shell with the prompt "remote$ ". The user's own shell, which runs
# that, is made to believe that it is a nested one, so that bash does not read
# (and wait for) what the user has in ~/.bashrc. The lines given precede those
# of sshd's configuration. That of ssh is $server/config, with the hosts web, db
# (behind web) and denied (sshd does not know the key). Tests may add to it.
server()
{
	server=$tmp/sshd
	rm -rf "$server"
	mkdir -p "$server"
	for key in host user stranger; do
		ssh-keygen -q -t ed25519 -N '' -C $key -f "$server/$key"
	done
	cp "$server/user.pub" "$server/authorized_keys"
	sed 's/^/* /' "$server/host.pub" >"$server/known_hosts"
	{
		printf '%s\n' "$@"
		cat <<-END
			$parts
			HostKey $server/host
			AuthorizedKeysFile $server/authorized_keys
			PidFile none
			UsePAM no
			StrictModes no
			PermitRootLogin yes
			PasswordAuthentication no
			KbdInteractiveAuthentication no
			ForceCommand exec sh $server/login
			SetEnv SHLVL=2 WHERE=here
		END
	} >"$server/sshd_config"
	cat >"$server/login" <<-'END'
		[ ! "$SSH_ORIGINAL_COMMAND" ] || exec sh -c "$SSH_ORIGINAL_COMMAND"
		echo 'Welcome.'
		ENV='' PS1='remote$ ' exec sh
	END
	sshd="$(command -v sshd) -i -E $server/log -f $server/sshd_config"
	{
		blocks <<-END
			Host web
			Host db :: ProxyCommand ssh -F $server/config web $sshd
			Host denied :: IdentityFile $server/stranger
			Host * !denied :: IdentityFile $server/user
		END
		for_all "$sshd"
	} >"$server/config"
}

for_all()
{
	blocks <<-END
		Host * :: User $me :: IdentitiesOnly yes :: ProxyCommand $1
		    UserKnownHostsFile $server/known_hosts
		    GlobalKnownHostsFile /dev/null
	END
}

# able makes sure that such an sshd gives this user a terminal, and learns how
# long a login takes here.
able()
{
	server
	{
		ssh -tt -F "$server/config" web 'test -t 0 && echo it does' \
		    </dev/null >"$tmp/out" 2>"$tmp/err"
		echo >"$tmp/tried"
	} &
	until_true '[ -e "$tmp/tried" ]' 300
	patience=$((60 + 2 * (300 - tries)))
	! grep -q 'it does' "$tmp/out" || return 0
	reason=$(cat "$tmp/err" "$server/log" | tr -d '\r' |
	    sed -n '/pts/p; $p' | sed 1q)
	echo "test.sh: sshd gives $me no terminal ($reason): this takes root," \
	    'or a devpts that is mounted with gid=5' >&2
	exit 2
}

# --------------------------------------------------------------- the list ---
# lists NAME CONFIG HOST ...: of this configuration, or of the one that is
# there if CONFIG is empty, wl lists these hosts, and knows of each what ssh
# knows. FILE=TEXT among the hosts, with a / in FILE, is a file below HOME.
lists()
{
	sentence=$1
	[ ! "$2" ] || printf '%b\n' "$2" | write "${config#.ssh/}"
	shift 2
	for name; do
		shift
		case $name in
		*/*=*)	printf '%b\n' "${name#*=}" | write "../${name%%=*}" ;;
		*)	set -- "$@" "$name" ;;
		esac
	done
	run -F "$HOME/$config" -l
	is "$sentence" "$(printf '%s\n' "$@")" "$out"
	run -F "$HOME/$config" -l -v
	want=$(for name; do
		printf '%s\t%s\n' "$name" "$(asked "$name")"
	done)
	case $old$want in
	yes*"$tab@:"*) skip "$sentence (-v)" 'this ssh refuses such lines' ;;
	*)	is "$sentence (-v)" "$want" "$(printf '%s\n' "$out" | cut -f 1-3)"
	esac
	fresh
}

# asked HOST: user@hostname:port and ProxyJump, as ssh says, with a tab between.
asked()
{
	ssh -G -F "$HOME/$config" -- "$1" 2>&1 | awk '{
		key = $1
		sub(/^[^ ]* /, "")
		value[key] = $0
	}
	END {
		print value["user"] "@" value["hostname"] ":" value["port"] \
		    "\t" value["proxyjump"]
	}'
}

# How lines are cut into words.
test_lines()
{
	lists 'every literal name of a Host line is listed' \
	    '# my hosts\nHost web db\n HostName %h.example.com\n User deploy
	    Host *.internal !gw gw2\n User ops\nHost gw?\n Port 2222
	    Host *\n ServerAliveInterval 30' web db gw2
	lists 'keywords ignore case, names do not' \
	    'HOST Foo\n  hOsTnAmE A.Example.COM\nhost foo\n  PORT 23
	    hOST FOO bar\n  user u' Foo foo FOO bar
	lists 'one = may follow a keyword, a second one is text' \
	    'Host=a\n  Port=1\nHost = b\n  Port = 2\nHost =c\n  Port =3
	    Host= d\n  User==x\nHost == e\n  User = =y\nHost \t=\t f
	    Host g =h i=' a b c d = e f g =h i=
	lists 'both quotes join words, and a name has no blank' \
	    "Host \"a\" 'b' c\"d\"e f'g'\nHost \"two words\" h\nHost \"i\"''
	    Host '\"' \"it's\" j\n\"Host\" k\nHo\"st\" l\n\"Host\"m
	    Host \"n\" \"o\"\n  \"User\" \"x y\"" a b cde fg h i j k l m n o
	write config <<-'END'
		Host a\ b c
		Host d\\e f
		Host g\h i\#j k
		Host \"l m
		Host "n\" o" p
		Host 'q\' r' s
		Host t\
		  User d\u\\x
		Host u
	END
	lists 'a backslash escapes quotes, itself, a blank' '' c f k m p s u
	lists 'a comment begins where a word would' \
	    "#Host no1\n   # Host no2\n\t#Host no3\nHost a #no4 no5
	    Host b#c d# # no6 \"\nHost #no7\nHost \"#e\" f\nHost g # it's fine
	    =# Host no8\n =# Host no9\n\"#Host\" no10
	    Host h\n  User u#v # w\n  HostName x#y" a b#c 'd#' '#e' f g h
	config=.ssh/crlf
	lists 'lines may end as in DOS, or in blanks' \
	    'Host a b \r\n\tHostName\tx \t\r\n\r\n \t \r\nHost\tc\t\td\r
  Port 22\t\r\nhost = e\r' a b c d e
	config=.ssh/config
	lists 'a form feed is a blank at the end of a line only' \
	    'Host a\f\n  HostName x\f \f\r\nHost b\fc d\n \f\nHost e \f' a d e
	lists 'a NUL ends its line' 'Host a\0 b\n\0Host c\nHost d\n  HostName x\0y
\0\nHost e\0\n# \0\nHost f' a d e f
	printf 'Host a\n  Port 1\nHost b' | write config
	lists 'the last line needs no newline' '' a b
	printf '%s\n' "Host$(repeat 4000 ' x*') a" "#$(repeat 50000 y)" \
	    "Host$(repeat 200 ' h0 h1 h2 h3 h4 h5 h6 h7 h8 h9')" 'Host z' |
	    write config
	lists 'a line may be long' '' a h0 h1 h2 h3 h4 h5 h6 h7 h8 h9 z
	lists 'other keywords are no business of the list' \
	    "IgnoreUnknown UseKeychain,Add*Foo\nUseKeychain yes \"Host no1\"
	    AddSomeFoo x y z\nProtocol 2\nCipher 3des\nHost a
	    ProxyCommand sh -c \"Host no2\" # Host 'no3'
	    LocalCommand echo Host no4\nIdentityFile \"~/.ssh/id 1\"
	    SendEnv LANG LC_*\nRemoteForward 1 h:2\nPort ssh\nHostName h
	    Hostname no5\nHostKeyAlias Host\nHost b\nIdentityFile=x\nPort 022" \
	    a b
	printf '%s\n' 'Host a' 'Bogus b' 'Host ""' 'Port 2' 'Host b' 'Port x' \
	    'User "y' 'Port 3' 'Host "c' 'Host d e f' User 'HostName x y' \
	    'Port 0' | write config
	run -F "$HOME/$config" -l -v
	is 'a line that ssh refuses is passed over' \
	    "a $me@a:22,b $me@b:3,d $me@d:22,e $me@e:22,f $me@f:22," \
	    "$(printf '%s\n' "$out" | cut -f 1,2 | tr '\t\n' ' ,')"
}

# Which words are names.
test_names()
{
	lists 'a name that its own line excludes is none' \
	    'Host a !a\n User no\nHost !b b\n User no\nHost c !d\n User yes
	    Host * !e e\n User no2\nHost f !f*\nHost g !h* h1
	    Host !i\n User no3\nHost j !J\nHost "!k" k\nHost ! l\nHost m !' \
	    c g j l m
	lists 'a name is listed once, where it is first' \
	    'Host b a b\nHost a c\n Port 3\nHost b\n Port 4\nHost d c e a' \
	    b a c d e
	printf '%s\n' 'Host -a b' 'Host a;b a&b a|b c' \
	    "Host \$d \`d\` (d) {d} <d>" 'Host u@f e g' 'Host ssh://h ssh:i' \
	    "Host a'\"'b j" 'Host %k 100%' 'Host ::1 [::1]:22 k:22' \
	    'Host ~ ~l . .. / ! !x a!b' \
	    "$(printf 'Host \303\251t\303\251 \377')" \
	    "$(printf 'Host "tab\tin" "bell\a"')" | write config
	lists 'a name that ssh would not take is none' '' b c e g ssh:i j %k \
	    100% ::1 '[::1]:22' k:22 '~' '~l' . .. / 'a!b' \
	    "$(printf '\303\251t\303\251')" "$(printf '\377')"
	lists 'a name that begins with a dot is hidden' \
	    'Host .host a.b machine/.host b\nHost m/.h c/d. .x' a.b b c/d.
	lists 'the first value wins, each by itself' \
	    'User top\nHost a\n User no\n Port 1\n Port 2
	    Host a b\n HostName %h.x\n Port 3
	    Host *\n HostName star\n Port 4\n ProxyJump gw
	    Host c\n HostName no\n ProxyJump none' a b c
}

# Files in files.
test_includes()
{
	lists 'included names come in the order of words and bytes' \
	    'Host first\nMatch all\nInclude conf.d/*.conf b.one a.one
	    Host last x10' .ssh/conf.d/.hidden.conf='Host no' \
	    .ssh/conf.d/10.conf='Host x10' .ssh/conf.d/B.conf='Host X' \
	    .ssh/conf.d/_a.conf='Host _x' .ssh/conf.d/c.bak='Host no2' \
	    .ssh/b.one='Host bee' .ssh/a.one='Host aye' \
	    first x10 X _x bee aye last
	for line in 'Host * "x' 'Match all "x'; do
		printf '%s\nInclude a.one\nHost a\n' "$line" | write config
		echo 'Host b' | write a.one
		run -F "$HOME/$config" -l
		is "a line that ssh refuses includes nothing: $line" a "$out"
		fresh
	done
	lists 'an Include in a block counts for what the block matches' \
	    'Host work-*\n Include work\nHost home\n Include home
	    Host elsewhere\n Include work home\nMatch all\n Include home' \
	    .ssh/work='Host work-a h1\n User w\nHost work\n User no' \
	    .ssh/home='Host h1 home\nHost h2\n Port 7' \
	    work-a home elsewhere h1 h2
	lists 'an Include after a Host line is in its block' \
	    'Host a\n Port 1\nInclude more' .ssh/more='Host b\nHost a c' a
	lists 'what is included may be odd, missing, or included twice' \
	    "Include nosuch *.nosuch /nonexistent/* ~nosuchuser/x
	    Include \"with space\" 'q'\"uoted\" # comment it's
	    Include=tilde\nINCLUDE ~/.ssh/tilde2\ninclude dir
	    Include # nothing\nInclude with\\\\ space
	    Include ?uoted [a-s]uote[!a-c] {tilde,quoted}\nHost last" \
	    '.ssh/with space=Host sp' .ssh/quoted='Host qu' \
	    .ssh/tilde='Host ti' .ssh/tilde2='Host ti2' \
	    .ssh/dir/x='Host no' sp qu ti ti2 last
	id="$me-$(id -u)-$(uname -n | sed 's/\..*//')-%"
	cat <<-END | write config
		Include \${NOSUCH}/one "\${HOME}/.ssh/one"
		Include %u-%i-%L-%% %l.conf %d/../../../../..$HOME/.ssh/passwd
		Include %h %n.conf %p %C
		Host last
	END
	lists 'an Include may name variables, and what is known of the user' '' \
	    .ssh/one='Host one' ".ssh/$id=Host two" .ssh/passwd='Host four' \
	    ".ssh/$(uname -n).conf=Host three" .ssh/last='Host no' \
	    .ssh/last.conf='Host no' .ssh/22='Host no' one two three four last
	lists 'an Include in a Match block counts for what it matches' \
	    'Match host a*,!ab\n Include m\nMatch !all\n Include never
	    Match originalhost c,d\n Include m\nMatch all\n Include rest' \
	    .ssh/m='Host a ab c\nHost b' .ssh/never='Host n1' \
	    .ssh/rest='Host r' a c r
	printf 'Include locked open\nHost last\n' | write config
	echo 'Host locked' | write locked
	echo 'Host open' | write open
	chmod 0 "$HOME/.ssh/locked"
	can 'an unreadable Include is passed over' 'root reads all' \
	    [ ! -r "$HOME/.ssh/locked" ] &&
	    says 'an unreadable Include is passed over, which ssh refuses' \
		"0:open${newline}last:" -F "$HOME/$config" -l
	fresh
	blocks <<-END | write config
		Match exec "touch $tmp/canary" :: Include more :: Port 1
		Match originalhost a exec "touch $tmp/canary" :: Port 2
		Host a
	END
	echo 'Host b' | write more
	run -F "$HOME/$config" -l -v
	is 'a command in a Match counts as not matching' "a$tab$me@a:22" \
	    "$(printf '%s\n' "$out" | cut -f 1,2)"
	ok 'no command of a Match is run' [ ! -e "$tmp/canary" ]
	lists 'a Host line tests the name that was typed' \
	    'Host real\n Port 2\nHost a b\n HostName REAL' real a b
	lists 'after Match final it tests the HostName, too' \
	    'Host real\n Port 2\nHost a b\n HostName REAL
	    Match final user u\nMatch final host real\n User u' real a b
}

# What is wanted, by hand: agree CONFIG HOST SETTING ...: both ssh and wl say
# this of the host. A setting that is not named is as if nothing were
# configured; FILE=TEXT with a / in FILE is a file below HOME.
agree()
{
	sentence="reads $2 so: $1" name=$2 user=$me port=22 jump=
	printf '%b\nHost "%s"\n' "$1" "$2" | write config
	hostname=$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]')
	shift 2
	for setting in "$@"; do
		value=${setting#*=}
		case $setting in
		user=*)	user=$value ;;
		port=*)	port=$value ;;
		hostname=*) hostname=$value ;;
		proxyjump=*) jump=$value ;;
		*)	printf '%b\n' "$value" | write "../${setting%%=*}" ;;
		esac
	done
	want="$user@$hostname:$port$tab$jump"
	[ "$sanitized$old" ] || is "ssh $sentence" "$want" "$(asked "$name")"
	run -F "$HOME/$config" -l -v
	is "wl $sentence" "$want" "$(printf '%s\n' "$out" | name=$name \
	    awk -F '\t' '$1 == ENVIRON["name"] { print $2 "\t" $3 }')"
	fresh
}

test_agreement()
{
	for lines in 'Host a\r HostName x\rPort 3' 'Host a\vb\nPort 3' \
	    'ProxyCommand == nc' 'Host !a *\nPort 3' 'Host * !a\nPort 3' \
	    'Host !b\nPort 3' 'Host a,b\nPort 3' 'Match !all\nPort 3' \
	    'Match host *,!a\nPort 3' 'Match host !b\nPort 3' \
	    'Host b\nHostName %q' 'Host a\n ""Port 3' 'Port ssh' 'Port +022' \
	    'ProxyJump none\nProxyJump j' 'ProxyCommand none\nProxyJump j'; do
		agree "$lines" a
	done
	for lines in 'Host == a\nPort 3' '"Host" a\n"Port"3' \
	    '\rHost\ra\nPort 3' '#x "\n  # "y\n\t#z\n"#q" r\nPort 3' \
	    'Match all\nPort 3' 'Match host "a" originalhost a # c\nPort 3' \
	    'Match host A,b\nPort 3' 'Match !host b\nPort 3' \
	    'Match host a all\nPort 3' 'Host a\n""Port 3' \
	    'Protocol 1\nCipher x\nRSAAuthentication yes\nPort 3'; do
		agree "$lines" a port=3
	done
	for lines in '==Host a\nPort 3' '"Host a\nPort 3' 'Ho"st a\nPort 3' \
	    'Host a \r b\nPort 3'; do
		agree "$lines" b port=3
	done
	agree 'Host == a\nPort 3' = port=3
	agree ' = Host a\nPort 3' b
	agree '"Host" = a\nPort 3' = port=3
	agree '""Host a\nPort 3' b
	agree 'User "a\\"b\\\\c\\d"' a 'user=a"b\c\d'
	agree 'User a\\ b' a 'user=a b'
	agree 'User "a\\ b"' a 'user=a\ b'
	agree 'User "x" # "y' a user=x
	agree 'User "x"#y' a 'user=x#y'
	agree 'User ""x""' a user=x
	agree "ProxyCommand nc \"%h\" # it's" a
	agree 'Host a b*\nPort 3' bcd port=3
	agree 'Host a?c\nPort 3' ac
	agree 'Host a[bc]\nPort 3' 'a[bc]' port=3
	agree 'Host a[bc]\nPort 3' ab
	agree 'Port 2\nHost a\nPort 3\nUser u\n Host b\nUser v' b user=v port=2
	agree "Host \"a\"'b'c\nPort 3" abc port=3
	agree 'Include rel' a port=3 '.ssh/rel=Port 3'
	agree 'Include rel' a './rel=Port 3'
	agree 'Include ~/x' a port=3 './x=Port 3'
	agree 'Include "~/s p" ~/none ~\nUser u' a user=u port=3 './s p=Port 3'
	agree 'Include ~/s*' a port=10 './s2=Port 2' './s10=Port 10'
	agree 'Include ~/s2 ~/s10' a port=2 './s2=Port 2' './s10=Port 10'
	agree 'Include ~/*x' a './.x=Port 3'
	agree 'Host b\nInclude ~/x\nPort 9' a \
	    './x=Host a\nPort 3\nMatch all\nUser u'
	agree 'Host b\nInclude ~/x\nPort 9' b user=u port=9 \
	    './x=Host a\nPort 3\nMatch all\nUser u'
	agree 'Host a\nInclude ~/x\nUser u' a user=u port=3 \
	    './x=Port 3\nHost zz\nPort 4'
	agree 'Include ~/x\nUser u' a user=u './x=Host zz\nPort 4'
	agree 'Host a\nHostName Real\nMatch host real\nPort 3\nMatch originalhost a
	    User u' a user=u hostname=real port=3
	agree 'Match host real\nPort 3\nHost a\nHostName real' a hostname=real
	agree 'Host a\nUser x\nMatch user x\nPort 3' a user=x port=3
	agree 'Host *\nHostName %h.ex%%y' Ab hostname=Ab.ex%y
	agree 'HostName %h.EX' Ab hostname=ab.ex
	agree 'HostName x\nHostName %q' a hostname=x
	agree 'HostName FE80::1' a hostname=FE80::1
	agree 'HostName ${FOO}' a 'hostname=${foo}'
	agree 'ProxyJump u@j:22,k:2 #c' a proxyjump=u@j:22,k:2
	agree 'ProxyJump j#c' a proxyjump=j
	agree 'ProxyJump none #c' a proxyjump=none
	agree 'ProxyJump "j"' a 'proxyjump="j"'
	agree 'ProxyJump = = j' a proxyjump=j
	agree 'ProxyJump j\nProxyCommand x' a proxyjump=j
	agree 'ProxyJump A' a proxyjump=A
	real='Host a\nHostName REAL\nHost real\nPort 3'
	agree "$real\nMatch final" a hostname=real port=3
	agree "$real\nMatch host zz final" a hostname=real port=3
	agree "$real\nMatch canonical" a hostname=real
	agree "$real\nMatch host final" a hostname=real
	agree "$real\nMatch user !final" a hostname=real
	agree "CanonicalizeHostname yes\n$real" a hostname=real port=3
	agree 'Host A\nUser x\nMatch final\nPort 3\nHost A\nHostName z' A \
	    user=x hostname=z port=3
	agree "Host zz\nInclude ~/x\n$real" a hostname=real port=3 \
	    './x=Match final'
	agree 'Host a#b=c!%+:/[~^.\nPort 3' 'a#b=c!%+:/[~^.' port=3
	agree 'HostName "a b;c"\nUser -x' a user=-x 'hostname=a b;c'
}

# The columns of -l -v that ssh does not know: where, and the note. What is put
# aside or drawn is no note, and an address stays as it is written.
test_columns()
{
	printf '%b' '# shop front end\nHost web www\n# not a note: below is nothing' \
	    '\n\nHost db\t# rows and rows\n#\n#first line\n# second line  \n' \
	    'Host gw\n  # an Include has no note\nMatch all\nInclude more\n' |
	    write config
	printf '#\tMontr\303\251al \r\nHost far\r\n' | write more
	run -F "$HOME/$config" -l -v
	is 'a host has a place, and the comment there as a note' \
	    "web	$HOME/.ssh/config:2	shop front end
www	$HOME/.ssh/config:2	shop front end
db	$HOME/.ssh/config:5	rows and rows
gw	$HOME/.ssh/config:9	first line second line
far	$HOME/.ssh/more:2	$(printf 'Montr\303\251al')" \
	    "$(printf '%s' "$out" | cut -f 1,4-)"
	printf '%b' '# ---- START-OF-LIST ----\nHost drawn\n# Host staging\n# HostName' \
	    ' 1.2.3.4\nHost aside\n# the real one\n#Host old\n#\tUser me\n' \
	    '# for the shop\n# ==============\nHost mixed\nHostName 127.1\n' \
	    'ProxyJump ssh://u%40v@[::1]:ssh\n# User interface tests\n' \
	    'Host prose\n' | write config
	run -F "$HOME/$config" -l -v
	is 'rulers and entries put aside are no notes' \
	    "drawn	drawn:22		
aside	aside:22		
mixed	127.1:22	ssh://u%40v@[::1]:ssh	for the shop
prose	prose:22		User interface tests" \
	    "$(printf '%s' "$out" | cut -f 1-3,5 | sed "s/$me@//")"
	fresh
}

# Criteria that the system's ssh may be too old for.
test_criteria()
{
	printf '%b' 'Host tagged\nTag work\nMatch tagged work,play\nUser worker\n' \
	    'Match tagged play\nPort 3\nMatch tagged "" sessiontype shell,exec' \
	    ' command ""\nUser plain\nMatch sessiontype none\nPort 4\n' \
	    'Match !tagged work\nPort 5\nHost other\nMatch command *\n' \
	    'Include no/file\n' | write config
	run -F "$HOME/$config" -l -v
	is 'tags count, and what decides by the session is for a shell' \
	    "tagged	worker@tagged:22${newline}other	plain@other:5" \
	    "$(printf '%s' "$out" | cut -f 1,2)"
	blocks <<-'END' | write config
		Host x :: User %u-%n-%h-%p-%%${HOME} :: HostName h
		Match user %u-%n-* :: Port 6
		Host raw :: User %x${NOSUCH}
		Match host =raw :: Port 7
		Match originalhost= raw host = raw :: Port 8
		Match !final originalhost none
		Host h :: Port 9
		Host y :: HostName h
	END
	run -F "$HOME/$config" -l -v
	is 'where versions differ, the newest counts' \
	    "x	$me-x-h-6-%$HOME@h:6
raw	%x\${NOSUCH}@raw:8${newline}h	$me@h:9${newline}y	$me@h:22" \
	    "$(printf '%s' "$out" | cut -f 1,2)"
	test_ssh_decides
	fresh
}

# The ssh on this PATH notes what it is asked.
test_ssh_decides()
{
	mkdir "$HOME/bin"
	printf 'echo >>%s\nexec %s "$@"\n' "$HOME/asked" "$(command -v ssh)" |
	    script "$HOME/bin/ssh"
	blocks <<-END | write config
		Host here :: HostName h
		Host there
		Match localnetwork 127.0.0.0/8 :: User local :: Include more
		Match localnetwork 203.0.113.0/24 :: User elsewhere
		Match !localnetwork 203.0.113.0/24 version OpenSSH_* :: Port 7
	END
	echo 'Host inside' | write more
	write hostile <<-END
		Include config
		Match version "*\" exec \"touch $HOME/ran"
	END
	wrapped "PATH=$HOME/bin:$PATH; exec \"\$@\""
	run -F "$HOME/.ssh/hostile" -l -v
	unwrapped
	ok 'ssh is asked once for what only it can decide' \
	    [ "$(grep -c '' "$HOME/asked")" -le 3 ]
	ok 'and not for what somebody has put behind it' [ ! -e "$HOME/ran" ]
	sentence='what only ssh can decide is as it says'
	if ssh -G -F "$HOME/$config" here >/dev/null 2>&1; then
		lists "$sentence" '' here there inside
	else
		skip "$sentence" 'this ssh refuses such lines'
	fi
}

# The host that was meant: -p prints it, here without a terminal. meant QUERY
# WANT: what is printed, or the status and what is said.
meant()
{
	run -F "$HOME/$config" -p "$1"
	is "the host that $1 means" "$2" "${out:-$rc:$err}"
}

test_meant()
{
	printf '%s\n' 'Host nc-web-prod-7' 'Host nc-db-backup.corp # the shop' \
	    'Host here' 'HostName localhost' 'Host nc-*.corp !nc-no.corp' \
	    'User u' 'Host *' 'Port 22' | write config
	meant here here
	meant nc-db.corp nc-db.corp
	meant nc-no.corp nc-no.corp
	meant localhost localhost
	meant 192.0.2.1 192.0.2.1
	meant u@nc-web u@nc-web
	meant new.example new.example
	meant b-backup.corp '1:wl: b-backup.corp: is it nc-db-backup.corp that is meant?'
	meant backup.corp \
	    '1:wl: backup.corp: is it nc-db-backup.corp that is meant?'
	meant 'web 7' nc-web-prod-7
	meant prod nc-web-prod-7
	meant pro '1:wl: pro: is it nc-web-prod-7 that is meant?'
	meant wp7 '1:wl: wp7: is it nc-web-prod-7 that is meant?'
	meant shop "1:nc-db-backup.corp${newline}wl: shop: matches 1 host"
	meant 1 "1:nc-web-prod-7${newline}wl: 1: matches 1 host"
	rm -f "$uses"
	meant - '1:wl: no host was used yet'
	recent 20 here 10 nc-web-prod-7 20 typed
	meant - typed
	start -F "$HOME/$config" -p wp7
	ends 'on a terminal letters are enough' 0 nc-web-prod-7
	start -F "$HOME/$config" wp7 true
	ends 'but not for a command' 1 \
	    'wl: wp7: is it nc-web-prod-7 that is meant?'
	echo 'Host web-01' >"$tmp/one"
	for query in web-0 0 ' '; do
		run -F "$tmp/one" "$query" true
		is "no command runs on a host for its piece '$query'" 1 "$rc"
	done
	printf '%s\n' 'Match originalhost web' 'User w' 'Host web-prod-1' \
	    'Host db' >"$tmp/one"
	for query in web 'db -i one'; do
		echo "${query%% *}-prod-1" >"$HOME/one"
		# shellcheck disable=SC2086	# one word, or with an option
		(cd "$HOME" && "$wl" -F "$tmp/one" -n $query true </dev/null) \
		    >"$tmp/out"
		is "a name that a line of the configuration has is ssh's: $query" \
		    "-- ${query%% *} true" "$(sed -n 's/.* -- /-- /p' "$tmp/out" |
		    tail -n 1)"
	done
	begin 4/4 -F "$HOME/$config" -r -p
	is '-r opens with those used last first' 'typed nc-web-prod-7 here' \
	    "$(shown | sed -n '2,4s/^..[ 0-9]*\([^ ]*\).*/\1/p' |
	    paste -s -d ' ' -)"
	brings 3/3 C-r
	keys Escape
	stop
	rm "$uses"
	fresh
}

# The file to read.
test_file()
{
	for file in none NONE "$HOME/.ssh" /dev/null; do
		says "-F $file reads as empty" 1:: -F "$file" -l
	done
	mkfifo "$HOME/fifo"
	start -h	# for tmux's socket
	echo 'Host a' | write config
	chmod 0 "$HOME/.ssh/config"
	while IFS=: read -r name file reason; do
		[ "$file" != "$HOME/$config" ] || can "$name is an error" \
		    'root reads all' [ ! -r "$file" ] || continue
		says "$name is an error" "2::wl: $file: $reason" -F "$file" -l
	done <<-END
		a missing file:$HOME/nosuch:No such file or directory
		a FIFO:$HOME/fifo:not a regular file
		a socket:$tmp/tmux:not a regular file
		an unreadable file:$HOME/$config:Permission denied
	END
	stop
	chmod 644 "$HOME/.ssh/config"
	is 'a relative file is one of the working directory' "a${newline}0" \
	    "$(cd "$HOME/.ssh" && "$wl" -F config -l 2>&1; echo $?)"
	is 'a file whose size is not known is read' b \
	    "$(env a="${newline}Host b$newline" "$wl" -F /proc/self/environ -l)"
	fresh
}

# ----------------------------------------------------------- hostile input ---
# survives NAME [HOST]: wl ends by itself, soon, with little memory, and the
# last of its list is the host, or a. hostile does that with the output of a
# command as the configuration.
survives()
{
	launch -F "$HOME/$config" -l
	is "wl survives $1" "0:${2-a}" "$rc:$(tail -n 1 "$tmp/out")"
	launch -F "$HOME/$config" -l -v
	is "-v survives $1" "0:${2-a}" "$rc:$(cut -f 1 "$tmp/out" | tail -n 1)"
	fresh
}

hostile()
{
	eval "$2" | write config
	survives "$1" "${3-a}"
}

# repeat N FORMAT prints so much; a %d there is the number, a second %d, too.
repeat()
{
	awk -v n="$1" -v format="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			printf format, i, i
	}'
}

zeros() { dd if=/dev/zero bs=1000000 count="$1" 2>/dev/null; }
megabytes() { zeros "$1" | tr '\0' "$2"; }

test_hostile()
{
	limit=60 free=$alone memory=1000000
	[ ! "$sanitized" ] || memory=unlimited	# for it takes terabytes
	echo "ulimit -t 10; ulimit -v $memory; "'exec "$@"' >"$tmp/small"
	alone="sh $tmp/small $alone"
	while IFS='|' read -r name command last; do
		hostile "$name" "$command" "${last:-a}"
	done <<-'END'
		ten million NULs|zeros 10; printf "\nHost a\n"
		a comment of ten megabytes|printf "#"; megabytes 10 x; printf "\nHost a\n"
		a name of ten megabytes|printf "Host "; megabytes 10 x; printf "\nHost a\n"
		ten million quotes|printf "Host \042"; megabytes 10 "\042"; printf "\nHost a\n"
		ten million stars|printf "Host "; megabytes 10 "*"; printf "x b\nHost a\n"
		a user of ten megabytes|printf "Host a\nUser "; megabytes 10 u
		a HostName of a million names|printf "Host a\nHostName "; repeat 1000000 %%h
		a HostName of 50,000 times 50,000 letters|printf "Host * a"; repeat 50000 a; printf "\nHostName "; repeat 50000 %%h; printf "\nHost a\n"
		ten million jumps to nowhere|printf "Host a\nProxyJump "; megabytes 10 ,
		a Match that ssh is asked for, of ten megabytes|printf "Match version "; megabytes 10 x; printf "\nHost a\n"
		100,000 that it is asked for|repeat 100000 "Match version %d\n"; echo Host a
		ten million empty patterns in a Match|printf "Host a\nMatch host "; megabytes 10 ,
		ten million lines|megabytes 10 "\n"; echo Host a
		100,000 patterns on a line|printf Host; repeat 100000 " p%d*"; echo " a"
		100,000 names on a line|printf "Host !no* !*no"; repeat 100000 " p%d"; echo|p99999
		100,000 Includes|repeat 100000 "Host p%d\nInclude nosuch%d/*\n"; printf "Match all\nHost a\n"
		a note of 40,000 lines|repeat 40000 "# a line of a note\n"; echo Host a
	END
	for bytes in 2000000000 200000000000; do
		truncate -s "$bytes" "$HOME/$config"
		launch -F "$HOME/$config" -l
		is "wl survives $bytes bytes" 1: "$rc:$(cat "$tmp/out")"
	done
	fresh
	hostile_includes
	hostile_files
	printf '# bell\a %s]0;title\a \302\233 \177\v\nHost a\n  %b' "$esc" \
	    'HostName h\0033[2J\n  User u\a\b\n ProxyJump j\r\0033c\n' |
	    write config
	run -F "$HOME/$config" -l -v
	is 'no control character comes out of wl -v' '' \
	    "$(printf '%s' "$out" | tr -d '\t\n\040-\176\200-\377' | cat -v
	    printf '%s' "$out" | grep "$(printf '\302[\200-\237]')")"
	fresh
	limit='' alone=$free
}

hostile_includes()
{
	for last in 15 16 17; do
		echo 'Include 1' | write config
		level=1
		while [ "$level" -le "$last" ]; do
			printf 'Host h%d\nMatch all\nInclude %d\n' "$level" \
			    $((level + 1)) | write "$level"
			level=$((level + 1))
		done
		[ "$last" != 17 ] || last=16
		survives "an Include in an Include, $((level - 1)) deep" h"$last"
	done
	hostile 'a file that includes itself' \
	    'printf "Host a\nMatch all\nInclude config\nHost b\n"' b
	hostile 'a file that includes itself twice' \
	    'printf "Host a\nMatch all\nInclude config config\n"'
	hostile 'two files that include each other' \
	    'printf "Host a b\nInclude *\n" | tee "$HOME/.ssh/b"' b
	echo 'Host a' | write 16
	for level in 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1; do
		echo "Include$(repeat 10 " $((level + 1))")" | write "$level"
	done
	hostile 'an Include that grows tenfold at each level' 'echo Include 1'
}

hostile_files()
{
	start -h	# for tmux's socket
	for what in /dev/zero /dev/tty /dev/null /dev/random fifo dir socket; do
		mkfifo "$HOME/.ssh/fifo"
		mkdir "$HOME/.ssh/dir"
		ln -s "$tmp/tmux" "$HOME/.ssh/socket"
		hostile "Include $what" 'printf "Include %s\nHost a\n" $what'
	done
	stop
	for what in /dev/zero /dev/tty /dev/random /; do
		launch -F "$what" -l
		ok "wl survives -F $what" [ "$rc" -le 2 ]
	done
	launch -F "$wl" -l -v
	ok 'wl survives a program as its configuration' [ "$rc" -le 1 ]
	echo 'Host a' | write config
	(
		trap 'exit' TERM
		while :; do
			echo 'Host b'
		done >>"$HOME/$config"
	) 2>/dev/null &
	writer=$!
	launch -F "$HOME/$config" -l
	kill "$writer"
	wait "$writer"
	is 'wl survives a file that grows' 0:a "$rc:$(sed 1q "$tmp/out")"
	fresh
}

# ------------------------------------------------------------- connecting ---
test_connection()
{
	server
	gives 'a command runs without a terminal' '0:42:' web 'echo $((6 * 7))'
	gives 'the exit status is that of the command' '7::' web exit 7
	gives 'a host behind another is reached' '0:behind:' db echo behind
	gives 'a login that fails says what ssh says' \
	    "255::$me@denied: Permission denied (publickey)." denied true
	begin 'remote$' -q -F "$server/config" db
	keys 'exit 3' Enter
	sees 'a shell runs on a terminal' <<-'END'
		Welcome.
		remote$ exit 3
		Shared connection to db closed.
		exit 3
	END
	stop
	for host in web db; do
		run -F "$server/config" -o ControlPersist=60 "$host" true
		gives "the connection to $host is shared, and ends if told to" \
		    '0::Exit request sent.' -O exit "$host"
	done
}

# ----------------------------------------------------------------- prompt ---
# sees NAME: the test NAME: does the screen on standard input come, whole?
# looks NAME LINE ...: does this one, with single blanks in the first line?
# types BYTES: they reach wl as they are, in one piece, as from a terminal.
# prompting ARGUMENTS: wl on those hosts, its prompt on the screen.
# ends NAME STATUS: the same for what is left on the screen when wl has ended
# with that status: nothing else, and the terminal's mode is as before. leaves
# does so after Esc.
sees() { soon shown "$1"; }

looks()
{
	sentence=$1
	shift
	soon 'shown | sed "1s/  */ /g"' "$sentence" "$(printf '%s\n' "$@")"
}

types()
{
	printf "$1" >"$tmp/bytes"
	tmux load-buffer "$tmp/bytes"
	tmux paste-buffer -d -r
}

resize() { tmux resize-window -x "${1%x*}" -y "${1#*x}"; }

cursor() { tmux display-message -p '#{cursor_x},#{cursor_y}'; }

restored()
{
	until_true '[ -s "$tmp/after" ]'
	is "$1: the terminal is as before" "$(cat "$tmp/before")" \
	    "$(cat "$tmp/after")"
}

prompting() { begin nas "$@" -F "$HOME/$config"; }

leaves()
{
	keys Escape
	ends "$1" 130 ${2+"$2"}
}

ends()
{
	shows "$1" "${3+$3$newline}exit $2"
	restored "$1"
	stop
}

prompt_hosts()
{
	blocks <<-'END' | write config
		Host bastion :: HostName 203.0.113.1 :: User jump

		# shop front end
		Host web-prod-1 :: HostName 10.0.0.5 :: User deploy
		    ProxyJump bastion
		# the spare
		Host web-prod-2 :: HostName 10.0.0.6 :: User deploy :: Port 2222
		    ProxyJump bastion
		Host web-dev :: HostName dev.example.com
		Host staging-web
		Host db1 db2 db3 :: HostName %h.db.internal :: User postgres
		Host mail # Postfix
		    HostName mx.example.com
		Host nas pi printer camera
	END
}

test_prompt()
{
	fresh
	prompt_hosts
	start -F "$HOME/$config"
	sees 'the prompt shows the hosts, numbered' <<-'END'
		>                                                                         13/13
		>  1  bastion      jump@203.0.113.1
		   2  web-prod-1   deploy@10.0.0.5           via bastion  shop front end
		   3  web-prod-2   deploy@10.0.0.6:2222      via bastion  the spare
		   4  web-dev      dev.example.com
		   5  staging-web
		   6  db1          postgres@db1.db.internal
		   7  db2          postgres@db2.db.internal
		   8  db3          postgres@db3.db.internal
		   9  mail         mx.example.com            Postfix
		  10  nas
	END
	is 'the cursor is where the text will be' 2,0 "$(cursor)"
	is 'beside the count stands what shows the keys' \
	    ">$(printf %65s '')? keys  13/13" "$(tmux capture-pane -p | head -n 1)"
	keys web
	sees 'what is typed filters, and the best match is selected' <<-'END'
		> web                                                                      4/13
		>  4  web-dev      dev.example.com
		   2  web-prod-1   deploy@10.0.0.5       via bastion  shop front end
		   3  web-prod-2   deploy@10.0.0.6:2222  via bastion  the spare
		   5  staging-web
		  ssh web
	END
	is 'the cursor is behind the query' 5,0 "$(cursor)"
	keys Space prod
	sees 'a blank begins another word' <<-'END'
		> web prod                                                                 2/13
		>  2  web-prod-1  deploy@10.0.0.5       via bastion  shop front end
		   3  web-prod-2  deploy@10.0.0.6:2222  via bastion  the spare
	END
	soon styled 'what matches is underlined, the row in reverse' <<-'END'
		> web prod                                                                 <2>2/13
		<0;7>>  2  <4>web<0;7>-<4>prod<0;7>-1  deploy@10.0.0.5       via bastion  shop front end
		<0>   3  <4>web<0>-<4>prod<0>-2<2>  deploy@10.0.0.6:2222  via bastion  the spare
	END
	stop
	groups motion editing choice input aliases sizes letters leaving \
	    suspend plain resolve
}

# The screen with its attributes, where they change: 2 is dim, 4 underlined, 7
# in reverse, 0 none of these.
styled()
{
	tmux capture-pane -e -p | sed -e "s/$esc\[[34]9m//g" \
	    -e "s/$esc\[\([0-9;]*\)m/<\1>/g" -e 's/ *\(<0>\)*$//' -e '/^$/d'
}

# The keys that move the selection: after each, which host is it, and which is
# the first of the window?
test_motion()
{
	prompting
	for move in Down:2,1 C-n:3,1 C-j:4,1 Tab:5,1 Up:4,1 C-p:3,1 BTab:2,1 \
	    Up:1,1 Up:1,1 NPage:10,4 NPage:13,4 Down:13,4 PPage:4,1 PPage:1,1 \
	    PPage:1,1 End:13,4 Up:12,4 PPage:3,1 Home:1,1 Down:2,1 C-k:1,1 \
	    C-k:1,1; do
		keys "${move%:*}"
		soon selected "${move%:*} goes to host ${move#*:}" "${move#*:}"
	done
	stop
}

selected()
{
	shown | awk '
		NR == 2 { first = $1 == ">" ? $2 : $1 }
		NR > 1 && /^>/ { print $2 "," first }'
}

# The keys that edit: what is the query, and where is the cursor?
test_editing()
{
	prompting
	edits 'one two' 9 'one two'
	edits C-b 8 'one two' Left 7 'one two' Left 6 'one two' \
	    C-f 7 'one two' Right 8 'one two' C-a 2 'one two' \
	    Left 2 'one two' C-b 2 'one two' x 3 'xone two' \
	    C-e 10 'xone two' Right 10 'xone two' C-f 10 'xone two' \
	    BSpace 9 'xone tw' C-h 8 'xone t' C-a 2 'xone t' \
	    DC 2 'one t' C-d 2 'ne t' BSpace 2 'ne t' Right 3 'ne t' \
	    Right 4 'ne t' C-k 4 ne C-u 2 '' 'a  b' 6 'a  b' C-w 5 a \
	    C-w 2 '' C-w 2 '' C-u 2 '' BSpace 2 '' DC 2 '' 'a b c' 7 'a b c' \
	    Left 6 'a b c' C-w 4 'a c' C-u 2 c C-e 3 c C-h 2 '' \
	    'one two' 9 'one two' C-Left 6 'one two' M-b 2 'one two' \
	    M-b 2 'one two' M-f 5 'one two' C-Right 9 'one two' \
	    M-f 9 'one two' M-BSpace 6 one M-C-h 2 ''
	stop
}

edits()
{
	while [ $# -gt 0 ]; do
		case $1 in
		-l:*)	keys -l "${1#-l:}" ;;
		*)	keys "$1" ;;
		esac
		soon 'echo "$(cursor) $(query)"' \
		    "$1 leaves the query '$3', cursor $2" "$2,0 $3"
		shift 3
	done
}

# The query, less the count at the end of its line.
query() { shown | sed -n '1{s/^> //; s/ *[0-9]*\/[0-9]*$//; s/^>$//; p;}'; }

# What Enter takes. With -p wl says what it would connect to.
test_choice()
{
	prompting -p
	keys '?' x '?'
	sees 'a question mark, and F1, shows the keys' <<-'END'
		>                                                                         13/13
		type to filter: words, or a number
		Enter connect   Esc ^C leave   ^Z stop
		Up Down ^P ^N Tab PgUp PgDn Home End
		^A ^E ^B ^F     move in the query; Alt: words
		^U ^W ^K        delete: before, word, after
		^R recently used hosts   ^X forget one
		^T test which hosts answer
		^Y copy HostName   ^O edit the entry
		^L draw again
	END
	brings bastion x
	brings 'type to filter' F1
	brings bastion Escape
	keys 12
	looks 'the row with the number comes first' '> 12 2/13' \
	    '> 12  printer' \
	    '   3  web-prod-2  deploy@10.0.0.6:2222  via bastion  the spare' \
	    '  ssh 12'
	keys BSpace BSpace 2
	sees 'names with the digits follow the number' <<-'END'
		> 2                                                                        4/13
		>  2  web-prod-1  deploy@10.0.0.5           via bastion  shop front end
		   7  db2         postgres@db2.db.internal
		   3  web-prod-2  deploy@10.0.0.6:2222      via bastion  the spare
		   1  bastion     jump@203.0.113.1
		  ssh 2
	END
	keys Down Enter
	ends 'Enter takes the selected host' 0 db2
	begin 4/13 -p -F "$HOME/$config" web
	is 'the prompt opens with that query' '5,0 web' "$(cursor) $(query)"
	keys Enter
	ends 'and Enter takes its best match' 0 web-dev
	shell "$HOME/.ssh"
	mkfifo "$HOME/.ssh/go"
	brings "${newline}nas" 'cat go; w -p' Enter nas Enter
	echo >"$HOME/.ssh/go"
	shows 'an Enter that was typed ahead, which is a line feed, is Enter' \
	    "\$ cat go; w -p${newline}nas$newline${newline}nas$newline\$"
	stop
	prompting -p
	keys 'no such' Enter
	looks 'what ssh would refuse is not there' '> no such 0/13' '  no match'
	keys C-u web End
	sees 'the last row is the query itself' <<-'END'
		> web                                                                      4/13
		   4  web-dev      dev.example.com
		   2  web-prod-1   deploy@10.0.0.5       via bastion  shop front end
		   3  web-prod-2   deploy@10.0.0.6:2222  via bastion  the spare
		   5  staging-web
		> ssh web
	END
	keys C-y C-x C-o Enter
	ends 'and Enter takes it' 0 web
	start -p -F /dev/null
	looks 'a hint says why' '> 0/0' '  no Host entries in /dev/null'
	keys Enter Space Enter x
	looks 'no empty query is taken, no blank begins one' '> x 0/0' '  ssh x'
	keys Up Down NPage PPage End Home Enter
	ends 'Enter takes a query that matches nothing' 0 x
}

# What comes from a terminal and is no key.
test_input()
{
	prompting -p
	# shellcheck disable=SC1003	# these are backslashes
	for sequence in '[99~' '[1;5Q' '[24~' '[I' '[O' '[?1;2c' '[24;80R' \
	    '[<0;12;3M' '[<0;12;3m' '[97;5u' '[?2026;2$y' \
	    '[201~' '[;;;~' '[99999999999999999999~' '[ !"q' OQ Ox '[[E' x \
	    ']11;rgb:0000/ffff/web\033\\' ']52;c;d2Vi\a' ']0;a;b\a' \
	    'P>|tmux 3.3a\033\\' 'P1$r0m\033\\' '_Gi=31;OK\033\\' \
	    '^web\033\\' 'Xweb\033\\' '[1\033[99~' ']web\033x\033\\'; do
		types "\033${sequence}a"
		soon query "the sequence ESC $sequence is swallowed whole" a
		keys C-u
		until_true 'capture; [ "$(query)" = "" ]'
	done
	types '\033[A\033[B\033OB\033[1;5B\033[[A'
	screen 'type to filter'
	keys x
	soon selected 'sequences may follow each other' 4,1
	types '\033[H\033[4~\033[1~\033[8~\033[7~\033[F\033OH\033[6~'
	soon selected 'Home, End and PgDn have many sequences' 10,4
	types '\033[200~web\033[A\033OB\033xd\033[201~'
	sees 'a paste may have sequences in it, which do nothing' <<-'END'
		> webd                                                                     3/13
		>  4  web-dev     dev.example.com
		   2  web-prod-1  deploy@10.0.0.5       via bastion  shop front end
		   3  web-prod-2  deploy@10.0.0.6:2222  via bastion  the spare
		  ssh webd
	END
	keys C-u
	tmux set-buffer "$(printf 'web\t1\nprod\033\003\025\001-')"
	tmux paste-buffer -d -p
	sees 'a paste is text, whatever is in it' <<-'END'
		> web 1 prod-                                                              2/13
		>  2  web-prod-1  deploy@10.0.0.5       via bastion  shop front end
		   3  web-prod-2  deploy@10.0.0.6:2222  via bastion  the spare
	END
	keys Enter
	ends 'after a paste Enter is Enter' 0 web-prod-1
}

# Names of one Host line that lead to the same address.
test_aliases()
{
	blocks <<-'END' | write config
		# the box
		Host AB8 ab8 ab :: HostName 10.0.0.8
		Host web www web.example.com :: HostName web.example.com
		Host db1 db2 :: HostName %h.internal
		Host one two
	END
	start -p -F "$HOME/$config"
	sees 'aliases share a row, other names do not' <<-'END'
		>                                                                         10/10
		>  1  AB8 ab8 ab               10.0.0.8         the box
		   4  web www web.example.com  web.example.com
		   7  db1                      db1.internal
		   8  db2                      db2.internal
		   9  one
		  10  two
	END
	is 'all but the first of them are dim' \
	    '4  web<2> www web.example.com  web.example.com' \
	    "$(styled | sed -n 's/^.* 4 /4 /p')"
	keys 3
	sees 'the one that matches best is the first' <<-'END'
		> 3                                                                        1/10
		>  3  ab AB8 ab8  10.0.0.8  the box
		  ssh 3
	END
	keys BSpace End
	soon selected 'End goes to the last row' 10,1
	keys www Enter
	ends 'Enter takes the first' 0 www
	run -F "$HOME/$config" -l ab
	is '-l prints them all' "ab${newline}AB8${newline}ab8" "$out"
}

# Small terminals, and terminals that change.
test_sizes()
{
	blocks <<-'END' | write config
		# shop front end
		Host web-prod-1 :: HostName 10.0.0.5 :: User deploy
		Host web-dev :: HostName dev.example.com
		Host staging-web
		Host a-host-with-a-name-that-is-longer-than-most :: User deploy
		Host db1 db2 db3 :: HostName %h.db.internal :: User postgres
	END
	size=10x2
	start -p -F "$HOME/$config"
	shows 'in 10x2 there is room for a name' ">     7/7$newline>1 web-pr"
	for row in '2 web-de' '3 stagin' '4 a-host' '5 db1  p' '6 db2  p' \
	    '7 db3  p'; do
		keys Down
		shows "in 10x2 Down shows $row" ">     7/7$newline>$row"
	done
	keys web-prod-1234567
	shows 'in 10x2 a long query scrolls' "> 234567$newline  ssh web"
	is 'the cursor is behind its end' 8,0 "$(cursor)"
	keys C-a
	shows 'the query scrolls back to its start' "> web-pro$newline  ssh web"
	is 'the cursor is at its start' 2,0 "$(cursor)"
	resize 40x6
	looks 'a larger terminal shows more of it' '> web-prod-1234567 0/7' \
	    '  ssh web-prod-1234567'
	keys C-k
	looks 'in 40 columns, rows are cut, and 5 fit below the query' '> 7/7' \
	    '> 1  web-prod-1          deploy@10.0.0.' \
	    '  2  web-dev             dev.example.co' '  3  staging-web' \
	    '  4  a-host-with-a-name  deploy@a-host-' \
	    '  5  db1                 postgres@db1.d'
	keys NPage
	looks 'in 6 lines, PgDn goes on by 4 rows, and the window stays full' \
	    '> 7/7' '  3  staging-web' \
	    '  4  a-host-with-a-name  deploy@a-host-' \
	    '> 5  db1                 postgres@db1.d' \
	    '  6  db2                 postgres@db2.d' \
	    '  7  db3                 postgres@db3.d'
	resize 10x2
	shows 'in 10x2 the selected host is still there' \
	    ">     7/7$newline>5 db1  p"
	for round in 1 2 3 4 5 6 7 8 9 10; do
		resize 40x6
		screen ' 5  db1'
		keys w
		resize 10x2
		shows "no resize is missed while a key is at work ($round)" \
		    "> w   4/7$newline>2 web-de" || break
		keys C-u
	done
	resize 80x24
	sees 'after many resizes there is nothing left of them' <<-'END'
		>                                                                           7/7
		> 1  web-prod-1                              deploy@10.0.0.5     shop front end
		  2  web-dev                                 dev.example.com
		  3  staging-web
		  4  a-host-with-a-name-that-is-longer-than  deploy@a-host-with-a-name-that-is-
		  5  db1                                     postgres@db1.db.internal
		  6  db2                                     postgres@db2.db.internal
		  7  db3                                     postgres@db3.db.internal
	END
	leaves 'Esc after resizes leaves no trace'
	size=80x24
}

# Characters of more than one byte, of two columns and of none.
in_utf8()
{
	can "$1" 'no locale C.UTF-8' \
	    [ "$(LC_ALL=C.UTF-8 locale charmap 2>&1)" = UTF-8 ]
}

test_letters()
{
	in_utf8 'wide characters are measured' || return 0
	rocket=$(printf '\360\237\232\200') acute=$(printf '\314\201')
	e=$(printf '\303\251') nihon=$(printf '\346\227\245\346\234\254')
	printf '%s\n' "# $nihon $rocket" "Host $nihon-web" "Host cafe$acute" \
	    "Host ${e}t$e" "Host $rocket-prod" 'Host *' 'User u' | write config
	start LC_ALL=C.UTF-8 -p -F "$HOME/$config"
	looks 'wide and combining characters keep the columns straight' \
	    '> 4/4' "> 1  $nihon-web  u@$nihon-web  $nihon $rocket" \
	    "  2  cafe$acute      u@cafe$acute" "  3  ${e}t$e       u@${e}t$e" \
	    "  4  $rocket-prod   u@$rocket-prod"
	keys -l "$e"
	looks 'a letter of two bytes is one' "> $e 1/4" \
	    "> 3  ${e}t$e  u@${e}t$e" "  ssh $e"
	is 'the cursor is one column on' 3,0 "$(cursor)"
	keys -l "$nihon"
	soon cursor 'a wide character takes two columns' 7,0
	keys Left Left BSpace
	looks 'the cursor and Backspace take whole characters' "> $nihon 1/4" \
	    "> 1  $nihon-web  u@$nihon-web  $nihon $rocket" "  ssh $nihon"
	is 'the cursor is before them' 2,0 "$(cursor)"
	brings 4/4 DC DC
	edits -l:"e$acute" 3 "e$acute"
	brings 4/4 C-u
	types '\033\303\251'
	edits x 3 x C-u 2 ''
	resize 10x2
	shows 'in 10x2 there is room for wide characters' \
	    ">     4/4$newline>1 $nihon-w"
	keys -l "$nihon$nihon$nihon"
	shows 'a query of wide characters scrolls, and none is cut' \
	    "> ${nihon#???}$nihon$newline  ssh ${nihon%???}"
	leaves 'Esc leaves no trace of wide characters'
	start -p -F "$HOME/$config"
	looks 'in the C locale, each of their bytes is a question mark' \
	    '> 4/4' '> 1  ??????-web  u@??????-web  ?????? ????' \
	    '  2  cafe??      u@cafe??' '  3  ??t??       u@??t??' \
	    '  4  ????-prod   u@????-prod'
	stop
	printf '%b' '# note \033]0;title\a\0302\0233 \0342\0200\0256 \0177\n' \
	    'Host a\n  HostName h\033[2J\n  User u\a\b\0302\0205\n' \
	    '  ProxyJump j\033c\n' | write config
	begin 1/1 LC_ALL=C.UTF-8 -F "$HOME/$config"
	tmux pipe-pane "cat >$tmp/raw"
	brings 'ssh x' C-l x
	keys BSpace
	looks 'what is not printable is shown as a question mark' '> 1/1' \
	    '> 1  a  u???@h?[2j  via j?c  note ?]0;title?? ? ?'
	stop
	is 'no control sequence of a configuration reaches the terminal' '' \
	    "$(tr -d '[:alnum:]' <"$tmp/raw" | cat -v |
	    grep -e '\^[GH?]' -e 'M-B' -e 'M-b' -e '\^\[\]')"
}

# The ways out: nothing is left on the screen, the status is right, and the
# terminal's mode is that of before.
test_leaving()
{
	prompt_hosts
	for case in Escape 'Escape Escape' C-c C-d 'M-P C-c' 'M-] C-c' \
	    'M-[ C-c' 'M-O C-c' 'F1 C-c'; do
		prompting
		# shellcheck disable=SC2086	# one key after another
		keys $case
		ends "after $case wl has left and there is no trace" 130
	done
	prompting
	brings 'ssh zz' zz C-d
	keys C-u C-d
	ends '^D leaves only when there is no query' 130
	for signal in HUP:129 INT:130 QUIT:131 TERM:143; do
		prompting
		[ "$signal" != TERM:143 ] || brings 'type to filter' F1
		kill -"${signal%:*}" "$(cat "$tmp/pid")"
		ends "SIG${signal%:*} ends the prompt" "${signal#*:}"
	done
	for signal in HUP INT TERM; do
		prompting
		unread
		kill -"$signal" "$(cat "$tmp/pid")"
		ok "SIG$signal is heard where nobody reads the terminal" \
		    until_true '[ -s "$tmp/after" ]'
		kill -CONT "$reader"
		restored "SIG$signal where nobody reads"
		stop
	done
}

# Stops the terminal, $reader, and has wl draw until that takes no more.
unread()
{
	reader=$(tmux display-message -p '#{pid}')
	terminal=$(tmux display-message -p '#{pane_tty}')
	kill -STOP "$reader"
	repeat 50 '61 %d\n' | while read -r columns rows; do
		stty rows $((rows % 5 + 11)) cols $((columns + rows / 5)) <"$terminal"
	done
}

# shell: runs an interactive shell in the directory of the configuration, with
# job control, on a terminal of its own. In its PATH are wl and w, which is wl
# with that configuration and leaves its process id in a file.
shell()
{
	mkdir -p "$tmp/bin"
	ln -sf "$wl" "$tmp/bin/wl"
	echo "echo \$\$ >$tmp/pid; exec wl -F config" '"$@"' | script "$tmp/bin/w"
	: >"$tmp/rc"
	(cd "$1" && tmux new-session -d -x "${size%x*}" -y "${size#*x}" \
	    "PATH=$tmp/bin:\$PATH PS1='\$ ' ENV=$tmp/rc exec sh -i")
	screen '$'
}

# The screen from the last line on that begins with a text.
tail_from() { shown | sed -n "/^$1/h; /^$1/!H; \${x;p;}"; }

# transcript: what a shell's screen shows, less its words on stopped jobs.
transcript()
{
	shown | sed -e '/Stopped/d' -e 's/^\[1\] *+ //' -e 's/^^Z//'
}

test_suspend()
{
	shell "$HOME/.ssh"
	brings "${newline}first" 'stty -g >before; echo first' Enter
	brings 13/13 w Enter
	brings '> web' web
	rows=$(tail_from '> web')
	keys C-z
	vanishes 4/13
	enters "${newline}between$newline" 'echo between; stty -g >between'
	is '^Z takes the prompt away' '' "$(shown | grep -e 13 -e bastion)"
	brings 4/13 fg Enter
	is 'fg brings prompt and query back' "$rows" "$(tail_from '> web')"
	brings '> web-d' -l -- -d
	kill -TSTP "$(cat "$tmp/pid")"
	vanishes '> web-d'
	brings "${newline}again$newline" 'echo again' Enter
	brings '> web-d' fg Enter
	keys Escape
	vanishes '> web-d'
	prompted
	brings "exit 130$newline" 'echo "exit $?"; stty -g >after' Enter
	soon transcript 'after ^Z and Esc there is what the shell said' <<-'END'
		$ stty -g >before; echo first
		first
		$ w
		$ echo between; stty -g >between
		between
		$ fg
		w
		$ echo again
		again
		$ fg
		w
		$ echo "exit $?"; stty -g >after
		exit 130
		$
	END
	for when in between after; do
		is "the terminal is as before when the prompt is gone, $when" \
		    "$(cat "$HOME/.ssh/before")" "$(cat "$HOME/.ssh/$when")"
	done
	stop
	prompting
	brings 4/13 C-z web	# none could continue what ^Z stops here
	stop
}

# The plain prompt: the list, and lines of text. plain NAME TEXT LINE ... STATUS:
# TEXT follows the list.
plain()
{
	sentence=$1 follows=$2
	shift 2
	begin host: TERM=dumb -p -F "$HOME/$config"
	asked=1
	while [ $# -gt 1 ]; do
		until_true 'capture
		    [ "$(printf "%s\n" "$screen" | grep -c host:)" = $asked ]'
		asked=$((asked + 1))
		keys "$1" Enter
		shift
	done
	ends "$sentence" "$1" "$all$newline$follows"
}

test_plain()
{
	size=80x30
	all="1 bastion${newline}2 web-prod-1${newline}3 web-prod-2
4 web-dev${newline}5 staging-web${newline}6 db1${newline}7 db2${newline}8 db3
9 mail${newline}10 nas${newline}11 pi${newline}12 printer${newline}13 camera"
	for case in 8=db3 ' 8=db3' db2=db2 localhost=localhost new1=new1; do
		plain "the plain prompt takes '${case%=*}'" \
		    "host: ${case%=*}$newline${case#*=}" "${case%=*}" 0
	done
	plain 'the plain prompt asks again when several match' 'host: web
4 web-dev
2 web-prod-1
3 web-prod-2
5 staging-web
host: web pr
2 web-prod-1
3 web-prod-2
host: 3
web-prod-2' web 'web pr' 3 0
	plain 'one that is not in its name is asked for again' 'host: postfix
9 mail
host: 9
mail' postfix 9 0
	plain 'a number that is too high is no destination' 'host: 14
no such number
host: 3
web-prod-2' 14 3 0
	plain 'the plain prompt ends with an empty line' host: '' 130
	for way in C-d:130 HUP:129 INT:130 QUIT:131 TERM:143; do
		begin host: TERM=dumb -F "$HOME/$config"
		strikes "${way%:*}"
		shows "${way%:*} ends the plain prompt" \
		    "$all${newline}host: exit ${way#*:}"
		restored "${way%:*} at the plain prompt"
		stop
	done
	size=80x24
	shell "$HOME/.ssh"
	tmux pipe-pane "cat >$tmp/raw"
	brings host: 'TERM=dumb w -p web' Enter
	brings "Stopped" C-z
	keys fg Enter
	soon 'shown | tail -n 1' 'after ^Z and fg it asks again' host:
	brings "${newline}staging-web" 5 Enter
	brings '8 db3' 'TERM= w -p db' Enter
	brings "${newline}db2" 7 Enter	# TERM may be empty
	stop
	is 'it is plain' '' "$(tr -d '\n\r\a\b -~' <"$tmp/raw" | cat -v)"
}

# Queries on the command line, without and with a terminal. -p does not
# connect, so it tells what is meant.
test_resolve()
{
	for case in web-dev=web-dev PRINTER=PRINTER staging=staging-web \
	    camera=camera newhost=newhost u@web=u@web \
	    web-dev:22=web-dev:22 ssh://web=ssh://web 'prod 2=web-prod-2' \
	    'db db2=db2'; do
		says "the query ${case%%=*} means ${case#*=}" \
		    "0:${case#*=}:" -p -F "$HOME/$config" "${case%%=*}"
	done
	says 'several words are one query' \
	    0:web-prod-2: -p -F "$HOME/$config" 2 prod
	says 'without a terminal, several matches are named' '1::web-dev
web-prod-1
web-prod-2
staging-web
wl: web: matches 4 hosts' -p -F "$HOME/$config" web
	is 'pieces that follow each other come before those that do not' \
	    "edge-dev-17${newline}dev.proxy17" \
	    "$(printf 'dev.proxy17\nedge-dev-17\n' | "$wl" -i - -l dev17)"
}

# ---------------------------------------------------------- the connection ---
# More hosts of that sshd, some of which wait for someone at their gate: slow
# before it starts, checks while it looks for the user's key. mute never says
# more than its name.
hosts()
{
	blocks | cat - "$server/config" >"$server/hosts"
	mv "$server/hosts" "$server/config"
}

test_login()
{
	server "Banner $tmp/banner"
	: >"$tmp/banner"
	gates
	echo "$wait; cat $server/authorized_keys" >"$server/keys"
	hosts <<-END
		Host slow :: ProxyCommand sh -c '$wait; exec $sshd'
		Host mute
		    ProxyCommand sh -c 'echo SSH-2.0-mute; cat >/dev/null'
		Host checks :: ProxyCommand $sshd -o AuthorizedKeysFile=none \
-o AuthorizedKeysCommandUser=$me -o 'AuthorizedKeysCommand=/bin/sh $server/keys'
	END
	watched='slow mute checks' sockets=$(dirname "$(path web)")
	groups cancel spinner failure late_words suspended_login commands \
	    own_path sockets directory execution
}

# gates makes the gate; $wait waits there until gate opens it.
gates()
{
	mkfifo "$server/gate"
	wait="until read -r go <$server/gate; do :; done"
}

gate() { within 10 sh -c 'echo >"$0"' "$server/gate"; }

logins() { touch "$server/log"; grep -c '^Accepted' "$server/log"; }

hangup()
{
	for host; do
		run -F "$server/config" -O exit "$host"
		until_true '[ ! -S "$(path "$host")" ]'
	done
}

path() { "$wl" -F "$server/config" -S "$@" </dev/null; }

pid_of() { "$wl" -F "$server/config" -O check "$1" 2>&1 | tr -dc 0-9; }

# What of this server and the last wl is still there: processes, sockets.
processes()
{
	grep -l "$tmp/ssh[d]" /proc/[0-9]*/cmdline 2>/dev/null |
	while read -r process; do
		{ tr '\0' ' ' <"$process"; } 2>/dev/null
		echo
	done
}

remains()
{
	processes
	for socket in $(for host in $watched; do path "$host"; done) \
	    "$sockets/ask.$(cat "$tmp/pid")"; do
		[ ! -e "$socket" ] || echo "$socket"
	done
}

gone() { soon remains "$1: no process and no socket is left" ''; }

# becomes NAME [WANT]: the same on a screen without what differs from run to
# run: the spinner, seconds, our name, temporary files, keys.
becomes() { soon 'calm; shown' "$@"; }

calm()
{
	screen=$(printf '%s\n' "$screen" | sed -e "s#$tmp#TMP#g" \
	    -e "s/\\($me\\)@/ME@/g" \
	    -e 's/^[-\\|/] \(.*  \)[0-9]*\.[0-9]s$/* \1N s/' \
	    -e 's/connected in [0-9.]* s$/connected in N s/' \
	    -e 's/is:* SHA256:[^ ]*/is HASH/')	# with a colon since 10.1
}

# Ways to end what takes too long.
test_cancel()
{
	for host in slow:connecting mute:'exchanging keys' \
	    checks:'authenticating (publickey)'; do
		for way in C-c:130 'C-\:131' TERM:143 HUP:129; do
			hangs "${host%%:*}" "${host%%:*}" "${host#*:}" \
			    "${way%:*}" "${way#*:}"
		done
	done
	begin denied -F "$server/config"
	brings 'exchanging keys' mute Enter
	keys C-c
	ends '^C while connecting from the prompt ends wl' 130
	gone '^C while connecting from the prompt'
}

# hangs HOST ADDRESS STAGE [KEY|SIGNAL STATUS]: the spinner shows that, and this
# ends it
hangs()
{
	start -F "$server/config" "$1"
	becomes "$1: the spinner says \"$3\"" "* $1  ME@$2  $3  N s"
	strikes "${4-C-c}"
	ends "${4-^C} ends \"$3\"" "${5-130}"
	gone "${4-^C} ends \"$3\""
}

strikes()	# KEY|SIGNAL
{
	case $1 in
	C-*)	keys "$1" ;;
	*)	kill -"$1" "$(cat "$tmp/pid")" ;;
	esac
}

# A login that takes its time: what is typed meanwhile is for the other side.
test_spinner()
{
	before=$(logins)
	mine='debug1: no
OpenSSH_ is
Transferred: all
Authenticated to all'
	echo "$mine" >"$tmp/banner"
	begin '  connecting' -F "$server/config" slow
	brings ' 1.' 'echo typed ahe""ad; PS1=; stty -echo' Enter
	becomes 'the spinner counts seconds, and nothing typed is echoed' \
	    '* slow  ME@slow  connecting  N s'
	gate
	soon 'calm; shown | sed "s/^remote\$ //; /^echo/d; /^$/d"' \
	    'the spinner ends, and what is typed ahead is for the shell' "$mine
slow: connected in N s
Welcome.
typed ahead"
	is 'ssh has the process id of wl' "ssh -F $server/config -S $(path slow) \
-- slow " "$(tr '\0' ' ' <"/proc/$(cat "$tmp/pid")/cmdline")"
	run -F "$server/config" slow 'exit 7'
	is 'a second session needs no second login' "7:$((before + 1))" \
	    "$rc:$(logins)"
	keys 'exit 3' Enter
	soon 'shown | tail -n 1' 'its exit status is that of wl' 'exit 3'
	restored 'the session has ended'
	stop
	start -F "$server/config" slow 'echo $WHERE; exit 9'
	ends 'where a master is, wl goes straight on' 9 here
	: >"$tmp/banner"
	hangup slow
	begin '  connecting' -q -F "$server/config" slow 'echo hello'
	gate
	ends 'with -q only the session is seen' 0 hello
	hangup slow
	in_utf8 'the spinner is of dots in UTF-8' || return 0
	begin '  exchanging keys' LC_ALL=C.UTF-8 -F "$server/config" mute
	for frame in '\342\240\213' '\342\240\231' '\342\240\271'; do
		soon 'shown | cut -b 1-3' 'the spinner is of dots in UTF-8' \
		    "$(printf "$frame")" 300
	done
	keys C-c
	ends '^C ends a spinner of dots' 130
	size=20x4
	begin '| mute  exch' -F "$server/config" mute
	is 'a spinner is cut where the line ends' '| mute  exchanging' \
	    "$(printf '%s\n' "$screen" | sed 's/^[-\\/]/|/')"
	size=80x24
	resize 80x24
	becomes 'a wider terminal shows the address again' \
	    '* mute  ME@mute  exchanging keys  N s'
	resize 10x2
	screen '| mute  '
	resize 80x24
	screen '@mute  exch'
	keys C-c
	ends 'a resize leaves nothing behind' 130
}

# Logins that fail.
test_failure()
{
	rm -f "$uses"
	begin checks -F "$server/config"
	brings "(publickey).${newline}> denied" 'denied' Enter
	keys Enter
	becomes 'from the prompt, failed logins lead back to it' \
	    'ME@denied: Permission denied (publickey).
ME@denied: Permission denied (publickey).
> denied                                                                    1/6
> 6  denied
  ssh denied'
	keys Escape
	said="$me@denied: Permission denied (publickey)."
	ends 'Esc then leaves' 130 "$said$newline$said"
	gone 'a login that failed'
	echo 'Host fails1 fails2 fails3 :: ProxyCommand exit 1' | hosts
	begin 9/9 -F "$server/config"
	brings Connection fails Down Down Enter
	soon 'shown | tail -n 4' 'what failed stays selected' '  1  fails1
  2  fails2
> 3  fails3
  ssh fails'
	keys Escape
	stop
	hosts <<-END
		Host silent :: ProxyCommand sh -c 'echo proxy: no >&2; read x'
	END
	reason="proxy: no
kex_exchange_identification: Connection closed by remote host
Connection closed by UNKNOWN port 65535"
	start -F "$server/config" silent
	ends 'what a proxy says is shown too' 255 "$reason"
	gives 'and without a terminal' "255::$reason" silent
	gives 'what ssh -G complains of ends wl with 255' \
	    '255::command-line: line 0: Bad configuration option: bogus' \
	    -o Bogus=1 web
}

# What is said after the login: by the server of a RemoteForward, and by a
# LocalCommand, whose output is standard output's, and does not keep it.
test_late_words()
{
	hosts <<-END
		Host forwards :: RemoteForward /no/such/path localhost:1
		    RemoteForward 0 localhost:1
		Host commands :: PermitLocalCommand yes
		    LocalCommand echo outer; sleep 1; echo again
	END
	begin 'exit 0' -q -F "$server/config" forwards 'echo hello'
	is 'what becomes of a RemoteForward is said before the session' \
	    "Warning: remote port forwarding failed for listen path \
/no/such/path${newline}Allocated port N for remote forward to \
localhost:1${newline}hello${newline}exit 0" \
	    "$(printf '%s\n' "$screen" | sed 's/port [0-9][0-9]*/port N/')"
	stop
	start -F "$server/config" commands 'echo hello'
	becomes 'and what a LocalCommand prints, above the spinner' <<-END
		outer
		again
		commands: connected in N s
		hello
		exit 0
	END
	stop forwards commands
	wrapped "\"\$@\" | cat >$tmp/read"
	begin 'exit 0' -q -F "$server/config" commands 'echo hello'
	unwrapped
	is 'into a pipe it goes by itself, which ends with the session' \
	    "outer${newline}again${newline}hello" "$(cat "$tmp/read")"
	ok 'while the master is there' [ -S "$(path commands)" ]
	stop commands
}

# ^Z while connecting.
test_suspended_login()
{
	shell "$server"
	brings '  connecting' 'stty -g >before; w slow' Enter
	keys C-z
	vanishes connecting
	brings "${newline}between" 'stty -g >between; echo bet""ween' Enter
	ok 'what is stopped does not go on meanwhile' until_true '[ "$(
	    for stat in $(grep -l "$tmp/ssh[d]" /proc/[0-9]*/cmdline \
	        2>/dev/null); do
		sed "s/.*) \(.\) .*/\1/" "${stat%cmdline}stat"
	    done | sort -u)" = T ]'
	brings '  connecting' fg Enter
	gate
	screen 'remote$'
	brings 'closed.' 'exit 5' Enter
	prompted
	brings "${newline}exit 5" 'echo "exit $?"; stty -g >after' Enter
	soon 'calm; transcript' \
	    'after ^Z and fg the login goes on' '$ stty -g >before; w slow
$ stty -g >between; echo bet""ween
between
$ fg
w slow
slow: connected in N s
Welcome.
remote$ exit 5
Shared connection to slow closed.
$ echo "exit $?"; stty -g >after
exit 5
$'
	for when in between after; do
		is "the terminal is as before while wl is suspended, and $when" \
		    "$(cat "$server/before")" "$(cat "$server/$when")"
	done
	hangup slow
	brings '  exchanging keys' 'clear; w mute' Enter
	keys C-z
	vanishes exchang
	keys 'kill %1; fg' Enter
	until_true '! kill -0 "$(cat "$tmp/pid")" 2>/dev/null'
	gone 'SIGTERM while wl is suspended'
	brings begun 'clear; w web cat & echo be""gun' Enter
	ok 'in the background it stops as ssh does, and takes no keys' \
	    until_true 'keys Enter; capture
	    case $screen in *Stopped*) ;; *) false ;; esac'
	brings "${newline}mine" 'kill %1; echo mi""ne' Enter
	stop web
	gone 'what is killed in the background'
}

# says NAME STATUS:OUTPUT:ERRORS ARGUMENTS: the test NAME: does wl, without a
# terminal, do that? gives: the same for hosts of this sshd. master SOCKET: the
# options of a master there.
says()
{
	sentence=$1 wanted=$2
	shift 2
	run "$@"
	is "$sentence" "$wanted" \
	    "$(printf '%s\n' "$rc:$out:$err" | sed 's/pid=[0-9]*/pid=N/')"
}

gives()
{
	sentence=$1 wanted=$2
	shift 2
	says "$sentence" "$wanted" -F "$server/config" "$@"
}

master()
{
	echo "-o ControlMaster=auto -o ControlPersist=5s -o ControlPath=$1 $alive"
}

# -n, -S and -O: what would be run, and what ssh does.
# shellcheck disable=SC2086	# several arguments
test_commands()
{
	size=220x24 ssh="ssh -F $server/config"
	web=$(master "$(path web)")
	start -F "$server/config" -o 'SetEnv=A="b c"' -n web "it's" -x '$HOME' ''
	ends '-n prints the commands, quoted for the shell' 0 \
	    "$ssh -o 'SetEnv=A=\"b c\"' $none $web -o LogLevel=DEBUG1 -v -- web
$ssh -o 'SetEnv=A=\"b c\"' -S $(path web) -- web 'it'\\''s' -x '\$HOME' ''"
	login="$ssh $none $web -o LogLevel=DEBUG1 -v -- web
$ssh -S $(path web) --"
	gives 'without a terminal they are the same' \
	    "0:$login web uptime:" -n web uptime
	is '-n runs nothing' '' "$(remains)"
	gives 'options may end in --' "0:$login web:" -n -- web
	gives 'as in ssh the command may follow a --' \
	    "0:$login web uptime:" -n web -- uptime
	gives 'ssh has its options from before and behind the query' \
	    "0:$ssh -4 -A $none $(master "$(path -4A web)") -o LogLevel=DEBUG1 \
-v -- web
$ssh -4 -A -S $(path -4A web) -t -L 80:x:1 -- web htop -t:" \
	    -n -t4 web -A -L 80:x:1 htop -t
	for option in -Jdb -6 -X; do
		ok "$option makes another connection" \
		    [ "$(path web)" != "$(path $option web)" ]
	done
	for arguments in '-S web x' '-e web x' '-O exit web x' '-O' '-S'; do
		run -F "$server/config" $arguments
		is "wl $arguments is wrong" 2: "$rc:$out"
	done
	set -- ControlMaster=ask ControlMaster=no controlmaster=FALSE \
	    ControlPath=none
	[ "$old" ] || set -- "$@" SessionType=none SessionType=subsystem \
	    ForkAfterAuthentication=yes
	for option; do
		gives "this is left to ssh: $option" \
		    "0:$ssh -o $option -- web sftp:" -n -o "$option" web sftp
	done
	gives 'and this, as ssh reads it' \
	    "0:$ssh -o ' ControlMaster = \"no\"' -- web:" \
	    -n -o ' ControlMaster = "no"' web
	gives 'with -o ControlPersist=false the session is the master' \
	    "0:$ssh -o ControlPersist=false $web -- web:" \
	    -n -o ControlPersist=false web
	start -q -F "$server/config" -o KerberosAuthentication=yes web echo here
	ends 'a warning of the configuration comes once' 0 "command-line line \
0: Unsupported option \"kerberosauthentication\"${newline}here"
	hangup web
	mkdir "$server/old" "$server/new"
	echo "$(command -v ssh) \"\$@\" | sed '/^sessiontype/d'" |
	    script "$server/old/ssh"
	socket=$(PATH=$server/old:$PATH "$wl" -F "$server/config" -S web)
	start PATH="$server/old:$PATH" -n -F "$server/config" web
	ends 'a master of OpenSSH before 8.7 needs an -f for its -N' 0 \
	    "$ssh -N -T -f $(master "$socket") -o LogLevel=DEBUG1 -v -- web
$ssh -S $socket -- web"
	echo 'Match command "uptime*" sessiontype exec' |
	    cat - "$server/config" >"$server/new/config"
	printf 'echo "$@" >%s/asked\nexec %s -F %s -G -T web\n' "$server" \
	    "$(command -v ssh)" "$server/config" | script "$server/new/ssh"
	socket=$(PATH=$server/new:$PATH "$wl" -F "$server/new/config" -S web)
	start PATH="$server/new:$PATH" -n -F "$server/new/config" web uptime -p
	ends 'where a Match line asks what is run, the session is the master' 0 \
	    "ssh -F $server/new/config $(master "$socket") -- web uptime -p"
	is 'and ssh -G is asked about this very command' \
	    "-F $server/new/config -G -T -- web uptime -p" \
	    "$(cat "$server/asked")"
	gives 'with -F none there is no configuration' \
	    "0:ssh -F none $none $(master "$(path -F none web)") -o \
LogLevel=DEBUG1 -- web${newline}ssh -F none -S $(path -F none web) -- web:" \
	    -F none -n web
	test_control
	size=80x24
}

test_control()
{
	gives 'without a master -O check fails' \
	    "255::Control socket connect($(path web)): No such file or directory" \
	    -O check web
	run -F "$server/config" -o ControlPersist=60 web true
	gives '-O check finds it' '0::Master running (pid=N)' -O check web
	gives 'where a master is, -n prints the session' \
	    "0:$ssh -S $(path web) -- web:" -n web
	gives '-O takes what ssh takes' 0:: \
	    -O forward web -L "$server/to:$server/from"
	ok 'and ssh does it' [ -S "$server/to" ]
	is 'ssh itself can use the socket' here \
	    "$(ssh -F "$server/config" -o ControlPath="$(path web)" web \
	    'echo $WHERE')"
	for way in check exit; do
		run -O "$way"
		is "-O $way without a query is for all masters" "0:wl: $(path web)" \
		    "$rc:$(printf '%s\n' "$err" | grep '^wl: .*/web-')"
	done
	until_true '[ ! -S "$(path web)" ]'
	says 'when there are any' '1::wl: exit: no shared connection' -O exit
}

# A ControlPath of the user's own.
test_own_path()
{
	hosts <<-END
		Host mine :: ControlPath $tmp/cm-%C
		Host keeps :: ControlPath $tmp/cm-%n :: ControlMaster yes
		    ControlPersist yes
		Host none :: ControlPath none
		Host lost :: ControlPath $tmp/nowhere/%C
	END
	gives 'without its directory it is ssh' "0:$ssh -- lost:" -n lost
	own=$(path mine) before=$(logins)
	ok "the user's ControlPath is used" [ "${own#"$tmp"/cm-????}" != "$own" ]
	$ssh -o ControlMaster=yes -fN mine
	start -F "$server/config" mine 'echo $WHERE'
	ends "a master of the user's is used" 0 here
	is "and there is no second login" $((before + 1)) "$(logins)"
	gives 'ssh finds that master by itself' "0:$ssh -- mine:" -n mine
	hangup mine
	for host in mine keeps; do
		start -q -F "$server/config" "$host" 'echo $WHERE'
		ends "a master is started where the user said: $host" 0 here
		gives "it is used for $host" 0:again: "$host" 'echo again'
	done
	is 'each of them logged in once' $((before + 3)) "$(logins)"
	gives 'the session of ControlMaster yes attaches' \
	    "0:$ssh -o ControlMaster=auto -- keeps:" -n keeps
	gives '-O finds it' '0::Master running (pid=N)' -O check keeps
	gives '-O ends it' '0::Exit request sent.' -O exit keeps
	hangup mine keeps
}

# Which connections share a socket, and what else may be at its path.
test_sockets()
{
	hosts <<-END
		Host here there :: HostName same
		Host there :: ProxyCommand $sshd -o 'SetEnv=SHLVL=2 WHERE=there'
		Host j1 j2 :: HostName same
		Host j1 :: ProxyJump web
		Host j2 :: ProxyJump db
		Host together :: ProxyCommand sh $server/together
	END
	for host in here there here there; do
		gives "$host is $host, though HostName is the same" \
		    "0:$host:" "$host" 'echo $WHERE'
	done
	hangup here there
	ok 'another ProxyJump is another connection' \
	    [ "$(path j1)" != "$(path j2)" ]
	old=$(path j1)
	printf '\nHost web\n  Port 2222\n' >>"$server/config"
	ok 'the socket is another when the configuration changes' \
	    [ "$(path j1)" != "$old" ]
	test_told_apart
	for way in start run; do
		run -F "$server/config" -o ControlPersist=60 web true
		kill -9 "$(pid_of web)"
		ok 'a killed master leaves its socket' [ -S "$(path web)" ]
		case $way in
		start)	start -q -F "$server/config" web 'echo $WHERE'
			ends 'a stale socket is no obstacle' 0 here ;;
		run)	gives 'nor is it without a terminal' 0:here: web \
			    'echo $WHERE' ;;
		esac
		hangup web
	done
	long=a$(printf '%0179d' 0 | tr 0 b)
	printf 'Host %s\n' "$long" "${long}c" '~tilde' | hosts
	ok 'aliases of 180 characters and more have sockets of their own' \
	    [ "$(path "$long")" != "$(path "${long}c")" ]
	for alias in "$long" '~tilde'; do
		gives 'a long or odd alias works' 0:here: "$alias" 'echo $WHERE'
	done
	hangup "$long" '~tilde'
	cat >"$server/together" <<-END
		echo x >>$server/begun
		until [ "\$(grep -c x $server/begun)" -ge 3 ]; do sleep 0.1; done
		exec $sshd
	END
	for n in 1 2 3; do
		"$wl" -F "$server/config" together "echo $n" </dev/null &
	done >"$tmp/all" 2>&1
	until_true '[ "$(grep -c "^[1-3]$" "$tmp/all")" -ge 3 ]'
	# whatever the far side's shell says when it starts
	is 'of several at once none complains' '1 2 3' \
	    "$(grep -e '^[1-3]$' -e ControlSocket "$tmp/all" | sort |
	    paste -s -d ' ' -)"
	hangup together
	test_idle
}

# shellcheck disable=SC2086	# two carriers
test_idle()
{
	run -F "$server/config" -o ControlPersist=60 web 'echo $PPID'
	before=$(logins) sshd_pid=$out
	touch -d '1 minute ago' "$(path web)"
	gives 'a connection that was idle is used if it answers' 0:here: \
	    web 'echo $WHERE'
	is 'without another login' "$before" "$(logins)"
	kill -STOP "$sshd_pid"
	touch -d '1 minute ago' "$(path web)"
	start -q -F "$server/config" web 'echo $WHERE'
	ends 'one that does not answer is replaced' 0 \
	    "wl: web: the connection does not answer, making a new one
here"
	kill -CONT "$sshd_pid"
	stuck=$(pid_of web)
	kill -STOP "$stuck"
	run -O exit
	is '-O for all does not wait for a master that is stuck' \
	    "0:wl: SOCKET: does not answer" \
	    "$rc:$(printf '%s\n' "$err" | sed -n 's#/.*/web-[^:]*:#SOCKET:#p')"
	kill -CONT "$stuck"
	hangup web
	echo "Host wired :: ProxyCommand sh $server/wire" | hosts
	cat >"$server/wire" <<-END
		carry() { sh -c 'echo \$\$ >>$server/carriers; exec cat'; }
		carry | $sshd | carry
	END
	run -F "$server/config" -o ControlPersist=60 wired true
	carriers=$(cat "$server/carriers")
	kill -STOP $carriers
	touch -d '1 minute ago' "$(path wired)"
	gives 'nor one whose network drops everything' \
	    '0:here:wl: wired: the connection does not answer, making a new one' \
	    wired 'echo $WHERE'
	kill -CONT $carriers
	hangup wired
}

# What of the surroundings the name of a socket tells apart, and what not.
# with HOST VARIABLE: how many sockets it has with two values of that.
with()
{
	for value in a b; do
		(export "$2=$value"; path "$1")
	done | sort -u | grep -c .
}

test_told_apart()
{
	hosts <<-'END'
		Host named braced :: HostName same
		Host named :: ProxyCommand nc $CUSTOMER %h
		Host braced :: ProxyCommand nc "${CUSTOMER}.example" %h
		Host x11 :: ForwardX11 yes
		Host own :: IdentityAgent none :: ProxyCommand none
		Host set :: SetEnv A=1 :: RemoteCommand echo $CUSTOMER
		Host files :: ProxyCommand sh ./proxy
	END
	for case in 2web:SSH_AUTH_SOCK 2x11:DISPLAY 2named:CUSTOMER \
	    2braced:CUSTOMER 1own:SSH_AUTH_SOCK 1web:DISPLAY 1web:CUSTOMER \
	    1set:CUSTOMER; do
		host=${case%:*}
		is "sockets with two values: $case" "${case%%[!0-9]*}" \
		    "$(with "${host#?}" "${case#*:}")"
	done
	is 'shared: two of SetEnv' "$(path set)" "$(path -o SetEnv=A=2 set)"
	ok 'told apart: two directories for a command with ./' \
	    [ "$(path files)" != "$(cd / && path files)" ]
	is 'shared: two for any other' "$(path web)" "$(cd / && path web)"
	touch -d '2026-01-01 00:00:00.1' "$server/config"
	old=$(path j1)
	begin 2/ -F "$server/config" -S j
	touch -d '2026-01-01 00:00:00.2' "$server/config"
	keys Enter
	ends 'told apart: states of the configuration, also behind a prompt' 0 \
	    "$(path j1)"
	ok 'the times of which differ by less than a second' \
	    [ "$(path j1)" != "$old" ]
}

# The private directory, in shared memory of its own.
test_directory()
{
	is 'the directory is ours and closed to others' "drwx------ $me" \
	    "$(ls -ld "$sockets" | awk '{ print substr($1, 1, 10), $3 }')"
	can 'other directories' 'root makes a private /dev/shm' \
	    unshare -m mount -t tmpfs none /dev/shm || return 0
	d=/dev/shm/wl-$(id -u) socket=$(path web)
	while IFS=: read -r what make; do
		wrapped "exec unshare -m sh -c 'mount -t tmpfs none /dev/shm
			$make; \"\$@\"' sh \"\$@\""
		gives "a directory for sockets that is $what is not used" \
		    "0:$XDG_RUNTIME_DIR/wl/${socket##*/}:wl: $d: not a private \
directory" -S web
		unwrapped
	done <<-END
		a link:ln -s "$XDG_RUNTIME_DIR" $d
		open to others:mkdir -m 755 $d
		someone else's:mkdir -m 700 $d; chown 1:1 $d
		a file:echo >$d
		a link to a private one:mkdir -m 700 $d-x; ln -s $d-x $d
	END
	wrapped "exec unshare -m sh -c 'mount -t tmpfs none /dev/shm
		echo >$d; chmod 777 $XDG_RUNTIME_DIR; \"\$@\"' sh \"\$@\""
	run -F "$server/config" -S web
	unwrapped
	chmod 700 "$XDG_RUNTIME_DIR"
	is 'nor is one below what others may change' "/tmp/${d##*/}" \
	    "$(dirname "$out")"
}

# What the ssh that wl becomes finds: the same as if wl had not been.
test_execution()
{
	fake "$tmp/fake" <<-END
		case " \$* " in *' -N '*) exit 0 ;; esac
		{
			grep '^Sig[BI]' /proc/self/status
			ls -l /proc/self/fd | sed -n -e '/ 3 -> /d' \\
			    -e 's/\(pipe\|pts\).*/\1/' -e 's/.* \([0-9]* -> \)/\1/p'
			env | grep -v -e ^_= -e ^OLDPWD= -e ^TMUX= | sort
			stty -g </dev/tty
		} >$tmp/\${1-direct}
	END
	for ignored in '' 'HUP INT QUIT TERM TSTP PIPE ALRM WINCH CHLD'; do
		wrapped "${ignored:+trap '' $ignored}
			PATH=$tmp/fake:\$PATH
			[ \"\$2\" ] || exec ssh
			exec \"\$@\""
		rm -f "$tmp/direct" "$tmp/-F"
		start ''
		ends 'the fake ssh runs' 0
		start -F "$server/config" web
		ends 'wl runs the fake ssh' 0
		unwrapped
		is "ssh finds signals, files and environment as wl did${ignored:+, \
signals ignored}" "$(cat "$tmp/direct")" "$(cat "$tmp/-F")"
	done
}

# ------------------------------------------------------------- inventories ---
# reads NAME: with the inventory ~/.ssh/hosts, wl lists the hosts on standard
# input, one a line: its name, user@hostname:port, line and note, with tabs
# between. A user that is left out is ours, an address too is as usual.
reads()
{
	awk -F '\t' -v me="$me" '{
		if ($2 == "")
			$2 = "@" $1 ":22"
		print $1 "\t" ($2 ~ /^@/ ? me $2 : $2) "\t" $3 "\t" $4
	}' >"$tmp/want"
	run -F "$HOME/$config" -i "$HOME/.ssh/hosts" -l -v
	is "$1" "0:$(cat "$tmp/want"):" "$rc:$(printf '%s' "$out" |
	    cut -f 1,2,4,5 | sed "s#$tab$HOME/.ssh/hosts:#$tab#"):$err"
}

# fails_with MESSAGE TEXT ...: an inventory of such a text is an error.
fails_with()
{
	message=$1
	shift
	for text; do
		printf "%b\n" "$text" | write hosts
		run -F none -i "$HOME/.ssh/hosts" -l
		is "an inventory that begins with $(printf '%.20s' "$text") \
is an error" "2::wl: $HOME/.ssh/hosts$message" "$rc:$out:$err"
	done
}

test_inventory()
{
	fresh
	blocks <<-'END' | write config
		Host listed
		Host *.example.com :: User ops :: Port 2200
		Host web1 :: HostName 192.0.2.99 :: User other
	END
	printf '%b' 'web\ndb   rows and rows\n# a comment\n; another\n\n' \
	    '  indented\ttabbed\tnote\nmail # Postfix\npi:2222 the pi\nweb again\n' \
	    "a.example.com\nb.example.com:22\nfe80::1\nx=y it's z=1\na;b\na|b\n" \
	    '$x\n-oProxyCommand=x\nbob@\n@host\n.hidden\ncrlf note\r\nlast' |
	    write hosts
	reads 'a plain list has names and notes' <<-'END'
		web		1
		db		2	rows and rows
		indented		6	tabbed note
		mail		7	Postfix
		pi	@pi:2222	8	the pi
		a.example.com	ops@a.example.com:2200	10
		b.example.com	ops@b.example.com:22	11
		fe80::1		12
		x=y		13	it's z=1
		crlf		21	note
		last		22
	END
	write hosts <<-'END'
		; the fleet
		[web] # in front
		web1 ansible_host=192.0.2.1 ansible_user=deploy ansible_port=022
		web2 ansible_ssh_host=192.0.2.2 ansible_ssh_user="ops" ansible_ssh_port='2202' # spare
		web3 http_port=80 x="a b" ansible_port=2203 ansible_connection=ssh
		web4:2204 ansible_host=fe80::1
		web5:1 ansible_port=2205 front end ansible_user=x
		[all:children] ; all
		web
	END
	reads 'an INI inventory has groups and variables' <<-'END'
		web1	deploy@192.0.2.1:22	3
		web2	ops@192.0.2.2:2202	4	spare
		web3	@web3:2203	5
		web4	@fe80::1:2204	6
		web5	@web5:2205	7	front end ansible_user=x
	END
	says 'a query finds what an inventory says' \
	    0:web1: -F "$HOME/$config" -i "$HOME/.ssh/hosts" -l deploy
	groups inventory_groups inventory_ranges inventory_odd inventory_input \
	    inventory_login
	fresh
}

# What follows is as ansible-inventory has it, but that it refuses groups in
# each other.
test_inventory_groups()
{
	write hosts <<-'END'
		alone
		several ansible_user=one ansible_host=192.0.2.1
		[web]
		a
		b ansible_user=own ansible_port=2201
		[web:vars]
		ansible_user = "web" # a comment
		ansible_port=2202 # another
		other = some "words # and
		[db]
		b
		c:2203
		several ansible_user=two ansible_port=2204
		[db:vars]
		ansible_user=db
		ansible_port=2205
		[prod:children]
		web
		zone # the last one
		[prod:vars]
		ansible_user=prod
		ansible_host=192.0.2.6
		[zone:children]
		deep
		[deep]
		e
		f ansible_ssh_user=own
		several ansible_port=2206
		both ansible_host=192.0.2.7
		[zone:vars]
		ansible_ssh_host=192.0.2.8
		ansible_user=zone
		ansible_user=later
		[all:vars]
		ansible_user=all
		ansible_port=2209
		[a:children]
		b
		[b:children]
		a
		b
		[b]
		w
		[b:vars]
		ansible_port=22022
	END
	reads 'groups have variables, and the nearest wins' <<-'END'
		alone	all@alone:2209	1
		several	two@192.0.2.8:2206	2
		a	web@192.0.2.6:2202	4
		b	own@192.0.2.6:2201	5
		c	db@c:2203	12
		e	later@192.0.2.8:2209	26
		f	own@192.0.2.8:2209	27
		both	later@192.0.2.8:2209	29
		w	all@w:22022	43
	END
}

test_inventory_ranges()
{
	write hosts <<-'END'
		n[9:10]
		n[09:10].example.com:5022 ansible_user=pg
		[B:C]-[01:02]
		[t]
		[x:x]
		same[1:1] same
		o[:2]
		s[01:08:3]
		[a:f:4]x
		[1:2]:23
		[2001:db8::1]:2200
		[2001:db8::2]:2200 ansible_port=2201 note
	END
	reads 'ranges stand for many hosts' <<-'END'
		n9		1
		n10		1
		n09.example.com	pg@n09.example.com:5022	2
		n10.example.com	pg@n10.example.com:5022	2
		B-01	@b-01:22	3
		B-02	@b-02:22	3
		C-01	@c-01:22	3
		C-02	@c-02:22	3
		same1		6	same
		o0		7
		o1		7
		o2		7
		s01		8
		s04		8
		s07		8
		ax		9
		ex		9
		1	@1:23	10
		2	@2:23	10
		2001:db8::1	@2001:db8::1:2200	11
		2001:db8::2	@2001:db8::2:2201	12	note
	END
}

# A table of reasons and lines, with tabs between: the lines that have one are
# left out of an inventory. odd KEY VALUE ...: such lines.
odd()
{
	key=$1
	shift
	for value; do
		printf '%s: %s\tw %s=%s\n' "$key" "$value" "$key" "$value"
	done
}

test_inventory_odd()
{
	{
		for name in 'w[3:1]' 'w[1:]' 'w[:]' 'w[]' 'w[1]' 'w[a:3]' \
		    'w[1:c]' 'w[1:2x' 'w[1-3]' 'w[aa:bb]' 'w[c:a]' 'w[Z:a]' \
		    'w[1:9:0]' 'w[1:9:a]' 'w[1:9:1:1]' 'w[0:9999999999]' \
		    'w[1:2][2:1]' 'w[1:2][1:2][1:2][1:2][1:2]' w:0; do
			printf 'name: %s\t%s\n' "$name" "$name"
		done
		odd ansible_port 0 65536 22x 99999999999999999999 ssh ''
		for key in ansible_host ansible_ssh_user; do
			odd "$key" 'a|b' 'a;b' '$a' 'a`b`' 'a&b' 'a>b' 'a<b' \
			    'a(b)' '{a}' '{{' 'a@b' '%h' 'a,b' 'a*' 'a#b' \
			    'a\b' -1 -oProxyCommand=x ''
		done
		cat <<-'END'
			ansible_host: a b	w ansible_host="a b"
			ansible_user: a'b	w ansible_user="a'b"
			ansible_user: ab	w ansible_user=a'b
			-	[x:vars]
			ansible_user: a	ansible_user=a b
			ansible_user: a	ansible_user="a" b
			ansible_user: 	ansible_user=
			ansible_user: 	ansible_user="" # nothing
			ansible_port: x	ansible_port=x
			variable: words	words
			-	[x]
			name: w:	w:
			-	good
		END
	} >"$tmp/odd"
	cut -f 2- "$tmp/odd" | write hosts
	run -F none -i "$HOME/.ssh/hosts" -l
	is 'odd ranges, ports and values are left out, with a message' \
	    "0:good:$(awk -F '\t' -v file="wl: $HOME/.ssh/hosts" '
	    $1 != "-" { print file ":" NR ": left out: bad " $1 }
	    ' "$tmp/odd")" "$rc:$out:$err"
	fails_with ':1: too many hosts' 'w[0:1000000]' 'w[0:9999][0:9999]' \
	    'w[0:999999999]' "w[0:999999]$(printf %01000d 0)"
	fails_with ':1: YAML and JSON are not understood, only INI and lists '\
'with one host a line' 'all:\n  hosts:' '--- # hosts' '{"all":' 'web: # x'
	fails_with ': no list of hosts; if it is a key: -o IdentityFile=...' \
	    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZX' 'a\nb\0'
	for habit in '-p 2222:-p is -o Port=2222' '-l root:-l is -o User=root'
	do
		# shellcheck disable=SC2086	# words
		says "ssh's ${habit%% *} is known" \
		    "2::wl: nothing matches; ssh's ${habit#*:}" \
		    -F "$HOME/$config" ${habit%%:*} web1
	done
	says 'but words that match are no habit' \
	    '0:web1:' -F "$HOME/$config" -l other web1
}

# An inventory that is no file of its own, or none at all.
test_inventory_input()
{
	for way in '<hosts wl -F none -i -' 'cat hosts | wl -F none -i -' \
	    'wl -F none -i /dev/stdin <hosts' \
	    'mkfifo p; cat hosts >p & wl -F none -i p'; do
		printf 'a one\nb ansible_host=c\nw[2:1]\n' | write hosts
		from=${way##* -i }
		[ "$from" != - ] || from='standard input'
		is "an inventory comes from: $way" "a${newline}b${newline}\
wl: ${from% <hosts}:3: left out: bad name: w[2:1]" \
		    "$(cd "$HOME/.ssh" && wl() { "$wl" "$@"; } &&
		    eval "$way -l" 2>"$tmp/err"; cat "$tmp/err")"
	done
	for way in "none:$HOME/nosuch:$HOME/nosuch: No such file or directory" \
	    "none:$HOME/.ssh:$HOME/.ssh: Is a directory" \
	    "$HOME/no:/dev/null:$HOME/no: No such file or directory"; do
		file=${way#*:}
		says "an error: ${way#*:*:}" \
		    "2::wl: ${way#*:*:}" -F "${way%%:*}" -i "${file%%:*}" -l
	done
	says 'an inventory may be empty' '1::' -F none -i /dev/null -l
	start -F none -i /dev/null
	looks 'a hint names the inventory' '> 0/0' '  no hosts in /dev/null'
	stop
}

# prompted: waits until the shell on the terminal asks for a command.
prompted() { until_true 'capture; [ "$(shown | tail -n 1)" = \$ ]'; }

# Connecting: ssh gets what the inventory says, and the configuration holds.
test_inventory_login()
{
	server
	hosts <<-END
		Host alpha beta
		    ProxyCommand sh -c 'echo %n %h %p %r >>$server/asked; exec $sshd'
		Host alpha :: HostName 192.0.2.99
		Host *.example.com :: Port 2200
	END
	cat >"$server/inventory" <<-END
		[all]
		alpha ansible_host=alpha.example.com ansible_user=$me ansible_port=2201
		beta
	END
	set -- -F "$server/config" -i "$server/inventory"
	run -o Port=2203 "$@" -n alpha
	is '-n shows what an inventory says, behind the -o of the user' "0:ssh \
-F $server/config -o Port=2203 -o HostName=alpha.example.com -o User=$me \
-o Port=2201 -S $("$wl" -o Port=2203 "$@" -S alpha) -- alpha:" \
	    "$rc:$(printf '%s\n' "$out" | sed 1d):$err"
	ok 'the socket is another one than without the inventory' [ \
	    "$("$wl" "$@" -S alpha)" != "$(path alpha)" ]
	for host in alpha beta; do
		says "$host of an inventory is connected to" \
		    0:hello: "$@" -o ControlPersist=1m "$host" echo hello
	done
	is 'ssh was given what the inventory says' \
	    "alpha alpha.example.com 2201 $me${newline}beta beta 22 $me" \
	    "$(cat "$server/asked")"
	says 'the connection of an inventory is shared' \
	    '0::Exit request sent.' "$@" -O exit beta
	shell "$server"
	brings 2/2 'cat inventory | w -i -' Enter
	is 'with -i - the prompt is on the terminal' '> 2/2
> 1  alpha  alpha.example.com:2201  * open
  2  beta' "$(tail_from '>  ' | sed -e '1s/  */ /g' -e "s/ $me@/ /")"
	brings 'not in a file' C-o
	brings 'remote$' alp Enter
	brings closed. 'test -t 0 && exit 4' Enter
	prompted
	keys 'echo "exit $?"' Enter
	soon "shown | grep '^exit'" 'and the session has the terminal' 'exit 4'
	prompted
	enters ready 'clear; cat inventory | w -q -i - alpha "echo rea\dy; cat"'
	brings "typed text${newline}typed text" 'typed text' Enter
	keys C-d
	prompted
	is 'a command with -i - reads the terminal' 'ready
typed text
typed text
$' "$screen"
	stop
	is 'without a terminal a command with -i - has no more to read' \
	    "0::" "$(cd "$server" && "$wl" -F config -i - alpha cat \
	    <inventory 2>&1; echo "$?::")"
	run "$@" -O exit alpha
}

# ----------------------------------------------------------- recently used ---
# recent [SECONDS NAME] ...: writes the file of recently used hosts, the names
# so many seconds ago. used: the names in it, one a line.
recent()
{
	rm -rf "$XDG_STATE_HOME"
	mkdir -p "$XDG_STATE_HOME/wl"
	while [ $# -gt 0 ]; do
		echo "$(($(date +%s) - $1)) $2"
		shift 2
	done >"$uses"
}

used() { sed 's/^[0-9]* //' "$uses"; }

# modes FILE ...: their modes, as ls shows them, with a blank between.
modes()
{
	for file; do
		ls -ld "$file" | cut -c 1-10
	done | paste -s -d ' ' -
}

# visit [NAME=VALUE ...] ARGUMENTS: runs wl on a terminal until it has ended.
# fast: the same with an ssh that does nothing, well.
visit()
{
	begin 'exit ' "$@"
	stop
}

fast() { visit PATH="$tmp/fast:$PATH" "$@"; }

test_recent()
{
	server
	gates
	echo "Host slow :: ProxyCommand sh -c '$wait; exec $sshd'" | hosts
	watched=slow sockets=$(dirname "$(path web)")
	mkdir -p "$tmp/fast"
	echo 'exit 0' | script "$tmp/fast/ssh"
	groups recent_file recent_names recent_trouble recent_root \
	    recent_writers recent_view unasked
	rm -rf "$XDG_STATE_HOME"
	fresh
}

# The file: whose, and what is in it.
test_recent_file()
{
	rm -rf "$XDG_STATE_HOME"
	before=$(date +%s)
	visit -F "$server/config" web true
	is 'a use makes the file, for the user alone' \
	    'drwx------ drwx------ -rw-------' \
	    "$(modes "$XDG_STATE_HOME" "$XDG_STATE_HOME/wl" "$uses")"
	is 'it has a line, the time and the name' '1 line: T web' \
	    "$(awk -v from="$before" -v to="$(date +%s)" '
	    $1 >= from && $1 <= to { sub(/^[0-9]+/, "T"); s = $0 }
	    END { print NR " line: " s }' "$uses")"
	theirs=$tmp/home2/.local/state/wl
	for where in '' state; do
		fast HOME="$tmp/home2" XDG_STATE_HOME="$where" \
		    -F "$server/config" denied
		is "the file is in ~/.local/state if that is not '$where'" \
		    'drwx------ -rw------- denied no' \
		    "$(modes "$theirs" "$theirs/recent") $(cut -d ' ' -f 2 \
		    "$theirs/recent") $([ ! -e state ] && echo no)"
		rm -rf "$tmp/home2"
	done
	start HOME= XDG_STATE_HOME= -q -F "$server/config" web echo hello
	ends 'without a home nothing is noted' 0 hello
	hangup web
}

# The names: what counts as a use.
# shellcheck disable=SC2086	# words
test_recent_names()
{
	recent
	for way in '-l' '-l -v web' '-p web' '-n web' '-S web' '-O check web' \
	    '-h' '-V' 'web true'; do
		run -F "$server/config" $way
		is "wl $way, without a terminal, is no use" '' "$(used)"
	done
	for way in '-e web' '-n web' denied "nobody@denied"; do
		visit EDITOR=true -F "$server/config" $way
		is "nor is wl $way on one" '' "$(used)"
	done
	wrapped 'exec "$@" </dev/null'
	visit -F "$server/config" web true
	unwrapped
	is 'nor what a script does there that reads elsewhere' '' "$(used)"
	begin connecting -F "$server/config" slow
	is 'nor a login that is not done' '' "$(used)"
	gate
	screen 'remote$'
	is 'when it is, that is a use' slow "$(used)"
	keys exit Enter
	stop slow
	recent
	visit -F "$server/config" web true
	visit -F "$server/config" -o ControlMaster=no web false
	hangup web
	for way in web de "$me@web" "ssh://$me@web" newhost; do
		fast -F "$server/config" "$way"
	done
	for way in nobody@denied denied; do
		begin denied PATH="$tmp/fast:$PATH" -F "$server/config"
		brings 'exit 0' $way Enter
		stop
	done
	is 'a use over its connection, or without any, is noted under the name of
the host, or as it was typed, at the prompt too' "web web web denied $me@web \
ssh://$me@web newhost nobody@denied denied" "$(used | paste -s -d ' ' -)"
}

# What else may be where the file should be.
test_recent_trouble()
{
	for trouble in 'mkdir recent' 'mkfifo recent' 'ln -s nosuch recent' \
	    'ln -s /dev/zero recent' 'echo >recent; chmod 0 recent' \
	    'echo >recent; chmod 444 recent; chmod 555 .' \
	    'cd ..; rmdir wl; echo >wl' 'cd ..; rmdir wl; chmod 0 .' \
	    'zeros 3 >recent' 'megabytes 3 1 >recent' \
	    'megabytes 3 "\n" >recent' \
	    'ln -s nosuch recent.new; zeros 1 >recent' \
	    'mkdir recent.new; zeros 1 >recent'; do
		recent
		rm -f "$uses"
		(cd "$XDG_STATE_HOME/wl" && eval "$trouble")
		start PATH="$tmp/fast:$PATH" -F "$server/config" web
		ends "a use goes well after: $trouble" 0
		gives "and a list" '0:web:' -l we
		chmod 755 "$XDG_STATE_HOME" "$XDG_STATE_HOME/wl" 2>&-
	done
	start XDG_STATE_HOME=/dev/null/x -q -F "$server/config" web echo hello
	ends 'and where no directory can be' 0 hello
	hangup web
	recent
	: >"$tmp/linked"
	rm "$uses"
	ln -s "$tmp/linked" "$uses"
	fast -F "$server/config" web
	is 'a symbolic link is not followed' '' "$(cat "$tmp/linked")"
	echo 'Host h1 h2 h3 h4 h5 h6 h7 h8 h9' | write config
	recent
	{
		printf 'h1\n\n 5\n5\n5 \n-5 h1\n0 h1\nx h1\n5x h1\n5\th1\n'
		printf '99999999999999999999 h1\n5 -h1\n5 h1\033[31m\n'
		printf '5 h\0001\n5 h1\r\n5 h2\n5 nosuch\n5 h5\n5 h3 \n5 h4'
	} >"$uses"
	run -F "$HOME/$config" -l h
	is 'a damaged line means nothing' 'h4 h5 h2 h1 h3 h6 h7 h8 h9' \
	    "$(printf '%s' "$out" | paste -s -d ' ' -)"
}

# Root, with a home that is another user's, as with sudo -E.
test_recent_root()
{
	can "another's file and home are left alone" 'root makes them' \
	    [ "$(id -u)" = 0 ] || return 0
	recent 5 denied
	chown 12345 "$uses"
	fast -F "$server/config" web
	is "another's file is left alone" denied "$(used)"
	theirs=$tmp/theirs
	rm -rf "$theirs" "$tmp/mine"
	mkdir -p "$theirs" "$tmp/mine"
	chown 12345 "$theirs"
	fast HOME="$theirs" XDG_STATE_HOME= -F "$server/config" web
	is "nothing is made in another's home" '' "$(ls -A "$theirs")"
	mkdir -p "$theirs/.local/state"
	ln -s "$tmp/mine" "$theirs/.local/state/wl"
	chown -R -h 12345 "$theirs"
	fast HOME="$theirs" XDG_STATE_HOME= -F "$server/config" web
	is 'and no link there is followed' '' "$(ls -A "$tmp/mine")"
}

# Many at once, and many uses. many: twenty wl, each on a terminal of its own.
many()
{
	tmux new-session -d cat
	for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
		tmux new-window -d \
		    "PATH=$tmp/fast:$PATH $wl -F $server/config new$i"
	done
	until_true '[ "$(tmux list-windows | wc -l)" -eq 1 ]'
	stop
}

test_recent_writers()
{
	recent
	many
	is 'twenty at once lose none' 20 \
	    "$(used | sort -u | grep -c '^new[0-2][0-9]$')"
	# 6000 uses of 600 names: 78 KB
	awk 'BEGIN { for (i = 0; i < 6000; i++)
		print 1000000 + i, "n" i * 7 % 600 + (i < 3000 ? 100 : 0) }' \
	    >"$uses"
	cp "$uses" "$tmp/uses"
	ln "$uses" "$tmp/uses.old"
	echo last >>"$tmp/uses"
	awk '{ name[NR] = $NF; line[NR] = $0 }
		END { for (i = NR; i > 0 && n < 500; i--)
			if (!seen[name[i]]++) { print i, line[i]; n++ } }' \
	    "$tmp/uses" | sort -n | cut -d ' ' -f 2- >"$tmp/want"
	fast -F "$server/config" last
	is 'a long file is cut to the last uses of 500 names' \
	    "$(cat "$tmp/want")" "$(sed 's/.* last$/last/' "$uses")"
	is 'by a new one: who still reads the old one has it whole' \
	    "$(cat "$tmp/uses")" "$(sed 's/.* last$/last/' "$tmp/uses.old")"
	rm "$tmp/uses.old"
	is 'the new one is for the user alone, and nothing else is left there' \
	    '-rw------- recent' "$(modes "$uses") $(ls "$XDG_STATE_HOME/wl")"
	fast -F "$server/config" later
	is 'it is not cut before it is long again' 501 "$(grep -c . "$uses")"
	cp "$tmp/uses" "$uses"
	many
	is 'nor do they while one cuts the file' 20 "$(used | grep -c '^new')"
	# 30,000 uses: 400 KB
	awk 'BEGIN { for (i = 0; i < 30000; i++)
		print 1000000 + i, "n" i % 300 }' >"$uses"
	fast -F "$server/config" last
	is 'so is a very long one' '301 n299 last' "$(used | awk '{
		before = name; name = $1 } END { print NR, before, name }')"
}

# The order of hosts that are equally good, and ^R.
test_recent_view()
{
	prompt_hosts
	recent 500 db1 400 nas 300 db3
	says 'of equal hosts the one used last comes first' \
	    "0:db3${newline}db1${newline}db2:" -F "$HOME/$config" -l db
	run -F "$HOME/$config" -l
	is 'the list is in the order of the file' bastion "${out%%"$newline"*}"
	recent 31600000 printer 260000 camera 100000 bastion 7300 web-dev \
	    7250 admin@192.0.2.7 150 nas 7200 web-dev 2 db3
	begin '10  nas' -F "$HOME/$config"
	first=$screen
	keys C-x C-r
	sees '^R puts the hosts used last first, and says when' <<-'END'
		>                                                                         14/14
		>  8  db3              postgres@db3.db.internal  just now
		   4  web-dev          dev.example.com           2h ago
		  10  nas                                        2m ago
		      admin@192.0.2.7                            2h ago
		   1  bastion          jump@203.0.113.1          1d ago
		  13  camera                                     3d ago
		  12  printer                                    1y ago
		   2  web-prod-1       deploy@10.0.0.5           via bastion  shop front end
		   3  web-prod-2       deploy@10.0.0.6:2222      via bastion  the spare
		   5  staging-web
	END
	keys 7
	looks 'the number asked for comes before what was used' '> 7 2/14' \
	    '>  7  db2              postgres@db2.db.internal' \
	    '      admin@192.0.2.7                            2h ago' '  ssh 7'
	keys C-u 192
	looks 'also names that are in no list' '> 192 1/14' \
	    '>     admin@192.0.2.7  2h ago' '  ssh 192'
	keys C-x
	looks '^X forgets such a name' '> 192 0/13' '  ssh 192'
	is 'in the file too' 'printer camera bastion nas web-dev db3' \
	    "$(used | paste -s -d ' ' -)"
	keys C-u C-x Down C-x
	sees '^X forgets uses of hosts' <<-'END'
		>                                                                         13/13
		   4  web-dev      dev.example.com           2h ago
		>  1  bastion      jump@203.0.113.1          1d ago
		  13  camera                                 3d ago
		  12  printer                                1y ago
		   2  web-prod-1   deploy@10.0.0.5           via bastion  shop front end
		   3  web-prod-2   deploy@10.0.0.6:2222      via bastion  the spare
		   5  staging-web
		   6  db1          postgres@db1.db.internal
		   7  db2          postgres@db2.db.internal
		   8  db3          postgres@db3.db.internal
	END
	keys C-r
	shows '^R again goes back' "$first"
	keys C-x
	until_true false 10
	is '^X elsewhere forgets nothing' 'printer camera bastion web-dev' \
	    "$(used | paste -s -d ' ' -)"
	leaves 'then Esc leaves'
	for host in web-dev admin@192.0.2.7; do
		recent 20 "$host"
		begin 13/13 -p -F "$HOME/$config"
		brings 'just now' C-r
		keys Enter
		ends "in that view Enter takes what was used last, $host" 0 "$host"
	done
	blocks <<-'END' | write config
		Host long :: Port 2222
		    HostName a-name-that-leaves-no-room-for-anything-else.example.net
		Host via :: HostName 192.0.2.1 :: ProxyJump long
	END
	recent 50 via 20 long
	begin 2/2 -F "$HOME/$config"
	keys C-r
	sees 'a long address leaves room for it' <<-'END'
		>                                                                           2/2
		> 1  long  a-name-that-leaves-no-room-for-anything-else.example.net:2  just now
		  2  via   192.0.2.1                                         via long  just now
	END
	keys Escape
	stop
	recent
	begin 2/2 -F "$HOME/$config"
	brings 'nothing used yet' C-r
	brings 2/2 C-x
	leaves 'nothing was ever used'
}

# What is done before it is asked for. asked_for: how often the last wl ran a
# program, forked, went to the network and opened the file of recent uses.
asked_for()
{
	for call in execve fork clone AF_INET '"recent"'; do
		grep -c -e "$call" "$tmp/calls"
	done | paste -s -d ' ' -
}

test_unasked()
{
	[ -z "$sanitized" ] || return 0
	sentence='before it is asked for, nothing is run, looked up or connected'
	can "$sentence" 'strace is not allowed here' \
	    strace -o "$tmp/calls" true || return 0
	blocks <<-'END' | write config
		Match exec "exit 0" :: User x
		Host near :: HostName localhost :: Port 9
		Host far :: ProxyJump near
		Host other :: ProxyCommand nc %h %p
	END
	recent 20 typed@there 10 other
	wrapped "exec strace -f -o $tmp/calls \"\$@\""
	for way in -l '-l -v' '-l o' '-p far'; do
		eval "run -F $HOME/$config $way"
		is "$sentence (wl $way)" '0 1 0 0 0 1' "$rc $(asked_for)"
	done
	begin 3/3 -F "$HOME/$config"
	brings 2/3 e
	brings typed@there BSpace C-r
	brings 3/3 Down Down Up C-r
	is "$sentence (at the prompt)" '1 0 0 0 1' "$(asked_for)"
	keys C-t
	ok 'when it is, it is' until_true 'grep -q AF_INET "$tmp/calls"'
	unwrapped
	stop
}

test_probe()
{
	server 'LogLevel VERBOSE'
	test_open
	mute='' greets='' refuses='' hangs=''
	for says in mute:sleep 'greets:print T "220"' hangs: \
	    'refuses:print T "Not allowed at this time"'; do
		listens 0 127.0.0.1 "${says#*:}"
		eval "${says%%:*}=\$port"
	done
	can 'the servers that answer otherwise' 'no perl' [ "$refuses" ] ||
	    return 0
	listening
	blocks <<-END | write config
		Host alive :: Port $port
		Host direct :: Port $port
		Host closed :: Port 9
		Host mute :: Port $mute
		Host mail :: Port $greets
		Host penalty :: Port $refuses
		Host hangs :: Port $hangs
		Host jump :: ProxyJump alive
		Host direct :: ProxyCommand none
		Host command :: ProxyCommand nc %h %p
		Host nowhere :: HostName nowhere.invalid
		Host * :: HostName 127.0.0.1
	END
	groups probe_view probe_ends probe_together
	dismiss
	fresh
}

# listens PORT ADDRESS PERL: a server, for any port with 0, whose port is then
# in $port, or nothing without perl; a client T is treated so and hung up on.
listens()
{
	rm -f "$tmp/port"
	perl -MSocket -e '$| = 1;
	    socket(S, PF_INET, $ARGV[0] ? SOCK_DGRAM : SOCK_STREAM, 0);
	    bind(S, sockaddr_in($ARGV[0], inet_aton($ARGV[1]))) || exit;
	    listen(S, 99); print((sockaddr_in(getsockname(S)))[0]);
	    close(STDOUT); sleep if $ARGV[0];
	    while (accept(T, S)) { eval $ARGV[2]; close(T) }' \
	    "$@" >"$tmp/port" 2>/dev/null &
	workers="$workers $!"
	until_true '[ -s "$tmp/port" ] || ! kill -0 $! 2>/dev/null'
	port=$(cat "$tmp/port")
}

# listening: an sshd of this configuration on a port of the loopback.
# dismiss ends what listens.
listening()
{
	for try in 1 2 3 4 5; do
		port=$((20000 + $$ % 1000 * 10 + try))
		"${sshd%% *}" -D -p "$port" -E "$server/log" \
		    -f "$server/sshd_config" -o ListenAddress=127.0.0.1 &
		workers="$workers $!"
		until_true 'grep -q "listening on.* $port" "$server/log" 2>&-' &&
		    break
	done
}

dismiss()
{
	# shellcheck disable=SC2086	# several
	{ kill $workers; wait $workers; } 2>/dev/null
	workers=''
}

# The mark of a host with a master: for one that was killed there is none, and
# no prompt keeps one alive. marks: how many hosts have it at a new prompt.
marks()
{
	begin denied -F "$server/config"
	printf '%s\n' "$screen" | grep -c '\* open$'
	stop
}

test_open()
{
	socket=$(path web)
	run -F "$server/config" -o ControlPersist=1m web true
	is 'a host with a master is marked' 1 "$(marks)"
	kill -9 "$(pid_of web)"
	until_true '[ "$(marks)" = 0 ]'
	is 'one whose master was killed is not' "0 $socket" \
	    "$(marks) $(ls "$socket")"
	run -F "$server/config" -o ControlPersist=3s web true
	asked=$(date +%s)
	until_true '[ "$(marks)" = 0 ]'
	took=$(($(date +%s) - asked))
	ok "no prompt keeps a master of 3 s ($took s)" [ "$took" -le 5 ]
	is 'it ends as always' '' "$(ls "$socket" 2>&-)"
}

# found: the screen without ports and times. probes [ARGUMENTS]: has all hosts
# tested; one answers, one never will. probing: the processes of wl on this
# configuration.
found()
{
	shown | sed -e 's/ [0-9]* ms/ N ms/' \
	    -e 's/127.0.0.1:[0-9]* */127.0.0.1:PORT  /' \
	    -e 's/127.0.0.1  */127.0.0.1  /' -e 's/invalid  */invalid  /'
}

probes()
{
	begin /10 "$@" -F "$HOME/$config"
	brings refused C-t
}

probing()
{
	grep -l "$HOME/[.]ssh/config" /proc/[0-9]*/cmdline 2>/dev/null |
	    sed 's/[^0-9]*\([0-9]*\).*/\1/'
}

test_probe_view()
{
	begin 10/10 -F "$HOME/$config"
	brings ' ms' alive C-t
	keys C-u mut
	looks 'only what is shown is tested' '> mut 1/10' \
	    ">  4  mute  127.0.0.1:$mute" '  ssh mut'
	keys C-t
	looks 'while hosts are tested, the prompt goes on' '> mut 1/10' \
	    ">  4  mute  127.0.0.1:$mute  ..." '  ssh mut'
	keys C-u C-t
	asked=$(date +%s)
	within 2 getent hosts nowhere.invalid >/dev/null
	can 'a name that does not exist is unknown' \
	    'the names of this machine take too long' [ $? != 137 ] ||
	    sed -i.old '/nowhere/d' "$HOME/$config"
	soon found '^T tests the hosts that are shown' "$(cat <<-'END'
		>                                                                         10/10
		>  1  alive    127.0.0.1:PORT  N ms
		   2  direct   127.0.0.1:PORT  N ms
		   3  closed   127.0.0.1:PORT  refused
		   4  mute     127.0.0.1:PORT  no answer
		   5  mail     127.0.0.1:PORT  no ssh there
		   6  penalty  127.0.0.1:PORT  Not allowed at this time
		   7  hangs    127.0.0.1:PORT  closed
		   8  jump     127.0.0.1  via alive
		   9  command  127.0.0.1  via ProxyCommand
		  10  nowhere  nowhere.invalid  unknown name
	END
	)" 200
	took=$(($(date +%s) - asked))
	ok "after three seconds ($took) there is no answer" [ "$took" -le 5 ]
	is 'the tests leave no process' "$(cat "$tmp/pid")" "$(probing)"
	stop
}

test_probe_ends()
{
	for way in 'C-[:130' C-c:130 TERM:143 HUP:129; do
		probes
		ok 'a test is under way' [ "$(probing | wc -l)" -gt 1 ]
		strikes "${way%:*}"
		ends "${way%:*} ends the tests" "${way#*:}"
		is "${way%:*} leaves none of them" '' "$(probing)"
	done
	probes
	stop
	soon probing 'nor does a terminal that vanishes' '' 40
	probes -p
	keys mute Enter
	ends 'Enter ends the tests' 0 mute
	is 'Enter leaves none of them' '' "$(probing)"
}

# Ten tests take no longer than one. Those of one address and port are one, and
# so are all in ten seconds: sshd's log tells.
connections() { grep -c '^Connection from' "$server/log"; }

answers() { shown | grep -c "$1\$"; }

ten() { until_true "capture; [ \"\$(answers '$1')\" = 10 ]"; }

test_probe_together()
{
	for address in 127.0.0.1 127.0.1 127.1 0177.0.0.1 0177.0.1 0177.1 \
	    0x7f.0.0.1 0x7f.0.1 0x7f.1 2130706433; do
		echo "Host m$address :: HostName $address :: Port $mute"
	done | blocks | write config
	begin 10/10 -F "$HOME/$config"
	brings ... C-t
	asked=$(date +%s)
	ten 'no answer'
	took=$(($(date +%s) - asked))
	ok "ten tests take no longer ($took) than one" [ "$took" -le 5 ]
	stop
	repeat 10 "Host a%d :: HostName 127.0.0.1 :: Port $port\n" | blocks |
	    write config
	before=$(connections) asked=$(date +%s)
	begin 10/10 -F "$HOME/$config"
	brings '1/10' C-t C-t a3
	screen ' ms'
	keys C-t C-t C-u
	ten ' ms'
	is 'one test does for all hosts of an address, for a while' '1 10' \
	    "$(($(connections) - before)) $(answers ' ms')"
	until_true 'keys C-t; [ "$(connections)" -gt $((before + 1)) ]' 150
	took=$(($(date +%s) - asked))
	ok "after ten seconds ($took) it is done again" [ "$took" -ge 10 ]
	stop
	can 'a host to which no way leads is unreachable' \
	    'root makes a network without ways' unshare -n true || return 0
	wrapped 'exec unshare -n "$@"'
	begin 10/10 -F "$HOME/$config"
	keys a9 C-t
	looks 'a host to which no way leads is unreachable' '> a9 1/10' \
	    "> 10  a9  127.0.0.1:$port  unreachable" '  ssh a9'
	unwrapped
	stop
}

# ------------------------------------------------------- copying and editing ---
# What ^Y sends is looked for in the bytes to the terminal. The editor is a
# script that writes down how it was called, and does what $tmp/edits says with
# the file, $file.
test_copy_edit()
{
	fresh
	prompt_hosts
	groups copy edit edit_option
	fresh
}

test_copy()
{
	prompting
	tmux pipe-pane "cat >$tmp/raw"
	codes=''
	for copy in web-dev:dev.example.com db2:db2.db.internal \
	    web-prod-1:10.0.0.5 printer:printer; do
		brings "copied ${copy#*:}" C-u "${copy%:*}" C-y
		codes=$codes$(printf %s "${copy#*:}" | base64)$newline
	done
	keys C-u mail C-y
	looks 'what was copied is said' '> mail copied mx.example.com' \
	    '>  9  mail  mx.example.com  Postfix' '  ssh mail'
	keys x
	looks 'until the next key' '> mailx 0/13' '  ssh mailx'
	brings 'copied nas' C-y C-u nas C-y
	until_true 'grep -q "copied nas" "$tmp/raw"'
	is '^Y copies the HostName, with or without a row' \
	    "${codes}bXguZXhhbXBsZS5jb20=${newline}bmFz" \
	    "$(tr '\007' '\n' <"$tmp/raw" |
	    sed -n "s/.*$esc]52;c;\([A-Za-z0-9+/=]*\)\$/\1/p")"
	leaves "after copying Esc leaves no trace"
	# OSC 52 of its own, with C1 codes too, and it is long; ssh takes
	# the lower case of all.
	{
		printf 'Host bad\n HostName "a\033]52;c;ZXZpbA==\007b'
		printf '\302\235\23552;c;ZXZpbA==\234'
		printf 'z%.0s' 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9
		printf '"\nHost nas\n'
	} | write config
	start -F "$HOME/$config"
	tmux pipe-pane "cat >$tmp/raw"
	screen nas
	brings copied C-y
	until_true 'grep -q copied "$tmp/raw"'
	stop
	is 'of a hostile HostName nothing reaches the terminal as it is' \
	    ']52;c;YRtdNTI7Yzt6eHpwYmE9PQdiwp2dNTI7Yzt6eHpwYmE9PZx6enp6enp6enp6enp6enp6enp6eg==' \
	    "$(tr '\033\007\235\234' '[\n*]' <"$tmp/raw" | grep '^]\{0,1\}52')"
	prompt_hosts
}

# editor COMMANDS: what the editor does.
editor()
{
	rm -f "$tmp/edited"
	script "$tmp/editor" <<-END
		test -t 0 && test -t 1 && test -t 2 && on=terminal
		{
			printf '%s\n' "\$@" \${on+\$on}
			stty -a </dev/tty | tr ' ;' '[\n*]' | grep icanon
		} >$tmp/edited 2>/dev/null
		for file; do :; done
		$1
	END
}

called() { until_true '[ -s "$tmp/edited" ]'; cat "$tmp/edited"; }

arguments() { called | sed '/^terminal$/,$d;/icanon$/d' | paste -s -d ' ' -; }

test_edit()
{
	editor 'echo "EDITOR RUNS"; echo "Host new1" >>"$file"'
	prompting EDITOR="$tmp/editor"
	brings 'EDITOR RUNS' web-prod-2 C-o
	is '^O runs the editor at the host' \
	    "+11$newline$HOME/$config${newline}terminal${newline}icanon" "$(called)"
	sees 'and comes back to the prompt' <<-'END'
		EDITOR RUNS
		> web-prod-2                                                               1/14
		>  3  web-prod-2  deploy@10.0.0.6:2222  via bastion  the spare
		  ssh web-prod-2
	END
	keys C-u new
	sees 'the list is read again' <<-'END'
		EDITOR RUNS
		> new                                                                      1/14
		> 14  new1
		  ssh new
	END
	leaves 'after an editor Esc leaves' 'EDITOR RUNS'
	prompt_hosts
	editor 'sed 1,6d "$file" >"$file.new"; mv "$file.new" "$file"'
	prompting VISUAL="$tmp/editor -x 'y'" EDITOR=false
	brings 11/11 End C-o
	is '$VISUAL comes first, and may have arguments' \
	    "-x 'y' +24 $HOME/$config" "$(arguments)"
	leaves 'a list may get shorter'
	prompt_hosts
	mkdir -p "$tmp/vi"
	editor 'sed "s/^Host .*/Host x/" "$file" >"$file.new"
	    mv "$file.new" "$file"; exit 3'
	cp "$tmp/editor" "$tmp/vi/vi"
	prompting EDITOR= PATH="$tmp/vi:$PATH"
	brings 0/1 db3 C-o
	is 'the default is vi, whatever its status' "+19 $HOME/$config" \
	    "$(arguments)"
	leaves 'the list may have nothing left that matches'
	prompt_hosts
	prompting EDITOR=/nonexistent/editor
	brings 'not found' C-o
	screen 13/13
	brings 1/13 mail
	keys Escape
	restored 'after an editor that is not there'
	stop
	printf 'alpha\nbeta the second\n' | write hosts
	editor 'echo gamma >>"$file"'
	begin 2/2 EDITOR="$tmp/editor" -F none -i "$HOME/.ssh/hosts"
	brings 1/3 beta C-o
	is '^O edits an inventory' "+2 $HOME/.ssh/hosts" "$(arguments)"
	stop
	recent 0 typed@there
	rm -f "$tmp/edited"
	prompting EDITOR="$tmp/editor"
	keys C-r typed C-o
	looks 'a name that was typed is in no file' '> typed not in a file' \
	    '>     typed@there  just now' '  ssh typed'
	is 'so no editor runs' no "$([ -e "$tmp/edited" ] || echo no)"
	stop
	rm -rf "$XDG_STATE_HOME"
	editor 'echo "EDITOR RUNS"; read line; echo "it read $line"'
	shell "$HOME/.ssh"
	keys "EDITOR=$tmp/editor; export EDITOR" Enter
	cleared
	brings 3/13 'x=$(w -p db)' Enter
	brings 'EDITOR RUNS' Down C-o
	brings 'it read words' words Enter
	screen 3/13
	keys Enter
	prompted
	brings "${newline}[db" 'echo "[$x]"' Enter
	prompted
	is 'what the editor says is not for $(wl -p)' '$ x=$(w -p db)
EDITOR RUNS
words
it read words
$ echo "[$x]"
[db1]
$' "$screen"
	brings 13/13 'clear; w' Enter
	brings 'EDITOR RUNS' C-o
	brings Stopped C-z
	prompted
	brings "${newline}between" 'echo bet""ween' Enter
	prompted
	brings "fg${newline}w" fg Enter
	brings 'it read more' more Enter
	screen 13/13
	keys Escape
	prompted
	brings "${newline}exit 130" 'echo "exit $?"' Enter
	prompted
	is 'the editor can be suspended' 'EDITOR RUNS
$ echo bet""ween
between
$ fg
w
more
it read more
$ echo "exit $?"
exit 130
$' "$(transcript)"
	stop
}

# -e, without a prompt and with one.
test_edit_option()
{
	editor 'echo hello; exit 3'
	VISUAL=$tmp/editor EDITOR=false
	export VISUAL EDITOR
	run -F "$HOME/$config" -e web-dev
	is '-e becomes the editor of the host' "3:hello::+16 $HOME/$config" \
	    "$rc:$out:$err:$(arguments)"
	unset VISUAL
	EDITOR="$tmp/editor -a b"
	run -F "$HOME/$config" -e staging
	is '$EDITOR may have arguments, and the query be one' \
	    "3:hello:wl: staging: staging-web:-a b +18 $HOME/$config" \
	    "$rc:$out:$err:$(arguments)"
	for name in nosuch u@web-dev; do
		says "$name is in no file" \
		    "1::wl: $name: no host matches" -F "$HOME/$config" -e "$name"
	done
	EDITOR=/nonexistent/editor
	run -F "$HOME/$config" -e nas
	is 'without the editor the status is 127' 127: "$rc:$out"
	EDITOR=$tmp/editor
	begin 3/13 EDITOR="$tmp/editor" -F "$HOME/$config" -e db
	keys Enter
	ends 'with -e, too, the prompt opens for several' 3 hello
	echo 'Include "my hosts;*"' | write config
	printf '\n# $HOME\n Host inner\n' | write 'my hosts;$(x)'
	run -F "$HOME/$config" -e inner
	is 'a file may have any name' "3:hello::+3 $HOME/.ssh/my hosts;\$(x)" \
	    "$rc:$out:$err:$(arguments)"
	printf '\nw[1:3]\n' | write hosts
	run -F none -i "$HOME/.ssh/hosts" -e w2
	is '-e edits an inventory' "3:hello::+2 $HOME/.ssh/hosts" \
	    "$rc:$out:$err:$(arguments)"
	is 'but not its standard input' 'wl: w2: not in a file' \
	    "$("$wl" -F none -i - -e w2 <"$HOME/.ssh/hosts" 2>&1)"
	unset EDITOR
	prompt_hosts
}

# ------------------------------------------------- with other programs ---
# The commands that the manual prints, as it prints them: example TEXT is its
# line with that text, and manual all of it. They find programs that have our
# configuration.
#
# others: makes the hosts and programs that these commands are about.
# terminal COMMAND ...: runs a shell in $server/here on the terminal, waits for
# its "$".
# cleared: gives it an empty screen.

manual()
{
	sed -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' \
	    -e 's/\\e/\\/g' "$(dirname "$source")/wl.1"
}

example()
{
	manual | sed -n -e '1,/^\.Sh EXAMPLES/d' -e 's/^\(\.Dl \)*\$ /\1/' \
	    -e '/^\.Bd/,/^\.Ed/p' -e 's/^\.Dl //p' |
	    grep -F -e "$1" || echo "the manual has no example with $1"
}

terminal()
{
	tmux new-session -d -x "${size%x*}" -y "${size#*x}" -c "$server/here" \
	    env PATH="$server/bin:$PATH" PS1='$ ' HISTFILE= "$@"
	screen '$'
}

cleared()
{
	rm -f "$tmp/cleared"
	keys "clear; echo >$tmp/cleared" Enter
	until_true '[ -f "$tmp/cleared" ]'
	until_true 'capture; [ "$screen" = "$" ]'
}

others()
{
	for sftp in /usr/lib*/*/sftp-server /usr/lib*/sftp-server; do
		[ ! -x "$sftp" ] || break
	done
	server "Subsystem sftp $sftp"
	echo 'Host prod-web-1 prod-web-2 staging' >>"$server/config"
	mkdir "$server/bin" "$server/here" "$server/there"
	{
		echo "cd $server/there"
		cat "$server/login"
	} >"$server/x"
	mv "$server/x" "$server/login"
	for program in ssh scp "$wl"; do
		echo "exec $(command -v "$program") -F $server/config" '"$@"' |
		    script "$server/bin/${program##*/}"
	done
	script "$server/bin/tailscale" <<-'END'
		echo '100.64.0.1      mill  me@    linux   -'
		echo '100.64.0.2      pond  me@    macOS   idle, tx 1 rx 2'
		echo
		echo '# Health check:'
		echo '#     - Some peers are advertising routes'
	END
	mkdir "$server/here/site"
	echo words >"$server/here/notes.txt"
	echo page >"$server/here/site/page"
	git init -q "$server/there/repo"
	for commit in one two; do
		git -C "$server/there/repo" -c user.name=me -c user.email=me \
		    commit -q --allow-empty -m "$commit"
	done
	git -C "$server/there/repo" branch old HEAD~
	git init -q "$server/here"
	git -C "$server/here" remote add origin web:repo
}

test_composed()
{
	[ -z "$sanitized" ] || return 0	# it is the others that are tried
	others
	groups composed_prompt composed_shells composed_tmux
	hangup web prod-web-1 prod-web-2
	fresh
}

# A list from another program, and a name for one.
test_composed_prompt()
{
	terminal sh
	enters 6/6 "$(example scp\ notes)"
	keys web Enter
	until_true '[ -s "$server/there/notes.txt" ]'
	is 'a file is copied to the host that is chosen' words \
	    "$(cat "$server/there/notes.txt")"
	prompted
	enters 6/6 "clear; $(example scp\ notes)"
	keys Escape
	prompted
	is 'and to none if none is' "notes.txt${newline}site" \
	    "$(ls "$server/here")"
	cleared
	enters 2/2 "$(example tailscale; example awk | sed 's/^ *//')"
	is 'another program tells the hosts' '> 2/2
> 1  mill  100.64.0.1  linux
  2  pond  100.64.0.2  macOS' "$(tail_from '>  ' | sed '1s/  */ /g')"
	brings 'remote$' mill Enter
	keys 'test -t 0 && echo ter""minal; exit' Enter
	screen 'to 100.64.0.1 closed.'
	screen "${newline}terminal"
	stop
}

# Completion, by what make install installs, and keys, in each shell.
# completes SHELL COMMAND ...: the shell
# that the command runs has been told LINES.
completes()
{
	which=$1
	shift
	terminal "$@"
	printf '%s\n' "$lines" >"$tmp/lines"
	while read -r line; do
		keys -l -- "$line"
		keys Enter
	done <"$tmp/lines"
	cleared
	keys -l 'half typed'
	brings 6/6 C-x w
	brings 'remote$' web Enter
	enters "line$newline>" 'echo a "line'
	enters closed. 'read"; exit 3'
	prompted
	is "a key in $which runs wl, as if it was typed" '$ wl
Welcome.
remote$ echo a "line
> read"; exit 3
a line
read
Shared connection to web closed.
$' "$(printf '%s\n' "$screen" | sed '/connected in/d')"
	brings 6/6 C-x w
	keys Escape
	prompted
	cleared
	keys -l 'wl sta'
	keys Tab
	shows "$which completes a name" '$ wl staging'
	keys C-u
	keys -l 'wl -'
	keys Tab
	[ "$which" != bash ] || keys Tab
	ok "$which lists the options" \
	    until_true 'capture; case $screen in *-S*) ;; *) false ;; esac'
	keys C-u
	keys -l 'wl -F not'
	keys Tab
	ok "$which completes the file of an option" until_true \
	    'capture; case $screen in *"-F notes.txt") ;; *) false ;; esac'
	keys C-u
	keys -l 'wl prod'
	brings 'wl prod-web-' Tab
	enters "${newline}hello" '2 "echo hel""lo"'
	is "$which completes what names have in common" hello \
	    "$(printf '%s\n' "$screen" | sed -n '/^hello/p')"
	prompted
}

test_composed_shells()
{
	make -s -C "$(dirname "$source")" install PREFIX="$HOME/.local"
	lines="$(example bash-completion)$newline$(example '\C-xw')
$(example 'wl_add()')$newline$(example '\C-xh')"
	completes bash bash --norc --noprofile
	cleared
	keys -l 'echo to '
	brings 6/6 C-x h
	brings '$ echo to db' db Enter
	enters "${newline}to db:file" ':file'
	is 'another adds a name to the line' \
	    "\$ echo to db:file${newline}to db:file$newline\$" "$screen"
	stop web
	lines="$(example fpath)${newline}autoload -U compinit; compinit -u -D
$(example bindkey)"
	completes zsh zsh -f
	stop web
	lines="$(example fish/vendor)$newline$(example '\cxw')"
	completes fish fish --no-config --private \
	    -C "function fish_prompt; echo -n '\$ '; end"
	stop web
	rm -rf "$XDG_RUNTIME_DIR"/fish*
}

# A tmux in the terminal, which the keys go to.
test_composed_tmux()
{
	can 'the keys for tmux' 'it is older than 3.2' \
	    [ "$(tmux list-commands | grep popup)" ] || return 0
	{
		cat "$tmp/tmux.conf"
		echo 'set -g default-command "exec sh"'
		example new-window
		example popup
	} >"$tmp/keys.conf"
	terminal sh
	enters '$' "env -u TMUX tmux -u -S $tmp/inner -f $tmp/keys.conf"
	until_true '[ -S "$tmp/inner" ]'
	for key in S H; do
		cleared
		brings 6/6 C-b "$key"
		brings 'remote$' web Enter
		is "C-b $key opens a new window for a host" 2 \
		    "$(command tmux -S "$tmp/inner" list-windows | wc -l)"
		keys exit Enter
		until_true 'capture; [ "$screen" = "$" ]'
		brings 6/6 C-b "$key"
		keys Escape
		until_true 'capture; [ "$screen" = "$" ]'
		is 'and nothing if none is chosen' 1 \
		    "$(command tmux -S "$tmp/inner" list-windows | wc -l)"
	done
	brings 6/6 C-b H
	keys denied Enter
	ok 'the window of a login that failed stays' until_true '
	    command tmux -S "$tmp/inner" list-panes -F "#{pane_dead}" | grep -q 1'
	command tmux -S "$tmp/inner" kill-server
	stop
}

# -------------------------------------------------------------- questions ---
# More hosts: the key of locked has a passphrase; that of new is not known;
# behind is reached through locked, by a proxy, and its key has another
# passphrase; far is the same through ProxyJump, which needs a port.
test_questions()
{
	server "Banner $tmp/banner"
	echo 'No trespassing.' >"$tmp/banner"
	gates
	for key in lock inner; do
		ssh-keygen -q -t ed25519 -N "open $key" -C "$key" \
		    -f "$server/$key"
		cat "$server/$key.pub" >>"$server/authorized_keys"
	done
	hosts <<-END
		Host locked late quiet loud :: IdentityFile $server/lock
		Host locked :: ProxyCommand $alone $sshd
		Host late :: ProxyCommand sh -c '$wait; exec $sshd'
		Host quiet :: LogLevel QUIET
		Host loud :: LogLevel VERBOSE
		Host new :: UserKnownHostsFile $server/new_hosts
		Host behind :: IdentityFile $server/inner
		    ProxyCommand ssh -F $server/config locked $sshd
		Host far :: IdentityFile $server/inner :: ProxyJump locked
		    HostName 127.0.0.1
	END
	# The others must not offer the user's key before.
	sed 's/^Host \* !denied$/Host web db new/' "$server/config" >"$server/x"
	mv "$server/x" "$server/config"
	watched='locked behind far' sockets=$(dirname "$(path web)")
	groups passphrase typed refusal host_key hops levels said client \
	    fake_ssh password several old_ssh asking stages
}

lock="Enter passphrase for key 'TMP/sshd/lock':"
inner="Enter passphrase for key 'TMP/sshd/inner':"

asks()
{
	wanted=$1
	until_true 'capture; calm
	    case $screen in *"$wanted") ;; *) false ;; esac' ||
	    is "ssh asks $1" "$1" "$screen"
}

answer()
{
	asks "$1"
	keys -l -- "$2"
	keys Enter
}

# asks TEXT: waits until that ends the screen. answer TEXT ANSWER: then answers.
# unlocks ARGUMENTS: starts wl, and answers the first question for a passphrase.
# greets NAME SCREEN HOST [TEXT ANSWER ...]: the test NAME: does a session with
# HOST say hello, after this screen and these questions, and leave all as it was?
# over: waits until wl has ended. settles NAME [HOST]: then the terminal is as
# before, and there is nothing left but the connection to HOST, which ends.
unlocks()
{
	start "$@"
	answer "$lock" 'open lock'
}

greets()
{
	sentence=$1 want="$2${newline}hello${newline}exit 0" host=$3
	shift 3
	start -q -F "$server/config" "$host" 'echo hello'
	while [ $# -gt 0 ]; do
		answer "$1" "$2"
		shift 2
	done
	becomes "$sentence" "$want"
	settles "$sentence" "$host"
}

settles()
{
	restored "$1"
	ended=$1
	shift
	stop "$@"
	gone "$ended"
}

over() { screen exit; }

test_passphrase()
{
	before=$(logins)
	begin '  connecting' -F "$server/config" late
	tmux pipe-pane "cat >$tmp/raw"
	keys 'typed ahead' Enter
	gate
	answer "$lock" 'open wrong'
	answer "$lock$newline$lock" 'open lock'
	becomes 'a passphrase is asked for, and what ssh says comes before' \
	    "No trespassing.
$lock
$lock
late: connected in N s
Welcome.
remote$"
	is 'an answer is nowhere: no command line, no environment, no file' '' \
	    "$(grep -l 'open [lw]' /proc/[0-9]*/cmdline \
	    /proc/[0-9]*/environ "$sockets"/* "$server"/*log "$tmp/raw" \
	    2>/dev/null)"
	ok 'the socket for questions has gone' \
	    [ ! -e "$sockets/ask.$(cat "$tmp/pid")" ]
	brings 'exit 4' 'exit 4' Enter
	settles 'a session after a question' late
	is 'that was one login' $((before + 1)) "$(logins)"
	: >"$tmp/banner"
	greets 'without a spinner it is the same' "$lock" locked \
	    "$lock" 'open lock'
	start -F "$server/config" locked
	answer "$lock" wrong
	answer "$lock$newline$lock" wrong
	answer "$lock$newline$lock$newline$lock" wrong
	becomes 'a wrong answer is asked for again as often as ssh asks' "$lock
$lock
$lock
ME@locked: Permission denied (publickey).
exit 255"
	settles 'wrong answers'
	gives 'without a terminal there is no question' \
	    "255::$me@locked: Permission denied (publickey)." locked true
}

# A destination that is typed has the same spinner, questions and connection,
# at the prompt and on the command line.
test_typed()
{
	size=160x24	# for any user's name
	for typed in "$me@late" "ssh://$me@late:2222"; do
		before=$(logins)
		spinner=$(printf '* %s  ME@late%s  connecting  N s' "$typed" \
		    "${typed#*late}" | sed "s/$me@/ME@/")
		begin denied -F "$server/config"
		brings "ssh $typed" -l "$typed"
		keys Enter
		becomes "$typed at the prompt has the spinner" "$spinner"
		gate
		answer "$lock" 'open lock'
		screen 'remote$'
		run -F "$server/config" "$typed" echo again
		is 'and the question, and a connection that is shared' \
		    "0:again::$((before + 1))" "$rc:$out:$err:$(logins)"
		stop "$typed"
	done
	start -F "$server/config" "$typed" echo hello
	becomes "$typed on the command line has the spinner" "$spinner"
	gate
	answer "$lock" 'open lock'
	screen hello
	run -F "$server/config" -O check "$typed"
	is 'and the question, and the connection' 0 "$rc"
	stop "$typed"
	size=80x24
}

# Ways not to answer.
test_refusal()
{
	for way in C-c:130 'C-\:131' TERM:143 HUP:129; do
		start -F "$server/config" locked
		asks "$lock"
		keys some text
		strikes "${way%:*}"
		screen 'exit '
		keys over Enter
		becomes "${way%:*} at a question ends wl, and what was typed is gone" \
		    "$lock${newline}exit ${way#*:}${newline}over${newline}over"
		settles "${way%:*} at a question"
	done
	start -F "$server/config" locked
	asks "$lock"
	brings exit C-d
	settles 'an end of file at a question'
	# It is as with a real one that ^Z does not stop this sshd: while it pauses
	# after a key that was only offered, that is the end of it (its sandbox
	# does not know restart_syscall).
	shell "$server"
	brings 'Enter passphrase' 'stty -g >before; w locked' Enter
	brings "$newline\$" C-z
	keys 'stty -g >between; fg' Enter
	asks "$lock"
	resize 60x10
	answer "$lock" 'open lock'
	screen 'remote$'
	brings closed. 'exit' Enter
	prompted
	brings "${newline}done" 'stty -g >after; echo d""one' Enter
	for when in between after; do
		is "^Z and fg at a question ask it again; the terminal $when" \
		    "$(cat "$server/before")" "$(cat "$server/$when")"
	done
	stop locked
}

test_host_key()
{
	question="The authenticity of host 'new (<no hostip for proxy command>)' \
can't be establis
hed.
ED25519 key fingerprint is HASH
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])?"
	start -F "$server/config" new
	answer "$question" no
	becomes 'a host key that is refused ends with what ssh says' \
	    "$question no
Host key verification failed.
exit 255"
	settles 'a host key is refused'
	ok 'it is not stored' [ ! -s "$server/new_hosts" ]
	start -q -F "$server/config" new 'echo hello'
	answer "$question" maybe
	answer "Please type 'yes', 'no' or the fingerprint:" yes
	becomes 'a host key that is accepted is stored' "$question maybe
Please type 'yes', 'no' or the fingerprint: yes
Warning: Permanently added 'new' (ED25519) to the list of known hosts.
hello
exit 0"
	is 'in known_hosts' 1 "$(grep -c . "$server/new_hosts")"
	stop new
	rm -f "$server/new_hosts"
	print=$(ssh-keygen -l -f "$server/host.pub" | cut -d ' ' -f 2)
	start -q -F "$server/config" new 'echo hello'
	answer "$question" "$print"
	screen hello
	is 'a fingerprint is an answer' 1 "$(grep -c . "$server/new_hosts")"
	stop new
	rm -f "$server/new_hosts"
	gives 'without a terminal an unknown host key is refused' \
	    '255::Host key verification failed.' new true
}

# A question from each hop.
test_hops()
{
	unlocks -F "$server/config" behind
	asks "$inner"
	nowhere 'an answer, at the next question' 'open lock'
	answer "$inner" nonsense
	screen "sshd/inner':${newline}Enter"
	brings 'exit 130' C-c
	settles '^C at the second hop'
	listening
	printf 'Host far\n  Port %s\n' "$port" | hosts
	unlocks -F "$server/config" far
	answer "$inner" 'open inner'
	screen 'remote$'
	becomes 'the ssh of a ProxyJump asks the same way' "$lock
$inner
far: connected in N s
Welcome.
remote$"
	stop far
	dismiss
}

# What the user wants to hear of ssh.
test_levels()
{
	echo 'No trespassing.' >"$tmp/banner"
	greets 'with LogLevel QUIET there is no banner' "$lock" quiet \
	    "$lock" 'open lock'
	greets 'with LogLevel VERBOSE ssh says more' "No trespassing.
$lock
Authenticated to loud (via proxy) using \"publickey\"." loud "$lock" 'open lock'
	: >"$tmp/banner"
	printf 'echo "$1" >%s/asked\necho "open lock"\n' "$tmp" |
	    script "$tmp/askpass"
	start SSH_ASKPASS="$tmp/askpass" SSH_ASKPASS_REQUIRE=force -q \
	    -F "$server/config" locked 'echo hello'
	ends "a user's own SSH_ASKPASS_REQUIRE is respected" 0 hello
	is 'their program is asked' \
	    "Enter passphrase for key '$server/lock': " "$(cat "$tmp/asked")"
	hangup locked
}

# What is said during the login, by whom and to whom.
test_said()
{
	hosts <<-END
		Host browser chatty local :: IdentityFile $server/user
		Host browser
		    ProxyCommand sh -c 'echo Open https://sso/ >&2; \
printf "and wait" >&2; $wait; echo Thanks. >&2; exec $sshd'
		Host torrent
		    ProxyCommand sh -c 'echo >$server/floods; yes >&2'
		Host chatty
		    ProxyCommand sh -c '(until [ -e $server/flood ]; do sleep 0.1; \
done; yes | head -c 200000 >&2; echo \$? >$server/flood) & exec $sshd'
		Host mum :: LogLevel QUIET :: ProxyCommand exit 1
		Host fenced :: LogLevel ERROR :: ProxyJump 127.0.0.1
		Match originalhost 127.0.0.1 :: ProxyCommand none :: Port 1
		Host local :: PermitLocalCommand yes
		    LocalCommand $wl -q -F $server/config web 'echo inner' >$server/inner
	END
	watched='browser torrent chatty mum fenced local'
	start -F "$server/config" browser 'echo hello'
	says="Open https://sso/${newline}and wait"
	becomes 'what a proxy says is seen at once, above the spinner' \
	    "$says$newline* browser  ME@browser  connecting  N s"
	gate
	becomes 'and what it says then, in order' "$says
Thanks.
browser: connected in N s
hello
exit 0"
	stop browser
	: >"$tmp/said"
	wrapped "exec \"\$@\" 2>$tmp/said"
	start -F "$server/config" browser 'echo hello'
	unwrapped
	ok 'a standard error that is a file has it at once' \
	    until_true '[ -s "$tmp/said" ]'
	gate
	screen 'exit 0'
	is 'and all of it' "${says}Thanks." "$(cat "$tmp/said")"
	stop browser
	for way in C-c:130: TERM:143:2\>/dev/null; do
		rm -f "$server/floods"
		wrapped "exec \"\$@\" ${way##*:}"
		start -F "$server/config" torrent
		unwrapped
		until_true '[ -e "$server/floods" ]'
		strikes "${way%%:*}"
		screen "exit 1"
		settles "${way%%:*} ends what a proxy floods"
	done
	begin 'remote$' -q -F "$server/config" chatty
	touch "$server/flood"
	until_true '[ -s "$server/flood" ]'
	is 'a proxy that says much after the login is neither killed nor held up' \
	    1 "$(cat "$server/flood")"
	brings alive 'echo al""ive; exit' Enter
	stop chatty
	start -F "$server/config" mum
	ends 'a login that fails in silence says so' 255 \
	    'wl: mum: ssh failed and does not say why; see ssh -v mum'
	begin 'exit 255' -F "$server/config" fenced
	is 'why a jump host cannot be reached is seen with LogLevel ERROR' \
	    'ssh: connect to host 127.0.0.1 port 1: Connection refused' \
	    "$(printf '%s\n' "$screen" | sed q)"
	stop
	start -q -F "$server/config" local 'echo hello'
	ends 'a wl that a LocalCommand runs connects' 0 hello
	is 'and is not taken for a question' inner "$(cat "$server/inner")"
	hangup local web
	watched='locked behind far'
}

# Another process that connects to the socket for questions: an ssh that takes
# it for that of a master.
test_client()
{
	begin '  connecting' -q -F "$server/config" late 'echo hello'
	within 5 ssh -S "$sockets/ask.$(cat "$tmp/pid")" -O check late \
	    2>"$tmp/err"
	is 'what is no question gets no answer, and soon' 255 $?
	gate
	answer "$lock" 'open lock'
	becomes 'and the next client does' \
	    "$lock${newline}hello${newline}exit 0"
	stop late
}

# Questions and stages that this sshd does not bring about.
test_fake_ssh()
{
	fake "$tmp/fake" <<-END
		case " \$* " in *' -N '*) ;; *) cat "$tmp/answer"; exit ;; esac
		say() { printf '%s\\r\\n' "\$1" >&2; }
		. $tmp/script
	END
	: >"$tmp/answer"
	{
		echo "say 'debug1: OpenSSH'; echo 'Host web is looked up.' >&2"
		for message in 'Connecting to web [10.0.0.1] port 22.' \
		    'Connection established.' 'Authenticating to web:22 as me' \
		    'SSH2_MSG_SERVICE_ACCEPT received' \
		    'Next authentication method: hostbased'; do
			echo "$wait; say 'debug1: $message'"
		done
		echo "$wait; say 'Authenticated to web.'; say 'A last word'"
	} >"$tmp/script"
	set -- PATH="$tmp/fake:$PATH" -q -F "$server/config" web
	start "$@"
	for stage in 'looking up' connecting 'waiting for an answer' \
	    'exchanging keys' authenticating 'authenticating (hostbased)'; do
		becomes "ssh's debug messages tell the stage: $stage" \
		    "Host web is looked up.$newline* web  ME@web  $stage  N s"
		gate
	done
	becomes 'what else it says is for the user' \
	    "Host web is looked up.${newline}A last word${newline}exit 0"
	stop
	cat >"$tmp/script" <<-END
		SSH_ASKPASS_PROMPT=none \$SSH_ASKPASS 'Confirm user presence' &
		$wait
		kill \$!
		wait
		$wait
		\$SSH_ASKPASS 'Shibboleth, yes/no? ' >$tmp/answer
		SSH_ASKPASS_PROMPT=confirm \$SSH_ASKPASS 'Use the key?' >$tmp/answer
		echo "status \$?" >>$tmp/answer
	END
	for say in "yes:yes${newline}status 0" ye:'status 1' :'status 1'; do
		start "$@"
		becomes 'a notice is shown' \
		    '* web  ME@web  Confirm user presence  N s'
		gate
		becomes 'while it lasts' '* web  ME@web  looking up  N s'
		gate
		answer 'Shibboleth, yes/no?' secret
		answer 'Use the key? (yes/no)' "${say%%:*}"
		ends "a confirmation takes yes or no, and only it is shown: ${say%%:*}" \
		    0 "Shibboleth, yes/no?$newline$(echo "Use the key? (yes/no) ${say%%:*}" |
		    sed 's/ *$//')$newline${say#*:}"
	done
	printf 'printf "and debug1: x\\r\\n" >&2; %s
		printf "debug1: y\\r\\nlast" >&2; exit 255\n' "$wait" \
	    >"$tmp/script"
	begin '  looking up' "$@"
	gate
	over
	# a spinner's frame may end the line before
	is 'what has no end is shown too' 'andlastexit 255' \
	    "$(printf '%s' "$screen" | tr -d '\n')"
	stop
}

# Passwords, of a user that exists in a copy of the password file only.
test_password()
{
	can 'passwords are asked for' 'root makes a private /etc/shadow' \
	    unshare -m mount --bind /etc/passwd /etc/shadow || return 0
	{ cat /etc/passwd; echo "wltest:x:64999:64999::/:/bin/sh"; } \
	    >"$server/passwd"
	{ cat /etc/shadow; echo 'wltest:$6$wltests$Rik96gEXEDKRRsqqoVBLHg09v.73e2BZGXXVbwAdC8RuoYsrVsCUNEduDDMH/XWRtE4F8i8OvSZE4w8M98LRs.:19000:0:99999:7:::'; } \
	    >"$server/shadow"
	chmod 600 "$server/shadow"
	printf '%s pam_permit.so\n' 'account required' 'session required' \
	    >"$server/pam"
	echo 'auth required pam_unix.so' >>"$server/pam"
	sed 's/^UsePAM.*//; s/^Password.*//; s/^KbdInter.*//' \
	    "$server/sshd_config" >"$server/plain_config"
	cat >"$server/private" <<-END
		mount --bind $server/passwd /etc/passwd
		mount --bind $server/shadow /etc/shadow
		mount --bind $server/pam /etc/pam.d/sshd
		exec $(command -v sshd) -i -E $server/log -o ForceCommand=none -f "\$@"
	END
	hosts <<-END
		Host password :: User wltest
		    PreferredAuthentications password
		    NumberOfPasswordPrompts 2
		    ProxyCommand unshare -m sh $server/private $server/plain_config \
-o PasswordAuthentication=yes -o KbdInteractiveAuthentication=no
	END
	prompt="wltest@password's password:"
	greets 'a password is asked for, and again if it is wrong' "$prompt
Permission denied, please try again.
$prompt" password "$prompt" wrong "again.$newline$prompt" 'open sesame'
}

# Several questions in one login: a word of the server's, then a password that
# has expired.
test_several()
{
	sentence='keyboard-interactive may ask several questions'
	can "$sentence" 'root makes a private /etc, with pam_pwhistory' sh -c '
	    test -f "$0" && find /lib/ /lib64/ -name pam_pwhistory.so |
	    grep -q .' "$server/private" || return 0
	can "$sentence" 'this sshd was built without PAM' sh -c '
	    ! "$@" 2>&1 | grep -q Unsupported' sh "${sshd%% *}" -t -o UsePAM=yes \
	    -f "$server/plain_config" || return 0
	sed 's/^\(wltest:[^:]*\):[0-9]*/\1:0/' "$server/shadow" \
	    >"$server/expired"
	chmod 600 "$server/expired"
	mkdir "$server/security"
	: >"$server/security/opasswd"
	echo 'Say friend and enter.' >"$server/word"
	cat >"$server/pam_several" <<-END
		auth required pam_echo.so file=$server/word
		auth required pam_unix.so
		account required pam_unix.so
		password required pam_pwhistory.so
		session required pam_permit.so
	END
	sed -e "s#$server/shadow#$server/expired#" \
	    -e "s#$server/pam#$server/pam_several#" \
	    -e "2s#^#mount --bind $server/security /etc/security\\
#" "$server/private" >"$server/private_several"
	hosts <<-END
		Host several :: User wltest
		    PreferredAuthentications keyboard-interactive
		    ProxyCommand unshare -m sh $server/private_several \
$server/plain_config -o UsePAM=yes -o PasswordAuthentication=no \
-o KbdInteractiveAuthentication=yes
	END
	echo 'No trespassing.' >"$tmp/banner"
	greets "$sentence" 'No trespassing.
(wltest@several) Say friend and enter.
Password:
(wltest@several) Say friend and enter.
Password:
(wltest@several) You are required to change your password immediately (administr
ator enforced).
New password:
(wltest@several) Retype new password:' several \
	    "$newline(wltest@several) Say friend and enter.
Password:" wrong "Password:
(wltest@several) Say friend and enter.${newline}Password:" 'open sesame' \
	    "${newline}New password:" 'a Friend of 4711' \
	    "$newline(wltest@several) Retype new password:" 'a Friend of 4711'
	: >"$tmp/banner"
}

# What asks on the terminal itself has it: an ssh that knows nothing of
# SSH_ASKPASS_REQUIRE, a proxy. It begins anew, in the foreground.
test_old_ssh()
{
	mkdir -p "$tmp/old"
	printf 'unset SSH_ASKPASS SSH_ASKPASS_REQUIRE\nexec %s "$@"\n' \
	    "$(command -v ssh)" | script "$tmp/old/ssh"
	hosts <<-END
		Host nosy :: IdentityFile $server/user
		    ProxyCommand sh -c 'echo Word: >/dev/tty; \
read word </dev/tty; echo "\$word" >$server/word; exec $sshd'
	END
	watched='late locked nosy'
	begin '  connecting' PATH="$tmp/old:$PATH" -F "$server/config" late \
	    'echo hello; read x'
	gate
	gate
	answer "$lock" 'open wrong'
	answer "$lock$newline$lock" "open locked$(printf '\177\177')"
	screen hello
	run -F "$server/config" -O check late
	is 'an ssh that asks by itself is a master' 0 "$rc"
	keys Enter
	becomes 'and has the terminal' "$lock
$lock
hello

exit 0"
	settles 'an ssh that asked by itself' late
	start PATH="$tmp/old:$PATH" -q -F "$server/config" locked
	asks "$lock"
	keys some text C-c
	becomes '^C at the question of an ssh that asks by itself' \
	    "$lock${newline}exit 130"
	settles '^C at the question of an ssh that asks by itself'
	start -q -F "$server/config" nosy 'echo hello'
	asks "Word:${newline}Word:"
	brings hello friends BSpace Enter
	is 'so has a proxy that asks by itself' friend "$(cat "$server/word")"
	stop nosy
	echo 'No trespassing.' >"$tmp/banner"
	SSH_ASKPASS_REQUIRE=never
	export SSH_ASKPASS_REQUIRE
	greets 'with SSH_ASKPASS_REQUIRE=never ssh asks by itself, after what it says' \
	    "No trespassing.$newline$lock" locked "$lock" 'open lock'
	unset SSH_ASKPASS_REQUIRE
	: >"$tmp/banner"
}

# More of how a question is put, and to whom.
test_asking()
{
	watched=locked
	wrapped 'echo data | TERM=dumb "$@" | sed "s/^/got /"'
	unlocks -q -F "$server/config" locked cat
	unwrapped
	becomes 'a plain terminal is asked, not standard input' \
	    "$lock${newline}got data${newline}exit 0"
	stop locked
	echo 'No trespassing.' >"$tmp/banner"
	set -- -F "$server/config" -o StrictHostKeyChecking=accept-new \
	    -o UserKnownHostsFile="$server/new_hosts"
	unlocks -q "$@" locked 'echo hello'
	becomes 'warnings come before a question' <<-END
		Warning: Permanently added 'locked' (ED25519) to the list of known hosts.
		No trespassing.
		$lock
		hello
		exit 0
	END
	stop
	: >"$tmp/banner"
	run "$@" -O exit locked
	rm -f "$server/new_hosts"
	start -F "$server/config" locked
	asks "$lock"
	killed=$(cat "$tmp/pid")
	kill -KILL "$killed"
	stop
	until_true '! grep -l "$tmp/ssh[d]" /proc/[0-9]*/cmdline >/dev/null 2>&1'
	touch -t 202001010000 "$sockets/ask.$killed"
	begin exit -q -F "$server/config" web true
	stop
	is 'the next wl sweeps up after one that was killed at a question' \
	    '' "$(find "$sockets" -name "*.$killed")"
	hangup web
	gone 'a wl that was killed at a question'
}

# Where a real connection may hang: at a server that accepts and says nothing,
# at a name server that does not answer.
test_stages()
{
	watched='silent past nowhere'
	listens 0 127.0.0.1 sleep
	can 'a connection that hangs shows where' 'no perl' [ "$port" ] ||
	    return 0
	hosts <<-END
		Host past :: ProxyJump silent
		Host nowhere silent :: ProxyCommand none
		Host nowhere :: HostName nowhere.test
		Host silent :: HostName 127.0.0.1 :: Port $port
	END
	hangs silent "127.0.0.1:$port" 'waiting for an answer'
	hangs past past 'via silent'
	listens 53 127.0.0.77
	echo 'nameserver 127.0.0.77' >"$server/resolv"
	echo 'hosts: dns' >"$server/nsswitch"
	cat >"$server/resolver" <<-END
		test "$port" && mount --bind $server/resolv /etc/resolv.conf &&
		    mount --bind $server/nsswitch /etc/nsswitch.conf || exit 9
		exec "\$@"
	END
	if can 'a connection that hangs shows where: looking up' \
	    'root makes a private /etc/resolv.conf' \
	    unshare -m sh "$server/resolver" true; then
		wrapped "exec unshare -m sh $server/resolver \"\$@\""
		hangs nowhere nowhere.test 'looking up'
		begin "$newline> " -F "$server/config"
		asked=$(date +%s)
		brings 'no answer' nowhere C-t
		took=$(($(date +%s) - asked))
		unwrapped
		ok "a name that is not found out ($took) is no answer" \
		    [ "$took" -le 5 ]
		stop
	fi
	dismiss
}

# nowhere NAME TEXT: the test NAME: is the text not on a command line, in the
# environment, in a file, also one without a name, nor in the memory of wl?
nowhere()
{
	is "$1: no command line, no environment, no file" '' "$(
	    grep -l "$tmp" /proc/[0-9]*/environ 2>/dev/null |
	    while read -r process; do
		process=${process%/environ}
		grep -l "$(echo "$2" | sed 's/./[&]/')" "$process/cmdline" \
		    "$process/environ"
		find -L "$process/fd" -type f -exec grep -l "$2" {} +
	    done 2>/dev/null
	    find "$server" "$sockets" -type f -exec grep -l "$2" {} +)"
	if [ "$(in_memory 'Enter passphrase')" != 'Enter passphrase' ]; then
		skip "$1: wiped from memory" "wl's memory cannot be read"
		return
	fi
	is "$1: wiped from memory" '' "$(in_memory "$2")"
}

# in_memory TEXT: the text, if wl has it in memory that it can write.
in_memory()
{
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) rw.*/\1 \2/p' \
	    "/proc/$(cat "$tmp/pid")/maps" | while read -r from to; do
		pages=$(((0x$to - 0x$from) / 4096))
		[ "$pages" -gt 16384 ] || dd if="/proc/$(cat "$tmp/pid")/mem" \
		    bs=4096 skip=$((0x$from / 4096)) count="$pages"
	done 2>/dev/null | grep -aow "$1" | sed q
}

# ------------------------------------------------------------------ faults ---
# What may go wrong around wl: the user sees what it is, the terminal is sane,
# nothing is lost or left behind.
# fault NAME STATUS [SCREEN]: the test NAME: does wl, on the terminal, end with
# this status and screen, as becomes sees it, and all else as it should be?
# without NAME WANT ARGUMENTS: the same as gives. picks HOST ARGUMENTS: starts
# wl and takes the host at its prompt. wrapped COMMANDS: wl is a shell that runs
# these, where "$@" is wl itself, until unwrapped.
fault()
{
	becomes "$1" "${3+$3$newline}exit $2"
	sane "$1"
	stop
	left "$1"
}

without()
{
	gives "$@"
	left "$1"
}

picks()
{
	begin checks -F "$server/config"
	keys "$1" Enter
}

wrapped()
{
	[ "$wl" = "$tmp/as" ] || binary=$wl
	printf 'set -- %s "$@"\n%s\n' "$binary" "$1" | script "$tmp/as"
	wl=$tmp/as
}

unwrapped() { wl=$binary; }

# The terminal: its mode; the cursor, the main screen, keys and mouse as ever,
# no insert mode, no margins, lines that wrap; and a paste without brackets.
sane()
{
	restored "$1"
	tmux set-buffer pasted
	tmux paste-buffer -d -p
	screen pasted
	format='#{cursor_flag}#{alternate_on}#{keypad_flag}'
	format="$format#{keypad_cursor_flag}#{mouse_any_flag}#{insert_flag}"
	format="$format#{origin_flag}#{wrap_flag}"
	is "$1: the terminal is sane" '10000001 pasted' \
	    "$(tmux display-message -p "$format") ${screen##*"$newline"}"
}

# What should not be there: processes with our configuration, their sockets,
# and what wl makes in passing; and what is wrong with the uses.
litter()
{
	processes
	for file in $places "$sockets/ask.$(cat "$tmp/pid")"; do
		[ ! -e "$file" ] || echo "$file"
	done
	find "$sockets" /tmp -maxdepth 1 -newer "$server/config" \
	    -name 'log.??????'
	find "$XDG_RUNTIME_DIR" "$XDG_STATE_HOME" ! -type d ! -name recent
	awk '
		NR == 1 ? $0 != "1000000000 older" : !/^[1-9][0-9]* [a-z]+$/
		END { if (NR == 0) print "no uses" }' "$uses"
}

left()
{
	until_true '[ ! "$(litter)" ]'
	is "$1: nothing is lost or left behind" '' "$(litter)"
}

test_faults()
{
	server
	gates
	binary=$wl
	ssh-keygen -q -t ed25519 -N 'open lock' -C lock -f "$server/lock"
	cat "$server/lock.pub" >>"$server/authorized_keys"
	echo "ulimit -Sn 256; echo \$\$ >$server/pid; exec $sshd \"\$@\"" \
	    >"$server/start"
	echo "$wait; exec sh $server/start" >"$server/late"
	# the rest of what sshd sends after its name is kept back
	echo "sh $server/start | { dd bs=1 count=100; cat >/dev/null; }" \
	    >"$server/stuck"
	echo "$wait; cat $server/authorized_keys" >"$server/keys"
	hosts <<-END
		Host quick locked :: ProxyCommand sh $server/start
		Host slow :: ProxyCommand sh $server/late
		Host stuck :: ProxyCommand sh $server/stuck 2>/dev/null
		Host checks
		    ProxyCommand sh $server/start -o AuthorizedKeysFile=none \
-o AuthorizedKeysCommandUser=$me -o 'AuthorizedKeysCommand=/bin/sh $server/keys'
		Host locked :: IdentityFile $server/lock
	END
	sed 's/^Host \* !denied$/& !locked/' "$server/config" >"$server/x"
	mv "$server/x" "$server/config"
	rm -rf "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR/wl" "$tmp/pid"
	mkdir -p "$XDG_STATE_HOME/wl"
	echo '1000000000 older' >"$uses"
	places=$(for host in quick locked slow stuck checks; do
		path "$host"
	done)
	sockets=$(dirname "$(path quick)")
	groups fault_ssh fault_sshd fault_master fault_shm fault_state \
	    fault_descriptors fault_memory fault_standard fault_hangup \
	    fault_two fault_clock fault_pipe fault_environment
	rm -rf "$XDG_STATE_HOME"
}

test_fault_ssh()
{
	mkdir -p "$tmp/broken"
	rm -f "$tmp/broken/ssh"
	wrapped "PATH=$tmp/broken; exec \"\$@\""
	picks quick
	fault 'ssh is missing at the prompt' 127 \
	    'wl: ssh: No such file or directory'
	without 'ssh is missing, without a terminal' \
	    '127::wl: ssh: No such file or directory' quick
	: >"$tmp/broken/ssh"
	start -F "$server/config" quick
	fault 'ssh may not be run' 126 'wl: ssh: Permission denied'
	printf '\177ELF' >"$tmp/broken/ssh"
	chmod +x "$tmp/broken/ssh"
	start -F "$server/config" quick
	fault 'ssh is no program' 126 'wl: ssh: Exec format error'
	for does in G N; do
		script "$tmp/broken/ssh" <<-END
			case " \$* " in *' -$does '*) kill -SEGV \$\$ ;; esac
			exec $(command -v ssh) "\$@"
		END
		start -F "$server/config" quick
		fault "ssh -$does dies" 255 'wl: ssh: ended by signal 11'
	done
	picks quick
	screen '> quick'
	screen 'ended by signal 11'
	keys Escape
	fault 'ssh -N dies, and the prompt comes back' 130 \
	    'wl: ssh: ended by signal 11'
	unwrapped
}

# sshd is killed, with its children: one of them reads from the network.
strike()
{
	struck=$(cat "$server/pid")
	# shellcheck disable=SC2046	# several
	kill -KILL "$struck" $(cat "/proc/$struck/task/$struck/children")
}

test_fault_sshd()
{
	for stage in stuck:'exchanging keys' checks:authenticating; do
		begin "  ${stage#*:}" -F "$server/config" "${stage%%:*}"
		strike
		fault "sshd is killed while ${stage#*:}" 255 \
		    'Connection closed by UNKNOWN port 65535'
	done
	begin 'remote$' -q -F "$server/config" quick
	strike
	fault 'sshd is killed in a session' 255 \
	    "Welcome.${newline}remote\$ Shared connection to quick closed."
}

# The master, or its connection, ends between its socket and the session. ssh
# connects anew then.
test_fault_master()
{
	fake "$tmp/late" <<-END
		case " \$* " in *' -N '*) ;; *) . $tmp/script ;; esac
		exec $(command -v ssh) "\$@"
	END
	for who in master sshd; do
		said=
		echo "kill -9 \$(cat $server/pid); while [ -e \$4 ]; do :; done" \
		    >"$tmp/script"
		[ "$who" = sshd ] || {
			cat >"$tmp/script" <<-'END'
				master=$(PATH=${PATH#*:} ssh -F "$2" -S "$4" \
				    -O check x 2>&1 | tr -dc 0-9)
				kill -9 "$master"
				while grep -qs '^State:.[^XZ]' \
				    "/proc/$master/status"; do :; done
			END
			said="Control socket connect($(path quick)): \
Connection refused"
		}
		size=160x24	# for the path of the socket
		start PATH="$tmp/late:$PATH" -q -F "$server/config" quick \
		    'echo hello'
		becomes "the $who is killed before the session" \
		    "$said${said:+$newline}hello${newline}exit 0"
		sane "the $who is killed before the session"
		stop
		size=80x24
		begin hello -q -F "$server/config" quick 'echo hello'
		hangup quick
		fault 'and all is well after that' 0 hello
	done
}

# private BEFORE AFTER: until unwrapped, wl runs between these commands, with
# mounts of its own, and its master ends before the second. Root can do that.
private()
{
	cat >"$tmp/private" <<-END
		$1
		"\$@"
		status=\$?
		$binary -F $server/config -O exit quick >/dev/null 2>&1
		$2
		exit \$status
	END
	wrapped "exec unshare -m sh $tmp/private \"\$@\""
}

# The directory for sockets cannot be made: another is taken, or there is no
# sharing (see test_directory, too). shm NAME COMMANDS [WARNING].
shm()
{
	private "mount -t tmpfs none /dev/shm; d=/dev/shm/wl-$(id -u); $2" '
		for try in 1 2 3 4 5 6 7 8 9; do
			left=$(find $d -type s -o -name "log.*") 2>/dev/null
			[ "$left" ] || break
			sleep 0.1
		done
		printf %s "$left"'
	start -q -F "$server/config" quick 'echo hello'
	fault "$1" 0 "${3+wl: /dev/shm/wl-$(id -u): $3$newline}hello"
	unwrapped
}

test_fault_shm()
{
	can 'trouble with shared memory' 'root makes a private one' \
	    unshare -m mount -t tmpfs none /dev/shm || return 0
	mkdir -p "$tmp/dev"
	ro='Read-only file system' full='No space left on device'
	shm '/dev/shm is missing' "mount --rbind /dev $tmp/dev
		mount -t tmpfs none /dev; mkdir /dev/pts
		mount --rbind $tmp/dev/pts /dev/pts
		for i in null tty urandom; do
			: >/dev/\$i; mount --bind $tmp/dev/\$i /dev/\$i
		done"
	crowd="mount -t tmpfs -o size=8k none /dev/shm
		dd if=/dev/zero of=/dev/shm/x bs=4k count=9 2>/dev/null"
	shm '/dev/shm has no bytes left' "$crowd"
	private "$crowd" ''
	start -F "$server/config" denied
	fault '/dev/shm has no bytes left for what ssh says' 255 \
	    'ME@denied: Permission denied (publickey).'
	unwrapped
	shm '/dev/shm has no inodes left' \
	    'mount -t tmpfs -o nr_inodes=1 none /dev/shm' "$full"
	shm '/dev/shm has no inodes left for sockets' '
		mount -t tmpfs -o nr_inodes=2 none /dev/shm; mkdir -m 700 $d'
	shm '/dev/shm is read-only' 'mount -o remount,ro /dev/shm' "$ro"
	shm '/dev/shm is read-only, with our directory' \
	    'mkdir -m 700 $d; mount -o remount,ro /dev/shm' "$ro"
	shm 'no directory at all can be written' "mkdir /dev/shm/tmp
		mount --bind $tmp /dev/shm/tmp
		mount --bind /tmp /tmp; mount -o remount,bind,ro /tmp
		mount --bind /dev/shm/tmp $tmp
		mount -t tmpfs -o ro none $XDG_RUNTIME_DIR
		mount -o remount,ro /dev/shm" "$ro"
}

# state NAME SIZE COMMANDS: the uses there are so many bytes, and no part of them
# may be lost, nor of a new one kept (see test_recent_trouble, too).
state()
{
	private "mount -t tmpfs -o size=128k none $XDG_STATE_HOME
		mkdir $XDG_STATE_HOME/wl; cd $XDG_STATE_HOME/wl
		yes '1000000000 older' | head -c $2 >recent
		cp recent $tmp/uses; $3" "size=\$(wc -c <$tmp/uses)
		head -c \$size recent | cmp - $tmp/uses
		tail -c +\$((size + 1)) recent | grep -v '^[0-9]* quick\$'
		find . -type f ! -name recent ! -name fill"
	start -q -F "$server/config" quick 'echo hello'
	fault "$1" 0 hello
	unwrapped
}

test_fault_state()
{
	can 'trouble with the uses' 'root makes a private directory' \
	    unshare -m mount -t tmpfs none "$tmp" || return 0
	fill='dd if=/dev/zero of=fill bs=4k count=99 2>/dev/null'
	state 'the file of uses is read-only' 1700 \
	    "mount -o remount,ro $XDG_STATE_HOME"
	state 'there is room for half a use' 4085 "$fill"
	state 'there is no room for a shorter file of uses' 68000 "$fill"
}

# Too few descriptors, too little memory: wl does it, or it or ssh says what
# it lacks.
excused()
{
	case $1:$2 in
	0:*) ;;
	2:*wl:* | 12[67]:*wl:* | 127:*'error while loading'* | 255:*?*) ;;
	*) false ;;
	esac
}

test_fault_descriptors()
{
	for n in 4 5 7 10 11 12; do
		sentence="there are only $n descriptors"
		wrapped "ulimit -Sn $n; exec \"\$@\""
		run -F "$server/config" -l
		excused "$rc" "$err" && [ "$rc:${out%%"$newline"*}" = 0:quick ]
		is "$sentence for a list" 0 "$?"
		begin 'exit ' -q -F "$server/config" quick true
		ok "$sentence: $screen" excused "${screen##*exit }" \
		    "${screen%exit*}"
		unwrapped
		hangup quick
		sane "$sentence"
		stop
		left "$sentence"
	done
	wrapped 'ulimit -Sn 4; exec "$@"'
	picks quick
	fault 'there are no descriptors for ssh' 2 \
	    'wl: pipe: Too many open files'
	unwrapped
}

test_fault_memory()
{
	[ ! "$sanitized" ] || return 0	# they take a lot of it
	printf 'Host a\n#%40000000d\nHost b\n' 0 | write config
	is 'no memory for a line ends wl' 'wl: out of memory' \
	    "$(sh -c 'ulimit -v 70000; "$@" 2>&1' - "$wl" -F "$HOME/$config" -l)"
	repeat 100000 'Host h%d\n' | write config
	refused=0 done=0 kb=2500
	while [ "$kb" -lt 30000 ]; do
		wrapped "ulimit -v $kb; exec \"\$@\""
		run -F "$HOME/$config" -l
		unwrapped
		case $rc:$out:$err in
		0:h0"$newline"*"$newline"h99999:) done=$((done + 1)) ;;
		2::'wl: out of memory') refused=$((refused + 1)) ;;
		127::*'error while loading'* | 127::*'cannot allocate'*) ;;
		*) is "a list in $kb KB" 'it does, or says why not' \
		    "$rc:$(printf %.50s "$out"):$err" ;;
		esac
		kb=$((kb + kb / 40))
	done
	ok 'memory that is scarce is enough or refused' \
	    [ "$refused" -gt 9 ] && [ "$done" -gt 9 ]
	can 'memory runs out at the prompt' 'no prlimit' \
	    command -v prlimit || return 0
	begin h0 -F "$HOME/$config"
	until_true 'grep -q "^State:.S" "/proc/$(cat "$tmp/pid")/status"'
	prlimit --pid "$(cat "$tmp/pid")" --as=1000000
	keys C-r	# a name that was typed once: no room for one more
	fault 'memory runs out at the prompt' 2 'wl: out of memory'
	fresh
}

# A standard descriptor is closed, or full, or there is no terminal.
test_fault_standard()
{
	without 'there is no terminal to choose on' \
	    '1::wl: no terminal to choose on; see wl -l'
	for close in '<&-:hello' '>&-:' '2>&-:hello' '<&- 2>&-:hello'; do
		wrapped "exec \"\$@\" ${close%:*}"
		hello=${close##*:}
		begin exit -q -F "$server/config" quick 'echo hello'
		unwrapped
		hangup quick
		fault "a session starts with ${close%:*}" 0 ${hello:+"$hello"}
		wrapped "exec \"\$@\" ${close%:*}"
		begin checks -F "$server/config"
		keys Escape
		fault "the prompt starts with ${close%:*}" 130
	done
	wrapped 'exec "$@" >&-'
	for way in -l '-l -v' '-p quick' '-n quick' '-S quick' -h -V; do
		# shellcheck disable=SC2086	# several
		without "standard output is closed for $way" \
		    '2::wl: standard output: Bad file descriptor' $way
	done
	wrapped 'exec "$@" >/dev/full'
	for way in -l -h -V; do
		without "standard output is full for $way" \
		    '2::wl: standard output: No space left on device' "$way"
	done
	unwrapped
}

# The terminal hangs up at each stage, for ^T see test_probe_ends; with nohup,
# where wl reads it. (A nohup ssh that connects goes on, and so does wl.)
test_fault_hangup()
{
	write editor <<-END
		echo >$tmp/edited
		cat
	END
	for ignored in '' HUP; do
		sentence="the terminal hangs up${ignored:+, with nohup,}"
		wrapped "${ignored:+trap '' HUP; }exec \"\$@\""
		while IFS=: read -r stage host seen key terminal; do
			case $ignored:$host in
			:* | HUP: | HUP:locked) ;;
			*)	continue ;;
			esac
			rm -f "$tmp/edited"
			start TERM="${terminal:-screen}" \
			    VISUAL="sh $HOME/.ssh/editor" \
			    -F "$server/config" ${host:+"$host"}
			[ ! "$key" ] || screen checks
			[ ! "$key" ] || keys "$key"
			[ "$seen" = edited ] || screen "$seen"
			[ "$seen" != edited ] || called >/dev/null
			stop
			[ "$host" != quick ] || hangup quick	# it stays 5 s
			left "$sentence $stage"
		done <<-END
			at the prompt::checks
			at the help::type to filter:F1
			at a plain prompt::5 checks::dumb
			in the editor::edited:C-o
			while connecting:slow:  connecting
			while exchanging keys:stuck:  exchanging keys
			while authenticating:checks:  authenticating
			at a question:locked:Enter passphrase
			in a session:quick:remote$
		END
	done
	unwrapped
	fresh
}

# Another terminal: other COMMAND waits until a wl there connects, other_ends
# until it has ended, and shows the screen.
other()
{
	tmux new-session -d -s other -x 80 -y 24 "$1; echo exit \$?; exec cat"
	until_true 'tmux capture-pane -p -t other | grep -q "  connec"'
}

other_ends()
{
	until_true 'tmux capture-pane -p -t other | grep -q exit'
	tmux capture-pane -p -t other
	tmux kill-session -t other
}

# Two wl connect to one host at once: each has a session, over the connection
# of whoever was first, and what the other had begun ends.
test_fault_two()
{
	for gates in 1 2; do
		before=$(logins)
		start -q -F "$server/config" slow 'echo one; read x'
		screen '  connecting'
		other "$wl -q -F $server/config slow 'echo two'"
		until_true '[ "$(grep -l "$server/late" /proc/[0-9]*/cmdline \
		    2>/dev/null | wc -l)" -ge 2 ]'
		gate
		[ "$gates" = 1 ] || gate
		is "two wl at once, $gates logins: the other has a session" \
		    "two${newline}exit 0" "$(other_ends)"
		screen one
		[ "$gates" = 2 ] || is 'two wl at once need one login' \
		    $((before + 1)) "$(logins)"
		brings exit Enter
		hangup slow
		fault "two wl at once, $gates logins" 0 "one$newline"
	done
}

# The clock is a year ahead, for a wl that is compiled so; and back, so that
# there are uses of the future.
test_fault_clock()
{
	printf '%s\n' '#undef time' '#include <time.h>' 'time_t later(time_t *t)' \
	    '{ return time(t) + 31536000; }' >"$tmp/later.c"
	can 'the clock jumps' 'no C compiler' "${CC:-cc}" -std=c99 -w \
	    -Dtime=later -o "$tmp/jumps" "$source" "$tmp/later.c" || return 0
	begin 'Enter passphrase' -q -F "$server/config" locked 'echo hello'
	# the jumping wl finds the socket of that question years old
	other "for i in 1 2; do $tmp/jumps -F $server/config slow 'echo two'; done"
	gate
	is 'the clock jumps: seconds are as they were' 'slow: connected in 0.N s
two
two
exit 0' "$(other_ends | sed 's/[0-9]\.[0-9]*/0.N/')"
	ok "the clock jumps: another's socket for questions stays" \
	    [ -S "$sockets/ask.$(cat "$tmp/pid")" ]
	answer "Enter passphrase for key 'TMP/sshd/lock':" 'open lock'
	screen exit
	hangup slow locked
	fault 'the clock jumps: the question is answered' 0 \
	    "Enter passphrase for key 'TMP/sshd/lock':${newline}hello"
	recent -1000000000 quick -100 slow 1000000000 checks 100 locked
	begin checks -F "$server/config"
	brings '1m ago' C-r
	is 'uses of the future are just now, and the last is the first' \
	    'locked 1m ago;checks 31y ago;slow just now;quick just now;' \
	    "$(printf '%s\n' "$screen" | sed -n '/ ago\| now/{
	    s/^>* *[0-9]* *//; s/\* open//; s/  */ /g; p;}' | tr '\n' ';')"
	brings exit Escape
	echo '1000000000 older' >"$uses"
	fault 'the clock has jumped' 130
}

# Nobody reads what wl writes.
test_fault_pipe()
{
	repeat 100000 'Host h%d\n' | write config
	for way in :141 "PIPE:2${tab}wl: standard output: Broken pipe"; do
		(
			[ "${way%%:*}" = '' ] || trap '' PIPE
			"$wl" -F "$HOME/$config" -l 2>"$tmp/err"
			echo $? >"$tmp/out"
		) | sed q >/dev/null
		is "a list that nobody reads ends, ignored: '${way%%:*}'" \
		    "${way#*:}" "$(cat "$tmp/out" "$tmp/err" | paste -s -)"
	done
	fresh
	wrapped '"$@" 2>&1 >/dev/tty | exec true; exit 7'
	begin '  exchanging keys' -F "$server/config" stuck
	strike
	fault 'nobody reads why a login fails' 7
	unwrapped
}

# Without HOME the files are found as ssh finds them, through passwd.
test_fault_environment()
{
	for locale in nosuch xx_XX.ISO-8859-1; do
		start LC_ALL="$locale" LANG="$locale" -F "$server/config" stuck
		becomes "the locale is $locale" \
		    '* stuck  ME@stuck  exchanging keys  N s'
		keys C-c
		fault "the locale is $locale" 130
	done
	can 'there is no HOME' 'root makes a private /etc/passwd' \
	    unshare -m mount --bind /etc/passwd /etc/group || return 0
	awk -F: -v OFS=: -v me="$me" -v home="$tmp/passwd" '
		$1 == me { $6 = home } { print }' /etc/passwd >"$server/passwd"
	mkdir -p "$tmp/passwd/.ssh"
	echo 'Include ~/.ssh/more' >"$tmp/passwd/.ssh/config"
	cp "$server/config" "$tmp/passwd/.ssh/more"
	private "mount --bind $server/passwd /etc/passwd
		unset HOME XDG_STATE_HOME XDG_RUNTIME_DIR" \
	    "unset HOME; $binary -O exit quick >/dev/null 2>&1"
	start -p quic
	fault 'HOME is not set' 0 quick
	start -q quick 'echo hello'
	fault 'HOME is not set, and a host is connected to' 0 hello
	unwrapped
}

# --------------------------------------------------- random configurations ---
# tree SEED WORKER: makes a configuration of several files, nasty but such that
# ssh takes it, asks ssh for the settings of each of its names and which Host
# lines applied, and compares what wl lists: just the names whose own Host line
# applied, in the order in which ssh read these. What ssh rewrites, numbers for
# addresses and jumps that are more than user@host:number, does not occur.
tree()
{
	dir=$tmp/tree$2
	plant "$1" "$dir"
	ask "$dir"
	HOME=$dir "$wl" -F "$dir/config" -l </dev/null >"$dir/names" \
	    2>"$dir/err"
	HOME=$dir "$wl" -F "$dir/config" -l -v </dev/null 2>>"$dir/err" |
	    cut -f 1-4 >"$dir/got"
	cmp -s "$dir/want" "$dir/got" && [ ! -s "$dir/err" ] &&
	    cut -f 1 "$dir/want" | cmp -s - "$dir/names"
}

# plant SEED DIR makes the tree, and a list of its words in Host lines.
plant()
{
	rm -rf "$2"
	mkdir -p "$2/.ssh/l1/dir" "$2/.ssh/l2" "$2/.ssh/l3"
	ln -s nosuch "$2/.ssh/l1/link"
	awk -v seed="$1" -v dir="$2" -v me="$me" -f "$tmp/tree.awk"
}

# ask DIR asks ssh about all these words, and writes what wl should say. A word
# with an @ or ssh:// is taken apart by ssh, so it is never a name.
ask()
{
	cut -f 4- "$1/words" | sort -u | grep -v -e @ -e '^ssh://' |
	while IFS= read -r name; do
		printf '= %s\n' "$name"
		HOME=$1 ssh -G -vvv -F "$1/config" -- "$name" 2>&1 </dev/null
	done >"$1/ssh"
	awk -f "$tmp/ssh.awk" "$1/words" "$1/ssh" | sort |
	    cut -f 2- >"$1/want"
}

# trees N SEED compares N of them, in two processes. The first to fail are kept.
trees()
{
	write_tree_awk >"$tmp/tree.awk"
	write_ssh_awk >"$tmp/ssh.awk"
	: >"$tmp/kept"
	for worker in 0 1; do
		seed=$(($2 + worker))
		while [ $seed -lt $(($2 + $1)) ]; do
			tree $seed $worker || keep $seed "$dir"
			grep -c . "$dir/want"
			seed=$((seed + 2))
		done >"$tmp/hosts$worker" &
		workers="$workers $!"
	done
	# shellcheck disable=SC2086	# a list
	wait $workers
	workers=''
	echo "$1 random configurations have $(awk '{ n += $1 }
	    END { print n + 0 }' "$tmp"/hosts?) hosts"
	is "$1 random configurations, from $2 on, are read as ssh reads them" \
	    '' "$(sed 10q "$tmp/kept")"
	rm -rf "$tmp"/tree?
}

keep()
{
	kept=/tmp/wl-tree-$1
	[ "$(grep -c . "$tmp/kept")" -lt 10 ] || return
	plant "$1" "$kept"
	for answer in want got names err; do
		sed "s#$2/#$kept/#g" "$2/$answer" >"$kept/$answer"
	done
	printf 'kept as %s: %s\n' "$kept" \
	    "$(diff "$kept/want" "$kept/got" | sed -n 2p)" >>"$tmp/kept"
}

# The answers of ssh, each after a line "= NAME". With -vvv it tells of each
# file it reads and of each Host line that applies. Of two lines that one was
# read first that has fewer Includes before it, or is deeper in them, or is
# further up. In the second pass Host lines are about the HostName. A name is
# listed where a line with it first applied, unless it is hidden.
write_ssh_awk()
{
	cat <<'AWK'
function begin(new) {
	name = new
	first[1] = first[2] = value["hostname"] = value["proxyjump"] = ""
	refused = 0
	pass(1)
}
function pass(n) {
	number = n
	depth = files = 0
}
function finish(    key, f) {
	if (refused || name ~ /(^|\/)\.[^.]/)
		return
	if (value["hostname"] == "")
		print "~\tssh failed on " name ": " last
	key = first[1]
	if (value["hostname"] == name && first[2] != "" &&
	    (key == "" || first[2] < key))
		key = first[2]
	if (split(key, f, "\t") > 0)
		print f[1] "\t" name "\t" value["user"] "@" \
		    value["hostname"] ":" value["port"] "\t" \
		    value["proxyjump"] "\t" f[2]
}
{ sub(/\r$/, "") }
NR == FNR {		# a word of a Host line: file, line, place, word
	split($0, f, "\t")
	word = substr($0, length(f[1] f[2] f[3]) + 4)
	if (!((f[1] ":" f[2], word) in order))
		order[f[1] ":" f[2], word] = f[3]
	next
}
/^= / {
	if (name != "")
		finish()
	begin(substr($0, 3))
}
/^debug1: re-parsing configuration/ { pass(2) }
/^debug1: Reading configuration data / && depth == 0 {
	stack[0] = substr($0, 36)
}
/^debug3: .* line [0-9]+: Including file / {
	files++
	match($0, / depth [0-9]+/)
	depth = 1 + substr($0, RSTART + 7, RLENGTH - 7)
	stack[depth] = substr($0, 1, RSTART - 1)
	sub(/.* line [0-9]+: Including file /, "", stack[depth])
}
/^debug1: .* line [0-9]+: Applying options for / {
	match($0, / line [0-9]+: /)
	file = substr($0, 9, RSTART - 9)
	line = substr($0, RSTART + 6, RLENGTH - 8)
	while (depth > 0 && stack[depth] != file)
		depth--
	if (!((file ":" line, name) in order))
		next
	key = sprintf("%05d.%02d.%06d.%04d\t%s:%d", files, 99 - depth, line, \
	    order[file ":" line, name], file, line)
	if (first[number] == "" || key < first[number])
		first[number] = key
}
/^hostname contains invalid characters/ { refused = 1 }
/^(hostname|user|port|proxyjump) / {
	value[$1] = substr($0, length($1) + 2)
}
{ last = $0 }
END { finish() }
AWK
}

write_tree_awk()
{
	random_awk
	cat <<'AWK'
# Words: plain, in quotes of either kind, half of it, or with backslashes.
function escaped(s, special,    i, c, r) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		r = r (index(special, c) ? "\\" c : c)
	}
	return r
}
function encode(s,    q, k) {
	q = chance(50) ? "\"" : "'"
	k = chance(20) ? 1 + rnd(length(s)) : length(s)
	if (s ~ /\t/ || s ~ /^[=#]/ || chance(20))
		k = 0
	return escaped(substr(s, 1, k), " \"'\\") (k == length(s) ? "" \
	    : q escaped(substr(s, k + 1), "\\" q) q)
}

# A keyword in any spelling that ssh takes for it, up to its first argument.
function keyword(k,    n, lead) {
	n = rnd(length(k))
	if (chance(20))
		k = chance(50) ? toupper(k) \
		    : tolower(substr(k, 1, n)) toupper(substr(k, n + 1))
	if (chance(3))
		return pick("=|\"\"| = ") k " "
	lead = pick("||  |\t| \t |\r")
	if (chance(6))
		return lead substr(k, 1, n) "\"" substr(k, n + 1) "\"" \
		    pick("||\t")
	return lead k (chance(70) ? " " : pick(" |\t|=| =|=| =|\t=\t|\r"))
}

function put(text) {
	text = text (text == "" ? "" : pick(end)) (chance(1) ? " " : "")
	if (NUL != "" && chance(2))
		text = text NUL " " pick("x|Host no|\"")
	out = out text (crlf ? "\r\n" : "\n")
	lines++
}

# A setting, or a line that is none.
function setting(    k) {
	k = pick("HostName|HostName|User|User|Port|Port|ProxyJump|ProxyJump|" \
	    "ProxyCommand|CanonicalizeHostname|noise|noise|noise|noise")
	if (k == "noise")
		put(pick(of[k] (unknown ? "|FooBar \"Port\" 7" : "")))
	else if (k != "CanonicalizeHostname" || chance(10))
		put(keyword(k) (k ~ /User|HostN/ ? encode(pick(of[k])) \
		    : pick(of[k])))
}
function settings() {
	of["HostName"] = "%h|%h.ex|%h.Ex%%y|REAL|real|web|a|Web|10.0.0.5|x y|" \
	    "a;b|x#y|-x"
	of["User"] = "u1|u2|U1|x y|u#v|-x|it's|a\\b|" me
	of["Port"] = "22|2222|+22|022|\" 23\"|'24'|65535|2\"5\"|26 # x"
	of["ProxyJump"] = "none|NONE|j|u@j|j:2222|j,k|u@j:22,k:2|J # x|j#x|" \
	    "= j|none # x"
	of["ProxyCommand"] = "none|nc %h %p|== nc|sh -c \"x\" # it\\'s"
	of["CanonicalizeHostname"] = "yes|no|always"
	of["noise"] = "# Host no|  #Port 9|\t# it's||\t|#\"q\"|\"Host no|" \
	    "Po\"rt 7|= =Host no|==Port 7|SendEnv LANG LC_*|" \
	    "LocalCommand echo \"Host no\" # Host 'no'|SetEnv A=b|" \
	    "IdentityFile \"~/.ssh/id 1\"|Protocol 2|RemoteForward 1 h:2|" \
	    "HostKeyAlias Host|RequestTTY=no|Compression yes|" \
	    "ForwardAgent yes # Port 7"
}

# Blocks. Every word of a Host line that could be a name is noted.
function word() {
	if (chance(62))
		return pick("a|b|c|ab|ba|web|web1|web2|Web|db|db1|real|" \
		    "x.ex|10.0.0.5|a|b|web|web1")
	if (chance(80))
		return pick("*|?|a*|*b|w*1|web?|??|*.*|a?*|W*|[ab]|\\*|" \
		    "**1|*e*|r*|?e?*")
	return pick("100%|\303\251t\303\251|=x|x#y|#q|::1|[a]|.host|m/.h|~|" \
	    "a!b|-a|a;b|two words|u@f|ssh://h|a&b|a$b|q\"q|it's|b\\c|x\ty|" \
	    "a\rb|a\013b|.|/|+a")
}
function host(    i, n, s, w) {
	s = keyword("Host")
	n = chance(5) ? 12 : 1 + rnd(4)
	for (i = 1; i <= n; i++) {
		w = (chance(12) ? "!" : "") word()
		if (w !~ /^!/ && w !~ /[*?]/)
			printf "%s\t%d\t%d\t%s\n", file, lines + 1, i, w >words
		s = s (i > 1 ? pick(" |  |\t| \t") : "") encode(w)
	}
	put(s (chance(6) ? pick(" # Host no| #no| # it's \"| #") : ""))
}
function list(choices,    n, s) {
	s = pick(choices)
	for (n = rnd(3); n > 0; n--)
		s = s "," (chance(20) ? "!" : "") pick(choices)
	return chance(20) ? "\"" s "\"" : s
}
function criterion(    k) {
	k = pick("host|host|originalhost|user|localuser|Host|ORIGINALHOST|" \
	    "canonical|final")
	if (k == "final")
		return k
	if (k != "canonical")
		k = k " " list(k ~ /user/ ? "u1|u?|U1|nobody|*|" me \
		    : "a|b|A*|w*|*1|REAL|real|*.ex|10.*|*|web?|db,db1")
	return (chance(25) ? "!" : "") k
}
function match_block(    n, s) {
	s = criterion()
	for (n = rnd(3); n > 0; n--)
		s = s " " criterion()
	if (chance(15))
		s = pick("all|!all|final all|canonical all|host a* all|" \
		    "originalhost nosuch exec \"true\"")
	put(keyword("Match") s (chance(6) ? " # no" : ""))
}
function include(level,    n, s, p) {
	s = keyword("Include")
	for (n = 1 + (chance(30) ? rnd(3) : 0); n > 0; n--) {
		p = "l" (level + 1 + (chance(15) && level < 2)) "/" \
		    pick("*|*|*.conf|?|[a-z]*|[!a]*|a|B|s p|10.conf|nosuch|" \
		    "*.nosuch|link||.hid|s[ ]?|{a,B}")
		if (chance(4))
			p = pick("nosuch|~nosuchuser/x|/nonexistent/*")
		else if (chance(25))
			p = pick("~/.ssh/|" dir "/.ssh/") p
		s = s encode(p) " "
	}
	put(s (chance(6) ? "# l1/a" : ""))
}
function block(level) {
	if (level < 3 && chance(25)) {
		if (chance(60))
			put(chance(50) ? keyword("Match") "all" \
			    : keyword("Host") pick("*|*|w* a*"))
		include(level)
	} else if (chance(20))
		match_block()
	else
		host()
}

function write_file(name, level,    n) {
	file = name
	out = ""
	lines = 0
	crlf = chance(10)
	end = chance(20) ? "| | \t|\r|\f| \f\r" : ""
	if (level == 0 && unknown)
		put("IgnoreUnknown Foo*,x")
	for (n = rnd(3); n > 0; n--)
		setting()
	for (n = 1 + rnd(level ? 5 : 12); n > 0; n--) {
		block(level)
		while (chance(55))
			setting()
	}
	if (chance(20))
		out = substr(out, 1, length(out) - 1 - crlf)
	printf "%s", out >name
	close(name)
}

BEGIN {
	for (i = 0; i < 4; i++)
		rnd(1)
	NUL = sprintf("%c", 0)
	if (length(NUL) != 1)
		NUL = ""
	settings()
	words = dir "/words"
	printf "" >words
	unknown = chance(20)
	write_file(dir "/config", 0)
	n = split("a|B|10.conf|s p|.hid|c.conf", names, "|")
	for (level = 1; level <= 3; level++)
		for (i = 1; i <= n; i++)
			if (chance(45))
				write_file(dir "/.ssh/l" level "/" names[i], \
				    level)
}
AWK
}

# ---------------------------------------------------------------- fuzzing ---
# fuzz RUNS (or SECONDSs): random input to the reader, the matching and the
# prompt, in a program made of wl.c and libFuzzer, with sanitizers. It begins
# with random configurations. What it finds is kept.
fuzz()
{
	fuzz_corpus
	fuzz_driver >"$tmp/fuzz.c"
	sentence="no random input harms the reader and the prompt ($1)"
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >"$tmp/stub.c"
	can "$sentence" 'no clang with libFuzzer' \
	    clang -fsanitize=fuzzer -o "$tmp/fuzzer" "$tmp/stub.c" || return 0
	case $1 in
	*s)	runs="-fork=1 -ignore_timeouts=0 -max_total_time=${1%s}" ;;
	*)	runs=-runs=$1 ;;
	esac
	# shellcheck disable=SC2086	# several options
	clang -std=c99 -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -I"$(dirname "$source")" \
	    -o "$tmp/fuzzer" "$tmp/fuzz.c" 2>"$tmp/err" &&
	    "$tmp/fuzzer" $runs -dict="$tmp/tokens" -close_fd_mask=1 \
	    -max_len=4096 -timeout=20 -detect_leaks=0 \
	    -artifact_prefix="$tmp/found-" "$tmp/corpus" >"$tmp/err" 2>&1
	is "$sentence" 0 $? || {
		cat "$tmp/report"* 2>/dev/null | sed 30q
		tail -n 5 "$tmp/err"
		for found in "$tmp"/found-*; do
			[ ! -f "$found" ] ||
			    cp -v "$found" "/tmp/wl-${found##*/}"
		done
	}
	tail -n 1 "$tmp/err"
}

fuzz_corpus()
{
	mkdir -p "$tmp/corpus"
	fresh
	write_tree_awk >"$tmp/tree.awk"
	repeat 50 '%d\n' | while read -r seed; do
		plant $((seed + 1)) "$tmp/plant"
		{
			printf '\030\120b1w\177 \033[B\tw\n'
			cat "$tmp/plant/config"
			for file in "$tmp"/plant/.ssh/l?/*; do
				[ -f "$file" ] || continue
				printf '\377'
				cat "$file"
			done
		} | sed 's/l\([123]\)\/[^ ]*/\1/' >"$tmp/corpus/$seed"
	done
	printf '\230\120w1\177b\nUser x\377\377\377' >"$tmp/corpus/inventory"
	cat >>"$tmp/corpus/inventory" <<-'END'
		[web]
		w[08:11]-[a:c] ansible_host=10.0.0.1 ansible_user="x y" # note
		u@h:22 ansible_ssh_port=23
		[web:vars]
		ansible_port=9
		[db]
		::1 ansible_host=\::1
	END
	printf '"%s "\n' Host Match Include HostName User Port ProxyJump final \
	    all host originalhost localuser %h none ssh:// exec canonical \
	    %u '${HOME}' '${' Tag tagged >"$tmp/tokens"
}

# The driver. An input is a line, of which the first two bytes are the size of
# the terminal and the others keys (but those that stop wl or start a program),
# and up to four files with bytes 255 between, ~/.ssh/0 and what it may include
# as 1, 2 and 3. wl frees little, for it ends soon: where there are many inputs,
# libFuzzer goes on in another process when one has too much.
fuzz_driver()
{
	cat <<'C'
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include <err.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf failed;		/* where wl would end with an error */

#define err(...) longjmp(failed, 1)
#define errx(...) longjmp(failed, 1)
#define main wl_main
#include "wl.c"
#undef main

/* The same matches must come from typing as from the whole query at once. */
static void
fuzz_ranking(struct prompt *p)
{
	struct ranking fresh = { .hosts = p->rank.hosts,
	    .recent = p->rank.recent };
	size_t i;

	ranking_update(&fresh, p->query);
	ranking_update(&p->rank, p->query);
	if (fresh.len != p->rank.len)
		abort();
	for (i = 0; i < fresh.len; i++)
		if (fresh.matches[i] != p->rank.matches[i])
			abort();
}

static void
fuzz_keys(struct prompt *p, const unsigned char *keys, size_t n)
{
	const char *chosen = NULL;
	size_t i;
	int key, over = 0;

	tty.rows = n > 0 ? keys[0] % 32 + 1 : 24;
	tty.cols = n > 1 ? keys[1] % 100 + 1 : 80;
	for (i = 2; i <= n; i++) {
		fuzz_ranking(p);
		prompt_draw(p);
		if (over || i == n)
			break;
		key = decode(&p->decoder, keys[i]);
		if (key != KEY_NONE && key != CTL('c') && key != CTL('z') &&
		    key != CTL('t') && key != CTL('o'))
			over = prompt_key(p, key, &chosen);
	}
}

static void
fuzz_files(const unsigned char *data, const unsigned char *end, char *path)
{
	char *last = path + strlen(path) - 1;
	FILE *fp;

	for (*last = '0'; *last <= '3'; (*last)++) {
		if ((fp = fopen(path, "w")) == NULL)
			abort();
		while (data < end && (*data != 255 || *last == '3'))
			putc(*data++, fp);
		data += data < end;
		fclose(fp);
	}
	*last = '0';
}

/* Ranges of so many numbers, or so many of them, would only take long. */
static int
fuzz_is_long(const unsigned char *data, size_t size)
{
	size_t i, digits = 0, ranges = 0;

	for (i = 0; i < size && digits < 3 && ranges < 2; i++) {
		digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
		ranges += digits == 1 && i > 0 && data[i - 1] == '[';
	}
	return i < size;
}

static void
fuzz_run(const unsigned char *data, size_t size, const char *path)
{
	static struct hosts hosts;
	static struct prompt prompt;
	static struct options options;
	static char inventory[1000];

	memset(&prompt, 0, sizeof(prompt));
	memset(&options, 0, sizeof(options));
	memset(&hosts, 0, sizeof(hosts));
	options.file = path;
	options.flag['v'] = 1;
	if ((*data & 0x80) && !fuzz_is_long(data, size)) {
		/* the last file is an inventory */
		strcpy(inventory, path);
		inventory[strlen(path) - 1] = '3';
		options.inventory = inventory;
	}
	if (setjmp(failed) != 0)
		return;
	hosts_read(&hosts, &options);
	prompt.options = &options;
	prompt.rank.hosts = &hosts;
	ranking_update(&prompt.rank, "");
	list(&prompt.rank, 1);
	size = (size_t)((char *)memchr(data, '\n', size) - (char *)data);
	fuzz_keys(&prompt, data, size);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static char path[1000];
	const unsigned char *files;

	if (*path == '\0') {
		snprintf(path, sizeof(path), "%s/.ssh/0", getenv("HOME"));
		if ((tty.fd = open("/dev/null", O_WRONLY)) == -1)
			abort();
		setlocale(LC_CTYPE, "C.UTF-8");
	}
	if ((files = memchr(data, '\n', size)) == NULL)
		return 0;
	fuzz_files(files + 1, data + size, path);
	fuzz_run(data, size, path);
	return 0;
}
C
}

# ------------------------------------------------------------------- demo ---
# demo: wl's prompt on hosts that lead to an sshd as the tests have it, as this
# user, with a home directory that is thrown away.
demo()
{
	sockets=/dev/shm/wl-$(id -u)
	[ ! -d "$sockets" ] || sockets=
	server
	trap 'demo_end; rm -rf "$tmp"' EXIT
	demo_login
	demo_config >"$server/config"
	demo_text
	: >"$server/sessions"
	while :; do
		sessions=$(grep -c . "$server/sessions")
		env TERM="$terminal" LC_ALL="$locale" VISUAL="$editor" \
		    "$wl" -F "$server/config"
		rc=$?
		[ "$rc" != 255 ] || {
			echo 'It failed. The last that its sshd said:'
			tail -n 5 "$server/log"
		}
		[ "$(grep -c . "$server/sessions")" -gt "$sessions" ] || break
		echo 'That was a session. Another one? Esc leaves.'
	done
	[ "$rc" = 130 ] || exit "$rc"
	exit 0
}

demo_text()
{
	cat <<-'END'
		This is wl with a configuration of its own. Its hosts all
		lead to a throw-away sshd on this machine: Enter opens a real
		shell, exit ends it. Try quick, slow, locked (its key has a
		passphrase), stranger (its host key is to be confirmed), inner
		(behind gate), denied (fails), or search: "wp2", "lisbon", "12".
		F1 shows the keys. Esc leaves, and nothing of it stays behind.

	END
}

# What runs at the other end. The name by which it was called comes with the
# proxy command, for the prompt.
demo_login()
{
	mkdir "$server/home"
	cat >"$server/login" <<-END
		[ ! "\$SSH_ORIGINAL_COMMAND" ] || exec sh -c "\$SSH_ORIGINAL_COMMAND"
		echo "\$CALLED" >>$server/sessions
		HOME=$server/home
		cd
		exec "\$SHELL" -l
	END
	cat >"$server/home/.profile" <<-'END'
		PS1="$CALLED\$ "
		unset SSH_ORIGINAL_COMMAND
		echo "Welcome to $CALLED."
	END
	ln -s .profile "$server/home/.zshrc"
	cat >"$server/slow" <<-'END'
		"$@" | {
			for chunk in 1 2 3 4 5 6; do
				dd bs=65536 count=1 2>/dev/null
				sleep 0.5
			done
			exec cat
		}
	END
	ssh-keygen -q -t ed25519 -N sesame -C locked -f "$server/locked"
	cat "$server/locked.pub" >>"$server/authorized_keys"
}

demo_config()
{
	serve="$sshd -o SetEnv=CALLED=%n"
	blocks <<-END
		# answers at once
		Host quick
		# takes its time to log you in
		Host slow :: ProxyCommand sh $server/slow $serve
		# the passphrase of its key is: sesame
		Host locked :: IdentityFile $server/locked
		# its host key is not known yet
		Host stranger :: UserKnownHostsFile $server/known_hosts_new
		# the way to inner
		Host gate
		# reached through gate
		Host inner :: ProxyCommand ssh -F $server/config gate $serve
		# will not let you in
		Host denied :: IdentityFile $server/stranger

	END
	demo_hosts | while read -r name address note; do
		printf '# %s\nHost %s\n    HostName %s\n' "$note" "$name" \
		    "${address%:*}"
		[ "${address#*:}" = "$address" ] ||
		    echo "    Port ${address#*:}"
	done
	echo "Host * !locked !denied :: IdentityFile $server/user" | blocks
	for_all "$serve"
}

demo_hosts()
{
	cat <<-'END'
		web-prod-1 10.20.1.11 shop front end, Berlin
		web-prod-2 10.20.1.12 shop front end, Berlin
		web-dev 10.50.1.11 always broken
		db-prod-1 10.20.3.11:2222 PostgreSQL, primary
		queue-prod-1 10.20.5.11 RabbitMQ, do not restart
		mail.example.com mail.example.com Postfix and Dovecot
		git.example.com git.example.com:7999 code and reviews
		backup-lisbon 10.30.9.9 weekly
		vpn-gw-lisbon 10.30.0.1 WireGuard
		pi-kitchen 192.168.1.21 radio
	END
}

# Ends the masters that are still there, and what wl made for them.
demo_end()
{
	sort -u "$server/sessions" | while read -r host; do
		"$wl" -F "$server/config" -O exit "$host" >/dev/null 2>&1
	done
	[ ! "$sockets" ] || rmdir "$sockets" 2>/dev/null
}

# ------------------------------------------------------------------ bench ---
# bench [AREA]: how wl compares with what one would use instead, in one run, in
# rounds in which all take turns. What is printed are medians, and ratios of
# them. Areas: keys, list, rank, connect.
bench()
{
	write_harness_c >"$tmp/harness.c"
	"${CC:-cc}" -O2 -o "$tmp/harness" "$tmp/harness.c" -lutil || exit 2
	harness=$tmp/harness TERM=xterm
	unset FZF_DEFAULT_OPTS FZF_DEFAULT_OPTS_FILE FZF_DEFAULT_COMMAND
	uname -srm
	echo "$(getconf _NPROCESSORS_ONLN) processors, $(ssh -V 2>&1)," \
	    "fzf $(fzf --version)"
	for area in ${1:-keys list rank connect}; do
		echo
		"bench_$area"
	done
}

# table TITLE COLUMNS [mean] reads lines "ORDER:ROW COLUMN NUMBER" and prints
# the median of the numbers in each place, or their mean, and the ratios of the
# first column's to those of the others. A _ is a blank.
table()
{
	sort -k 1,2 -k 3n | awk -v title="$1" -v columns="$2" -v mean="${3-}" '
	$1 " " $2 != at {
		at = $1 " " $2
		n = sum = 0
		if (!seen[$1]++)
			row[++rows] = $1
	}
	{
		v[++n] = $3
		sum += $3
		value[at] = mean ? sum / n : v[int((n + 1) / 2)]
	}
	END {
		n = split(columns, column, " ")
		printf "%-32s", title
		for (c = 1; c <= n; c++)
			printf " %9s", column[c]
		for (c = 2; c <= n; c++)
			printf " %12s", column[1] "/" column[c]
		for (r = 1; r <= rows; r++) {
			printf "\n%-32s", substr(row[r], index(row[r], ":") + 1)
			for (c = 1; c <= n; c++) {
				x[c] = value[row[r] " " column[c]]
				format = x[c] >= 1000 ? "%.0f" : "%.3g"
				printf " %9s", sprintf(x[c] == "" ? "-" \
				    : format, x[c])
			}
			for (c = 2; c <= n; c++)
				printf " %12s", x[1] == "" || !x[c] ? "-" \
				    : sprintf("%.2f", x[1] / x[c])
		}
		print ""
	}' | tr _ ' '
}

# bench_config N: a configuration of N hosts, of about 100 bytes each.
bench_config()
{
	awk -v n="$1" 'BEGIN {
		roles = split("web api db cache queue mail log auth build " \
		    "backup proxy search stats cron files media jobs sso git " \
		    "vpn", role)
		stages = split("prod staging dev test qa", stage)
		for (i = 0; i < n; i++)
			printf "%sHost %s-%s-%03d\n    HostName 10.%d.%d.%d\n" \
			    "    User deploy\n%s" \
			    "    IdentityFile ~/.ssh/id_deploy\n", \
			    i % 3 ? "" : "# number " i "\n", \
			    role[i % roles + 1], \
			    stage[int(i / roles) % stages + 1], \
			    i / (roles * stages) + 1, \
			    i / 62500, i / 250 % 250, i % 250 + 1, \
			    i % 4 ? "" : "    Port 2222\n"
	}'
}

# The list that the others are fed, by the line that one finds in dot files.

names='/^Host /{for(i=2;i<=NF;i++) if ($i !~ /[*?!]/) print $i}'

# took ROW COLUMN HOW COMMAND ...: a line for table, and the peak memory, of the
# command run or alone.
took()
{
	label="$1 $2"
	shift 2
	"$harness" "$@" >"$tmp/took" || {
		echo "test.sh: failed: $*" >&2
		exit 2
	}
	sed "s/^/$label /" "$tmp/took"
}

# The prompt: what one sees and waits for. fzf draws its list upwards.
bench_keys()
{
	for hosts in 10 1000 10000 100000; do
		bench_config "$hosts" >"$tmp/config"
		quiet=50 leave=Esc
		[ "$hosts" -lt 100000 ] || quiet=100
		for query in web17 prod dbst9 vpn api-dev q042 mailt s-p 100
		do
			press wl B "$wl" -p -F "$tmp/config"
			press fzy B sh -c "awk '$names' $tmp/config | fzy"
			press fzf A sh -c "awk '$names' $tmp/config | fzf"
			[ "$leave" = Esc ] && leave=Enter || leave=Esc
		done >"$tmp/times"
		table "$hosts hosts, ms" 'wl fzy fzf' <"$tmp/times"
		echo
	done
}

# press PROGRAM NEXT COMMAND ...: one run of a prompt.
press() { "$harness" keys "$quiet" "$query" "$leave" "$@"; }

# A long list in a pipe, and memory.
bench_list()
{
	bench_config 100000 >"$tmp/config"
	for round in 1 2 3 4 5 6 7 8 9 10 11; do
		took 1:wl_-l wl alone "$wl" -F "$tmp/config" -l
		took 1:wl_-l grep alone grep -c ^Host "$tmp/config"
		took 1:wl_-l awk alone awk "$names" "$tmp/config"
		took 2:wl_-l_web17 wl alone "$wl" -F "$tmp/config" -l web17
	done >"$tmp/times"
	table '100,000 hosts, ms' 'wl grep awk' <"$tmp/times"
	awk '{ print "1:peak_memory,_KB", $2, $4 }' "$tmp/times" |
	    table "$(wc -c <"$tmp/config") bytes" 'wl grep awk'
}

# Ranking: the host that is meant is one of 2,000, and the query is made from
# its name in one of the styles in which people make them. 1 is the best: it is
# always the first row; 0.5: it is the second.
bench_rank()
{
	rank_queries >"$tmp/queries"
	sed -n 's/^host //p' "$tmp/queries" >"$tmp/names"
	sed 's/^/Host /' "$tmp/names" >"$tmp/config"
	sed -n 's/^query //p' "$tmp/queries" |
	while read -r style host query; do
		for program in wl fzy fzf; do
			case $program in
			wl)	"$wl" -F "$tmp/config" -l -- "$query" ;;
			fzy)	fzy -e "$query" <"$tmp/names" ;;
			fzf)	fzf --filter "$query" <"$tmp/names" ;;
			esac | awk -v host="$host" -v at="$program" -v style="$style" '
			$0 == host && !place { place = 1 / NR }
			END {
				print style, at, place + 0
				print "all", at, place + 0
			}'
		done
	done | table 'mean reciprocal rank' 'wl fzy fzf' mean
}

rank_queries()
{
	random_awk >"$tmp/random.awk"
	awk -f "$tmp/random.awk" -f - <<'AWK'
function choose(list) {
	gsub(/ /, "|", list)
	return pick(list)
}
function name(    r, e, l, n) {
	r = choose("web api db cache queue mail log auth build backup proxy " \
	    "search stats files media sso git vpn kafka redis grafana edge")
	e = choose("prod staging dev test qa")
	l = choose("berlin lisbon paris fra1 us-east eu-west")
	n = sprintf(choose("%d %02d %03d"), 1 + rnd(40))
	return choose(r "-" e "-" n " " e "-" r "-" n " " r n "." l \
	    ".example.com " l "-" r "-" n " " r "-" l "-" e "-" n " " r n "-" \
	    e " " e "." r n "." l)
}
# Of each word its start, or of some words all; a number less its zeros.
function pieces(s, most, dash,    q, part) {
	for (; match(s, /[a-z]+|[0-9]+/); s = substr(s, RSTART + RLENGTH)) {
		part = substr(s, RSTART, RLENGTH)
		sub(/^0+/, "", part)
		if (most && part !~ /^[0-9]/)
			part = substr(part, 1, 1 + rnd(most))
		if (most || rnd(2))
			q = q (q == "" ? "" : dash) part
	}
	return q == "" ? part : q
}
function scattered(s,    q, n, at) {
	gsub(/[^a-z0-9]/, "", s)
	for (n = 4 + rnd(3); n > 0; n--) {
		q = q substr(s, at + 1, 1)
		at += 1 + rnd(3)
	}
	return q
}
BEGIN {
	seed = 282475249
	while (hosts < 2000)
		if (!seen[s = name()]++) {
			host[hosts++] = s
			print "host", s
		}
	for (i = 0; i < 150; i++) {
		s = host[rnd(hosts)]
		print "query prefix", s, substr(s, 1, 3 + rnd(length(s) - 3))
		print "query initials", s, pieces(s, 1, "")
		print "query starts", s, pieces(s, 3, "")
		print "query pieces", s, pieces(s, 0, "")
		print "query pieces-with-dashes", s, pieces(s, 0, "-")
		print "query scattered", s, scattered(s)
	}
}
AWK
}

# A sequence of numbers that is the same with every awk.
random_awk()
{
	cat <<'AWK'
function rnd(n) {
	seed = seed * 16807 % 2147483647
	return int(seed / 2147483647 * n)
}
function chance(percent) { return rnd(100) < percent }
function pick(choices,    c) { return c[1 + rnd(split(choices, c, "|"))] }
AWK
}

# Connecting, cold and warm, to an sshd that is a proxy command, and one on a
# port of 127.0.0.1.
bench_connect()
{
	server
	listening
	hosts <<-END
		Host proxy
		Host port :: HostName 127.0.0.1 :: Port $port :: ProxyCommand none
	END
	for round in 1 2 3 4 5 6 7; do
		for host in proxy port; do
			connect run "$host" terminal
			connect alone "$host" no_terminal
		done
	done | table 'ssh HOST true, ms' 'wl ssh'
}

# connect HOW HOST WHERE: plain ssh, wl without and with a master that is there,
# and ssh attached by hand.
connect()
{
	config=$server/config
	took "1:cold,_$2,_$3" ssh "$1" ssh -F "$config" "$2" true
	took "1:cold,_$2,_$3" wl "$1" "$wl" -F "$config" "$2" true
	socket=$("$wl" -F "$config" -S "$2")
	took "2:warm,_$2,_$3" wl "$1" "$wl" -F "$config" "$2" true
	took "2:warm,_$2,_$3" ssh "$1" ssh -F "$config" -S "$socket" "$2" true
	took 3:ssh_-G ssh "$1" ssh -F "$config" -G "$2"
	"$wl" -F "$config" -O exit "$2" >/dev/null 2>&1
}

write_harness_c()
{
	cat <<'C'
/*
 * keys QUIET QUERY LEAVE PROGRAM NEXT COMMAND...	lines for table: on a
 *	terminal of 80x24, the first frame, the key NEXT (the last letter of an
 *	arrow), each letter of QUERY, and LEAVE (Esc or Enter). A frame is over
 *	when nothing comes for QUIET ms; what counts is its last byte.
 * run COMMAND...	on a terminal: how long it takes, how much memory
 * alone COMMAND...	likewise, without a terminal
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include <sys/resource.h>
#include <sys/wait.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct rusage usage;	/* of the program, when it has ended */
static double took;		/* by the last frame */
static long bytes;		/* of it */

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* Starts the command, on a new terminal or with its output in a pipe. */
static int
start(char **command, int on_terminal)
{
	struct winsize size = { 24, 80, 0, 0 };
	int ends[2] = { -1, -1 };
	pid_t pid;

	if (!on_terminal && pipe(ends) == -1)
		err(1, "pipe");
	pid = on_terminal ? forkpty(&ends[0], NULL, NULL, &size) : fork();
	if (pid == 0) {
		if (!on_terminal) {
			setsid();
			dup2(open("/dev/null", O_RDONLY), 0);
			dup2(ends[1], 1);
			dup2(ends[1], 2);
			close(ends[0]);
		}
		execvp(command[0], command);
		err(1, "%s", command[0]);
	}
	close(ends[1]);
	return ends[0];
}

/* Reads up to the end. */
static int
finish(int fd)
{
	char chunk[65536];
	int status;

	while (read(fd, chunk, sizeof(chunk)) > 0)
		continue;
	wait(&status);
	getrusage(RUSAGE_CHILDREN, &usage);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Types, if there is something, and reads a frame. */
static void
frame(int fd, const char *s, int quiet)
{
	struct pollfd p = { fd, POLLIN, 0 };
	double began = now();
	char chunk[65536];
	ssize_t n;

	bytes = 0;
	if (write(fd, s, strlen(s)) == -1)
		err(1, "write");
	while (poll(&p, 1, bytes == 0 ? 10000 : quiet) == 1 &&
	    (n = read(fd, chunk, sizeof(chunk))) > 0) {
		took = now() - began;
		bytes += n;
	}
	if (bytes == 0)
		errx(1, "no frame");
}

static void
keys(int quiet, const char *query, const char *leave, const char *program,
    char next, char **command)
{
	char arrow[] = { '\033', '[', next, '\0' }, letter[2] = "";
	double began = now(), slowest = 0, started;
	int fd = start(command, 1), i;

	started = now() - began;
	frame(fd, "", quiet > 200 ? quiet : 200);
	printf("1:first_frame %s %.3f\n", program, took + started);
	for (i = 0; i < 3; i++) {
		frame(fd, arrow, quiet);
		printf("2:next_row %s %.3f\n", program, took);
		printf("3:next_row,_bytes %s %ld\n", program, bytes);
	}
	for (; *query != '\0'; query++) {
		letter[0] = *query;
		frame(fd, letter, quiet);
		slowest = took > slowest ? took : slowest;
		printf("4:a_letter %s %.3f\n", program, took);
		printf("6:a_letter,_bytes %s %ld\n", program, bytes);
	}
	printf("5:the_slowest_letter_of_a_query %s %.3f\n", program, slowest);
	began = now();
	if (write(fd, strcmp(leave, "Esc") == 0 ? "\033" : "\r", 1) == -1)
		err(1, "write");
	finish(fd);
	printf("7:%s_to_the_end %s %.3f\n", leave, program, now() - began);
	printf("8:peak_memory,_KB %s %ld\n", program, usage.ru_maxrss);
}

int
main(int argc, char **argv)
{
	double began = now();
	int status = 0;

	if (argc > 7 && strcmp(argv[1], "keys") == 0)
		keys(atoi(argv[2]), argv[3], argv[4], argv[5], argv[6][0],
		    argv + 7);
	else {
		status = finish(start(argv + 2, strcmp(argv[1], "run") == 0));
		printf("%.3f %ld\n", now() - began, usage.ru_maxrss);
	}
	return status;
}
C
}

# ------------------------------------------------- what the documents show ---
#
# README and the manual: their lists are compared with the screen, and their
# commands run as they stand there in bash, zsh and, with its word for one that
# sets a variable, fish. readme prints what is indented in README, less the
# remarks behind.

readme() { sed -n 's/^    //p' "$docs/README" | sed 's/^\$ //; s/   .*//'; }

test_shown()
{
	[ -z "$sanitized" ] || return 0
	docs=$(dirname "$source")
	others
	sed -i 's/prod-web-/web-prod-/g; s/!denied/& !locked/' "$server/config"
	mkdir "$server/source"
	cp "$docs/Makefile" "$source" "$docs/wl.1" "$server/source"
	readme | grep -e '^make' -e '^PATH=' |
	    sed -e "s#CC=clang#CC=$(command -v clang || echo cc)#" \
	    -e 's#install$#& DESTDIR=/tmp/stage#' -e "s#/tmp/stage#$tmp/stage#" \
	    -e '/ test$/d; / demo$/d; / bench$/d' >"$tmp/lines"
	is 'wl is built and installed, and found' "$HOME/.local/bin/wl" \
	    "$(cd "$server/source" && MAKEFLAGS=-s within 99 \
	    sh -ec ". $tmp/lines; command -v wl")"
	pictured README
	keys Enter
	readme | sed -n 's/^[^ ]* \(web.*via.*  \)[0-9.]*s$/* \1N s/p' >"$tmp/x"
	becomes 'the spinner in README' <"$tmp/x"
	stop
	pictured wl.1
	stop
	hangup web-prod-2
	test_shown_commands
	sed -n '/^    Host \*$/,/^$/p' "$docs/README" >>"$server/config"
	run -F "$server/config" -n web
	is 'the ControlPersist in README counts' "0:$out" \
	    "$rc:$(echo "$out" | grep -v ControlPersist)"
	test_shown_demo
	fresh
}

# The list comes, in a configuration that is made from it.

pictured()	# FILE
{
	sed 's/^    //; s/\\-/-/g' "$docs/$1" |
	    awk '/^> web / { on = 1 } /^$|^\.Ed/ { on = 0 } on' >"$tmp/sight"
	sed 's/^>* *//; s/\* open//' "$tmp/sight" | awk -F '  +' '
		NR == 1 { total = substr($2, index($2, "/") + 1) + 0 }
		/^[0-9]/ {
			split($3 ":22", at, /[@:]/)
			host[$1] = "# " $5 "\nHost " $2 "\nUser " at[1] \
			    "\nHostName " at[2] "\nPort " at[3] \
			    "\nProxyJump " ($4 ? substr($4, 5) : "none")
		}
		END {
			for (i = 1; i <= total; i++)
				print i in host ? host[i] : "Host n" i
			print "Match host bastion"
			print "ProxyCommand sh -c \"cat >/dev/null; :\""
		}' >"$server/list"
	open=$(sed -n 's/^ *[0-9]*  \([^ ]*\).*\* open$/\1/p' "$tmp/sight")
	[ ! "$open" ] || run -F "$server/config" -o ControlPersist=9m "$open" true
	size=$(sed q "$tmp/sight" | wc -c)x24
	start -F "$server/list"
	screen '  2  n2'
	keys web
	shows "the list in $1" "$(cat "$tmp/sight")"
	size=80x24
}

# The lines of a file succeed in a shell, when web is chosen at prompts and
# sessions are left. There is something to end, to forward, and to ask for.

each()		# FILE SHELL ...
{
	lines=$1
	shift
	rm -f "$server/socket" "$server/there/notes.txt"
	terminal "$@"
	while read -r line <&3; do
		case $line in
		*Persist*web | *=wl*)
			hangup web ;;
		*check* | *forward* | *exit\ web)
			"$server/bin/wl" web true </dev/null ;;
		*askpass*web)
			line=${line% web}\ locked ;;
		esac
		# shellcheck disable=SC2034	# until_true uses it
		before=$(logins) did=''
		cleared
		keys -l -- "$(echo "$line" | sed "s/admin@/$me@/
		    s#8080#$server/socket#") && echo al\"\"l well"
		keys Enter
		until_true 'capture
			case $screen in
			*"${newline}all well"*) ;;
			*"$newline> "*)
				[ "$did" ] || keys web Enter
				did=web; false ;;
			*"${newline}remote$")
				[ "$did" = exit ] || keys exit Enter
				did=exit; false ;;
			*) false ;;
			esac'
		is "this succeeds: $line" 'all well' "$(echo "$screen" |
		    grep -x 'all well' || echo "$screen")" || keys C-c C-c
		case $line in
		scp* | rsync* | *"ssh -S"*)
			is 'without a login' "$before" "$(logins)" ;;
		*forward*)
			ok 'there is the forwarding' [ -S "$server/socket" ] ;;
		esac
	done 3<"$lines"
	stop
}

test_shown_commands()
{
	ssh-keygen -q -t ed25519 -N 'open lock' -f "$server/lock"
	cat "$server/lock.pub" >>"$server/authorized_keys"
	printf 'Host locked\nIdentityFile %s/lock\n' "$server" >>"$server/config"
	printf 'web\ndb\n' >"$server/here/hosts.ini"
	echo "[ \"\$*\" = \"ssh/Enter passphrase for key '$server/lock'\" ] &&
	    echo open lock" >"$server/bin/pass"
	echo 'test -t 0' >"$server/bin/htop"
	chmod +x "$server/bin/htop" "$server/bin/pass"
	sed -i "1s#^#PATH=$server/bin:\$PATH; #" "$server/login"
	readme | grep -e '^wl$' -e '^wl ' -e '^scp ' | awk '!old[$0]++' \
	    >"$tmp/readme"
	manual | sed -e '/|$/{N' -e 's/\n *//' -e '}' |
	    sed -n 's/^\(\.Dl \)*\$ //p' >"$tmp/manual"
	cat "$tmp/readme" "$tmp/manual" >"$tmp/shown"
	each "$tmp/shown" bash --norc --noprofile
	sed 's/^h=\$\(.*)\) /set h \1 /' "$tmp/shown" >"$tmp/lines"
	each "$tmp/lines" fish --no-config --private \
	    -C "function fish_prompt; echo -n '\$ '; end"
	each "$tmp/shown" zsh -f
	is 'what was copied and fetched is there' "words page two one" "$(
	    cat "$server/there/notes.txt" "$server/there/site/page" |
	    paste -sd ' ')$(git -C "$server/here" log --all --format=' %s' |
	    tr -d '\n')"
	rm -rf "$XDG_RUNTIME_DIR"/fish*
}

# A session ends; then one dies, and its server says why.

test_shown_demo()
{
	mkdir "$server/broken"
	cat >"$server/broken/sshd" <<-END
		#!/bin/sh
		exec $(command -v sshd) "\$@" -o ForceCommand="
		    [ x\\\$CALLED != xgate ] || kill -KILL \\\$PPID
		    exec sh \${5%/*}/login"
	END
	chmod +x "$server/broken/sshd"
	terminal env PATH="$server/broken:$PATH" sh
	keys -l "cd $docs && make demo"
	keys Enter
	while IFS=: read -r sight word <&3; do
		ok "the demo shows: $sight" until_true \
		    'capture; case $screen in *"$sight"*) ;; *) false ;; esac'
		keys "$word" Enter
	done 3<<-'END'
		Esc leaves:quick
		Welcome to quick.:exit
		Another one?:gate
		sshd said:
		Accepted publickey:exit
	END
	stop
}

# ------------------------------------------------------------------- runs ---

# What make install puts where, and that uninstall takes all of it away.
test_make()
{
	[ -z "$sanitized" ] || return 0
	stage=$tmp/stage
	set -- make -C "$(dirname "$source")" PREFIX=/opt/wl DESTDIR="$stage"
	"$@" install >/dev/null
	is 'make install puts program, manual and completions where it is told' \
	    "$stage/opt/wl/bin/wl 755
$stage/opt/wl/share/bash-completion/completions/wl 644
$stage/opt/wl/share/fish/vendor_completions.d/wl.fish 644
$stage/opt/wl/share/man/man1/wl.1 644
$stage/opt/wl/share/zsh/site-functions/_wl 644" "$(for mode in 755 644; do
	        find "$stage" -type f -perm "$mode" | sort | sed "s/\$/ $mode/"
	    done)"
	is 'the program that is installed works' "$("$wl" -V)" \
	    "$("$stage/opt/wl/bin/wl" -V)"
	"$@" uninstall >/dev/null
	is 'make uninstall leaves no file' '' "$(find "$stage" -type f)"
}

# All tests on one binary.
all()
{
	groups make lines names includes agreement columns criteria meant file \
	    hostile connection inventory recent prompt login probe copy_edit \
	    composed shown questions faults
	trees "$1" 1
}

sanitizers()
{
	mkdir "$tmp/sanitized"
	"${CC:-cc}" -std=c99 -g -O1 -fsanitize=address,undefined \
	    -fno-sanitize-recover=all -o "$tmp/sanitized/wl" "$source"
}

# Another OpenSSH, below a directory as its make install puts it, or as packages
# are unpacked: of these only ssh and sshd are used, for their neighbours may
# not run here. The sshd has to be told where the programs that it runs are. One
# before 8.7 is old: it cuts lines into words otherwise, and refuses some.
other_openssh()
{
	mkdir "$tmp/with"
	for program in "$1"/bin/ssh "$1"/usr/bin/ssh "$1"/sbin/sshd \
	    "$1"/usr/sbin/sshd; do
		[ ! -x "$program" ] || ln -s "$program" "$tmp/with"
	done
	PATH=$tmp/with:$PATH
	for part in session auth; do
		program=$1/usr/lib/openssh/sshd-$part
		[ ! -x "$program" ] ||
		    parts="${parts}Sshd${part}Path $program$newline"
	done
	if ! ssh -V || [ ! -x "$tmp/with/ssh" ] || [ ! -x "$tmp/with/sshd" ]; then
		echo "test.sh: $1: no ssh and sshd that run" >&2
		exit 2
	fi
	echo 'User ""x""' >"$tmp/with/config"
	ssh -G -F "$tmp/with/config" x >/dev/null 2>&1 || {
		old=yes none='-N -T -f'
		parts="ChallengeResponseAuthentication no$newline"
	}
}

absolute()
{
	wl=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
	[ -x "$wl" ] || {
		echo "test.sh: $wl: no such program; make builds it" >&2
		exit 2
	}
}

groups()
{
	for group; do
		"test_$group"
	done
}

summary()
{
	skips=
	[ $skipped = 0 ] || skips=", $skipped skipped"
	echo "$passed passed, $failed failed$skips"
	[ $failed = 0 ] && [ $passed -gt 0 ]
	exit
}

source=$(cd "$(dirname "$0")" && pwd)/wl.c
compiler=${CC:-cc}
compiler=${compiler%% *}:gcc
programs='tmux:tmux bash:bash zsh:zsh fish:fish rsync:rsync git:git
    strace:strace ps:procps make:make /etc/services:netbase'
mode=${1-}
case $mode in
bench | demo | only | with | trees | fuzz) shift ;;
*)	mode='test' ;;
esac
# shellcheck disable=SC2086	# a list of programs
case $mode in
bench)
	case ${1-} in
	keys | list | rank | connect) ;;
	*)	set -- '' "$@" ;;
	esac
	absolute "${2-./wl}"
	need $compiler fzf:fzf fzy:fzy
	setup
	bench "$1"
	exit
	;;
demo)
	absolute "${1-./wl}"
	need
	terminal=${TERM-dumb} editor=${VISUAL:-${EDITOR:-vi}}
	locale=${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}
	setup
	able
	demo
	;;
only)
	absolute ./wl
	need $programs
	setup
	able
	[ $# != 0 ] || all 200
	groups "$@"
	;;
with)
	absolute ./wl
	need tmux:tmux
	setup
	other_openssh "$(cd "${1?}" && pwd)"
	shift
	able
	grep -q '^Accepted' "$server/log" || {
		echo "test.sh: its sshd keeps no log: this system's has its place"
		rm "$tmp/with/sshd"
		parts=''
	}
	[ $# != 0 ] || {
		set -- lines names includes agreement columns criteria file \
		    connection login questions
		trees 200 1
	}
	groups "$@"
	;;
trees)
	absolute "${3-./wl}"
	need
	setup
	trees "${1-1000}" "${2-1}"
	;;
fuzz)
	need clang:clang
	setup
	fuzz "${1-60s}"
	;;
test)
	absolute "${1-./wl}"
	need $compiler $programs
	setup
	able
	all 200
	echo 'again, under sanitizers:'
	sanitized=yes
	if ok 'wl builds with sanitizers' sanitizers; then
		wl=$tmp/sanitized/wl
		all 40
	fi
	is 'no sanitizer has anything to say' '' "$(cat "$tmp"/report* 2>&-)"
	fuzz 5000
	;;
esac
summary
