internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

extension LogWriter {
    /// A batch that the appender writes.
    struct Flight {
        var stream: Int
        var start: UInt64
        var filled: LineBatch.Filled
        /// CLOCK_MONOTONIC, nanoseconds.
        var since: Int64
        /// Its lines are out of the ring already: lines behind them had to go.
        var isAbandoned = false
    }

    /// Bytes of a ring that `drain` takes at most, so that others have their turn.
    private static let share = UInt64(OutputRing.capacity)
    /// Above it, memory is worth giving back.
    private static let largeBatch = 64 << 10

    mutating func drainToFile(
        _ ring: borrowing OutputRing, _ stream: Int, _ isFinal: Bool, _ progress: inout LogProgress
    ) {
        if flight != nil {
            land(ring)
            progress.hasLanded = flight == nil
        }
        guard isReady(ring, stream, &progress) else { return }
        let limit = ring.tail(stream) &+ LogWriter.share
        var largest = 0
        while true {
            let filled: LineBatch.Filled
            do throws(Failure) {
                try prepareFile(ring)
                filled = try nextBatch(ring, stream, isFinal)
            } catch {
                begin(error)
                progress.retryAt = trouble!.retryAt
                break
            }
            if filled.length == 0 && filled.end == ring.tail(stream) {
                guard filled.needsFile || tellLosses(ring, stream, isFinal, &progress) else { break }
                if trouble?.easing == stream || ring.available(0) + ring.available(1) == 0 { endTrouble() }
                break
            }
            largest = max(largest, filled.length)
            guard write(filled, ring, stream) else {
                // The pause may be over already.
                if isReady(ring, stream, &progress) { progress.hasMore = true }
                return
            }
            if ring.tail(stream) >= limit {
                progress.hasMore = ring.available(stream) > 0
                break
            }
        }
        if largest > LogWriter.largeBatch { holdsMemory = true }
    }

    /// Whether something can be written now; if not, `progress` says when, and what that means for the container.
    private mutating func isReady(
        _ ring: borrowing OutputRing, _ stream: Int, _ progress: inout LogProgress
    ) -> Bool {
        if let flight {
            relieve(ring, stream)
            if overflow == .stop {
                let deadline = flight.since + LogWriter.stopPatience
                if clinux_monotonic() >= deadline {
                    progress.mustStop = true
                } else {
                    progress.retryAt = deadline
                }
            }
            return false
        }
        guard let trouble else { return true }
        if overflow == .stop { progress.mustStop = true }
        if clinux_monotonic() >= trouble.retryAt { return true }
        relieve(ring, stream)
        progress.retryAt = trouble.retryAt
        return false
    }

    /// The file as it must be for the next batch: there, known, without half a line at its end.
    private mutating func prepareFile(_ ring: borrowing OutputRing) throws(Failure) {
        if !hasRecovered { try recover(ring) }
        let isLinked = try file.look()
        if isUnsettled || !isLinked { try settleFile() }
        if lost != Lost() { noteIdle() }
        if let torn = tornSize {
            try file.cut(to: torn)
            tornSize = nil
            noteIdle()
        }
    }

    /// Lines for the file, which is rotated when they do not fit. Empty when there are none.
    private mutating func nextBatch(
        _ ring: borrowing OutputRing, _ stream: Int, _ isFinal: Bool
    ) throws(Failure) -> LineBatch.Filled {
        for _ in 0..<2 {
            let isLimited = maxSize > 0 && rotationRetryAt == 0
            let room = isLimited ? max(0, maxSize - file.size) : .max
            let filled = batch.fill(
                ring, stream: stream, isFinal: isFinal, room: room, mayExceed: file.size == 0,
                account: account, rate: rate, isSmall: trouble != nil && trouble!.easing == nil)
            guard filled.needsFile, filled.length == 0, filled.end == ring.tail(stream) else { return filled }
            rotate()
        }
        // Half a file is too much for the next line, too.
        return batch.fill(
            ring, stream: stream, isFinal: isFinal, room: .max, mayExceed: true, account: account, rate: rate,
            isSmall: true)
    }

    /// A log that cannot be rotated grows; nothing is lost by that.
    private mutating func rotate() {
        do throws(Failure) {
            try file.rotate(count: maxFiles)
            noteIdle()
        } catch {
            messages.append("the log grows, since it cannot be rotated: \(error.description)")
            rotationRetryAt = clinux_monotonic() + LogWriter.rotationPause
        }
    }

    private static let rotationPause: Int64 = 10_000_000_000

    /// Notes a batch, writes it, or has it written, and takes its lines out of the ring. False when that is not done
    /// yet, or failed.
    private mutating func write(
        _ filled: LineBatch.Filled, _ ring: borrowing OutputRing, _ stream: Int
    ) -> Bool {
        if rotationRetryAt != 0, clinux_monotonic() >= rotationRetryAt { rotationRetryAt = 0 }
        note(filled, .batch, stream, ring.tail(stream))
        if filled.length > 0 {
            if appender.isThere {
                flight = Flight(
                    stream: stream, start: ring.tail(stream), filled: filled, since: clinux_monotonic())
                let (raw, size) = (file.raw, file.size)
                appender.submit(batch.bytes, filled.length, to: raw, size: size, sync: sync)
                return false
            }
            var isTorn: CInt = 0
            let code = clinux_append(
                file.raw, batch.bytes, filled.length, file.size, sync ? 1 : 0, &isTorn)
            guard code == 0 else {
                fail(code, isTorn: isTorn != 0)
                return false
            }
        }
        finish(filled, stream)
        ring.consume(stream, to: filled.end)
        return true
    }

    /// What holds once a batch is in the file.
    mutating func finish(_ filled: LineBatch.Filled, _ stream: Int) {
        file.grow(by: filled.length)
        account = filled.account
        rate = filled.rate
        if account.losses.isEmpty { lossesDue = 0 }
        lost.apply(to: &account)
        lost = Lost()
        if filled.length > 0 { easeTrouble(stream) }
    }

    mutating func fail(_ code: CInt, isTorn: Bool) {
        if isTorn {
            // Until it is cut off the note stays as it is, for whoever takes over.
            tornSize = file.size
        } else {
            noteIdle()
        }
        begin(Failure.system(-code, "write \(path)", "cannot write the log"))
    }

    mutating func note(_ filled: LineBatch.Filled, _ kind: LogNote.Kind, _ stream: Int, _ start: UInt64) {
        generation = (generation &+ 1) & 0xffff_ffff
        var note = LogNote(kind, generation: generation)
        note.stream = stream
        note.start = start
        note.size = file.size
        note.length = filled.length
        note.device = file.device
        note.inode = file.inode
        note.before = account
        note.after = filled.account
        note.lines = filled.lines
        note.bytes = filled.bytes
        note.write(to: notes)
    }

    /// Nothing is under way: what is given up from now on has nothing to do with the batch before.
    mutating func noteIdle() {
        lost.apply(to: &account)
        lost = Lost()
        generation = (generation &+ 1) & 0xffff_ffff
        var note = LogNote(.idle, generation: generation)
        note.before = account
        note.after = account
        note.write(to: notes)
    }

    // MARK: Losses

    /// Tells what was given up when no line comes that takes it along: after a second, or at the end.
    ///
    /// - Returns: false when that failed, and is tried again.
    private mutating func tellLosses(
        _ ring: borrowing OutputRing, _ stream: Int, _ isFinal: Bool, _ progress: inout LogProgress
    ) -> Bool {
        guard !account.losses.isEmpty else { return true }
        let now = clinux_monotonic()
        if lossesDue == 0 { lossesDue = now + LogWriter.lossesPause }
        // A log that seems to be written again has to take this, too, before that is told.
        guard isFinal || trouble != nil || now >= lossesDue else {
            progress.retryAt = lossesDue
            return true
        }
        // At the very end standard error has no line any more that could be hurt.
        let isEnd = isFinal && ring.hasEnded(1) && ring.available(1) == 0
        let filled = batch.fillLosses(account: account, rate: rate, at: ring.tail(stream), isEnd: isEnd)
        guard filled.length > 0 else { return true }
        note(filled, .notice, stream, ring.tail(stream))
        var isTorn: CInt = 0
        let code = clinux_append(
            file.raw, batch.bytes, filled.length, file.size, sync ? 1 : 0, &isTorn)
        guard code == 0 else {
            fail(code, isTorn: isTorn != 0)
            progress.retryAt = trouble!.retryAt
            return false
        }
        finish(filled, stream)
        noteIdle()
        return true
    }

    private static let lossesPause: Int64 = 1_000_000_000
}
