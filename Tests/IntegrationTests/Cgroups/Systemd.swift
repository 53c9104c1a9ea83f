import Foundation
import Testing

/// The host's systemd, seen through its own tools.
enum Systemd {
    /// sd_booted(3).
    static let isRunning = FileManager.default.fileExists(atPath: "/run/systemd/system")

    static func has(_ program: String) -> Bool {
        ["/usr/bin/", "/usr/sbin/", "/bin/"].contains { FileManager.default.fileExists(atPath: $0 + program) }
    }

    static func control(_ words: String...) async throws -> Outcome {
        try await Command.run("/usr/bin/env", ["systemctl"] + words, seconds: 300)
    }

    /// `systemctl show`.
    static func properties(_ unit: String) async throws -> [String: String] {
        let outcome = try await control("show", "--all", unit)
        var properties: [String: String] = [:]
        for line in outcome.lines {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            // One of several values has a line for each.
            let name = String(parts[0])
            properties[name] = (properties[name].map { $0 + "\n" } ?? "") + parts[1]
        }
        return properties
    }

    /// Units whose names have the words in them, those that have failed among them.
    static func units(of marker: String) async throws -> [String] {
        try await control("list-units", "--all", "--plain", "--no-legend", "*\(marker)*").lines
    }
}

extension Trait where Self == ConditionTrait {
    static var needsSystemd: Self {
        .enabled(if: Systemd.isRunning, "systemd does not run here; scripts/vm has one")
    }
}

/// A container that sleeps, made to be in a scope by `make`.
enum Scoped {
    static func with<Value>(
        _ args: [String] = ["/bin/sleep", "1000"], _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        try await TestContainer.with(args, body)
    }
}

extension TestContainer {

    func make(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let outcome = try await gantry(
            "--systemd-cgroup", "run", "--detach", "--bundle", bundle, id, seconds: 300)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    }

    /// Of the container's process.
    func cgroup() async throws -> String {
        let text = try String(contentsOfFile: "/proc/\(try await pid())/cgroup", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("0::") })
        return String(line.dropFirst(3))
    }

    func file(_ name: String, _ cgroup: String) throws -> String {
        try String(contentsOfFile: "/sys/fs/cgroup\(cgroup)/\(name)", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func expectUnitGone(
        after command: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await Command.run(Machine.gantry, globals + command, seconds: 300)
        #expect(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        try await expectNoUnit(sourceLocation: sourceLocation)
    }

    /// No unit, cgroup, process or state. systemd forgets a unit a moment after its last process.
    func expectNoUnit(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("no unit is left", sourceLocation: sourceLocation) {
            try await Systemd.units(of: self.id) == []
        }
        #expect(Host.cgroups(of: id) == [], sourceLocation: sourceLocation)
        #expect(try Host.processes(of: id) == [], sourceLocation: sourceLocation)
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        #expect(entries == [], sourceLocation: sourceLocation)
    }
}
