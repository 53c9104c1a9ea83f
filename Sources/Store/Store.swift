internal import CLinux
public import Diagnostics
internal import Linux

/// The state directory: one directory per container (spec/state.md).
public struct Store: Sendable {
    /// Without a slash at its end.
    public let root: String

    public init(root: String) {
        var bytes = root.utf8[...]
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        self.root = String(Substring(bytes))
    }

    /// Takes the ID. The directory's making is what decides when two want the same one. The entry is locked.
    public func create(_ id: String) throws(Failure) -> StoredContainer {
        try ContainerID.check(id)
        // Before it is locked, the new directory looks like what a killed gantry left: a `delete --force` may
        // remove it, and another `create` then make it again. Each turn of the loop is such an interference.
        while true {
            try makeEntry(id)
            do throws(Failure) {
                let container = try openLocked(id)
                guard try container.record() == nil else { throw Store.taken(id) }
                return container
            } catch  where error.kind == .notFound {
                continue
            }
        }
    }

    /// Opens the entry of a container that was created, or begun, and waits for its lock.
    public func openLocked(_ id: String) throws(Failure) -> StoredContainer {
        let container = try open(id)
        try container.lock()
        // Whoever had the lock may have removed the container; its name may be another one's now.
        guard try container.isPresent() else { throw Store.missing(id) }
        return container
    }

    private static func missing(_ id: String) -> Failure {
        Failure(.notFound, "container does not exist")
    }

    private static func taken(_ id: String) -> Failure {
        Failure(.exists, "container with given ID already exists")
    }

    private func makeEntry(_ id: String) throws(Failure) {
        let path = root + "/" + id
        var result = clinux_mkdirat(AT.cwd, path, 0o700)
        if result == -Errno.ENOENT {
            try makeRoot()
            result = clinux_mkdirat(AT.cwd, path, 0o700)
        }
        if result == -Errno.EEXIST { throw Store.taken(id) }
        _ = try check(result, "mkdir \(path)", "cannot keep the container's state")
    }

    /// Opens the entry of a container that was created, or begun.
    public func open(_ id: String) throws(Failure) -> StoredContainer {
        try ContainerID.check(id)
        let path = root + "/" + id
        let raw = clinux_openat(AT.cwd, path, O.directory | O.noFollow, 0)
        if raw == -Errno.ENOENT { throw Store.missing(id) }
        _ = try check(raw, "openat \(path)", "cannot read the container's state")
        return StoredContainer(id: id, path: path, directory: Descriptor(adopting: raw))
    }

    /// The IDs of all entries, sorted. None when nothing was ever created.
    public func list() throws(Failure) -> [String] {
        let raw = clinux_openat(AT.cwd, root, O.directory, 0)
        if raw == -Errno.ENOENT { return [] }
        _ = try check(raw, "openat \(root)", "cannot read the state directory")
        return try Directory.names(in: Descriptor(adopting: raw), shown: root).filter { id in
            (try? ContainerID.check(id)) != nil
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes the root and what is missing above it; the root itself is its owner's alone (CVE-2021-41103).
    private func makeRoot() throws(Failure) {
        var index = root.utf8.startIndex
        while let slash = root.utf8[index...].dropFirst().firstIndex(of: UInt8(ascii: "/")) {
            let result = clinux_mkdirat(AT.cwd, String(root[..<slash]), 0o755)
            if result != -Errno.EEXIST {
                _ = try check(result, "mkdir \(root[..<slash])", "cannot make the state directory")
            }
            index = slash
        }
        let result = clinux_mkdirat(AT.cwd, root, 0o700)
        if result != -Errno.EEXIST {
            _ = try check(result, "mkdir \(root)", "cannot make the state directory")
        }
    }
}
