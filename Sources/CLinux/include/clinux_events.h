#ifndef CLINUX_EVENTS_H
#define CLINUX_EVENTS_H

#include <stddef.h>
#include <stdint.h>

/// struct epoll_event, which is packed on some architectures only.
struct clinux_event {
    uint32_t events;
    uint32_t reserved;
    uint64_t token;
};

#define CLINUX_EVENT_IN 0x001u
#define CLINUX_EVENT_PRIORITY 0x002u
#define CLINUX_EVENT_OUT 0x004u
#define CLINUX_EVENT_ERROR 0x008u
#define CLINUX_EVENT_HANG_UP 0x010u
/// EPOLLRDHUP: the other side sends nothing any more.
#define CLINUX_EVENT_PEER_CLOSED 0x2000u
/// EPOLLET: told once for each change.
#define CLINUX_EVENT_EDGE (1u << 31)

/// epoll_create1(2), close-on-exec.
int clinux_epoll(void);

/// Adds a descriptor; `events` are told with `token`.
int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int clinux_epoll_change(int epoll, int fd, uint32_t events, uint64_t token);
int clinux_epoll_remove(int epoll, int fd);

/// epoll_wait(2), restarted after signals: at most `count` events, 32 at a time.
int clinux_epoll_wait(int epoll, struct clinux_event *_Nonnull events, int count, int milliseconds);

/// accept4(2): the connection does not block and is close-on-exec. Stores who has connected (SO_PEERCRED).
int clinux_accept(int listener, uint32_t *_Nonnull uid, int *_Nonnull pid);

/// recv(2) of one datagram, without waiting: its length, 0 at end-of-file, -EAGAIN when nothing is there, -EMSGSIZE
/// when it was longer than the buffer.
long clinux_receive_now(int fd, void *_Nonnull buffer, size_t length);

/// How a process has ended, as wait(2) tells it, by a pidfd alone (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15): for
/// those who are not its parent. -EAGAIN while nobody has reaped it; another error where the kernel does not tell.
int clinux_pidfd_exit_status(int pidfd, int *_Nonnull status);

/// Nobody of the same user may look into this process (PR_SET_DUMPABLE).
int clinux_set_undumpable(void);

/// A heap that keeps no more than it needs: for a process that lives long.
void clinux_long_life(void);

/// Copies this program into a sealed memory file, and executes that with the same arguments and environment. Returns
/// only when it fails, or 0 when it runs from such a file already.
int clinux_execute_sealed_copy(void);

#endif
