import Diagnostics
import Foundation
import Keeper
import Store
import Synchronization
import TestSupport
import Testing

@testable import Logs

/// `gantry logs`, without the command.
@Suite(.timeLimit(.minutes(5))) struct ReaderTests {
    /// A reader that runs beside the test, and what it has printed.
    final class Reading: Sendable {
        private let path: String
        private let targets: [Int32]
        private let state = Mutex<(isDone: Bool, failure: Failure?, warnings: [String])>((false, nil, []))

        init(_ log: TestLog, _ query: LogQuery) throws {
            path = log.directory.path + "/read-\(UUID().uuidString)"
            let settings = log.settings
            let directory = log.directory.path + "/state/" + settings.id
            targets = [0, 1].map { [path] in open("\(path).\($0)", O_RDWR | O_CREAT | O_APPEND, 0o600) }
            let targets = targets
            Thread.detachNewThread { [self] in
                do throws(Failure) {
                    try LogReader.print(
                        settings, directory: directory, query: query, targets: (targets[0], targets[1])
                    ) { [self] warning in state.withLock { $0.warnings.append(warning) } }
                } catch {
                    state.withLock { $0.failure = error }
                }
                for target in targets { close(target) }
                state.withLock { $0.isDone = true }
            }
        }

        var isDone: Bool { state.withLock { $0.isDone } }
        var failure: Failure? { state.withLock { $0.failure } }
        var warnings: [String] { state.withLock { $0.warnings } }

        func printed(_ stream: Int) -> Data {
            FileManager.default.contents(atPath: "\(path).\(stream)") ?? Data()
        }

        func end(seconds: Double = 60) throws {
            let deadline = Date().addingTimeInterval(seconds)
            while !isDone {
                guard Date() < deadline else {
                    throw Command.TimedOut(description: "the reader does not end")
                }
                usleep(1000)
            }
        }
    }

    private func read(_ log: TestLog, _ change: (inout LogQuery) -> Void = { _ in }) throws -> Reading {
        var query = LogQuery()
        change(&query)
        let reading = try Reading(log, query)
        try reading.end()
        return reading
    }

    private func eventually(_ what: Comment, _ condition: () throws -> Bool) throws {
        let deadline = Date().addingTimeInterval(60)
        while try !condition() {
            try #require(Date() < deadline, what)
            usleep(2000)
        }
    }

    /// The container in the state directory, as its supervisor leaves it.
    private func setPhase(_ log: TestLog, _ phase: SupervisionStatus.Phase) throws {
        let states = StateDirectory(root: log.directory.path + "/state")
        if !FileManager.default.fileExists(atPath: states.root) { _ = try states.create(log.settings) }
        var status = SupervisionStatus()
        status.phase = phase
        try states.open(log.settings.id).setStatus(status)
    }

    /// Puts everything through the log.
    private func log(
        _ driver: SupervisionSettings.LogDriver, maxSize: Int64? = nil, lines: Int = 500,
        longest: Int = 40_000
    ) throws -> TestLog {
        let log = try TestLog(driver)
        log.settings.logMaxSize = maxSize
        log.settings.logMaxFiles = 10_000
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(4)
        var rests = [0, 1].map { _ in dice.lines(lines, longest: longest, isText: driver == .jsonFile)[...] }
        var time: Int64 = 1_700_000_000_000_000_000
        while rests.contains(where: { !$0.isEmpty }) {
            for stream in 0..<2 {
                time += 250_000_000
                let part = rests[stream].prefix(Int.random(in: 0...3000, using: &dice))
                rests[stream] = rests[stream].dropFirst(log.ring.put(stream, part, time: time))
                _ = log.drain(&writer, ring)
            }
        }
        log.ring.put(0, "no end")
        _ = log.drain(&writer, ring, isFinal: true)
        return log
    }

    // MARK: All of it

    @Test(arguments: [SupervisionSettings.LogDriver.k8sFile, .jsonFile], [nil, 30_000] as [Int64?])
    func exactlyWhatWasPrinted(driver: SupervisionSettings.LogDriver, maxSize: Int64?) throws {
        let log = try log(driver, maxSize: maxSize)
        let reading = try read(log)
        for stream in 0..<2 {
            let isSame = reading.printed(stream) == log.ring.printed[stream]
            #expect(isSame)
        }
        #expect(reading.warnings == [] && reading.failure == nil)
        let errors = try read(log) { $0.hasStdout = false }
        #expect(errors.printed(0).isEmpty && errors.printed(1) == log.ring.printed[1])
    }

    @Test(arguments: [SupervisionSettings.LogDriver.k8sFile, .jsonFile])
    func theTail(driver: SupervisionSettings.LogDriver) throws {
        let log = try log(driver, maxSize: 20_000, lines: 200, longest: 30_000)
        let lines = try Reference.lines(try log.text(), driver)
        for count in [0, 1, 2, 10, 57, 399, 401] {
            let reading = try read(log) { $0.tail = count }
            let isSame = (0..<2).allSatisfy { reading.printed($0) == Self.tail(lines, count, [0, 1])[$0] }
            #expect(isSame, "\(count) lines")
            let errors = try read(log) { ($0.tail, $0.hasStdout) = (count, false) }
            let areSame = errors.printed(1) == Self.tail(lines, count, [1])[1]
            #expect(areSame, "\(count) lines of stderr")
        }
    }

    /// The last lines by another way: all of them, in the order of their ends.
    private static func tail(_ records: [Reference.Line], _ count: Int, _ wanted: [Int]) -> [Data] {
        var lines: [(stream: Int, text: Data)] = []
        var open = [Data?](repeating: nil, count: 2)
        for record in records where wanted.contains(record.stream) {
            open[record.stream] = (open[record.stream] ?? Data()) + record.text
            if record.isWhole {
                lines.append((record.stream, open[record.stream]! + [10]))
                open[record.stream] = nil
            }
        }
        for stream in 0..<2 { if let rest = open[stream] { lines.append((stream, rest)) } }
        var texts = [Data(), Data()]
        for line in lines.suffix(count) { texts[line.stream].append(line.text) }
        return texts
    }

    @Test func timesAndWhatIsBetweenThem() throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        for second in 1...9 { log.ring.put(0, "\(second)\n", time: Int64(second) * 1_000_000_000) }
        _ = log.drain(&writer, ring)
        let reading = try read(log) {
            ($0.since, $0.until, $0.hasTimes) = (3_000_000_000, 5_500_000_000, true)
        }
        #expect(
            String(decoding: reading.printed(0), as: UTF8.self) == """
                1970-01-01T00:00:03.000000000Z 3
                1970-01-01T00:00:04.000000000Z 4
                1970-01-01T00:00:05.000000000Z 5

                """)
        let last = try read(log) { ($0.until, $0.tail) = (5_500_000_000, 2) }
        #expect(String(decoding: last.printed(0), as: UTF8.self) == "4\n5\n")
    }

    /// What other programs have written.
    @Test func othersLogsAreRead() throws {
        let log = try TestLog()
        try Data(
            """
            2026-11-21T12:00:00.5+02:00 stdout F with an offset
            2026-11-21T10:00:01.123456789Z stderr F:x tags
            nonsense
            2026-11-21T10:00:01Z stdout F 
            2026-11-21T10:00:02Z stdout F not finish
            """.utf8
        ).write(to: URL(filePath: log.path))
        let reading = try read(log) { $0.hasTimes = true }
        #expect(
            String(decoding: reading.printed(0), as: UTF8.self)
                == "2026-11-21T10:00:00.500000000Z with an offset\n2026-11-21T10:00:01.000000000Z \n")
        #expect(reading.printed(1) == Data("2026-11-21T10:00:01.123456789Z tags\n".utf8))
        #expect(reading.warnings == ["1 lines of \(log.path) are no lines of a log"])

        let docker = try TestLog(.jsonFile)
        try Data(
            #"""
            { "time":"2026-11-21T10:00:00Z", "attrs":{"a":["}",1,{"b":"\""}]}, "n":null, "log":"\u00fc\ud83d\ude00\ud83d\/\t\n","stream":"stdout"}
            {"log":"x"}

            """#.utf8
        ).write(to: URL(filePath: docker.path))
        let second = try read(docker)
        #expect(String(decoding: second.printed(0), as: UTF8.self) == "ü😀\u{fffd}/\t\n")
        #expect(second.warnings.count == 1)
    }

    @Test(arguments: [SupervisionSettings.LogDriver.none, .passthrough])
    func noLog(driver: SupervisionSettings.LogDriver) throws {
        let log = try TestLog(driver)
        #expect(try read(log).failure?.description.contains("--log-driver \(driver.rawValue)") == true)
    }

    @Test func aMissingLogIsTold() throws {
        #expect(try read(try TestLog()).failure?.kind == .notFound)
    }

    /// As a rotation leaves its files for a moment: without one number, and one file renamed while others are looked for.
    @Test func inTheMiddleOfARotation() throws {
        let log = try log(.k8sFile, maxSize: 20_000, lines: 400)
        let files = FileManager.default
        let last = log.files().count - 1
        try #require(last >= 3)
        for free in [1, 2, last] {
            for number in stride(from: last, through: free, by: -1) {
                try files.moveItem(atPath: "\(log.path).\(number)", toPath: "\(log.path).\(number + 1)")
            }
            #expect(try read(log).printed(0) == log.ring.printed[0])
            try files.linkItem(
                atPath: free == 1 ? log.path : "\(log.path).\(free - 1)", toPath: "\(log.path).\(free)")
            #expect(try read(log).printed(0) == log.ring.printed[0])
            try files.removeItem(atPath: "\(log.path).\(free)")
            for number in free...last {
                try files.moveItem(atPath: "\(log.path).\(number + 1)", toPath: "\(log.path).\(number)")
            }
        }
    }

    @Test func untilLongBeforeThereWereLogs() throws {
        let log = try log(.k8sFile)
        try setPhase(log, .running)
        let reading = try read(log) { ($0.follows, $0.until) = (true, .min) }
        #expect(reading.printed(0).isEmpty && reading.failure == nil)
    }

    // MARK: Following

    private func following(_ log: TestLog, tail: Int? = nil) throws -> Reading {
        try setPhase(log, .running)
        var query = LogQuery()
        (query.follows, query.tail) = (true, tail)
        return try Reading(log, query)
    }

    /// While the log is rotated again and again.
    @Test(arguments: [1_000_000, 20_000] as [Int64], [SupervisionSettings.LogDriver.k8sFile, .jsonFile])
    func followingRotation(maxSize: Int64, driver: SupervisionSettings.LogDriver) throws {
        let log = try TestLog(driver)
        (log.settings.logMaxSize, log.settings.logMaxFiles) = (maxSize, 1000)
        let ring = try log.ring.open()
        var writer = try log.writer()
        let reading = try following(log)
        var dice = Dice(UInt64(maxSize))
        var rests = [0, 1].map { _ in dice.lines(1000, longest: 20_000, isText: driver == .jsonFile)[...] }
        while rests.contains(where: { !$0.isEmpty }) {
            for stream in 0..<2 {
                let part = rests[stream].prefix(Int.random(in: 0...60_000, using: &dice))
                rests[stream] = rests[stream].dropFirst(log.ring.put(stream, part))
                _ = log.drain(&writer, ring)
            }
            if Int.random(in: 0..<20, using: &dice) == 0 { usleep(1000) }
        }
        _ = log.drain(&writer, ring, isFinal: true)
        try setPhase(log, .stopped)
        try reading.end()
        for stream in 0..<2 {
            let isSame = reading.printed(stream) == log.ring.printed[stream]
            #expect(isSame, "\(reading.printed(stream).count) of \(log.ring.printed[stream].count)")
        }
        #expect(reading.warnings == [] && reading.failure == nil)
    }

    /// The only file is shortened again and again; a follower that keeps up misses nothing.
    @Test func followingOneFile() throws {
        let log = try TestLog()
        log.settings.logMaxSize = 20_000
        let ring = try log.ring.open()
        var writer = try log.writer()
        let reading = try following(log)
        var dice = Dice(11)
        for _ in 0..<40 {
            let text = dice.lines(80, longest: 100)
            log.ring.put(0, text)
            _ = log.drain(&writer, ring)
            try eventually("the follower to keep up") {
                reading.printed(0).count == log.ring.printed[0].count
            }
        }
        try setPhase(log, .stopped)
        try reading.end()
        #expect(reading.printed(0) == log.ring.printed[0])
        #expect(reading.warnings == [])
    }

    @Test func followingFromTheTail() throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "a\nb\nc\n")
        _ = log.drain(&writer, ring)
        let reading = try following(log, tail: 1)
        try eventually("the tail") { reading.printed(0) == Data("c\n".utf8) }
        log.ring.put(0, "d\n")
        _ = log.drain(&writer, ring)
        try eventually("what comes") { reading.printed(0) == Data("c\nd\n".utf8) }
        try FileManager.default.removeItem(atPath: log.directory.path + "/state/" + log.settings.id)
        try reading.end()
    }

    /// A log that is not there yet, removed, written again, cut off.
    @Test func followingThroughAccidents() throws {
        let log = try TestLog()
        log.settings.logPath = log.directory.path + "/logs/log"
        let reading = try following(log)
        usleep(20_000)
        let ring = try log.ring.open()
        var writer = try log.writer()
        func printOne(_ text: String, _ comment: Comment) throws {
            log.ring.put(0, text + "\n")
            _ = log.drain(&writer, ring)
            try eventually(comment) { reading.printed(0) == log.ring.printed[0] }
        }
        try printOne("one", "a file that was made late")
        unlink(log.path)
        writer.checkFile()
        try printOne("two", "a file that was written again")
        try FileManager.default.removeItem(atPath: log.directory.path + "/logs")
        writer.checkFile()
        try printOne("three", "a directory that was made again")
        rename(log.path, log.path + ".1")
        writer.checkFile()
        try printOne("four", "a file that was moved")
        try printOne("five", "more in it")
        truncate(log.path, 0)
        // The same size as before, other content.
        log.ring.put(0, "fife\n", time: 2_000_000_000_000_000_000)
        _ = log.drain(&writer, ring)
        try eventually("a file that was cut off") { reading.printed(0).suffix(5) == Data("fife\n".utf8) }
        try setPhase(log, .stopped)
        try reading.end()
    }

    /// One that reads more slowly than files are rotated away says what it missed.
    @Test func aFollowerThatIsTooSlow() throws {
        let log = try TestLog()
        (log.settings.logMaxSize, log.settings.logMaxFiles) = (100, 3)
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "first\n")
        _ = log.drain(&writer, ring)
        try setPhase(log, .running)
        var watch = LogWatch(
            isWanted: true, log: log.path, directory: log.directory.path + "/state/" + log.settings.id)
        var chain = try LogChain.open(log.path)
        watch.begin()
        var follower = LogFollower(
            chain.takeNewest(), position: Int64(try log.text().count), path: log.path, isAlone: false)
        let line = String(repeating: "x", count: 50)
        for _ in 0..<9 { log.ring.put(0, line + "\n") }
        _ = log.drain(&writer, ring)
        let isOver = watch.isOver()
        #expect(!isOver)
        // Nine files came after the one that it holds; three are there.
        guard case .moved(let missed, let rotations) = try follower.moveOn(rotations: watch.rotations) else {
            Issue.record("no step")
            return
        }
        #expect(missed == 6 && rotations == 2)
        // From there on nothing is missing.
        for left in [1, 0] {
            follower.position = 91
            guard case .moved(let missed, let rotations) = try follower.moveOn(rotations: left + 1) else {
                Issue.record("no step")
                return
            }
            #expect(missed == 0 && rotations == left)
        }
        follower.position = 91
        guard case .stay = try follower.moveOn(rotations: 0) else {
            Issue.record("not the newest")
            return
        }
    }
}
