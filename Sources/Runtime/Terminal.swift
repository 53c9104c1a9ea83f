internal import CLinux
internal import Diagnostics
internal import Linux
internal import OCI

/// The terminal of a process that is started: who gets its other end, the master, once the init has opened it.
struct Terminal: ~Copyable {
    /// `--console-socket`, connected; without one gantry itself stays and stands between (`TerminalProxy`).
    private let socket: Descriptor?
    private let socketPath: String
    /// Who gets it of a supervised container.
    private let keeper: KeptParent?
    /// What `take` has kept.
    private var master: Descriptor?

    /// What the master is called when it is sent, as runc calls it: some receivers take no nameless one.
    private static let name = "/dev/ptmx"
    /// Seconds that the engine may take to accept a connection.
    private static let patience: CInt = 10

    /// Checks that there is somebody for the terminal, if the process has one, before anything is made.
    ///
    /// - Parameters:
    ///   - socket: the value of `--console-socket`.
    ///   - detaches: gantry does not wait for the process.
    /// - Returns: nil for a process without a terminal.
    init?(_ process: Spec.Process?, socket path: String?, detaches: Bool) throws(Failure) {
        let isWanted = process?.terminal ?? false
        keeper = nil
        guard let path else {
            guard isWanted else { return nil }
            if detaches {
                throw Failure(
                    .invalid,
                    "cannot allocate tty if gantry will detach without setting console socket; "
                        + "give --console-socket", at: "process.terminal")
            }
            socket = nil
            socketPath = ""
            return
        }
        guard isWanted, detaches else {
            throw Failure(
                .invalid, "cannot use console socket if gantry will not detach or allocate tty",
                at: "--console-socket")
        }
        let raw = clinux_stream_connect(path, Terminal.patience)
        socket = Descriptor(adopting: try check(raw, "connect \(path)", "cannot hand over the terminal"))
        socketPath = path
    }

    /// Of a supervised container.
    ///
    /// - Returns: nil for a process without a terminal.
    init?(_ process: Spec.Process?, keeper: KeptParent) {
        guard process?.terminal ?? false else { return nil }
        self.keeper = keeper
        socket = nil
        socketPath = ""
    }

    /// Sends the master to the console socket, or keeps it and gives it the size of the caller's terminal.
    mutating func take(_ end: consuming Descriptor) throws(Failure) {
        if let keeper { return try keeper.keep(terminal: end.raw) }
        guard socket.rawOrNone >= 0 else {
            if let size = CallerTerminal.size { _ = clinux_terminal_set_size(end.raw, size) }
            master = consume end
            return
        }
        var name = Terminal.name
        let passed = end.raw
        let target = socket.rawOrNone
        let sent = name.withUTF8 { clinux_send_descriptor(target, $0.baseAddress!, $0.count, passed) }
        _ = try check(sent, "sendmsg \(socketPath)", "cannot hand over the terminal")
    }

    /// The master, when it was kept.
    consuming func intoMaster() -> Descriptor? { master }
}
