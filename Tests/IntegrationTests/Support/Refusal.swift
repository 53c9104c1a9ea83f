import Foundation
import Testing

/// What a failed command could have left behind.
struct Traces: Equatable {
    let mounts: [String]
    let cgroups: [String]
    let state: [String]
    let bundle: [String]

    /// Only what can be this container's: other tests run at the same time.
    static func of(_ container: TestContainer) async throws -> Traces {
        let mountinfo = try #require(Host.read("/proc/self/mountinfo"))
        let cgroups = try await Command.run(
            Machine.find("find")!, ["/sys/fs/cgroup", "-type", "d", "-name", "*\(container.id)*"])
        return Traces(
            mounts: mountinfo.split(separator: "\n").map(String.init).filter {
                $0.contains(container.directory.path)
            },
            cgroups: cgroups.lines, state: try files(container.root), bundle: try files(container.bundle))
    }

    /// Every file with its type, mode and size.
    private static func files(_ path: String) throws -> [String] {
        guard let all = FileManager.default.enumerator(atPath: path) else { return [] }
        return all.compactMap { $0 as? String }.sorted().map { name in
            var status = stat()
            lstat(path + "/" + name, &status)
            let size = status.st_mode & S_IFMT == S_IFREG ? status.st_size : 0
            return "\(name) \(String(status.st_mode, radix: 8)) \(size)"
        }
    }
}

/// A bundle that is refused, and the sentence about it.
struct Refusal: Sendable, CustomTestStringConvertible {
    let name: String
    /// Without `gantry: `. {bundle}, {outside} and {id} stand for what the container has, … for what depends on
    /// the kernel or on the layout of its cgroups.
    let says: String
    let change: @Sendable (TestContainer) throws -> Void

    init(_ name: String, says: String, _ change: @escaping @Sendable (TestContainer) throws -> Void) {
        self.name = name
        self.says = says
        self.change = change
    }

    /// One property of config.json.
    init(_ property: String, _ value: any Sendable, says: String) {
        let shown = "\(value)"
        self.init("\(property) = \(shown.prefix(60))", says: says) { try $0.set(property, value) }
    }

    var testDescription: String { name }

    /// Expects exit code 1, one sentence on standard error, the same in the log as one object, and no trace.
    func check(_ command: String = "create", _ flags: [String] = []) async throws {
        try await TestContainer.with { container in
            try change(container)
            try await Refusal.check(container, command, flags, says: says)
        }
    }

    static func check(
        _ container: TestContainer, _ command: String, _ flags: [String] = [], bundle: String? = nil,
        through: [String] = [], says: String
    ) async throws {
        let sentence = [
            ("{bundle}", bundle ?? container.bundle), ("{id}", container.id),
            ("{outside}", container.directory.path + "/outside"),
        ].reduce(says) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
        let log = container.directory.path + "/log"
        try? FileManager.default.removeItem(atPath: log)
        let before = try await Traces.of(container)
        let outcome = try await Command.run(
            try Programs.subreaper.get(),
            through + [
                Machine.gantry, "--root", container.root, "--log", log, "--log-format", "json", command,
            ]
                + ["--bundle", bundle ?? container.bundle] + flags + [container.id])
        #expect(outcome.code == 1, "\(outcome)")
        let parts = ("gantry: " + sentence + "\n").split(separator: "…", maxSplits: 1).map(String.init)
        #expect(
            outcome.stderr.hasPrefix(parts[0]) && outcome.stderr.hasSuffix(parts.last!),
            "\(sentence)\n\(outcome)")
        #expect(outcome.stderr.count >= parts.joined().count && outcome.lines.isEmpty)
        #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.stdout.isEmpty, "\(outcome)")
        #expect(try await Traces.of(container) == before)
        try checkLog(log, String(outcome.stderr.dropFirst("gantry: ".count).dropLast()))
    }

    private static func checkLog(_ path: String, _ sentence: String) throws {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1)
        let object =
            try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8)) as? [String: String]
        #expect(object?["level"] == "error")
        #expect(object?["msg"] == sentence)
        #expect(object?["time"]?.isEmpty == false)
    }
}
