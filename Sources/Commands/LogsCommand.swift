internal import CLinux
internal import Diagnostics
internal import Linux
internal import Logs
internal import Store

/// `gantry logs`: what a supervised container has printed.
enum LogsCommand {
    static let follow = Flag("follow", "f", .toggle, "Go on with what it prints until it has ended")
    static let tail = Flag("tail", "n", .text("N|all"), "The last N lines alone (default: all)")
    static let since = Flag(
        "since", nil, .text("TIME"),
        "Lines from then on: RFC 3339, seconds since 1970, or 10m for ago")
    static let until = Flag("until", nil, .text("TIME"), "Lines up to then")
    static let timestamps = Flag("timestamps", "t", .toggle, "Put before each line when it was printed")
    static let stdout = Flag("stdout", nil, .toggle, "Standard output alone")
    static let stderr = Flag("stderr", nil, .toggle, "Standard error alone")
    static let flags = [follow, tail, since, until, timestamps, stdout, stderr, Flags.stateDir]

    @Sendable static func logs(_ invocation: Invocation) throws(Failure) -> CInt {
        let query = try query(invocation.flags, now: clinux_realtime())
        let id = invocation.positionals[0]
        let (settings, path) = try container(id, invocation)
        try LogReader.print(settings, directory: path, query: query, warn: invocation.log.warning)
        return 0
    }

    /// How it is run, and its directory; all is closed again, so that `delete` is not in the way of a follower.
    private static func container(
        _ id: String, _ invocation: Invocation
    ) throws(Failure) -> (SupervisionSettings, String) {
        var directory = try invocation.stateDirectory()
        let entry = try? Store(root: try invocation.globals.stateRoot()).open(id)
        if let entry, let record = try entry.record() {
            // What it was started with counts, as for every other command.
            guard let path = record.supervised else {
                throw Failure(.state, "has no log: it runs without --supervise", at: id)
            }
            directory = StateDirectory(root: Paths.parent(of: path))
        }
        let container = try directory.open(id)
        return (try container.settings(), container.path)
    }

    /// - Parameter now: nanoseconds since the epoch.
    static func query(_ flags: FlagValues, now: Int64) throws(Failure) -> LogQuery {
        var query = LogQuery()
        query.follows = flags.has(follow)
        query.hasTimes = flags.has(timestamps)
        if flags.has(stdout) != flags.has(stderr) {
            query.hasStdout = flags.has(stdout)
            query.hasStderr = flags.has(stderr)
        }
        if let text = flags[tail], !text.utf8.elementsEqual("all".utf8) {
            let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
            guard isNumber, let count = Int(text) else {
                throw Failure(.usage, "must be a number of lines from 0, or all", at: "--tail")
            }
            query.tail = count
        }
        query.since = try moment(flags, since, now)
        query.until = try moment(flags, until, now)
        return query
    }

    private static func moment(_ flags: FlagValues, _ flag: Flag, _ now: Int64) throws(Failure) -> Int64? {
        guard let text = flags[flag] else { return nil }
        guard let moment = LogMoment.parse(text, now: now) else {
            throw Failure(
                .usage,
                "must be a time as 2026-11-21T10:00:00Z, seconds since 1970 as 1700000000.5, or a time ago as 10m",
                at: "--" + flag.name)
        }
        return moment
    }
}

/// A moment as `--since` and `--until` take it.
enum LogMoment {
    /// Nanoseconds since the epoch; nil for what is none.
    static func parse(_ text: String, now: Int64) -> Int64? {
        if let seconds = seconds(text) { return seconds }
        if let ago = GoDuration.parse(text) {
            let (moment, overflow) = now.subtractingReportingOverflow(ago)
            return overflow ? nil : moment
        }
        let bytes = Array(text.utf8)
        let isDate = bytes.count == 10
        let whole = isDate ? bytes + Array("T00:00:00".utf8) : bytes
        guard let reading = whole.withUnsafeBytes({ Timestamp.read($0) }) else { return nil }
        if reading.hasOffset { return reading.nanoseconds }
        // Without an offset it is the time of the place.
        let second = reading.nanoseconds / 1_000_000_000
        return clinux_from_local_time(second) * 1_000_000_000 + reading.nanoseconds % 1_000_000_000
    }

    /// Seconds since the epoch, with a fraction or without.
    private static func seconds(_ text: String) -> Int64? {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
        }
        guard isNumber, let whole = Int64(String(Substring(parts[0]))), whole <= Int64.max / 1_000_000_000 - 1
        else { return nil }
        var fraction: Int64 = 0
        var unit: Int64 = 100_000_000
        for digit in parts.count > 1 ? parts[1] : "".utf8[...] {
            fraction += Int64(digit - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return whole * 1_000_000_000 + fraction
    }
}
