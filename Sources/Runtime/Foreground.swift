internal import CLinux
internal import Diagnostics
internal import Linux

/// `gantry run` without a terminal: waits for the container's process and forwards signals to it.
struct Foreground: ~Copyable {
    private let signals: Descriptor

    /// Blocks all signals from now on, so that none is lost between the start and the wait.
    init() throws(Failure) {
        signals = Descriptor(
            adopting: try check(clinux_signalfd_all(), "signalfd", "cannot receive signals"))
    }

    /// Returns when the process has ended; it is left to be reaped.
    ///
    /// - Parameter notify: passed on when the container says that it is ready.
    func wait(
        for container: borrowing InitProcess, notify: consuming NotifySocket? = nil
    ) throws(Failure) {
        let pid = container.pid
        try notify?.signalOnMessage()
        try notify?.pass(pid: pid)
        let process = try container.open()
        while true {
            let ready = try check(
                clinux_wait_readable(process.raw, signals.raw, -1), "poll", "cannot wait for the container")
            if ready & 1 != 0 { return }
            while case let signal = clinux_signalfd_read(signals.raw), signal > 0 {
                if signal == Signal.inputOutput, notify != nil {
                    try notify?.pass(pid: pid)
                } else if Foreground.isForwarded(signal) {
                    _ = clinux_pidfd_signal(process.raw, signal)
                }
            }
        }
    }

    /// The same; a process that has a terminal gets what the caller types, and the caller what it prints.
    func wait(
        for container: borrowing InitProcess, terminal: consuming Terminal?,
        notify: consuming NotifySocket? = nil
    ) throws(Failure) {
        guard let master = terminal.take()?.intoMaster() else {
            return try wait(for: container, notify: notify)
        }
        let pid = container.pid
        try notify?.signalOnMessage()
        try notify?.pass(pid: pid)
        let process = try container.open()
        var proxy = TerminalProxy(master)
        proxy.notify = notify.take()
        proxy.pid = pid
        try proxy.run(process: process, signals: signals)
    }

    /// Everything is the container's but what the kernel tells us about ourselves: our children, our
    /// terminal's size, out-of-band data.
    static func isForwarded(_ signal: CInt) -> Bool {
        switch signal {
        case Signal.child, Signal.urgent, Signal.windowSize: false
        default: true
        }
    }
}
