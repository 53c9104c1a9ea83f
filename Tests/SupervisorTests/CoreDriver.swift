import Store
import Supervisor

/// A supervisor's core with a clock of its own, and what it has asked for so far.
struct CoreDriver {
    typealias Core = SupervisorCore

    var core: Core
    var now = Core.Moment(monotonic: 1_000_000_000, real: 1_700_000_000_000_000_000)
    var run: UInt32 = 0

    static func settings(_ policy: SupervisionSettings.RestartPolicy) -> SupervisionSettings {
        var settings = SupervisionSettings(id: "c", root: "/run/gantry", bundle: "/b")
        settings.restart = policy
        return settings
    }

    init(_ policy: SupervisionSettings.RestartPolicy = .no, exitCommand: String? = nil) {
        var settings = CoreDriver.settings(policy)
        settings.exitCommand = exitCommand
        core = Core(settings, status: SupervisionStatus(), memory: CoreMemory())
        _ = core.takeOver(KeeperReport(run: 0, lives: false, pid: 0, started: 0, end: nil), at: now)
    }

    /// The next supervisor, after a kill -9: it knows the status and the notes alone.
    mutating func replace(_ report: KeeperReport, exitCommand: String? = nil) -> [Core.Action] {
        var settings = CoreDriver.settings(core.policy)
        settings.exitCommand = exitCommand
        core = Core(settings, status: core.status, memory: core.memory)
        return core.takeOver(report, at: now)
    }

    var report: KeeperReport {
        KeeperReport(
            run: run, lives: core.status.pid != 0, pid: core.status.pid, started: core.status.started,
            end: core.status.end)
    }

    @discardableResult
    mutating func handle(_ event: Core.Event, after nanoseconds: Int64 = 0) -> [Core.Action] {
        now.monotonic += nanoseconds
        now.real += nanoseconds
        return core.handle(event, at: now)
    }

    @discardableResult
    mutating func launch() -> [Core.Action] {
        run += 1
        return handle(.launched(run: run, pid: Int32(100 + run), started: now.real))
    }

    /// Our own launcher succeeds.
    @discardableResult
    mutating func launchOwn() -> [Core.Action] {
        launch() + handle(.launcherEnded(code: 0, message: ""))
    }

    /// Ends with a code after so many nanoseconds, its output drained.
    @discardableResult
    mutating func exit(_ code: Int32, after nanoseconds: Int64 = 0) -> [Core.Action] {
        let end = SupervisionStatus.End(
            exitCode: code, signal: code > 128 ? code - 128 : 0, time: now.real + nanoseconds)
        return handle(.exited(end), after: nanoseconds) + handle(.drained)
    }
}

let milliseconds: Int64 = 1_000_000
let seconds: Int64 = 1_000_000_000
