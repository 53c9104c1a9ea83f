import Foundation
import Testing

/// What clients of supervisor.sock may do that `gantry` does not.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct ControlSocketTests {
    /// Whoever may connect and says nonsense is hung up on, and nobody else notices.
    @Test func nonsenseDoesNoHarm() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            let path = container.root + "/" + container.id + "/supervisor.sock"
            var others: [Int32] = []
            defer { others.forEach { close($0) } }
            for message in [[200], [18], [1] + [UInt8](repeating: 7, count: 40_000), [2, 1], [65]] {
                let socket = try connect(path)
                others.append(socket)
                #expect(message.withUnsafeBytes { send(socket, $0.baseAddress!, $0.count, 0) } > 0)
                var byte: UInt8 = 0
                #expect(recv(socket, &byte, 1, 0) == 0)
            }
            // More than it serves at once, all silent.
            for _ in 0..<80 { others.append(try connect(path)) }
            let stopper = try Child.spawn(
                Machine.gantry, container.globals + ["stop", "--time", "0", container.id])
            try await Task.sleep(for: .milliseconds(200))
            others.forEach { close($0) }
            others = []
            #expect(try await stopper.wait() == 0)
            let status = try container.keptStatus()
            #expect(try container.keptCode() == 137, "\(status) \(container.messages())")
        }
    }

    /// Who asks for ever and takes no answer is not heard for ever; who waits for too much is hung up on.
    @Test func questionsHaveAnEnd() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            let supervisor = try await container.pid(of: "supervisor")
            let before = try Host.privateMemory(supervisor)
            let path = container.root + "/" + container.id + "/supervisor.sock"
            let socket = try connect(path)
            defer { close(socket) }
            let (status, wait): (UInt8, UInt8) = (17, 20)
            let asked = try await ask(status, on: socket)
            #expect(asked < 10_000)
            #expect(try Host.privateMemory(supervisor) - before < 1 << 20)
            try await expectUnharmed(container)
            // All are answered.
            var answer = [UInt8](repeating: 0, count: 65536)
            for _ in 0..<asked {
                let count = recv(socket, &answer, answer.count, 0)
                try #require(count > 0 && answer[0] == 67)
            }
            #expect(try await ask(wait, on: socket) < 10_000)
            let end = recv(socket, &answer, answer.count, 0)
            #expect(end == 0 || end < 0 && errno == ECONNRESET, "hung up on")
            try await expectUnharmed(container)
        }
    }

    /// Who has closed its side before it took all answers gets the rest, and is let go.
    @Test func halfAGoodbye() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try await container.supervise()
            let supervisor = try await container.pid(of: "supervisor")
            let socket = try connect(container.root + "/" + container.id + "/supervisor.sock")
            defer { close(socket) }
            #expect(try await ask(17, on: socket) > 100)
            var answer = [UInt8](repeating: 0, count: 65536)
            // So that it hears of both at once.
            kill(supervisor, SIGSTOP)
            try await eventually("it to stand") { Host.stat(supervisor)?.first == "T" }
            while recv(socket, &answer, answer.count, Int32(MSG_DONTWAIT)) > 0 {}
            shutdown(socket, Int32(SHUT_WR))
            kill(supervisor, SIGCONT)
            var end: Int
            repeat { end = recv(socket, &answer, answer.count, 0) } while end > 0
            #expect(end == 0 || errno == ECONNRESET, "let go")
            try await expectUnharmed(container)
        }
    }

    /// Asks without taking answers, until nobody has listened for a second.
    ///
    /// - Returns: how often it could be asked.
    private func ask(_ question: UInt8, on socket: Int32) async throws -> Int {
        var code = question
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        var asked = 0
        for _ in 0..<50 {
            while asked < 200_000, send(socket, &code, 1, flags) == 1 { asked += 1 }
            try await Task.sleep(for: .milliseconds(20))
        }
        return asked
    }

    private func expectUnharmed(_ container: TestContainer) async throws {
        #expect(try await container.status() == "running")
        #expect(container.messages() == "")
    }

    private func connect(_ path: String) throws -> Int32 {
        let socket = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        return socket
    }
}
