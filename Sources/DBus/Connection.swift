internal import CLinux
public import Diagnostics
internal import Linux

/// A connection to a bus, for the few calls of one command. Whoever is at the other end may be silent: all waiting for
/// it together has a limit.
///
/// A class, since what makes a container's cgroup keeps it from one step to the next.
public final class Connection {
    private let socket: Descriptor
    /// How long may still be waited, in nanoseconds.
    private var patience: Int64
    private let seconds: Int32
    private var serial: UInt32 = 0
    private var input: [UInt8] = []
    /// Those that have come while a reply was waited for.
    private var signals: [Message] = []
    /// More are those of somebody who wants to fill our memory.
    private static let mostSignals = 4096

    /// An error that the other side told.
    public struct RemoteError: Sendable {
        /// Such as `org.freedesktop.systemd1.NoSuchUnit`.
        public let name: String
        public let message: String
    }

    public enum Reply: Sendable {
        case success([Value], sender: String)
        case failure(RemoteError)
    }

    /// Connects and logs in as the user that we are.
    ///
    /// - Parameter seconds: how long may be waited in all. What the caller does between calls does not count.
    public init(_ address: Address, seconds: Int32) throws(Failure) {
        self.seconds = seconds
        let begin = clinux_monotonic()
        var raw: CInt = -1
        for path in address.sockets where raw < 0 { raw = clinux_stream_connect(path, seconds) }
        // A listener whose queue is full.
        if raw == -Errno.EAGAIN { throw Connection.silent(seconds) }
        patience = Int64(seconds) * 1_000_000_000 - (clinux_monotonic() - begin)
        socket = Descriptor(
            adopting: try check(raw, "connect \(address.sockets.last ?? "")", "cannot reach D-Bus"))
        try logIn()
        // The bus wants to hear this first.
        if case .failure(let error) = try call(Call(bus: "Hello")) {
            throw Connection.refused("Hello", error)
        }
    }

    private static func silent(_ seconds: Int32) -> Failure {
        Failure(.system, "D-Bus did not answer within \(seconds) s")
    }

    /// The sentence for an error of the other side that nothing else can be made of.
    public static func refused(_ call: String, _ error: RemoteError) -> Failure {
        Failure(.system, "\(call) was refused on D-Bus: \(error.message) (\(error.name))")
    }

    // MARK: Login

    /// D-Bus Specification, "Authentication Protocol". EXTERNAL without a name: we are whom the kernel says we are.
    private func logIn() throws(Failure) {
        try send([0] + Array<UInt8>("AUTH EXTERNAL\r\n".utf8))
        var answer = try line()
        if answer.starts(with: "DATA".utf8) {
            try send(Array<UInt8>("DATA\r\n".utf8))
            answer = try line()
        }
        guard answer.starts(with: "OK ".utf8) else {
            let text = String(decoding: answer, as: UTF8.self)
            throw Failure(.system, "D-Bus does not let us in: \"\(text)\"")
        }
        try send(Array<UInt8>("BEGIN\r\n".utf8))
    }

    private static let longestLine = 1024

    private func line() throws(Failure) -> ArraySlice<UInt8> {
        while true {
            if let end = input.firstIndex(of: UInt8(ascii: "\n")) {
                let line = input[..<end]
                input.removeSubrange(...end)
                return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            }
            guard input.count < Connection.longestLine else {
                throw Failure(.system, "what listens there does not speak D-Bus")
            }
            try receive()
        }
    }

    // MARK: Calls

    /// A method and its arguments.
    public struct Call {
        public var destination: String
        public var path: String
        public var interface: String
        public var member: String
        public var body: [Value]

        public init(
            to destination: String, path: String, interface: String, _ member: String, _ body: [Value] = []
        ) {
            self.destination = destination
            self.path = path
            self.interface = interface
            self.member = member
            self.body = body
        }

        /// One of the bus itself.
        init(bus member: String, _ body: [Value] = []) {
            self.init(
                to: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus",
                member, body)
        }
    }

    /// Calls and waits for the answer.
    public func call(_ call: Call) throws(Failure) -> Reply {
        serial += 1
        var message = Message(.call)
        message.serial = serial
        message.destination = call.destination
        message.path = call.path
        message.interface = call.interface
        message.member = call.member
        message.body = call.body
        try send(message.encoded)
        while true {
            guard let answer = try next() else { continue }
            if answer.replySerial == serial {
                if answer.kind == .reply { return .success(answer.body, sender: answer.sender ?? "") }
                if answer.kind == .error {
                    return .failure(
                        RemoteError(
                            name: answer.errorName ?? "an error without a name",
                            message: answer.body.first?.text ?? ""))
                }
            }
            try keep(answer)
        }
    }

    /// Has the bus hand on the signals that match a rule (D-Bus Specification, "Match Rules").
    public func addMatch(_ rule: String) throws(Failure) {
        if case .failure(let error) = try call(Call(bus: "AddMatch", [.string(rule)])) {
            throw Connection.refused("AddMatch", error)
        }
    }

    /// The first signal that is meant, of those that have come and then of those that come.
    public func signal(where isMeant: (Message) -> Bool) throws(Failure) -> Message {
        while true {
            if let index = signals.firstIndex(where: isMeant) { return signals.remove(at: index) }
            if let message = try next() { try keep(message) }
        }
    }

    private func keep(_ message: Message) throws(Failure) {
        guard message.kind == .signal else { return }
        guard signals.count < Connection.mostSignals else {
            throw Failure(.system, "too many signals come over D-Bus")
        }
        signals.append(message)
    }

    // MARK: Bytes

    private func send(_ bytes: [UInt8]) throws(Failure) {
        let result = bytes.withUnsafeBytes { clinux_send_all(socket.raw, $0.baseAddress!, $0.count) }
        if result == -Errno.EAGAIN { throw Connection.silent(seconds) }
        _ = try check(result, "send", "cannot speak to D-Bus")
    }

    /// - Returns: nil for a message of a kind that nobody knows yet.
    private func next() throws(Failure) -> Message? {
        while input.count < Message.headLength { try receive() }
        let length = try Message.length(input)
        while input.count < length { try receive() }
        let message = [UInt8](input[..<length])
        input.removeSubrange(..<length)
        return try Message(message)
    }

    /// Waits until there is more, as long as there is patience.
    private func receive() throws(Failure) {
        let begin = clinux_monotonic()
        guard patience > 0, clinux_wait_readable(socket.raw, -1, CInt(patience / 1_000_000) + 1) != 0 else {
            throw Connection.silent(seconds)
        }
        patience -= clinux_monotonic() - begin
        let raw = socket.raw
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, used in
            count = Int(clinux_read(raw, buffer.baseAddress!, buffer.count))
            used = max(count, 0)
        }
        _ = try check(count, "read", "cannot hear D-Bus")
        guard count > 0 else { throw Failure(.system, "D-Bus has hung up") }
        input += bytes
    }
}
