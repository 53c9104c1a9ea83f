extension Spec {
    /// What is Linux's own (config-linux.md).
    public struct Linux: Equatable, Sendable {
        public var uidMappings: [IDMapping] = []
        public var gidMappings: [IDMapping] = []
        public var timeOffsets: [TimeOffset] = []
        public var namespaces: [Namespace] = []
        public var devices: [Device] = []
        public var netDevices: [NetDevice] = []
        /// Absolute: from the cgroup mount; relative: from where the runtime likes; or systemd's
        /// `slice:prefix:name`.
        public var cgroupsPath: String?
        public var resources: Resources?
        public var intelRdt: IntelRdt?
        public var memoryPolicy: MemoryPolicy?
        /// Keys with dots or slashes (sysctl(8)).
        public var sysctl: [Entry] = []
        public var seccomp: Seccomp?
        /// `shared`, `slave`, `private`, `unbindable`, or one of them with a leading `r`.
        public var rootfsPropagation: String?
        public var maskedPaths: [String] = []
        public var readonlyPaths: [String] = []
        /// SELinux context of the mounts.
        public var mountLabel: String?
        public var personality: Personality?

        public init() {}
    }
}

extension Spec.Linux {
    /// A namespace to make, or with `path` one to join.
    public struct Namespace: Equatable, Sendable {
        public enum Kind: String, CaseIterable, Sendable {
            case pid, network, mount, ipc, uts, user, cgroup, time
        }

        public var type: Kind
        /// Absolute path of a namespace file on the host.
        public var path: String?

        public init(_ type: Kind, path: String? = nil) {
            self.type = type
            self.path = path
        }
    }

    /// The namespace of this type that the document names, if it does.
    public func namespace(_ type: Namespace.Kind) -> Namespace? {
        for namespace in namespaces where namespace.type == type { return namespace }
        return nil
    }

    /// A device node to make (mknod(2)).
    public struct Device: Equatable, Sendable {
        public enum Kind: String, CaseIterable, Sendable {
            case character = "c"
            case unbuffered = "u"
            case block = "b"
            case fifo = "p"
        }

        public var type: Kind
        /// Absolute path inside the container.
        public var path: String
        /// 0 where absent, as for a fifo.
        public var major: Int64
        public var minor: Int64
        /// Permission bits; `nil`: 0666.
        public var fileMode: UInt32?
        /// Inside the container; `nil`: 0.
        public var uid: UInt32?
        public var gid: UInt32?

        public init(
            _ type: Kind, path: String, major: Int64 = 0, minor: Int64 = 0, fileMode: UInt32? = nil,
            uid: UInt32? = nil, gid: UInt32? = nil
        ) {
            self.type = type
            self.path = path
            self.major = major
            self.minor = minor
            self.fileMode = fileMode
            self.uid = uid
            self.gid = gid
        }
    }

    /// Offset of a clock in a new time namespace (time_namespaces(7)).
    public struct TimeOffset: Equatable, Sendable {
        public enum Clock: String, CaseIterable, Sendable { case monotonic, boottime }

        public var clock: Clock
        public var secs: Int64
        public var nanosecs: UInt32

        public init(clock: Clock, secs: Int64, nanosecs: UInt32) {
            self.clock = clock
            self.secs = secs
            self.nanosecs = nanosecs
        }
    }

    /// A network interface of the host that moves into the container.
    public struct NetDevice: Equatable, Sendable {
        public var hostName: String
        /// Name inside the container; `nil`: the same.
        public var name: String?

        public init(hostName: String, name: String? = nil) {
            self.hostName = hostName
            self.name = name
        }
    }

    /// Cache and memory-bandwidth allocation through resctrl.
    public struct IntelRdt: Equatable, Sendable {
        public var closID: String?
        public var schemata: [String] = []
        public var l3CacheSchema: String?
        public var memBwSchema: String?
        public var enableMonitoring = false
        /// Of specifications before 1.3.
        public var enableCMT = false
        public var enableMBM = false

        public init() {}
    }

    /// set_mempolicy(2).
    public struct MemoryPolicy: Equatable, Sendable {
        public enum Mode: String, CaseIterable, Sendable {
            case `default` = "MPOL_DEFAULT"
            case bind = "MPOL_BIND"
            case interleave = "MPOL_INTERLEAVE"
            case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
            case preferred = "MPOL_PREFERRED"
            case preferredMany = "MPOL_PREFERRED_MANY"
            case local = "MPOL_LOCAL"
        }

        public enum Flag: String, CaseIterable, Sendable {
            case numaBalancing = "MPOL_F_NUMA_BALANCING"
            case relativeNodes = "MPOL_F_RELATIVE_NODES"
            case staticNodes = "MPOL_F_STATIC_NODES"
        }

        public var mode: Mode
        /// A list such as `0-3,7`.
        public var nodes: String?
        public var flags: [Flag] = []

        public init(mode: Mode) {
            self.mode = mode
        }
    }

    /// personality(2).
    public struct Personality: Equatable, Sendable {
        public enum Domain: String, CaseIterable, Sendable {
            case linux = "LINUX"
            case linux32 = "LINUX32"
        }

        public var domain: Domain
        /// The specification defines none yet.
        public var flags: [String] = []

        public init(domain: Domain) {
            self.domain = domain
        }
    }
}
