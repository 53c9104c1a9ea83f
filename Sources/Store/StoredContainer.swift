internal import CLinux
public import Diagnostics
public import Linux

/// One container's directory in the store.
///
/// Files are written beside their place and renamed into it, under the lock. Nothing but the lock's holder
/// writes.
public struct StoredContainer: ~Copyable {
    public let id: String
    /// Absolute path of the directory.
    public let path: String
    private let files: StateFiles

    private static let recordFile = "state.json"
    private static let configFile = "config.json"
    private static let initFile = "init"
    private static let limitsFile = "limits.json"
    private static let notifyDirectory = "notify"
    public static let notifySocketName = "notify.sock"
    private static let socketFile = "start.sock"

    init(id: String, path: String, directory: consuming Descriptor) {
        self.id = id
        self.path = path
        files = StateFiles(path: path, directory: directory)
    }

    /// How long the lock may be somebody else's, in milliseconds: a little more than `create` waits for its
    /// init.
    public static let lockPatience = 150_000

    /// Waits until nobody else changes this container. The lock goes with the descriptor, so also with its
    /// process.
    ///
    /// The container may have been removed meanwhile: see `isPresent`. flock(2) knows no time limit, so this
    /// asks again and again.
    public func lock(milliseconds: Int = lockPatience) throws(Failure) {
        let deadline = clinux_monotonic() + Int64(milliseconds) * 1_000_000
        var pause: Int32 = 1
        while true {
            let result = clinux_flock(
                files.directory.raw, LockOperation.exclusive | LockOperation.nonBlocking)
            if result != -Errno.EAGAIN {
                _ = try check(result, "flock \(path)", "cannot lock the container")
                break
            }
            guard clinux_monotonic() < deadline else {
                throw Failure(
                    .system, "another gantry has been working on the container for \(milliseconds / 1000) s",
                    at: id)
            }
            clinux_sleep(pause)
            pause = min(pause * 2, 10)
        }
    }

    /// Lets others change the container; the entry stays open.
    public func unlock() throws(Failure) {
        _ = try check(
            clinux_flock(files.directory.raw, LockOperation.unlock), "flock \(path)",
            "cannot unlock the container")
    }

    /// Whether the entry is still the one that was opened: not removed, not another one of the same ID.
    public func isPresent() throws(Failure) -> Bool {
        try check(
            clinux_link_count(files.directory.raw), "fstat \(path)", "cannot look at the container's state")
            > 0
    }

    /// Writes what is about to be made, and the configuration it follows from; the record last, since its
    /// presence says that the rest is whole.
    public func begin(_ record: Record, config: [UInt8]) throws(Failure) {
        try files.write(config, to: StoredContainer.configFile)
        try files.replace(StoredContainer.recordFile, with: record.encoded())
    }

    /// nil when the creation was cut off before anything was made.
    public func record() throws(Failure) -> Record? {
        guard let bytes = try files.read(StoredContainer.recordFile) else { return nil }
        let record = try Record(bytes, name: path + "/" + StoredContainer.recordFile)
        return record
    }

    /// config.json as it was at create.
    public func config() throws(Failure) -> [UInt8] {
        guard let bytes = try files.read(StoredContainer.configFile) else {
            throw Failure(.notFound, "is missing", at: path + "/" + StoredContainer.configFile)
        }
        return bytes
    }

    /// The limits that the last `update` left in force; nil when there has been none.
    public func limits() throws(Failure) -> [UInt8]? {
        try files.read(StoredContainer.limitsFile)
    }

    public func setLimits(_ limits: [UInt8]) throws(Failure) {
        try files.replace(StoredContainer.limitsFile, with: limits)
    }

    /// Records the process: the container is created.
    public func setInit(_ record: InitRecord) throws(Failure) {
        try files.replace(StoredContainer.initFile, with: Array(record.encoded.utf8))
    }

    /// nil when the creation was cut off before the process was recorded.
    public func initRecord() throws(Failure) -> InitRecord? {
        guard let bytes = try files.read(StoredContainer.initFile) else { return nil }
        return try InitRecord(bytes, name: path + "/" + StoredContainer.initFile)
    }

    /// The socket at which the init waits for `start`, to be handed to it.
    public func listenForStart() throws(Failure) -> Descriptor {
        Descriptor(
            adopting: try check(
                clinux_seqpacket_listen(socketPath, 16), "bind \(path)/\(StoredContainer.socketFile)",
                "cannot make the start socket"))
    }

    /// Whether an init waits for `start`.
    public func isInitWaiting() throws(Failure) -> Bool {
        let raw = clinux_seqpacket_connect(socketPath)
        switch raw {
        case -Errno.ECONNREFUSED, -Errno.ENOENT: return false
        // Many ask at once, or the init is frozen and takes no connection: it is there all the same.
        case -Errno.EAGAIN: return true
        default: break
        }
        _ = try connected(raw)
        return true
    }

    /// Connects to the init that waits for `start`; nil when none does.
    ///
    /// - Parameter milliseconds: how long the init's queue may be full.
    public func connectToInit(milliseconds: Int = 10_000) throws(Failure) -> Descriptor? {
        let deadline = clinux_monotonic() + Int64(milliseconds) * 1_000_000
        while true {
            let raw = clinux_seqpacket_connect(socketPath)
            if raw == -Errno.ECONNREFUSED || raw == -Errno.ENOENT { return nil }
            guard raw == -Errno.EAGAIN, clinux_monotonic() < deadline else { return try connected(raw) }
            clinux_sleep(1)
        }
    }

    private func connected(_ raw: CInt) throws(Failure) -> Descriptor {
        Descriptor(
            adopting: try check(raw, "connect \(path)/\(StoredContainer.socketFile)", "cannot reach the init")
        )
    }

    /// A Unix socket's address has room for 107 bytes; an ID alone may have 255.
    private var socketPath: String { "/proc/self/fd/\(files.directory.raw)/\(StoredContainer.socketFile)" }

    /// Makes the directory for the socket of notifications, which the container will see.
    public func makeNotifyDirectory() throws(Failure) {
        let name = StoredContainer.notifyDirectory
        var result = clinux_mkdirat(files.directory.raw, name, 0o755)
        // Whatever the umask says: the container's user must get to it.
        if result == 0 { result = clinux_chmodat(files.directory.raw, name, 0o755) }
        _ = try check(result, "mkdir \(path)/\(name)", "cannot make room for the notify socket")
    }

    /// Whether it was made.
    public var hasNotifyDirectory: Bool { clinux_exists(path + "/" + StoredContainer.notifyDirectory) == 0 }

    /// The socket of notifications, which never blocks.
    public func listenForNotifications() throws(Failure) -> Descriptor {
        let name = StoredContainer.notifyDirectory + "/" + StoredContainer.notifySocketName
        let raw = clinux_datagram_listen("/proc/self/fd/\(files.directory.raw)/\(name)")
        return Descriptor(adopting: try check(raw, "bind \(path)/\(name)", "cannot make the notify socket"))
    }

    /// Where `makeNotifyDirectory` makes it.
    public static func notifyDirectory(of id: String, root: String) -> String {
        root + "/" + id + "/" + notifyDirectory
    }

    /// Removes what belongs to a run that is over; the container itself stays.
    ///
    /// - Parameter record: its process from now on; nil while another run is being made.
    public func clear(leaving record: InitRecord?) throws(Failure) {
        try files.unlink(StoredContainer.socketFile)
        try files.unlink(StoredContainer.limitsFile)
        try Directory.removeTree(StoredContainer.notifyDirectory, in: files.directory, shown: path)
        if let record { try setInit(record) } else { try files.unlink(StoredContainer.initFile) }
    }

    /// Removes the entry: the ID is free.
    public func remove() throws(Failure) {
        let names = [
            StoredContainer.socketFile, StoredContainer.initFile, StoredContainer.configFile,
            StoredContainer.recordFile,
        ]
        for name in names { try files.unlink(name) }
        let result = clinux_unlinkat(AT.cwd, path, AT.removeDirectory)
        if result == -Errno.ENOTEMPTY { return try removeWithLeftovers() }
        if result != -Errno.ENOENT {
            _ = try check(result, "rmdir \(path)", "cannot remove the container's state")
        }
    }

    /// Halves of files that a killed gantry left.
    private func removeWithLeftovers() throws(Failure) {
        try Directory.removeTree(StoredContainer.notifyDirectory, in: files.directory, shown: path)
        for name in try Directory.names(in: files.directory, shown: path) { try files.unlink(name) }
        _ = try check(
            clinux_unlinkat(AT.cwd, path, AT.removeDirectory), "rmdir \(path)",
            "cannot remove the container's state")
    }
}
