// Prints what a process can see of itself and of its container, in sections of lines that can be compared.
//
// usage: probe [out=FD] [files=DIR] [pause]
//   out=FD      where to print; standard output when not given
//   files=DIR   only the files beneath DIR, for looking at a root file system from outside
//   pause       prints nothing and waits: a container's first process while an exec is looked at
//
// Static and with nothing but system calls and /proc, so that it runs in any root file system.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

static FILE *out;

static void section(const char *name) {
    fprintf(out, "[%s]\n", name);
}

static void number(const char *name, long value) {
    if (value < 0)
        fprintf(out, "%s: %s\n", name, strerrorname_np(errno));
    else
        fprintf(out, "%s: %ld\n", name, value);
}

static void text(const char *name, const char *value) {
    fprintf(out, "%s: %s\n", name, value != NULL ? value : strerrorname_np(errno));
}

static void link_target(const char *name, const char *path) {
    char target[4096];
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    text(name, length < 0 ? NULL : target);
}

/// Prints a file's lines; with `keys`, only those that begin with one of them, in the file's order.
static void lines_of(const char *path, const char *const *keys) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        text(path, NULL);
        return;
    }
    char *line = NULL;
    size_t space = 0;
    while (getline(&line, &space, file) > 0) {
        int wanted = keys == NULL;
        for (const char *const *key = keys; key != NULL && *key != NULL; key++)
            wanted |= strncmp(line, *key, strlen(*key)) == 0 && line[strlen(*key)] == ':';
        if (wanted)
            fputs(line, out);
    }
    free(line);
    fclose(file);
}

static void one_line(const char *path) {
    char value[512] = "";
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(value, sizeof value, file) == NULL)
        strcpy(value, "(empty)");
    value[strcspn(value, "\n")] = 0;
    text(path, file != NULL ? value : NULL);
    if (file != NULL)
        fclose(file);
}

/// Before anything else is opened.
static void print_descriptors(void) {
    section("descriptors");
    for (int fd = 0; fd < 1024; fd++) {
        struct stat status;
        char path[64], name[32];
        if (fstat(fd, &status) < 0)
            continue;
        fprintf(out, "%d: mode %o owner %u:%u flags %o close-on-exec %d rdev %u:%u\n", fd, status.st_mode, status.st_uid,
                status.st_gid, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), major(status.st_rdev), minor(status.st_rdev));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        snprintf(name, sizeof name, "%d leads to", fd);
        link_target(name, path);
    }
}

/// The mode is a separate line: who stands before the terminal sets some of it.
static void print_terminal(void) {
    section("terminal");
    struct termios mode;
    struct winsize size;
    if (tcgetattr(0, &mode) < 0 || ioctl(0, TIOCGWINSZ, &size) < 0)
        return;
    fprintf(out, "input %o output %o control %o local %o\n", mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag);
    for (size_t i = 0; i < sizeof mode.c_cc; i++)
        fprintf(out, "character %zu: %u\n", i, mode.c_cc[i]);
    fprintf(out, "size %u %u\n", size.ws_row, size.ws_col);
    fprintf(out, "session %d foreground %d\n", (int)tcgetsid(0), (int)tcgetpgrp(0));
    int fd = open("/dev/tty", O_RDWR);
    text("/dev/tty", fd < 0 ? NULL : ttyname(0));
    if (fd >= 0)
        close(fd);
}

static void print_program(int argc, char **argv, char **envp) {
    section("program");
    for (int i = 0; i < argc; i++)
        text("argument", argv[i]);
    for (; *envp != NULL; envp++)
        text("variable", *envp);
    link_target("exe", "/proc/self/exe");
    text("execfn", (const char *)getauxval(AT_EXECFN));
    number("secure", (long)getauxval(AT_SECURE));
    one_line("/proc/self/comm");
    char directory[4096];
    text("working directory", getcwd(directory, sizeof directory));
}

static void print_status(void) {
    static const char *const keys[] = {
        "Umask", "TracerPid", "Uid", "Gid", "Groups", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt",
        "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
        "Speculation_Store_Bypass", "SpeculationIndirectBranch", "Cpus_allowed_list", "Mems_allowed_list", "CoreDumping",
        "THP_enabled", NULL,
    };
    section("status");
    lines_of("/proc/self/status", keys);
    section("limits");
    lines_of("/proc/self/limits", NULL);
}

static void print_attributes(void) {
    section("attributes");
    number("is pid 1", getpid() == 1);
    number("parent is outside", getppid() == 0);
    number("session leader", getsid(0) == getpid());
    number("group leader", getpgrp() == getpid());
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    number("controlling terminal", terminal);
    if (terminal >= 0)
        close(terminal);
    fprintf(out, "personality: %x\n", (unsigned)personality(0xffffffff));
    number("dumpable", prctl(PR_GET_DUMPABLE));
    number("securebits", prctl(PR_GET_SECUREBITS));
    number("keepcaps", prctl(PR_GET_KEEPCAPS));
    number("timer slack", prctl(PR_GET_TIMERSLACK));
    number("no huge pages", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    int value = 0;
    number("parent death signal", prctl(PR_GET_PDEATHSIG, &value) < 0 ? -1 : value);
    number("subreaper", prctl(PR_GET_CHILD_SUBREAPER, &value) < 0 ? -1 : value);
    number("nice", getpriority(PRIO_PROCESS, 0) + 20);
    number("scheduler", sched_getscheduler(0));
    number("io priority", syscall(SYS_ioprio_get, 1, 0));
    static const char *const files[] = {
        "oom_score_adj", "coredump_filter", "loginuid", "setgroups", "uid_map", "gid_map", "timens_offsets",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/%s", files[i]);
        one_line(path);
    }
}

static void print_names(void) {
    struct utsname names;
    uname(&names);
    section("names");
    text("hostname", names.nodename);
    text("domainname", names.domainname);
    text("machine", names.machine);
    char description[512] = "";
    long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description, sizeof description);
    text("session keyring", length < 0 ? NULL : description);
}

static void print_namespaces(void) {
    static const char *const kinds[] = {
        "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts",
    };
    section("namespaces");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        link_target(kinds[i], path);
    }
    section("cgroups");
    lines_of("/proc/self/cgroup", NULL);
    section("mounts");
    lines_of("/proc/self/mountinfo", NULL);
}

static void print_network(void) {
    section("network");
    struct if_nameindex *interfaces = if_nameindex();
    if (interfaces == NULL)
        text("interfaces", NULL);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (struct if_nameindex *one = interfaces; one != NULL && one->if_index != 0; one++) {
        struct ifreq request = {0};
        strncpy(request.ifr_name, one->if_name, IFNAMSIZ - 1);
        long result = ioctl(fd, SIOCGIFFLAGS, &request);
        fprintf(out, "%s: flags %x\n", one->if_name, result < 0 ? 0 : (unsigned short)request.ifr_flags);
        result = ioctl(fd, SIOCGIFADDR, &request);
        fprintf(out, "%s: address %s\n", one->if_name, result < 0 ? strerrorname_np(errno) : "set");
    }
    if (fd >= 0)
        close(fd);
    lines_of("/proc/self/net/if_inet6", NULL);
}

static void print_sysctls(void) {
    static const char *const names[] = {
        "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall", "kernel/shmmax",
        "kernel/shmmni", "kernel/shm_rmid_forced", "fs/mqueue/msg_max", "fs/mqueue/queues_max",
        "net/ipv4/ip_forward", "net/ipv4/ip_unprivileged_port_start", "net/ipv4/ping_group_range",
        "net/ipv4/conf/lo/forwarding", "net/ipv6/conf/all/disable_ipv6", "net/core/somaxconn",
    };
    section("sysctls");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "/proc/sys/%s", names[i]);
        one_line(path);
    }
}

/// File systems whose files are the kernel's, not the container's.
static int is_kernels(const char *path) {
    static const long types[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, MQUEUE_MAGIC, BPF_FS_MAGIC,
        SECURITYFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
    };
    struct statfs status;
    if (statfs(path, &status) < 0)
        return 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((long)status.f_type == types[i])
            return 1;
    return 0;
}

static void print_file(const char *path, const char *shown, const struct stat *status) {
    char target[4096] = "";
    ssize_t length = S_ISLNK(status->st_mode) ? readlink(path, target, sizeof target - 1) : 0;
    target[length < 0 ? 0 : length] = 0;
    fprintf(out, "%s: mode %o owner %u:%u", shown, status->st_mode, status->st_uid, status->st_gid);
    if (S_ISBLK(status->st_mode) || S_ISCHR(status->st_mode))
        fprintf(out, " device %u:%u", major(status->st_rdev), minor(status->st_rdev));
    if (S_ISREG(status->st_mode))
        fprintf(out, " size %ld", (long)status->st_size);
    fprintf(out, "%s%s\n", S_ISLNK(status->st_mode) ? " -> " : "", target);
}

/// `skip`: how much of the path is not shown.
static void print_tree(const char *path, size_t skip) {
    struct stat status;
    const char *shown = path[skip] != 0 ? path + skip : "/";
    if (lstat(path, &status) < 0) {
        text(shown, NULL);
        return;
    }
    print_file(path, shown, &status);
    if (!S_ISDIR(status.st_mode) || is_kernels(path))
        return;
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        text(shown, NULL);
    for (int i = 0; i < count; i++) {
        char child[4096];
        const char *name = entries[i]->d_name;
        snprintf(child, sizeof child, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name);
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            print_tree(child, skip);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void print_all(int argc, char **argv, char **envp) {
    print_descriptors();
    print_terminal();
    print_program(argc, argv, envp);
    print_status();
    print_attributes();
    print_names();
    print_namespaces();
    print_network();
    print_sysctls();
    section("files");
    print_tree("/", 0);
    section("end");
}

int main(int argc, char **argv, char **envp) {
    int fd = STDOUT_FILENO;
    const char *files = NULL;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            fd = atoi(argv[i] + 4);
        if (strncmp(argv[i], "files=", 6) == 0)
            files = argv[i] + 6;
        while (strcmp(argv[i], "pause") == 0)
            pause();
    }
    char *report = NULL;
    size_t length = 0;
    out = open_memstream(&report, &length);
    if (files != NULL)
        print_tree(files, strlen(files));
    else
        print_all(argc, argv, envp);
    fclose(out);
    for (size_t done = 0; done < length;) {
        ssize_t count = write(fd, report + done, length - done);
        if (count < 0)
            return 125;
        done += (size_t)count;
    }
    return 0;
}
