public import Diagnostics
internal import JSON

/// What became of a supervised container: written by its supervisor whenever it changes, kept until `delete`, also
/// over a reboot.
public struct SupervisionStatus: Sendable, Equatable {
    public enum Phase: String, Sendable {
        /// Its program runs, or is about to.
        case running
        /// It has ended and will be run again.
        case restarting
        /// It has ended for good.
        case stopped
    }

    /// How a process ended.
    public struct End: Sendable, Equatable {
        /// 0 to 255; 128 + signal when it was killed.
        public var exitCode: Int32
        /// The signal that killed it; 0 for none.
        public var signal: Int32
        /// Nanoseconds since the epoch.
        public var time: Int64

        public init(exitCode: Int32, signal: Int32, time: Int64) {
            self.exitCode = exitCode
            self.signal = signal
            self.time = time
        }
    }

    /// A process that an exec started.
    public struct Exec: Sendable, Equatable {
        public var pid: Int32
        public var started: Int64
        public var end: End?

        public init(pid: Int32, started: Int64, end: End?) {
            self.pid = pid
            self.started = started
            self.end = end
        }
    }

    static let version = 1
    /// So many execs that have ended are remembered.
    public static let mostExecs = 64

    public var phase = Phase.running
    /// Which run this is, from 1; 0 before the first.
    public var run: UInt32 = 0
    /// How often the restart policy has run it again.
    public var restartCount: UInt32 = 0
    /// 0 when it does not run.
    public var pid: Int32 = 0
    /// Nanoseconds since the epoch; 0 before the first run.
    public var started: Int64 = 0
    /// How the last run ended; nil while it runs, or when nobody could tell.
    public var end: End?
    /// The last run was ended, or hit, by the kernel since memory was short.
    public var oomKilled = false
    /// Somebody stopped it; no policy runs it again.
    public var stoppedByUser = false
    /// What went wrong last, one sentence; empty for nothing.
    public var problem = ""
    public var execs: [Exec] = []

    public init() {}
}

extension SupervisionStatus {
    public func encoded() -> [UInt8] {
        var json = JSONWriter(.indented)
        json.beginObject()
        json.member("version", SupervisionStatus.version)
        json.member("phase", phase.rawValue)
        json.member("run", run)
        json.member("restartCount", restartCount)
        json.member("pid", pid)
        json.member("started", started)
        if let end { SupervisionStatus.encode(end, "end", &json) }
        json.member("oomKilled", oomKilled)
        json.member("stoppedByUser", stoppedByUser)
        if !problem.isEmpty { json.member("problem", problem) }
        if !execs.isEmpty { encodeExecs(&json) }
        json.endObject()
        return json.bytes
    }

    private func encodeExecs(_ json: inout JSONWriter) {
        json.key("execs")
        json.beginArray()
        for exec in execs {
            json.beginObject()
            json.member("pid", exec.pid)
            json.member("started", exec.started)
            if let end = exec.end { SupervisionStatus.encode(end, "end", &json) }
            json.endObject()
        }
        json.endArray()
    }

    private static func encode(_ end: End, _ name: String, _ json: inout JSONWriter) {
        json.key(name)
        json.beginObject()
        json.member("exitCode", end.exitCode)
        if end.signal != 0 { json.member("signal", end.signal) }
        json.member("time", end.time)
        json.endObject()
    }

    /// Reads what `encoded` wrote. What is on disk is not trusted.
    ///
    /// - Parameter name: the file, for errors.
    public init(_ bytes: [UInt8], name: String) throws(Failure) {
        let root = try JSONDocument(bytes, name: name).root
        try Versions.check(root, is: SupervisionStatus.version, name: name)
        let phase = try Versions.member(root, "phase")
        guard let known = Phase(rawValue: try phase.string()) else {
            throw phase.failure("must be running, restarting or stopped")
        }
        self.phase = known
        run = try Versions.member(root, "run").integer()
        restartCount = try Versions.member(root, "restartCount").integer()
        pid = try Versions.member(root, "pid").integer()
        started = try Versions.member(root, "started").integer()
        end = try root["end"].map(SupervisionStatus.decodeEnd)
        oomKilled = try Versions.member(root, "oomKilled").bool()
        stoppedByUser = try Versions.member(root, "stoppedByUser").bool()
        problem = try root["problem"]?.string() ?? ""
        guard let list = root["execs"] else { return }
        for element in try list.elements() {
            execs.append(
                Exec(
                    pid: try Versions.member(element, "pid").integer(),
                    started: try Versions.member(element, "started").integer(),
                    end: try element["end"].map(SupervisionStatus.decodeEnd)))
        }
    }

    private static func decodeEnd(_ value: JSONValue) throws(Failure) -> End {
        End(
            exitCode: try Versions.member(value, "exitCode").integer(),
            signal: try value["signal"]?.integer() ?? 0, time: try Versions.member(value, "time").integer())
    }
}
