import Store
import Testing

@testable import Supervisor

@Suite struct ProtocolTests {
    private static let messages: [ControlMessage] = {
        var attachment = ControlMessage.Attachment()
        attachment.wantsOutput = (true, false)
        attachment.sendsInput = true
        attachment.size = 24 | 80 << 16
        var resumed = ControlMessage.Attachment()
        resumed.resumeAt = (1 << 40, 7)
        return [
            .stdin([]), .stdin([0, 255, 10]), .output(stream: 0, [1]), .output(stream: 1, [2, 3]),
            .hello(.init(build: 1_700_000_000, pid: 42)), .askStatus,
            .stop(.init(signal: 0, grace: -1)), .restart(.init(signal: 15, grace: 10_000)), .wait,
            .waitForExec(pid: 99), .release, .attach(attachment), .attach(resumed), .stdinEnd,
            .resize(40 | 132 << 16), .detach, .reopenLog, .signal(10), .done, .ended(nil),
            .ended(.init(exitCode: 137, signal: 9, time: -5)), .failed("no"), .failed(""),
            .status([123, 125]), .attached(.init(hasTerminal: true, hasInput: false, positions: (9, 1))),
            .lost(stream: 1, bytes: 12345),
        ]
    }()

    @Test(arguments: messages)
    func whatIsWrittenIsRead(_ message: ControlMessage) {
        #expect(ControlMessage(message.bytes) == message)
    }

    @Test(arguments: messages)
    func cutMessagesAreHarmless(_ message: ControlMessage) {
        for count in 0..<min(message.bytes.count, 70) {
            _ = ControlMessage(Array(message.bytes.prefix(count)))
        }
    }

    @Test func nonsenseIsRefused() {
        var generator = SystemRandomNumberGenerator()
        for code: UInt8 in 0...255 {
            for length in [1, 7, 8, 9, 24, 63, 64, 65, 72, 8192, 40_000] {
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                _ = ControlMessage([code] + bytes)
            }
        }
        #expect(ControlMessage([]) == nil)
        #expect(ControlMessage([200]) == nil)
        #expect(ControlMessage([ControlMessage.Code.stop]) == nil)
        #expect(
            ControlMessage([ControlMessage.Code.stdin] + [UInt8](repeating: 0, count: 32769)) == nil)
    }

    /// conmon's attach socket (conmon's conn_sock.c): the first byte names the stream.
    @Test func theFirstByteIsConmons() {
        #expect(ControlMessage.output(stream: 0, [65]).bytes == [2, 65])
        #expect(ControlMessage.output(stream: 1, [65]).bytes == [3, 65])
    }
}

@Suite struct OutboxTests {
    private static func append(_ bytes: [UInt8], stream: Int = 0, to outbox: inout Outbox) {
        bytes.withUnsafeBytes { outbox.append($0, stream: stream) }
    }

    private static func drain(_ outbox: inout Outbox) -> [ControlMessage] {
        var all: [ControlMessage] = []
        while let message = outbox.next() {
            if let known = ControlMessage(message) { all.append(known) }
            outbox.removeFirst()
        }
        return all
    }

    @Test func smallPiecesBecomeOneMessage() {
        var outbox = Outbox()
        for byte: UInt8 in 0..<100 { OutboxTests.append([byte], to: &outbox) }
        #expect(OutboxTests.drain(&outbox) == [.output(stream: 0, Array(0..<100))])
        #expect(outbox.isEmpty)
        #expect(outbox.waiting == 0)
    }

    @Test func streamsAndAnswersKeepTheirOrder() {
        var outbox = Outbox()
        OutboxTests.append([1], to: &outbox)
        OutboxTests.append([2], stream: 1, to: &outbox)
        OutboxTests.append([3], to: &outbox)
        outbox.append(ControlMessage.ended(nil).bytes)
        #expect(
            OutboxTests.drain(&outbox) == [
                .output(stream: 0, [1]), .output(stream: 1, [2]), .output(stream: 0, [3]), .ended(nil),
            ])
    }

    @Test func longOutputIsCut() {
        var outbox = Outbox()
        OutboxTests.append([UInt8](repeating: 7, count: 20_000), to: &outbox)
        var sizes: [Int] = []
        for case .output(0, let bytes) in OutboxTests.drain(&outbox) { sizes.append(bytes.count) }
        #expect(sizes == [8192, 8192, 3616])
    }

    @Test func theOldestIsGivenUpAndCounted() {
        var outbox = Outbox()
        outbox.append(ControlMessage.done.bytes)
        for number in 0..<400 {
            let piece = [UInt8](repeating: UInt8(number % 251), count: 4000)
            OutboxTests.append(piece, stream: number % 2, to: &outbox)
        }
        #expect(outbox.waiting <= Outbox.capacity)
        let all = OutboxTests.drain(&outbox)
        var lost = [UInt64](repeating: 0, count: 2)
        var received = [Int](repeating: 0, count: 2)
        for message in all {
            if case .lost(let stream, let count) = message { lost[stream] += count }
            if case .output(let stream, let bytes) = message { received[stream] += bytes.count }
        }
        for stream in 0..<2 { #expect(Int(lost[stream]) + received[stream] == 200 * 4000) }
        #expect(lost[0] > 0 && all.contains(.done))
        // Told before what follows.
        #expect(all.prefix(2).contains { if case .lost = $0 { true } else { false } })
    }

    @Test func lossInTheMiddleIsToldThere() {
        var outbox = Outbox()
        OutboxTests.append([UInt8](repeating: 1, count: 8192), to: &outbox)
        #expect(outbox.next() != nil)
        outbox.removeFirst()
        for _ in 0..<200 { OutboxTests.append([UInt8](repeating: 2, count: 8192), to: &outbox) }
        guard let first = OutboxTests.drain(&outbox).first, case .lost(0, let count) = first else {
            Issue.record("a loss must be told first")
            return
        }
        // Each message costs a little besides.
        #expect(count == UInt64((200 - Outbox.capacity / (8192 + 64)) * 8192))
    }

    /// A byte to one stream, then one to the other: each is a message.
    @Test func smallPiecesDoNotPileUp() {
        var outbox = Outbox()
        for number in 0..<100_000 { OutboxTests.append([7], stream: number % 2, to: &outbox) }
        #expect(outbox.waiting <= Outbox.capacity)
        var (received, lost) = (0, 0)
        for message in OutboxTests.drain(&outbox) {
            if case .output(_, let bytes) = message { received += bytes.count }
            if case .lost(_, let count) = message { lost += Int(count) }
        }
        #expect(received + lost == 100_000 && received <= Outbox.capacity / 65)
        #expect(outbox.isEmpty && outbox.waiting == 0)
    }
}

@Suite struct DetachKeyTests {
    @Test(arguments: [
        ("ctrl-p,ctrl-q", [UInt8]([16, 17])), ("ctrl-\\", [28]), ("a,b", [97, 98]), ("", []),
        ("ctrl-@", [0]), ("ctrl-A", [1]), ("ctrl-_,x", [31, 120]),
    ])
    func areRead(_ text: String, _ bytes: [UInt8]) throws {
        #expect(try DetachKeys(text).bytes == bytes)
    }

    @Test(arguments: ["ctrl-", "ctrl-pp", "ab", ",", "a,", "ctrl-1", "é", "ctrl p", "CTRL-p"])
    func nonsenseIsRefused(_ text: String) {
        #expect(throws: (any Error).self) { try DetachKeys(text) }
    }

    @Test func areFoundHoweverTheyCome() throws {
        for split in 0...5 {
            var keys = DetachKeys.standard
            let typed: [UInt8] = [97, 98, 16, 17, 99]
            let first = keys.filter(typed[..<split])
            guard !first.isComplete else {
                #expect(first.passed == [97, 98])
                continue
            }
            let second = keys.filter(typed[split...])
            #expect(second.isComplete)
            #expect(first.passed + second.passed == [97, 98])
        }
    }

    @Test func whatOnlyBeginsLikeThemIsPassedOn() throws {
        var keys = try DetachKeys("a,a,b")
        #expect(keys.filter([97, 97]).passed == [])
        let more = keys.filter([97, 98])
        #expect(more.passed == [97])
        #expect(more.isComplete)
        var other = DetachKeys.standard
        #expect(other.filter([16]).passed == [])
        #expect(other.filter([16, 16]).passed == [16, 16])
        #expect(other.filter([120]).passed == [16, 120])
        #expect(other.filter([16]).passed == [])
        #expect(other.flush() == [16])
    }

    @Test func noneAtAll() throws {
        var keys = try DetachKeys("")
        let result = keys.filter([16, 17])
        #expect(result.passed == [16, 17])
        #expect(!result.isComplete)
    }
}
