#include "clinux_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clinux_write_file(const char *path, const void *bytes, size_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t count;
    do
        count = write(fd, bytes, length);
    while (count < 0 && errno == EINTR);
    int result = count < 0 ? -errno : (size_t)count == length ? 0 : -EIO;
    close(fd);
    return result;
}

long clinux_read_file(const char *path, void *bytes, size_t length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t count;
    do
        count = read(fd, bytes, length);
    while (count < 0 && errno == EINTR);
    long result = count < 0 ? -errno : count;
    close(fd);
    return result;
}

static int bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

int clinux_bpf_load_device(const uint64_t *instructions, size_t count, char *log, size_t log_length) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.expected_attach_type = BPF_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = (uint32_t)count;
    attributes.license = (uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, "gantry_devices", sizeof "gantry_devices");
    log[0] = 0;
    int result = bpf(BPF_PROG_LOAD, &attributes);
    if (result >= 0 || result == -EPERM)
        return result;
    // Once more with the verifier's log, which costs time.
    attributes.log_level = 1;
    attributes.log_buf = (uintptr_t)log;
    attributes.log_size = (uint32_t)log_length;
    return bpf(BPF_PROG_LOAD, &attributes);
}

int clinux_bpf_attach_device(int program, int cgroup) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    return bpf(BPF_PROG_ATTACH, &attributes);
}

int clinux_wait_changed(int fd, int milliseconds) {
    struct pollfd set = {.fd = fd, .events = POLLPRI};
    int count = poll(&set, 1, milliseconds);
    return count < 0 ? -errno : count > 0;
}

long clinux_pread(int fd, void *bytes, size_t length, int64_t offset) {
    ssize_t count = pread(fd, bytes, length, offset);
    return count < 0 ? -errno : count;
}

void clinux_sleep(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}
