#ifndef CLINUX_PROGRAM_H
#define CLINUX_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/// A program of the host's that is to be run.
struct clinux_program {
    /// What execve(2) gets as it is: no search in PATH.
    const char *_Nonnull path;
    /// `argument_count` words, each ended by NUL, one after the other.
    const char *_Nonnull arguments;
    /// `variable_count` entries in the same form: all of its environment.
    const char *_Nonnull variables;
    size_t argument_count;
    size_t variable_count;
    /// Working directory; "/" when it cannot be entered.
    const char *_Nonnull directory;
    /// What become its descriptors 0, 1 and 2. It inherits no others.
    int streams[3];
};

/// Starts a program in a process group of its own, with default signal actions, an empty signal mask, and a SIGKILL
/// when the caller's thread ends. The caller's SIGCHLD gets its default action.
///
/// In C since a vforked child may not run Swift: it shares the parent's memory until it execs.
/// Returns the child's pid, or -errno (also the one of a failed execve).
int clinux_run_program(const struct clinux_program *_Nonnull program);

/// A pipe, both ends close-on-exec. Reading from it does not wait; writing to it does.
int clinux_capture_pipe(int fds[_Nonnull 2]);

/// Goes back to a file's first byte.
int clinux_rewind(int fd);

/// Signals a whole process group.
int clinux_kill_group(int group, int signo);

#endif
