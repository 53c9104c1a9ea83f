extension Spec {
    /// The container's process (config.md, "Process"); also the document that `exec --process` reads.
    public struct Process: Equatable, Sendable {
        public var terminal = false
        /// Size of the terminal; without meaning unless `terminal`.
        public var consoleSize: ConsoleSize?
        /// Absolute path inside the container.
        public var cwd: String
        /// `NAME=value`, in order.
        public var env: [String] = []
        public var args: [String] = []
        public var user = User()
        public var rlimits: [Rlimit] = []
        /// `nil`: the document says nothing about capabilities.
        public var capabilities: Capabilities?
        public var noNewPrivileges = false
        /// -1000…1000 (proc(5)); `nil`: inherited.
        public var oomScoreAdj: Int?
        public var scheduler: Scheduler?
        public var ioPriority: IOPriority?
        public var execCPUAffinity: ExecCPUAffinity?
        public var apparmorProfile: String?
        public var selinuxLabel: String?

        public init(cwd: String = "/", args: [String] = []) {
            self.cwd = cwd
            self.args = args
        }
    }
}

extension Spec.Process {
    /// In characters.
    public struct ConsoleSize: Equatable, Sendable {
        public var height: UInt
        public var width: UInt

        public init(height: UInt, width: UInt) {
            self.height = height
            self.width = width
        }
    }

    /// Ids inside the container.
    public struct User: Equatable, Sendable {
        public var uid: UInt32
        public var gid: UInt32
        /// `nil`: inherited.
        public var umask: UInt32?
        public var additionalGids: [UInt32]

        public init(uid: UInt32 = 0, gid: UInt32 = 0, umask: UInt32? = nil, additionalGids: [UInt32] = []) {
            self.uid = uid
            self.gid = gid
            self.umask = umask
            self.additionalGids = additionalGids
        }
    }

    /// A resource limit (getrlimit(2)); `UInt64.max` is unlimited.
    public struct Rlimit: Equatable, Sendable {
        /// `RLIMIT_NOFILE`.
        public var type: String
        public var soft: UInt64
        public var hard: UInt64

        public init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    /// Names such as `CAP_KILL`, per set (capabilities(7)).
    public struct Capabilities: Equatable, Sendable {
        public var bounding: [String] = []
        public var effective: [String] = []
        public var inheritable: [String] = []
        public var permitted: [String] = []
        public var ambient: [String] = []

        public init() {}
    }

    /// sched_setattr(2).
    public struct Scheduler: Equatable, Sendable {
        public enum Policy: String, CaseIterable, Sendable {
            case other = "SCHED_OTHER"
            case fifo = "SCHED_FIFO"
            case roundRobin = "SCHED_RR"
            case batch = "SCHED_BATCH"
            case iso = "SCHED_ISO"
            case idle = "SCHED_IDLE"
            case deadline = "SCHED_DEADLINE"
        }

        public enum Flag: String, CaseIterable, Sendable {
            case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
            case reclaim = "SCHED_FLAG_RECLAIM"
            case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
            case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
            case keepParams = "SCHED_FLAG_KEEP_PARAMS"
            case utilClampMin = "SCHED_FLAG_UTIL_CLAMP_MIN"
            case utilClampMax = "SCHED_FLAG_UTIL_CLAMP_MAX"
        }

        public var policy: Policy
        public var nice: Int32 = 0
        public var priority: Int32 = 0
        public var flags: [Flag] = []
        /// Nanoseconds; `runtime`, `deadline` and `period` belong to `SCHED_DEADLINE`.
        public var runtime: UInt64 = 0
        public var deadline: UInt64 = 0
        public var period: UInt64 = 0

        public init(policy: Policy) {
            self.policy = policy
        }
    }

    /// ioprio_set(2).
    public struct IOPriority: Equatable, Sendable {
        public enum Class: String, CaseIterable, Sendable {
            case realtime = "IOPRIO_CLASS_RT"
            case bestEffort = "IOPRIO_CLASS_BE"
            case idle = "IOPRIO_CLASS_IDLE"
        }

        public var `class`: Class
        /// 0 (highest) … 7.
        public var priority: Int

        public init(class: Class, priority: Int) {
            self.class = `class`
            self.priority = priority
        }
    }

    /// CPU lists (`0-3,7`) for processes that `exec` starts, before and after they enter the container's
    /// cgroup.
    public struct ExecCPUAffinity: Equatable, Sendable {
        public var initial: String?
        public var final: String?

        public init(initial: String? = nil, final: String? = nil) {
            self.initial = initial
            self.final = final
        }
    }
}
