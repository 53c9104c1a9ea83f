#include "clinux_program.h"

#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Pointers to words that lie one after the other, and a null. The caller frees them.
static char **vector(const char *words, size_t count) {
    char **pointers = calloc(count + 1, sizeof *pointers);
    for (size_t i = 0; pointers != NULL && i < count; i++) {
        pointers[i] = (char *)words;
        words += strlen(words) + 1;
    }
    return pointers;
}

/// In the vforked child: everything up to the exec. Returns the errno of what failed.
static int become(const struct clinux_program *program, char **argv, char **envp, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    // All 64 of the kernel: the C library keeps two to itself. SIG_DFL, no flags, an empty mask.
    static const uint64_t action[4];
    for (int number = 1; number <= 64; number++)
        syscall(SYS_rt_sigaction, number, action, NULL, sizeof(uint64_t));
    sigprocmask(SIG_SETMASK, &none, NULL);
    // The parent may be gone before it could be watched.
    if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return errno;
    if (getppid() != parent)
        return ESRCH;
    if (chdir(program->directory) < 0 && chdir("/") < 0)
        return errno;
    for (int i = 0; i < 3; i++)
        if (dup2(program->streams[i], i) < 0)
            return errno;
    if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
        return errno;
    execve(program->path, argv, envp);
    return errno;
}

int clinux_run_program(const struct clinux_program *program) {
    char **argv = vector(program->arguments, program->argument_count);
    char **envp = vector(program->variables, program->variable_count);
    volatile int error = 0;
    pid_t pid = -1;
    if (argv == NULL || envp == NULL) {
        error = ENOMEM;
    } else {
        pid_t parent = getpid();
        // Ignored, as the caller may have left it, it would make the kernel forget how our children end.
        signal(SIGCHLD, SIG_DFL);
        pid = vfork();
        if (pid == 0) {
            error = become(program, argv, envp, parent);
            _exit(127);
        }
        if (pid < 0)
            error = errno;
    }
    free(argv);
    free(envp);
    if (error == 0)
        return pid;
    int status;
    if (pid > 0)
        clinux_waitpid(pid, &status, 0);
    return -error;
}

int clinux_capture_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    int error = errno;
    close(fds[0]);
    close(fds[1]);
    return -error;
}

int clinux_rewind(int fd) {
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

int clinux_kill_group(int group, int signo) {
    return kill(-group, signo) < 0 ? -errno : 0;
}
