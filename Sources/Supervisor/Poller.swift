internal import CLinux
internal import Diagnostics
internal import Linux

/// What a supervisor waits for. The token of a descriptor says what it is.
struct Poller: ~Copyable {
    enum Source: UInt64 {
        case keeper, output, listener, signals, memory, log, child, childOutput, stdin, container, stdout,
            stderr
        /// A client; its slot and generation are in the token, too.
        case client
    }

    struct Ready {
        let source: Source
        let slot: Int
        let generation: UInt32
        let events: UInt32

        /// Also when it has been hung up: reading tells.
        var isReadable: Bool { events & ~CLINUX_EVENT_OUT != 0 }
        /// The other end is closed, if only for what it would send.
        var hasGone: Bool { events & ~(CLINUX_EVENT_IN | CLINUX_EVENT_OUT) != 0 }
        var isWritable: Bool { events & CLINUX_EVENT_OUT != 0 }
    }

    private let epoll: Descriptor
    private var events = [clinux_event](repeating: clinux_event(), count: 32)
    private var count = 0

    init() throws(Failure) {
        epoll = Descriptor(
            adopting: try check(clinux_epoll(), "epoll_create1", "cannot wait for several things"))
    }

    private static func token(_ source: Source, _ slot: Int, _ generation: UInt32) -> UInt64 {
        source.rawValue | UInt64(slot) << 8 | UInt64(generation) << 32
    }

    func add(
        _ descriptor: CInt, _ source: Source, events: UInt32 = CLINUX_EVENT_IN, slot: Int = 0,
        generation: UInt32 = 0
    ) throws(Failure) {
        let token = Poller.token(source, slot, generation)
        _ = try check(
            clinux_epoll_add(epoll.raw, descriptor, events, token), "epoll_ctl", "cannot wait for a file")
    }

    func change(
        _ descriptor: CInt, _ source: Source, events: UInt32, slot: Int = 0, generation: UInt32 = 0
    ) {
        _ = clinux_epoll_change(epoll.raw, descriptor, events, Poller.token(source, slot, generation))
    }

    /// Also needed before a descriptor is closed whose file others hold: epoll knows files, not numbers.
    func remove(_ descriptor: CInt) {
        if descriptor >= 0 { _ = clinux_epoll_remove(epoll.raw, descriptor) }
    }

    /// Waits; -1 for as long as it takes.
    ///
    /// - Returns: how many `ready` there are.
    mutating func wait(milliseconds: CInt) throws(Failure) -> Int {
        count = Int(
            try check(
                clinux_epoll_wait(epoll.raw, &events, CInt(events.count), milliseconds), "epoll_wait",
                "cannot wait for the container"))
        return count
    }

    func ready(_ index: Int) -> Ready? {
        let event = events[index]
        guard let source = Source(rawValue: event.token & 0xff) else { return nil }
        return Ready(
            source: source, slot: Int(event.token >> 8 & 0xffffff),
            generation: UInt32(truncatingIfNeeded: event.token >> 32), events: event.events)
    }
}
