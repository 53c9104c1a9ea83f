// What only the build knows about itself. In C, because a compiler flag can carry a value into C but not into Swift.
#ifndef CBUILDINFO_H
#define CBUILDINFO_H

#include <stdint.h>

/// When that commit was made, in seconds since the epoch: which of two builds is the newer one. 0 for unknown.
uint64_t cbuildinfo_time(void);

/// The commit this binary was built from, or "unknown" when the build was not told (scripts/build tells it).
const char *_Nonnull cbuildinfo_commit(void);

#endif
