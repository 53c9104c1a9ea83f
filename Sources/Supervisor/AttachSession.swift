internal import CLinux
public import Diagnostics
internal import Linux
internal import Store

/// How `gantry attach` is to behave.
public struct AttachOptions: Sendable {
    public var hasStdin = true
    public var detachKeys = DetachKeys.standard
    /// Signals that gantry gets are the container's.
    public var passesSignals = true
    /// The end of our input is not the end of the container's.
    public var keepsStdinOpen = false

    public init() {}
}

/// `gantry attach`: stands between gantry's standard streams and a supervised container.
///
/// One loop on poll(2) that never blocks. What has been received and not yet written holds up what comes after it: a
/// slow reader makes the supervisor keep output for us, not this process.
public struct AttachSession: ~Copyable {
    public enum Result: Equatable, Sendable {
        case detached
        /// nil: nobody can tell.
        case ended(exitCode: Int32?)
        /// A signal that asks to end came, and it is not the container's.
        case interrupted(Int32)
    }

    private let arguments: SupervisorArguments
    private var options: AttachOptions
    private var connection: SupervisorConnection
    private let signals: Descriptor
    private var caller: CallerTerminal
    private var isOnTerminal = false
    private let source: StandardStream
    private let standardOutput: StandardStream
    private let standardError: StandardStream

    /// Of the next byte of each stream.
    private var positions: (UInt64, UInt64) = (0, 0)
    /// Received, and not all written yet; to which stream.
    private var output: [UInt8] = []
    private var outputStart = 0
    private var outputStream = 0
    /// Read from our standard input, and not yet taken by the supervisor.
    private var outgoing: [UInt8] = []
    private var inputEnded: Bool
    private var result: Result?
    private var nextLook: Int64 = 0
    private static let lookInterval: Int64 = 100_000_000

    /// Connects.
    public static func begin(
        _ arguments: SupervisorArguments, _ options: AttachOptions
    ) throws(Failure) -> AttachSession {
        guard let connection = try SupervisorConnection.connect(arguments) else {
            throw Failure(.state, "container not running", at: arguments.id)
        }
        let signals = Descriptor(
            adopting: try check(clinux_signalfd_all(), "signalfd", "cannot receive signals"))
        var session = AttachSession(arguments, options, connection, signals)
        try session.attach(resuming: false)
        return session
    }

    private init(
        _ arguments: SupervisorArguments, _ options: AttachOptions,
        _ connection: consuming SupervisorConnection, _ signals: consuming Descriptor
    ) {
        self.arguments = arguments
        self.options = options
        self.connection = connection
        self.signals = signals
        caller = CallerTerminal(isRaw: false)
        source = StandardStream(0, forWriting: false)
        standardOutput = StandardStream(1, forWriting: true)
        standardError = StandardStream(2, forWriting: true)
        inputEnded = !options.hasStdin
    }

    /// - Parameter resuming: goes on where the last supervisor has left us.
    private mutating func attach(resuming: Bool) throws(Failure) {
        var attachment = ControlMessage.Attachment()
        attachment.sendsInput = options.hasStdin
        attachment.size = CallerTerminal.size ?? 0
        if resuming { attachment.resumeAt = positions }
        guard try connection.send(.attach(attachment)) else { return }
        while !resuming, let message = try connection.receive() {
            guard case .attached(let attached) = message else {
                if case .ended(let end) = message { result = .ended(exitCode: end?.exitCode) }
                return
            }
            positions = attached.positions
            isOnTerminal = attached.hasTerminal && options.hasStdin
            if !attached.hasInput { inputEnded = true }
            if isOnTerminal { caller = CallerTerminal() }
            return
        }
    }

    /// Returns when the container has ended, or the user leaves it.
    public mutating func run() throws(Failure) -> Result {
        var set = [clinux_pollfd](repeating: clinux_pollfd(), count: 4)
        while true {
            if output.isEmpty, let result { return result }
            let timeout = look()
            prepare(&set)
            _ = try check(
                clinux_poll(&set, CInt(set.count), timeout), "poll", "cannot wait for the container")
            if set[0].revents != 0 { try receiveSignals() }
            if set[3].revents != 0 { writeOutput() }
            if set[1].revents != 0 { try serveConnection(set[1].revents) }
            if set[2].revents != 0 { readInput() }
            if !outgoing.isEmpty { try sendInput() }
        }
    }

    /// What to wait for: signals, the supervisor, input, room for output.
    private func prepare(_ set: inout [clinux_pollfd]) {
        func entry(_ descriptor: CInt, _ events: CInt, _ isWanted: Bool = true) -> clinux_pollfd {
            clinux_pollfd(fd: isWanted ? descriptor : -1, events: Int16(events), revents: 0)
        }
        let listens = output.isEmpty && result == nil
        let events = (listens ? CLINUX_POLLIN : 0) | (outgoing.isEmpty ? 0 : CLINUX_POLLOUT)
        set[0] = entry(signals.raw, CLINUX_POLLIN)
        set[1] = entry(connection.socket.raw, events, events != 0)
        set[2] = entry(source.raw, CLINUX_POLLIN, wantsInput)
        set[3] = entry(sink(outputStream), CLINUX_POLLOUT, !output.isEmpty)
    }

    private func sink(_ stream: Int) -> CInt { stream == 0 ? standardOutput.raw : standardError.raw }

    private var wantsInput: Bool {
        guard !inputEnded, outgoing.isEmpty, result == nil else { return false }
        return !isOnTerminal || caller.access == .foreground || caller.access == .notATerminal
    }

    // MARK: The supervisor

    private mutating func serveConnection(_ events: Int16) throws(Failure) {
        while output.isEmpty, result == nil {
            switch try connection.receiveNow() {
            case .nothing: return
            case .end: return try reconnect()
            case .message(let message): hear(message)
            }
        }
    }

    private mutating func hear(_ message: ControlMessage) {
        switch message {
        case .output(let stream, let bytes):
            if stream == 0 { positions.0 += UInt64(bytes.count) } else { positions.1 += UInt64(bytes.count) }
            output = bytes
            outputStart = 0
            outputStream = stream
            writeOutput()
        case .lost(let stream, let count):
            if stream == 0 { positions.0 += count } else { positions.1 += count }
            tell("\(count) bytes of output are missing here: this reader was too slow")
        case .ended(let end): result = .ended(exitCode: end?.exitCode)
        default: break
        }
    }

    private mutating func tell(_ message: String) {
        output = Array("gantry: \(message)\n".utf8)
        outputStart = 0
        outputStream = 1
        writeOutput()
    }

    /// The supervisor has gone: another one takes over, unless the container has ended.
    private mutating func reconnect() throws(Failure) {
        while let next = try SupervisorConnection.connect(arguments) {
            connection = next
            try attach(resuming: true)
            return
        }
        let status: SupervisionStatus
        do throws(Failure) {
            status = try SupervisionClient.status(arguments)
        } catch {
            guard error.kind == .notFound else { throw error }
            throw Failure(.state, "the container has been deleted", at: arguments.id)
        }
        guard status.phase == .stopped else {
            throw Failure(.state, "the container's keeper and supervisor are gone", at: arguments.id)
        }
        // It would have told us.
        tell(
            "the end of the output may be missing here: this reader was too slow, or the supervisor was killed"
        )
        result = .ended(exitCode: status.end?.exitCode)
    }

    // MARK: Bytes

    private mutating func writeOutput() {
        let target = sink(outputStream)
        while outputStart < output.count {
            let count = output.withUnsafeBytes {
                clinux_write(target, $0.baseAddress! + outputStart, $0.count - outputStart)
            }
            if count == -Int(Errno.EAGAIN) { return }
            guard count > 0 else {
                // Nobody reads any more: that is no reason for the container to end.
                if result == nil { result = .detached }
                break
            }
            outputStart += count
        }
        output = []
    }

    private mutating func readInput() {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, used in
            count = clinux_read(source.raw, buffer.baseAddress!, buffer.count)
            used = max(count, 0)
        }
        switch count {
        case 1...: typed(bytes)
        case -Int(Errno.EAGAIN): return
        case -Int(Errno.EIO) where isOnTerminal:
            // Somebody else has the terminal now, or nobody.
            caller.refresh()
            if caller.access != .background { endInput() }
        default: endInput()
        }
    }

    private mutating func typed(_ bytes: [UInt8]) {
        guard caller.access == .foreground else {
            outgoing = ControlMessage.stdin(bytes).bytes
            return
        }
        let (passed, isComplete) = options.detachKeys.filter(bytes[...])
        if !passed.isEmpty { outgoing = ControlMessage.stdin(passed).bytes }
        guard isComplete else { return }
        inputEnded = true
        result = .detached
    }

    private mutating func endInput() {
        inputEnded = true
        if !options.keepsStdinOpen { outgoing = ControlMessage.stdinEnd.bytes }
    }

    private mutating func sendInput() throws(Failure) {
        let sent = outgoing.withUnsafeBytes {
            clinux_send(connection.socket.raw, $0.baseAddress!, $0.count, nil, 0)
        }
        // One that has gone is noticed where we listen, and what it did not take is for the next.
        if sent == 0 { outgoing = [] }
    }

    // MARK: What the kernel does not tell by itself

    /// Looks whether gantry is in the foreground by now.
    ///
    /// - Returns: milliseconds until it must look again; -1 when nothing but an event will do.
    private mutating func look() -> CInt {
        guard isOnTerminal, caller.access == .background, !inputEnded, result == nil else { return -1 }
        let now = clinux_monotonic()
        guard now >= nextLook else { return CInt((nextLook - now) / 1_000_000 + 1) }
        nextLook = now + AttachSession.lookInterval
        caller.refresh()
        if caller.access == .foreground { try? resize() }
        return CInt(AttachSession.lookInterval / 1_000_000)
    }

    // MARK: Signals

    private mutating func receiveSignals() throws(Failure) {
        while case let signal = clinux_signalfd_read(signals.raw), signal > 0 {
            switch signal {
            case Signal.windowSize: try resize()
            case Signal.stop: try suspend()
            case Signal.continue:
                if isOnTerminal { caller.refresh() }
                try resize()
            // Of our own terminal, streams and children: none of the container's.
            case Signal.pipe, Signal.terminalInput, Signal.terminalOutput, Signal.child, Signal.urgent: break
            default:
                if result != nil || isOnTerminal || !options.passesSignals {
                    if Signal.ending.contains(signal) {
                        output = []
                        result = .interrupted(signal)
                    }
                } else {
                    _ = try connection.send(.signal(signal))
                }
            }
        }
    }

    private func resize() throws(Failure) {
        guard isOnTerminal, let size = CallerTerminal.size else { return }
        _ = try connection.send(.resize(size))
    }

    /// What the suspend key does to a program that is not raw.
    private mutating func suspend() throws(Failure) {
        caller.release()
        _ = clinux_suspend()
        if isOnTerminal { caller.refresh() }
        try resize()
    }
}
