internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

/// A container as it is now: what the store says of it, seen together with what the kernel says of its
/// process.
struct LiveContainer: ~Copyable {
    let entry: StoredContainer
    /// nil when the creation was cut off before anything was made.
    let record: Record?
    /// nil when it was cut off before there was a process, or when that process is another one now.
    let process: InitRecord?
    let status: Status

    static func look(_ entry: consuming StoredContainer) throws(Failure) -> LiveContainer {
        let record = try entry.record()
        // Files go one by one when a container is deleted, so what is missing may just have been removed.
        if record == nil, try !entry.isPresent() {
            throw Failure(.notFound, "container does not exist", at: entry.id)
        }
        let recorded = try entry.initRecord()
        let process = try alive(recorded)
        let status: Status
        if recorded == nil || record == nil {
            status = .creating
        } else if process == nil {
            status = .stopped
        } else if process?.isCreating ?? false {
            status = .creating
        } else if try isFrozen(record) {
            // Also before `start`, which a frozen init could not answer.
            status = .paused
        } else {
            status = try entry.isInitWaiting() ? .created : .running
        }
        return LiveContainer(entry: entry, record: record, process: process, status: status)
    }

    private static func isFrozen(_ record: Record?) throws(Failure) -> Bool {
        guard let record else { return false }
        return try ContainerCgroup.isFrozen(record)
    }

    /// Opens, locks and looks.
    static func locked(_ id: String, root: String) throws(Failure) -> LiveContainer {
        try look(try Store(root: root).openLocked(id))
    }

    /// The recorded process, if it is still the same one and has not ended: a pid alone says nothing.
    static func alive(_ record: InitRecord?) throws(Failure) -> InitRecord? {
        guard let record, let stat = try ProcessStat.read(record.pid) else { return nil }
        return stat.startTime == record.startTime && stat.isAlive ? record : nil
    }

    /// A descriptor of the container's process; nil when it has ended. Checked again once the descriptor is
    /// open: from then on the pid cannot become somebody else's.
    func openProcess() throws(Failure) -> Descriptor? {
        guard let process else { return nil }
        let raw = clinux_pidfd_open(process.pid)
        if raw == -Errno.ESRCH { return nil }
        let descriptor = Descriptor(
            adopting: try check(raw, "pidfd_open \(process.pid)", "cannot reach the container's process"))
        guard try LiveContainer.alive(process) != nil else { return nil }
        return consume descriptor
    }

    /// Whether it has, or had, a keeper and a supervisor.
    var isSupervised: Bool { record?.supervised != nil }

    /// Gives its entry away, which stays locked.
    consuming func intoEntry() -> StoredContainer { entry }

    var report: ContainerReport? {
        guard let record else { return nil }
        return ContainerReport(
            id: record.id, pid: status == .stopped ? 0 : process?.pid ?? 0, status: status,
            bundle: record.bundle,
            rootfs: record.rootfs, created: record.created, ownerUID: record.ownerUID,
            annotations: record.annotations)
    }
}
