import Foundation
import Glibc
import Keeper
import Store
import TestSupport
import Testing

@testable import Logs

/// Disks that are full or slow, journals that are not there.
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

    /// Drains until a condition holds, as the event loop does.
    private func drive(
        _ log: TestLog, _ writer: inout LogWriter, _ ring: borrowing OutputRing, isFinal: Bool = false,
        seconds: Double = 30, until isDone: ([LogProgress]) -> Bool
    ) throws -> [String] {
        let deadline = Date().addingTimeInterval(seconds)
        var messages: [String] = []
        while true {
            var all: [LogProgress] = []
            for stream in 0..<2 {
                let progress = writer.drain(ring, stream: stream, isFinal: isFinal)
                messages += progress.messages
                all.append(progress)
            }
            if isDone(all) { return messages }
            try #require(Date() < deadline, "\(messages)")
            usleep(1000)
        }
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
            var messages = try drive(log, &writer, ring) { $0[0].retryAt != nil && $0[0].consumed == 0 }
            #expect(messages.count == 1 && messages[0].contains("no space left on device"), "\(messages)")
            // Whole lines, and all that is not there is still in the ring.
            let logged = Reference.printed(try Reference.lines(try log.text(), .k8sFile), 0)
            #expect(logged + log.ring.printed[0].suffix(ring.available(0)) == log.ring.printed[0])
            #expect(ring.available(0) > 0)
            // There is room for a line now and then: that is not worth telling.
            var retries = 0
            messages = try drive(log, &writer, ring) { all in
                if all[0].consumed > 0 { retries += 1 }
                return retries == 4
            }
            #expect(messages == [])
            let grown = try await Command.run(
                "/bin/mount", ["-o", "remount,size=1m", log.directory.path + "/disk"])
            try #require(grown.code == 0, "\(grown)")
            messages = try drive(log, &writer, ring) { _ in ring.available(0) == 0 }
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
            _ = try drive(log, &writer, ring, isFinal: true) { $0.allSatisfy(\.isDrained) }
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
        _ = try drive(log, &writer, ring, isFinal: true) { $0.allSatisfy(\.isDrained) }
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
            let messages = try drive(log, &writer, ring) { $0.contains(where: \.mustStop) }
            #expect(messages.count == 1 && messages[0].contains("the container is stopped"), "\(messages)")
            #expect(ring.available(0) > 0)
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
            _ = try drive(log, &writer, ring) { _ in
                if poll(&set, 1, 10) > 0 { return ring.available(0) + ring.available(1) == 0 }
                return ring.available(0) + ring.available(1) == 0
            }
            writer.checkFile()
        }
        let lines = try Reference.lines(try log.text(), .jsonFile)
        for stream in 0..<2 { #expect(Reference.printed(lines, stream) == log.ring.printed[stream]) }
    }

    // MARK: journald

    /// A socket that takes entries as journald does.
    private final class FakeJournal {
        let path: String
        private let socket: Int32

        init(_ directory: String) throws {
            path = directory + "/journal"
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
        }

        deinit { close(socket) }

        /// The next entry; nil when there is none.
        func receive() -> Data? {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count > 0 ? Data(bytes[..<count]) : nil
        }
    }

    @Test func journalEntries() throws {
        let log = try TestLog(.journald)
        let journal = try FakeJournal(log.directory.path)
        log.settings.logTag = "{{.ID}}!"
        log.settings.logLabels = [(key: "a.b", value: "1\n2")]
        let ring = try log.ring.open()
        var writer = try LogWriter(log.settings, notes: log.ring.notes, journalSocket: journal.path)
        log.ring.put(0, Data("a \0\u{1}b\n<4>warned\n".utf8))
        log.ring.put(1, "no end")
        _ = log.drain(&writer, ring, isFinal: true)
        let common =
            "CONTAINER_ID_FULL=a-container-with-a-name\nCONTAINER_ID=a-container-\n"
            + "CONTAINER_NAME=a-container-with-a-name\nCONTAINER_TAG=a-container-!\nSYSLOG_IDENTIFIER=a-container-!\n"
            + "A_B\n\u{3}\0\0\0\0\0\0\u{0}1\n2\n"
        #expect(journal.receive() == Data("PRIORITY=6\n\(common)MESSAGE=a \0\u{1}b\n".utf8))
        #expect(journal.receive() == Data("PRIORITY=4\n\(common)MESSAGE=warned\n".utf8))
        #expect(
            journal.receive()
                == Data("PRIORITY=3\n\(common)CONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=no end\n".utf8))
        #expect(journal.receive() == nil)
    }

    /// Pieces of a long line are one line: its priority is that of its beginning, and nothing in its middle is taken for one.
    @Test func aLongLineHasOnePriority() throws {
        let log = try TestLog(.journald)
        let journal = try FakeJournal(log.directory.path)
        let ring = try log.ring.open()
        var writer = try LogWriter(log.settings, notes: log.ring.notes, journalSocket: journal.path)
        let start = "<2>" + String(repeating: "x", count: 16381)
        log.ring.put(0, start + "<4>rest\nnext\n")
        _ = log.drain(&writer, ring, isFinal: true)
        var entries: [String] = []
        while let entry = journal.receive() { entries.append(String(decoding: entry, as: UTF8.self)) }
        #expect(entries.map { $0.prefix(11) } == ["PRIORITY=2\n", "PRIORITY=2\n", "PRIORITY=6\n"])
        #expect(entries.count == 3 && entries[1].hasSuffix("\nMESSAGE=<4>rest\n"))
    }

    /// journald's queue is short: what it does not take waits.
    @Test func aSlowJournalLosesNothing() throws {
        let log = try TestLog(.journald)
        let journal = try FakeJournal(log.directory.path)
        let ring = try log.ring.open()
        var writer = try LogWriter(log.settings, notes: log.ring.notes, journalSocket: journal.path)
        for number in 0..<2000 { log.ring.put(0, "\(number)\n") }
        var taken: [String] = []
        let messages = try drive(log, &writer, ring) { _ in
            while let entry = journal.receive() {
                let text = String(decoding: entry, as: UTF8.self)
                taken.append(String(text[text.range(of: "MESSAGE=")!.upperBound...].dropLast()))
            }
            return ring.available(0) == 0 && taken.count == 2000
        }
        #expect(messages == [])
        #expect(taken == (0..<2000).map(String.init))
    }

    @Test func noJournalIsTold() throws {
        let log = try TestLog(.journald)
        #expect(throws: (any Error).self) {
            _ = try LogWriter(
                log.settings, notes: log.ring.notes, journalSocket: log.directory.path + "/none")
        }
    }
}
