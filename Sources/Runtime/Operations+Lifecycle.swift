internal import CLinux
internal import CPlan
public import Diagnostics
internal import Linux
internal import OCI
internal import Plan
public import Store

extension Operations {
    /// `start`: lets the init of a created container exec the user's program, and waits until it has. When one of
    /// its hooks fails the container is taken down (runtime.md, "Lifecycle").
    ///
    /// - Parameters:
    ///   - notifySocket: the service manager's: returns only when the container is ready, or has ended.
    ///   - states: where supervised containers are: one that has stopped is run again.
    ///   - warn: is told of poststop hooks that fail then.
    public static func start(
        id: String, root: String, states: StateDirectory, notifySocket: String? = nil,
        warn: (String) -> Void
    ) throws(Failure) {
        let container: LiveContainer
        do throws(Failure) {
            container = try LiveContainer.locked(id, root: root)
        } catch {
            guard let entry = try revive(id, root: root, states, after: error) else { throw error }
            return try startAgain(entry, states, warn: warn)
        }
        if container.isSupervised, container.process == nil {
            return try startAgain(container.intoEntry(), states, warn: warn)
        }
        switch container.status {
        case .created: break
        case .running: throw Failure(.state, "cannot start an already running container")
        case .paused: throw Failure(.state, "container paused")
        case .stopped: throw Failure(.state, "cannot start a container that has stopped")
        case .creating:
            throw Failure(.state, "cannot start a container that was not created to its end")
        }
        // It must listen before the container speaks.
        var notify = try listen(container, notifySocket, warn: warn)
        try letRunBetweenHooks(container, warn: warn)
        if let pid = container.process?.pid { try notify.take()?.passWhenReady(pid: pid, container.entry) }
    }

    private static func letRunBetweenHooks(
        _ container: borrowing LiveContainer, warn: (String) -> Void
    ) throws(Failure) {
        guard let hooks = try Hooks(container) else { return try letRun(container) }
        try orTakeDown(container, hooks, warn: warn) { () throws(Failure) in
            guard !hooks.spec.hooks.startContainer.isEmpty, let record = container.record,
                let pid = container.process?.pid, let process = try container.openProcess()
            else { return }
            try hooks.run(.startContainer, in: try HookSite(record, pid: pid, process: process))
        }
        try letRun(container)
        try orTakeDown(container, hooks, warn: warn) { () throws(Failure) in
            try hooks.run(.poststart, pid: container.process?.pid ?? 0)
        }
    }

    private static func listen(
        _ container: borrowing LiveContainer, _ host: String?, warn: (String) -> Void
    ) throws(Failure) -> NotifySocket? {
        guard let host else { return nil }
        guard container.entry.hasNotifyDirectory else {
            warn(
                "NOTIFY_SOCKET: was not set when the container was created, so that it cannot tell that it is ready"
            )
            return nil
        }
        return try NotifySocket(container.entry, host: host)
    }

    private static func orTakeDown(
        _ container: borrowing LiveContainer, _ hooks: Hooks, warn: (String) -> Void,
        _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            try body()
        } catch {
            let failure = error
            // The first failure is the one worth telling; what of the container is left by another, `delete` finds.
            do throws(Failure) {
                try takeDown(container, hooks, warn: warn)
            } catch {
                warn(error.description)
            }
            throw failure
        }
    }

    private static func letRun(_ container: borrowing LiveContainer) throws(Failure) {
        // It was waiting a moment ago, and nobody else starts it while we have the lock: it has been killed.
        let killed = Failure(.state, "cannot start a container that has stopped")
        guard let connection = try container.entry.connectToInit() else { throw killed }
        let channel = try InitChannel(connection)
        guard try channel.start() else { throw killed }
        var received = try channel.receive()
        let isHeard = received.message == .heard
        if isHeard { received = try channel.receive() }
        guard let failure = received.failure else {
            guard isHeard, try !isDyingInit(container.process) else {
                let spec = try Spec.load(json: try container.entry.config())
                if let record = container.record,
                    let shortage = try ContainerCgroup.memoryShortage(record, spec)
                {
                    throw shortage
                }
                throw Failure(.state, "the container's init was killed before it executed the program")
            }
            return
        }
        // Whoever is told of the failure finds the container stopped.
        if let process = try container.openProcess() {
            _ = clinux_wait_readable(process.raw, -1, deathPatience)
        }
        let spec = try Spec.load(json: try container.entry.config())
        throw StartFailure.describe(
            opcode: failure.opcode, errno: failure.errno, detail: failure.detail, spec: spec)
    }

    /// Whether the process ends as the init that it was: what it executes has another name. One that is gone
    /// altogether may as well be a program that had little to do.
    private static func isDyingInit(_ process: InitRecord?) throws(Failure) -> Bool {
        guard let process, let stat = try ProcessStat.read(process.pid) else { return false }
        return stat.startTime == process.startTime && stat.isEnding && stat.isNamed("gantry-init")
    }

    /// `kill`: a signal to the container's process, or with `all` to each of its processes; SIGKILL also where they do not
    /// end with the first, since they are in a pid namespace that is not the container's own.
    public static func kill(id: String, signal: CInt, all: Bool, root: String) throws(Failure) {
        let container = try LiveContainer.look(try Store(root: root).open(id))
        // All of them end with the first of a pid namespace, also where no cgroup tells which they are.
        let isEndOfAll =
            signal == Signal.kill && container.record?.cgroupManager == .disabled
            && container.record?.hasPidNamespace ?? false
        if all, !isEndOfAll {
            if let record = container.record { try ContainerCgroup.signalAll(record, signal) }
            return
        }
        guard let process = try container.openProcess() else {
            throw Failure(.state, "container not running")
        }
        let result = clinux_pidfd_signal(process.raw, signal)
        if result == -Errno.ESRCH { throw Failure(.state, "container not running") }
        _ = try check(result, "pidfd_send_signal", "cannot signal the container's process")
        if signal == Signal.kill, let record = container.record, !record.hasPidNamespace,
            record.cgroupManager != .disabled
        {
            try ContainerCgroup.signalAll(record, signal)
        }
        // With cgroup v1 a frozen process does not die before it is thawed; nobody wants it to wait for that.
        if signal == Signal.kill, container.status == .paused, let record = container.record {
            try ContainerCgroup.thaw(record)
        }
    }

    /// `delete`: takes down what the container's record says was made, and the record.
    ///
    /// - Parameters:
    ///   - force: kill what still runs; an unknown container is no error.
    ///   - states: where supervised containers are.
    ///   - release: tells the supervisor of a container that it is going to be removed; false when there is none.
    ///   - warn: is told of poststop hooks that fail.
    public static func delete(
        id: String, force: Bool, root: String, states: StateDirectory, release: Release,
        warn: (String) -> Void
    ) throws(Failure) {
        guard let container = try findLocked(id, root: root, states, orNothing: force) else { return }
        let isSupervised = container.isSupervised || container.record == nil
        if !force { try checkStopped(container, isSupervised ? states : nil) }
        let hooks = hooksOrWarning(container, warn: warn)
        if isSupervised {
            try takeDownSupervised(container, states, hooks, release: release, warn: warn)
        } else {
            try takeDown(container, hooks, warn: warn)
        }
    }

    /// - Parameter orNothing: nil is an answer, too.
    private static func findLocked(
        _ id: String, root: String, _ states: StateDirectory, orNothing: Bool
    ) throws(Failure) -> LiveContainer? {
        do throws(Failure) {
            return try LiveContainer.locked(id, root: root)
        } catch {
            if let entry = try revive(id, root: root, states, after: error) {
                return try LiveContainer.look(entry)
            }
            if orNothing && error.kind == .notFound { return nil }
            throw error
        }
    }

    private static func checkStopped(
        _ container: borrowing LiveContainer, _ states: StateDirectory?
    ) throws(Failure) {
        var status = container.status.rawValue
        switch container.status {
        case .running, .paused: break
        case .creating, .created, .stopped:
            guard let states, try isRestarting(container, states) else { return }
            status = SupervisionStatus.Phase.restarting.rawValue
        }
        throw Failure(
            .state, "cannot delete container \(container.entry.id) that is not stopped: \(status)")
    }

    /// A damaged state directory must not keep the container from being removed.
    static func hooksOrWarning(_ container: borrowing LiveContainer, warn: (String) -> Void) -> Hooks? {
        do throws(Failure) {
            return try Hooks(container)
        } catch {
            warn(error.description)
            return nil
        }
    }

    /// Ends and removes what is left of the container, then runs its poststop hooks.
    private static func takeDown(
        _ container: borrowing LiveContainer, _ hooks: Hooks?, warn: (String) -> Void
    ) throws(Failure) {
        let remainder = try takeDownProcesses(container)
        try container.entry.remove()
        hooks?.runAfterEnd(warn: warn)
        if let remainder { throw remainder }
    }

    /// Ends the container's processes and removes its cgroups.
    ///
    /// - Returns: what stays since it is not the container's; nil when nothing does.
    static func takeDownProcesses(_ container: borrowing LiveContainer) throws(Failure) -> Failure? {
        try end(container)
        guard let record = container.record else { return nil }
        if container.status == .creating, container.process == nil {
            return try CutOffCreation.remove(record)
        }
        try ContainerCgroup.remove(record)
        return nil
    }

    /// How long a process may take to die, in milliseconds: one in an uninterruptible system call waits for
    /// its device.
    static let deathPatience: CInt = 10_000

    /// After so long, in milliseconds, it is looked whether something is frozen.
    private static let freezerPatience: CInt = 100

    private static func isOver(
        _ process: borrowing Descriptor, within milliseconds: CInt
    ) throws(Failure) -> Bool {
        try check(
            clinux_wait_readable(process.raw, -1, milliseconds), "poll",
            "cannot wait for the container's end") != 0
    }

    /// Kills the container's process and waits until it is gone.
    private static func end(_ container: borrowing LiveContainer) throws(Failure) {
        guard let process = try container.openProcess() else { return }
        _ = clinux_pidfd_signal(process.raw, 9)
        // A frozen process does not die before it is thawed.
        if container.status == .paused || container.status == .creating, let record = container.record {
            try ContainerCgroup.thaw(record)
        }
        if try isOver(process, within: freezerPatience) { return }
        // With a pid namespace it dies when all in it have, some of whom the container may have frozen.
        if let record = container.record { try ContainerCgroup.thawToDie(record) }
        guard try isOver(process, within: deathPatience) else {
            throw Failure(
                .system, "the container's process did not die within \(deathPatience / 1000) s of SIGKILL",
                at: container.entry.id)
        }
    }
}
