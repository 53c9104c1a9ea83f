internal import CLinux
internal import CPlan
internal import Diagnostics
internal import Linux

/// gantry's end of the socket to an init, or of a connection to its start socket.
struct InitChannel: ~Copyable {
    /// What came, with the bytes that followed it.
    struct Received: ~Copyable {
        var message: StartProtocol.Message
        var failure: InitFailure?
        /// The descriptor that came along.
        var descriptor: Descriptor?
        /// The process that sent it, when the channel asks for that; -1 for the end of file, which nobody sends.
        var sender: Int32?
    }

    let socket: Descriptor
    /// Whether the kernel tells who sent a message.
    private let knowsSenders: Bool

    /// How long the init may be silent, in seconds. Mounting can take its time; a frozen cgroup would take
    /// for ever.
    static let patience: CInt = 120
    /// How often it is looked whether the wait is to end, in seconds: a start that goes well is over long before.
    private static let round: CInt = 1

    /// Takes over a connected socket.
    ///
    /// - Parameter knowsSenders: must be asked for before the other end is given away.
    init(_ socket: consuming Descriptor, knowsSenders: Bool = false) throws(Failure) {
        _ = try check(
            clinux_receive_timeout(socket.raw, InitChannel.round), "setsockopt",
            "cannot limit the wait for an init")
        if knowsSenders {
            _ = try check(
                clinux_receive_senders(socket.raw), "setsockopt", "cannot ask who sends an init's messages")
        }
        self.knowsSenders = knowsSenders
        self.socket = socket
    }

    /// Waits for the next message.
    ///
    /// - Parameter deadline: on CLOCK_MONOTONIC, in nanoseconds; not waited for much longer than that.
    func receive(until deadline: Int64 = .max) throws(Failure) -> Received {
        var passed: CInt = -1
        var sender: CInt = -1
        var length = 0
        let capacity = MemoryLayout<cplan_message>.size + Int(CPLAN_DETAIL_MAX)
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var left = InitChannel.patience
            repeat {
                sender = knowsSenders ? 0 : -1
                length = clinux_receive(socket.raw, buffer.baseAddress!, buffer.count, &passed, &sender)
                left -= InitChannel.round
            } while length == -Errno.EAGAIN && left > 0 && clinux_pending_end() == 0
                && clinux_monotonic() < deadline
            count = max(length, 0)
        }
        let descriptor = passed >= 0 ? Descriptor(adopting: passed) : nil
        if length == -Errno.EAGAIN {
            try Interruption.check()
            throw Failure(
                .system, "the init did not answer for \(InitChannel.patience) s; is its cgroup frozen?")
        }
        // A connection that was never accepted is reset when its listener goes.
        if length != -Errno.ECONNRESET {
            _ = try check(length, "recvmsg", "cannot read from the init")
        }
        var received = decode(bytes, descriptor)
        if knowsSenders { received.sender = sender }
        return received
    }

    private func decode(_ bytes: [UInt8], _ descriptor: consuming Descriptor?) -> Received {
        let headSize = MemoryLayout<cplan_message>.size
        guard bytes.count >= headSize else {
            return Received(message: .endOfFile, failure: nil, descriptor: nil)
        }
        let head = bytes.withUnsafeBytes { $0.loadUnaligned(as: cplan_message.self) }
        switch head.type {
        case CPLAN_MSG_SYNC.rawValue:
            return Received(
                message: .sync(UInt32(bitPattern: head.value)), failure: nil, descriptor: descriptor)
        case CPLAN_MSG_FORKED.rawValue:
            return Received(message: .forked(pid: head.value), failure: nil, descriptor: nil)
        case CPLAN_MSG_HEARD.rawValue:
            return Received(message: .heard, failure: nil, descriptor: nil)
        default:
            let failure = InitFailure(
                op: Int(head.op), opcode: UInt16(truncatingIfNeeded: head.value), errno: head.error,
                kind: head.detail, detail: Array(bytes[headSize...]))
            return Received(message: .failed, failure: failure, descriptor: nil)
        }
    }

    /// Answers a sync. `value` goes to the init's value buffer.
    ///
    /// - Returns: false when the init has ended.
    func reply(_ sync: cplan_sync, value: [UInt8] = []) throws(Failure) -> Bool {
        try send(CPLAN_MSG_REPLY, value: CInt(bitPattern: sync.rawValue), payload: value)
    }

    /// Knocks: the init execs the user's process.
    ///
    /// - Returns: false when the init has ended.
    func start() throws(Failure) -> Bool {
        try send(CPLAN_MSG_START, value: 0, payload: [])
    }

    private func send(_ type: cplan_message_type, value: CInt, payload: [UInt8]) throws(Failure) -> Bool {
        var message = cplan_message()
        message.type = type.rawValue
        message.value = value
        message.length = UInt32(payload.count)
        let result = payload.withUnsafeBytes { tail in
            clinux_send(socket.raw, &message, MemoryLayout<cplan_message>.size, tail.baseAddress, tail.count)
        }
        if result == -Errno.EPIPE || result == -Errno.ECONNRESET { return false }
        _ = try check(result, "sendmsg", "cannot write to the init")
        return true
    }
}

/// What an init tells about the op that failed; the plan renders it (`Plan.describe`).
struct InitFailure {
    /// Index into the plan's ops.
    let op: Int
    let opcode: UInt16
    let errno: CInt
    /// `cplan_detail`: what `detail` means.
    let kind: UInt32
    let detail: [UInt8]
}
