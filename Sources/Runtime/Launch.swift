internal import CKeeper
internal import CPlan
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// One start, from a prepared container to one that runs (`run`) or waits (`create`).
///
/// Everything that is made is taken down again when a later step fails: the ID is free, nothing is left.
enum Launch {
    /// A container whose program runs, or waits for `start`. Its entry is still locked.
    struct Started: ~Copyable {
        var process: InitProcess
        let entry: StoredContainer
        /// nil when nobody wants to know when the container is ready, or for `create`.
        var notify: NotifySocket?
    }

    /// Who starts a supervised container, and what its streams are.
    struct Kept {
        let keeper: KeptParent
        let streams: [CInt]
    }

    /// - Parameters:
    ///   - terminal: takes the terminal of a process that has one.
    ///   - warn: is told of poststop hooks that fail when a start that failed is taken back.
    static func perform(
        _ container: Preparation, terminal: inout Terminal?, warn: (String) -> Void
    ) throws(Failure) -> Started {
        try checkOwner(container)
        let store = Store(root: container.options.root, supervised: container.options.supervised)
        let entry = try store.create(container.options.id)
        var notify: NotifySocket?
        let process = try perform(container, in: entry, nil, &terminal, &notify, warn: warn)
        return Started(process: process, entry: entry, notify: notify)
    }

    static func checkOwner(_ container: Preparation) throws(Failure) {
        guard container.record.ownerUID == 0 else {
            throw Failure(
                .unsupported, "containers of users other than root are not supported yet; run gantry as root")
        }
    }

    /// - Parameters:
    ///   - entry: locked, and of nobody else. That of a supervised container stays when the start fails, and says that
    ///     it has stopped.
    ///   - kept: nil for a container without a supervisor.
    ///   - notify: takes the socket of a container that is to say when it is ready.
    static func perform(
        _ container: Preparation, in entry: borrowing StoredContainer, _ kept: Kept?,
        _ terminal: inout Terminal?, _ notify: inout NotifySocket?, warn: (String) -> Void
    ) throws(Failure) -> InitProcess {
        do {
            try entry.begin(container.record, config: container.bundle.config)
            // It must listen before the container speaks.
            notify = try listen(container, entry)
            return try performRecorded(container, entry, kept, &terminal)
        } catch {
            // The first failure is the one worth telling.
            try? takeBack(container, entry, isKept: kept != nil, warn: warn)
            throw error
        }
    }

    private static func listen(
        _ container: Preparation, _ entry: borrowing StoredContainer
    ) throws(Failure) -> NotifySocket? {
        guard let host = container.options.notifySocket else { return nil }
        try entry.makeNotifyDirectory()
        return container.waitsForStart ? nil : try NotifySocket(entry, host: host)
    }

    /// The entry goes last, and stays when something of the container does: `delete` works from it.
    private static func takeBack(
        _ container: Preparation, _ entry: borrowing StoredContainer, isKept: Bool, warn: (String) -> Void
    ) throws(Failure) {
        let process = try entry.initRecord()
        guard try LiveContainer.alive(process) == nil else { return }
        if container.hooks != nil, process != nil {
            // Hooks, or the user's program, may have left processes in it.
            try ContainerCgroup.remove(container.record)
        } else {
            try container.cgroup.remove()
        }
        if isKept { try entry.clear(leaving: .ended) } else { try entry.remove() }
        container.hooks?.runAfterEnd(warn: warn)
    }

    private static func performRecorded(
        _ container: Preparation, _ entry: borrowing StoredContainer, _ kept: Kept?,
        _ terminal: inout Terminal?
    ) throws(Failure) -> InitProcess {
        let socket = container.waitsForStart ? try entry.listenForStart() : nil
        // The cgroup of version 2 must be there before the process that is born in it; those of version 1 are
        // made while stage 1 makes its namespaces.
        let directory = try container.cgroup.makeBeforeSpawn()
        var process = try InitProcess.spawn(
            plan: try container.plan.encode(), door: socket.rawOrNone, cgroup: directory.rawOrNone,
            mark: InitMark(container.record).text, streams: kept?.streams,
            hasInit: container.options.hasInit, hasNeighbours: container.joinsProcesses,
            keeper: kept?.keeper)
        do {
            try container.cgroup.makeAfterSpawn()
            try converse(&process, container, entry, &terminal)
            if !container.waitsForStart { try container.hooks?.run(.poststart, pid: process.pid) }
            if kept != nil {
                // Until now it is a start that may be taken back, from now on a container that runs.
                try Interruption.check()
                try process.leaveToKeeper(as: CKEEPER_CONTAINER)
            }
            return process
        } catch {
            process.kill { try? container.cgroup.thaw(for: $0) }
            // It may hang where no signal reaches it: `delete` must be able to find it.
            if !process.reaped { try? recordInit(process.pid, entry) }
            throw error
        }
    }

    /// The start protocol: see `StartProtocol` for its order.
    private static func converse(
        _ process: inout InitProcess, _ container: Preparation, _ entry: borrowing StoredContainer,
        _ terminal: inout Terminal?
    ) throws(Failure) {
        var order = StartProtocol()
        while true {
            var received = try process.receive()
            switch order.receive(received.message) {
            case .place:
                try reply(&process, container, CPLAN_SYNC_PLACE, value: try place(&process, container))
            case .adopt(let pid):
                process.adopt(pid)
            case .runHooks:
                try runCreationHooks(process.pid, container, entry)
                try reply(&process, container, CPLAN_SYNC_MOUNTED)
            case .takeTerminal:
                if let master = received.descriptor.take() { try terminal?.take(master) }
                try reply(&process, container, CPLAN_SYNC_TERMINAL)
            case .record:
                try record(process.pid, container, entry)
                if !container.waitsForStart { try runInside(.startContainer, process.pid, container) }
                try reply(&process, container, CPLAN_SYNC_READY, value: home(container, received.descriptor))
                if container.waitsForStart { return }
            case .succeed:
                return
            case .reportFailure:
                throw container.describe(received.failure)
            case .reportDeath:
                throw container.describeDeath(process.kill())
            case .reportDisorder:
                throw Failure(.system, "the init sent a message out of order; this is a bug in gantry")
            }
        }
    }

    /// The process is recorded before: when gantry is killed in a hook, `delete` knows that the cgroup is ours.
    private static func runCreationHooks(
        _ pid: Int32, _ container: Preparation, _ entry: borrowing StoredContainer
    ) throws(Failure) {
        try recordInit(pid, entry, isCreating: true)
        try container.hooks?.run(.prestart, pid: pid)
        try container.hooks?.run(.createRuntime, pid: pid)
        try runInside(.createContainer, pid, container)
    }

    private static func runInside(
        _ point: HookPoint, _ pid: Int32, _ container: Preparation
    ) throws(Failure) {
        guard let hooks = container.hooks, !point.hooks(of: container.bundle.spec).isEmpty else { return }
        try hooks.run(point, in: try HookSite.ofChild(pid, container.record))
    }

    /// Whoever has died meanwhile cannot be put anywhere: that it died is what is to be told.
    private static func place(
        _ process: inout InitProcess, _ container: Preparation
    ) throws(Failure) -> [UInt8] {
        do {
            return try container.cgroup.place(process.pid)
        } catch {
            guard let stat = (try? ProcessStat.read(process.pid)) ?? nil, stat.isEnding else { throw error }
            throw container.describeDeath(process.kill())
        }
    }

    private static func reply(
        _ process: inout InitProcess, _ container: Preparation, _ sync: cplan_sync, value: [UInt8] = []
    ) throws(Failure) {
        guard try process.channel.reply(sync, value: value) else {
            throw container.describeDeath(process.kill())
        }
    }

    private static func record(
        _ pid: Int32, _ container: Preparation, _ entry: borrowing StoredContainer
    ) throws(Failure) {
        try recordInit(pid, entry)
        if let path = container.options.pidFile { try PidFile.write(pid, to: path) }
        if let path = container.options.pidfdSocket { try PidfdSocket(path).send(pid, as: "standard") }
    }

    private static func recordInit(
        _ pid: Int32, _ entry: borrowing StoredContainer, isCreating: Bool = false
    ) throws(Failure) {
        guard let stat = try ProcessStat.read(pid) else {
            throw Failure(.system, "the container's process \(pid) is gone")
        }
        try entry.setInit(InitRecord(pid: pid, startTime: stat.startTime, isCreating: isCreating))
    }

    /// The environment entry that the container lacks, if it lacks one.
    private static func home(_ container: Preparation, _ passwd: borrowing Descriptor?) -> [UInt8] {
        guard let process = container.bundle.spec.process, container.plan.wantsHome else { return [] }
        return HomeDirectory.environmentEntry(uid: process.user.uid, passwd: passwd)
    }
}
