public import Store

/// What `create`, `run` and `plan` need to know of the command line.
public struct CreateOptions: Sendable {
    public var id: String
    /// Directory that holds config.json; may be relative to the working directory.
    public var bundle: String
    /// State directory of all containers.
    public var root: String
    /// Whose IDs are taken, too.
    public var supervised: StateDirectory?
    /// Where the container's pid goes, if anywhere.
    public var pidFile: String?
    /// The socket that gets the process's terminal, if one does.
    public var consoleSocket: String?
    public var noPivot = false
    public var noNewKeyring = false
    /// Who makes its cgroups.
    public var cgroupManager = CgroupManager.cgroupfs
    /// The first process is gantry's own: it executes the program, forwards signals and reaps.
    public var hasInit = false
    /// How many descriptors from 3 on the container inherits, behind `listenFDs`.
    public var preserveFDs = 0
    /// How many of them are sockets that wait for the container's process (`SocketActivation`).
    public var listenFDs = 0
    /// The socket that gets a pidfd of the container's process.
    public var pidfdSocket: String?
    /// The service manager's socket (sd_notify(3)); nil when nobody wants to know when the container is ready.
    public var notifySocket: String?

    /// How many descriptors from 3 on the container inherits in all.
    var inheritedFDs: Int { listenFDs + preserveFDs }

    public init(id: String, bundle: String, root: String) {
        self.id = id
        self.bundle = bundle
        self.root = root
    }
}
