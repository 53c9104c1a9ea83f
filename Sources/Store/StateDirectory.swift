internal import CLinux
public import Diagnostics
internal import Linux

/// Where supervised containers leave what outlives a reboot: one directory per container (spec/supervisor.md).
public struct StateDirectory: Sendable {
    /// `/var/lib/gantry`, or `--state-dir`; without a slash at its end.
    public let root: String

    /// - Parameter root: absolute.
    public init(root: String) {
        self.root = Paths.cleaned(root)
    }

    public func path(of id: String) -> String { root + "/" + id }

    /// Makes the directory of a container; one that is there is `.exists`.
    public func create(_ settings: SupervisionSettings) throws(Failure) -> SupervisedContainer {
        let id = settings.id
        try ContainerID.check(id)
        try Directory.make(root, mode: 0o700, "cannot make the state directory")
        let result = clinux_mkdirat(AT.cwd, path(of: id), 0o700)
        if result == -Errno.EEXIST { throw Store.taken(id) }
        _ = try check(result, "mkdir \(path(of: id))", "cannot keep the container's state")
        let container = try open(id)
        do throws(Failure) {
            try container.begin(settings)
        } catch {
            // The first failure is the one worth telling.
            try? container.remove()
            throw error
        }
        return container
    }

    /// Opens what was made, or begun.
    public func open(_ id: String) throws(Failure) -> SupervisedContainer {
        try ContainerID.check(id)
        let raw = clinux_openat(AT.cwd, path(of: id), O.directory | O.noFollow, 0)
        if raw == -Errno.ENOENT { throw Store.missing(id) }
        _ = try check(raw, "openat \(path(of: id))", "cannot read the container's state")
        return SupervisedContainer(id: id, path: path(of: id), directory: Descriptor(adopting: raw))
    }

    /// The IDs of all containers, sorted. None when there never was one.
    public func list() throws(Failure) -> [String] {
        try Store.ids(in: root)
    }
}
