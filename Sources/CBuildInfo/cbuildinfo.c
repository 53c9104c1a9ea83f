#include "CBuildInfo.h"

#ifndef GANTRY_COMMIT
#define GANTRY_COMMIT "unknown"
#endif

#ifndef GANTRY_COMMIT_TIME
#define GANTRY_COMMIT_TIME 0
#endif

uint64_t cbuildinfo_time(void) {
    return GANTRY_COMMIT_TIME;
}

const char *cbuildinfo_commit(void) {
    return GANTRY_COMMIT;
}
