// SwiftPM wants a source file in every C target; the header is all there is.
#include "CKeeper.h"

_Static_assert(sizeof(struct ckeeper_message) == 24, "a message's head");
_Static_assert(sizeof(struct ckeeper_exit) == 32, "an exit");
_Static_assert(sizeof(struct ckeeper_state) == 64, "a state");
_Static_assert(sizeof(struct ckeeper_stream) == 128 + CKEEPER_MARKS * 16, "a stream");
// OutputRing reckons with this.
#include <stddef.h>
_Static_assert(offsetof(struct ckeeper_shared, notes) == 64 + 2 * sizeof(struct ckeeper_stream), "streams, then notes");
_Static_assert(sizeof(struct ckeeper_shared) == offsetof(struct ckeeper_shared, notes) + CKEEPER_NOTES, "notes end it");
