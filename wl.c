/*
 * wl - pick a host from ssh_config and connect to it
 *
 * How it works:
 *
 *  - The configuration is read whole, as ssh reads it: Include is followed,
 *    and every Host and Match line opens a block.  Each literal pattern of a
 *    Host line that ssh would honour is a host.  What a block sets is looked
 *    up for a host when it is to be shown or searched.
 *  - The prompt is drawn on /dev/tty, below the cursor.  Each key ranks the
 *    hosts anew; a frame is one write of what changed.
 *  - `ssh -G HOST' tells the chosen host's settings.  Their hash names a
 *    control socket in a private directory; where a master answers on it, wl
 *    goes straight on.
 *  - Else a master is spawned (`ssh -N', ControlMaster=auto) and waited for,
 *    with a spinner that shows how far its own debug messages say it has got.
 *    What ssh asks meanwhile is asked by wl: it is its own SSH_ASKPASS.
 *  - Then wl executes `ssh -S SOCKET HOST'.  The session has wl's process id
 *    and terminal, its exit status is ssh's own, and no wl is left behind.
 *
 * It needs POSIX.1-2008 and OpenSSH, and never writes the user's ssh files.
 *
 * The sections, in the order of the work:
 *
 *	Small helpers
 *	Text for the terminal
 *	Lines and words
 *	The configuration
 *	Reading
 *	What the configuration says of one name
 *	The list of hosts
 *	An inventory
 *	Recently used hosts
 *	Matching
 *	Ranking
 *	Signals and the terminal
 *	Keys
 *	ssh's command lines
 *	Other programs
 *	The control socket
 *	Reachability tests
 *	The prompt
 *	The plain prompt
 *	The chosen host's settings
 *	Questions
 *	Logging in
 *	From the choice to the session
 *	The program
 *
 * Copyright (c) 2026 the wl authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * What the libc of Linux hides: pselect and TIOCGWINSZ need the first, wcwidth
 * the second.  The BSDs and macOS show all if there is neither.  The others are
 * for large files, and times after 2038, where a long has 32 bits.
 */
#ifdef __linux__
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#endif

#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#ifdef __APPLE__
#define st_ctim st_ctimespec
#endif

#define VERSION		"1.0"
#define PATH_SYSTEM	"/etc/ssh/ssh_config"
#define BLANKS		" \t\r\n"	/* what separates a keyword */
#define DIGITS		"0123456789"
#define WORD_CHARS	DIGITS "_" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define FNV_START	14695981039346656037U

enum {
	INCLUDE_DEPTH = 16,	/* as READCONF_MAX_DEPTH in ssh */
	FILES_MAX = 65535,	/* files read in all */
	READ_MAX = 1 << 28,	/* bytes read in all */
	KEYWORD_MAX = 32,	/* the longest keyword has 31 letters */
	SLICE = 1 << 16,	/* bytes of room for kept text at a time */
	HOSTNAME_MAX = 1 << 16,	/* bytes from which on no %h is expanded */
	ADDR_MAX = 1024,	/* bytes of an address that are kept */
	MATCH_MAX = 255,	/* bytes of a text that are matched */
	RESERVED = 1 << 14,	/* elements for which append() makes room */
};

extern char **environ;

/* A command line, or words of one. */
struct args {
	const char **v;		/* ends in NULL */
	size_t len, cap;
};

/* What the command line says. */
struct options {
	const char *self;	/* argv[0] */
	const char *file;	/* -F */
	const char *inventory;	/* -i */
	const char *ctl;	/* -O */
	struct args ssh;	/* what every ssh is given, as -o */
	struct args session;	/* what one ssh is given, as -L */
	char flag[UCHAR_MAX + 1];	/* those without an argument, as -l */
};

/* The signal that is to end or to stop the program, 0 if none came yet. */
static volatile sig_atomic_t caught;

/* Small helpers.  No memory ends wl; what lives until the exec is not freed. */

struct buf {
	char *v;
	size_t len, cap;
};

static void tty_clear(void);

/* Ends wl; what of its prompt is on the screen goes first. */
static void
out_of_memory(void)
{
	tty_clear();
	errx(2, "out of memory");
}

/* Makes room for NEED elements of SIZE bytes in V, which has *CAP of them. */
static void *
grow(void *v, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap;

	if (need <= n)
		return v;
	n = n > need / 2 ? n * 2 : need;
	if (n > SIZE_MAX / size || (v = realloc(v, n * size)) == NULL)
		out_of_memory();
	*cap = n;
	return v;
}

/* Appends zeros to the array at *ARRAY, of *LEN elements; returns them. */
static void *
append(void *array, size_t *len, size_t *cap, size_t size)
{
	char *v;

	memcpy(&v, array, sizeof(v));
	v = grow(v, cap, *cap > 0 ? *len + 1 : RESERVED, size);
	memcpy(array, &v, sizeof(v));
	return memset(v + size * (*len)++, 0, size);
}

/* Memory of zeros. */
static void *
zeros(size_t n, size_t size)
{
	void *v = calloc(n, size);

	if (v == NULL)
		out_of_memory();
	return v;
}

static void
buf_add(struct buf *b, const void *p, size_t n)
{
	b->v = grow(b->v, &b->cap, b->len + n + 1, 1);
	if (n > 0)
		memcpy(b->v + b->len, p, n);
	b->len += n;
	b->v[b->len] = '\0';
}

static void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* A string of its own, which the caller may free. */
#ifdef __GNUC__
__attribute__((format(printf, 1, 2)))
#endif
static char *
format(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (s = malloc((size_t)n + 1)) == NULL)
		out_of_memory();
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

#define buf_fmt(b, ...)	buf_take(b, format(__VA_ARGS__))

static void
buf_take(struct buf *b, char *s)
{
	buf_str(b, s);
	free(s);
}

/* Adds a string, which is not copied, to a list that ends in NULL. */
static void
arg_add(struct args *a, const char *s)
{
	a->v = grow(a->v, &a->cap, a->len + 2, sizeof(*a->v));
	a->v[a->len++] = s;
	a->v[a->len] = NULL;
}

/* Letters of host names and keywords are ASCII, whatever the locale. */
static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
is_letter(int c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || (c & 0x80);
}

/* A value that ssh takes for no. */
static int
is_no(const char *s)
{
	return strcasecmp(s, "no") == 0 || strcasecmp(s, "false") == 0;
}

static int
is_control(int c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* What may stand around a keyword. */
static int
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *
skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* Goes on with the hash H, which begins as FNV_START (FNV-1a). */
static uint64_t
fnv(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * 1099511628211U;
	return h;
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Appends all of FD, or some more than MAX bytes; -1 and errno on failure. */
static int
read_whole(int fd, struct buf *b, size_t max)
{
	ssize_t n;

	do {
		b->v = grow(b->v, &b->cap, b->len + BUFSIZ, 1);
		n = read(fd, b->v + b->len, b->cap - b->len - 1);
		b->len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && b->len <= max) || (n == -1 && errno == EINTR));
	b->v[b->len] = '\0';
	return n == -1 ? -1 : 0;
}

/* Ends the line at P, before END, with a NUL; returns the next one. */
static char *
cut_line(char *p, char *end)
{
	char *eol = memchr(p, '\n', (size_t)(end - p));

	if (eol == NULL)
		eol = end;
	*eol = '\0';
	return eol + 1;
}

/*
 * Text for the terminal.  What a file says, or wl shows of what ssh and the
 * network say, goes through here: what is not printable is shown as `?', so
 * that it cannot act, and columns are counted as the terminal counts them.
 * Only ssh's messages are handed on as ssh writes them.
 */

/*
 * The length in bytes of the character at S, of which N bytes are there; *WIDTH
 * is its columns, -1 if it must not be shown.  Nor must what turns the line's
 * direction around, and musl's for bytes in a locale without characters.
 */
static size_t
char_len(const char *s, size_t n, int *width)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t len = mbrtowc(&c, s, n, &state);

	*width = -1;
	if (len == (size_t)-1 || len == (size_t)-2 || len == 0)
		return 1;
	if (c != 0x61c && c != 0x200e && c != 0x200f &&
	    (c < 0x202a || c > 0x202e) && (c < 0x2066 || c > 0x2069) &&
	    (c < 0xd800 || c > 0xdfff))
		*width = wcwidth(c);
	return len;
}

/*
 * Appends at most COLS columns of the line S; with OUT NULL they are counted.
 * HIT, unless NULL, marks the bytes of S below MATCH_MAX that are underlined.
 * Returns the columns taken.
 */
static int
put_text(struct buf *out, const char *s, int cols, const char *hit)
{
	int used = 0, width, marked = 0, mark;
	size_t n = strcspn(s, "\r\n"), i, len;
	const char *shown;

	for (i = 0; i < n; i += len) {
		len = char_len(s + i, n - i, &width);
		shown = width < 0 ? "?" : s + i;
		width = width < 0 ? 1 : width;
		if (used + width > cols || i / 32 > (size_t)cols)
			break;	/* nor without end where nothing is taken */
		mark = hit != NULL && i < MATCH_MAX && hit[i];
		if (mark != marked)
			buf_str(out, mark ? "\033[4m" : "\033[24m");
		marked = mark;
		if (out != NULL)
			buf_add(out, shown, *shown == '?' ? 1 : len);
		used += width;
	}
	if (marked)
		buf_str(out, "\033[24m");
	return used;
}

/* The columns that S takes. */
static int
text_width(const char *s)
{
	return put_text(NULL, s, INT_MAX / 2, NULL);
}

/* S as it may be shown in a message; it stays. */
static const char *
printable(const char *s)
{
	struct buf out = { NULL, 0, 0 };

	buf_str(&out, "");
	put_text(&out, s, INT_MAX / 2, NULL);
	return out.v;
}

/*
 * Lines and words, split as OpenSSH splits them (process_config_line_depth,
 * strdelim and argv_split).  All is cut in place: no word is longer than what
 * it was written as.
 */

/*
 * Takes a token as strdelim() does: it ends at a blank or '=', or at the
 * quote that closes one begun in it.  It is put into KEY in lower case, cut
 * to its size.  Returns what follows, or NULL if a quote stays open.
 */
static char *
token(char *p, char key[KEYWORD_MAX])
{
	size_t n = 0;
	int quoted = 0, equals;

	for (; *p != '\0' && (quoted ? *p != '"' : !is_blank(*p) && *p != '=');
	    p++) {
		if (*p == '"')
			quoted = 1;
		else if (n + 1 < KEYWORD_MAX)
			key[n++] = (char)lower(*p);
	}
	key[n] = '\0';
	if (quoted)
		return *p == '"' ? skip_blanks(p + 1) : NULL;
	if (*p == '\0')
		return p;
	equals = *p == '=';
	p = skip_blanks(p + 1);
	return !equals && *p == '=' ? skip_blanks(p + 1) : p;
}

/*
 * Takes the next word of an argument as argv_split() does.  Returns 1 and the
 * word in *WORD, 0 at the end of the line or at a comment (*P is then there),
 * -1 if a quote stays open.
 */
static int
next_word(char **p, char **word)
{
	char *s = *p, *out, quote = '\0';

	while (*s == ' ' || *s == '\t')
		s++;
	*p = *word = out = s;
	if (*s == '\0' || *s == '#')
		return 0;
	for (; *s != '\0' && (quote || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '\\' && s[1] != '\0' && (strchr("'\"\\", s[1]) !=
		    NULL || (!quote && s[1] == ' ')))
			*out++ = *++s;
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote && *s == quote)
			quote = '\0';
		else
			*out++ = *s;
	}
	*p = *s != '\0' ? s + 1 : s;
	*out = '\0';
	return quote ? -1 : 1;
}

/*
 * Whether the pattern of '*' and '?' matches the whole of S, byte by byte
 * (match_pattern), with FOLD whatever the case.  Only the last '*' need ever be
 * tried again, so the time is bounded by the product of the lengths.
 */
static int
glob_match(const char *s, const char *pat, size_t len, int fold)
{
	const char *end = pat + len, *star = NULL, *back = NULL;

	for (;;) {
		if (pat < end && *pat == '*') {
			star = ++pat;
			back = s;
		} else if (*s != '\0' && pat < end && (*pat == '?' ||
		    (fold ? lower(*pat) == lower(*s) : *pat == *s))) {
			pat++;
			s++;
		} else if (*s == '\0' && pat == end) {
			return 1;
		} else if (star != NULL && *back != '\0') {
			pat = star;
			s = ++back;
		} else {
			return 0;
		}
	}
}

/* The comma-separated list of a Match criterion (match_pattern_list). */
static int
list_match(const char *s, const char *list, int fold)
{
	int found = 0, hit;
	size_t n, not;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		not = *list == '!';
		hit = glob_match(s, list + not, n - not, fold);
		if (hit && not)
			return 0;
		found |= hit;
		if (list[n] == '\0')
			return found;
	}
}

/*
 * Whether ssh takes the name as a destination and as nothing else
 * (valid_hostname; the comma since OpenSSH 10.0), and it is not hidden by a
 * dot as systemd's `.host' is.
 */
static int
typable(const char *name)
{
	const char *p;

	if (*name == '-' || strncmp(name, "ssh://", 6) == 0 ||
	    strpbrk(name, " \"$&'(),;<>@\\`{|}") != NULL)
		return 0;
	for (p = name; *p != '\0'; p++)
		if (is_control(*p) || (*p == '.' &&
		    (p == name || p[-1] == '/') &&
		    strcspn(p, "/") > strspn(p, ".")))
			return 0;
	return 1;
}

/* Whether ssh takes the name, maybe behind a user and `@' (valid_ruser). */
static int
is_destination(const char *name)
{
	const char *at = strrchr(name, '@'), *p;

	for (p = name; at != NULL && p < at; p++)
		if (is_control(*p) || strchr("'`\";&<>|(){}", *p) != NULL)
			return 0;
	p = at != NULL ? at + 1 : name;
	return *name != '-' && at != name && *p != '\0' && typable(p);
}

/*
 * The configuration, in memory.  A Host or Match line opens a block, which
 * governs the lines up to the next one.  A block that was read through an
 * Include applies only where its scope does, the block that governs the
 * Include; the lines of an included file before its first block, and those that
 * follow an Include, are in a block like one of `Match all'.
 *
 * Blocks are numbered in reading order.  Those that may apply to a name are
 * found without a look at the others: the names that Host lines hold are in
 * an index, and `tried' lists the blocks that every name must be tried on.
 */

enum value { V_HOSTNAME, V_USER, V_PORT, V_JUMP, V_COMMAND, V_CANONICAL,
    V_TAG, V_COUNT };
enum { GIVEN_COUNT = V_PORT + 1,	/* of these an inventory may say, */
    VARIABLES = 2 * GIVEN_COUNT };	/* each by two names */

struct block {
	const char *set[V_COUNT];	/* what it sets, NULL: nothing */
	const char *note;	/* what the comment above it says, or NULL */
	uint32_t words;		/* its list begins there in config.words */
	uint32_t scope;
	unsigned file, line;	/* where it stands */
	uint32_t active;	/* the last pass in which it applied */
	int is_match;		/* the list has criteria, which all must hold,
				   else patterns, of which one must match */
};

/* A name as a Host line or an inventory holds it. */
struct literal {
	const char *name;
	uint32_t block;
	uint32_t given;		/* the inventory's entry, 0: none */
	struct literal *next;	/* the same name, further on */
	/* of the name, in its first literal: */
	uint32_t listed;	/* the block that does so, see config_hosts() */
	uint32_t host;		/* its place in the list, from 1 on; in the
				   others UINT32_MAX, by names_index() */
};

/* What the configuration says of the name that was looked at last. */
struct values {
	const char *set[V_COUNT];
	const char *typed;	/* the name, less a user before it */
	const char *host;	/* what Host tests: typed or, in the second
				   pass, the final name */
	struct buf name;	/* the final name, once it is known */
	struct buf user;	/* that stands before the name typed */
	uint32_t listed;	/* the first Host line that applies to the
				   name and holds it literally, 0: none */
	int pattern;		/* a line that applies to the name has it, or
				   a pattern that says more than `*' */
};

#define TOKENS "duilL%hnp"	/* what may follow a %, see expand() */

struct config {
	struct args files;	/* their paths */
	struct block *blocks;
	struct args words;	/* lists that end in NULL, first an empty one */
	struct literal *literals;
	struct literal **names;	/* the first of each name, by hash */
	size_t mask;		/* of hashes, */
	uint64_t seed;		/* with which they begin */
	uint32_t *tried;	/* blocks whose list may match any name */
	size_t nblocks, nliterals, ntried, capblocks, capliterals;
	size_t read;		/* bytes read so far */
	char *kept;		/* where the next text that is kept goes, */
	size_t room;		/* and how many bytes there is room for */
	uint32_t pass;
	int final;		/* a `Match final' asks for a second pass */
	int by_session;		/* a Match line asks for what is run */
	int full;		/* nothing more is read */
	const char *local_user;
	const char *tokens[sizeof(TOKENS)];	/* NULL: not known */
	struct values values;
};

/* A copy of S that stays; they are put close together. */
static char *
keep(struct config *c, const char *s)
{
	size_t n = strlen(s) + 1;

	if (n > c->room)
		c->kept = zeros(1, c->room = n + SLICE);
	c->kept += n;
	c->room -= n;
	return memcpy(c->kept - n, s, n);
}

/* The place of a name in the index. */
static struct literal **
name_slot(const struct config *c, const char *name)
{
	size_t i = (size_t)(fnv(c->seed, name, strlen(name)) >> 32) & c->mask;

	while (c->names[i] != NULL && strcmp(c->names[i]->name, name) != 0)
		i = (i + 1) & c->mask;
	return &c->names[i];
}

/* Builds the index, with a seed: nobody is to choose names that collide. */
static void
names_index(struct config *c)
{
	struct literal *l, **slot;
	size_t i;

	while (c->mask / 3 * 2 < c->nliterals + 1)
		c->mask += c->mask + 1;
	c->seed = FNV_START ^ (uint64_t)now_ms();
	c->names = zeros(c->mask + 1, sizeof(*c->names));
	for (i = c->nliterals; i-- > 0; *slot = l) {
		l = &c->literals[i];
		slot = name_slot(c, l->name);
		if ((l->next = *slot) != NULL)
			l->next->host = UINT32_MAX;
	}
}

/*
 * Puts S with its ${VAR} and %-tokens expanded into OUT, as ssh does with an
 * Include since OpenSSH 9.9 and with User since 10.0.  Returns 0 if one is
 * unset, unknown or, of an Include, depends on the host.
 */
static int
expand(struct buf *out, const struct config *c, const char *s)
{
	const char *value, *token;
	size_t at, n;

	for (out->len = 0; *s != '\0'; s++) {
		at = out->len;
		if (s[0] == '$' && s[1] == '{') {
			n = strcspn(s += 2, "}");
			buf_add(out, s, n);
			value = s[n] != '\0' ? getenv(out->v + at) : NULL;
			out->len = at;
			s += n;
		} else if (*s == '%') {
			token = s[1] != '\0' ? strchr(TOKENS, *++s) : NULL;
			value = token == NULL ? NULL :
			    c->tokens[token - TOKENS];
		} else {
			buf_add(out, s, 1);
			continue;
		}
		if (value == NULL)
			return 0;
		buf_str(out, value);
	}
	return out->len > 0;
}

/*
 * Reading.  What ssh would refuse is passed over: ssh itself reports it on
 * connecting.  Only regular files are read, so nothing can block or have no
 * end, and FILES_MAX and READ_MAX bound the sums, whatever includes multiply.
 */

struct reader {			/* of one file */
	struct config *c;
	uint32_t scope;		/* the block around the Include */
	uint32_t governor;	/* the block whose lines are being read */
	uint32_t open;		/* the block that takes them, or 0 */
	unsigned file, line;
	struct buf note;	/* the comment above */
	int depth;
	int system;		/* below /etc/ssh/ssh_config */
};

/* Opens a block, whose list comes next, that applies only where SCOPE does. */
static struct block *
block_add(struct reader *r, uint32_t scope, int is_match)
{
	struct config *c = r->c;
	struct block *b;

	r->open = (uint32_t)c->nblocks;
	b = append(&c->blocks, &c->nblocks, &c->capblocks, sizeof(*b));
	b->words = (uint32_t)c->words.len;
	b->scope = scope;
	b->file = r->file;
	b->line = r->line;
	b->is_match = is_match;
	return b;
}

/*
 * Takes a comment into the note of the Host line that may follow.  A line that
 * people draw to part what follows adds nothing, and one of an entry that was
 * put aside takes away what is above it.
 */
static void
note_add(struct reader *r, char *comment)
{
	static const char *const keys[] = { "host", "match", "hostname", "user",
	    "port", "include", "identityfile", "proxyjump", "proxycommand" };
	char *s = comment + strspn(comment, "# \t"), *end = s + strlen(s), *arg;
	size_t i, n = strcspn(s, BLANKS "=");
	int ruler = 0, aside = 0;

	while (end > s && is_blank(end[-1]))
		*--end = '\0';
	arg = s + n + strspn(s + n, BLANKS "=");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]) && *arg != '\0'; i++)
		if (strlen(keys[i]) == n && strncasecmp(s, keys[i], n) == 0)
			aside = i < 2 || arg[strcspn(arg, BLANKS)] == '\0';
	for (comment = s; *s != '\0'; s++) {
		if (*s == '\t')
			*s = ' ';
		ruler |= strchr("-=#*_~+/", *s) != NULL && s[0] == s[1] &&
		    s[0] == s[2];
	}
	if (aside) {
		r->note.len = 0;
	} else if (!ruler && *comment != '\0') {
		buf_str(&r->note, r->note.len > 0 ? " " : "");
		buf_str(&r->note, comment);
	}
}

/* A Host line.  Its note is a comment at its end, else the one above it. */
static void
read_host(struct reader *r, char *p)
{
	struct config *c = r->c;
	struct block *b = block_add(r, r->scope, 0);
	struct literal *l;
	size_t literals = c->nliterals;
	int status;
	char *w;

	r->governor = r->open;
	while ((status = next_word(&p, &w)) == 1 && *w != '\0') {
		if (*w == '!' || strpbrk(w, "*?") != NULL) {
			arg_add(&c->words, w);
			continue;
		}
		l = append(&c->literals, &c->nliterals, &c->capliterals,
		    sizeof(*l));
		l->name = w;
		l->block = r->open;
	}
	if (status != 0) {	/* ssh refuses an empty word or an open quote */
		c->words.len = b->words;
		c->nliterals = literals;
	}
	arg_add(&c->words, NULL);
	if (*p == '#') {
		r->note.len = 0;
		note_add(r, p);
	}
	if (r->note.len > 0)
		b->note = keep(c, r->note.v);
}

/* A Match line: criteria, each followed by its argument or "". */
static void
read_match(struct reader *r, char *p)
{
	struct config *c = r->c;
	struct block *b = block_add(r, r->scope, 1);
	char *w, *arg, *name;
	int status = 1;

	r->governor = r->open;
	while (status >= 0 && (status = next_word(&p, &w)) == 1 && *w != '#') {
		name = w + (*w == '!');
		arg = w + strlen(w);
		if (strcasecmp(name, "all") != 0 &&
		    strcasecmp(name, "final") != 0 &&
		    strcasecmp(name, "canonical") != 0) {
			arg = w + strcspn(w, "=");
			if (*arg == '=')
				*arg++ = '\0';
			if (*arg == '\0')
				status = next_word(&p, &arg);
			if (strcmp(arg, "=") == 0)
				status = next_word(&p, &arg);
		}
		c->final |= strcasecmp(w, "final") == 0;
		c->by_session |= strcasecmp(name, "sessiontype") == 0 ||
		    strcasecmp(name, "command") == 0;
		arg_add(&c->words, w);
		arg_add(&c->words, status == 1 ? arg : "");
	}
	if (status == -1)
		c->words.len = b->words;
	b->is_match = c->words.len > b->words;	/* else ssh refuses it */
	arg_add(&c->words, NULL);
}

static int read_file(struct config *, const char *, uint32_t, int, int);

/* Reads the files of each word in place, from below ~/.ssh or /etc/ssh. */
static void
read_include(struct reader *r, char *p)
{
	struct buf word = { NULL, 0, 0 };
	char *w, *path;
	glob_t g;
	size_t i;

	r->open = 0;
	while (next_word(&p, &w) == 1 && *w != '\0') {
		if (!expand(&word, r->c, w) || (r->system && *word.v == '~'))
			continue;
		path = format("%s%s", *word.v == '/' || *word.v == '~' ? "" :
		    r->system ? "/etc/ssh/" : "~/.ssh/", word.v);
		if (glob(path, GLOB_TILDE, NULL, &g) == 0) {
			for (i = 0; i < g.gl_pathc; i++)
				read_file(r->c, g.gl_pathv[i], r->governor,
				    r->depth + 1, r->system);
			globfree(&g);
		}
		free(path);
	}
	free(word.v);
}

/* The port as ssh prints it, NULL if it would refuse it (a2port); it stays. */
static const char *
port_text(const char *s)
{
	struct servent *service;
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end != '\0') {
		service = getservbyname(s, "tcp");
		n = service != NULL ? ntohs((uint16_t)service->s_port) : 0;
	}
	return n > 0 && n <= 65535 ? format("%ld", n) : NULL;
}

/* Sets a value if it is the first; a jump or command excludes the other one. */
static void
value_set(const char *set[V_COUNT], enum value k, const char *s)
{
	if (set[k] != NULL || (k == V_JUMP && set[V_COMMAND] != NULL) ||
	    (k == V_COMMAND && set[V_JUMP] != NULL && *set[V_JUMP] != '\0'))
		return;
	set[k] = s;
}

/*
 * Takes what a line of the keyword sets into the block it is in: one word, or
 * of ProxyCommand and ProxyJump all that P has (ProxyJump's up to a `#' or,
 * before OpenSSH 10.1, a blank; parse_jump), "" for no jump.
 */
static void
read_value(struct reader *r, const char *key, char *p)
{
	static const char *const keys[V_COUNT] = { "hostname", "user", "port",
	    "proxyjump", "proxycommand", "canonicalizehostname", "tag" };
	const char *value;
	char *w, *second;
	int k;

	for (k = 0; k < V_COUNT && strcmp(key, keys[k]) != 0; k++)
		continue;
	if (k == V_COUNT)
		return;
	p = keep(r->c, p);
	if (r->open == 0)
		block_add(r, r->governor, 1)->words = 0;
	if (k == V_JUMP || k == V_COMMAND) {
		w = p + strspn(p, BLANKS "=");
		value = strcasecmp(w, "none") != 0 ? w :
		    k == V_JUMP ? "" : "none";
		if (k == V_JUMP)
			w[strcspn(w, "# \t\r\f\v")] = '\0';
	} else {
		if (next_word(&p, &w) != 1 || next_word(&p, &second) != 0)
			return;
		value = k == V_PORT ? port_text(w) : w;
	}
	if (*w != '\0')
		value_set(r->c->blocks[r->open].set, (enum value)k, value);
}

/* A line; what ssh would ignore or refuse is passed over. */
static void
read_line(struct reader *r, char *line)
{
	char key[KEYWORD_MAX], *p = skip_blanks(line);
	size_t n = strlen(line);

	if (*p == '#') {
		note_add(r, p);
		return;
	}
	while (n > 1 && (is_blank(line[n - 1]) || line[n - 1] == '\f'))
		line[--n] = '\0';
	if ((p = token(line, key)) != NULL && key[0] == '\0')
		p = token(p, key);	/* behind a blank, `=' or "" */
	if (p != NULL && *p != '\0') {
		if (strcmp(key, "host") == 0)
			read_host(r, keep(r->c, p));
		else if (strcmp(key, "match") == 0)
			read_match(r, keep(r->c, p));
		else if (strcmp(key, "include") == 0)
			read_include(r, p);
		else
			read_value(r, key, p);
	}
	r->note.len = 0;
}

/*
 * Reads a file into block SCOPE, as far as the bounds allow.  What is no
 * regular file is empty, as a directory is to ssh.  Returns -1 and errno if it
 * cannot be opened.
 */
static int
read_file(struct config *c, const char *path, uint32_t scope, int depth,
    int system)
{
	struct reader r = { .c = c, .scope = scope, .governor = scope,
	    .depth = depth, .system = system, .file = (unsigned)c->files.len };
	int fd, regular;
	struct stat st;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *file;

	c->full |= depth > INCLUDE_DEPTH;
	if (c->full || c->files.len == FILES_MAX)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return -1;
	arg_add(&c->files, keep(c, path));
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (regular && st.st_size > READ_MAX)	/* which may be one line */
		c->read = READ_MAX + 1;
	if ((file = fdopen(fd, "r")) == NULL)
		out_of_memory();
	while (regular && c->read <= READ_MAX &&
	    (n = getline(&line, &cap, file)) != -1) {
		c->read += (size_t)n;
		r.line++;
		read_line(&r, line);
	}
	if (regular && !feof(file) && errno == ENOMEM)
		out_of_memory();
	fclose(file);
	free(line);
	if (!c->full && (c->read > READ_MAX || c->files.len == FILES_MAX)) {
		warnx("%s: too much configuration, no more is read", path);
		c->full = 1;
	}
	return 0;
}

/* Finds out who the user is, and so all of TOKENS but those of a host. */
static void
user_find(struct config *c)
{
	struct passwd *pw = getpwuid(getuid());
	char name[256];

	if (pw == NULL)
		errx(2, "no user has the id %ld", (long)getuid());
	c->tokens[0] = keep(c, pw->pw_dir);
	c->tokens[1] = c->local_user = keep(c, pw->pw_name);
	c->tokens[2] = format("%ld", (long)getuid());
	if (gethostname(name, sizeof(name)) == 0) {
		c->tokens[3] = keep(c, name);
		name[strcspn(name, ".")] = '\0';
		c->tokens[4] = keep(c, name);
	}
	c->tokens[5] = "%";
	(void)setenv("HOME", pw->pw_dir, 0);	/* glibc's glob may want it */
}

/* Reads FILE, which must be there, or all that ssh reads (passwd, not HOME). */
static void
config_read(struct config *c, const char *file)
{
	struct stat st;
	uint32_t i;

	arg_add(&c->words, NULL);
	append(&c->blocks, &c->nblocks, &c->capblocks, sizeof(*c->blocks));
	user_find(c);
	if (file == NULL) {
		read_file(c, format("%s/.ssh/config", c->tokens[0]), 0, 0, 0);
		read_file(c, PATH_SYSTEM, 0, 0, 1);
	} else if (strcasecmp(file, "none") != 0) {
		if (stat(file, &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			errx(2, "%s: not a regular file", file);
		if (read_file(c, file, 0, 0, 0) == -1)
			err(2, "%s", file);
	}
	c->tried = zeros(c->nblocks, sizeof(*c->tried));
	for (i = 1; i < c->nblocks; i++)
		if (c->blocks[i].is_match ||
		    c->words.v[c->blocks[i].words] != NULL)
			c->tried[c->ntried++] = i;
}

/*
 * What the configuration says of one name: the values `ssh -G NAME' would
 * print.  Every block that may apply is visited in reading order and asked
 * whether it does; the first value of each keyword stays.  No command that they
 * hold is run: `Match exec', and what else is not decided here, is false.
 */

static int ssh_decides(const char *, const char *);

/* Puts HostName with its %h, up to a bound, or the name typed into v->name. */
static void
put_hostname(struct values *v)
{
	const char *s = v->set[V_HOSTNAME];

	v->name.len = 0;
	buf_str(&v->name, "");
	for (s = s != NULL ? s : "%h"; *s != '\0'; s++) {
		if (*s == '%' && s[1] == 'h' && v->name.len < HOSTNAME_MAX)
			buf_str(&v->name, v->typed);
		else
			buf_add(&v->name, s, 1);
		s += *s == '%' && (s[1] == 'h' || s[1] == '%');
	}
}

/* One criterion (match_cfg_line), for a shell; -1: it is not decided here. */
static int
criterion(const struct config *c, struct values *v, const char *name,
    const char *arg)
{
	const char *user = v->set[V_USER], *tag = v->set[V_TAG];

	if (strcasecmp(name, "all") == 0)
		return 1;
	if (strcasecmp(name, "final") == 0 ||
	    strcasecmp(name, "canonical") == 0)
		return v->host != v->typed;
	if (strcasecmp(name, "tagged") == 0)
		return tag != NULL ? list_match(tag, arg, 0) : *arg == '\0';
	if (strcasecmp(name, "command") == 0)
		return *arg == '\0';
	if (*arg == '\0')
		return -1;
	if (strcasecmp(name, "sessiontype") == 0)
		return list_match("shell", arg, 0);
	if (strcasecmp(name, "originalhost") == 0)
		return list_match(v->typed, arg, 1);
	if (strcasecmp(name, "host") == 0) {
		if (v->host == v->typed)
			put_hostname(v);
		return list_match(v->name.v, arg, 1);
	}
	if (strcasecmp(name, "user") == 0 && user != NULL)
		return list_match(user, arg, 0);
	if (strcasecmp(name, "user") == 0 || strcasecmp(name, "localuser") == 0)
		return list_match(c->local_user, arg, 0);
	if (strcasecmp(name, "localnetwork") == 0 ||
	    strcasecmp(name, "version") == 0)
		return ssh_decides(name, arg);
	return -1;
}

/* Whether patterns match, 2 if one says more than `*'; -1: one excludes it. */
static int
patterns(const char *const *w, const char *host)
{
	int found = 0, negated;

	for (; *w != NULL; w++) {
		negated = **w == '!';
		if ((!negated && found == 2) || !glob_match(host, *w + negated,
		    strlen(*w + negated), 0))
			continue;
		if (negated)
			return -1;
		found = (*w)[strspn(*w, "*")] != '\0' ? 2 : found | 1;
	}
	return found;
}

/*
 * Takes the values of block B if it applies: all criteria of its Match line
 * hold, or its Host line has the name as it is, which LITERAL says, or a
 * pattern that matches, and none that excludes it.
 */
static void
visit(struct config *c, struct values *v, uint32_t b, int literal)
{
	struct block *block = &c->blocks[b];
	const char *const *w = c->words.v + block->words;
	int k, r = 0, negated, named = literal && b != 0;

	if (!block->is_match && (r = patterns(w, v->host)) < (literal ? 0 : 1))
		return;
	named |= r == 2;
	for (; block->is_match && *w != NULL; w += 2) {
		negated = **w == '!';
		r = criterion(c, v, *w + negated, w[1]);
		if (r == negated || r == -1)
			return;
		named |= strcmp(w[1], "*") != 0 &&
		    (strcasecmp(*w, "host") == 0 ||
		    strcasecmp(*w, "originalhost") == 0);
	}
	v->pattern |= named && v->host == v->typed;
	block->active = c->pass;
	if (literal && (v->listed == 0 || v->listed > b) &&
	    strcmp(v->host, v->typed) == 0)
		v->listed = b;
	for (k = 0; k < V_COUNT; k++)
		value_set(v->set, (enum value)k, block->set[k]);
}

/* Visits the blocks that may apply to v->host in reading order. */
static void
read_pass(struct config *c, struct values *v)
{
	const struct literal *l = *name_slot(c, v->host);
	uint32_t b;
	size_t i = 0;
	int literal;

	c->blocks[0].active = ++c->pass;
	while (i < c->ntried || l != NULL) {
		b = i < c->ntried ? c->tried[i] : UINT32_MAX;
		if (l != NULL && l->block < b)
			b = l->block;
		literal = l != NULL && l->block == b;
		while (l != NULL && l->block == b)
			l = l->next;
		i += i < c->ntried && c->tried[i] == b;
		if (c->blocks[c->blocks[b].scope].active == c->pass)
			visit(c, v, b, literal);
	}
}

/* What a line of an inventory says of a host, or of a group. */
struct given {
	const char *set[VARIABLES];	/* NULL: nothing */
	const char *note;
	const char *group;	/* that it is in */
	unsigned line;
	/* see given_settle(): */
	uint32_t by[VARIABLES];	/* whose own values it has, 0: none */
	uint32_t depth;		/* by the longest way from the group `all' */
};

/*
 * Finds the values for the name TYPED; what is GIVEN, unless NULL, comes before
 * all files.  The final name is in lower case, but for what ssh takes for an
 * address (is_addr_fast).  A second pass, in which Host tests that name, is
 * read when ssh would read one; it does not change the name.
 */
static struct values *
evaluate(struct config *c, const char *typed, const struct given *given)
{
	struct values *v = &c->values;
	const char *at = strrchr(typed, '@'), *canonical;
	char *s;

	memset(v->set, 0, sizeof(v->set));
	v->listed = v->pattern = 0;
	v->typed = v->host = at != NULL ? at + 1 : typed;
	if (at != NULL) {
		v->user.len = 0;
		buf_add(&v->user, typed, (size_t)(at - typed));
		v->set[V_USER] = v->user.v;
	}
	if (given != NULL) {
		v->set[V_HOSTNAME] = given->set[V_HOSTNAME];
		value_set(v->set, V_USER, given->set[V_USER]);
		v->set[V_PORT] = given->set[V_PORT];
	}
	read_pass(c, v);
	put_hostname(v);
	if (strpbrk(v->name.v, ":%") == NULL)
		for (s = v->name.v; *s != '\0'; s++)
			*s = (char)lower(*s);
	canonical = v->set[V_CANONICAL];
	v->set[V_HOSTNAME] = v->host = v->name.v;
	if (c->final || (canonical != NULL && !is_no(canonical)))
		read_pass(c, v);
	value_set(v->set, V_USER, c->local_user);
	value_set(v->set, V_PORT, "22");
	if (v->set[V_JUMP] == NULL)
		v->set[V_JUMP] = "";
	c->tokens[6] = v->name.v;
	c->tokens[7] = v->typed;
	c->tokens[8] = v->set[V_PORT];
	if (at == NULL && strpbrk(v->set[V_USER], "$%") != NULL &&
	    expand(&v->user, c, v->set[V_USER]))
		v->set[V_USER] = v->user.v;
	return v;
}

/* The list of hosts: names for which a Host line applies, in its order. */

struct host {
	const char *name;
	const char *addr;	/* see host_details(), NULL until asked for */
	const char *jump;	/* likewise */
	const char *note;	/* "" for none */
	const struct given *given;	/* by the inventory, or NULL */
	const char *file;	/* that it is from, or NULL */
	const struct probe *test;	/* of its address, or NULL */
	unsigned line;
	unsigned number;	/* its place in the list, 0: it was typed */
	unsigned use;		/* the place of its last use, 0: none */
	unsigned first;		/* of its aliases; see prompt_rank() */
	unsigned times;		/* of the last ranking that has one of these */
	uint32_t used;		/* when it was used last */
	int score;		/* for the query; see ranking_update() */
};

struct hosts {
	struct config *config;
	struct given *given;	/* what the inventory says, from 1 on */
	size_t ngiven, capgiven;
	const char *file;	/* the inventory, if it can be read again */
	struct host *v;
	size_t len, cap;
	size_t typed;		/* more behind them, once typed by hand */
	size_t ready;		/* of which the details are known already */
	struct host *last;	/* the one used last, or NULL */
};

/* Appends a host; who does counts it. */
static struct host *
host_add(struct hosts *h, const char *name)
{
	size_t n = h->len + h->typed;
	struct host *host = append(&h->v, &n, &h->cap, sizeof(*host));

	host->name = name;
	host->note = "";
	return host;
}

/* Lists a name, of which this is the first literal, as a host. */
static struct host *
host_list(struct hosts *h, struct literal *first)
{
	struct host *host = host_add(h, first->name);

	host->number = first->host = (unsigned)++h->len;
	return host;
}

/* The host of a name, NULL if there is none. */
static struct host *
host_find(const struct hosts *h, const char *name)
{
	const struct literal *l = *name_slot(h->config, name);
	size_t i;

	if (l != NULL && l->host != 0)
		return &h->v[l->host - 1];
	for (i = h->len; i < h->len + h->typed; i++)
		if (strcmp(h->v[i].name, name) == 0)
			return &h->v[i];
	return NULL;
}

/* Finds a host's address, less what is usual or in its name, and its jump. */
static void
host_details(struct hosts *h, struct host *host)
{
	const struct values *v;
	const char *at = strrchr(host->name, '@'), *user, *port;
	char *addr;
	int other;

	if (host->addr != NULL)
		return;
	v = evaluate(h->config, host->name, host->given);
	user = v->set[V_USER];
	port = v->set[V_PORT];
	other = strcmp(v->name.v, at != NULL ? at + 1 : host->name) != 0;
	if (strcmp(user, h->config->local_user) == 0 || (at != NULL && !other))
		user = "";
	if (strcmp(port, "22") == 0)
		port = "";
	addr = format("%s%s%s%s%s", user, *user != '\0' ? "@" : "",
	    *user != '\0' || *port != '\0' || other ? v->name.v : "",
	    *port != '\0' ? ":" : "", port);
	if (strlen(addr) > ADDR_MAX)
		addr[ADDR_MAX] = '\0';
	host->addr = addr;
	host->jump = v->set[V_JUMP];
}

/* Where a host leads, in full. */
static const char *
host_leads(struct hosts *h, struct host *host)
{
	host_details(h, host);
	return *host->addr != '\0' ? host->addr : host->name;
}

/*
 * Lists each name where the first Host line stands that applies to it.  That is
 * the first one with the name, and need not be found out, unless it excludes
 * the name or an Include that led there is not for every name.
 */
static void
config_hosts(struct hosts *h)
{
	struct config *c = h->config;
	struct literal *l, *first;
	const struct block *b;
	struct host *host;
	size_t i;

	for (i = 0; i < c->nliterals; i++) {
		l = &c->literals[i];
		first = l->host == UINT32_MAX ? *name_slot(c, l->name) : l;
		b = &c->blocks[l->block];
		if (first == l && typable(l->name)) {
			l->listed = l->block;
			if (b->scope != 0 ||
			    patterns(c->words.v + b->words, l->name) == -1)
				l->listed = evaluate(c, l->name, NULL)->listed;
		}
		if (first->host != 0 || first->listed != l->block)
			continue;
		host = host_list(h, first);
		host->file = c->files.v[b->file];
		host->line = b->line;
		host->note = b->note != NULL ? b->note : "";
	}
}

/*
 * An inventory, with -i, takes the place of the configuration's hosts: one host
 * a line, the rest of the line its note; or Ansible's INI form, where hosts and
 * groups are in groups, and all may have variables.  What each line says of a
 * name is collected first; then a host gets what its last line says, or else
 * the nearest of its groups.  A `[' begins names of groups, but none of hosts.
 */

enum {
	INVENTORY_MAX = 1000000,	/* entries, as ranges multiply */
	RANGES_MAX = 4,		/* in one name */
	GROUPS_DEEP = 32,	/* groups in groups */
};

/* In the order of a host's values, twice: the later ones win. */
static const char *const variables[VARIABLES] = { "ansible_host",
    "ansible_user", "ansible_port", "ansible_ssh_host", "ansible_ssh_user",
    "ansible_ssh_port" };

struct inventory {
	struct hosts *h;
	const char *name;	/* for messages */
	struct given now;	/* what the line that is read says */
	const char *group;	/* that the section is of */
	int vars, children;	/* not hosts, but these are in it */
	size_t bytes;		/* of all names */
};

/* Says that a line is left out because of S in it; returns 0. */
static int
inventory_odd(const struct inventory *f, const char *what, const char *s)
{
	warnx("%s:%u: left out: bad %s: %s", f->name, f->now.line, what,
	    printable(s));
	return 0;
}

/* Adds what the line says of a name in the section's group, or of the group. */
static void
given_add(struct inventory *f, const char *name)
{
	struct hosts *h = f->h;
	struct config *c = h->config;
	struct literal *l;

	if (h->ngiven > INVENTORY_MAX || (f->bytes += strlen(name)) > READ_MAX)
		errx(2, "%s:%u: too many hosts", f->name, f->now.line);
	l = append(&c->literals, &c->nliterals, &c->capliterals, sizeof(*l));
	l->name = name;
	l->given = (uint32_t)h->ngiven;
	f->now.group = name != f->group ? f->group : "[all";
	*(struct given *)append(&h->given, &h->ngiven, &h->capgiven,
	    sizeof(f->now)) = f->now;
}

/*
 * Sets a value; returns 0 if it is odd.  It goes to ssh as -o KEYWORD=VALUE
 * and, by %h or %r, to commands of shells: it must mean nothing to either.
 */
static int
given_set(struct inventory *f, size_t k, const char *s)
{
	if (k % GIVEN_COUNT == V_PORT)
		s = s[strspn(s, DIGITS)] == '\0' ? port_text(s) : NULL;
	else if (*s == '\0' || !typable(s) || strpbrk(s, "#=%*?!~") != NULL)
		s = NULL;
	f->now.set[k] = s;
	return s != NULL;
}

/* Takes KEY = VALUE, a group's up to a comment; returns 0 if it is odd. */
static int
variable(struct inventory *f, char **p)
{
	char *key = *p, *end = key + strcspn(key, BLANKS "="), *value;
	int good;
	size_t k = 0;

	*p = skip_blanks(end);
	if (**p != '=')
		return inventory_odd(f, "variable", key);
	*end = '\0';
	++*p;
	good = next_word(p, &value) != -1 &&
	    (!f->vars || strchr("#", *skip_blanks(*p)) != NULL);
	while (k < VARIABLES && strcmp(key, variables[k]) != 0)
		k++;
	if (k == VARIABLES || (good && given_set(f, k, value)))
		return 1;
	return inventory_odd(f, key, value);
}

/*
 * Adds what the line says of all that NAME stands for: [FROM:TO] or :STEP more,
 * of letters, or of numbers as wide as the first.  Returns 0 if one is odd.
 */
static int
names_add(struct inventory *f, const char *name, int depth)
{
	const char *open = strchr(name, '[');
	char a[2], z[2], *one;
	long i = 0, to = -1, step = 1;
	int end = 0, rest = 0, stem = (int)strcspn(name, "[");

	if (open == NULL) {
		given_add(f, name);
		return 1;
	}
	if (sscanf(++open, "%1[a-z]:%1[a-z]%n", a, z, &end) == 2 ||
	    sscanf(open, "%1[A-Z]:%1[A-Z]%n", a, z, &end) == 2) {
		i = *a;
		to = *z;
	} else if (is_digit(*open)) {
		(void)sscanf(open, "%9ld:%9ld%n", &i, &to, &end);
	} else {	/* from 0 on */
		(void)sscanf(open, ":%9ld%n", &to, &end);
	}
	if (end > 0 && sscanf(open + end, ":%9ld%n", &step, &rest) == 1)
		end += rest;
	if (open[end] != ']' || i > to || step <= 0 || depth == RANGES_MAX)
		return 0;
	for (; i <= to; i += step) {
		one = is_letter(*open) ? format("%.*s%c%s", stem, name, (int)i,
		    open + end + 1) : format("%.*s%0*ld%s", stem, name,
		    (int)strspn(open, DIGITS), i, open + end + 1);
		if (!names_add(f, one, depth + 1))
			return 0;
	}
	return 1;
}

/*
 * A line with a host: its name, variables, and a note.  `:PORT' goes off a
 * name that has no other colon but those in brackets, and then brackets that
 * are no range, as of an IPv6 address.
 */
static void
host_line(struct inventory *f, char *p)
{
	char *name, *colon, *close;
	int good = 1;

	if (next_word(&p, &name) != 1)
		return;
	while (p = skip_blanks(p), p[strcspn(p, "= \t#\"'")] == '=')
		if (!variable(f, &p))
			return;
	p += strspn(p, "# \t");
	for (f->now.note = p; (p = strchr(p, '\t')) != NULL; )
		*p = ' ';
	colon = strrchr(name, ':');
	close = strrchr(name, ']');
	if (colon != NULL && colon[1 + strspn(colon + 1, DIGITS)] == '\0' &&
	    (close == NULL ? strchr(name, ':') == colon : colon > close)) {
		good = f->now.set[V_PORT] != NULL ||
		    given_set(f, V_PORT, colon + 1);
		*colon = good ? '\0' : ':';
	} else {
		colon = NULL;
	}
	if (good && names_add(f, name, 0))
		return;
	if (good && colon != NULL && *name == '[' && close == colon - 1) {
		*close = '\0';
		if (names_add(f, ++name, 0))
			return;
	}
	inventory_odd(f, "name", name);
}

/* A line: empty, a comment, a heading, or what its section has. */
static void
inventory_line(struct inventory *f, char *p)
{
	size_t n = strlen(p);
	char *close;

	while (n > 0 && is_blank(p[n - 1]))
		p[--n] = '\0';
	p = skip_blanks(p);
	if (*p == '\0' || *p == '#' || *p == ';')
		return;
	close = strchr(p, ']');
	if (*p == '[' && close != NULL &&
	    strchr("#;", *skip_blanks(close + 1)) != NULL) {
		*close = '\0';
		f->vars = strstr(p, ":vars") != NULL;
		f->children = strstr(p, ":children") != NULL;
		p[strcspn(p, ":")] = '\0';
		f->group = p;
		given_add(f, p);
	} else if (f->h->ngiven == 2 && (*p == '{' ||
	    strncmp(p, "---", 3) == 0 || p[strcspn(p, " \t") - 1] == ':')) {
		errx(2, "%s:%u: YAML and JSON are not understood, only INI "
		    "and lists with one host a line", f->name, f->now.line);
	} else if (f->children) {
		given_add(f, format("[%.*s", (int)strcspn(p, " \t"), p));
	} else if (!f->vars) {
		host_line(f, p);
	} else if (variable(f, &p)) {
		given_add(f, f->group);
	}
}

/* Finds, once, what a name's lines or else its deepest group say; the first. */
static struct given *
given_settle(struct hosts *h, const char *name, int deep)
{
	struct given *v = h->given, *g, *group;
	const struct literal *l = *name_slot(h->config, name);
	size_t k;

	while (l->given == 0)	/* a Host line's */
		l = l->next;
	g = &v[l->given];
	if (g->depth > 0 || deep > GROUPS_DEEP)
		return g;
	for (g->depth = 1; l != NULL; l = l->next) {
		group = given_settle(h, v[l->given].group, deep + 1);
		if (g->depth <= group->depth)
			g->depth = group->depth + 1;
		for (k = 0; k < VARIABLES; k++) {
			if (v[l->given].set[k] != NULL)
				g->set[k] = v[l->given].set[k];
			if (v[group->by[k]].depth >= v[g->by[k]].depth)
				g->by[k] = group->by[k];
		}
	}
	for (k = 0; k < VARIABLES; k++)
		if (g->set[k] != NULL)
			g->by[k] = (uint32_t)(g - v);
		else
			g->set[k] = v[g->by[k]].set[k];
	return g;
}

/* Lists the names of the inventory's hosts where they stand first. */
static void
inventory_hosts(struct hosts *h)
{
	struct literal *l, *first;
	struct given *g;
	struct host *host;
	size_t i, k;

	for (i = 0; i < h->config->nliterals; i++) {
		l = &h->config->literals[i];
		first = *name_slot(h->config, l->name);
		if (l->given == 0 || *l->name == '[' ||
		    !is_destination(l->name) || first->host != 0)
			continue;
		host = host_list(h, first);
		host->given = g = given_settle(h, l->name, 0);
		host->file = h->file;
		host->line = g->line;
		host->note = g->note;
		for (k = 0; k < GIVEN_COUNT; k++)
			if (g->set[k + GIVEN_COUNT] != NULL)
				g->set[k] = g->set[k + GIVEN_COUNT];
	}
}

/* Reads the inventory at PATH, `-' being standard input; what fails ends wl. */
static void
inventory_read(struct hosts *h, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? 0 :
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct inventory f = { .h = h, .group = "[all" };
	struct buf text = { NULL, 0, 0 };
	struct stat st;
	char *p, *next;

	f.name = fd != 0 ? path : "standard input";
	if (fd > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		h->file = path;
	if (fd == -1 || read_whole(fd, &text, READ_MAX) == -1)
		err(2, "%s", f.name);
	if (text.len > READ_MAX || memchr(text.v, '\0', text.len) != NULL ||
	    strncmp(text.v, "-----BEGIN", 10) == 0)
		errx(2, "%s: no list of hosts; if it is a key: "
		    "-o IdentityFile=...", f.name);
	if (fd != 0)
		close(fd);
	given_add(&f, "");	/* number 0 is none */
	given_add(&f, f.group);
	for (p = text.v; p < text.v + text.len; p = next) {
		memset(f.now.set, 0, sizeof(f.now.set));
		f.now.line++;
		next = cut_line(p, text.v + text.len);
		inventory_line(&f, p);
	}
}

/*
 * Recently used hosts: a file with a line `SECONDS NAME' for each use, the last
 * one last.  It is only ever a help: what is wrong with it, or with a line, is
 * passed over; on a descriptor of -1 all calls fail.  Who writes locks its
 * directory, for the file may just be replaced by a shorter one.
 */

enum {
	RECENT_NAMES = 500,	/* names kept in the shorter one */
	RECENT_SIZE = 1 << 16,	/* bytes from which on it is replaced */
};

struct use {			/* of a host */
	uint32_t when;
	const char *name;
};

/*
 * Opens the file if it is one and ours, else -1, and its directory as *DIR.
 * With MAKE they are made, and the directory is locked until it is closed.
 * On the way nothing that is not ours comes after what is: root may have
 * another user's HOME, and is not to follow links or make anything there.
 */
static int
recent_open(int *dir, int make)
{
	static const struct timespec moment = { 0, 5000000 };
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct stat st;
	int fd, tries, ours = stat("/", &st) == 0 && st.st_uid == getuid();
	char *path, *p;

	*dir = -1;
	if (state != NULL && *state == '/')
		path = format("%s/wl/", state);
	else if (home != NULL && *home == '/')
		path = format("%s/.local/state/wl/", home);
	else
		return -1;
	for (p = path; (p = strchr(p + 1, '/')) != NULL; *p = '/') {
		*p = '\0';
		if (make && ours)
			(void)mkdir(path, 0700);
		if (stat(path, &st) == 0 && st.st_uid == getuid())
			ours = 1;
		else if (ours)
			break;
	}
	if (p == NULL && ours)
		*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (tries = 0; make && *dir != -1 && tries < 20 &&
	    flock(*dir, LOCK_EX | LOCK_NB) == -1; tries++)
		nanosleep(&moment, NULL);	/* but never for long */
	fd = openat(*dir, "recent", O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
	    (make ? O_RDWR | O_APPEND | O_CREAT : O_RDONLY), 0600);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == getuid())
		return fd;
	close(fd);
	return -1;
}

/* Reads the uses at the file's end, oldest first; returns their number. */
static size_t
recent_load(int fd, struct use **uses)
{
	struct buf text = { NULL, 0, 0 };
	struct use *use;
	size_t n = 0, cap = 0;
	long long when;
	char *p, *next, *name;

	*uses = NULL;
	if (lseek(fd, -2 * RECENT_SIZE, SEEK_END) == -1)
		(void)lseek(fd, 0, SEEK_SET);
	(void)read_whole(fd, &text, 2 * RECENT_SIZE);
	for (p = text.v; p < text.v + text.len; p = next) {
		next = cut_line(p, text.v + text.len);
		when = strtoll(p, &name, 10);
		if (when <= 0 || when > UINT32_MAX || *name++ != ' ' ||
		    (!is_destination(name) && strncmp(name, "ssh://", 6) != 0))
			continue;
		use = append(uses, &n, &cap, sizeof(*use));
		use->when = (uint32_t)when;
		use->name = name;
	}
	return n;
}

/* Reads the uses.  Names that are no host's were typed; they go behind. */
static void
recent_read(struct hosts *h)
{
	int dir, fd = recent_open(&dir, 0);
	struct use *uses;
	struct host *host;
	size_t n = recent_load(fd, &uses), i;

	close(fd);
	close(dir);
	h->typed = 0;
	h->last = NULL;
	for (i = 0; i < h->len; i++)
		h->v[i].use = 0;
	for (i = 0; i < n; i++) {
		if ((host = host_find(h, uses[i].name)) == NULL) {
			host = host_add(h, uses[i].name);
			h->typed++;
		}
		host->use = (unsigned)i + 1;
		host->used = uses[i].when;
		h->last = host;
	}
}

/* Replaces the file by one with the last uses of its names, but for FORGET. */
static void
recent_replace(int dir, int fd, const char *forget)
{
	struct buf out = { NULL, 0, 0 };
	struct use *v;
	size_t n = recent_load(fd, &v), first = n, i, j;
	int to;

	for (i = n; i-- > 0 && n - first < RECENT_NAMES; ) {
		for (j = first; j < n && strcmp(v[j].name, v[i].name); j++)
			continue;
		if (j == n && (!forget || strcmp(v[i].name, forget) != 0))
			v[--first] = v[i];
	}
	for (i = first; i < n; i++)
		buf_fmt(&out, "%lld %s\n", (long long)v[i].when, v[i].name);
	unlinkat(dir, "recent.new", 0);
	to = openat(dir, "recent.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (write(to, out.v, out.len) == (ssize_t)out.len)
		(void)renameat(dir, "recent.new", dir, "recent");
	unlinkat(dir, "recent.new", 0);
	close(to);
}

/* Notes that the name is used now or, with FORGET, that it never was. */
static void
recent_write(const char *name, int forget)
{
	int dir, fd = recent_open(&dir, 1);
	off_t size = lseek(fd, 0, SEEK_END);
	char *line = format("%lld %s\n", (long long)time(NULL), name);

	if (!forget && write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		(void)!ftruncate(fd, size);	/* no half of it */
	if (fd != -1 && (forget || size > RECENT_SIZE))
		recent_replace(dir, fd, forget ? name : NULL);
	close(fd);
	close(dir);
}

/* How long ago it was, in a few characters. */
static void
ago(time_t when, char *out, size_t size)
{
	static const int each[] = { 60, 60, 24, 365 };
	long long n = (long long)time(NULL) - when;
	size_t i;

	for (i = 0; i < 4 && n >= each[i]; i++)
		n /= each[i];
	if (i == 0)
		snprintf(out, size, "just now");
	else
		snprintf(out, size, "%lld%c ago", n, "smhdy"[i]);
}

/* Reads the hosts, or again; what was read stays, as names may be in use. */
static void
hosts_read(struct hosts *h, const struct options *o)
{
	if (h->config != NULL && o->inventory != NULL && h->file == NULL)
		return;
	memset(h, 0, sizeof(*h));
	h->config = zeros(1, sizeof(*h->config));
	config_read(h->config, o->file);
	if (o->inventory != NULL)
		inventory_read(h, o->inventory);
	names_index(h->config);
	(o->inventory != NULL ? inventory_hosts : config_hosts)(h);
	recent_read(h);
}

/*
 * Matching.  Each word of the query must be found in the host's name, else
 * where it leads, else its note, as a subsequence.  The score is that of the
 * best alignment, found as fzy finds it by dynamic programming: letters in a
 * row and starts of words count much, gaps cost a little.
 */

enum {
	QUERY_MAX = 256,	/* bytes of a query, with its NUL */
	WORDS_MAX = 16,		/* words of it that count */

	SCORE_NONE = -1000000,
	SCORE_CONSECUTIVE = 1000,
	SCORE_START = 1050,	/* the first letter of the text */
	SCORE_WORD = 1000,	/* the first of a word or a number */
	SCORE_CAPITAL = 700,
	SCORE_GAP = -20,	/* each letter left out between */
	SCORE_EDGE = -1,	/* each one before the first, after the last */
	SCORE_EXACT = 500000,

	FIELD_NAME = 4000000,	/* a field's worst beats the next's best */
	FIELD_ADDR = 2000000,
	FIRST_USED = 1 << 29,	/* before all scores, and before that: */
	FIRST_NUMBER = 1 << 30,
};

/* A word of the query. */
struct needle {
	const char *text;
	size_t len;
	int fold;		/* it has no capitals: case does not matter */
};

struct query {
	char text[QUERY_MAX];	/* of the words */
	struct needle words[WORDS_MAX];
	size_t nwords;
	unsigned number;	/* the whole query as a number, else 0 */
};

/* What it is worth to match the letter at S[I], for it may begin a word. */
static int
bonus(const char *s, size_t i)
{
	int c = (unsigned char)s[i], before;

	if (i == 0)
		return SCORE_START;
	before = (unsigned char)s[i - 1];
	if (is_digit(c)) {	/* a number begins behind its zeros too */
		while (before == '0' && c != '0' && i > 1)
			before = (unsigned char)s[--i - 1];
		return is_digit(before) ? 0 : SCORE_WORD;
	}
	if (!is_letter(c))
		return 0;
	if (!is_letter(before))
		return SCORE_WORD;
	return lower(c) != c && lower(before) == before ? SCORE_CAPITAL : 0;
}

static int
letter_matches(const struct needle *w, size_t i, char c)
{
	return w->text[i] == (w->fold ? lower(c) : c);
}

/*
 * The scores of the best alignments of a word in a text: ENDING with letter i
 * at byte j, BEST with it there or before, less the gap (or edge) up to j.
 */
struct alignment {
	int ending[QUERY_MAX][MATCH_MAX];
	int best[QUERY_MAX][MATCH_MAX];
};

/* Finds the scores for letter I of the word, given those of the one before. */
static void
align_letter(struct alignment *a, const struct needle *w, size_t i,
    const char *s, size_t len)
{
	int gap = i + 1 < w->len ? SCORE_GAP : SCORE_EDGE;
	int best = SCORE_NONE, score, follow;
	size_t j;

	for (j = 0; j < len; j++) {
		score = SCORE_NONE;
		if (letter_matches(w, i, s[j]) && i == 0) {
			score = bonus(s, j) + (int)j * SCORE_EDGE;
		} else if (letter_matches(w, i, s[j]) && j > 0) {
			follow = a->ending[i - 1][j - 1] + SCORE_CONSECUTIVE;
			score = a->best[i - 1][j - 1] + bonus(s, j);
			/* the rest of a UTF-8 character is never alone */
			if ((w->text[i] & 0xc0) == 0x80 || follow > score)
				score = follow;
		}
		best = best + gap > score ? best + gap : score;
		a->ending[i][j] = score;
		a->best[i][j] = best;
	}
}

/* A word's score in S, or SCORE_NONE; HIT, unless NULL, marks its letters. */
static int
match(const struct needle *w, const char *s, char *hit)
{
	static struct alignment a;
	size_t len = strnlen(s, MATCH_MAX), i = 0, j;
	int score, gap = SCORE_EDGE, follows = 0;

	for (j = 0; j < len && i < w->len; j++)
		i += (size_t)letter_matches(w, i, s[j]);
	if (i < w->len)
		return SCORE_NONE;
	for (i = 0; i < w->len; i++)
		align_letter(&a, w, i, s, len);
	if ((score = a.best[i - 1][len - 1]) < SCORE_NONE / 2)
		return SCORE_NONE;
	for (j = len; hit != NULL && i-- > 0; gap = SCORE_GAP) {
		for (j--; !follows && j > 0 &&
		    a.best[i][j - 1] + gap == a.best[i][j]; j--)
			continue;
		hit[j] = 1;
		follows = i > 0 && a.ending[i][j] ==
		    a.ending[i - 1][j - 1] + SCORE_CONSECUTIVE;
	}
	return w->len == len ? SCORE_EXACT : score;
}

/* Whether the word is one, or several, whole words of S: not db0 of db01. */
static int
has_whole_word(const struct needle *w, const char *s)
{
	size_t at, end;

	for (at = 0; s[at] != '\0'; at++) {
		end = at + w->len;
		if ((w->fold ? strncasecmp : strncmp)(s + at, w->text,
		    w->len) == 0 && bonus(s, at) >= SCORE_CAPITAL &&
		    (is_digit(s[end]) ? !is_digit(s[end - 1]) :
		    !is_letter(s[end]) || bonus(s, end) >= SCORE_CAPITAL))
			return 1;
	}
	return 0;
}

/* Takes the query apart: its words, and its value if it is a number. */
static void
query_parse(struct query *q, const char *s)
{
	struct needle *w;
	char *p;

	q->nwords = 0;
	q->number = strspn(s, DIGITS) == strlen(s) && strlen(s) < 10 ?
	    (unsigned)atol(s) : 0;
	snprintf(q->text, sizeof(q->text), "%s", s);
	for (p = strtok(q->text, " \t"); p != NULL && q->nwords < WORDS_MAX;
	    p = strtok(NULL, " \t")) {
		w = &q->words[q->nwords++];
		w->text = p;
		w->len = strlen(p);
		w->fold = strpbrk(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
	}
}

/* Ranking: the hosts that match a query, best first. */
struct ranking {
	struct hosts *hosts;
	struct query query;
	char text[QUERY_MAX];	/* the query that the matches are for */
	struct host **matches;
	size_t len, cap;
	int recent;		/* those used last come first */
	int valid;		/* the matches are those for the text */
	unsigned times;		/* that hosts were ranked */
};

/* Finds the host's score, a sum over the words; returns if it matches. */
static int
host_score(struct ranking *r, struct host *host)
{
	const struct query *q = &r->query;
	const struct needle *w;
	int score;

	host->score = FIRST_NUMBER;
	if (q->number != 0 && q->number == host->number)
		return 1;
	host->score = 0;
	for (w = q->words; w < q->words + q->nwords; w++) {
		score = match(w, host->name, NULL);
		if (score != SCORE_NONE) {
			host->score += score + FIELD_NAME;
			continue;
		}
		host_details(r->hosts, host);
		if ((score = match(w, host->addr, NULL)) != SCORE_NONE)
			score += FIELD_ADDR;
		else if ((score = match(w, host->note, NULL)) == SCORE_NONE)
			return 0;
		host->score += score;
	}
	if (r->recent && host->use != 0)
		host->score = FIRST_USED;
	return 1;
}

/* The order of matches: score, what was used last, the file's order. */
static int
match_cmp(const void *a, const void *b)
{
	const struct host *x = *(struct host *const *)a;
	const struct host *y = *(struct host *const *)b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->use != y->use)
		return x->use > y->use ? -1 : 1;
	return (x > y) - (x < y);
}

/* Ranks the hosts for a query, which narrows one that it continues. */
static void
ranking_update(struct ranking *r, const char *text)
{
	struct hosts *h = r->hosts;
	size_t all = h->len + (r->recent ? h->typed : 0), i, n;

	if (r->valid && strcmp(text, r->text) == 0)
		return;
	query_parse(&r->query, text);
	r->matches = grow(r->matches, &r->cap, all + 1, sizeof(*r->matches));
	if (!r->valid || r->query.number != 0 ||
	    strncmp(text, r->text, strlen(r->text)) != 0)
		for (r->len = 0; r->len < all; r->len++)
			r->matches[r->len] = &h->v[r->len];
	for (i = n = 0; i < r->len; i++)
		if (host_score(r, r->matches[i]))
			r->matches[n++] = r->matches[i];
	r->len = n;
	snprintf(r->text, sizeof(r->text), "%s", text);
	r->valid = 1;
	r->times++;
	if (r->query.nwords > 0 || r->recent)
		qsort(r->matches, n, sizeof(*r->matches), match_cmp);
}

/*
 * Whether a query is for ssh as it is: it looks like an address, a line of the
 * configuration has it, or it has a dot and is no part of a listed name.
 */
static int
is_for_ssh(struct hosts *h, const char *query)
{
	struct in_addr addr;
	size_t i;

	if (strpbrk(query, "@:/") != NULL || strcmp(query, "localhost") == 0 ||
	    inet_pton(AF_INET, query, &addr) == 1 ||
	    evaluate(h->config, query, NULL)->pattern)
		return 1;
	if (strchr(query, '.') == NULL || strchr(query, ' ') != NULL)
		return 0;
	for (i = 0; i < h->len && strstr(h->v[i].name, query) == NULL; i++)
		continue;
	return i == h->len;
}

/*
 * Whether each word of the query is in the name or, with WHOLE, is one or more
 * words of it, and has no dot, for then it may be another machine's.
 */
static int
is_in_name(const struct query *q, const struct host *host, int whole)
{
	size_t i;

	for (i = 0; i < q->nwords; i++)
		if (match(&q->words[i], host->name, NULL) == SCORE_NONE ||
		    (whole && (strchr(q->words[i].text, '.') != NULL ||
		    !has_whole_word(&q->words[i], host->name))))
			return 0;
	return q->nwords > 0 && !(whole && q->nwords == WORDS_MAX);
}

/* What a query means, a host or itself; NULL if that is to be asked. */
static const char *
query_meaning(struct ranking *r, const char *query, int whole)
{
	const struct host *host = host_find(r->hosts, query);

	if (host != NULL && host->number > 0)
		return host->name;
	if (is_for_ssh(r->hosts, query))
		return query;
	ranking_update(r, query);
	if (r->len == 0)
		return query;
	return r->len == 1 && is_in_name(&r->query, r->matches[0], whole) ?
	    r->matches[0]->name : NULL;
}

/*
 * Signals and the terminal.  From signals_catch() on, signals that would end or
 * stop wl, and are not ignored, arrive only while it waits: they set `caught',
 * and whoever sees that gives the terminal back and does what they are for.
 */

static const int signals[] = { SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT,
    SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTOU, SIGCONT, SIGWINCH, SIGCHLD };
enum { NSIGNALS = sizeof(signals) / sizeof(signals[0]) };

enum tty_mode { TTY_COOKED, TTY_PROMPT, TTY_SPINNER, TTY_ASK, TTY_SECRET };

static struct {
	int fd;			/* /dev/tty, -1: none */
	int rows, cols;
	struct termios cooked;	/* the mode it was found in */
	enum tty_mode mode;	/* that it was put into, */
	tcflag_t flags;		/* and of that the local ones */
	struct {
		sigset_t mask;
		struct sigaction actions[NSIGNALS];
		int on;
	} saved;		/* the signals, as they were found */
} tty = { .fd = -1 };

static void
on_signal(int signo)
{
	if (signo != SIGWINCH && signo != SIGCHLD && signo != SIGTTOU &&
	    signo != SIGCONT && (caught == 0 || caught == SIGTSTP))
		caught = signo;	/* a stop never hides an end */
}

static void
signals_catch(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct sigaction *old = tty.saved.actions;
	sigset_t set;
	size_t i;

	if (tty.saved.on)
		return;
	tty.saved.on = 1;
	sigemptyset(&sa.sa_mask);	/* several may arrive in one wait */
	sigemptyset(&set);
	for (i = 0; i < NSIGNALS; i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN || signals[i] == SIGCHLD)
			sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &tty.saved.mask);
}

/* Puts the mask back last: what is pending then does what it did before wl. */
static void
signals_restore(void)
{
	size_t i;

	for (i = 0; tty.saved.on && i < NSIGNALS; i++)
		sigaction(signals[i], &tty.saved.actions[i], NULL);
	if (tty.saved.on)
		sigprocmask(SIG_SETMASK, &tty.saved.mask, NULL);
	tty.saved.on = 0;
}

/*
 * Puts the terminal into a mode.  In the spinner's, which leaves ISIG on, what
 * is typed waits for the remote shell; TTY_ASK and TTY_SECRET read a line.
 * TCSADRAIN keeps what was typed ahead; a stopped terminal may never drain.
 */
static void
tty_set(enum tty_mode mode)
{
	struct termios t = tty.cooked;

	if (tty.fd == -1 || tty.mode == mode)
		return;
	if (mode == TTY_ASK || mode == TTY_SECRET) {
		t.c_iflag |= ICRNL;
		t.c_lflag |= ICANON | ISIG | IEXTEN;
		t.c_lflag |= ECHO | ECHOE | ECHOK | ECHONL;
		if (mode == TTY_SECRET)
			t.c_lflag &= (tcflag_t)~(ECHO | ECHOE | ECHOK);
	} else if (mode == TTY_PROMPT || mode == TTY_SPINNER) {
		t.c_lflag &= (tcflag_t)~(ICANON | ECHO | IEXTEN);
		t.c_lflag |= ECHONL;	/* see tty_taken() */
		t.c_iflag &= (tcflag_t)~(ICRNL | INLCR | IGNCR | IXON);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
	}
	if (mode == TTY_PROMPT)
		t.c_lflag &= (tcflag_t)~ISIG;
	tcsetattr(tty.fd, caught ? TCSANOW : TCSADRAIN, &t);
	tty.mode = mode;
	tty.flags = t.c_lflag;
}

/* Whether another process has set a mode: readpassphrase(3) clears ECHONL. */
static int
tty_taken(void)
{
	struct termios t;

	return tty.mode != TTY_COOKED && tcgetattr(tty.fd, &t) == 0 &&
	    ((t.c_lflag ^ tty.flags) & (ICANON | ECHO | ECHONL | ISIG)) != 0;
}

/* Whatever exit there is, the terminal is given back, without the prompt. */
static void
tty_clear(void)
{
	if (tty.mode == TTY_PROMPT)
		(void)!write(tty.fd, "\r\033[J\033[?2004l\033[?25h", 18);
	tty_set(TTY_COOKED);
}

static void
tty_size(void)
{
	struct winsize w = { 0 };

	ioctl(tty.fd, TIOCGWINSZ, &w);
	tty.rows = w.ws_row > 0 ? w.ws_row : 24;
	tty.cols = w.ws_col > 0 ? w.ws_col : 80;
}

/* Opens the terminal; 0 if there is none that select(2) can watch. */
static int
tty_open(void)
{
	if (tty.fd != -1)
		return 1;
	tty.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tcgetattr(tty.fd, &tty.cooked) == -1) {
		close(tty.fd);
		tty.fd = -1;
		return 0;
	}
	atexit(tty_clear);
	tty_size();
	return 1;
}

/* Whether the terminal is one to move the cursor on. */
static int
tty_draws(void)
{
	const char *term = getenv("TERM");

	return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

/*
 * Writes to the terminal or, in pieces that a pipe takes at once, to FD.  While
 * nobody reads there, a signal that ends or stops wl is heard, and what is not
 * taken in a moment then is given up; other signals are left for tty_wait().
 */
static void
write_out(int fd, struct buf *out)
{
	static const struct timespec moment = { 0, 100000000 };
	int ours = fd == tty.fd, flags = fcntl(fd, F_GETFL), ready;
	sigset_t mask = tty.saved.mask;
	size_t done = 0, left;
	ssize_t n;
	fd_set set;

	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGCONT);
	sigaddset(&mask, SIGWINCH);
	if (ours)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while ((left = out->len - done) > 0) {
		FD_ZERO(&set);
		FD_SET(fd, &set);
		ready = pselect(fd + 1, NULL, &set, NULL, caught == 0 ||
		    (!ours && caught == SIGTSTP) ? NULL : &moment, &mask);
		if (ready == 0)
			break;
		if (ready == -1)
			continue;
		n = write(fd, out->v + done, ours || left < _POSIX_PIPE_BUF ?
		    left : _POSIX_PIPE_BUF);
		if (n == -1 && errno != EAGAIN)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (ours)
		fcntl(fd, F_SETFL, flags);
	out->len = 0;
}

/* Waits MS ms, if not negative, for FD, if any: 1, 0 or, after a signal, -1. */
static int
tty_wait(int fd, long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	fd_set set;

	FD_ZERO(&set);
	if (fd != -1)
		FD_SET(fd, &set);
	return pselect(fd + 1, &set, NULL, NULL, ms < 0 ? NULL : &ts,
	    &tty.saved.mask);
}

/* Stops WHO (see suspend) as long as wl is in the background. */
static void
tty_own(pid_t who)
{
	int tries;		/* a job that no shell waits for never stops */

	for (tries = 0; tcgetpgrp(tty.fd) != getpgrp() && tries < 1000; tries++)
		kill(who, SIGTTIN);
}

/* Stops WHO, wl or with 0 its process group as ^Z does, until it goes on. */
static void
suspend(pid_t who)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL }, old;

	tty_set(TTY_COOKED);
	if (caught != SIGTSTP && caught != 0)
		return;		/* the end came meanwhile */
	caught = 0;
	sigaction(SIGTSTP, &dfl, &old);
	kill(who, SIGTSTP);
	tty_wait(-1, 0);	/* it arrives here */
	sigaction(SIGTSTP, &old, NULL);
	if (tty.fd == -1)
		return;
	tty_own(who);
	if (tcgetattr(tty.fd, &tty.cooked) == -1)
		caught = SIGHUP;
	tty_size();
}

/* Ends wl by the signal that was caught. */
static void
die_of(int signo)
{
	tty_set(TTY_COOKED);
	signals_restore();
	signal(signo, SIG_DFL);
	raise(signo);
	exit(128 + signo);
}

/*
 * Keys.  Bytes go in, one at a time, and keys come out: bytes that are none of
 * a sequence, control characters also for keys that do the same, and names for
 * the others.  Sequences that mean nothing are swallowed whole, at any length.
 */

enum key {
	KEY_NONE = 256, KEY_ESC, KEY_HOME, KEY_END, KEY_PGUP, KEY_PGDN,
	KEY_DELETE, KEY_F1, KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_SIGNAL
};
#define CTL(c)		((c) & 0x1f)

enum {
	ESC_MS = 25,		/* how long Esc waits for a sequence */
	SEQUENCE_MS = 500,	/* and the sequence for its end */
};

struct decoder {
	char seq[8];		/* how the sequence that is read begins */
	size_t len;		/* bytes of that, 0: none is read */
	int paste;		/* in a bracketed paste */
	int ahead;		/* bytes that come from before raw mode */
};

/*
 * Sequences by their last byte and the number in them, 0 for any, and 1 for an
 * arrow with Control, Alt or Shift.  The Linux console's F1 has a `[' there.
 */
enum { CONSOLE = -1, ALT = -2 };	/* ALT: ESC and one byte */
static const struct { int final, number, key; } sequences[] = {
	{ '\033', ALT, KEY_ESC }, { 0x7f, ALT, CTL('w') },
	{ CTL('h'), ALT, CTL('w') }, { 'b', ALT, KEY_WORD_LEFT },
	{ 'f', ALT, KEY_WORD_RIGHT }, { 'A', CONSOLE, KEY_F1 },
	{ 'C', 1, KEY_WORD_RIGHT }, { 'D', 1, KEY_WORD_LEFT },
	{ 'A', 0, CTL('p') }, { 'B', 0, CTL('n') }, { 'C', 0, CTL('f') },
	{ 'D', 0, CTL('b') }, { 'H', 0, KEY_HOME }, { 'F', 0, KEY_END },
	{ 'Z', 0, CTL('p') }, { 'P', 0, KEY_F1 },
	{ '~', 1, KEY_HOME }, { '~', 7, KEY_HOME }, { '~', 4, KEY_END },
	{ '~', 8, KEY_END }, { '~', 3, KEY_DELETE }, { '~', 5, KEY_PGUP },
	{ '~', 6, KEY_PGDN }, { '~', 11, KEY_F1 },
};

/* The key whose sequence byte C ends. */
static int
sequence_key(struct decoder *d, int c)
{
	int number = d->len == 1 ? ALT : d->seq[2] == '[' ? CONSOLE :
	    atoi(d->seq + 2);
	size_t i;

	d->len = 0;
	if (c == '~' && (number == 200 || number == 201))
		d->paste = number == 200;
	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (sequences[i].final == c && !d->paste &&
		    (sequences[i].number == number ||
		    (sequences[i].number == 0 && number >= 0)))
			return sequences[i].key;
	return KEY_NONE;
}

/* Takes byte C and returns the key that it completes, or KEY_NONE. */
static int
decode(struct decoder *d, int c)
{
	int kind = d->len > 1 ? (unsigned char)d->seq[1] : 0, ends;

	if ((c == CTL('c') && !d->paste) ||	/* no sequence is a trap */
	    (c == '\033' && d->len > 1) ||
	    (kind >= 0xc0 && (c & 0xc0) != 0x80))	/* Alt and a letter */
		d->len = 0;
	if (d->len <= 1)
		ends = c < 0xc0 && memchr("[O]PX^_", c, 7) == NULL;
	else if (kind == '[' || kind == 'O')
		ends = c >= 0x40 && c <= 0x7e && (c != '[' || d->len > 2);
	else			/* a string, which ESC \ ends as well */
		ends = kind < 0xc0 && c == '\a';
	if (d->len > 0 && ends)
		return sequence_key(d, c);
	if (d->len > 0 || c == '\033') {
		if (d->len + 1 < sizeof(d->seq))
			d->seq[d->len++] = (char)c;
		d->seq[d->len] = '\0';
		return KEY_NONE;
	}
	if (c == CTL('c'))
		d->paste = 0;		/* nor is a paste without an end */
	if (d->paste && (c == '\r' || c == '\n' || c == '\t'))
		return ' ';
	return d->paste && is_control(c) ? KEY_NONE : c;
}

/*
 * Reads the next key, by single bytes: what follows the prompt's last one is
 * for the remote shell.  Esc is a key if no more comes in time; a sequence
 * without its end is given up then.
 */
static int
read_key(struct decoder *d)
{
	int r, alone = d->len == 1;
	unsigned char c;

	if (caught)
		return KEY_SIGNAL;
	r = tty_wait(tty.fd, d->len == 0 ? -1 : alone ? ESC_MS : SEQUENCE_MS);
	if (r == -1)
		return KEY_SIGNAL;
	if (r == 0) {
		d->len = 0;
		return alone && !d->paste ? KEY_ESC : KEY_NONE;
	}
	if (read(tty.fd, &c, 1) != 1)
		return KEY_ESC;		/* the terminal is gone */
	if (d->ahead > 0 && d->ahead-- > 0 && c == '\n')
		c = '\r';
	return decode(d, c);
}

/*
 * ssh's command lines.  Every ssh is run as the user would run it, with the
 * user's options before wl's own, so that they win.  No shell sees any of it,
 * and `--' stands before the host.
 */

/* How the host is reached. */
enum plan {
	PLAN_PLAIN,		/* by ssh alone: nothing is to be shared */
	PLAN_ATTACH,		/* over the master that is there */
	PLAN_MASTER,		/* over one that is started first */
	PLAN_DIRECT,		/* by an ssh that is the master itself */
};

/* Where to connect. */
struct target {
	const struct options *options;
	struct hosts *hosts;
	const char *name;
	const struct given *given;	/* what the inventory says of it */
	const char *const *command;	/* the remote one, ends in NULL */
	struct buf settings;	/* what `ssh -G' prints, each with a NUL */
	struct buf warnings;	/* what it said besides, as any ssh does */
	struct buf socket;	/* the control socket's path */
	struct buf dir;		/* the private directory, if there is one */
	int users;		/* the socket is where the user said */
	enum plan plan;
};

/* Adds words up to a NULL. */
static void
args_add(struct args *a, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, a);
	while ((s = va_arg(ap, const char *)) != NULL)
		arg_add(a, s);
	va_end(ap);
}

/* Adds those of V, which is NULL or ends in one. */
static void
args_append(struct args *a, const char *const *v)
{
	for (; v != NULL && *v != NULL; v++)
		arg_add(a, *v);
}

/* Begins a command line with what the user and the inventory say. */
static void
ssh_args(struct args *a, const struct target *t)
{
	static const char *const keys[] = { "HostName", "User", "Port" };
	const char *file = t->options->file;
	int k;

	a->len = 0;
	args_add(a, "ssh", file != NULL ? "-F" : NULL, file, NULL);
	args_append(a, t->options->ssh.v);
	for (k = 0; t->given != NULL && k < GIVEN_COUNT; k++)
		if (t->given->set[k] != NULL)
			args_add(a, "-o", format("%s=%s", keys[k],
			    t->given->set[k]), NULL);
}

/* Prints a command line as a POSIX shell would take it. */
static void
print_args(const struct args *a)
{
	const char *p, *quote;
	size_t i;

	for (i = 0; i < a->len; i++) {
		p = a->v[i];
		quote = *p == '\0' || p[strspn(p, WORD_CHARS "%+,-./:=@")] !=
		    '\0' ? "'" : "";
		printf("%s%s", i > 0 ? " " : "", quote);
		for (; *p != '\0'; p++)
			if (*p == '\'')
				fputs("'\\''", stdout);
			else
				putchar(*p);
		fputs(quote, stdout);
	}
	putchar('\n');
}

/* Other programs, with signals and terminal as wl found them. */

/* Reports that a program cannot be run; the status that a shell gives it. */
static int
not_run(const char *program, int error)
{
	errno = error;
	warn("%s", program);
	return error == ENOENT ? 127 : 126;
}

/* Becomes another program; the status to end with if it cannot be run. */
static int
become(const struct args *a)
{
	tty_set(TTY_COOKED);
	if (caught)
		raise(caught);	/* blocked: it arrives with the mask */
	signals_restore();
	execvp(a->v[0], (char *const *)a->v);
	return not_run(a->v[0], errno);
}

/*
 * Starts a program with the standard descriptors FDS (-1: /dev/null) and, if it
 * is to have one, a process group of its own, which must be able to stop.  Ends
 * wl if it cannot be started.
 */
static pid_t
spawn(const struct args *a, char *const env[], const int fds[3], int group)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t stops;
	pid_t pid;
	int i, error;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &stops);
	posix_spawnattr_setsigmask(&attr, &tty.saved.mask);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, (short)(
	    (tty.saved.on ? POSIX_SPAWN_SETSIGMASK : 0) |
	    (group ? POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF : 0)));
	posix_spawn_file_actions_init(&actions);
	for (i = 0; i < 3; i++)
		if (fds[i] != -1)
			posix_spawn_file_actions_adddup2(&actions, fds[i], i);
		else
			posix_spawn_file_actions_addopen(&actions, i,
			    "/dev/null", O_RDWR, 0);
	error = posix_spawnp(&pid, a->v[0], &actions, &attr,
	    (char *const *)a->v, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (error != 0) {
		tty_set(TTY_COOKED);
		exit(not_run(a->v[0], error));
	}
	return pid;
}

/* Waits for a child; its status as a shell would give it. */
static int
wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == -1)
		return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs a command in the foreground, as a shell does. */
static void
run_job(const struct args *a)
{
	const int fds[3] = { tty.fd, tty.fd, tty.fd };
	int status = 0;
	pid_t pid;

	tty_set(TTY_COOKED);
	pid = spawn(a, environ, fds, 1);
	do {
		tcsetpgrp(tty.fd, pid);	/* SIGTTOU is blocked */
		kill(-pid, SIGCONT);
		(void)waitpid(pid, &status, WUNTRACED);
		tcsetpgrp(tty.fd, getpgrp());
		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP)
			suspend(0);
	} while (WIFSTOPPED(status));
	tty_size();
}

/* The editor on a host's entry, or 0; the shell takes $EDITOR's words apart. */
static int
editor_args(struct args *a, const struct host *host)
{
	if (host->file == NULL)
		return 0;
	args_add(a, "sh", "-c", "exec ${VISUAL:-${EDITOR:-vi}} \"$@\"", "sh",
	    format("+%u", host->line), host->file, NULL);
	return 1;
}

/*
 * The control socket.  It lies in a directory that is ours and closed to all
 * others, because ssh hands the terminal to whoever listens on it, and its
 * name tells apart all that ssh -G tells apart.
 */

enum {
	BIND_EXTRA = 17,	/* ssh binds the path plus this much first */
	HASH_LEN = 17,		/* of `-' and 64 bits in hexadecimal */
	OUTPUT_MAX = 1 << 20,	/* bytes taken from an ssh */
	SOCKET_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) -
	    BIND_EXTRA - 1,	/* bytes of a path */
	STALE_S = 60,		/* a dead socket this old is removed */
	IDLE_S = 10,		/* a connection is believed in for so long, */
	ANSWER_MS = 3000,	/* and then has so long to answer */
};

/* Appends a name as a socket's label, cut to fit, with nothing ssh expands. */
static void
put_label(struct buf *out, const char *name, size_t dir)
{
	size_t from = out->len, room = SOCKET_MAX - HASH_LEN - 1 - dir;
	char *p;

	buf_add(out, name, strnlen(name, room));
	for (p = out->v + from; *p != '\0'; p++)
		if (strchr(WORD_CHARS "-.", *p) == NULL ||
		    (*p == '.' && p == out->v + from))
			*p = '_';
}

/*
 * Finds the private directory, ours, no link and closed: in shared memory, on
 * Linux, where the session's files go, or in /tmp.  With MAKE it is made, and
 * what is there but will not do is reported.  DIR is empty if there is none.
 */
static void
dir_find(struct buf *dir, int make)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int i, warned = 0;

	if (run == NULL || *run != '/' || strpbrk(run, "%$\"'\\*?[ \t\n") ||
	    strlen(run) > SOCKET_MAX - 2 * HASH_LEN || stat(run, &st) == -1 ||
	    st.st_uid != getuid() || (st.st_mode & 022) != 0)
		run = NULL;	/* whoever owns it could change what is there */
	for (i = 0; i < 3; i++) {
		dir->len = 0;
		if (i == 1 && run == NULL)
			continue;
		if (i == 1)
			buf_fmt(dir, "%s/wl", run);
		else
			buf_fmt(dir, "%s/wl-%ld", i == 0 ? "/dev/shm" : "/tmp",
			    (long)getuid());
		if ((!make || mkdir(dir->v, 0700) == 0 || errno == EEXIST) &&
		    lstat(dir->v, &st) == 0) {
			errno = EPERM;
			if (S_ISDIR(st.st_mode) && st.st_uid == getuid() &&
			    (st.st_mode & 077) == 0 && !access(dir->v, W_OK))
				return;
		}
		if (make && errno != ENOENT && !warned++)
			warnx("%s: %s", dir->v, errno == EPERM ?
			    "not a private directory" : strerror(errno));
	}
	dir->len = 0;
}

/* A Unix socket and the address of PATH; -1 if that is too long. */
static int
unix_socket(struct sockaddr_un *sun, const char *path, int type)
{
	int fd;

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path))
		return -1;
	memcpy(sun->sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, type, 0)) != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/*
 * Whether somebody listens on the socket.  A master whose socket is connected
 * to lives for another ControlPersist, so it is asked for with a socket of
 * another type, which the system refuses in another way if nobody does.
 */
static int
socket_listens(const char *path)
{
	struct sockaddr_un sun;
	int fd = unix_socket(&sun, path, SOCK_DGRAM), listens;

	listens = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 &&
	    errno == EPROTOTYPE;
	close(fd);
	return listens;
}

/* wl's own control sockets. */
struct sockets {
	struct buf dir;
	struct args live;	/* those with a master */
};

/* Finds them, and removes what was left there, by a kill, long ago. */
static void
sockets_find(struct sockets *s)
{
	char *pattern, **path;
	struct stat st;
	glob_t found;

	s->live.len = 0;
	dir_find(&s->dir, 0);
	pattern = format("%s/*", s->dir.v);
	if (s->dir.len == 0 || glob(pattern, 0, NULL, &found) != 0)
		return;
	for (path = found.gl_pathv; *path != NULL; path++) {
		if (!socket_listens(*path)) {
			if (lstat(*path, &st) == 0 &&
			    st.st_mtime + STALE_S < time(NULL))
				unlink(*path);
		} else if (fnmatch("*-????????????????",
		    *path + s->dir.len + 1, 0) == 0) {
			arg_add(&s->live, *path);
		}
	}
}

/* Whether a host has a live master there. */
static int
is_open(const struct sockets *s, const char *name)
{
	struct buf path = { NULL, 0, 0 };
	int found = 0;
	size_t i;

	buf_fmt(&path, "%s/", s->dir.v);
	put_label(&path, name, s->dir.len);
	buf_str(&path, "-????????????????");
	for (i = 0; i < s->live.len; i++)
		found |= fnmatch(path.v, s->live.v[i], 0) == 0;
	free(path.v);
	return found;
}

/*
 * Reachability tests.  While the prompt goes on, a child for each address and
 * port waits for ssh's banner and ends with what it has found.  An sshd counts
 * those who connect and do not log in, and may refuse them for a while: so an
 * answer is good for PROBE_MS, and for all hosts of that address.
 */

enum { PROBE_S = 3, PROBE_MS = 10000 };

enum {
	FOUND_SSH, FOUND_PENALTY, FOUND_CROWD, FOUND_OTHER, FOUND_NO_NAME,
	FOUND_REFUSED, FOUND_CLOSED, FOUND_NO_WAY, FOUND_NOTHING, FINDINGS
};

static const char *const findings[FINDINGS] = {
	"SSH-", "Not allowed at this time", "Exceeded MaxStartups", /* sshd's */
	"no ssh there", "unknown name", "refused", "closed", "unreachable",
	"no answer",
};

struct probe {
	struct probe *next;
	char *name, *port;	/* no number: what ssh goes through instead */
	long long begun;
	pid_t pid;		/* of the child, 0: has ended */
	char text[32];		/* what is known, "" if nothing */
};

/* The child: ends with what is at the first address that answers. */
static void
probe_child(const struct probe *one)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai = NULL;
	int found = FOUND_NO_NAME, fd;
	char banner[256] = "";

	signals_restore();
	signal(SIGALRM, SIG_DFL);
	alarm(PROBE_S);
	(void)getaddrinfo(one->name, one->port, &hints, &ai);
	for (; ai != NULL && found >= FOUND_NO_NAME; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (fd == -1 || connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)
			found = errno == ECONNREFUSED ? FOUND_REFUSED :
			    FOUND_NO_WAY;
		else if (read(fd, banner, sizeof(banner) - 1) <= 0)
			found = FOUND_CLOSED;
		else
			for (found = FOUND_SSH; found < FOUND_OTHER &&
			    strstr(banner, findings[found]) == NULL; found++)
				continue;
	}
	_exit(found);
}

/* Tests a host's address, unless what was found last is still good. */
static void
probe_start(struct probe **tests, struct hosts *h, struct host *host)
{
	const struct values *v = evaluate(h->config, host->name, host->given);
	const char *port = v->set[V_PORT], *command = v->set[V_COMMAND];
	struct probe *one;

	if (*v->set[V_JUMP] != '\0')
		port = "";	/* the row tells it anyway */
	else if (command != NULL && strcmp(command, "none") != 0)
		port = "via ProxyCommand";
	for (one = *tests; one != NULL && (strcmp(one->name, v->name.v) != 0 ||
	    strcmp(one->port, port) != 0); one = one->next)
		continue;
	if (one == NULL) {
		one = zeros(1, sizeof(*one));
		one->name = format("%s", v->name.v);
		one->port = format("%s", port);
		one->next = *tests;
		*tests = one;
	}
	host->test = one;
	if (*one->text != '\0' && now_ms() - one->begun < PROBE_MS)
		return;
	one->begun = now_ms();
	if (is_digit(*port) && (one->pid = fork()) == 0)
		probe_child(one);
	snprintf(one->text, sizeof(one->text), "%s", one->pid > 0 ? "..." :
	    one->pid == -1 ? "not tested" : port);
}

/* Takes what those children have found that have ended. */
static void
probes_news(struct probe *one)
{
	int status, found;

	for (; one != NULL; one = one->next) {
		if (one->pid <= 0 ||
		    waitpid(one->pid, &status, WNOHANG) != one->pid)
			continue;
		one->pid = 0;
		found = WIFEXITED(status) && WEXITSTATUS(status) < FINDINGS ?
		    WEXITSTATUS(status) : FOUND_NOTHING;
		snprintf(one->text, sizeof(one->text), "%lld ms",
		    now_ms() - one->begun);
		if (found != FOUND_SSH)
			snprintf(one->text, sizeof(one->text), "%s",
			    findings[found]);
	}
}

/* Ends the tests that still run. */
static void
probes_end(struct probe *one)
{
	for (; one != NULL; one = one->next)
		if (one->pid > 0) {
			kill(one->pid, SIGKILL);
			wait_for(one->pid);
			one->pid = 0;
			one->text[0] = '\0';
		}
}

/*
 * The prompt: a line with the query and below it the best matches.  It is
 * drawn below the cursor, without absolute positions, and is gone afterwards.
 * A frame is one write and holds only the lines that changed.
 */

enum {
	ROWS_MAX = 10,		/* rows of hosts shown */
	NARROW = 24,		/* columns below which every blank counts */
};

struct prompt {
	struct ranking rank;
	struct decoder decoder;
	char query[QUERY_MAX];
	size_t len, cursor;	/* bytes of it, and before the cursor */
	struct host **rows;	/* matches, but one of a host's aliases only */
	size_t nrows, caprows;
	unsigned times;		/* the ranking's that these are for */
	size_t sel, top;	/* the selected row, the first one shown */
	size_t room;		/* for rows, below the query */
	struct buf lines[ROWS_MAX + 1];	/* what the screen shows */
	struct buf line, out;	/* a line, and a frame, that are being made */
	struct buf text, state;	/* fields of a line */
	int gap, name, addr, jump;	/* columns: between fields, of fields */
	int col;		/* the columns that the row has so far */
	unsigned found;		/* bits of the words that a field has taken */
	size_t height;		/* lines that are there to be drawn on */
	int column;		/* where the cursor belongs in the first */
	int help;		/* the keys are shown instead of the hosts */
	struct probe *tests;	/* of all addresses */
	struct sockets sockets;
	char message[128];	/* shown in place of the count, until a key */
	const struct options *options;
};

static const char help_lines[ROWS_MAX][48] = {
	"type to filter: words, or a number",
	"Enter connect   Esc ^C leave   ^Z stop",
	"Up Down ^P ^N Tab PgUp PgDn Home End",
	"^A ^E ^B ^F     move in the query; Alt: words",
	"^U ^W ^K        delete: before, word, after",
	"^R recently used hosts   ^X forget one",
	"^T test which hosts answer",
	"^Y copy HostName   ^O edit the entry",
	"^L draw again",
};

/* The query's one word, if ssh may take it for a destination, or NULL. */
static const char *
query_destination(const struct prompt *p)
{
	const char *s = p->rank.query.words[0].text;

	return p->rank.query.nwords == 1 && is_destination(s +
	    (strncmp(s, "ssh://", 6) == 0 ? 6 : 0)) ? s : NULL;
}

/*
 * Ranks the hosts.  Names of one Host line that lead to the same address, as
 * far as they follow each other, share the row of the one that matches best.
 */
static void
prompt_rank(struct prompt *p)
{
	struct hosts *h = p->rank.hosts;
	struct host *host, *first = h->v;
	size_t i;

	ranking_update(&p->rank, p->query);
	if (p->times == p->rank.times)
		return;
	p->times = p->rank.times;
	for (i = 0; i < h->len && h->v[i].first == 0; i++) {
		host = &h->v[i];
		if (host->given != NULL || host->file != first->file ||
		    host->line != first->line ||
		    strcmp(host_leads(h, host), host_leads(h, first)) != 0)
			first = host;
		host->first = first->number;
	}
	p->rows = grow(p->rows, &p->caprows, p->rank.len + 1, sizeof(*p->rows));
	for (p->nrows = i = 0; i < p->rank.len; i++) {
		host = p->rank.matches[i];
		first = host->first != 0 ? &h->v[host->first - 1] : host;
		if (first->times != p->times)
			p->rows[p->nrows++] = host;
		first->times = p->times;
	}
}

/* Puts a host's other names, of many the first few, into p->text. */
static void
put_aliases(struct prompt *p, const struct host *host)
{
	const struct hosts *h = p->rank.hosts;
	size_t i = host->first;

	p->text.len = 0;
	buf_str(&p->text, "");
	for (; i > 0 && i <= h->len && h->v[i - 1].first == host->first &&
	    p->text.len < MATCH_MAX; i++)
		if (i != host->number)
			buf_fmt(&p->text, " %s", h->v[i - 1].name);
}

/* Finds the columns for the rows that are shown. */
static void
measure(struct prompt *p)
{
	size_t i, last = p->top + p->room;
	int n, name = 0, addr = 0;
	struct host *host;

	for (i = p->top; i < p->nrows && i < last; i++) {
		host = p->rows[i];
		host_details(p->rank.hosts, host);
		put_aliases(p, host);
		n = text_width(host->name) + text_width(p->text.v);
		name = n > name ? n : name;
		n = text_width(host->addr);
		addr = n > addr ? n : addr;
	}
	if (tty.cols >= NARROW && name > (tty.cols - 4) / 2)
		name = (tty.cols - 4) / 2;
	p->gap = tty.cols < NARROW ? 1 : 2;
	p->name = 2 * p->gap + snprintf(NULL, 0, "%zu", p->rank.hosts->len);
	p->addr = p->name + name + 2;
	p->jump = p->addr + (addr > 0 ? addr + 2 : 0);
}

/*
 * Appends S to the row, from column LEFT to END at most.  If LEFT is 0, that is
 * behind the address, in line with other rows unless S is too long.  Where it
 * is searched, letters of words that no field before has are underlined.
 */
static void
put_field(struct prompt *p, const char *s, int searched, int left, int end)
{
	const struct query *q = &p->rank.query;
	char hit[MATCH_MAX] = { 0 };
	size_t i;

	for (i = 0; searched && i < q->nwords; i++)
		if ((p->found & 1U << i) == 0 &&
		    match(&q->words[i], s, hit) != SCORE_NONE)
			p->found |= 1U << i;
	if (left == 0) {
		left = end - text_width(s);
		left = left < p->jump ? left : p->jump;
		left = left > p->col + 2 ? left : p->col + 2;
	}
	if (*s == '\0' || left >= end)
		return;
	buf_fmt(&p->line, "%*s", left - p->col, "");
	p->col = left + put_text(&p->line, s, end - left, hit);
}

/* Makes row I.  Its state is never cut for the other fields. */
static void
put_row(struct prompt *p, size_t i)
{
	struct host *host = p->rows[i];
	const char *test = host->test != NULL ? host->test->text : "";
	int chosen = i == p->sel, edge = tty.cols - 1, left, end;
	char when[32] = "";

	if (p->rank.recent && host->use != 0)
		ago(host->used, when, sizeof(when));
	p->state.len = 0;
	buf_fmt(&p->state, "%s%s%s%s%s",
	    is_open(&p->sockets, host->name) ? "  * open" : "",
	    *test != '\0' ? "  " : "", test, *when != '\0' ? "  " : "", when);
	end = edge - text_width(p->state.v);
	/* with a precision of 0, the number 0 has no digit */
	buf_fmt(&p->line, "%s%*.0u%*s", chosen ? "\033[7m>" : " ",
	    p->name - p->gap - 1, host->number, p->gap, "");
	p->col = p->name;
	p->found = 0;
	left = p->addr - 2 < edge ? p->addr - 2 : edge;
	put_field(p, host->name, 1, p->name, left);
	buf_str(&p->line, chosen ? "" : "\033[2m");
	put_aliases(p, host);
	put_field(p, p->text.v, 0, p->col, left);
	put_field(p, host->addr, 1, p->addr, end);
	p->text.len = 0;
	buf_fmt(&p->text, "via %s", host->jump);
	if (*host->jump != '\0' && p->col + 6 <= end)
		put_field(p, p->text.v, 0, 0, end);
	put_field(p, p->state.v + strspn(p->state.v, " "), 0, 0, edge);
	put_field(p, host->note, 1, 0, edge);
	buf_str(&p->line, "\033[m");
}

/* Makes the query's line: of a long one the part with the cursor in it. */
static void
put_query(struct prompt *p)
{
	const struct hosts *h = p->rank.hosts;
	const char *keys = p->len == 0 && tty.cols >= NARROW ? "? keys  " : "";
	int room = tty.cols > 4 ? tty.cols - 4 : 0, col, n;
	char before[QUERY_MAX];
	size_t start = 0;

	snprintf(before, sizeof(before), "%.*s", (int)p->cursor, p->query);
	while (text_width(before + start) > room)
		start += char_len(before + start, p->cursor - start, &n);
	p->column = 2 + text_width(before + start);
	buf_str(&p->line, "> ");
	col = 2 + put_text(&p->line, p->query + start, room + 1, NULL);
	p->text.len = 0;
	buf_str(&p->text, p->message);
	if (p->text.len == 0)
		buf_fmt(&p->text, "%s%zu/%zu", keys, p->rank.len,
		    h->len + (p->rank.recent ? h->typed : 0));
	n = text_width(p->text.v);
	if (col + 1 + n < tty.cols) {
		buf_fmt(&p->line, "\033[K\033[%dG\033[2m", tty.cols - n);
		put_text(&p->line, p->text.v, n, NULL);
		buf_str(&p->line, "\033[m");
	}
}

/* Makes the row behind the matches: the query itself, or why none match. */
static void
put_last(struct prompt *p)
{
	int chosen = p->nrows > 0 && p->sel == p->nrows;
	const struct options *o = p->options;

	p->text.len = 0;
	if (query_destination(p) != NULL)
		buf_fmt(&p->text, "%sssh %s", chosen ? "> " : "  ", p->query);
	else if (p->rank.len > 0)
		return;
	else if (p->rank.query.nwords > 0)
		buf_str(&p->text, "  no match");
	else
		buf_fmt(&p->text, "  no %s in %s",
		    o->inventory != NULL ? "hosts" : "Host entries",
		    o->inventory != NULL ? o->inventory :
		    o->file != NULL ? o->file : "~/.ssh/config");
	buf_str(&p->line, chosen ? "\033[7m" : "");
	put_text(&p->line, p->text.v, tty.cols - 1, NULL);
	buf_str(&p->line, chosen ? "\033[m" : "");
}

/* Moves the window so far that the selected row is in it, and it is full. */
static void
prompt_scroll(struct prompt *p)
{
	size_t rows = p->nrows + (query_destination(p) != NULL);

	p->room = tty.rows > ROWS_MAX ? ROWS_MAX : (size_t)tty.rows - 1;
	if (p->sel >= rows)
		p->sel = rows > 0 ? rows - 1 : 0;
	if (p->sel < p->top)
		p->top = p->sel;
	if (p->sel >= p->top + p->room)
		p->top = p->sel - p->room + 1;
	if (p->top + p->room > rows)
		p->top = rows > p->room ? rows - p->room : 0;
}

/* Draws a frame; the cursor is on the query's line before and after it. */
static void
prompt_draw(struct prompt *p)
{
	size_t i, at = 0, row;

	prompt_rank(p);
	prompt_scroll(p);
	measure(p);
	buf_str(&p->out, p->height > 0 ? "\033[?25l" : "\033[?25l\033[?2004h");
	for (i = 0; i <= p->room; i++) {
		p->line.len = 0;
		buf_str(&p->line, "");
		row = p->top + i - 1;
		if (i == 0)
			put_query(p);
		else if (p->help)
			put_text(&p->line, help_lines[i - 1], tty.cols - 1,
			    NULL);
		else if (row < p->nrows)
			put_row(p, row);
		else if (row == p->nrows)
			put_last(p);
		if (i < p->height ? strcmp(p->lines[i].v, p->line.v) == 0 :
		    p->line.len == 0)
			continue;
		for (; at < i; at++)
			buf_str(&p->out, "\r\n");
		buf_fmt(&p->out, "\r%s\033[K", p->line.v);
		p->lines[i].len = 0;
		buf_str(&p->lines[i], p->line.v);
		if (p->height <= i)
			p->height = i + 1;
	}
	if (at > 0)
		buf_fmt(&p->out, "\033[%zuA", at);
	buf_fmt(&p->out, "\r\033[%dC\033[?25h", p->column);
	write_out(tty.fd, &p->out);
}

/* Takes it all off the screen.  A resize may have wrapped the query's line. */
static void
prompt_erase(struct prompt *p)
{
	if (p->height > 0 && p->column >= tty.cols)
		buf_fmt(&p->out, "\033[%dA", p->column / tty.cols);
	if (p->height > 0)
		buf_str(&p->out, "\r\033[J\033[?2004l\033[?25h");
	write_out(tty.fd, &p->out);
	p->height = 0;
}

/* Replaces the query's bytes from FROM to TO, unless it gets too long. */
static void
query_change(struct prompt *p, size_t from, size_t to, const char *s, size_t n)
{
	if (p->len - (to - from) + n >= sizeof(p->query))
		return;
	memmove(p->query + from + n, p->query + to, p->len - to + 1);
	memcpy(p->query + from, s, n);
	p->len = p->len - (to - from) + n;
	p->cursor = from + n;
}

/* Applies a key that moves or takes away, or text; 0 if it is none of these. */
static int
query_key(struct prompt *p, int key)
{
	enum { START, WORD, LETTER, HERE, NEXT_LETTER, NEXT_WORD, END };
	static const struct { int key, from, to; } edits[] = {
		{ CTL('a'), START, START }, { CTL('e'), END, END },
		{ CTL('b'), LETTER, LETTER }, { KEY_WORD_LEFT, WORD, WORD },
		{ CTL('f'), NEXT_LETTER, NEXT_LETTER },
		{ KEY_WORD_RIGHT, NEXT_WORD, NEXT_WORD },
		{ CTL('h'), LETTER, HERE }, { 0x7f, LETTER, HERE },
		{ CTL('d'), HERE, NEXT_LETTER },
		{ KEY_DELETE, HERE, NEXT_LETTER }, { CTL('u'), START, HERE },
		{ CTL('w'), WORD, HERE }, { CTL('k'), HERE, END },
	};
	const char *q = p->query;
	size_t n = p->cursor, at[] = { 0, n, n, n, n, n, p->len }, i;
	char c = (char)key;

	while (at[WORD] > 0 && q[at[WORD] - 1] == ' ')
		at[WORD]--;
	while (at[WORD] > 0 && q[at[WORD] - 1] != ' ')
		at[WORD]--;
	while (at[LETTER] > 0 && (q[--at[LETTER]] & 0xc0) == 0x80)
		continue;
	while (at[NEXT_LETTER] < p->len &&
	    (q[++at[NEXT_LETTER]] & 0xc0) == 0x80)
		continue;
	at[NEXT_WORD] += strspn(q + n, " ");
	at[NEXT_WORD] += strcspn(q + at[NEXT_WORD], " ");
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		if (edits[i].key == key) {
			query_change(p, at[edits[i].from], at[edits[i].to],
			    "", 0);
			return 1;
		}
	if (key >= KEY_NONE || is_control(key))
		return 0;
	query_change(p, n, n, &c, c != ' ' || n > 0);
	return 1;
}

/* A signal, or what stands for one: comes back when wl is to go on. */
static void
prompt_signal(struct prompt *p)
{
	int signo = caught, rows = tty.rows, cols = tty.cols;

	if (signo != 0)
		prompt_erase(p);
	if (signo == SIGTSTP) {
		suspend(0);
	} else if (signo != 0) {
		probes_end(p->tests);
		die_of(signo);
	}
	tty_size();
	if (tty_taken())	/* after a SIGSTOP, by the shell */
		tty.mode = TTY_COOKED;
	if (tty.mode == TTY_COOKED || rows != tty.rows || cols != tty.cols)
		prompt_erase(p);
}

/* ^Y: gives the host's HostName to the clipboard: OSC 52, in base 64. */
static void
prompt_copy(struct prompt *p, struct host *host)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *name = evaluate(p->rank.hosts->config, host->name,
	    host->given)->name.v;
	const unsigned char *s = (const unsigned char *)name;
	size_t n = strlen(name), i, at;

	buf_str(&p->out, "\033]52;c;");
	for (i = 0; i < (n + 2) / 3 * 4; i++) {	/* six bits, in two bytes */
		at = i * 6 / 8;
		buf_add(&p->out, at >= n ? "=" : &digits[(s[at] << 8 |
		    s[at + 1]) >> (10 - i * 6 % 8) & 63], 1);
	}
	buf_str(&p->out, "\a");
	snprintf(p->message, sizeof(p->message), "copied %s", name);
}

/* ^O: the editor on the host's entry; then the list is read again. */
static void
prompt_edit(struct prompt *p, struct host *host)
{
	struct args a = { NULL, 0, 0 };

	if (!editor_args(&a, host)) {
		snprintf(p->message, sizeof(p->message), "not in a file");
		return;
	}
	prompt_erase(p);
	probes_end(p->tests);
	run_job(&a);
	hosts_read(p->rank.hosts, p->options);
	p->sel = p->top = 0;
	p->rank.valid = 0;
}

/* Applies a key that is for the list of matches. */
static void
list_key(struct prompt *p, int key)
{
	size_t page = p->room > 1 ? p->room - 1 : 1, i;
	struct host *host = p->sel < p->nrows ? p->rows[p->sel] : NULL;

	if (key == CTL('p')) {
		p->sel -= p->sel > 0;
	} else if (key == CTL('n') || key == CTL('j') || key == CTL('i')) {
		p->sel++;
	} else if (key == KEY_PGUP) {
		p->sel -= page < p->sel ? page : p->sel;
		p->top -= page < p->top ? page : p->top;
	} else if (key == KEY_PGDN) {
		p->sel += page;
		p->top += page;
	} else if (key == KEY_HOME || key == KEY_END) {
		p->sel = key == KEY_HOME ? 0 : p->nrows;
	} else if (key == CTL('t')) {
		for (i = p->top; i < p->nrows && i < p->top + p->room; i++)
			probe_start(&p->tests, p->rank.hosts, p->rows[i]);
	} else if (key == CTL('r') && p->rank.hosts->last == NULL) {
		snprintf(p->message, sizeof(p->message), "nothing used yet");
	} else if (key == CTL('r')) {
		p->rank.recent = !p->rank.recent;
		p->rank.valid = 0;
		p->sel = p->top = 0;
	} else if (key == CTL('o') && host != NULL) {
		prompt_edit(p, host);
	} else if (key == CTL('x') && host != NULL && p->rank.recent &&
	    host->use != 0) {
		recent_write(host->name, 1);
		recent_read(p->rank.hosts);
		p->rank.valid = 0;
	} else if (key == CTL('y') && host != NULL) {
		prompt_copy(p, host);
	}
	prompt_scroll(p);
}

/* Applies a key; *CHOSEN is what was chosen.  Returns 1 when that is all. */
static int
prompt_key(struct prompt *p, int key, const char **chosen)
{
	size_t len = p->len;

	if (p->help && key != CTL('c'))
		key = KEY_NONE;		/* it only ends the help */
	else if (key == CTL('d') && p->len == 0)
		key = KEY_ESC;
	else if (key == CTL('k') && p->cursor == p->len)
		key = CTL('p');
	else if (key == '?' && p->len == 0 && !p->decoder.paste)
		key = KEY_F1;
	p->message[0] = '\0';
	p->help = key == KEY_F1;
	if (key == KEY_ESC)
		return 1;
	if (key == CTL('c') || key == CTL('z')) {
		caught = key == CTL('c') ? SIGINT : SIGTSTP;
	} else if (key == CTL('l')) {
		prompt_erase(p);
	} else if (!query_key(p, key)) {
		prompt_rank(p);
		if (key != '\r')
			list_key(p, key);
		else if (p->sel < p->nrows)
			*chosen = p->rows[p->sel]->name;
		else
			*chosen = query_destination(p);
	} else if (p->len != len) {
		p->sel = p->top = 0;
	}
	return *chosen != NULL;
}

/* Lets the user choose; NULL if nothing was chosen. */
static const char *
prompt_run(struct prompt *p)
{
	struct hosts *h = p->rank.hosts;
	const char *chosen = NULL;
	int key, over = 0, waiting;

	signals_catch();
	sockets_find(&p->sockets);
	while (!over) {
		if (tty.mode != TTY_PROMPT) {
			/* Enter was a line feed until then, which is ^J */
			tty_set(TTY_PROMPT);
			ioctl(tty.fd, FIONREAD, &p->decoder.ahead);
		}
		waiting = 0;
		ioctl(tty.fd, FIONREAD, &waiting);
		if (p->height == 0 || (waiting == 0 && !caught))
			prompt_draw(p);
		/* a first letter wants them all: while none is typed */
		while (waiting == 0 && h->ready < h->len) {
			host_details(h, &h->v[h->ready++]);
			ioctl(tty.fd, FIONREAD, &waiting);
		}
		key = read_key(&p->decoder);
		if (key == KEY_SIGNAL) {
			prompt_signal(p);
			probes_news(p->tests);
		} else if (key != KEY_NONE) {
			over = prompt_key(p, key, &chosen);
		}
	}
	probes_end(p->tests);
	prompt_erase(p);
	tty_set(TTY_COOKED);
	return chosen;
}

/*
 * The plain prompt, where nothing can be drawn: prints the list, or the
 * matches, and reads a line until it says which one is meant, or nothing.
 */
static int
plain_read(struct prompt *p)
{
	char line[4096], *s;	/* as long as a terminal takes */
	ssize_t n;

	for (;;) {
		buf_str(&p->out, "host: ");
		write_out(tty.fd, &p->out);
		while (!caught && tty_wait(tty.fd, -1) == -1)
			continue;
		if (!caught)
			break;
		if (caught != SIGTSTP)
			die_of(caught);
		suspend(getpid());
	}
	for (n = read(tty.fd, line, sizeof(line) - 1); n > 0 &&
	    is_blank(line[n - 1]); n--)
		continue;
	line[n > 0 ? n : 0] = '\0';
	s = skip_blanks(line);
	if (strlen(s) >= sizeof(p->query))
		return 0;
	query_change(p, 0, p->len, s, strlen(s));
	return *s != '\0';
}

static const char *
plain_run(struct prompt *p)
{
	struct ranking *r = &p->rank;
	const char *name;
	size_t i;

	signals_catch();
	for (;;) {
		ranking_update(r, p->query);
		for (i = 0; i < r->len; i++)
			buf_fmt(&p->out, "%u %s\n", r->matches[i]->number,
			    printable(r->matches[i]->name));
		if (!plain_read(p))
			return NULL;
		ranking_update(r, p->query);
		if (r->query.number != 0 && r->len == 0)
			buf_str(&p->out, "no such number\n");
		else if (r->query.number != 0 &&
		    r->matches[0]->number == r->query.number)
			return r->matches[0]->name;
		else if ((name = query_meaning(r, p->query, 0)) != NULL)
			break;
	}
	if (strcmp(name, p->query) != 0 && !p->options->flag['p'])
		warnx("%s: %s", printable(p->query), printable(name));
	return name;
}

/* The chosen host's settings, as `ssh -G' prints them: ssh alone decides. */

/* The value of a setting, "" if it is not printed. */
static const char *
setting(const struct target *t, const char *key)
{
	const char *p = t->settings.v;
	size_t n = strlen(key);

	for (; *p != '\0'; p += strlen(p) + 1)
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return p + n + 1;
	return "";
}

static int
setting_is(const struct target *t, const char *key, const char *value)
{
	return strcmp(setting(t, key), value) == 0;
}

/* What is to be done when a signal has ended ssh. */
static void
ended_by(int signo)
{
	if (signo == SIGINT || signo == SIGQUIT || signo == SIGHUP) {
		/* a key's signal, or the terminal's: for all of us */
		kill(0, signo);
		die_of(signo);
	}
	warnx("ssh: ended by signal %d", signo);
}

/* Runs ssh for its output; returns its status, -1 after MS ms of silence. */
static int
ssh_output(const struct args *a, struct buf *out, int errors, long ms)
{
	int pipefd[2], fds[3] = { -1, -1, errors }, ready, status;
	char chunk[4096];
	long long until = now_ms() + ms;
	ssize_t n = 1;
	pid_t pid;

	if (pipe(pipefd) == -1)
		err(2, "pipe");
	fcntl(pipefd[0], F_SETFD, FD_CLOEXEC);
	fcntl(pipefd[1], F_SETFD, FD_CLOEXEC);
	fds[1] = pipefd[1];
	pid = spawn(a, environ, fds, 0);
	close(pipefd[1]);
	while (n > 0) {
		if (ms >= 0)
			ms = until > now_ms() ? (long)(until - now_ms()) : 0;
		ready = tty_wait(pipefd[0], ms);
		if (ready > 0 && out->len < OUTPUT_MAX && ms != 0) {
			n = read(pipefd[0], chunk, sizeof(chunk));
			buf_add(out, chunk, n > 0 ? (size_t)n : 0);
		} else if (caught == SIGTSTP) {
			suspend(getpid());
			kill(pid, SIGCONT);
		} else if (caught || ready >= 0) {
			kill(pid, SIGTERM);
			kill(pid, SIGCONT);
			break;
		}
	}
	close(pipefd[0]);
	status = wait_for(pid);
	if (caught && caught != SIGTSTP)
		die_of(caught);
	return ready == 0 ? -1 : status;
}

/* Asks ssh, once, whether a criterion holds; -1: it does not know that one. */
static int
ssh_decides(const char *name, const char *arg)
{
	static struct args asked;	/* each followed by the answer */
	struct args a = { NULL, 0, 0 };
	struct buf said = { NULL, 0, 0 };
	char *one;
	size_t i;

	if (strlen(arg) > ADDR_MAX || strpbrk(arg, "\"\\") != NULL)
		return -1;	/* nothing else is to follow it */
	one = format("Match %s \"%s\"\nPort 1\n", name, arg);
	for (i = 0; i < asked.len && strcmp(asked.v[i], one) != 0; i += 2)
		continue;
	if (i == asked.len && i < 100) {	/* no more than that */
		args_add(&a, "sh", "-c", "printf %s \"$1\" | "
		    "ssh -G -T -F /dev/stdin x", "sh", one, NULL);
		arg_add(&asked, one);
		arg_add(&asked, ssh_output(&a, &said, -1, ANSWER_MS) == 0 ?
		    said.v : NULL);
	}
	return i == 100 || asked.v[i + 1] == NULL ? -1 :
	    strstr(asked.v[i + 1], "\nport 1\n") != NULL;
}

/* Asks `ssh -G'; returns 0, or the status with which it failed. */
static int
settings_read(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	FILE *said = tmpfile();
	char *p;
	int status;

	if (said != NULL)
		fcntl(fileno(said), F_SETFD, FD_CLOEXEC);
	ssh_args(&a, t);
	/* -T, or it complains that it has no terminal */
	args_add(&a, "-G", "-T", "--", t->name, NULL);
	args_append(&a, t->command);	/* a Match line may ask for it */
	t->settings.len = t->warnings.len = 0;
	buf_str(&t->warnings, "");
	status = ssh_output(&a, &t->settings, said != NULL ? fileno(said) : 2,
	    -1);
	free(a.v);
	buf_add(&t->settings, "", 1);	/* after the last line, too */
	for (p = t->settings.v; (p = strchr(p, '\n')) != NULL; p++)
		*p = '\0';
	if (said != NULL) {
		rewind(said);
		(void)read_whole(fileno(said), &t->warnings, READ_MAX);
		fclose(said);
	}
	if (status != 0)
		fputs(t->warnings.v, stderr);
	if (status > 128 && status < 255)
		ended_by(status - 128);
	return status;
}

static int
is_proxied(const struct target *t)
{
	return *setting(t, "proxyjump") != '\0' ||
	    *setting(t, "proxycommand") != '\0';
}

/* Appends what a proxy depends on: the files' state, and where it is run. */
static void
put_proxy(struct buf *b, const struct target *t)
{
	const struct config *c = t->hosts->config;
	const char *command = setting(t, "proxycommand");
	struct stat st;
	char *dir;
	size_t i;

	for (i = 0; i < c->files.len; i++) {
		memset(&st, 0, sizeof(st));
		(void)stat(c->files.v[i], &st);
		buf_fmt(b, "%s %llu %lld.%ld\n", c->files.v[i],
		    (unsigned long long)st.st_ino,
		    (long long)st.st_ctim.tv_sec, (long)st.st_ctim.tv_nsec);
	}
	if ((strstr(command, "./") != NULL ||
	    (strchr("/~$", *command) == NULL &&
	    strcspn(command, "/") < strcspn(command, " "))) &&
	    (dir = getcwd(NULL, 0)) != NULL) {
		buf_str(b, dir);
		free(dir);
	}
}

/*
 * The hash of all that decides where the connection leads, and as whom: what
 * ssh -G prints, and the variables of the environment that are used or named
 * there.  Left out are the sharing itself, for a master of -o
 * ControlPersist=10m is to be found again without it, and what is of one
 * session only.
 */
static uint64_t
target_hash(const struct target *t)
{
	const char *p, *value, *agent = setting(t, "identityagent");
	struct buf text = { NULL, 0, 0 };
	char name[128];
	uint64_t h;

	for (p = t->settings.v; *p != '\0'; p += strlen(p) + 1)
		if (strncmp(p, "control", 7) != 0 &&
		    strncmp(p, "remotecommand ", 14) != 0 &&
		    strncmp(p, "setenv ", 7) != 0)
			buf_fmt(&text, "%s\n", p);
	if (*agent == '\0' || strcmp(agent, "SSH_AUTH_SOCK") == 0 ||
	    is_proxied(t))
		buf_str(&text, "$SSH_AUTH_SOCK\n");
	if (setting_is(t, "forwardx11", "yes"))
		buf_str(&text, "$DISPLAY\n");
	if (is_proxied(t))
		put_proxy(&text, t);
	h = fnv(FNV_START, text.v, text.len);
	for (p = text.v; (p = strchr(p, '$')) != NULL; ) {
		p += p[1] == '{' ? 2 : 1;
		snprintf(name, sizeof(name), "%.*s",
		    (int)strspn(p, WORD_CHARS), p);
		if ((value = getenv(name)) != NULL)
			h = fnv(h, value, strlen(value) + 1);
	}
	free(text.v);
	return h;
}

/* Whether the user's first -o of that keyword says no to it. */
static int
user_denies(const struct target *t, const char *keyword)
{
	const struct args *a = &t->options->ssh;
	char key[16], value[16];
	size_t i;

	for (i = 0; i < a->len; i++)
		if (sscanf(a->v[i], " %15[A-Za-z]%*[ \t=\"]%15[^ \t\"]", key,
		    value) == 2 && strcasecmp(key, keyword) == 0)
			return is_no(value) || strcasecmp(value, "none") == 0;
	return 0;
}

/*
 * Chooses the way, and the socket: where the user said, else wl's own, of the
 * host's name and the hash.  It is ssh's alone if the user wants that or to be
 * asked, if there is no session to share, and if no directory is private.  A
 * master before the session must persist, have its settings, and may be asked.
 */
static enum plan
target_plan(struct target *t)
{
	const char *require = getenv("SSH_ASKPASS_REQUIRE");
	const char *path = setting(t, "controlpath"), *end = strrchr(path, '/');

	t->socket.len = t->dir.len = 0;
	buf_str(&t->socket, path);
	t->users = t->socket.len > 0;
	if (setting_is(t, "controlmaster", "ask") ||
	    setting_is(t, "controlmaster", "autoask") ||
	    setting_is(t, "sessiontype", "none") ||
	    setting_is(t, "sessiontype", "subsystem") ||
	    setting_is(t, "forkafterauthentication", "yes") ||
	    setting_is(t, "stdinnull", "yes") ||
	    user_denies(t, "ControlPath") || user_denies(t, "ControlMaster") ||
	    (end != NULL && access(format("%.*s", (int)(end + 1 - path), path),
	    W_OK) == -1))
		return PLAN_PLAIN;
	if (!t->users) {
		dir_find(&t->dir, 1);
		if (t->dir.len == 0)
			return PLAN_PLAIN;
		buf_fmt(&t->socket, "%s/", t->dir.v);
		put_label(&t->socket, t->name, t->dir.len);
		buf_fmt(&t->socket, "-%016llx",
		    (unsigned long long)target_hash(t));
	}
	if (socket_listens(t->socket.v))
		return PLAN_ATTACH;
	return user_denies(t, "ControlPersist") ||
	    t->hosts->config->by_session || (require != NULL &&
	    strcmp(require, "never") == 0) ? PLAN_DIRECT : PLAN_MASTER;
}

/* The options that attach ssh to the socket, or make it the master there. */
static void
socket_args(struct target *t, struct args *a)
{
	int attach = t->plan == PLAN_ATTACH;

	if (t->plan == PLAN_PLAIN)
		return;
	/* with the user's ControlMaster=yes it would not attach */
	if (!attach || setting_is(t, "controlmaster", "true"))
		args_add(a, "-o", "ControlMaster=auto", NULL);
	if (!attach && setting_is(t, "controlpersist", "no"))
		args_add(a, "-o", "ControlPersist=5s", NULL);
	if (t->users)
		return;
	if (attach)
		args_add(a, "-S", t->socket.v, NULL);
	else
		args_add(a, "-o", format("ControlPath=%s", t->socket.v), NULL);
	if (!attach && setting_is(t, "serveraliveinterval", "0"))
		args_add(a, "-o", "ServerAliveInterval=30", NULL);
}

/*
 * The master that logs in in the background.  If LogLevel is the default it
 * tells the stages.  Without -v ssh would throw away what the proxy of such a
 * master says (ssh_proxy_connect), be it why a jump host cannot be reached,
 * and what it says itself of forwardings (fork_postauth).
 */
static void
login_args(struct target *t, struct args *a)
{
	int loud = is_proxied(t) || *setting(t, "remoteforward") != '\0';
	int old = *setting(t, "sessiontype") == '\0';

	ssh_args(a, t);
	/* before OpenSSH 8.7 one that persists forgets its -N, but for -f */
	args_add(a, "-N", "-T", old ? "-f" : NULL, NULL);
	socket_args(t, a);
	if (setting_is(t, "loglevel", "INFO"))
		args_add(a, "-o", "LogLevel=DEBUG1", loud ? "-v" : NULL, NULL);
	else if (is_proxied(t) && setting_is(t, "loglevel", "ERROR"))
		arg_add(a, "-vqvv");	/* verbose, and LogLevel ERROR */
	else if (is_proxied(t) && setting_is(t, "loglevel", "QUIET"))
		arg_add(a, "-vq");
	args_add(a, "--", t->name, NULL);
}

/* The command line of the session or, unless CTL is NULL, of ssh -O CTL. */
static void
session_args(struct target *t, const char *ctl, struct args *a)
{
	ssh_args(a, t);
	socket_args(t, a);
	args_add(a, ctl != NULL ? "-O" : NULL, ctl, NULL);
	args_append(a, t->options->session.v);
	args_add(a, "--", t->name, NULL);
	args_append(a, ctl == NULL ? t->command : NULL);
}

/*
 * Questions.  The master's environment names wl as its SSH_ASKPASS, and a
 * socket in the private directory on which the wl that waits listens.  Run by
 * ssh, wl sends what is asked there, and prints the answer that comes back.
 * Answers are in one buffer each, which is wiped.
 */

#define ASK_ENV		"WL_ASK"	/* the socket's path */

enum {
	ASK_SIZE = 16384,	/* of a request: its kind, its text, zeros */
	ASK_MS = 200,		/* how long a client may take to put it */
	ANSWER_MAX = 4096,	/* as in a line that a terminal takes */
};

/* Clears what held a secret, in a way that no compiler leaves out. */
static void
wipe(void *p, size_t n)
{
	volatile char *v = p;

	while (n-- > 0)
		*v++ = 0;
}

/*
 * Whether ssh runs wl to ask: its questions are sentences.  What else inherits
 * the environment of a login, from a LocalCommand say, is not to ask there.
 */
static int
is_askpass(int argc, char **argv)
{
	if (getenv(ASK_ENV) == NULL)
		return 0;
	if (argc == 2 && strchr(argv[1], ' ') != NULL)
		return 1;
	unsetenv(ASK_ENV);
	unsetenv("SSH_ASKPASS");
	unsetenv("SSH_ASKPASS_REQUIRE");
	return 0;
}

/* wl as askpass: passes TEXT on, and the answer back; a notice has none. */
static int
askpass(const char *where, const char *text)
{
	const char *kind = getenv("SSH_ASKPASS_PROMPT");
	char request[ASK_SIZE] = "", answer[ANSWER_MAX];
	struct sockaddr_un sun;
	int fd = unix_socket(&sun, where, SOCK_STREAM);
	ssize_t n;

	snprintf(request, sizeof(request), "%c%s",
	    kind != NULL && *kind != '\0' ? *kind : 'p', text);
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    write(fd, request, ASK_SIZE) != ASK_SIZE ||
	    (n = read(fd, answer, sizeof(answer))) <= 0)
		return 1;
	n = write(1, answer, (size_t)n);
	wipe(answer, sizeof(answer));
	return n <= 0;
}

/*
 * Logging in: a master is started, a job of its own, of which no process,
 * socket or file stays behind when it is of no use.  Its debug messages tell
 * the spinner how far it has got; all else that it, its proxies and the server
 * write reaches the user, in order and when it is written.
 */

enum {
	LINGER_MS = 2000,	/* how long ours may stay beside a live one */
	SPIN_AFTER = 100,	/* ms before the spinner is shown */
	SPIN_EVERY = 80,	/* ms between its frames */
	PIPE_BYTES = 1 << 16,	/* that are in a pipe at most */
	REPLY_MS = 1000,	/* how long a server may take for its replies */
};

/* Who has the terminal, and how the login ended. */
enum login_state {
	LOGIN_SPINNING,		/* wl: the spinner */
	LOGIN_ASKING,		/* wl: a question of ssh's */
	LOGIN_STOPPED,		/* the shell: by ^Z */
	LOGIN_DONE,		/* the master is there */
	LOGIN_FAILED,
	LOGIN_KILLED,		/* by a signal that wl has caught */
	LOGIN_ASIDE,		/* ssh or its proxy wants to ask by itself */
};

/* The login that is under way. */
struct login {
	struct target *target;
	enum login_state state;
	pid_t pid;		/* of the master, and its process group */
	int status;		/* and how it has ended */
	int log;		/* the pipe of its standard error */
	int sorted;		/* debug messages in it are not the user's */
	int spoke;		/* something was for the user */
	int unended;		/* the terminal's last line has no line feed */
	int arrived;		/* no jump host is to be reached first */
	int replies;		/* that are to come for forwardings */
	char stage[256];
	char *address;		/* as the spinner shows it */
	long long start;	/* ms; time that was not spinning not counted */
	long long entered;	/* when it came into its state */
	long long listening;	/* since when there is a master, 0: not yet */
	long long frame;	/* the spinner's last one, 0: none yet */
	int width;		/* columns of the spinner's line */
	struct buf out;		/* for the terminal */
	int listen;		/* for questions, -1: none are taken */
	char *path;		/* of that socket */
	int client;		/* who asks or has a notice, or -1 */
	char request[ASK_SIZE];	/* what it wants: kind, text */
	int echo;		/* its answer is no secret */
};

/* How messages begin that are for wl, and the stage that they tell of. */
static const struct { const char *begin, *stage; } messages[] = {
	{ "debug1: Connecting to ", "connecting" },
	{ "debug1: Executing proxy command", "connecting" },
	{ "debug1: Connection established", "waiting for an answer" },
	{ "debug1: Authenticating to ", "exchanging keys" },
	{ "debug1: SSH2_MSG_SERVICE_ACCEPT received", "authenticating" },
	{ "debug1: ", NULL }, { "debug2: ", NULL }, { "debug3: ", NULL },
	{ "Authenticated to ", NULL }, { "Authenticated using ", NULL },
	{ "Authenticated with partial ", NULL }, { "Transferred: ", NULL },
	{ "Bytes per second: ", NULL }, { "OpenSSH_", NULL },
	{ "ControlSocket ", NULL }, { NULL, NULL }
};

/* How ssh asks whether it may trust a key: the answer is no secret. */
static const char *const confirmations[] = { "The authenticity of host '",
    "Please type 'yes'", "Are you sure you want to continue connecting (yes/no",
    "Accept updated hostkeys? (yes/no)" };

/* What follows in S behind this beginning, NULL if it begins otherwise. */
static const char *
behind(const char *s, const char *begin)
{
	size_t n = strlen(begin);

	return strncmp(s, begin, n) == 0 ? s + n : NULL;
}

/* Takes the stage from a message, but from no jump host's; 0 if it is none. */
static int
login_stage(struct login *l, const char *s)
{
	const char *host = setting(l->target, "hostname"), *p;
	size_t i = 0;

	while (messages[i].begin != NULL && !behind(s, messages[i].begin))
		i++;
	if ((p = behind(s, "ControlSocket ")) != NULL &&
	    behind(p, l->target->socket.v))
		l->listening = 1;	/* another wl's master has it */
	if ((p = behind(s, "debug1: Authenticating to ")) != NULL &&
	    (p = behind(p, host)) != NULL && *p == ':')
		l->arrived = 1;
	l->replies -= behind(s, "debug1: remote forward ") != NULL;
	if (l->arrived && messages[i].stage != NULL)
		snprintf(l->stage, sizeof(l->stage), "%s", messages[i].stage);
	p = behind(s, "debug1: Next authentication method: ");
	if (l->arrived && p != NULL)
		snprintf(l->stage, sizeof(l->stage), "authenticating (%.*s)",
		    (int)strcspn(p, "\r"), p);
	return messages[i].begin != NULL;
}

/*
 * How much of a line of N bytes is for the user: no message of ssh's, which is
 * one write that ends in CR LF, perhaps behind what a proxy has not ended.
 * Lines of a banner end in LF.
 */
static size_t
login_sort(struct login *l, const char *s, size_t n)
{
	const char *glued;

	if (n < 3 || strcmp(s + n - 2, "\r\n") != 0)
		return n;
	if (strstr(l->target->warnings.v, s) != NULL)
		return 0;		/* the session says it too */
	if (!l->sorted)
		return n;
	if (login_stage(l, s))
		return 0;
	glued = strstr(s, "debug1: ");
	return glued != NULL && login_stage(l, glued) ? (size_t)(glued - s) : n;
}

/* Begins a line, below an unended one or over a spinner, perhaps wrapped. */
static void
line_begin(struct login *l)
{
	if (l->unended)
		buf_str(&l->out, "\n");
	if (l->width > tty.cols)
		buf_fmt(&l->out, "\033[%dA", (l->width - 1) / tty.cols);
	buf_str(&l->out, "\r\033[J");
	l->unended = l->width = 0;
}

/* Takes the spinner off the screen. */
static void
spinner_erase(struct login *l)
{
	if (l->width == 0)
		return;
	line_begin(l);
	write_out(tty.fd, &l->out);
}

/* Shows the next frame in time, with the address if that fits. */
static void
spinner_draw(struct login *l)
{
	static const char dots[] = "\xe2\xa0\x8b\xe2\xa0\x99\xe2\xa0\xb9"
	    "\xe2\xa0\xb8\xe2\xa0\xbc\xe2\xa0\xb4\xe2\xa0\xa6\xe2\xa0\xa7"
	    "\xe2\xa0\x87\xe2\xa0\x8f", ascii[] = "|/-\\";
	int utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	long long ms = now_ms() - l->start, frame = ms / SPIN_EVERY;
	const char *address = l->address;
	char *text = NULL;

	if (tty.fd == -1 || !tty_draws() || ms < SPIN_AFTER ||
	    frame == l->frame)
		return;
	l->frame = frame;
	tty_size();
	for (;; address = "") {
		text = format("%.*s %s%s  %s  %lld.%llds", utf8 ? 3 : 1,
		    utf8 ? dots + frame % 10 * 3 : ascii + frame % 4,
		    l->target->name, address, l->client != -1 ?
		    l->request + 1 : l->stage, ms / 1000, ms % 1000 / 100);
		if (*address == '\0' || text_width(text) < tty.cols)
			break;
		free(text);
	}
	line_begin(l);
	l->width = put_text(&l->out, text, tty.cols - 1, NULL);
	write_out(tty.fd, &l->out);
	free(text);
}

/* Hands on what ssh has written so far, all that a pipe holds. */
static void
login_read(struct login *l)
{
	char chunk[PIPE_BYTES + 1], *s, *next, c;
	struct buf said = { NULL, 0, 0 };
	ssize_t n = 0;

	if (tty_wait(l->log, 0) == 1)
		n = read(l->log, chunk, PIPE_BYTES);
	for (s = chunk; n > 0; n -= next - s, s = next) {
		next = memchr(s, '\n', (size_t)n);
		next = next != NULL ? next + 1 : s + n;
		c = *next;
		*next = '\0';
		buf_add(&said, s, login_sort(l, s, (size_t)(next - s)));
		*next = c;
	}
	if (said.len > 0) {
		spinner_erase(l);
		l->unended = isatty(2) && said.v[said.len - 1] != '\n';
		l->spoke = 1;
		/* a terminal by our own descriptor, where no write blocks */
		write_out(tty.fd != -1 && tcgetpgrp(2) != -1 ? tty.fd : 2,
		    &said);
	}
	free(said.v);
}

/*
 * Makes the pipe for the master's standard error, which a proxy keeps for the
 * whole connection, and the socket for questions, unless ssh ASKS by itself.
 * The pipe is open for reading too, so that a write does not break it; when
 * nobody reads any more and it is full a write fails (see login_end).
 */
static int
login_listen(struct login *l, int asks)
{
	const char *dir = l->target->dir.v;
	char *path = format("%s/log.%ld", dir, (long)getpid());
	struct sockaddr_un sun;

	unlink(path);
	if (mkfifo(path, 0600) == 0) {
		l->log = open(path, O_RDWR | O_CLOEXEC);
		unlink(path);
	}
	free(path);
	if (l->log == -1)
		return 0;
	if (asks)
		return 1;
	l->path = format("%s/ask.%ld", dir, (long)getpid());
	if ((l->listen = unix_socket(&sun, l->path, SOCK_STREAM)) == -1)
		return 0;
	unlink(l->path);
	fcntl(l->listen, F_SETFL, O_NONBLOCK);
	return bind(l->listen, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    listen(l->listen, 8) == 0;
}

/* The master's environment: wl's own, and where to ask, by PATH if wl is. */
static char **
login_env(struct login *l)
{
	const char *self = l->target->options->self;
	char *path = strchr(self, '/') != NULL ? realpath(self, NULL) : NULL;
	struct args env = { NULL, 0, 0 };
	size_t i;

	for (i = 0; environ[i] != NULL; i++)
		if (strncmp(environ[i], "SSH_ASKPASS=", 12) != 0)
			arg_add(&env, environ[i]);
	args_add(&env, format("%s=%s", ASK_ENV, l->path),
	    format("SSH_ASKPASS=%s", path != NULL ? path : self),
	    "SSH_ASKPASS_REQUIRE=force", NULL);
	return (char **)env.v;
}

/* Starts the master; 0 if it could not be listened to. */
static int
login_start(struct login *l)
{
	struct target *t = l->target;
	int own = tty.fd == -1 || getenv("SSH_ASKPASS_REQUIRE") != NULL;
	int fds[3] = { -1, -1, -1 };
	const char *p, *port = setting(t, "port"), *jump;
	struct sockets all = { { NULL, 0, 0 }, { NULL, 0, 0 } };
	struct args a = { NULL, 0, 0 };

	if (t->dir.len == 0)
		dir_find(&t->dir, 1);
	sockets_find(&all);	/* it also cleans up */
	if (t->dir.len == 0 || !login_listen(l, own))
		return 0;
	jump = setting(t, "proxyjump");
	l->arrived = *jump == '\0';
	snprintf(l->stage, sizeof(l->stage), "%s%s", l->arrived ?
	    "looking up" : "via ", jump);
	port = strcmp(port, "22") != 0 ? format(":%s", port) : "";
	l->address = format("  %s@%s%s", setting(t, "user"),
	    setting(t, "hostname"), port);
	l->sorted = setting_is(t, "loglevel", "INFO") ||
	    setting_is(t, "loglevel", "ERROR");
	for (p = t->settings.v; *p != '\0'; p += strlen(p) + 1)
		l->replies += behind(p, "remoteforward ") != NULL;
	login_args(t, &a);
	fds[1] = isatty(1) ? l->log : 1;	/* for a LocalCommand */
	fds[2] = l->log;
	l->start = l->entered = now_ms();
	l->pid = spawn(&a, own ? environ : login_env(l), fds, 1);
	free(a.v);
	return 1;
}

/* Lets go of what the login held; nothing of it stays behind. */
static void
login_end(struct login *l)
{
	fcntl(l->log, F_SETFL, O_NONBLOCK);	/* for the proxy, too */
	close(l->log);
	close(l->client);
	if (l->listen != -1)
		unlink(l->path);
	close(l->listen);
	free(l->path);
	free(l->address);
	free(l->out.v);
}

/* Ends the master and all that it started, and its socket. */
static void
login_cancel(struct login *l)
{
	long long until = now_ms() + 2000;

	kill(-l->pid, SIGTERM);
	kill(-l->pid, SIGCONT);
	while (waitpid(l->pid, &l->status, WNOHANG) == 0) {
		tty_wait(-1, 20);
		if (now_ms() > until)
			kill(-l->pid, SIGKILL);
	}
	kill(-l->pid, SIGKILL);	/* a proxy that has not heard */
	if (!l->target->users && !socket_listens(l->target->socket.v))
		unlink(l->target->socket.v);
}

/* Hands the terminal to whom STATE says; a pager that has taken it keeps it. */
static void
login_enter(struct login *l, enum login_state state)
{
	spinner_erase(l);
	if (l->state == LOGIN_SPINNING && state >= LOGIN_DONE && tty_taken())
		tty.mode = TTY_COOKED;
	else if (state == LOGIN_ASKING)
		tty_set(l->echo ? TTY_ASK : TTY_SECRET);
	else
		tty_set(state == LOGIN_SPINNING ? TTY_SPINNER : TTY_COOKED);
	if (l->state != LOGIN_SPINNING)
		l->start += now_ms() - l->entered;
	l->entered = now_ms();
	l->state = state;
}

/* Puts the question to the user. */
static void
ask_put(struct login *l)
{
	const char *text = l->request + 1, *end;
	size_t i;

	l->echo = *l->request == 'c';
	for (i = 0; i < sizeof(confirmations) / sizeof(confirmations[0]); i++)
		l->echo |= behind(text, confirmations[i]) != NULL;
	login_enter(l, LOGIN_ASKING);
	for (; text != NULL; text = end != NULL ? end + 1 : NULL) {
		put_text(&l->out, text, INT_MAX / 2, NULL);
		if ((end = strchr(text, '\n')) != NULL)
			buf_str(&l->out, "\n");
	}
	if (*l->request == 'c')
		buf_str(&l->out, " (yes/no) ");
	tcflush(tty.fd, TCIFLUSH);	/* typed ahead, it is no answer */
	write_out(tty.fd, &l->out);
}

/* Lets the client go; of an answer that it did not get no shell gets a part. */
static void
ask_end(struct login *l, int refused)
{
	if (refused) {
		tcflush(tty.fd, TCIFLUSH);
		buf_str(&l->out, "\n");
		write_out(tty.fd, &l->out);
		login_read(l);	/* for then ssh goes on, and says more */
	}
	close(l->client);
	l->client = -1;
	login_enter(l, LOGIN_SPINNING);
}

/* Reads the line that the user has typed, and sends it to ssh if it is one. */
static void
ask_answer(struct login *l)
{
	char answer[ANSWER_MAX];
	ssize_t n = read(tty.fd, answer, sizeof(answer));

	if (n > 0 && (*l->request != 'c' ||
	    (n == 4 && strncasecmp(answer, "yes\n", 4) == 0)))
		(void)send(l->client, answer, (size_t)n, MSG_NOSIGNAL);
	wipe(answer, sizeof(answer));
	ask_end(l, n <= 0);
}

/* Takes the next client: its question is put, its notice is shown. */
static void
ask_accept(struct login *l)
{
	static const struct timeval wait = { 0, ASK_MS * 1000L };

	if ((l->client = accept(l->listen, NULL, NULL)) == -1)
		return;
	fcntl(l->client, F_SETFD, FD_CLOEXEC);
	fcntl(l->client, F_SETFL, 0);
	setsockopt(l->client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (recv(l->client, l->request, ASK_SIZE, MSG_WAITALL) != ASK_SIZE ||
	    l->request[ASK_SIZE - 1] != '\0')
		ask_end(l, 0);
	else if (*l->request != 'n')
		ask_put(l);
	else if (!tty_draws())
		warnx("%s", printable(l->request + 1));
}

/* Ends the login; what ssh says, also of forwardings afterwards, is shown. */
static void
login_over(struct login *l, enum login_state state)
{
	long long until = now_ms() + REPLY_MS;

	if (l->state == LOGIN_ASKING)
		ask_end(l, 1);
	else
		login_read(l);
	while (state == LOGIN_DONE && *setting(l->target, "remoteforward") &&
	    setting_is(l->target, "loglevel", "INFO") && now_ms() < until &&
	    tty_wait(l->log, l->replies > 0 ? REPLY_MS : 20) == 1)
		login_read(l);
	login_enter(l, state);
}

/* Stops the master and wl until that goes on. */
static void
login_suspend(struct login *l)
{
	enum login_state state = l->state;

	kill(-l->pid, SIGSTOP);
	login_enter(l, LOGIN_STOPPED);
	suspend(getpid());
	if (state == LOGIN_ASKING)
		ask_put(l);
	else
		login_enter(l, state);
	kill(-l->pid, SIGCONT);
}

/*
 * Looks at the master without waiting.  It is a job in the background, so that
 * it stops when it or its proxy wants the terminal: the question is not for
 * SSH_ASKPASS, or ssh is older than 8.4.  Where there is a master while ours
 * goes on, that is another wl's, for ours ends then; but ExitOnForwardFailure
 * has it wait for the server before.
 */
static void
login_look(struct login *l)
{
	int status;
	pid_t ours = waitpid(l->pid, &status, WNOHANG | WUNTRACED);

	if (ours == l->pid && !WIFSTOPPED(status)) {
		l->status = status;
		login_over(l, status == 0 ? LOGIN_DONE : LOGIN_FAILED);
	} else if (ours == l->pid && (WSTOPSIG(status) == SIGTTIN ||
	    WSTOPSIG(status) == SIGTTOU)) {
		login_over(l, LOGIN_ASIDE);
	} else if (l->listening == 0) {
		if (socket_listens(l->target->socket.v))
			l->listening = now_ms();
	} else if (now_ms() - l->listening > LINGER_MS) {
		login_over(l, LOGIN_DONE);
		login_cancel(l);
	}
}

/* Waits until the login is over.  A client that can be read has gone. */
static void
login_wait(struct login *l)
{
	static const struct timespec frame = { 0, SPIN_EVERY * 1000000L };
	fd_set in;
	int client;

	login_enter(l, LOGIN_SPINNING);
	while (l->state < LOGIN_DONE) {
		client = l->client != -1 ? l->client : l->listen;
		FD_ZERO(&in);	/* what is said waits for an answer before it */
		FD_SET(l->state == LOGIN_ASKING ? tty.fd : l->log, &in);
		if (client != -1)
			FD_SET(client, &in);
		if (pselect(FD_SETSIZE, &in, NULL, NULL, &frame,
		    &tty.saved.mask) <= 0)
			FD_ZERO(&in);
		else
			tty_wait(-1, 0);	/* a signal may wait as well */
		if (caught == SIGTSTP) {
			login_suspend(l);
			continue;
		}
		if (caught != 0)
			login_over(l, LOGIN_KILLED);
		else
			login_look(l);
		if (l->state == LOGIN_SPINNING)
			login_read(l);
		if (l->state == LOGIN_ASKING && FD_ISSET(tty.fd, &in))
			ask_answer(l);
		else if (l->state < LOGIN_DONE && l->client == -1)
			ask_accept(l);
		else if (l->state < LOGIN_DONE && FD_ISSET(l->client, &in))
			ask_end(l, l->state == LOGIN_ASKING);
		if (l->state == LOGIN_SPINNING && tty_taken())
			spinner_erase(l);	/* no frame over a pager */
		else if (l->state == LOGIN_SPINNING)
			spinner_draw(l);
	}
}

/*
 * Logs in: starts the master and waits for it.  Returns 0 if that failed; if
 * it cannot even be tried, the session is to log in as ssh does, and if ssh
 * wants to ask by itself, as one that is the master.
 */
static int
login(struct target *t)
{
	struct login l = { .target = t, .log = -1, .listen = -1, .client = -1 };
	int started = login_start(&l);
	long long ms;

	t->plan = started ? PLAN_ATTACH : PLAN_PLAIN;
	if (!started) {
		login_end(&l);
		return 1;
	}
	login_wait(&l);
	ms = l.entered - l.start;
	if (l.state == LOGIN_DONE && l.frame > 0 && !t->options->flag['q']) {
		line_begin(&l);
		buf_fmt(&l.out, "\033[2m%s: connected in %lld.%02lld s\033[m\n",
		    printable(t->name), ms / 1000, ms % 1000 / 10);
		write_out(tty.fd, &l.out);
	}
	if (l.state != LOGIN_DONE)
		login_cancel(&l);
	login_end(&l);
	if (l.state == LOGIN_KILLED)
		die_of(caught);
	if (l.state == LOGIN_ASIDE)
		t->plan = PLAN_DIRECT;
	if (l.state != LOGIN_FAILED)
		return 1;
	if (WIFSIGNALED(l.status))
		ended_by(WTERMSIG(l.status));
	else if (!l.spoke)
		warnx("%s: ssh failed and does not say why; see ssh -v %s",
		    printable(t->name), printable(t->name));
	return 0;
}

/* From the choice to the session. */

/*
 * Whether the master's connection works; else the socket goes, and the master
 * is left to its sessions.  Unless it just did, as the socket's time tells, the
 * server is to answer to a forwarding to nowhere, if by no.
 */
static int
master_answers(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	struct buf out = { NULL, 0, 0 };
	struct stat st, now;

	if (stat(t->socket.v, &st) == -1 || time(NULL) - st.st_mtime < IDLE_S)
		return 1;
	ssh_args(&a, t);
	socket_args(t, &a);
	args_add(&a, "-o", "BatchMode=yes", "-W", "255.255.255.255:1", "--",
	    t->name, NULL);
	if (ssh_output(&a, &out, -1, ANSWER_MS) != -1) {
		(void)utimensat(AT_FDCWD, t->socket.v, NULL, 0);
		return 1;
	}
	if (stat(t->socket.v, &now) == -1 || now.st_ino != st.st_ino)
		return 0;	/* another wl has replaced it already */
	warnx("%s: the connection does not answer, making a new one",
	    printable(t->name));
	session_args(t, "stop", &a);
	(void)ssh_output(&a, &out, -1, ANSWER_MS);
	(void)unlink(t->socket.v);	/* if the master hangs as well */
	return 0;
}

/* -O without a host: ssh's command for each of wl's own masters. */
static int
control_all(const struct options *o)
{
	struct buf out = { NULL, 0, 0 };
	struct args a = { NULL, 0, 0 };
	struct sockets all = { { NULL, 0, 0 }, { NULL, 0, 0 } };
	size_t i;

	sockets_find(&all);
	for (i = 0; i < all.live.len; i++) {
		warnx("%s", all.live.v[i]);
		a.len = 0;
		args_add(&a, "ssh", "-F", "none", "-S", all.live.v[i], "-O",
		    o->ctl, "--", "all", NULL);
		if (ssh_output(&a, &out, 2, ANSWER_MS) == -1)
			warnx("%s: does not answer", all.live.v[i]);
	}
	if (all.live.len == 0)
		warnx("%s: no shared connection", o->ctl);
	if (out.len > 0)
		fwrite(out.v, 1, out.len, stdout);
	return all.live.len == 0;
}

/* Becomes the host's session, or does what -n, -S or -O say; the status. */
static int
connect_host(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	const struct options *o = t->options;
	int background = tty_open() && tcgetpgrp(tty.fd) != getpgrp();

	if (background) {	/* it is not ours to use */
		close(tty.fd);
		tty.fd = -1;
	}
	signals_catch();
	if (o->inventory != NULL && strcmp(o->inventory, "-") == 0 &&
	    tty.fd != -1)
		dup2(tty.fd, 0);	/* it held the inventory */
	if (settings_read(t) != 0)
		return 255;
	t->plan = target_plan(t);
	if (o->flag['S'] && t->plan == PLAN_PLAIN)
		errx(1, "%s: no shared connection", printable(t->name));
	if (o->flag['S'])
		return puts(isatty(1) ? printable(t->socket.v) :
		    t->socket.v) == EOF;
	if (o->flag['n'] && t->plan == PLAN_MASTER) {
		login_args(t, &a);
		print_args(&a);
		t->plan = PLAN_ATTACH;
	}
	if (o->ctl == NULL && !o->flag['n']) {
		if (background && isatty(0))	/* which stops ssh, */
			t->plan = PLAN_PLAIN;	/* but no master */
		if (t->plan == PLAN_ATTACH && !master_answers(t))
			t->plan = target_plan(t);
		if (t->plan == PLAN_MASTER && !login(t)) {
			fputs(t->warnings.v, stderr);
			return 255;
		}
		if (tty.fd != -1 && isatty(0))	/* and no script */
			recent_write(t->name, 0);
	} else if (o->ctl != NULL && t->plan != PLAN_PLAIN) {
		t->plan = PLAN_ATTACH;
	}
	session_args(t, o->ctl, &a);
	if (!o->flag['n'])
		return become(&a);
	print_args(&a);
	return 0;
}

/* The program. */

/* Ends with STATUS, unless what was to be printed could not be. */
static int
finish(int status)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		err(2, "standard output");
	return status;
}

/* A wrong option gets the ways to call wl, -h the options and examples too. */
static void
usage(FILE *to)
{
	fputs("usage: wl [-qrt] [-F file] [-i file] [-o option]... "
	    "[query [command ...]]\n"
	    "       wl -l [-v] | -p [-r] [-F file] [-i file] [query]\n"
	    "       wl -n [-F file] [-i file] [-o option]... "
	    "query [command ...]\n"
	    "       wl -e | -S [-F file] [-i file] [-o option]... query\n"
	    "       wl -O ctl_cmd [-F file] [-i file] [-o option]... "
	    "[query]\n"
	    "       wl -h | -V\n", to);
	if (to == stdout)
		fputs("\n"
		    "  -e  edit the host's entry\n"
		    "  -F  read this ssh_config only\n"
		    "  -i  take the hosts from a list or an inventory\n"
		    "  -l  list the hosts, with -v what is known of them\n"
		    "  -n  print the ssh commands instead of running them\n"
		    "  -O  ssh's control command, without a query for all\n"
		    "  -o  an option of ssh_config\n"
		    "  -p  print the name of the host that is chosen\n"
		    "  -q  do not say how long connecting took\n"
		    "  -r  show the hosts used last first\n"
		    "  -S  print the path of the control socket\n"
		    "  -t  a terminal for the command, as in ssh;\n"
		    "      so are -4 -6 -A -C -D -J -L -R -X -Y\n"
		    "\n"
		    "  wl web             connect to the host that is meant\n"
		    "  wl web-1 uptime    run a command there\n"
		    "  wl -               connect to the host used last\n", to);
	exit(to == stdout ? finish(0) : 2);
}

/* Prints S and END; no control character reaches a terminal or a pipe. */
static void
list_text(const char *s, int terminal, char end)
{
	int c1;

	if (terminal)
		fputs(printable(s), stdout);
	for (; !terminal && *s != '\0'; s += 1 + c1) {
		c1 = (unsigned char)*s == 0xc2 && (s[1] & 0xe0) == 0x80;
		putchar(c1 || is_control(*s) ? '?' : *s);
	}
	putchar(end);
}

/* -l: prints the matches, with -v address, jump hosts, place and note. */
static int
list(const struct ranking *r, int verbose)
{
	const struct host *host;
	int terminal = isatty(1);
	struct values *v;
	size_t i;

	for (i = 0; i < r->len; i++) {
		host = r->matches[i];
		list_text(host->name, terminal, verbose ? '\t' : '\n');
		if (!verbose)
			continue;
		v = evaluate(r->hosts->config, host->name, host->given);
		list_text(v->set[V_USER], terminal, '@');
		list_text(v->name.v, terminal, ':');
		list_text(v->set[V_PORT], terminal, '\t');
		list_text(v->set[V_JUMP], terminal, '\t');
		list_text(host->file != NULL ? host->file : "-", terminal, ':');
		printf("%u\t", host->line);
		list_text(host->note, terminal, '\n');
	}
	return r->len == 0;
}

/* Takes options up to an operand (`+' for glibc), which may begin a command. */
static void
options_take(struct options *o, int argc, char **argv)
{
	int c;

	while (optarg = NULL, (c = getopt(argc, argv,
	    "+46ACD:F:J:L:O:R:SVXYehi:lno:pqrtv")) != -1) {
		if (c == 'F')
			o->file = optarg;
		else if (c == 'O')
			o->ctl = optarg;
		else if (c == 'i')
			o->inventory = optarg;
		else if (c == 'h')
			usage(stdout);
		else if (c == 'V')
			exit(finish(puts("wl " VERSION) == EOF));
		else if (c == '?')
			usage(stderr);
		else if (strchr("DLRt46ACJXYo", c) != NULL)
			args_add(strchr("DLRt", c) != NULL ? &o->session :
			    &o->ssh, format("-%c", c), optarg, NULL);
		else
			o->flag[c] = 1;
	}
}

/* Reads options, also behind the query unless `--' was; returns its index. */
static int
options_read(struct options *o, int argc, char **argv)
{
	const char *flag = o->flag;
	int one, alone;		/* what is done instead; what takes no more */
	char *query;

	o->self = argv[0];
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		argv[1] = (char *)"-h";
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		argv[1] = (char *)"-V";
	options_take(o, argc, argv);
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		query = argv[optind++];
		options_take(o, argc, argv);
		argv[--optind] = query;
	}
	alone = flag['e'] + flag['S'] + (o->ctl != NULL);
	one = alone + flag['l'] + flag['n'] + flag['p'];
	if (one > 1 || (flag['v'] && !flag['l']) ||
	    (flag['e'] + flag['S'] + flag['n'] && optind == argc) ||
	    (alone && argc - optind > 1))
		usage(stderr);
	return optind;
}

/* Puts the operands that are the query into one. */
static void
query_join(struct prompt *p, char **words, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (strlen(words[i]) + p->len + 2 > sizeof(p->query))
			errx(2, "the query is too long");
		query_change(p, p->len, p->len, " ", i > 0);
		query_change(p, p->len, p->len, words[i], strlen(words[i]));
	}
}

/* Ends wl for `-p PORT HOST' and `-l USER HOST', which mean that to ssh. */
static void
habit_check(const struct ranking *r, const struct options *o, char **words)
{
	if (r->len > 0 || (o->flag['p'] ? port_text(words[0]) == NULL :
	    host_find(r->hosts, words[1]) == NULL))
		return;
	errx(2, "nothing matches; ssh's -%s is -o %s%s",
	    o->flag['p'] ? "p" : "l", o->flag['p'] ? "Port=" : "User=",
	    printable(words[0]));
}

/*
 * What the query on the command line means, or NULL.  A command, or wl without
 * a terminal, never goes to a host of which it has only some letters: that ends
 * wl, as a `-' does if no host was used.
 */
static const char *
resolve(struct prompt *p, const struct target *t)
{
	const char *flag = t->options->flag, *name = NULL;
	const struct ranking *r = &p->rank;
	int whole = !tty_open() || (t->command != NULL && *t->command != NULL);

	if (strcmp(p->query, "-") != 0)
		name = query_meaning(&p->rank, p->query, whole);
	else if (r->hosts->last != NULL)
		name = r->hosts->last->name;
	else
		errx(1, "no host was used yet");
	if (name == NULL && r->len == 1 &&
	    is_in_name(&r->query, r->matches[0], 0))
		errx(1, "%s: is it %s that is meant?", printable(p->query),
		    printable(r->matches[0]->name));
	if (name != NULL && strcmp(name, p->query) != 0 && !flag['p'] &&
	    !flag['n'] && !flag['S'])
		warnx("%s: %s", printable(p->query), printable(name));
	return name;
}

/* Ends wl without a terminal to choose on: says what there is to choose. */
static void
no_choice(const struct prompt *p)
{
	size_t i;

	if (p->len == 0)
		errx(1, "no terminal to choose on; see wl -l");
	for (i = 0; i < p->rank.len; i++)
		fprintf(stderr, "%s\n", printable(p->rank.matches[i]->name));
	errx(1, "%s: matches %zu host%s", printable(p->query), p->rank.len,
	    p->rank.len == 1 ? "" : "s");
}

/* Chooses and connects; a failure brings back a prompt that was there. */
static int
run(struct prompt *p, struct target *t)
{
	const struct host *host;
	struct args a = { NULL, 0, 0 };
	int prompted, status;

	t->name = p->len > 0 ? resolve(p, t) : NULL;
	for (;; t->name = NULL) {
		if ((prompted = t->name == NULL)) {
			if (!tty_open())
				no_choice(p);
			tty_own(0);
			t->name = tty_draws() ? prompt_run(p) : plain_run(p);
		}
		if (t->name == NULL)
			return 130;
		if (t->options->flag['p']) {
			list_text(t->name, isatty(1), '\n');
			return 0;
		}
		host = host_find(t->hosts, t->name);
		t->given = host != NULL ? host->given : NULL;
		if (t->options->flag['e']) {
			if (host != NULL && editor_args(&a, host))
				return become(&a);
			errx(1, "%s: %s", printable(t->name), host != NULL ?
			    "not in a file" : "no host matches");
		}
		status = connect_host(t);
		if (!prompted || status != 255 || t->options->flag['n'])
			return status;
		tcflush(tty.fd, TCIFLUSH);	/* it was for the session */
	}
}

int
main(int argc, char **argv)
{
	static struct hosts hosts;
	static struct options options;
	static struct prompt prompt = { .options = &options,
	    .rank.hosts = &hosts };
	static struct target target = { .options = &options, .hosts = &hosts };
	int first, joined, fd;

	/* what is opened must not become a standard descriptor */
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1 && fd <= 2)
		continue;
	close(fd);
	if (fd > FD_SETSIZE - 32)	/* select(2) could not watch */
		errx(2, "too many open files");
	if (is_askpass(argc, argv))
		return askpass(getenv(ASK_ENV), argv[1]);
	setlocale(LC_CTYPE, "");
	first = options_read(&options, argc, argv);
	if (options.ctl != NULL && first == argc)
		return finish(control_all(&options));
	hosts_read(&hosts, &options);
	prompt.rank.recent = options.flag['r'];
	joined = options.flag['l'] || options.flag['p'];
	if (first < argc)
		query_join(&prompt, argv + first, joined ? argc - first : 1);
	if (joined)
		ranking_update(&prompt.rank, prompt.query);
	if (joined && argc - first > 1)
		habit_check(&prompt.rank, &options, argv + first);
	if (options.flag['l'])
		return finish(list(&prompt.rank, options.flag['v']));
	if (first < argc && !joined)
		target.command = (const char *const *)argv + first + 1;
	return finish(run(&prompt, &target));
}
