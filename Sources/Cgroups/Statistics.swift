/// What the kernel tells of the resources that a cgroup uses, in the terms of runc's `events --stats`. What it does not
/// tell is 0 or empty.
public struct Statistics: Sendable {
    public struct CPU: Sendable {
        /// Nanoseconds, since the cgroup was made.
        public var total: UInt64 = 0
        public var user: UInt64 = 0
        public var kernel: UInt64 = 0
        /// Nanoseconds of each CPU; version 1.
        public var perCPU: [UInt64] = []
        public var perCPUUser: [UInt64] = []
        public var perCPUKernel: [UInt64] = []
        /// How often the quota was looked at, how often it was used up, and nanoseconds of waiting for more.
        public var periods: UInt64 = 0
        public var throttledPeriods: UInt64 = 0
        public var throttledTime: UInt64 = 0
        public var pressure: [Pressure] = []
    }

    /// Of version 1 all properties, of version 2 the lists.
    public struct CPUSet: Sendable {
        public var cpus: [UInt64] = []
        public var mems: [UInt64] = []
        /// By the name of the file, without `cpuset.`.
        public var values: [(name: StaticString, value: Int64)] = []
    }

    /// Bytes.
    public struct MemoryUse: Sendable {
        public var limit: UInt64 = 0
        public var usage: UInt64 = 0
        /// The most there was.
        public var peak: UInt64 = 0
        /// How often the limit was in the way.
        public var failures: UInt64 = 0
    }

    public struct Memory: Sendable {
        public var cache: UInt64 = 0
        public var usage = MemoryUse()
        /// Memory and swap together, on version 2 too.
        public var swap = MemoryUse()
        public var kernel = MemoryUse()
        public var kernelTCP = MemoryUse()
        /// memory.stat, sorted by name.
        public var raw: [(name: String, value: UInt64)] = []
        public var pressure: [Pressure] = []
    }

    public struct Pids: Sendable {
        public var current: UInt64 = 0
        /// 0: none.
        public var limit: UInt64 = 0
    }

    /// One number about one block device.
    public struct IOEntry: Sendable {
        public var major: UInt64
        public var minor: UInt64
        /// `Read`, `Write`, `Sync`, …; empty where it does not apply.
        public var operation: String
        public var value: UInt64
    }

    public struct HugePages: Sendable {
        /// `2MB`.
        public var size: String
        public var usage: UInt64
        public var peak: UInt64
        public var failures: UInt64
    }

    /// One line of a pressure file (Documentation/accounting/psi.rst): `some avg10=0.00 … total=0`.
    public struct Pressure: Sendable {
        /// `some` or `full`.
        public var kind: String
        /// Values in decimal, as the kernel writes them.
        public var values: [(name: String, value: String)]
    }

    public var cpu = CPU()
    public var cpuset = CPUSet()
    public var memory = Memory()
    public var pids = Pids()
    /// By the name that runc gives the table; those without an entry are left out.
    public var io: [(name: StaticString, entries: [IOEntry])] = []
    public var ioPressure: [Pressure] = []
    public var hugePages: [HugePages] = []
}
