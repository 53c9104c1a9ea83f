internal import CLinux
internal import Cgroups
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Seccomp
internal import Store

/// An exec that could be made: everything that can be known and refused before there is a process.
struct ExecPreparation: ~Copyable {
    let options: ExecOptions
    let spec: Spec
    let process: Spec.Process
    let record: Record
    /// The container's process, whose namespaces are joined.
    let container: Descriptor
    let containerPID: Int32
    /// Who is to start the process, and remembers how it ends; nil for a container without one.
    let keeper: KeptParent?
    private let cgroup: Cgroup

    static func prepare(_ options: ExecOptions) throws(Failure) -> ExecPreparation {
        let live = try LiveContainer.look(try Store(root: options.root).open(options.id))
        try ExecPreparation.check(live.status, options)
        guard let record = live.record, let pid = live.process?.pid, let container = try live.openProcess()
        else { throw stopped }
        let spec = try Spec.load(json: try live.entry.config())
        let process = try process(options.program, spec)
        let cgroup = try Cgroup(
            record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
        return ExecPreparation(
            options: options, spec: spec, process: process, record: record, container: container,
            containerPID: pid, keeper: live.isSupervised ? try KeptParent.find(live.entry) : nil,
            cgroup: try cgroup.subgroups(options.cgroups))
    }

    /// Descriptors that become the process's 0, 1, 2 and so on.
    var streams: [CInt] { (0..<3 + options.preserveFDs).map { CInt($0) } }

    /// Whether the keeper starts it. It takes so many descriptors at once, and no more.
    var isKept: Bool { keeper != nil && streams.count <= KeptParent.mostStreams }

    private static let stopped = Failure(.state, "cannot exec in a stopped container")

    private static func check(_ status: Status, _ options: ExecOptions) throws(Failure) {
        switch status {
        case .running, .created: return
        case .stopped: throw stopped
        case .creating: throw Failure(.state, "cannot exec in a container that is being created")
        case .paused:
            guard options.ignorePaused else {
                throw Failure(.state, "container paused: cannot exec (--ignore-paused does, and waits)")
            }
        }
    }

    private static func process(
        _ program: ExecOptions.Program, _ spec: Spec
    ) throws(Failure) -> Spec.Process {
        let process: Spec.Process
        switch program {
        case .document(let bytes, let name): process = try Spec.Process.load(json: bytes, name: name)
        case .command(let command): process = command.applied(to: spec.process ?? Spec.Process())
        }
        try Validator.check(process)
        return process
    }

    /// A directory of version 2 that the process is to be born in.
    ///
    /// - Parameter fallback: the one that the container's process is in now, for when its own has controllers
    ///   for its children. When its own is gone, that one is opened at once.
    func openCgroup(fallback: Bool) throws(Failure) -> Descriptor? {
        if fallback { return try openCurrentCgroup() }
        do throws(Failure) {
            return try cgroup.openUnified()
        } catch {
            guard mayFallBack, error.cause?.errno.rawValue == Errno.ENOENT else { throw error }
            return try openCurrentCgroup()
        }
    }

    private func openCurrentCgroup() throws(Failure) -> Descriptor? {
        let layout = try Layout.detect()
        guard let hierarchy = layout.hierarchies.first(where: { $0.isUnified }),
            let directory = try Cgroup.unified(of: containerPID, mountPoint: hierarchy.mountPoint)
        else { return nil }
        return try Descriptor.open(directory.path, O.path | O.directory)
    }

    /// Whether there is another cgroup to go to when version 2 does not take the process in the one it is to go
    /// to: not when that was asked for.
    var mayFallBack: Bool { options.cgroups.isEmpty }

    /// `--cap`.
    var asksForCapabilities: Bool {
        if case .command(let command) = options.program { return !command.capabilities.isEmpty }
        return false
    }

    func plan(intoCgroup: Bool) throws(Failure) -> Plan {
        let facts = try FactGatherer.gather(Planner.execRequests(process, in: spec))
        let planOptions = PlanOptions(
            id: record.id, bundle: record.bundle, rootfs: record.rootfs, noNewKeyring: !record.hasKeyring,
            preserveFDs: options.preserveFDs, intoCgroup: intoCgroup)
        let joining = Joining(entrances: cgroup.entrances, processLimit: clinux_hard_limit_processes())
        var plan = try Planner.planExec(
            process, in: spec, joining: joining, facts: facts, options: planOptions)
        if plan.needsFilter, let seccomp = spec.linux?.seccomp {
            try plan.attach(filter: try SeccompCompiler.compile(seccomp).bytes)
        }
        return plan
    }
}

extension ExecCommand {
    /// The container's process as the flags change it. Capabilities are never made inheritable, which would give
    /// them to every file that has them (CVE-2022-29162).
    func applied(to container: Spec.Process) -> Spec.Process {
        var process = container
        process.args = args
        process.terminal = terminal
        process.consoleSize = nil
        if let cwd { process.cwd = cwd }
        process.env += env
        if let user {
            process.user.uid = user.uid
            process.user.gid = user.gid
        }
        process.user.additionalGids += additionalGids
        if let noNewPrivileges { process.noNewPrivileges = noNewPrivileges }
        if let apparmorProfile { process.apparmorProfile = apparmorProfile }
        if let selinuxLabel { process.selinuxLabel = selinuxLabel }
        guard !capabilities.isEmpty else { return process }
        var sets = process.capabilities ?? Spec.Process.Capabilities()
        sets.bounding += capabilities
        sets.effective += capabilities
        sets.permitted += capabilities
        process.capabilities = sets
        return process
    }
}
