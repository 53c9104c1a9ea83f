extension Spec.Linux {
    /// The system-call filter (config-linux.md, "Seccomp"; seccomp(2)).
    public struct Seccomp: Equatable, Sendable {
        public var defaultAction: Action
        /// What `defaultAction` returns, when it is `SCMP_ACT_ERRNO` or `SCMP_ACT_TRACE`; `nil`: EPERM.
        public var defaultErrnoRet: UInt32?
        /// Besides the native one.
        public var architectures: [Architecture] = []
        public var flags: [Flag] = []
        /// Socket of the agent that `SCMP_ACT_NOTIFY` hands the notifications to.
        public var listenerPath: String?
        public var listenerMetadata: String?
        public var syscalls: [Rule] = []

        public init(defaultAction: Action) {
            self.defaultAction = defaultAction
        }
    }
}

extension Spec.Linux.Seccomp {
    public enum Action: String, CaseIterable, Sendable {
        /// The same as `killThread`.
        case kill = "SCMP_ACT_KILL"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case allow = "SCMP_ACT_ALLOW"
        case log = "SCMP_ACT_LOG"
        case notify = "SCMP_ACT_NOTIFY"
    }

    public enum Architecture: String, CaseIterable, Sendable {
        case x86 = "SCMP_ARCH_X86"
        case x86_64 = "SCMP_ARCH_X86_64"
        case x32 = "SCMP_ARCH_X32"
        case arm = "SCMP_ARCH_ARM"
        case aarch64 = "SCMP_ARCH_AARCH64"
        case mips = "SCMP_ARCH_MIPS"
        case mips64 = "SCMP_ARCH_MIPS64"
        case mips64n32 = "SCMP_ARCH_MIPS64N32"
        case mipsel = "SCMP_ARCH_MIPSEL"
        case mipsel64 = "SCMP_ARCH_MIPSEL64"
        case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
        case ppc = "SCMP_ARCH_PPC"
        case ppc64 = "SCMP_ARCH_PPC64"
        case ppc64le = "SCMP_ARCH_PPC64LE"
        case s390 = "SCMP_ARCH_S390"
        case s390x = "SCMP_ARCH_S390X"
        case parisc = "SCMP_ARCH_PARISC"
        case parisc64 = "SCMP_ARCH_PARISC64"
        case riscv64 = "SCMP_ARCH_RISCV64"
        case loongarch64 = "SCMP_ARCH_LOONGARCH64"
        case m68k = "SCMP_ARCH_M68K"
        case sh = "SCMP_ARCH_SH"
        case sheb = "SCMP_ARCH_SHEB"
    }

    public enum Flag: String, CaseIterable, Sendable {
        case tsync = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case specAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillableReceive = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

        /// Its bit for seccomp(2) (linux/seccomp.h).
        public var mask: UInt32 {
            switch self {
            case .tsync: 1 << 0
            case .log: 1 << 1
            case .specAllow: 1 << 2
            case .waitKillableReceive: 1 << 5
            }
        }
    }

    public enum Comparison: String, CaseIterable, Sendable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        /// `argument & value == valueTwo`.
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    public struct Rule: Equatable, Sendable {
        public var names: [String]
        public var action: Action
        /// As `defaultErrnoRet`.
        public var errnoRet: UInt32?
        /// All must hold, except that several for one index are alternatives.
        public var args: [Argument]

        public init(names: [String], action: Action, errnoRet: UInt32? = nil, args: [Argument] = []) {
            self.names = names
            self.action = action
            self.errnoRet = errnoRet
            self.args = args
        }
    }

    public struct Argument: Equatable, Sendable {
        /// 0…5.
        public var index: UInt32
        public var value: UInt64
        /// For `maskedEqual`.
        public var valueTwo: UInt64
        public var op: Comparison

        public init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, op: Comparison) {
            self.index = index
            self.value = value
            self.valueTwo = valueTwo
            self.op = op
        }
    }
}
