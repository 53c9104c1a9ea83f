// The keeper's socket: one SEQPACKET datagram a message, descriptors with it.

#define CONTROL_WORDS ((sizeof(size_t) + 2 * sizeof(int) + CKEEPER_DESCRIPTORS * sizeof(int)) / sizeof(size_t) + 1)

/// A cmsghdr and room for descriptors.
struct rights {
    size_t length;
    int level;
    int type;
    int fds[CKEEPER_DESCRIPTORS];
};

/// Sends; never waits. Returns 0 or -errno.
static long send_with(int fd, const struct ckeeper_message *message, const void *payload, const int *fds, int count) {
    struct init_iovec parts[2] = {{(void *)message, sizeof *message}, {(void *)payload, message->length}};
    struct rights rights = {
        .length = offsetof(struct rights, fds) + (size_t)count * sizeof(int), .level = SOL_SOCKET, .type = SCM_RIGHTS};
    struct init_msghdr header = {.parts = parts, .part_count = message->length > 0 ? 2 : 1};
    for (int i = 0; i < count; i++)
        rights.fds[i] = fds[i];
    if (count > 0) {
        header.control = &rights;
        header.control_length = (rights.length + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1);
    }
    long result;
    do
        result = SYS3(__NR_sendmsg, fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (result == -EINTR);
    return result < 0 ? result : 0;
}

static long answer(struct keeper *keeper, int client, uint32_t type, int pid, int64_t value, const void *payload,
                   uint32_t length) {
    struct ckeeper_message message = {.type = type, .pid = pid, .value = value, .length = length};
    return send_with(keeper->clients[client].fd, &message, payload, 0, 0);
}

/// Tells the supervisor how things are, with all descriptors that it needs, then which execs have ended. What does
/// not get through stays to be told.
static void tell_supervisor(struct keeper *keeper) {
    struct supervisor *supervisor = &keeper->supervisor;
    if (supervisor->client < 0)
        return;
    int socket = keeper->clients[supervisor->client].fd;
    if (supervisor->untold) {
        int fds[CKEEPER_DESCRIPTORS] = {keeper->memory, keeper->output, keeper->room};
        int count = 3;
        keeper->state.slots = 0;
        for (int i = 0; i < CKEEPER_SLOTS; i++)
            if (keeper->slots[i] >= 0) {
                keeper->state.slots |= 1u << i;
                fds[count++] = keeper->slots[i];
            }
        if (keeper->container >= 0)
            fds[count++] = keeper->container;
        struct ckeeper_message message = {.type = CKEEPER_STATE, .length = sizeof keeper->state};
        if (send_with(socket, &message, &keeper->state, fds, count) < 0)
            return;
        supervisor->untold = 0;
    }
    for (int i = 0; i < keeper->watched_end; i++) {
        struct watched *entry = &keeper->watched[i];
        if (!entry->ended)
            continue;
        if (answer(keeper, supervisor->client, CKEEPER_EXITED, entry->exit.pid, 0, &entry->exit, sizeof entry->exit) < 0)
            return;
        entry->exit.pid = 0;
        entry->ended = 0;
    }
}

/// Whether there is something that the supervisor could not be told yet.
static int has_news(const struct keeper *keeper) {
    if (keeper->supervisor.untold)
        return 1;
    for (int i = 0; i < keeper->watched_end; i++)
        if (keeper->watched[i].ended)
            return 1;
    return 0;
}

/// Receives one message into `keeper->message`, `payload` and `passed`. Returns 1, 0 when nothing is there, or
/// -errno when the client has gone or talks nonsense.
static int receive_message(struct keeper *keeper, int fd) {
    struct rights rights;
    struct init_iovec parts[2] = {{&keeper->message, sizeof keeper->message}, {keeper->payload, CKEEPER_PAYLOAD}};
    struct init_msghdr header = {
        .parts = parts, .part_count = 2, .control = &rights, .control_length = sizeof rights};
    long count;
    do
        count = SYS3(__NR_recvmsg, fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (count == -EINTR);
    keeper->passed_count = 0;
    if (count == -EAGAIN)
        return 0;
    if (count < 0)
        return (int)count;
    if (header.control_length >= offsetof(struct rights, fds) && rights.level == SOL_SOCKET &&
        rights.type == SCM_RIGHTS) {
        keeper->passed_count = (int)((rights.length - offsetof(struct rights, fds)) / sizeof(int));
        for (int i = 0; i < keeper->passed_count; i++)
            keeper->passed[i] = rights.fds[i];
    }
    if (count < (long)sizeof keeper->message || header.flags & (MSG_TRUNC | MSG_CTRUNC))
        return -EPROTO;
    keeper->message.length = (uint32_t)(count - (long)sizeof keeper->message);
    keeper->payload[keeper->message.length] = 0;
    return 1;
}

/// Closes what came with a message and was not taken.
static void drop_passed(struct keeper *keeper) {
    for (int i = 0; i < keeper->passed_count; i++)
        shut(&keeper->passed[i]);
    keeper->passed_count = 0;
}
