#ifndef CLINUX_RING_H
#define CLINUX_RING_H

#include <stddef.h>
#include <stdint.h>

/// Memory that is shared with another process, to which loads and stores must be atomic and ordered: what Swift cannot
/// say without a library.

/// A load that sees all that was stored before the matching store (acquire).
uint64_t clinux_load64(const uint64_t *_Nonnull at);
uint32_t clinux_load32(const uint32_t *_Nonnull at);

/// A store behind all that was stored before it (release).
void clinux_store64(uint64_t *_Nonnull at, uint64_t value);
void clinux_store32(uint32_t *_Nonnull at, uint32_t value);

/// Neither loads nor stores pass it: between saying "I sleep" and looking whether there is reason not to.
void clinux_fence(void);

/// eventfd(2), non-blocking, close-on-exec.
int clinux_eventfd(void);

/// Makes an eventfd readable.
int clinux_eventfd_signal(int fd);

/// How often it was signalled since it was read last, which makes it unreadable again; -EAGAIN for never.
int64_t clinux_eventfd_read(int fd);

/// Maps `length` bytes of a file, shared, readable and writable. Null when that fails, with -errno in `*error`.
void *_Nullable clinux_map_shared(int fd, size_t length, int *_Nonnull error);
void clinux_unmap(void *_Nonnull at, size_t length);

/// ftruncate(2).
int clinux_set_file_size(int fd, int64_t size);

/// memchr(3): where `byte` is, or -1.
long clinux_find_byte(const void *_Nonnull bytes, size_t length, uint8_t byte);

#endif
