#include "CBuildInfo.h"

#ifndef GANTRY_COMMIT
#define GANTRY_COMMIT "unknown"
#endif

const char *cbuildinfo_commit(void) {
    return GANTRY_COMMIT;
}
