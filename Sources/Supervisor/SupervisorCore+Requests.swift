internal import Store

// What people and the surroundings ask for.
extension SupervisorCore {
    /// How many answers the client waits for.
    func requests(of client: UInt32) -> Int { requests.count { $0.client == client } }

    mutating func stop(_ client: UInt32, _ order: StopOrder, _ now: Moment) {
        guard hasTold else {
            requests.append((client, .stop))
            return halt(.user, order, now)
        }
        actions.append(.answer(client: client, .ended(status.end)))
        // A run that was asked for meanwhile does not come.
        if memory.restartRequested != 0 { halt(.user, order, now) }
    }

    /// Nothing runs it again, and what runs ends.
    private mutating func halt(_ reason: Halt, _ order: StopOrder, _ now: Moment) {
        if halt != .released { halt = reason }
        memory.restartRequested = 0
        if reason == .user { status.stoppedByUser = true }
        switch state {
        case .starting(let isOwn):
            if isOwn {
                actions.append(.writeStatus)
                endLauncher(force: order.grace == 0)
                arm(order, now)
            }
            pendingStop = order
        case .running:
            actions.append(.writeStatus)
            begin(order, now)
        case .waiting:
            finish()
        case .finishing,
            .draining where isOverdue:
            actions.append(.writeStatus)
            answer([.restart], .failed("somebody stopped the container"))
        case .draining:
            // The log may have been waited for until now: it was to have everything before the next run.
            if !launcherLives { actions.append(.arm(.drain, after: SupervisorCore.drainPatience)) }
        case .finished:
            break
        }
    }

    /// Tells a container that runs to end.
    mutating func begin(_ order: StopOrder, _ now: Moment) {
        if launcherLives { endLauncher(force: false) }
        if order.grace == 0 {
            memory.killAt = now.monotonic
            actions += [.disarm(.grace), .kill]
            return
        }
        actions.append(.signal(order.signal))
        arm(order, now)
    }

    private mutating func endLauncher(force: Bool) {
        launcherIsEnding = true
        actions.append(.endLauncher(force: force))
    }

    /// The earliest of several deadlines counts.
    private mutating func arm(_ order: StopOrder, _ now: Moment) {
        guard order.grace > 0 else { return }
        let grace = Int64(order.grace) * 1_000_000
        if memory.killAt != 0, memory.killAt <= now.monotonic + grace { return }
        memory.killAt = now.monotonic + grace
        actions.append(.arm(.grace, after: grace))
    }

    mutating func killAfterGrace() {
        switch state {
        case .running: actions.append(.kill)
        case .starting(isOwn: true):
            endLauncher(force: true)
            pendingStop = StopOrder(grace: 0)
        default: break
        }
    }

    mutating func restart(_ client: UInt32, _ order: StopOrder, _ now: Moment) {
        // Hung up on in a moment, the asker finds that there is no supervisor, and starts the container.
        if state == .finished { return }
        if halt == .released || keeperIsLost {
            let reason = keeperIsLost ? "the container's keeper is gone" : "the container is being deleted"
            actions.append(.answer(client: client, .failed(reason)))
            return
        }
        requests.append((client, .restart))
        halt = .none
        status.stoppedByUser = false
        switch state {
        case .starting:
            // The start that goes on is the answer, unless it is being taken back.
            if launcherIsEnding { memory.restartRequested = 1 }
            pendingStop = nil
            memory.killAt = 0
            actions.append(.disarm(.grace))
        case .running:
            memory.restartRequested = 1
            actions.append(.writeStatus)
            begin(order, now)
        case .draining, .finishing:
            memory.restartRequested = 1
        case .waiting:
            actions.append(.disarm(.backOff))
            memory.retries = 0
            memory.isPolicyRun = 0
            launch()
        case .finished:
            break
        }
    }

    mutating func wait(_ client: UInt32) {
        if hasTold {
            actions.append(.answer(client: client, .ended(status.end)))
        } else {
            requests.append((client, .wait))
        }
    }

    /// - Parameter lives: whether there is such a process.
    mutating func waitForExec(_ client: UInt32, _ pid: Int32, _ lives: Bool) {
        if lives {
            requests.append((client, .exec(pid)))
        } else if let exec = status.execs.last(where: { $0.pid == pid }) {
            actions.append(.answer(client: client, .ended(exec.end)))
        } else {
            actions.append(
                .answer(client: client, .failed("no process \(pid) of an exec in this container is known")))
        }
    }

    mutating func execEnded(_ exec: SupervisionStatus.Exec) {
        status.execs.append(exec)
        let excess = status.execs.count - SupervisionStatus.mostExecs
        if excess > 0 { status.execs.removeFirst(excess) }
        // Before the first run there is no status.
        if status.run != 0 { actions.append(.writeStatus) }
        answer([.exec(exec.pid)], .ended(exec.end))
    }

    /// No run any more; what runs is the asker's affair. Answered once no launcher can make another one.
    mutating func release(_ client: UInt32) {
        halt = .released
        memory.restartRequested = 0
        requests.append((client, .release))
        switch state {
        case .waiting:
            finish()
        case .draining where isOverdue:
            // Nobody will read the log any more.
            finish()
        case .starting, .running, .draining, .finishing, .finished:
            pendingStop = StopOrder(grace: 0)
            if launcherLives { endLauncher(force: false) } else { answer([.release], .done) }
        }
    }

    /// SIGTERM: as `stop`. A second one has no patience.
    mutating func terminate(_ now: Moment) {
        let isSecond = halt == .terminated
        if state == .finishing, isSecond { return exitCommandEnded("the exit command was not waited for") }
        let grace = isSecond ? 0 : Int32(clamping: stopTimeout * 1000)
        if state == .draining, isOverdue || isSecond {
            halt = .terminated
            return finish()
        }
        if state == .starting(isOwn: false), isSecond { return abandon() }
        halt(.terminated, StopOrder(grace: grace), now)
    }

    mutating func logOverflow(_ message: String, _ now: Moment) {
        guard halt == .none else { return }
        actions.append(.note(message))
        halt(.log, StopOrder(grace: Int32(clamping: stopTimeout * 1000)), now)
        status.problem = message
    }

    mutating func loseKeeper() {
        guard !keeperIsLost else { return }
        keeperIsLost = true
        switch state {
        case .finished: return
        case .starting(isOwn: false):
            abandon()
        case .waiting:
            note("the keeper is gone")
            finish()
        case .starting(isOwn: true), .running, .draining, .finishing:
            note("the keeper is gone: it was killed; how the container ends may stay unknown")
            actions.append(.writeStatus)
        }
    }

    /// There is no container yet, and who wanted to start it has given up.
    mutating func abandon() {
        state = .finished
        answer([.stop, .wait, .restart, .release], .failed("the container was not started"))
        actions.append(.finish)
    }
}
