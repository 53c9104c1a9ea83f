// Runs a static program with a breakpoint on every function and writes which of them it enters, by address, in
// hexadecimal, in the order of their first call.
//
// usage: hits OUTPUT FUNCTIONS PROGRAM [ARGUMENT...]; FUNCTIONS has one address per line
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAN (64ul << 20)
#define BREAKPOINT 0xcc

static unsigned char original[SPAN];
static char armed[SPAN];

static void arm(int memory, FILE *functions) {
    unsigned long at;
    unsigned char breakpoint = BREAKPOINT;
    while (fscanf(functions, "%lx", &at) == 1) {
        if (at >= SPAN || armed[at] || pread(memory, &original[at], 1, at) != 1) continue;
        armed[at] = pwrite(memory, &breakpoint, 1, at) == 1;
    }
}

/// Handles a stop at a breakpoint of ours: true when it was one.
static int hit(int memory, pid_t pid, FILE *output) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) != 0) return 0;
    unsigned long at = registers.rip - 1;
    if (at >= SPAN || !original[at]) return 0;
    if (armed[at]) {
        armed[at] = 0;
        if (pwrite(memory, &original[at], 1, at) != 1) exit(1);
        fprintf(output, "%lx\n", at);
    }
    registers.rip = at;
    return ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0;
}

int main(int argc, char **argv) {
    FILE *output = argc > 3 ? fopen(argv[1], "we") : NULL, *functions = argc > 3 ? fopen(argv[2], "re") : NULL;
    if (!output || !functions) return 2;
    pid_t main_pid = fork();
    if (main_pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    int status = 0;
    waitpid(main_pid, &status, 0);
    // A vforked child runs in the same memory, so it is followed until it executes a program of its own.
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SETOPTIONS, main_pid, 0, options) != 0) return 1;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", main_pid);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0) return 1;
    arm(memory, functions);
    ptrace(PTRACE_CONT, main_pid, 0, 0);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (pid == main_pid) break;
            continue;
        }
        int signal_number = WSTOPSIG(status);
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
            ptrace(PTRACE_DETACH, pid, 0, 0);
            continue;
        }
        if (signal_number == SIGTRAP && (status >> 16 != 0 || hit(memory, pid, output))) signal_number = 0;
        if (signal_number == SIGSTOP) signal_number = 0; // a new child's first stop
        ptrace(PTRACE_CONT, pid, 0, signal_number);
    }
    if (fclose(output) != 0) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
