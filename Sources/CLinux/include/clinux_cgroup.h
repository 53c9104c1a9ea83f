#ifndef CLINUX_CGROUP_H
#define CLINUX_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/// Writes a small file that is there: open, one write, close. In C since it is the whole of a start's work on
/// cgroups. Returns 0; -errno of the first call that failed; -EIO when the kernel took only a part.
int clinux_write_file(const char *_Nonnull path, const void *_Nonnull bytes, size_t length);

/// Reads a small file: open, one read, close. Returns how many bytes there were, at most `length`.
long clinux_read_file(const char *_Nonnull path, void *_Nonnull bytes, size_t length);

/// Loads an eBPF program of type CGROUP_DEVICE (Linux 4.15) of `count` instructions of 8 bytes. Returns its
/// descriptor, close-on-exec. What the verifier says goes to `log`, NUL-terminated. In C since bpf(2) has no
/// wrapper and its argument is a union.
int clinux_bpf_load_device(const uint64_t *_Nonnull instructions, size_t count, char *_Nonnull log,
                           size_t log_length);

/// Attaches such a program to a cgroup v2 directory, beside those that are there (BPF_F_ALLOW_MULTI).
int clinux_bpf_attach_device(int program, int cgroup);

/// Waits until an attribute of a kernel file changed (POLLPRI), or the time is over. Returns 1 or 0.
int clinux_wait_changed(int fd, int milliseconds);

/// pread(2).
long clinux_pread(int fd, void *_Nonnull bytes, size_t length, int64_t offset);

/// Sleeps.
void clinux_sleep(int milliseconds);

#endif
