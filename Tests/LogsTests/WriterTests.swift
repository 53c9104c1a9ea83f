import Foundation
import Keeper
import Store
import TestSupport
import Testing

@testable import Logs

/// From the ring into files.
@Suite(.timeLimit(.minutes(5))) struct WriterTests {
    @Test func linesAndTheirTimes() throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "one\ntw", time: 1_000_000_000)
        log.ring.put(0, "o\n\nthr", time: 2_000_000_000)
        log.ring.put(1, "error\n", time: 3_000_000_000)
        #expect(log.drain(&writer, ring) == [])
        #expect(
            String(decoding: try log.text(), as: UTF8.self) == """
                1970-01-01T00:00:01.000000000Z stdout F one
                1970-01-01T00:00:02.000000000Z stdout F two
                1970-01-01T00:00:02.000000000Z stdout F \n\
                1970-01-01T00:00:03.000000000Z stderr F error

                """)
        // What has no end yet waits for it, or for the stream's.
        #expect(ring.available(0) == 3)
        #expect(log.drain(&writer, ring, isFinal: true) == [])
        #expect(ring.available(0) == 0)
        #expect(try log.text().suffix(44) == Data("1970-01-01T00:00:02.000000000Z stdout P thr\n".utf8))
    }

    @Test(arguments: [0, 1, 16383, 16384, 16385, 16386, 32768, 32769, 100_000])
    func longLinesComeInPieces(length: Int) throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        // So that one of them lies at both ends of the ring.
        for _ in 0..<6 {
            let text = Data(repeating: 97, count: length) + Data([10])
            var rest = text[...]
            while !rest.isEmpty {
                rest = rest.dropFirst(log.ring.put(0, rest))
                _ = log.drain(&writer, ring)
            }
        }
        let lines = try Reference.lines(try log.text(), .k8sFile)
        #expect(Reference.printed(lines, 0) == log.ring.printed[0])
        #expect(lines.filter(\.isWhole).count == 6)
        #expect(lines.allSatisfy { $0.text.count <= 16384 })
        #expect(lines.count == 6 * max(1, (length + 16383) / 16384))
    }

    @Test(arguments: [SupervisionSettings.LogDriver.k8sFile, .jsonFile])
    func everythingThatIsPrinted(driver: SupervisionSettings.LogDriver) throws {
        let log = try TestLog(driver)
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(1)
        var rests = [0, 1].map { _ in dice.lines(1000, longest: 40_000, isText: driver == .jsonFile)[...] }
        while rests.contains(where: { !$0.isEmpty }) {
            for stream in 0..<2 {
                let part = rests[stream].prefix(Int.random(in: 0...100_000, using: &dice))
                rests[stream] = rests[stream].dropFirst(
                    log.ring.put(
                        stream, part, time: Int64.random(in: 0..<2_000_000_000_000_000_000, using: &dice)))
                _ = writer.drain(ring, stream: stream, isFinal: false)
            }
        }
        #expect(log.drain(&writer, ring, isFinal: true) == [])
        let lines = try Reference.lines(try log.text(), driver)
        for stream in 0..<2 {
            let printed = Reference.printed(lines, stream)
            #expect(printed == log.ring.printed[stream])
        }
    }

    @Test func nothingIsKeptWithoutADriver() throws {
        let log = try TestLog(.none)
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "abc")
        let progress = writer.drain(ring, stream: 0, isFinal: false)
        #expect(progress.consumed == 3 && ring.available(0) == 0)
        #expect(!FileManager.default.fileExists(atPath: log.path))
        #expect(writer.watch == -1)
    }

    /// What came after the last look is not in the log yet, nor out of the ring: attached clients have not got it, and
    /// the keeper would write over it.
    @Test(arguments: [SupervisionSettings.LogDriver.none, .k8sFile, .jsonFile])
    func itTakesNothingThatNobodyHasLookedAt(driver: SupervisionSettings.LogDriver) throws {
        let log = try TestLog(driver)
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "one\n")
        #expect(ring.look(0) == 4)
        log.ring.put(0, "two\n")
        log.ring.end()
        #expect(!ring.hasEnded(0))
        #expect(log.drain(&writer, ring) == [])
        #expect(ring.tail(0) == 4 && ring.available(0) == 0 && ring.arrived(0) == 8)
        #expect(ring.look(0) == 8 && ring.hasEnded(0))
        #expect(log.drain(&writer, ring, isFinal: true) == [])
        #expect(ring.tail(0) == 8)
    }

    // MARK: Rotation

    @Test(arguments: [2, 3, 5])
    func rotation(count: Int) throws {
        let log = try TestLog()
        log.settings.logMaxSize = 10_000
        log.settings.logMaxFiles = count
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(2)
        let printed = dice.lines(2000, longest: 200)
        var rest = printed[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(log.ring.put(0, rest.prefix(5000)))
            _ = log.drain(&writer, ring)
        }
        let files = log.files()
        #expect(files.count == count)
        for file in files {
            let size = try #require(FileManager.default.contents(atPath: file)).count
            #expect(size <= 10_000 && size > 9000 || file == log.path)
        }
        // What is left is the end, without a gap.
        let left = Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0)
        #expect(left == printed.suffix(left.count))
        #expect(try FileManager.default.contentsOfDirectory(atPath: log.directory.path).count == count)
    }

    /// A line that is larger than a file may be is in a file of its own.
    @Test func aLineLargerThanAFile() throws {
        let log = try TestLog()
        log.settings.logMaxSize = 1000
        log.settings.logMaxFiles = 100
        let ring = try log.ring.open()
        var writer = try log.writer()
        for length in [10, 5000, 10, 20_000, 10] {
            log.ring.put(0, Data(repeating: 97, count: length) + [10])
        }
        _ = log.drain(&writer, ring)
        #expect(log.files().count == 6)
        #expect(Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == log.ring.printed[0])
    }

    /// With one file its newer half stays.
    @Test func rotationWithOneFile() throws {
        let log = try TestLog()
        log.settings.logMaxSize = 10_000
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(3)
        let printed = dice.lines(2000, longest: 100)
        var rest = printed[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(log.ring.put(0, rest.prefix(300)))
            _ = log.drain(&writer, ring)
            let size = try log.text().count
            #expect(size <= 10_000)
            #expect(printed.count - rest.count < 7000 || size >= 4500)
        }
        let left = Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0)
        #expect(left == printed.suffix(left.count))
    }

    /// A gap is what a writer leaves that was killed between two renames.
    @Test func rotationGoesOnAfterAKill() throws {
        let log = try TestLog()
        log.settings.logMaxSize = 100
        log.settings.logMaxFiles = 5
        for (name, text) in [("", "now"), (".1", "one"), (".3", "three"), (".4", "four"), (".new", "x")] {
            let line = "2006-01-02T15:04:05.000000000Z stdout F \(text)\n"
            try Data((line + line).utf8).write(to: URL(filePath: log.path + name))
        }
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "fresh\n")
        _ = log.drain(&writer, ring)
        let texts = try log.files().map { file in
            try Reference.lines(FileManager.default.contents(atPath: file) ?? Data(), .k8sFile)
                .map { String(decoding: $0.text, as: UTF8.self) }
        }
        #expect(
            texts == [["four", "four"], ["three", "three"], ["one", "one"], ["now", "now"], ["fresh"]])
    }

    // MARK: What is there already

    @Test func aTornLineIsEnded() throws {
        let log = try TestLog()
        try Data("2006-01-02T15:04:05.000000000Z stdout F ha".utf8).write(to: URL(filePath: log.path))
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "x\n")
        _ = log.drain(&writer, ring)
        let lines = try Reference.lines(try log.text(), .k8sFile)
        #expect(lines.map(\.text) == [Data("ha".utf8), Data("x".utf8)])
    }

    @Test func theFileIsNobodyElses() throws {
        let log = try TestLog()
        log.settings.logPath = log.directory.path + "/deep/er/log"
        do { _ = try log.writer() }
        let mode = try FileManager.default.attributesOfItem(atPath: log.path)[.posixPermissions] as? Int
        #expect((mode ?? 0) & ~0o640 == 0)
    }

    @Test func onlyRegularFilesAreLogs() throws {
        let log = try TestLog()
        for (name, make) in [
            ("link", { symlink("/etc/passwd", $0) }), ("fifo", { mkfifo($0, 0o600) }),
            ("directory", { mkdir($0, 0o700) }),
        ] as [(String, (String) -> Int32)] {
            let path = log.directory.path + "/" + name
            try #require(make(path) == 0)
            log.settings.logPath = path
            #expect(throws: (any Error).self) { _ = try log.writer() }
        }
    }

    // MARK: Removed, moved, replaced

    @Test func aRemovedLogIsWrittenAgain() throws {
        let log = try TestLog()
        log.settings.logPath = log.directory.path + "/logs/log"
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "before\n")
        _ = log.drain(&writer, ring)
        try FileManager.default.removeItem(atPath: log.directory.path + "/logs")
        var set = pollfd(fd: writer.watch, events: Int16(POLLIN), revents: 0)
        #expect(poll(&set, 1, 10_000) == 1)
        writer.checkFile()
        #expect(FileManager.default.fileExists(atPath: log.path))
        #expect(poll(&set, 1, 0) == 0)
        log.ring.put(0, "after\n")
        let messages = log.drain(&writer, ring)
        #expect(messages.count == 1 && messages[0].contains("was removed"), "\(messages)")
        #expect(Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == log.ring.printed[0])
        // Nobody need have called checkFile.
        unlink(log.path)
        log.ring.put(0, "more\n")
        #expect(log.drain(&writer, ring).count == 1)
        #expect(Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == log.ring.printed[0])
    }

    @Test func aMovedLogGoesOnInANewFile() throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "before\n")
        _ = log.drain(&writer, ring)
        rename(log.path, log.path + ".1")
        var set = pollfd(fd: writer.watch, events: Int16(POLLIN), revents: 0)
        #expect(poll(&set, 1, 10_000) == 1)
        writer.checkFile()
        log.ring.put(0, "after\n")
        #expect(log.drain(&writer, ring) == [])
        #expect(log.files().count == 2)
        #expect(Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == log.ring.printed[0])
        #expect(poll(&set, 1, 0) == 0)
    }

    @Test func aTruncatedLogGoesOn() throws {
        let log = try TestLog()
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "before\n")
        _ = log.drain(&writer, ring)
        truncate(log.path, 0)
        log.ring.put(0, "after\n")
        #expect(log.drain(&writer, ring) == [])
        #expect(Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == Data("after\n".utf8))
    }

    // MARK: Losses

    @Test func theRateLimitCountsWhatItDrops() throws {
        let log = try TestLog()
        log.settings.logRateLimit = 100
        let ring = try log.ring.open()
        var writer = try log.writer()
        let line = String(repeating: "x", count: 39)
        log.ring.put(0, String(repeating: line + "\n", count: 10), time: 1_000_000_000)
        _ = log.drain(&writer, ring)
        log.ring.put(0, "late\n", time: 5_000_000_000)
        _ = log.drain(&writer, ring)
        let texts = try Reference.lines(try log.text(), .k8sFile).map {
            "\($0.stream) " + String(decoding: $0.text, as: UTF8.self)
        }
        #expect(
            texts == [
                "0 " + line, "0 " + line,
                "1 gantry: 8 lines (320 bytes) are missing here: they were over the rate limit of the log",
                "0 late",
            ])
    }

    @Test func whatIsDroppedAtTheEndIsToldToo() throws {
        let log = try TestLog()
        log.settings.logRateLimit = 10
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, "123456789\nabc\nabc\nabc", time: 1_000_000_000)
        log.ring.end()
        for stream in 0..<2 {
            let progress = writer.drain(ring, stream: stream, isFinal: true)
            #expect(progress.isDrained)
        }
        let texts = try Reference.lines(try log.text(), .k8sFile).map {
            String(decoding: $0.text, as: UTF8.self)
        }
        #expect(
            texts == [
                "123456789",
                "gantry: 3 lines (11 bytes) are missing here: they were over the rate limit of the log",
            ])
    }

    /// A line whose first pieces are there is ended where the rest is missing.
    @Test func aLongLineOverTheRateIsCut() throws {
        let log = try TestLog()
        log.settings.logRateLimit = 20_000
        let ring = try log.ring.open()
        var writer = try log.writer()
        log.ring.put(0, Data(repeating: 97, count: 50_000) + [10], time: 1_000_000_000)
        log.ring.put(0, "next\n", time: 9_000_000_000)
        _ = log.drain(&writer, ring)
        let lines = try Reference.lines(try log.text(), .k8sFile)
        #expect(lines.map(\.isWhole) == [false, true, true, true])
        #expect(lines.map(\.stream) == [0, 1, 0, 0])
        #expect(lines[3].text == Data("next".utf8))
        #expect(String(decoding: lines[1].text, as: UTF8.self).contains("1 lines (33617 bytes)"))
    }
}
