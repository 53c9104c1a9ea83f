#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H

#include <stddef.h>
#include <stdint.h>

// eBPF programs of type CGROUP_DEVICE (Linux 4.15). In C since bpf(2) has no wrapper and its argument is a union.

/// Loads a program of `count` instructions of 8 bytes, under a name that clinux_bpf_is_own knows again. Returns its
/// descriptor, close-on-exec. What the verifier says goes to `log`, NUL-terminated.
int clinux_bpf_load_device(const uint64_t *_Nonnull instructions, size_t count, char *_Nonnull log,
                           size_t log_length);

/// Attaches a program to a cgroup v2 directory, beside those that are there (BPF_F_ALLOW_MULTI).
///
/// `replaced` is the descriptor of one of those, whose place it takes at once (BPF_F_REPLACE, Linux 5.6), or -1.
int clinux_bpf_attach_device(int program, int cgroup, int replaced);

/// Takes a program away from a cgroup v2 directory.
int clinux_bpf_detach_device(int program, int cgroup);

/// Identifiers of the programs that are attached to a cgroup v2 directory itself. Returns how many there are; -ENOSPC
/// when there are more than `capacity`.
int clinux_bpf_query_devices(int cgroup, uint32_t *_Nonnull identifiers, size_t capacity);

/// A descriptor of the program, close-on-exec. -ENOENT when it is gone.
int clinux_bpf_open_program(uint32_t identifier);

/// Whether a program was loaded by clinux_bpf_load_device: 1 or 0.
int clinux_bpf_is_own(int program);

#endif
