// What clients ask for: each function does one request and answers it.

static void refuse(struct keeper *keeper, int client, long error) {
    answer(keeper, client, CKEEPER_REFUSED, 0, -error, 0, 0);
}

static void request_supervisor(struct keeper *keeper, int client) {
    struct supervisor *supervisor = &keeper->supervisor;
    int pid = keeper->clients[client].pid;
    if (supervisor->pid == 0 && supervisor->length == 0) {
        supervisor->foreign = 1;
        supervisor->pid = keeper->state.supervisor = pid;
        keeper->state.supervisors++;
    }
    if (pid != supervisor->pid || supervisor->client >= 0)
        return refuse(keeper, client, supervisor->pid > 0 ? -EBUSY : -EPERM);
    supervisor->client = client;
    supervisor->untold = 1;
}

static void request_spawn(struct keeper *keeper, int client) {
    static struct words words;
    int streams = (int)keeper->message.value, pidfd = -1;
    int others = keeper->passed_count - 1 - streams;
    if (streams < 0 || streams > CKEEPER_DESCRIPTORS || others < 0)
        return refuse(keeper, client, -EINVAL);
    int result = split_words(&words, keeper->payload, keeper->message.length, keeper->passed + 1 + streams, others);
    if (result == 0) {
        keeper->clients[client].launching = 1;
        result = spawn(keeper, &words, keeper->passed, streams, keeper->passed_count, &pidfd);
    }
    if (result < 0)
        return refuse(keeper, client, result);
    struct ckeeper_message message = {.type = CKEEPER_SPAWNED, .pid = result};
    send_with(keeper->clients[client].fd, &message, 0, &pidfd, 1);
    sys_close(pidfd);
}

static void request_keep(struct keeper *keeper, int client) {
    uint32_t mask = (uint32_t)keeper->message.value;
    int wanted = 0;
    for (int i = 0; i < CKEEPER_SLOTS; i++)
        wanted += mask >> i & 1;
    if (mask >> CKEEPER_SLOTS != 0 || (keeper->passed_count != 0 && keeper->passed_count != wanted))
        return refuse(keeper, client, -EINVAL);
    int renews = keeper->passed_count > 0;
    for (int i = 0, next = 0; i < CKEEPER_SLOTS; i++) {
        // A new run has only what it is given.
        if (mask >> i & 1 || (renews && i != CKEEPER_LISTENER))
            shut(&keeper->slots[i]);
        if (renews && mask >> i & 1) {
            keeper->slots[i] = keeper->passed[next];
            keeper->passed[next++] = -1;
        }
    }
    if (renews) {
        keeper->awaited = 1;
        renew_streams(keeper);
    }
    keeper->supervisor.untold = 1;
    answer(keeper, client, CKEEPER_DONE, 0, 0, 0, 0);
}

static void request_watch(struct keeper *keeper, int client) {
    int pid = keeper->message.pid;
    uint32_t kind = (uint32_t)keeper->message.value;
    struct watched *entry = watched_place(keeper);
    if (pid <= 0 || kind > CKEEPER_FAILED || (kind == CKEEPER_CONTAINER && keeper->state.lives))
        return refuse(keeper, client, -EINVAL);
    if (entry == 0)
        return refuse(keeper, client, -ENOSPC);
    if (pid == keeper->supervisor.pid || find_watched(keeper, pid) != 0 || !is_child(pid))
        return refuse(keeper, client, -ECHILD);
    keeper->state.run += kind == CKEEPER_CONTAINER;
    *entry = (struct watched){.client = client,
                              .exit = {.pid = pid, .kind = kind, .run = keeper->state.run, .started = now(CLOCK_REALTIME)}};
    if (kind == CKEEPER_CONTAINER) {
        keeper->state.container = entry->exit;
        keeper->state.lives = 1;
        keeper->awaited = 0;
        keeper->container = (int)SYS2(__NR_pidfd_open, pid, 0);
        keeper->supervisor.untold = 1;
    }
    keeper->clients[client].launching = 0;
    keeper->looks = 1; // It may have ended already.
    // Before the launcher is: when that has ended, the supervisor must have heard of what it has started.
    tell_supervisor(keeper);
    answer(keeper, client, CKEEPER_DONE, 0, 0, 0, 0);
}

/// The supervisor is asked to go, and killed when it does not: only our own child, whose number is nobody else's.
static void send_away(struct keeper *keeper) {
    struct supervisor *supervisor = &keeper->supervisor;
    if (supervisor->pid == 0 || supervisor->leaving)
        return;
    supervisor->leaving = 1;
    // One that has not even said who it is has nothing to finish.
    long told = supervisor->client < 0 ? -ENOTCONN : answer(keeper, supervisor->client, CKEEPER_LEAVE, 0, 0, 0, 0);
    if (supervisor->foreign)
        return;
    supervisor->alarm = now(CLOCK_MONOTONIC) + 5000000000;
    if (told < 0)
        SYS2(__NR_kill, supervisor->pid, SIGKILL);
}

static void request_supervise(struct keeper *keeper, int client) {
    struct supervisor *supervisor = &keeper->supervisor;
    for (uint32_t i = 0; i < keeper->message.length; i++)
        supervisor->words[i] = keeper->payload[i];
    supervisor->length = keeper->message.length;
    supervisor->quick = 0;
    answer(keeper, client, CKEEPER_DONE, 0, 0, 0, 0);
    if (supervisor->pid == 0)
        start_supervisor(keeper);
    else if (keeper->message.value == 1)
        send_away(keeper);
}

static void request_ask(struct keeper *keeper, int client) {
    keeper->state.exits = 0;
    for (int i = 0; i < keeper->watched_end; i++)
        keeper->state.exits += keeper->watched[i].ended != 0;
    answer(keeper, client, CKEEPER_STATE, 0, 0, &keeper->state, sizeof keeper->state);
}

static void request_end(struct keeper *keeper, int client) {
    if (keeper->state.lives)
        return refuse(keeper, client, -EBUSY);
    keeper->ending = 1;
    // The supervisor ends by itself when it is the one that says so.
    if (client != keeper->supervisor.client)
        send_away(keeper);
}

static void serve(struct keeper *keeper, int client) {
    switch (keeper->message.type) {
    case CKEEPER_SUPERVISOR: request_supervisor(keeper, client); break;
    case CKEEPER_SPAWN: request_spawn(keeper, client); break;
    case CKEEPER_KEEP: request_keep(keeper, client); break;
    case CKEEPER_WATCH: request_watch(keeper, client); break;
    case CKEEPER_SUPERVISE: request_supervise(keeper, client); break;
    case CKEEPER_ASK: request_ask(keeper, client); break;
    case CKEEPER_END: request_end(keeper, client); break;
    default: refuse(keeper, client, -ENOSYS);
    }
    drop_passed(keeper);
}
