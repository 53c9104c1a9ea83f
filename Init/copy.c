// tmpcopyup: fills a new tmpfs with what the directory holds that it is going to cover.
//
// The directory belongs to an image: each entry is opened as what it is, never followed, and never left for another
// mount. Directories are walked with one open descriptor a level, whose position is where the walk goes on; the copy
// is nobody else's yet, so that its ".." can be trusted.

#define COPY_BUFFER 65536 /* XATTR_LIST_MAX and XATTR_SIZE_MAX */
/// A path has no more directories than this: each takes two bytes of it.
#define COPY_LEVELS (PATH_SPACE / 2)

struct copy {
    struct init *init;
    int sources[COPY_LEVELS];     /* directories that are open, from the top */
    size_t path_ends[COPY_LEVELS]; /* where their names end in init->path */
    size_t depth;                 /* how many those are */
    int target;                   /* the directory that is the last one's copy */
    char entries[4096];           /* of getdents64 */
    char buffer[COPY_BUFFER];
    char names[COPY_BUFFER]; /* of extended attributes */
};

struct init_dirent {
    uint64_t inode;
    int64_t next; /* the position behind this entry */
    uint16_t size;
    uint8_t type;
    char name[];
};

_Noreturn static void copy_fail(struct copy *copy, long result) {
    fail(copy->init, result, CPLAN_DETAIL_PATH, copy->init->path, text_length(copy->init->path));
}

static long copy_checked(struct copy *copy, long result) {
    if (result < 0)
        copy_fail(copy, result);
    return result;
}

/// Puts the entry's name behind those of the directories that are open: init->path says where we are.
static void copy_name(struct copy *copy, const char *name) {
    char *path = copy->init->path;
    size_t end = copy->path_ends[copy->depth - 1], length = text_length(name);
    if (end + length + 2 > sizeof copy->init->path)
        copy_fail(copy, -ENAMETOOLONG);
    path[end] = '/';
    memcpy(path + end + 1, name, length + 1);
}

/// Access and modification time of `status`, to what `name` is in `directory`, or to `directory` itself.
static long copy_times(int directory, const char *name, const struct statx *status) {
    int64_t times[4] = {status->stx_atime.tv_sec, status->stx_atime.tv_nsec, status->stx_mtime.tv_sec,
                        status->stx_mtime.tv_nsec};
    return SYS4(__NR_utimensat, directory, name, times, name == 0 ? 0 : AT_SYMLINK_NOFOLLOW);
}

/// Extended attributes, the capabilities of a program and access lists among them. Those that a tmpfs does not keep
/// and those that only the kernel may set are left out.
static void copy_attributes(struct copy *copy, int source, int target) {
    long length = SYS3(__NR_flistxattr, source, copy->names, sizeof copy->names);
    if (length == -EOPNOTSUPP)
        return;
    copy_checked(copy, length);
    for (const char *name = copy->names; name < copy->names + length; name += text_length(name) + 1) {
        long size = SYS4(__NR_fgetxattr, source, name, copy->buffer, sizeof copy->buffer);
        if (size == -ENODATA || size == -EOPNOTSUPP)
            continue;
        long result = SYS5(__NR_fsetxattr, target, name, copy->buffer, copy_checked(copy, size), 0);
        if (result != -EOPNOTSUPP && result != -EPERM)
            copy_checked(copy, result);
    }
}

/// What is not content, in this order: a change of owner takes set-user-ID and capabilities away, and an access list
/// changes the mode.
static void copy_status(struct copy *copy, int source, int target, const struct statx *status) {
    copy_checked(copy, SYS3(__NR_fchown, target, status->stx_uid, status->stx_gid));
    copy_attributes(copy, source, target);
    copy_checked(copy, SYS2(__NR_fchmod, target, status->stx_mode & 07777));
    copy_checked(copy, copy_times(target, 0, status));
}

/// Copies the bytes from `at` to `end`.
static void copy_bytes(struct copy *copy, int source, int target, int64_t at, int64_t end) {
    while (at < end) {
        int64_t size = end - at < COPY_BUFFER ? end - at : COPY_BUFFER;
        long count = copy_checked(copy, SYS4(__NR_pread64, source, copy->buffer, size, at));
        if (count == 0)
            return; // It has become shorter meanwhile.
        for (long done = 0; done < count;)
            done += copy_checked(
                copy, SYS4(__NR_pwrite64, target, copy->buffer + done, count - done, at + done));
        at += count;
    }
}

/// Copies a file's data. Its holes stay holes: a log of logins may be one of a terabyte.
static void copy_data(struct copy *copy, int source, int target, int64_t size) {
    copy_checked(copy, SYS2(__NR_ftruncate, target, size));
    for (int64_t at = 0; at < size;) {
        int64_t data = SYS3(__NR_lseek, source, at, SEEK_DATA);
        if (data == -ENXIO)
            return;
        int64_t hole = copy_checked(copy, SYS3(__NR_lseek, source, copy_checked(copy, data), SEEK_HOLE));
        copy_bytes(copy, source, target, data, hole < size ? hole : size);
        at = hole;
    }
}

/// `found` is the file, opened with O_PATH: only when it is known to be a file is it opened to be read, and that
/// through the host's procfs, so that it is the same one.
static void copy_file(struct copy *copy, const char *name, int found, const struct statx *status) {
    char space[32];
    int source = open_in(copy->init->slots[CPLAN_SLOT_PROC], fd_path(space, found), O_RDONLY | O_NOCTTY, 0, 0);
    copy_checked(copy, source);
    int target = open_in(copy->target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, RESOLVE_BENEATH);
    copy_checked(copy, target);
    copy_data(copy, source, target, (int64_t)status->stx_size);
    copy_status(copy, source, target, status);
    sys_close(source);
    sys_close(target);
}

/// A symlink, a device, a FIFO or a socket.
static void copy_node(struct copy *copy, const char *name, int found, const struct statx *status) {
    if ((status->stx_mode & S_IFMT) == S_IFLNK) {
        long length = SYS4(__NR_readlinkat, found, "", copy->buffer, sizeof copy->buffer - 1);
        copy->buffer[copy_checked(copy, length)] = 0;
        copy_checked(copy, SYS3(__NR_symlinkat, copy->buffer, copy->target, name));
    } else {
        uint64_t major = status->stx_rdev_major, minor = status->stx_rdev_minor;
        uint64_t device = (minor & 0xff) | major << 8 | (minor & ~0xffull) << 12;
        copy_checked(copy, SYS4(__NR_mknodat, copy->target, name, status->stx_mode, device));
    }
    copy_checked(
        copy, SYS5(__NR_fchownat, copy->target, name, status->stx_uid, status->stx_gid, AT_SYMLINK_NOFOLLOW));
    copy_checked(copy, copy_times(copy->target, name, status));
}

/// Makes a directory and goes on in there. `next` is where the walk of this one is resumed.
static void copy_enter(struct copy *copy, const char *name, int64_t next) {
    int above = copy->sources[copy->depth - 1];
    copy_checked(copy, SYS3(__NR_lseek, above, next, SEEK_SET));
    if (copy->depth == COPY_LEVELS)
        copy_fail(copy, -ENAMETOOLONG);
    int source = open_in(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
    copy_checked(copy, source);
    copy_checked(copy, SYS3(__NR_mkdirat, copy->target, name, 0700));
    int target = open_in(copy->target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH);
    copy_checked(copy, target);
    sys_close(copy->target);
    copy->target = target;
    copy->path_ends[copy->depth] = text_length(copy->init->path);
    copy->sources[copy->depth++] = source;
}

/// All of a directory is copied: gives it its status, which what was made in it would have changed, and goes up.
static void copy_leave(struct copy *copy) {
    int source = copy->sources[--copy->depth];
    copy->init->path[copy->path_ends[copy->depth]] = 0;
    int above = -1;
    if (copy->depth > 0) {
        struct statx status;
        copy_checked(copy, status_of(source, "", &status));
        copy_status(copy, source, copy->target, &status);
        above = open_in(copy->target, "..", O_RDONLY | O_DIRECTORY, 0, 0);
        copy_checked(copy, above);
    }
    sys_close(source);
    sys_close(copy->target);
    copy->target = above;
}

/// What another mount is on becomes an empty file or directory like it: its content is that mount's.
static void copy_mount_point(struct copy *copy, const char *name) {
    struct statx status;
    copy_checked(copy, status_of(copy->sources[copy->depth - 1], name, &status));
    int directory = (status.stx_mode & S_IFMT) == S_IFDIR;
    uint32_t mode = status.stx_mode & 07777;
    copy_checked(copy, directory ? SYS3(__NR_mkdirat, copy->target, name, mode)
                                 : SYS4(__NR_mknodat, copy->target, name, S_IFREG | mode, 0));
}

/// Copies an entry. 1 when it is a directory that the walk has gone into.
static int copy_entry(struct copy *copy, const struct init_dirent *entry) {
    copy_name(copy, entry->name);
    int above = copy->sources[copy->depth - 1];
    int found = open_in(above, entry->name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
    if (found == -EXDEV) {
        copy_mount_point(copy, entry->name);
        return 0;
    }
    if (found == -ENOENT)
        return 0; // Removed meanwhile.
    copy_checked(copy, found);
    struct statx status;
    copy_checked(copy, status_of(found, "", &status));
    uint32_t type = status.stx_mode & S_IFMT;
    if (type == S_IFDIR)
        copy_enter(copy, entry->name, entry->next);
    else if (type == S_IFREG)
        copy_file(copy, entry->name, found, &status);
    else
        copy_node(copy, entry->name, found, &status);
    sys_close(found);
    return type == S_IFDIR;
}

static int is_dot(const char *name) {
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/// Reads on in the last directory: copies what comes until the walk has gone into another one, or there is no more.
static void copy_on(struct copy *copy) {
    int source = copy->sources[copy->depth - 1];
    copy->init->path[copy->path_ends[copy->depth - 1]] = 0;
    long length = SYS3(__NR_getdents64, source, copy->entries, sizeof copy->entries);
    if (copy_checked(copy, length) == 0) {
        copy_leave(copy);
        return;
    }
    const struct init_dirent *entry;
    for (long at = 0; at < length; at += entry->size) {
        entry = (const struct init_dirent *)(copy->entries + at);
        if (!is_dot(entry->name) && copy_entry(copy, entry))
            return;
    }
}

/// Copies what the directory in src holds into the one in aux. The top itself has got its mode when it was made. There
/// is nothing in a directory that OPEN_TARGET has just made.
static int op_copy_up(struct init *init, const struct cplan_op *op) {
    static struct copy state;
    if (op->src >= 0 && init->made[op->src])
        return 0;
    struct copy *copy = &state;
    copy->init = init;
    init->path[0] = 0;
    int source = open_in(slot(init, op->src), ".", O_RDONLY | O_DIRECTORY, 0, 0);
    copy->sources[0] = source;
    copy->path_ends[0] = 0;
    copy->depth = 1;
    copy->target = open_in(slot(init, op->aux), ".", O_RDONLY | O_DIRECTORY, 0, 0);
    if (source < 0 || copy->target < 0)
        return source < 0 ? source : copy->target;
    while (copy->depth > 0)
        copy_on(copy);
    return 0;
}
