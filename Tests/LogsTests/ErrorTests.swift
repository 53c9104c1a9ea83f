import Foundation
import Glibc
import Keeper
import Store
import TestSupport
import Testing

@testable import Logs

/// Disks that are full or slow.
@Suite(.timeLimit(.minutes(5))) struct ErrorTests {
    /// A log on a small file system of its own.
    private func withSmallDisk(_ kilobytes: Int, _ body: (TestLog) async throws -> Void) async throws {
        let log = try TestLog()
        let place = log.directory.path + "/disk"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let mounted = try await Command.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", place])
        try #require(mounted.code == 0, "\(mounted)")
        log.settings.logPath = place + "/log"
        let result: Result<Void, any Error>
        do {
            try await body(log)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        _ = try await Command.run("/bin/umount", ["-l", place])
        try result.get()
    }

    @Test(
        "a full disk: nothing is lost, and it is told once",
        .enabled(if: Machine.isRoot, "mounting needs root"))
    func fullDisk() async throws {
        try await withSmallDisk(64) { log in
            let ring = try log.ring.open()
            var writer = try log.writer()
            var dice = Dice(3)
            log.ring.put(0, dice.lines(2000, longest: 100, isText: true))
            var messages = try log.drive(&writer, ring) { $0[0].retryAt != nil && $0[0].consumed == 0 }
            #expect(messages.count == 1 && messages[0].contains("no space left on device"), "\(messages)")
            // Whole lines, and all that is not there is still in the ring.
            let logged = Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0)
            #expect(logged + log.ring.printed[0].suffix(ring.available(0)) == log.ring.printed[0])
            #expect(ring.available(0) > 0)
            // There is room for a line now and then: that is not worth telling.
            var retries = 0
            messages = try log.drive(&writer, ring) { all in
                if all[0].consumed > 0 { retries += 1 }
                return retries == 4
            }
            #expect(messages == [])
            let grown = try await Command.run(
                "/bin/mount", ["-o", "remount,size=1m", log.directory.path + "/disk"])
            try #require(grown.code == 0, "\(grown)")
            messages = try log.drive(&writer, ring) { _ in ring.available(0) == 0 }
            #expect(messages.count == 1 && messages[0].contains("written again"), "\(messages)")
            #expect(
                Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0) == log.ring.printed[0])
        }
    }

    @Test("a full disk that drops the oldest", .enabled(if: Machine.isRoot, "mounting needs root"))
    func fullDiskDropsOldest() async throws {
        try await withSmallDisk(64) { log in
            log.settings.logOverflow = .dropOldest
            let ring = try log.ring.open()
            var writer = try log.writer()
            var dice = Dice(5)
            // The container never waits: four rings' worth goes in, however full the disk is.
            let material = dice.lines(20_000, longest: 100, isText: true)
            var rest = material[...]
            var messages: [String] = []
            let deadline = Date().addingTimeInterval(60)
            // The thread that writes may be slow to find that it cannot.
            while !rest.isEmpty || messages.isEmpty {
                try #require(Date() < deadline)
                rest = rest.dropFirst(log.ring.put(0, rest.prefix(20_000)))
                for stream in 0..<2 {
                    messages += writer.drain(ring, stream: stream, isFinal: false).messages
                }
            }
            #expect(messages.count == 1, "\(messages)")
            let grown = try await Command.run(
                "/bin/mount", ["-o", "remount,size=8m", log.directory.path + "/disk"])
            try #require(grown.code == 0, "\(grown)")
            log.ring.end()
            _ = try log.drive(&writer, ring, isFinal: true) { $0.allSatisfy(\.isDrained) }
            let lines = try Reference.lines(try log.text(), .k8sFile)
            try expectAccounted(lines, material)
        }
    }

    /// What is there is what was printed but for one gap, which is told to the line and the byte.
    private func expectAccounted(_ lines: [Reference.Line], _ material: Data) throws {
        let printed = Reference.printed(lines, 0)
        var missing = (lines: 0, bytes: 0)
        for line in lines where line.stream == 1 {
            let text = String(decoding: line.text, as: UTF8.self)
            let numbers = text.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
            try #require(text.hasPrefix("gantry: ") && numbers.count == 2, "\(text)")
            missing.lines += numbers[0]
            missing.bytes += numbers[1]
        }
        #expect(missing.bytes > 0)
        #expect(printed.count + missing.bytes == material.count)
        let all = material.count { $0 == 10 }
        #expect(printed.count { $0 == 10 } + missing.lines == all)
        // The end is there as a whole.
        #expect(printed.suffix(1000) == material.suffix(1000))
    }

    /// While the disk is fast enough, nothing is dropped; when the container is faster, what is missing is told.
    @Test func droppingKeepsAccounts() throws {
        let log = try TestLog()
        log.settings.logOverflow = .dropOldest
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(6)
        let material = dice.lines(20_000, longest: 1000, isText: true)
        var rest = material[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(log.ring.put(0, rest))
            _ = writer.drain(ring, stream: 0, isFinal: false)
        }
        log.ring.end()
        _ = try log.drive(&writer, ring, isFinal: true) { $0.allSatisfy(\.isDrained) }
        let lines = try Reference.lines(try log.text(), .k8sFile)
        if lines.contains(where: { $0.stream == 1 }) {
            try expectAccounted(lines, material)
        } else {
            #expect(Reference.printed(lines, 0) == material)
        }
    }

    @Test("a full disk that stops the container", .enabled(if: Machine.isRoot, "mounting needs root"))
    func fullDiskStops() async throws {
        try await withSmallDisk(16) { log in
            log.settings.logOverflow = .stop
            let ring = try log.ring.open()
            var writer = try log.writer()
            log.ring.put(0, String(repeating: "a line of text\n", count: 3000))
            let messages = try log.drive(&writer, ring) { $0.contains(where: \.mustStop) }
            #expect(messages.count == 1 && messages[0].contains("the container is stopped"), "\(messages)")
            #expect(ring.available(0) > 0)
        }
    }

    /// A batch on its way is out of the container's way, also when it alone fills half of the ring.
    @Test func aLargeBatchOnItsWay() throws {
        let log = try TestLog()
        log.settings.logOverflow = .dropOldest
        let ring = try log.ring.open()
        var writer = try log.writer()
        let line = String(repeating: "x", count: 99) + "\n"
        log.ring.put(0, String(repeating: line, count: OutputRing.capacity / line.utf8.count + 1))
        try #require(log.ring.room(0) == 0)
        _ = writer.drain(ring, stream: 0, isFinal: false)
        #expect(log.ring.room(0) > 0)
    }

    /// A line, and others that are over the rate, on a disk of 64 KiB with another file. The line fits into a page of
    /// the log, the sentence about the others not any more.
    private func withLosses(
        other kilobytes: Int, _ body: (TestLog, _ other: String, _ line: String) throws -> Void
    ) async throws {
        try await withSmallDisk(64) { log in
            log.settings.logRateLimit = 4046
            let other = log.directory.path + "/disk/other"
            try Data(count: kilobytes << 10).write(to: URL(filePath: other))
            let line = String(repeating: "x", count: 4045) + "\n"
            log.ring.put(0, line + "abc\nabc\nabc\n", time: 1_000_000_000)
            try body(log, other, line)
        }
    }

    @Test(
        "what was given up is told at the end as soon as there is room, and the trouble with it once",
        .enabled(if: Machine.isRoot, "mounting needs root"))
    func lossesAreToldAtTheEnd() async throws {
        try await withLosses(other: 60) { log, other, line in
            let ring = try log.ring.open()
            var writer = try log.writer()
            log.ring.end()
            var pauses: Set<Int64> = []
            var messages = try log.drive(&writer, ring, isFinal: true) { all in
                #expect(all.contains { !$0.isDrained })
                if let next = all[0].retryAt { pauses.insert(next) }
                return pauses.count == 4
            }
            #expect(messages.count == 1 && messages[0].contains("no space left on device"), "\(messages)")
            try FileManager.default.removeItem(atPath: other)
            messages = try log.drive(&writer, ring, isFinal: true) { $0.allSatisfy(\.isDrained) }
            #expect(messages.count == 1 && messages[0].contains("written again"), "\(messages)")
            let texts = try Reference.lines(try log.text(), .k8sFile).map {
                String(decoding: $0.text, as: UTF8.self) + "\n"
            }
            let told =
                "gantry: 3 lines (12 bytes) are missing here: they were over the rate limit of the log\n"
            #expect(texts == [line, told])
        }
    }

    /// Also when a line that fits comes first.
    @Test(
        "a log that has no room for what was given up is not written again",
        .enabled(if: Machine.isRoot, "mounting needs root"))
    func lossesKeepTheTrouble() async throws {
        try await withLosses(other: 64) { log, other, _ in
            let ring = try log.ring.open()
            var writer = try log.writer()
            var messages = try log.drive(&writer, ring) { $0[0].retryAt != nil }
            #expect(messages.count == 1 && messages[0].contains("no space left on device"), "\(messages)")
            // There is a page now.
            #expect(truncate(other, 60 << 10) == 0)
            var pauses: Set<Int64> = []
            messages = try log.drive(&writer, ring) { all in
                if ring.available(0) == 0, let next = all[0].retryAt { pauses.insert(next) }
                return pauses.count == 3
            }
            #expect(messages == [])
        }
    }

    /// In the modes with a thread the log is the same.
    @Test(arguments: [SupervisionSettings.Overflow.dropOldest, .stop])
    func writingByAThread(overflow: SupervisionSettings.Overflow) throws {
        let log = try TestLog(.jsonFile)
        log.settings.logOverflow = overflow
        (log.settings.logMaxSize, log.settings.logMaxFiles) = (50_000, 1000)
        let ring = try log.ring.open()
        var writer = try log.writer()
        var dice = Dice(8)
        for _ in 0..<30 {
            for stream in 0..<2 { log.ring.put(stream, dice.lines(50, longest: 2000, isText: true)) }
            var set = pollfd(fd: writer.watch, events: Int16(POLLIN), revents: 0)
            _ = try log.drive(&writer, ring) { _ in
                if poll(&set, 1, 10) > 0 { return ring.available(0) + ring.available(1) == 0 }
                return ring.available(0) + ring.available(1) == 0
            }
            writer.checkFile()
        }
        let lines = try Reference.lines(try log.text(), .jsonFile)
        for stream in 0..<2 { #expect(Reference.printed(lines, stream) == log.ring.printed[stream]) }
    }
}
