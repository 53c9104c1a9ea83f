// What only the build knows about itself. In C, because a compiler flag can carry a value into C but not into Swift.
#ifndef CBUILDINFO_H
#define CBUILDINFO_H

/// The commit this binary was built from, or "unknown" when the build was not told (scripts/build tells it).
const char *_Nonnull cbuildinfo_commit(void);

#endif
