internal import CLinux
internal import Diagnostics
internal import Linux

/// Stands between gantry's standard streams and a container's terminal, until the container's process has ended and all
/// that it wrote has been passed on.
///
/// One loop on poll(2). It never blocks: neither a slow reader of standard output nor a container that reads nothing
/// keeps signals, keys or output from being passed.
struct TerminalProxy: ~Copyable {
    private var caller = CallerTerminal()
    /// nil once the terminal has been hung up, since nobody reads standard output any more.
    private var master: Descriptor?
    /// The other end. While it is open the terminal does not count as closed when the container closes it for a
    /// while, and it tells whether all input has been read.
    private var peer: Descriptor?

    private let source: StandardStream
    private let sink: StandardStream
    private var input = ByteQueue(capacity: 4 << 10)
    private var output = ByteQueue(capacity: 16 << 10)
    /// Standard input has come to its end.
    private var inputEnded = false
    /// When to look again at what the kernel does not tell by itself, in nanoseconds of the monotonic clock.
    private var nextLook: Int64 = 0
    private static let lookInterval: Int64 = 100_000_000

    /// Passed on when the container says that it is ready.
    var notify: NotifySocket?
    var pid: Int32 = 0

    private var processEnded = false
    /// How much may still come once the process has ended: more than a terminal holds (64 KiB and two pages). Who
    /// lives on, without a pid namespace, may go on writing for ever.
    private var leftover = 256 << 10
    private var isFinished = false

    /// Takes over the master of the container's terminal. All signals are blocked.
    init(_ master: consuming Descriptor) {
        _ = clinux_set_nonblocking(master.raw)
        let other = clinux_terminal_peer(master.raw)
        peer = other >= 0 ? Descriptor(adopting: other) : nil
        self.master = consume master
        source = StandardStream(0, forWriting: false)
        sink = StandardStream(1, forWriting: true)
    }

    /// Returns when the process has ended and its output is out.
    mutating func run(process: borrowing Descriptor, signals: borrowing Descriptor) throws(Failure) {
        resize()
        var set = [clinux_pollfd](repeating: clinux_pollfd(), count: 5)
        while !isFinished {
            let timeout = look()
            prepare(&set, process, signals)
            _ = try check(
                clinux_poll(&set, CInt(set.count), timeout), "poll", "cannot wait for the container")
            if set[1].revents != 0 { receiveSignals(signals, process) }
            if set[0].revents != 0 { processEnded = true }
            if set[2].revents != 0 { readInput() }
            if set[4].revents != 0 { writeOutput() }
            if set[3].revents != 0 { writeInput() }
            if set[3].revents != 0 || processEnded { readOutput() }
        }
    }

    /// What to wait for: the process, signals, input, the terminal, room for output.
    private func prepare(
        _ set: inout [clinux_pollfd], _ process: borrowing Descriptor, _ signals: borrowing Descriptor
    ) {
        func entry(_ descriptor: CInt, _ events: CInt, _ isWanted: Bool = true) -> clinux_pollfd {
            clinux_pollfd(fd: isWanted ? descriptor : -1, events: Int16(events), revents: 0)
        }
        let terminal = master.rawOrNone
        let events =
            (output.isEmpty ? CLINUX_POLLIN : 0) | (input.isEmpty ? 0 : CLINUX_POLLOUT)
        set[0] = entry(process.raw, CLINUX_POLLIN, !processEnded)
        set[1] = entry(signals.raw, CLINUX_POLLIN)
        set[2] = entry(source.raw, CLINUX_POLLIN, wantsInput && input.isEmpty)
        set[3] = entry(terminal, events, events != 0 && !processEnded)
        set[4] = entry(sink.raw, CLINUX_POLLOUT, !output.isEmpty)
    }

    private var wantsInput: Bool {
        guard !inputEnded, !processEnded, master.rawOrNone >= 0 else { return false }
        return caller.access == .foreground || caller.access == .notATerminal
    }

    // MARK: Bytes

    private mutating func readInput() {
        let count = input.fill(from: source.raw)
        switch count {
        case 1...: return
        case -Int(Errno.EAGAIN): return
        case -Int(Errno.EIO):
            // Somebody else has the terminal now, or nobody.
            caller.refresh()
            if caller.access != .background { inputEnded = true }
        default:
            inputEnded = true
            nextLook = 0
        }
    }

    private mutating func writeInput() {
        guard !input.isEmpty, !processEnded else { return }
        let count = input.drain(to: master.rawOrNone)
        if count < 0, count != -Int(Errno.EAGAIN) { input.removeAll() }
    }

    private mutating func readOutput() {
        guard output.isEmpty else { return }
        let count = master.rawOrNone >= 0 ? output.fill(from: master.rawOrNone) : 0
        if count > 0 {
            if processEnded { leftover -= count }
            if leftover <= 0 { isFinished = true }
            return writeOutput()
        }
        // All that was written before the process ended can be read by now: the kernel looks for it first.
        if processEnded { isFinished = true }
        if count != -Int(Errno.EAGAIN) { hangUp() }
    }

    private mutating func writeOutput() {
        let count = output.drain(to: sink.raw)
        if count < 0, count != -Int(Errno.EAGAIN) {
            // Nobody reads any more. A terminal that is gone tells its processes so (SIGHUP).
            output.removeAll()
            hangUp()
        }
    }

    private mutating func hangUp() {
        input.removeAll()
        master = nil
        peer = nil
    }

    // MARK: What the kernel does not tell by itself

    /// Looks whether gantry is in the foreground by now, and whether the end of input is to be told.
    ///
    /// - Returns: milliseconds until it must look again; -1 when nothing but an event will do.
    private mutating func look() -> CInt {
        if processEnded, output.isEmpty { return 0 }
        let isWaiting = caller.access == .background && !inputEnded
        let tellsEnd = inputEnded && caller.access == .notATerminal && input.isEmpty
        guard isWaiting || tellsEnd, master.rawOrNone >= 0, !processEnded else { return -1 }
        let now = clinux_monotonic()
        guard now >= nextLook else { return CInt((nextLook - now) / 1_000_000 + 1) }
        nextLook = now + TerminalProxy.lookInterval
        if isWaiting {
            caller.refresh()
            if caller.access == .foreground { resize() }
        } else {
            tellEndOfInput()
        }
        return CInt(TerminalProxy.lookInterval / 1_000_000)
    }

    /// A terminal has no end, but a character that stands for it. Who reads again after it gets it again, as with a
    /// pipe; one that came before a program changed the terminal's mode would be lost.
    private mutating func tellEndOfInput() {
        var unread = clinux_pollfd(fd: peer.rawOrNone, events: Int16(CLINUX_POLLIN), revents: 0)
        guard unread.fd >= 0, clinux_poll(&unread, 1, 0) == 0 else { return }
        var mode = clinux_terminal_mode()
        guard clinux_terminal_mode(master.rawOrNone, &mode) == 0 else { return }
        let character = clinux_terminal_end_of_input(&mode)
        if character != 0 { input.put(UInt8(truncatingIfNeeded: character)) }
    }

    // MARK: Signals

    private mutating func receiveSignals(
        _ signals: borrowing Descriptor, _ process: borrowing Descriptor
    ) {
        while case let signal = clinux_signalfd_read(signals.raw), signal > 0 {
            switch signal {
            case Signal.windowSize: resize()
            case Signal.inputOutput where notify != nil: try? notify?.pass(pid: pid)
            case Signal.stop: suspend()
            case Signal.continue:
                caller.refresh()
                resize()
            // Of our own terminal and streams: none of the container's.
            case Signal.pipe, Signal.terminalInput, Signal.terminalOutput: break
            default:
                if processEnded {
                    // Nothing but output is left, which nobody may be reading.
                    if Signal.ending.contains(signal) { isFinished = true }
                } else if Foreground.isForwarded(signal) {
                    _ = clinux_pidfd_signal(process.raw, signal)
                }
            }
        }
    }

    private func resize() {
        guard master.rawOrNone >= 0, let size = CallerTerminal.size else { return }
        _ = clinux_terminal_set_size(master.rawOrNone, size)
    }

    /// What the suspend key does to a program that is not raw.
    private mutating func suspend() {
        caller.release()
        _ = clinux_suspend()
        caller.refresh()
        resize()
    }
}
