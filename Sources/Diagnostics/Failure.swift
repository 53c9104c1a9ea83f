/// What went wrong, told to the person who reads it: a kind for code, a sentence for people, the place it is
/// about, and the system call behind it.
///
/// Rendered as `place: message: call: errno text`; parts that are absent are left out.
public struct Failure: Error, Sendable {
    /// What a caller may want to tell apart. A struct around a private enum, so that it can grow.
    public struct Kind: Equatable, Sendable {
        private enum Value: Equatable {
            case usage, invalid, unsupported, notFound, exists, state, interrupted, system
        }
        private let value: Value

        /// The command line is wrong.
        public static let usage = Kind(value: .usage)
        /// A document (config.json, a resources file) breaks its rules.
        public static let invalid = Kind(value: .invalid)
        /// Valid, but neither this build nor this kernel can do it.
        public static let unsupported = Kind(value: .unsupported)
        /// A container or file that is not there.
        public static let notFound = Kind(value: .notFound)
        /// A container that is there already.
        public static let exists = Kind(value: .exists)
        /// The container's status forbids the operation.
        public static let state = Kind(value: .state)
        /// A signal asked to end.
        public static let interrupted = Kind(value: .interrupted)
        /// The kernel refused.
        public static let system = Kind(value: .system)
    }

    /// The system call that failed, and how.
    public struct Cause: Sendable {
        /// Name of the system call, with what it was about, for example `openat2 /sys/fs/cgroup/pids`.
        public let call: String
        public let errno: Errno

        public init(call: String, errno: Errno) {
            self.call = call
            self.errno = errno
        }
    }

    public let kind: Kind
    /// A sentence without its place and without a full stop.
    public let message: String
    /// A JSON path in config.json (`linux.resources.memory.limit`), a file, or a flag.
    public let place: String?
    public let cause: Cause?

    public init(_ kind: Kind, _ message: String, at place: String? = nil, cause: Cause? = nil) {
        self.kind = kind
        self.message = message
        self.place = place
        self.cause = cause
    }

    /// The same failure, told to be about `place` when it has none yet.
    public func located(at place: String) -> Failure {
        self.place == nil ? Failure(kind, message, at: place, cause: cause) : self
    }
}

extension Failure: CustomStringConvertible {
    public var description: String {
        var text = ""
        if let place {
            text += place
            text += ": "
        }
        text += message
        if let cause {
            text += ": "
            text += cause.call
            text += ": "
            text += cause.errno.sentence
        }
        return text
    }
}
