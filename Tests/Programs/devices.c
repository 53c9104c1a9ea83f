// What devices may be used.
//   devices try ACCESS:PATH...            opens each (r, w, rw), or makes it (m:c:MAJOR:MINOR), once, and tells how it went
//   devices hammer STOP ACCESS:PATH...    does so until the file STOP is there, and tells what was refused how often
//   devices programs DIRECTORY            the eBPF programs of a cgroup v2 directory: a line "ID NAME" each
//   devices alive ID...                   those of these programs that the kernel still has
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

// 0, or errno. EPERM is the cgroup's answer; a device that is not there is another one.
static int use(const char *what) {
    if (what[0] == 'm') {
        unsigned major, minor;
        char type;
        if (sscanf(what, "m:%c:%u:%u", &type, &major, &minor) != 3)
            exit(99);
        int made = mknod("/tmp/devices-node", (type == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(major, minor));
        int error = made < 0 ? errno : 0;
        unlink("/tmp/devices-node");
        return error;
    }
    const char *path = strchr(what, ':');
    if (!path)
        exit(99);
    int flags = what[0] == 'w' ? O_WRONLY : what[1] == 'w' ? O_RDWR : O_RDONLY;
    int fd = open(path + 1, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int try(char **what) {
    for (; *what; what++)
        printf("%s %s\n", *what, use(*what) == EPERM ? "refused" : "allowed");
    return 0;
}

static int hammer(const char *stop, char **what) {
    unsigned refused[16] = {0}, rounds = 0;
    for (; access(stop, F_OK) != 0; rounds++)
        for (int index = 0; what[index] && index < 16; index++)
            refused[index] += use(what[index]) == EPERM;
    for (int index = 0; what[index] && index < 16; index++)
        printf("%s %u\n", what[index], refused[index]);
    return rounds == 0;
}

static int describe(uint32_t identifier) {
    union bpf_attr attributes = {.prog_id = identifier};
    int program = bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
    if (program < 0)
        return 0;
    struct bpf_prog_info information;
    memset(&information, 0, sizeof information);
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)program;
    attributes.info.info_len = sizeof information;
    attributes.info.info = (uintptr_t)&information;
    if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0)
        return 1;
    printf("%u %s\n", identifier, information.name);
    close(program);
    return 0;
}

static int programs(const char *path) {
    uint32_t identifiers[64];
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    attributes.query.target_fd = (uint32_t)directory;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)identifiers;
    attributes.query.prog_cnt = 64;
    if (directory < 0 || bpf(BPF_PROG_QUERY, &attributes) < 0) {
        perror(path);
        return 1;
    }
    for (uint32_t index = 0; index < attributes.query.prog_cnt; index++)
        if (describe(identifiers[index]))
            return 1;
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 3 && !strcmp(argv[1], "try"))
        return try(argv + 2);
    if (argc >= 4 && !strcmp(argv[1], "hammer"))
        return hammer(argv[2], argv + 3);
    if (argc == 3 && !strcmp(argv[1], "programs"))
        return programs(argv[2]);
    if (argc >= 2 && !strcmp(argv[1], "alive")) {
        for (int index = 2; index < argc; index++)
            if (describe((uint32_t)strtoul(argv[index], NULL, 10)))
                return 1;
        return 0;
    }
    fputs("usage: see devices.c\n", stderr);
    return 99;
}
