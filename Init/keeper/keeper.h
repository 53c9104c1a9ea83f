// What the keeper knows (CKeeper.h, spec/supervisor.md). One process, one thread, no heap: all of it is here, and pages
// that are not touched cost nothing.
#ifndef KEEPER_H
#define KEEPER_H

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "CKeeper.h"
#include "../sys.h"

#define POLLIN 1
#define POLLOUT 4
#define SO_PEERCRED 17
#define MSG_CTRUNC 0x8
#define MSG_TRUNC 0x20

struct poll_entry {
    int fd;
    short events;
    short revents;
};

/// struct ucred.
struct credentials {
    int pid;
    unsigned uid;
    unsigned gid;
};

/// Somebody at keeper.sock.
struct client {
    int fd; /* -1: none */
    int pid;
    int launching; /* has spawned something and not yet said what is to become of it */
};

/// A process whose end is wanted.
struct watched {
    struct ckeeper_exit exit; /* pid 0: none */
    int client;               /* who asked, -1 when he has gone */
    int ended;                /* and not yet told to a supervisor */
};

/// The supervisor's process.
struct supervisor {
    int pid;                     /* 0: none */
    int client;                  /* its connection, -1 before it has said who it is */
    int foreign;                 /* not a child of ours: it ends with its connection */
    int untold;                  /* it must be told the state */
    int leaving;                 /* LEAVE was sent */
    int quick;                   /* deaths in a row soon after the start */
    int64_t started;             /* CLOCK_MONOTONIC, nanoseconds */
    int64_t alarm;               /* when to kill it, or to start it; 0: never */
    uint32_t length;             /* of `words`; 0: none is wanted */
    char words[CKEEPER_PAYLOAD]; /* argv, an empty word, environment; each ended by NUL */
};

struct keeper {
    int listener;
    int signals;
    int memory;
    int output; /* eventfd: bytes have arrived */
    int room;   /* eventfd: there is room in a ring that was full */
    int peer;   /* the other end of the terminal, so that it is there while nobody else has it open */
    int slots[CKEEPER_SLOTS];
    int container; /* pidfd, -1 when none lives */
    int awaited;   /* the streams are those of a run that nobody has said to watch yet */
    int ending;
    int looks; /* children may have ended */
    unsigned uid;
    struct ckeeper_shared *shared;
    char *rings[CKEEPER_STREAMS];
    uint64_t rest[CKEEPER_STREAMS]; /* bytes that a container which has ended can have left at most */
    struct ckeeper_state state;
    struct supervisor supervisor;
    struct client clients[CKEEPER_CLIENTS];
    struct watched watched[CKEEPER_WATCHED];
    int watched_end; /* behind the last that was ever used */

    char badness[16]; /* oom_score_adj as it was; empty when it was left alone */
    long badness_length;

    // One message at a time.
    struct ckeeper_message message;
    char payload[CKEEPER_PAYLOAD + 1];
    int passed[CKEEPER_DESCRIPTORS];
    int passed_count;
};

static int64_t now(int clock) {
    struct __kernel_timespec time = {0};
    SYS2(__NR_clock_gettime, clock, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void shut(int *fd) {
    if (*fd >= 0)
        sys_close(*fd);
    *fd = -1;
}

#endif
