// Descriptors: those that the plan still needs are in slots; the others linger until they are swept, many with one call.

/// As many may linger above the first of ours.
#define LINGERING_MAX 160

struct init_rlimit {
    uint64_t soft;
    uint64_t hard;
};

/// A caller who may open few files has half of them for what is kept.
static void limit_lingering(struct init *init) {
    struct init_rlimit files;
    uint64_t limit = init->header->first_private + LINGERING_MAX;
    if (SYS4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &files) == 0 && files.soft / 2 < limit)
        limit = files.soft / 2;
    init->sweep_from = (int)limit;
}

static int slot(const struct init *init, int16_t number) {
    return number < 0 ? -EBADF : init->slots[number];
}

/// The lowest descriptor from `from` on that is still needed, or -1.
static int next_needed(const struct init *init, int from) {
    int next = init->report >= from ? init->report : -1;
    for (int i = 0; i < CPLAN_SLOTS; i++)
        if (init->slots[i] >= from && (next < 0 || init->slots[i] < next))
            next = init->slots[i];
    return next;
}

/// Closes everything of ours that is in no slot, and what the caller may have leaked.
static int sweep(const struct init *init) {
    int from = (int)init->header->first_private;
    for (int needed; (needed = next_needed(init, from)) >= 0; from = needed + 1)
        if (needed > from)
            SYS3(__NR_close_range, from, needed - 1, 0);
    return (int)SYS3(__NR_close_range, from, ~0u, 0);
}

/// Fills a slot; what was in it lingers.
static void fill(struct init *init, int16_t number, int fd) {
    if (number < 0 || number >= CPLAN_SLOTS) {
        sys_close(fd);
        return;
    }
    init->slots[number] = fd;
    init->made[number] = 0;
    if (fd >= init->sweep_from)
        sweep(init);
}

/// Closes what the container must not inherit, for good: a descriptor that is only marked close-on-exec is still a
/// way out for a working directory or an executable named /proc/self/fd/N.
static int op_close_from(struct init *init, const struct cplan_op *op) {
    for (int i = CPLAN_SLOT_CGROUP; i < CPLAN_SLOTS; i++)
        if (i != op->src && i != CPLAN_SLOT_REAPER)
            init->slots[i] = -1;
    return sweep(init);
}
