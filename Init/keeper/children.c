// How children end.

static struct watched *find_watched(struct keeper *keeper, int pid) {
    for (int i = 0; i < keeper->watched_end; i++)
        if (keeper->watched[i].exit.pid == pid && !keeper->watched[i].ended)
            return &keeper->watched[i];
    return 0;
}

/// A place for one more; the longest ended one is given up when there is none.
static struct watched *watched_place(struct keeper *keeper) {
    struct watched *oldest = 0;
    for (int i = 0; i < CKEEPER_WATCHED; i++) {
        struct watched *entry = &keeper->watched[i];
        if (entry->exit.pid == 0) {
            if (i >= keeper->watched_end)
                keeper->watched_end = i + 1;
            return entry;
        }
        if (entry->ended && (oldest == 0 || entry->exit.ended < oldest->exit.ended))
            oldest = entry;
    }
    return oldest;
}

static void container_ended(struct keeper *keeper, const struct ckeeper_exit *exit) {
    keeper->state.container = *exit;
    keeper->state.lives = 0;
    shut(&keeper->container);
    limit_streams(keeper);
    finish_streams(keeper);
    shut(&keeper->slots[CKEEPER_STDIN]);
    keeper->supervisor.untold = 1;
}

static void watched_ended(struct keeper *keeper, struct watched *entry, int status) {
    entry->exit.status = status;
    entry->exit.ended = now(CLOCK_REALTIME);
    if (entry->exit.kind == CKEEPER_CONTAINER)
        container_ended(keeper, &entry->exit);
    if (entry->client >= 0)
        answer(keeper, entry->client, CKEEPER_EXITED, entry->exit.pid, 0, &entry->exit, sizeof entry->exit);
    entry->ended = entry->exit.kind == CKEEPER_EXEC;
    if (!entry->ended)
        entry->exit.pid = 0;
}

static void child_ended(struct keeper *keeper, int pid, int status) {
    if (pid == keeper->supervisor.pid) {
        supervisor_ended(keeper);
        return;
    }
    struct watched *entry = find_watched(keeper, pid);
    if (entry != 0)
        watched_ended(keeper, entry, status);
}

/// Whether somebody has spawned what is not watched yet: its end must not be taken before it is.
static int is_launching(const struct keeper *keeper) {
    for (int i = 0; i < CKEEPER_CLIENTS; i++)
        if (keeper->clients[i].fd >= 0 && keeper->clients[i].launching)
            return 1;
    return 0;
}

static int reap(struct keeper *keeper, int pid) {
    int status = 0;
    int found = (int)SYS4(__NR_wait4, pid, &status, WNOHANG, 0);
    if (found > 0)
        child_ended(keeper, found, status);
    return found > 0;
}

/// Takes the ends of all children, orphans of the container among them, that may be taken now.
static void reap_children(struct keeper *keeper) {
    keeper->looks = 0;
    if (!is_launching(keeper)) {
        while (reap(keeper, -1))
            ;
        return;
    }
    if (keeper->supervisor.pid > 0)
        reap(keeper, keeper->supervisor.pid);
    for (int i = 0; i < keeper->watched_end; i++)
        if (keeper->watched[i].exit.pid > 0 && !keeper->watched[i].ended)
            reap(keeper, keeper->watched[i].exit.pid);
}

/// Whether a child of ours has that number.
static int is_child(int pid) {
    return SYS5(__NR_waitid, P_PID, pid, 0, WEXITED | WNOHANG | WNOWAIT, 0) >= 0;
}
