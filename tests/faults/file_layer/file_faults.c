/* A layer over the C library's file calls (LD_PRELOAD) that counts what is written below one folder, and lets one call
 * fail. Calls from Python, Arrow, SQLite, safetensors and HDF5 alike go through it.
 *
 * file_faults_watch(folder)         begin to count below this folder (absolute); "" ends it
 * file_faults_arm(n, error, mode)   the n-th operation from now on fails: mode 0 once, 1 it and all later ones but removals, 2 it
 *                                   writes half of its bytes once and says so, 3 the process is killed before it
 * file_faults_count()               operations since the last arm
 * file_faults_kind(), _path()       of the operation that failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
static char watched[PATH_MAX];
static size_t watched_length;
static unsigned char ours[FILES];
static char *names[FILES];
static long counted, fails_at, last_failed;
static int fault_error, fault_mode;
static char failed_path[PATH_MAX], failed_kind[32];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

void file_faults_watch(const char *folder) {
    pthread_mutex_lock(&lock);
    snprintf(watched, sizeof watched, "%s", folder);
    watched_length = strlen(watched);
    memset(ours, 0, sizeof ours);
    pthread_mutex_unlock(&lock);
}

void file_faults_arm(long number, int error, int mode) {
    pthread_mutex_lock(&lock);
    counted = last_failed = 0;
    fails_at = number, fault_error = error, fault_mode = mode;
    failed_path[0] = failed_kind[0] = 0;
    pthread_mutex_unlock(&lock);
}

long file_faults_count(void) { return counted; }
const char *file_faults_kind(void) { return failed_kind; }
const char *file_faults_path(void) { return failed_path; }

static void absolute(int folder, const char *path, char *out) {
    char base[PATH_MAX] = "";
    if (path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) base[0] = 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t length = readlink(link, base, sizeof base - 1);
            base[length < 0 ? 0 : length] = 0;
        }
    }
    if (base[0]) snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, path);
    else snprintf(out, PATH_MAX, "%s", path);
}

static int below(const char *path) {
    return watched_length && !strncmp(path, watched, watched_length) &&
           (path[watched_length] == '/' || path[watched_length] == 0);
}

/* 0: go on. 1: fail with errno set. 2: write half. */
static int operation(const char *kind, const char *path) {
    int verdict = 0;
    pthread_mutex_lock(&lock);
    counted++;
    /* A full disk still lets files be removed and closed. */
    int needs_room = strcmp(kind, "unlink") && strcmp(kind, "close");
    if (fails_at && (counted == fails_at || (fault_mode == 1 && counted > fails_at && needs_room))) {
        if (!last_failed) {
            last_failed = counted;
            snprintf(failed_path, sizeof failed_path, "%s", path ? path : "?");
            snprintf(failed_kind, sizeof failed_kind, "%s", kind);
        }
        if (fault_mode == 3) kill(getpid(), SIGKILL);
        verdict = fault_mode == 2 ? 2 : 1;
        /* Half of a write is all that mode 2 does. */
        if (fault_mode == 2 && strcmp(kind, "write")) verdict = 0;
    }
    pthread_mutex_unlock(&lock);
    if (verdict == 1) errno = fault_error;
    return verdict;
}

static int operation_at(const char *kind, int folder, const char *path) {
    char full[PATH_MAX];
    if (!watched_length || !path) return 0;
    absolute(folder, path, full);
    return below(full) ? operation(kind, full) == 1 : 0;
}

static int is_ours(int file) { return file >= 0 && file < FILES && ours[file]; }
static int on_file(const char *kind, int file) {
    return watched_length && is_ours(file) ? operation(kind, names[file]) : 0;
}

static void opened(int file, const char *path) {
    if (file < 0 || file >= FILES) return;
    pthread_mutex_lock(&lock);
    free(names[file]);
    names[file] = strdup(path);
    ours[file] = 1;
    pthread_mutex_unlock(&lock);
}

static void forget(int file) {
    if (file >= 0 && file < FILES) ours[file] = 0;
}

#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & (O_CREAT | O_TRUNC)))

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(int, name, int, const char *, int, ...); \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        char full[PATH_MAX]; \
        int counts = 0; \
        if (watched_length && WRITES(flags)) { \
            absolute(folder, path, full); \
            counts = below(full); \
            if (counts && operation("open", full) == 1) return -1; \
        } \
        int file = real_##name(folder, path, flags, mode); \
        if (counts) opened(file, full); \
        else if (file >= 0) forget(file); \
        return file; \
    }
OPENAT(openat)
OPENAT(openat64)
#define OPEN(name, at) \
    int name(const char *path, int flags, ...) { \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        return at(AT_FDCWD, path, flags, mode); \
    }
OPEN(open, openat)
OPEN(open64, openat64)
int creat(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open64(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

#define FOPEN(name) \
    FILE *name(const char *path, const char *how) { \
        REAL(FILE *, name, const char *, const char *); \
        char full[PATH_MAX]; \
        int counts = 0; \
        if (watched_length && strpbrk(how, "wa+")) { \
            absolute(AT_FDCWD, path, full); \
            counts = below(full); \
            if (counts && operation("open", full) == 1) return NULL; \
        } \
        FILE *file = real_##name(path, how); \
        if (file && counts) opened(fileno(file), full); \
        else if (file) forget(fileno(file)); \
        return file; \
    }
FOPEN(fopen)
FOPEN(fopen64)

size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    if (watched_length) {
        int verdict = on_file("write", fileno(file));
        if (verdict == 1) return 0;
        if (verdict == 2) return real_fwrite(data, size, count / 2, file);
    }
    return real_fwrite(data, size, count, file);
}

int fclose(FILE *file) {
    REAL(int, fclose, FILE *);
    int number = watched_length ? fileno(file) : -1;
    int fails = on_file("close", number) == 1, error = errno;
    forget(number);
    int result = real_fclose(file);
    return fails ? (errno = error, EOF) : result;
}

ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    int verdict = on_file("write", file);
    if (verdict == 1) return -1;
    return real_write(file, data, verdict == 2 && size > 1 ? size / 2 : size);
}
#define PWRITE(name, offset_type) \
    ssize_t name(int file, const void *data, size_t size, offset_type offset) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        int verdict = on_file("write", file); \
        if (verdict == 1) return -1; \
        return real_##name(file, data, verdict == 2 && size > 1 ? size / 2 : size, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    int verdict = on_file("write", file);
    if (verdict == 1) return -1;
    return real_writev(file, parts, verdict == 2 && count > 1 ? count / 2 : count);
}
ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    REAL(ssize_t, sendfile, int, int, off_t *, size_t);
    int verdict = on_file("write", to);
    if (verdict == 1) return -1;
    return real_sendfile(to, from, offset, verdict == 2 && size > 1 ? size / 2 : size);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
    int verdict = on_file("write", to);
    if (verdict == 1) return -1;
    return real_sendfile64(to, from, offset, verdict == 2 && size > 1 ? size / 2 : size);
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    int verdict = on_file("write", to);
    if (verdict == 1) return -1;
    return real_copy_file_range(from, at, to, there, verdict == 2 && size > 1 ? size / 2 : size, flags);
}

#define ON_FILE(name, kind) \
    int name(int file) { \
        REAL(int, name, int); \
        return on_file(kind, file) == 1 ? -1 : real_##name(file); \
    }
ON_FILE(fsync, "fsync")
ON_FILE(fdatasync, "fsync")
#define TRUNCATE(name, offset_type) \
    int name(int file, offset_type size) { \
        REAL(int, name, int, offset_type); \
        return on_file("truncate", file) == 1 ? -1 : real_##name(file, size); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

/* As Linux does it: the file is closed, whatever is said. */
int close(int file) {
    REAL(int, close, int);
    int fails = on_file("close", file) == 1, error = errno;
    forget(file);
    int result = real_close(file);
    return fails ? (errno = error, -1) : result;
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return operation_at("rename", AT_FDCWD, to) ? -1 : real_rename(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    return operation_at("rename", b, to) ? -1 : real_renameat(a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    return operation_at("rename", b, to) ? -1 : real_renameat2(a, from, b, to, flags);
}
int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    return operation_at("link", AT_FDCWD, to) ? -1 : real_link(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    return operation_at("link", b, to) ? -1 : real_linkat(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return operation_at("mkdir", AT_FDCWD, path) ? -1 : real_mkdir(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    return operation_at("mkdir", folder, path) ? -1 : real_mkdirat(folder, path, mode);
}
int unlink(const char *path) {
    REAL(int, unlink, const char *);
    return operation_at("unlink", AT_FDCWD, path) ? -1 : real_unlink(path);
}
int unlinkat(int folder, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    return operation_at("unlink", folder, path) ? -1 : real_unlinkat(folder, path, flags);
}
int rmdir(const char *path) {
    REAL(int, rmdir, const char *);
    return operation_at("unlink", AT_FDCWD, path) ? -1 : real_rmdir(path);
}
int chmod(const char *path, mode_t mode) {
    REAL(int, chmod, const char *, mode_t);
    return operation_at("chmod", AT_FDCWD, path) ? -1 : real_chmod(path, mode);
}
