internal import CKeeper
internal import CLinux
internal import Cgroups
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

// What the keeper tells, and the container's process.
extension Supervisor {
    /// The first thing that the keeper tells: where the last supervisor was, or nothing yet.
    func takeOver(_ kept: consuming KeptState) {
        let state = kept.state
        hold(kept)
        run = state.run
        let now = SupervisorCore.Moment(monotonic: clinux_monotonic(), real: clinux_realtime())
        let known = core.status.run
        if state.run > 0, state.lives == 0 { lookForMemoryKills() }
        carryOut(core.takeOver(Supervisor.report(state), at: now))
        if state.lives != 0 { watchMemory(isNewRun: core.status.run != known) }
    }

    func hearKeeper() throws(Failure) {
        while true {
            let event: KeeperEvent
            do throws(Failure) {
                event = try keeper.nextEvent()
            } catch {
                note(error.description)
                return loseKeeper()
            }
            switch consume event {
            case .nothing: return
            case .state(let kept): hear(kept)
            case .exited(let exit): execEnded(exit)
            case .done: break
            case .refused(_): break
            case .leave:
                hearLastInput()
                if child != nil, !childIsLauncher { leavesAfterChild = true } else { isReplaced = true }
                return
            case .lost: return loseKeeper()
            }
        }
    }

    private func hear(_ kept: consuming KeptState) {
        let state = kept.state
        hold(kept)
        if state.run != run {
            run = state.run
            let container = state.container
            events.append(.launched(run: run, pid: container.pid, started: container.started))
            handleEvents()
            watchMemory(isNewRun: true)
        }
        guard state.run > 0, state.lives == 0, core.isUp else { return }
        lookForMemoryKills()
        events.append(.exited(Supervisor.end(of: state.container)))
    }

    /// What the keeper holds now.
    private func hold(_ kept: consuming KeptState) {
        let hadInput = stdin.rawOrNone >= 0 || terminal.rawOrNone >= 0
        keeperPid = kept.state.keeper
        unwatchInput()
        stdin = kept.stdin.take()
        terminal = kept.terminal.take()
        stdout = kept.stdout.take()
        stderr = kept.stderr.take()
        process = kept.container.take()
        let hasInput = stdin.rawOrNone >= 0 || terminal.rawOrNone >= 0
        // Another run's.
        if !hadInput, hasInput, inputIsClosed { (inputEnds, inputIsClosed) = (false, false) }
        if stdin.rawOrNone >= 0 { _ = clinux_set_nonblocking(stdin.rawOrNone) }
        if terminal.rawOrNone >= 0 {
            _ = clinux_set_nonblocking(terminal.rawOrNone)
            if !hadInput, terminalSize != 0 {
                _ = clinux_terminal_set_size(terminal.rawOrNone, terminalSize)
            }
        }
        writeInput()
    }

    private static func report(_ state: ckeeper_state) -> KeeperReport {
        KeeperReport(
            run: state.run, lives: state.lives != 0, pid: state.container.pid,
            started: state.container.started, end: state.lives != 0 ? nil : end(of: state.container))
    }

    private static func end(of exit: ckeeper_exit) -> SupervisionStatus.End {
        SupervisionStatus.End(
            exitCode: ProcessEnd.code(exit.status), signal: ProcessEnd.signal(exit.status),
            time: exit.ended)
    }

    private func execEnded(_ exit: ckeeper_exit) {
        guard exit.kind == CKEEPER_EXEC.rawValue else { return }
        events.append(
            .execEnded(.init(pid: exit.pid, started: exit.started, end: Supervisor.end(of: exit))))
    }

    // MARK: The container's processes

    var record: Record? { try? Store(root: arguments.root).open(arguments.id).record() }

    var cgroup: Cgroup? { record.flatMap(Supervisor.cgroup) }

    static func cgroup(_ record: Record) -> Cgroup? {
        try? Cgroup(record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
    }

    /// One that is paused goes on, so that it can obey.
    func signalContainer(_ signal: CInt) {
        guard process.rawOrNone >= 0 else { return }
        _ = clinux_pidfd_signal(
            process.rawOrNone, signal != 0 ? signal : record?.stopSignal ?? Signal.terminate)
        if let cgroup, (try? cgroup.isFrozen()) ?? false { try? cgroup.thaw() }
    }

    func killContainer() {
        if process.rawOrNone >= 0 { _ = clinux_pidfd_signal(process.rawOrNone, Signal.kill) }
        guard let cgroup else { return }
        do throws(Failure) {
            try cgroup.signalAll(Signal.kill)
            try cgroup.thaw()
        } catch {
            note(error.description)
        }
    }

    // MARK: Without a keeper

    /// It was killed. What it did for us we do from now on: read what the container prints, and see it end.
    private func loseKeeper() {
        guard !keeperIsLost else { return }
        keeperIsLost = true
        poller.remove(keeper.socket.raw)
        events.append(.keeperLost)
        handleEvents()
        guard !isLeaving else { return }
        if terminal.rawOrNone >= 0 {
            watchUnwatched(terminal.rawOrNone, .stdout, stream: 0)
        } else {
            watchUnwatched(stdout.rawOrNone, .stdout, stream: 0)
        }
        watchUnwatched(stderr.rawOrNone, .stderr, stream: 1)
        if process.rawOrNone >= 0 {
            try? poller.add(process.rawOrNone, .container)
        } else if core.isUp {
            events.append(.exited(nil))
        }
    }

    private func watchUnwatched(_ descriptor: CInt, _ source: Poller.Source, stream: Int) {
        guard descriptor >= 0 else { return ring.end(stream) }
        if ring.hasEnded(stream) { return }
        _ = clinux_set_nonblocking(descriptor)
        try? poller.add(descriptor, source)
        streams[stream].isReadHere = true
    }

    func readUnwatched(_ stream: Int) {
        guard streams[stream].isReadHere else { return }
        let descriptor =
            stream == 1 ? stderr.rawOrNone : terminal.rawOrNone >= 0 ? terminal.rawOrNone : stdout.rawOrNone
        switch ring.receive(stream, from: descriptor) {
        case let count where count > 0 && count < streams[stream].rest:
            streams[stream].rest -= count
        case 0 where ring.isFull(stream):
            // Until there is room. Not even its end is waited for, of which epoll would tell again and again.
            if !streams[stream].isFull { poller.remove(descriptor) }
            streams[stream].isFull = true
        case -Int(Errno.EAGAIN) where process.rawOrNone >= 0: return
        default:
            if !streams[stream].isFull { poller.remove(descriptor) }
            streams[stream].isFull = false
            streams[stream].isReadHere = false
            ring.end(stream)
        }
    }

    /// There may be room again.
    func resumeUnwatched(_ stream: Int) {
        guard streams[stream].isFull, !ring.isFull(stream) else { return }
        if process.rawOrNone < 0 { return readRest(stream) }
        streams[stream].isFull = false
        let descriptor =
            stream == 1 ? stderr.rawOrNone : terminal.rawOrNone >= 0 ? terminal.rawOrNone : stdout.rawOrNone
        try? poller.add(descriptor, stream == 0 ? .stdout : .stderr)
    }

    /// What is left when the container has ended, as far as there is room.
    private func readRest(_ stream: Int) {
        while streams[stream].isReadHere, !ring.isFull(stream) { readUnwatched(stream) }
        if streams[stream].isReadHere { readUnwatched(stream) }
    }

    /// Somebody else is the parent of an orphan: the kernel may tell us all the same.
    func containerEndedUnwatched() {
        guard process.rawOrNone >= 0 else { return }
        let status = statusOfOrphan()
        poller.remove(process.rawOrNone)
        process = nil
        lookForMemoryKills()
        events.append(
            .exited(
                status.map {
                    SupervisionStatus.End(
                        exitCode: ProcessEnd.code($0), signal: ProcessEnd.signal($0), time: clinux_realtime())
                }))
        // What is left of its output has been written by now, and is no more than what its pipe holds: somebody whom it
        // has given its output to may write for ever.
        for stream in 0..<2 {
            streams[stream].rest = OutputRing.capacity
            readRest(stream)
        }
    }

    /// A zombie tells, and a process that has been reaped on Linux 6.15 or newer. It may be between the two.
    private func statusOfOrphan() -> Int32? {
        for _ in 0..<20 {
            if let stat = try? ProcessStat.read(core.status.pid), !stat.isAlive { return stat.exitStatus }
            var status: CInt = 0
            let result = clinux_pidfd_exit_status(process.rawOrNone, &status)
            if result == 0 { return status }
            guard result == -Errno.EAGAIN else { return nil }
            clinux_sleep(5)
        }
        return nil
    }
}
