// What the reaper says, on standard error, when it cannot execute the program. Then it exits as a shell does.

#define CANNOT_EXECUTE 126
#define NOT_FOUND 127

/// One line, which is written with one call: a path and the path of its interpreter fit in twice.
struct line {
    char text[16384];
    size_t length;
};

static void append_byte(struct line *line, char byte) {
    if (line->length < sizeof line->text - 1)
        line->text[line->length++] = byte;
}

/// Control characters, and what is beyond ASCII, may be commands to a reader's terminal.
static void append(struct line *line, const char *text, size_t length) {
    const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (byte >= 0x20 && byte < 0x7f) {
            append_byte(line, text[i]);
            continue;
        }
        append_byte(line, '\\');
        append_byte(line, 'x');
        append_byte(line, digits[byte >> 4]);
        append_byte(line, digits[byte & 15]);
    }
}

static void append_text(struct line *line, const char *text) {
    append(line, text, text_length(text));
}

/// Writes the digits of a number at `*at` and moves it behind them.
static void append_number(char *to, size_t *at, unsigned number) {
    if (number >= 10)
        append_number(to, at, number / 10);
    to[(*at)++] = (char)('0' + number % 10);
}

/// What an execve(2) or clone(2) says. No pointers: they would have to be relocated.
static const struct {
    int number;
    char text[44];
} reasons[] = {
    {EPERM, "operation not permitted"},
    {ENOENT, "no such file or directory"},
    {EIO, "input/output error"},
    {E2BIG, "argument list too long"},
    {ENOEXEC, "exec format error"},
    {EAGAIN, "resource temporarily unavailable"},
    {ENOMEM, "cannot allocate memory"},
    {EACCES, "permission denied"},
    {ENOTDIR, "not a directory"},
    {EINVAL, "invalid argument"},
    {ENFILE, "too many open files in system"},
    {EMFILE, "too many open files"},
    {ETXTBSY, "text file busy"},
    {ENOSYS, "function not implemented"},
    {ELOOP, "too many levels of symbolic links"},
    {ELIBBAD, "accessing a corrupted shared library"},
};

/// Ends the line with the call and the errno, writes it, and exits.
_Noreturn static void end_with(struct line *line, const char *call, const char *path, long result) {
    append_text(line, ": ");
    append_text(line, call);
    if (path != 0) {
        append_text(line, " ");
        append_text(line, path);
    }
    append_text(line, ": ");
    size_t known = 0;
    while (known < sizeof reasons / sizeof reasons[0] && reasons[known].number != -result)
        known++;
    if (known < sizeof reasons / sizeof reasons[0]) {
        append_text(line, reasons[known].text);
    } else {
        char number[12];
        size_t length = 0;
        append_number(number, &length, (unsigned)-result);
        append_text(line, "errno ");
        append(line, number, length);
    }
    line->text[line->length++] = '\n';
    sys_write(2, line->text, line->length);
    sys_exit(result == -ENOENT ? NOT_FOUND : CANNOT_EXECUTE);
}

/// A system call without which there is no reaper.
_Noreturn static void refuse(const char *call, long result) {
    struct line line = {.length = 0};
    append_text(&line, "gantry: --init cannot start the program: ");
    append_text(&line, result == -EAGAIN   ? "a limit on processes is reached, RLIMIT_NPROC or pids.max"
                       : result == -ENOMEM ? "there is no memory left"
                                           : "the system-call filter may forbid a call that it needs");
    end_with(&line, call, 0, result);
}

/// What stands behind `#!` in a script's first bytes; its length, 0 when it is no script.
static size_t interpreter(const char *head, size_t length, size_t *start) {
    size_t at = 2;
    if (length < 2 || head[0] != '#' || head[1] != '!')
        return 0;
    while (at < length && (head[at] == ' ' || head[at] == '\t'))
        at++;
    *start = at;
    while (at < length && head[at] != ' ' && head[at] != '\t' && head[at] != '\n')
        at++;
    return at - *start;
}

/// execve(2) names the file when it means another one: what is missing is the interpreter or the loader.
_Noreturn static void refuse_program(const char *path, long result) {
    char head[256];
    struct line line = {.length = 0};
    size_t start = 0, length;
    long fd = SYS4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    long count = fd < 0 ? 0 : sys_read((int)fd, head, sizeof head);
    append_text(&line, "gantry: ");
    if (result == -ENOENT && (length = interpreter(head, count > 0 ? (size_t)count : 0, &start)) > 0) {
        append_text(&line, "the interpreter ");
        append(&line, head + start, length);
        append_text(&line, " of ");
        append_text(&line, path);
        append_text(&line, " is missing in the container");
    } else if (result == -ENOENT && count > 0) {
        append_text(&line, "the loader of ");
        append_text(&line, path);
        append_text(&line, " is missing in the container");
    } else if (result == -ENOEXEC) {
        append_text(&line, path);
        append_text(&line, count > 0 && head[0] == 0x7f ? " is built for another machine"
                           : count > 0                  ? " is no program and has no #! line"
                                                        : " is empty");
    } else if (result == -EACCES) {
        append_text(&line, path);
        append_text(&line, ", or its interpreter, may not be executed: its mode, or a mount with noexec");
    } else {
        append_text(&line, "the program cannot be started");
    }
    end_with(&line, "exec", path, result);
}
