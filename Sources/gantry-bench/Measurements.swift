import Foundation

/// What is measured, and how. Times are taken in rounds, in which every competitor has its turn; so what
/// disturbs the machine disturbs them all, and ratios are taken within a round.
struct Measurements {
    let launcher: Launcher
    let bundle: Bundle
    let floor: String
    let work: String
    let rounds: Int
    let warmup: Int

    /// `run` of /bin/true, and the floor's.
    func timeRun(_ competitors: [Competitor], into results: inout Results) throws {
        for round in -warmup..<rounds {
            for turn in 0...competitors.count {
                let index = (turn + round + warmup) % (competitors.count + 1)
                let isFloor = index == competitors.count
                let competitor = isFloor ? nil : competitors[index]
                let command =
                    competitor.map { $0.command("run", "--bundle", bundle.directory, $0.nextID()) }
                    ?? [floor, bundle.rootfs]
                let outcome = try launcher.succeed(command)
                if round < 0 { continue }
                results.add(outcome.milliseconds, .run, competitor?.name ?? Results.floor)
                if let competitor { results.add(Double(outcome.peak), .peakMemory, competitor.name) }
            }
        }
    }

    /// `create`, `state` of the created container, `start`, and `delete` after it has ended.
    func timeLifecycle(_ competitors: [Competitor], into results: inout Results) throws {
        let pidFile = work + "/pid"
        for round in -warmup..<rounds {
            for turn in 0..<competitors.count {
                let competitor = competitors[(turn + round + warmup) % competitors.count]
                let id = competitor.nextID()
                let commands: [(Measure, [String])] = [
                    (
                        .create,
                        competitor.command("create", "--bundle", bundle.directory, "--pid-file", pidFile, id)
                    ),
                    (.state, competitor.command("state", id)),
                    (.start, competitor.command("start", id)),
                    (.delete, competitor.command("delete", id)),
                ]
                for (measure, command) in commands {
                    if measure == .delete { try waitForEnd(pidFile) }
                    let outcome = try launcher.succeed(command)
                    if round >= 0 { results.add(outcome.milliseconds, measure, competitor.name) }
                }
            }
        }
    }

    /// `exec` of /bin/true in a container that runs, one of each competitor's, without and with a terminal.
    func timeExec(_ competitors: [Competitor], into results: inout Results) throws {
        try bundle.write(args: ["/bin/sleep", "1000"])
        defer { try? bundle.write() }
        let containers = competitors.map { ($0, id: $0.nextID()) }
        defer {
            for (competitor, id) in containers {
                _ = try? launcher.run(competitor.command("delete", "--force", id))
            }
        }
        for (competitor, id) in containers {
            _ = try launcher.succeed(competitor.command("run", "--detach", "--bundle", bundle.directory, id))
        }
        for round in -warmup..<rounds {
            for turn in 0..<containers.count {
                let (competitor, id) = containers[(turn + round + warmup) % containers.count]
                let outcome = try launcher.succeed(competitor.command("exec", id, "/bin/true"))
                let terminal = try launcher.succeed(
                    competitor.command("exec", "--tty", id, "/bin/true"), onTerminal: true)
                guard round >= 0 else { continue }
                results.add(outcome.milliseconds, .exec, competitor.name)
                results.add(terminal.milliseconds, .execTerminal, competitor.name)
            }
        }
    }

    private func waitForEnd(_ pidFile: String) throws {
        let text = try String(contentsOfFile: pidFile, encoding: .utf8)
        guard let pid = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchError("\(pidFile) has no pid: \(text)")
        }
        try launcher.reap(pid)
    }

    /// System calls of one `run`: every call that any process of it enters, the container's included.
    func countSystemCalls(_ competitors: [Competitor], into results: inout Results) throws {
        let trace = work + "/trace"
        for competitor in competitors {
            let command = competitor.command("run", "--bundle", bundle.directory, competitor.nextID())
            let strace =
                ["/usr/bin/strace", "-f", "-qq", "-s", "0", "-e", "signal=none", "-o", trace] + command
            _ = try launcher.succeed(strace)
            let lines = String(decoding: try Data(contentsOf: URL(fileURLWithPath: trace)), as: UTF8.self)
            // A call that another one interrupts has two lines.
            let calls = lines.split(separator: "\n").filter { !$0.contains("<... ") }.count
            results.add(Double(calls), .systemCalls, competitor.name)
        }
    }

    /// The smallest `linux.resources.memory.limit` under which `run` of /bin/true works three times out of
    /// three: doubled from 128 KiB until it does, then halved in between, to 32 KiB.
    func findMemoryLimits(_ competitors: [Competitor], into results: inout Results) throws {
        defer { try? bundle.write() }
        for competitor in competitors {
            var (tooSmall, enough) = (0, 128)
            while try !works(competitor, kibibytes: enough) {
                (tooSmall, enough) = (enough, enough * 2)
                if enough > 64 << 10 { throw BenchError("\(competitor.name) fails with a limit of 64 MiB") }
            }
            while tooSmall > 0, enough - tooSmall > 32 {
                let middle = (tooSmall + enough) / 2
                if try works(competitor, kibibytes: middle) { enough = middle } else { tooSmall = middle }
            }
            results.add(Double(enough), .memoryLimit, competitor.name)
        }
    }

    private func works(_ competitor: Competitor, kibibytes: Int) throws -> Bool {
        try bundle.write(memoryLimit: kibibytes << 10)
        for _ in 0..<3 {
            let id = competitor.nextID()
            let outcome = try launcher.run(
                competitor.command("run", "--bundle", bundle.directory, id), seconds: 5)
            if outcome.status != 0 {
                _ = try launcher.run(competitor.command("delete", "--force", id))
                return false
            }
        }
        return true
    }
}
