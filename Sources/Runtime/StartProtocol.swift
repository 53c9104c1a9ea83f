internal import CPlan
internal import Diagnostics

/// The legal order of messages between gantry and the init, as a state machine without I/O.
///
///     init                         gantry
///     ── FORKED pid ──────────────▶  stage 2 exists, stage 1 is gone
///     ── SYNC PLACE ──────────────▶  has made the cgroups, with their limits; stage 2 enters them
///     ◀───────────────────── REPLY ──
///     ── SYNC MOUNTED ────────────▶  (only when there are hooks)
///     ◀───────────────────── REPLY ──
///     ── SYNC TERMINAL master ────▶  (only with process.terminal) passes it to who asked for it
///     ◀───────────────────── REPLY ──
///     ── SYNC READY [passwd] ─────▶  records the pid
///     ◀────────────── REPLY [HOME] ──
///     ── end of file ─────────────▶  run: the exec happened; create: the init waits on its start socket
///
/// FAILED may come instead of any message, and end-of-file before READY means that the init was killed.
struct StartProtocol {
    enum Phase: Equatable {
        case starting
        case forked
        case placed
        case mounted
        case terminal
        case ready
        case finished
    }

    enum Message: Equatable {
        case sync(UInt32)
        case forked(pid: Int32)
        /// Only told to `start`.
        case heard
        case failed
        case endOfFile
    }

    /// What gantry is to do.
    enum Action: Equatable {
        case place
        case adopt(pid: Int32)
        case runHooks
        case takeTerminal
        case record
        /// The user's process runs, or waits for `start`.
        case succeed
        /// The init told why it failed.
        case reportFailure
        /// The init ended without a word.
        case reportDeath
        /// A message out of order: a bug, or somebody else's voice.
        case reportDisorder
    }

    private(set) var phase = Phase.starting

    /// Takes one message and says what to do about it.
    mutating func receive(_ message: Message) -> Action {
        switch (phase, message) {
        case (.finished, _):
            return .reportDisorder
        case (_, .failed):
            phase = .finished
            return .reportFailure
        case (.starting, .forked(let pid)) where pid > 0:
            phase = .forked
            return .adopt(pid: pid)
        case (.forked, .sync(CPLAN_SYNC_PLACE.rawValue)):
            phase = .placed
            return .place
        case (.placed, .sync(CPLAN_SYNC_MOUNTED.rawValue)):
            phase = .mounted
            return .runHooks
        case (.placed, .sync(CPLAN_SYNC_TERMINAL.rawValue)), (.mounted, .sync(CPLAN_SYNC_TERMINAL.rawValue)):
            phase = .terminal
            return .takeTerminal
        case (.placed, .sync(CPLAN_SYNC_READY.rawValue)), (.mounted, .sync(CPLAN_SYNC_READY.rawValue)),
            (.terminal, .sync(CPLAN_SYNC_READY.rawValue)):
            phase = .ready
            return .record
        case (.ready, .endOfFile):
            phase = .finished
            return .succeed
        case (_, .endOfFile):
            phase = .finished
            return .reportDeath
        default:
            phase = .finished
            return .reportDisorder
        }
    }
}
