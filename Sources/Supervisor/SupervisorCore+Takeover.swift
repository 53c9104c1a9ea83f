public import Store

/// What the keeper says when a supervisor comes.
public struct KeeperReport: Equatable, Sendable {
    /// How many containers it has watched.
    public var run: UInt32
    public var lives: Bool
    public var pid: Int32
    /// Nanoseconds since the epoch.
    public var started: Int64
    /// nil while it lives.
    public var end: SupervisionStatus.End?

    public init(run: UInt32, lives: Bool, pid: Int32, started: Int64, end: SupervisionStatus.End?) {
        self.run = run
        self.lives = lives
        self.pid = pid
        self.started = started
        self.end = end
    }
}

extension SupervisorCore {
    /// Goes on where the last supervisor was killed; or begins, when there has been none.
    public mutating func takeOver(_ report: KeeperReport, at now: Moment) -> [Action] {
        actions.removeAll(keepingCapacity: true)
        if memory.version == 0 {
            memory.version = CoreMemory.currentVersion
            memory.runBase = status.run
        }
        if report.run == 0 {
            state = .starting(isOwn: false)
            return actions
        }
        let run = memory.runBase &+ report.run
        if run != status.run { return takeOverUnknownRun(report, now) }
        switch status.phase {
        case .running: takeOverRun(report, now)
        case .restarting: takeOverPause(now)
        case .stopped: takeOverEnd()
        }
        return actions
    }

    /// The keeper has watched a run that the status does not know of.
    private mutating func takeOverUnknownRun(_ report: KeeperReport, _ now: Moment) -> [Action] {
        state = .starting(isOwn: false)
        launched(report.run, report.pid, report.started, now)
        if !report.lives { exited(report.end, lasted: lasted(report)) }
        return actions
    }

    private mutating func takeOverRun(_ report: KeeperReport, _ now: Moment) {
        state = .running
        guard report.lives else { return exited(report.end, lasted: lasted(report)) }
        let isStopping = halt != .none || memory.restartRequested != 0
        guard isStopping, halt != .released else { return }
        // The signal may have been sent already; a second one does no harm that the first did not.
        let left = max(0, memory.killAt &- now.monotonic)
        if memory.killAt != 0, left == 0 {
            actions.append(.kill)
            return
        }
        actions.append(.signal(0))
        if left > 0 { actions.append(.arm(.grace, after: left)) }
    }

    /// By the clock that people set, since nobody looked at the other one when it ended.
    private func lasted(_ report: KeeperReport) -> Int64 {
        report.end.map { $0.time &- report.started } ?? 0
    }

    /// Between two runs. A launcher has died with the one who started it.
    private mutating func takeOverPause(_ now: Moment) {
        if halt != .none {
            finish()
        } else if memory.launchAt > now.monotonic {
            state = .waiting
            actions.append(.arm(.backOff, after: memory.launchAt &- now.monotonic))
        } else {
            launch()
        }
    }

    /// It has ended for good, and everybody may know; the rest of its output may still be on its way.
    private mutating func takeOverEnd() {
        state = .draining
        isOverdue = true
    }
}
