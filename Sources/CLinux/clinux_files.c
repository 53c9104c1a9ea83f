#include "clinux_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int result(long value) {
    return value < 0 ? -errno : (int)value;
}

int clinux_openat(int dirfd, const char *path, int flags, unsigned mode) {
    return result(openat(dirfd, path, flags | O_CLOEXEC, mode));
}

int clinux_close(int fd) {
    return result(close(fd));
}

int clinux_duplicate(int fd) {
    return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

long clinux_read(int fd, void *buffer, size_t length) {
    ssize_t count;
    do
        count = read(fd, buffer, length);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

int clinux_write_all(int fd, const void *buffer, size_t length) {
    const char *next = buffer;
    while (length > 0) {
        ssize_t count = write(fd, next, length);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        next += count;
        length -= (size_t)count;
    }
    return 0;
}

int clinux_mkdirat(int dirfd, const char *path, unsigned mode) {
    return result(mkdirat(dirfd, path, mode));
}

int clinux_chown_at(int dirfd, const char *name, uint32_t uid) {
    return result(fchownat(dirfd, name, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}

int clinux_unlinkat(int dirfd, const char *path, int flags) {
    return result(unlinkat(dirfd, path, flags));
}

int clinux_renameat(int from, const char *old, int to, const char *fresh) {
    return result(renameat(from, old, to, fresh));
}

int clinux_symlink(const char *target, const char *path) {
    return result(symlink(target, path));
}

int clinux_chmodat(int dirfd, const char *path, unsigned mode) {
    return result(fchmodat(dirfd, path, mode, 0));
}

int clinux_flock(int fd, int operation) {
    int value;
    do
        value = result(flock(fd, operation));
    while (value == -EINTR);
    return value;
}

int64_t clinux_file_size(int fd) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : (int64_t)status.st_size;
}

int64_t clinux_file_mode(int fd) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : (int64_t)status.st_mode;
}

int64_t clinux_fs_type_at(const char *path) {
    struct statfs status;
    return statfs(path, &status) < 0 ? -errno : (int64_t)(uint32_t)status.f_type;
}

int clinux_memfd(const char *name, int executable) {
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int value = result(memfd_create(name, flags | (executable ? MFD_EXEC : 0)));
    if (value == -EINVAL && executable)
        value = result(memfd_create(name, flags));
    return value;
}

int clinux_memfd_seal(int fd) {
    return result(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

int clinux_cloexec_from(unsigned first) {
    return result(syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC));
}

int clinux_fd_exists(int fd) {
    return result(fcntl(fd, F_GETFD)) < 0 ? -EBADF : 0;
}

long clinux_fd_path(int fd, void *buffer, size_t length) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, buffer, length);
    return count < 0 ? -errno : count;
}

long clinux_getdents(int fd, void *buffer, size_t length) {
    long count = syscall(SYS_getdents64, fd, buffer, length);
    return count < 0 ? -errno : count;
}

int clinux_exists(const char *path) {
    return result(access(path, F_OK));
}

int clinux_is_same_file(const char *first, const char *second) {
    struct stat one, two;
    if (stat(first, &one) < 0 || stat(second, &two) < 0)
        return -errno;
    return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

int64_t clinux_link_count(int fd) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : (int64_t)status.st_nlink;
}

long clinux_getcwd(void *buffer, size_t length) {
    long count = syscall(SYS_getcwd, buffer, length);
    return count < 0 ? -errno : count - 1;
}
