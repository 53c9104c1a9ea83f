#include "clinux_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(struct clinux_terminal_mode), "a mode holds a termios");

static int result(long value) {
    return value < 0 ? -errno : (int)value;
}

int clinux_is_terminal(int fd) {
    return isatty(fd);
}

static struct termios load(const struct clinux_terminal_mode *mode) {
    struct termios state;
    memcpy(&state, mode, sizeof state);
    return state;
}

int clinux_terminal_mode(int fd, struct clinux_terminal_mode *mode) {
    struct termios state;
    if (tcgetattr(fd, &state) < 0)
        return -errno;
    memcpy(mode, &state, sizeof state);
    return 0;
}

int clinux_terminal_set_mode(int fd, const struct clinux_terminal_mode *mode) {
    struct termios state = load(mode);
    return result(tcsetattr(fd, TCSANOW, &state));
}

void clinux_terminal_make_raw(struct clinux_terminal_mode *mode) {
    struct termios state = load(mode);
    cfmakeraw(&state);
    memcpy(mode, &state, sizeof state);
}

int clinux_terminal_end_of_input(const struct clinux_terminal_mode *mode) {
    struct termios state = load(mode);
    return state.c_cc[VEOF];
}

int64_t clinux_terminal_size(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return -errno;
    return size.ws_row | (int64_t)size.ws_col << 16;
}

int clinux_terminal_set_size(int fd, uint32_t size) {
    struct winsize wanted = {.ws_row = (unsigned short)size, .ws_col = (unsigned short)(size >> 16)};
    return result(ioctl(fd, TIOCSWINSZ, &wanted));
}

int clinux_terminal_is_ours(int fd) {
    pid_t group = tcgetpgrp(fd);
    if (group < 0)
        return errno == ENOTTY ? 1 : -errno;
    return group == getpgrp();
}

int clinux_terminal_peer(int master) {
    return result(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
}

int clinux_suspend(void) {
    sigset_t stop, before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    if (kill(getpid(), SIGTSTP) < 0)
        return -errno;
    // Pending until here. An orphaned process group is not stopped: nobody would continue it.
    int stopped = result(sigprocmask(SIG_UNBLOCK, &stop, &before));
    sigprocmask(SIG_SETMASK, &before, NULL);
    return stopped;
}

int clinux_reopen_nonblocking(int fd, int for_writing) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISFIFO(status.st_mode) && !isatty(fd))
        return -ESPIPE;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return result(open(path, (for_writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return result(flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

long clinux_write(int fd, const void *buffer, size_t length) {
    ssize_t count;
    do
        count = write(fd, buffer, length);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}
