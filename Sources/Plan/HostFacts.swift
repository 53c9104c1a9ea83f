/// A fact about the host that a plan depends on.
public enum FactRequest: Sendable, Equatable {
    /// How the cgroup file systems are mounted and where the container's cgroups are.
    case cgroups
    /// The capabilities that gantry itself has.
    case permittedCapabilities
    /// Where a profile is written to, if AppArmor is enabled.
    case appArmor
    /// Whether SELinux is enabled.
    case seLinux
    /// Whether /proc/kcore exists.
    case kcore
    /// Whether the source of `mounts[index]`, absolute, is on a procfs.
    case isProcfs(index: Int, source: String)
    /// Whether the network namespace at the path is the one that gantry runs in.
    case isOwnNetwork(path: String)
}

/// What the planner knows about the host. Gathered before, so that planning makes no system call.
public struct HostFacts: Sendable, Equatable {
    public var cgroup: CgroupLayout
    /// The capabilities that gantry has, number n in bit n: nobody can give what he has not.
    public var permittedCapabilities: UInt64
    public var hasKcore: Bool
    /// Answers `isProcfs`: indices of those mounts whose source is on a procfs.
    public var procfsSources: [Int]
    /// Answers `isOwnNetwork`.
    public var joinsOwnNetwork: Bool
    /// Answers `appArmor`: the file beneath /proc that takes the profile of the next exec; nil when AppArmor is not
    /// enabled.
    public var appArmorFile: String?
    /// Answers `seLinux`.
    public var hasSELinux = false

    public init(
        cgroup: CgroupLayout, permittedCapabilities: UInt64 = .max, hasKcore: Bool = true,
        procfsSources: [Int] = [], joinsOwnNetwork: Bool = false
    ) {
        self.cgroup = cgroup
        self.permittedCapabilities = permittedCapabilities
        self.hasKcore = hasKcore
        self.procfsSources = procfsSources
        self.joinsOwnNetwork = joinsOwnNetwork
    }
}

/// How cgroups are mounted on the host (cgroups(7)).
public enum CgroupLayout: Sendable, Equatable {
    /// Version 2 alone.
    case unified
    /// Version 1 hierarchies, in the order of /proc/self/mountinfo; the version 2 one of a hybrid host is
    /// left out.
    case legacy([Hierarchy])

    /// One mounted hierarchy of version 1.
    public struct Hierarchy: Sendable, Equatable {
        /// `["cpu", "cpuacct"]`; empty for a named hierarchy without controllers.
        public var controllers: [String]
        /// `systemd` for `name=systemd`.
        public var name: String?
        /// Absolute path on the host; its last component is the name inside the container, too.
        public var mountpoint: String
        /// The container's cgroup in it, absolute on the host.
        public var directory: String

        public init(controllers: [String], name: String? = nil, mountpoint: String, directory: String) {
            self.controllers = controllers
            self.name = name
            self.mountpoint = mountpoint
            self.directory = directory
        }
    }
}

/// What the command line and the bundle add to the configuration.
public struct PlanOptions: Sendable {
    /// The container's id.
    public var id: String
    /// Absolute path of the bundle; relative sources of bind mounts start there.
    public var bundle: String
    /// Absolute path of the root file system, symlinks resolved.
    public var rootfs: String
    /// Move the root over / instead of pivot_root(2), for a rootfs on an initial ramfs.
    public var noPivot: Bool
    /// Keep the caller's session keyring.
    public var noNewKeyring: Bool
    /// How many descriptors from 3 on the container inherits.
    public var preserveFDs: Int
    /// `create`: wait for `start` before the exec.
    public var waitsForStart: Bool
    /// Slot CGROUP holds the container's version 2 cgroup: stage 2 is born in it.
    public var intoCgroup: Bool
    /// Entries added to process.env, such as `LISTEN_FDS=1`.
    public var environment: [String]
    /// `--init`: the first process is gantry's own, which slot REAPER holds and which executes the program.
    public var hasInit: Bool
    /// `exec`: the process joins a container that is there.
    var joining: Joining?

    public init(
        id: String, bundle: String, rootfs: String, noPivot: Bool = false, noNewKeyring: Bool = false,
        preserveFDs: Int = 0, waitsForStart: Bool = false, intoCgroup: Bool = false,
        environment: [String] = [], hasInit: Bool = false
    ) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.noPivot = noPivot
        self.noNewKeyring = noNewKeyring
        self.preserveFDs = preserveFDs
        self.waitsForStart = waitsForStart
        self.intoCgroup = intoCgroup
        self.environment = environment
        self.hasInit = hasInit
    }
}
