internal import CKeeper
internal import CLinux
public import Diagnostics
public import Linux

/// What a container prints, on its way from the keeper to the log: the memory that both share (CKeeper.h).
///
/// Positions count the bytes of a stream from the keeper's start. Streams: 0 is standard output or what the terminal
/// shows, 1 is standard error.
public final class OutputRing {
    private let base: UnsafeMutableRawPointer
    private let shared: UnsafeMutablePointer<ckeeper_shared>
    /// The keeper waits for it when a ring is full.
    private let room: Descriptor?
    /// Where `look` has stopped, for each stream.
    private var seen: (UInt64, UInt64) = (.max, .max)

    /// Bytes of one stream that fit.
    public static let capacity = Int(CKEEPER_RING)
    private static let ringsStart = (MemoryLayout<ckeeper_shared>.size + 4095) & ~4095
    /// Size of the memory in bytes.
    public static let size = ringsStart + Int(CKEEPER_STREAMS) * capacity

    /// Maps the memory.
    ///
    /// - Parameter room: the eventfd that tells the keeper that there is room again; nil when nobody waits for it.
    public init(memory: borrowing Descriptor, room: consuming Descriptor?) throws(Failure) {
        guard clinux_file_size(memory.raw) >= Int64(OutputRing.size) else {
            throw Failure(.system, "the keeper's memory is too small; is it another version's?")
        }
        var error: CInt = 0
        guard let base = clinux_map_shared(memory.raw, OutputRing.size, &error) else {
            throw Failure.system(-error, "mmap", "cannot share memory with the keeper")
        }
        self.base = base
        shared = base.assumingMemoryBound(to: ckeeper_shared.self)
        self.room = consume room
    }

    deinit {
        clinux_unmap(base, OutputRing.size)
    }

    private func stream(_ number: Int) -> UnsafeMutablePointer<ckeeper_stream> {
        precondition(number == 0 || number == 1)
        let offset = MemoryLayout<ckeeper_shared>.offset(ofStreams: number)
        return (base + offset).assumingMemoryBound(to: ckeeper_stream.self)
    }

    /// Position behind the last byte that has arrived.
    public func arrived(_ number: Int) -> UInt64 { clinux_load64(&stream(number).pointee.head) }

    /// Looks how far a stream has come. What arrives afterwards is there for nobody until the next look, so that nothing
    /// is consumed by one reader which another has not been given: the keeper may overwrite it at once. Without any look,
    /// what has arrived is there.
    ///
    /// - Returns: the new head.
    public func look(_ number: Int) -> UInt64 {
        let position = arrived(number)
        if number == 0 { seen.0 = position } else { seen.1 = position }
        return position
    }

    /// Position behind the last byte that is there.
    public func head(_ number: Int) -> UInt64 { min(arrived(number), number == 0 ? seen.0 : seen.1) }

    /// Position of the first byte that is not kept elsewhere yet.
    public func tail(_ number: Int) -> UInt64 { stream(number).pointee.tail }

    /// Bytes that are there and not kept elsewhere yet.
    public func available(_ number: Int) -> Int { Int(head(number) &- tail(number)) }

    /// Whether no byte more fits.
    public func isFull(_ number: Int) -> Bool {
        arrived(number) &- tail(number) == UInt64(OutputRing.capacity)
    }

    /// Whether nothing comes after what is there. What is `available` may still be there.
    public func hasEnded(_ number: Int) -> Bool {
        // In this order: what comes before an end has come when the end is seen.
        clinux_load32(&stream(number).pointee.ended) != 0 && arrived(number) == head(number)
    }

    /// Bytes from a position that is there and not consumed yet: as many as lie in one piece, at most `limit`.
    /// A second call with the position behind them gives the rest.
    public func bytes(_ number: Int, from position: UInt64, limit: Int = .max) -> UnsafeRawBufferPointer {
        let start = Int(position % UInt64(OutputRing.capacity))
        let count = min(Int(head(number) &- position), OutputRing.capacity - start, limit)
        return UnsafeRawBufferPointer(
            start: base + OutputRing.ringsStart + number * OutputRing.capacity + start, count: count)
    }

    /// When the byte at a position arrived, in nanoseconds since the epoch, and the position from which on another
    /// time holds (`UInt64.max` for none yet).
    public func arrival(_ number: Int, of position: UInt64) -> (time: Int64, until: UInt64) {
        let stream = stream(number)
        let count = clinux_load64(&stream.pointee.mark_head)
        let index = markIndex(stream, of: position, count)
        guard index < count else { return (clinux_realtime(), .max) }
        let until = index &+ 1 < count ? mark(stream, index &+ 1).position : .max
        return (mark(stream, index).time, until)
    }

    /// The last mark at or before a position, or the first there is; `count` when there is none.
    private func markIndex(
        _ stream: UnsafeMutablePointer<ckeeper_stream>, of position: UInt64, _ count: UInt64
    ) -> UInt64 {
        // Marks stand in the order of their positions: many small writes make thousands.
        var (low, high) = (stream.pointee.mark_tail, count)
        while low &+ 1 < high {
            let middle = low &+ (high &- low) / 2
            if mark(stream, middle).position <= position { low = middle } else { high = middle }
        }
        return low
    }

    private func mark(_ stream: UnsafeMutablePointer<ckeeper_stream>, _ index: UInt64) -> ckeeper_mark {
        let offset =
            MemoryLayout<ckeeper_stream>.size - Int(CKEEPER_MARKS) * MemoryLayout<ckeeper_mark>.stride
        let marks = (UnsafeMutableRawPointer(stream) + offset).assumingMemoryBound(to: ckeeper_mark.self)
        return marks[Int(index % UInt64(CKEEPER_MARKS))]
    }

    /// The bytes before `position` are kept elsewhere: their room may be used again.
    public func consume(_ number: Int, to position: UInt64) {
        let stream = stream(number)
        // The mark of the bytes at `position` is still needed.
        let count = clinux_load64(&stream.pointee.mark_head)
        clinux_store64(&stream.pointee.mark_tail, markIndex(stream, of: position, count))
        clinux_store64(&stream.pointee.tail, position)
        clinux_fence()
        if clinux_load32(&stream.pointee.full) != 0, room.rawOrNone >= 0 {
            _ = clinux_eventfd_signal(room.rawOrNone)
        }
    }

    /// Says whether the keeper must signal `output` when bytes arrive. After `true` look at the heads once more before
    /// waiting.
    public func setSleeping(_ sleeps: Bool) {
        clinux_store32(&shared.pointee.sleeping, sleeps ? 1 : 0)
        clinux_fence()
    }

    /// Memory of `CKEEPER_NOTES` bytes for the supervisor's own use, which outlives it.
    public var notes: UnsafeMutableRawPointer {
        base + MemoryLayout<ckeeper_shared>.size - Int(CKEEPER_NOTES)
    }
}

// Without a keeper: the supervisor does what it did.
extension OutputRing {
    /// Reads once from a descriptor that does not block, as far as there is room.
    ///
    /// - Returns: how many bytes came, 0 at the end or when there is no room, or -errno.
    public func receive(_ number: Int, from descriptor: CInt) -> Int {
        let stream = stream(number)
        let head = stream.pointee.head
        let room = OutputRing.capacity - Int(head &- tail(number))
        guard room > 0 else { return 0 }
        let start = Int(head % UInt64(OutputRing.capacity))
        let place = base + OutputRing.ringsStart + number * OutputRing.capacity + start
        let count = clinux_read(descriptor, place, min(room, OutputRing.capacity - start))
        guard count > 0 else { return count }
        markArrival(stream, head)
        clinux_store64(&stream.pointee.head, head &+ UInt64(count))
        return count
    }

    private func markArrival(_ stream: UnsafeMutablePointer<ckeeper_stream>, _ position: UInt64) {
        let index = stream.pointee.mark_head
        guard index &- stream.pointee.mark_tail < UInt64(CKEEPER_MARKS) else { return }
        let offset =
            MemoryLayout<ckeeper_stream>.size - Int(CKEEPER_MARKS) * MemoryLayout<ckeeper_mark>.stride
        let marks = (UnsafeMutableRawPointer(stream) + offset).assumingMemoryBound(to: ckeeper_mark.self)
        marks[Int(index % UInt64(CKEEPER_MARKS))] = ckeeper_mark(position: position, time: clinux_realtime())
        clinux_store64(&stream.pointee.mark_head, index &+ 1)
    }

    /// Nothing more will come.
    public func end(_ number: Int) {
        clinux_store32(&stream(number).pointee.ended, 1)
    }
}

extension MemoryLayout<ckeeper_shared> {
    /// Embedded Swift has no key paths to ask with.
    fileprivate static func offset(ofStreams number: Int) -> Int {
        size - Int(CKEEPER_NOTES) - (Int(CKEEPER_STREAMS) - number) * MemoryLayout<ckeeper_stream>.stride
    }
}
