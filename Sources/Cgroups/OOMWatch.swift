internal import CLinux
public import Diagnostics
internal import Linux

/// Tells when the kernel found no memory for a cgroup: an eventfd on memory.oom_control of version 1 (cgroup-v1
/// memory.rst, "OOM Control"), changes of memory.events of version 2.
public struct OOMWatch: ~Copyable {
    private let source: Descriptor
    private let directory: String
    private let isUnified: Bool
    /// Kills so far; version 2.
    private var kills: UInt64 = 0
    /// The cgroup is gone: its file would be ready for ever.
    private var isOver = false

    private init(_ source: consuming Descriptor, _ directory: String, isUnified: Bool) {
        self.source = source
        self.directory = directory
        self.isUnified = isUnified
        if isUnified { kills = Self.kills(directory) }
    }

    /// nil when nobody counts the cgroup's memory.
    public static func begin(_ cgroup: Cgroup) throws(Failure) -> OOMWatch? {
        if cgroup.isUnified {
            guard let directory = cgroup.unified else { return nil }
            let path = directory.path + "/memory.events"
            let raw = clinux_openat(AT.cwd, path, O.readOnly, 0)
            if CgroupErrno.isGone(raw) { return nil }
            let events = try check(raw, "openat \(path)", "cannot watch for lack of memory")
            return OOMWatch(Descriptor(adopting: events), directory.path, isUnified: true)
        }
        guard let directory = cgroup.directories.first(where: { $0.has("memory") }) else { return nil }
        let path = directory.path + "/memory.oom_control"
        let raw = clinux_openat(AT.cwd, path, O.readOnly, 0)
        if CgroupErrno.isGone(raw) { return nil }
        let control = Descriptor(
            adopting: try check(raw, "openat \(path)", "cannot watch for lack of memory"))
        let events = Descriptor(
            adopting: try check(clinux_eventfd(), "eventfd", "cannot watch for lack of memory"))
        let file = directory.path + "/cgroup.event_control"
        _ = try check(
            CgroupFile.write("\(events.raw) \(control.raw)", to: file), "write \(file)",
            "cannot watch for lack of memory")
        return OOMWatch(events, directory.path, isUnified: false)
    }

    /// What epoll(7) is to wait for; ask `hasHappened` then.
    public var readiness: (descriptor: CInt, events: UInt32) {
        (source.raw, CLINUX_EVENT_EDGE | (isUnified ? CLINUX_EVENT_PRIORITY : CLINUX_EVENT_IN))
    }

    /// Waits until a process has ended, something may have happened to the memory, or the time is over.
    ///
    /// - Returns: which of the first two.
    public func wait(for process: CInt, milliseconds: Int32) throws(Failure) -> (ended: Bool, changed: Bool) {
        let change = isUnified ? CLINUX_POLLPRI : CLINUX_POLLIN
        var set = [
            clinux_pollfd(fd: process, events: Int16(CLINUX_POLLIN), revents: 0),
            clinux_pollfd(fd: isOver ? -1 : source.raw, events: Int16(change), revents: 0),
        ]
        _ = try check(clinux_poll(&set, 2, milliseconds), "poll", "cannot wait for the container")
        return (set[0].revents != 0, set[1].revents != 0)
    }

    /// Whether memory has been short since it was asked last.
    public mutating func hasHappened() -> Bool {
        if isUnified {
            // Reading says which state is known: the next wait is for another one.
            var scratch = [UInt8](repeating: 0, count: 256)
            let raw = source.raw
            isOver = scratch.withUnsafeMutableBytes { clinux_pread(raw, $0.baseAddress!, $0.count, 0) } < 0
            let before = kills
            kills = max(kills, Self.kills(directory))
            return kills > before
        }
        let count = clinux_eventfd_read(source.raw)
        if count <= 0 { return false }
        // The removal of the cgroup counts once, too.
        let isThere = clinux_exists(directory) == 0
        return isThere || count > 1
    }

    private static func kills(_ directory: String) -> UInt64 {
        Statistics.value(of: "oom_kill", in: Statistics.table(directory + "/memory.events"))
    }
}
