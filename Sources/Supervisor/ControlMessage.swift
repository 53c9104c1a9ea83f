public import Store

/// What clients and a supervisor say to each other on supervisor.sock: one SEQPACKET datagram a message, its type in the
/// first byte (spec/supervisor.md, "Control protocol"). Numbers follow in little-endian order.
public enum ControlMessage: Equatable, Sendable {
    // The first three are conmon's, too.

    /// For the container's standard input; at most `mostInput` bytes.
    case stdin([UInt8])
    /// What it has printed; stream 0 or 1, at most `mostOutput` bytes.
    case output(stream: Int, [UInt8])

    // From a client.

    /// Who speaks; the first message, answered by the same.
    case hello(Hello)
    /// Answered by `status`.
    case askStatus
    /// Answered by `ended`, or `failed`.
    case stop(SupervisorCore.StopOrder)
    /// Answered by `done` when the program runs, or `failed`.
    case restart(SupervisorCore.StopOrder)
    /// Answered by `ended` when it has for good.
    case wait
    case waitForExec(pid: Int32)
    /// No run any more: answered by `done` when nothing can start it again.
    case release
    /// Answered by `attached`, or `failed`; then output, and `ended` at last.
    case attach(Attachment)
    /// No more input from this client.
    case stdinEnd
    /// The terminal's size: rows | columns << 16.
    case resize(UInt32)
    /// No more output.
    case detach
    /// For the container's first process. Not answered.
    case signal(Int32)
    /// The log was renamed by somebody else. Answered by `done` or `failed`.
    case reopenLog

    // From the supervisor.

    case done
    /// nil: nobody can tell how.
    case ended(SupervisionStatus.End?)
    case failed(String)
    /// `SupervisionStatus`, as JSON.
    case status([UInt8])
    case attached(Attached)
    /// So many bytes of a stream were not sent, since the client has been too slow.
    case lost(stream: Int, bytes: UInt64)

    /// Bytes of output and of input in one message: conmon's clients expect no more.
    public static let mostOutput = 8192
    public static let mostInput = 32 << 10

    public struct Hello: Equatable, Sendable {
        /// Of the protocol.
        public var version: UInt32
        /// When the build's commit was made; 0 for unknown.
        public var build: UInt64
        public var pid: Int32

        public static let currentVersion: UInt32 = 1

        public init(build: UInt64, pid: Int32) {
            version = Hello.currentVersion
            self.build = build
            self.pid = pid
        }
    }

    public struct Attachment: Equatable, Sendable {
        public var wantsOutput = (true, true)
        public var sendsInput = false
        /// Goes on where another connection ended: at these positions.
        public var resumeAt: (UInt64, UInt64)?
        /// As in `resize`; 0 for none.
        public var size: UInt32 = 0

        public init() {}

        public static func == (left: Attachment, right: Attachment) -> Bool {
            left.wantsOutput == right.wantsOutput && left.sendsInput == right.sendsInput
                && left.resumeAt?.0 == right.resumeAt?.0 && left.resumeAt?.1 == right.resumeAt?.1
                && left.size == right.size
        }
    }

    public struct Attached: Equatable, Sendable {
        public var hasTerminal: Bool
        /// Whether it has a standard input that can be written to.
        public var hasInput: Bool
        /// Of the next byte of each stream.
        public var positions: (UInt64, UInt64)

        public init(hasTerminal: Bool, hasInput: Bool, positions: (UInt64, UInt64)) {
            self.hasTerminal = hasTerminal
            self.hasInput = hasInput
            self.positions = positions
        }

        public static func == (left: Attached, right: Attached) -> Bool {
            left.hasTerminal == right.hasTerminal && left.hasInput == right.hasInput
                && left.positions == right.positions
        }
    }
}
