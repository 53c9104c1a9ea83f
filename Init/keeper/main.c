// gantry's keeper: the parent of a supervised container's processes (CKeeper.h, spec/supervisor.md).
//
// A freestanding program as the init is. argv[1] names the descriptors it was started with: the socket at which clients
// connect, a connection to the first of them, and supervisor.sock, which it holds for the supervisor. argv[2] is the
// container's ID, for those who look at the process.

#include "keeper.h"

#include "../memory.c"
#include "messages.c"
#include "streams.c"
#include "spawn.c"
#include "children.c"
#include "requests.c"

/// Lets in who connects and is of our user.
static void admit(struct keeper *keeper) {
    for (int i = 0; i < CKEEPER_CLIENTS; i++) {
        if (keeper->clients[i].fd >= 0)
            continue;
        int fd = (int)SYS4(__NR_accept4, keeper->listener, 0, 0, O_CLOEXEC);
        struct credentials peer = {.pid = 0, .uid = ~0u};
        int length = sizeof peer;
        if (fd < 0)
            return;
        SYS5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
        if (peer.uid != keeper->uid && peer.uid != 0) {
            sys_close(fd);
            return;
        }
        keeper->clients[i] = (struct client){.fd = fd, .pid = peer.pid};
        return;
    }
}

/// A client has gone: nobody waits any more for what it asked for. One that made the keeper and leaves before there is
/// a container has failed, and there is nothing to keep.
static void leave(struct keeper *keeper, int client) {
    shut(&keeper->clients[client].fd);
    keeper->clients[client].launching = 0;
    keeper->looks = 1;
    for (int i = 0; i < keeper->watched_end; i++)
        if (keeper->watched[i].client == client)
            keeper->watched[i].client = -1;
    if (client == keeper->supervisor.client) {
        keeper->supervisor.client = -1;
        if (keeper->supervisor.foreign)
            supervisor_ended(keeper);
    }
    if (keeper->state.run > 0)
        return;
    for (int i = 0; i < CKEEPER_CLIENTS; i++)
        if (keeper->clients[i].fd >= 0 && i != keeper->supervisor.client)
            return;
    keeper->ending = 1;
    send_away(keeper);
}

static void hear(struct keeper *keeper, int client) {
    int result;
    // One at a time: the others are served between.
    if ((result = receive_message(keeper, keeper->clients[client].fd)) > 0) {
        serve(keeper, client);
    } else if (result < 0) {
        drop_passed(keeper);
        leave(keeper, client);
    }
}

/// Whether all is over: the container has ended, nobody waits for an exec's end, and the supervisor has left.
static int is_over(const struct keeper *keeper) {
    if (!keeper->ending || keeper->state.lives || keeper->supervisor.pid > 0)
        return 0;
    for (int i = 0; i < keeper->watched_end; i++)
        if (keeper->watched[i].exit.pid > 0 && !keeper->watched[i].ended && keeper->watched[i].client >= 0)
            return 0;
    return 1;
}

/// What is waited for, in a fixed order.
enum { SIGNALS, LISTENER, ROOM, STREAMS, CLIENTS = STREAMS + CKEEPER_STREAMS, ENTRIES = CLIENTS + CKEEPER_CLIENTS };

static int prepare(const struct keeper *keeper, struct poll_entry *set) {
    int free = 0, last = CLIENTS;
    set[SIGNALS] = (struct poll_entry){keeper->signals, POLLIN, 0};
    set[ROOM] = (struct poll_entry){keeper->room, POLLIN, 0};
    for (int i = 0; i < CKEEPER_STREAMS; i++)
        set[STREAMS + i] =
            (struct poll_entry){stream_reads(keeper, i) ? stream_source(keeper, i) : -1, POLLIN, 0};
    for (int i = 0; i < CKEEPER_CLIENTS; i++) {
        int is_told = i == keeper->supervisor.client && has_news(keeper);
        set[CLIENTS + i] = (struct poll_entry){keeper->clients[i].fd, is_told ? POLLIN | POLLOUT : POLLIN, 0};
        if (keeper->clients[i].fd >= 0)
            last = CLIENTS + i + 1;
        else
            free = 1;
    }
    set[LISTENER] = (struct poll_entry){free ? keeper->listener : -1, POLLIN, 0};
    return last;
}

/// Waits until something is to be done, or the supervisor's alarm.
static void wait_for_work(const struct keeper *keeper, struct poll_entry *set, int count) {
    struct __kernel_timespec time = {0};
    int64_t left = keeper->supervisor.alarm == 0 ? 0 : keeper->supervisor.alarm - now(CLOCK_MONOTONIC);
    if (left > 0) {
        time.tv_sec = left / 1000000000;
        time.tv_nsec = left % 1000000000;
    }
    SYS5(__NR_ppoll, set, count, keeper->supervisor.alarm == 0 ? 0 : &time, 0, 8);
}

static void heed_alarm(struct keeper *keeper) {
    struct supervisor *supervisor = &keeper->supervisor;
    if (supervisor->alarm == 0 || now(CLOCK_MONOTONIC) < supervisor->alarm)
        return;
    supervisor->alarm = 0;
    if (supervisor->pid > 0)
        SYS2(__NR_kill, supervisor->pid, SIGKILL);
    else if (!keeper->ending)
        start_supervisor(keeper);
}

_Noreturn static void work(struct keeper *keeper) {
    static struct poll_entry set[ENTRIES];
    for (;;) {
        tell_supervisor(keeper);
        if (is_over(keeper))
            sys_exit(0);
        int count = prepare(keeper, set);
        wait_for_work(keeper, set, count);
        // Output first: what was printed before an end is read before the end is told.
        if (set[ROOM].revents)
            resume_streams(keeper);
        for (int i = 0; i < CKEEPER_STREAMS; i++)
            if (set[STREAMS + i].revents)
                read_stream(keeper, i);
        if (set[SIGNALS].revents) {
            char info[128];
            sys_read(keeper->signals, info, sizeof info);
            keeper->looks = 1;
        }
        for (int i = 0; i < CKEEPER_CLIENTS && CLIENTS + i < count; i++)
            if (set[CLIENTS + i].revents & ~POLLOUT && keeper->clients[i].fd == set[CLIENTS + i].fd)
                hear(keeper, i);
        if (set[LISTENER].revents)
            admit(keeper);
        if (has_stopped(keeper))
            finish_streams(keeper);
        if (keeper->looks)
            reap_children(keeper);
        heed_alarm(keeper);
    }
}

/// The kernel is asked to look elsewhere first when memory is short; children are as they were without us.
static void protect(struct keeper *keeper) {
    int fd = (int)SYS4(__NR_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    long length = sys_read(fd, keeper->badness, sizeof keeper->badness);
    if (length > 0 && SYS4(__NR_pwrite64, fd, "-999", 4, 0) == 4)
        keeper->badness_length = length;
    sys_close(fd);
}

/// `stack` is where the kernel put argc, and argv behind it.
__attribute__((used)) _Noreturn void init_main(long *stack) {
    static struct keeper state;
    struct keeper *keeper = &state;
    if (stack[0] < 3)
        sys_exit(1);
    sys_prctl(PR_SET_DUMPABLE, 0, 0);
    sys_prctl(PR_SET_NAME, (unsigned long)"gantry-keeper", 0);
    sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
    SYS0(__NR_setsid);
    sys_chdir("/");

    const char *numbers = (const char *)stack[2];
    for (int i = 0; i < CKEEPER_SLOTS; i++)
        keeper->slots[i] = -1;
    for (int i = 0; i < CKEEPER_CLIENTS; i++)
        keeper->clients[i].fd = -1;
    keeper->listener = take_number(&numbers);
    keeper->clients[0].fd = take_number(&numbers);
    keeper->slots[CKEEPER_LISTENER] = take_number(&numbers);
    SYS3(__NR_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    keeper->container = keeper->peer = -1;
    keeper->supervisor.client = -1;
    keeper->uid = (unsigned)SYS0(__NR_geteuid);
    keeper->state.version = CKEEPER_VERSION;
    keeper->state.keeper = (int)SYS0(__NR_getpid);

    // No signal ends the keeper but SIGKILL: they stay pending, and only the ends of children are looked at.
    uint64_t all = ~0ull, children = 1ull << (SIGCHLD - 1);
    SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all);
    keeper->signals = (int)SYS4(__NR_signalfd4, -1, &children, sizeof children, O_CLOEXEC | O_NONBLOCK);
    make_memory(keeper);
    protect(keeper);
    work(keeper);
}
