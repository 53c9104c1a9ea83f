internal import CLinux
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// sd_notify(3) for a container: a socket of its own, of which gantry passes to the service manager's (NOTIFY_SOCKET)
/// that the container is ready, and nothing else: what it says is not trusted.
///
/// The manager hears it from gantry, whom it listens to, and is told the container's process as the service's.
struct NotifySocket: ~Copyable {
    /// Where the socket's directory is mounted in the container.
    static let mountPoint = "/run/notify"

    /// The container's; nil once it is no longer needed.
    private var socket: Descriptor?
    private let host: String

    /// The configuration with the socket's directory mounted.
    ///
    /// - Parameter directory: absolute, on the host.
    static func mounted(_ directory: String, in spec: Spec) -> Spec {
        var spec = spec
        spec.mounts.append(
            Spec.Mount(
                destination: mountPoint, source: directory,
                options: ["bind", "nosuid", "noexec", "nodev", "ro"]))
        return spec
    }

    static let environment = "NOTIFY_SOCKET=" + mountPoint + "/" + StoredContainer.notifySocketName

    /// Listens for the container.
    ///
    /// - Parameter host: the manager's socket, as in NOTIFY_SOCKET: a path, or `@` and an abstract name (unix(7)).
    init(_ entry: borrowing StoredContainer, host: String) throws(Failure) {
        socket = try entry.listenForNotifications()
        self.host = host
    }

    /// Passes the message on, if it has come; returns at once.
    ///
    /// - Parameters:
    ///   - pid: of the container's process.
    ///   - waits: whether to wait, for at most 30 s, until the manager has taken it: it does not know any more who
    ///     said something once that process has ended (sd_notify_barrier(3)).
    mutating func pass(pid: Int32, waits: Bool = false) throws(Failure) {
        while socket.rawOrNone >= 0 {
            let raw = socket.rawOrNone
            var count = 0
            let message = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, used in
                count = clinux_read(raw, buffer.baseAddress!, buffer.count)
                used = max(count, 0)
            }
            if count < 0 { return }
            let lines = message.split(separator: UInt8(ascii: "\n"))
            guard let ready = lines.first(where: { $0.starts(with: "READY=".utf8) }) else { continue }
            socket = nil
            try tell(Array(ready), pid: pid, waits: waits)
        }
    }

    private func tell(_ ready: [UInt8], pid: Int32, waits: Bool) throws(Failure) {
        let manager = Descriptor(
            adopting: try check(
                clinux_datagram_connect(host, NotifySocket.patience), "connect \(host)",
                "cannot reach the service manager"))
        try manager.write(ready + [UInt8(ascii: "\n")], name: host)
        try manager.write("MAINPID=\(pid)\n", name: host)
        guard waits else { return }
        var ends: (CInt, CInt) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) {
            clinux_pipe($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(made, "pipe2", "cannot wait for the service manager")
        let barrier = Descriptor(adopting: ends.0)
        do {
            let passed = Descriptor(adopting: ends.1)
            let text: StaticString = "BARRIER=1"
            _ = try check(
                clinux_send_descriptor(manager.raw, text.utf8Start, text.utf8CodeUnitCount, passed.raw),
                "sendmsg \(host)", "cannot reach the service manager")
        }
        // The other end is closed when everything before it has been read.
        _ = clinux_wait_readable(barrier.raw, -1, NotifySocket.patience * 1000)
    }

    /// Seconds that the manager may take.
    private static let patience: CInt = 30

    /// Unlocks the entry, and waits until the container is ready, or has ended: how `start` and a detached `run` go
    /// on with it.
    consuming func passWhenReady(pid: Int32, _ entry: borrowing StoredContainer) throws(Failure) {
        try entry.unlock()
        let raw = clinux_pidfd_open(pid)
        if raw == -Errno.ESRCH { return }
        let process = Descriptor(
            adopting: try check(raw, "pidfd_open \(pid)", "cannot wait for the container to get ready"))
        while true {
            try pass(pid: pid, waits: true)
            if socket.rawOrNone < 0 { return }
            let ready = try check(
                clinux_wait_readable(process.raw, socket.rawOrNone, -1), "poll",
                "cannot wait for the container to get ready")
            if ready == 1 { return }
        }
    }

    /// Lets the kernel send SIGIO when a message comes: whoever waits in the foreground reads signals anyway.
    func signalOnMessage() throws(Failure) {
        _ = try check(
            clinux_signal_on_input(socket.rawOrNone), "fcntl F_SETFL",
            "cannot wait for the container to get ready")
    }
}
