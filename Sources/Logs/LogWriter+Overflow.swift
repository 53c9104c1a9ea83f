internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Store

/// What was given up while a batch was on its way to the disk.
struct Lost: Equatable, Sendable {
    /// Of the places, `isCut` says that something was given up, `isSkipping` that the rest of its last line is, too.
    var account = LogAccount()
    /// The batch on its way is out of the ring, too.
    var includesBatch = false

    /// What the account of all that is written becomes.
    func apply(to account: inout LogAccount) {
        account.losses.add(self.account.losses)
        for stream in 0..<2 where self.account[stream].isCut {
            if account[stream].isOpen { account[stream].isCut = true }
            account[stream].isSkipping = self.account[stream].isSkipping
        }
    }
}

extension LogWriter {
    /// How long one write may take before a container with `--log-overflow stop` is stopped, in nanoseconds.
    static let stopPatience: Int64 = 5_000_000_000
    /// A ring that is so full is about to make the container wait.
    private static let nearlyFull = OutputRing.capacity / 8 * 7

    /// Looks whether the batch on its way has arrived.
    mutating func land(_ ring: borrowing OutputRing) {
        guard let flight, let result = appender.result() else { return }
        self.flight = nil
        guard result.code == 0 else {
            if flight.isAbandoned {
                lost.account.losses.overflowLines &+= flight.filled.lines
                lost.account.losses.overflowBytes &+= flight.filled.bytes
                lost.account[flight.stream].isCut = true
            }
            fail(result.code, isTorn: result.isTorn)
            return
        }
        let isAbandoned = flight.isAbandoned
        finish(flight.filled, flight.stream)
        if !isAbandoned { ring.consume(flight.stream, to: flight.filled.end) }
        // Losses that are in the account now must not be found in their own note again.
        noteIdle()
    }

    /// With `drop-oldest` the container never waits: the older half of a ring that is nearly full is given up, by whole
    /// lines, as far as it is not on its way to the disk.
    mutating func relieve(_ ring: borrowing OutputRing, _ stream: Int) {
        guard overflow == .dropOldest, tornSize == nil, ring.available(stream) >= LogWriter.nearlyFull else {
            return
        }
        let tail = ring.tail(stream)
        var start = tail
        var next = lost
        if let flight, flight.stream == stream, !flight.isAbandoned {
            start = flight.filled.end
            next.includesBatch = true
        }
        let wanted = ring.head(stream) &- UInt64(OutputRing.capacity / 2)
        // A batch on its way has been copied: its room can be had, also when it is half of the ring by itself.
        guard start < wanted || start > tail else { return }
        var end = start
        if start < wanted {
            let dropped = LogWriter.lines(ring, stream, from: start, beyond: wanted)
            end = dropped.end
            next.account.losses.overflowLines &+= dropped.lines
            next.account.losses.overflowBytes &+= end &- start
            next.account[stream].isCut = true
            next.account[stream].isSkipping = !dropped.isWhole
        }
        var note = LogNote(next.includesBatch ? .lossBehindBatch : .loss, generation: generation)
        note.stream = stream
        note.start = tail
        note.before = lost.account
        note.after = next.account
        note.write(to: notes + Int(CLINUX_NOTE_SIZE))
        lost = next
        if flight?.stream == stream { flight!.isAbandoned = true }
        ring.consume(stream, to: end)
    }

    /// Whole lines from a position to one that is not before another: where they end, how many they are, and whether
    /// the last one is whole.
    private static func lines(
        _ ring: borrowing OutputRing, _ stream: Int, from start: UInt64, beyond wanted: UInt64
    ) -> (end: UInt64, lines: UInt64, isWhole: Bool) {
        let head = ring.head(stream)
        var position = start
        var lines: UInt64 = 0
        var isInLine = false
        while position < head, position < wanted || isInLine {
            let bytes = ring.bytes(stream, from: position, limit: Int(head &- position))
            let end = clinux_find_byte(bytes.baseAddress!, bytes.count, UInt8(ascii: "\n"))
            if !isInLine { lines &+= 1 }
            position &+= UInt64(end < 0 ? bytes.count : end + 1)
            isInLine = end < 0
        }
        return (position, lines, !isInLine)
    }
}
