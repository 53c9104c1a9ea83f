public import Diagnostics
internal import JSON

/// How a supervised container is to be run: what `run --supervise` was told, kept until `delete`.
public struct SupervisionSettings: Sendable, Equatable {
    /// Where its output goes.
    public enum LogDriver: String, Sendable, CaseIterable {
        /// Lines as Kubernetes' container runtime interface wants them.
        case k8sFile = "k8s-file"
        /// Lines as Docker's json-file driver writes them.
        case jsonFile = "json-file"
        case journald
        /// Nowhere; attached clients still see it.
        case none
        /// To the caller of `run`: gantry never sees it.
        case passthrough

        public var isFile: Bool { self == .k8sFile || self == .jsonFile }
    }

    /// What happens when the log cannot be written as fast as the container prints.
    public enum Overflow: String, Sendable, CaseIterable {
        /// The container waits when it prints more.
        case block
        /// The oldest lines that are not yet written are given up, and their number is logged.
        case dropOldest = "drop-oldest"
        /// The container is stopped: nothing may go unlogged.
        case stop
    }

    public enum RestartPolicy: Sendable, Equatable {
        case no
        /// After an exit code other than 0, at most so often in a row; nil for ever.
        case onFailure(Int?)
        case always
        /// As `always`, but what was stopped stays so over a reboot.
        case unlessStopped
    }

    static let version = 1

    public var id: String
    /// `--root`: the state directory of all containers.
    public var root: String
    /// Absolute.
    public var bundle: String
    public var noPivot = false
    public var noNewKeyring = false
    /// `--init`.
    public var hasInit = false
    /// `--cgroup-manager`.
    public var cgroupManager = CgroupManager.cgroupfs
    /// `--stdin`: its standard input is a pipe that attached clients write to; otherwise /dev/null.
    public var hasStdin = false
    /// process.terminal.
    public var hasTerminal = false
    /// Absolute; nil when nobody wants it.
    public var pidFile: String?
    public var logDriver = LogDriver.k8sFile
    /// Absolute; set when the driver is a file.
    public var logPath: String?
    /// Bytes at which the log is rotated; nil for never.
    public var logMaxSize: Int64?
    /// How many files there are at most, the current one among them.
    public var logMaxFiles = 1
    public var logTag: String?
    public var logLabels: [(key: String, value: String)] = []
    public var logOverflow = Overflow.block
    /// Bytes a second that are logged at most; nil for any number.
    public var logRateLimit: Int64?
    /// Whether the log is synced to disk after each batch of lines.
    public var logSync = false
    public var restart = RestartPolicy.no
    /// A line for /bin/sh that is run once the container has ended for good.
    public var exitCommand: String?
    /// Seconds between the stop signal and SIGKILL when the supervisor itself is told to end.
    public var stopTimeout = 10

    public init(id: String, root: String, bundle: String) {
        self.id = id
        self.root = root
        self.bundle = bundle
    }

    public static func == (left: SupervisionSettings, right: SupervisionSettings) -> Bool {
        left.encoded() == right.encoded()
    }
}

extension SupervisionSettings.RestartPolicy {
    /// `no`, `on-failure`, `on-failure:N`, `always`, `unless-stopped`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let name = String(Substring(parts[0]))
        if parts.count == 2, name == "on-failure" {
            guard let count = Int(String(Substring(parts[1]))), count > 0 else { return nil }
            self = .onFailure(count)
            return
        }
        guard parts.count == 1 else { return nil }
        switch name {
        case "no": self = .no
        case "on-failure": self = .onFailure(nil)
        case "always": self = .always
        case "unless-stopped": self = .unlessStopped
        default: return nil
        }
    }

    public var text: String {
        switch self {
        case .no: "no"
        case .onFailure(nil): "on-failure"
        case .onFailure(.some(let count)): "on-failure:\(count)"
        case .always: "always"
        case .unlessStopped: "unless-stopped"
        }
    }
}

extension SupervisionSettings {
    public func encoded() -> [UInt8] {
        var json = JSONWriter(.indented)
        json.beginObject()
        json.member("version", SupervisionSettings.version)
        json.member("id", id)
        json.member("root", root)
        json.member("bundle", bundle)
        if noPivot { json.member("noPivot", true) }
        if noNewKeyring { json.member("noNewKeyring", true) }
        if hasInit { json.member("init", true) }
        if cgroupManager != .cgroupfs { json.member("cgroupManager", cgroupManager.rawValue) }
        if hasStdin { json.member("stdin", true) }
        if hasTerminal { json.member("terminal", true) }
        if let pidFile { json.member("pidFile", pidFile) }
        encodeLog(&json)
        json.member("restart", restart.text)
        if let exitCommand { json.member("exitCommand", exitCommand) }
        json.member("stopTimeout", stopTimeout)
        json.endObject()
        return json.bytes
    }

    private func encodeLog(_ json: inout JSONWriter) {
        json.key("log")
        json.beginObject()
        json.member("driver", logDriver.rawValue)
        if let logPath { json.member("path", logPath) }
        if let logMaxSize { json.member("maxSize", logMaxSize) }
        json.member("maxFiles", logMaxFiles)
        if let logTag { json.member("tag", logTag) }
        if !logLabels.isEmpty {
            json.key("labels")
            json.beginObject()
            for (key, value) in logLabels { json.member(key, value) }
            json.endObject()
        }
        json.member("overflow", logOverflow.rawValue)
        if let logRateLimit { json.member("rateLimit", logRateLimit) }
        if logSync { json.member("sync", true) }
        json.endObject()
    }

    /// Reads what `encoded` wrote. What is on disk is not trusted.
    ///
    /// - Parameter name: the file, for errors.
    public init(_ bytes: [UInt8], name: String) throws(Failure) {
        let root = try JSONDocument(bytes, name: name).root
        try Versions.check(root, is: SupervisionSettings.version, name: name)
        self.init(
            id: try Versions.member(root, "id").string(), root: try Versions.member(root, "root").string(),
            bundle: try Versions.member(root, "bundle").string())
        noPivot = try root["noPivot"]?.bool() ?? false
        noNewKeyring = try root["noNewKeyring"]?.bool() ?? false
        hasInit = try root["init"]?.bool() ?? false
        cgroupManager = try CgroupManager.read(root["cgroupManager"])
        hasStdin = try root["stdin"]?.bool() ?? false
        hasTerminal = try root["terminal"]?.bool() ?? false
        pidFile = try root["pidFile"]?.string()
        exitCommand = try root["exitCommand"]?.string()
        stopTimeout = try Versions.member(root, "stopTimeout").integer()
        let policy = try Versions.member(root, "restart")
        guard let restart = RestartPolicy(try policy.string()) else {
            throw policy.failure("must be no, on-failure[:N], always or unless-stopped")
        }
        self.restart = restart
        try decodeLog(try Versions.member(root, "log"))
    }

    private mutating func decodeLog(_ log: JSONValue) throws(Failure) {
        let driver = try Versions.member(log, "driver")
        guard let known = LogDriver(rawValue: try driver.string()) else {
            throw driver.failure("must be a log driver")
        }
        logDriver = known
        let overflow = try Versions.member(log, "overflow")
        guard let known = Overflow(rawValue: try overflow.string()) else {
            throw overflow.failure("must be block, drop-oldest or stop")
        }
        logOverflow = known
        logPath = try log["path"]?.string()
        logMaxSize = try log["maxSize"]?.integer()
        logMaxFiles = try Versions.member(log, "maxFiles").integer()
        logTag = try log["tag"]?.string()
        logRateLimit = try log["rateLimit"]?.integer()
        logSync = try log["sync"]?.bool() ?? false
        guard let labels = log["labels"] else { return }
        for (key, value) in try labels.members() {
            logLabels.append((key: try key.string(), value: try value.string()))
        }
    }
}

/// What the readers of versioned files share.
enum Versions {
    static func member(_ object: JSONValue, _ name: StaticString) throws(Failure) -> JSONValue {
        guard let value = object[name] else { throw object.failure("must be set", property: name) }
        return value
    }

    /// Refuses a file that another version of gantry wrote.
    static func check(_ root: JSONValue, is known: Int, name: String) throws(Failure) {
        let version: Int = try member(root, "version").integer()
        guard version == known else {
            throw Failure(
                .unsupported,
                "written by another version of gantry (format \(version), this one reads \(known))", at: name)
        }
    }
}
