// What the init knows while it executes a plan. One process, one thread, no heap: all of it is here.
#ifndef INIT_H
#define INIT_H

#include <asm/resource.h>
#include <asm/signal.h>
#include <asm/termios.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
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
struct init {
    char *base; /* the plan, mapped privately: relocations stay ours */
    const struct cplan_header *header;
    const struct cplan_op *ops;
    uint32_t index; /* of the op in execution */

    int slots[CPLAN_SLOTS];
    uint8_t made[CPLAN_SLOTS]; /* OPEN_TARGET made what is in the slot */
    int report;                /* socket on which a failure is told */
    int sweep_from;            /* a descriptor of this number or above has all that linger closed */

    int mask_attached;      /* slot MASK is part of the tree */
    int inside;             /* CHDIR succeeded */
    const char *executable; /* what RESOLVE_EXEC chose */

    char value[CPLAN_VALUE_MAX]; /* reply of a SYNC: an environment entry */
    uint32_t value_length;
    char path[PATH_SPACE]; /* scratch for paths that are put together */
    char detail[CPLAN_DETAIL_MAX];
};

static const char *text(const struct init *init, uint32_t offset) {
    return offset == 0 ? "" : init->base + offset;
}

_Noreturn static void fail(struct init *init, long result, uint32_t kind, const char *detail, size_t length);

static int is_directory(int fd);

static int open_in(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

#endif
