// A terminal of the container's own devpts. Its two ends come from descriptors alone: what the container calls
// /dev/pts/N, and may have put something else at, is never looked up (CVE-2025-52565).

/// Majors of Unix98 terminals: 136 to 143 (devices.txt of the kernel).
static int is_pty_slave(int fd) {
    struct statx status;
    return status_of(fd, "", &status) == 0 && (status.stx_mode & S_IFMT) == S_IFCHR && status.stx_rdev_major >= 136 &&
           status.stx_rdev_major <= 143;
}

/// The directory in slot src has been checked to be a devpts: nobody but the kernel makes files there, and a mount on
/// its ptmx is refused.
static int op_pty_master(struct init *init, const struct cplan_op *op) {
    int master = open_in(slot(init, op->src), "ptmx", O_RDWR | O_NOCTTY, 0,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (master < 0)
        return master;
    fill(init, op->dst, master);
    int locked = 0;
    int result = (int)SYS3(__NR_ioctl, master, TIOCSPTLCK, &locked);
    if (result == 0 && op->arg0 != 0) {
        struct winsize size = {.ws_row = (uint16_t)op->arg0, .ws_col = (uint16_t)(op->arg0 >> 16)};
        result = (int)SYS3(__NR_ioctl, master, TIOCSWINSZ, &size);
    }
    return result;
}

static int op_pty_slave(struct init *init, const struct cplan_op *op) {
    // Flags stay those of the open file, which the container sees: close-on-exec is not among those of an open(2).
    int slave = (int)SYS3(__NR_ioctl, slot(init, op->src), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_LARGEFILE);
    if (slave < 0)
        return slave;
    SYS3(__NR_fcntl, slave, F_SETFD, FD_CLOEXEC);
    fill(init, op->dst, slave);
    if (!is_pty_slave(slave))
        fail(init, -EINVAL, CPLAN_DETAIL_WRONG_NODE, 0, 0);
    for (int fd = 0; fd <= 2; fd++) {
        int result = (int)SYS3(__NR_dup3, slave, fd, 0);
        if (result < 0)
            return result;
    }
    return 0;
}
