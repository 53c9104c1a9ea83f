internal import CKeeper
internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

/// A client's connection to a supervisor, at its beginning or later: supervisors come and go, and who asks something is
/// served by the one that is there.
struct SupervisorConnection: ~Copyable {
    let socket: Descriptor

    /// Milliseconds after which it is looked whether there is a supervisor at all, and after which nobody waits any
    /// longer for its first words.
    private static let firstLook: CInt = 500
    private static let patience: Int64 = 30_000

    /// Connects to the supervisor, which is started when there is none, and replaced when it is of an older build.
    ///
    /// - Returns: nil when there is neither a keeper nor a supervisor.
    static func connect(_ arguments: SupervisorArguments) throws(Failure) -> SupervisorConnection? {
        let deadline = clinux_monotonic() + patience * 1_000_000
        var renewed = false
        while clinux_monotonic() < deadline {
            guard
                let socket = try KeeperConnection.connect(
                    to: KeeperConnection.supervisorSocketName, in: arguments.directory)
            else { return nil }
            let connection = SupervisorConnection(socket: socket)
            let own = ControlMessage.Hello(build: arguments.build, pid: clinux_pid())
            guard try connection.send(.hello(own)),
                let theirs = try connection.receiveHello(arguments, until: deadline)
            else {
                // It has just died, or left: another one is on its way.
                clinux_sleep(5)
                continue
            }
            guard isOlder(theirs, than: own), !renewed else {
                _ = clinux_set_nonblocking(connection.socket.raw)
                return connection
            }
            renewed = true
            try startSupervisor(arguments, renew: true)
            // The old one is gone when it hangs up.
            _ = try connection.receive(until: deadline)
        }
        throw Failure(.system, "the container's supervisor does not answer", at: arguments.id)
    }

    /// Whether it is to be replaced: it was built from an older commit.
    static func isOlder(_ theirs: ControlMessage.Hello, than own: ControlMessage.Hello) -> Bool {
        theirs.build != 0 && own.build != 0 && theirs.build < own.build
    }

    private func receiveHello(
        _ arguments: SupervisorArguments, until deadline: Int64
    ) throws(Failure) -> ControlMessage.Hello? {
        if clinux_wait_readable(socket.raw, -1, SupervisorConnection.firstLook) == 0,
            var keeper = try KeeperConnection.connect(directory: arguments.directory),
            let state = try keeper.ask(), state.supervisor == 0
        {
            // It died so often that the keeper pauses before the next one.
            try SupervisorConnection.startSupervisor(arguments, renew: false)
        }
        guard case .hello(let hello)? = try receive(until: deadline) else { return nil }
        return hello
    }

    private static func startSupervisor(_ arguments: SupervisorArguments, renew: Bool) throws(Failure) {
        guard var keeper = try KeeperConnection.connect(directory: arguments.directory) else { return }
        try keeper.supervise(
            words: arguments.words, environment: SupervisorCommand.environment, renew: renew)
    }

    /// - Returns: false when nobody is there any more.
    func send(_ message: ControlMessage) throws(Failure) -> Bool {
        let bytes = message.bytes
        let result = bytes.withUnsafeBytes { clinux_send(socket.raw, $0.baseAddress!, $0.count, nil, 0) }
        if result == -Errno.EPIPE || result == -Errno.ECONNRESET { return false }
        _ = try check(result, "sendmsg", "cannot talk to the supervisor")
        return true
    }

    /// The next message; nil when there is no supervisor any more, or after the deadline (CLOCK_MONOTONIC).
    func receive(until deadline: Int64 = .max) throws(Failure) -> ControlMessage? {
        while true {
            let left = deadline == .max ? -1 : max(0, (deadline - clinux_monotonic() + 999_999) / 1_000_000)
            if clinux_wait_readable(socket.raw, -1, CInt(clamping: left)) == 0 { return nil }
            switch try receiveNow() {
            case .message(let message): return message
            case .nothing: continue
            case .end: return nil
            }
        }
    }

    enum Received {
        case message(ControlMessage)
        case nothing
        case end
    }

    func receiveNow() throws(Failure) -> Received {
        var length = 0
        let datagram = [UInt8](unsafeUninitializedCapacity: ControlMessage.mostBytes) { buffer, used in
            length = clinux_receive_now(socket.raw, buffer.baseAddress!, buffer.count)
            used = max(length, 0)
        }
        if length == -Int(Errno.EAGAIN) { return .nothing }
        if length == 0 || length == -Int(Errno.ECONNRESET) { return .end }
        _ = try check(length, "recv", "cannot read from the supervisor")
        guard let message = ControlMessage(datagram) else {
            throw Failure(
                .system, "the supervisor says what this gantry does not understand; is it another version's?")
        }
        return .message(message)
    }
}

extension SupervisorArguments {
    /// The command line of the supervisor.
    var words: [String] {
        SupervisorCommand.words(
            program: program, root: root, states: StateDirectory(root: stateDirectory), id: id)
    }
}
