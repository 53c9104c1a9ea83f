internal import CLinux

/// The terminal that gantry's own standard input is, if it is one. Raw while the container's terminal stands behind
/// it, so that every key is the container's; as it was before when this value goes away.
///
/// In the background the terminal is somebody else's: it is neither read nor changed until gantry is in its foreground
/// process group. All signals are blocked meanwhile, SIGTTIN and SIGTTOU too.
public struct CallerTerminal: ~Copyable {
    public enum Access {
        /// Standard input is no terminal: a pipe, a file.
        case notATerminal
        case foreground
        case background
        /// It has been hung up.
        case gone
    }

    public private(set) var access = Access.notATerminal
    /// How the terminal was; nil while it is not raw.
    private var original: clinux_terminal_mode?

    private static let number: CInt = 0

    /// - Parameter isRaw: false for one that is left alone.
    public init(isRaw: Bool = true) {
        if isRaw, clinux_is_terminal(CallerTerminal.number) == 1 {
            access = .background
            refresh()
        }
    }

    deinit {
        CallerTerminal.giveBack(original)
    }

    /// Makes the terminal raw when it is ours now, also when somebody has changed it meanwhile, as shells do with that
    /// of a stopped job.
    public mutating func refresh() {
        guard access == .background || access == .foreground else { return }
        switch clinux_terminal_is_ours(CallerTerminal.number) {
        case 1: access = makeRaw() ? .foreground : .gone
        case 0: access = .background
        default: access = .gone
        }
    }

    /// Gives the terminal back as it was; `refresh` takes it again.
    public mutating func release() {
        CallerTerminal.giveBack(original)
        original = nil
    }

    private mutating func makeRaw() -> Bool {
        var mode: clinux_terminal_mode
        if let original {
            mode = original
        } else {
            mode = clinux_terminal_mode()
            guard clinux_terminal_mode(CallerTerminal.number, &mode) == 0 else { return false }
            original = mode
        }
        clinux_terminal_make_raw(&mode)
        return clinux_terminal_set_mode(CallerTerminal.number, &mode) == 0
    }

    /// In the background it belongs to the shell, which has set it as it likes.
    private static func giveBack(_ mode: clinux_terminal_mode?) {
        guard var mode, clinux_terminal_is_ours(number) == 1 else { return }
        _ = clinux_terminal_set_mode(number, &mode)
    }

    /// Rows | columns << 16 of the first of the standard streams that is a terminal with a size.
    public static var size: UInt32? {
        for stream: CInt in 0...2 where clinux_is_terminal(stream) == 1 {
            let size = clinux_terminal_size(stream)
            return size > 0 ? UInt32(truncatingIfNeeded: size) : nil
        }
        return nil
    }
}

/// One of gantry's standard streams, opened once more where that is possible: not to block must not become the
/// property of those who share it.
public struct StandardStream: ~Copyable {
    private let own: Descriptor?
    private let number: CInt

    public init(_ number: CInt, forWriting: Bool) {
        let raw = clinux_reopen_nonblocking(number, forWriting ? 1 : 0)
        own = raw >= 0 ? Descriptor(adopting: raw) : nil
        self.number = number
    }

    public var raw: CInt { own.rawOrNone >= 0 ? own.rawOrNone : number }
}
