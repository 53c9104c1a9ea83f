internal import Diagnostics
internal import Linux

/// The container's process, so that it is never mistaken for another one that got its pid: a process is the
/// same only when its start time is, and only until the next boot.
public struct InitRecord: Sendable, Equatable {
    /// In the pid namespace of whoever ran `create`.
    public let pid: Int32
    /// Field 22 of /proc/PID/stat, in clock ticks since the boot.
    public let startTime: UInt64
    /// Whether the container is still being made: its hooks run.
    public let isCreating: Bool

    /// Of a container that has no process any more, and whose last one is not known. No process has this number.
    public static let ended = InitRecord(pid: .max, startTime: 0)

    public init(pid: Int32, startTime: UInt64, isCreating: Bool = false) {
        self.pid = pid
        self.startTime = startTime
        self.isCreating = isCreating
    }

    /// `PID START\n`: two numbers need no more format. `creating` may stand behind them.
    var encoded: String { "\(pid) \(startTime)\(isCreating ? " creating" : "")\n" }

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        let fields = bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        let isCreating = fields.count == 3 && fields[2].elementsEqual("creating".utf8)
        guard fields.count == 2 || isCreating, let pid = Int32(String(decoding: fields[0], as: UTF8.self)),
            pid > 0,
            let start = UInt64(String(decoding: fields[1], as: UTF8.self))
        else {
            throw Failure(.invalid, "must be a pid and a start time", at: name)
        }
        self.init(pid: pid, startTime: start, isCreating: isCreating)
    }
}
