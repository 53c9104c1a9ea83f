internal import Diagnostics
internal import OCI

// cpu.shares   v1 cpu.shares                          v2 cpu.weight, converted
// cpu.quota, cpu.period
//              v1 cpu.cfs_quota_us, cpu.cfs_period_us v2 cpu.max, both in one line
// cpu.burst    v1 cpu.cfs_burst_us                    v2 cpu.max.burst     Linux 5.14
// cpu.idle     v1 and v2 cpu.idle                                          Linux 5.15
// cpu.cpus, cpu.mems   v1 and v2 cpuset.cpus, cpuset.mems
extension ResourceSettings {
    private typealias CPU = Spec.Linux.Resources.CPU
    private static let place = "linux.resources.cpu"

    mutating func add(_ cpu: Spec.Linux.Resources.CPU) throws(Failure) {
        switch version {
        case .v1: try addVersion1(cpu)
        case .v2: try addVersion2(cpu)
        }
        if let burst = cpu.burst {
            addCPU(
                version == .v1 ? "cpu.cfs_burst_us" : "cpu.max.burst", String(burst), "burst",
                zeroIsDefault: burst == 0)
        }
        if let idle = cpu.idle {
            guard idle == 0 || idle == 1 else {
                throw Failure(.invalid, "must be 0 or 1", at: Self.place + ".idle")
            }
            addCPU("cpu.idle", String(idle), "idle", zeroIsDefault: idle == 0)
        }
        try addSet(cpu.cpus, "cpus")
        try addSet(cpu.mems, "mems")
    }

    private mutating func addVersion1(_ cpu: CPU) throws(Failure) {
        if let shares = cpu.shares, shares != 0 {
            // The kernel would take the nearest one that it allows, without a word.
            guard shares >= 2 else {
                throw Failure(.invalid, "the minimum allowed cpu-shares is 2", at: Self.place + ".shares")
            }
            guard shares <= 262_144 else {
                throw Failure(
                    .invalid, "the maximum allowed cpu-shares is 262144", at: Self.place + ".shares")
            }
            addWeight("cpu.shares", String(shares), cpu)
        }
        if let period = cpu.realtimePeriod, period != 0 {
            addCPU("cpu.rt_period_us", String(period), "realtimePeriod")
        }
        if let runtime = cpu.realtimeRuntime, runtime != 0 {
            addCPU("cpu.rt_runtime_us", String(runtime), "realtimeRuntime")
        }
        if let period = cpu.period, period != 0 { addCPU("cpu.cfs_period_us", String(period), "period") }
        if let quota = cpu.quota, quota != 0 { addCPU("cpu.cfs_quota_us", String(max(quota, -1)), "quota") }
    }

    private mutating func addVersion2(_ cpu: CPU) throws(Failure) {
        if let shares = cpu.shares, shares != 0 {
            addWeight("cpu.weight", String(CPUWeight.weight(ofShares: shares)), cpu)
        }
        for (value, name) in [
            (cpu.realtimePeriod ?? 0 != 0, "realtimePeriod"),
            (cpu.realtimeRuntime ?? 0 != 0, "realtimeRuntime"),
        ] where value {
            throw Failure(.unsupported, "cgroup v2 has no realtime limits", at: Self.place + "." + name)
        }
        let quota = cpu.quota ?? 0
        let period = cpu.period ?? 0
        guard quota != 0 || period != 0 else { return }
        let line = (quota > 0 ? String(quota) : "max") + (period != 0 ? " " + String(period) : "")
        addCPU("cpu.max", line, quota != 0 ? "quota" : "period")
    }

    /// An idle cgroup has a weight of its own, refuses others, and forgets the one before.
    private mutating func addWeight(_ file: String, _ value: String, _ cpu: CPU) {
        if cpu.idle != 1 { addCPU(file, value, "shares") }
    }

    /// A list such as `0-3,7`; the kernel checks it.
    private mutating func addSet(_ list: String?, _ name: String) throws(Failure) {
        guard let list, !list.isEmpty else { return }
        if list.utf8.contains(where: { $0 < 0x20 }) {
            throw Failure(.invalid, "must be a list such as 0-3,7", at: Self.place + "." + name)
        }
        add(
            Setting(controller: "cpuset", file: "cpuset." + name, value: list, place: Self.place + "." + name)
        )
    }

    private mutating func addCPU(_ file: String, _ value: String, _ name: String, zeroIsDefault: Bool = false)
    {
        add(
            Setting(
                controller: "cpu", file: file, value: value, place: Self.place + "." + name,
                mayBeMissing: zeroIsDefault))
    }
}
