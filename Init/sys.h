// System calls, each a typed one-liner: they return a value >= 0, or -errno.
#ifndef SYS_H
#define SYS_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#define SYS0(n) syscall6(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// Of C-library headers that a freestanding program does without.
#define X_OK 1
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 00004000
#define AF_UNIX 1
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSG_PEEK 0x2
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000

/// struct ifreq, as far as SIOCSIFFLAGS goes: 40 bytes.
struct init_ifreq {
    char name[16];
    short flags;
    char rest[22];
};

#define IFF_UP 0x1
#define IFF_RUNNING 0x40

struct init_iovec {
    void *base;
    size_t length;
};

struct init_msghdr {
    void *name;
    int name_length;
    struct init_iovec *parts;
    size_t part_count;
    void *control;
    size_t control_length;
    unsigned flags;
};

/// A control message that carries one descriptor: cmsghdr and data with the kernel's alignment.
struct init_rights {
    size_t length;
    int level;
    int type;
    int fd;
    int padding;
};

_Noreturn static inline void sys_exit(int code) {
    for (;;)
        SYS1(__NR_exit_group, code);
}

static inline int sys_close(int fd) {
    return (int)SYS1(__NR_close, fd);
}

static inline long sys_read(int fd, void *buffer, size_t length) {
    return SYS3(__NR_read, fd, buffer, length);
}

static inline long sys_write(int fd, const void *buffer, size_t length) {
    return SYS3(__NR_write, fd, buffer, length);
}

static inline int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
                            const void *data) {
    return (int)SYS5(__NR_mount, source, target, type, flags, data);
}

static inline int sys_fchdir(int fd) {
    return (int)SYS1(__NR_fchdir, fd);
}

static inline int sys_chdir(const char *path) {
    return (int)SYS1(__NR_chdir, path);
}

static inline int sys_prctl(int option, unsigned long value, unsigned long second) {
    return (int)SYS5(__NR_prctl, option, value, second, 0, 0);
}

#endif
