import Diagnostics
import OCI
import Testing

@testable import Cgroups

typealias Resources = Spec.Linux.Resources

@Suite struct ResourceSettingsTests {
    /// `file=value`, in order.
    static func written(_ version: ResourceSettings.Version, _ change: (inout Resources) -> Void)
        throws(Failure) -> [String]
    {
        var resources = Resources()
        change(&resources)
        return try ResourceSettings(resources, version).settings.map { "\($0.file)=\($0.value)" }
    }

    static func failure(_ version: ResourceSettings.Version, _ change: (inout Resources) -> Void) -> String {
        do {
            return "no failure: \(try written(version, change))"
        } catch {
            return error.description
        }
    }

    static func memory(_ change: (inout Resources.Memory) -> Void) -> Resources.Memory {
        var memory = Resources.Memory()
        change(&memory)
        return memory
    }

    static func cpu(_ change: (inout Resources.CPU) -> Void) -> Resources.CPU {
        var cpu = Resources.CPU()
        change(&cpu)
        return cpu
    }

    @Test func nothing() throws {
        #expect(try ResourceSettings(nil, .v1).settings.isEmpty)
        #expect(try ResourceSettings(Resources(), .v2).settings.isEmpty)
    }

    // What docker writes when nothing was asked for.
    @Test func zerosAreUnset() throws {
        for version in [ResourceSettings.Version.v1, .v2] {
            let written = try Self.written(version) {
                $0.memory = Self.memory { memory in
                    memory.limit = 0
                    memory.swap = 0
                    memory.reservation = 0
                    memory.kernel = 0
                    memory.disableOOMKiller = false
                }
                $0.cpu = Self.cpu { cpu in
                    cpu.shares = 0
                    cpu.quota = 0
                    cpu.period = 0
                    cpu.realtimePeriod = 0
                    cpu.realtimeRuntime = 0
                    cpu.cpus = ""
                    cpu.mems = ""
                }
                $0.pids = Resources.Pids()
            }
            #expect(written.isEmpty)
        }
    }
}

@Suite struct PidsTests {
    typealias This = ResourceSettingsTests

    /// runtime-spec 1.3: -1 is "no limit"; from 0 on a limit. One process has to be there, so 0 and 1 are the
    /// same.
    @Test(
        arguments: [(-1, "max"), (0, "1"), (1, "1"), (2, "2"), (4_194_304, "4194304")] as [(Int64, String)])
    func limit(limit: Int64, value: String) throws {
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(try This.written(version) { $0.pids = .init(limit: limit) } == ["pids.max=\(value)"])
        }
    }
}

@Suite struct MemoryTests {
    typealias This = ResourceSettingsTests

    private func v1(_ change: (inout Resources.Memory) -> Void) throws(Failure) -> [String] {
        let memory = This.memory(change)
        return try This.written(.v1) { $0.memory = memory }
    }

    private func v2(_ change: (inout Resources.Memory) -> Void) throws(Failure) -> [String] {
        let memory = This.memory(change)
        return try This.written(.v2) { $0.memory = memory }
    }

    private func failure(_ version: ResourceSettings.Version, _ change: (inout Resources.Memory) -> Void)
        -> String
    {
        let memory = This.memory(change)
        return This.failure(version) { $0.memory = memory }
    }

    @Test func limit() throws {
        #expect(try v1 { $0.limit = 1 << 26 } == ["memory.limit_in_bytes=67108864"])
        #expect(try v2 { $0.limit = 1 << 26 } == ["memory.max=67108864"])
    }

    /// Unlimited memory with limited swap would be no unlimited memory.
    @Test func unlimited() throws {
        #expect(try v1 { $0.limit = -1 } == ["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"])
        #expect(try v2 { $0.limit = -1 } == ["memory.swap.max=max", "memory.max=max"])
    }

    @Test func reservation() throws {
        #expect(try v1 { $0.reservation = 4096 } == ["memory.soft_limit_in_bytes=4096"])
        #expect(try v1 { $0.reservation = -1 } == ["memory.soft_limit_in_bytes=-1"])
        #expect(try v2 { $0.reservation = 4096 } == ["memory.low=4096"])
        #expect(try v2 { $0.reservation = -1 } == ["memory.low=max"])
    }

    /// memory.swap counts memory and swap; version 2's file counts swap alone.
    @Test func swap() throws {
        #expect(
            try v1 {
                $0.limit = 1000
                $0.swap = 1500
            } == ["memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=1500"])
        #expect(
            try v2 {
                $0.limit = 1000
                $0.swap = 1500
            } == ["memory.swap.max=500", "memory.max=1000"])
        #expect(
            try v2 {
                $0.limit = 1000
                $0.swap = 1000
            } == ["memory.swap.max=0", "memory.max=1000"])
        #expect(
            try v2 {
                $0.limit = 1000
                $0.swap = -1
            } == ["memory.swap.max=max", "memory.max=1000"])
        #expect(try v2 { $0.swap = -1 } == ["memory.swap.max=max"])
        #expect(try v1 { $0.swap = -1 } == ["memory.memsw.limit_in_bytes=-1"])
        #expect(
            try v2 {
                $0.limit = -1
                $0.swap = 500
            } == ["memory.swap.max=500", "memory.max=max"])
    }

    @Test func impossibleSwap() {
        for version in [ResourceSettings.Version.v1, .v2] {
            #expect(
                failure(version) {
                    $0.limit = 1000
                    $0.swap = 999
                }.hasPrefix("linux.resources.memory.swap: must not be less than memory.limit"))
            #expect(
                failure(version) { $0.swap = 999 }.hasPrefix(
                    "linux.resources.memory.swap: needs a memory.limit"))
            #expect(failure(version) { $0.limit = -2 }.hasPrefix("linux.resources.memory.limit: must be "))
            #expect(
                failure(version) { $0.reservation = .min }.hasPrefix(
                    "linux.resources.memory.reservation: must be "))
        }
        #expect(
            failure(.v1) {
                $0.limit = -1
                $0.swap = 999
            }.hasPrefix("linux.resources.memory.swap: needs"))
    }

    /// A kernel that does not count swap is as unlimited as was asked for, but cannot limit it.
    @Test func missingSwapAccounting() throws {
        func missing(_ version: ResourceSettings.Version, limit: Int64?, swap: Int64?) throws(Failure)
            -> [Bool]
        {
            var resources = Resources()
            resources.memory = This.memory {
                $0.limit = limit
                $0.swap = swap
            }
            return try ResourceSettings(resources, version).settings.filter { $0.file.contains("sw") }.map(
                \.mayBeMissing)
        }
        #expect(try missing(.v1, limit: -1, swap: nil) == [true])
        #expect(try missing(.v1, limit: 10, swap: -1) == [true])
        #expect(try missing(.v1, limit: 10, swap: 20) == [false])
        #expect(try missing(.v2, limit: 10, swap: 20) == [false])
        #expect(try missing(.v2, limit: 10, swap: 10) == [true])
        #expect(try missing(.v2, limit: 10, swap: -1) == [true])
    }

    @Test func swappiness() throws {
        #expect(try v1 { $0.swappiness = 0 } == ["memory.swappiness=0"])
        #expect(try v1 { $0.swappiness = 100 } == ["memory.swappiness=100"])
        #expect(failure(.v1) { $0.swappiness = 101 } == "linux.resources.memory.swappiness: must be 0…100")
        #expect(
            failure(.v2) { $0.swappiness = 10 }
                == "linux.resources.memory.swappiness: cgroup v2 has no swappiness")
    }

    @Test func oomKiller() throws {
        #expect(try v1 { $0.disableOOMKiller = true } == ["memory.oom_control=1"])
        #expect(
            failure(.v2) { $0.disableOOMKiller = true }.hasPrefix("linux.resources.memory.disableOOMKiller: ")
        )
    }

    @Test func kernelMemoryIsIgnoredWithAWord() throws {
        var resources = Resources()
        resources.memory = This.memory {
            $0.kernel = 1
            $0.kernelTCP = 2
            $0.useHierarchy = false
        }
        for version in [ResourceSettings.Version.v1, .v2] {
            let settings = try ResourceSettings(resources, version)
            #expect(settings.settings.isEmpty)
            #expect(settings.warnings.count == 3)
            #expect(settings.warnings.allSatisfy { $0.hasPrefix("linux.resources.memory.") })
        }
    }
}

@Suite struct CPUTests {
    typealias This = ResourceSettingsTests

    private func v1(_ change: (inout Resources.CPU) -> Void) throws(Failure) -> [String] {
        let cpu = This.cpu(change)
        return try This.written(.v1) { $0.cpu = cpu }
    }

    private func v2(_ change: (inout Resources.CPU) -> Void) throws(Failure) -> [String] {
        let cpu = This.cpu(change)
        return try This.written(.v2) { $0.cpu = cpu }
    }

    private func failure(_ version: ResourceSettings.Version, _ change: (inout Resources.CPU) -> Void)
        -> String
    {
        let cpu = This.cpu(change)
        return This.failure(version) { $0.cpu = cpu }
    }

    @Test func quotaAndPeriod() throws {
        let both: (inout Resources.CPU) -> Void = {
            $0.quota = 50_000
            $0.period = 200_000
        }
        #expect(try v1(both) == ["cpu.cfs_period_us=200000", "cpu.cfs_quota_us=50000"])
        #expect(try v2(both) == ["cpu.max=50000 200000"])
        #expect(try v2 { $0.quota = 50_000 } == ["cpu.max=50000"])
        #expect(try v2 { $0.period = 50_000 } == ["cpu.max=max 50000"])
        #expect(try v2 { $0.quota = -1 } == ["cpu.max=max"])
        #expect(try v1 { $0.quota = -1 } == ["cpu.cfs_quota_us=-1"])
        #expect(try v1 { $0.quota = -5 } == ["cpu.cfs_quota_us=-1"])
        #expect(try v1 { $0.period = 50_000 } == ["cpu.cfs_period_us=50000"])
    }

    @Test func burst() throws {
        let burst: (inout Resources.CPU) -> Void = {
            $0.quota = 50_000
            $0.burst = 10_000
        }
        #expect(try v1(burst) == ["cpu.cfs_quota_us=50000", "cpu.cfs_burst_us=10000"])
        #expect(try v2(burst) == ["cpu.max=50000", "cpu.max.burst=10000"])
    }

    @Test func shares() throws {
        #expect(try v1 { $0.shares = 512 } == ["cpu.shares=512"])
        #expect(try v2 { $0.shares = 1024 } == ["cpu.weight=100"])
        // The words that runc has for it.
        #expect(
            failure(.v1) { $0.shares = 1 }
                == "linux.resources.cpu.shares: the minimum allowed cpu-shares is 2")
        #expect(
            failure(.v1) { $0.shares = 262_145 }
                == "linux.resources.cpu.shares: the maximum allowed cpu-shares is 262144")
    }

    /// Values of the formula computed apart, in Python.
    @Test(
        arguments: [
            (1, 1), (2, 1), (3, 2), (4, 2), (10, 4), (100, 17), (102, 17), (256, 35), (512, 59), (1000, 99),
            (1023, 100),
            (1024, 100), (1025, 101), (2048, 174), (4096, 303), (10_000, 627), (262_143, 10_000),
            (262_144, 10_000),
            (UInt64.max, 10_000),
        ] as [(UInt64, UInt64)])
    func weight(shares: UInt64, weight: UInt64) {
        #expect(CPUWeight.weight(ofShares: shares) == weight)
    }

    @Test func weightGrowsWithShares() {
        var last: UInt64 = 0
        for shares in UInt64(2)...262_144 {
            let weight = CPUWeight.weight(ofShares: shares)
            if weight < last || weight < 1 || weight > 10_000 {
                Issue.record("\(shares) became \(weight) after \(last)")
                return
            }
            last = weight
        }
    }

    /// An idle cgroup refuses a weight, and would forget the one before.
    @Test func idle() throws {
        let idle: (inout Resources.CPU) -> Void = {
            $0.shares = 512
            $0.idle = 1
        }
        #expect(try v1(idle) == ["cpu.idle=1"])
        #expect(try v2(idle) == ["cpu.idle=1"])
        #expect(failure(.v1) { $0.idle = 2 } == "linux.resources.cpu.idle: must be 0 or 1")
        #expect(failure(.v2) { $0.idle = -1 } == "linux.resources.cpu.idle: must be 0 or 1")
    }

    @Test func realtime() throws {
        #expect(
            try v1 {
                $0.realtimeRuntime = 1000
                $0.realtimePeriod = 2000
            } == ["cpu.rt_period_us=2000", "cpu.rt_runtime_us=1000"])
        #expect(
            failure(.v2) { $0.realtimeRuntime = 1 }
                == "linux.resources.cpu.realtimeRuntime: cgroup v2 has no realtime limits")
        #expect(
            failure(.v2) { $0.realtimePeriod = 1 }
                == "linux.resources.cpu.realtimePeriod: cgroup v2 has no realtime limits")
    }

    @Test func sets() throws {
        for version in [ResourceSettings.Version.v1, .v2] {
            let cpu = This.cpu {
                $0.cpus = "0-1,3"
                $0.mems = "0"
            }
            #expect(try This.written(version) { $0.cpu = cpu } == ["cpuset.cpus=0-1,3", "cpuset.mems=0"])
        }
        #expect(failure(.v1) { $0.cpus = "0\n1" }.hasPrefix("linux.resources.cpu.cpus: must be "))
    }
}
