import Foundation

/// What a supervised container costs, beside one that conmon keeps. The runtime is gantry in both cases.
struct SupervisorMeasurements {
    let launcher: Launcher
    let bundle: Bundle
    let gantry: Competitor
    /// Path of conmon.
    let conmon: String
    let work: String
    let rounds: Int
    let warmup: Int

    static let other = "conmon"
    /// Bytes that the container prints, in lines of 80.
    private static let amount = 200 << 20
    private static let lastLine = "this is the end\n"

    func measure(into results: inout Results) throws {
        try timeStarts(into: &results)
        try timeStops(into: &results)
        try timeLogs(into: &results)
        try weighIdle(into: &results)
    }

    /// One that is being measured: how to start a container, and the processes that stand behind it then.
    private struct Contestant {
        let name: String
        let id: String
        let log: String
        let processes: [Int]
        let end: () throws -> Void
    }

    // MARK: Starts and stops

    /// `run --detach`, with and without a supervisor.
    private func timeStarts(into results: inout Results) throws {
        try bundle.write(args: ["/bin/sleep", "1000"])
        defer { try? bundle.write() }
        for round in -warmup..<rounds * 4 {
            var times: [Double] = []
            for flags in round % 2 == 0 ? [[], ["--supervise"]] : [["--supervise"], []] {
                let id = gantry.nextID()
                let outcome = try launcher.succeed(
                    command(["run", "--detach", "--bundle", bundle.directory] + flags + [id]))
                times.append(outcome.milliseconds)
                _ = try launcher.succeed(command(["delete", "--force", id]))
            }
            if round % 2 != 0 { times.reverse() }
            guard round >= 0 else { continue }
            results.add(times[1], .supervisedStart, gantry.name)
            results.add(times[1] - times[0], .supervisionCost, gantry.name)
        }
    }

    private func command(_ arguments: [String]) -> [String] {
        gantry.command("--state-dir", work + "/supervised") + arguments
    }

    /// `stop` of a process that obeys at once, and of one that never does.
    private func timeStops(into results: inout Results) throws {
        defer { try? bundle.write() }
        let obeys = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"]
        let ignores = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"]
        for round in 0..<rounds {
            for (args, measure, grace) in [(obeys, Measure.stopObeyed, 10), (ignores, .stopIgnored, 1)] {
                try bundle.write(args: args)
                let id = gantry.nextID()
                _ = try launcher.succeed(
                    command(["run", "--detach", "--supervise", "--bundle", bundle.directory, id]))
                // It must have set its trap.
                usleep(100_000)
                let outcome = try launcher.succeed(command(["stop", "--time", String(grace), id]))
                if round >= 0 {
                    let waited = measure == .stopIgnored ? Double(grace) * 1000 : 0
                    results.add(outcome.milliseconds - waited, measure, gantry.name)
                }
                _ = try launcher.succeed(command(["delete", "--force", id]))
            }
        }
    }

    // MARK: Logs

    private func timeLogs(into results: inout Results) throws {
        defer { try? bundle.write() }
        let data = bundle.rootfs + "/data"
        try Self.writeLines(to: data)
        defer { try? FileManager.default.removeItem(atPath: data) }
        try bundle.write(args: ["/bin/sh", "-c", "cat /data; echo this is the end; exec sleep 1000"])
        let places: [(String, Measure, Measure?)] = [
            ("/dev/shm/gantry-bench-\(getpid())", .logMemory, .logProcessor), (work + "/logs", .logDisk, nil),
        ]
        for (place, time, processor) in places {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: place) }
            for round in -1..<max(3, rounds / 5) {
                for name in round % 2 == 0 ? [gantry.name, Self.other] : [Self.other, gantry.name] {
                    let sample = try timeLog(name, place)
                    guard round >= 0 else { continue }
                    results.add(sample.milliseconds, time, name)
                    if let processor { results.add(sample.processor, processor, name) }
                }
            }
        }
    }

    /// Milliseconds from the start until all is in the log, and of processor time of those who log it.
    private func timeLog(_ name: String, _ place: String) throws -> (milliseconds: Double, processor: Double)
    {
        let log = place + "/log"
        let begin = DispatchTime.now().uptimeNanoseconds
        let contestant = try start(name, log: log)
        defer { try? FileManager.default.removeItem(atPath: log) }
        do {
            try waitForEnd(of: log)
            let end = DispatchTime.now().uptimeNanoseconds
            let processor = contestant.processes.reduce(0.0) { $0 + ProcessFiles.processorTime($1) }
            try contestant.end()
            return (Double(end - begin) / 1e6, processor)
        } catch {
            try? contestant.end()
            throw error
        }
    }

    private func waitForEnd(of log: String) throws {
        let deadline = Date().addingTimeInterval(120)
        let last = Array(Self.lastLine.utf8)
        var tail = [UInt8](repeating: 0, count: last.count)
        while true {
            let file = open(log, O_RDONLY | O_CLOEXEC)
            if file >= 0 {
                let size = lseek(file, 0, SEEK_END)
                let count = pread(file, &tail, tail.count, max(0, size - off_t(tail.count)))
                close(file)
                if count == tail.count, tail == last { return }
            }
            guard Date() < deadline else { throw BenchError("\(log) is not complete after 120 s") }
            usleep(500)
        }
    }

    private static func writeLines(to path: String) throws {
        var block = Data()
        for number in 0..<13_107 {
            let text = "line \(number) " + String(repeating: "x", count: 80)
            block.append(contentsOf: text.utf8.prefix(79))
            block.append(10)
        }
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw BenchError("cannot write \(path)") }
        for _ in 0..<amount / block.count { try file.write(contentsOf: block) }
        try file.close()
    }

    // MARK: Idle containers

    /// Memory of those who stand behind 20 idle containers, each; and system calls that they make while nothing
    /// happens.
    private func weighIdle(into results: inout Results) throws {
        try bundle.write(args: ["/bin/sleep", "1000"])
        defer { try? bundle.write() }
        for name in [gantry.name, Self.other] {
            var contestants: [Contestant] = []
            defer { for contestant in contestants { try? contestant.end() } }
            for number in 0..<20 {
                contestants.append(try start(name, log: "\(work)/idle-\(name)-\(number)"))
            }
            usleep(500_000)
            for contestant in contestants {
                let pages = contestant.processes.reduce(0) { $0 + ProcessFiles.proportionalSetSize($1) }
                results.add(Double(pages), .idleMemory, name)
            }
            if name == gantry.name, let first = contestants.first {
                results.add(Double(try idleCalls(first)), .idleCalls, name)
            }
        }
    }

    private func idleCalls(_ contestant: Contestant) throws -> Int {
        let trace = work + "/idle-trace"
        let strace =
            [
                "/usr/bin/timeout", "-s", "INT", "10", "/usr/bin/strace", "-qq", "-e", "signal=none", "-o",
                trace,
            ]
            + contestant.processes.flatMap { ["-p", String($0)] }
        _ = try launcher.run(strace, seconds: 20)
        // What each was in when strace came is told as restarted; what strace's own end does, as unfinished.
        return try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            .filter { !$0.contains("unfinished") && !$0.contains("resuming") && !$0.contains("detached") }
            .count
    }

    // MARK: Contestants

    private func start(_ name: String, log: String) throws -> Contestant {
        name == gantry.name ? try startSupervised(log: log) : try startWithConmon(log: log)
    }

    private func startSupervised(log: String) throws -> Contestant {
        let id = gantry.nextID()
        let pidFile = "\(work)/pid-\(id)"
        _ = try launcher.succeed(
            command([
                "run", "--detach", "--supervise", "--bundle", bundle.directory, "--pid-file", pidFile,
                "--log-path",
                log, id,
            ]))
        let keeper = try ProcessFiles.parent(of: try ProcessFiles.number(in: pidFile))
        // The supervisor is started beside the container, and may come after it.
        var supervisor: Int?
        for _ in 0..<1000 where supervisor == nil {
            supervisor = ProcessFiles.children(of: keeper).first {
                ProcessFiles.commandLine($0).contains("supervise")
            }
            usleep(1000)
        }
        guard let supervisor else { throw BenchError("\(id) has no supervisor") }
        return Contestant(name: gantry.name, id: id, log: log, processes: [keeper, supervisor]) {
            _ = try launcher.succeed(command(["delete", "--force", id]))
        }
    }

    private func startWithConmon(log: String) throws -> Contestant {
        let id = gantry.nextID()
        let pidFile = "\(work)/pid-\(id)"
        let runtime = gantry.command()
        var command = [conmon, "--api-version", "1", "-c", id, "-u", id, "-n", id, "-b", bundle.directory]
        command += [
            "-r", runtime[0], "-p", pidFile, "--exit-dir", work, "--full-attach", "-l", "k8s-file:" + log,
        ]
        command += ["--conmon-pidfile", pidFile + ".conmon", "--log-level", "error"]
        for argument in runtime.dropFirst() { command += ["--runtime-arg", argument] }
        _ = try launcher.succeed(command)
        for _ in 0..<5000 where (try? ProcessFiles.number(in: pidFile)) == nil { usleep(1000) }
        let process = try ProcessFiles.number(in: pidFile + ".conmon")
        _ = try launcher.succeed(gantry.command("start", id))
        return Contestant(name: Self.other, id: id, log: log, processes: [process]) {
            _ = try launcher.succeed(gantry.command("delete", "--force", id))
        }
    }
}
