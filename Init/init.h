// What the init knows while it executes a plan. One process, one thread, no heap: all of it is here.
#ifndef INIT_H
#define INIT_H

#include <asm/resource.h>
#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/stat.h>

#include "CPlan.h"
#include "sys.h"

#define PATH_SPACE 4352
/// Descriptors above this number are closed as soon as nobody needs them.
static uint64_t lingering_max = 160;

struct init {
    char *base; /* the plan, mapped privately: relocations stay ours */
    const struct cplan_header *header;
    const struct cplan_op *ops;
    uint32_t index; /* of the op in execution */

    int slots[CPLAN_SLOTS];
    uint8_t made[CPLAN_SLOTS]; /* OPEN_TARGET made what is in the slot */
    int report;                /* socket on which a failure is told */

    int mask_attached;      /* slot MASK is part of the tree */
    int inside;             /* CHDIR succeeded */
    const char *executable; /* what RESOLVE_EXEC chose */

    char value[CPLAN_VALUE_MAX]; /* reply of a SYNC: an environment entry */
    uint32_t value_length;
    char path[PATH_SPACE]; /* scratch for paths that are put together */
    char detail[CPLAN_DETAIL_MAX];
};

static int slot(const struct init *init, int16_t number) {
    return number < 0 ? -EBADF : init->slots[number];
}

/// Lets go of a descriptor: CLOSE_FROM closes all at once later, unless there are too many already.
static void drop(int fd) {
    if (fd > (int)lingering_max)
        sys_close(fd);
}

/// Fills a slot; what was in it is dropped.
static void fill(struct init *init, int16_t number, int fd) {
    if (number < 0 || number >= CPLAN_SLOTS) {
        sys_close(fd);
        return;
    }
    drop(init->slots[number]);
    init->slots[number] = fd;
    init->made[number] = 0;
}

static const char *text(const struct init *init, uint32_t offset) {
    return offset == 0 ? "" : init->base + offset;
}

_Noreturn static void fail(struct init *init, long result, uint32_t kind, const char *detail, size_t length);

static int is_directory(int fd);

static int open_in(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

#endif
