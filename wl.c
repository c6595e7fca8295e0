/*
 * wl - pick a host from ssh_config and connect to it
 *
 *	wl [-q] [query [command ...]]	choose a host, become its ssh session
 *	wl -l [-v] [query]		list the hosts instead
 *
 * How it works:
 *
 *  - The configuration is read once, as ssh reads it: Include is followed,
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
 * Where libc hides what the standard in force does not name: pselect and
 * TIOCGWINSZ need the first of these, wcwidth the second.  The BSDs and macOS
 * show all when neither is defined.  Where a long has 32 bits, the others let
 * directories and files with large numbers be read, and a time be after 2038.
 */
#ifdef __linux__
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#endif

#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
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

#define VERSION		"1.0"
#define PATH_SYSTEM	"/etc/ssh/ssh_config"
#define BLANKS		" \t\r\n"	/* what separates a keyword */

enum {
	INCLUDE_DEPTH = 16,	/* as READCONF_MAX_DEPTH in ssh */
	FILES_MAX = 65535,	/* files read in all, as 16 bits count */
	READ_MAX = 1 << 28,	/* bytes read in all */
	KEYWORD_MAX = 32,	/* the longest keyword has 31 letters */
	WINDOW = 1 << 16,	/* bytes read at once */
	PIECE = 1 << 18,	/* bytes of text that are asked for at once */
	PENDING = 32,		/* names that are looked up together */
	HOSTNAME_MAX = 1 << 16,	/* bytes from which on no %h is expanded */
	REST_MAX = 1024,	/* bytes of an address or note that are kept */
	MATCH_LEN = 256,	/* more than the bytes of a text that are
				   matched, whose number fits 8 bits */
};

extern char **environ;

/* What the command line says. */
struct options {
	const char *self;	/* argv[0] */
	const char *file;	/* -F */
	const char *inventory;	/* -i */
	const char *ctl;	/* -O */
	char **ssh;		/* the arguments of -o */
	size_t nssh, capssh;
	int list, verbose, print, edit, dry, socket, quiet;
};

/* The signal that is to end or to stop the program, 0 if none came yet. */
static volatile sig_atomic_t caught;

/*
 * Small helpers.  Memory grows by doubling and running out of it ends the
 * program; what lives until the exec is not freed.
 */

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
	if (n < 16)
		n = 8;
	n = n > need / 2 ? n * 2 : need;
	if (n > SIZE_MAX / size || (v = realloc(v, n * size)) == NULL)
		out_of_memory();
	*cap = n;
	return v;
}

/* Appends an element of zeros to V, which has *LEN of them; returns V. */
static void *
append(void *v, size_t *len, size_t *cap, size_t size)
{
	v = grow(v, cap, *len + 1, size);
	memset((char *)v + size * (*len)++, 0, size);
	return v;
}

static void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n > SIZE_MAX - b->len - 1)
		out_of_memory();
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

#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	b->v = grow(b->v, &b->cap, b->len + (size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(b->v + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

static char *
xstrdup(const char *s)
{
	char *copy;

	if ((copy = strdup(s)) == NULL)
		out_of_memory();
	return copy;
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
is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static int
is_letter(int c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || (c & 0x80);
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

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Writes all of it; -1 and errno when that fails. */
static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		if ((w = write(fd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/*
 * Text for the terminal.  What a file, ssh or the network says reaches it
 * through here only: what is not printable is shown as `?', so nothing of it
 * acts on the terminal, and columns are counted as the terminal counts them.
 */

/* Characters that print nothing but turn the line's direction around. */
static int
is_bidi(wchar_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/*
 * The length in bytes of the character at S, of which N bytes are there;
 * *WIDTH is its columns, -1 if it must not be shown.
 */
static size_t
char_len(const char *s, size_t n, int *width)
{
	mbstate_t state;
	wchar_t c;
	size_t len;

	if ((unsigned char)*s < 0x80) {
		*width = is_control(*s) ? -1 : 1;
		return 1;
	}
	memset(&state, 0, sizeof(state));
	len = mbrtowc(&c, s, n, &state);
	if (len == (size_t)-1 || len == (size_t)-2 || len == 0) {
		*width = -1;
		return 1;
	}
	*width = is_bidi(c) ? -1 : wcwidth(c);
	return len;
}

/*
 * Appends at most COLS columns of S; with OUT NULL they are only counted.  HIT,
 * unless NULL, marks the bytes of S below MATCH_LEN that are to be underlined.
 * Returns the columns taken.
 */
static int
put_text(struct buf *out, const char *s, int cols, const char *hit)
{
	size_t n = strlen(s), i, len;
	int used = 0, width, marked = 0, mark;

	for (i = 0; i < n; i += len) {
		len = char_len(s + i, n - i, &width);
		if (used + (width < 0 ? 1 : width) > cols)
			break;
		mark = hit != NULL && i < MATCH_LEN && hit[i];
		if (mark != marked)
			buf_str(out, mark ? "\033[4m" : "\033[24m");
		marked = mark;
		if (out != NULL && width < 0)
			buf_str(out, "?");
		else if (out != NULL)
			buf_add(out, s + i, len);
		used += width < 0 ? 1 : width;
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

/* S as it may be shown in a message; valid until the next call. */
static const char *
printable(const char *s)
{
	static struct buf out;

	out.len = 0;
	buf_str(&out, "");
	put_text(&out, s, INT_MAX / 2, NULL);
	return out.v;
}

/* Appends a text of several lines as it may be shown. */
static void
put_lines(struct buf *out, const char *text)
{
	struct buf line = { NULL, 0, 0 };
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, "\n");
		line.len = 0;
		buf_add(&line, text, n - (n > 0 && text[n - 1] == '\r'));
		put_text(out, line.v, INT_MAX / 2, NULL);
		if (text[n] == '\0')
			break;
		buf_str(out, "\n");
	}
	free(line.v);
}

/*
 * Lines and words, split as OpenSSH splits them (process_config_line_depth,
 * strdelim and argv_split).  Nothing here trusts a line to end in NUL.
 */

/*
 * What a byte may mean in a line, for the loops that see every one of them.
 * Refused are those that ssh takes in no name, and what splits a user off.
 */
enum {
	BLANK = 1,
	REFUSED = 2,
	SYNTAX = 4,		/* a word ends there, or it is not itself */
	WILDCARD = 8,
	SLASH = 16,
	EQUALS = 32,
	QUOTE = 64,		/* the one that strdelim() knows */
	VALUE = 128,		/* may begin a line that line_key() knows */
};

static const unsigned char kinds[256] = {
	/* 0 to 31, of which 9, 10 and 13 are blanks */
	REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED,
	REFUSED, REFUSED | BLANK | SYNTAX, REFUSED | BLANK, REFUSED,
	REFUSED, REFUSED | BLANK, REFUSED, REFUSED,
	REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED,
	REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED,
	[' '] = REFUSED | BLANK | SYNTAX,
	['"'] = REFUSED | SYNTAX | QUOTE | VALUE,
	['\''] = REFUSED | SYNTAX, ['\\'] = REFUSED | SYNTAX,
	['$'] = REFUSED, ['&'] = REFUSED, ['('] = REFUSED, [')'] = REFUSED,
	[','] = REFUSED, [';'] = REFUSED, ['<'] = REFUSED, ['>'] = REFUSED,
	['@'] = REFUSED, ['`'] = REFUSED, ['{'] = REFUSED, ['|'] = REFUSED,
	['}'] = REFUSED, [0x7f] = REFUSED,
	['*'] = WILDCARD, ['?'] = WILDCARD, ['/'] = SLASH,
	['='] = EQUALS | VALUE,
	['C'] = VALUE, ['H'] = VALUE, ['P'] = VALUE, ['U'] = VALUE,
	['c'] = VALUE, ['h'] = VALUE, ['p'] = VALUE, ['u'] = VALUE,
};

static int
is_kind(int c, int kind)
{
	return kinds[(unsigned char)c] & kind;
}

/* The kinds of bytes that are in S. */
static int
kinds_of(const char *s)
{
	int seen = 0;

	while (*s != '\0')
		seen |= kinds[(unsigned char)*s++];
	return seen;
}

static char *
skip_blanks(char *p, const char *end)
{
	while (p < end && is_kind(*p, BLANK))
		p++;
	return p;
}

/* The bytes of the line at P, without its line feed. */
static size_t
line_len(const char *p, const char *end)
{
	const char *eol = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	return (size_t)((eol != NULL ? eol : end) - p);
}

static size_t
key_add(char key[KEYWORD_MAX], size_t n, int c)
{
	if (n + 1 < KEYWORD_MAX)
		key[n++] = (char)lower(c);
	return n;
}

/*
 * Takes a token as strdelim() does: it ends at a blank or '=', or at the
 * quote that closes one begun in it.  It is put into KEY in lower case, cut
 * to its size.  Returns what follows, or NULL if a quote stays open.
 */
static char *
token(char *p, const char *end, char key[KEYWORD_MAX])
{
	size_t n = 0;
	int equals;

	for (; p < end && !is_kind(*p, BLANK | QUOTE | EQUALS); p++)
		n = key_add(key, n, *p);
	key[n] = '\0';
	if (p == end)
		return p;
	if (*p == '"') {
		for (p++; p < end && *p != '"'; p++)
			n = key_add(key, n, *p);
		key[n] = '\0';
		return p < end ? skip_blanks(p + 1, end) : NULL;
	}
	equals = *p == '=';
	p = skip_blanks(p + 1, end);
	if (!equals && p < end && *p == '=')
		p = skip_blanks(p + 1, end);
	return p;
}

/*
 * Takes the line P up to *END apart: its keyword goes to KEY and its argument
 * is returned, NULL if ssh would ignore or refuse the line.  *END is moved to
 * the argument's end: a NUL, or the blanks that close the line.
 */
static char *
keyword(char *p, char **end, char key[KEYWORD_MAX])
{
	char *e;

	if ((e = memchr(p, '\0', (size_t)(*end - p))) == NULL)
		e = *end;
	while (e > p + 1 && (is_kind(e[-1], BLANK) || e[-1] == '\f'))
		e--;
	*end = e;
	if ((p = token(p, e, key)) != NULL && key[0] == '\0')
		p = token(p, e, key);
	if (p == NULL || key[0] == '\0' || key[0] == '#')
		return NULL;
	p = skip_blanks(p, e);
	return p < e ? p : NULL;
}

/*
 * Takes the next word of an argument as argv_split() does and puts it, with
 * a NUL, at OUT, which may be *P itself: a word is never longer than what it
 * was written as.  Returns 1 for a word, 0 at the end of the line or at a
 * comment (*P is then there), -1 if a quote stays open.
 */
static int
word(char **p, const char *end, char *out)
{
	char *s = *p, quote = '\0';

	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	*p = s;
	if (s == end || *s == '#')
		return 0;
	while (s < end && !is_kind(*s, SYNTAX))
		s++;
	if (out != *p)
		memmove(out, *p, (size_t)(s - *p));
	out += s - *p;
	for (; s < end; s++) {
		if (*s == '\\' && s + 1 < end && (s[1] == '\'' ||
		    s[1] == '"' || s[1] == '\\' || (!quote && s[1] == ' ')))
			*out++ = *++s;
		else if (!quote && (*s == ' ' || *s == '\t'))
			break;
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote && *s == quote)
			quote = '\0';
		else
			*out++ = *s;
	}
	*p = s < end ? s + 1 : s;
	*out = '\0';
	return quote ? -1 : 1;
}

/*
 * Whether the pattern of '*' and '?' matches the whole of S, byte by byte
 * (match_pattern).  Only the last '*' need ever be tried again, so the time
 * is bounded by the product of the lengths.  With FOLD the pattern's letters
 * are taken in lower case.
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
	int found = 0, negated;
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		negated = *list == '!';
		if (glob_match(s, list + negated, n - (size_t)negated, fold)) {
			if (negated)
				return 0;
			found = 1;
		}
		if (list[n] == '\0')
			return found;
	}
}

/*
 * Whether ssh takes the name as a destination and as nothing else
 * (valid_hostname; the comma since OpenSSH 10.0), and it is not hidden by a
 * dot as systemd's `.host' is.  SEEN is kinds_of() it.
 */
static int
typable(const char *s, int seen)
{
	const char *p;

	if (*s == '-' || (seen & REFUSED))
		return 0;
	if (*s != '.' && !(seen & SLASH))
		return 1;
	if (strncmp(s, "ssh://", 6) == 0)
		return 0;
	for (p = s; *p != '\0'; p++)
		if (*p == '.' && (p == s || p[-1] == '/') &&
		    strcspn(p, "/") > strspn(p, "."))
			return 0;
	return 1;
}

/*
 * The configuration, in memory.  A Host or Match line opens a block, which
 * governs the lines up to the next one.  The lines of an included file that
 * stand before its first block, and those that follow an Include, belong to
 * the block around the Include: a BLOCK_SAME carries it on.  A block read
 * through an Include is inside the block that governs the Include: it applies
 * only where that one does.
 *
 * Blocks are numbered in reading order.  Those that may apply to a name are
 * found without a look at the others: a Host line's literal patterns through
 * the table of names, everything else through the list that the
 * surrounding block keeps.
 */

enum block_kind { BLOCK_ROOT, BLOCK_HOST, BLOCK_MATCH, BLOCK_SAME, BLOCK_BAD };

struct block {
	char *body;		/* its lines, which are parsed when wanted */
	uint32_t len;		/* their length */
	uint32_t note;		/* that of the note, which stands before it */
	uint32_t scope;		/* the block it is inside of */
	uint32_t more;		/* what few blocks have, 0: none */
	uint32_t line;		/* of its Host line */
	uint16_t file;
	uint8_t kind;
	unsigned always : 1;	/* applies to every name */
	unsigned excludes : 1;	/* it has wildcards that exclude */
	unsigned outer : 1;	/* an Include is in it */
	unsigned seen : 1;	/* its lines were looked at once, and */
	unsigned dull : 1;	/* none of them, and nothing inside, matters */
};

enum name_state { NAME_NEW, NAME_WAITS, NAME_REFUSED, NAME_LISTED };

/* A literal pattern of a Host line. */
struct ref {
	uint32_t name, next;	/* the name's next ref; they are a ring */
	uint32_t block : 30, negated : 1;	/* the block excludes it */
};

struct name {
	const char *text;
	uint32_t last;		/* its last ref; its next is the first */
	/*
	 * When it waits, the block that makes it a host; when it is listed, its
	 * place, from 1 on.
	 */
	uint32_t block : 30, state : 2;
};

/* A ref that has no name yet: the name's text and kinds_of() it. */
struct pending {
	const char *text;
	int seen;
};

/* What few blocks have; all that have others inside them do. */
struct more {
	uint32_t patterns;	/* wildcards or criteria, 0: none */
	uint32_t first, last;	/* the list of blocks inside it */
	uint32_t active;	/* the last pass in which it applied */
};

struct link {
	uint32_t block, next;
};

struct file {
	char *path;
	struct stat st;
};

/*
 * Text that stays where it is, in pieces.  Only what is still being put
 * together at the end of the last one may move.
 */
struct text {
	char *piece, *end;	/* the last piece */
	char *open, *next;	/* what is put together, and its end */
};

struct config {
	struct text words;	/* names and patterns */
	struct text lines;	/* notes, and the lines of blocks */
	struct file *files;
	struct block *blocks;
	struct ref *refs;
	struct name *names;
	struct pending pending[PENDING];	/* for the last refs */
	const char **patterns;	/* lists that end in NULL */
	struct more *more;
	struct link *links;
	/*
	 * The table of names, by the low bits of their hash, 0: free.  As many
	 * bits of a slot tell the name's number, the others are of its hash.
	 */
	uint32_t *slots;
	uint64_t seed;		/* of the hashes */
	size_t nfiles, nblocks, nrefs, nnames, npending, npatterns;
	size_t nmore, nlinks;
	size_t capfiles, capblocks, caprefs, capnames, cappatterns;
	size_t capmore, caplinks, capslots;
	size_t read;		/* bytes read so far */
	uint32_t pass;
	int final;		/* a `Match final' asks for a second pass */
	int full;		/* nothing more is read */
	const char *local_user;
};

/* Adds N bytes to the text that is put together. */
static void
text_add(struct text *t, const char *s, size_t n)
{
	size_t have = (size_t)(t->next - t->open), size = PIECE;
	char *piece;

	if (n > (size_t)(t->end - t->next)) {
		if (size / 2 < have + n)
			size = (have + n) * 2;
		if ((piece = malloc(size)) == NULL)
			out_of_memory();
		if (have > 0)
			memcpy(piece, t->open, have);
		if (t->open == t->piece)	/* all of it was moved */
			free(t->piece);
		t->piece = t->open = piece;
		t->next = piece + have;
		t->end = piece + size;
	}
	memcpy(t->next, s, n);
	t->next += n;
}

/* Ends the text that is put together, and returns it. */
static char *
text_end(struct text *t)
{
	char *s = t->open;

	t->open = t->next;
	return s;
}

/* A copy of the string S that stays. */
static char *
text_keep(struct text *t, const char *s)
{
	text_add(t, s, strlen(s) + 1);
	return text_end(t);
}

/* A number for a name that nobody can foresee who makes names collide. */
static uint32_t
hash(const struct config *c, const char *s)
{
	size_t n = strlen(s);
	const char *end = s + n;
	uint64_t h = n ^ c->seed, word = 0;

	for (; end - s > 8; s += 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h = (h ^ h >> 32) * (c->seed | 1);
	}
	if (n >= 8)		/* the last 8, some of them once more */
		memcpy(&word, end - 8, 8);
	else
		memcpy(&word, s, n);
	h = (h ^ word) * 0x9e3779b97f4a7c15;
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15;
	return (uint32_t)(h >> 32);
}

/* The bits of a slot that tell the number of its name. */
static uint32_t
slot_mask(const struct config *c)
{
	return (uint32_t)c->capslots - 1;
}

/* A name's slot in the table: where it is or where it would go. */
static uint32_t *
name_slot(const struct config *c, const char *text, uint32_t h)
{
	uint32_t *slot, mask = slot_mask(c);
	size_t i;

	for (i = h;; i++) {
		slot = &c->slots[i & mask];
		if (*slot == 0 || (((*slot ^ h) & ~mask) == 0 &&
		    strcmp(c->names[*slot & mask].text, text) == 0))
			return slot;
	}
}

/* The number of a name, 0 if no Host line holds it. */
static uint32_t
name_find(const struct config *c, const char *text)
{
	return *name_slot(c, text, hash(c, text)) & slot_mask(c);
}

/* Makes room in the table for N names. */
static void
slots_grow(struct config *c, size_t n)
{
	const char *text;
	size_t cap = 0;
	uint32_t i, h;

	if (n < c->capslots / 8 * 7)
		return;
	for (c->capslots = 1024; c->capslots / 8 * 7 <= n;)
		c->capslots *= 2;
	free(c->slots);
	c->slots = grow(NULL, &cap, c->capslots, sizeof(*c->slots));
	memset(c->slots, 0, c->capslots * sizeof(*c->slots));
	for (i = 1; i < c->nnames; i++) {
		text = c->names[i].text;
		h = hash(c, text);
		*name_slot(c, text, h) = i | (h & ~slot_mask(c));
	}
}

/* The number of a name of hash H; it is added if it is new. */
static uint32_t
name_put(struct config *c, const char *text, uint32_t h)
{
	uint32_t name = (uint32_t)c->nnames, *slot;

	slots_grow(c, c->nnames);
	slot = name_slot(c, text, h);
	if (*slot != 0)
		return *slot & slot_mask(c);
	*slot = name | (h & ~slot_mask(c));
	c->names = append(c->names, &c->nnames, &c->capnames,
	    sizeof(*c->names));
	c->names[name].text = text;
	return name;
}

/* The same for a name that does not stay where it is: a copy of it is put. */
static uint32_t
name_add(struct config *c, const char *text)
{
	text = text_keep(&c->words, text);
	return name_put(c, text, hash(c, text));
}

/* Gives ref I its name, and puts it behind the name's other refs. */
static void
ref_link(struct config *c, uint32_t i, const struct pending *p, uint32_t h)
{
	struct ref *r = &c->refs[i];
	struct name *n;

	r->name = name_put(c, p->text, h);
	n = &c->names[r->name];
	if (n->last == 0) {
		r->next = i;
		if (!typable(p->text, p->seen))
			n->state = NAME_REFUSED;
	} else {
		r->next = c->refs[n->last].next;
		c->refs[n->last].next = i;
	}
	n->last = i;
}

/*
 * Gives the last refs their names.  The slots of all are looked at first: they
 * lie far apart, and this way memory is asked for all of them at once, instead
 * of one after the other while each is waited for.
 */
static void
refs_link(struct config *c)
{
	uint32_t h[PENDING], first = (uint32_t)(c->nrefs - c->npending), i;
	volatile uint32_t sink = 0;

	for (i = 0; i < c->npending; i++) {
		h[i] = hash(c, c->pending[i].text);
		sink = c->slots[h[i] & slot_mask(c)];
	}
	(void)sink;
	for (i = 0; i < c->npending; i++)
		ref_link(c, first + i, &c->pending[i], h[i]);
	c->npending = 0;
}

static void
ref_add(struct config *c, const char *text, int seen, uint32_t block,
    int negated)
{
	struct pending *p = &c->pending[c->npending++];
	struct ref *r;

	c->refs = append(c->refs, &c->nrefs, &c->caprefs, sizeof(*c->refs));
	r = &c->refs[c->nrefs - 1];
	r->block = block & 0x3fffffff;
	r->negated = negated != 0;
	p->text = text_keep(&c->words, text);
	p->seen = seen;
	if (c->npending == PENDING)
		refs_link(c);
}

/* Adds a copy of a pattern or, with NULL, ends their list. */
static void
pattern_add(struct config *c, const char *text)
{
	c->patterns = grow(c->patterns, &c->cappatterns, c->npatterns + 1,
	    sizeof(*c->patterns));
	c->patterns[c->npatterns++] = text != NULL ?
	    text_keep(&c->words, text) : NULL;
}

/* Where to put what few blocks have, for block B. */
static struct more *
block_more(struct config *c, uint32_t b)
{
	if (c->blocks[b].more == 0) {
		c->blocks[b].more = (uint32_t)c->nmore;
		c->more = append(c->more, &c->nmore, &c->capmore,
		    sizeof(*c->more));
	}
	return &c->more[c->blocks[b].more];
}

/* Appends block B to the list of those inside its scope. */
static void
inside_add(struct config *c, uint32_t b)
{
	struct more *list = block_more(c, c->blocks[b].scope);
	uint32_t link = (uint32_t)c->nlinks;

	c->links = append(c->links, &c->nlinks, &c->caplinks,
	    sizeof(*c->links));
	c->links[link].block = b;
	if (list->first == 0)
		list->first = link;
	else
		c->links[list->last].next = link;
	list->last = link;
}

/*
 * Reading.  Of each file only names, notes and the lines that may set a value
 * of interest are kept; all other lines are only counted.  What ssh would
 * refuse is passed over: ssh itself reports it on connecting.  Only regular
 * files are read, so nothing can block or have no end, and FILES_MAX and
 * READ_MAX bound the sums, whatever includes multiply.
 */

struct level {			/* a file that is being read */
	struct config *c;
	int fd;
	struct buf in;		/* what was read of it and not yet used */
	char *note;		/* there: the comments just above, or NULL */
	uint32_t scope;		/* the block around the Include */
	uint32_t governor;	/* the block whose lines are being read */
	uint32_t open;		/* the block that takes them, or 0 */
	uint32_t line;
	uint16_t file;
	int depth;
	int system;		/* below /etc/ssh/ssh_config */
};

static uint32_t
block_add(struct level *l, enum block_kind kind, uint32_t scope)
{
	struct config *c = l->c;
	struct block *b;

	c->blocks = append(c->blocks, &c->nblocks, &c->capblocks,
	    sizeof(*c->blocks));
	b = &c->blocks[c->nblocks - 1];
	b->scope = scope;
	b->line = l->line;
	b->file = l->file;
	b->kind = kind;
	return (uint32_t)(c->nblocks - 1);
}

/* Makes of a block one that ssh would refuse: it applies to no name. */
static void
block_bad(struct config *c, uint32_t b)
{
	c->blocks[b].kind = BLOCK_BAD;
	c->blocks[b].always = 0;
}

/* Ends the block whose lines are being read. */
static void
block_close(struct level *l)
{
	struct block *b = &l->c->blocks[l->open];
	const char *end = l->c->lines.next;

	if (l->open == 0)
		return;
	b->body = text_end(&l->c->lines) + b->note;
	b->len = (uint32_t)(end - b->body);
	l->open = 0;
}

/*
 * Reads the words of a Host line, P to END, into block B.  Returns where the
 * words ended, NULL if ssh would refuse the line.
 */
static char *
read_patterns(struct config *c, char *p, const char *end, uint32_t b)
{
	char *w;
	int r, negated, seen;
	size_t first = c->npatterns;
	int positive = 0, negative = 0, all = 0;

	while ((r = word(&p, end, w = p)) == 1) {
		if (*w == '\0')
			return NULL;
		negated = *w == '!';
		w += negated;
		negative |= negated;
		seen = kinds_of(w);
		if (!(seen & WILDCARD)) {
			if (*w != '\0')
				ref_add(c, w, seen, b, negated);
			continue;
		}
		pattern_add(c, w - negated);
		c->blocks[b].excludes |= negated & 1;
		positive |= !negated;
		all |= !negated && w[strspn(w, "*")] == '\0';
	}
	if (c->npatterns > first) {
		pattern_add(c, NULL);
		block_more(c, b)->patterns = (uint32_t)first;
	}
	if (positive)
		inside_add(c, b);
	if (all && !negative)
		c->blocks[b].always = c->blocks[c->blocks[b].scope].always;
	return r == -1 ? NULL : p;
}

/*
 * The Host line at LINE, with the words P to END.  Its note is a comment at
 * its end, else the one above it.
 */
static void
read_host(struct level *l, char *line, char *p, char *end)
{
	uint32_t b = block_add(l, BLOCK_HOST, l->scope);
	char *stop = read_patterns(l->c, p, end, b), *note = l->note;

	if (stop == NULL)
		block_bad(l->c, b);
	else if (stop < end && *stop == '#')
		note = stop;
	if (note != NULL) {
		end = note == stop ? end : line;
		text_add(&l->c->lines, note, (size_t)(end - note));
		l->c->blocks[b].note = (uint32_t)(end - note);
	}
	l->governor = l->open = b;
}

/* Whether the next word of a Match line is an argument of the criterion W. */
static int
takes_word(const char *w)
{
	w += *w == '!';
	return strchr(w, '=') == NULL && strcasecmp(w, "all") != 0 &&
	    strcasecmp(w, "final") != 0 && strcasecmp(w, "canonical") != 0;
}

/* A Match line, whose criteria are kept as words. */
static void
read_match(struct level *l, char *p, const char *end)
{
	uint32_t b = block_add(l, BLOCK_MATCH, l->scope);
	struct config *c = l->c;
	char *w;
	int r, arg = 0;
	size_t first = c->npatterns;

	while ((r = word(&p, end, w = p)) == 1) {
		c->final |= !arg && strcasecmp(w + (*w == '!'), "final") == 0;
		arg = !arg && takes_word(w);
		pattern_add(c, w);
	}
	c->blocks[b].always = c->blocks[l->scope].always &&
	    c->npatterns == first + 1 &&
	    strcasecmp(c->patterns[first], "all") == 0;
	pattern_add(c, NULL);
	block_more(c, b)->patterns = (uint32_t)first;
	if (r == -1)
		block_bad(c, b);
	inside_add(c, b);
	l->governor = l->open = b;
}

static int read_file(struct config *, const char *, uint32_t, int, int);

/* What `~' is in an Include, for ssh: without HOME its glob asks passwd. */
static const char *
home_dir(void)
{
	const char *dir = getenv("HOME");
	struct passwd *pw;

	if (dir == NULL && (pw = getpwuid(getuid())) != NULL)
		dir = pw->pw_dir;
	return dir != NULL ? dir : "~";
}

/*
 * An Include line: each word's files are read in place.  A relative path is
 * below ~/.ssh, in the system's file below /etc/ssh.
 */
static void
read_include(struct level *l, char *p, const char *end)
{
	struct buf path = { NULL, 0, 0 };
	glob_t g;
	char *w;
	size_t i;

	l->c->blocks[l->governor].outer = 1;
	block_more(l->c, l->governor);
	while (word(&p, end, w = p) == 1 && *w != '\0') {
		if (l->system && *w == '~')
			continue;
		path.len = 0;
		if (*w != '/' && *w != '~') {
			buf_str(&path, l->system ? "/etc" : home_dir());
			buf_str(&path, l->system ? "/ssh/" : "/.ssh/");
		} else if (w[0] == '~' && w[1] == '/') {
			buf_str(&path, home_dir());
			w++;
		}
		buf_str(&path, w);
		if (glob(path.v, GLOB_TILDE, NULL, &g) == 0) {
			for (i = 0; i < g.gl_pathc; i++)
				read_file(l->c, g.gl_pathv[i], l->governor,
				    l->depth + 1, l->system);
			globfree(&g);
		}
	}
	free(path.v);
}

/*
 * Whether the line at P, of N bytes, may be one of Host, Match or Include, of
 * which quotes or a `=' may hide the keyword.  HostName and those that begin
 * with Identi are most of the others with such a letter.
 */
static int
may_open(const char *p, size_t n)
{
	int c = lower(*p);

	return n > 4 && ((c == 'h' && lower(p[4]) != 'n') || c == 'm' ||
	    (c == 'i' && lower(p[1]) != 'd') || c == '"' || c == '=');
}

/* Whether the line P to END is one of Host, Match or Include, and is read. */
static int
read_opener(struct level *l, char *p, char *end)
{
	char key[KEYWORD_MAX], *arg = keyword(p, &end, key);

	if (arg != NULL && strcmp(key, "host") == 0) {
		block_close(l);
		read_host(l, p, arg, end);
	} else if (arg != NULL && strcmp(key, "match") == 0) {
		block_close(l);
		read_match(l, arg, end);
	} else if (arg != NULL && strcmp(key, "include") == 0) {
		block_close(l);
		read_include(l, arg, end);
	} else {
		return 0;
	}
	return 1;
}

/* Keeps the line P to NEXT for the block that it is in. */
static void
read_value(struct level *l, const char *p, const char *next)
{
	struct config *c = l->c;

	if (l->open == 0) {
		l->open = block_add(l, BLOCK_SAME, l->governor);
		c->blocks[l->open].always = c->blocks[l->governor].always;
		inside_add(c, l->open);
	}
	text_add(&c->lines, p, (size_t)(next - p));
}

/* Reads the line P to END; the next one begins at NEXT. */
static void
read_line(struct level *l, char *p, char *end, char *next)
{
	char *q = skip_blanks(p, end);

	if (q == end) {
		l->note = NULL;
	} else if (*q == '#') {
		if (l->note == NULL)
			l->note = q;
	} else {
		if (!(may_open(q, (size_t)(end - q)) &&
		    read_opener(l, p, end)) && is_kind(*q, VALUE))
			/* with a blank, for keyword() to see */
			read_value(l, q - (q > p), next);
		l->note = NULL;
	}
}

/*
 * Reads more of the file behind what is not yet used, which begins at *P or
 * with the note before it.  All of that moves to the front.  Returns 0 at the
 * end of the file, or if it cannot be read or is too much.
 */
static int
read_more(struct level *l, char **p)
{
	struct config *c = l->c;
	char *from = l->note != NULL ? l->note : *p;
	size_t used = (size_t)(from - l->in.v);
	size_t line = (size_t)(*p - l->in.v);
	ssize_t n;

	l->in.len -= used;
	if (used > 0)
		memmove(l->in.v, from, l->in.len);
	l->in.v = grow(l->in.v, &l->in.cap, l->in.len + WINDOW / 2, 1);
	if (l->note != NULL)
		l->note = l->in.v;
	*p = l->in.v + line - used;
	do {
		n = read(l->fd, l->in.v + l->in.len,
		    l->in.cap - l->in.len - 1);	/* word() adds a NUL */
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return 0;
	if ((size_t)n > READ_MAX - c->read) {
		warnx("more than %d MB of configuration", READ_MAX >> 20);
		c->full = 1;
		return 0;
	}
	c->read += (size_t)n;
	l->in.len += (size_t)n;
	return 1;
}

/* Reads the lines of a file. */
static void
read_lines(struct level *l)
{
	char *p, *end, *eol;
	int more = 1;

	p = l->in.v = grow(NULL, &l->in.cap, WINDOW, 1);
	for (;; p = eol + 1) {
		while ((eol = memchr(p, '\n',
		    (size_t)(l->in.v + l->in.len - p))) == NULL && more)
			more = read_more(l, &p);
		end = eol != NULL ? eol : l->in.v + l->in.len;
		if (eol == NULL && p == end)
			break;
		l->line++;
		read_line(l, p, end, eol != NULL ? eol + 1 : end);
		if (eol == NULL)
			break;
	}
	block_close(l);
}

/* Opens a file of the configuration without blocking; -1 and errno. */
static int
config_open(const char *path, struct stat *st)
{
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && fstat(fd, st) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Reads a file into block SCOPE; what is no regular file is empty, as a
 * directory is to ssh.  Returns -1 and errno if it cannot be opened.
 */
static int
read_file(struct config *c, const char *path, uint32_t scope, int depth,
    int system)
{
	struct level l;
	struct stat st;

	if (c->nfiles == FILES_MAX && !c->full)
		warnx("more than %d configuration files", FILES_MAX);
	if (depth > INCLUDE_DEPTH || c->nfiles == FILES_MAX)
		c->full = 1;
	if (c->full)
		return 0;
	memset(&l, 0, sizeof(l));
	if ((l.fd = config_open(path, &st)) == -1)
		return -1;
	l.c = c;
	l.scope = l.governor = scope;
	l.depth = depth;
	l.system = system;
	l.file = (uint16_t)c->nfiles;
	c->files = grow(c->files, &c->capfiles, c->nfiles + 1,
	    sizeof(*c->files));
	c->files[c->nfiles].path = xstrdup(path);
	c->files[c->nfiles++].st = st;
	if (S_ISREG(st.st_mode)) {
		/* a fair guess of the number of names saves work */
		if (st.st_size <= READ_MAX)
			slots_grow(c, c->nnames + (size_t)st.st_size / 96);
		read_lines(&l);
		free(l.in.v);
	}
	close(l.fd);
	return 0;
}

/*
 * Sets up the configuration: FILE, or as ssh does the user's file, found
 * through passwd, and then the system's.  A FILE that cannot be read ends wl.
 */
static void
config_read(struct config *c, const char *file)
{
	struct passwd *pw;
	struct level l;
	struct buf path = { NULL, 0, 0 };
	struct timespec now;
	struct stat st;

	memset(&l, 0, sizeof(l));
	l.c = c;
	block_add(&l, BLOCK_ROOT, 0);
	c->blocks[0].body = text_keep(&c->lines, "");
	clock_gettime(CLOCK_REALTIME, &now);
	c->seed = ((uint64_t)getpid() << 32 ^ (uint64_t)now.tv_nsec ^
	    (uintptr_t)c) * 0x9e3779b97f4a7c15;
	c->blocks[0].always = 1;
	pattern_add(c, NULL);
	c->names = append(NULL, &c->nnames, &c->capnames, sizeof(*c->names));
	c->refs = append(NULL, &c->nrefs, &c->caprefs, sizeof(*c->refs));
	c->more = append(NULL, &c->nmore, &c->capmore, sizeof(*c->more));
	c->links = append(NULL, &c->nlinks, &c->caplinks, sizeof(*c->links));
	block_more(c, 0);
	slots_grow(c, 0);
	if ((pw = getpwuid(getuid())) == NULL)
		errx(2, "no user has the id %ld", (long)getuid());
	c->local_user = xstrdup(pw->pw_name);
	if (file == NULL) {
		buf_fmt(&path, "%s/.ssh/config", pw->pw_dir);
		read_file(c, path.v, 0, 0, 0);
		read_file(c, PATH_SYSTEM, 0, 0, 1);
	} else if (strcasecmp(file, "none") != 0) {
		if (stat(file, &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			errx(2, "%s: not a regular file", file);
		if (read_file(c, file, 0, 0, 0) == -1)
			err(2, "%s", file);
	}
	refs_link(c);
}

/*
 * What the configuration says of one name: the values `ssh -G NAME' would
 * print.  Every block that may apply is visited in reading order and asked
 * whether it does; the first value of each keyword stays.  Nothing is run:
 * `Match exec', and what else depends on more than the files, is false.
 */

enum value { V_HOSTNAME, V_USER, V_PORT, V_JUMP, V_COMMAND, V_CANONICAL,
    V_COUNT };

struct values {
	struct buf text;	/* what was set, from offset 1 on */
	size_t at[V_COUNT];	/* where, 0: not set */
	struct buf name;	/* the final host name */
	struct buf scratch;
	uint32_t listed;	/* the first Host line that applies to the
				   name and holds it literally, 0: none */
};

/* One reading of all files, as ssh reads them for the name TYPED. */
struct pass {
	struct config *c;
	struct values *v;
	const char *typed;
	const char *host;	/* what Host tests: typed, or the final name */
	uint32_t ref;		/* the next of the name's refs */
	uint32_t literal;	/* the last block visited for one of them */
	int final;		/* the second pass */
};

/* A value that was set, or NULL.  It moves when another one is set. */
static const char *
value(const struct values *v, enum value k)
{
	return v->at[k] == 0 ? NULL : v->text.v + v->at[k];
}

static void
value_set(struct values *v, enum value k, const char *s)
{
	v->at[k] = v->text.len;
	buf_add(&v->text, s, strlen(s) + 1);
}

/* A port's number, 0 if ssh would refuse it (a2port). */
static int
port_number(const char *s)
{
	struct servent *service;
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (end != s && *end == '\0')
		return errno == 0 && n > 0 && n <= 65535 ? (int)n : 0;
	if ((service = getservbyname(s, "tcp")) == NULL)
		return 0;
	return ntohs((uint16_t)service->s_port);
}

/* Whether ssh would look no name up for it (is_addr_fast). */
static int
is_address(const char *s)
{
	return strpbrk(s, ":%") != NULL || s[strspn(s, "0123456789.")] == '\0';
}

/* Whether it is an IPv4 address written as it would be printed back. */
static int
is_plain_ipv4(const char *s)
{
	struct in_addr addr;
	char text[INET_ADDRSTRLEN];

	return is_digit(*s) && inet_pton(AF_INET, s, &addr) == 1 &&
	    inet_ntop(AF_INET, &addr, text, sizeof(text)) != NULL &&
	    strcmp(s, text) == 0;
}

/*
 * Puts HostName with its %h, or the name as typed without one, into OUT.  What
 * has grown longer than any name grows no more.
 */
static void
put_hostname(struct buf *out, const struct values *v, const char *typed)
{
	const char *s = value(v, V_HOSTNAME);

	out->len = 0;
	buf_str(out, "");
	for (s = s != NULL ? s : "%h"; *s != '\0'; s++) {
		if (*s == '%' && s[1] == 'h' && out->len < HOSTNAME_MAX)
			buf_str(out, typed);
		else
			buf_add(out, s, 1);
		s += *s == '%' && (s[1] == 'h' || s[1] == '%');
	}
}

/*
 * Puts the host that ssh would connect to into v->name: a number as
 * getnameinfo(3) prints it, all else in lower case.
 */
static void
final_name(struct values *v, const char *typed)
{
	struct addrinfo hints, *ai;
	char num[NI_MAXHOST], *s;

	put_hostname(&v->name, v, typed);
	s = v->name.v;
	if (is_plain_ipv4(s))
		return;
	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST;
	hints.ai_socktype = SOCK_STREAM;
	if ((is_address(s) || (is_digit(*s) &&
	    s[strspn(s, "0123456789abcdefABCDEFxX.")] == '\0')) &&
	    getaddrinfo(s, NULL, &hints, &ai) == 0) {
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, num, sizeof(num),
		    NULL, 0, NI_NUMERICHOST) == 0 && strcasecmp(s, num) != 0) {
			v->name.len = 0;
			buf_str(&v->name, num);
		}
		freeaddrinfo(ai);
	} else if (!is_address(s)) {
		for (; *s != '\0'; s++)
			*s = (char)lower(*s);
	}
}

static int
hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the %XX of a URI's part in place; 0 if one is damaged. */
static int
url_decode(char *s)
{
	char *out = s;

	for (; *s != '\0'; s++, out++) {
		*out = *s;
		if (*s != '%')
			continue;
		if (hex_digit(s[1]) == -1 || hex_digit(s[2]) == -1 ||
		    (s[1] == '0' && s[2] == '0'))
			return 0;
		*out = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
		s += 2;
	}
	*out = '\0';
	return 1;
}

/*
 * The last hop of a ProxyJump as ssh -G prints it, into v->scratch: the port
 * a number, brackets around what looks like an address.  Returns 0 if ssh
 * would refuse the hop (parse_user_host_port, parse_ssh_uri).
 */
static int
jump_hop(struct values *v, char *hop)
{
	char *user = NULL, *host = hop, *port = NULL, *at;
	int uri = strncmp(hop, "ssh://", 6) == 0, number = 0;

	host += uri ? 6 : 0;
	if ((at = strrchr(host, '@')) != NULL) {
		user = host;
		*at = '\0';
		host = at + 1;
		if (*user == '\0')
			return 0;
	}
	if (*host == '[') {
		if ((port = strchr(++host, ']')) == NULL)
			return 0;
		*port++ = '\0';
		if (*port != '\0' && *port != ':' && *port != '/')
			return 0;
	} else {
		port = host + strcspn(host, ":/");
	}
	if (*port != '\0') {
		*port++ = '\0';
		if (uri)
			port[strcspn(port, "/")] = '\0';
		if (*port != '\0' && (number = port_number(port)) == 0)
			return 0;
	}
	if (*host == '\0')
		return 0;
	if (user != NULL && uri && !url_decode(user))
		return 0;
	if (user != NULL)
		buf_fmt(&v->scratch, "%s@", user);
	buf_fmt(&v->scratch, is_address(host) ? "[%s]" : "%s", host);
	if (number != 0)
		buf_fmt(&v->scratch, ":%d", number);
	return 1;
}

/*
 * ProxyJump takes the raw text, up to a `#' or, before OpenSSH 10.1, a blank
 * (parse_jump); whichever of it and ProxyCommand comes first excludes the
 * other.  None is kept as an empty one.
 */
static void
set_jump(struct values *v, const char *raw, size_t n)
{
	char *text, *last;

	if (v->at[V_JUMP] != 0 || v->at[V_COMMAND] != 0)
		return;
	if ((text = strndup(raw, n)) == NULL)
		out_of_memory();
	v->scratch.len = 0;
	if (strcasecmp(text, "none") == 0) {
		value_set(v, V_JUMP, "");
		free(text);
		return;
	}
	text[strcspn(text, "# \t\r\f\v")] = '\0';
	if ((last = strrchr(text, ',')) != NULL)
		buf_add(&v->scratch, text, (size_t)(++last - text));
	if (jump_hop(v, last != NULL ? last : text))
		value_set(v, V_JUMP, v->scratch.v);
	free(text);
}

/* A keyword that takes one word: none, an empty one or two are refused. */
static void
set_word(struct values *v, enum value k, char *p, const char *end)
{
	char port[8], *w;
	int n = 0;

	if (v->at[k] != 0)
		return;
	v->scratch.v = grow(v->scratch.v, &v->scratch.cap,
	    (size_t)(end - p) * 2 + 2, 1);
	w = v->scratch.v;
	if (word(&p, end, w) != 1 || *w == '\0' ||
	    word(&p, end, w + strlen(w) + 1) != 0)
		return;
	if (k == V_PORT && (n = port_number(w)) == 0)
		return;
	if (k == V_PORT) {
		snprintf(port, sizeof(port), "%d", n);
		w = port;
	}
	value_set(v, k, w);
}

/*
 * Which value the line P to *END sets, V_COUNT for none.  *ARG is then its
 * argument, which ends at the new *END.
 */
static enum value
line_key(char *p, char **end, char **arg)
{
	static const char *const keys[V_COUNT] = { "hostname", "user", "port",
	    "proxyjump", "proxycommand", "canonicalizehostname" };
	char key[KEYWORD_MAX], *q = skip_blanks(p, *end);
	int k;

	if (q == *end || !is_kind(*q, VALUE) ||
	    (*arg = keyword(p, end, key)) == NULL)
		return V_COUNT;
	for (k = 0; k < V_COUNT && strcmp(key, keys[k]) != 0; k++)
		continue;
	return (enum value)k;
}

/* Sets a value to the argument ARG to END of its line. */
static void
line_set(struct values *v, enum value k, char *arg, char *end)
{
	if (k != V_JUMP && k != V_COMMAND) {
		set_word(v, k, arg, end);
		return;
	}
	while (arg < end && (is_kind(*arg, BLANK) || *arg == '='))
		arg++;
	if (k == V_JUMP)
		set_jump(v, arg, (size_t)(end - arg));
	else if (v->at[V_COMMAND] == 0 &&
	    (v->at[V_JUMP] == 0 || *value(v, V_JUMP) == '\0'))
		value_set(v, V_COMMAND, (size_t)(end - arg) == 4 &&
		    strncasecmp(arg, "none", 4) == 0 ? "none" : "set");
}

/*
 * Returns how many of a block's lines name a value of interest, and takes
 * into V, unless NULL, those that set it first.
 */
static size_t
block_lines(const struct block *b, struct values *v)
{
	char *p, *eol, *stop, *arg, *end = b->body + b->len;
	enum value k;
	size_t n = 0;

	for (p = b->body; p < end; p = eol + 1) {
		eol = p + line_len(p, end);
		stop = eol;
		if ((k = line_key(p, &stop, &arg)) == V_COUNT)
			continue;
		if (v != NULL)
			line_set(v, k, arg, stop);
		n++;
	}
	return n;
}

/*
 * One criterion of a Match line, with its argument where it takes one
 * (match_cfg_line).  Returns -1 for one that is not decided here.
 */
static int
criterion(struct pass *p, const char *name, const char *arg)
{
	const char *s;

	if (strcasecmp(name, "all") == 0)
		return 1;
	if (strcasecmp(name, "final") == 0 ||
	    strcasecmp(name, "canonical") == 0)
		return p->final;
	if (arg == NULL)
		return -1;
	if (strcasecmp(name, "originalhost") == 0)
		return list_match(p->typed, arg, 1);
	if (strcasecmp(name, "host") == 0) {
		if (p->final)
			return list_match(p->host, arg, 1);
		put_hostname(&p->v->scratch, p->v, p->typed);
		return list_match(p->v->scratch.v, arg, 1);
	}
	if (strcasecmp(name, "user") == 0) {
		s = value(p->v, V_USER);
		return list_match(s != NULL ? s : p->c->local_user, arg, 0);
	}
	if (strcasecmp(name, "localuser") == 0)
		return list_match(p->c->local_user, arg, 0);
	return -1;
}

/* Whether all criteria of a Match line hold; the argument may follow a `='. */
static int
match_line(struct pass *p, const char *const *w)
{
	char name[KEYWORD_MAX];
	const char *arg;
	int negated, r, n = 0;

	for (; *w != NULL && **w != '#'; w++, n++) {
		negated = **w == '!';
		snprintf(name, sizeof(name), "%s", *w + negated);
		arg = strchr(*w, '=');
		name[strcspn(name, "=")] = '\0';
		if (arg != NULL)
			arg++;
		else if (takes_word(*w) && w[1] != NULL)
			arg = *++w;
		r = criterion(p, name, arg);
		if (r == negated || r == -1)
			return 0;
	}
	return n > 0;
}

/* Whether the wildcards of a Host line match; -1: one excludes the name. */
static int
wildcards(const char *const *w, const char *host)
{
	int found = 0, negated;

	for (; *w != NULL; w++) {
		negated = **w == '!';
		if (negated || !found)
			if (glob_match(host, *w + negated, strlen(*w + negated),
			    0)) {
				if (negated)
					return -1;
				found = 1;
			}
	}
	return found;
}

static int
block_applies(struct pass *p, uint32_t b, int literal, int negated)
{
	const struct config *c = p->c;
	const struct block *k = &c->blocks[b];
	const char *const *patterns = c->patterns + c->more[k->more].patterns;
	int r;

	if (c->more[c->blocks[k->scope].more].active != c->pass)
		return 0;
	switch (k->kind) {
	case BLOCK_ROOT:
	case BLOCK_SAME:
		return 1;
	case BLOCK_MATCH:
		return match_line(p, patterns);
	case BLOCK_HOST:
		r = wildcards(patterns, p->host);
		return !negated && r != -1 && (r || literal);
	default:
		return 0;
	}
}

static void walk(struct pass *, uint32_t);

/*
 * Takes the values of block B if it applies, then those of the blocks inside
 * it.  LITERAL and NEGATED say what its Host line holds of the name.
 */
static void
visit(struct pass *p, uint32_t b, int literal, int negated)
{
	struct block *k = &p->c->blocks[b];

	if (!literal && !k->seen) {
		k->seen = 1;
		k->dull = !k->outer && block_lines(k, NULL) == 0;
	}
	if ((k->dull && !literal) || !block_applies(p, b, literal, negated))
		return;
	if (k->more != 0)
		p->c->more[k->more].active = p->c->pass;
	if (literal && (p->v->listed == 0 || p->v->listed > b) &&
	    strcmp(p->host, p->typed) == 0)
		p->v->listed = b;
	block_lines(k, p->v);
	walk(p, p->c->more[k->more].first);
}

/* The ref after the one that is next, 0 if it is the name's last. */
static uint32_t
ref_after(const struct pass *p)
{
	const struct ref *r = &p->c->refs[p->ref];

	return p->ref == p->c->names[r->name].last ? 0 : r->next;
}

/* Visits the Host lines before block LIMIT that hold the name literally. */
static void
visit_literals(struct pass *p, uint32_t limit)
{
	const struct ref *refs = p->c->refs;
	uint32_t b;
	int negated;

	while (p->ref != 0 && (b = refs[p->ref].block) < limit) {
		for (negated = 0; p->ref != 0 && refs[p->ref].block == b;
		    p->ref = ref_after(p))
			negated |= refs[p->ref].negated;
		p->literal = b;
		visit(p, b, 1, negated);
	}
}

/*
 * Visits a list of blocks, and the name's own Host lines in between.  One
 * that has wildcards too is in both and is visited once, as a literal one.
 */
static void
walk(struct pass *p, uint32_t link)
{
	uint32_t b;

	for (; link != 0; link = p->c->links[link].next) {
		b = p->c->links[link].block;
		visit_literals(p, b + 1);
		if (p->literal != b)
			visit(p, b, 0, 0);
	}
}

static void
read_pass(struct config *c, struct values *v, const char *typed,
    const char *host, int final)
{
	struct pass p = { c, v, typed, host, 0, 0, final };

	c->pass++;
	p.ref = c->refs[c->names[name_find(c, host)].last].next;
	c->more[c->blocks[0].more].active = c->pass;
	walk(&p, c->more[c->blocks[0].more].first);
	visit_literals(&p, UINT32_MAX);
}

/* What an inventory says of a host, each NULL if it does not. */
struct given {
	char *hostname, *user, *port;
	char *note;
	uint32_t line;
};

/*
 * Finds the values for the name TYPED; what is GIVEN, unless NULL, comes
 * before all files.  A second pass, in which Host tests the name found by the
 * first, is read when ssh would read one; it no longer changes that name.
 */
static void
evaluate(struct config *c, const char *typed, const struct given *given,
    struct values *v)
{
	const char *s, *at;
	char *host;

	v->text.len = 0;
	buf_add(&v->text, "", 1);
	memset(v->at, 0, sizeof(v->at));
	v->listed = 0;
	if ((at = strrchr(typed, '@')) != NULL) {
		buf_add(&v->text, typed, (size_t)(at - typed));
		v->at[V_USER] = v->text.len - (size_t)(at - typed);
		buf_add(&v->text, "", 1);
		typed = at + 1;
	}
	if (given != NULL && given->hostname != NULL)
		value_set(v, V_HOSTNAME, given->hostname);
	if (given != NULL && given->user != NULL && at == NULL)
		value_set(v, V_USER, given->user);
	if (given != NULL && given->port != NULL)
		value_set(v, V_PORT, given->port);
	read_pass(c, v, typed, typed, 0);
	final_name(v, typed);
	s = value(v, V_CANONICAL);
	if (c->final || (s != NULL && !is_no(s))) {
		host = xstrdup(v->name.v);
		value_set(v, V_HOSTNAME, host);	/* and no HostName changes it */
		read_pass(c, v, typed, host, 1);
		free(host);
	}
}

/* The values as one sees them in the list. */

static const char *
value_user(const struct config *c, const struct values *v)
{
	const char *s = value(v, V_USER);

	return s != NULL ? s : c->local_user;
}

static const char *
value_port(const struct values *v)
{
	const char *s = value(v, V_PORT);

	return s != NULL ? s : "22";
}

/* The hosts to jump through, "" if there are none. */
static const char *
value_jump(const struct values *v)
{
	const char *s = value(v, V_JUMP);

	return s != NULL ? s : "";
}

/*
 * The list of hosts: the names for which a Host line applies when they are
 * typed, in the order of these lines.
 */

struct host {
	uint32_t name;		/* its number */
	uint32_t block;		/* of its Host line, or its entry in the
				   inventory; 0: typed */
};

/*
 * What matching needs of a host, side by side for all of them, as a letter
 * that is typed looks at each.  All but USED is 0 until asked for.
 */
struct candidate {
	const char *name;
	uint32_t letters;	/* of the name; see letters() */
	uint32_t rest_letters;	/* of all that host_rest() tells */
	uint32_t rest;		/* see host_rest() */
	uint16_t used;		/* the place of its last use, 0: none */
	unsigned char len;	/* of the name, as far as it is matched */
	char first;		/* its first byte */
};

/* A use of a host, as the file of recently used hosts tells it. */
struct use {
	uint32_t when;
	const char *name;
};

struct inventory {
	const char *path;	/* as the user gave it, NULL: standard input */
	int again;		/* it is a file, which can be read again */
	struct given *v;	/* from 1 on */
	size_t len, cap;
};

struct hosts {
	struct config *config;
	struct inventory *inventory;	/* where they are from, or NULL */
	struct host *v;
	size_t len, cap;
	size_t typed;		/* more behind them, once typed by hand */
	size_t forgotten;	/* of these */
	struct candidate *candidates;	/* as many as hosts of both kinds */
	struct use *uses;	/* from 1 on, the last one last */
	struct buf rest;	/* see host_rest() */
	struct values values;	/* of the host looked at last */
	struct buf note;	/* likewise */
};

/*
 * Appends a host of the name with number ID.  COUNT, one of the list's two,
 * says of which kind.
 */
static struct host *
host_add(struct hosts *h, uint32_t id, size_t *count)
{
	struct name *n = &h->config->names[id];
	size_t place = h->len + h->typed;
	struct host *host;

	h->v = grow(h->v, &h->cap, place + 1, sizeof(*h->v));
	host = &h->v[place];
	memset(host, 0, sizeof(*host));
	host->name = id;
	n->state = NAME_LISTED;
	n->block = (place + 1) & 0x3fffffff;
	++*count;
	return host;
}

static const char *
host_name(const struct hosts *h, const struct host *host)
{
	return h->config->names[host->name].text;
}

/* What matching needs of a host; see candidate(). */
static struct candidate *
host_candidate(const struct hosts *h, const struct host *host)
{
	return &h->candidates[host - h->v];
}

/* The host of a name, NULL if there is none. */
static struct host *
host_find(const struct hosts *h, const char *name)
{
	const struct name *n = &h->config->names[name_find(h->config, name)];

	return n->state == NAME_LISTED ? &h->v[n->block - 1] : NULL;
}

/*
 * The number of the block that lists the name, 0 for none.  It is that of R,
 * which has it literally, unless the line excludes it or an Include that led
 * there is not for every name.
 */
static uint32_t
listing_block(struct config *c, struct values *v, const struct ref *r)
{
	const struct block *b = &c->blocks[r->block];
	const char *const *patterns = c->patterns + c->more[b->more].patterns;
	const char *name = c->names[r->name].text;
	const struct ref *next = &c->refs[r->next];

	if (b->kind == BLOCK_HOST && !r->negated &&
	    (next == r || next->block != r->block) &&
	    c->blocks[b->scope].always &&
	    (!b->excludes || wildcards(patterns, name) != -1))
		return r->block;
	evaluate(c, name, NULL, v);
	return v->listed;
}

/* Lists each name where the first Host line stands that applies to it. */
static void
hosts_list(struct hosts *h, struct config *c)
{
	struct name *n;
	uint32_t block;
	size_t i;

	for (i = 1; i < c->nrefs; i++) {
		n = &c->names[c->refs[i].name];
		if (n->state == NAME_NEW) {
			n->block = listing_block(c, &h->values,
			    &c->refs[i]) & 0x3fffffff;
			n->state = n->block != 0 ? NAME_WAITS : NAME_REFUSED;
		}
		block = c->refs[i].block;
		if (n->state == NAME_WAITS && n->block == block)
			host_add(h, c->refs[i].name, &h->len)->block = block;
	}
}

/*
 * The note of a Host line: the comment lines above it, or the comment at its
 * end, without `#' and joined by blanks.
 */
static const char *
block_note(struct hosts *h, const struct block *b)
{
	const char *p = b->body - b->note, *end = b->body, *eol;
	struct buf *out = &h->note;
	char *tab;

	out->len = 0;
	for (buf_str(out, ""); p < end; p = eol + 1) {
		while (p < end && is_kind(*p, BLANK) && *p != '\n')
			p++;
		if (p == end || *p != '#')
			break;
		while (p < end && (*p == '#' || *p == ' ' || *p == '\t'))
			p++;
		eol = p + line_len(p, end);
		if (out->len > 0 && p < eol)
			buf_str(out, " ");
		buf_add(out, p, strnlen(p, (size_t)(eol - p)));
		while (out->len > 0 && is_kind(out->v[out->len - 1], BLANK))
			out->v[--out->len] = '\0';
	}
	for (tab = out->v; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	return out->v;
}

/* What the inventory gives for a host, NULL if it is not from there. */
static const struct given *
host_given(const struct hosts *h, const struct host *host)
{
	return h->inventory == NULL || host->block == 0 ? NULL :
	    &h->inventory->v[host->block];
}

static const char *
host_note(struct hosts *h, const struct host *host)
{
	const struct given *given = host_given(h, host);

	if (given != NULL)
		return given->note != NULL ? given->note : "";
	return block_note(h, &h->config->blocks[host->block]);
}

/* The file that a host is from and, in *LINE, the line; NULL for no file. */
static const char *
host_place(const struct hosts *h, const struct host *host, uint32_t *line)
{
	const struct given *given = host_given(h, host);
	const struct block *b = &h->config->blocks[host->block];

	*line = given != NULL ? given->line : b->line;
	if (given != NULL)
		return h->inventory->path;
	return host->block != 0 ? h->config->files[b->file].path : NULL;
}

/* The values for a host; they are good until another host's are found. */
static struct values *
host_values(struct hosts *h, const struct host *host)
{
	evaluate(h->config, host_name(h, host), host_given(h, host),
	    &h->values);
	return &h->values;
}

/* Appends where the host leads, less what its name tells or is as usual. */
static void
put_addr(struct hosts *h, const struct host *host, struct buf *out)
{
	const char *name = host_name(h, host), *at = strrchr(name, '@');
	const struct values *v = host_values(h, host);
	const char *user = value_user(h->config, v), *port = value_port(v);
	int other = strcmp(v->name.v, at != NULL ? at + 1 : name) != 0;

	if (strcmp(user, h->config->local_user) == 0 || (at != NULL && !other))
		user = "";
	buf_str(out, user);
	if (*user != '\0')
		buf_str(out, "@");
	if (*user != '\0' || strcmp(port, "22") != 0 || other)
		buf_str(out, v->name.v);
	if (strcmp(port, "22") != 0) {
		buf_str(out, ":");
		buf_str(out, port);
	}
}

static void
put_string(struct buf *out, const char *s)
{
	buf_add(out, s, strnlen(s, REST_MAX));
	buf_add(out, "", 1);
}

/*
 * What there is to say of a host besides its name, one string after another:
 * `user@hostname:port', its note, and the hosts it is reached through.  They
 * move when another host's are asked for the first time.
 */
static const char *
host_rest(struct hosts *h, const struct host *host)
{
	struct candidate *c = host_candidate(h, host);
	struct buf *out = &h->rest;

	if (c->rest == 0) {
		if (out->len == 0)
			buf_add(out, "", 1);
		if (out->len > UINT32_MAX)
			out_of_memory();
		c->rest = (uint32_t)out->len;
		put_addr(h, host, out);
		if (out->len - c->rest > REST_MAX)
			out->len = c->rest + REST_MAX;
		buf_add(out, "", 1);
		put_string(out, host_note(h, host));
		put_string(out, value_jump(&h->values));
	}
	return out->v + c->rest;
}

/* The string that stands after S. */
static const char *
after(const char *s)
{
	return s + strlen(s) + 1;
}

/*
 * An inventory, with -i, takes the place of the configuration's hosts: one
 * host a line, the rest of the line its note; or Ansible's INI form.  Each
 * name is still looked up in the configuration.
 */

enum {
	INVENTORY_MAX = 1000000,	/* hosts, as ranges multiply */
	RANGES_MAX = 4,		/* in one name */
};

struct inventory_file {
	struct hosts *hosts;
	const char *path;	/* for messages */
	uint32_t line;
	int skip;		/* in a section that holds no hosts */
	int ini;		/* there are sections: it is Ansible's form */
	size_t made, bytes;	/* names that were made of it */
};

/* Ends wl because of S in a line of the inventory. */
static void
inventory_bad(const struct inventory_file *f, const char *what, const char *s)
{
	errx(2, "%s:%lu: bad %s: %s", f->path, (unsigned long)f->line, what,
	    printable(s));
}

/*
 * A value that goes to ssh as -o KEYWORD=VALUE, and with %h or %r to commands
 * of the configuration, which shells run.  One that could mean something to
 * either ends wl.
 */
static char *
given_value(const struct inventory_file *f, const char *s)
{
	const char *p;

	for (p = s; *p != '\0' && !is_kind(*p, REFUSED); p++)
		if (strchr("#=%*?!~", *p) != NULL)
			break;
	if (*s == '\0' || *s == '-' || *p != '\0')
		inventory_bad(f, "value", s);
	return xstrdup(s);
}

/* A port, as ssh would print its number. */
static char *
given_port(const struct inventory_file *f, const char *s)
{
	struct buf out = { NULL, 0, 0 };
	int port = port_number(s);

	if (port == 0)
		inventory_bad(f, "port", s);
	buf_fmt(&out, "%d", port);
	return out.v;
}

/* Takes a word after the name; returns 0 if it is not a variable but a note. */
static int
inventory_word(struct inventory_file *f, struct given *g, const char *w)
{
	const char *key = w, *equals = strchr(w, '=');
	char **to = NULL;

	if (equals == NULL)
		return 0;
	if (strncmp(w, "ansible_", 8) != 0)
		return f->ini;
	key += strncmp(w, "ansible_ssh_", 12) == 0 ? 12 : 8;
	if (strncmp(key, "host=", 5) == 0)
		to = &g->hostname;
	else if (strncmp(key, "user=", 5) == 0)
		to = &g->user;
	else if (strncmp(key, "port=", 5) == 0)
		to = &g->port;
	if (to != NULL && *to == NULL)
		*to = to == &g->port ? given_port(f, equals + 1) :
		    given_value(f, equals + 1);
	return 1;
}

/* Whether the N bytes at S are FROM:TO, two numbers or two letters. */
static int
range_parse(const char *s, size_t n, long *from, long *to)
{
	size_t i = 0, j;

	while (i < n && is_digit(s[i]))
		i++;
	for (j = i + 1; i > 0 && j < n && is_digit(s[j]);)
		j++;
	if (i > 0 && i < 10 && s[i] == ':' && j == n && n - i > 1 &&
	    n - i <= 10) {
		*from = atol(s);
		*to = atol(s + i + 1);
	} else if (n == 3 && s[1] == ':' && isalpha((unsigned char)*s) &&
	    isalpha((unsigned char)s[2])) {
		*from = *s;
		*to = s[2];
	} else {
		return 0;
	}
	return *from <= *to;
}

/* Whether ssh takes the name; a user may stand before it here. */
static int
inventory_typable(const char *name)
{
	const char *host = strrchr(name, '@'), *p;

	if (host == NULL)
		return typable(name, kinds_of(name));
	for (p = name; p < host && !is_kind(*p, REFUSED); p++)
		continue;
	return p == host && p > name && *name != '-' && host[1] != '\0' &&
	    typable(host + 1, kinds_of(host + 1));
}

/*
 * Adds the hosts that NAME stands for, a range at a time: a number as wide
 * as the range begins, or a letter.
 */
static void
inventory_add(struct inventory_file *f, const char *name, uint32_t given,
    int depth)
{
	const char *open = strchr(name, '['), *close, *colon;
	struct buf one = { NULL, 0, 0 };
	long from = 0, to = 0, i;

	if (open == NULL) {
		f->bytes += strlen(name);
		if (f->made++ >= INVENTORY_MAX || f->bytes > READ_MAX)
			errx(2, "%s:%lu: too many hosts", f->path,
			    (unsigned long)f->line);
		if (inventory_typable(name) && host_find(f->hosts, name) ==
		    NULL)
			host_add(f->hosts, name_add(f->hosts->config,
			    name), &f->hosts->len)->block = given;
		return;
	}
	close = strchr(open, ']');
	if (close == NULL || depth == RANGES_MAX || !range_parse(open + 1,
	    (size_t)(close - open) - 1, &from, &to))
		inventory_bad(f, "range", name);
	colon = strchr(open, ':');
	for (i = from; i <= to; i++) {
		one.len = 0;
		buf_add(&one, name, (size_t)(open - name));
		if (is_digit(open[1]))
			buf_fmt(&one, "%0*ld", (int)(colon - open) - 1, i);
		else
			buf_fmt(&one, "%c", (int)i);
		buf_str(&one, close + 1);
		inventory_add(f, one.v, given, depth + 1);
	}
	free(one.v);
}

/* Takes `:PORT' off a name that has no other colon, but for a range's. */
static void
inventory_port(struct inventory_file *f, struct given *g, char *name)
{
	char *colon = strrchr(name, ':'), *close = strrchr(name, ']'), *port;

	if (colon == NULL || colon < close || colon[1] == '\0' ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
	    (close == NULL && strchr(name, ':') != colon))
		return;
	*colon = '\0';
	port = given_port(f, colon + 1);
	if (g->port == NULL)
		g->port = port;
}

/* A line with a host: its name, its variables, and a note. */
static void
inventory_host(struct inventory_file *f, char *p, char *end)
{
	struct inventory *inv = f->hosts->inventory;
	struct buf note = { NULL, 0, 0 };
	struct given g;
	char *name = p, *w, *rest;
	int quoted;

	memset(&g, 0, sizeof(g));
	g.line = f->line;
	if (word(&p, end, name) != 1)
		return;
	for (rest = p; p < end; rest = p) {
		w = note.v = grow(note.v, &note.cap, (size_t)(end - p) + 1, 1);
		quoted = word(&p, end, w);
		if (quoted == -1 && strncmp(w, "ansible_", 8) == 0)
			inventory_bad(f, "quote", w);
		if (quoted != 1 || !inventory_word(f, &g, w))
			break;
	}
	rest += strspn(rest, "# \t");
	if (rest < end) {
		*end = '\0';
		g.note = rest;
		for (; *rest != '\0'; rest++)
			if (*rest == '\t')
				*rest = ' ';
	}
	free(note.v);
	inventory_port(f, &g, name);
	inv->v = grow(inv->v, &inv->cap, inv->len + 2, sizeof(*inv->v));
	inv->v[++inv->len] = g;
	inventory_add(f, name, (uint32_t)inv->len, 0);
}

/* A line: empty, a comment, a section's heading, or a host. */
static void
inventory_line(struct inventory_file *f, char *p, char *end)
{
	char *nul = memchr(p, '\0', (size_t)(end - p)), *close;

	end = nul != NULL ? nul : end;
	while (end > p && is_kind(end[-1], BLANK))
		end--;
	p = skip_blanks(p, end);
	if (p == end || *p == '#' || *p == ';')
		return;
	*end = '\0';
	close = *p == '[' ? strchr(p, ']') : NULL;
	if (close != NULL &&
	    strchr("#;", close[1 + strspn(close + 1, " \t")]) != NULL) {
		f->ini = 1;
		f->skip = strstr(p, ":vars]") != NULL ||
		    strstr(p, ":children]") != NULL;
	} else if (!f->skip) {
		inventory_host(f, p, end);
	}
}

/* Reads the inventory at PATH, `-' being standard input; what fails ends wl. */
static void
inventory_read(struct hosts *h, const char *path)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	struct inventory_file f = { h, path, 0, 0, 0, 0, 0 };
	struct buf text = { NULL, 0, 0 };
	char *p, *eol, chunk[16384];
	struct stat st;
	int fd = 0;
	ssize_t n;

	if (inv == NULL)
		out_of_memory();
	h->inventory = inv;
	if (strcmp(path, "-") == 0)
		f.path = "standard input";
	else
		inv->path = path;
	if (inv->path != NULL &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		err(2, "%s", path);
	inv->again = inv->path != NULL && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(&text, chunk, (size_t)n);
		if (text.len > READ_MAX)
			errx(2, "%s: more than %d MB", f.path, READ_MAX >> 20);
	}
	if (n == -1)
		err(2, "%s", f.path);
	if (fd != 0)
		close(fd);
	for (p = text.v; p != NULL && p < text.v + text.len; p = eol + 1) {
		eol = p + line_len(p, text.v + text.len);
		f.line++;
		inventory_line(&f, p, eol);
	}
}

/*
 * Recently used hosts: a file with a line `SECONDS NAME' for each use.  It is
 * only ever a help: what is wrong with it, or with a line, is passed over.
 * Who writes locks it, so that a use that is noted while the file is being
 * compacted goes to the new one.
 */

enum {
	RECENT_MAX = 500,	/* names kept */
	RECENT_SIZE = 1 << 16,	/* bytes at which it is compacted; the lines
				   of twice as many are counted in 16 bits */
};

/* The file's path, with the directories made if it is to be written. */
static char *
recent_path(int make)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct buf path = { NULL, 0, 0 };
	char *p;

	if (state != NULL && *state == '/')
		buf_fmt(&path, "%s/wl/recent", state);
	else if (home != NULL && *home == '/')
		buf_fmt(&path, "%s/.local/state/wl/recent", home);
	else
		return NULL;
	for (p = path.v + 1; make && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(path.v, 0700);
		*p = '/';
	}
	return path.v;
}

/* Opens the file, if it is one and ours; -1 if not. */
static int
recent_open(const char *path, int flags)
{
	struct stat st;
	int fd;

	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != getuid())) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Takes a line apart; returns 0 if it is damaged. */
static int
recent_line(char *line, struct use *use)
{
	char *blank;
	long long when = strtoll(line, &blank, 10);

	if (blank == line || *blank != ' ' || when <= 0 || when > UINT32_MAX)
		return 0;
	use->when = (uint32_t)when;
	use->name = blank + 1;
	if (*use->name == '\0' || *use->name == '-')
		return 0;
	while (*++blank != '\0')
		if (is_control(*blank))
			return 0;
	return 1;
}

/*
 * Reads the uses in the last RECENT_SIZE * 2 bytes of the file, oldest first
 * and from 1 on.  Their names lie in a text that stays.
 */
static size_t
recent_load(int fd, struct use **uses)
{
	struct buf text = { NULL, 0, 0 };
	int cut = lseek(fd, 0, SEEK_END) > RECENT_SIZE * 2;
	size_t len = 0, n = 0, cap = 0;
	char *p, *eol;
	ssize_t r;

	*uses = NULL;
	text.v = grow(NULL, &text.cap, RECENT_SIZE * 2 + 1, 1);
	lseek(fd, cut ? -RECENT_SIZE * 2 : 0, cut ? SEEK_END : SEEK_SET);
	while (len < RECENT_SIZE * 2 &&
	    (r = read(fd, text.v + len, RECENT_SIZE * 2 - len)) > 0)
		len += (size_t)r;
	text.v[len] = '\0';
	p = text.v;
	if (cut)		/* the first line is none */
		p += line_len(p, p + len) + 1;
	for (; p < text.v + len; p = eol + 1) {
		eol = p + line_len(p, text.v + len);
		*eol = '\0';
		*uses = grow(*uses, &cap, n + 2, sizeof(**uses));
		n += (size_t)recent_line(p, &(*uses)[n + 1]);
	}
	return n;
}

/*
 * Reads the uses of hosts and returns their number.  Names that are no host's
 * were typed; they go behind the others.
 */
static size_t
recent_read(struct hosts *h)
{
	char *path = recent_path(0);
	const char *name;
	size_t n = 0, i;
	int fd;

	if (path != NULL && (fd = recent_open(path, O_RDONLY)) != -1) {
		n = recent_load(fd, &h->uses);
		close(fd);
	}
	free(path);
	for (i = 1; i <= n; i++) {
		name = h->uses[i].name;
		if (host_find(h, name) == NULL)
			host_add(h, name_add(h->config, name), &h->typed);
	}
	return n;
}

/*
 * Opens the file for writing and locks it; -1 if that cannot be done.  If it
 * was replaced meanwhile the new one is taken.  Another's lock is waited for
 * only as long as nobody notices.
 */
static int
recent_lock(const char *path)
{
	static const struct timespec pause = { 0, 5000000 };
	struct flock lock;
	struct stat a, b;
	int fd, tries, locked;

	for (tries = 0; tries < 20; tries++) {
		if ((fd = recent_open(path, O_RDWR | O_APPEND | O_CREAT)) == -1)
			return -1;
		memset(&lock, 0, sizeof(lock));
		lock.l_type = F_WRLCK;
		lock.l_whence = SEEK_SET;
		locked = fcntl(fd, F_SETLK, &lock) == 0;
		if (!locked && errno != EACCES && errno != EAGAIN)
			return fd;	/* no locks on this file system */
		if (locked && fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
		    a.st_ino == b.st_ino && a.st_dev == b.st_dev)
			return fd;
		close(fd);
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int
recent_has(const struct use *v, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return 1;
	return 0;
}

/*
 * Replaces the locked file by one with the last use of each name but FORGET
 * or, with NULL, of RECENT_MAX names at most.
 */
static void
recent_compact(int fd, const char *path, const char *forget)
{
	struct buf new = { NULL, 0, 0 }, out = new;
	struct use *v;
	size_t n = recent_load(fd, &v), kept = 0, i;
	int to, ok;

	for (i = n; i > 0 && (forget != NULL || kept < RECENT_MAX); i--)
		if ((forget == NULL || strcmp(v[i].name, forget) != 0) &&
		    !recent_has(v + n + 1 - kept, kept, v[i].name))
			v[n - kept++] = v[i];
	buf_str(&out, "");
	for (i = n - kept + 1; i <= n; i++)
		buf_fmt(&out, "%lu %s\n", (unsigned long)v[i].when, v[i].name);
	buf_fmt(&new, "%s.new", path);
	unlink(new.v);
	to = open(new.v, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to != -1) {
		ok = write_all(to, out.v, out.len) == 0;
		if (close(to) == -1 || !ok || rename(new.v, path) == -1)
			unlink(new.v);
	}
	free(v);
	free(out.v);
	free(new.v);
}

/* Notes that the name is used now or, with FORGET, that it never was. */
static void
recent_write(const char *name, int forget)
{
	char *path = recent_path(1);
	struct buf line = { NULL, 0, 0 };
	off_t size;
	char last;
	int fd;

	if (path != NULL && (fd = recent_lock(path)) != -1) {
		size = lseek(fd, 0, SEEK_END);
		if (size > 0 && pread(fd, &last, 1, size - 1) == 1 &&
		    last != '\n')
			buf_str(&line, "\n");
		buf_fmt(&line, "%lld %s\n", (long long)time(NULL), name);
		if (!forget && write_all(fd, line.v, line.len) == -1)
			(void)!ftruncate(fd, size);	/* no half of it */
		if (forget || size > RECENT_SIZE)
			recent_compact(fd, path, forget ? name : NULL);
		close(fd);
	}
	free(line.v);
	free(path);
}

/* How long ago it was, in a few characters. */
static void
ago(uint32_t when, char *out, size_t size)
{
	static const struct { long long seconds; const char *unit; } units[] = {
		{ 86400 * 365LL, "y" }, { 86400, "d" }, { 3600, "h" },
		{ 60, "m" },
	};
	long long s = (long long)time(NULL) - when;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (s >= units[i].seconds) {
			snprintf(out, size, "%lld%s ago",
			    s / units[i].seconds, units[i].unit);
			return;
		}
	snprintf(out, size, "just now");
}

/* Makes the candidates of all hosts, of which there are N uses. */
static void
candidates_make(struct hosts *h, size_t n)
{
	size_t i;

	/* of which no memory is used before it is written to */
	free(h->candidates);
	h->candidates = calloc(h->len + h->typed + 1, sizeof(*h->candidates));
	if (h->candidates == NULL)
		out_of_memory();
	h->rest.len = 0;
	for (i = 1; i <= n; i++)
		host_candidate(h, host_find(h, h->uses[i].name))->used =
		    (uint16_t)i;
	h->forgotten = 0;
	for (i = h->len; i < h->len + h->typed; i++)
		h->forgotten += h->candidates[i].used == 0;
}

/*
 * Reads, or reads again, the hosts from where the options say.  What was read
 * before stays in memory: names of it may still be in use.
 */
static void
hosts_read(struct hosts *h, const struct options *o)
{
	struct inventory *old = h->inventory;
	struct config *c;

	if (old != NULL && !old->again)
		return;
	memset(h, 0, sizeof(*h));
	if ((c = calloc(1, sizeof(*c))) == NULL)
		out_of_memory();
	config_read(c, o->file);
	h->config = c;
	if (o->inventory != NULL)
		inventory_read(h, o->inventory);
	else
		hosts_list(h, c);
	candidates_make(h, recent_read(h));
}

/*
 * Matching.  Each word of the query must be found in the host's name, else
 * where it leads, else its note, as a subsequence.  The score is that of the
 * best alignment, found as fzy finds it by dynamic programming: letters in a
 * row and starts of words count much, gaps cost a little.  Up to
 * query_parse() all is pure: it reads strings and returns numbers.
 */

enum {
	QUERY_MAX = 256,	/* bytes of a query, with its NUL */
	WORDS_MAX = 16,		/* words of it that count */

	SCORE_NONE = -1000000,
	SCORE_CONSECUTIVE = 1000,
	SCORE_START = 950,	/* the first letter of the text */
	SCORE_WORD = 800,	/* the first of a word or a number */
	SCORE_CAPITAL = 700,
	SCORE_GAP = -10,	/* each letter left out between */
	SCORE_EDGE = -5,	/* each one before the first, after the last */
	SCORE_EXACT = 500000,

	FIELD_NAME = 4000000,	/* a field's worst beats the next's best */
	FIELD_ADDR = 2000000,
};

/* A word of the query. */
struct needle {
	char text[QUERY_MAX];
	char other[QUERY_MAX];	/* capitals, if case does not matter */
	size_t len;
	int wide;		/* it has bytes that are not ASCII */
	uint32_t letters;
	int sure;		/* it is where `letters' is in the set */
};

struct query {
	struct needle words[WORDS_MAX];
	size_t nwords;
	size_t number;		/* the whole query as a number, else 0 */
};

/*
 * A set with the letters and digits of S in it, as far as S is matched, two
 * digits sharing a bit, so that most misses are seen at once.  It is never
 * empty.
 */
static uint32_t
letters(const char *s)
{
	const char *end = s + MATCH_LEN - 1;
	uint32_t set = (uint32_t)1 << 31;
	int c;

	for (; *s != '\0' && s < end; s++) {
		c = lower((unsigned char)*s);
		if (c >= 'a' && c <= 'z')
			set |= (uint32_t)1 << (c - 'a');
		else if (is_digit(c))
			set |= (uint32_t)1 << (26 + (c - '0') / 2);
	}
	return set;
}

/*
 * What it is worth to match the letter at S[I]: the starts of words, where
 * letters and digits change, and the first digit that is not a leading zero.
 */
static int
bonus(const char *s, size_t i)
{
	int c = (unsigned char)s[i], before;

	if (i == 0)
		return SCORE_START;
	before = (unsigned char)s[i - 1];
	if (is_digit(c)) {
		while (before == '0' && c != '0' && i > 1)
			before = (unsigned char)s[--i - 1];
		return is_digit(before) ? 0 : SCORE_WORD;
	}
	if (!is_letter(c))
		return 0;
	if (!is_letter(before))
		return SCORE_WORD;
	return is_upper(c) && !is_upper(before) ? SCORE_CAPITAL : 0;
}

/* The length of a text as far as it is matched. */
static size_t
text_len(const char *s)
{
	return strnlen(s, MATCH_LEN - 1);
}

static int
same(const struct needle *w, size_t i, char c)
{
	return c == w->text[i] || c == w->other[i];
}

/*
 * Whether the whole word stands at the start of a word in S; *AT is where,
 * the start of S if it is there.  No other alignment is better than that.
 */
static int
whole_word(const struct needle *w, const char *s, size_t len, size_t *at)
{
	size_t i, j;

	for (j = 0; j + w->len <= len; j++) {
		for (i = 0; i < w->len && same(w, i, s[i + j]); i++)
			continue;
		if (i == w->len && bonus(s, j) >= SCORE_WORD) {
			*at = j;
			return 1;
		}
	}
	return 0;
}

/*
 * A place where a letter of the word may match, the best score of the word
 * up to this letter there, and the place of the letter before that gives it.
 */
struct cell {
	int score;
	uint16_t pos, from;
};

struct table {
	struct cell cells[MATCH_LEN * MATCH_LEN];
	size_t rows[MATCH_LEN + 1];	/* where each letter's cells begin */
};

/*
 * The cells of letter I of the word, given those of the letter before.  Of
 * these the best for a gap is kept with the gap's cost taken out.  A byte that
 * continues a UTF-8 character must follow the one before it at once.  Returns
 * the number of cells, 0 if the word is not in the text.
 */
static size_t
align_row(struct table *t, const struct needle *w, size_t i, const char *s,
    size_t len)
{
	const struct cell *c = &t->cells[i > 0 ? t->rows[i - 1] : 0];
	const struct cell *end = &t->cells[t->rows[i]], *prev = NULL;
	struct cell *out = &t->cells[t->rows[i]];
	size_t j = i > 0 ? c->pos + 1U : 0, n = 0;
	int best = SCORE_NONE, from = 0, score, follow;

	for (; j + w->len - i <= len; j++) {
		if (!same(w, i, s[j]))
			continue;
		score = i == 0 ? bonus(s, j) + (int)j * SCORE_EDGE : SCORE_NONE;
		for (; i > 0 && c < end && c->pos < j; prev = c++)
			if (c->score - c->pos * SCORE_GAP > best) {
				best = c->score - c->pos * SCORE_GAP;
				from = (int)(c - t->cells);
			}
		out[n].from = 0;
		if (i > 0) {
			score = best + (int)(j - 1) * SCORE_GAP + bonus(s, j);
			out[n].from = (uint16_t)from;
			follow = prev != NULL && prev->pos + 1U == j ?
			    prev->score + SCORE_CONSECUTIVE : SCORE_NONE;
			if ((w->text[i] & 0xc0) == 0x80 || follow > score) {
				score = follow;
				out[n].from = prev == NULL ? 0 :
				    (uint16_t)(prev - t->cells);
			}
		}
		if (score <= SCORE_NONE / 2)
			continue;
		out[n].score = score;
		out[n++].pos = (uint16_t)j;
	}
	return n;
}

/*
 * Finds the word's best alignment in the text by dynamic programming over the
 * places where its letters match.  Returns the last letter's cell, NULL if
 * the word is not in the text, and its score in *SCORE.
 */
static const struct cell *
align(struct table *t, const struct needle *w, const char *s, size_t len,
    int *score)
{
	const struct cell *best = NULL, *c;
	size_t i, n = 0;
	int r;

	t->rows[0] = 0;
	for (i = 0; i < w->len; i++) {
		if ((n = align_row(t, w, i, s, len)) == 0)
			return NULL;
		t->rows[i + 1] = t->rows[i] + n;
	}
	for (c = &t->cells[t->rows[i] - n]; n > 0; c++, n--) {
		r = c->score + (int)(len - 1 - c->pos) * SCORE_EDGE;
		if (best == NULL || r > *score) {
			best = c;
			*score = r;
		}
	}
	return best;
}

/* Whether the word's letters are in S, in order; wide words need align(). */
static int
subsequence(const struct needle *w, const char *s)
{
	const char *end = s + MATCH_LEN - 1;
	size_t i;
	char a, b;

	for (i = 0; i < w->len; i++) {
		a = w->text[i];
		b = w->other[i];
		while (s < end && *s != '\0' && *s != a && *s != b)
			s++;
		if (s == end || *s++ == '\0')
			return 0;
	}
	return 1;
}

/*
 * The best score that the word may have in a text of LEN bytes, which begins
 * with the byte FIRST.
 */
static int
score_most(const struct needle *w, char first, size_t len)
{
	int start = same(w, 0, first) ? SCORE_START : SCORE_WORD;

	return w->len == len ? SCORE_EXACT :
	    start + (int)(w->len - 1) * SCORE_CONSECUTIVE +
	    (int)(len - w->len) * SCORE_EDGE;
}

/*
 * The score of a word in a text of LEN bytes, SCORE_NONE if it is not in it.
 * Where even the best possible score is no better than FLOOR, that one is
 * returned.
 */
static int
score(struct table *t, const struct needle *w, const char *s, size_t len,
    int floor)
{
	size_t at;
	int r, most;

	if (w->len > len)
		return SCORE_NONE;
	most = score_most(w, *s, len);
	if (most <= floor && !w->wide)
		return subsequence(w, s) ? most : SCORE_NONE;
	if (whole_word(w, s, len, &at) && (at == 0 || !same(w, 0, *s)))
		return most;	/* else it is for another start */
	return align(t, w, s, len, &r) == NULL ? SCORE_NONE : r;
}

/*
 * Marks in HIT, one char for each of the first MATCH_LEN bytes of S, the
 * letters that the word's best alignment matches.  Returns 0 if it has none.
 */
static int
score_positions(struct table *t, const struct needle *w, const char *s,
    char *hit)
{
	const struct cell *c;
	size_t i, len = text_len(s);
	int r;

	if (w->len > len || (c = align(t, w, s, len, &r)) == NULL)
		return 0;
	for (i = w->len; i-- > 0; c = &t->cells[c->from])
		hit[c->pos] = 1;
	return 1;
}

/* Takes the query apart: its words, and its value if it is a number. */
static void
query_parse(struct query *q, const char *s)
{
	struct needle *w;
	size_t i;
	int fold;

	q->nwords = 0;
	q->number = strspn(s, "0123456789") == strlen(s) && strlen(s) < 10 ?
	    (size_t)atol(s) : 0;
	for (;; s += w->len) {
		s += strspn(s, " \t");
		if (*s == '\0' || q->nwords == WORDS_MAX)
			return;
		w = &q->words[q->nwords++];
		w->len = strcspn(s, " \t");
		if (w->len >= sizeof(w->text))
			w->len = sizeof(w->text) - 1;
		memcpy(w->text, s, w->len);
		w->text[w->len] = '\0';
		for (i = 0; i < w->len && !is_upper(w->text[i]); i++)
			continue;
		fold = i == w->len;
		w->wide = 0;
		for (i = 0; i < w->len; i++) {
			w->wide |= (w->text[i] & 0x80) != 0;
			w->other[i] = fold && w->text[i] >= 'a' &&
			    w->text[i] <= 'z' ? (char)(w->text[i] - 'a' + 'A') :
			    w->text[i];
		}
		w->letters = letters(w->text);
		w->sure = w->len == 1 && w->other[0] != w->text[0];
	}
}

/*
 * A query and the hosts.  What a host says is looked up when the first query
 * needs it, and its letters are kept, which settle most misses.
 */

/* The I-th host's candidate, with all that its name tells. */
static struct candidate *
candidate(struct hosts *h, size_t i)
{
	struct candidate *c = &h->candidates[i];

	if (c->name == NULL) {
		c->name = host_name(h, &h->v[i]);
		c->letters = letters(c->name);
		c->len = (unsigned char)text_len(c->name);
		c->first = *c->name;
	}
	return c;
}

/* Completes a candidate. */
static void
candidate_rest(struct hosts *h, struct candidate *c)
{
	const char *rest;

	if (c->rest_letters == 0) {
		rest = host_rest(h, &h->v[c - h->candidates]);
		c->rest_letters = letters(rest) | letters(after(rest));
	}
}

/* Whether letters alone tell that the candidate does not match. */
static int
is_excluded(struct hosts *h, struct candidate *c, const struct query *q)
{
	size_t n;

	for (n = 0; n < q->nwords; n++) {
		if ((q->words[n].letters & ~c->letters) == 0)
			continue;
		candidate_rest(h, c);
		if ((q->words[n].letters & ~c->rest_letters) != 0)
			return 1;
	}
	return 0;
}

/*
 * What a word is worth for a candidate; SCORE_NONE if nothing of it holds the
 * word.  What cannot be better than FLOOR need not be exact, and a word that
 * is `sure' is not looked for then.
 */
static int
word_score(struct table *t, const struct needle *w, struct hosts *h,
    struct candidate *c, int floor)
{
	const char *s;
	int r = SCORE_NONE;

	if ((w->letters & ~c->letters) == 0) {
		if (w->sure &&
		    (r = score_most(w, c->first, c->len) + FIELD_NAME) <= floor)
			return r;
		r = score(t, w, c->name, c->len, floor - FIELD_NAME);
	}
	if (r != SCORE_NONE)
		return r + FIELD_NAME;
	candidate_rest(h, c);
	if ((w->letters & ~c->rest_letters) != 0)
		return SCORE_NONE;
	s = host_rest(h, &h->v[c - h->candidates]);
	if (FIELD_ADDR + SCORE_EXACT <= floor && !w->wide)
		return w->sure || subsequence(w, s) ||
		    subsequence(w, after(s)) ? floor : SCORE_NONE;
	r = score(t, w, s, text_len(s), floor - FIELD_ADDR);
	if (r != SCORE_NONE)
		return r + FIELD_ADDR;
	s = after(s);
	return score(t, w, s, text_len(s), floor);
}

/*
 * The score of a query for a candidate: the sum for its words, or
 * SCORE_NONE.  An empty query is found everywhere.  The score of a query of
 * one word need not be exact where it cannot be better than FLOOR.
 */
static int
query_score(struct table *t, const struct query *q, struct hosts *h,
    struct candidate *c, int floor)
{
	int sum = 0, r;
	size_t n;

	for (n = 0; n < q->nwords; n++) {
		r = word_score(t, &q->words[n], h, c,
		    q->nwords == 1 ? floor : INT_MIN / 2);
		if (r == SCORE_NONE)
			return SCORE_NONE;
		sum += r;
	}
	return sum;
}

/*
 * Ranking.  All matches are kept, in file order, so that a query that
 * continues the one before looks only at what that one found; the best of
 * them are kept in order.  Only when more of these are asked for than a
 * screen ever shows are all put in order.
 */

enum {
	BEST_MAX = 64,
	BUSY_EVERY = 2048,	/* hosts between two looks at what waits */
	TOUCHED = 32,		/* matches that are asked of memory at once */
};

/* A host's key is the larger the better it is; no two are the same. */
struct best {
	uint64_t key;
	uint32_t host;
};

struct ranking {
	struct hosts *hosts;
	struct query query;
	struct table table;
	char text[QUERY_MAX];	/* the query that the matches are for */
	uint32_t *v;		/* the matches */
	size_t len, cap;
	struct best *best;	/* the best LIMIT of them */
	size_t nbest, capbest, limit;
	int all;		/* all hosts, in file order; v is not used */
	int recent;		/* those used last come first */
	int valid;		/* the matches are complete */
};

static int
best_cmp(const void *a, const void *b)
{
	const struct best *x = a, *y = b;

	return (x->key < y->key) - (x->key > y->key);
}

static int
worst_cmp(const void *a, const void *b)
{
	return best_cmp(b, a);
}

/* Lets the first of N in a heap, of which it is to be the worst, sink. */
static void
best_sink(struct best *v, size_t n)
{
	struct best top = v[0];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < n) {
		if (kid + 1 < n && v[kid + 1].key < v[kid].key)
			kid++;
		if (v[kid].key >= top.key)
			break;
		v[i] = v[kid];
		i = kid;
	}
	v[i] = top;
}

/* Keeps the host if it is one of the best so far. */
static void
best_add(struct ranking *r, uint64_t key, uint32_t host)
{
	struct best one = { 0, 0 };

	one.key = key;
	one.host = host;
	if (r->nbest < r->limit) {
		r->best = grow(r->best, &r->capbest, r->nbest + 1,
		    sizeof(*r->best));
		r->best[r->nbest++] = one;
		if (r->nbest == r->limit)	/* the worst first */
			qsort(r->best, r->nbest, sizeof(*r->best), worst_cmp);
	} else if (key > r->best[0].key) {
		r->best[0] = one;
		best_sink(r->best, r->nbest);
	}
}

/*
 * The order of the matches: the number asked for, those used last if they are
 * to come first, the score, what was used last, the file's order.
 */
static uint64_t
best_key(const struct ranking *r, uint32_t i, uint32_t used, int score)
{
	uint64_t high = (uint64_t)(score - SCORE_NONE);

	if (r->recent && used != 0)
		high = (uint64_t)1 << 29;
	if (r->query.number == i + 1)
		high = (uint64_t)1 << 30;
	return high << 32 | (used != 0 ? 0xffff0000 + used : 0xffff0000 - i);
}

/* Looks at a host; it is added to the matches if it is one, at *N. */
static void
ranking_add(struct ranking *r, uint32_t i, size_t *n)
{
	struct hosts *h = r->hosts;
	struct candidate *c = candidate(h, i);
	int score, floor = INT_MIN / 2;

	if (is_excluded(h, c, &r->query) && r->query.number != i + 1)
		return;
	if (i >= h->len && c->used == 0)
		return;		/* forgotten */
	if (r->nbest == r->limit && c->used == 0)
		floor = (int)(r->best[0].key >> 32) + SCORE_NONE;
	score = query_score(&r->table, &r->query, h, c, floor);
	if (score == SCORE_NONE && r->query.number != i + 1)
		return;
	r->v[(*n)++] = i;
	best_add(r, best_key(r, i, c->used, score), i);
}

/*
 * Touches the next matches from the I-th on.  They lie apart from each other,
 * and this way memory is asked for all of them at once, instead of one after
 * the other while each is waited for.
 */
static void
ranking_touch(const struct ranking *r, size_t i)
{
	const struct candidate *c = r->hosts->candidates;
	size_t end = i + TOUCHED < r->len ? i + TOUCHED : r->len;
	volatile char sink;

	for (; i < end; i++)
		sink = *c[r->v[i]].name;
	(void)sink;
}

/*
 * Looks at the first N hosts or, if NARROWER, at the matches that there are.
 * Returns 0 if BUSY, which is asked now and then, says that something more
 * urgent waits; the ranking is then unfinished.
 */
static int
ranking_scan(struct ranking *r, size_t n, int narrower, int (*busy)(void *))
{
	size_t i, found = 0;

	r->valid = 0;
	r->nbest = 0;
	for (i = 0; i < n; i++) {
		if (narrower && i % TOUCHED == 0)
			ranking_touch(r, i);
		ranking_add(r, narrower ? r->v[i] : (uint32_t)i, &found);
		if (i % BUSY_EVERY == BUSY_EVERY - 1 && busy != NULL &&
		    busy(NULL))
			return 0;
	}
	r->len = found;
	if (r->nbest > 0)
		qsort(r->best, r->nbest, sizeof(*r->best), best_cmp);
	return r->valid = 1;
}

/* The host of the I-th best match, of which there are r->len. */
static struct host *
ranking_get(struct ranking *r, size_t i)
{
	if (r->all)
		return &r->hosts->v[i];
	if (i >= r->nbest) {
		r->limit = r->len;
		ranking_scan(r, r->len, 1, NULL);
	}
	return &r->hosts->v[r->best[i].host];
}

/*
 * Ranks the hosts for the query TEXT.  Returns 0 if something more urgent
 * came first (see ranking_scan).
 */
static int
ranking_update(struct ranking *r, const char *text, int (*busy)(void *))
{
	size_t all = r->hosts->len + (r->recent ? r->hosts->typed : 0);
	int narrower;

	if (r->valid && strcmp(text, r->text) == 0)
		return 1;
	query_parse(&r->query, text);
	if (r->query.number > r->hosts->len)
		r->query.number = 0;	/* what was typed once has none */
	narrower = r->valid && !r->all && r->query.number == 0 &&
	    strncmp(text, r->text, strlen(r->text)) == 0;
	snprintf(r->text, sizeof(r->text), "%s", text);
	r->all = r->query.nwords == 0 && !r->recent;
	r->limit = BEST_MAX;
	if (r->all) {
		r->len = all;
		return r->valid = 1;
	}
	r->v = grow(r->v, &r->cap, all + 1, sizeof(*r->v));
	return ranking_scan(r, narrower ? r->len : all, narrower, busy);
}

/*
 * Signals and the terminal.  From signals_catch() on, the signals that would
 * end or stop wl arrive only inside the calls of tty_wait(): they set
 * `caught' and interrupt it.  Whoever sees that gives the terminal back and
 * lets signal_obey() do what the signal is for.  An ignored signal stays
 * ignored.  The terminal is given back by whatever exit there is.
 */

static const int signals[] = { SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT,
    SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTOU, SIGCONT, SIGWINCH, SIGCHLD };
enum { NSIGNALS = sizeof(signals) / sizeof(signals[0]) };

struct saved_signals {
	sigset_t mask;
	struct sigaction actions[NSIGNALS];
	int on;
};

/* The flags that tell modes apart; some systems set others themselves. */
#define OURS	((tcflag_t)(ICANON | ECHO | ECHONL | ISIG))

enum tty_mode { TTY_COOKED, TTY_PROMPT, TTY_SPINNER, TTY_ASK, TTY_SECRET,
    TTY_LENT };

struct tty {
	int fd;			/* /dev/tty, -1: none */
	struct termios cooked;	/* the mode it was found in */
	struct termios now;	/* and that it was put into */
	enum tty_mode mode;
	int rows, cols;
	int also;		/* watched together with fd, -1: none */
	struct saved_signals saved;
};

static struct tty tty = { .fd = -1, .also = -1 };

static void
on_signal(int signo)
{
	if (signo != SIGWINCH && signo != SIGCHLD && signo != SIGTTOU &&
	    signo != SIGCONT)
		caught = signo;
}

static void
signals_catch(void)
{
	struct sigaction sa;
	sigset_t set;
	size_t i;

	if (tty.saved.on)
		return;
	tty.saved.on = 1;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < NSIGNALS; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &tty.saved.mask);
	for (i = 0; i < NSIGNALS; i++) {
		sigaction(signals[i], NULL, &tty.saved.actions[i]);
		if (tty.saved.actions[i].sa_handler != SIG_IGN ||
		    signals[i] == SIGCHLD)
			sigaction(signals[i], &sa, NULL);
	}
}

/*
 * Puts back what signals_catch() changed: first the actions, so that a signal
 * that is pending then does what it did before wl.
 */
static void
signals_restore(void)
{
	size_t i;

	if (!tty.saved.on)
		return;
	tty.saved.on = 0;
	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &tty.saved.actions[i], NULL);
	sigprocmask(SIG_SETMASK, &tty.saved.mask, NULL);
}

/*
 * The terminal's flags in a mode.  The spinner's leaves ISIG on and reads
 * nothing: what is typed waits for the remote shell, as it would in ssh's own
 * mode.  TTY_ASK and TTY_SECRET read a line, with and without echo.
 */
static struct termios
tty_flags(enum tty_mode mode)
{
	struct termios t = tty.cooked;

	if (mode == TTY_ASK || mode == TTY_SECRET) {
		t.c_iflag |= ICRNL;
		t.c_lflag |= ICANON | ISIG | IEXTEN | ECHO | ECHOE | ECHOK;
		if (mode == TTY_SECRET)
			t.c_lflag &= (tcflag_t)~(ECHO | ECHOE | ECHOK | ECHONL);
	} else if (mode == TTY_PROMPT || mode == TTY_SPINNER) {
		t.c_lflag &= (tcflag_t)~(ICANON | ECHO | IEXTEN);
		t.c_lflag |= ECHONL;	/* see tty_taken() */
		t.c_iflag &= (tcflag_t)~(ICRNL | INLCR | IGNCR | IXON);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
	}
	if (mode == TTY_PROMPT)
		t.c_lflag &= (tcflag_t)~ISIG;
	return t;
}

/* Puts the terminal into a mode; TCSADRAIN keeps what was typed ahead. */
static void
tty_set(enum tty_mode mode)
{
	struct termios t = tty_flags(mode);

	if (tty.fd == -1 || tty.mode == mode)
		return;
	while (tcsetattr(tty.fd, TCSADRAIN, &t) == -1 && errno == EINTR)
		continue;
	tty.mode = mode;
	tty.now = t;
}

/*
 * Whether another process has put the terminal into a mode of its own, as
 * for a password: readpassphrase(3) clears ECHO and ECHONL.
 */
static int
tty_taken(void)
{
	struct termios t;

	return tcgetattr(tty.fd, &t) == 0 &&
	    ((t.c_lflag ^ tty.now.c_lflag) & OURS) != 0;
}

/*
 * A process that was stopped when it wanted to ask goes on from the spinner's
 * mode, which it had read before, less ECHO and ECHONL for a secret.  It is to
 * have lines to edit, and their echo.
 */
static void
tty_uncover(void)
{
	struct termios t, want = tty_flags(TTY_SPINNER);

	if (tcgetattr(tty.fd, &t) == -1)
		return;
	if ((t.c_lflag & OURS) == (want.c_lflag & OURS))
		want = tty.cooked;
	else if ((t.c_lflag & OURS) == (want.c_lflag & OURS & ~ECHONL))
		want = tty_flags(TTY_SECRET);
	else
		return;
	tcsetattr(tty.fd, TCSADRAIN, &want);
}

/*
 * Makes a process group the one that the terminal's keys act on.  SIGTTOU,
 * which would stop a wl that is not in the foreground, is blocked.
 */
static void
tty_foreground(pid_t group)
{
	if (tty.fd != -1 && tty.saved.on)
		tcsetpgrp(tty.fd, group);
}

/* Whatever exit there is, the terminal is given back. */
static void
tty_cooked(void)
{
	if (tty.mode == TTY_PROMPT)
		(void)write_all(tty.fd, "\033[?2004l\033[?25h", 14);
	tty_set(TTY_COOKED);
}

/* Takes the prompt off the screen, and all else that is below the cursor. */
static void
tty_clear(void)
{
	if (tty.mode == TTY_PROMPT)
		(void)write_all(tty.fd, "\r\033[J", 4);
	tty_cooked();
}

static void
tty_size(void)
{
	struct winsize w;

	tty.rows = 24;
	tty.cols = 80;
	if (ioctl(tty.fd, TIOCGWINSZ, &w) == -1)
		return;
	if (w.ws_row > 0)
		tty.rows = w.ws_row;
	if (w.ws_col > 0)
		tty.cols = w.ws_col;
}

/* Opens the terminal; 0 if there is none that select(2) can watch. */
static int
tty_open(void)
{
	if (tty.fd != -1)
		return 1;
	tty.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty.fd == -1)
		return 0;
	if (tty.fd >= FD_SETSIZE || tcgetattr(tty.fd, &tty.cooked) == -1) {
		close(tty.fd);
		tty.fd = -1;
		return 0;
	}
	atexit(tty_cooked);
	tty.now = tty.cooked;
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

static void
tty_write(struct buf *out)
{
	if (out->len > 0)
		(void)write_all(tty.fd, out->v, out->len);
	out->len = 0;
}

/*
 * Waits for something to read on FD (-1: for signals only) for at most MS
 * milliseconds, for ever if MS is negative.  Returns 1 if there is, 2 if it is
 * only tty.also that has something, 0 when the time is over, -1 after a
 * signal, of which `caught' may tell.
 */
static int
tty_wait(int fd, long ms)
{
	int n, blind, also = fd != -1 && fd == tty.fd ? tty.also : -1;
	struct timespec ts;
	fd_set set;

	blind = fd >= FD_SETSIZE;	/* looked at every 10 ms instead */
	if (blind) {
		fd = -1;
		ms = ms < 0 || ms > 10 ? 10 : ms;
	}
	ts.tv_sec = ms / 1000;
	ts.tv_nsec = ms % 1000 * 1000000;
	FD_ZERO(&set);
	if (fd != -1)
		FD_SET(fd, &set);
	if (also != -1)
		FD_SET(also, &set);
	n = pselect((fd > also ? fd : also) + 1, &set, NULL, NULL,
	    ms < 0 ? NULL : &ts, &tty.saved.mask);
	if (n <= 0)
		return n == 0 && blind ? 1 : n;
	return FD_ISSET(fd, &set) ? 1 : 2;
}

/*
 * Stops WHO (see suspend) until wl is in the foreground, as a job that reads
 * is stopped in the background.
 */
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
	struct sigaction dfl, old;
	sigset_t set;

	memset(&dfl, 0, sizeof(dfl));
	dfl.sa_handler = SIG_DFL;
	sigemptyset(&dfl.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	caught = 0;
	tty_set(TTY_COOKED);
	tty_foreground(getpgrp());
	sigaction(SIGTSTP, &dfl, &old);
	kill(who, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
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
	tty_foreground(getpgrp());
	signals_restore();
	signal(signo, SIG_DFL);
	raise(signo);
	exit(128 + signo);
}

/*
 * Keys.  Bytes go in, one at a time, and keys come out: a byte that is none
 * of an escape sequence stands for itself, the others have names.  Sequences
 * that mean nothing here are swallowed whole, those of unbounded length too.
 */

enum key {
	KEY_NONE = 256, KEY_ESC, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT,
	KEY_HOME, KEY_END, KEY_PGUP, KEY_PGDN, KEY_DELETE, KEY_BACKTAB, KEY_F1,
	KEY_SIGNAL, KEY_HANGUP, KEY_NEWS
};
#define CTL(c)		((c) & 0x1f)

enum {
	ESC_MS = 40,		/* how long Esc waits for a sequence */
	SEQUENCE_MS = 500,	/* and the sequence for its end */
};

struct decoder {
	enum { GROUND, ESCAPE, ALT, CSI, CSI_CONSOLE, SS3, STRING,
	    STRING_ESC } state;
	int number;		/* the first parameter */
	int first;		/* it is not at its end */
	int paste;		/* in a bracketed paste */
};

/* The keys that end in a letter (CSI and SS3) or in `~'. */
static const struct { char final; int number; enum key key; } sequences[] = {
	{ 'A', 0, KEY_UP }, { 'B', 0, KEY_DOWN }, { 'C', 0, KEY_RIGHT },
	{ 'D', 0, KEY_LEFT }, { 'H', 0, KEY_HOME }, { 'F', 0, KEY_END },
	{ 'Z', 0, KEY_BACKTAB }, { 'P', 0, KEY_F1 },
	{ '~', 1, KEY_HOME }, { '~', 7, KEY_HOME }, { '~', 4, KEY_END },
	{ '~', 8, KEY_END }, { '~', 3, KEY_DELETE }, { '~', 5, KEY_PGUP },
	{ '~', 6, KEY_PGDN }, { '~', 11, KEY_F1 },
};

static int
sequence_key(struct decoder *d, int final)
{
	size_t i;

	if (final == '~' && (d->number == 200 || d->number == 201)) {
		d->paste = d->number == 200;
		return KEY_NONE;
	}
	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (sequences[i].final == final && !d->paste &&
		    (final != '~' || sequences[i].number == d->number))
			return sequences[i].key;
	return KEY_NONE;
}

/* A byte after ESC: what kind of sequence it begins. */
static int
decode_escape(struct decoder *d, int c)
{
	d->state = GROUND;
	d->number = 0;
	d->first = 1;
	if (c == '[')
		d->state = CSI;
	else if (c == 'O')
		d->state = SS3;
	else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
		d->state = STRING;
	else if (c == '\033' && !d->paste)
		return KEY_ESC;
	else if (c >= 0xc0)
		d->state = ALT;
	return KEY_NONE;
}

/* A byte of a control sequence. */
static int
decode_csi(struct decoder *d, int c)
{
	if (c == '[' && d->first && d->number == 0) {
		d->state = CSI_CONSOLE;
		return KEY_NONE;
	}
	if (is_digit(c) && d->first && d->number < 1000)
		d->number = d->number * 10 + c - '0';
	else if (c == ';' || c == ':')
		d->first = 0;
	if (c == '\033')
		d->state = ESCAPE;
	if (c < 0x40 || c > 0x7e)
		return KEY_NONE;
	d->state = GROUND;
	return sequence_key(d, c);
}

/* Takes byte C and returns the key that it completes, or KEY_NONE. */
static int
decode(struct decoder *d, int c)
{
	if (c == CTL('c') && !d->paste)
		d->state = GROUND;	/* one without an end is no trap */
	switch (d->state) {
	case ESCAPE:
		return decode_escape(d, c);
	case CSI:
		return decode_csi(d, c);
	case CSI_CONSOLE:	/* F1 is ESC [ [ A on the Linux console */
		d->state = GROUND;
		return c == 'A' ? KEY_F1 : KEY_NONE;
	case SS3:
		d->state = GROUND;
		return sequence_key(d, c);
	case STRING:
		if (c == '\a' || c == '\033')
			d->state = c == '\a' ? GROUND : STRING_ESC;
		return KEY_NONE;
	case STRING_ESC:
		d->state = c == '\\' ? GROUND : STRING;
		return KEY_NONE;
	case ALT:		/* the rest of a character after ESC */
		if ((c & 0xc0) == 0x80)
			return KEY_NONE;
		d->state = GROUND;
		break;
	case GROUND:
		break;
	}
	if (c == CTL('c'))
		d->paste = 0;		/* nor is such a paste */
	if (c == '\033') {
		d->state = ESCAPE;
		return KEY_NONE;
	}
	if (d->paste && is_control(c))
		return c == '\r' || c == '\n' || c == '\t' ? ' ' : KEY_NONE;
	return c;
}

/* No more of a sequence came in time: Esc was a key, or it is given up. */
static int
decode_timeout(struct decoder *d)
{
	int key = d->state == ESCAPE && !d->paste ? KEY_ESC : KEY_NONE;

	d->state = GROUND;
	return key;
}

/*
 * Reads the next key.  Bytes are read one by one, so that what follows the
 * last key of the prompt is left for the remote shell.  WAIT is how long to
 * wait for the first one, in ms.
 */
static int
read_key(struct decoder *d, long wait)
{
	unsigned char c;
	ssize_t n;
	int r;

	if (d->state != GROUND)
		wait = d->state == ESCAPE ? ESC_MS : SEQUENCE_MS;
	if (caught)
		return KEY_SIGNAL;
	if ((r = tty_wait(tty.fd, wait)) == -1)
		return errno == EINTR ? KEY_SIGNAL : KEY_HANGUP;
	if (r == 2)
		return KEY_NEWS;
	if (r == 0)
		return d->state == GROUND ? KEY_NONE : decode_timeout(d);
	if ((n = read(tty.fd, &c, 1)) == -1 && errno == EINTR)
		return KEY_SIGNAL;
	return n == 1 ? decode(d, c) : KEY_HANGUP;
}

/*
 * ssh's command lines.  Every ssh is run as the user would run it, with the
 * user's options before wl's own, so that they win.  No shell sees any of it,
 * and `--' stands before the host.
 */

/* Where to connect. */
struct target {
	const struct options *options;
	struct hosts *hosts;
	const char *name;
	struct buf given[3];	/* what the inventory says of it, for -o */
	char **command;		/* the remote command, ends in NULL */
	struct buf settings;	/* lines of `ssh -G' */
	struct buf socket;	/* the control socket's path */
	struct buf dir;		/* the private directory, if there is one */
	int users;		/* the socket is where the user said */
	struct buf value, option;	/* for setting() and master_args() */
};

struct args {
	const char **v;		/* ends in NULL */
	size_t len, cap;
};

static void
arg_add(struct args *a, const char *s)
{
	a->v = grow(a->v, &a->cap, a->len + 2, sizeof(*a->v));
	a->v[a->len++] = s;
	a->v[a->len] = NULL;
}

static void
arg_option(struct args *a, const char *option)
{
	arg_add(a, "-o");
	arg_add(a, option);
}

/* Begins a command line with what the user and the inventory say. */
static void
ssh_args(struct args *a, const struct target *t)
{
	const struct options *o = t->options;
	size_t i;

	a->len = 0;
	arg_add(a, "ssh");
	if (o->file != NULL) {
		arg_add(a, "-F");
		arg_add(a, o->file);
	}
	for (i = 0; i < o->nssh; i++)
		arg_option(a, o->ssh[i]);
	for (i = 0; i < 3; i++)
		if (t->given[i].len > 0)
			arg_option(a, t->given[i].v);
}

static void
arg_host(struct args *a, const char *name)
{
	arg_add(a, "--");
	arg_add(a, name);
}

/* Prints a command line as a POSIX shell would take it. */
static void
print_args(const struct args *a)
{
	const char *p;
	size_t i;

	for (i = 0; i < a->len; i++) {
		p = a->v[i];
		if (i > 0)
			putchar(' ');
		if (*p != '\0' && p[strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_")] ==
		    '\0') {
			fputs(p, stdout);
			continue;
		}
		putchar('\'');
		for (; *p != '\0'; p++)
			if (*p == '\'')
				fputs("'\\''", stdout);
			else
				putchar(*p);
		putchar('\'');
	}
	putchar('\n');
}

/*
 * Other programs.  wl becomes them, or starts them with signals and terminal as
 * it found them.
 */

/* Reports that a program cannot be run; the status that a shell gives it. */
static int
not_run(const char *program, int error)
{
	errno = error;
	warn("%s", program);
	return error == ENOENT ? 127 : 126;
}

/*
 * Becomes another program: signals, terminal and descriptors are as wl found
 * them.  Returns the status to end with if it cannot be run.
 */
static int
become(const struct args *a)
{
	tty_set(TTY_COOKED);
	signals_restore();
	execvp(a->v[0], (char *const *)a->v);
	return not_run(a->v[0], errno);
}

/*
 * Starts ssh with the descriptors IN, OUT and ERR as its standard ones, the
 * signals as wl found them, and, if it is to have one, a process group of its
 * own.  Ends wl if it cannot be started.
 */
static pid_t
spawn(const struct args *a, char *const env[], const int fds[3], int group)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t mask, stops;
	pid_t pid;
	int i, error;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigemptyset(&stops);	/* a job must be able to stop */
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &stops);
	posix_spawnattr_setsigmask(&attr, tty.saved.on ? &tty.saved.mask :
	    &mask);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, (short)(POSIX_SPAWN_SETSIGMASK |
	    (group ? POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF : 0)));
	posix_spawn_file_actions_init(&actions);
	for (i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], i);
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

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

/*
 * Runs a command in the foreground, as a shell does, with the terminal as wl
 * found it.
 */
static void
run_job(const struct args *a)
{
	const int fds[3] = { tty.fd, tty.fd, tty.fd };
	int status = 0;
	pid_t pid;

	tty_set(TTY_COOKED);
	pid = spawn(a, environ, fds, 1);
	do {
		tty_foreground(pid);
		kill(-pid, SIGCONT);
		while (waitpid(pid, &status, WUNTRACED) == -1 &&
		    errno == EINTR)
			continue;
		tty_foreground(getpgrp());
		if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTTIN &&
		    WSTOPSIG(status) != SIGTTOU)
			suspend(0);
	} while (WIFSTOPPED(status));
}

/*
 * The user's editor on a host's entry; 0 if that is in no file.  The shell
 * only takes $EDITOR's own words apart.
 */
static int
editor_args(struct args *a, const struct hosts *h, const struct host *host)
{
	static char line[32];
	uint32_t number;
	const char *path = host_place(h, host, &number);

	if (path == NULL || (h->inventory != NULL && !h->inventory->again))
		return 0;
	snprintf(line, sizeof(line), "+%lu", (unsigned long)number);
	a->len = 0;
	arg_add(a, "sh");
	arg_add(a, "-c");
	arg_add(a, "exec ${VISUAL:-${EDITOR:-vi}} \"$@\"");
	arg_add(a, "sh");
	arg_add(a, line);
	arg_add(a, path);
	return 1;
}

/* /dev/null, which main() has seen to be above the standard descriptors. */
static int
null_fd(void)
{
	static int fd = -1;

	if (fd == -1 && (fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		err(2, "/dev/null");
	return fd;
}

/*
 * The control socket.  It lies in a directory that is ours and closed to all
 * others, because ssh hands the terminal to whoever listens on it, and its
 * name tells apart all that ssh -G tells apart.
 */

enum {
	BIND_EXTRA = 17,	/* ssh binds the path plus this much first */
	HASH_LEN = 17,		/* of `-' and 64 bits in hexadecimal */
	SOCKET_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) -
	    BIND_EXTRA - 1,	/* bytes of a path */
	STALE_S = 60,		/* a dead socket this old is removed */
};

/*
 * Appends the part of a socket's name that is for people: the host's, with
 * nothing in it that ssh would expand, and cut so that the whole path is not
 * longer than ssh can bind.  DIR is the length of the directory's path.
 */
static void
put_label(struct buf *out, const char *name, size_t dir)
{
	size_t i, room = SOCKET_MAX - HASH_LEN - 1 - dir;
	int c;

	for (i = 0; name[i] != '\0' && i < room; i++) {
		c = (unsigned char)name[i];
		if (!is_digit(c) && (!is_letter(c) || c > 0x7f) && c != '-' &&
		    (c != '.' || i == 0))
			c = '_';
		buf_fmt(out, "%c", c);
	}
}

/*
 * Whether the directory is there, ours, no link, closed to others, and has
 * room for a socket.  With MAKE it is made if it is not there.  Else errno
 * tells why it will not do; EPERM, that it is not private.
 */
static int
dir_private(const char *path, int make)
{
	struct statvfs fs;
	struct stat st;

	if (make && mkdir(path, 0700) == -1 && errno != EEXIST)
		return 0;
	if (lstat(path, &st) == -1)
		return 0;
	errno = EPERM;
	if (!S_ISDIR(st.st_mode) || st.st_uid != getuid() ||
	    (st.st_mode & 077) != 0 || access(path, W_OK) == -1)
		return 0;
	errno = ENOSPC;		/* ssh would find it out after the login */
	return statvfs(path, &fs) == -1 || fs.f_files == 0 || fs.f_favail > 0;
}

/*
 * Finds the private directory: in shared memory, which only Linux has at
 * this path, else where the session's files go, else in /tmp.  With MAKE it is
 * made, and what is there but cannot be trusted is reported.  DIR stays empty
 * if there is none.
 */
static void
dir_find(struct buf *dir, int make)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char paths[3][SOCKET_MAX - HASH_LEN - 8];
	int i, n, warned = 0;

	n = snprintf(paths[1], sizeof(paths[1]), "%s/wl", run != NULL ? run :
	    "");
	if (paths[1][0] != '/' || n == 3 || n >= (int)sizeof(paths[1]) ||
	    strpbrk(paths[1], "%$\"'\\ \t\n") != NULL)
		paths[1][0] = '\0';
	snprintf(paths[0], sizeof(paths[0]), "/dev/shm/wl-%ld",
	    (long)getuid());
	snprintf(paths[2], sizeof(paths[2]), "/tmp/wl-%ld", (long)getuid());
	for (i = 0; i < 3; i++) {
		if (paths[i][0] != '\0' && dir_private(paths[i], make)) {
			buf_str(dir, paths[i]);
			return;
		}
		if (!make || paths[i][0] == '\0' || errno == ENOENT || warned++)
			continue;
		warnx("%s: %s", paths[i], errno == EPERM ?
		    "not a private directory" : strerror(errno));
	}
}

/* A Unix socket and the address of PATH; -1 and errno on failure. */
static int
unix_socket(struct sockaddr_un *sun, const char *path)
{
	int fd;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun->sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/*
 * Whether a master answers on the socket.  *PID is the process that listens
 * there, where the system tells it, else 0.
 */
static int
master_alive(const char *path, pid_t *pid)
{
	struct sockaddr_un sun;
	int fd, alive;

	*pid = 0;
	if ((fd = unix_socket(&sun, path)) == -1)
		return 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	alive = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ||
	    errno == EAGAIN;
#ifdef __linux__
	{
		struct { pid_t pid; uid_t uid; gid_t gid; } peer;
		socklen_t len = sizeof(peer);

		if (alive && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer,
		    &len) == 0)
			*pid = peer.pid;
	}
#endif
	close(fd);
	return alive;
}

/*
 * Reachability tests.  A child for each host looks its name up, connects and
 * waits for ssh's banner, while the prompt goes on; what it finds comes
 * through a pipe.  A child that has not ended by PROBE_S has no answer.
 */

enum { PROBE_S = 3, PROBES_MAX = 10 };

struct finding {
	unsigned char probe;
	char text[23];
};

struct probe {
	struct host *host;
	pid_t pid;		/* 0: has ended */
	char text[23];
};

struct probes {
	struct probe v[PROBES_MAX];
	size_t len;
};

/* What became of connecting to one address. */
static const char *
probe_address(const struct addrinfo *ai)
{
	char banner[256];
	int fd, bad;
	ssize_t n;

	fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
	bad = fd == -1 || connect(fd, ai->ai_addr, ai->ai_addrlen) == -1;
	n = bad ? -1 : read(fd, banner, sizeof(banner) - 1);
	if (fd != -1)
		close(fd);
	if (n > 0) {
		banner[n] = '\0';
		return strstr(banner, "SSH-") != NULL ? NULL : "no ssh there";
	}
	return n == 0 ? "closed" : errno == ECONNREFUSED ? "refused" :
	    errno == ETIMEDOUT ? "no answer" : "unreachable";
}

/* The child: reports the first address that works, or what failed. */
static void
probe_child(const char *host, const char *port, int to, size_t number)
{
	struct addrinfo hints, *ai, *a;
	struct finding f;
	long long start = now_ms();
	const char *bad = "unknown name";
	sigset_t set;

	signals_restore();
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(PROBE_S);
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, port, &hints, &ai) == 0)
		for (a = ai; a != NULL && bad != NULL; a = a->ai_next)
			bad = probe_address(a);
	memset(&f, 0, sizeof(f));
	f.probe = (unsigned char)number;
	if (bad != NULL)
		snprintf(f.text, sizeof(f.text), "%s", bad);
	else
		snprintf(f.text, sizeof(f.text), "%lld ms", now_ms() - start);
	(void)write_all(to, (const char *)&f, sizeof(f));
	_exit(0);
}

/* Ends the tests that still run. */
static void
probes_end(struct probes *p)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		if (p->v[i].pid != 0) {
			kill(p->v[i].pid, SIGKILL);
			wait_for(p->v[i].pid);
		}
	if (tty.also != -1)
		close(tty.also);
	tty.also = -1;
	p->len = 0;
}

/* Begins the test of a host; TO is the pipe's other end. */
static void
probe_start(struct probes *p, struct hosts *h, struct host *host, int to)
{
	struct probe *one = &p->v[p->len];
	struct values *v = host_values(h, host);
	const char *command;

	command = value(v, V_COMMAND);
	one->host = host;
	one->pid = 0;
	one->text[0] = '\0';
	if (*value_jump(v) == '\0' && command != NULL &&
	    strcmp(command, "none") != 0) {
		snprintf(one->text, sizeof(one->text), "via ProxyCommand");
	} else if (*value_jump(v) == '\0') {
		snprintf(one->text, sizeof(one->text), "...");
		if ((one->pid = fork()) == 0)
			probe_child(v->name.v, value_port(v), to, p->len);
		if (one->pid == -1) {
			one->pid = 0;
			snprintf(one->text, sizeof(one->text), "not tested");
		}
	}
	p->len++;
}

/* Takes what the children have found, and looks for those that have ended. */
static void
probes_news(struct probes *p)
{
	struct finding f;
	size_t i;

	while (tty.also != -1 &&
	    read(tty.also, &f, sizeof(f)) == (ssize_t)sizeof(f))
		if (f.probe < p->len)
			memcpy(p->v[f.probe].text, f.text, sizeof(f.text));
	for (i = 0; i < p->len; i++)
		if (p->v[i].pid != 0 &&
		    waitpid(p->v[i].pid, NULL, WNOHANG) != 0) {
			p->v[i].pid = 0;
			if (strcmp(p->v[i].text, "...") == 0)
				snprintf(p->v[i].text, sizeof(p->v[i].text),
				    "no answer");
		}
	for (i = 0; i < p->len && p->v[i].pid == 0; i++)
		continue;
	if (i == p->len && tty.also != -1) {
		close(tty.also);
		tty.also = -1;
	}
}

/* What is known of a host's test, "" if nothing. */
static const char *
probe_text(const struct probes *p, const struct host *host)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		if (p->v[i].host == host)
			return p->v[i].text;
	return "";
}

/*
 * Which hosts have a live master of wl's own: the names of their sockets,
 * each between line feeds.
 */

struct open_hosts {
	struct buf dir, labels;
};

static void
open_find(struct open_hosts *o)
{
	struct buf path = { NULL, 0, 0 };
	struct dirent *e;
	size_t n;
	pid_t pid;
	DIR *d;

	o->dir.len = o->labels.len = 0;
	buf_str(&o->labels, "\n");
	dir_find(&o->dir, 0);
	if (o->dir.len == 0 || (d = opendir(o->dir.v)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n <= HASH_LEN || e->d_name[n - HASH_LEN] != '-')
			continue;
		path.len = 0;
		buf_fmt(&path, "%s/%s", o->dir.v, e->d_name);
		if (master_alive(path.v, &pid))
			buf_fmt(&o->labels, "%.*s\n", (int)(n - HASH_LEN),
			    e->d_name);
	}
	closedir(d);
	free(path.v);
}

static int
is_open(const struct open_hosts *o, const char *name)
{
	struct buf label = { NULL, 0, 0 };
	int found;

	if (o->labels.len <= 1)
		return 0;
	buf_str(&label, "\n");
	put_label(&label, name, o->dir.len);
	buf_str(&label, "\n");
	found = strstr(o->labels.v, label.v) != NULL;
	free(label.v);
	return found;
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

enum choice { CHOSE_NOTHING, CHOSE_HOST, CHOSE_QUERY };

struct prompt {
	struct ranking rank;
	struct decoder decoder;
	char query[QUERY_MAX];
	size_t len, cursor;	/* bytes of it, and before the cursor */
	size_t sel, top;	/* the selected match, the first one shown */
	struct buf lines[ROWS_MAX + 1];	/* what the screen shows */
	struct buf line, frame;	/* being made */
	struct buf text[2], attrs[2];	/* for put_changes() */
	int height;		/* lines that are there to be drawn on */
	int column;		/* where the cursor belongs in the first */
	int at;			/* where it is */
	int help;		/* the keys are shown instead of the hosts */
	size_t prepared;	/* hosts whose address is known already */
	struct probes probes;
	struct open_hosts open;
	char message[128];	/* shown in place of the count, until a key */
	const struct options *options;
};

static const char *const help_lines[] = {
	"type to filter: words, or a number",
	"Enter connect   Esc ^C leave   ^Z stop",
	"Up Down ^P ^N Tab PgUp PgDn Home End",
	"^A ^E ^B ^F     move in the query",
	"^U ^W ^K        delete: before, word, after",
	"^R recently used hosts   ^X forget one",
	"^T test which hosts answer",
	"^Y copy HostName   ^O edit the entry",
	"^L draw again",
};
enum { HELP_LINES = sizeof(help_lines) / sizeof(help_lines[0]) };

/* How many lines can be shown below the query. */
static size_t
prompt_room(void)
{
	size_t room = tty.rows > 1 ? (size_t)tty.rows - 1 : 0;

	return room < ROWS_MAX ? room : ROWS_MAX;
}

/* Appends blanks up to column TO of a row that has COL columns. */
static int
put_blanks(struct buf *out, int col, int to)
{
	for (; col < to && col < tty.cols - 1; col++)
		buf_str(out, " ");
	return col > to ? col : to;
}

/*
 * Appends a field of a row.  The letters are underlined that give a word its
 * score, which is that of the first field it is found in: *FOUND has a bit for
 * each word that an earlier field has taken.
 */
static int
put_field(struct prompt *p, const char *s, int col, int width, unsigned *found)
{
	const struct query *q = &p->rank.query;
	char hit[MATCH_LEN];
	int room = tty.cols - 1 - col;
	unsigned i;

	memset(hit, 0, sizeof(hit));
	for (i = 0; i < q->nwords; i++)
		if ((*found & 1U << i) == 0 &&
		    score_positions(&p->rank.table, &q->words[i], s, hit))
			*found |= 1U << i;
	if (width > room)
		width = room;
	return width > 0 ? col + put_text(&p->line, s, width, hit) : col;
}

/* What is known of a host at the moment: its master, its test, its last use. */
static void
put_state(const struct prompt *p, const struct host *host, struct buf *out)
{
	const struct hosts *h = p->rank.hosts;
	uint32_t used = host_candidate(h, host)->used;
	char when[32];

	out->len = 0;
	buf_str(out, is_open(&p->open, host_name(h, host)) ? "* open" : "");
	if (*probe_text(&p->probes, host) != '\0')
		buf_fmt(out, "%s%s", out->len > 0 ? "  " : "",
		    probe_text(&p->probes, host));
	if (p->rank.recent && used != 0) {
		ago(h->uses[used].when, when, sizeof(when));
		buf_fmt(out, "%s%s", out->len > 0 ? "  " : "", when);
	}
}

/* Widths of the columns of the rows shown. */
struct columns {
	int number, name, addr;
};

static void
measure(struct prompt *p, struct columns *w)
{
	size_t i, last = p->top + prompt_room();
	int n, half = (tty.cols - 4) / 2;
	struct host *host;

	w->number = snprintf(NULL, 0, "%zu", p->rank.hosts->len);
	w->name = w->addr = 0;
	for (i = p->top; i < p->rank.len && i < last; i++) {
		host = ranking_get(&p->rank, i);
		n = text_width(host_name(p->rank.hosts, host));
		w->name = n > w->name ? n : w->name;
		n = text_width(host_rest(p->rank.hosts, host));
		w->addr = n > w->addr ? n : w->addr;
	}
	if (tty.cols >= NARROW && w->name > half)
		w->name = half;
}

/*
 * Where to put S in a row that has COL columns: at LEFT, or before that as far
 * as it must to end before END.
 */
static int
place(const char *s, int col, int left, int end)
{
	int n = text_width(s);

	if (left > end - n)
		left = end - n;
	return left < col + 2 ? col + 2 : left;
}

/*
 * Makes the row of match I: number, name, and dim what else is known.  On a
 * narrow terminal there are fewer blanks.
 */
static void
put_row(struct prompt *p, size_t i, const struct columns *w)
{
	struct hosts *h = p->rank.hosts;
	struct host *host = ranking_get(&p->rank, i);
	const char *addr = host_rest(h, host), *note = after(addr);
	const char *jump = after(note);
	int chosen = i == p->sel, gap = tty.cols < NARROW ? 1 : 2, col;
	int left = gap + w->number + gap, end, n;
	struct buf state = { NULL, 0, 0 };
	unsigned found = 0;
	char number[32] = "";

	if (host < h->v + h->len)
		snprintf(number, sizeof(number), "%zu",
		    (size_t)(host - h->v) + 1);
	buf_fmt(&p->line, "%s%-*s%*s%*s", chosen ? "\033[7m" : "", gap,
	    chosen ? ">" : "", w->number, number, gap, "");
	col = put_field(p, host_name(h, host), left, w->name, &found);
	if (!chosen)
		buf_str(&p->line, "\033[2m");
	left += w->name + 2;
	put_state(p, host, &state);
	n = text_width(state.v);
	end = tty.cols - 1 - (n > 0 ? n + 2 : 0);
	if (*addr != '\0') {
		col = put_blanks(&p->line, col, left);
		col = put_field(p, addr, col, end - col, &found);
	}
	left += w->addr > 0 ? w->addr + 2 : 0;
	if (*jump != '\0' && col + 6 <= end) {
		col = put_blanks(&p->line, col,
		    place(jump, col, left, end - 4));
		col += put_text(&p->line, "via ", end - col, NULL);
		col += put_text(&p->line, jump, end - col, NULL);
		left = col + 2;
	}
	end = tty.cols - 1;
	if (n > 0) {
		col = put_blanks(&p->line, col, place(state.v, col, left, end));
		col += put_text(&p->line, state.v, end - col, NULL);
		left = col + 2;
	}
	free(state.v);
	if (*note != '\0') {
		col = put_blanks(&p->line, col, place(note, col, left, end));
		put_field(p, note, col, INT_MAX, &found);
	}
	buf_str(&p->line, "\033[m");
}

/* The part of a long query that has the cursor in it begins here. */
static size_t
query_start(const struct prompt *p, int cols)
{
	size_t start = 0, len;
	int width, used;
	char before[QUERY_MAX];

	memcpy(before, p->query, p->cursor);
	before[p->cursor] = '\0';
	for (used = text_width(before); used > cols; start += len) {
		len = char_len(before + start, p->cursor - start, &width);
		used -= width < 0 ? 1 : width;
	}
	return start;
}

/* Makes the query's line and finds the cursor's column in it. */
static void
put_query(struct prompt *p)
{
	int room = tty.cols > 4 ? tty.cols - 4 : 0, col, n;
	size_t start = query_start(p, room), cursor = p->cursor - start;
	char count[sizeof(p->message)], before[QUERY_MAX];

	memcpy(before, p->query + start, cursor);
	before[cursor] = '\0';
	buf_str(&p->line, "> ");
	p->column = 2 + text_width(before);
	col = 2 + put_text(&p->line, p->query + start, room + 1, NULL);
	n = snprintf(count, sizeof(count), "%zu/%zu", p->rank.len,
	    p->rank.hosts->len + (p->rank.recent ? p->rank.hosts->typed -
	    p->rank.hosts->forgotten : 0));
	if (p->message[0] != '\0') {
		snprintf(count, sizeof(count), "%s", p->message);
		n = text_width(count);
	}
	if (col + 1 + n < tty.cols) {
		buf_fmt(&p->line, "\033[K\033[%dG\033[2m", tty.cols - n);
		put_text(&p->line, count, n, NULL);
		buf_str(&p->line, "\033[m");
	}
}

/* What the first row says when there is no match. */
static void
put_hint(struct prompt *p)
{
	const struct options *o = p->options;
	struct buf hint = { NULL, 0, 0 };

	if (p->query[strspn(p->query, " \t")] != '\0')
		buf_fmt(&hint, "  ssh %s", p->query);
	else if (o->inventory != NULL)
		buf_fmt(&hint, "  no hosts in %s", o->inventory);
	else
		buf_fmt(&hint, "  no Host entries in %s", o->file != NULL ?
		    o->file : "~/.ssh/config");
	put_text(&p->line, hint.v, tty.cols - 1, NULL);
	free(hint.v);
}

/*
 * Takes a row apart into the character of each column and, as a set of bits,
 * the numbers of its attributes.  Returns 0 if a character is not ASCII.
 */
static int
row_cells(const struct buf *row, struct buf *text, struct buf *attrs)
{
	const char *p, *end = row->v + row->len;
	char attr = 0;
	int n;

	text->len = attrs->len = 0;
	for (p = row->v; p < end; p++) {
		if (*p == '\033') {
			n = atoi(p + 2);	/* 24 ends an underline */
			attr = (char)(n == 0 ? 0 : n == 24 ? attr & ~(1 << 4) :
			    attr | 1 << n);
			p += strcspn(p, "m");
		} else if (*p & 0x80) {
			return 0;
		} else {
			buf_add(text, p, 1);
			buf_add(attrs, &attr, 1);
		}
	}
	return 1;
}

/* Appends what changes the attributes FROM into TO. */
static void
put_attr(struct buf *out, int from, int to)
{
	int n, first = 1;

	if (from == to)
		return;
	buf_str(out, "\033[");
	if ((from & ~to) != 0) {
		buf_str(out, to != 0 ? "0" : "");
		from = first = 0;
	}
	for (n = 1; n < 8; n++)
		if ((to & ~from & 1 << n) != 0) {
			buf_fmt(out, "%s%d", first ? "" : ";", n);
			first = 0;
		}
	buf_str(out, "m");
}

/*
 * Appends what turns the row OLD, at whose start the cursor is, into NEW: the
 * columns that differ.  Where columns cannot be counted on, as terminals take
 * some characters to be wider than others do, that is all of the row.
 */
static void
put_changes(struct prompt *p, const struct buf *old, const struct buf *new)
{
	struct buf *a = p->text, *b = p->attrs, *out = &p->frame;
	size_t i, at = 0;
	int attr = 0, want;

	if (!row_cells(old, &a[0], &b[0]) || !row_cells(new, &a[1], &b[1])) {
		buf_add(out, new->v, new->len);
		buf_str(out, "\033[K");
		return;
	}
	for (i = 0; i < a[1].len; i++) {
		if (i < a[0].len && a[0].v[i] == a[1].v[i] &&
		    b[0].v[i] == b[1].v[i])
			continue;
		if (i - at < 4 && at > 0)	/* no longer than a move */
			i = at;
		else if (i > at)
			buf_fmt(out, "\033[%zuC", i - at);
		want = (unsigned char)b[1].v[i];
		put_attr(out, attr, want);
		attr = want;
		buf_add(out, &a[1].v[i], 1);
		at = i + 1;
	}
	if (at < i && a[0].len > i)
		buf_fmt(out, "\033[%zuC", i - at);
	put_attr(out, attr, 0);
	if (a[0].len > i)
		buf_str(out, "\033[K");
}

/*
 * Sends line I if it is not what the screen shows.  *AT is the line the
 * cursor is on; lines that are not there yet are made by line feeds, which
 * scroll at the bottom of the screen.
 */
static void
send_line(struct prompt *p, int i, int *at)
{
	struct buf *old = &p->lines[i];

	if (i < p->height && old->len == p->line.len &&
	    (old->len == 0 || memcmp(old->v, p->line.v, old->len) == 0))
		return;
	buf_str(&p->frame, i > *at ? "" : "\r");
	for (; *at < i; ++*at)
		buf_str(&p->frame, "\r\n");
	if (i > 0 && i < p->height) {
		put_changes(p, old, &p->line);
	} else {
		buf_add(&p->frame, p->line.v, p->line.len);
		buf_str(&p->frame, "\033[K");
	}
	if (i >= p->height)
		p->height = i + 1;
	old->len = 0;
	buf_add(old, p->line.v, p->line.len);
}

/* The text of the row below the query, in p->line. */
static void
put_line(struct prompt *p, size_t row, const struct columns *w)
{
	p->line.len = 0;
	buf_str(&p->line, "");
	if (p->help) {
		if (row < HELP_LINES)
			put_text(&p->line, help_lines[row], tty.cols - 1, NULL);
	} else if (p->top + row < p->rank.len) {
		put_row(p, p->top + row, w);
	} else if (row == 0) {
		put_hint(p);
	}
}

/*
 * Draws a frame.  The cursor is on the query's line before and after it, and
 * is hidden in between.
 */
static void
prompt_draw(struct prompt *p)
{
	size_t room = prompt_room(), row, rows, same;
	struct columns w;
	int at = 0;

	if (p->sel < p->top)
		p->top = p->sel;
	if (room > 0 && p->sel >= p->top + room)
		p->top = p->sel - room + 1;
	if (p->top + room > p->rank.len)
		p->top = p->rank.len > room ? p->rank.len - room : 0;
	measure(p, &w);
	rows = p->help ? HELP_LINES : p->rank.len > 0 ? p->rank.len : 1;
	if (p->height > 0 && rows < (size_t)p->height - 1)
		rows = (size_t)p->height - 1;
	buf_str(&p->frame, p->height > 0 ? "\033[?25l" :
	    "\033[?25l\033[?2004h");
	same = p->frame.len;
	p->line.len = 0;
	put_query(p);
	send_line(p, 0, &at);
	for (row = 0; row < rows && row < room; row++) {
		put_line(p, row, &w);
		send_line(p, (int)row + 1, &at);
	}
	if (p->frame.len == same && p->at == p->column) {
		p->frame.len = 0;
		return;
	}
	if (at > 0)
		buf_fmt(&p->frame, "\033[%dA", at);
	buf_fmt(&p->frame, "\r\033[%dC\033[?25h", p->column);
	p->at = p->column;
	tty_write(&p->frame);
}

/* Leaves the screen as if the prompt had not been there. */
static void
prompt_erase(struct prompt *p)
{
	if (p->height > 0)
		buf_str(&p->frame, "\r\033[J\033[?2004l");
	tty_write(&p->frame);
	p->height = 0;
}

/* After a resize or a foreign message: all is to be drawn again. */
static void
prompt_redraw(struct prompt *p)
{
	int above = tty.cols > 0 ? p->column / tty.cols : 0;

	if (p->height > 0) {
		if (above > 0)
			buf_fmt(&p->frame, "\033[%dA", above);
		buf_str(&p->frame, "\r\033[J");
	}
	p->height = 0;
}

/* The start of the character before, and the end of that at, the cursor. */
static size_t
before_cursor(const struct prompt *p)
{
	size_t i = p->cursor;

	while (i > 0 && (p->query[--i] & 0xc0) == 0x80)
		continue;
	return i;
}

static size_t
after_cursor(const struct prompt *p)
{
	size_t i = p->cursor;

	if (i < p->len)
		i++;
	while (i < p->len && (p->query[i] & 0xc0) == 0x80)
		i++;
	return i;
}

/* Deletes the query's bytes from FROM to TO. */
static void
query_delete(struct prompt *p, size_t from, size_t to)
{
	memmove(p->query + from, p->query + to, p->len - to + 1);
	p->len -= to - from;
	p->cursor = from;
}

static void
query_insert(struct prompt *p, int c)
{
	if (p->len + 1 >= sizeof(p->query))
		return;
	memmove(p->query + p->cursor + 1, p->query + p->cursor,
	    p->len - p->cursor + 1);
	p->query[p->cursor++] = (char)c;
	p->len++;
}

/* Takes off the blanks around the query. */
static void
query_trim(struct prompt *p)
{
	size_t blanks = strspn(p->query, " ");

	query_delete(p, 0, blanks);
	while (p->len > 0 && p->query[p->len - 1] == ' ')
		p->query[--p->len] = '\0';
	p->cursor = p->len;
}

/* Applies a key that edits the query; returns 0 if it is none. */
static int
edit(struct prompt *p, int key)
{
	size_t i = p->cursor;

	switch (key) {
	case CTL('h'):
	case 0x7f:
		query_delete(p, before_cursor(p), p->cursor);
		return 1;
	case KEY_DELETE:
	case CTL('d'):
		query_delete(p, p->cursor, after_cursor(p));
		return 1;
	case CTL('u'):
		query_delete(p, 0, p->cursor);
		return 1;
	case CTL('k'):
		query_delete(p, p->cursor, p->len);
		return 1;
	case CTL('w'):
		while (i > 0 && p->query[i - 1] == ' ')
			i--;
		while (i > 0 && p->query[i - 1] != ' ')
			i--;
		query_delete(p, i, p->cursor);
		return 1;
	default:
		if (key >= KEY_NONE || is_control(key))
			return 0;
		query_insert(p, key);
		return 1;
	}
}

/* Applies a key that moves the cursor or the selection. */
static void
move(struct prompt *p, int key)
{
	size_t page = prompt_room() > 1 ? prompt_room() - 1 : 1, last;

	ranking_update(&p->rank, p->query, NULL);
	last = p->rank.len > 0 ? p->rank.len - 1 : 0;
	if (key == KEY_LEFT || key == CTL('b'))
		p->cursor = before_cursor(p);
	else if (key == KEY_RIGHT || key == CTL('f'))
		p->cursor = after_cursor(p);
	else if (key == CTL('a'))
		p->cursor = 0;
	else if (key == CTL('e'))
		p->cursor = p->len;
	else if (key == KEY_UP || key == CTL('p') || key == KEY_BACKTAB ||
	    key == CTL('k'))
		p->sel -= p->sel > 0;
	else if (key == KEY_DOWN || key == CTL('n') || key == CTL('i'))
		p->sel += p->sel < last;
	else if (key == KEY_PGUP)
		p->sel -= p->sel < page ? p->sel : page;
	else if (key == KEY_PGDN)
		p->sel += last - p->sel < page ? last - p->sel : page;
	else if (key == KEY_HOME)
		p->sel = 0;
	else if (key == KEY_END)
		p->sel = last;
	if (key == KEY_PGUP)
		p->top -= p->top < page ? p->top : page;
	else if (key == KEY_PGDN && last >= page && p->top + page < last)
		p->top += page;
}

/*
 * Whether a key or a signal waits.  A signal is left pending: it is for
 * read_key(), which would sleep on if it came and went here.
 */
static int
key_waits(void *unused)
{
	struct timeval now = { 0, 0 };
	sigset_t pending;
	fd_set set;
	size_t i;

	(void)unused;
	sigpending(&pending);
	for (i = 0; i < NSIGNALS; i++)
		if (sigismember(&pending, signals[i]) == 1)
			return 1;
	FD_ZERO(&set);
	FD_SET(tty.fd, &set);
	return caught || select(tty.fd + 1, &set, NULL, NULL, &now) > 0;
}

/*
 * A signal, or what stands for one: comes back when wl is to go on.  The
 * terminal is given back first.
 */
static void
prompt_signal(struct prompt *p)
{
	int signo = caught, rows, cols;

	if (signo == SIGTSTP) {
		prompt_erase(p);
		suspend(getpid());
		tty_set(TTY_PROMPT);
	} else if (signo != 0) {
		probes_end(&p->probes);
		prompt_erase(p);
		die_of(signo);
	}
	rows = tty.rows;
	cols = tty.cols;
	tty_size();
	if (tty_taken()) {	/* after a SIGSTOP, by the shell */
		tty.mode = TTY_COOKED;
		tty_set(TTY_PROMPT);
		signo = SIGCONT;
	}
	if (signo != 0 || rows != tty.rows || cols != tty.cols)
		prompt_redraw(p);
}

/* ^Y: gives the host's HostName to the terminal's clipboard (OSC 52). */
static void
prompt_copy(struct prompt *p)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct hosts *h = p->rank.hosts;
	struct host *host = ranking_get(&p->rank, p->sel);
	const unsigned char *s;
	size_t n, i;
	uint32_t bits;

	host_values(h, host);
	s = (const unsigned char *)h->values.name.v;
	n = h->values.name.len;
	buf_str(&p->frame, "\033]52;c;");
	for (i = 0; i < n; i += 3) {
		bits = (uint32_t)s[i] << 16 | (i + 1 < n ? s[i + 1] << 8 : 0) |
		    (i + 2 < n ? s[i + 2] : 0);
		buf_fmt(&p->frame, "%c%c%c%c", digits[bits >> 18],
		    digits[bits >> 12 & 63],
		    i + 1 < n ? digits[bits >> 6 & 63] : '=',
		    i + 2 < n ? digits[bits & 63] : '=');
	}
	buf_str(&p->frame, "\a");
	snprintf(p->message, sizeof(p->message), "copied %s", s);
}

/* ^T: tests the hosts that are shown. */
static void
prompt_probe(struct prompt *p)
{
	size_t i, last = p->top + prompt_room();
	int fds[2];

	probes_end(&p->probes);
	if (pipe(fds) == -1)
		return;
	for (i = 0; i < 2; i++) {
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	for (i = p->top; i < p->rank.len && i < last; i++)
		probe_start(&p->probes, p->rank.hosts,
		    ranking_get(&p->rank, i), fds[1]);
	close(fds[1]);
	tty.also = fds[0];
	if (fds[0] >= FD_SETSIZE)
		probes_end(&p->probes);
}

/* ^O: the editor on the host's entry; then the list is read again. */
static void
prompt_edit(struct prompt *p)
{
	struct hosts *h = p->rank.hosts;
	struct args a = { NULL, 0, 0 };

	if (!editor_args(&a, h, ranking_get(&p->rank, p->sel))) {
		snprintf(p->message, sizeof(p->message), "not in a file");
		return;
	}
	prompt_erase(p);
	probes_end(&p->probes);
	run_job(&a);
	free(a.v);
	hosts_read(h, p->options);
	tty_size();
	tty_set(TTY_PROMPT);
	p->prepared = p->sel = p->top = 0;
	p->rank.valid = 0;
}

/* ^R: shows those used last first, or not.  ^X there: forgets one. */
static void
prompt_recent(struct prompt *p, int key)
{
	struct hosts *h = p->rank.hosts;
	struct candidate *c;

	if (key == CTL('x')) {
		if (!p->rank.recent)
			return;
		c = host_candidate(h, ranking_get(&p->rank, p->sel));
		if (c->used != 0) {
			recent_write(c->name, 1);
			h->forgotten += c >= h->candidates + h->len;
		}
		c->used = 0;
	} else {
		p->rank.recent = !p->rank.recent;
		p->sel = p->top = 0;
	}
	p->rank.valid = 0;
	ranking_update(&p->rank, p->query, NULL);
	if (p->rank.len > 0 && p->sel >= p->rank.len)
		p->sel = p->rank.len - 1;
}

/* Applies a key that does something with the hosts; returns 0 if it is none. */
static int
act(struct prompt *p, int key)
{
	if (key == CTL('r')) {
		prompt_recent(p, key);
		return 1;
	}
	if (key != CTL('t') && key != CTL('x') && key != CTL('y') &&
	    key != CTL('o'))
		return 0;
	ranking_update(&p->rank, p->query, NULL);
	if (p->rank.len == 0)
		return 1;
	if (key == CTL('t'))
		prompt_probe(p);
	else if (key == CTL('x'))
		prompt_recent(p, key);
	else if (key == CTL('y'))
		prompt_copy(p);
	else
		prompt_edit(p);
	return 1;
}

/*
 * Applies a key.  Returns 1 when the prompt is over, with what was chosen in
 * *CHOICE.
 */
static int
prompt_key(struct prompt *p, int key, enum choice *choice)
{
	int edits = !(key == CTL('k') && p->cursor == p->len) &&
	    !(key == CTL('d') && p->len == 0);

	*choice = CHOSE_NOTHING;
	p->message[0] = '\0';
	if (p->help) {
		p->help = 0;
		if (key != CTL('c') && key != KEY_HANGUP)
			return 0;
	}
	if (key == KEY_ESC || key == KEY_HANGUP ||
	    (key == CTL('d') && p->len == 0))
		return 1;
	if (key == '\r' || key == '\n') {
		ranking_update(&p->rank, p->query, NULL);
		query_trim(p);
		if (p->rank.len > 0)
			*choice = CHOSE_HOST;
		else if (p->len > 0)
			*choice = CHOSE_QUERY;
		return *choice != CHOSE_NOTHING;
	}
	if (key == KEY_F1) {
		p->help = 1;
	} else if (key == CTL('l')) {
		prompt_redraw(p);
	} else if (key == CTL('c')) {
		probes_end(&p->probes);
		prompt_erase(p);
		die_of(SIGINT);
	} else if (key == CTL('z')) {
		prompt_erase(p);
		suspend(0);
		tty_set(TTY_PROMPT);
	} else if (edits && edit(p, key)) {
		p->sel = p->top = 0;
	} else if (!act(p, key)) {
		move(p, key);
	}
	return 0;
}

/* Looks hosts up ahead of the first key that asks for all of them. */
static void
prompt_prepare(struct prompt *p)
{
	struct hosts *h = p->rank.hosts;
	size_t n;

	while (p->prepared < h->len && !key_waits(NULL))
		for (n = 0; n < 256 && p->prepared < h->len; n++)
			candidate_rest(h, candidate(h, p->prepared++));
}

/*
 * Lets the user choose.  CHOSE_HOST: *HOST is the host; CHOSE_QUERY: nothing
 * matched and p->query is meant.
 */
static enum choice
prompt_run(struct prompt *p, struct host **host)
{
	enum choice choice = CHOSE_NOTHING;
	int key, over = 0;

	signals_catch();
	tty_set(TTY_PROMPT);
	open_find(&p->open);
	while (!over) {
		if (ranking_update(&p->rank, p->query, key_waits) &&
		    (p->height == 0 || !key_waits(NULL)))
			prompt_draw(p);
		prompt_prepare(p);
		key = read_key(&p->decoder, -1);
		if (key == KEY_SIGNAL)
			prompt_signal(p);
		if (key == KEY_SIGNAL || key == KEY_NEWS)
			probes_news(&p->probes);
		else if (key != KEY_NONE)
			over = prompt_key(p, key, &choice);
	}
	probes_end(&p->probes);
	if (choice == CHOSE_HOST)
		*host = ranking_get(&p->rank, p->sel);
	prompt_erase(p);
	tty_set(TTY_COOKED);
	return choice;
}

/*
 * The plain prompt, for a terminal that nothing can be drawn on: prints the
 * list, or the matches, and reads a line until it says which one is meant.
 */
static void
plain_list(struct prompt *p)
{
	struct host *host;
	size_t i;

	for (i = 0; i < p->rank.len; i++) {
		host = ranking_get(&p->rank, i);
		buf_fmt(&p->frame, "%zu ",
		    (size_t)(host - p->rank.hosts->v) + 1);
		put_text(&p->frame, host_name(p->rank.hosts, host),
		    INT_MAX / 2, NULL);
		buf_str(&p->frame, "\n");
	}
}

/* Reads a line of the terminal into the query; 0 at the end of file. */
static int
plain_read(struct prompt *p)
{
	unsigned char c = 0;

	p->len = 0;
	buf_str(&p->frame, "host: ");
	tty_write(&p->frame);
	while (c != '\n') {
		if (tty_wait(tty.fd, -1) == -1 && errno == EINTR) {
			if (caught == SIGTSTP)
				suspend(getpid());
			else if (caught)
				die_of(caught);
		} else if (read(tty.fd, &c, 1) != 1) {
			return 0;
		} else if (c != '\n' && p->len + 1 < sizeof(p->query)) {
			p->query[p->len++] = (char)c;
		}
	}
	p->query[p->len] = '\0';
	query_trim(p);
	return p->len > 0;
}

static enum choice
plain_run(struct prompt *p, struct host **host)
{
	size_t number;

	signals_catch();
	ranking_update(&p->rank, p->query, NULL);
	plain_list(p);
	while (plain_read(p)) {
		ranking_update(&p->rank, p->query, NULL);
		number = p->rank.query.number;
		if (p->rank.len == 0)
			return CHOSE_QUERY;
		*host = ranking_get(&p->rank, 0);
		if (p->rank.len == 1 ||
		    strcmp(host_name(p->rank.hosts, *host), p->query) == 0 ||
		    number > 0)
			return CHOSE_HOST;
		plain_list(p);
	}
	return CHOSE_NOTHING;
}

/*
 * The chosen host's settings, as `ssh -G' prints them: ssh alone decides what
 * holds for this connection.
 */

/* The value of a setting, "" if it is not printed; valid until the next. */
static const char *
setting(struct target *t, const char *key)
{
	const char *p = t->settings.v;
	size_t n = strlen(key);

	t->value.len = 0;
	buf_str(&t->value, "");
	while (p != NULL && (strncmp(p, key, n) != 0 || p[n] != ' '))
		if ((p = strchr(p, '\n')) != NULL)
			p++;
	if (p != NULL)
		buf_add(&t->value, p + n + 1, strcspn(p + n + 1, "\n"));
	return t->value.v;
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

/* Asks `ssh -G'; returns 0, or the status with which it failed. */
static int
settings_read(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	int pipefd[2], fds[3], status;
	char chunk[4096];
	ssize_t n;
	pid_t pid;

	ssh_args(&a, t);
	arg_add(&a, "-G");
	arg_add(&a, "-T");	/* or it complains that it has no terminal */
	arg_host(&a, t->name);
	if (pipe(pipefd) == -1)
		err(2, "pipe");
	fcntl(pipefd[0], F_SETFD, FD_CLOEXEC);
	fcntl(pipefd[1], F_SETFD, FD_CLOEXEC);
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	fds[0] = null_fd();
	fds[1] = pipefd[1];
	fds[2] = 2;
	pid = spawn(&a, environ, fds, 0);
	close(pipefd[1]);
	t->settings.len = 0;
	buf_str(&t->settings, "");
	do {
		if (tty_wait(pipefd[0], -1) == -1 && caught == SIGTSTP) {
			suspend(getpid());
			kill(pid, SIGCONT);
		} else if (caught) {
			kill(pid, SIGTERM);
			kill(pid, SIGCONT);
			wait_for(pid);
			die_of(caught);
		}
		n = read(pipefd[0], chunk, sizeof(chunk));
		if (n > 0)
			buf_add(&t->settings, chunk, (size_t)n);
	} while (n > 0 || (n == -1 && errno == EAGAIN));
	close(pipefd[0]);
	status = wait_for(pid);
	free(a.v);
	if (status > 128 && status < 255)
		ended_by(status - 128);
	return status;
}

static uint64_t
fnv(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * 1099511628211U;	/* FNV-1a */
	return h;
}

static int
is_proxied(struct target *t)
{
	return *setting(t, "proxyjump") != '\0' ||
	    *setting(t, "proxycommand") != '\0';
}

/*
 * The hash of all that decides where the host's connection leads: what ssh -G
 * prints, but for the keywords of the sharing itself (ControlPersist=10m for
 * once is to be found again without it).  A jump host or a proxy command has
 * settings of its own, so then the state of the configuration's files counts
 * too.
 */
static uint64_t
target_hash(struct target *t)
{
	const char *p = t->settings.v, *eol;
	const struct file *f = t->hosts->config->files;
	uint64_t h = 14695981039346656037U;
	size_t i;

	for (; (eol = strchr(p, '\n')) != NULL; p = eol + 1)
		if (strncmp(p, "control", 7) != 0)
			h = fnv(h, p, (size_t)(eol - p) + 1);

	if (!is_proxied(t))
		return h;
	for (i = 0; i < t->hosts->config->nfiles; i++, f++) {
		h = fnv(h, f->path, strlen(f->path) + 1);
		h = fnv(h, &f->st.st_dev, sizeof(f->st.st_dev));
		h = fnv(h, &f->st.st_ino, sizeof(f->st.st_ino));
		h = fnv(h, &f->st.st_size, sizeof(f->st.st_size));
		h = fnv(h, &f->st.st_mtime, sizeof(f->st.st_mtime));
	}
	return h;
}

/*
 * Sets t->socket: the user's ControlPath, else wl's own, of the host's name
 * and the hash.  It stays empty if there is no private directory.
 */
static void
socket_find(struct target *t)
{
	const char *path = setting(t, "controlpath");

	t->socket.len = t->dir.len = 0;
	buf_str(&t->socket, path);
	buf_str(&t->dir, "");
	if ((t->users = *path != '\0') != 0)
		return;
	dir_find(&t->dir, 1);
	if (t->dir.len == 0)
		return;
	buf_fmt(&t->socket, "%s/", t->dir.v);
	put_label(&t->socket, t->name, t->dir.len);
	buf_fmt(&t->socket, "-%016llx", (unsigned long long)target_hash(t));
}

/* Removes what wl or a master that was killed left behind long ago. */
static void
dir_sweep(const struct buf *dir)
{
	struct buf path = { NULL, 0, 0 };
	struct dirent *e;
	struct stat st;
	pid_t pid;
	DIR *d;

	if (dir->len == 0 || (d = opendir(dir->v)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		path.len = 0;
		buf_fmt(&path, "%s/%s", dir->v, e->d_name);
		if (lstat(path.v, &st) == 0 && S_ISSOCK(st.st_mode) &&
		    st.st_mtime + STALE_S < time(NULL) &&
		    !master_alive(path.v, &pid))
			unlink(path.v);
	}
	closedir(d);
	free(path.v);
}

/* How the host is reached. */
enum plan {
	PLAN_PLAIN,		/* by ssh alone: nothing is to be shared */
	PLAN_ATTACH,		/* over the master that is there */
	PLAN_MASTER,		/* over one that is started first */
	PLAN_DIRECT,		/* by an ssh that is the master itself */
};

/* The value of KEYWORD among the user's -o, "" if it is not there. */
static const char *
user_option(const struct options *o, const char *keyword)
{
	size_t i, n = strlen(keyword);
	const char *s;

	for (i = 0; i < o->nssh; i++) {
		s = o->ssh[i] + strspn(o->ssh[i], BLANKS);
		if (strncasecmp(s, keyword, n) == 0 &&
		    s[n + strspn(s + n, BLANKS "=")] != '\0' &&
		    strchr(BLANKS "=", s[n]) != NULL)
			return s + n + strspn(s + n, BLANKS "=");
	}
	return "";
}

/*
 * Chooses the way.  Who asks to be asked, or with -o for no sharing, gets
 * plain ssh.
 */
static enum plan
target_plan(struct target *t, int terminal)
{
	const char *control = setting(t, "controlmaster");
	pid_t pid;

	if (strcmp(control, "ask") == 0 || strcmp(control, "autoask") == 0 ||
	    strcasecmp(user_option(t->options, "ControlPath"), "none") == 0 ||
	    is_no(user_option(t->options, "ControlMaster")))
		return PLAN_PLAIN;
	if (is_no(user_option(t->options, "ControlPersist")))
		terminal = 0;	/* the session is to be the master */
	socket_find(t);
	if (t->socket.len == 0)
		return PLAN_PLAIN;
	if (master_alive(t->socket.v, &pid))
		return PLAN_ATTACH;
	return terminal ? PLAN_MASTER : PLAN_DIRECT;
}

/*
 * The options that make an ssh the master of the target's socket, for as long
 * as the user wants if that is configured.
 */
static void
master_args(struct target *t, struct args *a)
{
	arg_option(a, "ControlMaster=auto");
	if (strcmp(setting(t, "controlpersist"), "no") == 0)
		arg_option(a, "ControlPersist=5s");
	t->option.len = 0;
	buf_fmt(&t->option, "ControlPath=%s", t->socket.v);
	if (!t->users)
		arg_option(a, t->option.v);
}

/* Whether the user has left the LogLevel as it is. */
static int
default_level(struct target *t)
{
	return strcmp(setting(t, "loglevel"), "INFO") == 0;
}

/*
 * The command line of the master that logs in in the background; with DEBUG
 * it tells the stages.  Without -v ssh would throw away what the proxy of such
 * a master says (ssh_proxy_connect), be it only why a jump host cannot be
 * reached.
 */
static void
login_args(struct target *t, struct args *a, int debug)
{
	ssh_args(a, t);
	arg_add(a, "-N");
	arg_add(a, "-T");
	master_args(t, a);
	if (debug)
		arg_option(a, "LogLevel=DEBUG1");
	if (debug && is_proxied(t))
		arg_add(a, "-v");
	else if (is_proxied(t) && strcmp(setting(t, "loglevel"), "ERROR") == 0)
		arg_add(a, "-vqvv");	/* verbose, and LogLevel ERROR */
	arg_host(a, t->name);
}

/*
 * The options that attach an ssh to the target's socket.  For a user who has
 * ControlMaster=yes ssh would not do so.
 */
static void
attach_args(struct target *t, enum plan plan, struct args *a)
{
	const char *control = setting(t, "controlmaster");

	if (plan == PLAN_PLAIN)
		return;
	if (strcmp(control, "true") == 0 || strcmp(control, "yes") == 0)
		arg_option(a, "ControlMaster=auto");
	if (!t->users) {
		arg_add(a, "-S");
		arg_add(a, t->socket.v);
	}
}

/* The command line of the session. */
static void
session_args(struct target *t, enum plan plan, struct args *a)
{
	size_t i;

	ssh_args(a, t);
	if (plan == PLAN_DIRECT)
		master_args(t, a);
	else
		attach_args(t, plan, a);
	arg_host(a, t->name);
	for (i = 0; t->command != NULL && t->command[i] != NULL; i++)
		arg_add(a, t->command[i]);
}

/*
 * Questions.  The master's environment names wl as its SSH_ASKPASS, and a
 * socket in the private directory on which the wl that waits listens, with a
 * secret word that tells this master's questions from other clients.  Run by
 * ssh, wl sends word, kind and text there, and prints the answer that comes
 * back.  Answers are in one buffer each, which is wiped.
 */

#define ASK_ENV		"WL_ASK"	/* WORD:PATH */

enum {
	ASK_WORD = 32,		/* characters of the secret word */
	ASK_SIZE = 16384,	/* bytes of a request, with zeros at its end */
	ASK_MS = 200,		/* how long a client may take to put it */
	ANSWER_MAX = 1024,
};

/* macOS before 11 has none; SIGPIPE is blocked here anyway. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* Clears what held a secret, in a way that no compiler leaves out. */
static void
wipe(void *p, size_t n)
{
	volatile char *v = p;

	while (n-- > 0)
		*v++ = 0;
}

/* A word that nobody guesses; 0 if there is none to be had. */
static int
random_word(char word[ASK_WORD + 1])
{
	unsigned char bytes[ASK_WORD / 2];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	size_t i;

	if (fd == -1)
		return 0;
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(word + 2 * i, 3, "%02x", bytes[i]);
	return n == (ssize_t)sizeof(bytes);
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

/*
 * wl as askpass: passes TEXT on to the wl that waits, and the answer to ssh.
 * A notice has no answer: it lasts until ssh ends this process.
 */
static int
askpass(const char *where, const char *text)
{
	const char *kind = getenv("SSH_ASKPASS_PROMPT");
	char request[ASK_SIZE] = "", answer[ANSWER_MAX];
	struct sockaddr_un sun;
	size_t len = 0;
	ssize_t n;
	int fd;

	if (strlen(where) <= ASK_WORD ||
	    (fd = unix_socket(&sun, where + ASK_WORD + 1)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return 1;
	snprintf(request, sizeof(request), "%.*s%c%s", ASK_WORD, where,
	    kind != NULL && *kind != '\0' ? *kind : 'p', text);
	if (write_all(fd, request, sizeof(request)) == -1)
		return 1;
	while (len < sizeof(answer) &&
	    (n = read(fd, answer + len, sizeof(answer) - len)) > 0)
		len += (size_t)n;
	if (len > 0)
		(void)write_all(1, answer, len);
	wipe(answer, sizeof(answer));
	return len == 0;
}

/*
 * Logging in: what ssh tells of how far it has got.  Its debug messages are
 * taken out of what it, its proxies and the server write, and all else reaches
 * the user, in order and when it is written.
 */

enum {
	LINGER_MS = 500,	/* how long ours may take to leave a live socket */
	SPIN_AFTER = 100,	/* ms before the spinner is shown */
	SPIN_EVERY = 80,	/* ms between its frames */
	READ_BYTES = 4096,	/* that are read at once */
	MESSAGE_MAX = 4096,	/* bytes of a debug message; ssh's are 1024 */
	SAY_MAX = 512,		/* bytes that a pipe takes if it takes any */
	PIPE_BYTES = 1 << 16,	/* that are in a pipe at most */
};

/* Who has the terminal, and how the login ended. */
enum login_state {
	LOGIN_SPINNING,		/* wl: the spinner */
	LOGIN_ASKING,		/* wl: a question of ssh's */
	LOGIN_LENT,		/* ssh or its proxy, which asks by itself */
	LOGIN_STOPPED,		/* the shell: by ^Z */
	LOGIN_DONE,		/* the master is there */
	LOGIN_FAILED,
};

/* The login that is under way. */
struct login {
	struct target *target;
	enum login_state state;
	pid_t pid;		/* of the master, and its process group */
	int reaped, status;	/* whether it has ended, and how */
	int err, log;		/* its standard error, and that to read */
	int sorted;		/* debug messages in it are not the user's */
	struct buf unsorted;	/* the start of one, perhaps */
	struct buf said;	/* what is for the user, and not yet written */
	int silent;		/* nothing was for the user */
	int unended;		/* the last line written has no line feed */
	int arrived;		/* no jump host is to be reached first */
	char stage[256];
	long long start;	/* ms; time that was not spinning not counted */
	long long entered;	/* when it came into its state */
	long long listening;	/* since when the socket is there, 0: not yet */
	long long drawn;	/* the last frame of the spinner */
	unsigned frame;		/* how many there were */
	int width;		/* columns of the spinner's line */
	int listen;		/* for questions, -1: none are taken */
	struct buf path;	/* of that socket */
	char word[ASK_WORD + 1];
	int asker;		/* the client that asks, or -1 */
	char request[ASK_SIZE];	/* what it wants: word, kind, text */
	int echo;		/* its answer is no secret */
	int notice;		/* the client whose notice is shown, or -1 */
	char notice_text[256];
};

/* What a debug message of ssh says of the stage, by its beginning. */
static const struct { const char *begin, *stage; } stages[] = {
	{ "Connecting to ", "connecting" },
	{ "Executing proxy command", "connecting" },
	{ "Connection established", "waiting for an answer" },
	{ "Remote protocol version", "exchanging keys" },
	{ "SSH2_MSG_KEXINIT sent", "exchanging keys" },
	{ "SSH2_MSG_SERVICE_ACCEPT received", "authenticating" },
};

/* How messages begin that ssh does not write at its own LogLevel. */
static const char *const debug[] = {
	"debug1: ", "debug2: ", "debug3: ", "Authenticated to ",
	"Authenticated using ", "Authenticated with partial success.",
	"Transferred: ", "Bytes per second: ", "OpenSSH_",
};

/*
 * Takes the stage from a debug message.  A jump host's ssh writes some too:
 * until the host itself is spoken to, the stage is that it is jumped to.
 */
static void
login_stage(struct login *l, const char *s)
{
	static const char method[] = "Next authentication method: ";
	struct buf own = { NULL, 0, 0 };
	size_t i;

	if (!l->arrived) {
		buf_fmt(&own, "Authenticating to %s:",
		    setting(l->target, "hostname"));
		buf_fmt(&own, "%s as ", setting(l->target, "port"));
		l->arrived = strncmp(s, own.v, own.len) == 0;
		if (l->arrived)
			snprintf(l->stage, sizeof(l->stage), "exchanging keys");
		free(own.v);
		return;
	}
	for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (strncmp(s, stages[i].begin, strlen(stages[i].begin)) == 0)
			snprintf(l->stage, sizeof(l->stage), "%s",
			    stages[i].stage);
	if (strncmp(s, method, strlen(method)) == 0)
		snprintf(l->stage, sizeof(l->stage), "authenticating (%.*s)",
		    (int)strcspn(s + strlen(method), "\r\n"),
		    s + strlen(method));
}

/*
 * Where in the N bytes of a line, or of its start, a debug message begins; N
 * if nowhere.  At the start of S it may be there in part.
 */
static size_t
debug_find(const char *s, size_t n)
{
	size_t at, i, len;

	for (at = 0; at < n; at++)
		for (i = 0; i < sizeof(debug) / sizeof(debug[0]); i++) {
			len = strlen(debug[i]);
			if (at == 0 && n < len)
				len = n;
			if (n - at >= len && memcmp(s + at, debug[i], len) == 0)
				return at;
		}
	return n;
}

/*
 * Sorts what ssh has written.  A message of its own is one write that ends in
 * CR LF; before it may be a line of a proxy's that has no end.  Lines of a
 * banner end in LF.  With ALL, nothing more will come.
 */
static void
login_sort(struct login *l, int all)
{
	struct buf *in = &l->unsorted;
	size_t n, at, used = 0;
	const char *s, *eol;

	for (; used < in->len; used += n) {
		s = in->v + used;
		eol = memchr(s, '\n', in->len - used);
		n = eol != NULL ? (size_t)(eol + 1 - s) : in->len - used;
		at = l->sorted ? debug_find(s, n) : n;
		if (eol != NULL ? n < 2 || eol[-1] != '\r' :
		    all || n - at > MESSAGE_MAX)
			at = n;
		buf_add(&l->said, s, at);
		if (eol == NULL)
			n = at;
		else if (at < n && strncmp(s + at, debug[0], 8) == 0)
			login_stage(l, s + at + 8);
		if (n == 0)
			break;
	}
	in->len -= used;
	memmove(in->v, in->v + used, in->len);
}

/* Takes some of what ssh has written; 0 if there was nothing. */
static int
login_read(struct login *l)
{
	char chunk[READ_BYTES];
	ssize_t n = read(l->log, chunk, sizeof(chunk));

	if (n <= 0)
		return 0;
	buf_add(&l->unsorted, chunk, (size_t)n);
	login_sort(l, 0);
	return 1;
}

/*
 * The spinner: one line, which is gone before anything else is written.
 */

/* Whether this terminal gets one. */
static int
spins(void)
{
	return tty.fd != -1 && tty_draws();
}

/* Whether a write of a few bytes would not have to wait. */
static int
can_write(int fd)
{
	struct timeval none = { 0, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, NULL, &set, NULL, &none) == 1;
}

/* Takes the spinner off the screen; a resize may have wrapped it. */
static void
spinner_erase(struct login *l)
{
	struct buf out = { NULL, 0, 0 };

	if (l->width == 0)
		return;
	if (l->width > tty.cols)
		buf_fmt(&out, "\033[%dA", (l->width - 1) / tty.cols);
	buf_str(&out, "\r\033[J");
	tty_write(&out);
	free(out.v);
	l->width = 0;
}

/* Ends a line of ssh's on the terminal that ssh has not ended itself. */
static void
line_end(struct login *l)
{
	if (l->unended && isatty(2))
		(void)write_all(tty.fd, "\n", 1);
	l->unended = 0;
}

/*
 * Draws the spinner's line: where to, at which stage, for how long.  Where
 * there is not room for all the address goes first.
 */
static void
spinner_draw(struct login *l)
{
	static const char *const dots[] = { "\xe2\xa0\x8b", "\xe2\xa0\x99",
	    "\xe2\xa0\xb9", "\xe2\xa0\xb8", "\xe2\xa0\xbc", "\xe2\xa0\xb4",
	    "\xe2\xa0\xa6", "\xe2\xa0\xa7", "\xe2\xa0\x87", "\xe2\xa0\x8f" };
	static const char *const ascii[] = { "|", "/", "-", "\\" };
	int utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	struct target *t = l->target;
	struct buf text = { NULL, 0, 0 }, out = { NULL, 0, 0 }, addr = text;
	long long ms = now_ms() - l->start;
	const char *spoke = utf8 ? dots[l->frame % 10] : ascii[l->frame % 4];

	l->frame++;
	tty_size();
	line_end(l);
	buf_fmt(&addr, "  %s@", setting(t, "user"));
	buf_fmt(&addr, "%s", setting(t, "hostname"));
	if (strcmp(setting(t, "port"), "22") != 0)
		buf_fmt(&addr, ":%s", setting(t, "port"));
	for (;; addr.v[0] = '\0') {
		text.len = 0;
		buf_fmt(&text, "%s %s%s  %s  %lld.%llds", spoke, t->name,
		    addr.v, l->notice != -1 ? l->notice_text : l->stage,
		    ms / 1000, ms % 1000 / 100);
		if (addr.v[0] == '\0' || text_width(text.v) < tty.cols)
			break;
	}
	if (l->width > tty.cols)
		spinner_erase(l);
	buf_str(&out, "\r");
	l->width = put_text(&out, text.v, tty.cols - 1, NULL);
	buf_str(&out, "\033[K");
	tty_write(&out);
	free(text.v);
	free(addr.v);
	free(out.v);
}

/* Shows the next frame when it is time, and the terminal is ours and read. */
static void
spinner_turn(struct login *l)
{
	long long now = now_ms();

	if (tty_taken()) {
		spinner_erase(l);
	} else if (spins() && now - l->start >= SPIN_AFTER &&
	    now - l->drawn >= SPIN_EVERY && can_write(tty.fd)) {
		l->drawn = now;
		spinner_draw(l);
	}
}

/* Writes as much of what is for the user as can be written without waiting. */
static void
login_say(struct login *l)
{
	size_t done = 0, n;
	ssize_t w;

	if (l->said.len > 0)
		spinner_erase(l);
	while (done < l->said.len && can_write(2)) {
		n = l->said.len - done;
		w = write(2, l->said.v + done, n < SAY_MAX ? n : SAY_MAX);
		if (w == -1 && errno == EAGAIN)
			break;
		done = w == -1 ? l->said.len : done + (size_t)w;
		l->unended = l->said.v[done - 1] != '\n';
		l->silent = 0;
	}
	l->said.len -= done;
	memmove(l->said.v, l->said.v + done, l->said.len);
}

/* Hands on all that ssh has written so far. */
static void
login_drain(struct login *l)
{
	int i;

	for (i = 0; i < PIPE_BYTES / READ_BYTES && login_read(l); i++)
		login_say(l);
}

/*
 * The master, from its start to its end.  It is a job of its own, and when it
 * is of no use no process, socket or file of it stays behind.
 */

/*
 * Makes the pipe for the master's standard error.  Who writes faster than the
 * user can read has to wait.  A proxy keeps it for the whole connection, so
 * it is one that is open for reading too, which a write does not break; when
 * nobody reads any more and it is full a write fails (see login_end).
 */
static int
login_pipe(struct login *l)
{
	struct buf path = { NULL, 0, 0 };

	buf_fmt(&path, "%s/log.%ld", l->target->dir.v, (long)getpid());
	unlink(path.v);
	if (mkfifo(path.v, 0600) == 0) {
		l->log = open(path.v, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		l->err = open(path.v, O_RDWR | O_CLOEXEC);
		unlink(path.v);
	}
	free(path.v);
	return l->log != -1 && l->err != -1 && l->err < FD_SETSIZE;
}

/* Begins to listen for questions. */
static int
ask_listen(struct login *l)
{
	struct sockaddr_un sun;

	buf_fmt(&l->path, "%s/ask.%ld", l->target->dir.v, (long)getpid());
	if (!random_word(l->word) ||
	    (l->listen = unix_socket(&sun, l->path.v)) == -1)
		return 0;
	unlink(l->path.v);
	fcntl(l->listen, F_SETFL, O_NONBLOCK);
	return l->listen < FD_SETSIZE &&
	    bind(l->listen, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    listen(l->listen, 8) == 0;
}

/*
 * The environment of the master: wl's own, and where to ask.  If the shell has
 * found wl by PATH, so will ssh.
 */
static char **
login_env(struct login *l)
{
	const char *self = l->target->options->self;
	char *path = strchr(self, '/') != NULL ? realpath(self, NULL) : NULL;
	struct buf where = { NULL, 0, 0 }, program = where;
	size_t n, i, kept = 0;
	char **env;

	for (n = 0; environ[n] != NULL; n++)
		continue;
	if ((env = calloc(n + 4, sizeof(*env))) == NULL)
		out_of_memory();
	for (i = 0; i < n; i++)
		if (strncmp(environ[i], "SSH_ASKPASS=", 12) != 0)
			env[kept++] = environ[i];
	buf_fmt(&where, "%s=%s:%s", ASK_ENV, l->word, l->path.v);
	buf_fmt(&program, "SSH_ASKPASS=%s", path != NULL ? path : self);
	env[kept++] = where.v;
	env[kept++] = program.v;
	env[kept++] = (char *)"SSH_ASKPASS_REQUIRE=force";
	return env;
}

/* Whether the user wants ssh to ask by itself, in the foreground. */
static int
ssh_asks(void)
{
	const char *require = getenv("SSH_ASKPASS_REQUIRE");

	return require != NULL && strcmp(require, "never") == 0;
}

/* Starts the master; 0 if it could not be listened to. */
static int
login_start(struct login *l, struct target *t)
{
	int own = getenv("SSH_ASKPASS_REQUIRE") != NULL, fds[3];
	struct args a = { NULL, 0, 0 };

	memset(l, 0, sizeof(*l));
	l->target = t;
	l->err = l->log = l->listen = l->asker = l->notice = -1;
	if (t->dir.len == 0)
		dir_find(&t->dir, 1);
	dir_sweep(&t->dir);
	if (t->dir.len == 0 || !login_pipe(l) || (!own && !ask_listen(l)))
		return 0;
	l->sorted = default_level(t) ||
	    strcmp(setting(t, "loglevel"), "ERROR") == 0;
	l->silent = 1;
	l->arrived = *setting(t, "proxyjump") == '\0';
	snprintf(l->stage, sizeof(l->stage), "%s%s", l->arrived ?
	    "looking up" : "via ", setting(t, "proxyjump"));
	buf_str(&l->unsorted, "");
	buf_str(&l->said, "");
	login_args(t, &a, default_level(t));
	fds[0] = fds[1] = null_fd();
	fds[2] = l->err;
	l->start = l->entered = now_ms();
	l->pid = spawn(&a, own ? environ : login_env(l), fds, 1);
	free(a.v);
	return 1;
}

static void
fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Lets go of what the login held; nothing of it stays behind. */
static void
login_end(struct login *l)
{
	fcntl(l->err, F_SETFL, O_NONBLOCK);	/* for the proxy, too */
	fd_close(&l->err);
	fd_close(&l->log);
	fd_close(&l->notice);
	fd_close(&l->asker);
	if (l->listen != -1)
		unlink(l->path.v);
	fd_close(&l->listen);
	free(l->path.v);
	free(l->unsorted.v);
	free(l->said.v);
}

/* Ends the master and all that it started, and its socket. */
static void
login_cancel(struct login *l)
{
	long long until = now_ms() + 2000;
	pid_t pid;

	kill(-l->pid, SIGTERM);
	kill(-l->pid, SIGCONT);
	while (!l->reaped && waitpid(l->pid, &l->status, WNOHANG) == 0) {
		tty_wait(-1, 20);
		if (now_ms() > until)
			kill(-l->pid, SIGKILL);
	}
	l->reaped = 1;
	if (!l->target->users && !master_alive(l->target->socket.v, &pid))
		unlink(l->target->socket.v);
}

/*
 * Hands the terminal over to whom it is for in the STATE.  A pager behind us,
 * say, that has taken it meanwhile keeps it.
 */
static void
login_enter(struct login *l, enum login_state state)
{
	long long now = now_ms();

	spinner_erase(l);
	if (l->state == LOGIN_SPINNING && state >= LOGIN_DONE && tty_taken())
		tty.mode = TTY_COOKED;
	else if (state == LOGIN_ASKING)
		tty_set(l->echo ? TTY_ASK : TTY_SECRET);
	else
		tty_set(state == LOGIN_SPINNING ? TTY_SPINNER :
		    state == LOGIN_LENT ? TTY_LENT : TTY_COOKED);
	tty_foreground(state == LOGIN_LENT ? l->pid : getpgrp());
	if (l->state != LOGIN_SPINNING)
		l->start += now - l->entered;
	l->entered = now;
	l->state = state;
}

/*
 * Questions, as they arrive at the wl that waits.  Only this master's are
 * put; the spinner is not in the way, and no answer stays in memory.
 */

/* How ssh asks whether it may trust a key: the answer is no secret. */
static const char *const confirmations[] = {
	"The authenticity of host '", "Please type 'yes'",
	"Are you sure you want to continue connecting (yes/no",
	"Accept updated hostkeys? (yes/no)",
};

/* Puts the question to the user, after what ssh has said before it. */
static void
ask_put(struct login *l)
{
	const char *text = l->request + ASK_WORD + 1;
	struct buf out = { NULL, 0, 0 };
	size_t i;

	l->echo = l->request[ASK_WORD] == 'c';
	put_lines(&out, text);
	if (l->echo)
		buf_str(&out, " (yes/no) ");
	for (i = 0; i < sizeof(confirmations) / sizeof(confirmations[0]); i++)
		if (strncmp(text, confirmations[i],
		    strlen(confirmations[i])) == 0)
			l->echo = 1;
	login_drain(l);
	login_enter(l, LOGIN_ASKING);
	tcflush(tty.fd, TCIFLUSH);	/* typed ahead, it is no answer */
	tty_write(&out);
	free(out.v);
}

/* There is no answer; no shell is to get what was typed of one. */
static void
ask_refuse(void)
{
	tcflush(tty.fd, TCIFLUSH);
	(void)write_all(tty.fd, "\n", 1);
}

/* Lets the client go, and the login go on. */
static void
ask_end(struct login *l)
{
	fd_close(&l->asker);
	if (l->state == LOGIN_ASKING)
		login_enter(l, LOGIN_SPINNING);
}

/* Reads the line that the user has typed, and sends it to ssh if it is one. */
static void
ask_answer(struct login *l)
{
	char answer[ANSWER_MAX];
	ssize_t n = read(tty.fd, answer, sizeof(answer));

	if (n <= 0)
		ask_refuse();
	else if (answer[n - 1] != '\n')
		tcflush(tty.fd, TCIFLUSH);
	if (n > 0 && !l->echo)
		(void)write_all(tty.fd, "\n", 1);
	if (n > 0 && (l->request[ASK_WORD] != 'c' ||
	    (n == 4 && strncasecmp(answer, "yes\n", 4) == 0)))
		(void)send(l->asker, answer, (size_t)n, MSG_NOSIGNAL);
	wipe(answer, sizeof(answer));
	ask_end(l);
}

/* Whether the client has gone: ssh has ended it. */
static int
client_gone(int client)
{
	char c;
	ssize_t n = recv(client, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN);
}

/*
 * Reads what the next client wants.  Returns 0 if it does not come in time or
 * is not from this master.
 */
static int
ask_read(struct login *l)
{
	static const struct timeval wait = { 0, ASK_MS * 1000L };
	ssize_t n;

	if ((l->asker = accept(l->listen, NULL, NULL)) == -1)
		return 0;
	fcntl(l->asker, F_SETFD, FD_CLOEXEC);
	fcntl(l->asker, F_SETFL, 0);
	setsockopt(l->asker, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	n = recv(l->asker, l->request, ASK_SIZE, MSG_WAITALL);
	return n == ASK_SIZE && l->request[ASK_SIZE - 1] == '\0' &&
	    memcmp(l->request, l->word, ASK_WORD) == 0 &&
	    l->asker < FD_SETSIZE;
}

/* Takes the next client: its question is put, its notice is shown. */
static void
ask_accept(struct login *l)
{
	if (!ask_read(l)) {
		if (l->asker == -1 && errno != EAGAIN)
			tty_wait(-1, SPIN_EVERY);	/* no descriptor? */
		ask_end(l);
	} else if (l->request[ASK_WORD] != 'n') {
		ask_put(l);
	} else {
		fd_close(&l->notice);
		l->notice = l->asker;
		l->asker = -1;
		snprintf(l->notice_text, sizeof(l->notice_text), "%s",
		    l->request + ASK_WORD + 1);
		if (!spins())
			warnx("%s", printable(l->notice_text));
	}
}

/* Looks after those who ask; TYPED, there is an answer on the terminal. */
static void
ask_step(struct login *l, int typed)
{
	if (l->notice != -1 && client_gone(l->notice))
		fd_close(&l->notice);
	if (typed) {
		ask_answer(l);
	} else if (l->state == LOGIN_ASKING) {
		if (client_gone(l->asker)) {
			ask_refuse();
			ask_end(l);
		}
	} else if (l->listen != -1) {
		ask_accept(l);
	}
}

/*
 * The wait.  Whatever ends it, a key, a signal, ssh or another wl, ends it
 * within a frame of the spinner.
 */

/* The login has ended, as STATE says; the user sees what ssh has said. */
static void
login_over(struct login *l, enum login_state state)
{
	if (l->state == LOGIN_ASKING)
		ask_refuse();
	login_drain(l);
	login_sort(l, 1);
	login_enter(l, state);
}

/* Ends the login, and wl, by the signal that was caught. */
static void
login_die(struct login *l, int signo)
{
	login_cancel(l);
	login_over(l, LOGIN_FAILED);
	login_say(l);
	login_end(l);
	die_of(signo);
}

/* Stops the master and WHO (see suspend) until that goes on. */
static void
login_suspend(struct login *l, pid_t who)
{
	enum login_state state = l->state;

	kill(-l->pid, SIGSTOP);
	login_enter(l, LOGIN_STOPPED);
	suspend(who);
	if (state == LOGIN_ASKING)
		ask_put(l);
	else
		login_enter(l, state);
	kill(-l->pid, SIGCONT);
}

/*
 * Looks at the master without waiting.  It is a job in the background, so that
 * it stops when it or its proxy wants the terminal, then that is lent to it:
 * the question is not for SSH_ASKPASS, or ssh is older than 8.4.  If ^Z stopped
 * it wl stops too.
 */
static void
login_reap(struct login *l)
{
	int status;

	if (waitpid(l->pid, &status, WNOHANG | WUNTRACED) != l->pid)
		return;
	if (!WIFSTOPPED(status)) {
		l->reaped = 1;
		l->status = status;
		login_over(l, status == 0 ? LOGIN_DONE : LOGIN_FAILED);
	} else if (WSTOPSIG(status) == SIGTTIN || WSTOPSIG(status) == SIGTTOU) {
		login_drain(l);
		login_enter(l, LOGIN_LENT);
		kill(-l->pid, SIGCONT);
	} else {
		login_suspend(l, 0);
	}
}

/*
 * Looks whether another wl's master was faster: then ours is of no use.  Ours
 * would be in our group, where it stays, though it may have ended, until it is
 * reaped.  Where the system does not tell whose it is, ours soon ends.
 */
static void
login_look(struct login *l)
{
	pid_t pid;

	if (l->state >= LOGIN_DONE || !master_alive(l->target->socket.v, &pid))
		return;
	if (l->listening == 0)
		l->listening = now_ms();
	if (pid != 0 ? getpgid(pid) != l->pid :
	    now_ms() - l->listening > LINGER_MS) {
		login_cancel(l);
		login_enter(l, LOGIN_DONE);	/* ours only could not listen */
	}
}

static void
watch(fd_set *set, int fd, int *max)
{
	if (fd != -1)
		FD_SET(fd, set);
	if (fd > *max)
		*max = fd;
}

/*
 * Waits for a descriptor, a signal or the next frame.  What cannot be written
 * yet keeps more from being read, and a question what is said after it.
 * Returns whether the user has typed an answer.
 */
static int
login_select(struct login *l)
{
	static const struct timespec frame = { 0, SPIN_EVERY * 1000000L };
	int asking = l->state == LOGIN_ASKING, max = -1, n;
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	if (l->said.len > 0)
		watch(&out, 2, &max);
	else if (!asking)
		watch(&in, l->log, &max);
	if (asking)
		watch(&in, tty.fd, &max);
	watch(&in, l->asker != -1 ? l->asker : l->listen, &max);
	n = pselect(max + 1, &in, &out, NULL, &frame, &tty.saved.mask);
	if (n > 0)
		tty_wait(-1, 0);	/* a signal may wait all the same */
	return n > 0 && asking && FD_ISSET(tty.fd, &in);
}

/* Waits until the master is there or has failed; whether it is there. */
static int
login_wait(struct login *l)
{
	int typed;

	login_enter(l, LOGIN_SPINNING);
	while (l->state < LOGIN_DONE || l->said.len > 0) {
		typed = login_select(l);
		if (caught == SIGTSTP)
			login_suspend(l, getpid());
		else if (caught != 0)
			login_die(l, caught);
		login_reap(l);
		login_look(l);
		if (l->state < LOGIN_DONE)
			ask_step(l, typed);
		if (l->said.len == 0 && (l->state == LOGIN_SPINNING ||
		    l->state == LOGIN_LENT))
			login_read(l);
		login_say(l);
		if (l->state == LOGIN_SPINNING)
			spinner_turn(l);
		else if (l->state == LOGIN_LENT)
			tty_uncover();
	}
	return l->state == LOGIN_DONE;
}

/* Reports, dim, how long it took. */
static void
report(struct login *l)
{
	long long ms = l->entered - l->start;
	struct buf out = { NULL, 0, 0 };

	line_end(l);
	buf_str(&out, "\033[2m");
	put_text(&out, l->target->name, tty.cols, NULL);
	buf_fmt(&out, ": connected in %lld.%02lld s\033[m\n", ms / 1000,
	    ms % 1000 / 10);
	tty_write(&out);
	free(out.v);
}

/*
 * Logs in: starts the master and waits for it.  Returns 0 if that failed; if
 * it cannot even be tried, the session is to log in as ssh does.
 *
 * Over TCP the first session with an older sshd (9.2; not 10.0) waits 41 ms
 * and a round trip for its channel, as plain ssh does.  Until something is run
 * that sshd has Nagle's algorithm on, so its answer is held back until its
 * announcement of host keys is acknowledged; our system delays that, for ssh
 * has nothing to say meanwhile.  No option of ssh changes this, and a pause
 * before the session takes as long as it saves.
 */
static int
login(struct target *t)
{
	struct login l;
	int ok;

	if (!login_start(&l, t))
		return 1;
	ok = login_wait(&l);
	if (ok && l.frame > 0 && !t->options->quiet)
		report(&l);
	if (!ok)
		login_cancel(&l);
	login_end(&l);
	if (!ok && WIFSIGNALED(l.status))
		ended_by(WTERMSIG(l.status));
	else if (!ok && l.silent)
		warnx("%s: ssh failed and does not say why; see ssh -v %s",
		    printable(t->name), printable(t->name));
	return ok;
}

/*
 * From the choice to the session.
 */

/* -S: prints the socket's path.  -O: becomes ssh's command for the socket. */
static int
control(struct target *t, enum plan plan)
{
	struct args a = { NULL, 0, 0 };

	if (t->options->socket && plan == PLAN_PLAIN) {
		warnx("%s: no shared connection", printable(t->name));
		return 1;
	}
	if (t->options->socket) {
		puts(t->socket.v);
		return 0;
	}
	ssh_args(&a, t);
	attach_args(t, plan, &a);
	arg_add(&a, "-O");
	arg_add(&a, t->options->ctl);
	arg_host(&a, t->name);
	return become(&a);
}

/* Says where to connect, with what an inventory says of it. */
static void
target_set(struct target *t, const char *name)
{
	const struct host *host = host_find(t->hosts, name);
	const struct given *g;
	size_t i;

	t->name = name;
	for (i = 0; i < 3; i++)
		t->given[i].len = 0;
	if (host == NULL || (g = host_given(t->hosts, host)) == NULL)
		return;
	if (g->hostname != NULL)
		buf_fmt(&t->given[0], "HostName=%s", g->hostname);
	if (g->user != NULL)
		buf_fmt(&t->given[1], "User=%s", g->user);
	if (g->port != NULL)
		buf_fmt(&t->given[2], "Port=%s", g->port);
}

/* -e: becomes the editor of the host's entry. */
static int
edit_host(struct target *t, const char *name)
{
	const struct host *host = host_find(t->hosts, name);
	struct args a = { NULL, 0, 0 };

	if (host == NULL || !editor_args(&a, t->hosts, host)) {
		warnx("%s: not in a file", printable(name));
		return 1;
	}
	return become(&a);
}

/*
 * Becomes the host's session.  Returns only if that failed, with the status
 * to end with.  With -n the commands are printed instead, with -S the
 * socket's path, with -O ssh's own command for it is executed.
 */
static int
connect_host(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	const struct options *o = t->options;
	int terminal = tty_open() && tcgetpgrp(tty.fd) == getpgrp();
	enum plan plan;

	signals_catch();
	if (o->inventory != NULL && strcmp(o->inventory, "-") == 0 && terminal)
		dup2(tty.fd, 0);	/* it held the inventory */
	if (settings_read(t) != 0)
		return 255;
	plan = target_plan(t, terminal && !ssh_asks());
	if (o->socket || o->ctl != NULL)
		return control(t, plan);
	if (!o->dry)
		recent_write(t->name, 0);
	if (plan == PLAN_MASTER && o->dry) {
		login_args(t, &a, default_level(t));
		print_args(&a);
	} else if (plan == PLAN_MASTER && !login(t)) {
		return 255;
	}
	session_args(t, plan, &a);
	if (o->dry) {
		print_args(&a);
		return 0;
	}
	return become(&a);
}

/*
 * The program.
 */

/* Ends with STATUS, unless what was to be printed could not be. */
static int
finish(int status)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		err(2, "standard output");
	return status;
}

static void
usage(FILE *to)
{
	fprintf(to, "usage: wl [-q] [-F file] [-i file] [-o option]... "
	    "[query [command ...]]\n"
	    "       wl -l [-v] [-F file] [-i file] [query]\n"
	    "       wl -p [-F file] [-i file] [query]\n"
	    "       wl -e | -n | -S [-F file] [-i file] [-o option]... "
	    "query [command ...]\n"
	    "       wl -O ctl_cmd [-F file] [-i file] [-o option]... query\n"
	    "       wl -h | -V\n");
	exit(to == stdout ? finish(0) : 2);
}

/*
 * Appends a text of the list and END.  A terminal gets what may be shown of
 * it, a pipe all but the control characters, which in UTF-8 can be two bytes.
 */
static void
list_text(struct buf *out, const char *s, int terminal, char end)
{
	int c1;

	if (terminal)
		put_text(out, s, INT_MAX / 2, NULL);
	for (; !terminal && *s != '\0'; s += 1 + c1) {
		c1 = (unsigned char)*s == 0xc2 && (s[1] & 0xe0) == 0x80;
		buf_add(out, c1 || is_control(*s) ? "?" : s, 1);
	}
	buf_add(out, &end, 1);
}

/* Appends a name; a pipe gets it as it is. */
static void
list_name(struct buf *out, const char *name, int terminal)
{
	if (terminal) {
		list_text(out, name, terminal, '\n');
	} else {
		buf_str(out, name);
		buf_str(out, "\n");
	}
}

/* The columns of -v: address, jump hosts, place, note. */
static void
list_details(struct buf *out, struct hosts *h, const struct host *host,
    int terminal)
{
	struct values *v = host_values(h, host);
	const char *path;
	uint32_t line;

	list_text(out, value_user(h->config, v), terminal, '@');
	list_text(out, v->name.v, terminal, ':');
	list_text(out, value_port(v), terminal, '\t');
	list_text(out, value_jump(v), terminal, '\t');
	path = host_place(h, host, &line);
	list_text(out, path != NULL ? path : "-", terminal, ':');
	buf_fmt(out, "%lu\t", (unsigned long)line);
	list_text(out, host_note(h, host), terminal, '\n');
}

/* -l: prints the hosts that match the query, all without one. */
static int
list(struct ranking *r, const struct options *o)
{
	struct buf out = { NULL, 0, 0 };
	int terminal = isatty(1);
	struct host *host;
	size_t i;

	for (i = 0; i < r->len; i++) {
		host = ranking_get(r, i);
		if (o->verbose) {
			list_text(&out, host_name(r->hosts, host), terminal,
			    '\t');
			list_details(&out, r->hosts, host, terminal);
		} else {
			list_name(&out, host_name(r->hosts, host), terminal);
		}
		if (out.len >= WINDOW || i + 1 == r->len) {
			fwrite(out.v, 1, out.len, stdout);
			out.len = 0;
		}
	}
	free(out.v);
	return r->len == 0;
}

/* Where an option without an argument is kept. */
static int *
option_flag(struct options *o, int c)
{
	switch (c) {
	case 'S':
		return &o->socket;
	case 'e':
		return &o->edit;
	case 'l':
		return &o->list;
	case 'n':
		return &o->dry;
	case 'p':
		return &o->print;
	case 'q':
		return &o->quiet;
	default:
		return &o->verbose;
	}
}

/*
 * Reads the options; returns the index of the first operand.  The `+' is for
 * glibc, which else takes options from behind it: they are the command's.
 */
static int
options_read(struct options *o, int argc, char **argv)
{
	int c, mine;

	memset(o, 0, sizeof(*o));
	o->self = argv[0];
	while ((c = getopt(argc, argv, "+F:O:SVehi:lno:pqv")) != -1) {
		switch (c) {
		case 'F':
			o->file = optarg;
			break;
		case 'O':
			o->ctl = optarg;
			break;
		case 'V':
			puts("wl " VERSION);
			exit(finish(0));
		case 'h':
			usage(stdout);
			break;
		case 'i':
			o->inventory = optarg;
			break;
		case 'o':
			o->ssh = grow(o->ssh, &o->capssh, o->nssh + 1,
			    sizeof(*o->ssh));
			o->ssh[o->nssh++] = optarg;
			break;
		case '?':
			usage(stderr);
			break;
		default:
			*option_flag(o, c) = 1;
		}
	}
	mine = o->edit + o->dry + o->socket + (o->ctl != NULL);
	if (o->list + o->print + mine > 1 || (o->verbose && !o->list) ||
	    (mine && optind == argc))
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
		if (i > 0)
			p->query[p->len++] = ' ';
		memcpy(p->query + p->len, words[i], strlen(words[i]) + 1);
		p->len += strlen(words[i]);
	}
	p->cursor = p->len;
}

/*
 * What a query on the command line means without a prompt: a host, itself,
 * or NULL if that is to be asked.
 */
static const char *
resolve(struct prompt *p, const struct options *o)
{
	const struct hosts *h = p->rank.hosts;
	struct host *host = host_find(h, p->query);
	struct in_addr addr;

	if (host != NULL && host < h->v + h->len)
		return host_name(h, host);
	if (strpbrk(p->query, "@:/") != NULL ||
	    inet_pton(AF_INET, p->query, &addr) == 1)
		return p->query;
	ranking_update(&p->rank, p->query, NULL);
	if (p->rank.len == 0)
		return p->query;
	if (p->rank.len > 1)
		return NULL;
	host = ranking_get(&p->rank, 0);
	if (!o->print && !o->dry && !o->socket) {
		fprintf(stderr, "wl: %s: ", printable(p->query));
		fprintf(stderr, "%s\n", printable(host_name(h, host)));
	}
	return host_name(h, host);
}

/* Lets the user choose; NULL if nothing was chosen. */
static const char *
choose(struct prompt *p)
{
	struct host *host = NULL;
	enum choice choice;

	tty_own(0);
	choice = tty_draws() ? prompt_run(p, &host) : plain_run(p, &host);
	if (choice == CHOSE_HOST)
		return host_name(p->rank.hosts, host);
	return choice == CHOSE_QUERY ? p->query : NULL;
}

/* There is no terminal to choose on: says what there is to choose from. */
static int
no_choice(struct prompt *p)
{
	size_t i;

	if (p->len == 0) {
		warnx("no terminal to choose on; see wl -l");
		return 1;
	}
	for (i = 0; i < p->rank.len; i++)
		fprintf(stderr, "%s\n",
		    printable(host_name(p->rank.hosts,
		    ranking_get(&p->rank, i))));
	warnx("%s: matches %zu hosts", printable(p->query), p->rank.len);
	return 1;
}

/*
 * Prepares the prompt for another choice after NAME, now the one used last,
 * which stays selected.
 */
static void
choose_again(struct prompt *p, const char *name)
{
	struct hosts *h = p->rank.hosts;
	size_t i, sel = p->sel;

	candidates_make(h, recent_read(h));
	p->prepared = 0;
	p->rank.valid = 0;
	ranking_update(&p->rank, p->query, NULL);
	for (i = 0; i <= sel && i < p->rank.len; i++)
		if (host_name(h, ranking_get(&p->rank, i)) == name)
			p->sel = i;
}

/*
 * Chooses and connects.  A failure brings back a prompt that was there
 * before, with its query.
 */
static int
run(struct prompt *p, struct target *t)
{
	struct buf line = { NULL, 0, 0 };
	const char *name = NULL;
	int asked = 0, status;

	if (p->len > 0)
		name = resolve(p, t->options);
	for (;;) {
		if (name == NULL) {
			if (!tty_open())
				return no_choice(p);
			asked = 1;
			name = choose(p);
		}
		if (name == NULL)
			return 130;
		if (t->options->print) {
			list_name(&line, name, isatty(1));
			fputs(line.v, stdout);
			return 0;
		}
		if (t->options->edit)
			return edit_host(t, name);
		target_set(t, name);
		status = connect_host(t);
		if (!asked || status != 255 || t->options->dry)
			return status;
		choose_again(p, name);
		name = NULL;
	}
}

int
main(int argc, char **argv)
{
	static struct hosts hosts;
	static struct prompt prompt;
	static struct options options;
	static struct target target;
	int first, joined, fd;

	/*
	 * What is opened must not become a standard descriptor.  One that was
	 * closed cannot be written to, and is closed for what wl becomes.
	 */
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1 && fd <= 2)
		continue;
	close(fd);
	if (is_askpass(argc, argv))
		return askpass(getenv(ASK_ENV), argv[1]);
	setlocale(LC_CTYPE, "");
	first = options_read(&options, argc, argv);
	hosts_read(&hosts, &options);
	prompt.options = &options;
	prompt.rank.hosts = &hosts;
	joined = options.list || options.print;
	if (first < argc)
		query_join(&prompt, argv + first, joined ? argc - first : 1);
	if (options.list) {
		ranking_update(&prompt.rank, prompt.query, NULL);
		return finish(list(&prompt.rank, &options));
	}
	target.options = &options;
	target.hosts = &hosts;
	target.command = first < argc ? argv + first + 1 : NULL;
	return finish(run(&prompt, &target));
}
