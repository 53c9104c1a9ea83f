#include "clinux_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

int clinux_write_file(const char *path, const void *bytes, size_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t count;
    do
        count = write(fd, bytes, length);
    while (count < 0 && errno == EINTR);
    int result = count < 0 ? -errno : (size_t)count == length ? 0 : -EIO;
    close(fd);
    return result;
}

long clinux_read_file(const char *path, void *bytes, size_t length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t count;
    do
        count = read(fd, bytes, length);
    while (count < 0 && errno == EINTR);
    long result = count < 0 ? -errno : count;
    close(fd);
    return result;
}

int clinux_wait_changed(int fd, int milliseconds) {
    struct pollfd set = {.fd = fd, .events = POLLPRI};
    int count = poll(&set, 1, milliseconds);
    return count < 0 ? -errno : count > 0;
}

long clinux_pread(int fd, void *bytes, size_t length, int64_t offset) {
    ssize_t count = pread(fd, bytes, length, offset);
    return count < 0 ? -errno : count;
}

void clinux_sleep(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}
