// What the kernel itself needs for a container of the default `runc spec`: the same namespaces, cgroups, mounts,
// devices and limits, made by the shortest plain C program that makes them. No runtime that does all of this can be
// faster than its system calls; how close it comes is the question.
//
// usage: floor ROOTFS, which needs the directories bin, dev, proc and sys, and /bin/true
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOUNT_SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static void check(long result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void put(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    check(file, path);
    check(write(file, text, strlen(text)), path);
    close(file);
}

// ---- cgroups: one in every hierarchy that is mounted ---------------------------------------------------------

static struct {
    char mount[128], name[64], own[160];
    int is_v2;
} hierarchies[32];
static int hierarchy_count;

static void find_hierarchies(void) {
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char path[128], type[32];
    while (mounts && fscanf(mounts, "%*s %127s %31s %*[^\n]", path, type) == 2) {
        int is_v2 = strcmp(type, "cgroup2") == 0;
        if ((!is_v2 && strcmp(type, "cgroup") != 0) || hierarchy_count == COUNT(hierarchies)) continue;
        int index = hierarchy_count++;
        hierarchies[index].is_v2 = is_v2;
        strcpy(hierarchies[index].mount, path);
        snprintf(hierarchies[index].name, sizeof hierarchies->name, "%s", strrchr(path, '/') + 1);
        snprintf(hierarchies[index].own, sizeof hierarchies->own, "%s/floor-%d", path, getpid());
    }
    if (mounts) fclose(mounts);
}

static void copy_cpuset(const char *mount, const char *own, const char *file) {
    char path[256], value[128];
    snprintf(path, sizeof path, "%s/%s", mount, file);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    check(from, path);
    long length = read(from, value, sizeof value - 1);
    close(from);
    value[length > 0 ? length : 0] = 0;
    snprintf(path, sizeof path, "%s/%s", own, file);
    put(path, value);
}

static void make_cgroups(void) {
    static const char *devices[] = {"c *:* m", "b *:* m", "c 1:3 rwm", "c 1:8 rwm", "c 1:7 rwm", "c 5:0 rwm",
                                    "c 1:5 rwm", "c 1:9 rwm", "c 136:* rwm", "c 5:2 rwm"};
    char path[256];
    for (int i = 0; i < hierarchy_count; i++) {
        const char *own = hierarchies[i].own;
        check(mkdir(own, 0755), own);
        if (strcmp(hierarchies[i].name, "cpuset") == 0) {
            copy_cpuset(hierarchies[i].mount, own, "cpuset.cpus");
            copy_cpuset(hierarchies[i].mount, own, "cpuset.mems");
        } else if (strcmp(hierarchies[i].name, "devices") == 0) {
            snprintf(path, sizeof path, "%s/devices.deny", own);
            put(path, "a");
            snprintf(path, sizeof path, "%s/devices.allow", own);
            for (size_t d = 0; d < COUNT(devices); d++) put(path, devices[d]);
        }
    }
}

static void enter_cgroups(pid_t pid) {
    char path[256], text[16];
    snprintf(text, sizeof text, "%d", pid);
    for (int i = 0; i < hierarchy_count; i++) {
        snprintf(path, sizeof path, "%s/cgroup.procs", hierarchies[i].own);
        put(path, text);
    }
}

static void remove_cgroups(void) {
    for (int i = 0; i < hierarchy_count; i++) rmdir(hierarchies[i].own);
}

// ---- the container's side ------------------------------------------------------------------------------------

static void make(const char *type, const char *at, unsigned long flags, const char *data) {
    check(mount(type, at, type, flags, data), at);
}

static void mount_cgroups(void) {
    char at[160];
    make("tmpfs", "sys/fs/cgroup", MOUNT_SAFE, "mode=755");
    for (int i = 0; i < hierarchy_count; i++) {
        snprintf(at, sizeof at, "sys/fs/cgroup/%s", hierarchies[i].name);
        check(mkdir(at, 0755), at);
        check(mount(hierarchies[i].own, at, NULL, MS_BIND | MS_REC, NULL), at);
        check(mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MOUNT_SAFE, NULL), at);
    }
    check(mount(NULL, "sys/fs/cgroup", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MOUNT_SAFE, NULL), "cgroup");
}

static void mount_all(const char *rootfs) {
    check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
    check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
    check(chdir(rootfs), rootfs);
    make("proc", "proc", 0, NULL);
    make("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    check(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755), "dev");
    make("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    make("tmpfs", "dev/shm", MOUNT_SAFE, "mode=1777,size=65536k");
    make("mqueue", "dev/mqueue", MOUNT_SAFE, NULL);
    make("sysfs", "sys", MOUNT_SAFE | MS_RDONLY, NULL);
    mount_cgroups();
}

static void make_devices(void) {
    static const struct {
        const char *path;
        int major, minor;
    } nodes[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8},
                 {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    for (size_t i = 0; i < COUNT(nodes); i++) {
        check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
        check(chmod(nodes[i].path, 0666), nodes[i].path);
    }
    static const char *links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"},
                                     {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                                     {"pts/ptmx", "dev/ptmx"}};
    for (size_t i = 0; i < COUNT(links); i++) check(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void hide(void) {
    static const char *masked[] = {"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats",
                                   "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "sys/firmware",
                                   "proc/scsi"};
    for (size_t i = 0; i < COUNT(masked); i++) {
        if (mount("dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT) continue;
        make("tmpfs", masked[i], MS_RDONLY, NULL);
    }
    static const char *read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    for (size_t i = 0; i < COUNT(read_only); i++) {
        long result = mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL);
        if (result < 0 && errno == ENOENT) continue;
        check(result, read_only[i]);
        check(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MOUNT_SAFE, NULL), read_only[i]);
    }
}

static void drop_privileges(void) {
    static const unsigned kept = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
    struct rlimit files = {1024, 1024};
    check(setrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (capability < 32 && kept & 1u << capability) continue;
        check(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "PR_CAPBSET_DROP");
    }
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2] = {{kept, kept, kept}};
    check(syscall(SYS_capset, &header, sets), "capset");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
}

static void contain(const char *rootfs, int ready) {
    char byte;
    check(read(ready, &byte, 1), "pipe");
    check(sethostname("floor", 5), "sethostname");
    mount_all(rootfs);
    make_devices();
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount");
    check(chdir("/"), "/");
    hide();
    check(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "read-only /");
    drop_privileges();
    execl("/bin/true", "true", NULL);
    check(-1, "/bin/true");
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    find_hierarchies();
    make_cgroups();
    int ready[2];
    check(pipe2(ready, O_CLOEXEC), "pipe");
    struct clone_args arguments = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) contain(argv[1], ready[0]);
    check(pid, "clone3");
    enter_cgroups(pid);
    check(write(ready[1], "", 1), "pipe");
    int status = 0;
    waitpid(pid, &status, 0);
    remove_cgroups();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
