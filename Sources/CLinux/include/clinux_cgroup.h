#ifndef CLINUX_CGROUP_H
#define CLINUX_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/// Writes a small file that is there: open, one write, close. In C since it is the whole of a start's work on
/// cgroups. Returns 0; -errno of the first call that failed; -EIO when the kernel took only a part.
int clinux_write_file(const char *_Nonnull path, const void *_Nonnull bytes, size_t length);

/// Reads a small file: open, one read, close. Returns how many bytes there were, at most `length`.
long clinux_read_file(const char *_Nonnull path, void *_Nonnull bytes, size_t length);

/// Waits until an attribute of a kernel file changed (POLLPRI), or the time is over. Returns 1 or 0.
int clinux_wait_changed(int fd, int milliseconds);

/// pread(2).
long clinux_pread(int fd, void *_Nonnull bytes, size_t length, int64_t offset);

/// Sleeps.
void clinux_sleep(int milliseconds);

#endif
