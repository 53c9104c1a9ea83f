internal import CLinux
public import Diagnostics
internal import Linux

/// The state directory: one directory per container (spec/state.md).
public struct Store: Sendable {
    /// Without a slash at its end.
    public let root: String
    /// Whose IDs are taken, too.
    private let supervised: StateDirectory?

    /// - Parameter supervised: only who makes containers needs it.
    public init(root: String, supervised: StateDirectory? = nil) {
        self.supervised = supervised
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

    /// The entry of a supervised container, made when it is gone with a reboot, and locked.
    public func revive(_ id: String) throws(Failure) -> StoredContainer {
        for _ in 0..<Store.mostInterferences {
            do throws(Failure) {
                return try openLocked(id)
            } catch {
                guard error.kind == .notFound else { throw error }
            }
            // The symlink that keeps the ID. A directory, which somebody else may have made meanwhile, stays.
            _ = clinux_unlinkat(AT.cwd, root + "/" + id, 0)
            do throws(Failure) {
                try makeEntry(id)
            } catch {
                // Somebody was faster, or the root has just been made and the ID taken in it.
                guard error.kind == .exists else { throw error }
            }
        }
        throw Failure(.exists, "is made and removed again and again by others", at: root + "/" + id)
    }

    private static let mostInterferences = 100

    /// Opens the entry of a container that was created, or begun, and waits for its lock.
    public func openLocked(_ id: String) throws(Failure) -> StoredContainer {
        let container = try open(id)
        try container.lock()
        // Whoever had the lock may have removed the container; its name may be another one's now.
        guard try container.isPresent() else { throw Store.missing(id) }
        return container
    }

    static func missing(_ id: String) -> Failure {
        Failure(.notFound, "container does not exist")
    }

    static func taken(_ id: String) -> Failure {
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
        // A symlink: the ID of a supervised container.
        if raw == -Errno.ENOTDIR {
            throw Failure(.notFound, "container not running: it has not run since the boot")
        }
        _ = try check(raw, "openat \(path)", "cannot read the container's state")
        return StoredContainer(id: id, path: path, directory: Descriptor(adopting: raw))
    }

    /// The IDs of all entries, sorted. None when nothing was ever created.
    public func list() throws(Failure) -> [String] {
        try Store.ids(in: root)
    }

    /// The names in a directory that are IDs, sorted; none when it is not there.
    static func ids(in root: String) throws(Failure) -> [String] {
        let raw = clinux_openat(AT.cwd, root, O.directory, 0)
        if raw == -Errno.ENOENT { return [] }
        _ = try check(raw, "openat \(root)", "cannot read the state directory")
        return try Directory.names(in: Descriptor(adopting: raw), shown: root).filter { id in
            (try? ContainerID.check(id)) != nil
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes the root, which is its owner's alone (CVE-2021-41103). It is on a tmpfs, so that this is the first
    /// container since the boot: the IDs of supervised ones, which outlive that, are taken again. Later containers
    /// need not look for them.
    private func makeRoot() throws(Failure) {
        let made = try Directory.make(root, mode: 0o700, "cannot make the state directory")
        guard !made.isEmpty, let supervised else { return }
        // That an ID can be taken twice is no reason to make no container at all.
        guard let ids = try? supervised.list() else { return }
        for id in ids { _ = clinux_symlink(supervised.path(of: id), root + "/" + id) }
    }
}
