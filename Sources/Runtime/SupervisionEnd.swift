internal import CKeeper
internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

/// How keeper and supervisor of a container are ended, and waited for.
enum SupervisionEnd {
    /// How long a supervisor may take for what is to be done when its container has ended, in milliseconds.
    private static let patience: Int32 = 10_000

    /// The container belongs to another `--root`: its entry is there.
    static func checkRoot(_ settings: SupervisionSettings, _ root: String) throws(Failure) {
        guard try !Paths.absolute(root).utf8.elementsEqual(settings.root.utf8) else { return }
        throw Failure(.state, "the container was made with --root \(settings.root)", at: settings.id)
    }

    /// Waits for the supervision of the last run to end.
    static func waitForLast(
        _ entry: borrowing StoredContainer, _ place: borrowing SupervisedContainer
    ) throws(Failure) {
        guard let keeper = try KeptParent.find(entry), let state = try keeper.ask() else { return }
        if state.lives != 0 { throw Failure(.state, "cannot start an already running container") }
        if try place.status().phase == .restarting {
            throw Failure(.state, "cannot start a container that is being restarted")
        }
        guard try keeper.waitForEnd(milliseconds: patience) else {
            throw Failure(
                .state,
                "the supervisor of the container's last run (process \(state.supervisor)) has not ended")
        }
    }

    /// Tells the supervisor, if there is one, that the container is going to be removed. It runs no more of it then, and
    /// finishes when the container has ended.
    ///
    /// - Returns: whether it has been told.
    static func release(
        _ container: borrowing LiveContainer, _ states: StateDirectory, _ release: Operations.Release
    ) -> Bool {
        // Whoever does not answer is ended in another way.
        guard let keeper = try? KeptParent.find(container.entry) else {
            return isSupervisorThere(container.entry) && (try? release(container.entry.id, states)) ?? false
        }
        // One that has not seen a run yet has nothing to finish.
        guard let state = (try? keeper.ask()) ?? nil, state.run > 0 else { return false }
        return (try? release(container.entry.id, states)) ?? false
    }

    /// Also one whose keeper has been killed.
    private static func isSupervisorThere(_ entry: borrowing StoredContainer) -> Bool {
        let name = KeeperConnection.supervisorSocketName
        let socket = try? KeeperConnection.connect(to: name, in: entry.path)
        return socket.rawOrNone >= 0
    }

    /// Ends what watches over a container that has no processes any more.
    ///
    /// - Parameter isReleased: the supervisor finishes by itself, and may take its time.
    static func finish(_ entry: borrowing StoredContainer, isReleased: Bool) throws(Failure) {
        // Who is waited for by those who watch cannot wait for them: they go when the exit command has ended.
        if isReleased, isInExitCommand(entry) { return }
        do throws(Failure) {
            guard let keeper = try KeptParent.find(entry) else {
                return finishWithoutKeeper(entry, isReleased)
            }
            if isReleased, try keeper.waitForEnd(milliseconds: patience) { return }
            try keeper.end()
        } catch {
            try kill(entry)
        }
    }

    /// Whether the supervisor is one of our ancestors.
    private static func isInExitCommand(_ entry: borrowing StoredContainer) -> Bool {
        let root = Paths.parent(of: entry.path)
        let id = entry.id
        var pid = clinux_pid()
        while let parent = (try? ProcessStat.read(pid))?.parent, parent > 1 {
            if SupervisorCommand.isMeant(words(of: parent), root: root, id: id) { return true }
            pid = parent
        }
        return false
    }

    private static func finishWithoutKeeper(_ entry: borrowing StoredContainer, _ isReleased: Bool) {
        var left = isReleased ? patience : 0
        while left > 0, isSupervisorThere(entry) {
            clinux_sleep(pause)
            left -= pause
        }
        // One that has closed its socket is about to exit; nobody reaps it whom we could ask.
        killSupervisors(entry)
    }

    /// Between two looks, in milliseconds.
    private static let pause: CInt = 20

    // MARK: By force

    /// Kills a keeper that does not answer, then what it leaves.
    private static func kill(_ entry: borrowing StoredContainer) throws(Failure) {
        let path = entry.path
        try killAll { words in
            words.count > 2 && words[0].elementsEqual("gantry-keeper".utf8)
                && words[2].elementsEqual(path.utf8)
        }
        killSupervisors(entry)
    }

    /// Those that go on without a keeper.
    private static func killSupervisors(_ entry: borrowing StoredContainer) {
        let root = Paths.parent(of: entry.path)
        let id = entry.id
        try? killAll { words in
            SupervisorCommand.isMeant(words, root: root, id: id)
        }
    }

    /// Kills the processes of our user whose command line is meant, and waits for their end.
    private static func killAll(_ isMeant: ([ArraySlice<UInt8>]) -> Bool) throws(Failure) {
        let processes = try Descriptor.open("/proc", O.directory)
        for name in try Directory.names(in: processes, shown: "/proc") {
            guard let pid = Int32(name), isMeant(words(of: pid)) else { continue }
            let raw = clinux_pidfd_open(pid)
            guard raw >= 0 else { continue }
            let process = Descriptor(adopting: raw)
            // Looked at again once it is held: the number cannot become somebody else's then.
            guard isMeant(words(of: pid)) else { continue }
            _ = clinux_pidfd_signal(process.raw, Signal.kill)
            _ = clinux_wait_readable(process.raw, -1, patience)
        }
    }

    private static func words(of pid: Int32) -> [ArraySlice<UInt8>] {
        let path = "/proc/\(pid)/cmdline"
        guard let file = try? Descriptor.open(path, O.readOnly),
            let line = try? file.readAll(limit: 16 << 10, name: path)
        else { return [] }
        return line.split(separator: 0)
    }
}
