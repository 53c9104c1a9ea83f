internal import Diagnostics
internal import Linux

/// The container's process, so that it is never mistaken for another one that got its pid: a process is the
/// same only when its start time is, and only until the next boot.
public struct InitRecord: Sendable, Equatable {
    /// In the pid namespace of whoever ran `create`.
    public let pid: Int32
    /// Field 22 of /proc/PID/stat, in clock ticks since the boot.
    public let startTime: UInt64

    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// `PID START\n`: two numbers need no more format.
    var encoded: String { "\(pid) \(startTime)\n" }

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        let fields = bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        guard fields.count == 2, let pid = Int32(String(decoding: fields[0], as: UTF8.self)), pid > 0,
            let start = UInt64(String(decoding: fields[1], as: UTF8.self))
        else {
            throw Failure(.invalid, "must be a pid and a start time", at: name)
        }
        self.init(pid: pid, startTime: start)
    }
}
