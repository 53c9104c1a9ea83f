#include "clinux_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int tell(const struct stat *status, struct clinux_file_facts *facts) {
    facts->device = status->st_dev;
    facts->inode = status->st_ino;
    facts->size = status->st_size;
    facts->links = status->st_nlink;
    facts->mode = status->st_mode;
    return 0;
}

int clinux_file_facts(int fd, struct clinux_file_facts *facts) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : tell(&status, facts);
}

int clinux_file_facts_at(const char *path, struct clinux_file_facts *facts) {
    struct stat status;
    return lstat(path, &status) < 0 ? -errno : tell(&status, facts);
}

static int write_fully(int fd, const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        ssize_t count = write(fd, next, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        next += count;
        length -= (size_t)count;
    }
    return 0;
}

int clinux_append(int fd, const void *bytes, size_t length, int64_t size, int sync, int *is_torn) {
    *is_torn = 0;
    int result = write_fully(fd, bytes, length);
    if (result == 0 && sync && fdatasync(fd) < 0)
        result = -errno;
    // What did not get to the disk is as good as not written.
    if (result < 0 && ftruncate(fd, size) < 0)
        *is_torn = 1;
    return result;
}

struct slot {
    uint64_t sequence; /* 0: never written */
    uint64_t words[CLINUX_NOTE_WORDS];
};

struct note {
    struct slot slots[2];
};

_Static_assert(sizeof(struct note) == CLINUX_NOTE_SIZE, "the place of a note");

/// Sequence numbers carry the version in their low byte.
static const struct slot *newest(const struct note *note) {
    uint64_t first = __atomic_load_n(&note->slots[0].sequence, __ATOMIC_ACQUIRE);
    uint64_t second = __atomic_load_n(&note->slots[1].sequence, __ATOMIC_ACQUIRE);
    return &note->slots[second > first];
}

void clinux_note_write(void *at, uint8_t version, const uint64_t *words) {
    struct note *note = at;
    const struct slot *last = newest(note);
    // The older one is overwritten. Its number stays the lower one until all of it is there.
    struct slot *slot = &note->slots[last == &note->slots[0]];
    for (int i = 0; i < CLINUX_NOTE_WORDS; i++)
        __atomic_store_n(&slot->words[i], words[i], __ATOMIC_RELAXED);
    uint64_t sequence = ((last->sequence >> 8) + 1) << 8 | version;
    __atomic_store_n(&slot->sequence, sequence, __ATOMIC_SEQ_CST);
}

int clinux_note_read(const void *at, uint64_t *words) {
    const struct slot *slot = newest(at);
    memcpy(words, slot->words, sizeof slot->words);
    return (int)(slot->sequence & 0xff);
}

void *clinux_map_private(size_t length) {
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void clinux_discard(void *at, size_t length) {
    madvise(at, length, MADV_DONTNEED);
}

int clinux_inotify(void) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_inotify_add(int fd, const char *path, uint32_t events) {
    int watch = inotify_add_watch(fd, path, events | IN_DONT_FOLLOW);
    return watch < 0 ? -errno : watch;
}

int clinux_inotify_remove(int fd, int watch) {
    return inotify_rm_watch(fd, watch) < 0 ? -errno : 0;
}

int64_t clinux_inotify_drain(int fd) {
    int counts[2];
    return clinux_inotify_count(fd, "", "", counts);
}

int64_t clinux_inotify_count(int fd, const char *log, const char *status, int *counts) {
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    int64_t mask = 0;
    counts[0] = counts[1] = 0;
    while (1) {
        ssize_t count = read(fd, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return mask;
        for (ssize_t at = 0; at < count;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            mask |= event->mask;
            if (event->len > 0 && event->mask & IN_MOVED_TO && strcmp(event->name, log) == 0)
                counts[0]++;
            if (event->len > 0 && strcmp(event->name, status) == 0)
                counts[1]++;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

int clinux_either(int first, int second) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        int one = i == 0 ? first : second;
        struct epoll_event event = {.events = EPOLLIN};
        if (one >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, one, &event) < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
    }
    return fd;
}

int clinux_copy_range(int from, int64_t start, int64_t end, int to) {
    char buffer[32 << 10];
    while (start < end) {
        size_t wanted = end - start < (int64_t)sizeof buffer ? (size_t)(end - start) : sizeof buffer;
        ssize_t count = pread(from, buffer, wanted, start);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        int result = write_fully(to, buffer, (size_t)count);
        if (result < 0)
            return result;
        start += count;
    }
    return 0;
}

long clinux_find_last_byte(const void *bytes, size_t length, uint8_t byte) {
    const char *at = memrchr(bytes, byte, length);
    return at == NULL ? -1 : at - (const char *)bytes;
}

/// The datagram without content that carries a memfd.
static int send_sealed(int fd, const void *bytes, size_t length) {
    int file = memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return -errno;
    int result = write_fully(file, bytes, length);
    if (result == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        result = -errno;
    if (result == 0) {
        union {
            struct cmsghdr header;
            char space[CMSG_SPACE(sizeof(int))];
        } control;
        memset(&control, 0, sizeof control);
        struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &file, sizeof file);
        if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            result = -errno;
    }
    close(file);
    return result;
}

int clinux_journal_send(int fd, const void *bytes, size_t length) {
    if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    return errno == EMSGSIZE || errno == ENOBUFS ? send_sealed(fd, bytes, length) : -errno;
}
