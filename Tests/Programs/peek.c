// Tries everything that one process could do to another one's memory and descriptors.
//
// usage: peek PID
//
// Prints "WHAT yes" or "WHAT ERRNO-NAME", a line each.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "yes");
}

static const char *in_proc(int pid, const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return path;
}

static void try_file(const char *what, int pid, const char *name, int flags) {
    int fd = open(in_proc(pid, name), flags | O_CLOEXEC);
    tell(what, fd);
    if (fd >= 0)
        close(fd);
}

static void try_link(const char *what, int pid, const char *name) {
    char target[256];
    tell(what, readlink(in_proc(pid, name), target, sizeof target));
}

static void try_descriptors(int pid) {
    // Their numbers are no secret: the kernel shows them to whoever may pass the directory's mode.
    DIR *directory = opendir(in_proc(pid, "fd"));
    try_link("read-fd", pid, "fd/0");
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char name[32], target[256] = "";
        snprintf(name, sizeof name, "fd/%.20s", entry->d_name);
        if (readlink(in_proc(pid, name), target, sizeof target - 1) >= 0)
            printf("fd %s\n", target);
    }
    if (directory != NULL)
        closedir(directory);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    tell("getfd", pidfd < 0 ? pidfd : syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static void try_memory(int pid) {
    char byte = 0;
    struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
    long result = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    // An address that is not mapped: we were let in all the same.
    tell("read-memory", result < 0 && errno == EFAULT ? 0 : result);
    result = ptrace(PTRACE_SEIZE, pid, 0, 0);
    tell("trace", result);
    if (result == 0) {
        ptrace(PTRACE_INTERRUPT, pid, 0, 0);
        waitpid(pid, NULL, __WALL);
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    int pid = atoi(argv[1]);
    try_memory(pid);
    try_file("open-memory", pid, "mem", O_RDWR);
    try_file("read-exe", pid, "exe", O_RDONLY);
    try_file("write-exe", pid, "exe", O_WRONLY);
    try_file("root", pid, "root/", O_RDONLY | O_DIRECTORY);
    try_link("cwd", pid, "cwd");
    try_file("environ", pid, "environ", O_RDONLY);
    try_descriptors(pid);
    return 0;
}
