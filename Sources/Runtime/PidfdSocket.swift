internal import CLinux
internal import Diagnostics
internal import Linux

/// `--pidfd-socket`: a listening stream socket that gets a pidfd of the process that was started. With it come bytes
/// that say which kind it is: `standard`, or `setns` for an exec, as runc calls them.
struct PidfdSocket: ~Copyable {
    private let socket: Descriptor
    private let path: String

    /// Seconds that the engine may take to accept the connection.
    private static let patience: CInt = 10

    init(_ path: String) throws(Failure) {
        let raw = clinux_stream_connect(path, PidfdSocket.patience)
        socket = Descriptor(adopting: try check(raw, "connect \(path)", "cannot hand over the pidfd"))
        self.path = path
    }

    func send(_ pid: Int32, as kind: StaticString) throws(Failure) {
        let process = Descriptor(
            adopting: try check(clinux_pidfd_open(pid), "pidfd_open \(pid)", "cannot hand over the pidfd"))
        let sent = clinux_send_descriptor(socket.raw, kind.utf8Start, kind.utf8CodeUnitCount, process.raw)
        _ = try check(sent, "sendmsg \(path)", "cannot hand over the pidfd")
    }
}
