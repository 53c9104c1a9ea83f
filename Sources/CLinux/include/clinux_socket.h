#ifndef CLINUX_SOCKET_H
#define CLINUX_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

/// A connected pair of SEQPACKET Unix sockets, close-on-exec.
int clinux_seqpacket_pair(int fds[_Nonnull 2]);

/// A SEQPACKET Unix socket that listens at `path` (at most 107 bytes; longer ones through /proc/self/fd/N/name).
int clinux_seqpacket_listen(const char *_Nonnull path, int backlog);

/// Connects a SEQPACKET Unix socket without waiting (what is done with it later does wait): -EAGAIN when the listener's queue is full, -ECONNREFUSED when
/// nobody listens any more.
int clinux_seqpacket_connect(const char *_Nonnull path);

/// One datagram: a header and what follows it. -EPIPE instead of a signal.
int clinux_send(int fd, const void *_Nonnull head, size_t head_length, const void *_Nullable tail,
                size_t tail_length);

/// Receives one datagram; a descriptor that comes with it is stored close-on-exec in `*passed`, else -1. Returns
/// the length, 0 at end-of-file; -EMSGSIZE when the datagram was longer than the buffer.
///
/// `*sender`: a number >= 0 on entry when clinux_receive_senders was called; becomes the pid of the process that sent
/// the datagram, 0 when it has none in our pid namespace, -1 when that is not known.
long clinux_receive(int fd, void *_Nonnull buffer, size_t length, int *_Nonnull passed, int *_Nonnull sender);

/// Has the kernel tell who sent what is sent from now on.
int clinux_receive_senders(int fd);

/// Limits how long clinux_receive may wait: it returns -EAGAIN after that many seconds.
int clinux_receive_timeout(int fd, int seconds);

/// Sends all bytes. -EPIPE instead of a signal; -EAGAIN when the other end takes none for as long as the socket says.
int clinux_send_all(int fd, const void *_Nonnull bytes, size_t length);

/// Connects to the stream socket at `path`, of any length, or with `@` in front to an abstract one (unix(7)). Waits at most `seconds` for a place in the listener's
/// queue, and no longer for each message that is sent later: -EAGAIN.
int clinux_stream_connect(const char *_Nonnull path, int seconds);

/// A datagram socket at `path` (at most 107 bytes) that everybody may write to; it never blocks.
int clinux_datagram_listen(const char *_Nonnull path);

/// Connects to the datagram socket at `path`, or with `@` in front to an abstract one (unix(7)). Writing waits at most
/// `seconds`.
int clinux_datagram_connect(const char *_Nonnull path, int seconds);

/// Has the kernel send SIGIO to this process when something can be read.
int clinux_signal_on_input(int fd);

/// Sends the bytes and one descriptor with them (SCM_RIGHTS, unix(7)). -EPIPE instead of a signal.
int clinux_send_descriptor(int fd, const void *_Nonnull bytes, size_t length, int passed);

/// One datagram with `count` descriptors (SCM_RIGHTS), at most 32: a header and what follows it. Waits for room as
/// long as the socket says. -EPIPE instead of a signal.
int clinux_send_many(int fd, const void *_Nonnull head, size_t head_length, const void *_Nullable tail,
                     size_t tail_length, const int *_Nullable fds, int count);

/// Receives one datagram; descriptors that come with it are stored close-on-exec in `fds`, which has room for 32, and
/// their number in `*count`. `wait`: 0 to return -EAGAIN when nothing is there. Returns the length, 0 at end-of-file;
/// -EMSGSIZE when the datagram was longer than the buffer, and no descriptor then.
long clinux_receive_many(int fd, void *_Nonnull buffer, size_t length, int *_Nonnull fds, int *_Nonnull count,
                         int wait);

#endif
