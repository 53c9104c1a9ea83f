// gantry's reaper: the first process of a container that is made with --init.
//
//     gantry-reaper PATH ARG0 ARG...
//
// It executes the program PATH as its child, hands on the signals that it gets, takes leave of every process that
// ends without a parent, and exits as the program does. Like the init a freestanding program; it needs no capability
// and of the system calls that a filter may forbid only those that it tries before the program runs.

#include <asm/signal.h>
#include <asm/termios.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "sys.h"

#include "memory.c"
#include "refusal.c"

/// Blocked are all signals but while the program runs: what comes for it before is not lost. The init has seen to that
/// before its exec, since of signals that are not blocked the kernel drops most when they are for PID 1.
static int block_signals(uint64_t signals) {
    return (int)SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &signals, 0, sizeof signals);
}

/// A signal that has come, or -errno; does not wait longer than `limit` says.
static long take_signal(const struct __kernel_timespec *limit) {
    const uint64_t all = ~0ull;
    return SYS4(__NR_rt_sigtimedwait, &all, 0, limit, sizeof all);
}

/// The next process that has ended, 0 when there is none, or -errno.
static long take_ended(int *status) {
    return SYS4(__NR_wait4, -1, status, WNOHANG, 0);
}

/// A filter that forbids what is done all the time would make a container that hears nothing, or never rests.
static void try_calls(int self) {
    int status;
    long result = block_signals(~0ull);
    if (result < 0)
        refuse("rt_sigprocmask", result);
    result = take_ended(&status);
    if (result < 0 && result != -ECHILD)
        refuse("wait4", result);
    result = SYS2(__NR_kill, self, 0);
    if (result < 0)
        refuse("kill", result);
}

/// A signal that has come already, 0 when there is none.
static long try_signals(void) {
    const struct __kernel_timespec none = {0, 0};
    long signal = take_signal(&none);
    if (signal < 0 && signal != -EAGAIN && signal != -EINTR)
        refuse("rt_sigtimedwait", signal);
    return signal > 0 ? signal : 0;
}

static void demand_prctl(int option, unsigned long value) {
    int result = sys_prctl(option, value, 0);
    if (result < 0)
        refuse("prctl", result);
}

/// Whoever waits for sockets to be handed over is told for which process they are (sd_listen_fds(3)): for the
/// container's first one, which the program is no longer.
static void claim_sockets(char **environment, int self) {
    static char entry[32] = "LISTEN_PID=";
    const size_t prefix = sizeof "LISTEN_PID=" - 1;
    for (; *environment != 0; environment++) {
        size_t at = 0;
        while (at < prefix && (*environment)[at] == entry[at])
            at++;
        if (at < prefix || (*environment)[at] != '1' || (*environment)[at + 1] != 0)
            continue;
        append_number(entry, &at, (unsigned)self);
        entry[at] = 0;
        *environment = entry;
    }
}

/// Becomes the program, in a process group of its own that has the terminal, if there is one: Ctrl-C is for the program
/// and what it starts, and a shell can hand the terminal on.
_Noreturn static void become(const char *path, char **arguments, char **environment, int parent) {
    int self = (int)SYS0(__NR_getpid);
    // When the first of a pid namespace is killed all others are; elsewhere this must be asked for.
    if (parent != 1) {
        demand_prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (SYS0(__NR_getppid) != parent)
            sys_exit(128 + SIGKILL);
    }
    SYS2(__NR_setpgid, 0, 0);
    // SIGTTOU is blocked. Without a terminal this is ENOTTY.
    SYS3(__NR_ioctl, 0, TIOCSPGRP, &self);
    claim_sockets(environment, self);
    block_signals(0);
    refuse_program(path, SYS3(__NR_execve, path, arguments, environment));
}

/// Whether a signal means the program. What a process's own children and its terminal say means that process, and
/// what cannot be caught never comes here.
static int is_forwarded(long signal) {
    return signal != SIGCHLD && signal != SIGTTIN && signal != SIGTTOU;
}

/// Exits as the program has: with its code, or with 128 and the signal that killed it.
_Noreturn static void end_as(int status) {
    int signal = status & 0x7f;
    sys_exit(signal != 0 ? 128 + signal : status >> 8 & 0xff);
}

_Noreturn static void look_after(int program, long signal) {
    for (;;) {
        if (signal > 0 && is_forwarded(signal))
            SYS2(__NR_kill, program, signal);
        int status;
        for (long ended; (ended = take_ended(&status)) > 0;)
            if (ended == program)
                end_as(status);
        signal = take_signal(0);
    }
}

/// `stack` is where the kernel put argc, argv behind it, and behind that the environment.
__attribute__((used)) _Noreturn void init_main(long *stack) {
    char **words = (char **)(stack + 1);
    char **environment = words + stack[0] + 1;
    if (stack[0] < 3)
        sys_exit(CANNOT_EXECUTE);
    sys_prctl(PR_SET_NAME, (unsigned long)"gantry-reaper", 0);
    int self = (int)SYS0(__NR_getpid);
    try_calls(self);
    // Without a pid namespace of its own, orphans would go to somebody further up.
    if (self != 1)
        demand_prctl(PR_SET_CHILD_SUBREAPER, 1);
    long signal = try_signals();

    long program = SYS5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
    if (program < 0)
        refuse("clone", program);
    if (program == 0)
        become(words[1], words + 2, environment, self);
    // What is handed on to the program is the program's alone: a pipe must end when that closes it.
    if (SYS3(__NR_close_range, 3, ~0u, 0) < 0)
        for (int fd = 3; sys_close(fd) == 0;)
            fd++;
    look_after((int)program, signal);
}
