import Foundation
import Testing

/// One way to configure a container.
struct ComparisonCase: Sendable, CustomTestStringConvertible {
    enum Expectation: Sendable {
        /// Both run it, and the probe sees the same in both.
        case same
        /// Both run it and the probe sees the same, or both refuse it.
        case alike
        /// Both refuse it.
        case refused
        /// The peer refuses it or fails; ours runs it.
        case onlyOurs(String)
        /// Ours refuses it with an error that contains the first text, for the reason that follows.
        case onlyPeer(String, String)
    }

    let name: String
    let expectation: Expectation
    /// Not for combinations: it shares directories with the host, or differs on purpose in what others ask for.
    let isAlone: Bool
    let configure: @Sendable (ComparisonBundle) async throws -> Void

    init(
        _ name: String, _ expectation: Expectation = .same, alone: Bool = false,
        configure: @escaping @Sendable (ComparisonBundle) async throws -> Void
    ) {
        self.name = name
        self.expectation = expectation
        isAlone = alone
        self.configure = configure
    }

    var testDescription: String { name }
}

/// Runs a configuration with gantry and then with runc, and compares what the probe sees inside.
enum Comparison {
    /// How a runtime dealt with a configuration.
    struct Result {
        let outcome: Outcome
        /// Nil when the runtime refused.
        let report: ProbeReport?
        /// Mounts that it left on the host.
        let leaks: [String]
    }

    /// What is wrong, as text; empty when nothing is. Both must have run on the same host: when somebody made or removed
    /// a cgroup hierarchy meanwhile, they run again.
    static func problems(_ candidate: ComparisonCase) async throws -> String {
        for attempt in 1... {
            let before = try hierarchies()
            let (ours, peer) = try await runBoth(candidate)
            let after = try hierarchies()
            let seen = [ours, peer].compactMap { $0.report?.section("cgroups").compactMap(hierarchy) }
            if attempt < 5, before != after || seen.contains(where: { $0 != seen[0] }) { continue }
            let leaks =
                ours.leaks.map { "gantry left mounted: " + $0 }
                + peer.leaks.map { "runc left mounted: " + $0 }
            return (verdict(candidate, ours, peer) + leaks).joined(separator: "\n")
        }
        return ""
    }

    /// Of the host: those that are mounted, and those that exist, which may be others for a while.
    private static func hierarchies() throws -> [String] {
        let mounts = try #require(Host.read("/proc/self/mountinfo")).split(
            separator: "\n")
        return mounts.filter { $0.contains(" - cgroup") && !$0.contains("/gantry-test-") }.map(String.init)
            + [try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)]
    }

    /// `9:name=systemd:/path` without the path; the kernel never gives the number to another one.
    private static func hierarchy(_ line: String) -> Substring? {
        line.lastIndex(of: ":").map { line[..<$0] }
    }

    private static func runBoth(_ candidate: ComparisonCase) async throws -> (ours: Result, peer: Result) {
        let directory = try TemporaryDirectory("compare")
        defer { directory.remove() }
        // Not one ID for both: a session keyring of that name may live on for a while.
        let id = "cmp-" + directory.path.suffix(6)
        let ours = try await run(candidate, .gantry, id + "-ours", in: directory.path)
        let peer = try await run(candidate, .runc, id + "-peer", in: directory.path)
        return (ours, peer)
    }

    private static func verdict(_ candidate: ComparisonCase, _ ours: Result, _ peer: Result) -> [String] {
        switch (candidate.expectation, ours.report, peer.report) {
        case (.same, let ours?, let peer?), (.alike, let ours?, let peer?):
            return differences(candidate.name, ours, peer)
        case (.refused, nil, nil), (.alike, nil, nil), (.onlyOurs, .some, nil): return []
        case (.onlyPeer(let message, _), nil, .some):
            return ours.outcome.stderr.contains(message)
                ? [] : ["gantry refused with: " + ours.outcome.stderr]
        default:
            return [
                "gantry " + (ours.report == nil ? "refused: \(ours.outcome.stderr)" : "ran it"),
                "runc " + (peer.report == nil ? "refused: \(peer.outcome.stderr)" : "ran it"),
            ]
        }
    }

    private static func differences(_ name: String, _ ours: ProbeReport, _ peer: ProbeReport) -> [String] {
        var result: [String] = []
        for section in peer.sections {
            let other = ours.section(section.name)
            let lines = UnifiedDiff.lines(
                JustifiedDifference.removed(from: section.lines, in: section.name, of: name),
                JustifiedDifference.removed(from: other, in: section.name, of: name))
            if !lines.isEmpty { result += ["[\(section.name)]  - runc  + gantry"] + lines }
        }
        return result
    }

    private static func run(
        _ candidate: ComparisonCase, _ runtime: ComparisonBundle.Runtime, _ id: String, in parent: String
    ) async throws -> Result {
        let bundle = try ComparisonBundle(runtime, id: id, in: parent)
        do {
            try await candidate.configure(bundle)
            let result = try await run(bundle)
            try await bundle.finish()
            return result
        } catch {
            try? await bundle.finish()
            throw error
        }
    }

    private static func run(_ bundle: ComparisonBundle) async throws -> Result {
        if bundle.exec != nil { bundle.set("process.args", ["/bin/probe", "pause"]) }
        let data = try JSONSerialization.data(
            withJSONObject: bundle.config, options: [.withoutEscapingSlashes])
        try data.write(to: URL(filePath: bundle.directory + "/bundle/config.json"))
        let words = bundle.exec == nil ? bundle.wrapper + startWords(bundle) : startWords(bundle)
        let child =
            bundle.exec == nil
            ? try spawn(words, bundle)
            : try Child.spawn(words[0], Array(words.dropFirst()), stderr: bundle.stderr)
        var code = try await child.wait()
        if code == 0, bundle.startsSeparately, bundle.exec?.isBeforeStart != true {
            code = try await runtime(bundle, "start", bundle.id).code
        }
        if code == 0, let exec = bundle.exec { code = try await perform(exec, bundle) }
        var report: ProbeReport?
        if code == 0 {
            let text = try await completeReport(bundle.report)
            report = ProbeReport(text, id: bundle.id, directory: bundle.directory, joined: bundle.joined)
        }
        _ = try await runtime(bundle, "delete", "--force", bundle.id)
        let leaks = try leaks(bundle)
        report?.append("files left", try await files(bundle))
        let stderr = (try? String(contentsOfFile: bundle.stderr, encoding: .utf8)) ?? ""
        return Result(
            outcome: Outcome(command: child.line, code: code, stdout: "", stderr: stderr), report: report,
            leaks: leaks)
    }

    private static func program(_ bundle: ComparisonBundle) -> [String] {
        [bundle.runtime == .gantry ? Machine.gantry : Machine.runc!, "--root", bundle.directory + "/state"]
    }

    private static func runtime(_ bundle: ComparisonBundle, _ words: String...) async throws -> Outcome {
        let program = program(bundle)
        return try await Command.run(program[0], Array(program.dropFirst()) + words)
    }

    private static func startWords(_ bundle: ComparisonBundle) -> [String] {
        program(bundle) + (bundle.startsSeparately ? ["create"] : ["run", "--detach"])
            + ["--bundle", bundle.directory + "/bundle"] + bundle.flags + [bundle.id]
    }

    /// Starts what leads to the report, with the stdio that the case wants.
    private static func spawn(_ words: [String], _ bundle: ComparisonBundle) throws -> Child {
        try Child.spawn(
            words[0], Array(words.dropFirst()), stdin: bundle.stdin, stdout: bundle.stdout,
            stderr: bundle.stderr, descriptors: bundle.descriptors)
    }

    private static func perform(_ exec: ExecStep, _ bundle: ComparisonBundle) async throws -> Int32 {
        try await exec.prepare?(bundle)
        var words = bundle.wrapper + program(bundle) + ["exec"] + exec.flags
        if exec.isDetached { words.append("--detach") }
        if let document = exec.document {
            let path = bundle.directory + "/process.json"
            try JSONSerialization.data(withJSONObject: document).write(to: URL(filePath: path))
            words += ["--process", path, bundle.id]
        } else {
            words += [bundle.id] + exec.args
        }
        return try await spawn(words, bundle).wait()
    }

    /// Waits until the report's last line is there; an incomplete one tells the rest.
    private static func completeReport(_ path: String) async throws -> String {
        for _ in 0..<5000 {
            if let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasSuffix("[end]\n") {
                return text
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        return (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// What the root file system holds afterwards: mount points and devices that the runtime made in it.
    private static func files(_ bundle: ComparisonBundle) async throws -> [String] {
        try await Command.run(try Programs.probe.get(), ["files=" + bundle.rootfs]).lines
    }

    /// Unmounts what the runtime left in its root file system, and returns it.
    private static func leaks(_ bundle: ComparisonBundle) throws -> [String] {
        let table = try #require(Host.read("/proc/self/mountinfo"))
        let points = table.split(separator: "\n").map { String($0.split(separator: " ")[4]) }
        let left = points.filter { $0.hasPrefix(bundle.rootfs + "/") && !bundle.hostMounts.contains($0) }
        for point in left.reversed() { umount2(point, Int32(MNT_DETACH)) }
        return left
    }
}
