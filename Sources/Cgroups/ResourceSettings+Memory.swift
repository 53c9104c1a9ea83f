internal import Diagnostics
internal import OCI

// memory.limit      v1 memory.limit_in_bytes         v2 memory.max
// memory.swap       v1 memory.memsw.limit_in_bytes   v2 memory.swap.max: swap alone, so memory is subtracted
// memory.reservation v1 memory.soft_limit_in_bytes   v2 memory.low
extension ResourceSettings {
    private typealias Memory = Spec.Linux.Resources.Memory
    private static let place = "linux.resources.memory"

    mutating func add(_ memory: Spec.Linux.Resources.Memory) throws(Failure) {
        let limit = try Self.bytes(memory.limit, "limit")
        let reservation = try Self.bytes(memory.reservation, "reservation")
        let swap = try Self.bytes(memory.swap, "swap")
        if let limit, let swap, limit > 0, swap > 0, swap < limit {
            throw Failure(
                .invalid, "must not be less than memory.limit: it counts memory and swap together",
                at: Self.place + ".swap")
        }
        switch version {
        case .v1: try addVersion1(memory, limit, reservation, swap)
        case .v2: try addVersion2(memory, limit, reservation, swap)
        }
        if (memory.kernel ?? 0) != 0 { warnOfKernelLimit("kernel") }
        if (memory.kernelTCP ?? 0) != 0 { warnOfKernelLimit("kernelTCP") }
        if memory.useHierarchy == false {
            warn(Self.place + ".useHierarchy", "ignored: Linux counts memory hierarchically since 5.11")
        }
        // checkBeforeUpdate is about a cgroup in use; a new one uses nothing.
    }

    private mutating func addVersion1(
        _ memory: Memory, _ limit: Int64?, _ reservation: Int64?, _ swap: Int64?
    ) throws(Failure) {
        if let swap, swap > 0, (limit ?? -1) < 0 {
            throw Failure(
                .invalid, "needs a memory.limit: it counts memory and swap together", at: Self.place + ".swap"
            )
        }
        if let limit { addMemory("memory.limit_in_bytes", String(limit), "limit") }
        // After the limit, which it must not be below.
        if let swap {
            addMemory("memory.memsw.limit_in_bytes", String(swap), "swap", mayBeMissing: swap < 0)
        } else if limit == -1 {
            // "No limit" would be one while swap is limited.
            addMemory("memory.memsw.limit_in_bytes", "-1", "limit", mayBeMissing: true)
        }
        if let reservation { addMemory("memory.soft_limit_in_bytes", String(reservation), "reservation") }
        if let swappiness = memory.swappiness, swappiness != Self.unsetSwappiness {
            guard swappiness <= 100 else {
                throw Failure(.invalid, "must be 0…100", at: Self.place + ".swappiness")
            }
            addMemory("memory.swappiness", String(swappiness), "swappiness")
        }
        if memory.disableOOMKiller == true { addMemory("memory.oom_control", "1", "disableOOMKiller") }
    }

    /// What engines make of -1, their word for "not set".
    private static let unsetSwappiness = UInt64.max

    private mutating func addVersion2(
        _ memory: Memory, _ limit: Int64?, _ reservation: Int64?, _ swap: Int64?
    ) throws(Failure) {
        if memory.swappiness ?? Self.unsetSwappiness != Self.unsetSwappiness {
            throw Failure(.unsupported, "cgroup v2 has no swappiness", at: Self.place + ".swappiness")
        }
        if memory.disableOOMKiller == true {
            throw Failure(
                .unsupported, "the OOM killer cannot be disabled on cgroup v2",
                at: Self.place + ".disableOOMKiller")
        }
        if let alone = try Self.swapAlone(limit: limit, swap: swap) {
            let place = swap == nil ? "limit" : "swap"
            addMemory("memory.swap.max", Self.orMax(alone), place, mayBeMissing: alone <= 0)
        }
        if let limit { addMemory("memory.max", Self.orMax(limit), "limit") }
        if let reservation { addMemory("memory.low", Self.orMax(reservation), "reservation") }
    }

    /// memory.swap of the specification counts memory too; memory.swap.max does not. -1: no limit.
    private static func swapAlone(limit: Int64?, swap: Int64?) throws(Failure) -> Int64? {
        guard let swap else { return limit == -1 ? -1 : nil }
        if swap == -1 || limit == -1 { return swap }
        guard let limit else {
            throw Failure(
                .invalid, "needs a memory.limit: it counts memory and swap together", at: place + ".swap")
        }
        return swap - limit
    }

    /// nil for what is not set. -1 is "no limit".
    private static func bytes(_ value: Int64?, _ name: String) throws(Failure) -> Int64? {
        guard let value, value != 0 else { return nil }
        guard value >= -1 else {
            throw Failure(.invalid, "must be a number of bytes, or -1 for no limit", at: place + "." + name)
        }
        return value
    }

    private mutating func addMemory(
        _ file: String, _ value: String, _ name: String, mayBeMissing: Bool = false
    ) {
        add(
            Setting(
                controller: "memory", file: file, value: value, place: Self.place + "." + name,
                mayBeMissing: mayBeMissing))
    }

    private mutating func warnOfKernelLimit(_ name: String) {
        warn(Self.place + "." + name, "ignored: kernel memory cannot be limited on its own since Linux 5.16")
    }

    static func orMax(_ value: Int64) -> String {
        value < 0 ? "max" : String(value)
    }
}
