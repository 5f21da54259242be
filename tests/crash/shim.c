/* Power-cut recorder: an LD_PRELOAD library that writes down what a process asks of its disk.
 *
 * Everything that touches a path under PN_SHIM_ROOT goes into the log file PN_SHIM_LOG, with its
 * data, in the order in which it took effect: one mutex covers the real call and its record. What
 * the process writes to its standard output (its ACK lines) goes into the same log, so a replayer
 * knows what was acknowledged before which write.
 *
 * A sync is two records: writes before the first are durable after the second. The real fsync is
 * left out, the log stands for it. sync_file_range is passed on and never counts as durable: it
 * flushes neither the disk's cache nor metadata (sync_file_range(2)).
 *
 * Calls that could change a file behind the log's back are refused (copy_file_range, sendfile:
 * callers fall back to write) or recorded as unsupported, which the replayer treats as a failure.
 *
 * Record, little endian: op u8 | inode u64 | number u64 | name length u32 | data length u64 | name | data
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_len;
static uint64_t sync_token;


__attribute__((constructor)) static void start(void) {
    const char *r = getenv("PN_SHIM_ROOT"), *l = getenv("PN_SHIM_LOG");
    if (!r || !l || strlen(r) >= sizeof root) return;
    strcpy(root, r);
    root_len = strlen(root);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = syscall(SYS_write, log_fd, at, len);
        if (n <= 0) _exit(99); /* a gap in the log would be a lie */
        at += n;
        len -= (size_t)n;
    }
}

static void record(char op, uint64_t ino, uint64_t number, const char *name, size_t name_len, const void *data,
                   size_t len) {
    int saved = errno;
    unsigned char head[29];
    uint32_t n = (uint32_t)name_len;
    uint64_t d = len;
    head[0] = (unsigned char)op;
    memcpy(head + 1, &ino, 8);
    memcpy(head + 9, &number, 8);
    memcpy(head + 17, &n, 4);
    memcpy(head + 21, &d, 8);
    put(head, sizeof head);
    if (name_len) put(name, name_len);
    if (len) put(data, len);
    errno = saved;
}

static void named(char op, uint64_t ino, uint64_t number, const char *name) {
    record(op, ino, number, name, strlen(name), NULL, 0);
}

static void unsupported(const char *what) { named('!', 0, 0, what); }

/* The absolute path, when it lies under the root. Symbolic links inside the root are not followed. */
static int under_root(int dir, const char *path, char *out) {
    if (log_fd < 0 || !path) return 0;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) return 0;
        strcpy(out, path);
    } else {
        char base[PATH_MAX];
        if (dir == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            ssize_t n = readlink(link, base, sizeof base - 1);
            if (n < 0) return 0;
            base[n] = 0;
        }
        if (strlen(base) + strlen(path) + 2 > PATH_MAX) return 0;
        strcpy(out, base);
        strcat(out, "/");
        strcat(out, path);
    }
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '/') out[--len] = 0;
    return strncmp(out, root, root_len) == 0 && (out[root_len] == '/' || out[root_len] == 0);
}

/* The inode behind a descriptor of a file or folder under the root, else 0. */
static uint64_t inode_of(int fd, struct stat *st) {
    char link[64], path[PATH_MAX];
    if (log_fd < 0 || fd == log_fd || fstat(fd, st) != 0) return 0;
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0; /* an unlinked file reads "PATH (deleted)" and still starts with the root */
    return strncmp(path, root, root_len) == 0 && (path[root_len] == '/' || path[root_len] == 0) ? st->st_ino : 0;
}


static int opened(int dir, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    struct stat st;
    if (!under_root(dir, path, full)) return (int)syscall(SYS_openat, dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    int existed = fstatat(dir, path, &st, 0) == 0;
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (flags & O_TMPFILE & ~O_DIRECTORY) unsupported("O_TMPFILE");
        named(existed ? 'O' : 'C', st.st_ino, 0, full);
        if (existed && (flags & O_TRUNC)) named('T', st.st_ino, 0, "");
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags, last)                                     \
    mode_t mode = 0;                                          \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {   \
        va_list args;                                         \
        va_start(args, last);                                 \
        mode = (mode_t)va_arg(args, int);                     \
        va_end(args);                                         \
    }

int open(const char *path, int flags, ...) { MODE(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags, flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags, flags) return opened(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static void written(uint64_t ino, off_t at, const struct iovec *parts, int count, ssize_t done) {
    for (int i = 0; i < count && done > 0; i++) {
        size_t len = parts[i].iov_len < (size_t)done ? parts[i].iov_len : (size_t)done;
        record('W', ino, (uint64_t)at, NULL, 0, parts[i].iov_base, len);
        at += (off_t)len;
        done -= (ssize_t)len;
    }
}

/* at < 0: at the file's own position. */
static ssize_t wrote(int fd, const struct iovec *parts, int count, off_t at) {
    struct stat st;
    if (fd == STDOUT_FILENO && log_fd >= 0) {
        pthread_mutex_lock(&lock);
        for (int i = 0; i < count; i++) record('A', 0, 0, NULL, 0, parts[i].iov_base, parts[i].iov_len);
        ssize_t n = syscall(SYS_writev, fd, parts, count);
        pthread_mutex_unlock(&lock);
        return n;
    }
    uint64_t ino = inode_of(fd, &st);
    if (!ino) return at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0);
    pthread_mutex_lock(&lock);
    off_t from = at;
    if (at < 0) {
        int append = fcntl(fd, F_GETFL) & O_APPEND;
        fstat(fd, &st);
        from = append ? st.st_size : lseek(fd, 0, SEEK_CUR);
    }
    ssize_t n = at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0);
    written(ino, from, parts, count, n);
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t write(int fd, const void *data, size_t len) {
    struct iovec part = {(void *)data, len};
    return wrote(fd, &part, 1, -1);
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
    struct iovec part = {(void *)data, len};
    return wrote(fd, &part, 1, at);
}
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) { return pwrite(fd, data, len, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return wrote(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return wrote(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return wrote(fd, parts, count, at); }

int ftruncate(int fd, off_t len) {
    struct stat st;
    uint64_t ino = inode_of(fd, &st);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, len);
    if (ino && result == 0) named('T', ino, (uint64_t)len, "");
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate64(int fd, off64_t len) { return ftruncate(fd, len); }

static int synced(int fd, int call) {
    struct stat st;
    uint64_t ino = inode_of(fd, &st);
    if (!ino) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    uint64_t token = ++sync_token;
    named('S', ino, token, "");
    pthread_mutex_unlock(&lock);
    /* The disk would be at work here; other threads go on. */
    pthread_mutex_lock(&lock);
    named('s', ino, token, "");
    pthread_mutex_unlock(&lock);
    return 0;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
int sync_file_range(int fd, off64_t at, off64_t len, unsigned flags) {
    struct stat st;
    uint64_t ino = inode_of(fd, &st);
    if (ino) {
        pthread_mutex_lock(&lock);
        named('F', ino, 0, "");
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_sync_file_range, fd, at, len, flags);
}

static int renamed(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char names[2 * PATH_MAX + 2], second[PATH_MAX];
    int in = under_root(from_dir, from, names), out = under_root(to_dir, to, second);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (result == 0 && (in || out)) {
        if (in != out || flags) unsupported("a rename across the root or with flags");
        size_t len = strlen(names);
        strcpy(names + len + 1, second);
        record('R', 0, 0, names, len + 1 + strlen(second), NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int fd, const char *from, int td, const char *to) { return renamed(fd, from, td, to, 0); }
int renameat2(int fd, const char *from, int td, const char *to, unsigned fl) { return renamed(fd, from, td, to, fl); }

static int removed(int dir, const char *path, int flags) {
    char full[PATH_MAX];
    int in = under_root(dir, path, full);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_unlinkat, dir, path, flags);
    if (result == 0 && in) named('U', 0, 0, full);
    pthread_mutex_unlock(&lock);
    return result;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int dir, const char *path, int flags) { return removed(dir, path, flags); }

int mkdirat(int dir, const char *path, mode_t mode) {
    char full[PATH_MAX];
    struct stat st;
    int in = under_root(dir, path, full);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_mkdirat, dir, path, mode);
    if (result == 0 && in && fstatat(dir, path, &st, 0) == 0) named('D', st.st_ino, 0, full);
    pthread_mutex_unlock(&lock);
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Refused or noticed. */
ssize_t copy_file_range(int a, off64_t *b, int c, off64_t *d, size_t e, unsigned f) {
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t len) {
    (void)out, (void)in, (void)at, (void)len;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int out, int in, off_t *at, size_t len) { return sendfile64(out, in, at, len); }

#define NOTICED(fd, what)                             \
    do {                                              \
        struct stat st;                               \
        if (inode_of(fd, &st)) {                      \
            pthread_mutex_lock(&lock);                \
            unsupported(what);                        \
            pthread_mutex_unlock(&lock);              \
        }                                             \
    } while (0)

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset) {
    if (fd >= 0 && (flags & MAP_SHARED) && (prot & PROT_WRITE)) NOTICED(fd, "mmap");
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}
void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t offset) {
    return mmap(at, len, prot, flags, fd, offset);
}
int fallocate(int fd, int mode, off_t at, off_t len) {
    NOTICED(fd, "fallocate");
    return (int)syscall(SYS_fallocate, fd, mode, at, len);
}
int fallocate64(int fd, int mode, off64_t at, off64_t len) { return fallocate(fd, mode, at, len); }
int posix_fallocate(int fd, off_t at, off_t len) { return fallocate(fd, 0, at, len) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t len) { return posix_fallocate(fd, at, len); }
int link(const char *from, const char *to) {
    char full[PATH_MAX];
    if (under_root(AT_FDCWD, to, full)) {
        pthread_mutex_lock(&lock);
        unsupported("link");
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int symlink(const char *from, const char *to) {
    char full[PATH_MAX];
    if (under_root(AT_FDCWD, to, full)) {
        pthread_mutex_lock(&lock);
        unsupported("symlink");
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
}
