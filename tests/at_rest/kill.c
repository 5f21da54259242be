/* Kills its own process with SIGKILL right before the n-th disk operation of a wipe (PN_KILL_AT, from 0).
 *
 * An LD_PRELOAD library. It counts from the moment the note of a wipe is first opened (a path that ends
 * in "wiping.new"): writes to files, syncs, renames, removals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int armed, count;
static int at = -1;

__attribute__((constructor)) static void start(void) {
    const char *n = getenv("PN_KILL_AT");
    if (n) at = atoi(n);
}

static void operation(void) {
    if (armed && at >= 0 && atomic_fetch_add(&count, 1) == at) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

static void watch(const char *path) {
    const char *note = "wiping.new";
    size_t len = strlen(path), want = strlen(note);
    if (len >= want && strcmp(path + len - want, note) == 0) armed = 1;
}

#define MODE(flags)                                     \
    mode_t mode = 0;                                    \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
        va_list args;                                   \
        va_start(args, flags);                          \
        mode = (mode_t)va_arg(args, int);               \
        va_end(args);                                   \
    }

int open64(const char *path, int flags, ...) {
    MODE(flags)
    watch(path);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    MODE(flags)
    watch(path);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t len) {
    struct stat st;
    if (armed && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) operation();
    return syscall(SYS_write, fd, data, len);
}
int fsync(int fd) { operation(); return (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { operation(); return (int)syscall(SYS_fdatasync, fd); }
int rename(const char *from, const char *to) { operation(); return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlink(const char *path) { operation(); return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
int unlinkat(int dir, const char *path, int flags) { operation(); return (int)syscall(SYS_unlinkat, dir, path, flags); }
int rmdir(const char *path) { operation(); return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
