internal import Diagnostics

/// What `create`, `run` and `plan` need to know of the command line.
struct CreateOptions: Sendable {
    var id: String
    /// Directory that holds config.json; relative to the caller's directory.
    var bundle: String
    /// State directory of all containers.
    var root: String
    /// Where the container's pid goes.
    var pidFile: String?
    var noPivot = false
    var noNewKeyring = false
    /// Descriptors above standard error that the container gets.
    var preserveFDs = 0
    /// Leave orphans of the container to the caller (`run` in the foreground).
    var noSubreaper = false
}

/// What `state` and `list` tell of a container: runtime-spec, "State", and what runc adds to it.
struct ContainerReport: Sendable {
    var id: String
    /// 0 when stopped.
    var pid: Int32
    /// creating, created, running, paused or stopped.
    var status: String
    /// Absolute.
    var bundle: String
    /// Absolute.
    var rootfs: String
    /// RFC 3339.
    var created: String
    /// The user that made the container.
    var ownerUID: UInt32
    var annotations: [(key: String, value: String)]
}

/// The boundary to the runtime: what the commands call.
enum Operations {
    static func create(_ options: CreateOptions) throws(Failure) {
        throw pending("create")
    }

    /// - Returns: the container's exit status, 128 + signal when it was killed; 0 at once with `detach`.
    static func run(_ options: CreateOptions, detach: Bool, keep: Bool) throws(Failure) -> CInt {
        throw pending("run")
    }

    static func start(id: String, root: String) throws(Failure) {
        throw pending("start")
    }

    static func state(id: String, root: String) throws(Failure) -> ContainerReport {
        throw pending("state")
    }

    static func kill(id: String, signal: CInt, all: Bool, root: String) throws(Failure) {
        throw pending("kill")
    }

    static func delete(id: String, force: Bool, root: String) throws(Failure) {
        throw pending("delete")
    }

    static func list(root: String) throws(Failure) -> [ContainerReport] {
        throw pending("list")
    }

    /// - Returns: the plan's text, with a newline at its end.
    static func plan(_ options: CreateOptions, asJSON: Bool) throws(Failure) -> String {
        throw pending("plan")
    }

    private static func pending(_ name: String) -> Failure {
        Failure(.unsupported, "not supported yet", at: name)
    }
}
