import Foundation
import Testing

/// Who comes and goes leaves nothing with the keeper and the supervisor.
///
/// 10,000 times with GANTRY_SOAK=1.
@Suite(.needsContainers, .timeLimit(minutes: Soak.isOn ? 120 : 5))
struct AttachCycleTests {
    /// What a process holds.
    private struct Holding: Equatable, CustomStringConvertible {
        var descriptors: [String]
        /// KiB that it has written to; what it has only read of its program may be more each time.
        var memory: Int

        init(_ pid: pid_t) throws {
            let directory = "/proc/\(pid)/fd"
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            descriptors = names.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: directory + "/" + $0)
            }.map { String($0.prefix { $0 != ":" }) }.sorted()
            let rollup = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
            memory = rollup.split(separator: "\n").filter { $0.hasPrefix("Private_Dirty") }.reduce(0) {
                sum, line in
                sum + (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            }
        }

        var description: String { "\(memory) KiB, \(descriptors.count) descriptors: \(descriptors)" }
    }

    /// One that looks, types, changes the window's size and goes; and an exec.
    private func cycle(_ container: TestContainer, _ number: Int) async throws {
        let terminal = try Terminal(
            [Machine.gantry] + container.globals + ["attach", container.id], rows: 24, columns: 80)
        try await attached(terminal.child)
        let (rows, columns) = (UInt16(10 + number % 50), UInt16(20 + number % 100))
        try terminal.resize(rows: rows, columns: columns)
        try terminal.type("\(number)\r")
        try await terminal.expect("got \(number) \(rows) \(columns)\r\n")
        try terminal.type("\u{10}\u{11}")
        #expect(try await terminal.end() == 0)
        let outcome = try await container.gantry(
            "exec", container.id, "/bin/sh", "-c", "exit \(number % 200)")
        #expect(outcome.code == number % 200, "\(outcome)")
    }

    /// After a while in which nothing happens, when what was taken for the last cycle has been given back.
    private func holdings(_ pids: [pid_t]) async throws -> [Holding] {
        try await Task.sleep(for: .seconds(3))
        return try pids.map(Holding.init)
    }

    @Test func nothingIsLeft() async throws {
        try await TestContainer.withTerminal(
            "while read line; do echo got $line $(stty size); done"
        ) { container in
            try await container.supervise("--log-max-size", "1m")
            let pids = [try await container.pid(of: "keeper"), try await container.pid(of: "supervisor")]
            for number in 0..<Soak.rounds(10, soak: 200) { try await cycle(container, number) }
            let before = try await holdings(pids)
            for number in 0..<Soak.rounds(20, soak: 10_000) { try await cycle(container, number) }
            let after = try await holdings(pids)
            for (before, after) in zip(before, after) {
                #expect(after.descriptors == before.descriptors)
                // The heap has its size after a hundred cycles or so.
                let more = Soak.isOn ? 0 : 64
                #expect(after.memory <= before.memory + more, "before: \(before), after: \(after)")
            }
            if Soak.isOn { print("keeper, supervisor before: \(before)\nafter: \(after)") }
            #expect(try await container.pid(of: "supervisor") == pids[1])
        }
    }
}
