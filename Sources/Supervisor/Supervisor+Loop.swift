internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Logs
internal import Store

// The loop: output, then what epoll tells, then timers.
extension Supervisor {
    /// Milliseconds for which clients that were attached before may come back after a takeover.
    private static let holdPatience: Int64 = 300

    func work() throws(Failure) {
        try begin()
        while !isOver {
            let isBusy = moveOutput()
            handleEvents()
            lookWhetherDrained()
            if isOver { break }
            var timeout: CInt = 0
            if !isBusy, events.isEmpty {
                timeout = sleepTime()
                // What arrives from now on is signalled; what arrived just before is seen here.
                ring.setSleeping(true)
                if hasNewOutput { timeout = 0 }
            }
            let count = try poller.wait(milliseconds: timeout)
            ring.setSleeping(false)
            for index in 0..<count {
                if let ready = poller.ready(index) { try serve(ready) }
            }
            fireTimers()
        }
        try leave()
    }

    /// One before us that has not left by itself was killed.
    private func takePlace() {
        let (last, this) = (core.memory.supervisor, UInt32(clinux_pid()))
        if last != 0, last != this {
            note(
                "the supervisor (process \(last)) was killed or failed; process \(this) goes on in its place")
        }
        core.memory.supervisor = this
        remember()
    }

    private var isOver: Bool {
        if isReplaced { return true }
        guard isLeaving, !isHeldUp else { return false }
        return clinux_monotonic() >= leaveBy || clients.allSatisfy { $0?.outbox.isEmpty ?? true }
    }

    private func begin() throws(Failure) {
        try poller.add(keeper.socket.raw, .keeper)
        // Told once a signal: it need not be read, so that a busy stream costs no call for it.
        try poller.add(output.raw, .output, events: CLINUX_EVENT_IN | CLINUX_EVENT_EDGE)
        try poller.add(signals.raw, .signals)
        // Another supervisor may be quicker at a connection: it must not be waited for.
        _ = clinux_set_nonblocking(listener.raw)
        try poller.add(listener.raw, .listener)
        seen = [ring.tail(0), ring.tail(1)]
        expected = core.memory.attached
        if expected > 0 { holdUntil = clinux_monotonic() + Supervisor.holdPatience * 1_000_000 }
        storedMemory = core.memory
        takePlace()
        openLog()
    }

    /// Sends END to the keeper, unless another supervisor goes on.
    private func leave() throws(Failure) {
        core.memory.supervisor = 0
        remember()
        if isReplaced || keeperIsLost { return }
        try keeper.end(milliseconds: 0)
    }

    private func serve(_ ready: Poller.Ready) throws(Failure) {
        switch ready.source {
        case .keeper: try hearKeeper()
        case .output: break
        case .listener: admit()
        case .signals: receiveSignals()
        case .log:
            // Somebody deletes the container, and does not wait for us: it is not to be written again.
            if core.halt == .released, core.hasTold { return closeLog() }
            log?.writer.checkFile()
            for stream in 0..<2 { streams[stream].isDue = true }
        case .child: childEnded()
        case .childOutput: readChild()
        case .stdin: writeInput()
        case .container: containerEndedUnwatched()
        case .stdout: readUnwatched(0)
        case .stderr: readUnwatched(1)
        case .memory: lookAtMemory()
        case .client: serveClient(ready)
        }
    }

    private func receiveSignals() {
        while case let signal = clinux_signalfd_read(signals.raw), signal > 0 {
            if signal == Signal.terminate {
                isImpatient = isLeaving
                events.append(.terminate)
            }
        }
    }

    // MARK: Time

    /// Milliseconds until something is due; -1 for nothing.
    private func sleepTime() -> CInt {
        var next = Int64.max
        func consider(_ deadline: Int64) {
            if deadline != 0 { next = min(next, deadline) }
        }
        for deadline in deadlines { consider(deadline) }
        for stream in streams { consider(stream.retryAt) }
        consider(childDeadline)
        consider(logRetryAt)
        consider(storeRetryAt)
        consider(holdUntil)
        consider(restAt)
        if isLeaving, !isHeldUp { consider(leaveBy) }
        guard next != .max else { return -1 }
        // Rounded up, so that it is not woken just before.
        let left = max(0, next - clinux_monotonic())
        return CInt(clamping: (left + 999_999) / 1_000_000)
    }

    private func fireTimers() {
        let now = clinux_monotonic()
        for timer in SupervisorCore.Timer.allCases {
            let deadline = deadlines[timer.rawValue]
            guard deadline != 0, now >= deadline else { continue }
            deadlines[timer.rawValue] = 0
            events.append(.timer(timer))
        }
        if restAt != 0, now >= restAt {
            restAt = 0
            log?.writer.rest()
        }
        if holdUntil != 0, now >= holdUntil {
            holdUntil = 0
            expected = 0
            countAttached()
        }
        if logRetryAt != 0, now >= logRetryAt { openLog() }
        if storeRetryAt != 0, now >= storeRetryAt { writeAgain() }
        if childDeadline != 0, now >= childDeadline {
            childDeadline = 0
            child?.signal(Signal.kill)
        }
    }

    // MARK: The core

    func handleEvents() {
        while !events.isEmpty {
            let event = events.removeFirst()
            let now = SupervisorCore.Moment(monotonic: clinux_monotonic(), real: clinux_realtime())
            carryOut(core.handle(event, at: now))
        }
    }

    func carryOut(_ actions: [SupervisorCore.Action]) {
        remember()
        for action in actions { perform(action) }
    }

    /// Before anything is done it is noted what for.
    func remember() {
        guard core.memory != storedMemory else { return }
        storedMemory = core.memory
        notes.store(storedMemory)
    }

    private func perform(_ action: SupervisorCore.Action) {
        switch action {
        case .launch: launch()
        case .endLauncher(let force):
            if childIsLauncher { child?.signal(force ? Signal.kill : Signal.terminate) }
        case .signal(let signal): signalContainer(signal)
        case .kill: killContainer()
        case .arm(let timer, let after): deadlines[timer.rawValue] = clinux_monotonic() + after
        case .disarm(let timer): deadlines[timer.rawValue] = 0
        case .writeStatus: writeStatus()
        case .note(let message): note(message)
        case .answer(let client, let answer): tell(client, answer)
        case .tellEnd: tellEnd()
        case .runExitCommand: runExitCommand()
        case .finish:
            isLeaving = true
            let now = clinux_monotonic()
            leaveBy = now + Supervisor.leavePatience
            // Nobody who deletes a container is made to wait.
            leaveAtLast = core.halt == .released ? leaveBy : now + Supervisor.longestLeave
        }
    }

    /// Nanoseconds for which no client need take anything of what it is still to be told, and for all of it.
    private static let leavePatience: Int64 = 2_000_000_000
    private static let longestLeave: Int64 = 30_000_000_000

    /// A client has taken something.
    func leaveLater() {
        if isLeaving { leaveBy = min(clinux_monotonic() + Supervisor.leavePatience, leaveAtLast) }
    }
}
