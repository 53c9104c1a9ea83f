import Foundation
import Testing

/// `ps`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ProcessListTests {
    private func withThree(_ body: (TestContainer, [Int]) async throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("sleep 1001 & sleep 1002 & touch /ready; wait")
            try await container.startToReady()
            var pids: [Int] = []
            try await eventually("three processes") {
                pids = try Host.processes(of: container.id).map { Int($0.pid) }.sorted()
                return pids.count == 3
            }
            try await body(container, pids)
        }
    }

    @Test func asJSON() async throws {
        try await withThree { container, pids in
            for words in [["--format", "json"], ["-f", "json"], ["--format=json"]] {
                let outcome = try await Command.run(
                    Machine.gantry, ["--root", container.root, "ps"] + words + [container.id])
                #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
                #expect(outcome.stdout == "[" + pids.map(String.init).joined(separator: ",") + "]\n")
            }
        }
    }

    /// The heading, and the rows of the container's processes; the options behind the ID are ps's.
    @Test(
        .enabled(if: Machine.find("ps") != nil, "the host has no ps"),
        arguments: [
            [], ["-ef"], ["-o", "pid,ppid,args"], ["-e", "--format", "user,pid,comm"], ["aux"],
        ])
    func asATable(options: [String]) async throws {
        try await withThree { container, pids in
            let outcome = try await Command.run(
                Machine.gantry, ["--root", container.root, "ps", container.id] + options)
            #expect(outcome.code == 0 && outcome.stderr.isEmpty, "\(outcome)")
            // Without -e or a, ps shows the caller's terminal alone.
            let shown = options.first == "-o" ? [] : pids
            let heading = try #require(outcome.lines.first).split(separator: " ")
            let column = try #require(heading.firstIndex(of: "PID"))
            let found = outcome.lines.dropFirst().map { Int($0.split(separator: " ")[column])! }
            if options.first == "-o" {
                #expect(Set(found).isSubset(of: pids), "\(outcome)")
            } else {
                #expect(found.sorted() == shown, "\(outcome)")
            }
        }
    }

    @Test(.enabled(if: Machine.find("ps") != nil, "the host has no ps"))
    func errors() async throws {
        try await withThree { container, _ in
            let ps = ["ps", container.id]
            try await container.fail(ps + ["--no-such-option"], says: "ps: ")
            try await container.fail(ps + ["-e", "-o", "rss"], says: "couldn't find PID field in ps output")
            try await container.fail(["ps", "no-" + container.id], says: "container does not exist")
            let outcome = try await container.gantry("ps", "--format", "xml", container.id)
            #expect(outcome.code == 1 && outcome.stderr.contains("must be table or json"), "\(outcome)")
            let missing = try await container.gantry("ps", container.id, environment: ["PATH": "/nowhere"])
            #expect(missing.code == 1, "\(missing)")
            #expect(missing.stderr.contains("cannot run ps"), "\(missing)")
            #expect(missing.isOneSentence, "\(missing)")
        }
    }

    /// What has stopped has no processes, and what waits for its start has one.
    @Test func beforeAndAfter() async throws {
        try await TestContainer.with { container in
            try await container.create()
            let pid = try await container.pid()
            #expect(try await container.gantry("ps", "-f", "json", container.id).stdout == "[\(pid)]\n")
            try await container.succeed(["start", container.id])
            try await container.waitUntil("stopped")
            #expect(try await container.gantry("ps", "-f", "json", container.id).stdout == "[]\n")
        }
    }
}
