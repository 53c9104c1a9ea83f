#include "CBuildInfo.h"

#ifndef GANTRY_COMMIT
#define GANTRY_COMMIT "unknown"
#endif

#ifndef GANTRY_COMMIT_TIME
#define GANTRY_COMMIT_TIME 0
#endif

// An ELF note (elf(5)): whoever has only the file finds it there, and a test can make a file of another time of it.
struct note {
    uint32_t name_size, size, type;
    char name[8];
    uint64_t time;
} __attribute__((packed, aligned(4)));

__attribute__((section(".note.gantry.build"), used)) static const volatile struct note note = {
    .name_size = sizeof "gantry", .size = sizeof(uint64_t), .type = 1, .name = "gantry", .time = GANTRY_COMMIT_TIME,
};

uint64_t cbuildinfo_time(void) {
    return note.time;
}

const char *cbuildinfo_commit(void) {
    return GANTRY_COMMIT;
}
