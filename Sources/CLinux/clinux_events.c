#include "clinux_events.h"

#include "clinux_files.h"
#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLINUX_EVENT_IN == EPOLLIN && CLINUX_EVENT_PRIORITY == EPOLLPRI && CLINUX_EVENT_OUT == EPOLLOUT &&
                   CLINUX_EVENT_ERROR == EPOLLERR && CLINUX_EVENT_HANG_UP == EPOLLHUP &&
                   CLINUX_EVENT_PEER_CLOSED == EPOLLRDHUP && CLINUX_EVENT_EDGE == (uint32_t)EPOLLET,
               "events of epoll");

int clinux_epoll(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int clinux_epoll_change(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int clinux_epoll_remove(int epoll, int fd) {
    return control(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

int clinux_epoll_wait(int epoll, struct clinux_event *events, int count, int milliseconds) {
    struct epoll_event ready[32];
    int number;
    do
        number = epoll_wait(epoll, ready, count < 32 ? count : 32, milliseconds);
    while (number < 0 && errno == EINTR);
    if (number < 0)
        return -errno;
    for (int i = 0; i < number; i++)
        events[i] = (struct clinux_event){.events = ready[i].events, .token = ready[i].data.u64};
    return number;
}

int clinux_accept(int listener, uint32_t *uid, int *pid) {
    int fd;
    do
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -errno;
    struct ucred credentials = {.pid = 0, .uid = ~0u};
    socklen_t length = sizeof credentials;
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    *uid = credentials.uid;
    *pid = credentials.pid;
    return fd;
}

long clinux_receive_now(int fd, void *buffer, size_t length) {
    ssize_t count;
    do
        count = recv(fd, buffer, length, MSG_DONTWAIT | MSG_TRUNC);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    return (size_t)count > length ? -EMSGSIZE : count;
}

/// struct pidfd_info of linux/pidfd.h, as it was first (Linux 6.13); the C library's headers are older.
struct pidfd_info_0 {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_info_0) == 64, "PIDFD_INFO_SIZE_VER0");
#define PIDFD_GET_INFO_0 _IOWR(0xFF, 11, struct pidfd_info_0)
#define PIDFD_INFO_EXIT_BIT (1ull << 3)

int clinux_pidfd_exit_status(int pidfd, int *status) {
    struct pidfd_info_0 info = {.mask = PIDFD_INFO_EXIT_BIT};
    if (ioctl(pidfd, PIDFD_GET_INFO_0, &info) < 0)
        return -errno;
    if (!(info.mask & PIDFD_INFO_EXIT_BIT))
        return -EAGAIN;
    *status = info.exit_code;
    return 0;
}

int clinux_set_undumpable(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

void clinux_long_life(void) {
    mallopt(M_TOP_PAD, 16 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

int clinux_execute_sealed_copy(void) {
    char target[64] = {0};
    if (readlink("/proc/self/exe", target, sizeof target - 1) < 0)
        return -errno;
    if (strncmp(target, "/memfd:gantry", 13) == 0)
        return 0;
    int source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return -errno;
    int copy = clinux_memfd("gantry", 1);
    int error = copy < 0 ? copy : 0;
    while (error == 0) {
        ssize_t count = sendfile(copy, source, NULL, 1 << 20);
        if (count < 0 && errno != EINTR)
            error = -errno;
        else if (count == 0)
            break;
    }
    if (error == 0)
        error = clinux_memfd_seal(copy);
    if (error == 0) {
        syscall(SYS_execveat, copy, "", clinux_arguments(), environ, AT_EMPTY_PATH);
        error = -errno;
    }
    close(source);
    if (copy >= 0)
        close(copy);
    return error;
}
