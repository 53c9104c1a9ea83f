internal import CLinux
internal import Diagnostics
internal import Linux

/// One connection to supervisor.sock, seen from the supervisor.
final class Client {
    let socket: Descriptor
    let slot: Int
    /// Slots are used again; this tells one client from the next.
    let generation: UInt32
    var outbox = Outbox()
    /// Which streams it gets.
    var gets = (false, false)
    var isAttached = false
    var sendsInput = false
    /// Not waited for at the moment.
    var isParked = false
    /// Positions up to which it was served, when it comes back after another connection.
    var served: (UInt64, UInt64) = (0, 0)
    /// What epoll was told.
    var events = CLINUX_EVENT_IN | CLINUX_EVENT_PEER_CLOSED

    init(_ socket: consuming Descriptor, slot: Int, generation: UInt32) {
        self.socket = socket
        self.slot = slot
        self.generation = generation
    }

    /// What the core knows it by.
    var id: UInt32 { generation }

    func gets(_ stream: Int) -> Bool { stream == 0 ? gets.0 : gets.1 }

    /// Sends what waits as far as it is taken.
    ///
    /// - Returns: false when the client has gone.
    func flush() -> Bool {
        while let message = outbox.next() {
            let result = message.withUnsafeBytes {
                clinux_send(socket.raw, $0.baseAddress!, $0.count, nil, 0)
            }
            if result == -Errno.EAGAIN { return true }
            if result < 0 { return false }
            outbox.removeFirst()
        }
        return true
    }

    /// Sends now, or when it can.
    func send(_ message: ControlMessage) -> Bool {
        outbox.append(message.bytes)
        return flush()
    }

    /// Output: straight from the ring as far as it is taken, the rest waits.
    ///
    /// - Returns: false when the client has gone.
    func send(_ bytes: UnsafeRawBufferPointer, stream: Int) -> Bool {
        var rest = bytes[...]
        var code = ControlMessage.Code.output(stream)
        while outbox.isEmpty, !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(ControlMessage.mostOutput))
            let result = clinux_send(socket.raw, &code, 1, piece.baseAddress, piece.count)
            if result == -Errno.EAGAIN { break }
            if result < 0 { return false }
            rest = rest.dropFirst(piece.count)
        }
        if !rest.isEmpty { outbox.append(UnsafeRawBufferPointer(rebasing: rest), stream: stream) }
        return true
    }
}
