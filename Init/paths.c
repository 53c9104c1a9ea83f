// Paths. Inside a rootfs everything is hostile: a path is resolved once, in the root, and is a descriptor from then.

/// Retries of EAGAIN, which scoped lookups give while something is renamed or mounted.
#define RESOLVE_RETRIES 256
/// Dangling symlinks followed while a target is made, as many as the kernel follows in a path.
#define MAX_SYMLINKS 40

static int open_in(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    int fd = -EAGAIN;
    for (int attempt = 0; fd == -EAGAIN && attempt < RESOLVE_RETRIES; attempt++)
        fd = (int)SYS4(__NR_openat2, directory, path, &how, sizeof how);
    return fd;
}

static int status_of(int fd, const char *path, struct statx *status) {
    return (int)SYS5(__NR_statx, fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status);
}

static int is_directory(int fd) {
    struct statx status;
    return status_of(fd, "", &status) == 0 && (status.stx_mode & S_IFMT) == S_IFDIR;
}

static int is_device(const struct statx *status, uint64_t type, uint64_t device) {
    return (status->stx_mode & S_IFMT) == type && status->stx_rdev_major == (device >> 8 & 0xfff) &&
           status->stx_rdev_minor == ((device & 0xff) | (device >> 12 & 0xfff00));
}

static long file_system_of(int fd) {
    long status[16]; /* struct statfs: f_type is its first word on 64-bit machines, 120 bytes in all */
    long result = SYS2(__NR_fstatfs, fd, status);
    return result < 0 ? result : status[0];
}

/// ST_* of the mount that a file is on; 0 when it cannot be told.
static long mount_flags_at(const char *path) {
    long status[16]; /* f_flags is the word at 80 */
    return SYS2(__NR_statfs, path, status) < 0 ? 0 : status[10];
}

#define ST_NOEXEC 8

static int op_open(struct init *init, const struct cplan_op *op) {
    int directory = op->src < 0 ? AT_FDCWD : slot(init, op->src);
    int fd = open_in(directory, text(init, op->str), op->arg0, op->arg0 & O_CREAT ? 0600 : 0, op->arg1);
    if (fd >= 0)
        fill(init, op->dst, fd);
    return fd;
}

/// Closes at once, unlike `fill`: behind CLOSE_FROM nobody else would.
static int op_close(struct init *init, const struct cplan_op *op) {
    sys_close(slot(init, op->src));
    init->slots[op->src] = -1;
    return 0;
}

static int op_check(struct init *init, const struct cplan_op *op) {
    int fd = slot(init, op->src);
    struct statx status;
    int result = op->arg0 != 0 ? status_of(fd, "", &status) : 0;
    if (result < 0)
        return result;
    int is_right = (op->arg0 == 0 || is_device(&status, op->arg0, op->arg1)) &&
                   (op->arg2 == 0 || file_system_of(fd) == (long)op->arg2);
    if (!is_right && !(op->flags & CPLAN_F_OPTIONAL))
        fail(init, -EINVAL, CPLAN_DETAIL_WRONG_NODE, 0, 0);
    return is_right ? 0 : -EINVAL;
}

/// End of the component that starts at `from`.
static size_t component_end(const char *path, size_t from) {
    while (path[from] != 0 && path[from] != '/')
        from++;
    return from;
}

/// Copies a path without leading, doubled and trailing slashes. Returns its length, or -ENAMETOOLONG.
static long tidy(char *to, size_t space, const char *path) {
    size_t length = 0;
    for (size_t i = 0; path[i] != 0; i++) {
        if (path[i] == '/' && (length == 0 || to[length - 1] == '/'))
            continue;
        if (length + 1 >= space)
            return -ENAMETOOLONG;
        to[length++] = path[i];
    }
    if (length > 0 && to[length - 1] == '/')
        length--;
    to[length] = 0;
    return (long)length;
}

/// Opens the longest part of `path` that exists, ending at a component's end before `*end`. Sets `*end` to it.
static int open_existing(int root, char *path, size_t *end) {
    size_t at = *end;
    for (;;) {
        while (at > 0 && path[at] != '/')
            at--;
        char kept = path[at];
        path[at] = 0;
        int fd = open_in(root, at == 0 ? "." : path, O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        path[at] = kept;
        if (fd != -ENOENT || at == 0) {
            *end = at;
            return fd;
        }
        at--;
    }
}

/// Makes one component and opens it, without following anything that may have been put in its place meanwhile.
static int make_component(int parent, const char *name, int directory, uint32_t mode) {
    if (directory) {
        int result = (int)SYS3(__NR_mkdirat, parent, name, mode);
        if (result < 0 && result != -EEXIST)
            return result;
        return open_in(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    }
    int fd = open_in(parent, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd == -EEXIST)
        fd = open_in(parent, name, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    return fd;
}

/// When the component at `from` is a symlink that leads nowhere, puts where it leads in its place: 1. 0 when there
/// is no symlink.
static int follow_dangling(struct init *init, int parent, size_t from) {
    char target[PATH_SPACE];
    char *path = init->path;
    size_t end = component_end(path, from);
    char kept = path[end];
    path[end] = 0;
    long length = SYS4(__NR_readlinkat, parent, path + from, target, sizeof target - 1);
    path[end] = kept;
    if (length == -EINVAL || length == -ENOENT)
        return 0;
    if (length < 0)
        return (int)length;

    // Put the link's target, then the rest of the path, behind what comes before the link.
    size_t rest = text_length(path + end);
    size_t start = target[0] == '/' ? 0 : from;
    if ((size_t)length + rest + 1 > sizeof target || start + (size_t)length + rest + 1 > sizeof init->path)
        return -ENAMETOOLONG;
    memcpy(target + length, path + end, rest + 1);
    memcpy(path + start, target, (size_t)length + rest + 1);
    return 1;
}

/// Makes what is missing of init->path below `parent`, from the component at `*from` on, and opens its end. Sets
/// `*from` to the component that failed.
static int make_below(char *path, int parent, size_t *from, int directory, uint32_t mode) {
    for (;;) {
        size_t end = component_end(path, *from);
        int last = path[end] == 0;
        path[end] = 0;
        int next = make_component(parent, path + *from, directory || !last, last ? mode : 0755);
        if (!last)
            path[end] = '/';
        if (next < 0 || last)
            return next;
        parent = next;
        *from = end + 1;
    }
}

/// Makes what is missing of init->path inside the root and opens its end.
static int make_target(struct init *init, int root, int directory, uint32_t mode) {
    char *path = init->path;
    for (int links = 0; links < MAX_SYMLINKS; links++) {
        size_t from = text_length(path);
        int parent = open_existing(root, path, &from);
        if (parent < 0)
            return parent;
        if (path[from] == '/')
            from++;
        size_t missing = from;
        int made = make_below(path, parent, &from, directory, mode);
        if ((made != -ELOOP && made != -ENOTDIR) || from != missing)
            return made;

        // Something was there after all: a symlink that leads nowhere, to be made where it leads.
        int followed = follow_dangling(init, parent, from);
        if (followed <= 0)
            return followed < 0 ? followed : made;
        long length = tidy(path, sizeof init->path, path);
        int fd = open_in(root, length == 0 ? "." : path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        if (fd != -ENOENT)
            return fd;
    }
    return -ELOOP;
}

/// Opens a mount's target inside the root and makes it when it is missing.
static int op_open_target(struct init *init, const struct cplan_op *op) {
    int root = slot(init, op->src);
    const char *path = text(init, op->str);
    uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    if (op->flags & CPLAN_F_NO_SYMLINKS)
        resolve |= RESOLVE_NO_SYMLINKS;

    long length = tidy(init->path, sizeof init->path, path);
    if (length < 0)
        return (int)length;
    int made = 0;
    int fd = open_in(root, length == 0 ? "." : init->path, O_PATH, 0, resolve);
    if (fd == -ELOOP && op->flags & CPLAN_F_NO_SYMLINKS)
        fail(init, fd, CPLAN_DETAIL_SYMLINK, 0, 0);
    if (fd == -ENOENT) {
        int directory = op->flags & CPLAN_F_LIKE_AUX ? is_directory(slot(init, op->aux)) : !(op->flags & CPLAN_F_FILE);
        uint32_t mode = op->arg0 != 0 ? (uint32_t)op->arg0 : 0755;
        fd = make_target(init, root, directory, mode);
        made = 1;
        if (fd < 0)
            fail(init, fd, CPLAN_DETAIL_PATH, init->path, text_length(init->path));
    }
    if (fd < 0)
        return fd;
    if (op->flags & CPLAN_F_REFUSE_PROC && file_system_of(fd) == PROC_SUPER_MAGIC)
        fail(init, -EPERM, CPLAN_DETAIL_PROC, 0, 0);
    fill(init, op->dst, fd);
    if (op->dst >= 0)
        init->made[op->dst] = (uint8_t)made;
    return 0;
}

/// Writes to a file beneath a procfs handle. It must be on that very procfs: a mount on the way, as an image could
/// bring one, is refused.
static int op_write(struct init *init, const struct cplan_op *op) {
    int fd = open_in(slot(init, op->src), text(init, op->str), O_WRONLY, 0,
                     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
    if (fd < 0)
        return fd;
    long result = sys_write(fd, text(init, op->str2), op->len);
    sys_close(fd);
    return result < 0 ? (int)result : 0;
}
