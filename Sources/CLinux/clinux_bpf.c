#include "clinux_bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char program_name[BPF_OBJ_NAME_LEN] = "gantry_devices";

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
    memcpy(attributes.prog_name, program_name, sizeof program_name);
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

int clinux_bpf_attach_device(int program, int cgroup, int replaced) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)replaced;
    }
    return bpf(BPF_PROG_ATTACH, &attributes);
}

int clinux_bpf_detach_device(int program, int cgroup) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    return bpf(BPF_PROG_DETACH, &attributes);
}

int clinux_bpf_query_devices(int cgroup, uint32_t *identifiers, size_t capacity) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)identifiers;
    attributes.query.prog_cnt = (uint32_t)capacity;
    int result = bpf(BPF_PROG_QUERY, &attributes);
    return result < 0 ? result : (int)attributes.query.prog_cnt;
}

int clinux_bpf_open_program(uint32_t identifier) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = identifier;
    return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

int clinux_bpf_is_own(int program) {
    struct bpf_prog_info information;
    memset(&information, 0, sizeof information);
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)program;
    attributes.info.info_len = sizeof information;
    attributes.info.info = (uintptr_t)&information;
    int result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
    return result < 0 ? result : memcmp(information.name, program_name, sizeof program_name) == 0;
}
