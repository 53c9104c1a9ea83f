// The protocol with gantry (CPlan.h, spec/protocol.md): one SEQPACKET datagram a message.

static long send_message(int socket, const struct cplan_message *message, const char *detail, int fd) {
    struct init_iovec parts[2] = {{(void *)message, sizeof *message}, {(void *)detail, message->length}};
    struct init_rights rights = {
        .length = offsetof(struct init_rights, fd) + sizeof(int), .level = SOL_SOCKET, .type = SCM_RIGHTS, .fd = fd};
    struct init_msghdr header = {.parts = parts, .part_count = message->length > 0 ? 2 : 1};
    if (fd >= 0) {
        header.control = &rights;
        header.control_length = sizeof rights;
    }
    long result;
    do
        result = SYS3(__NR_sendmsg, socket, &header, MSG_NOSIGNAL);
    while (result == -EINTR);
    return result;
}

/// Tells which op failed and how, and ends. `detail` means what `kind` says.
_Noreturn static void fail(struct init *init, long result, uint32_t kind, const char *detail, size_t length) {
    struct cplan_message message = {
        .type = CPLAN_MSG_FAILED,
        .value = init->ops == 0 ? 0 : init->ops[init->index].code,
        .op = init->index,
        .error = (int32_t)(result < 0 ? -result : result),
        .detail = kind,
        .length = (uint32_t)(length > CPLAN_DETAIL_MAX ? CPLAN_DETAIL_MAX : length),
    };
    if (init->report >= 0)
        send_message(init->report, &message, detail, -1);
    sys_exit(1);
}

/// Enters the cgroups whose files are named in the list, each path ended by NUL (Cgroup.entrances).
static void enter_cgroups(struct init *init, const char *list, size_t length) {
    for (size_t at = 0; at < length;) {
        const char *path = list + at;
        size_t size = text_length(path);
        int fd = open_in(AT_FDCWD, path, O_WRONLY, 0, RESOLVE_NO_SYMLINKS);
        long result = fd < 0 ? fd : sys_write(fd, "0", 1);
        if (result < 0)
            fail(init, result, CPLAN_DETAIL_PATH, path, size);
        at += size + 1;
    }
}

/// Tells gantry that a sync point is reached and waits for its answer. The payload goes to the value buffer. When
/// gantry is gone there is nobody to work for: the init ends.
static void op_sync(struct init *init, const struct cplan_op *op) {
    int control = init->slots[CPLAN_SLOT_CONTROL];
    struct cplan_message message = {.type = CPLAN_MSG_SYNC, .value = (int32_t)op->arg0};
    int passed = op->flags & CPLAN_F_ANY_FD ? slot(init, op->src) : -1;
    if (send_message(control, &message, 0, passed) < 0)
        sys_exit(1);

    struct cplan_message reply;
    struct init_iovec parts[2] = {{&reply, sizeof reply}, {init->value, sizeof init->value - 1}};
    struct init_msghdr header = {.parts = parts, .part_count = 2};
    long count;
    do
        count = SYS3(__NR_recvmsg, control, &header, MSG_CMSG_CLOEXEC);
    while (count == -EINTR);
    if (count < (long)sizeof reply || reply.type != CPLAN_MSG_REPLY || reply.value != message.value)
        sys_exit(1);
    init->value[count - (long)sizeof reply] = 0;
    if (op->arg0 == CPLAN_SYNC_PLACE)
        enter_cgroups(init, init->value, (size_t)(count - (long)sizeof reply));
    if (op->flags & CPLAN_F_ENV_VALUE)
        init->value_length = (uint32_t)(count - (long)sizeof reply);
    if (op->flags & CPLAN_F_LAST) {
        init->report = -1;
        sys_close(control);
        init->slots[CPLAN_SLOT_CONTROL] = -1;
    }
}

/// Dies with gantry, whose child this is. It may have died before it could be watched: then the other end is closed,
/// which the kernel does first.
static int op_death_signal(struct init *init, const struct cplan_op *op) {
    char byte;
    int result = sys_prctl(PR_SET_PDEATHSIG, op->arg0, 0);
    if (result == 0 && SYS6(__NR_recvfrom, init->slots[CPLAN_SLOT_CONTROL], &byte, 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) == 0)
        sys_exit(1);
    return result;
}

/// A struct pollfd.
struct init_poll {
    int fd;
    short events;
    short revents;
};

#define INIT_POLLIN 1

/// Dies of the signals that would end a process by default. As PID 1 of a namespace the kernel would drop them, but
/// a created container is expected to end when it is told to.
static void die_of_signal(int signals) {
    uint8_t info[128];
    if (sys_read(signals, info, sizeof info) < (long)sizeof info)
        return;
    uint32_t number = *(uint32_t *)info;
    uint64_t harmless = 1ull << (SIGCHLD - 1) | 1ull << (SIGCONT - 1) | 1ull << (SIGURG - 1) |
                        1ull << (SIGWINCH - 1) | 1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) |
                        1ull << (SIGTTOU - 1);
    if (!(harmless >> (number - 1) & 1))
        sys_exit(128 + (int)number);
}

/// Who may be connected at once. More wait in the listener's queue.
#define VISITORS 8

/// The listener, the signals, then the visitors; -1 where there is none.
struct init_waiting {
    struct init_poll set[2 + VISITORS];
};

/// Lets in who knocks at the start socket, as long as there is room.
static void admit(struct init_waiting *waiting, int listener) {
    for (int i = 2; waiting->set[0].revents && i < 2 + VISITORS; i++) {
        if (waiting->set[i].fd >= 0)
            continue;
        waiting->set[i].fd = (int)SYS4(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC);
        break;
    }
    waiting->set[0].fd = -1;
    for (int i = 2; i < 2 + VISITORS; i++)
        if (waiting->set[i].fd < 0)
            waiting->set[0].fd = listener;
}

/// The connection on which START came, or -1. Whoever leaves without a word only asked whether we are here; whoever
/// stays without one must not keep others from being heard.
static int hear(struct init_waiting *waiting) {
    for (int i = 2; i < 2 + VISITORS; i++) {
        if (waiting->set[i].fd < 0 || !waiting->set[i].revents)
            continue;
        struct cplan_message message;
        long count = sys_read(waiting->set[i].fd, &message, sizeof message);
        if (count == (long)sizeof message && message.type == CPLAN_MSG_START)
            return waiting->set[i].fd;
        sys_close(waiting->set[i].fd);
        waiting->set[i].fd = -1;
    }
    return -1;
}

/// Waits for `gantry start`. From then on failures are told on its connection, which closes by itself at exec.
static void op_wait_start(struct init *init, const struct cplan_op *op) {
    (void)op;
    uint64_t all = ~0ull, before = 0;
    SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    int signals = (int)SYS4(__NR_signalfd4, -1, &all, sizeof all, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int listener = init->slots[CPLAN_SLOT_START];
    struct init_waiting waiting;
    for (int i = 0; i < 2 + VISITORS; i++)
        waiting.set[i] = (struct init_poll){-1, INIT_POLLIN, 0};
    waiting.set[0].fd = listener;
    waiting.set[1].fd = signals;
    int connection = -1;
    while (connection < 0) {
        SYS5(__NR_ppoll, waiting.set, 2 + VISITORS, 0, 0, 0);
        if (waiting.set[1].revents)
            die_of_signal(signals);
        connection = hear(&waiting);
        if (connection < 0)
            admit(&waiting, listener);
    }
    for (int i = 2; i < 2 + VISITORS; i++)
        if (waiting.set[i].fd >= 0 && waiting.set[i].fd != connection)
            sys_close(waiting.set[i].fd);
    init->report = connection;
    // An end of file would otherwise look the same for an init that was killed. Before a filter could forbid it.
    struct cplan_message heard = {.type = CPLAN_MSG_HEARD};
    send_message(connection, &heard, 0, -1);
    sys_close(signals);
    SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
}
