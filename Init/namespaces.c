// Namespaces, the second process, and what belongs to a fresh namespace.

static int op_setns(struct init *init, const struct cplan_op *op) {
    return (int)SYS2(__NR_setns, slot(init, op->src), op->arg0);
}

static int op_unshare(struct init *init, const struct cplan_op *op) {
    (void)init;
    return (int)SYS1(__NR_unshare, op->arg0);
}

/// The signals that this process ignores, a bit each, as /proc/self/status tells them; all when it does not.
static uint64_t ignored_signals(const struct init *init) {
    char status[2048];
    int fd = open_in(init->slots[CPLAN_SLOT_PROC], "self/status", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
    long length = fd < 0 ? 0 : sys_read(fd, status, sizeof status);
    const char name[] = "\nSigIgn:\t";
    const long prefix = sizeof name - 1, digits = 16;
    for (long at = 0; at + prefix + digits <= length; at++) {
        long matched = 0;
        while (matched < prefix && status[at + matched] == name[matched])
            matched++;
        if (matched < prefix)
            continue;
        uint64_t signals = 0;
        for (const char *digit = status + at + prefix; digit < status + at + prefix + digits; digit++)
            signals = signals << 4 | (uint64_t)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
        return signals;
    }
    return ~0ull;
}

/// What gantry's caller ignores, an exec would hand on: a container could not be ended with SIGTERM. Asking which
/// saves a call per signal. The signal mask is empty since the spawn.
static int op_reset_signals(struct init *init, const struct cplan_op *op) {
    (void)op;
    static const uint64_t action[4]; /* the kernel's struct sigaction: SIG_DFL, no flags, empty mask */
    uint64_t signals = ignored_signals(init);
    for (int signal = 1; signal <= 64; signal++)
        if (signals >> (signal - 1) & 1)
            SYS4(__NR_rt_sigaction, signal, action, 0, sizeof(uint64_t));
    return 0;
}

/// Stage 2 says nothing before gantry has been told who it is; under load it would be faster at it than stage 1. When
/// stage 1 was killed before it could tell, nobody knows of stage 2, and it ends. It says so, for stage 1 may have been
/// killed right behind its message: gantry would take a silent end for that of the user's program.
static void wait_until_announced(struct init *init, const int gate[2]) {
    char announced;
    sys_close(gate[1]);
    if (sys_read(gate[0], &announced, 1) != 1)
        fail(init, -EOWNERDEAD, CPLAN_DETAIL_NONE, 0, 0);
    sys_close(gate[0]);
}

/// Makes stage 2, a child of gantry's, and ends stage 1. Stage 2 returns from here.
static int op_fork(struct init *init, const struct cplan_op *op) {
    struct clone_args arguments = {.flags = op->arg0 | CLONE_PARENT};
    int cgroup = op->src < 0 ? -1 : slot(init, op->src);
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    int gate[2];
    int result = (int)SYS2(__NR_pipe2, gate, O_CLOEXEC);
    if (result < 0)
        return result;
    long pid = SYS2(__NR_clone3, &arguments, sizeof arguments);
    if (pid < 0)
        return (int)pid;
    if (pid == 0) {
        wait_until_announced(init, gate);
        return (int)SYS0(__NR_setsid); // The caller's terminal and its signals stay the caller's.
    }
    struct cplan_message message = {.type = CPLAN_MSG_FORKED, .value = (int32_t)pid};
    if (send_message(init->slots[CPLAN_SLOT_CONTROL], &message, 0, -1) >= 0)
        sys_write(gate[1], "", 1);
    sys_exit(0);
}

static int op_loopback(struct init *init, const struct cplan_op *op) {
    (void)init;
    (void)op;
    // Any socket will do for this ioctl; a Unix one is there on every kernel.
    int fd = (int)SYS3(__NR_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    struct init_ifreq request = {.name = "lo", .flags = IFF_UP | IFF_RUNNING};
    int result = (int)SYS3(__NR_ioctl, fd, SIOCSIFFLAGS, &request);
    sys_close(fd);
    return result;
}

static int op_hostname(struct init *init, const struct cplan_op *op) {
    return (int)SYS2(__NR_sethostname, text(init, op->str), op->len);
}

static int op_domainname(struct init *init, const struct cplan_op *op) {
    return (int)SYS2(__NR_setdomainname, text(init, op->str), op->len);
}

/// A session keyring of the container's own, so that it has no part in the caller's. Its user may search it, as with
/// the runtime that engines know.
static int op_keyring(struct init *init, const struct cplan_op *op) {
    const uint32_t permissions = 0x3f1b0000; /* possessor: all; user: view, read, search, link */
    long ring = SYS2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(init, op->str));
    if (ring < 0)
        return (int)ring;
    SYS3(__NR_keyctl, KEYCTL_SETPERM, ring, permissions);
    return 0;
}
