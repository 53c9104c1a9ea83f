internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

extension LogWriter {
    /// journald takes an entry or does not; there is no way to ask whether it took the one before a kill -9, so that
    /// one may be there twice.
    mutating func drainToJournal(
        _ ring: borrowing OutputRing, _ stream: Int, _ isFinal: Bool, _ progress: inout LogProgress
    ) {
        if !hasRecovered { recoverLosses(ring) }
        if let trouble, clinux_monotonic() < trouble.retryAt {
            return waitForJournal(until: trouble.retryAt, ring, stream, &progress)
        }
        if lost != Lost() { noteIdle() }
        let limit = ring.tail(stream) &+ UInt64(OutputRing.capacity)
        while ring.tail(stream) < limit {
            let code = sendNext(ring, stream, isFinal)
            if code == LogWriter.nothing { return }
            guard code < 0 else {
                journalBusySince = 0
                endTrouble()
                continue
            }
            let now = clinux_monotonic()
            if journalBusySince == 0 { journalBusySince = now }
            // A queue that is full for a moment is how datagrams are.
            let isBusy = code == -Errno.EAGAIN && now - journalBusySince < LogWriter.stopPatience
            if !isBusy { begin(Failure.system(-code, "send", "cannot write to journald")) }
            return waitForJournal(until: trouble?.retryAt ?? now + 10_000_000, ring, stream, &progress)
        }
        progress.hasMore = ring.available(stream) > 0
    }

    private static let nothing: CInt = 1

    private mutating func waitForJournal(
        until time: Int64, _ ring: borrowing OutputRing, _ stream: Int, _ progress: inout LogProgress
    ) {
        progress.retryAt = time
        if overflow == .stop, trouble != nil { progress.mustStop = true }
        relieve(ring, stream)
    }

    /// Sends the next piece, or what is to be told before it. 0, -errno, or `nothing` when there is none.
    private mutating func sendNext(
        _ ring: borrowing OutputRing, _ stream: Int, _ isFinal: Bool
    ) -> CInt {
        let position = ring.tail(stream)
        let piece = batch.next(ring, stream, position, isFinal)
        guard let piece else {
            return isFinal && !account.losses.isEmpty ? sendLosses() : LogWriter.nothing
        }
        let end = position &+ UInt64(piece.taken)
        let isPassing =
            !account[stream].isSkipping
            && (rate.limit == 0
                || rate.take(piece.taken, time: ring.arrival(stream, of: end &- 1).time))
        guard isPassing else {
            if !account[stream].isSkipping { account.losses.rateLines &+= 1 }
            account.losses.rateBytes &+= UInt64(piece.taken)
            account[stream].isSkipping = !piece.isWhole
            ring.consume(stream, to: end)
            return 0
        }
        if !account.losses.isEmpty {
            let code = sendLosses()
            if code < 0 { return code }
        }
        let code = journal.send(piece.text, stream: stream, isWhole: piece.isWhole)
        if code == 0 { ring.consume(stream, to: end) }
        return code
    }

    private mutating func sendLosses() -> CInt {
        for sentence in account.losses.sentences {
            let code = journal.tell(sentence)
            if code < 0 { return code }
        }
        account.losses = Losses()
        noteIdle()
        return 0
    }

    private mutating func recoverLosses(_ ring: borrowing OutputRing) {
        hasRecovered = true
        if let note = LogNote(at: notes) {
            generation = note.generation
            account = note.after
            if let loss = LogNote(at: notes + Int(CLINUX_NOTE_SIZE)), loss.generation == generation {
                lost.account = ring.tail(loss.stream) == loss.start ? loss.before : loss.after
            }
        }
        noteIdle()
    }
}
