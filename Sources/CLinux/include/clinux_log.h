#ifndef CLINUX_LOG_H
#define CLINUX_LOG_H

#include <stddef.h>
#include <stdint.h>

/// What stat(2) tells that a log's writer and its readers need.
struct clinux_file_facts {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    uint64_t links; /* 0: removed */
    uint32_t mode;
};

/// Of an open file.
int clinux_file_facts(int fd, struct clinux_file_facts *_Nonnull facts);
/// Of what is at `path`; a symlink is not followed.
int clinux_file_facts_at(const char *_Nonnull path, struct clinux_file_facts *_Nonnull facts);

/// Appends `length` bytes to a file that is open with O_APPEND and is `size` bytes long: all of them, or none. What a
/// failed write left is cut off again. `sync`: fdatasync(2) as well. Returns 0 or the -errno of what failed;
/// `*is_torn` becomes 1 when what was left could not be cut off.
///
/// In C since a thread without Swift runs it, too.
int clinux_append(int fd, const void *_Nonnull bytes, size_t length, int64_t size, int sync, int *_Nonnull is_torn);

/// A note is so many words.
#define CLINUX_NOTE_WORDS 15
/// Bytes that the place of a note takes; aligned to 8, at first zeros.
#define CLINUX_NOTE_SIZE 256u

/// Replaces the note at `at`: whoever reads it finds the one before or this one as a whole, even when the writer is
/// killed in between. `version` is that of the words' meaning, 1 to 255.
void clinux_note_write(void *_Nonnull at, uint8_t version, const uint64_t *_Nonnull words);
/// Reads the newest note: its version, 0 when there is none.
int clinux_note_read(const void *_Nonnull at, uint64_t *_Nonnull words);

/// `length` bytes of private memory, zeros until they are written. Null when there is none.
void *_Nullable clinux_map_private(size_t length);
/// Gives the memory back to the kernel; it reads as zeros again.
void clinux_discard(void *_Nonnull at, size_t length);

/// An inotify instance, non-blocking, close-on-exec.
int clinux_inotify(void);
/// Watches `path` itself, not what a symlink leads to (IN_DONT_FOLLOW). Returns the watch's number.
int clinux_inotify_add(int fd, const char *_Nonnull path, uint32_t events);
int clinux_inotify_remove(int fd, int watch);
/// Throws away what has been told. Returns the events as a mask, 0 for none.
int64_t clinux_inotify_drain(int fd);

/// Throws away what has been told of directories, but counts: in `counts[0]` how often something was moved to the name
/// `log`, in `counts[1]` how often something happened to the name `status`. Returns all events as a mask.
int64_t clinux_inotify_count(int fd, const char *_Nonnull log, const char *_Nonnull status, int *_Nonnull counts);

/// A descriptor that is readable while one of the two is (an epoll instance). `second` may be -1.
int clinux_either(int first, int second);

/// Copies bytes from `start` to `end` of a file to the end of another one. 0 or -errno.
int clinux_copy_range(int from, int64_t start, int64_t end, int to);

/// Where the last `byte` is, or -1 (memrchr(3)).
long clinux_find_last_byte(const void *_Nonnull bytes, size_t length, uint8_t byte);

/// Sends one datagram without waiting. One that is too long for a datagram goes as a sealed memfd, as journald takes it
/// (systemd's native journal protocol). -EAGAIN when the receiver's queue is full.
int clinux_journal_send(int fd, const void *_Nonnull bytes, size_t length);

/// A thread that appends to files for somebody who must not wait for the disk.
struct clinux_appender;

/// Starts it, with all signals blocked. Null when that fails, with -errno in `*error`.
struct clinux_appender *_Nullable clinux_appender_start(int *_Nonnull error);
/// Readable when the job is done.
int clinux_appender_event(const struct clinux_appender *_Nonnull appender);
/// Has it do clinux_append. One job at a time; the bytes stay where they are until it is done.
void clinux_appender_submit(struct clinux_appender *_Nonnull appender, int fd, const void *_Nonnull bytes,
                            size_t length, int64_t size, int sync);
/// 1 when the job is done, with what clinux_append said; 0 while it is not.
int clinux_appender_result(struct clinux_appender *_Nonnull appender, int *_Nonnull result, int *_Nonnull is_torn);
/// Ends it. Of one whose job is not done only the thread's memory is kept; its job may still be done. Returns 1 when it
/// has ended, 0 when it still uses the job's bytes.
int clinux_appender_stop(struct clinux_appender *_Nonnull appender);

#endif
