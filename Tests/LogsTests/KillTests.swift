import Foundation
import Keeper
import Store
import TestSupport
import Testing

@testable import Logs

/// `kill -9` of a log writer: the next one goes on, and each line is in the log once.
@Suite(.timeLimit(.minutes(10))) struct KillTests {
    /// Built with the tests.
    private static let feeder =
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path + "/log-feeder"
    private static let isSoak = ProcessInfo.processInfo.environment["GANTRY_SOAK"] != nil

    private func expectWhole(_ log: TestLog, _ comment: Comment) throws {
        let lines = try Reference.lines(try log.text(), log.settings.logDriver)
        for stream in 0..<2 {
            let isWhole = Reference.printed(lines, stream) == log.ring.printed[stream]
            #expect(isWhole, comment)
        }
    }

    private func words(_ log: TestLog) throws -> [String] {
        let settings = log.directory.path + "/settings.json"
        try Data(log.settings.encoded()).write(to: URL(filePath: settings))
        return [log.ring.path, settings]
    }

    @Test(
        "at random times, while the container prints",
        arguments: [SupervisionSettings.LogDriver.k8sFile, .jsonFile], [0, 300_000])
    func atAnyTime(_ driver: SupervisionSettings.LogDriver, _ maxSize: Int64) async throws {
        let log = try TestLog(driver)
        if maxSize > 0 { (log.settings.logMaxSize, log.settings.logMaxFiles) = (maxSize, 1000) }
        let words = try words(log)
        var dice = Dice(UInt64(maxSize) + 5)
        let material = (0..<2).map { _ in
            dice.lines(2000, longest: 30_000, isText: driver == .jsonFile)
        }
        var rests = (0..<2).map { material[$0][...] }
        var kills = 0
        var child: Child?
        var killTime = Date.distantPast
        func isDone() -> Bool { rests.allSatisfy(\.isEmpty) }
        while !isDone() {
            if child == nil {
                child = try Child.spawn(Self.feeder, words, stderr: log.directory.path + "/stderr")
                killTime = Date().addingTimeInterval(.random(in: 0...0.03))
            }
            for stream in 0..<2 {
                let part = rests[stream].prefix(.random(in: 0...60_000))
                rests[stream] = rests[stream].dropFirst(log.ring.put(stream, part))
            }
            if Date() > killTime, let victim = child {
                kill(victim.pid, SIGKILL)
                _ = try await victim.wait()
                kills += 1
                child = nil
            }
            usleep(200)
        }
        log.ring.end()
        if let child { #expect(try await child.wait() == 0) }
        let last = try await Command.run(Self.feeder, words)
        try #require(last.code == 0, "\(last)")
        try expectWhole(log, "\(driver) after \(kills) kills")
    }

    /// Few lines, small files: many rotations in few system calls.
    private func smallLog(_ driver: SupervisionSettings.LogDriver, files: Int) throws -> TestLog {
        let log = try TestLog(driver)
        (log.settings.logMaxSize, log.settings.logMaxFiles) = (2000, files)
        var dice = Dice(9)
        for stream in 0..<2 {
            log.ring.put(stream, dice.lines(60, longest: 300, isText: driver == .jsonFile))
        }
        log.ring.put(1, "no end")
        log.ring.end()
        return log
    }

    @Test(
        "on entering each system call", .enabled(if: Machine.isRoot, "ptrace needs root"),
        arguments: [SupervisionSettings.LogDriver.k8sFile, .jsonFile])
    func atEachCall(_ driver: SupervisionSettings.LogDriver) async throws {
        let tool = try Programs.compile("killpoint")
        var calls = 0
        do {
            let log = try smallLog(driver, files: 100)
            let report = log.directory.path + "/report"
            let whole = try await Command.run(tool, ["0", "0", report, Self.feeder] + words(log))
            try #require(whole.code == 0, "\(whole)")
            let text = try String(contentsOfFile: report, encoding: .utf8)
            calls = text.split(separator: "\n")[0].split(separator: " ").count - 1
            try expectWhole(log, "without a kill")
        }
        // The program's own beginning is not ours.
        let all = Array(1...calls)
        let chosen = Self.isSoak ? all : Array(all.shuffled().prefix(25))
        for call in chosen {
            let log = try smallLog(driver, files: 100)
            let words = try words(log)
            let report = log.directory.path + "/report"
            let killed = try await Command.run(tool, ["0", "\(call)", report, Self.feeder] + words)
            #expect([0, 137].contains(killed.code), "\(killed)")
            let last = try await Command.run(Self.feeder, words)
            try #require(last.code == 0, "\(last)")
            try expectWhole(log, "killed at call \(call): \(log.files())")
        }
    }

    /// With one file the older half goes each time; what is left is the end of what was printed, without a gap.
    @Test("on entering each system call, with one file", .enabled(if: Machine.isRoot, "ptrace needs root"))
    func atEachCallWithOneFile() async throws {
        let tool = try Programs.compile("killpoint")
        for call in (1...400).shuffled().prefix(Self.isSoak ? 400 : 15) {
            let log = try smallLog(.k8sFile, files: 1)
            let words = try words(log)
            let report = log.directory.path + "/report"
            _ = try await Command.run(tool, ["0", "\(call)", report, Self.feeder] + words)
            let last = try await Command.run(Self.feeder, words)
            try #require(last.code == 0, "\(last)")
            let lines = try Reference.lines(try log.text(), .k8sFile)
            #expect(lines.count >= 5)
            for stream in 0..<2 {
                let printed = Reference.printed(lines, stream)
                #expect(printed == log.ring.printed[stream].suffix(printed.count), "killed at call \(call)")
            }
        }
    }
}
