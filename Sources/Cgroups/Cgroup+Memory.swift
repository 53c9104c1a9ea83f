internal import Diagnostics

extension Cgroup {
    /// How many of its processes the kernel has killed since memory was short; 0 when nobody counts.
    public func outOfMemoryKills() -> UInt64 {
        if let unified, isUnified {
            return Statistics.value(of: "oom_kill", in: Statistics.table(unified.path + "/memory.events"))
        }
        guard let directory = directories.first(where: { $0.has("memory") }) else { return 0 }
        return Statistics.value(
            of: "oom_kill", in: Statistics.table(directory.path + "/memory.oom_control"))
    }
}
