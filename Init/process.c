// What the user's process is made of: limits, identity, capabilities, filter, and at last the exec.

static int op_rlimit(struct init *init, const struct cplan_op *op) {
    (void)init;
    struct init_rlimit limit = {op->arg1, op->arg2};
    return (int)SYS4(__NR_prlimit64, 0, op->arg0, &limit, 0);
}

/// Descriptors 0 to 2 that are a /dev/null become the container's own, so that they do not lead to the host's.
static int op_stdio_null(struct init *init, const struct cplan_op *op) {
    char space[32];
    for (int fd = 0; fd <= 2; fd++) {
        struct statx status;
        if (status_of(fd, "", &status) < 0 || !is_device(&status, S_IFCHR, 0x103))
            continue;
        const char *path = fd_path(space, slot(init, op->src));
        int fresh = open_in(init->slots[CPLAN_SLOT_PROC], path, O_RDWR | O_NOCTTY, 0, 0);
        if (fresh < 0)
            return fresh;
        int result = (int)SYS3(__NR_dup3, fresh, fd, 0);
        sys_close(fresh);
        if (result < 0)
            return result;
    }
    return 0;
}

/// Gives stdio to the container's user, who may otherwise not reopen /dev/stdout. A null device is everybody's and
/// stays as it is. Refusals are no reason to stop: a read-only file system, a foreign user namespace.
static int op_stdio_owner(struct init *init, const struct cplan_op *op) {
    (void)init;
    for (int fd = 0; fd <= 2; fd++) {
        struct statx status;
        if (status_of(fd, "", &status) < 0 || status.stx_uid == op->arg0 || is_device(&status, S_IFCHR, 0x103))
            continue;
        int result = (int)SYS3(__NR_fchown, fd, op->arg0, -1);
        if (result < 0 && result != -EINVAL && result != -EPERM && result != -EROFS)
            return result;
    }
    return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return (int)SYS2(__NR_capset, &header, data);
}

static int op_cap_bounding(struct init *init, const struct cplan_op *op) {
    for (uint8_t capability = 0; capability < 64; capability++) {
        if (op->arg0 >> capability & 1)
            continue;
        int result = sys_prctl(PR_CAPBSET_DROP, capability, 0);
        if (result == -EINVAL)
            break; // beyond the last one that this kernel has
        if (result < 0)
            fail(init, result, CPLAN_DETAIL_CAPABILITY, (const char *)&capability, 1);
    }
    return 0;
}

/// Becomes the container's user: groups before gid before uid. The permitted set survives until CAPS, for the filter
/// may still have to be loaded; what is looked up from here on is looked up with the user's effective set.
static int op_identity(struct init *init, const struct cplan_op *op) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    int result = (int)SYS2(__NR_capget, &header, data);
    if (result == 0)
        result = sys_prctl(PR_SET_KEEPCAPS, 1, 0);
    if (result == 0)
        result = (int)SYS2(__NR_setgroups, op->len, text(init, op->str));
    if (result == 0)
        result = (int)SYS3(__NR_setresgid, op->arg1, op->arg1, op->arg1);
    if (result == 0)
        result = (int)SYS3(__NR_setresuid, op->arg0, op->arg0, op->arg0);
    if (result < 0)
        return result;
    const struct cplan_caps *caps = (const struct cplan_caps *)text(init, op->str2);
    uint64_t permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return set_capabilities(caps->effective & permitted, permitted, 0);
}

static int op_caps(struct init *init, const struct cplan_op *op) {
    const struct cplan_caps *caps = (const struct cplan_caps *)text(init, op->str);
    int result = set_capabilities(caps->effective, caps->permitted, caps->inheritable);
    if (result < 0)
        return result;
    result = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
    if (result < 0)
        return result;
    for (uint8_t capability = 0; capability < 64; capability++) {
        if (!(caps->ambient >> capability & 1))
            continue;
        result = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
        if (result < 0)
            fail(init, result, CPLAN_DETAIL_CAPABILITY, (const char *)&capability, 1);
    }
    return 0;
}

static int op_seccomp(struct init *init, const struct cplan_op *op) {
    struct sock_fprog program = {
        .len = (unsigned short)(op->len / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)text(init, op->str),
    };
    return (int)SYS3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, op->arg0, &program);
}

/// Enters the working directory. It must have a name below our root: /proc/self/fd/N could lead out of it.
static int op_chdir(struct init *init, const struct cplan_op *op) {
    if (init->inside)
        return 0;
    int result = sys_chdir(text(init, op->str));
    if (result < 0)
        return result;
    long length = SYS2(__NR_getcwd, init->path, sizeof init->path);
    if (length < 0 || init->path[0] != '/') {
        sys_chdir("/");
        fail(init, length < 0 ? length : -EXDEV, CPLAN_DETAIL_OUTSIDE, 0, 0);
    }
    init->inside = 1;
    return 0;
}

/// Whether the current user may execute the file: 0, or the errno that execve(2) would give, with the reason for
/// EACCES.
static int executable(const char *path, uint8_t *reason) {
    struct statx status;
    int result = (int)SYS5(__NR_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &status);
    *reason = CPLAN_EXEC_NOT_REACHED;
    if (result < 0)
        return result;
    if ((status.stx_mode & S_IFMT) == S_IFDIR)
        return -EISDIR;
    *reason = CPLAN_EXEC_NOT_REGULAR;
    if ((status.stx_mode & S_IFMT) != S_IFREG)
        return -EACCES;
    result = (int)SYS4(__NR_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
    *reason = result < 0 && mount_flags_at(path) & ST_NOEXEC ? CPLAN_EXEC_NOEXEC : CPLAN_EXEC_MODE;
    return result;
}

static int op_resolve_exec(struct init *init, const struct cplan_op *op) {
    const char *candidates = text(init, op->str);
    int first = -ENOENT;
    uint8_t reason, first_reason = 0;
    for (uint32_t at = 0; at < op->len; at += (uint32_t)text_length(candidates + at) + 1) {
        int result = executable(candidates + at, &reason);
        if (result == 0) {
            init->executable = candidates + at;
            return 0;
        }
        if (first == -ENOENT) {
            first = result;
            first_reason = reason;
        }
    }
    if (first == -EACCES)
        fail(init, first, CPLAN_DETAIL_EXEC_REASON, (const char *)&first_reason, 1);
    return first;
}

/// Turns offsets into pointers, in place: the plan is mapped privately for this. `extra` is appended.
static char **relocate(struct init *init, uint32_t offset, char *extra) {
    struct cplan_vector *vector = (struct cplan_vector *)(init->base + offset);
    for (uint64_t i = 0; i < vector->count; i++)
        vector->offsets[i] += (uint64_t)init->base;
    if (extra != 0)
        vector->offsets[vector->count++] = (uint64_t)extra;
    vector->offsets[vector->count] = 0;
    return (char **)vector->offsets;
}

/// Becomes the reaper, which executes the program. A signal that came before it could take any would be lost: the kernel
/// drops what PID 1 of a namespace has no handler for and does not block.
static int exec_reaper(struct init *init, int reaper, char **argv, char **envp) {
    const uint64_t all = ~0ull;
    argv[1] = (char *)init->executable;
    int result = (int)SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all);
    return result < 0 ? result : (int)SYS5(__NR_execveat, reaper, "", argv, envp, AT_EMPTY_PATH);
}

static int op_exec(struct init *init, const struct cplan_op *op) {
    char **argv = relocate(init, op->str, 0);
    char **envp = relocate(init, op->str2, init->value_length > 0 ? init->value : 0);
    if (op->src >= 0)
        return exec_reaper(init, slot(init, op->src), argv, envp);
    int result = (int)SYS3(__NR_execve, init->executable, argv, envp);

    // Why it failed stands in the file's first bytes: an interpreter that is not there, another architecture.
    size_t length = text_length(init->executable);
    if (length > CPLAN_DETAIL_MAX / 2)
        length = CPLAN_DETAIL_MAX / 2;
    memcpy(init->detail, init->executable, length);
    init->detail[length++] = 0;
    int fd = open_in(AT_FDCWD, init->executable, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
    long count = fd < 0 ? 0 : sys_read(fd, init->detail + length, CPLAN_DETAIL_MAX - length);
    fail(init, result, CPLAN_DETAIL_EXEC_HEAD, init->detail, length + (count > 0 ? (size_t)count : 0));
}
