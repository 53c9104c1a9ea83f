internal import CLinux
internal import Diagnostics
internal import Keeper

extension LogWriter {
    /// Brings file and account to where the notes of the writer before, and the ring, say they are.
    mutating func recover(_ ring: borrowing OutputRing) throws(Failure) {
        try file.look()
        if let note = LogNote(at: notes) {
            generation = note.generation
            let isDone = isDone(note, ring)
            account = isDone ? note.after : note.before
            if !isDone, note.kind != .idle { try cutBack(note) }
            try recoverLosses(behind: note, isDone: isDone, ring)
        }
        try file.endTornLine()
        hasRecovered = true
        noteIdle()
    }

    private func isDone(_ note: LogNote, _ ring: borrowing OutputRing) -> Bool {
        switch note.kind {
        case .batch: ring.tail(note.stream) != note.start
        case .notice: file.isFile(note) && file.size == note.size + Int64(note.length)
        case .idle, .loss, .lossBehindBatch: true
        }
    }

    /// Cuts off what was written of a batch; all of it comes again.
    private mutating func cutBack(_ note: LogNote) throws(Failure) {
        if file.isFile(note) {
            try file.cut(to: note.size)
        } else {
            messages.append(
                "\(path) is not the file that was written when the supervisor was killed;"
                    + " lines may be in both")
        }
    }

    private mutating func recoverLosses(
        behind note: LogNote, isDone: Bool, _ ring: borrowing OutputRing
    ) throws(Failure) {
        guard let loss = LogNote(at: notes + Int(CLINUX_NOTE_SIZE)), loss.generation == note.generation else {
            return
        }
        var lost = Lost()
        lost.account = ring.tail(loss.stream) == loss.start ? loss.before : loss.after
        lost.apply(to: &account)
        // The batch had left the ring before it was known whether it got into the file.
        guard loss.kind == .lossBehindBatch, note.kind == .batch, isDone,
            !file.isFile(note) || file.size != note.size + Int64(note.length)
        else { return }
        try cutBack(note)
        account.losses.overflowLines &+= note.lines
        account.losses.overflowBytes &+= note.bytes
    }
}
