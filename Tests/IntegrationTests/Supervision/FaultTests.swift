import Foundation
import Testing

/// What happens around a container that is not its fault: disks are full, directories are removed, readers are killed
/// or stopped. The container is unharmed, its state is right, what happened is told, and no line is missing that could
/// be kept.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct FaultTests {
    /// More than pipe, memory and a small disk hold.
    private static let count = 200_000
    private static let seq = "seq 1 \(count)"
    private static let numbers = lines(1...count)
    /// Goes on until the test says so.
    static let untilEnd = "while [ ! -e /end ]; do sleep 0.02; done"

    static func lines(_ range: ClosedRange<Int>) -> String {
        range.map { "\($0)\n" }.joined()
    }

    /// Runs the body with a container and a disk for its log, which has room for little of what it prints.
    private func withSmallDisk(
        _ script: String, _ flags: String..., body: (TestContainer, SmallDisk, String) async throws -> Void
    ) async throws {
        try await TestContainer.with { container in
            try container.setScript(script)
            try await SmallDisk.with(at: container.directory.path + "/disk") { disk in
                let log = disk.path + "/log"
                try await container.succeed(
                    ["run", "--detach", "--supervise", "--log-path", log] + flags
                        + ["--bundle", container.bundle, container.id])
                try await body(container, disk, log)
            }
        }
    }

    func end(_ container: TestContainer) throws {
        try Data().write(to: URL(filePath: container.rootfs + "/end"))
    }

    func go(_ container: TestContainer) throws {
        try Data().write(to: URL(filePath: container.rootfs + "/go"))
    }

    /// It runs as ever, and an exec in it does what it is to do.
    func expectUnharmed(
        _ container: TestContainer, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(try await container.status() == "running", sourceLocation: sourceLocation)
        let exec = try await container.gantry("exec", container.id, "/bin/sh", "-c", "echo hi; exit 7")
        #expect(exec.code == 7 && exec.stdout == "hi\n", "\(exec)", sourceLocation: sourceLocation)
    }

    /// One line of `messages` holds all of these; or several do.
    func expectTold(
        _ container: TestContainer, _ words: String..., orMore: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let lines = container.messages().split(separator: "\n").filter { line in
            words.allSatisfy { line.contains($0) }
        }
        #expect(
            lines.count == 1 || orMore && lines.count > 1, "\(container.messages())",
            sourceLocation: sourceLocation)
    }

    private func waitForTrouble(_ container: TestContainer) async throws {
        try await eventually("it to be told") { container.messages().contains("the log is not written") }
    }

    private func waitForNothing(_ container: TestContainer) async throws {
        try await eventually("nothing to run") { try Host.processes(of: container.id) == [] }
    }

    // MARK: The disk is full

    @Test func aFullDiskMakesItWait() async throws {
        let script = "\(Self.seq); echo last >&2; touch /printed; \(Self.untilEnd); exit 5"
        try await withSmallDisk(script) { container, disk, log in
            try await waitForTrouble(container)
            expectTold(container, "write \(log)", "no space left on device", "the container waits")
            try await expectUnharmed(container)
            #expect(!FileManager.default.fileExists(atPath: container.rootfs + "/printed"))
            try await eventually("as much as there is room for") {
                let logs = try await container.gantry("logs", container.id)
                #expect(logs.code == 0 && Self.numbers.hasPrefix(logs.stdout), "\(logs.stderr)")
                return !logs.stdout.isEmpty
            }

            try await disk.grow()
            try await container.waitForFile("printed")
            try end(container)
            #expect(try await container.gantry("wait", container.id).stdout == "5\n")
            try await waitForNothing(container)
            #expect(try await container.printed("stdout", at: log) == Self.numbers)
            #expect(try await container.printed("stderr", at: log) == "last\n")
            #expect(container.messages().split(separator: "\n").count == 2, "\(container.messages())")
            expectTold(container, "the log is written again")
            #expect(try await container.supervision(when: "stopped")["exitCode"] as? Int == 5)
        }
    }

    /// It never waits, and may end meanwhile: that is told at once, and what is missing in the log where it is missing.
    @Test func aFullDiskLosesTheOldest() async throws {
        let script = "\(Self.seq); touch /printed; exit 6"
        try await withSmallDisk(script, "--log-overflow", "drop-oldest") { container, disk, log in
            try await container.waitForFile("printed")
            #expect(try await container.gantry("wait", container.id).stdout == "6\n")
            #expect(try container.keptCode() == 6)
            try await waitForTrouble(container)
            // What was dropped may have made way for a shorter line, for which there is room.
            expectTold(
                container, "write \(log)", "no space left on device", "the oldest lines are dropped",
                orMore: true)
            #expect(try Host.processes(of: container.id) != [], "somebody waits for room")

            try await disk.grow()
            try await waitForNothing(container)
            let kept = try await container.printed("stdout", at: log)
            let numbers = kept.split(separator: "\n").compactMap { Int($0) }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "each once, in order")
            #expect(numbers.last == Self.count)
            let told = try await container.printed("stderr", at: log)
            let missing = told.split(separator: "\n").map { line in
                line.split { !$0.isNumber }.compactMap { Int($0) }
            }
            #expect(missing.reduce(numbers.count) { $0 + $1[0] } == Self.count, "\(told)")
            #expect(missing.reduce(kept.utf8.count) { $0 + $1[1] } == Self.numbers.utf8.count, "\(told)")
            #expect(!missing.isEmpty)
        }
    }

    /// Stopped for good, whatever its policy says; and what it had printed is not lost.
    @Test func aFullDiskStopsIt() async throws {
        let script = "trap 'echo term; exit 9' TERM; seq 1 5000; while :; do sleep 0.02; done"
        try await withSmallDisk(script, "--log-overflow", "stop", "--restart", "always") {
            container, disk, log in
            #expect(try await container.gantry("wait", container.id).stdout == "9\n")
            expectTold(container, "write \(log)", "no space left on device", "the container is stopped")
            let supervision = try #require(try await container.state()["supervision"] as? TestContainer.JSON)
            #expect(supervision["phase"] as? String == "stopped" && supervision["exitCode"] as? Int == 9)
            #expect(supervision["restartCount"] as? Int == 0)
            #expect((supervision["problem"] as? String)?.contains("the log cannot follow") == true)

            try await disk.grow()
            try await waitForNothing(container)
            let expected = Self.lines(1...5000) + "term\n"
            #expect(try await container.printed("stdout", at: log) == expected)
        }
    }

    // MARK: Directories

    /// Again and again, while it prints and somebody follows.
    @Test func theLogsDirectoryIsRemoved() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "n=1; while [ ! -e /end ]; do seq $n $((n + 99)); n=$((n + 100)); sleep 0.02; done; echo $n")
            let directory = container.directory.path + "/logs/deep"
            let log = directory + "/log"
            try await container.supervise("--log-path", log)
            let follower = try container.follow(name: "follower")
            for round in 1...Soak.rounds(4, soak: 100) {
                try await eventually("more") { container.outputSize("follower") > round * 1000 }
                // Nobody need win against what is written anew.
                _ = try await Command.run("/bin/rm", ["-rf", directory])
                try await eventually("the log to be there again") {
                    FileManager.default.fileExists(atPath: log)
                }
                try await expectUnharmed(container)
            }
            try end(container)
            #expect(try await container.gantry("wait", container.id).stdout == "0\n")
            #expect(try await follower.wait() == 0)
            let printed = try await container.printed("stdout", at: log)
            let last = try #require(printed.split(separator: "\n").last.flatMap { Int($0) })
            #expect(printed == Self.lines(1...last))
            #expect(container.output("follower") == printed)
            #expect(container.output("follower.err") == "")
            #expect(
                container.messages().contains("\(log) was removed; the "), "\(container.messages())")
        }
    }

    /// Nothing can be written of what becomes of it. That comes later, as soon as it can.
    @Test func theStateDirectoryIsReadOnly() async throws {
        try await TestContainer.with { container in
            try container.setScript("\(Self.untilEnd); echo last; exit 8")
            try await SmallDisk.with(at: container.states) { disk in
                let log = container.directory.path + "/log"
                try await container.supervise("--log-path", log)
                try await eventually("the start to be written") { try container.phase() == "running" }
                try await disk.setReadOnly(true)
                try await expectUnharmed(container)
                try end(container)
                #expect(try await container.gantry("wait", container.id).stdout == "8\n")
                #expect(try await container.printed("stdout", at: log) == "last\n")
                // Asked by those who cannot read it, the keeper tells.
                let state = try await container.state()
                let kept = try #require(state["supervision"] as? TestContainer.JSON)
                #expect(state["status"] as? String == "stopped" && kept["phase"] as? String == "stopped")
                #expect(kept["exitCode"] as? Int == 8 && kept["keeper"] != nil && kept["supervisor"] != nil)
                try await container.fail(["restart", container.id], says: "could not be written")

                try await disk.setReadOnly(false)
                try await waitForNothing(container)
                #expect(try container.keptCode() == 8)
                let supervision = try await container.supervision(when: "stopped")
                #expect(supervision["exitCode"] as? Int == 8 && supervision["signal"] == nil)
                expectTold(container, "cannot write \(container.states)", "read-only file system")
                try await container.succeed(["delete", container.id])
                #expect(try Host.processes(of: container.id) == [])
            }
        }
    }

    /// The default place of a log is beside the status: both wait, and so does what is to be told of it.
    @Test func theStateDirectoryIsFull() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "while [ ! -e /go ]; do echo ready; sleep 0.05; done; echo; \(Self.seq); exit 8")
            try await SmallDisk.with(at: container.states) { disk in
                try await container.supervise()
                try await eventually("the start to be written") { try container.phase() == "running" }
                try disk.fill()
                // It gets what is in memory, of which the log takes nothing.
                let reader = try container.attach("--no-stdin", name: "reader")
                try await eventually("it to read") { container.outputSize("reader") > 0 }
                try go(container)
                // It is 256 KiB; what was printed before the reader came is in it, too, on a slow machine for seconds.
                try await eventually("memory to be full") {
                    container.outputSize("reader") >= 192 << 10
                }
                try await expectUnharmed(container)

                try await disk.grow()
                #expect(try await container.gantry("wait", container.id).stdout == "8\n")
                try await waitForNothing(container)
                #expect(try container.keptCode() == 8)
                #expect(try await reader.wait() == 8)
                let printed = try await container.printed("stdout")
                #expect(printed.hasPrefix("ready\n") && printed.hasSuffix("ready\n\n" + Self.numbers))
                expectTold(container, "the log is not written any more", "no space left on device")
                expectTold(container, "the log is written again")
            }
        }
    }

    /// It can be worked with, and goes without a trace.
    @Test func theStateDirectoryIsRemoved() async throws {
        try await TestContainer.with { container in
            try container.setScript("trap 'exit 3' TERM; touch /ready; while :; do sleep 0.02; done")
            try await container.supervise("--log-driver", "none")
            try await container.waitForFile("ready")
            try await eventually("the start to be written") { try container.phase() == "running" }
            let directory = container.states + "/" + container.id
            try FileManager.default.removeItem(atPath: directory)
            try await expectUnharmed(container)
            let supervision = try #require(try await container.state()["supervision"] as? TestContainer.JSON)
            let problem = try #require(supervision["problem"] as? String)
            #expect(problem == "\(directory), or what was in it, has been removed", "\(problem)")
            #expect(try await container.gantry("list").stdout.contains(container.id))
            try await container.succeed(["stop", container.id])
            try await waitForNothing(container)
            try await container.succeed(["delete", container.id])
            try container.expectNothing()
        }
    }

    /// Whoever deletes it does not want to know any more what became of it.
    @Test func itIsDeletedAlthoughItsEndCannotBeWritten() async throws {
        try await TestContainer.with { container in
            try container.setScript("\(Self.untilEnd); exit 8")
            try await SmallDisk.with(at: container.states) { disk in
                try await container.supervise("--log-driver", "none")
                try await eventually("the start to be written") { try container.phase() == "running" }
                try disk.fill()
                try end(container)
                #expect(try await container.gantry("wait", container.id).stdout == "8\n")
                #expect(try Host.processes(of: container.id) != [])
                try await container.succeed(["delete", "--force", container.id])
                #expect(try Host.processes(of: container.id) == [])
                #expect(!FileManager.default.fileExists(atPath: container.states + "/" + container.id))
            }
        }
    }
}
