#include "clinux_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t clinux_load64(const uint64_t *at) {
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

uint32_t clinux_load32(const uint32_t *at) {
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

void clinux_store64(uint64_t *at, uint64_t value) {
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

void clinux_store32(uint32_t *at, uint32_t value) {
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

void clinux_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

int clinux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_eventfd_signal(int fd) {
    return eventfd_write(fd, 1) < 0 ? -errno : 0;
}

int64_t clinux_eventfd_read(int fd) {
    eventfd_t count;
    return eventfd_read(fd, &count) < 0 ? -errno : (int64_t)count;
}

void *clinux_map_shared(int fd, size_t length, int *error) {
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *error = at == MAP_FAILED ? -errno : 0;
    return at == MAP_FAILED ? NULL : at;
}

void clinux_unmap(void *at, size_t length) {
    munmap(at, length);
}

int clinux_set_file_size(int fd, int64_t size) {
    return ftruncate(fd, size) < 0 ? -errno : 0;
}

long clinux_find_byte(const void *bytes, size_t length, uint8_t byte) {
    const char *at = memchr(bytes, byte, length);
    return at == NULL ? -1 : at - (const char *)bytes;
}
