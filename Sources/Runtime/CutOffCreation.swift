internal import CLinux
internal import Cgroups
internal import Diagnostics
internal import Linux
internal import Store

/// What is left of a creation that was cut off before its process was written down: perhaps cgroups, and an init in
/// them. It ends by itself when it next wants to tell something, unless it hangs: it is frozen, or waits for a file
/// system.
///
/// The creation may have been cut off before it noticed that the cgroup is somebody else's, so only what bears its
/// mark is touched.
enum CutOffCreation {
    /// - Returns: what stays since it is not the container's, as a sentence; nil when nothing does.
    static func remove(_ record: Record) throws(Failure) -> Failure? {
        let cgroup = try ContainerCgroup.cgroup(record)
        try endInit(InitMark(record), in: cgroup)
        try ContainerCgroup.unit(record)?.removeUnused(cgroup)
        guard let busy = try cgroup.removeUnused().first else { return nil }
        let others = try cgroup.processesAnywhere().map { String($0) }.joined(separator: ", ")
        return Failure(
            .state,
            "what was left of the container is removed, but not its cgroup: it is in use by other processes"
                + (others.isEmpty ? "" : " (\(others))"), at: busy.path)
    }

    /// Between two looks, in milliseconds.
    private static let pause: CInt = 10

    private static func endInit(_ mark: InitMark, in cgroup: Cgroup) throws(Failure) {
        var left = Operations.deathPatience
        // One that is dying has no command line any more.
        var killed: [Int32] = []
        while true {
            let all = try cgroup.processesAnywhere()
            let ours = all.filter { killed.contains($0) || mark.isOn($0) }
            guard let pid = ours.first else { return }
            guard left > 0 else {
                throw Failure(
                    .system,
                    "process \(pid) of the cut-off creation did not die within"
                        + " \(Operations.deathPatience / 1000) s of SIGKILL",
                    at: cgroup.directories.first?.path)
            }
            for pid in ours where kill(pid, mark) { killed.append(pid) }
            // It does not die while it is frozen; but others would be thawed with it.
            if ours.count == all.count, try cgroup.isFrozen() { try cgroup.thaw() }
            clinux_sleep(pause)
            left -= pause
        }
    }

    /// Looked at again once it is held: the number cannot become somebody else's then.
    ///
    /// - Returns: whether it is one of ours, and has been killed.
    private static func kill(_ pid: Int32, _ mark: InitMark) -> Bool {
        let raw = clinux_pidfd_open(pid)
        guard raw >= 0 else { return false }
        let process = Descriptor(adopting: raw)
        return mark.isOn(pid) && clinux_pidfd_signal(process.raw, 9) == 0
    }
}
