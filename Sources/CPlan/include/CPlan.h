// The plan: what the freestanding init executes, and the messages it exchanges with gantry.
//
// One header for both sides: Swift encodes these structs, the init (Init/) interprets them. A plan is one
// position-independent buffer in a sealed memfd:
//
//     struct cplan_header
//     struct cplan_op ops[op_count]
//     blob: strings and bytes, addressed by their offset from the start of the buffer; offset 0 means "none"
//
// Descriptors live in numbered slots of the init; an op reads the slots `src` and `aux` and fills `dst`.
// spec/plan.md explains every op with its operands. Little-endian on both supported architectures.
#ifndef CPLAN_H
#define CPLAN_H

#include <stdint.h>

#define CPLAN_MAGIC 0x4e4c5047u /* "GPLN" */
#define CPLAN_VERSION 1

/// Descriptor slots of the init. Slots below CPLAN_SLOT_FIRST_FREE have a fixed meaning.
#define CPLAN_SLOTS 96
#define CPLAN_SLOT_NONE (-1)
#define CPLAN_SLOT_CONTROL 0  /* SEQPACKET socket to gantry */
#define CPLAN_SLOT_START 1    /* listening socket on which `gantry start` knocks; empty for `run` */
#define CPLAN_SLOT_CONTAINER 1 /* exec: pidfd of the process whose namespaces are joined, in place of START */
#define CPLAN_SLOT_CGROUP 2   /* cgroup v2 directory for CLONE_INTO_CGROUP; empty on v1 */
#define CPLAN_SLOT_PROC 3     /* the host's procfs, verified; opened by an op of stage 1 */
#define CPLAN_SLOT_ROOT 4     /* the container's root mount */
#define CPLAN_SLOT_NULL 5     /* the container's /dev/null, verified as character device 1:3 */
#define CPLAN_SLOT_MASK 6     /* detached empty read-only tmpfs that masked directories are covered with */
#define CPLAN_SLOT_DEV 7      /* the container's /dev directory */
#define CPLAN_SLOT_REAPER 8   /* --init: the sealed program that becomes the first process; comes with the init */
#define CPLAN_SLOT_FIRST_FREE 9

/// How many descriptors gantry hands to the init besides stdio and preserved ones: slots 0, 1 and 2. Then come the plan
/// and, with --init, slot REAPER.
#define CPLAN_INHERITED_SLOTS 3

/// Longest reply value (an environment entry such as HOME=...).
#define CPLAN_VALUE_MAX 4352
/// Most bytes of detail in a failure message.
#define CPLAN_DETAIL_MAX 1024

enum cplan_opcode {
    CPLAN_NOP = 0,

    // Descriptors
    CPLAN_OPEN,          // dst = openat2(src, str, flags=arg0, resolve=arg1); src NONE: AT_FDCWD
    CPLAN_OPEN_TARGET,   // dst = O_PATH of str inside root slot src, made when missing (see cplan_target)
    CPLAN_CHECK,         // src must be: type+rdev (arg0 mode bits, arg1 rdev) and/or fs magic (arg2)
    CPLAN_CLOSE,         // close slot src

    // Processes and namespaces
    CPLAN_SETNS,         // setns(src, arg0)
    CPLAN_UNSHARE,       // unshare(arg0)
    CPLAN_FORK,          // clone3(arg0 | CLONE_PARENT [, into slot src]); stage 2 goes on after this op
    CPLAN_SYNC,          // send SYNC arg0 [with slot src], wait for the reply; payload to the value buffer
    CPLAN_LOOPBACK,      // bring `lo` up
    CPLAN_HOSTNAME,      // sethostname(str, len)
    CPLAN_DOMAINNAME,    // setdomainname(str, len)
    CPLAN_KEYRING,       // join a new session keyring named str
    CPLAN_PERSONALITY,   // personality(arg0)
    CPLAN_RLIMIT,        // prlimit64(arg0, soft=arg1, hard=arg2)
    CPLAN_UMASK,         // umask(arg0)
    CPLAN_WRITE,         // write str2[len] to file str beneath slot src (procfs: no symlinks, one mount)

    // Mounts
    CPLAN_PROPAGATION,   // mount_setattr(src or "/", propagation=arg0, recursive: CPLAN_F_RECURSIVE)
    CPLAN_OPEN_TREE,     // dst = open_tree(src, str, OPEN_TREE_CLONE [| AT_RECURSIVE])
    CPLAN_MAKE_FS,       // dst = fsmount of type str with options str2 (NUL-separated), attributes arg0
    CPLAN_MOUNT_ATTR,    // mount_setattr(src, set=arg0, clear=arg1 [, AT_RECURSIVE])
    CPLAN_ATTACH,        // move_mount(src -> aux, or -> the entry str of the directory aux)
    CPLAN_MOUNT_DATA,    // mount(2) of type str onto slot aux, source/data in str2, flags arg0: long data
    CPLAN_COVER,         // cover src: with slot MASK when a directory, else with slot NULL
    CPLAN_PIVOT,         // pivot_root to slot src and detach the old root
    CPLAN_MOVE_ROOT,     // no-pivot: MS_MOVE slot src onto /, chroot
    CPLAN_MKDIR,         // mkdirat(src, str, arg0); EEXIST is success
    CPLAN_MKNOD,         // mknodat(src, str, mode=arg0, dev=arg1), owner arg2 = uid | gid << 32
    CPLAN_SYMLINK,       // symlinkat(str2, src, str); EEXIST is success, or removed first with CPLAN_F_REPLACE

    // The process
    CPLAN_STDIO_NULL,    // reopen stdio that is a /dev/null from slot src
    CPLAN_STDIO_OWNER,   // fchown stdio to uid arg0
    CPLAN_CAP_BOUNDING,  // drop from the bounding set what is not in arg0; str: struct cplan_caps
    CPLAN_IDENTITY,      // setgroups(str: uint32_t[len]), setresgid(arg1), setresuid(arg0); the permitted set is
                         // kept until CAPS, the effective one becomes that of str2: struct cplan_caps
    CPLAN_CAPS,          // str: struct cplan_caps
    CPLAN_NO_NEW_PRIVS,
    CPLAN_SECCOMP,       // seccomp(SET_MODE_FILTER, flags=arg0, str[len] as sock_filter[])
    CPLAN_CHDIR,         // chdir(str), then check that getcwd is inside the root; nothing when one succeeded already
    CPLAN_RESOLVE_EXEC,  // choose among the candidates in str (NUL-separated) as the current user
    CPLAN_WAIT_START,    // wait on slot START until `gantry start` knocks
    CPLAN_CLOSE_FROM,    // close every descriptor >= arg0 but the slots CONTROL, START, REAPER and src
    CPLAN_EXEC,          // execve(resolved, argv=str, envp=str2): struct cplan_vector. src: that program instead, with
                         // the resolved path as argv[1], for which argv has an entry; all signals are blocked

    CPLAN_CHROOT,        // without a mount namespace: chroot into slot src
    CPLAN_COPY_UP,       // copy what the directory in slot src holds into the one in slot aux
    CPLAN_RESET_SIGNALS, // actions that the caller's exec handed on become the default ones
    CPLAN_ENTER,         // write 0 to each file of str[len] (paths ended by NUL): enters cgroups of version 1
    CPLAN_OPEN_MOUNT,    // dst = O_PATH of the top of the mount that slot src is on

    // The terminal
    CPLAN_PTY_MASTER,    // dst = master of a new terminal of the devpts src; size arg0: rows | columns << 16
    CPLAN_PTY_SLAVE,     // dst = the slave of the master in src; stdio becomes it
    CPLAN_PTY_CONTROL,   // stdin becomes the session's controlling terminal
    CPLAN_DEATH_SIGNAL,  // signal arg0 when gantry ends; ends when it has ended

    CPLAN_OPCODES
};

/// Flags of an op.
#define CPLAN_F_RECURSIVE 0x0001u      /* AT_RECURSIVE */
#define CPLAN_F_DIRECTORY 0x0002u      /* OPEN_TARGET: make a directory */
#define CPLAN_F_FILE 0x0004u           /* OPEN_TARGET: make an empty file */
#define CPLAN_F_LIKE_AUX 0x0008u       /* OPEN_TARGET: make a directory if slot aux is one, else a file */
#define CPLAN_F_NO_SYMLINKS 0x0010u    /* OPEN_TARGET: refuse every symlink on the way (proc, sysfs) */
#define CPLAN_F_REFUSE_PROC 0x0020u    /* OPEN_TARGET: refuse a target inside procfs */
#define CPLAN_F_MODE_OF_TARGET 0x0040u /* MAKE_FS: chmod to the mode of slot aux unless OPEN_TARGET made it */
#define CPLAN_F_ENV_VALUE 0x0080u      /* SYNC: the reply is the environment entry EXEC appends */
#define CPLAN_F_OPTIONAL 0x0100u       /* a failure is not reported: the op and `skip` more are skipped */
#define CPLAN_F_ANY_FD 0x0200u         /* SYNC: attach slot src when it is filled */
#define CPLAN_F_REPLACE 0x0800u        /* SYMLINK: remove what is there (not a directory) */
#define CPLAN_F_LAST 0x0400u           /* SYNC: nobody answers after this; the control socket is closed */

/// One step. `ok_errno` are errors that count as "nothing to do": the op and the next `skip` ops are skipped.
struct cplan_op {
    uint16_t code;
    uint16_t flags;
    int16_t dst;
    int16_t src;
    int16_t aux;
    uint16_t ok_errno[2];
    uint16_t skip;
    uint32_t str;
    uint32_t str2;
    uint32_t len;
    uint32_t reserved;
    uint64_t arg0;
    uint64_t arg1;
    uint64_t arg2;
};
_Static_assert(sizeof(struct cplan_op) == 56, "cplan_op is part of the format");

struct cplan_header {
    uint32_t magic;
    uint16_t version;
    uint16_t op_count;
    uint32_t total_size;
    uint32_t first_private;   /* 3 + preserve_fds: descriptors from here on never reach the container */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct cplan_header) == 32, "cplan_header is part of the format");

/// The five sets as bit masks, capability 0 in bit 0.
struct cplan_caps {
    uint64_t bounding;
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;
};
_Static_assert(sizeof(struct cplan_caps) == 40, "cplan_caps is part of the format");

/// argv or envp: `count` offsets, relocated in place by the init, which maps the plan privately. The array has
/// room for two more entries: the reply of a SYNC with CPLAN_F_ENV_VALUE, and the terminating null.
struct cplan_vector {
    uint64_t count;
    uint64_t offsets[];
};

/// Messages. Each is one SEQPACKET datagram that starts with a cplan_message.
enum cplan_message_type {
    CPLAN_MSG_FORKED = 1, // init -> gantry: value = pid of stage 2 in gantry's pid namespace
    CPLAN_MSG_SYNC = 2,   // init -> gantry: value = sync number; may carry one descriptor
    CPLAN_MSG_FAILED = 3, // init -> gantry, or to `gantry start`: value = opcode, op, error, detail
    CPLAN_MSG_REPLY = 4,  // gantry -> init: value = sync number; payload bytes follow
    CPLAN_MSG_START = 5,  // `gantry start` -> init
    CPLAN_MSG_HEARD = 6,  // init -> `gantry start`: it is about to exec
};

struct cplan_message {
    uint32_t type;
    int32_t value;
    uint32_t op;     // FAILED: index of the op
    int32_t error;   // FAILED: errno
    uint32_t detail; // FAILED: what `detail` bytes mean: enum cplan_detail
    uint32_t length; // bytes that follow
};
_Static_assert(sizeof(struct cplan_message) == 24, "cplan_message is part of the format");

/// What the bytes after a FAILED message are.
enum cplan_detail {
    CPLAN_DETAIL_NONE = 0,
    CPLAN_DETAIL_PATH = 1,        // the path component or candidate that failed
    CPLAN_DETAIL_KERNEL_LOG = 2,  // lines from the fs context's log
    CPLAN_DETAIL_OPTION = 3,      // the mount option that was refused, then NUL, then the log
    CPLAN_DETAIL_SYMLINK = 4,     // a symlink stands where none may
    CPLAN_DETAIL_PROC = 5,        // the target is inside procfs
    CPLAN_DETAIL_WRONG_NODE = 6,  // something else stands where a device node belongs
    CPLAN_DETAIL_OUTSIDE = 7,     // the working directory is outside the root
    CPLAN_DETAIL_BAD_PLAN = 8,    // the plan itself is malformed: a bug
    CPLAN_DETAIL_EXEC_HEAD = 9,   // EXEC: the path, then NUL, then the first bytes of the file
    CPLAN_DETAIL_CAPABILITY = 10, // the capability's number as one byte
    CPLAN_DETAIL_EXEC_REASON = 11, // RESOLVE_EXEC: an enum cplan_exec_reason as one byte
};

/// Why a program may not be executed, where the errno is EACCES.
enum cplan_exec_reason {
    CPLAN_EXEC_NOT_REACHED = 1, // a directory on the way may not be searched
    CPLAN_EXEC_NOT_REGULAR = 2, // a device, a FIFO, a socket
    CPLAN_EXEC_NOEXEC = 3,      // its mount has noexec
    CPLAN_EXEC_MODE = 4,        // its mode
};

/// Sync points, in their only legal order.
enum cplan_sync {
    CPLAN_SYNC_PLACE = 1,   // stage 2 waits for its cgroups; the reply names files through which it enters
    CPLAN_SYNC_MOUNTED = 2, // mounts attached, not yet pivoted: prestart and createRuntime hooks
    CPLAN_SYNC_TERMINAL = 4, // carries the terminal's master
    CPLAN_SYNC_READY = 3,   // all done but the exec; may carry /etc/passwd; the reply may carry HOME
};

#endif
