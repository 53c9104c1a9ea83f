internal import Store

// From one run to the next.
extension SupervisorCore {
    /// The pause before the first run that the policy asks for, and the longest one, in nanoseconds.
    static let shortestPause: Int64 = 100_000_000
    static let longestPause: Int64 = 60_000_000_000
    /// A run of so many nanoseconds was a good one: pauses and attempts count from the start again.
    static let goodRun: Int64 = 10_000_000_000
    /// So long, in nanoseconds, an end waits to be told until the log has everything.
    static let drainPatience: Int64 = 1_000_000_000

    /// The pause before a run when `retries` have gone before it.
    static func pause(_ retries: UInt32) -> Int64 {
        retries < 20 ? min(shortestPause << Int64(retries), longestPause) : longestPause
    }

    mutating func launch() {
        state = .starting(isOwn: true)
        launcherLives = true
        launcherIsEnding = false
        isOverdue = false
        memory.launchAt = 0
        pendingStop = nil
        actions.append(.launch)
    }

    mutating func launched(_ run: UInt32, _ pid: Int32, _ started: Int64, _ now: Moment) {
        guard case .starting = state else { return }
        state = .running
        isDrained = false
        isOverdue = false
        status.phase = .running
        status.run = memory.runBase &+ run
        if memory.isPolicyRun != 0 { status.restartCount &+= 1 }
        status.pid = pid
        status.started = started
        status.end = nil
        status.oomKilled = false
        // A log that cannot follow may be noticed before the start is.
        if halt != .log { status.problem = "" }
        status.stoppedByUser = halt == .user
        memory.isPolicyRun = 0
        memory.restartRequested = 0
        memory.runBegan = now.monotonic
        actions.append(.writeStatus)
        if !launcherLives { answer([.restart], .done) }
        if halt == .none { return }
        let order = pendingStop ?? StopOrder(grace: Int32(clamping: stopTimeout * 1000))
        pendingStop = nil
        begin(order, now)
    }

    mutating func launcherEnded(_ code: Int32, _ message: String, _ now: Moment) {
        guard launcherLives else { return }
        launcherLives = false
        switch state {
        case .starting:
            failedToLaunch(code, message, now)
        case .running, .draining:
            if code == 0 {
                answer([.restart], .done)
            } else {
                // A hook after the start has failed, for example: the launcher has taken the container down.
                note(message)
                answer([.restart], .failed(message))
            }
            if state == .draining, isDrained {
                decide(now)
            } else {
                if code != 0 { actions.append(.writeStatus) }
                // That it takes long was not told while the launcher had something to do.
                if state == .draining { actions.append(.arm(.drain, after: SupervisorCore.drainPatience)) }
            }
        case .waiting, .finishing, .finished:
            break
        }
        answer([.release], .done)
    }

    /// Counts as an end of the run that was to be.
    private mutating func failedToLaunch(_ code: Int32, _ message: String, _ now: Moment) {
        actions.append(.disarm(.grace))
        memory.killAt = 0
        memory.isPolicyRun = 0
        status.pid = 0
        if !launcherIsEnding {
            let text = message.isEmpty ? "the launcher ended without having started the container" : message
            status.end = SupervisionStatus.End(
                exitCode: code == 0 ? 1 : code, signal: 0, time: now.real)
            note(text)
            // Only the present attempt was asked for.
            memory.restartRequested = 0
            answer([.restart], .failed(text))
        }
        state = .draining
        isDrained = true
        decide(now)
    }

    /// - Parameter lasted: nanoseconds.
    mutating func exited(_ end: SupervisionStatus.End?, lasted: Int64) {
        guard state == .running else { return }
        state = .draining
        if lasted >= SupervisorCore.goodRun { memory.retries = 0 }
        status.pid = 0
        status.end = end
        memory.killAt = 0
        actions += [.disarm(.grace), .arm(.drain, after: SupervisorCore.drainPatience)]
    }

    mutating func drained(_ now: Moment) {
        guard state == .draining else { return }
        isDrained = true
        actions.append(.disarm(.drain))
        if !launcherLives { decide(now) }
    }

    /// It has ended: is it to run again?
    mutating func decide(_ now: Moment) {
        guard halt == .none, !keeperIsLost else { return finish() }
        if memory.restartRequested != 0 {
            memory.retries = 0
            status.phase = .restarting
            actions.append(.writeStatus)
            answer([.stop], .ended(status.end))
            return launch()
        }
        guard wantsAnotherRun else { return finish() }
        let pause = SupervisorCore.pause(memory.retries)
        memory.retries &+= 1
        memory.isPolicyRun = 1
        memory.launchAt = now.monotonic + pause
        state = .waiting
        status.phase = .restarting
        actions += [.writeStatus, .arm(.backOff, after: pause)]
        answer([.stop], .ended(status.end))
    }

    private var wantsAnotherRun: Bool {
        switch policy {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure(let most):
            // What nobody can tell of is no success.
            status.end?.exitCode != 0 && memory.retries < most.map { UInt32(clamping: $0) } ?? .max
        }
    }

    /// The log does not have everything yet, and may not for long: nobody need wait for that to learn of the end.
    mutating func overdue() {
        guard state == .draining, !launcherLives, !isOverdue else { return }
        if halt == .none, !keeperIsLost, memory.restartRequested != 0 || wantsAnotherRun { return }
        isOverdue = true
        tellEnd()
    }

    private mutating func tellEnd() {
        status.phase = .stopped
        actions += [.writeStatus, .tellEnd]
        answer([.stop, .wait], .ended(status.end))
    }

    /// It has ended for good.
    mutating func finish() {
        memory.launchAt = 0
        memory.isPolicyRun = 0
        actions += [.disarm(.backOff), .disarm(.drain)]
        if keeperIsLost, halt == .none, wantsAnotherRun {
            note("is not run again since its keeper is gone; `gantry start` does it")
        }
        tellEnd()
        answer([.restart], .failed("somebody stopped the container"))
        requests.removeAll { request in
            guard case .exec = request.request else { return false }
            actions.append(.answer(client: request.client, .failed("the container has ended")))
            return true
        }
        if hasExitCommand, memory.exitCommandDone == 0 {
            state = .finishing
            actions.append(.runExitCommand)
        } else {
            leave()
        }
    }

    mutating func exitCommandEnded(_ problem: String) {
        guard state == .finishing else { return }
        memory.exitCommandDone = 1
        if !problem.isEmpty {
            note(problem)
            actions.append(.writeStatus)
        }
        if memory.restartRequested != 0, halt == .none, !keeperIsLost {
            memory.exitCommandDone = 0
            status.phase = .restarting
            actions.append(.writeStatus)
            return launch()
        }
        leave()
    }

    private mutating func leave() {
        state = .finished
        answer([.release], .done)
        actions.append(.finish)
    }
}
