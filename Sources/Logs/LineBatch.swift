internal import CLinux
internal import Diagnostics
internal import Keeper

/// Makes what is written at once: the lines that are in a stream's ring, in the log's form.
struct LineBatch: ~Copyable {
    /// Bytes of a line that are logged in one piece: what containerd and Docker take.
    static let pieceLimit = 16 << 10
    /// Bytes that are written at once, about.
    static let capacity = 256 << 10

    /// What `fill` made.
    struct Filled {
        /// The ring's position behind the last line.
        var end: UInt64
        /// Bytes of text, at `bytes`.
        var length = 0
        /// Lines and bytes of the container's that it holds.
        var lines: UInt64 = 0
        var bytes: UInt64 = 0
        /// What holds once it is written.
        var account: LogAccount
        var rate: RateLimit
        /// There may be more in the ring for another batch.
        var hasMore = false
        /// The next line does not fit into the file any more.
        var needsFile = false
    }

    private var format: LineFormat
    private let slack: Int
    /// The text, then `scratch`. Nothing of it costs memory before it is used.
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    /// A line that lies at both ends of the ring.
    private var scratch: UnsafeMutableRawPointer { memory + LineBatch.capacity + slack }

    init(_ format: consuming LineFormat) throws(Failure) {
        // One piece, its losses before it, and an open line's end.
        let empty = format.frameBytes
        slack = empty * 5 + 1024 + (LineBatch.pieceLimit + 1) * DockerText.mostBytesPerByte
        size = LineBatch.capacity + slack + LineBatch.pieceLimit + 1
        guard let memory = clinux_map_private(size) else {
            throw Failure(.system, "there is no memory to write the log with")
        }
        self.memory = memory
        self.format = format
    }

    deinit { clinux_unmap(memory, size) }

    /// What `fill` made last.
    var bytes: UnsafeRawPointer { UnsafeRawPointer(memory) }

    /// Gives the memory back until it is used again.
    func rest() { clinux_discard(memory, size) }

    /// A piece of a stream.
    struct Piece {
        var text: UnsafeRawBufferPointer
        /// Bytes of the stream: the text, and the end of the line if it has one.
        var taken: Int
        /// A line's end follows.
        var isWhole: Bool
    }

    /// Makes lines of what has arrived: whole ones, pieces of those that are too long, and with `isFinal` the rest.
    ///
    /// - Parameters:
    ///   - room: bytes that the file takes; the first line goes in even so when `mayExceed`.
    ///   - isSmall: one piece is enough: the disk is nearly full.
    mutating func fill(
        _ ring: borrowing OutputRing, stream: Int, isFinal: Bool, room: Int64, mayExceed: Bool,
        account: LogAccount, rate: RateLimit, isSmall: Bool = false
    ) -> Filled {
        let capacity = isSmall ? 1 : LineBatch.capacity
        let head = ring.head(stream)
        var filled = Filled(end: ring.tail(stream), account: account, rate: rate)
        var segment = UnsafeRawBufferPointer(start: nil, count: 0)
        var time: Int64 = 0
        // The time holds for bytes before it.
        var until = filled.end
        while filled.end < head {
            if filled.length >= capacity {
                filled.hasMore = true
                break
            }
            if segment.count == 0 {
                segment = ring.bytes(stream, from: filled.end, limit: Int(head &- filled.end))
            }
            let reachesHead = filled.end &+ UInt64(segment.count) == head
            guard let piece = piece(segment, ring, stream, filled.end, head, reachesHead, isFinal) else {
                break
            }
            let last = filled.end &+ UInt64(piece.taken - 1)
            if last >= until { (time, until) = ring.arrival(stream, of: last) }
            guard add(piece, stream, time, room, mayExceed, &filled) else { break }
            filled.end &+= UInt64(piece.taken)
            segment =
                piece.taken < segment.count
                ? UnsafeRawBufferPointer(rebasing: segment[piece.taken...])
                : UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return filled
    }

    /// The piece that begins at a position; nil when its end has not come yet.
    func next(
        _ ring: borrowing OutputRing, _ stream: Int, _ position: UInt64, _ isFinal: Bool
    ) -> Piece? {
        let head = ring.head(stream)
        guard position < head else { return nil }
        let segment = ring.bytes(stream, from: position, limit: Int(head &- position))
        let reachesHead = position &+ UInt64(segment.count) == head
        return piece(segment, ring, stream, position, head, reachesHead, isFinal)
    }

    @inline(__always)
    private func piece(
        _ segment: UnsafeRawBufferPointer, _ ring: borrowing OutputRing, _ stream: Int, _ position: UInt64,
        _ head: UInt64, _ reachesHead: Bool, _ isFinal: Bool
    ) -> Piece? {
        if let piece = piece(in: segment) { return piece }
        if !reachesHead {
            // It goes on at the ring's beginning.
            let count = min(Int(head &- position), LineBatch.pieceLimit + 1)
            scratch.copyMemory(from: segment.baseAddress!, byteCount: min(count, segment.count))
            if count > segment.count {
                let rest = ring.bytes(
                    stream, from: position &+ UInt64(segment.count), limit: count - segment.count)
                (scratch + segment.count).copyMemory(from: rest.baseAddress!, byteCount: rest.count)
            }
            let both = UnsafeRawBufferPointer(start: scratch, count: count)
            if let piece = piece(in: both) { return piece }
            return isFinal ? Piece(text: both, taken: count, isWhole: false) : nil
        }
        return isFinal ? Piece(text: segment, taken: segment.count, isWhole: false) : nil
    }

    @inline(__always)
    private func piece(in bytes: UnsafeRawBufferPointer) -> Piece? {
        let looked = min(bytes.count, LineBatch.pieceLimit + 1)
        let end = clinux_find_byte(bytes.baseAddress!, looked, UInt8(ascii: "\n"))
        if end >= 0 {
            return Piece(text: UnsafeRawBufferPointer(rebasing: bytes[..<end]), taken: end + 1, isWhole: true)
        }
        guard looked > LineBatch.pieceLimit else { return nil }
        // JSON has no halves of characters.
        let whole = UnsafeRawBufferPointer(rebasing: bytes[..<looked])
        let cut =
            format.kind == .docker
            ? UTF8Sequence.cut(whole, atMost: LineBatch.pieceLimit) : LineBatch.pieceLimit
        return Piece(text: UnsafeRawBufferPointer(rebasing: bytes[..<cut]), taken: cut, isWhole: false)
    }

    /// Adds a piece, or counts it as lost. False when it does not fit into the file.
    @inline(__always)
    private mutating func add(
        _ piece: Piece, _ stream: Int, _ time: Int64, _ room: Int64, _ mayExceed: Bool,
        _ filled: inout Filled
    ) -> Bool {
        // A copy of all that may have to be taken back costs as much as a line.
        if Int64(filled.length + slack) <= room {
            put(piece, stream, time, &filled)
            return true
        }
        let before = filled
        put(piece, stream, time, &filled)
        let isTooMuch = Int64(filled.length) > room && filled.length > before.length
        guard isTooMuch, before.length > 0 || !mayExceed else { return true }
        filled = before
        filled.hasMore = true
        filled.needsFile = true
        return false
    }

    @inline(__always)
    private mutating func put(_ piece: Piece, _ stream: Int, _ time: Int64, _ filled: inout Filled) {
        if filled.account[stream].isSkipping {
            if filled.rate.limit > 0 {
                filled.account.losses.rateBytes &+= UInt64(piece.taken)
            } else {
                filled.account.losses.overflowBytes &+= UInt64(piece.taken)
            }
            filled.account[stream].skip(isEnd: piece.isWhole)
            return
        }
        if filled.rate.limit > 0, !filled.rate.take(piece.taken, time: time) {
            filled.account.losses.rateLines &+= 1
            filled.account.losses.rateBytes &+= UInt64(piece.taken)
            filled.account[stream].skip(isEnd: piece.isWhole)
            return
        }
        if !filled.account.losses.isEmpty { addLosses(time, &filled) }
        if filled.account[stream].isCut { endLine(stream, time, &filled) }
        format.prepare(stream: stream, time: time)
        filled.length += format.write(piece.text, isWhole: piece.isWhole, to: memory + filled.length)
        filled.account[stream].isOpen = !piece.isWhole
        filled.lines &+= piece.isWhole ? 1 : 0
        filled.bytes &+= UInt64(piece.taken)
    }

    /// Ends an open line.
    private mutating func endLine(_ stream: Int, _ time: Int64, _ filled: inout Filled) {
        format.prepare(stream: stream, time: time)
        filled.length += format.write(
            UnsafeRawBufferPointer(start: nil, count: 0), isWhole: true, to: memory + filled.length)
        filled.account[stream].isOpen = false
        filled.account[stream].isCut = false
    }

    /// Tells on standard error what has been given up, unless a line of it is still being written.
    private mutating func addLosses(_ time: Int64, _ filled: inout Filled, isEnd: Bool = false) {
        let place = filled.account[1]
        if place.isOpen && !place.isCut && !isEnd { return }
        if place.isOpen { endLine(1, time, &filled) }
        format.prepare(stream: 1, time: time)
        for sentence in filled.account.losses.sentences {
            var text = sentence
            filled.length += text.withUTF8 {
                format.write(UnsafeRawBufferPointer($0), isWhole: true, to: memory + filled.length)
            }
        }
        filled.account.losses = Losses()
    }

    /// What has been given up alone, when no line comes that could take it along.
    ///
    /// - Parameter isEnd: nothing more comes; an open line of standard error is ended for it.
    mutating func fillLosses(account: LogAccount, rate: RateLimit, at position: UInt64, isEnd: Bool) -> Filled
    {
        var filled = Filled(end: position, account: account, rate: rate)
        if !account.losses.isEmpty { addLosses(clinux_realtime(), &filled, isEnd: isEnd) }
        return filled
    }
}

extension Losses {
    var sentences: [String] {
        var list: [String] = []
        if overflowBytes > 0 {
            list.append(
                "gantry: \(overflowLines) lines (\(overflowBytes) bytes) are missing here:"
                    + " the log could not be written as fast as they came")
        }
        if rateBytes > 0 {
            list.append(
                "gantry: \(rateLines) lines (\(rateBytes) bytes) are missing here:"
                    + " they were over the rate limit of the log")
        }
        return list
    }
}
