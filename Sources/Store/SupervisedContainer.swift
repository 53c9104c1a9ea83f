internal import CLinux
public import Diagnostics
internal import Linux

/// What is kept of a supervised container until `delete`: how it is to be run, what became of it, and its log.
public struct SupervisedContainer: ~Copyable {
    public let id: String
    /// Absolute path of the directory.
    public let path: String
    private let files: StateFiles

    private static let settingsFile = "settings.json"
    private static let statusFile = "status.json"
    private static let recordFile = "container.json"
    private static let configFile = "config.json"
    private static let messagesFile = "messages"
    /// Bytes of messages that are kept at most, and how many are left when there are more.
    private static let mostMessages = 64 << 10
    private static let messagesLeft = 48 << 10

    init(id: String, path: String, directory: consuming Descriptor) {
        self.id = id
        self.path = path
        files = StateFiles(path: path, directory: directory)
    }

    /// How it is to be run. One whose making was cut off has none (`.notFound`).
    public func settings() throws(Failure) -> SupervisionSettings {
        let name = path + "/" + SupervisedContainer.settingsFile
        guard let bytes = try files.read(SupervisedContainer.settingsFile) else {
            throw Failure(.notFound, "is missing", at: name)
        }
        return try SupervisionSettings(bytes, name: name)
    }

    func begin(_ settings: SupervisionSettings) throws(Failure) {
        try files.replace(SupervisedContainer.settingsFile, with: settings.encoded())
    }

    /// What became of it; `run` is 0 before the first run.
    public func status() throws(Failure) -> SupervisionStatus {
        guard let bytes = try files.read(SupervisedContainer.statusFile) else { return SupervisionStatus() }
        return try SupervisionStatus(bytes, name: path + "/" + SupervisedContainer.statusFile)
    }

    /// Not synced to disk: a status that a power failure takes back is that of a container which it took, too.
    public func setStatus(_ status: SupervisionStatus) throws(Failure) {
        try files.replace(SupervisedContainer.statusFile, with: status.encoded())
    }

    /// Keeps what a reboot takes from the entry in the store.
    ///
    /// - Parameter config: nil when nobody who goes on with the container needs it.
    public func keep(_ record: Record, config: [UInt8]?) throws(Failure) {
        if let config { try files.replace(SupervisedContainer.configFile, with: config) }
        try files.replace(SupervisedContainer.recordFile, with: record.encoded())
    }

    /// What `keep` has kept; nil before the first start.
    public func record() throws(Failure) -> Record? {
        guard let bytes = try files.read(SupervisedContainer.recordFile) else { return nil }
        return try Record(bytes, name: path + "/" + SupervisedContainer.recordFile)
    }

    public func config() throws(Failure) -> [UInt8]? {
        try files.read(SupervisedContainer.configFile)
    }

    /// Appends a sentence and the time to what went wrong.
    ///
    /// - Parameter time: nanoseconds since the epoch; nil for now.
    /// - Returns: false when it could not be written. There is no other place for it.
    @discardableResult
    public func note(_ message: String, at time: Int64? = nil) -> Bool {
        var line = Array(Timestamp.rfc3339(nanosecondsSinceEpoch: time ?? clinux_realtime()).utf8)
        line.append(UInt8(ascii: " "))
        for byte in message.utf8 { line.append(byte == UInt8(ascii: "\n") ? UInt8(ascii: " ") : byte) }
        line.append(UInt8(ascii: "\n"))
        guard let size = try? files.append(line, to: SupervisedContainer.messagesFile) else { return false }
        if size > Int64(SupervisedContainer.mostMessages) { try? trimMessages() }
        return true
    }

    /// Leaves whole lines.
    private func trimMessages() throws(Failure) {
        let all = try files.read(SupervisedContainer.messagesFile) ?? []
        let left = all.suffix(SupervisedContainer.messagesLeft)
        let lines = left.drop { $0 != UInt8(ascii: "\n") }.dropFirst()
        try files.replace(SupervisedContainer.messagesFile, with: Array(lines))
    }

    /// What `note` has kept, a line each; empty for nothing.
    public func messages() throws(Failure) -> String {
        String(decoding: try files.read(SupervisedContainer.messagesFile) ?? [], as: UTF8.self)
    }

    /// Whether the directory is still the one that was opened.
    public func isPresent() -> Bool { clinux_link_count(files.directory.raw) > 0 }

    /// Removes all of it, a log inside too.
    public func remove() throws(Failure) {
        let shown = Paths.parent(of: path)
        try Directory.removeTree(id, in: try Descriptor.open(shown, O.directory), shown: shown)
    }
}
