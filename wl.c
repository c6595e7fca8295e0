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

#include <sys/file.h>
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
#define DIGITS		"0123456789"
#define FNV_START	14695981039346656037U

enum {
	INCLUDE_DEPTH = 16,	/* as READCONF_MAX_DEPTH in ssh */
	FILES_MAX = 65535,	/* files read in all */
	READ_MAX = 1 << 28,	/* bytes read in all */
	KEYWORD_MAX = 32,	/* the longest keyword has 31 letters */
	HOSTNAME_MAX = 1 << 16,	/* bytes from which on no %h is expanded */
	ADDR_MAX = 1024,	/* bytes of an address that are kept */
	MATCH_MAX = 255,	/* bytes of a text that are matched */
	LIST_CHUNK = 1 << 16,	/* bytes of a list that are printed at once */
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

/*
 * Reads all of FD, or more than MAX bytes of it, behind what B holds.  Returns
 * -1 and errno when that fails.
 */
static int
read_whole(int fd, struct buf *b, size_t max)
{
	ssize_t n;

	do {
		b->v = grow(b->v, &b->cap, b->len + 2, 1);
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
 * unless NULL, marks the bytes of S below MATCH_MAX that are to be underlined.
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
		mark = hit != NULL && i < MATCH_MAX && hit[i];
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
 * strdelim and argv_split).  All is cut in place: no word is longer than what
 * it was written as.
 */

/* Appends LEN bytes in lower case to a key of N; returns its length. */
static size_t
key_add(char key[KEYWORD_MAX], size_t n, const char *s, size_t len)
{
	for (; len > 0 && n + 1 < KEYWORD_MAX; len--)
		key[n++] = (char)lower(*s++);
	key[n] = '\0';
	return n;
}

/*
 * Takes a token as strdelim() does: it ends at a blank or '=', or at the
 * quote that closes one begun in it.  It is put into KEY in lower case, cut
 * to its size.  Returns what follows, or NULL if a quote stays open.
 */
static char *
token(char *p, char key[KEYWORD_MAX])
{
	size_t len = strcspn(p, BLANKS "\"="), n;
	int equals;

	n = key_add(key, 0, p, len);
	p += len;
	if (*p == '"') {
		len = strcspn(++p, "\"");
		key_add(key, n, p, len);
		return p[len] == '"' ? skip_blanks(p + len + 1) : NULL;
	}
	if (*p == '\0')
		return p;
	equals = *p == '=';
	p = skip_blanks(p + 1);
	return !equals && *p == '=' ? skip_blanks(p + 1) : p;
}

/*
 * Takes a line apart: its keyword goes to KEY and its argument is returned,
 * NULL if ssh would ignore or refuse the line.  The blanks at its end go.
 */
static char *
keyword(char *line, char key[KEYWORD_MAX])
{
	size_t n = strlen(line);
	char *p;

	while (n > 1 && (is_blank(line[n - 1]) || line[n - 1] == '\f'))
		line[--n] = '\0';
	if ((p = token(line, key)) != NULL && key[0] == '\0')
		p = token(p, key);
	if (p == NULL || key[0] == '\0' || key[0] == '#')
		return NULL;
	p = skip_blanks(p);
	return *p != '\0' ? p : NULL;
}

/*
 * Takes the next word of an argument as argv_split() does.  Returns 1 and the
 * word in *WORD, 0 at the end of the line or at a comment (*P is then there),
 * -1 if a quote stays open.
 */
static int
next_word(char **p, char **word)
{
	char *s = *p + strspn(*p, " \t"), *out, quote = '\0';

	*p = *word = s;
	if (*s == '\0' || *s == '#')
		return 0;
	out = s += strcspn(s, " \t\\'\"");
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
 * dot as systemd's `.host' is.
 */
static int
typable(const char *name)
{
	const char *p;

	if (*name == '-' || strncmp(name, "ssh://", 6) == 0 ||
	    strpbrk(name, " \"$&'(),;<>@\\`{|}") != NULL)
		return 0;
	for (p = name; *p != '\0'; p++) {
		if (is_control(*p))
			return 0;
		if (*p == '.' && (p == name || p[-1] == '/') &&
		    strcspn(p, "/") > strspn(p, "."))
			return 0;
	}
	return 1;
}

/* Whether ssh takes the name, before which a user may stand. */
static int
is_destination(const char *name)
{
	const char *at = strrchr(name, '@');
	char *user;
	int ok;

	if (at == NULL)
		return *name != '\0' && typable(name);
	user = xstrdup(name);
	user[at - name] = '\0';
	ok = *user != '\0' && typable(user) && is_destination(at + 1);
	free(user);
	return ok;
}

/*
 * The configuration, in memory.  Files are read whole and kept; all text is
 * where it was read.  A Host or Match line opens a block, which governs the
 * lines up to the next one.  A block that was read through an Include applies
 * only where its scope does, the block that governs the Include; the lines of
 * an included file before its first block, and those that follow an Include,
 * are in a block like one of `Match all'.
 *
 * Blocks are numbered in reading order.  Those that may apply to a name are
 * found without a look at the others: the names that Host lines hold are in
 * an index, and `asked' lists the blocks that every name must be tried on.
 */

enum value { V_HOSTNAME, V_USER, V_PORT, V_JUMP, V_COMMAND, V_CANONICAL,
    V_COUNT };

struct block {
	const char *set[V_COUNT];	/* what it sets, NULL: nothing */
	const char *note;	/* what the comment above it says, or NULL */
	size_t words;		/* its list begins there in config.words */
	uint32_t scope;
	uint32_t file, line;	/* where it stands */
	uint32_t active;	/* the last pass in which it applied */
	int is_match;		/* the list has criteria, else wildcards */
	int always;		/* it applies to every name */
	int includes;		/* there is an Include in it */
};

enum {
	WORDS_ALL = 0,		/* the list of `Match all' */
	WORDS_NONE = 2,		/* an empty one */
};

/* A name as a Host line or an inventory holds it. */
struct literal {
	const char *name;
	uint32_t hash;		/* of the name */
	uint32_t block;
	int negated;		/* the block excludes the name */
	uint32_t given;		/* the inventory's entry, 0: none */
	struct literal *first, *next;	/* the same name, in reading order */
	/* of the name, in its first literal: */
	uint32_t listed;	/* the block that lists it, see listing_block */
	uint32_t host;		/* its place in the list, from 1 on */
};

struct file {
	char *path;
	struct stat st;
};

struct config {
	struct file *files;
	struct block *blocks;
	const char **words;	/* lists that end in NULL */
	struct literal *literals;
	struct literal **names;	/* the first of each name, by hash and name */
	uint32_t *asked;	/* blocks whose list may match any name */
	size_t nfiles, nblocks, nwords, nliterals, nnames, nasked;
	size_t capfiles, capblocks, capwords, capliterals, capasked;
	size_t read;		/* bytes read so far */
	uint32_t pass;
	int final;		/* a `Match final' asks for a second pass */
	int by_session;		/* a Match line asks for what is run */
	int full;		/* nothing more is read */
	const char *local_user;
};

/* Adds a word to the list that is being made or, with NULL, ends it. */
static void
word_add(struct config *c, const char *word)
{
	c->words = grow(c->words, &c->capwords, c->nwords + 1,
	    sizeof(*c->words));
	c->words[c->nwords++] = word;
}

static struct literal *
literal_add(struct config *c, const char *name, uint32_t block, int negated)
{
	struct literal *l;

	c->literals = append(c->literals, &c->nliterals, &c->capliterals,
	    sizeof(*c->literals));
	l = &c->literals[c->nliterals - 1];
	l->name = name;
	l->hash = (uint32_t)fnv(FNV_START, name, strlen(name));
	l->block = block;
	l->negated = negated;
	return l;
}

/* Numbers first: they are compared faster than names. */
static int
name_cmp(const void *a, const void *b)
{
	const struct literal *x = *(struct literal *const *)a;
	const struct literal *y = *(struct literal *const *)b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
literal_cmp(const void *a, const void *b)
{
	const struct literal *x = *(struct literal *const *)a;
	const struct literal *y = *(struct literal *const *)b;
	int r = name_cmp(a, b);

	return r != 0 ? r : (x > y) - (x < y);
}

/*
 * Builds the index of names, once all literals are there.  It is sorted, not
 * hashed, so that nobody can make names that take long.
 */
static void
names_index(struct config *c)
{
	struct literal *l, *last = NULL;
	size_t i, cap = 0;

	c->names = grow(NULL, &cap, c->nliterals + 1, sizeof(*c->names));
	for (i = 0; i < c->nliterals; i++)
		c->names[i] = &c->literals[i];
	qsort(c->names, c->nliterals, sizeof(*c->names), literal_cmp);
	for (i = 0; i < c->nliterals; i++) {
		l = c->names[i];
		l->first = l;
		if (last != NULL && name_cmp(&l, &last) == 0) {
			l->first = last->first;
			last->next = l;
		} else {
			c->names[c->nnames++] = l;
		}
		last = l;
	}
}

/* The name's first literal, NULL if it has none. */
static struct literal *
name_find(const struct config *c, const char *name)
{
	struct literal key, *k = &key, **found;

	key.name = name;
	key.hash = (uint32_t)fnv(FNV_START, name, strlen(name));
	found = bsearch(&k, c->names, c->nnames, sizeof(*c->names), name_cmp);
	return found != NULL ? *found : NULL;
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
	uint32_t file, line;
	char *note;		/* the comment above, or NULL */
	char *note_end;
	int depth;
	int system;		/* below /etc/ssh/ssh_config */
};

/* Adds a block that applies wherever its scope does. */
static uint32_t
block_add(struct reader *r, uint32_t scope)
{
	struct config *c = r->c;
	struct block *b;

	c->blocks = append(c->blocks, &c->nblocks, &c->capblocks,
	    sizeof(*c->blocks));
	b = &c->blocks[c->nblocks - 1];
	b->scope = scope;
	b->words = WORDS_ALL;
	b->is_match = 1;
	b->always = c->blocks[scope].always;
	b->file = r->file;
	b->line = r->line;
	return (uint32_t)(c->nblocks - 1);
}

/* Whether a comment is a line that people draw to part what follows. */
static int
is_ruler(const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("-=#*_~+/", *s) != NULL && s[0] == s[1] &&
		    s[0] == s[2])
			return 1;
	return 0;
}

/* Whether a comment is a line of an entry that was put aside. */
static int
is_put_aside(const char *s)
{
	static const char *const keys[] = { "host", "match", "hostname", "user",
	    "port", "include", "identityfile", "proxyjump", "proxycommand" };
	size_t i, n = strcspn(s, BLANKS "=");
	const char *arg = s + n + strspn(s + n, BLANKS "=");

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (n == strlen(keys[i]) && strncasecmp(s, keys[i], n) == 0)
			return *arg != '\0' && (i < 2 ||
			    arg[strcspn(arg, BLANKS)] == '\0');
	return 0;
}

/*
 * Takes a comment into the note of the Host line that may follow.  Several
 * lines are joined where the first one stands.
 */
static void
note_add(struct reader *r, char *comment)
{
	size_t n;
	char *tab;

	comment += strspn(comment, "# \t");
	for (n = strlen(comment); n > 0 && is_blank(comment[n - 1]); n--)
		continue;
	comment[n] = '\0';
	for (tab = comment; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	if (r->note == NULL || is_put_aside(comment))
		r->note_end = r->note = r->note != NULL ? r->note : comment;
	if (is_ruler(comment) || is_put_aside(comment))
		n = 0;
	if (n > 0 && r->note_end > r->note)
		*r->note_end++ = ' ';
	memmove(r->note_end, comment, n);
	r->note_end += n;
	*r->note_end = '\0';
}

/* A Host line.  Its note is a comment at its end, else the one above it. */
static void
read_host(struct reader *r, char *p)
{
	struct config *c = r->c;
	uint32_t b = block_add(r, r->scope);
	size_t words = c->nwords, literals = c->nliterals;
	int status, negated, negative = 0, all = 0;
	char *w;

	while ((status = next_word(&p, &w)) == 1 && *w != '\0') {
		negated = *w == '!';
		negative |= negated;
		all |= w[strspn(w, "*")] == '\0';
		if (strpbrk(w, "*?") != NULL)
			word_add(c, w);
		else if (w[negated] != '\0')
			literal_add(c, w + negated, b, negated);
	}
	if (*p == '#') {
		r->note = NULL;
		note_add(r, p);
	}
	if (status != 0) {	/* ssh refuses an empty word or an open quote */
		c->nwords = words;
		c->nliterals = literals;
	}
	r->governor = r->open = b;
	c->blocks[b].is_match = 0;
	c->blocks[b].always &= status == 0 && all && !negative;
	c->blocks[b].words = c->nwords > words ? words : WORDS_NONE;
	c->blocks[b].note = r->note;
	if (c->nwords > words)
		word_add(c, NULL);
}

/* Whether a criterion of a Match line has an argument. */
static int
takes_argument(const char *w)
{
	w += *w == '!';
	return strcasecmp(w, "all") != 0 && strcasecmp(w, "final") != 0 &&
	    strcasecmp(w, "canonical") != 0;
}

/* The argument of a criterion, which may follow a `='; "" if it lacks. */
static int
next_argument(char **p, char *criterion, char **arg)
{
	int status = 1;

	*arg = criterion + strcspn(criterion, "=");
	if (**arg == '=')
		*(*arg)++ = '\0';
	if (**arg == '\0')
		status = next_word(p, arg);
	if (**arg == '=' && *++*arg == '\0')
		status = next_word(p, arg);
	if (status == 0)
		*arg = criterion + strlen(criterion);
	return status;
}

/* A Match line: a list of criteria, each followed by its argument or "". */
static void
read_match(struct reader *r, char *p)
{
	struct config *c = r->c;
	uint32_t b = block_add(r, r->scope);
	size_t words = c->nwords;
	char *w, *arg;
	int status;

	while ((status = next_word(&p, &w)) == 1 && *w != '#') {
		arg = w + strlen(w);
		if (takes_argument(w) && next_argument(&p, w, &arg) == -1)
			status = -1;
		c->final |= strcasecmp(w + (*w == '!'), "final") == 0;
		c->by_session |=
		    strcasecmp(w + (*w == '!'), "sessiontype") == 0 ||
		    strcasecmp(w + (*w == '!'), "command") == 0;
		word_add(c, w);
		word_add(c, arg);
		if (status == -1)
			break;
	}
	if (status == -1)
		c->nwords = words;
	r->governor = r->open = b;
	c->blocks[b].always &= c->nwords == words + 2 &&
	    strcasecmp(c->words[words], "all") == 0;
	c->blocks[b].words = words;
	word_add(c, NULL);
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
read_include(struct reader *r, char *p)
{
	struct buf path = { NULL, 0, 0 };
	glob_t g;
	char *w;
	size_t i;

	r->c->blocks[r->governor].includes = 1;
	r->open = 0;
	while (next_word(&p, &w) == 1 && *w != '\0') {
		if (r->system && *w == '~')
			continue;
		path.len = 0;
		if (*w != '/' && *w != '~') {
			buf_str(&path, r->system ? "/etc" : home_dir());
			buf_str(&path, r->system ? "/ssh/" : "/.ssh/");
		} else if (w[0] == '~' && w[1] == '/') {
			buf_str(&path, home_dir());
			w++;
		}
		buf_str(&path, w);
		if (glob(path.v, GLOB_TILDE, NULL, &g) == 0) {
			for (i = 0; i < g.gl_pathc; i++)
				read_file(r->c, g.gl_pathv[i], r->governor,
				    r->depth + 1, r->system);
			globfree(&g);
		}
	}
	free(path.v);
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

/* The port as ssh prints it, NULL if it would refuse it; it stays. */
static const char *
port_text(const char *s)
{
	char text[8];
	int port = port_number(s);

	if (port == 0)
		return NULL;
	if (*s != '0' && s[strspn(s, "0123456789")] == '\0')
		return s;
	snprintf(text, sizeof(text), "%d", port);
	return xstrdup(text);
}

/*
 * What a line sets: of ProxyCommand and ProxyJump it is the rest of the line
 * (ProxyJump's up to a `#' or, before OpenSSH 10.1, a blank; parse_jump), ""
 * for no jump; else one word.  NULL if ssh would refuse it.
 */
static const char *
line_value(enum value k, char *p)
{
	char *w, *more;

	if (k == V_JUMP || k == V_COMMAND) {
		p += strspn(p, BLANKS "=");
		if (strcasecmp(p, "none") == 0)
			return k == V_JUMP ? "" : "none";
		if (k == V_JUMP)
			p[strcspn(p, "# \t\r\f\v")] = '\0';
		return *p != '\0' ? p : NULL;
	}
	if (next_word(&p, &w) != 1 || *w == '\0' || next_word(&p, &more) != 0)
		return NULL;
	return k == V_PORT ? port_text(w) : w;
}

/*
 * Sets a value if it is the first.  Of ProxyJump and ProxyCommand the first
 * excludes the other, but `ProxyJump none' no command.
 */
static void
value_set(const char *set[V_COUNT], enum value k, const char *s)
{
	if (set[k] != NULL || (k == V_JUMP && set[V_COMMAND] != NULL) ||
	    (k == V_COMMAND && set[V_JUMP] != NULL && *set[V_JUMP] != '\0'))
		return;
	set[k] = s;
}

/* Takes what the line P of keyword KEY sets into the block it is in. */
static void
read_value(struct reader *r, const char *key, char *p)
{
	static const char *const keys[V_COUNT] = { "hostname", "user", "port",
	    "proxyjump", "proxycommand", "canonicalizehostname" };
	int k;

	for (k = 0; k < V_COUNT && strcmp(key, keys[k]) != 0; k++)
		continue;
	if (k == V_COUNT)
		return;
	if (r->open == 0)
		r->open = block_add(r, r->governor);
	value_set(r->c->blocks[r->open].set, (enum value)k,
	    line_value((enum value)k, p));
}

static void
read_line(struct reader *r, char *line)
{
	char key[KEYWORD_MAX], *p = skip_blanks(line);

	if (*p == '#') {
		note_add(r, p);
		return;
	}
	if (*p != '\0' && (p = keyword(line, key)) != NULL) {
		if (strcmp(key, "host") == 0)
			read_host(r, p);
		else if (strcmp(key, "match") == 0)
			read_match(r, p);
		else if (strcmp(key, "include") == 0)
			read_include(r, p);
		else
			read_value(r, key, p);
	}
	r->note = NULL;
}

/* Reads the whole of a file, as far as READ_MAX allows; it is kept. */
static void
read_lines(struct reader *r, int fd, size_t size)
{
	struct config *c = r->c;
	struct buf text = { NULL, 0, 0 };
	char *p, *next;

	text.v = grow(NULL, &text.cap, size + 2, 1);
	(void)read_whole(fd, &text, READ_MAX - c->read);
	if (text.len > READ_MAX - c->read) {
		warnx("more than %d MB of configuration", READ_MAX >> 20);
		c->full = 1;
	}
	c->read += text.len;
	for (p = text.v; p < text.v + text.len; p = next) {
		next = cut_line(p, text.v + text.len);
		r->line++;
		read_line(r, p);
	}
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
	struct reader r;
	struct file *f;
	struct stat st;
	int fd;

	if (c->nfiles == FILES_MAX && !c->full)
		warnx("more than %d configuration files", FILES_MAX);
	if (depth > INCLUDE_DEPTH || c->nfiles == FILES_MAX)
		c->full = 1;
	if (c->full)
		return 0;
	if ((fd = config_open(path, &st)) == -1)
		return -1;
	memset(&r, 0, sizeof(r));
	r.c = c;
	r.scope = r.governor = scope;
	r.depth = depth;
	r.system = system;
	r.file = (uint32_t)c->nfiles;
	c->files = append(c->files, &c->nfiles, &c->capfiles,
	    sizeof(*c->files));
	f = &c->files[r.file];
	f->path = xstrdup(path);
	f->st = st;
	if (S_ISREG(st.st_mode))
		read_lines(&r, fd, st.st_size > READ_MAX ? 0 :
		    (size_t)st.st_size);
	close(fd);
	return 0;
}

/* Finds the blocks that every name must be tried on. */
static void
asked_find(struct config *c)
{
	const struct block *b;
	uint32_t i;
	int k;

	for (i = 1; i < c->nblocks; i++) {
		b = &c->blocks[i];
		for (k = 0; k < V_COUNT && b->set[k] == NULL; k++)
			continue;
		if ((k == V_COUNT && !b->includes) || b->words == WORDS_NONE)
			continue;
		c->asked = grow(c->asked, &c->capasked, c->nasked + 1,
		    sizeof(*c->asked));
		c->asked[c->nasked++] = i;
	}
}

/*
 * Reads the configuration: FILE, or as ssh does the user's file, found
 * through passwd, and then the system's.  A FILE that cannot be read ends wl.
 */
static void
config_read(struct config *c, const char *file)
{
	struct passwd *pw;
	struct reader r;
	struct buf path = { NULL, 0, 0 };
	struct stat st;

	memset(&r, 0, sizeof(r));
	r.c = c;
	word_add(c, "all");	/* WORDS_ALL */
	word_add(c, "");
	word_add(c, NULL);	/* WORDS_NONE */
	c->blocks = append(NULL, &c->nblocks, &c->capblocks,
	    sizeof(*c->blocks));
	c->blocks[0].always = 1;
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
	free(path.v);
	asked_find(c);
}

/*
 * What the configuration says of one name: the values `ssh -G NAME' would
 * print.  Every block that may apply is visited in reading order and asked
 * whether it does; the first value of each keyword stays.  Nothing is run:
 * `Match exec', and what else depends on more than the files, is false.
 */

struct values {
	const char *set[V_COUNT];
	struct buf name;	/* the final host name */
	struct buf user;	/* that stands before the name typed */
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
	int final;		/* the second pass */
};

/*
 * Puts HostName with its %h, or the name as typed without one, into OUT.  What
 * has grown longer than any name grows no more.
 */
static void
put_hostname(struct buf *out, const struct values *v, const char *typed)
{
	const char *s = v->set[V_HOSTNAME];

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
 * Puts the host that ssh would connect to into v->name.  It is in lower case,
 * but for what ssh takes for an address (is_addr_fast), which stays as it is.
 */
static void
final_name(struct values *v, const char *typed)
{
	char *s;

	put_hostname(&v->name, v, typed);
	if (strpbrk(v->name.v, ":%") == NULL)
		for (s = v->name.v; *s != '\0'; s++)
			*s = (char)lower(*s);
}

/*
 * One criterion of a Match line (match_cfg_line).  Returns -1 for one that is
 * not decided here.
 */
static int
criterion(struct pass *p, const char *name, const char *arg)
{
	const char *user = p->v->set[V_USER];

	if (strcasecmp(name, "all") == 0)
		return 1;
	if (!takes_argument(name))
		return p->final;
	if (*arg == '\0')
		return -1;
	if (strcasecmp(name, "originalhost") == 0)
		return list_match(p->typed, arg, 1);
	if (strcasecmp(name, "host") == 0) {
		if (p->final)
			return list_match(p->host, arg, 1);
		put_hostname(&p->v->scratch, p->v, p->typed);
		return list_match(p->v->scratch.v, arg, 1);
	}
	if (strcasecmp(name, "user") == 0)
		return list_match(user != NULL ? user : p->c->local_user, arg,
		    0);
	if (strcasecmp(name, "localuser") == 0)
		return list_match(p->c->local_user, arg, 0);
	return -1;
}

/* Whether there are criteria and all of them hold. */
static int
criteria(struct pass *p, const char *const *w)
{
	int negated, r, n;

	for (n = 0; *w != NULL; w += 2, n++) {
		negated = **w == '!';
		r = criterion(p, *w + negated, w[1]);
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

/*
 * Takes the values of block B if it applies.  LITERAL and NEGATED say whether
 * its Host line holds the name as it is, and excludes it.
 */
static void
visit(struct pass *p, uint32_t b, int literal, int negated)
{
	struct config *c = p->c;
	struct block *block = &c->blocks[b];
	const char *const *words = c->words + block->words;
	int k, r;

	if (c->blocks[block->scope].active != c->pass || negated)
		return;
	if (block->is_match)
		r = criteria(p, words);
	else if ((r = wildcards(words, p->host)) == 0)
		r = literal;
	if (r <= 0)
		return;
	block->active = c->pass;
	if (literal && (p->v->listed == 0 || p->v->listed > b) &&
	    strcmp(p->host, p->typed) == 0)
		p->v->listed = b;
	for (k = 0; k < V_COUNT; k++)
		value_set(p->v->set, (enum value)k, block->set[k]);
}

/*
 * Visits the blocks that may apply in reading order: those that are asked of
 * every name, and those that hold it.
 */
static void
read_pass(struct config *c, struct values *v, const char *typed,
    const char *host, int final)
{
	struct pass p = { c, v, typed, host, final };
	const struct literal *l = name_find(c, host);
	uint32_t b;
	size_t i = 0;
	int literal, negated;

	c->blocks[0].active = ++c->pass;
	while (i < c->nasked || l != NULL) {
		b = i < c->nasked ? c->asked[i] : UINT32_MAX;
		if (l != NULL && l->block < b)
			b = l->block;
		literal = negated = 0;
		for (; l != NULL && l->block == b; l = l->next) {
			literal |= !l->negated;
			negated |= l->negated;
		}
		i += i < c->nasked && c->asked[i] == b;
		if (b != 0)
			visit(&p, b, literal, negated);
	}
}

/* What an inventory says of a host, each NULL if it does not. */
struct given {
	const char *hostname, *user, *port;
	const char *note;
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
	const char *at = strrchr(typed, '@'), *s;

	memset(v->set, 0, sizeof(v->set));
	v->listed = 0;
	if (at != NULL) {
		v->user.len = 0;
		buf_add(&v->user, typed, (size_t)(at - typed));
		v->set[V_USER] = v->user.v;
		typed = at + 1;
	}
	if (given != NULL) {
		value_set(v->set, V_HOSTNAME, given->hostname);
		value_set(v->set, V_USER, given->user);
		value_set(v->set, V_PORT, given->port);
	}
	read_pass(c, v, typed, typed, 0);
	final_name(v, typed);
	s = v->set[V_CANONICAL];
	if (c->final || (s != NULL && !is_no(s))) {
		v->set[V_HOSTNAME] = v->name.v;	/* no HostName changes it */
		read_pass(c, v, typed, v->name.v, 1);
	}
}

/* The values as one sees them in the list. */

static const char *
value_user(const struct config *c, const struct values *v)
{
	return v->set[V_USER] != NULL ? v->set[V_USER] : c->local_user;
}

static const char *
value_port(const struct values *v)
{
	return v->set[V_PORT] != NULL ? v->set[V_PORT] : "22";
}

/* The hosts to jump through, "" if there are none. */
static const char *
value_jump(const struct values *v)
{
	return v->set[V_JUMP] != NULL ? v->set[V_JUMP] : "";
}

/*
 * The list of hosts: the names for which a Host line applies when they are
 * typed, in the order of these lines.
 */

struct host {
	const char *name;
	const char *addr;	/* see host_details(), NULL until asked for */
	const char *note, *jump;	/* likewise, "" for none */
	const struct given *given;	/* by the inventory, or NULL */
	uint32_t block;		/* of its Host line, 0: none */
	size_t number;		/* its place in the list, 0: it was typed */
	size_t use;		/* the place of its last use, 0: none */
	time_t used;		/* when that was */
	int score;		/* for the query; see ranking_update() */
};

struct inventory {
	const char *name;	/* for messages */
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
	struct values values;	/* of the host looked at last */
};

/* Appends a host. */
static struct host *
host_add(struct hosts *h, const char *name)
{
	struct host *host;
	size_t n = h->len + h->typed;

	h->v = append(h->v, &n, &h->cap, sizeof(*h->v));
	host = &h->v[n - 1];
	host->name = name;
	return host;
}

/* Lists the name of a literal as a host. */
static struct host *
host_list(struct hosts *h, struct literal *l)
{
	struct host *host = host_add(h, l->name);

	host->number = l->first->host = (uint32_t)++h->len;
	host->block = l->block;
	return host;
}

/* The host of a name, NULL if there is none. */
static struct host *
host_find(const struct hosts *h, const char *name)
{
	const struct literal *l = name_find(h->config, name);
	size_t i;

	if (l != NULL && l->host != 0)
		return &h->v[l->host - 1];
	for (i = h->len; i < h->len + h->typed; i++)
		if (strcmp(h->v[i].name, name) == 0)
			return &h->v[i];
	return NULL;
}

enum { LISTED_NOWHERE = UINT32_MAX >> 1 };

/*
 * The number of the block that lists the name of L, its first literal that is
 * asked for.  It is that of L itself, unless the line excludes it or an
 * Include that led there is not for every name.
 */
static uint32_t
listing_block(struct config *c, struct values *v, const struct literal *l)
{
	const struct block *b = &c->blocks[l->block];

	if (!typable(l->name))
		return LISTED_NOWHERE;
	if (!l->negated && (l->next == NULL || l->next->block != l->block) &&
	    c->blocks[b->scope].always &&
	    wildcards(c->words + b->words, l->name) != -1)
		return l->block;
	evaluate(c, l->name, NULL, v);
	return v->listed != 0 ? v->listed : LISTED_NOWHERE;
}

/* Lists each name where the first Host line stands that applies to it. */
static void
hosts_list(struct hosts *h)
{
	struct config *c = h->config;
	struct literal *l;
	size_t i;

	for (i = 0; i < c->nliterals; i++) {
		l = &c->literals[i];
		if (l->first->host != 0)
			continue;
		if (h->inventory != NULL) {
			if (l->given != 0)
				host_list(h, l)->given =
				    &h->inventory->v[l->given];
			continue;
		}
		if (l->first->listed == 0)
			l->first->listed = listing_block(c, &h->values, l);
		if (l->first->listed == l->block)
			host_list(h, l);
	}
}

/* The note of a Host line, the inventory's, or "". */
static const char *
host_note(const struct hosts *h, const struct host *host)
{
	const char *note = host->given != NULL ? host->given->note :
	    h->config->blocks[host->block].note;

	return note != NULL ? note : "";
}

/* The file that a host is from and, in *LINE, the line; NULL for no file. */
static const char *
host_place(const struct hosts *h, const struct host *host, uint32_t *line)
{
	const struct block *b = &h->config->blocks[host->block];

	*line = host->given != NULL ? host->given->line : b->line;
	if (host->given != NULL)
		return h->inventory->path;
	return host->block != 0 ? h->config->files[b->file].path : NULL;
}

/* The values for a host; they are good until another host's are found. */
static struct values *
host_values(struct hosts *h, const struct host *host)
{
	evaluate(h->config, host->name, host->given, &h->values);
	return &h->values;
}

/* Appends where the host leads, less what its name tells or is as usual. */
static void
put_addr(struct buf *out, const struct hosts *h, const struct host *host)
{
	const struct values *v = &h->values;
	const char *at = strrchr(host->name, '@');
	const char *user = value_user(h->config, v), *port = value_port(v);
	int other = strcmp(v->name.v, at != NULL ? at + 1 : host->name) != 0;

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
	if (out->len > ADDR_MAX)
		out->v[ADDR_MAX] = '\0';
}

/*
 * Finds out what there is to say of a host besides its name: where it leads
 * as `user@hostname:port', its note, and the hosts it is reached through.
 */
static void
host_details(struct hosts *h, struct host *host)
{
	struct buf addr = { NULL, 0, 0 };

	if (host->addr != NULL)
		return;
	host_values(h, host);
	put_addr(&addr, h, host);
	host->addr = addr.v;
	host->note = host_note(h, host);
	host->jump = value_jump(&h->values);
}

/*
 * An inventory, with -i, takes the place of the configuration's hosts: one
 * host a line, the rest of the line its note; or Ansible's INI form, where
 * hosts and groups are in groups, and all of them may have variables.  What
 * the lines say of a name is collected first; then each host gets the
 * variables of all its lines and groups, the nearest first.  Its name is
 * still looked up in the configuration.
 */

enum {
	INVENTORY_MAX = 1000000,	/* entries, as ranges multiply */
	RANGES_MAX = 4,		/* in one name */
	GROUPS_DEEP = 32,	/* groups in groups */
	LETTERS = 1 << 30,	/* letters in ranges are numbers from there on */
	RANK_HOST = UINT32_MAX >> 1,	/* of a variable of the host itself */
};

/* Of two that say the same the one with ssh in its name wins (Ansible). */
static const char *const variables[] = { "ansible_host", "ansible_user",
    "ansible_port", "ansible_ssh_host", "ansible_ssh_user",
    "ansible_ssh_port" };
enum { VAR_PORT = 2, VAR_SSH = 3, VAR_COUNT = 6 };

struct variable {
	const char *value;	/* NULL if it is not set */
	uint32_t rank;		/* the nearer to the host the larger */
};

/* What one line says of a host or group. */
struct entry {
	const char *name, *group;	/* the group that it is in, or NULL */
	int is_group, settled;
	struct variable vars[VAR_COUNT];
	uint32_t depth;		/* of groups, by the longest way from `all' */
	size_t first;		/* where the entries of its name begin */
	const char *note;
	uint32_t line;
};

struct inventory_file {
	const char *path;	/* for messages */
	uint32_t line;
	size_t bytes;		/* of all names */
	int ini;		/* there are sections: it is Ansible's form */
	const char *group;	/* that the section is of */
	const char *section;	/* "vars", "children", else it has hosts */
	struct entry *entries;	/* in the order of the file */
	size_t len, cap;
	struct entry **sorted;	/* by name */
};

/* A range in a name: of letters, or of numbers with so many digits. */
struct range {
	long from, to, step;
	int width;
};

/* Says that a line is left out because of S in it; returns 0. */
static int
inventory_odd(const struct inventory_file *f, const char *what, const char *s)
{
	warnx("%s:%lu: left out: bad %s: %s", f->path,
	    (unsigned long)f->line, what, printable(s));
	return 0;
}

/* Adds an entry like E for a name, which is not copied. */
static struct entry *
entry_add(struct inventory_file *f, const struct entry *e, const char *name)
{
	f->bytes += strlen(name);
	if (f->len >= INVENTORY_MAX || f->bytes > READ_MAX)
		errx(2, "%s:%lu: too many hosts", f->path,
		    (unsigned long)f->line);
	f->entries = append(f->entries, &f->len, &f->cap,
	    sizeof(*f->entries));
	f->entries[f->len - 1] = *e;
	f->entries[f->len - 1].name = name;
	return &f->entries[f->len - 1];
}

/* Adds an entry for a group that is IN another, and returns it. */
static struct entry *
group_add(struct inventory_file *f, const char *name, const char *in)
{
	struct entry e;

	memset(&e, 0, sizeof(e));
	e.is_group = 1;
	e.line = f->line;
	e.group = strcmp(name, "all") != 0 ? in : NULL;
	return entry_add(f, &e, name);
}

/*
 * Sets a variable, if it is one that counts; returns 0 if its value is odd.
 * That goes to ssh as -o KEYWORD=VALUE, and with %h or %r to commands of the
 * configuration, which shells run: it must mean nothing to either.
 */
static int
variable_set(const struct inventory_file *f, struct entry *e, const char *key,
    const char *s)
{
	const char *good = s;
	size_t k;

	for (k = 0; k < VAR_COUNT && strcmp(key, variables[k]) != 0; k++)
		continue;
	if (k == VAR_COUNT)
		return 1;
	if (k % VAR_SSH == VAR_PORT)
		good = s[strspn(s, DIGITS)] == '\0' ? port_text(s) : NULL;
	else if (*s == '\0' || !typable(s) || strpbrk(s, "#=%*?!~") != NULL)
		good = NULL;
	if (good == NULL)
		return inventory_odd(f, strrchr(key, '_') + 1, s);
	e->vars[k].value = xstrdup(good);
	e->vars[k].rank = e->is_group ? 0 : RANK_HOST;
	return 1;
}

/* Gives TO the variables of FROM that are no less near than its own. */
static void
variables_take(struct variable *to, const struct variable *from)
{
	size_t k;

	for (k = 0; k < VAR_COUNT; k++)
		if (from[k].value != NULL && from[k].rank >= to[k].rank)
			to[k] = from[k];
}

/* KEY = VALUE in a section of variables; a comment may follow a word. */
static void
group_line(struct inventory_file *f, char *p)
{
	char *value = p + strcspn(p, "="), *copy, *rest, *w;
	int quoted;

	if (*value == '\0') {
		inventory_odd(f, "variable", p);
		return;
	}
	value = skip_blanks(value + 1);
	p[strcspn(p, BLANKS "=")] = '\0';
	copy = rest = xstrdup(value);
	quoted = next_word(&rest, &w);
	rest = skip_blanks(rest);
	if (quoted == 0)
		*value = '\0';
	else if (quoted == 1 && (*rest == '\0' || *rest == '#'))
		value = w;
	variable_set(f, group_add(f, f->group, "all"), p, value);
	free(copy);
}

/*
 * Sets the variables that the words from P on are.  Returns what follows
 * them, or NULL if one is odd.
 */
static char *
host_variables(const struct inventory_file *f, struct entry *e, char *p)
{
	char *copy = xstrdup(p), *next = copy, *w, *equals, *rest = p;
	int quoted, good = 1;

	while (good && (quoted = next_word(&next, &w)) != 0 &&
	    (equals = strchr(w, '=')) != NULL &&
	    (strncmp(w, "ansible_", 8) == 0 || (quoted == 1 && f->ini))) {
		*equals = '\0';
		good = quoted == 1 ? variable_set(f, e, w, equals + 1) :
		    inventory_odd(f, "quote", equals + 1);
		rest = p + (next - copy);
	}
	free(copy);
	return good ? rest : NULL;
}

/* A letter or a number, 0 if there is none; returns what follows it. */
static const char *
range_end(const char *s, long *n)
{
	size_t len = strspn(s, DIGITS);

	*n = len > 0 && len < 10 ? atol(s) : 0;
	if (len == 0 && is_letter((unsigned char)*s) && !(*s & 0x80)) {
		*n = LETTERS + (is_upper(*s) ? 26 : 0) + lower(*s) - 'a';
		return s + 1;
	}
	return s + (len < 10 ? len : 0);
}

/*
 * The range at S, FROM:TO or FROM:TO:STEP up to its `]', of letters, a to z
 * and then A to Z, or of numbers as wide as FROM; returns 0 if it is odd.
 */
static int
range_parse(const char *s, struct range *r)
{
	const char *p = range_end(s, &r->from), *to = p + 1;

	r->width = p > s ? (int)(p - s) : 1;
	r->step = 1;
	if (*p != ':' || (p = range_end(to, &r->to)) == to)
		return 0;
	if (*p == ':')
		p = range_end(p + 1, &r->step);
	return *p == ']' && r->from <= r->to && r->step > 0 &&
	    r->step < LETTERS && (r->from < LETTERS) == (r->to < LETTERS);
}

/*
 * Adds entries like E for all that NAME stands for, a range at a time.
 * Returns 0 if a range is odd.
 */
static int
names_add(struct inventory_file *f, const struct entry *e, const char *name,
    int depth)
{
	const char *open = strchr(name, '[');
	struct buf one = { NULL, 0, 0 };
	struct range r;
	int c, good = 1;
	long i;

	if (open == NULL) {
		entry_add(f, e, xstrdup(name));
		return 1;
	}
	if (depth == RANGES_MAX || !range_parse(open + 1, &r))
		return 0;
	for (i = r.from; i <= r.to && good; i += r.step) {
		one.len = 0;
		buf_add(&one, name, (size_t)(open - name));
		c = (int)(i - LETTERS) + 'a';
		if (i < LETTERS)
			buf_fmt(&one, "%0*ld", r.width, i);
		else
			buf_fmt(&one, "%c", c <= 'z' ? c : c - 'z' - 1 + 'A');
		buf_str(&one, strchr(open, ']') + 1);
		good = names_add(f, e, one.v, depth + 1);
	}
	free(one.v);
	return good;
}

/*
 * Takes `:PORT' off a name that has no other colon but those in brackets, and
 * brackets that are no range off what is before it, as of an IPv6 address.
 * Returns 0 if the port is odd.
 */
static int
name_port(const struct inventory_file *f, struct entry *e, char *name)
{
	char *colon = strrchr(name, ':'), *close = strrchr(name, ']');
	struct range r;

	if (colon == NULL || colon < close || colon[1] == '\0' ||
	    colon[1 + strspn(colon + 1, DIGITS)] != '\0' ||
	    (close == NULL && strchr(name, ':') != colon))
		return 1;
	*colon = '\0';
	if (*name == '[' && close == colon - 1 && !range_parse(name + 1, &r)) {
		*close = '\0';
		memmove(name, name + 1, strlen(name));
	}
	if (e->vars[VAR_PORT].value != NULL)
		return 1;
	if (!variable_set(f, e, variables[VAR_PORT], colon + 1))
		return 0;
	e->vars[VAR_PORT].rank -= f->line;	/* of several the first */
	return 1;
}

/* A line with a host: its name, variables, and a note. */
static void
host_line(struct inventory_file *f, char *p)
{
	struct entry e;
	char *name, *note;
	size_t len = f->len;

	memset(&e, 0, sizeof(e));
	e.group = f->group;
	e.line = f->line;
	if (next_word(&p, &name) != 1 ||
	    (note = host_variables(f, &e, p)) == NULL ||
	    !name_port(f, &e, name))
		return;
	e.note = note + strspn(note, "# \t");
	while ((note = strchr(note, '\t')) != NULL)
		*note = ' ';
	if (!names_add(f, &e, name, 0)) {
		f->len = len;
		inventory_odd(f, "range", name);
	}
}

/* A section's heading: its group and what is in it; 0 if it is none. */
static int
heading(struct inventory_file *f, char *p)
{
	char *close = strchr(p, ']'), *name;

	if (*p != '[' || close == NULL ||
	    strchr("#;", *skip_blanks(close + 1)) == NULL)
		return 0;
	*close = '\0';
	name = strtok(p + 1, ": \t");
	f->group = name != NULL ? name : "";
	group_add(f, f->group, "all");
	f->section = strtok(NULL, " \t");
	f->ini = 1;
	return 1;
}

/* A line: empty, a comment, a heading, or what its section has. */
static void
inventory_line(struct inventory_file *f, char *p)
{
	const char *section = f->section != NULL ? f->section : "";
	size_t n = strlen(p);

	while (n > 0 && is_blank(p[n - 1]))
		p[--n] = '\0';
	p = skip_blanks(p);
	if (*p == '\0' || *p == '#' || *p == ';')
		return;
	if (!f->ini && f->len == 0 && (*p == '{' ||
	    strncmp(p, "---", 3) == 0 || p[strcspn(p, " \t") - 1] == ':'))
		errx(2, "%s:%lu: YAML and JSON are not understood, only INI "
		    "and lists with one host a line", f->path,
		    (unsigned long)f->line);
	if (heading(f, p))
		return;
	if (strcmp(section, "vars") == 0)
		group_line(f, p);
	else if (strcmp(section, "children") == 0)
		group_add(f, strtok(p, " \t"), f->group);
	else
		host_line(f, p);
}

/* By name, then as they stand in the file; line 0 is any. */
static int
entry_cmp(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	int r = x->is_group - y->is_group;

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r != 0 || x->line == 0 ? r : (x > y) - (x < y);
}

static void
entries_sort(struct inventory_file *f)
{
	struct entry *e, *last = NULL;
	size_t i, cap = 0;

	f->sorted = grow(NULL, &cap, f->len, sizeof(*f->sorted));
	for (i = 0; i < f->len; i++)
		f->sorted[i] = &f->entries[i];
	qsort(f->sorted, f->len, sizeof(*f->sorted), entry_cmp);
	for (i = 0; i < f->len; last = e, i++) {
		e = f->sorted[i];
		e->first = last != NULL && last->is_group == e->is_group &&
		    strcmp(last->name, e->name) == 0 ? last->first : i;
	}
}

/* The first entry of a group, NULL if there is none. */
static struct entry *
group_find(const struct inventory_file *f, const char *name)
{
	struct entry key, *k = &key, **found;

	memset(&key, 0, sizeof(key));
	key.is_group = 1;
	key.name = name;
	if (name == NULL || (found = bsearch(&k, f->sorted, f->len,
	    sizeof(*f->sorted), entry_cmp)) == NULL)
		return NULL;
	return f->sorted[(*found)->first];
}

/*
 * Gives E, the first entry of its name, the variables of the others, and of
 * the groups that they are in.  The deeper group is the nearer one, of two as
 * deep the one whose name sorts last.
 */
static void
entry_settle(struct inventory_file *f, struct entry *e, uint32_t deep)
{
	struct variable above[VAR_COUNT];
	struct entry *group;
	size_t i, k;

	if (e->settled || deep > GROUPS_DEEP)
		return;
	e->settled = 1;
	memset(above, 0, sizeof(above));
	for (i = e->first; i < f->len && f->sorted[i]->first == e->first; i++) {
		variables_take(e->vars, f->sorted[i]->vars);
		if ((group = group_find(f, f->sorted[i]->group)) == NULL)
			continue;
		entry_settle(f, group, deep + 1);
		if (e->depth <= group->depth)
			e->depth = group->depth + 1;
		variables_take(above, group->vars);
	}
	for (k = 0; k < VAR_COUNT && e->is_group; k++)
		e->vars[k].rank = e->depth * INVENTORY_MAX + (uint32_t)i;
	variables_take(above, e->vars);
	memcpy(e->vars, above, sizeof(above));
}

/* Adds a host that the inventory lists. */
static void
given_add(struct hosts *h, const struct entry *e)
{
	struct inventory *inv = h->inventory;
	struct given *g;
	const char **to;
	size_t k;

	inv->v = grow(inv->v, &inv->cap, inv->len + 2, sizeof(*inv->v));
	g = &inv->v[++inv->len];
	for (k = 0; k < VAR_SSH; k++) {
		to = k == VAR_PORT ? &g->port : k == 0 ? &g->hostname :
		    &g->user;
		*to = e->vars[k + VAR_SSH].value != NULL ?
		    e->vars[k + VAR_SSH].value : e->vars[k].value;
	}
	g->note = e->note;
	g->line = e->line;
	literal_add(h->config, e->name, 0, 0)->given = (uint32_t)inv->len;
}

/* All that the file at PATH holds, `-' being standard input. */
static void
inventory_text(struct inventory *inv, const char *path, struct buf *text)
{
	struct stat st;
	int fd = 0;

	if (strcmp(path, "-") == 0)
		inv->name = "standard input";
	else if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		err(2, "%s", path);
	else
		inv->name = inv->path = path;
	inv->again = fd != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (read_whole(fd, text, READ_MAX) == -1)
		err(2, "%s", inv->name);
	if (fd != 0)
		close(fd);
	if (text->len > READ_MAX)
		errx(2, "%s: more than %d MB", inv->name, READ_MAX >> 20);
	if (memchr(text->v, '\0', text->len) != NULL ||
	    strncmp(text->v, "-----BEGIN", 10) == 0)
		errx(2, "%s: no list of hosts; if it is a key: "
		    "-o IdentityFile=...", inv->name);
}

/* Reads the inventory; what fails ends wl. */
static void
inventory_read(struct hosts *h, const char *path)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	struct inventory_file f;
	struct buf text = { NULL, 0, 0 };
	struct entry *e;
	char *p, *next;

	if (inv == NULL)
		out_of_memory();
	h->inventory = inv;
	inventory_text(inv, path, &text);
	memset(&f, 0, sizeof(f));
	f.path = inv->name;
	f.group = "ungrouped";
	for (f.line = 1, p = text.v; p < text.v + text.len; f.line++, p = next) {
		next = cut_line(p, text.v + text.len);
		inventory_line(&f, p);
	}
	group_add(&f, "ungrouped", "all");
	group_add(&f, "all", NULL);
	entries_sort(&f);
	for (e = f.entries; e < f.entries + f.len; e++)
		if (!e->is_group && f.sorted[e->first] == e &&
		    is_destination(e->name)) {
			entry_settle(&f, e, 0);
			given_add(h, e);
		}
	free(f.entries);
	free(f.sorted);
}

/*
 * Recently used hosts: a file with a line `SECONDS NAME' for each use, the
 * last one last.  It is only ever a help: what is wrong with it, or with a
 * line, is passed over; on a descriptor of -1 all calls fail.  Who writes
 * locks its directory, so that a use that is noted while the file is being
 * replaced by a shorter one goes to that.
 */

enum {
	RECENT_NAMES = 500,	/* names kept in the shorter one */
	RECENT_NAME = 1024,	/* bytes of a name */
	RECENT_SIZE = 1 << 16,	/* bytes from which on it is replaced */
	RECENT_READ = RECENT_SIZE * 2,	/* bytes of its end that are read,
				   whose lines are counted in 16 bits */
};

/* A use of a host. */
struct use {
	uint32_t when;
	const char *name;
};

/*
 * Opens the directory of the file; with MAKE it is made, and locked until it
 * is closed.  On the way nothing that is not ours comes after what is: root
 * may have another user's HOME, and is not to follow links or make anything
 * there.  -1 if it cannot be had.
 */
static int
recent_dir(int make)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct buf path = { NULL, 0, 0 };
	struct stat st;
	int fd = -1, ours;
	char *p;

	if (state != NULL && *state == '/')
		buf_fmt(&path, "%s/wl/", state);
	else if (home != NULL && *home == '/')
		buf_fmt(&path, "%s/.local/state/wl/", home);
	else
		return -1;
	ours = stat("/", &st) == 0 && st.st_uid == getuid();
	for (p = path.v; (p = strchr(p + 1, '/')) != NULL; *p = '/') {
		*p = '\0';
		if (make && ours)
			(void)mkdir(path.v, 0700);
		if (stat(path.v, &st) == 0 && st.st_uid == getuid())
			ours = 1;
		else if (ours)
			break;
	}
	if (p == NULL && ours)
		fd = open(path.v, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (make && fd != -1)
		(void)flock(fd, LOCK_EX);
	free(path.v);
	return fd;
}

/* Opens the file, if it is one and ours; -1 if not. */
static int
recent_open(int dir, int flags)
{
	struct stat st;
	int fd;

	fd = openat(dir, "recent", flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != getuid())) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whether the name can stand in a line. */
static int
recent_name(const char *name)
{
	size_t n = 0;

	while (name[n] != '\0' && n <= RECENT_NAME && !is_control(name[n]))
		n++;
	return n > 0 && name[n] == '\0' && *name != '-';
}

/*
 * Reads the uses that are in the file, oldest first and from 1 on, and
 * returns their number.  Their names lie in a text that stays.
 */
static size_t
recent_load(int fd, struct use **uses)
{
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > RECENT_READ ? size - RECENT_READ : 0;
	size_t n = 0, cap = 0, textcap = 0;
	char *p = grow(NULL, &textcap, RECENT_READ + 1, 1), *eol, *blank;
	ssize_t len = pread(fd, p, RECENT_READ, from);
	char *end = p + (len > 0 ? len : 0);
	long long when;

	*end = '\n';		/* which the last line may lack */
	*uses = NULL;
	if (from > 0)		/* the first line is not whole */
		p = (char *)memchr(p, '\n', RECENT_READ + 1) + 1;
	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p) + 1);
		*eol = '\0';
		when = strtoll(p, &blank, 10);
		if (blank == p || *blank != ' ' || when <= 0 ||
		    when > UINT32_MAX || !recent_name(blank + 1))
			continue;
		*uses = grow(*uses, &cap, ++n + 1, sizeof(**uses));
		(*uses)[n].when = (uint32_t)when;
		(*uses)[n].name = blank + 1;
	}
	return n;
}

/*
 * Reads the uses of hosts and returns their number.  Names that are no host's
 * were typed; they go behind the others.
 */
static void
recent_read(struct hosts *h)
{
	int dir = recent_dir(0), fd = recent_open(dir, O_RDONLY);
	struct use *uses;
	struct host *host;
	size_t n = recent_load(fd, &uses), i;

	close(fd);
	close(dir);
	for (i = 1; i <= n; i++) {
		if ((host = host_find(h, uses[i].name)) == NULL) {
			host = host_add(h, uses[i].name);
			h->typed++;
		}
		host->use = i;
		host->used = uses[i].when;
	}
	free(uses);
}

/*
 * Replaces the file by one with the last use of each name but FORGET or, with
 * NULL, of RECENT_NAMES names.
 */
static void
recent_replace(int dir, int fd, const char *forget)
{
	struct buf out = { NULL, 0, 0 };
	struct use *v;
	size_t n = recent_load(fd, &v), first = n + 1, i, j;
	int to, ok;

	for (i = n; i > 0 && (forget || n + 1 - first < RECENT_NAMES); i--) {
		for (j = first; j <= n && strcmp(v[j].name, v[i].name); j++)
			continue;
		if (j > n && (!forget || strcmp(v[i].name, forget) != 0))
			v[--first] = v[i];
	}
	for (i = first; i <= n; i++)
		buf_fmt(&out, "%lld %s\n", (long long)v[i].when, v[i].name);
	unlinkat(dir, "recent.new", 0);
	to = openat(dir, "recent.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	ok = to != -1 && write_all(to, out.v, out.len) == 0;
	if (to != -1 && (close(to) == -1 || !ok ||
	    renameat(dir, "recent.new", dir, "recent") == -1))
		unlinkat(dir, "recent.new", 0);
	free(v);
	free(out.v);
}

/* Notes that the name is used now or, with FORGET, that it never was. */
static void
recent_write(const char *name, int forget)
{
	int dir = recent_dir(1);
	int fd = recent_open(dir, O_RDWR | O_APPEND | O_CREAT);
	off_t size = lseek(fd, 0, SEEK_END);
	struct buf line = { NULL, 0, 0 };

	buf_fmt(&line, "%lld %s\n", (long long)time(NULL), name);
	if (!forget && recent_name(name) &&
	    write(fd, line.v, line.len) != (ssize_t)line.len)
		(void)!ftruncate(fd, size);	/* no half of it */
	if (fd != -1 && (forget || size > RECENT_SIZE))
		recent_replace(dir, fd, forget ? name : NULL);
	free(line.v);
	close(fd);
	close(dir);
}

/* How long ago it was, in a few characters. */
static void
ago(time_t when, char *out, size_t size)
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
	names_index(c);
	hosts_list(h);
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
	SCORE_START = 950,	/* the first letter of the text */
	SCORE_WORD = 800,	/* the first of a word or a number */
	SCORE_CAPITAL = 700,
	SCORE_GAP = -10,	/* each letter left out between */
	SCORE_EDGE = -5,	/* each one before the first, after the last */
	SCORE_EXACT = 500000,

	FIELD_NAME = 4000000,	/* a field's worst beats the next's best */
	FIELD_ADDR = 2000000,

	FIRST_USED = 1 << 29,	/* before all scores, and before that: */
	FIRST_NUMBER = 1 << 30,
};

/* A word of the query. */
struct needle {
	char text[QUERY_MAX];
	size_t len;
	int fold;		/* it has no capitals: case does not matter */
};

struct query {
	struct needle words[WORDS_MAX];
	size_t nwords;
	size_t number;		/* the whole query as a number, else 0 */
};

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

static int
letter_matches(const struct needle *w, size_t i, char c)
{
	return w->text[i] == (w->fold ? lower(c) : c);
}

/* Whether the word's letters are among the first LEN bytes of S, in order. */
static int
is_subsequence(const struct needle *w, const char *s, size_t len)
{
	size_t i = 0, j;

	for (j = 0; j < len && i < w->len; j++)
		i += (size_t)letter_matches(w, i, s[j]);
	return i == w->len;
}

/*
 * The scores of the best alignments of a word in a text: ENDING those in
 * which letter i is at byte j, BEST those in which it is there or before,
 * less the gap up to j.
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
		if (score < SCORE_NONE / 2)
			score = SCORE_NONE;
		best = best + SCORE_GAP > score ? best + SCORE_GAP : score;
		a->ending[i][j] = score;
		a->best[i][j] = best;
	}
}

/*
 * Marks in HIT, which has a char for each byte of the text, where the letters
 * of the word are in the alignment that has the last one at J.
 */
static void
align_mark(const struct alignment *a, const struct needle *w, const char *s,
    size_t j, char *hit)
{
	size_t i = w->len - 1, k;
	int best;

	for (hit[j] = 1; i-- > 0; hit[j] = 1) {
		best = a->best[i][j - 1];
		k = 0;
		if (a->ending[i + 1][j] != best + bonus(s, j))
			k = j - 1;	/* the letters follow each other */
		while (k + 1 < j && a->ending[i][k] +
		    (int)(j - 1 - k) * SCORE_GAP != best)
			k++;
		j = k;
	}
}

/*
 * The score of a word in the text S, SCORE_NONE if it is not in it.  HIT,
 * unless NULL, gets the marks of the letters that match.
 */
static int
match(const struct needle *w, const char *s, char *hit)
{
	static struct alignment a;
	size_t len = strnlen(s, MATCH_MAX), i, j, last = 0;
	int score, best = SCORE_NONE;

	if (!is_subsequence(w, s, len))
		return SCORE_NONE;
	for (i = 0; i < w->len; i++)
		align_letter(&a, w, i, s, len);
	for (j = 0; j < len; j++) {
		score = a.ending[w->len - 1][j] +
		    (int)(len - 1 - j) * SCORE_EDGE;
		if (score > best && a.ending[w->len - 1][j] != SCORE_NONE) {
			best = score;
			last = j;
		}
	}
	if (hit != NULL && best != SCORE_NONE)
		align_mark(&a, w, s, last, hit);
	return best != SCORE_NONE && w->len == len ? SCORE_EXACT : best;
}

/* Takes the query apart: its words, and its value if it is a number. */
static void
query_parse(struct query *q, const char *s)
{
	struct needle *w;
	size_t i;

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
		w->fold = i == w->len;
	}
}

/*
 * Ranking: the hosts that match a query, best first.
 */

struct ranking {
	struct hosts *hosts;
	struct query query;
	char text[QUERY_MAX];	/* the query that the matches are for */
	struct host **matches;
	size_t len, cap;
	int recent;		/* those used last come first */
	int valid;		/* the matches are those for the text */
};

/* What a word is worth for a host; SCORE_NONE if nothing of it holds it. */
static int
word_score(const struct needle *w, struct hosts *h, struct host *host)
{
	int score;

	if ((score = match(w, host->name, NULL)) != SCORE_NONE)
		return score + FIELD_NAME;
	host_details(h, host);
	if ((score = match(w, host->addr, NULL)) != SCORE_NONE)
		return score + FIELD_ADDR;
	return match(w, host->note, NULL);
}

/*
 * Finds the host's score, the sum for the words of the query, which is 0 if
 * it has none.  Returns 0 if the host does not match.
 */
static int
host_score(struct ranking *r, struct host *host)
{
	const struct query *q = &r->query;
	size_t i;
	int score;

	if (host->number == 0 && host->use == 0)
		return 0;	/* typed by hand, and forgotten */
	host->score = FIRST_NUMBER;
	if (q->number != 0 && q->number == host->number)
		return 1;
	for (host->score = 0, i = 0; i < q->nwords; i++) {
		score = word_score(&q->words[i], r->hosts, host);
		if (score == SCORE_NONE)
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

/* The host of the I-th best match, of which there are r->len. */
static struct host *
ranking_get(const struct ranking *r, size_t i)
{
	return r->matches[i];
}

/*
 * Ranks the hosts for the query TEXT.  A query that continues the one before
 * can only match what that one did.
 */
static void
ranking_update(struct ranking *r, const char *text)
{
	struct hosts *h = r->hosts;
	size_t all = h->len + (r->recent ? h->typed : 0), i, n;
	int narrower;

	if (r->valid && strcmp(text, r->text) == 0)
		return;
	query_parse(&r->query, text);
	narrower = r->valid && r->query.number == 0 &&
	    strncmp(text, r->text, strlen(r->text)) == 0;
	snprintf(r->text, sizeof(r->text), "%s", text);
	r->matches = grow(r->matches, &r->cap, all + 1, sizeof(*r->matches));
	if (!narrower)
		for (r->len = 0; r->len < all; r->len++)
			r->matches[r->len] = &h->v[r->len];
	for (i = n = 0; i < r->len; i++)
		if (host_score(r, r->matches[i]))
			r->matches[n++] = r->matches[i];
	r->len = n;
	r->valid = 1;
	if (r->query.nwords > 0 || r->recent)
		qsort(r->matches, n, sizeof(*r->matches), match_cmp);
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

enum tty_mode { TTY_COOKED, TTY_PROMPT, TTY_SPINNER, TTY_ASK, TTY_SECRET };

struct tty {
	int fd;			/* /dev/tty, -1: none */
	struct termios cooked;	/* the mode it was found in */
	struct termios now;	/* and that it was put into */
	enum tty_mode mode;
	int rows, cols;
	struct saved_signals saved;
};

static struct tty tty = { .fd = -1 };

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
	return t;
}

/*
 * Puts the terminal into a mode; TCSADRAIN keeps what was typed ahead.  A
 * signal that ends wl does not wait until a stopped terminal has drained.
 */
static void
tty_set(enum tty_mode mode)
{
	struct termios t = tty_flags(mode);

	if (tty.fd == -1 || tty.mode == mode)
		return;
	while (tcsetattr(tty.fd, caught ? TCSANOW : TCSADRAIN, &t) == -1 &&
	    errno == EINTR)
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

/*
 * Writes to the terminal.  One that nobody reads takes no more when it is
 * full; a signal is heard then, and if it is one that ends or stops wl, what
 * the terminal does not take in a moment is given up.  The others are left
 * pending, for tty_wait() to tell of.
 */
static void
tty_write(struct buf *out)
{
	static const struct timespec moment = { 0, 100000000 };
	int flags = fcntl(tty.fd, F_GETFL);
	sigset_t mask = tty.saved.mask;
	size_t done = 0;
	ssize_t n;
	fd_set set;

	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGCONT);
	sigaddset(&mask, SIGWINCH);
	fcntl(tty.fd, F_SETFL, flags | O_NONBLOCK);
	while (done < out->len) {
		n = write(tty.fd, out->v + done, out->len - done);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
		FD_ZERO(&set);
		FD_SET(tty.fd, &set);
		if (n == -1 && pselect(tty.fd + 1, NULL, &set, NULL,
		    caught ? &moment : NULL, &mask) == 0)
			break;
	}
	fcntl(tty.fd, F_SETFL, flags);
	out->len = 0;
}

/*
 * Waits for something to read on FD (-1: for signals only) for at most MS
 * milliseconds, for ever if MS is negative.  Returns 1 if there is, 0 when the
 * time is over, -1 after a signal, of which `caught' may tell.
 */
static int
tty_wait(int fd, long ms)
{
	int n, blind;
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
	n = pselect(fd + 1, &set, NULL, NULL, ms < 0 ? NULL : &ts,
	    &tty.saved.mask);
	return n == 0 && blind ? 1 : n;
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
 * Keys.  Bytes go in, one at a time, and keys come out.  A byte that is none
 * of an escape sequence stands for itself, and a key that does what a control
 * character does for that; the others have names.  Sequences that mean nothing
 * here are swallowed whole, those of unbounded length too.
 */

enum key {
	KEY_NONE = 256, KEY_ESC, KEY_HOME, KEY_END, KEY_PGUP, KEY_PGDN,
	KEY_DELETE, KEY_F1, KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_SIGNAL,
	KEY_HANGUP
};
#define CTL(c)		((c) & 0x1f)

enum {
	ESC_MS = 25,		/* how long Esc waits for a sequence */
	SEQUENCE_MS = 500,	/* and the sequence for its end */
};

struct decoder {
	enum { GROUND, ESCAPE, ALT, CSI, CONSOLE, STRING,
	    STRING_ESC } state;
	int number;		/* the first parameter */
	int first;		/* it is not at its end */
	int paste;		/* in a bracketed paste */
	int ahead;		/* bytes that come from before raw mode */
};

/*
 * The keys that end in a letter, or in a number and `~'.  An arrow has the
 * number 1 if Control, Alt or Shift is held.
 */
static const struct { char final; int number, key; } sequences[] = {
	{ 'C', 1, KEY_WORD_RIGHT }, { 'D', 1, KEY_WORD_LEFT },
	{ 'A', 0, CTL('p') }, { 'B', 0, CTL('n') }, { 'C', 0, CTL('f') },
	{ 'D', 0, CTL('b') }, { 'H', 0, KEY_HOME }, { 'F', 0, KEY_END },
	{ 'Z', 0, CTL('p') }, { 'P', 0, KEY_F1 },
	{ '~', 1, KEY_HOME }, { '~', 7, KEY_HOME }, { '~', 4, KEY_END },
	{ '~', 8, KEY_END }, { '~', 3, KEY_DELETE }, { '~', 5, KEY_PGUP },
	{ '~', 6, KEY_PGDN }, { '~', 11, KEY_F1 },
};

static int
sequence_key(struct decoder *d, int final)
{
	size_t i;

	d->state = GROUND;
	if (final == '~' && (d->number == 200 || d->number == 201))
		d->paste = d->number == 200;
	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (sequences[i].final == final && !d->paste &&
		    (sequences[i].number == 0 ||
		    sequences[i].number == d->number))
			return sequences[i].key;
	return KEY_NONE;
}

/* A byte after ESC: the kind of sequence that it begins, or a key with Alt. */
static int
decode_escape(struct decoder *d, int c)
{
	d->number = 0;
	d->first = 1;
	d->state = c == '[' || c == 'O' ? CSI :
	    c != '\0' && strchr("]PX^_", c) != NULL ? STRING :
	    c >= 0xc0 ? ALT : GROUND;
	if (d->paste)
		return KEY_NONE;
	return c == '\033' ? KEY_ESC : c == 'b' ? KEY_WORD_LEFT :
	    c == 'f' ? KEY_WORD_RIGHT :
	    c == 0x7f || c == CTL('h') ? CTL('w') : KEY_NONE;
}

/* A byte of a control sequence. */
static int
decode_csi(struct decoder *d, int c)
{
	if (c == '\033')
		d->state = ESCAPE;
	else if (c == '[')
		d->state = CONSOLE;
	else if (c >= 0x40 && c <= 0x7e)
		return sequence_key(d, c);
	else if (c == ';' || c == ':')
		d->first = 0;
	else if (is_digit(c) && d->first && d->number < 1000)
		d->number = d->number * 10 + c - '0';
	return KEY_NONE;
}

/* A byte that is none of a sequence. */
static int
decode_plain(struct decoder *d, int c)
{
	d->state = c == '\033' ? ESCAPE : GROUND;
	if (c == CTL('c'))
		d->paste = 0;		/* one without an end is no trap */
	if (d->paste && (c == '\r' || c == '\n' || c == '\t'))
		return ' ';
	return c == '\033' || (d->paste && is_control(c)) ? KEY_NONE : c;
}

/* Takes byte C and returns the key that it completes, or KEY_NONE. */
static int
decode(struct decoder *d, int c)
{
	if (c == CTL('c') && !d->paste)
		d->state = GROUND;	/* nor is such a sequence */
	switch (d->state) {
	case ESCAPE:
		return decode_escape(d, c);
	case CSI:
		return decode_csi(d, c);
	case CONSOLE:		/* F1 is ESC [ [ A on the Linux console */
		d->state = GROUND;
		return c == 'A' ? KEY_F1 : KEY_NONE;
	case STRING:
		if (c == '\a' || c == '\033')
			d->state = c == '\a' ? GROUND : STRING_ESC;
		return KEY_NONE;
	case STRING_ESC:
		d->state = c == '\\' ? GROUND : STRING;
		return KEY_NONE;
	case ALT:		/* the rest of a character after ESC */
		return (c & 0xc0) == 0x80 ? KEY_NONE : decode_plain(d, c);
	case GROUND:
		break;
	}
	return decode_plain(d, c);
}

/*
 * Puts the terminal into the prompt's mode.  An Enter that was typed ahead of
 * it has become a line feed, and one that is typed in it does not, so that ^J
 * is a key of its own: what waits at this moment tells them apart.
 */
static void
keys_begin(struct decoder *d)
{
	tty_set(TTY_PROMPT);
	if (ioctl(tty.fd, FIONREAD, &d->ahead) == -1)
		d->ahead = 0;
}

/*
 * Reads the next key.  Bytes are read one by one, so that what follows the
 * last key of the prompt is left for the remote shell.  Esc was a key if no
 * more comes in time; a sequence without its end is given up then.
 */
static int
read_key(struct decoder *d)
{
	long wait = d->state == GROUND ? -1 :
	    d->state == ESCAPE ? ESC_MS : SEQUENCE_MS;
	unsigned char c;
	int r, alone;

	if (caught)
		return KEY_SIGNAL;
	if ((r = tty_wait(tty.fd, wait)) == -1)
		return errno == EINTR ? KEY_SIGNAL : KEY_HANGUP;
	if (r == 0) {
		alone = d->state == ESCAPE && !d->paste;
		d->state = GROUND;
		return alone ? KEY_ESC : KEY_NONE;
	}
	if (read(tty.fd, &c, 1) != 1)
		return KEY_HANGUP;
	if (d->ahead > 0 && d->ahead-- > 0 && c == '\n')
		c = '\r';
	return decode(d, c);
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
	struct buf warnings;	/* what it said besides, as any ssh does */
	struct buf socket;	/* the control socket's path */
	struct buf dir;		/* the private directory, if there is one */
	int users;		/* the socket is where the user said */
	struct buf value, option;	/* for setting() and master_args() */
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

static void
args_add(struct args *a, const struct args *more)
{
	size_t i;

	for (i = 0; i < more->len; i++)
		arg_add(a, more->v[i]);
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
	args_add(a, &o->ssh);
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

static void
arg_session(struct args *a, const struct target *t)
{
	size_t i;

	arg_host(a, t->name);
	for (i = 0; t->command != NULL && t->command[i] != NULL; i++)
		arg_add(a, t->command[i]);
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
	IDLE_S = 10,		/* a connection is believed in for so long, */
	ANSWER_MS = 3000,	/* and then has so long to answer */
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

/* Whether a master answers on the socket. */
static int
master_alive(const char *path)
{
	struct sockaddr_un sun;
	int fd, alive;

	if ((fd = unix_socket(&sun, path)) == -1)
		return 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	alive = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ||
	    errno == EAGAIN;
	close(fd);
	return alive;
}

/*
 * Reachability tests.  A child for each address and port looks the name up,
 * connects and waits for ssh's banner, while the prompt goes on, and ends with
 * what it has found.  An sshd counts those who connect and do not log in, and
 * may refuse them for a while: so an answer is good for PROBE_MS, and for all
 * hosts of that address.
 */

enum { PROBE_S = 3, PROBE_MS = 10000 };

enum finding {
	FOUND_SSH, FOUND_OTHER, FOUND_NO_NAME, FOUND_REFUSED, FOUND_CLOSED,
	FOUND_NO_WAY, FOUND_NOTHING, FOUND_PENALTY, FOUND_CROWD, FINDINGS
};

static const char *const findings[FINDINGS] = {
	"", "no ssh there", "unknown name", "refused", "closed", "unreachable",
	"no answer",
	"Not allowed at this time", "Exceeded MaxStartups", /* sshd's words */
};

struct probe {
	char *name, *port;	/* see probe_port() */
	long long asked;	/* when it was begun */
	pid_t pid;		/* of the child, 0: has ended */
	char text[32];
};

struct probes {
	struct probe *v;
	size_t len, cap;
};

/* What is at one address. */
static enum finding
probe_address(const struct addrinfo *ai)
{
	char banner[256];
	ssize_t n;
	int fd, i;

	fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
	if (fd == -1 || connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		return errno == ECONNREFUSED ? FOUND_REFUSED :
		    errno == ETIMEDOUT ? FOUND_NOTHING : FOUND_NO_WAY;
	if ((n = read(fd, banner, sizeof(banner) - 1)) <= 0)
		return FOUND_CLOSED;
	banner[n] = '\0';
	for (i = FOUND_PENALTY; i < FINDINGS; i++)
		if (strncmp(banner, findings[i], strlen(findings[i])) == 0)
			return i;
	return strstr(banner, "SSH-") != NULL ? FOUND_SSH : FOUND_OTHER;
}

/* The child: ends with what is at the first address that works. */
static void
probe_child(const struct probe *one)
{
	struct addrinfo hints, *ai;
	enum finding found = FOUND_NO_NAME;
	sigset_t set;

	signals_restore();
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	alarm(PROBE_S);
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(one->name, one->port, &hints, &ai) == 0)
		for (; ai != NULL && found != FOUND_SSH; ai = ai->ai_next)
			found = probe_address(ai);
	_exit(found);
}

/* The port that is tested for a host, or what ssh goes through instead. */
static const char *
probe_port(const struct values *v)
{
	const char *command = v->set[V_COMMAND];

	if (*value_jump(v) != '\0')
		return "";	/* the row tells it anyway */
	return command == NULL || strcmp(command, "none") == 0 ?
	    value_port(v) : "via ProxyCommand";
}

/* The test of a host's address, NULL if there is none. */
static struct probe *
probe_find(const struct probes *p, const struct values *v)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		if (strcmp(p->v[i].name, v->name.v) == 0 &&
		    strcmp(p->v[i].port, probe_port(v)) == 0)
			return &p->v[i];
	return NULL;
}

/* Tests a host's address, unless what was found last is still good. */
static void
probe_start(struct probes *p, struct hosts *h, const struct host *host)
{
	struct values *v = host_values(h, host);
	struct probe *one = probe_find(p, v);

	if (one != NULL && now_ms() - one->asked < PROBE_MS)
		return;
	if (one == NULL) {
		p->v = append(p->v, &p->len, &p->cap, sizeof(*p->v));
		one = &p->v[p->len - 1];
		one->name = xstrdup(v->name.v);
		one->port = xstrdup(probe_port(v));
	}
	one->asked = now_ms();
	if (is_digit(*one->port) && (one->pid = fork()) == 0)
		probe_child(one);
	snprintf(one->text, sizeof(one->text), "%s", one->pid > 0 ? "..." :
	    one->pid == -1 ? "not tested" : one->port);
}

/* Takes what those children have found that have ended. */
static void
probes_news(struct probes *p)
{
	struct probe *one;
	int status, found;

	for (one = p->v; one < p->v + p->len; one++) {
		if (one->pid <= 0 ||
		    waitpid(one->pid, &status, WNOHANG) != one->pid)
			continue;
		one->pid = 0;
		found = WIFEXITED(status) ? WEXITSTATUS(status) : FINDINGS;
		if (found == FOUND_SSH)
			snprintf(one->text, sizeof(one->text), "%lld ms",
			    now_ms() - one->asked);
		else
			snprintf(one->text, sizeof(one->text), "%s",
			    findings[found < FINDINGS ? found : FOUND_NOTHING]);
	}
}

/* Ends the tests that still run, and forgets what was found. */
static void
probes_end(struct probes *p)
{
	struct probe *one;

	for (one = p->v; one < p->v + p->len; one++)
		if (one->pid > 0) {
			kill(one->pid, SIGKILL);
			wait_for(one->pid);
		}
	p->len = 0;
}

/* What is known of a host's address, "" if nothing. */
static const char *
probe_text(const struct probes *p, struct hosts *h, const struct host *host)
{
	const struct probe *one = NULL;

	if (p->len > 0)
		one = probe_find(p, host_values(h, host));
	return one != NULL ? one->text : "";
}

/*
 * Which hosts have a live master of wl's own: the names of their sockets,
 * each between line feeds.
 */

struct open_hosts {
	struct buf dir, labels;
};

/*
 * Whether somebody listens on the socket.  A master whose socket is connected
 * to lives for another ControlPersist, so it is asked for with a socket of
 * another type, which the system refuses in another way if nobody does.
 */
static int
socket_listens(const char *path)
{
	struct sockaddr_un sun;
	int fd, listens;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) == -1)
		return 0;
	listens = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 &&
	    errno == EPROTOTYPE;
	close(fd);
	return listens;
}

static void
open_find(struct open_hosts *o)
{
	struct buf path = { NULL, 0, 0 };
	struct dirent *e;
	size_t n;
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
		if (socket_listens(path.v))
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
	size_t sel, top;	/* the selected row, the first one shown */
	struct buf lines[ROWS_MAX + 1];	/* what the screen shows */
	struct buf line, out;	/* a line, and a frame, that are being made */
	struct buf text;	/* a field of a line */
	size_t height;		/* lines that are there to be drawn on */
	int column;		/* where the cursor belongs in the first */
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
	"^A ^E ^B ^F     move in the query; Alt: words",
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

/*
 * Whether ssh may take the query, less the blanks around it, for a
 * destination: [ssh://][user@]host[:port].
 */
static int
query_is_destination(const struct prompt *p)
{
	const char *s = p->query + strspn(p->query, " ");
	size_t n = strcspn(s, " ");
	char word[QUERY_MAX];

	snprintf(word, sizeof(word), "%.*s", (int)n, s);
	return s[n + strspn(s + n, " ")] == '\0' &&
	    is_destination(word + (strncmp(word, "ssh://", 6) == 0 ? 6 : 0));
}

/* The rows that can be selected: the matches, and the query itself. */
static size_t
prompt_rows(const struct prompt *p)
{
	return p->rank.len + (size_t)query_is_destination(p);
}

/* Where the columns of the rows shown begin. */
struct columns {
	int number, name, addr, jump;
};

static void
measure(struct prompt *p, struct columns *at)
{
	struct hosts *h = p->rank.hosts;
	size_t i, last = p->top + prompt_room();
	int n, name = 0, addr = 0, gap = tty.cols < NARROW ? 1 : 2;
	struct host *host;

	for (i = p->top; i < p->rank.len && i < last; i++) {
		host = ranking_get(&p->rank, i);
		host_details(h, host);
		n = text_width(host->name);
		name = n > name ? n : name;
		n = text_width(host->addr);
		addr = n > addr ? n : addr;
	}
	if (tty.cols >= NARROW && name > (tty.cols - 4) / 2)
		name = (tty.cols - 4) / 2;
	at->number = gap;
	at->name = gap + snprintf(NULL, 0, "%zu", h->len) + gap;
	at->addr = at->name + name + 2;
	at->jump = at->addr + (addr > 0 ? addr + 2 : 0);
}

/* How much there is of the row that is being made. */
struct row {
	int col;		/* its columns */
	unsigned found;		/* bits of the words that a field has taken */
};

/*
 * Appends S to a row from column LEFT on, as far as there is room before
 * column END.  HIT marks the bytes to underline, see put_text().
 */
static void
put_at(struct prompt *p, struct row *r, const char *s, const char *hit,
    int left, int end)
{
	for (; r->col < left && r->col < tty.cols - 1; r->col++)
		buf_str(&p->line, " ");
	if (r->col < left)
		r->col = left;
	if (r->col < end)
		r->col += put_text(&p->line, s, end - r->col, hit);
}

/*
 * Appends a field that is searched.  The letters are underlined that give a
 * word its score, which is that of the first field it is found in.
 */
static void
put_field(struct prompt *p, struct row *r, const char *s, int left, int end)
{
	const struct query *q = &p->rank.query;
	char hit[MATCH_MAX];
	unsigned i;

	memset(hit, 0, sizeof(hit));
	for (i = 0; i < q->nwords; i++)
		if ((r->found & 1U << i) == 0 &&
		    match(&q->words[i], s, hit) != SCORE_NONE)
			r->found |= 1U << i;
	put_at(p, r, s, hit, left, end);
}

/*
 * The column for S in a row: LEFT, or before that as far as it must to end
 * before END, but behind what is there.
 */
static int
fit(const struct row *r, const char *s, int left, int end)
{
	int n = text_width(s);

	if (left > end - n)
		left = end - n;
	return left < r->col + 2 ? r->col + 2 : left;
}

/* What is known of a host at the moment: its master, its test, its last use. */
static const char *
host_state(struct prompt *p, const struct host *host)
{
	const char *parts[3] = { "", "", "" };
	char when[32] = "";
	size_t i;

	if (is_open(&p->open, host->name))
		parts[0] = "* open";
	parts[1] = probe_text(&p->probes, p->rank.hosts, host);
	if (p->rank.recent && host->use != 0)
		ago(host->used, when, sizeof(when));
	parts[2] = when;
	p->text.len = 0;
	buf_str(&p->text, "");
	for (i = 0; i < 3; i++)
		if (*parts[i] != '\0')
			buf_fmt(&p->text, "%s%s", p->text.len > 0 ? "  " : "",
			    parts[i]);
	return p->text.v;
}

/*
 * Appends what there is to say of a host behind its name: address, jump host,
 * state, note.  The state is never cut for the sake of the others.
 */
static void
put_details(struct prompt *p, struct row *r, struct host *host,
    const struct columns *at)
{
	const char *addr = host->addr, *note = host->note, *jump = host->jump;
	const char *state = host_state(p, host);
	int edge = tty.cols - 1, left = at->jump;
	int end = edge - (*state != '\0' ? text_width(state) + 2 : 0);

	if (*addr != '\0')
		put_field(p, r, addr, at->addr, end);
	if (*jump != '\0' && r->col + 6 <= end) {
		put_at(p, r, "via ", NULL, fit(r, jump, left, end - 4), end);
		put_at(p, r, jump, NULL, r->col, end);
		left = r->col + 2;
	}
	if (*state != '\0') {
		put_at(p, r, state, NULL, fit(r, state, left, edge), edge);
		left = r->col + 2;
	}
	if (*note != '\0')
		put_field(p, r, note, fit(r, note, left, edge), edge);
}

/* Makes the row of match I. */
static void
put_row(struct prompt *p, size_t i, const struct columns *at)
{
	struct host *host = ranking_get(&p->rank, i);
	struct row r = { at->name, 0 };
	int chosen = i == p->sel;
	char text[32] = "";

	if (host->number > 0)
		snprintf(text, sizeof(text), "%zu", host->number);
	buf_fmt(&p->line, "%s%-*s%*s%*s", chosen ? "\033[7m" : "", at->number,
	    chosen ? ">" : "", at->name - 2 * at->number, text, at->number, "");
	put_field(p, &r, host->name, at->name, at->addr - 2 < tty.cols ? at->addr - 2 : tty.cols - 1);
	buf_str(&p->line, chosen ? "" : "\033[2m");
	put_details(p, &r, host, at);
	buf_str(&p->line, "\033[m");
}

/* The columns of the query from byte FROM to the cursor. */
static int
query_width(struct prompt *p, size_t from)
{
	char c = p->query[p->cursor];
	int width;

	p->query[p->cursor] = '\0';
	width = text_width(p->query + from);
	p->query[p->cursor] = c;
	return width;
}

/* Makes the query's line: of a long one the part with the cursor in it. */
static void
put_query(struct prompt *p)
{
	const struct hosts *h = p->rank.hosts;
	const char *keys = p->len == 0 && tty.cols >= NARROW ? "? keys  " : "";
	int room = tty.cols > 4 ? tty.cols - 4 : 0, col, n;
	size_t start = 0;

	while (query_width(p, start) > room)
		start += char_len(p->query + start, p->cursor - start, &n);
	p->column = 2 + query_width(p, start);
	buf_str(&p->line, "> ");
	col = 2 + put_text(&p->line, p->query + start, room + 1, NULL);
	p->text.len = 0;
	if (p->message[0] != '\0')
		buf_str(&p->text, p->message);
	else
		buf_fmt(&p->text, "%s%zu/%zu", keys, p->rank.len, h->len +
		    (p->rank.recent ? h->typed - h->forgotten : 0));
	n = text_width(p->text.v);
	if (col + 1 + n < tty.cols) {
		buf_fmt(&p->line, "\033[K\033[%dG\033[2m", tty.cols - n);
		put_text(&p->line, p->text.v, n, NULL);
		buf_str(&p->line, "\033[m");
	}
}

/*
 * The row behind the matches: the query as a destination or, if there is no
 * match either, why not.
 */
static void
put_last(struct prompt *p)
{
	int chosen = p->rank.len > 0 && p->sel == p->rank.len;
	const struct options *o = p->options;

	p->text.len = 0;
	buf_str(&p->text, chosen ? "> " : "  ");
	if (query_is_destination(p))
		buf_fmt(&p->text, "ssh %s", p->query);
	else if (p->rank.len > 0)
		return;
	else if (p->query[strspn(p->query, " ")] != '\0')
		buf_str(&p->text, "no match");
	else if (o->inventory != NULL)
		buf_fmt(&p->text, "no hosts in %s", o->inventory);
	else
		buf_fmt(&p->text, "no Host entries in %s", o->file != NULL ?
		    o->file : "~/.ssh/config");
	buf_str(&p->line, chosen ? "\033[7m" : "");
	put_text(&p->line, p->text.v, tty.cols - 1, NULL);
	buf_str(&p->line, chosen ? "\033[m" : "");
}

/* Makes line I of the frame: the query, a host, what the help says, nothing. */
static void
put_line(struct prompt *p, size_t i, const struct columns *at)
{
	size_t row = p->top + i - 1;

	p->line.len = 0;
	buf_str(&p->line, "");
	if (i == 0)
		put_query(p);
	else if (p->help && i <= HELP_LINES)
		put_text(&p->line, help_lines[i - 1], tty.cols - 1, NULL);
	else if (!p->help && row < p->rank.len)
		put_row(p, row, at);
	else if (!p->help && row == p->rank.len)
		put_last(p);
}

/* Moves the window so far that the selected row is in it, and it is full. */
static void
prompt_scroll(struct prompt *p)
{
	size_t room = prompt_room(), rows = prompt_rows(p);

	if (p->sel >= rows)
		p->sel = rows > 0 ? rows - 1 : 0;
	if (p->sel < p->top)
		p->top = p->sel;
	if (room > 0 && p->sel >= p->top + room)
		p->top = p->sel - room + 1;
	if (p->top + room > rows)
		p->top = rows > room ? rows - room : 0;
}

/*
 * Draws a frame.  The cursor is on the query's line before and after it, and
 * is hidden in between.  Lines that are not there yet are made by line feeds,
 * which scroll at the bottom of the screen.
 */
static void
prompt_draw(struct prompt *p)
{
	size_t i, at = 0, room = prompt_room();
	struct columns columns;

	prompt_scroll(p);
	measure(p, &columns);
	buf_str(&p->out, p->height > 0 ? "\033[?25l" :
	    "\033[?25l\033[?2004h");
	for (i = 0; i <= room; i++) {
		put_line(p, i, &columns);
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
	tty_write(&p->out);
}

/* Leaves the screen as if the prompt had not been there. */
static void
prompt_erase(struct prompt *p)
{
	if (p->height > 0)
		buf_str(&p->out, "\r\033[J\033[?2004l");
	tty_write(&p->out);
	p->height = 0;
}

/* After a resize or a foreign message: all is to be drawn again. */
static void
prompt_redraw(struct prompt *p)
{
	if (p->height > 0 && p->column >= tty.cols)
		buf_fmt(&p->out, "\033[%dA", p->column / tty.cols);
	if (p->height > 0)
		buf_str(&p->out, "\r\033[J");
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

/* The start of the word before the cursor. */
static size_t
word_before(const struct prompt *p)
{
	size_t i = p->cursor;

	while (i > 0 && p->query[i - 1] == ' ')
		i--;
	while (i > 0 && p->query[i - 1] != ' ')
		i--;
	return i;
}

/* The end of the word behind the cursor. */
static size_t
word_after(const struct prompt *p)
{
	size_t i = p->cursor + strspn(p->query + p->cursor, " ");

	return i + strcspn(p->query + i, " ");
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
	size_t end = p->len;

	while (end > 0 && p->query[end - 1] == ' ')
		end--;
	query_delete(p, end, p->len);
	query_delete(p, 0, strspn(p->query, " "));
	p->cursor = p->len;
}

/*
 * Applies a key that is for the query: one that moves the cursor somewhere or
 * deletes up to there, or text.  Returns 0 if it is none.
 */
static int
query_key(struct prompt *p, int key)
{
	size_t to, from = p->cursor;

	switch (key) {
	case CTL('b'):
	case CTL('h'):
	case 0x7f:
		to = before_cursor(p);
		break;
	case CTL('f'):
	case CTL('d'):
	case KEY_DELETE:
		to = after_cursor(p);
		break;
	case CTL('a'):
	case CTL('u'):
		to = 0;
		break;
	case CTL('e'):
	case CTL('k'):
		to = p->len;
		break;
	case KEY_WORD_LEFT:
	case CTL('w'):
		to = word_before(p);
		break;
	case KEY_WORD_RIGHT:
		to = word_after(p);
		break;
	default:
		if (key >= KEY_NONE || is_control(key))
			return 0;
		query_insert(p, key);
		return 1;
	}
	if (key == CTL('b') || key == CTL('f') || key == CTL('a') ||
	    key == CTL('e') || key == KEY_WORD_LEFT || key == KEY_WORD_RIGHT)
		p->cursor = to;
	else
		query_delete(p, to < from ? to : from, to < from ? from : to);
	return 1;
}

/* Moves the selection by at most BACK rows up and ON rows down. */
static void
prompt_move(struct prompt *p, size_t back, size_t on)
{
	size_t last = prompt_rows(p) > 0 ? prompt_rows(p) - 1 : 0;

	p->sel -= p->sel < back ? p->sel : back;
	p->sel += last - p->sel < on ? last - p->sel : on;
	prompt_scroll(p);
}

/* Whether a key waits. */
static int
key_waits(void)
{
	int n;

	return caught || (ioctl(tty.fd, FIONREAD, &n) == 0 && n > 0);
}

/* Stops WHO (see suspend) until the prompt is to be there again. */
static void
prompt_suspend(struct prompt *p, pid_t who)
{
	prompt_erase(p);
	suspend(who);
	keys_begin(&p->decoder);
}

/* A signal, or what stands for one: comes back when wl is to go on. */
static void
prompt_signal(struct prompt *p)
{
	int signo = caught, rows = tty.rows, cols = tty.cols;

	if (signo == SIGTSTP) {
		prompt_suspend(p, getpid());
	} else if (signo != 0) {
		probes_end(&p->probes);
		prompt_erase(p);
		die_of(signo);
	}
	tty_size();
	if (tty_taken()) {	/* after a SIGSTOP, by the shell */
		tty.mode = TTY_COOKED;
		keys_begin(&p->decoder);
		signo = SIGCONT;
	}
	if (signo != 0 || rows != tty.rows || cols != tty.cols)
		prompt_redraw(p);
}

/* Appends S in base 64. */
static void
put_base64(struct buf *out, const char *s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(s), i, k;
	uint32_t bits;

	for (i = 0; i < n; i += 3) {
		for (bits = 0, k = i; k < i + 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)s[k] : 0);
		for (k = 0; k < 4; k++)
			buf_add(out, i + k > n ? "=" :
			    &digits[bits >> (18 - 6 * k) & 63], 1);
	}
}

/* ^Y: gives the host's HostName to the terminal's clipboard (OSC 52). */
static void
prompt_copy(struct prompt *p, struct host *host)
{
	const char *name = host_values(p->rank.hosts, host)->name.v;

	buf_str(&p->out, "\033]52;c;");
	put_base64(&p->out, name);
	buf_str(&p->out, "\a");
	snprintf(p->message, sizeof(p->message), "copied %s", name);
}

/* ^T: tests the hosts that are shown. */
static void
prompt_probe(struct prompt *p)
{
	size_t i, last = p->top + prompt_room();

	for (i = p->top; i < p->rank.len && i < last; i++)
		probe_start(&p->probes, p->rank.hosts,
		    ranking_get(&p->rank, i));
}

/* ^O: the editor on the host's entry; then the list is read again. */
static void
prompt_edit(struct prompt *p, struct host *host)
{
	struct hosts *h = p->rank.hosts;
	struct args a = { NULL, 0, 0 };

	if (!editor_args(&a, h, host)) {
		snprintf(p->message, sizeof(p->message), "not in a file");
		return;
	}
	prompt_erase(p);
	probes_end(&p->probes);
	run_job(&a);
	free(a.v);
	hosts_read(h, p->options);
	tty_size();
	keys_begin(&p->decoder);
	p->prepared = p->sel = p->top = 0;
	p->rank.valid = 0;
}

/* ^R: shows those used last first, or not. */
static void
prompt_recent(struct prompt *p)
{
	const struct hosts *h = p->rank.hosts;
	size_t i = 0, n = h->len + h->typed;

	while (i < n && h->v[i].use == 0)
		i++;
	if (i == n)
		snprintf(p->message, sizeof(p->message), "nothing used yet");
	p->rank.recent = !p->rank.recent && i < n;
	p->rank.valid = 0;
	p->sel = p->top = 0;
}

/* ^X: of those used last, forgets one. */
static void
prompt_forget(struct prompt *p, struct host *host)
{
	if (!p->rank.recent || host->use == 0)
		return;
	recent_write(host->name, 1);
	host->use = 0;
	p->rank.hosts->forgotten += host->number == 0;
	p->rank.valid = 0;
	ranking_update(&p->rank, p->query);
	if (p->rank.len > 0 && p->sel >= p->rank.len)
		p->sel = p->rank.len - 1;
}

/* Applies a key that does something with the selected host. */
static void
host_key(struct prompt *p, int key)
{
	struct host *host;

	if (p->sel >= p->rank.len)
		return;
	host = ranking_get(&p->rank, p->sel);
	if (key == CTL('o'))
		prompt_edit(p, host);
	else if (key == CTL('x'))
		prompt_forget(p, host);
	else if (key == CTL('y'))
		prompt_copy(p, host);
}

/* Applies a key that is for the list of matches. */
static void
list_key(struct prompt *p, int key)
{
	size_t page = prompt_room() > 1 ? prompt_room() - 1 : 1;

	ranking_update(&p->rank, p->query);
	switch (key) {
	case CTL('p'):
		prompt_move(p, 1, 0);
		break;
	case CTL('n'):
	case CTL('j'):
	case CTL('i'):
		prompt_move(p, 0, 1);
		break;
	case KEY_PGUP:
		p->top -= p->top < page ? p->top : page;
		prompt_move(p, page, 0);
		break;
	case KEY_PGDN:
		p->top += page;
		prompt_move(p, 0, page);
		break;
	case KEY_HOME:
		prompt_move(p, SIZE_MAX, 0);
		break;
	case KEY_END:
		prompt_move(p, 0, SIZE_MAX);
		break;
	case CTL('r'):
		prompt_recent(p);
		break;
	case CTL('t'):
		prompt_probe(p);
		break;
	default:
		host_key(p, key);
	}
}

/* Enter: what is chosen. */
static enum choice
prompt_enter(struct prompt *p)
{
	ranking_update(&p->rank, p->query);
	if (p->sel < p->rank.len)
		return CHOSE_HOST;
	query_trim(p);
	return query_is_destination(p) ? CHOSE_QUERY : CHOSE_NOTHING;
}

/*
 * Applies a key.  Returns 1 when the prompt is over, with what was chosen in
 * *CHOICE.
 */
static int
prompt_key(struct prompt *p, int key, enum choice *choice)
{
	size_t len = p->len;

	if (p->help && key != CTL('c') && key != KEY_HANGUP)
		key = KEY_NONE;		/* it only ends the help */
	else if (key == CTL('d') && p->len == 0)
		key = KEY_ESC;
	else if (key == CTL('k') && p->cursor == p->len)
		key = CTL('p');
	else if (key == '?' && p->len == 0 && !p->decoder.paste)
		key = KEY_F1;
	p->message[0] = '\0';
	p->help = key == KEY_F1;
	switch (key) {
	case KEY_NONE:
	case KEY_F1:
		break;
	case KEY_ESC:
	case KEY_HANGUP:
		return 1;
	case '\r':
		*choice = prompt_enter(p);
		return *choice != CHOSE_NOTHING;
	case CTL('c'):
		caught = SIGINT;	/* see prompt_signal() */
		break;
	case CTL('l'):
		prompt_redraw(p);
		break;
	case CTL('z'):
		prompt_suspend(p, 0);
		break;
	default:
		if (!query_key(p, key))
			list_key(p, key);
		else if (p->len != len)
			p->sel = p->top = 0;
	}
	return 0;
}

/* Looks hosts up ahead of the first key that asks for all of them. */
static void
prompt_prepare(struct prompt *p)
{
	struct hosts *h = p->rank.hosts;
	size_t n;

	while (p->prepared < h->len && !key_waits())
		for (n = 0; n < 256 && p->prepared < h->len; n++)
			host_details(h, &h->v[p->prepared++]);
}

/*
 * Lets the user choose.  CHOSE_HOST: *HOST is the host; CHOSE_QUERY: p->query
 * itself is meant.
 */
static enum choice
prompt_run(struct prompt *p, struct host **host)
{
	enum choice choice = CHOSE_NOTHING;
	int key, over = 0;

	signals_catch();
	keys_begin(&p->decoder);
	open_find(&p->open);
	while (!over) {
		if (p->height == 0 || !key_waits()) {
			ranking_update(&p->rank, p->query);
			prompt_draw(p);
		}
		prompt_prepare(p);
		key = read_key(&p->decoder);
		if (key == KEY_SIGNAL) {
			prompt_signal(p);
			probes_news(&p->probes);
		}
		if (key != KEY_SIGNAL && key != KEY_NONE)
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
		buf_fmt(&p->out, "%zu ", host->number);
		put_text(&p->out, host->name, INT_MAX / 2, NULL);
		buf_str(&p->out, "\n");
	}
}

/* Reads a line of the terminal into the query; 0 at the end of file. */
static int
plain_read(struct prompt *p)
{
	unsigned char c = 0;

	p->len = 0;
	buf_str(&p->out, "host: ");
	tty_write(&p->out);
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
	signals_catch();
	ranking_update(&p->rank, p->query);
	plain_list(p);
	while (plain_read(p)) {
		ranking_update(&p->rank, p->query);
		if (p->rank.len == 0)
			return CHOSE_QUERY;
		*host = ranking_get(&p->rank, 0);
		if (p->rank.len == 1 || p->rank.query.number > 0 ||
		    strcmp((*host)->name, p->query) == 0)
			return CHOSE_HOST;
		plain_list(p);
	}
	return CHOSE_NOTHING;
}

/*
 * The chosen host's settings, as `ssh -G' prints them: ssh alone decides what
 * holds for this connection.
 */

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

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

/*
 * Runs ssh until it ends, for MS milliseconds at most unless that is -1.  Its
 * standard output goes to OUT.  Returns its status, -1 if it took too long.
 */
static int
ssh_output(const struct args *a, struct buf *out, int errors, long ms)
{
	long long until = now_ms() + ms;
	int pipefd[2], fds[3], status;
	char chunk[4096];
	ssize_t n;
	pid_t pid;

	if (pipe(pipefd) == -1)
		err(2, "pipe");
	fcntl(pipefd[0], F_SETFD, FD_CLOEXEC);
	fcntl(pipefd[1], F_SETFD, FD_CLOEXEC);
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	fds[0] = null_fd();
	fds[1] = pipefd[1];
	fds[2] = errors;
	pid = spawn(a, environ, fds, 0);
	close(pipefd[1]);
	do {
		if (tty_wait(pipefd[0], ms) == -1 && caught == SIGTSTP) {
			suspend(getpid());
			kill(pid, SIGCONT);
		} else if (caught || (ms != -1 && now_ms() >= until)) {
			kill(pid, SIGTERM);
			kill(pid, SIGCONT);
			break;
		}
		n = read(pipefd[0], chunk, sizeof(chunk));
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	} while (n > 0 || (n == -1 && errno == EAGAIN));
	close(pipefd[0]);
	status = wait_for(pid);
	if (caught)
		die_of(caught);
	return ms != -1 && now_ms() >= until ? -1 : status;
}

/* Asks `ssh -G'; returns 0, or the status with which it failed. */
static int
settings_read(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	FILE *said = tmpfile();
	char chunk[4096];
	size_t n;
	int status;

	ssh_args(&a, t);
	arg_add(&a, "-G");
	arg_add(&a, "-T");	/* or it complains that it has no terminal */
	arg_session(&a, t);	/* a Match line may ask for what is run */
	t->settings.len = t->warnings.len = 0;
	buf_str(&t->settings, "");
	buf_str(&t->warnings, "");
	status = ssh_output(&a, &t->settings, said != NULL ? fileno(said) : 2,
	    -1);
	free(a.v);
	if (said != NULL) {
		rewind(said);
		while ((n = fread(chunk, 1, sizeof(chunk), said)) > 0)
			buf_add(&t->warnings, chunk, n);
		fclose(said);
	}
	if (status != 0)
		(void)write_all(2, t->warnings.v, t->warnings.len);
	if (status > 128 && status < 255)
		ended_by(status - 128);
	return status;
}

static int
is_proxied(struct target *t)
{
	return *setting(t, "proxyjump") != '\0' ||
	    *setting(t, "proxycommand") != '\0';
}

/* Counts the variables of the environment that TEXT names as $X or ${X}. */
static uint64_t
hash_variables(uint64_t h, const char *text)
{
	char name[128];
	const char *v;
	int n;

	while ((text = strchr(text, '$')) != NULL) {
		text += text[1] == '{' ? 2 : 1;
		n = (int)strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
		    "abcdefghijklmnopqrstuvwxyz0123456789");
		snprintf(name, sizeof(name), "%.*s", n, text);
		if ((v = getenv(name)) != NULL)
			h = fnv(h, v, strlen(v) + 1);
	}
	return h;
}

/* Whether a word of the command is a file, by a path that is not absolute. */
static int
is_relative(const char *command)
{
	static const char ends[] = BLANKS "\"'`()<>;|&=$";
	struct buf word = { NULL, 0, 0 };
	int found = 0;
	size_t n;

	for (; *command != '\0' && !found; command += n) {
		command += strspn(command, ends);
		n = strcspn(command, ends);
		word.len = 0;
		buf_add(&word, command, n);
		found = *command != '/' && access(word.v, F_OK) == 0;
	}
	free(word.v);
	return found;
}

/*
 * Counts what is around a proxy and ssh -G does not print: the state of the
 * configuration's files, as a jump host or the ssh of a proxy command has
 * settings of its own, and where the files are that the command names.
 */
static uint64_t
hash_proxy(uint64_t h, struct target *t)
{
	const struct config *c = t->hosts->config;
	struct stat st;
	char *dir;
	size_t i;

	for (i = 0; i < c->nfiles; i++) {
		memset(&st, 0, sizeof(st));
		(void)stat(c->files[i].path, &st);
		h = fnv(h, c->files[i].path, strlen(c->files[i].path) + 1);
		h = fnv(h, &st.st_dev, sizeof(st.st_dev));
		h = fnv(h, &st.st_ino, sizeof(st.st_ino));
		h = fnv(h, &st.st_size, sizeof(st.st_size));
		h = fnv(h, &st.st_mtim, sizeof(st.st_mtim));
	}
	if (is_relative(setting(t, "proxycommand")) &&
	    (dir = getcwd(NULL, 0)) != NULL) {
		h = fnv(h, dir, strlen(dir) + 1);
		free(dir);
	}
	return h;
}

/*
 * The hash of all that decides where the host's connection leads, and as
 * whom: what ssh -G prints, and the environment as far as that names it or it
 * is used without being named.  Left out are the keywords of the sharing itself
 * (ControlPersist=10m for once is to be found again without it), and those
 * that are of one session only.
 */
static uint64_t
target_hash(struct target *t)
{
	const char *p = t->settings.v, *eol, *agent;
	struct buf line = { NULL, 0, 0 };
	uint64_t h = FNV_START;

	for (; (eol = strchr(p, '\n')) != NULL; p = eol + 1) {
		line.len = 0;
		buf_add(&line, p, (size_t)(eol - p) + 1);
		if (strncmp(line.v, "control", 7) != 0 &&
		    strncmp(line.v, "remotecommand ", 14) != 0 &&
		    strncmp(line.v, "setenv ", 7) != 0)
			h = hash_variables(fnv(h, line.v, line.len), line.v);
	}
	free(line.v);
	agent = setting(t, "identityagent");
	if (*agent == '\0' || strcmp(agent, "SSH_AUTH_SOCK") == 0 ||
	    is_proxied(t))
		h = hash_variables(h, "$SSH_AUTH_SOCK");
	if (strcmp(setting(t, "forwardx11"), "yes") == 0)
		h = hash_variables(h, "$DISPLAY");
	return is_proxied(t) ? hash_proxy(h, t) : h;
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

/*
 * Whether this wl is the one that becomes the master of its socket.  Of
 * several that log in at once each could, and all but the first complain that
 * there is one.  A link to the process id of the first tells, which is ssh's
 * later: the claim ends with it.
 */
static int
master_claim(const struct target *t)
{
	struct buf path = { NULL, 0, 0 };
	char own[32], pid[32];
	int tries, won = t->users;
	ssize_t n;

	buf_fmt(&path, "%s.claim", t->socket.v);
	snprintf(own, sizeof(own), "%ld", (long)getpid());
	for (tries = 0; tries < 2 && !won; tries++) {
		won = symlink(own, path.v) == 0 || errno != EEXIST;
		if (won || (n = readlink(path.v, pid, sizeof(pid) - 1)) <= 0)
			continue;
		pid[n] = '\0';
		if (kill((pid_t)atol(pid), 0) == 0)
			break;
		unlink(path.v);
	}
	free(path.v);
	return won;
}

/* Removes what wl or a master that was killed left behind long ago. */
static void
dir_sweep(const struct buf *dir)
{
	struct buf path = { NULL, 0, 0 };
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (dir->len == 0 || (d = opendir(dir->v)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		path.len = 0;
		buf_fmt(&path, "%s/%s", dir->v, e->d_name);
		if (lstat(path.v, &st) == 0 &&
		    (S_ISSOCK(st.st_mode) || S_ISLNK(st.st_mode)) &&
		    st.st_mtime + STALE_S < time(NULL) &&
		    !socket_listens(path.v))
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

	for (i = 0; i < o->ssh.len; i++) {
		s = o->ssh.v[i] + strspn(o->ssh.v[i], BLANKS);
		if (strncasecmp(s, keyword, n) == 0 &&
		    s[n + strspn(s + n, BLANKS "=")] != '\0' &&
		    strchr(BLANKS "=", s[n]) != NULL)
			return s + n + strspn(s + n, BLANKS "=");
	}
	return "";
}

/*
 * Whether the session can have no master but itself: one of another kind, as
 * `ssh -N' is, would be of no use or might get other settings.
 */
static int
is_own_master(const struct target *t)
{
	return is_no(user_option(t->options, "ControlPersist")) ||
	    t->hosts->config->by_session;
}

/* Whether ssh only forwards, goes to the background or reads nothing. */
static int
is_no_session(struct target *t)
{
	return strcmp(setting(t, "sessiontype"), "none") == 0 ||
	    strcmp(setting(t, "forkafterauthentication"), "yes") == 0 ||
	    strcmp(setting(t, "stdinnull"), "yes") == 0;
}

/*
 * Chooses the way.  Who asks to be asked, or with -o for no sharing, gets
 * plain ssh.
 */
static enum plan
target_plan(struct target *t, int terminal)
{
	const char *control = setting(t, "controlmaster");

	if (strcmp(control, "ask") == 0 || strcmp(control, "autoask") == 0 ||
	    strcasecmp(user_option(t->options, "ControlPath"), "none") == 0 ||
	    is_no(user_option(t->options, "ControlMaster")) ||
	    is_no_session(t))
		return PLAN_PLAIN;
	socket_find(t);
	if (t->socket.len == 0)
		return PLAN_PLAIN;
	if (master_alive(t->socket.v))
		return PLAN_ATTACH;
	return terminal && !is_own_master(t) ? PLAN_MASTER : PLAN_DIRECT;
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
	if (t->users)
		return;
	arg_option(a, t->option.v);
	if (strcmp(setting(t, "serveraliveinterval"), "0") == 0)
		arg_option(a, "ServerAliveInterval=30");
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
	ssh_args(a, t);
	if (plan == PLAN_DIRECT)
		master_args(t, a);
	else
		attach_args(t, plan, a);
	args_add(a, &t->options->session);
	arg_session(a, t);
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
	int fd = unix_socket(&sun, where);
	ssize_t n;

	snprintf(request, sizeof(request), "%c%s",
	    kind != NULL && *kind != '\0' ? *kind : 'p', text);
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    write_all(fd, request, sizeof(request)) == -1 ||
	    (n = read(fd, answer, sizeof(answer))) <= 0)
		return 1;
	(void)write_all(1, answer, (size_t)n);
	wipe(answer, sizeof(answer));
	return 0;
}

/*
 * Logging in: a master is started, a job of its own, of which no process,
 * socket or file stays behind when it is of no use.  Its debug messages tell
 * the spinner how far it has got; all else that it, its proxies and the server
 * write reaches the user, in order and when it is written.
 */

enum {
	LINGER_MS = 2000,	/* how long ours may take to leave a live socket */
	SPIN_AFTER = 100,	/* ms before the spinner is shown */
	SPIN_EVERY = 80,	/* ms between its frames */
	SAY_MAX = 512,		/* bytes that a pipe takes if it takes any */
	PIPE_BYTES = 1 << 16,	/* that are in a pipe at most */
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
	char stage[256];
	struct buf address;	/* as the spinner shows it */
	long long start;	/* ms; time that was not spinning not counted */
	long long entered;	/* when it came into its state */
	long long listening;	/* since when there is a master, 0: not yet */
	long long frame;	/* the spinner's last one, 0: none yet */
	int width;		/* columns of the spinner's line */
	struct buf out;		/* for the terminal */
	int listen;		/* for questions, -1: none are taken */
	struct buf path;	/* of that socket */
	int client;		/* who asks or has a notice, or -1 */
	char request[ASK_SIZE];	/* what it wants: kind, text */
	int echo;		/* its answer is no secret */
};

/*
 * How messages begin that ssh does not write at its own LogLevel, and of which
 * stage they tell.
 */
static const struct { const char *begin, *stage; } messages[] = {
	{ "debug1: Connecting to ", "connecting" },
	{ "debug1: Executing proxy command", "connecting" },
	{ "debug1: Connection established", "waiting for an answer" },
	{ "debug1: Authenticating to ", "exchanging keys" },
	{ "debug1: SSH2_MSG_SERVICE_ACCEPT received", "authenticating" },
	{ "debug1: ", NULL }, { "debug2: ", NULL }, { "debug3: ", NULL },
	{ "Authenticated ", NULL }, { "Transferred: ", NULL },
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

/*
 * Takes the stage from a message; 0 if it is none of those.  A jump host's ssh
 * writes some too: until the host itself is spoken to it is jumped to.
 */
static int
login_stage(struct login *l, const char *s)
{
	const char *host = setting(l->target, "hostname"), *p;
	size_t i = 0;

	while (messages[i].begin != NULL && !behind(s, messages[i].begin))
		i++;
	if (behind(s, "ControlSocket "))
		l->listening = 1;	/* another wl's master has it */
	if ((p = behind(s, "debug1: Authenticating to ")) != NULL &&
	    (p = behind(p, host)) != NULL && *p == ':')
		l->arrived = 1;
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

/*
 * Begins a line of wl's, below one that ssh has not ended or in place of the
 * spinner, which a resize may have wrapped.
 */
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
	tty_write(&l->out);
}

/*
 * Shows the spinner's next frame when it is time and no pager, say, has taken
 * the terminal: where to, at which stage, for how long.  Where there is not
 * room for all the address goes first.
 */
static void
spinner_draw(struct login *l)
{
	static const char dots[] = "\xe2\xa0\x8b\xe2\xa0\x99\xe2\xa0\xb9"
	    "\xe2\xa0\xb8\xe2\xa0\xbc\xe2\xa0\xb4\xe2\xa0\xa6\xe2\xa0\xa7"
	    "\xe2\xa0\x87\xe2\xa0\x8f", ascii[] = "|/-\\";
	int utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	long long ms = now_ms() - l->start, frame = ms / SPIN_EVERY;
	const char *address = l->address.v;
	struct buf text = { NULL, 0, 0 };

	if (tty_taken())
		spinner_erase(l);
	if (tty_taken() || !tty_draws() || ms < SPIN_AFTER ||
	    frame == l->frame)
		return;
	l->frame = frame;
	tty_size();
	for (;; address = "") {
		text.len = 0;
		buf_fmt(&text, "%.*s %s%s  %s  %lld.%llds", utf8 ? 3 : 1,
		    utf8 ? dots + frame % 10 * 3 : ascii + frame % 4,
		    l->target->name, address, l->client != -1 ?
		    l->request + 1 : l->stage, ms / 1000, ms % 1000 / 100);
		if (*address == '\0' || text_width(text.v) < tty.cols)
			break;
	}
	line_begin(l);
	l->width = put_text(&l->out, text.v, tty.cols - 1, NULL);
	tty_write(&l->out);
	free(text.v);
}

/*
 * Writes what is for the user.  Whoever does not read it is waited for, unless
 * a signal ends wl.
 */
static void
login_say(struct login *l, const char *s, size_t n)
{
	fd_set out;
	ssize_t w;

	if (n == 0)
		return;
	spinner_erase(l);
	l->unended = isatty(2) && s[n - 1] != '\n';
	l->spoke = 1;
	FD_ZERO(&out);
	while (n > 0 && (caught == 0 || caught == SIGTSTP)) {
		FD_SET(2, &out);
		if (pselect(3, NULL, &out, NULL, NULL, &tty.saved.mask) == -1)
			continue;
		w = write(2, s, n < SAY_MAX ? n : SAY_MAX);
		if (w == -1 && errno != EAGAIN)
			return;
		s += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
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
	login_say(l, said.v, said.len);
	free(said.v);
}

/*
 * Makes the pipe for the master's standard error, which a proxy keeps for the
 * whole connection.  It is open for reading too, so that a write does not break
 * it; when nobody reads any more and it is full a write fails (see login_end).
 */
static int
login_pipe(struct login *l)
{
	struct buf path = { NULL, 0, 0 };

	buf_fmt(&path, "%s/log.%ld", l->target->dir.v, (long)getpid());
	unlink(path.v);
	if (mkfifo(path.v, 0600) == 0) {
		l->log = open(path.v, O_RDWR | O_CLOEXEC);
		unlink(path.v);
	}
	free(path.v);
	return l->log != -1 && l->log + 8 < FD_SETSIZE;
}

/* Begins to listen for questions. */
static int
ask_listen(struct login *l)
{
	struct sockaddr_un sun;

	buf_fmt(&l->path, "%s/ask.%ld", l->target->dir.v, (long)getpid());
	if ((l->listen = unix_socket(&sun, l->path.v)) == -1)
		return 0;
	unlink(l->path.v);
	fcntl(l->listen, F_SETFL, O_NONBLOCK);
	return bind(l->listen, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
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
	struct args env = { NULL, 0, 0 };
	size_t i;

	for (i = 0; environ[i] != NULL; i++)
		if (strncmp(environ[i], "SSH_ASKPASS=", 12) != 0)
			arg_add(&env, environ[i]);
	buf_fmt(&where, "%s=%s", ASK_ENV, l->path.v);
	buf_fmt(&program, "SSH_ASKPASS=%s", path != NULL ? path : self);
	arg_add(&env, where.v);
	arg_add(&env, program.v);
	arg_add(&env, "SSH_ASKPASS_REQUIRE=force");
	return (char **)env.v;
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
	l->log = l->listen = l->client = -1;
	if (t->dir.len == 0)
		dir_find(&t->dir, 1);
	dir_sweep(&t->dir);
	if (t->dir.len == 0 || !login_pipe(l) || (!own && !ask_listen(l)))
		return 0;
	l->arrived = *setting(t, "proxyjump") == '\0';
	snprintf(l->stage, sizeof(l->stage), "%s%s", l->arrived ?
	    "looking up" : "via ", setting(t, "proxyjump"));
	buf_fmt(&l->address, "  %s@", setting(t, "user"));
	buf_str(&l->address, setting(t, "hostname"));
	if (strcmp(setting(t, "port"), "22") != 0)
		buf_fmt(&l->address, ":%s", setting(t, "port"));
	l->sorted = default_level(t) ||
	    strcmp(setting(t, "loglevel"), "ERROR") == 0;
	login_args(t, &a, default_level(t));
	fds[0] = fds[1] = null_fd();
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
		unlink(l->path.v);
	close(l->listen);
	free(l->path.v);
	free(l->address.v);
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
	if (!l->target->users && !master_alive(l->target->socket.v))
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
		tty_set(state == LOGIN_SPINNING ? TTY_SPINNER : TTY_COOKED);
	if (l->state != LOGIN_SPINNING)
		l->start += now - l->entered;
	l->entered = now;
	l->state = state;
}

/* Puts the question to the user. */
static void
ask_put(struct login *l)
{
	const char *text = l->request + 1;
	size_t i;

	l->echo = *l->request == 'c';
	for (i = 0; i < sizeof(confirmations) / sizeof(confirmations[0]); i++)
		l->echo |= behind(text, confirmations[i]) != NULL;
	login_enter(l, LOGIN_ASKING);
	put_lines(&l->out, text);
	if (*l->request == 'c')
		buf_str(&l->out, " (yes/no) ");
	tcflush(tty.fd, TCIFLUSH);	/* typed ahead, it is no answer */
	tty_write(&l->out);
}

/*
 * Lets the client go, and the login go on.  If there is no answer, no shell is
 * to get what was typed of one.
 */
static void
ask_end(struct login *l, int refused)
{
	if (refused) {
		tcflush(tty.fd, TCIFLUSH);
		(void)write_all(tty.fd, "\n", 1);
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

/* Looks after who asks; a client that can be read has gone. */
static void
ask_step(struct login *l, const fd_set *in)
{
	if (l->state == LOGIN_ASKING && FD_ISSET(tty.fd, in))
		ask_answer(l);
	else if (l->client == -1)
		ask_accept(l);
	else if (FD_ISSET(l->client, in))
		ask_end(l, l->state == LOGIN_ASKING);
}

/* The login has ended, as STATE says; the user sees what ssh has said. */
static void
login_over(struct login *l, enum login_state state)
{
	if (l->state == LOGIN_ASKING)
		ask_end(l, 1);
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
		if (master_alive(l->target->socket.v))
			l->listening = now_ms();
	} else if (now_ms() - l->listening > LINGER_MS) {
		login_over(l, LOGIN_DONE);
		login_cancel(l);
	}
}

/*
 * Waits for a descriptor, a signal or the next frame.  What is said after a
 * question waits for its answer.
 */
static void
login_select(struct login *l, fd_set *in)
{
	static const struct timespec frame = { 0, SPIN_EVERY * 1000000L };
	int client = l->client != -1 ? l->client : l->listen;

	FD_ZERO(in);
	FD_SET(l->state == LOGIN_ASKING ? tty.fd : l->log, in);
	if (client != -1)
		FD_SET(client, in);
	if (pselect(FD_SETSIZE, in, NULL, NULL, &frame, &tty.saved.mask) <= 0)
		FD_ZERO(in);
	else
		tty_wait(-1, 0);	/* a signal may wait all the same */
}

/* Waits until the login is over. */
static void
login_wait(struct login *l)
{
	fd_set in;

	login_enter(l, LOGIN_SPINNING);
	while (l->state < LOGIN_DONE) {
		login_select(l, &in);
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
		if (l->state < LOGIN_DONE)
			ask_step(l, &in);
		if (l->state == LOGIN_SPINNING)
			spinner_draw(l);
	}
}

/* Reports, dim, how long it took. */
static void
report(struct login *l)
{
	long long ms = l->entered - l->start;

	line_begin(l);
	buf_str(&l->out, "\033[2m");
	put_text(&l->out, l->target->name, tty.cols, NULL);
	buf_fmt(&l->out, ": connected in %lld.%02lld s\033[m\n", ms / 1000,
	    ms % 1000 / 10);
	tty_write(&l->out);
}

/*
 * Logs in: starts the master and waits for it.  Returns 0 if that failed; if
 * it cannot even be tried, the session is to log in as ssh does, and if ssh
 * wants to ask by itself, with *PLAN to be the master.
 */
static int
login(struct target *t, enum plan *plan)
{
	struct login l;

	if (!login_start(&l, t))
		return 1;
	login_wait(&l);
	if (l.state == LOGIN_DONE && l.frame > 0 && !t->options->quiet)
		report(&l);
	if (l.state != LOGIN_DONE)
		login_cancel(&l);
	login_end(&l);
	if (l.state == LOGIN_KILLED)
		die_of(caught);
	if (l.state == LOGIN_ASIDE)
		*plan = PLAN_DIRECT;
	if (l.state != LOGIN_FAILED)
		return 1;
	if (WIFSIGNALED(l.status))
		ended_by(WTERMSIG(l.status));
	else if (!l.spoke)
		warnx("%s: ssh failed and does not say why; see ssh -v %s",
		    printable(t->name), printable(t->name));
	return 0;
}

/*
 * From the choice to the session.
 */

/* The command line of ssh's command CTL for the socket. */
static void
control_args(struct target *t, enum plan plan, const char *ctl, struct args *a)
{
	ssh_args(a, t);
	attach_args(t, plan, a);
	arg_add(a, "-O");
	arg_add(a, ctl);
	args_add(a, &t->options->session);
	arg_host(a, t->name);
}

/*
 * Whether the connection of the master that is there still works; else the
 * socket goes, and the master is left to its sessions.  The server is asked to
 * forward to where nothing can be, which any server answers, if only by no,
 * and which runs nothing.  As that takes an ssh and a round trip, the time of
 * the socket tells when it was last seen to work.
 */
static int
master_answers(struct target *t)
{
	struct args a = { NULL, 0, 0 };
	struct buf out = { NULL, 0, 0 };
	struct stat st;

	if (stat(t->socket.v, &st) == -1 ||
	    time(NULL) - st.st_mtime < IDLE_S)
		return 1;
	ssh_args(&a, t);
	attach_args(t, PLAN_ATTACH, &a);
	arg_option(&a, "BatchMode=yes");
	arg_add(&a, "-W");
	arg_add(&a, "255.255.255.255:1");
	arg_host(&a, t->name);
	if (ssh_output(&a, &out, null_fd(), ANSWER_MS) != -1) {
		(void)utimensat(AT_FDCWD, t->socket.v, NULL, 0);
		return 1;
	}
	warnx("%s: the connection does not answer, making a new one",
	    printable(t->name));
	control_args(t, PLAN_ATTACH, "stop", &a);
	(void)ssh_output(&a, &out, null_fd(), ANSWER_MS);
	(void)unlink(t->socket.v);	/* if the master hangs as well */
	free(a.v);
	return 0;
}

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
	control_args(t, plan, t->options->ctl, &a);
	return become(&a);
}

/* -O without a host: ssh's command for each of wl's own masters. */
static int
control_all(const struct options *o)
{
	const int fds[3] = { null_fd(), 1, 2 };
	struct buf dir = { NULL, 0, 0 }, path = dir;
	struct args a = { NULL, 0, 0 };
	struct dirent *e;
	DIR *d = NULL;
	int found = 0;

	dir_find(&dir, 0);
	if (dir.len > 0)
		d = opendir(dir.v);
	while (d != NULL && (e = readdir(d)) != NULL) {
		path.len = 0;
		buf_fmt(&path, "%s/%s", dir.v, e->d_name);
		if (strchr(e->d_name, '-') == NULL ||	/* that of a hash */
		    !master_alive(path.v))
			continue;
		found = 1;
		warnx("%s", path.v);
		a.len = 0;
		arg_add(&a, "ssh");
		arg_add(&a, "-F");
		arg_add(&a, "none");
		arg_add(&a, "-S");
		arg_add(&a, path.v);
		arg_add(&a, "-O");
		arg_add(&a, o->ctl);
		arg_host(&a, e->d_name);
		wait_for(spawn(&a, environ, fds, 0));
	}
	if (!found)
		warnx("no shared connection");
	return !found;
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
	if (host == NULL || (g = host->given) == NULL)
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
	if (plan == PLAN_ATTACH && !o->dry && !master_answers(t))
		plan = target_plan(t, terminal);
	if (plan == PLAN_DIRECT && !o->dry && !master_claim(t))
		plan = PLAN_PLAIN;
	if (plan == PLAN_MASTER && o->dry) {
		login_args(t, &a, default_level(t));
		print_args(&a);
	} else if (plan == PLAN_MASTER && !login(t, &plan)) {
		(void)write_all(2, t->warnings.v, t->warnings.len);
		return 255;
	}
	session_args(t, plan, &a);
	if (o->dry) {
		print_args(&a);
		return 0;
	}
	if (terminal && isatty(0))	/* and no script */
		recent_write(t->name, 0);
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
version(void)
{
	puts("wl " VERSION);
	exit(finish(0));
}

/* A wrong option gets the ways to call wl, -h the options and examples too. */
static void
usage(FILE *to)
{
	fputs("usage: wl [-qt] [-F file] [-i file] [-o option]... "
	    "[query [command ...]]\n"
	    "       wl -l [-v] [-F file] [-i file] [query]\n"
	    "       wl -p [-F file] [-i file] [query]\n"
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
		    "  -S  print the path of the control socket\n"
		    "  -t  a terminal for the command, as in ssh;\n"
		    "      so are -4 -6 -A -C -D -J -L -R -X -Y\n"
		    "\n"
		    "  wl web             connect to the host that is meant\n"
		    "  wl web-1 uptime    run a command there\n", to);
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
			list_text(&out, host->name, terminal,
			    '\t');
			list_details(&out, r->hosts, host, terminal);
		} else {
			list_name(&out, host->name, terminal);
		}
		if (out.len >= LIST_CHUNK || i + 1 == r->len) {
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

/* Keeps the option C, and its argument, as ssh takes it. */
static void
ssh_option(struct args *a, int c, const char *arg)
{
	char word[] = { '-', (char)c, '\0' };

	arg_add(a, xstrdup(word));
	if (strchr("DJLRo", c) != NULL)
		arg_add(a, arg);
}

/*
 * Takes the options up to the next operand.  The `+' is for glibc, which else
 * takes options from behind it: they are the command's.
 */
static void
options_take(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv,
	    "+46ACD:F:J:L:O:R:SVXYehi:lno:pqtv")) != -1) {
		if (c == 'F')
			o->file = optarg;
		else if (c == 'O')
			o->ctl = optarg;
		else if (c == 'i')
			o->inventory = optarg;
		else if (c == 'h')
			usage(stdout);
		else if (c == 'V')
			version();
		else if (c == '?')
			usage(stderr);
		else if (strchr("DLRt", c) != NULL)
			ssh_option(&o->session, c, optarg);
		else if (strchr("46ACJXYo", c) != NULL)
			ssh_option(&o->ssh, c, optarg);
		else
			*option_flag(o, c) = 1;
	}
}

/*
 * Reads the options; returns the index of the query, which what is left then
 * follows.  As in ssh options may stand behind it too, unless there was a `--'.
 */
static int
options_read(struct options *o, int argc, char **argv)
{
	int mine, alone;
	char *query;

	memset(o, 0, sizeof(*o));
	o->self = argv[0];
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		usage(stdout);
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		version();
	options_take(o, argc, argv);
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		query = argv[optind++];
		options_take(o, argc, argv);
		argv[--optind] = query;
	}
	alone = o->edit + o->socket + (o->ctl != NULL);
	mine = alone + o->dry;
	if (o->list + o->print + mine > 1 || (o->verbose && !o->list) ||
	    (mine && o->ctl == NULL && optind == argc) ||
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
		if (i > 0)
			p->query[p->len++] = ' ';
		memcpy(p->query + p->len, words[i], strlen(words[i]) + 1);
		p->len += strlen(words[i]);
	}
	p->cursor = p->len;
}

/* Ends wl for `-p PORT HOST' and `-l USER HOST', which mean that to ssh. */
static void
habit_check(const struct ranking *r, const struct options *o, char **words)
{
	if (r->len > 0 || (o->print ? port_number(words[0]) == 0 :
	    host_find(r->hosts, words[1]) == NULL))
		return;
	errx(2, "nothing matches; ssh's -%s is -o %s%s", o->print ? "p" : "l",
	    o->print ? "Port=" : "User=", printable(words[0]));
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
		return host->name;
	if (strpbrk(p->query, "@:/") != NULL ||
	    inet_pton(AF_INET, p->query, &addr) == 1)
		return p->query;
	ranking_update(&p->rank, p->query);
	if (p->rank.len == 0)
		return p->query;
	if (p->rank.len > 1)
		return NULL;
	host = ranking_get(&p->rank, 0);
	if (!o->print && !o->dry && !o->socket) {
		fprintf(stderr, "wl: %s: ", printable(p->query));
		fprintf(stderr, "%s\n", printable(host->name));
	}
	return host->name;
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
		return host->name;
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
		    printable(ranking_get(&p->rank, i)->name));
	warnx("%s: matches %zu hosts", printable(p->query), p->rank.len);
	return 1;
}

/*
 * Chooses and connects.  A failure brings back a prompt that was there
 * before, as it was.
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
	if (options.ctl != NULL && first == argc)
		return control_all(&options);
	hosts_read(&hosts, &options);
	prompt.options = &options;
	prompt.rank.hosts = &hosts;
	joined = options.list || options.print;
	if (first < argc)
		query_join(&prompt, argv + first, joined ? argc - first : 1);
	if (joined && argc - first > 1) {
		ranking_update(&prompt.rank, prompt.query);
		habit_check(&prompt.rank, &options, argv + first);
	}
	if (options.list) {
		ranking_update(&prompt.rank, prompt.query);
		return finish(list(&prompt.rank, &options));
	}
	target.options = &options;
	target.hosts = &hosts;
	target.command = first < argc ? argv + first + 1 : NULL;
	return finish(run(&prompt, &target));
}
