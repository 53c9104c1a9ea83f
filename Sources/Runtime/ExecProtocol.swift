internal import CPlan

/// The legal order of messages in an exec, as a state machine without I/O.
///
///     init                         gantry
///     ── FORKED pid ──────────────▶  (cgroup v2) stage 1 goes on in the container's cgroup
///     ── SYNC TERMINAL master ────▶  (only with process.terminal) passes it to who asked for it
///     ◀───────────────────── REPLY ──
///     ── SYNC READY [passwd] ─────▶  (only without HOME)
///     ◀────────────── REPLY [HOME] ──
///     ── FORKED pid ──────────────▶  the process is in the container
///     ── end of file ─────────────▶  the exec happened
///
/// Behind the last FORKED the container can see the process, and one with CAP_SYS_PTRACE in it can speak in its
/// name: nothing that is said then makes gantry do anything but tell.
struct ExecProtocol {
    enum Action: Equatable {
        case adopt(pid: Int32)
        case takeTerminal
        case sendHome
        case succeed
        case reportFailure
        case reportDeath
        case reportDisorder
    }

    /// How many FORKED are still to come.
    private(set) var forks: Int
    private(set) var hasTerminal = false
    private(set) var isReady = false
    private(set) var isFinished = false

    mutating func receive(_ message: StartProtocol.Message) -> Action {
        guard !isFinished else { return .reportDisorder }
        switch message {
        case .failed:
            isFinished = true
            return .reportFailure
        case .forked(let pid) where pid > 0 && forks > 0:
            forks -= 1
            return .adopt(pid: pid)
        case .sync(CPLAN_SYNC_TERMINAL.rawValue) where forks == 1 && !isReady && !hasTerminal:
            hasTerminal = true
            return .takeTerminal
        case .sync(CPLAN_SYNC_READY.rawValue) where forks == 1 && !isReady:
            isReady = true
            return .sendHome
        case .endOfFile:
            isFinished = true
            return forks == 0 ? .succeed : .reportDeath
        default:
            isFinished = true
            return .reportDisorder
        }
    }
}
