import Testing

@testable import Runtime

/// The legal order of messages, and every other order.
@Suite struct StartProtocolTests {
    private static let place = StartProtocol.Message.sync(1)
    private static let mounted = StartProtocol.Message.sync(2)
    private static let ready = StartProtocol.Message.sync(3)
    private static let terminal = StartProtocol.Message.sync(4)
    private static let forked = StartProtocol.Message.forked(pid: 42)

    private func actions(_ messages: [StartProtocol.Message]) -> [StartProtocol.Action] {
        var machine = StartProtocol()
        return messages.map { machine.receive($0) }
    }

    @Test func aStartWithoutHooks() {
        let messages = [Self.forked, Self.place, Self.ready, .endOfFile]
        #expect(actions(messages) == [.adopt(pid: 42), .place, .record, .succeed])
    }

    @Test func aStartWithHooks() {
        let messages = [Self.forked, Self.place, Self.mounted, Self.ready, .endOfFile]
        #expect(actions(messages) == [.adopt(pid: 42), .place, .runHooks, .record, .succeed])
    }

    @Test func aStartWithATerminal() {
        let messages = [Self.forked, Self.place, Self.mounted, Self.terminal, Self.ready, .endOfFile]
        #expect(
            actions(messages) == [.adopt(pid: 42), .place, .runHooks, .takeTerminal, .record, .succeed])
    }

    @Test(arguments: 0...4)
    func aFailureIsTakenAtAnyTime(after count: Int) {
        let legal = [Self.forked, Self.place, Self.mounted, Self.ready]
        #expect(actions(legal.prefix(count) + [.failed]).last == .reportFailure)
    }

    @Test(arguments: 0...3)
    func endOfFileBeforeReadyIsADeath(after count: Int) {
        let legal = [Self.forked, Self.place, Self.mounted]
        #expect(actions(legal.prefix(count) + [.endOfFile]).last == .reportDeath)
    }

    /// Every sequence of up to four messages that is not a beginning of a legal one ends in disorder, and
    /// stays there.
    @Test func everyOtherOrderIsRefused() {
        let alphabet = [
            Self.place, Self.mounted, Self.terminal, Self.ready, Self.forked, .sync(9), .forked(pid: 0),
        ]
        let legal: [[StartProtocol.Message]] = [
            [Self.forked, Self.place, Self.ready], [Self.forked, Self.place, Self.mounted, Self.ready],
            [Self.forked, Self.place, Self.terminal, Self.ready],
            [Self.forked, Self.place, Self.mounted, Self.terminal, Self.ready],
        ]
        var sequences: [[StartProtocol.Message]] = [[]]
        for _ in 0..<4 {
            sequences = sequences.flatMap { sequence in alphabet.map { sequence + [$0] } }
            for sequence in sequences {
                let isLegal = legal.contains { $0.starts(with: sequence) }
                #expect(actions(sequence).contains(.reportDisorder) == !isLegal, "\(sequence)")
            }
        }
    }

    @Test func nothingIsAcceptedAfterTheEnd() {
        #expect(actions([Self.forked, .failed, Self.place]).last == .reportDisorder)
    }
}
