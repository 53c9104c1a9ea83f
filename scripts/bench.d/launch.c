// Starts the commands that gantry-bench measures. A small static program does it, because a child that has not yet
// executed its program counts its parent's memory as its own peak (getrusage(2), ru_maxrss).
//
// usage: launch LOG
// Requests are lines on stdin, their fields separated by 0x1f; every request is answered by one line.
//   run MILLISECONDS ARGV...  runs a command with its output in LOG and answers "NANOSECONDS PEAK_KIB STATUS";
//                             STATUS is the exit status, 128 + a signal, or -1 when it was killed as too late
//   tty MILLISECONDS ARGV...  the same with a terminal of its own instead of LOG, for what prints next to nothing
//   reap MILLISECONDS PID     waits for an orphan, which is adopted here, and answers "0 0 STATUS"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t waited_for, late;

static void too_late(int signal_number) {
    (void)signal_number;
    late = 1;
    if (waited_for > 0) kill(waited_for, SIGKILL);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void deadline(long milliseconds) {
    struct itimerval timer = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/// Waits for `pid` and answers; `start` is 0 where nothing is measured: then any other orphan is cleared away, too.
static void finish(pid_t pid, long long start) {
    int status = 0;
    struct rusage usage = {0};
    pid_t got;
    do got = wait4(start ? pid : -1, &status, 0, &usage);
    while ((got > 0 && got != pid) || (got < 0 && errno == EINTR && !(late && start == 0)));
    long long end = now();
    deadline(0);
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    printf("%lld %ld %d\n", start ? end - start : 0, usage.ru_maxrss, late || got < 0 ? -1 : code);
    fflush(stdout);
}

/// Runs a command with these two as its standard streams, the first of them its terminal if it is one.
static void measure(char **argv, long milliseconds, int input, int output) {
    static char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int terminal = isatty(input);
    late = 0;
    long long start = now();
    pid_t pid = vfork();
    if (pid == 0) {
        if (terminal) {
            setsid();
            ioctl(input, TIOCSCTTY, 0);
        }
        dup2(input, 0);
        dup2(output, 1);
        dup2(output, 2);
        execve(argv[0], argv, environment);
        _exit(127);
    }
    waited_for = pid;
    deadline(milliseconds);
    finish(pid, start);
    waited_for = 0;
}

static void run(char **argv, long milliseconds, int log) {
    if (ftruncate(log, 0) != 0 || lseek(log, 0, SEEK_SET) != 0) exit(1);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    measure(argv, milliseconds, null, log);
    close(null);
}

static void run_on_terminal(char **argv, long milliseconds) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) exit(1);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) exit(1);
    measure(argv, milliseconds, slave, slave);
    close(slave);
    close(master);
}

int main(int argc, char **argv) {
    int log = argc == 2 ? open(argv[1], O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (log < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 1;
    // Without SA_RESTART, so that a late orphan interrupts the wait.
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = too_late}, NULL);
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        char *fields[256];
        int count = 0;
        line[strcspn(line, "\n")] = 0;
        for (char *rest = line; rest && count < 255;) fields[count++] = strsep(&rest, "\x1f");
        fields[count] = NULL;
        if (count < 3) return 1;
        long milliseconds = atol(fields[1]);
        if (strcmp(fields[0], "run") == 0) {
            run(fields + 2, milliseconds, log);
        } else if (strcmp(fields[0], "tty") == 0) {
            run_on_terminal(fields + 2, milliseconds);
        } else {
            late = 0;
            deadline(milliseconds);
            finish(atoi(fields[2]), 0);
        }
    }
    return 0;
}
