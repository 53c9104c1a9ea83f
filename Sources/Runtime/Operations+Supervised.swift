internal import CLinux
public import Diagnostics
internal import Linux
internal import OCI
public import Store

// What the commands do with supervised containers.
extension Operations {
    /// `run --detach --supervise`: create, start, and leave the container to its keeper and supervisor.
    ///
    /// - Parameter warn: is told, a sentence at a time, what the configuration has that does not come to pass.
    public static func runSupervised(
        _ options: CreateOptions, _ settings: SupervisionSettings, _ states: StateDirectory,
        warn: (String) -> Void
    ) throws(Failure) {
        try InheritedDescriptors.seal(preserving: 0)
        let container = try Preparation(options, waitsForStart: false)
        var settings = settings
        settings.bundle = container.bundle.path
        settings.hasTerminal = container.process?.terminal ?? false
        try settings.check(hasTerminal: settings.hasTerminal)
        container.warnings.forEach(warn)
        try SupervisedLaunch.first(container, settings, states, warn: warn)
    }

    /// `relaunch`: the supervisor's: runs a container that has ended again. SIGTERM takes the start back.
    public static func relaunch(
        id: String, root: String, _ states: StateDirectory, warn: (String) -> Void
    ) throws(Failure) {
        try InheritedDescriptors.seal(preserving: 0)
        // While it waits for the lock a signal just ends it.
        let entry = try Store(root: root).openLocked(id)
        let signals = try Foreground()
        let place = try states.open(id)
        guard let keeper = try KeptParent.find(entry) else {
            throw Failure(.state, "the container's keeper is gone; `gantry start` starts another one", at: id)
        }
        try runAgain(entry, place, states, keeper: keeper, warn: warn)
        _ = consume signals
    }

    /// `start` of a supervised container that has stopped: runs it again, with another keeper and supervisor.
    ///
    /// - Parameter entry: its own, locked; made anew when it was gone with a reboot.
    static func startAgain(
        _ entry: consuming StoredContainer, _ states: StateDirectory, warn: (String) -> Void
    ) throws(Failure) {
        try InheritedDescriptors.seal(preserving: 0)
        let place = try states.open(entry.id)
        try SupervisionEnd.waitForLast(entry, place)
        try runAgain(entry, place, states, keeper: nil, warn: warn)
    }

    private static func runAgain(
        _ entry: consuming StoredContainer, _ place: borrowing SupervisedContainer, _ states: StateDirectory,
        keeper: KeptParent?, warn: (String) -> Void
    ) throws(Failure) {
        let settings = try place.settings()
        try SupervisionEnd.checkRoot(settings, Paths.parent(of: entry.path))
        let container = try LiveContainer.look(entry)
        switch container.status {
        case .running, .created: throw Failure(.state, "cannot start an already running container")
        case .paused: throw Failure(.state, "container paused")
        case .stopped, .creating: break
        }
        try takeDownRun(container, warn: warn)
        try SupervisedLaunch.again(container.entry, place, settings, states, keeper: keeper, warn: warn)
    }

    /// What the last run has left, as `delete` does, but the container stays.
    private static func takeDownRun(
        _ container: borrowing LiveContainer, warn: (String) -> Void
    ) throws(Failure) {
        let hooks = hooksOrWarning(container, warn: warn)
        if let remainder = try takeDownProcesses(container) { throw remainder }
        let last = try container.entry.initRecord()
        try container.entry.clear(leaving: nil)
        if let last, last != .ended { hooks?.runAfterEnd(warn: warn) }
    }

    /// Tells the supervisor of a container, whose directory is in the place that is told, that it is going to be removed.
    public typealias Release = (_ id: String, StateDirectory) throws(Failure) -> Bool

    /// Ends and removes all of a supervised container, or of what was to become one. Its entry is locked: no restart
    /// comes in between, and one that waits finds that there is no container.
    static func takeDownSupervised(
        _ container: borrowing LiveContainer, _ states: StateDirectory, _ hooks: Hooks?, release: Release,
        warn: (String) -> Void
    ) throws(Failure) {
        let states = home(container, states)
        let isReleased = SupervisionEnd.release(container, states, release)
        let remainder = try takeDownProcesses(container)
        try SupervisionEnd.finish(container.entry, isReleased: isReleased)
        if let place = try find(container, states) { try place.remove() }
        try container.entry.remove()
        hooks?.runAfterEnd(warn: warn)
        if let remainder { throw remainder }
    }

    /// Where it was put when it was made, whatever --state-dir says now.
    private static func home(
        _ container: borrowing LiveContainer, _ states: StateDirectory
    ) -> StateDirectory {
        container.record?.supervised.map { StateDirectory(root: Paths.parent(of: $0)) } ?? states
    }

    /// What outlives a reboot of a container; nil when there is nothing.
    private static func find(
        _ container: borrowing LiveContainer, _ states: StateDirectory
    ) throws(Failure) -> SupervisedContainer? {
        do throws(Failure) {
            return try states.open(container.entry.id)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    static func isRestarting(
        _ container: borrowing LiveContainer, _ states: StateDirectory
    ) throws(Failure) -> Bool {
        guard let place = try find(container, home(container, states)),
            try place.status().phase == .restarting
        else {
            return false
        }
        return try KeptParent.find(container.entry) != nil
    }

    /// The entry of a supervised container that is gone with a reboot, made anew and locked. It has stopped.
    ///
    /// - Returns: nil when there is no such container, or when `failure` is another one than that it is not there.
    static func revive(
        _ id: String, root: String, _ states: StateDirectory, after failure: Failure
    ) throws(Failure) -> StoredContainer? {
        guard failure.kind == .notFound else { return nil }
        let place: SupervisedContainer
        do throws(Failure) {
            place = try states.open(id)
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
        // One whose making was cut off has no settings, and one that is damaged must be removable.
        if let settings = try? place.settings() { try SupervisionEnd.checkRoot(settings, root) }
        let entry = try Store(root: root, supervised: states).revive(id)
        // Somebody was faster; or it is a container that never ran.
        guard try entry.record() == nil, var record = try place.record() else { return entry }
        // They are gone, and may be somebody else's now.
        record.cgroups = []
        try entry.begin(record, config: try place.config() ?? [])
        try entry.setInit(.ended)
        return entry
    }
}
