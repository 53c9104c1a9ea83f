public import CKeeper
internal import CLinux
public import Diagnostics
public import Linux

/// One message from the keeper, with the descriptors that came along.
struct KeeperMessage: ~Copyable {
    /// `ckeeper_message_type`; 0 when nothing has come.
    private(set) var type: UInt32 = 0
    private(set) var pid: Int32 = 0
    private(set) var value: Int64 = 0
    private var payload: [UInt8] = []
    var descriptors = PassedDescriptors()
    /// The keeper has gone.
    var isEnd = false

    /// - Returns: the length, 0 at the end, or -errno.
    mutating func receive(from socket: CInt, wait: Bool) -> Int {
        let headSize = MemoryLayout<ckeeper_message>.size
        var length = 0
        var numbers = [CInt](repeating: -1, count: Int(CKEEPER_DESCRIPTORS))
        var count: CInt = 0
        // No answer has more behind it.
        let bytes = [UInt8](unsafeUninitializedCapacity: headSize + 256) { buffer, used in
            length = clinux_receive_many(
                socket, buffer.baseAddress!, buffer.count, &numbers, &count, wait ? 1 : 0)
            used = max(length, 0)
        }
        descriptors.adopt(numbers[..<Int(count)])
        guard length >= headSize else { return length }
        let head = bytes.withUnsafeBytes { $0.loadUnaligned(as: ckeeper_message.self) }
        (type, pid, value) = (head.type, head.pid, head.value)
        payload = Array(bytes[headSize...])
        return length
    }

    /// The end of a process, when the message tells one.
    var exit: ckeeper_exit? {
        guard type == CKEEPER_EXITED.rawValue, payload.count >= MemoryLayout<ckeeper_exit>.size else {
            return nil
        }
        return payload.withUnsafeBytes { $0.loadUnaligned(as: ckeeper_exit.self) }
    }

    /// How things are, when the message tells it.
    var state: ckeeper_state? {
        guard payload.count >= MemoryLayout<ckeeper_state>.size else { return nil }
        return payload.withUnsafeBytes { $0.loadUnaligned(as: ckeeper_state.self) }
    }

    mutating func takeFirst() -> Descriptor? { descriptors.take() }
}

/// Descriptors that came with a message; those that nobody takes are closed.
struct PassedDescriptors: ~Copyable {
    private var numbers: [CInt] = []
    private var next = 0

    mutating func adopt(_ more: ArraySlice<CInt>) {
        numbers.append(contentsOf: more)
    }

    /// The next one in their order.
    mutating func take() -> Descriptor? {
        guard next < numbers.count else { return nil }
        defer { next += 1 }
        return Descriptor(adopting: numbers[next])
    }

    deinit {
        for number in numbers[next...] { _ = clinux_close(number) }
    }
}

/// What a keeper tells its supervisor.
public enum KeeperEvent: ~Copyable {
    case nothing
    case state(KeptState)
    case exited(ckeeper_exit)
    /// A request is done.
    case done
    case refused(Errno)
    /// Another supervisor is to take over: finish and exit.
    case leave
    /// There is no keeper any more.
    case lost
}

/// How things are, and all that the keeper holds.
public struct KeptState: ~Copyable {
    public let state: ckeeper_state
    public var memory: Descriptor?
    /// Readable when bytes have arrived while `OutputRing.setSleeping(true)` held.
    public var output: Descriptor?
    /// Tells the keeper that there is room again.
    public var room: Descriptor?
    public var stdin: Descriptor?
    public var stdout: Descriptor?
    public var stderr: Descriptor?
    public var terminal: Descriptor?
    public var listener: Descriptor?
    /// A pidfd of the container's process, while it lives.
    public var container: Descriptor?

    init(_ state: ckeeper_state, _ passed: inout PassedDescriptors) {
        func has(_ slot: ckeeper_slot) -> Bool { state.slots & (1 << slot.rawValue) != 0 }
        self.state = state
        memory = passed.take()
        output = passed.take()
        room = passed.take()
        if has(CKEEPER_STDIN) { stdin = passed.take() }
        if has(CKEEPER_STDOUT) { stdout = passed.take() }
        if has(CKEEPER_STDERR) { stderr = passed.take() }
        if has(CKEEPER_TERMINAL) { terminal = passed.take() }
        if has(CKEEPER_LISTENER) { listener = passed.take() }
        container = passed.take()
    }
}
