/// What `create` and `run` are given besides the bundle.
public struct CreateOptions: Sendable {
    public var id: String
    /// Directory of the bundle; may be relative to the working directory.
    public var bundle: String
    /// Where the pid goes, if anywhere.
    public var pidFile: String?
    public var noPivot = false
    public var noNewKeyring = false
    /// How many descriptors from 3 on the container inherits.
    public var preserveFDs = 0

    public init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}

/// What `run` is given besides.
public struct RunOptions: Sendable {
    public var create: CreateOptions
    /// Return as soon as the container's process runs.
    public var detach = false
    /// Keep state and cgroup after the process has ended.
    public var keep = false

    public init(create: CreateOptions) {
        self.create = create
    }
}
