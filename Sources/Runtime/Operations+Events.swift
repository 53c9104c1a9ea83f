internal import CLinux
public import Cgroups
public import Diagnostics
internal import Linux
internal import Store

/// What `events` tells.
public enum ContainerEvent: Sendable {
    case statistics(Statistics)
    /// The kernel found no memory for the container.
    case outOfMemory
}

extension Operations {
    /// `events --stats`: what the container uses now.
    public static func statistics(id: String, root: String) throws(Failure) -> Statistics {
        let container = try running(id, root)
        guard let record = container.record else { throw ended(id) }
        return try ContainerCgroup.statistics(record)
    }

    /// `events`: the same again and again, and lack of memory when it happens, until the container has ended.
    ///
    /// - Parameter interval: nanoseconds, above 0.
    public static func events(
        id: String, root: String, interval: Int64, tell: (ContainerEvent) throws(Failure) -> Void
    ) throws(Failure) {
        let container = try running(id, root)
        guard let record = container.record, let process = try container.openProcess() else {
            throw ended(id)
        }
        var watch = try ContainerCgroup.watchMemory(record)
        // Whoever waits for centuries does not live to see it.
        let interval = min(interval, Int64.max / 4)
        var next = clinux_monotonic() + interval
        while true {
            let left = max(0, next - clinux_monotonic())
            // Rounded up, so that it is not woken just before.
            let milliseconds = Int32(clamping: (left + 999_999) / 1_000_000)
            let ready = try wait(process, watch, milliseconds)
            if ready.changed || ready.ended, watch?.hasHappened() ?? false { try tell(.outOfMemory) }
            if ready.ended { return }
            let now = clinux_monotonic()
            guard now >= next else { continue }
            try tell(.statistics(try ContainerCgroup.statistics(record)))
            // What a suspended machine missed is not made up for.
            next = max(next + interval, now)
        }
    }

    private static func running(_ id: String, _ root: String) throws(Failure) -> LiveContainer {
        let container = try LiveContainer.look(try Store(root: root).open(id))
        switch container.status {
        case .created, .running, .paused: return container
        case .creating, .stopped: throw ended(id)
        }
    }

    private static func ended(_ id: String) -> Failure {
        Failure(.state, "container with id \(id) is not running")
    }

    private static func wait(
        _ process: borrowing Descriptor, _ watch: borrowing OOMWatch?, _ milliseconds: Int32
    ) throws(Failure) -> (ended: Bool, changed: Bool) {
        switch watch {
        case .some(let watch): return try watch.wait(for: process.raw, milliseconds: milliseconds)
        case .none:
            let ready = try check(
                clinux_wait_readable(process.raw, -1, milliseconds), "poll", "cannot wait for the container")
            return (ready & 1 != 0, false)
        }
    }
}
