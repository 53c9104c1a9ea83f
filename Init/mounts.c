// Mounts: made detached, given their attributes while nobody can see them, then attached to a descriptor.

static int set_attributes(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    const char *path = fd == AT_FDCWD ? "/" : "";
    unsigned at = (fd == AT_FDCWD ? 0 : AT_EMPTY_PATH) | (flags & CPLAN_F_RECURSIVE ? AT_RECURSIVE : 0);
    return (int)SYS5(__NR_mount_setattr, fd, path, at, &attributes, sizeof attributes);
}

/// No path has more directories.
#define ASCENT_MAX 4096

/// Goes up from a directory to the top of the mount that it is on. mountinfo would tell the same as text; here
/// nothing can come between.
static int op_open_mount(struct init *init, const struct cplan_op *op) {
    int fd = open_in(slot(init, op->src), ".", O_PATH | O_DIRECTORY, 0, 0);
    for (int steps = 0; fd >= 0 && steps < ASCENT_MAX; steps++) {
        struct statx status;
        int result = status_of(fd, "", &status);
        if (result < 0)
            return result;
        if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
            fill(init, op->dst, fd);
            return 0;
        }
        int above = open_in(fd, "..", O_PATH | O_DIRECTORY, 0, 0);
        sys_close(fd);
        fd = above;
    }
    // A root that is no mount, entered with chroot(2), has nothing above it.
    return fd < 0 ? fd : -EXDEV;
}

static int op_propagation(struct init *init, const struct cplan_op *op) {
    int fd = op->src < 0 ? AT_FDCWD : slot(init, op->src);
    return set_attributes(fd, op->flags, 0, 0, op->arg0);
}

static int op_mount_attr(struct init *init, const struct cplan_op *op) {
    return set_attributes(slot(init, op->src), op->flags, op->arg0, op->arg1, 0);
}

static int clone_tree(int directory, const char *path, int recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | (path[0] == 0 ? AT_EMPTY_PATH : 0);
    return (int)SYS3(__NR_open_tree, directory, path, flags);
}

/// Attaches a mount to an open file or, with a name, to what the open directory has under it. The last component of
/// a target is never followed (move_mount(2) without MOVE_MOUNT_T_SYMLINKS).
static int attach(int mount, int target, const char *name) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (name[0] == 0 ? MOVE_MOUNT_T_EMPTY_PATH : 0);
    return (int)SYS5(__NR_move_mount, mount, "", target, name, flags);
}

static int op_open_tree(struct init *init, const struct cplan_op *op) {
    int directory = op->src < 0 ? AT_FDCWD : slot(init, op->src);
    int fd = clone_tree(directory, text(init, op->str), op->flags & CPLAN_F_RECURSIVE);
    if (fd >= 0)
        fill(init, op->dst, fd);
    return fd;
}

/// A file over a directory, or the other way round, is ENOTDIR with mount(2) and EINVAL, like much else, with
/// move_mount(2): engines read the former.
static int op_attach(struct init *init, const struct cplan_op *op) {
    int mount = slot(init, op->src), target = slot(init, op->aux);
    int result = attach(mount, target, text(init, op->str));
    return result == -EINVAL && op->str == 0 && is_directory(mount) != is_directory(target) ? -ENOTDIR : result;
}

/// Fails with the option that was refused and what the file system's log says about it.
_Noreturn static void fail_option(struct init *init, int context, long result, const char *option) {
    size_t length = text_length(option);
    if (length > CPLAN_DETAIL_MAX / 2)
        length = CPLAN_DETAIL_MAX / 2;
    memcpy(init->detail, option, length);
    init->detail[length++] = 0;
    long count = sys_read(context, init->detail + length, CPLAN_DETAIL_MAX - length);
    fail(init, result, CPLAN_DETAIL_OPTION, init->detail, length + (count > 0 ? (size_t)count : 0));
}

/// Gives one option, `key=value` or a bare flag, to a file-system context.
static void configure(struct init *init, int context, char *option) {
    char *equals = option;
    while (*equals != 0 && *equals != '=')
        equals++;
    long result;
    if (*equals == '=') {
        *equals = 0;
        result = SYS5(__NR_fsconfig, context, FSCONFIG_SET_STRING, option, equals + 1, 0);
        *equals = '=';
    } else {
        result = SYS5(__NR_fsconfig, context, FSCONFIG_SET_FLAG, option, 0, 0);
    }
    if (result < 0)
        fail_option(init, context, result, option);
}

/// A tmpfs over a directory that the image has keeps that directory's mode. Not by a mount option: that would show in
/// the container's list of mounts.
static int copy_mode(struct init *init, int mount, int16_t target) {
    struct statx status;
    if (target < 0 || init->made[target] || status_of(init->slots[target], "", &status) < 0)
        return 0;
    return (int)SYS3(__NR_fchmodat, mount, ".", status.stx_mode & 07777);
}

static int op_make_fs(struct init *init, const struct cplan_op *op) {
    int context = (int)SYS2(__NR_fsopen, text(init, op->str), FSOPEN_CLOEXEC);
    if (context < 0)
        return context;
    char *options = init->base + op->str2;
    for (uint32_t at = 0; at < op->len; at += (uint32_t)text_length(options + at) + 1)
        configure(init, context, options + at);
    long result = SYS5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (result < 0)
        fail_option(init, context, result, "");
    int mount = (int)SYS3(__NR_fsmount, context, FSMOUNT_CLOEXEC, op->arg0);
    if (mount < 0)
        fail_option(init, context, mount, "");
    sys_close(context);
    fill(init, op->dst, mount);
    return op->flags & CPLAN_F_MODE_OF_TARGET ? copy_mode(init, mount, op->aux) : 0;
}

/// "self/fd/N", to be looked up in a verified procfs.
static const char *fd_path(char *space, int fd) {
    const char prefix[] = "self/fd/";
    char *at = space;
    for (int i = 0; prefix[i] != 0; i++)
        *at++ = prefix[i];
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + fd % 10);
    while ((fd /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    *at = 0;
    return space;
}

/// mount(2), for option strings that are too long for fsconfig(2). It takes a path: the target's name in the host's
/// procfs, looked up from the verified handle. str2 holds the source, a NUL, and the data.
static int op_mount_data(struct init *init, const struct cplan_op *op) {
    char space[32];
    const char *source = text(init, op->str2);
    int result = sys_fchdir(init->slots[CPLAN_SLOT_PROC]);
    if (result < 0)
        return result;
    const char *path = fd_path(space, slot(init, op->aux));
    return sys_mount(source, path, text(init, op->str), op->arg0, source + text_length(source) + 1);
}

/// Covers what is in slot src: a directory with the empty tmpfs, anything else with the container's /dev/null.
static int op_cover(struct init *init, const struct cplan_op *op) {
    int target = slot(init, op->src);
    int directory = is_directory(target);
    int mask = init->slots[directory ? CPLAN_SLOT_MASK : CPLAN_SLOT_NULL];
    if (directory && !init->mask_attached) {
        // A detached tree cannot be cloned before Linux 6.15: the first one is the tree itself.
        init->mask_attached = 1;
        return attach(mask, target, "");
    }
    int clone = clone_tree(mask, "", 0);
    if (clone < 0)
        return clone;
    int result = attach(clone, target, "");
    return result;
}

/// Makes slot src the root and lets go of the old one, without telling the host's mounts about it.
static int op_pivot(struct init *init, const struct cplan_op *op) {
    int root = slot(init, op->src);
    int old = open_in(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
    if (old < 0)
        return old;
    int result = sys_fchdir(root);
    if (result == 0)
        result = (int)SYS2(__NR_pivot_root, ".", ".");
    if (result == 0)
        result = sys_fchdir(old);
    if (result == 0)
        result = sys_mount(0, ".", 0, MS_SLAVE | MS_REC, 0);
    if (result == 0)
        result = (int)SYS2(__NR_umount2, ".", 2 /* MNT_DETACH */);
    return result < 0 ? result : sys_chdir("/");
}

/// Without pivot_root (a rootfs on a ramfs): the root is moved over / and entered. The host's /proc and /sys go
/// first: they would stay reachable for whoever may mount.
static int op_move_root(struct init *init, const struct cplan_op *op) {
    SYS2(__NR_umount2, "/proc", 2);
    SYS2(__NR_umount2, "/sys", 2);
    int result = sys_fchdir(slot(init, op->src));
    if (result == 0)
        result = sys_mount(".", "/", 0, MS_MOVE, 0);
    if (result == 0)
        result = (int)SYS1(__NR_chroot, ".");
    return result < 0 ? result : sys_chdir("/");
}

/// Without a mount namespace the tree stays the host's: only the root changes.
static int op_chroot(struct init *init, const struct cplan_op *op) {
    int result = sys_fchdir(slot(init, op->src));
    if (result == 0)
        result = (int)SYS1(__NR_chroot, ".");
    return result < 0 ? result : sys_chdir("/");
}

static int op_mkdir(struct init *init, const struct cplan_op *op) {
    int result = (int)SYS3(__NR_mkdirat, slot(init, op->src), text(init, op->str), op->arg0);
    return result == -EEXIST ? 0 : result;
}

static int op_mknod(struct init *init, const struct cplan_op *op) {
    int directory = slot(init, op->src);
    const char *name = text(init, op->str);
    int result = (int)SYS4(__NR_mknodat, directory, name, op->arg0, op->arg1);
    if (result == -EEXIST) {
        struct statx status;
        result = status_of(directory, name, &status);
        if (result == 0 && !is_device(&status, op->arg0 & S_IFMT, op->arg1))
            fail(init, -EEXIST, CPLAN_DETAIL_WRONG_NODE, 0, 0);
        return result;
    }
    if (result < 0)
        return result;
    return (int)SYS5(__NR_fchownat, directory, name, op->arg2 & 0xffffffff, op->arg2 >> 32, AT_SYMLINK_NOFOLLOW);
}

static int op_symlink(struct init *init, const struct cplan_op *op) {
    int directory = slot(init, op->src);
    const char *name = text(init, op->str);
    int result = (int)SYS3(__NR_symlinkat, text(init, op->str2), directory, name);
    if (result == -EEXIST && op->flags & CPLAN_F_REPLACE) {
        result = (int)SYS3(__NR_unlinkat, directory, name, 0);
        if (result == 0)
            result = (int)SYS3(__NR_symlinkat, text(init, op->str2), directory, name);
    }
    return result == -EEXIST ? 0 : result;
}
