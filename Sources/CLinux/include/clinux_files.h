#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <stdint.h>
#include <sys/types.h>

/// openat(2). Variadic in C.
int clinux_openat(int dirfd, const char *_Nonnull path, int flags, unsigned mode);

int clinux_close(int fd);
/// dup(2), close-on-exec.
int clinux_duplicate(int fd);
long clinux_read(int fd, void *_Nonnull buffer, size_t length);

/// Writes all of `length` bytes; -errno when a write fails. Returns 0.
int clinux_write_all(int fd, const void *_Nonnull buffer, size_t length);

int clinux_mkdirat(int dirfd, const char *_Nonnull path, unsigned mode);
/// Makes a file, or with an empty name the directory itself, another user's; its group stays, links are not followed.
/// 0 or -errno.
int clinux_chown_at(int dirfd, const char *_Nonnull name, uint32_t uid);
int clinux_unlinkat(int dirfd, const char *_Nonnull path, int flags);
int clinux_renameat(int from, const char *_Nonnull old, int to, const char *_Nonnull fresh);
int clinux_symlink(const char *_Nonnull target, const char *_Nonnull path);
int clinux_chmodat(int dirfd, const char *_Nonnull path, unsigned mode);
int clinux_flock(int fd, int operation);

/// Size in bytes of an open file.
int64_t clinux_file_size(int fd);

/// st_mode of an open file.
int64_t clinux_file_mode(int fd);

/// f_type of the file system at `path` (statfs(2)).
int64_t clinux_fs_type_at(const char *_Nonnull path);

/// memfd_create(2) with MFD_CLOEXEC and MFD_ALLOW_SEALING, executable where `executable` (MFD_EXEC, Linux 6.3;
/// left out on kernels that do not know it).
int clinux_memfd(const char *_Nonnull name, int executable);

/// Adds the seals against writing, growing, shrinking and further sealing.
int clinux_memfd_seal(int fd);

/// Marks every descriptor from `first` on close-on-exec (close_range(2), Linux 5.11).
int clinux_cloexec_from(unsigned first);

/// 0 when the descriptor is open, else -EBADF.
int clinux_fd_exists(int fd);

/// readlink(2) of /proc/self/fd/N: the path of an open file. Returns its length.
long clinux_fd_path(int fd, void *_Nonnull buffer, size_t length);

/// getdents64(2): fills the buffer with struct linux_dirent64 records. 0 at the end.
long clinux_getdents(int fd, void *_Nonnull buffer, size_t length);

/// 0 when `path` exists, else -errno.
int clinux_exists(const char *_Nonnull path);

/// 1 when both paths lead to the same file, 0 when not, -errno when one of them cannot be looked at.
int clinux_is_same_file(const char *_Nonnull first, const char *_Nonnull second);

/// st_nlink of an open file: 0 for a directory that was removed.
int64_t clinux_link_count(int fd);

/// getcwd(2): the length of the working directory's path, without the NUL.
long clinux_getcwd(void *_Nonnull buffer, size_t length);

#endif
