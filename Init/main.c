// gantry's init: executes a plan (CPlan.h), then becomes the user's process.
//
// A freestanding program: no libc, no heap, no relocation. One translation unit, so that the compiler sees it whole.
// argv[1] names the descriptors it was started with: control socket, start socket, cgroup directory, plan, and with
// --init the reaper.

#include "init.h"

#include "memory.c"
#include "descriptors.c"
#include "message.c"
#include "paths.c"
#include "mounts.c"
#include "copy.c"
#include "namespaces.c"
#include "process.c"
#include "terminal.c"

/// Executes one op: a value >= 0, or -errno. A switch, since a table of addresses would need relocations.
static long execute(struct init *init, const struct cplan_op *op) {
    switch (op->code) {
    case CPLAN_NOP: return 0;
    case CPLAN_OPEN: return op_open(init, op);
    case CPLAN_OPEN_TARGET: return op_open_target(init, op);
    case CPLAN_CHECK: return op_check(init, op);
    case CPLAN_CLOSE: return op_close(init, op);
    case CPLAN_SETNS: return op_setns(init, op);
    case CPLAN_UNSHARE: return op_unshare(init, op);
    case CPLAN_FORK: return op_fork(init, op);
    case CPLAN_SYNC: op_sync(init, op); return 0;
    case CPLAN_LOOPBACK: return op_loopback(init, op);
    case CPLAN_HOSTNAME: return op_hostname(init, op);
    case CPLAN_DOMAINNAME: return op_domainname(init, op);
    case CPLAN_KEYRING: return op_keyring(init, op);
    case CPLAN_PERSONALITY: return SYS1(__NR_personality, op->arg0);
    case CPLAN_RLIMIT: return op_rlimit(init, op);
    case CPLAN_UMASK: return SYS1(__NR_umask, op->arg0);
    case CPLAN_WRITE: return op_write(init, op);
    case CPLAN_PROPAGATION: return op_propagation(init, op);
    case CPLAN_OPEN_TREE: return op_open_tree(init, op);
    case CPLAN_MAKE_FS: return op_make_fs(init, op);
    case CPLAN_MOUNT_ATTR: return op_mount_attr(init, op);
    case CPLAN_ATTACH: return op_attach(init, op);
    case CPLAN_MOUNT_DATA: return op_mount_data(init, op);
    case CPLAN_COVER: return op_cover(init, op);
    case CPLAN_PIVOT: return op_pivot(init, op);
    case CPLAN_MOVE_ROOT: return op_move_root(init, op);
    case CPLAN_MKDIR: return op_mkdir(init, op);
    case CPLAN_MKNOD: return op_mknod(init, op);
    case CPLAN_SYMLINK: return op_symlink(init, op);
    case CPLAN_STDIO_NULL: return op_stdio_null(init, op);
    case CPLAN_STDIO_OWNER: return op_stdio_owner(init, op);
    case CPLAN_CAP_BOUNDING: return op_cap_bounding(init, op);
    case CPLAN_IDENTITY: return op_identity(init, op);
    case CPLAN_CAPS: return op_caps(init, op);
    case CPLAN_NO_NEW_PRIVS: return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
    case CPLAN_SECCOMP: return op_seccomp(init, op);
    case CPLAN_CHDIR: return op_chdir(init, op);
    case CPLAN_RESOLVE_EXEC: return op_resolve_exec(init, op);
    case CPLAN_WAIT_START: op_wait_start(init, op); return 0;
    case CPLAN_CLOSE_FROM: return op_close_from(init, op);
    case CPLAN_EXEC: return op_exec(init, op);
    case CPLAN_CHROOT: return op_chroot(init, op);
    case CPLAN_COPY_UP: return op_copy_up(init, op);
    case CPLAN_RESET_SIGNALS: return op_reset_signals(init, op);
    case CPLAN_ENTER: enter_cgroups(init, text(init, op->str), op->len); return 0;
    case CPLAN_OPEN_MOUNT: return op_open_mount(init, op);
    case CPLAN_PTY_MASTER: return op_pty_master(init, op);
    case CPLAN_PTY_SLAVE: return op_pty_slave(init, op);
    case CPLAN_PTY_CONTROL: return (int)SYS3(__NR_ioctl, 0, TIOCSCTTY, 0);
    case CPLAN_DEATH_SIGNAL: return op_death_signal(init, op);
    default: fail(init, -EINVAL, CPLAN_DETAIL_BAD_PLAN, 0, 0);
    }
}

/// Whether the op takes this error as "nothing to do".
static int tolerated(const struct cplan_op *op, long result) {
    return op->flags & CPLAN_F_OPTIONAL || op->ok_errno[0] == -result || op->ok_errno[1] == -result;
}

static void interpret(struct init *init) {
    for (init->index = 0; init->index < init->header->op_count; init->index++) {
        const struct cplan_op *op = &init->ops[init->index];
        long result = execute(init, op);
        if (result >= 0)
            continue;
        if (!tolerated(op, result))
            fail(init, result, CPLAN_DETAIL_NONE, 0, 0);
        init->index += op->skip;
    }
}

/// Maps the plan. A plan that is not of this version would be a bug: init and gantry are one binary.
static void map_plan(struct init *init, int fd) {
    struct statx status;
    if (status_of(fd, "", &status) < 0)
        sys_exit(1);
    long base = SYS6(__NR_mmap, 0, status.stx_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (base < 0 && base > -4096)
        fail(init, base, CPLAN_DETAIL_BAD_PLAN, 0, 0);
    sys_close(fd);
    init->base = (char *)base;
    init->header = (const struct cplan_header *)base;
    init->ops = (const struct cplan_op *)(base + (long)sizeof *init->header);
    if (status.stx_size < sizeof *init->header || init->header->magic != CPLAN_MAGIC ||
        init->header->version != CPLAN_VERSION)
        fail(init, -EINVAL, CPLAN_DETAIL_BAD_PLAN, 0, 0);
}

/// `stack` is where the kernel put argc, and argv behind it.
__attribute__((used)) _Noreturn void init_main(long *stack) {
    static struct init state;
    struct init *init = &state;
    if (stack[0] < 2)
        sys_exit(1);
    // Nobody who shares a pid namespace with us may look into us or write to us (CVE-2016-9962).
    sys_prctl(PR_SET_DUMPABLE, 0, 0);
    sys_prctl(PR_SET_NAME, (unsigned long)"gantry-init", 0);

    const char *numbers = (const char *)stack[2];
    for (int i = 0; i < CPLAN_SLOTS; i++)
        init->slots[i] = -1;
    for (int i = 0; i < CPLAN_INHERITED_SLOTS; i++)
        init->slots[i] = take_number(&numbers);
    init->report = init->slots[CPLAN_SLOT_CONTROL];
    map_plan(init, take_number(&numbers));
    if (*numbers != 0)
        init->slots[CPLAN_SLOT_REAPER] = take_number(&numbers);
    SYS3(__NR_close_range, init->header->first_private, ~0u, CLOSE_RANGE_CLOEXEC);
    SYS1(__NR_umask, 0);
    limit_lingering(init);

    interpret(init);
    fail(init, -EINVAL, CPLAN_DETAIL_BAD_PLAN, 0, 0);
}
