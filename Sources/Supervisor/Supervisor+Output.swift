internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Logs
internal import Store

/// How far a stream has got on its way into the log.
struct StreamState {
    /// Up to where the log has looked; it leaves lines that are not whole.
    var looked = UInt64.max
    var hasMore = false
    /// The log is to look again, at once or then (CLOCK_MONOTONIC; 0 for no need).
    var isDue = false
    var retryAt: Int64 = 0
    /// The log was told that nothing more will come, and has everything.
    var wasFinal = false
    var isDrained = false
    /// Read by us, since the keeper is gone.
    var isReadHere = false
    /// Not read at the moment, since there is no room; epoll does not watch it then.
    var isFull = false
    /// Bytes that are still read, by us.
    var rest = Int.max
}

// What the container prints: to the attached clients at once, into the log in whole lines.
extension Supervisor {
    /// Whether something has arrived that nobody has looked at.
    var hasNewOutput: Bool {
        guard holdUntil == 0 else { return false }
        for stream in 0..<2 {
            if ring.arrived(stream) != seen[stream] { return true }
            if log != nil, ring.hasEnded(stream) != streams[stream].wasFinal { return true }
        }
        return false
    }

    /// - Returns: whether it is worth coming again at once.
    func moveOutput() -> Bool {
        guard holdUntil == 0 else { return false }
        var isBusy = false
        for stream in 0..<2 {
            // The log takes nothing out that has arrived since: attached clients have not got it.
            let head = ring.look(stream)
            let isFinal = ring.hasEnded(stream)
            if head != seen[stream] {
                spread(stream, from: seen[stream], to: head)
                seen[stream] = head
                isBusy = true
            }
            if drainLog(stream, head: head, isFinal: isFinal) { isBusy = true }
            resumeUnwatched(stream)
        }
        return isBusy
    }

    /// Tells the core when all that a container that has ended has printed is in the log.
    func lookWhetherDrained() {
        guard core.state == .draining, !core.isDrained, ring.hasEnded(0), ring.hasEnded(1),
            streams.allSatisfy({ $0.wasFinal && $0.isDrained })
        else { return }
        events.append(.drained)
        handleEvents()
    }

    private func drainLog(_ stream: Int, head: UInt64, isFinal: Bool) -> Bool {
        let state = streams[stream]
        let isRetry = state.retryAt != 0 && clinux_monotonic() >= state.retryAt
        guard
            head != state.looked || state.hasMore || state.isDue || isRetry || isFinal != state.wasFinal,
            let progress = log?.writer.drain(ring, stream: stream, isFinal: isFinal)
        else { return false }
        streams[stream].looked = head
        streams[stream].hasMore = progress.hasMore
        streams[stream].isDue = false
        streams[stream].retryAt = progress.retryAt ?? 0
        streams[stream].wasFinal = isFinal
        streams[stream].isDrained = progress.isDrained
        if progress.hasLanded { streams[1 - stream].isDue = true }
        for message in progress.messages { note(message) }
        if progress.mustStop {
            events.append(.logOverflow("the log cannot follow: the container is stopped"))
        }
        if log?.writer.holdsMemory ?? false { restAt = clinux_monotonic() + 1_000_000_000 }
        return progress.consumed > 0 || progress.hasMore || progress.hasLanded
    }

    /// A log that cannot be opened is tried again; nothing leaves the ring meanwhile.
    func openLog() {
        do throws(Failure) {
            let holder = LogHolder(try LogWriter(settings, notes: ring.notes))
            log = holder
            let watch = holder.writer.watch
            if watch >= 0 { try poller.add(watch, .log) }
            logRetryAt = 0
        } catch {
            if logRetryAt == 0 { note(error.description) }
            logRetryAt = clinux_monotonic() + 1_000_000_000
        }
    }

    func closeLog() {
        poller.remove(log?.writer.watch ?? -1)
        log = nil
    }

    // MARK: Attached clients

    private func spread(_ stream: Int, from: UInt64, to: UInt64) {
        for case let client? in clients where client.gets(stream) {
            send(client, stream, from: from, to: to)
        }
    }

    private func send(_ client: Client, _ stream: Int, from: UInt64, to: UInt64) {
        // It may have got some of it from the supervisor before.
        let served = stream == 0 ? client.served.0 : client.served.1
        var position = max(from, served)
        while position < to {
            let bytes = ring.bytes(stream, from: position, limit: Int(to - position))
            guard client.send(bytes, stream: stream) else { return drop(client) }
            position += UInt64(bytes.count)
        }
        if stream == 0 { client.served.0 = position } else { client.served.1 = position }
        updateEvents(client)
    }

    func attach(_ client: Client, _ attachment: ControlMessage.Attachment) {
        client.isAttached = true
        client.gets = attachment.wantsOutput
        client.sendsInput = attachment.sendsInput
        client.served = attachment.resumeAt ?? (seen[0], seen[1])
        let isTerminal = terminal.rawOrNone >= 0 || (settings.hasTerminal && !core.isUp)
        let answer = ControlMessage.Attached(
            hasTerminal: isTerminal, hasInput: settings.hasStdin || isTerminal, positions: client.served)
        guard client.send(.attached(answer)) else { return drop(client) }
        if attachment.size != 0 { resize(attachment.size) }
        if attachment.resumeAt != nil { resume(client) }
        countAttached()
        // The others have been told.
        if core.hasTold, core.memory.restartRequested == 0, !client.send(.ended(core.status.end)) {
            drop(client)
        }
    }

    /// Sends what has come since it was served last, as far as it is still there.
    private func resume(_ client: Client) {
        for stream in 0..<2 where client.gets(stream) {
            let served = stream == 0 ? client.served.0 : client.served.1
            let start = max(served, ring.tail(stream))
            guard served < seen[stream] else { continue }
            if start > served, !client.send(.lost(stream: stream, bytes: start - served)) {
                return drop(client)
            }
            send(client, stream, from: start, to: seen[stream])
        }
        if expected > 0 { expected -= 1 }
        if expected == 0 { holdUntil = 0 }
    }

    func countAttached() {
        var count: UInt32 = 0
        for case let client? in clients where client.isAttached { count += 1 }
        core.memory.attached = count
        remember()
    }

    func tellEnd() {
        for case let client? in clients where client.isAttached {
            if !client.send(.ended(core.status.end)) { drop(client) } else { updateEvents(client) }
        }
    }
}
