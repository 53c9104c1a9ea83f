#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/// Most descriptors that clinux_spawn hands over.
#define CLINUX_SPAWN_MAX 8

/// Starts the program in the memfd `exe` by vfork + execveat, with no environment, an empty signal mask and the
/// `count` descriptors of `fds` made inheritable in the child only; an entry may be -1. argv is the program's name,
/// the descriptors' numbers as one comma-separated word, and `mark`, by which others know the process. Descriptors must
/// be close-on-exec in the caller. The caller's SIGCHLD gets its default action. `streams`, if
/// given, become its descriptors 0, 1 and 2.
///
/// In C since a vforked child may not run Swift: it shares the parent's memory until it execs.
/// Returns the child's pid, or -errno (also the one of a failed execveat).
int clinux_spawn(int exe, const char *_Nonnull name, const int *_Nonnull fds, int count,
                 const char *_Nullable mark, const int *_Nullable streams);

/// Starts a program of the host that is looked for in PATH, with the caller's environment, default signals, stdin
/// from /dev/null and both output streams to `output`. `words` are its arguments, the program's name first, each
/// ended by NUL, in all `length` bytes. Returns its pid, or -errno (also the one of a failed exec).
int clinux_spawn_found(const char *_Nonnull words, size_t length, int output);

/// A pipe, close-on-exec: the end to read from first.
int clinux_pipe(int fds[_Nonnull 2]);
/// Lets a pipe hold more (F_SETPIPE_SZ), if the kernel allows it.
void clinux_grow_pipe(int fd, int bytes);
/// Lets this process have as many open files as its hard limit allows. 0 or -errno.
int clinux_raise_open_files(void);
/// The caller's hard limit on processes of a user (RLIMIT_NPROC); UINT64_MAX for none.
uint64_t clinux_hard_limit_processes(void);

int clinux_pidfd_open(int pid);
int clinux_pidfd_signal(int pidfd, int signo);
int clinux_kill(int pid, int signo);

/// struct pollfd, and its events.
struct clinux_pollfd {
    int fd;
    short events;
    short revents;
};

#define CLINUX_POLLIN 0x001
#define CLINUX_POLLPRI 0x002
#define CLINUX_POLLOUT 0x004

/// poll(2), restarted after signals. Entries with a negative descriptor are skipped. Returns how many are ready; 0
/// when `milliseconds` are over (-1: no limit).
int clinux_poll(struct clinux_pollfd *_Nonnull set, int count, int milliseconds);

/// Waits until one of two descriptors is readable or hung up, or the time is over. `second` may be -1. Returns a
/// bit mask: 1 for the first, 2 for the second, 0 when `milliseconds` are over (-1: no limit).
int clinux_wait_readable(int first, int second, int milliseconds);

/// fork(2). gantry has no threads; the child goes on in Swift and ends by clinux_exit.
int clinux_fork(void);
/// waitpid(2), restarted after signals. Stores the wait status. `options` as WNOHANG.
int clinux_waitpid(int pid, int *_Nonnull status, int options);

/// Blocks every signal that may be blocked and returns a signalfd for them (non-blocking, close-on-exec).
int clinux_signalfd_all(void);

/// A blocked signal that waits and asks to end: SIGTERM, SIGINT, SIGHUP or SIGQUIT. It stays pending. 0 when there is
/// none.
int clinux_pending_end(void);

/// Next pending signal of a signalfd: its number, or -EAGAIN.
int clinux_signalfd_read(int fd);

/// The text of an errno, untranslated; null for an unknown one (strerrordesc_np(3), a GNU extension).
const char *_Nullable clinux_errno_text(int error);

/// getpid(2).
int clinux_pid(void);

/// geteuid(2), getegid(2).
unsigned clinux_effective_uid(void);
unsigned clinux_effective_gid(void);

/// CLOCK_REALTIME in nanoseconds since the epoch.
int64_t clinux_realtime(void);

/// Seconds since the epoch of a time in the caller's time zone (mktime(3)), which is told as if it were UTC.
int64_t clinux_from_local_time(int64_t seconds);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t clinux_monotonic(void);

/// getenv(3).
const char *_Nullable clinux_getenv(const char *_Nonnull name);

/// Opens /dev/null in place of those of descriptors 0 to 2 that are closed.
void clinux_open_missing_stdio(void);

/// exit_group(2): nothing is buffered, nobody waits to be called at the end.
_Noreturn void clinux_exit(int code);

/// log2(3) and pow(3).
double clinux_log2(double value);

/// strtod(3) for all of the text, whatever the locale: 0, or -EINVAL.
int clinux_parse_double(const char *_Nonnull text, double *_Nonnull value);
double clinux_pow(double base, double exponent);

/// The command line, as C's main gets it. Embedded Swift has no CommandLine.
int clinux_argument_count(void);
char *_Nullable const *_Nonnull clinux_arguments(void);

/// The permitted capabilities of this process, number n in bit n (capget(2)). 0 or -errno.
int clinux_permitted_capabilities(uint64_t *_Nonnull mask);

/// Whether seccomp(2) takes a filter with these SECCOMP_FILTER_FLAG_*: 1 or 0. Loads none.
int clinux_knows_seccomp_flags(unsigned flags);

#endif
