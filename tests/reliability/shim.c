/* Stands between a program and the C library: keeps a journal of what is written to chosen files,
 * and makes the n-th call of a kind fail. For tests only; built by tests/reliability/shim.py.
 *
 *   LD_PRELOAD=shim.so
 *   SHIM_JOURNAL=FILE     append a record of everything that changes a chosen file
 *   SHIM_PATHS=A:B        the chosen files: those whose path contains A or B; unset: none
 *   SHIM_FAIL=KIND:N:E    the N-th call of KIND (from 1) fails with errno E, a number
 *   SHIM_FAIL_TIMES=M     so do the M - 1 calls after it; 0: all of them. Default 1
 *   SHIM_FAIL_PATHS=A:B   count only calls on such files; unset: on all
 *   SHIM_FAIL_ROLE=WORD   count only in processes whose command line contains WORD; unset: in all
 *   SHIM_FIRED=FILE       gets one byte for each call that failed so
 *   SHIM_UNTIL=FILE       once this file exists, nothing fails any more: the fault is mended
 *
 * KIND is one of open, read, write, sync, mmap, stat, watch, rename, truncate, mkdir, list, socket.
 * Counters are of one process. A journal's record is five u64 (kind, file, offset, length, 0) in
 * the machine's order, then `length` bytes; the kinds are the REC_ values below, the file is a
 * number that is new for each opening.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { REC_OPEN = 1, REC_WRITE, REC_DSYNC_WRITE, REC_SYNC, REC_TRUNCATE, REC_RENAME, REC_UNLINK };

#define FILES 65536
static unsigned char chosen[FILES];  /* 1: journal it; 2: and its writes are durable at once */
static unsigned char failing[FILES]; /* calls on it are counted */
static uint64_t numbers[FILES];
static uint64_t next_number = 1;

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int journal = -1;
static const char *journal_paths, *fail_paths, *fired_file, *until_file;
static char fail_kind[16];
static unsigned long fail_first, fail_times = 1, fail_count;
static int fail_errno;

/* Own doings go straight to the kernel, past the wrappers below. */
static int raw_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static int has_role(const char *word)
{
    char line[4096];
    int descriptor = raw_open("/proc/self/cmdline", O_RDONLY);
    if (descriptor < 0)
        return 0;
    ssize_t length = syscall(SYS_read, descriptor, line, sizeof line - 1);
    syscall(SYS_close, descriptor);
    for (ssize_t at = 0; at < length; at++)
        if (!line[at])
            line[at] = ' ';
    line[length > 0 ? length : 0] = 0;
    return strstr(line, word) != NULL;
}

static void read_environment(void)
{
    const char *text;
    journal_paths = getenv("SHIM_PATHS");
    fail_paths = getenv("SHIM_FAIL_PATHS");
    fired_file = getenv("SHIM_FIRED");
    until_file = getenv("SHIM_UNTIL");
    if ((text = getenv("SHIM_FAIL_TIMES")))
        fail_times = strtoul(text, NULL, 10);
    if ((text = getenv("SHIM_FAIL")))
        if (sscanf(text, "%15[a-z]:%lu:%d", fail_kind, &fail_first, &fail_errno) != 3)
            fail_first = 0;
    if ((text = getenv("SHIM_FAIL_ROLE")) && !has_role(text))
        fail_first = 0;
    if ((text = getenv("SHIM_JOURNAL"))) {
        journal = raw_open(text, O_WRONLY | O_CREAT | O_APPEND);
        /* Out of the way of the program's own numbers, which tests may count. */
        int far = journal < 0 ? -1 : (int)syscall(SYS_fcntl, journal, F_DUPFD_CLOEXEC, 900);
        if (far >= 0) {
            syscall(SYS_close, journal);
            journal = far;
        }
    }
}

static int matches(const char *patterns, const char *path)
{
    if (!patterns || !path)
        return 0;
    size_t length = strlen(path);
    while (*patterns) {
        const char *end = strchrnul(patterns, ':');
        size_t size = (size_t)(end - patterns);
        if (size && size <= length && memmem(path, length, patterns, size))
            return 1;
        patterns = *end ? end + 1 : end;
    }
    return 0;
}

static void record(uint64_t kind, uint64_t file, uint64_t offset, const void *data, uint64_t length)
{
    uint64_t head[5] = {kind, file, offset, length, 0};
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, length}};
    if (journal >= 0)
        (void)!syscall(SYS_writev, journal, parts, length ? 2 : 1);
}

/* Says whether this call is to fail; errno is set then. */
static int fails(const char *kind, int descriptor, const char *path)
{
    pthread_once(&once, read_environment);
    if (!fail_first || strcmp(kind, fail_kind))
        return 0;
    if (fail_paths) {
        int is_one = path ? matches(fail_paths, path)
                          : descriptor >= 0 && descriptor < FILES && failing[descriptor];
        if (!is_one)
            return 0;
    }
    unsigned long count = __atomic_add_fetch(&fail_count, 1, __ATOMIC_SEQ_CST);
    if (count < fail_first || (fail_times && count >= fail_first + fail_times))
        return 0;
    if (until_file && syscall(SYS_faccessat, AT_FDCWD, until_file, F_OK) == 0)
        return 0;
    if (fired_file) {
        int fired = raw_open(fired_file, O_WRONLY | O_CREAT | O_APPEND);
        if (fired >= 0) {
            (void)!syscall(SYS_write, fired, "x", 1);
            syscall(SYS_close, fired);
        }
    }
    errno = fail_errno;
    return 1;
}

static int is_chosen(int descriptor)
{
    return journal >= 0 && descriptor >= 0 && descriptor < FILES && chosen[descriptor];
}

#define NEXT(name, ...) \
    static __typeof__(name) *next; \
    if (!next) \
        next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void opened(int descriptor, const char *path, int flags)
{
    pthread_once(&once, read_environment);
    if (descriptor < 0 || descriptor >= FILES)
        return;
    failing[descriptor] = (unsigned char)matches(fail_paths, path);
    chosen[descriptor] = 0;
    if (journal < 0 || !matches(journal_paths, path))
        return;
    pthread_mutex_lock(&order);
    chosen[descriptor] = (flags & O_DSYNC) ? 2 : 1;
    numbers[descriptor] = next_number++;
    record(REC_OPEN, numbers[descriptor], (uint64_t)flags, path, strlen(path));
    pthread_mutex_unlock(&order);
}

#define MODE_OF(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        NEXT(name); \
        MODE_OF(flags, mode) \
        if (fails("open", -1, path)) \
            return -1; \
        int descriptor = next(path, flags, mode); \
        opened(descriptor, path, flags); \
        return descriptor; \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        NEXT(name); \
        MODE_OF(flags, mode) \
        if (fails("open", -1, path)) \
            return -1; \
        int descriptor = next(folder, path, flags, mode); \
        opened(descriptor, path, flags); \
        return descriptor; \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int descriptor)
{
    NEXT(close);
    if (descriptor >= 0 && descriptor < FILES)
        chosen[descriptor] = failing[descriptor] = 0;
    return next(descriptor);
}

#define READ(name, parameters, arguments) \
    ssize_t name parameters \
    { \
        NEXT(name); \
        return fails("read", descriptor, NULL) ? -1 : next arguments; \
    }
READ(read, (int descriptor, void *data, size_t size), (descriptor, data, size))
READ(pread, (int descriptor, void *data, size_t size, off_t offset),
     (descriptor, data, size, offset))
READ(pread64, (int descriptor, void *data, size_t size, off64_t offset),
     (descriptor, data, size, offset))
READ(readv, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count))

static void wrote(int descriptor, off_t offset, const struct iovec *parts, int count, ssize_t left)
{
    uint64_t kind = chosen[descriptor] == 2 ? REC_DSYNC_WRITE : REC_WRITE;
    for (int part = 0; part < count && left > 0; part++) {
        size_t size = parts[part].iov_len < (size_t)left ? parts[part].iov_len : (size_t)left;
        record(kind, numbers[descriptor], (uint64_t)offset, parts[part].iov_base, size);
        offset += (off_t)size;
        left -= (ssize_t)size;
    }
}

/* A write and its record are one step, so that the journal has the order of the writes. */
#define WRITE(name, parameters, arguments, where, parts, count) \
    ssize_t name parameters \
    { \
        NEXT(name); \
        if (fails("write", descriptor, NULL)) \
            return -1; \
        if (!is_chosen(descriptor)) \
            return next arguments; \
        pthread_mutex_lock(&order); \
        off_t begin = where; \
        ssize_t done = next arguments; \
        int error = errno; \
        wrote(descriptor, begin, parts, count, done); \
        pthread_mutex_unlock(&order); \
        errno = error; \
        return done; \
    }
#define ONE_PART (&(struct iovec){(void *)data, size})
#define POSITION lseek(descriptor, 0, SEEK_CUR)
WRITE(write, (int descriptor, const void *data, size_t size), (descriptor, data, size), POSITION,
      ONE_PART, 1)
WRITE(pwrite, (int descriptor, const void *data, size_t size, off_t offset),
      (descriptor, data, size, offset), offset, ONE_PART, 1)
WRITE(pwrite64, (int descriptor, const void *data, size_t size, off64_t offset),
      (descriptor, data, size, offset), offset, ONE_PART, 1)
WRITE(writev, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count),
      POSITION, parts, count)
WRITE(pwritev, (int descriptor, const struct iovec *parts, int count, off_t offset),
      (descriptor, parts, count, offset), offset, parts, count)
WRITE(pwritev64, (int descriptor, const struct iovec *parts, int count, off64_t offset),
      (descriptor, parts, count, offset), offset, parts, count)

#define SYNC(name) \
    int name(int descriptor) \
    { \
        NEXT(name); \
        if (fails("sync", descriptor, NULL)) \
            return -1; \
        if (!is_chosen(descriptor)) \
            return next(descriptor); \
        pthread_mutex_lock(&order); \
        int done = next(descriptor); \
        if (!done) \
            record(REC_SYNC, numbers[descriptor], 0, NULL, 0); \
        pthread_mutex_unlock(&order); \
        return done; \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, type) \
    int name(int descriptor, type length) \
    { \
        NEXT(name); \
        if (fails("truncate", descriptor, NULL)) \
            return -1; \
        if (!is_chosen(descriptor)) \
            return next(descriptor, length); \
        pthread_mutex_lock(&order); \
        int done = next(descriptor, length); \
        if (!done) \
            record(REC_TRUNCATE, numbers[descriptor], (uint64_t)length, NULL, 0); \
        pthread_mutex_unlock(&order); \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define MMAP(name, type) \
    void *name(void *address, size_t length, int protection, int flags, int descriptor, \
               type offset) \
    { \
        NEXT(name); \
        if (descriptor >= 0 && fails("mmap", descriptor, NULL)) \
            return MAP_FAILED; \
        return next(address, length, protection, flags, descriptor, offset); \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

#define PATHWISE(kind, name, parameters, arguments) \
    int name parameters \
    { \
        NEXT(name); \
        return fails(kind, -1, path) ? -1 : next arguments; \
    }
PATHWISE("stat", stat, (const char *path, struct stat *status), (path, status))
PATHWISE("stat", stat64, (const char *path, struct stat64 *status), (path, status))
PATHWISE("stat", lstat, (const char *path, struct stat *status), (path, status))
PATHWISE("stat", lstat64, (const char *path, struct stat64 *status), (path, status))
PATHWISE("stat", fstatat, (int folder, const char *path, struct stat *status, int flags),
         (folder, path, status, flags))
PATHWISE("stat", fstatat64, (int folder, const char *path, struct stat64 *status, int flags),
         (folder, path, status, flags))
PATHWISE("mkdir", mkdir, (const char *path, mode_t mode), (path, mode))

#define FSTAT(name, type) \
    int name(int descriptor, struct type *status) \
    { \
        NEXT(name); \
        return fails("stat", descriptor, NULL) ? -1 : next(descriptor, status); \
    }
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)

int inotify_add_watch(int, const char *, uint32_t);
int inotify_add_watch(int descriptor, const char *path, uint32_t mask)
{
    NEXT(inotify_add_watch);
    return fails("watch", -1, path) ? -1 : next(descriptor, path, mask);
}

DIR *opendir(const char *path)
{
    NEXT(opendir);
    return fails("list", -1, path) ? NULL : next(path);
}

DIR *fdopendir(int descriptor)
{
    NEXT(fdopendir);
    return fails("list", descriptor, NULL) ? NULL : next(descriptor);
}

int socket(int, int, int);
int socket(int family, int type, int protocol)
{
    NEXT(socket);
    return fails("socket", -1, "") ? -1 : next(family, type, protocol);
}

static void renamed(const char *old, const char *new)
{
    char both[2 * 4096 + 1];
    if (journal < 0 || !(matches(journal_paths, old) || matches(journal_paths, new)))
        return;
    int length = snprintf(both, sizeof both, "%s%c%s", old, 0, new);
    if (length > 0 && (size_t)length < sizeof both)
        record(REC_RENAME, 0, 0, both, (uint64_t)length);
}

int rename(const char *old, const char *new)
{
    NEXT(rename);
    if (fails("rename", -1, new))
        return -1;
    pthread_mutex_lock(&order);
    int done = next(old, new);
    int error = errno;
    if (!done)
        renamed(old, new);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int unlink(const char *path)
{
    NEXT(unlink);
    pthread_mutex_lock(&order);
    int done = next(path);
    int error = errno;
    if (!done && journal >= 0 && matches(journal_paths, path))
        record(REC_UNLINK, 0, 0, path, strlen(path));
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}
