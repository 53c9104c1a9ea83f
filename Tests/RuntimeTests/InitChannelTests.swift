import CLinux
import CPlan
import Diagnostics
import Foundation
import Linux
import Testing

@testable import Runtime

/// gantry's end of the protocol, with a test in place of the init.
@Suite struct InitChannelTests {
    private struct Pair: ~Copyable {
        let channel: InitChannel
        /// The init's end. -1 once it is closed.
        private(set) var peer: CInt

        init() throws {
            var ends: [CInt] = [-1, -1]
            try #require(clinux_seqpacket_pair(&ends) == 0)
            channel = try InitChannel(Descriptor(adopting: ends[0]))
            peer = ends[1]
        }

        mutating func endInit() {
            close(peer)
            peer = -1
        }

        deinit {
            if peer >= 0 { close(peer) }
        }
    }

    private func send(_ type: cplan_message_type, value: Int32, detail: [UInt8] = [], to descriptor: CInt) {
        var message = cplan_message()
        message.type = type.rawValue
        message.value = value
        message.op = 7
        message.error = 13
        message.length = UInt32(detail.count)
        let result = detail.withUnsafeBytes {
            clinux_send(descriptor, &message, MemoryLayout<cplan_message>.size, $0.baseAddress, $0.count)
        }
        #expect(result == 0)
    }

    @Test func messages() throws {
        var pair = try Pair()
        send(CPLAN_MSG_SYNC, value: 3, to: pair.peer)
        send(CPLAN_MSG_FORKED, value: 4711, to: pair.peer)
        send(CPLAN_MSG_FAILED, value: 5, detail: Array("why".utf8), to: pair.peer)
        #expect(try pair.channel.receive().message == .sync(3))
        #expect(try pair.channel.receive().message == .forked(pid: 4711))
        let failed = try pair.channel.receive()
        #expect(failed.message == .failed)
        #expect(failed.failure?.op == 7)
        #expect(failed.failure?.opcode == 5)
        #expect(failed.failure?.errno == 13)
        #expect(failed.failure?.detail == Array("why".utf8))
        pair.endInit()
        #expect(try pair.channel.receive().message == .endOfFile)
    }

    /// Shorter than a message: not one of the init's.
    @Test func half() throws {
        let pair = try Pair()
        var bytes: [UInt8] = [1, 0]
        #expect(clinux_send(pair.peer, &bytes, 2, nil, 0) == 0)
        #expect(try pair.channel.receive().message == .endOfFile)
    }

    @Test func longerThanAnyMessage() throws {
        let pair = try Pair()
        send(
            CPLAN_MSG_FAILED, value: 1, detail: Array(repeating: 65, count: Int(CPLAN_DETAIL_MAX) + 1),
            to: pair.peer)
        #expect(throws: Failure.self) { _ = try pair.channel.receive() }
    }

    @Test func answersToNobody() throws {
        var pair = try Pair()
        #expect(try pair.channel.reply(CPLAN_SYNC_PLACE))
        #expect(try pair.channel.start())
        pair.endInit()
        #expect(try !pair.channel.reply(CPLAN_SYNC_READY, value: [1, 2]))
        #expect(try !pair.channel.start())
    }
}
