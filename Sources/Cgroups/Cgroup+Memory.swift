internal import CLinux
internal import Diagnostics

extension Cgroup {
    /// How many of its processes the kernel has killed since memory was short; 0 when nobody counts.
    public func outOfMemoryKills() -> UInt64 {
        guard let directory = memoryDirectory else { return 0 }
        let file = isUnified ? "/memory.events" : "/memory.oom_control"
        return Statistics.value(of: "oom_kill", in: Statistics.table(directory.path + file))
    }

    /// Whether what counted its memory has been removed: a scope of systemd's goes with its last process.
    public var memoryIsForgotten: Bool {
        memoryDirectory.map { clinux_exists($0.path) != 0 } ?? false
    }

    private var memoryDirectory: Directory? {
        isUnified ? unified : directories.first { $0.has("memory") }
    }
}
