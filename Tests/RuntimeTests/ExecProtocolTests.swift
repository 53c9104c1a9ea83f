import CPlan
import Testing

@testable import Runtime

@Suite struct ExecProtocolTests {
    private let ready = StartProtocol.Message.sync(CPLAN_SYNC_READY.rawValue)

    @Test func version1() {
        var order = ExecProtocol(forks: 1)
        #expect(order.receive(ready) == .sendHome)
        #expect(order.receive(.forked(pid: 7)) == .adopt(pid: 7))
        #expect(order.receive(.endOfFile) == .succeed)
        #expect(order.receive(.endOfFile) == .reportDisorder)
    }

    @Test func aTerminal() {
        var order = ExecProtocol(forks: 1)
        let terminal = StartProtocol.Message.sync(CPLAN_SYNC_TERMINAL.rawValue)
        #expect(order.receive(terminal) == .takeTerminal)
        #expect(order.receive(ready) == .sendHome)
        #expect(order.receive(.forked(pid: 7)) == .adopt(pid: 7))
        // The container would speak with the process's voice.
        #expect(order.receive(terminal) == .reportDisorder)
    }

    @Test func onlyOneTerminal() {
        var order = ExecProtocol(forks: 1)
        _ = order.receive(.sync(CPLAN_SYNC_TERMINAL.rawValue))
        #expect(order.receive(.sync(CPLAN_SYNC_TERMINAL.rawValue)) == .reportDisorder)
    }

    @Test func version2() {
        var order = ExecProtocol(forks: 2)
        #expect(order.receive(.forked(pid: 7)) == .adopt(pid: 7))
        #expect(order.receive(ready) == .sendHome)
        #expect(order.receive(.forked(pid: 8)) == .adopt(pid: 8))
        #expect(order.receive(.endOfFile) == .succeed)
    }

    /// Whoever speaks when the process is in the container may be the container.
    @Test(arguments: [
        StartProtocol.Message.forked(pid: 1), .forked(pid: 0), .forked(pid: -1), .sync(3), .sync(1),
        .sync(99),
    ])
    func nothingIsDoneForTheContainer(message: StartProtocol.Message) {
        var order = ExecProtocol(forks: 1)
        _ = order.receive(.forked(pid: 7))
        #expect(order.receive(message) == .reportDisorder)
        #expect(order.receive(.endOfFile) == .reportDisorder)
    }

    @Test func endings() {
        for forks in 1...2 {
            var order = ExecProtocol(forks: forks)
            #expect(order.receive(.endOfFile) == .reportDeath)
            order = ExecProtocol(forks: forks)
            #expect(order.receive(.failed) == .reportFailure)
            order = ExecProtocol(forks: forks)
            #expect(order.receive(.forked(pid: 0)) == .reportDisorder)
        }
        var twice = ExecProtocol(forks: 1)
        #expect(twice.receive(ready) == .sendHome)
        #expect(twice.receive(ready) == .reportDisorder)
    }
}
