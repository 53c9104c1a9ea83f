// Programs that the keeper starts: its children are the container, its execs and the supervisor.

#define MOST_WORDS 64
/// What a word may grow by when numbers are put in.
#define SPARE 256

/// Words, each ended by NUL, as argv; behind an empty word, as environment.
struct words {
    char *argv[MOST_WORDS + 1];
    char *envp[MOST_WORDS + 1];
    char text[CKEEPER_PAYLOAD + SPARE];
};

static char *put_number(char *at, int value) {
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/// Splits the words; "%a" becomes the number of the first descriptor of `others`, "%b" that of the second.
/// Returns 0, or -EINVAL when they make no sense.
static int split_words(struct words *words, const char *bytes, uint32_t length, const int *others, int count) {
    char *out = words->text, *end = words->text + sizeof words->text - 16;
    char **list = words->argv;
    int used = 0;
    for (uint32_t at = 0; at < length;) {
        if (bytes[at] == 0 && list == words->argv) {
            list[used] = 0;
            list = words->envp;
            used = 0;
            at++;
            continue;
        }
        if (used == MOST_WORDS)
            return -EINVAL;
        list[used++] = out;
        for (; at < length && bytes[at] != 0; at++) {
            if (out >= end)
                return -EINVAL;
            int number = at + 1 < length && bytes[at] == '%' ? bytes[at + 1] - 'a' : -1;
            if (number >= 0 && number < count) {
                out = put_number(out, others[number]);
                at++;
            } else {
                *out++ = bytes[at];
            }
        }
        *out++ = 0;
        at++;
    }
    list[used] = 0;
    if (list == words->argv)
        words->envp[0] = 0;
    return words->argv[0] == 0 ? -EINVAL : 0;
}

/// Of the child: gets what it is to inherit into place. Descriptors that come with a message are close-on-exec.
static int place_descriptors(int *fds, int streams, int count) {
    // First out of the way of each other.
    for (int i = 0; i < count; i++)
        if (fds[i] < streams && (fds[i] = (int)SYS3(__NR_fcntl, fds[i], F_DUPFD_CLOEXEC, streams)) < 0)
            return fds[i];
    for (int i = 0; i < streams; i++) {
        int result = (int)SYS3(__NR_dup3, fds[i], i, 0);
        if (result < 0)
            return result;
    }
    for (int i = streams; i < count; i++)
        SYS3(__NR_fcntl, fds[i], F_SETFD, 0);
    return 0;
}

static void restore_badness(const struct keeper *keeper) {
    if (keeper->badness_length <= 0)
        return;
    int fd = (int)SYS4(__NR_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
    if (fd >= 0)
        sys_write(fd, keeper->badness, (size_t)keeper->badness_length);
    sys_close(fd);
}

/// What a child executes: a descriptor, or argv[0] when that is -1.
static int execute_program(int executable, const struct words *words) {
    uint64_t none = 0;
    SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
    if (executable >= 0)
        return (int)SYS5(__NR_execveat, executable, "", words->argv, words->envp, AT_EMPTY_PATH);
    return (int)SYS3(__NR_execve, words->argv[0], words->argv, words->envp);
}

/// Starts a program; `fds` are the executable, `streams` descriptors for 0, 1, 2 and so on, and others.
/// Returns its pid, or -errno, also of an exec that failed. `*pidfd` is its descriptor.
static int spawn(struct keeper *keeper, const struct words *words, int *fds, int streams, int count, int *pidfd) {
    int gate[2];
    int result = (int)SYS2(__NR_pipe2, gate, O_CLOEXEC);
    if (result < 0)
        return result;
    struct clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)pidfd, .exit_signal = SIGCHLD};
    int pid = (int)SYS2(__NR_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        int error = place_descriptors(fds + 1, streams, count - 1);
        restore_badness(keeper);
        if (error == 0)
            error = execute_program(fds[0], words);
        sys_write(gate[1], &error, sizeof error);
        sys_exit(127);
    }
    sys_close(gate[1]);
    int error = 0;
    if (pid > 0 && sys_read(gate[0], &error, sizeof error) == sizeof error) {
        SYS4(__NR_wait4, pid, 0, 0, 0);
        sys_close(*pidfd);
        pid = error;
    }
    sys_close(gate[0]);
    return pid;
}

/// Deaths so soon after the start, in nanoseconds, are not answered at once.
#define QUICK 2000000000
/// Each pause is twice the one before, 200 ms the first; so many times.
#define LONGER 7

/// Starts the next supervisor after a pause; the one before did not live, or there is no program.
static void start_supervisor_later(struct supervisor *supervisor, int64_t time) {
    if (supervisor->quick < LONGER + 1)
        supervisor->quick++;
    supervisor->alarm = time + (100000000ll << supervisor->quick);
}

/// Starts the supervisor; a host's file, so it is named by its path. Its standard streams are ours: /dev/null.
static void start_supervisor(struct keeper *keeper) {
    static struct words words;
    struct supervisor *supervisor = &keeper->supervisor;
    supervisor->alarm = 0;
    if (split_words(&words, supervisor->words, supervisor->length, 0, 0) < 0)
        return;
    int none = -1, pidfd = -1;
    int pid = spawn(keeper, &words, &none, 0, 1, &pidfd);
    if (pid > 0)
        sys_close(pidfd);
    supervisor->pid = pid > 0 ? pid : 0;
    supervisor->client = -1;
    supervisor->leaving = 0;
    supervisor->started = now(CLOCK_MONOTONIC);
    keeper->state.supervisor = supervisor->pid;
    keeper->state.supervisors++;
    // A program that is being replaced is not there for a moment.
    if (pid < 0)
        start_supervisor_later(supervisor, supervisor->started);
}

/// The supervisor's process has ended. Unless that is the end of all it is started again: at once when it had lived,
/// later and later when it had not.
static void supervisor_ended(struct keeper *keeper) {
    struct supervisor *supervisor = &keeper->supervisor;
    int64_t time = now(CLOCK_MONOTONIC);
    int was_told = supervisor->leaving;
    supervisor->pid = 0;
    supervisor->foreign = 0;
    supervisor->client = -1;
    supervisor->leaving = 0;
    supervisor->alarm = 0;
    keeper->state.supervisor = 0;
    if (keeper->ending || supervisor->length == 0)
        return;
    if (!was_told && time - supervisor->started <= QUICK)
        return start_supervisor_later(supervisor, time);
    supervisor->quick = 0;
    start_supervisor(keeper);
}
