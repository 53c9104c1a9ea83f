import Diagnostics
import Logs
import Testing

@testable import Commands

/// The values of `gantry logs`' flags.
@Suite struct LogsCommandTests {
    private static let second: Int64 = 1_000_000_000
    /// 2026-11-21T10:00:00Z
    private static let now = 1_795_255_200 * second

    private func query(_ words: String...) throws -> LogQuery {
        var parser = Parser(words + ["id"], from: 0, flags: LogsCommand.flags)
        _ = try parser.parse(.mixed)
        return try LogsCommand.query(parser.values, now: Self.now)
    }

    private func expectRefusal(_ flag: String, _ value: String, says: String) {
        do {
            _ = try query("\(flag)=\(value)")
            Issue.record("\(flag)=\(value) is taken")
        } catch {
            let message = (error as? Failure)?.description ?? ""
            #expect(message.hasPrefix("\(flag): \(says)") && !message.contains("\n"), "\(error)")
        }
    }

    @Test func withoutFlagsAllIsWanted() throws {
        let query = try query()
        #expect(!query.follows && !query.hasTimes && query.hasStdout && query.hasStderr)
        #expect(query.tail == nil && query.since == nil && query.until == nil)
    }

    @Test func toggles() throws {
        let short = try query("-f", "-t", "-n", "5")
        #expect(short.follows && short.hasTimes && short.tail == 5)
        let long = try query("--follow", "--timestamps", "--tail", "5")
        #expect(long.follows && long.hasTimes && long.tail == 5)
    }

    @Test func oneStream() throws {
        let out = try query("--stdout")
        #expect(out.hasStdout && !out.hasStderr)
        let error = try query("--stderr")
        #expect(!error.hasStdout && error.hasStderr)
        let both = try query("--stdout", "--stderr")
        #expect(both.hasStdout && both.hasStderr)
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("007", 7), ("9223372036854775807", Int.max), ("all", nil),
        ] as [(String, Int?)])
    func tails(text: String, count: Int?) throws {
        #expect(try query("--tail", text).tail == count)
    }

    @Test(arguments: ["", "-1", "+1", "1 ", "1.5", "ALL", "alles", "1k", "0x1", "9223372036854775808", "١"])
    func noTails(text: String) {
        expectRefusal("--tail", text, says: "must be a number of lines from 0, or all")
    }

    /// RFC 3339 with any offset and fraction, seconds since 1970, or how long ago.
    @Test(
        arguments: [
            ("2026-11-21T10:00:00Z", now), ("2026-11-21t10:00:00z", now), ("2026-11-21 10:00:00Z", now),
            ("2026-11-21T10:00:00.5Z", now + second / 2), ("2026-11-21T10:00:00.000000001Z", now + 1),
            ("2026-11-21T10:00:00.0000000019Z", now + 1), ("2026-11-21T11:30:00+01:30", now),
            ("2026-11-21T02:00:00-0800", now), ("1970-01-01T00:00:00Z", 0),
            ("1795255200", now), ("1795255200.5", now + second / 2), ("1795255200.000000001", now + 1),
            ("2024-02-29T00:00:00Z", 1_709_164_800 * second), ("2000-02-29T00:00:00Z", 951_782_400 * second),
            ("0", 0), ("0.25", second / 4), ("1795255200.1234567891", now + 123_456_789),
            ("10m", now - 600 * second), ("1h30m", now - 5400 * second), ("1.5s", now - second * 3 / 2),
            ("300ms", now - 300_000_000), ("0s", now), ("-1m", now + 60 * second),
        ] as [(String, Int64)])
    func moments(text: String, moment: Int64) throws {
        #expect(try query("--since=\(text)").since == moment)
        #expect(try query("--until=\(text)").until == moment)
    }

    /// The place's time, when it is not said which: that of a date's first moment.
    @Test func localTime() throws {
        let whole = try #require(try query("--since", "2026-11-21T00:00:00").since)
        #expect(try query("--since", "2026-11-21").since == whole)
        #expect(try query("--since", "2026-11-21T00:00:00.25").since == whole + Self.second / 4)
        // No place is more than 14 hours from Greenwich.
        #expect(abs(whole - (Self.now - 10 * 3600 * Self.second)) <= 14 * 3600 * Self.second)
    }

    @Test(arguments: [
        "", "x", "now", "yesterday", "2026-11-21T10:00Z", "2026-11-21T10:00:00 Z", "2026-13-01",
        "2026-00-01", "2026-11-32", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z", "2026-11-21T10:00:00.Z",
        "2026-11-21T10:00:00+1", "2026-11-21T10:00:00+24:00", "26-11-21", "1.", ".", "1.2.3", "-5", "1e9",
        "10 m",
        "10y", "99999999999999999999", "9223372036854775807", "1795255200 ", "2026-02-30",
        "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31",
    ])
    func noMoments(text: String) {
        for flag in ["--since", "--until"] {
            expectRefusal(flag, text, says: "must be a time as 2026-11-21T10:00:00Z, seconds since 1970")
        }
    }
}
