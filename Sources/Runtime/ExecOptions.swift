/// What `exec` needs to know of the command line.
public struct ExecOptions: Sendable {
    /// What to run.
    public enum Program: Sendable {
        /// `--process`: the document, as it was read, and its name for errors.
        case document([UInt8], name: String)
        /// The container's own process with what flags change.
        case command(ExecCommand)
    }

    public var id: String
    /// State directory of all containers.
    public var root: String
    public var program: Program
    /// Cgroups below the container's (`Cgroup.subgroups`).
    public var cgroups: [String] = []
    /// Go on although the container is paused; the process runs when it is resumed.
    public var ignorePaused = false
    /// Return as soon as the process runs.
    public var detach = false
    public var pidFile: String?
    /// The socket that gets the process's terminal, if one does.
    public var consoleSocket: String?
    /// The socket that gets a pidfd of the process.
    public var pidfdSocket: String?
    /// How many descriptors from 3 on the process inherits.
    public var preserveFDs = 0

    public init(id: String, root: String, program: Program) {
        self.id = id
        self.root = root
        self.program = program
    }
}

/// What flags of `exec` say of the process.
public struct ExecCommand: Sendable {
    public var args: [String]
    /// nil, like every property here that is not given: as the container's process.
    public var cwd: String?
    /// Behind the container's own.
    public var env: [String] = []
    public var user: (uid: UInt32, gid: UInt32)?
    public var additionalGids: [UInt32] = []
    /// Names such as `CAP_KILL`, to be added.
    public var capabilities: [String] = []
    public var noNewPrivileges: Bool?
    public var terminal = false
    public var apparmorProfile: String?
    public var selinuxLabel: String?

    public init(args: [String]) {
        self.args = args
    }
}
