internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import OCI
internal import Store

/// Starts of a supervised container (spec/supervisor.md): the first one, and those after it.
enum SupervisedLaunch {
    /// Makes the container and runs it.
    ///
    /// Its entry is made first, and locked: who has the entry's lock may change what is in the state directory, too.
    static func first(
        _ container: consuming Preparation, _ settings: SupervisionSettings, _ states: StateDirectory,
        warn: (String) -> Void
    ) throws(Failure) {
        try Launch.checkOwner(container)
        let entry = try Store(root: settings.root, supervised: states).create(settings.id)
        let place: SupervisedContainer
        do throws(Failure) {
            place = try states.create(settings)
        } catch {
            try? entry.remove()
            throw error
        }
        var log: [(path: String, isDirectory: Bool)] = []
        do throws(Failure) {
            var keeper: KeptParent?
            do throws(Failure) {
                try makeLog(settings, &log)
                keeper = try begin(entry, settings, states)
                try run(container, entry, place, settings, keeper!, warn: warn)
            } catch {
                try? keeper?.end()
                throw error
            }
        } catch {
            // What could not be ended is found by `delete`, through what stays.
            if (try? LiveContainer.alive(try entry.initRecord())) == .some(.none) {
                try? place.remove()
                try? entry.remove()
                removeLog(log)
            }
            throw error
        }
    }

    /// Makes the log. The supervisor would, too, but when it cannot there is nobody to tell.
    ///
    /// - Parameter made: gets what was not there, directories before what is in them.
    private static func makeLog(
        _ settings: SupervisionSettings, _ made: inout [(path: String, isDirectory: Bool)]
    ) throws(Failure) {
        guard let path = settings.logPath else { return }
        do throws(Failure) {
            for directory in try Directory.make(
                Paths.parent(of: path), mode: 0o755, "cannot make the log's directory")
            {
                made.append((directory, true))
            }
            let flags = O.writeOnly | O.append | O.noFollow | O.nonBlock
            let raw = clinux_openat(AT.cwd, path, flags | O.create | O.exclusive, 0o640)
            if raw >= 0 {
                made.append((path, false))
                _ = clinux_close(raw)
            } else {
                // It is there: may it be written, and is it a file?
                let file = try Descriptor.open(path, flags)
                guard Descriptor.isRegularFile(file.raw) else {
                    throw Failure(.invalid, "\(path) must be a regular file to be a log")
                }
            }
        } catch {
            throw error.located(at: "--log-path")
        }
    }

    /// Unless somebody else has put something there.
    private static func removeLog(_ made: [(path: String, isDirectory: Bool)]) {
        for (path, isDirectory) in made.reversed() {
            _ = clinux_unlinkat(AT.cwd, path, isDirectory ? AT.removeDirectory : 0)
        }
    }

    /// Runs it again: its last run has been taken down.
    ///
    /// - Parameter keeper: nil when there is none any more; it is started.
    static func again(
        _ entry: borrowing StoredContainer, _ place: borrowing SupervisedContainer,
        _ settings: SupervisionSettings, _ states: StateDirectory, keeper: KeptParent?,
        warn: (String) -> Void
    ) throws(Failure) {
        var options = CreateOptions(id: settings.id, bundle: settings.bundle, root: settings.root)
        options.pidFile = settings.pidFile
        options.noPivot = settings.noPivot
        options.noNewKeyring = settings.noNewKeyring
        options.hasInit = settings.hasInit
        options.cgroupManager = settings.cgroupManager
        do throws(Failure) {
            var container = try Preparation(options, waitsForStart: false)
            try Launch.checkOwner(container)
            var settings = settings
            // Each run is what config.json says now.
            settings.hasTerminal = container.process?.terminal ?? false
            try settings.check(hasTerminal: settings.hasTerminal)
            if let created = try place.record()?.created { container.record.created = created }
            container.warnings.forEach(warn)
            if let keeper { return try run(container, entry, place, settings, keeper, warn: warn) }
            let keeper = try begin(entry, settings, states)
            do throws(Failure) {
                try run(container, entry, place, settings, keeper, warn: warn)
            } catch {
                try? keeper.end()
                throw error
            }
        } catch {
            // Unless a process is left, it is the stopped container that it was.
            if try entry.initRecord() == nil { try entry.clear(leaving: .ended) }
            throw error
        }
    }

    /// Starts a keeper and, at once, the supervisor, which is there when the container runs.
    private static func begin(
        _ entry: borrowing StoredContainer, _ settings: SupervisionSettings, _ states: StateDirectory
    ) throws(Failure) -> KeptParent {
        // Its command line names the entry: `SupervisionEnd` finds it by that.
        let keeper = KeptParent(try KeeperConnection.start(id: entry.path, directory: entry.path))
        do throws(Failure) {
            let words = SupervisorCommand.words(
                program: try Paths.ofExecutable(), root: settings.root, states: states, id: settings.id)
            try keeper.supervise(words: words, environment: SupervisorCommand.environment)
            return keeper
        } catch {
            try? keeper.end()
            throw error
        }
    }

    private static func run(
        _ container: consuming Preparation, _ entry: borrowing StoredContainer,
        _ place: borrowing SupervisedContainer, _ settings: SupervisionSettings, _ keeper: KeptParent,
        warn: (String) -> Void
    ) throws(Failure) {
        container.record.supervised = place.path
        try place.keep(container.record, config: container.hooks == nil ? nil : container.bundle.config)
        let streams = try KeptStreams(settings)
        if streams.hasKept { try keeper.keep(streams) }
        var terminal = Terminal(container.process, keeper: keeper)
        var notify: NotifySocket?
        let process = try Launch.perform(
            container, in: entry, Launch.Kept(keeper: keeper, streams: streams.theirs), &terminal, &notify,
            warn: warn)
        try notify.take()?.passWhenReady(pid: process.pid, entry)
    }
}
