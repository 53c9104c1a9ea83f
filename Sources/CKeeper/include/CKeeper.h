// The keeper: what it shares with the supervisor, and the messages it understands (spec/supervisor.md).
//
// One header for both sides: the freestanding keeper (Init/keeper/) and Swift. The keeper is the parent of a supervised
// container's processes; it reads what they print into memory that it shares with the supervisor, so that a supervisor
// that is killed loses nothing.
#ifndef CKEEPER_H
#define CKEEPER_H

#include <stdint.h>

/// Of this header. A supervisor of another version that finds a keeper says so and leaves it alone; everything that is
/// added later is added behind what is there.
#define CKEEPER_VERSION 1

/// Descriptors that the keeper holds, by number. What is empty is told as such.
enum ckeeper_slot {
    CKEEPER_STDIN = 0,    // write end of the container's standard input
    CKEEPER_STDOUT = 1,   // read end of its standard output
    CKEEPER_STDERR = 2,   // read end of its standard error
    CKEEPER_TERMINAL = 3, // the master, when it has a terminal: input and output
    CKEEPER_LISTENER = 4, // supervisor.sock: who connects while there is no supervisor waits
    CKEEPER_SLOTS = 5,
};

/// Streams: 0 is standard output or what the terminal shows, 1 is standard error.
#define CKEEPER_STREAMS 2
/// Bytes of one stream that fit: a power of two.
#define CKEEPER_RING (256u << 10)
/// Arrivals that are told apart in one stream: a power of two. When there are more, bytes count as having arrived with
/// those before them.
#define CKEEPER_MARKS 4096u

/// Bytes from `position` on arrived at `time`.
struct ckeeper_mark {
    uint64_t position;
    int64_t time; /* CLOCK_REALTIME, nanoseconds */
};

/// What is read of one stream and not yet kept elsewhere. Positions count bytes from the keeper's start and never go
/// back; a byte is at its position modulo CKEEPER_RING.
struct ckeeper_stream {
    // Written by the keeper, by the supervisor when there is no keeper any more.
    uint64_t head;      /* bytes that have been read */
    uint64_t mark_head; /* marks that have been made */
    uint32_t ended;     /* all writers are gone, or the container is and nothing is left */
    uint32_t full;      /* the keeper waits for room */
    uint8_t keeper_private[40];

    // Written by the supervisor. 64 bytes behind the other's, so that they do not fight for a cache line.
    uint64_t tail;      /* bytes that are kept elsewhere */
    uint64_t mark_tail; /* marks that are used up */
    uint8_t supervisor_private[48];

    struct ckeeper_mark marks[CKEEPER_MARKS];
};

/// The supervisor's own notes: whoever takes over after it was killed finds them. What they hold is its business.
#define CKEEPER_NOTES 4096u

/// The shared memory: this struct, then for each stream its ring, CKEEPER_RING bytes.
struct ckeeper_shared {
    uint32_t version;
    uint32_t sleeping; /* the supervisor waits for the eventfd `output` */
    uint8_t padding[56];
    struct ckeeper_stream streams[CKEEPER_STREAMS];
    uint8_t notes[CKEEPER_NOTES];
};

/// Where the ring of stream n begins, and how long it all is.
#define CKEEPER_RINGS ((sizeof(struct ckeeper_shared) + 4095) & ~4095ul)
#define CKEEPER_RING_AT(n) (CKEEPER_RINGS + (n) * (unsigned long)CKEEPER_RING)
#define CKEEPER_SHARED_SIZE CKEEPER_RING_AT(CKEEPER_STREAMS)

/// Messages, one SEQPACKET datagram each: struct ckeeper_message and `length` bytes. Descriptors come with it in the
/// order that is told here.
enum ckeeper_message_type {
    // To the keeper. Each is answered by DONE or REFUSED unless something else is said.

    // "I am the supervisor": answered by STATE; REFUSED with EBUSY while another one lives. It is the process that
    // SUPERVISE started; when nobody has asked for one, whoever says so, for as long as it stays connected.
    CKEEPER_SUPERVISOR = 1,
    // A program, argv as words each ended by NUL, no environment. Descriptors: the executable, then `value` that become
    // 0, 1, 2 and so on, then others that keep the number they get: "%a" in a word is put in its place for the first of
    // them, "%b" for the second. Answered by SPAWNED with a pidfd. Until the asker says WATCH or goes away, children
    // that nobody knows are not reaped.
    CKEEPER_SPAWN = 2,
    // Hold descriptors: `value` is a mask of slots, which come in their order. Streams that get a new descriptor start
    // anew. With no descriptor at all: let go of those in the mask.
    CKEEPER_KEEP = 3,
    // Remember how child `pid` ends. `value`: enum ckeeper_kind. Answered by DONE, and by EXITED when it has ended.
    CKEEPER_WATCH = 4,
    // The command line of a supervisor, argv as words; it is started when none runs, and again whenever it dies. The one
    // that runs is told to LEAVE first, and killed after 5 s, when `value` is 1. Answered by DONE at once.
    CKEEPER_SUPERVISE = 5,
    // How things are. Answered by STATE, without descriptors.
    CKEEPER_ASK = 6,
    // End: the keeper does when the container has ended and the supervisor has left. No answer but the end of file.
    CKEEPER_END = 7,

    // From the keeper.
    CKEEPER_DONE = 64,
    CKEEPER_REFUSED = 65, // `value`: errno
    CKEEPER_SPAWNED = 66, // `pid`; a pidfd
    CKEEPER_EXITED = 67,  // struct ckeeper_exit: to who asked, and to the supervisor
    // struct ckeeper_state. To the supervisor whenever something of it changes, with descriptors: shared memory,
    // eventfd `output`, eventfd `room`, those in `slots`, a pidfd of the container if it lives.
    CKEEPER_STATE = 68,
    CKEEPER_LEAVE = 69,   // to the supervisor: another one is to take over
};

enum ckeeper_kind {
    CKEEPER_CONTAINER = 0, // the container's first process
    CKEEPER_EXEC = 1,      // one more process in it
    CKEEPER_FAILED = 2,    // one that is being ended: only who asks is told
};

struct ckeeper_message {
    uint32_t type;
    int32_t pid;
    int64_t value;
    uint32_t length; /* bytes that follow */
    uint32_t reserved;
};

/// How a process ended.
struct ckeeper_exit {
    int32_t pid;
    uint32_t kind;   /* enum ckeeper_kind */
    int32_t status;  /* wait(2) */
    uint32_t run;    /* which one of the container's runs it belongs to, from 1 */
    int64_t started; /* CLOCK_REALTIME, nanoseconds: when WATCH came */
    int64_t ended;   /* when it was reaped */
};

struct ckeeper_state {
    uint32_t version;     /* CKEEPER_VERSION of the keeper */
    uint32_t slots;       /* mask of what it holds */
    uint32_t run;         /* how many containers it has watched; 0: none yet */
    uint32_t lives;       /* the container of that run has not ended */
    struct ckeeper_exit container; /* the last one; status and end are set once it has ended */
    int32_t supervisor;   /* pid, 0 when none runs */
    uint32_t supervisors; /* how many have been started */
    uint32_t exits;       /* of execs: how many are remembered and not told to a supervisor yet; EXITED follows */
    int32_t keeper;       /* its own pid */
};

/// Most descriptors with one message, most bytes behind one, most clients, most processes that are watched at once.
#define CKEEPER_DESCRIPTORS 32
#define CKEEPER_PAYLOAD 8192
#define CKEEPER_CLIENTS 256
#define CKEEPER_WATCHED 1024

#endif
