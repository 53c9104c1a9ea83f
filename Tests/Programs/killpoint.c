// Kills a command, or a process that it makes, at one chosen system call, and tells what was left of it.
//
// usage: killpoint PROCESS MOMENT REPORT COMMAND [ARGUMENT...]
//   PROCESS   0: the command itself; 1: the first process that it or a child of its makes; 2: the second ...
//   MOMENT    N: on entering its N-th system call; NAME:K: after its K-th call of that name; 0: never;
//             +T: T microseconds after the command was started, wherever it is then (process 0 only)
//   REPORT    file with one line each:
//                 trace NAME ...     the system calls of PROCESS, in order
//                 killed NAME        where it was killed
//                 left PID START     a process that the command left, with field 22 of its /proc/PID/stat
//
// A system call without a row in the table below goes by its number.
// The calls of process 0 are counted from its execve on. Orphans are adopted, so that `left` finds all.
// Exits as the command did, with 128 + N when signal N killed it.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/ptrace.h>
#include <unistd.h>

#define MAX_PROCESSES 64

/// Those that change something outside of the process, or tell somebody else something.
static const struct {
    long number;
    const char *name;
} names[] = {
    {SYS_bind, "bind"}, {SYS_connect, "connect"}, {SYS_listen, "listen"}, {SYS_mkdirat, "mkdirat"},
    {SYS_pidfd_send_signal, "pidfd_send_signal"}, {SYS_recvmsg, "recvmsg"}, {SYS_renameat, "renameat"},
    {SYS_sendmsg, "sendmsg"}, {SYS_unlinkat, "unlinkat"}, {SYS_wait4, "wait4"}, {SYS_write, "write"},
#ifdef SYS_vfork
    {SYS_vfork, "vfork"},
#endif
    {-1, NULL},
};

struct tracer {
    int target;           // number of the process to kill
    long moment;          // its N-th call, or 0
    long number, repeats; // or after so many calls of that number
    long calls;           // how many it has made
    FILE *report;
    pid_t known[MAX_PROCESSES]; // in the order of their making
    int count;
};

static void die(const char *what) {
    fprintf(stderr, "killpoint: %s: %s\n", what, strerror(errno));
    exit(99);
}

static const char *name_of(long number) {
    static char text[24];
    for (int i = 0; names[i].name != NULL; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(text, sizeof text, "%ld", number);
    return text;
}

/// The number for the `length` bytes of a name, -1 for one that is not in the table.
static long number_of(const char *name, size_t length) {
    for (int i = 0; names[i].name != NULL; i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0)
            return names[i].number;
    return -1;
}

/// The process's place in the order of making.
static int place_of(struct tracer *tracer, pid_t pid) {
    for (int i = 0; i < tracer->count; i++)
        if (tracer->known[i] == pid)
            return i;
    if (tracer->count == MAX_PROCESSES)
        die("too many processes");
    tracer->known[tracer->count] = pid;
    return tracer->count++;
}

static void finish(struct tracer *tracer, pid_t pid, long number) {
    fprintf(tracer->report, "\nkilled %s", name_of(number));
    kill(pid, SIGKILL);
    tracer->target = -1;
}

/// A stop of the target at the beginning or the end of a system call.
static void at_call(struct tracer *tracer, pid_t pid) {
    static long number = -1;
    struct ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0)
        return; // killed by somebody else
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        number = (long)info.entry.nr;
        fprintf(tracer->report, " %s", name_of(number));
        if (++tracer->calls == tracer->moment)
            finish(tracer, pid, number);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && number == tracer->number && tracer->repeats > 0) {
        if (--tracer->repeats == 0)
            finish(tracer, pid, number);
    }
}

/// Handles one stop; returns the signal that the process is to get.
static int at_stop(struct tracer *tracer, pid_t pid, int status) {
    int known = tracer->count;
    int place = place_of(tracer, pid);
    int event = status >> 16;
    unsigned long child;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0)
            place_of(tracer, (pid_t)child);
        return 0;
    }
    if (event != 0)
        return 0;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        if (place == tracer->target)
            at_call(tracer, pid);
        return 0;
    }
    // How a new process begins.
    if (WSTOPSIG(status) == SIGSTOP && (place == known || place > 0))
        return 0;
    return WSTOPSIG(status);
}

/// Runs until the command has ended; returns its wait status.
static int trace(struct tracer *tracer, pid_t command) {
    while (1) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            die("waitpid");
        if (!WIFSTOPPED(status)) {
            if (pid == command)
                return status;
            continue;
        }
        int signal = at_stop(tracer, pid, status);
        ptrace(place_of(tracer, pid) == tracer->target ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal);
    }
}

/// Takes the command, stopped before its execve, to the end of it, where counting begins.
static void attach(struct tracer *tracer, pid_t command) {
    int status;
    if (waitpid(command, &status, 0) != command || !WIFSTOPPED(status))
        die("waitpid");
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
    if (tracer->target > 0)
        options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SETOPTIONS, command, 0, options) < 0)
        die("ptrace");
    ptrace(PTRACE_CONT, command, 0, 0);
    if (waitpid(command, &status, 0) != command || !WIFSTOPPED(status) || status >> 16 != PTRACE_EVENT_EXEC)
        die("execv");
    place_of(tracer, command);
    ptrace(tracer->target == 0 ? PTRACE_SYSCALL : PTRACE_CONT, command, 0, 0);
}

/// Kills the command after some time, without looking into it.
static int time_out(const char *microseconds, pid_t command) {
    int status;
    usleep((useconds_t)atol(microseconds));
    kill(command, SIGKILL);
    while (waitpid(command, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    return status;
}

/// Tells of each child of ours that has not ended.
static void report_left(struct tracer *tracer) {
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], text[1024];
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
        if (file == NULL)
            continue;
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        char *after = strrchr(text, ')');
        char state;
        int parent;
        unsigned long long start;
        const char *fields = " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                             "%*d %*d %*d %*d %*d %*d %llu";
        if (after == NULL || sscanf(after + 1, fields, &state, &parent, &start) != 3)
            continue;
        if (parent == getpid() && state != 'Z' && state != 'X')
            fprintf(tracer->report, "\nleft %s %llu", entry->d_name, start);
    }
    closedir(proc);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: killpoint PROCESS MOMENT REPORT COMMAND [ARGUMENT...]\n");
        return 99;
    }
    struct tracer tracer = {.target = atoi(argv[1]), .number = -1};
    char *colon = strchr(argv[2], ':');
    if (colon != NULL) {
        tracer.number = number_of(argv[2], (size_t)(colon - argv[2]));
        tracer.repeats = atol(colon + 1);
    } else {
        tracer.moment = atol(argv[2]);
    }
    if ((tracer.report = fopen(argv[3], "we")) == NULL)
        die(argv[3]);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        die("prctl");

    int traced = argv[2][0] != '+';
    pid_t command = fork();
    if (command < 0)
        die("fork");
    if (command == 0) {
        if (traced) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
        }
        execv(argv[4], argv + 4);
        _exit(98);
    }
    fprintf(tracer.report, "trace");
    int status;
    if (traced) {
        attach(&tracer, command);
        status = trace(&tracer, command);
    } else {
        status = time_out(argv[2] + 1, command);
    }
    report_left(&tracer);
    fprintf(tracer.report, "\n");
    fclose(tracer.report);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
