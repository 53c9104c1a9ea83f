internal import CLinux
internal import Diagnostics
internal import Store

// Status and messages, on a disk that may be full, or read-only for a while.
extension Supervisor {
    /// A line of `messages` that could not be written.
    struct Message {
        var text: String
        /// Nanoseconds since the epoch.
        var time: Int64
    }

    /// So many are kept; the oldest tell why.
    private static let mostUntold = 100
    private static let storePause: Int64 = 1_000_000_000

    func note(_ text: String) {
        let time = clinux_realtime()
        if untold.isEmpty, container.note(text, at: time) { return }
        if untold.count < Supervisor.mostUntold { untold.append(Message(text: text, time: time)) }
        if storeRetryAt == 0 { storeRetryAt = clinux_monotonic() + Supervisor.storePause }
    }

    func writeStatus() {
        do throws(Failure) {
            try container.setStatus(core.status)
            statusIsDue = false
        } catch {
            // As when the disk is full. Told once.
            if !statusIsDue { note(error.description) }
            statusIsDue = true
            storeRetryAt = clinux_monotonic() + Supervisor.storePause
        }
    }

    func writeAgain() {
        storeRetryAt = 0
        if statusIsDue { writeStatus() }
        var count = 0
        while count < untold.count, container.note(untold[count].text, at: untold[count].time) { count += 1 }
        untold.removeFirst(count)
        if !untold.isEmpty { storeRetryAt = clinux_monotonic() + Supervisor.storePause }
    }

    /// Nobody else would write it. Who deletes the container does not want it any more.
    var isHeldUp: Bool {
        (statusIsDue || !untold.isEmpty) && !isImpatient && core.halt != .released && container.isPresent()
    }
}
