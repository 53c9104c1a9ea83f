import Foundation
import Glibc
import Keeper
import Store
import TestSupport
import Testing

@testable import Logs

/// Entries in the journal, and a journal that is slow or not there.
@Suite(.timeLimit(.minutes(5))) struct JournalTests {
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
        let messages = try log.drive(&writer, ring) { _ in
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
