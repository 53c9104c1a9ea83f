#ifndef CLINUX_TERMINAL_H
#define CLINUX_TERMINAL_H

#include <stdint.h>
#include <sys/types.h>

/// A terminal's mode, as it was: a struct termios, which Swift need not see.
struct clinux_terminal_mode {
    uint64_t words[8];
};

/// 1 when the descriptor is a terminal, else 0.
int clinux_is_terminal(int fd);

/// Stores the terminal's mode.
int clinux_terminal_mode(int fd, struct clinux_terminal_mode *_Nonnull mode);

/// Gives the terminal a mode. The caller has SIGTTOU blocked: otherwise it would be stopped in the background.
int clinux_terminal_set_mode(int fd, const struct clinux_terminal_mode *_Nonnull mode);

/// The mode in which every byte goes through as it is (cfmakeraw(3)).
void clinux_terminal_make_raw(struct clinux_terminal_mode *_Nonnull mode);

/// The character that stands for the end of input (VEOF) in a mode; 0 when there is none.
int clinux_terminal_end_of_input(const struct clinux_terminal_mode *_Nonnull mode);

/// Rows | columns << 16 of the terminal; 0 when nobody has set them.
int64_t clinux_terminal_size(int fd);

/// Sets the size and tells the foreground process group when it is another one.
int clinux_terminal_set_size(int fd, uint32_t size);

/// 1 when the caller may read from the terminal: it is in the terminal's foreground process group, or the terminal is
/// not that of its session and job control does not concern it. 0 in the background; -EIO when the terminal is gone.
int clinux_terminal_is_ours(int fd);

/// The other end of a pseudo terminal, by its master alone (TIOCGPTPEER, Linux 4.13); not blocking, close-on-exec.
int clinux_terminal_peer(int master);

/// Stops the calling process as the terminal's suspend key would, until somebody continues it. All signals are
/// blocked before and after.
int clinux_suspend(void);

/// The open file behind a descriptor once more, with a file status of its own: O_NONBLOCK then does not reach those
/// who share the descriptor. Only for what has no offset: -ESPIPE unless it is a terminal or a pipe.
int clinux_reopen_nonblocking(int fd, int for_writing);

/// Sets O_NONBLOCK.
int clinux_set_nonblocking(int fd);

/// write(2), restarted after signals: how much was taken.
long clinux_write(int fd, const void *_Nonnull buffer, size_t length);

#endif
