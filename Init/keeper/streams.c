// What the container prints: read into memory that the supervisor shares, as soon as it arrives.

static uint64_t load(const uint64_t *at) {
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/// Wakes the supervisor if it sleeps. Behind the stores that it is to see.
static void wake_supervisor(struct keeper *keeper) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&keeper->shared->sleeping, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&keeper->shared->sleeping, 0, __ATOMIC_RELAXED);
    uint64_t one = 1;
    sys_write(keeper->output, &one, sizeof one);
}

/// The descriptor that a stream is read from, -1 for none.
static int stream_source(const struct keeper *keeper, int number) {
    if (number == 0 && keeper->slots[CKEEPER_TERMINAL] >= 0)
        return keeper->slots[CKEEPER_TERMINAL];
    return keeper->slots[number == 0 ? CKEEPER_STDOUT : CKEEPER_STDERR];
}

static int stream_reads(const struct keeper *keeper, int number) {
    const struct ckeeper_stream *stream = &keeper->shared->streams[number];
    return stream_source(keeper, number) >= 0 && !stream->ended && !stream->full;
}

static void end_stream(struct keeper *keeper, int number) {
    __atomic_store_n(&keeper->shared->streams[number].ended, 1, __ATOMIC_RELEASE);
    if (keeper->slots[CKEEPER_TERMINAL] < 0)
        shut(&keeper->slots[number == 0 ? CKEEPER_STDOUT : CKEEPER_STDERR]);
    wake_supervisor(keeper);
}

/// Room in the ring. None: says so and looks once more, since the supervisor may just have made some.
static uint64_t stream_room(struct ckeeper_stream *stream) {
    uint64_t used = stream->head - load(&stream->tail);
    if (used < CKEEPER_RING)
        return CKEEPER_RING - used;
    __atomic_store_n(&stream->full, 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    used = stream->head - load(&stream->tail);
    if (used >= CKEEPER_RING)
        return 0;
    __atomic_store_n(&stream->full, 0, __ATOMIC_RELEASE);
    return CKEEPER_RING - used;
}

/// Notes that bytes from the head on arrive now.
static void mark_arrival(struct ckeeper_stream *stream) {
    uint64_t index = stream->mark_head;
    if (index - load(&stream->mark_tail) >= CKEEPER_MARKS)
        return;
    struct ckeeper_mark *mark = &stream->marks[index % CKEEPER_MARKS];
    mark->position = stream->head;
    mark->time = now(CLOCK_REALTIME);
    __atomic_store_n(&stream->mark_head, index + 1, __ATOMIC_RELEASE);
}

/// Whether whose streams these are has ended: what comes from them now is all.
static int has_stopped(const struct keeper *keeper) {
    return !keeper->state.lives && keeper->state.run > 0 && !keeper->awaited;
}

/// Reads once. Returns whether it is worth trying again.
static int read_stream(struct keeper *keeper, int number) {
    struct ckeeper_stream *stream = &keeper->shared->streams[number];
    if (!stream_reads(keeper, number))
        return 0;
    uint64_t room = stream_room(stream);
    if (room == 0)
        return 0;
    uint64_t at = stream->head % CKEEPER_RING;
    uint64_t piece = room < CKEEPER_RING - at ? room : CKEEPER_RING - at;
    if (has_stopped(keeper) && piece > keeper->rest[number])
        piece = keeper->rest[number];
    if (piece == 0) {
        end_stream(keeper, number);
        return 0;
    }
    long count = sys_read(stream_source(keeper, number), keeper->rings[number] + at, piece);
    if (count > 0) {
        mark_arrival(stream);
        __atomic_store_n(&stream->head, stream->head + (uint64_t)count, __ATOMIC_RELEASE);
        if (has_stopped(keeper))
            keeper->rest[number] -= (uint64_t)count;
        wake_supervisor(keeper);
        return 1;
    }
    if (count == -EINTR)
        return 1;
    // Nothing is left of a container that has ended; whoever else holds the other end is not it.
    if (count == -EAGAIN && !has_stopped(keeper))
        return 0;
    end_stream(keeper, number);
    return 0;
}

/// What a terminal holds at most, about: more than its buffers' limit in the kernel.
#define TERMINAL_REST (1u << 20)

/// The container has ended: of what is read from now on, no more than fits into its pipe can be its own. Somebody whom
/// it has given its output to may go on writing for ever.
static void limit_streams(struct keeper *keeper) {
    for (int i = 0; i < CKEEPER_STREAMS; i++) {
        long size = SYS2(__NR_fcntl, stream_source(keeper, i), F_GETPIPE_SZ);
        keeper->rest[i] = size > 0 ? (uint64_t)size : TERMINAL_REST;
    }
}

/// The container has ended: takes what is left, as far as there is room.
static void finish_streams(struct keeper *keeper) {
    for (int i = 0; i < CKEEPER_STREAMS; i++)
        while (read_stream(keeper, i))
            ;
}

/// The supervisor has made room.
static void resume_streams(struct keeper *keeper) {
    uint64_t count;
    sys_read(keeper->room, &count, sizeof count);
    for (int i = 0; i < CKEEPER_STREAMS; i++)
        __atomic_store_n(&keeper->shared->streams[i].full, 0, __ATOMIC_RELEASE);
}

/// Streams get other descriptors, or none: they start anew.
static void renew_streams(struct keeper *keeper) {
    for (int i = 0; i < CKEEPER_STREAMS; i++) {
        int source = i == 1 && keeper->slots[CKEEPER_TERMINAL] >= 0 ? -1 : stream_source(keeper, i);
        __atomic_store_n(&keeper->shared->streams[i].ended, source < 0, __ATOMIC_RELEASE);
        if (source >= 0)
            SYS3(__NR_fcntl, source, F_SETFL, O_NONBLOCK | (SYS2(__NR_fcntl, source, F_GETFL)));
    }
    shut(&keeper->peer);
    if (keeper->slots[CKEEPER_TERMINAL] >= 0)
        keeper->peer = (int)SYS3(__NR_ioctl, keeper->slots[CKEEPER_TERMINAL], TIOCGPTPEER,
                                 O_RDWR | O_NOCTTY | O_CLOEXEC);
    wake_supervisor(keeper);
}

/// The memory that is shared, and the eventfds that wake who waits for it.
static void make_memory(struct keeper *keeper) {
    keeper->memory = (int)SYS2(__NR_memfd_create, "gantry-output", MFD_CLOEXEC);
    if (keeper->memory < 0 || SYS2(__NR_ftruncate, keeper->memory, CKEEPER_SHARED_SIZE) < 0)
        sys_exit(1);
    long base =
        SYS6(__NR_mmap, 0, CKEEPER_SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, keeper->memory, 0);
    keeper->output = (int)SYS2(__NR_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
    keeper->room = (int)SYS2(__NR_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
    if ((base < 0 && base > -4096) || keeper->output < 0 || keeper->room < 0)
        sys_exit(1);
    keeper->shared = (struct ckeeper_shared *)base;
    keeper->shared->version = CKEEPER_VERSION;
    for (int i = 0; i < CKEEPER_STREAMS; i++) {
        keeper->rings[i] = (char *)base + CKEEPER_RING_AT(i);
        keeper->shared->streams[i].ended = 1;
    }
}
