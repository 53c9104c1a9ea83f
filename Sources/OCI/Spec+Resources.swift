extension Spec.Linux {
    /// What the container's cgroup limits (config-linux.md, "Control groups"); also the document that
    /// `update --resources` reads. `nil` anywhere: the kernel's value is left alone.
    public struct Resources: Equatable, Sendable {
        /// In order; a later rule wins.
        public var devices: [DeviceRule] = []
        public var memory: Memory?
        public var cpu: CPU?
        public var pids: Pids?
        public var blockIO: BlockIO?
        public var hugepageLimits: [HugepageLimit] = []
        public var network: Network?
        public var rdma: [Rdma] = []
        /// Files of cgroup v2 and what to write into them.
        public var unified: [Spec.Entry] = []

        public init() {}
    }
}

extension Spec.Linux.Resources {
    /// Whether devices may be used; not their nodes, which `Spec.Linux.Device` makes.
    public struct DeviceRule: Equatable, Sendable {
        public enum Kind: String, CaseIterable, Sendable {
            case all = "a"
            case character = "c"
            case block = "b"
        }

        public var allow: Bool
        public var type: Kind
        /// `nil`: every number. Engines also write -1 for it.
        public var major: Int64?
        public var minor: Int64?
        /// Some of `rwm`; `nil`: all of them.
        public var access: String?

        public init(
            allow: Bool, type: Kind = .all, major: Int64? = nil, minor: Int64? = nil, access: String? = nil
        ) {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    /// Bytes; -1 is unlimited.
    public struct Memory: Equatable, Sendable {
        public var limit: Int64?
        public var reservation: Int64?
        /// Memory and swap together, also on cgroup v2.
        public var swap: Int64?
        public var kernel: Int64?
        public var kernelTCP: Int64?
        /// 0…100.
        public var swappiness: UInt64?
        public var disableOOMKiller: Bool?
        public var useHierarchy: Bool?
        /// Refuse a limit below what is in use.
        public var checkBeforeUpdate: Bool?

        public init() {}
    }

    public struct CPU: Equatable, Sendable {
        /// 2…262144.
        public var shares: UInt64?
        /// Microseconds per period; -1 is unlimited.
        public var quota: Int64?
        /// Microseconds.
        public var burst: UInt64?
        /// Microseconds.
        public var period: UInt64?
        /// Microseconds.
        public var realtimeRuntime: Int64?
        /// Microseconds.
        public var realtimePeriod: UInt64?
        /// A list such as `0-3,7`.
        public var cpus: String?
        public var mems: String?
        /// 1: SCHED_IDLE for the whole cgroup.
        public var idle: Int64?

        public init() {}
    }

    public struct Pids: Equatable, Sendable {
        /// -1 is unlimited.
        public var limit: Int64?

        public init(limit: Int64? = nil) {
            self.limit = limit
        }
    }

    public struct BlockIO: Equatable, Sendable {
        /// 10…1000.
        public var weight: UInt16?
        public var leafWeight: UInt16?
        public var weightDevice: [WeightDevice] = []
        /// Bytes per second.
        public var throttleReadBpsDevice: [ThrottleDevice] = []
        public var throttleWriteBpsDevice: [ThrottleDevice] = []
        /// Operations per second.
        public var throttleReadIOPSDevice: [ThrottleDevice] = []
        public var throttleWriteIOPSDevice: [ThrottleDevice] = []

        public init() {}
    }

    public struct WeightDevice: Equatable, Sendable {
        public var major: Int64
        public var minor: Int64
        public var weight: UInt16?
        public var leafWeight: UInt16?

        public init(major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
            self.major = major
            self.minor = minor
            self.weight = weight
            self.leafWeight = leafWeight
        }
    }

    public struct ThrottleDevice: Equatable, Sendable {
        public var major: Int64
        public var minor: Int64
        public var rate: UInt64

        public init(major: Int64, minor: Int64, rate: UInt64) {
            self.major = major
            self.minor = minor
            self.rate = rate
        }
    }

    public struct HugepageLimit: Equatable, Sendable {
        /// `2MB`, as the files of the hugetlb controller spell it.
        public var pageSize: String
        /// Bytes.
        public var limit: UInt64

        public init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }

    public struct Network: Equatable, Sendable {
        public var classID: UInt32?
        public var priorities: [InterfacePriority] = []

        public init() {}
    }

    public struct InterfacePriority: Equatable, Sendable {
        /// The interface.
        public var name: String
        public var priority: UInt32

        public init(name: String, priority: UInt32) {
            self.name = name
            self.priority = priority
        }
    }

    /// Limits of one RDMA device.
    public struct Rdma: Equatable, Sendable {
        public var device: String
        public var hcaHandles: UInt32?
        public var hcaObjects: UInt32?

        public init(device: String, hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
            self.device = device
            self.hcaHandles = hcaHandles
            self.hcaObjects = hcaObjects
        }
    }
}
