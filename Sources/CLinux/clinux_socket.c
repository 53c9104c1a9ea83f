#include "clinux_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int clinux_seqpacket_pair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

static int unix_socket(const char *path, struct sockaddr_un *address, int flags) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    return fd < 0 ? -errno : fd;
}

static int fail_closing(int fd) {
    int error = errno;
    close(fd);
    return -error;
}

int clinux_seqpacket_listen(const char *path, int backlog) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address, 0);
    if (fd < 0)
        return fd;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, backlog) < 0)
        return fail_closing(fd);
    return fd;
}

int clinux_seqpacket_connect(const char *path) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address, SOCK_NONBLOCK);
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 || fcntl(fd, F_SETFL, 0) < 0)
        return fail_closing(fd);
    return fd;
}

int clinux_send(int fd, const void *head, size_t head_length, const void *tail, size_t tail_length) {
    struct iovec parts[2] = {{(void *)head, head_length}, {(void *)tail, tail_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = tail_length > 0 ? 2 : 1};
    ssize_t count;
    do
        count = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : 0;
}

int clinux_send_all(int fd, const void *bytes, size_t length) {
    for (const char *next = bytes; length > 0;) {
        ssize_t count = send(fd, next, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        next += count;
        length -= (size_t)count;
    }
    return 0;
}

int clinux_stream_connect(const char *path, int seconds) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int directory = -1;
    if (strlen(path) < sizeof address.sun_path) {
        strcpy(address.sun_path, path);
        if (path[0] == '@') {
            // An abstract name is as long as it is told to be.
            address.sun_path[0] = 0;
            size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        }
    } else {
        // A name of the directory that is short: that of its descriptor.
        const char *name = strrchr(path, '/');
        if (name == NULL || strlen(name) > sizeof address.sun_path - 32)
            return -ENAMETOOLONG;
        char *parent = strndup(path, (size_t)(name - path) + 1);
        if (parent == NULL)
            return -ENOMEM;
        directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int error = errno;
        free(parent);
        if (directory < 0)
            return -error;
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d%s", directory, name);
    }
    struct timeval limit = {.tv_sec = seconds};
    int result = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (result < 0 || setsockopt(result, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
        result = result < 0 ? -errno : fail_closing(result);
    else if (connect(result, (struct sockaddr *)&address, size) < 0)
        result = fail_closing(result);
    if (directory >= 0)
        close(directory);
    return result;
}

int clinux_datagram_listen(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0777) < 0)
        return fail_closing(fd);
    return fd;
}

int clinux_datagram_connect(const char *path, int seconds) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = 0;
    struct timeval limit = {.tv_sec = seconds};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    // An abstract name is as long as it is told to be.
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '@'));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        connect(fd, (struct sockaddr *)&address, size) < 0)
        return fail_closing(fd);
    return fd;
}

int clinux_signal_on_input(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
        return -errno;
    return 0;
}

int clinux_send_descriptor(int fd, const void *bytes, size_t length, int passed) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
    struct iovec part = {(void *)bytes, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count;
    do
        count = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : 0;
}

long clinux_receive(int fd, void *buffer, size_t length, int *passed, int *sender) {
    // Room for one of each: CMSG_SPACE would have room for a second descriptor, which nobody would close.
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int))];
    } control;
    struct iovec part = {buffer, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
    if (*sender >= 0)
        message.msg_controllen += CMSG_SPACE(sizeof(struct ucred));
    *passed = -1;
    *sender = -1;
    ssize_t count;
    do
        count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item != NULL; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS)
            memcpy(passed, CMSG_DATA(item), sizeof *passed);
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(item), sizeof credentials);
            *sender = credentials.pid;
        }
    }
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : count;
}

int clinux_receive_senders(int fd) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ? -errno : 0;
}

int clinux_receive_timeout(int fd, int seconds) {
    struct timeval limit = {.tv_sec = seconds};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ? -errno : 0;
}

#define MOST_DESCRIPTORS 32

int clinux_send_many(int fd, const void *head, size_t head_length, const void *tail, size_t tail_length,
                     const int *fds, int count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec parts[2] = {{(void *)head, head_length}, {(void *)tail, tail_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = tail_length > 0 ? 2 : 1};
    if (count > MOST_DESCRIPTORS)
        return -EINVAL;
    if (count > 0) {
        control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

long clinux_receive_many(int fd, void *buffer, size_t length, int *fds, int *count, int wait) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {buffer, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received;
    *count = 0;
    do
        received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(header), (size_t)*count * sizeof(int));
    }
    if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return received;
    for (int i = 0; i < *count; i++)
        close(fds[i]);
    *count = 0;
    return -EMSGSIZE;
}
