// Prints lines of every kind to both output streams, and the same bytes to two files, so that what became of them can
// be compared.
//
// usage: babble WRITERS BYTES SEED DIRECTORY [raw | PARTS]
//
// WRITERS processes print about BYTES bytes in all; DIRECTORY gets the files 1 and 2. Each line is written with as
// many write(2) as it takes while no other process writes, so that the files have the order in which the pipes got it.
// Neither stream ends with a newline. With `raw` standard output is a terminal, which is told to change nothing, and
// all goes there. With PARTS it prints in so many parts, part N when the file go-N is in DIRECTORY.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { LONGEST = 1 << 20 };

static int turn[2]; // a pipe with one byte in it: whoever has read it may write
static int copies[3];
static uint64_t state;

static uint32_t next(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static void put(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            _exit(3);
        bytes += count;
        length -= (size_t)count;
    }
}

static void say(int fd, const char *bytes, size_t length) {
    char token;
    if (read(turn[0], &token, 1) != 1)
        _exit(4);
    put(fd, bytes, length);
    put(copies[fd], bytes, length);
    put(turn[1], &token, 1);
}

// Mostly short lines; some around the sizes at which pipes, pieces of lines and rings end; few of a megabyte.
static size_t line_length(void) {
    uint32_t kind = next() % 1000;
    if (kind < 50)
        return 0;
    if (kind < 900)
        return next() % 200;
    if (kind < 980)
        return next() % 5000;
    if (kind < 990)
        return 16384 - 2 + next() % 5;
    if (kind < 998)
        return 65536 - 2 + next() % 5 + next() % 2 * 40000;
    return next() % LONGEST;
}

static void babble(unsigned writer, uint64_t bytes, int is_raw) {
    static char line[LONGEST + 64];
    for (uint64_t said = 0; said < bytes;) {
        size_t length = line_length();
        int kind = next() % 4; // text, text, any byte but a newline, invalid UTF-8
        size_t start = length > 60 && kind < 2 ? (size_t)sprintf(line, "%u %llu ", writer, (unsigned long long)said) : 0;
        for (size_t i = start; i < length; i++) {
            unsigned char byte = kind < 2 ? 'a' + next() % 26 : kind == 2 ? next() % 256 : 0x80 + next() % 128;
            line[i] = (char)(byte == '\n' ? 0 : byte);
        }
        line[length] = '\n';
        say(is_raw ? 1 : 1 + next() % 2, line, length + 1);
        said += length + 1;
    }
}

/// Returns the writers' statuses.
static int print_part(int writers, uint64_t bytes, uint64_t seed, int is_raw) {
    for (int writer = 0; writer < writers; writer++)
        if (fork() == 0) {
            state = seed + (unsigned)writer;
            next();
            babble((unsigned)writer, bytes, is_raw);
            _exit(0);
        }
    int failed = 0, status;
    while (wait(&status) > 0)
        failed |= status;
    return failed;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    int writers = atoi(argv[1]), is_raw = argc > 5 && strcmp(argv[5], "raw") == 0;
    int parts = argc > 5 && !is_raw ? atoi(argv[5]) : 0, failed = 0;
    uint64_t bytes = strtoull(argv[2], NULL, 10) / (unsigned)writers / (unsigned)(parts ? parts : 1);
    char path[4096];
    for (int stream = 1; stream <= 2; stream++) {
        snprintf(path, sizeof path, "%s/%d", argv[4], stream);
        if ((copies[stream] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600)) < 0)
            return 2;
    }
    if (is_raw) {
        struct termios mode;
        tcgetattr(1, &mode);
        cfmakeraw(&mode);
        tcsetattr(1, TCSANOW, &mode);
    }
    if (pipe(turn) < 0 || write(turn[1], "", 1) != 1)
        return 2;
    for (int part = 0; part < (parts ? parts : 1); part++) {
        snprintf(path, sizeof path, "%s/go-%d", argv[4], part);
        while (parts && access(path, F_OK) < 0)
            usleep(1000);
        failed |= print_part(writers, bytes, strtoull(argv[3], NULL, 10) * 1000 + (unsigned)part * 10, is_raw);
    }
    say(1, "the end, without a newline", 26);
    if (!is_raw)
        say(2, "\xff\xfe the same here \0", 18);
    return failed ? 1 : 0;
}
