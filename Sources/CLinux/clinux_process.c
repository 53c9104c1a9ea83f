#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *append_number(char *at, int value) {
    char digits[12];
    int count = 0;
    if (value < 0) {
        *at++ = '-';
        return at;
    }
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

int clinux_spawn(int exe, const char *name, const int *fds, int count, const char *mark, const int *streams) {
    char numbers[CLINUX_SPAWN_MAX * 12];
    char *at = numbers;
    if (count > CLINUX_SPAWN_MAX)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        if (i > 0)
            *at++ = ',';
        at = append_number(at, fds[i]);
    }
    *at = 0;
    char *const argv[] = {(char *)name, numbers, (char *)mark, NULL};
    char *const envp[] = {NULL};
    sigset_t none;
    sigemptyset(&none);

    // Ignored, as the caller may have left it, it would make the kernel forget how our children end.
    signal(SIGCHLD, SIG_DFL);
    volatile int error = 0;
    pid_t pid = vfork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int i = 0; i < 3 && streams != NULL; i++)
            dup2(streams[i], i);
        for (int i = 0; i < count; i++)
            if (fds[i] >= 0)
                fcntl(fds[i], F_SETFD, 0);
        syscall(SYS_execveat, exe, "", argv, envp, AT_EMPTY_PATH);
        error = errno;
        _exit(127);
    }
    if (error != 0) {
        int status;
        clinux_waitpid(pid, &status, 0);
        return -error;
    }
    return pid;
}

static int start_found(char **argv, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    pid_t pid;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_init(&attributes);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    // Ignored, as the caller may have left it, it would make the kernel forget how our children end.
    signal(SIGCHLD, SIG_DFL);
    int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error != 0 ? -error : pid;
}

int clinux_spawn_found(const char *words, size_t length, int output) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += words[i] == 0;
    char **argv = calloc(count + 1, sizeof *argv);
    if (argv == NULL)
        return -ENOMEM;
    const char *next = words;
    for (size_t i = 0; i < count; i++) {
        argv[i] = (char *)next;
        next += strlen(next) + 1;
    }
    int result = start_found(argv, output);
    free(argv);
    return result;
}

int clinux_pipe(int fds[2]) {
    return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

void clinux_grow_pipe(int fd, int bytes) {
    fcntl(fd, F_SETPIPE_SZ, bytes);
}

int clinux_raise_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

uint64_t clinux_hard_limit_processes(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NPROC, &limit) < 0 ? 0 : limit.rlim_max;
}

int clinux_pidfd_open(int pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int clinux_pidfd_signal(int pidfd, int signo) {
    return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

int clinux_kill(int pid, int signo) {
    return kill(pid, signo) < 0 ? -errno : 0;
}

_Static_assert(sizeof(struct pollfd) == sizeof(struct clinux_pollfd), "clinux_pollfd is a pollfd");
_Static_assert(CLINUX_POLLIN == POLLIN && CLINUX_POLLPRI == POLLPRI && CLINUX_POLLOUT == POLLOUT, "events of poll(2)");

int clinux_poll(struct clinux_pollfd *set, int count, int milliseconds) {
    int ready;
    do
        ready = poll((struct pollfd *)set, (nfds_t)count, milliseconds);
    while (ready < 0 && errno == EINTR);
    return ready < 0 ? -errno : ready;
}

int clinux_wait_readable(int first, int second, int milliseconds) {
    struct clinux_pollfd set[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    int ready = clinux_poll(set, 2, milliseconds);
    return ready < 0 ? ready : (set[0].revents ? 1 : 0) | (set[1].revents ? 2 : 0);
}

int clinux_fork(void) {
    int pid = fork();
    return pid < 0 ? -errno : pid;
}

int clinux_waitpid(int pid, int *status, int options) {
    pid_t found;
    do
        found = waitpid(pid, status, options);
    while (found < 0 && errno == EINTR);
    return found < 0 ? -errno : found;
}

int clinux_signalfd_all(void) {
    sigset_t all;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_pending_end(void) {
    static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigismember(&pending, ends[i]))
            return ends[i];
    return 0;
}

int clinux_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t count = read(fd, &info, sizeof info);
    return count < 0 ? -errno : (int)info.ssi_signo;
}

const char *clinux_errno_text(int error) {
    return strerrordesc_np(error);
}

int clinux_pid(void) {
    return getpid();
}

unsigned clinux_effective_uid(void) {
    return (unsigned)getauxval(AT_EUID);
}

unsigned clinux_effective_gid(void) {
    return (unsigned)getauxval(AT_EGID);
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clinux_realtime(void) {
    return now(CLOCK_REALTIME);
}

int64_t clinux_from_local_time(int64_t seconds) {
    time_t told = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&told, &parts) == NULL)
        return seconds;
    parts.tm_isdst = -1;
    return (int64_t)mktime(&parts);
}

int64_t clinux_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

const char *clinux_getenv(const char *name) {
    return getenv(name);
}

void clinux_open_missing_stdio(void) {
    // One call asks after all three. The lowest free number is the lowest closed stream.
    struct pollfd streams[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    poll(streams, 3, 0);
    for (int i = 0; i < 3; i++)
        if (streams[i].revents & POLLNVAL)
            open("/dev/null", O_RDWR);
}

void clinux_exit(int code) {
    _exit(code);
}

int clinux_parse_double(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end == text || *end != 0 ? -EINVAL : 0;
}

double clinux_log2(double value) {
    return log2(value);
}

double clinux_pow(double base, double exponent) {
    return pow(base, exponent);
}

static int argument_count;
static char **arguments;

// Before main. The GNU C library hands main's arguments to constructors, in static programs too.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
    // The heap grows in one step, and does not shrink again: a short life needs no thrift with addresses.
    mallopt(M_TOP_PAD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int clinux_argument_count(void) {
    return argument_count;
}

char *const *clinux_arguments(void) {
    return arguments;
}

int clinux_permitted_capabilities(uint64_t *mask) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    *mask = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return 0;
}

int clinux_knows_seccomp_flags(unsigned flags) {
    // The flags are looked at before the filter, which is not there.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}
