internal import CLinux
internal import CPlan
internal import Cgroups
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Seccomp
internal import Store

/// A container whose namespaces hooks run in. They are made as an exec is: by an init that joins it, as a child of
/// this process.
struct HookSite: ~Copyable {
    let record: Record
    /// The container's process, as it sees itself.
    let innerPID: Int32
    private let process: Descriptor

    /// - Parameters:
    ///   - pid: of the container's process, which cannot become another one's meanwhile.
    ///   - process: a descriptor of it.
    init(_ record: Record, pid: Int32, process: consuming Descriptor) throws(Failure) {
        self.record = record
        self.innerPID = try HookSite.innerPID(of: pid)
        self.process = process
    }

    /// The site of a child of this process.
    static func ofChild(_ pid: Int32, _ record: Record) throws(Failure) -> HookSite {
        let raw = try check(
            clinux_pidfd_open(pid), "pidfd_open \(pid)", "cannot reach the container's process")
        return try HookSite(record, pid: pid, process: Descriptor(adopting: raw))
    }

    /// The last number of `NSpid:` in /proc/PID/status (proc(5)).
    private static func innerPID(of pid: Int32) throws(Failure) -> Int32 {
        let path = "/proc/\(pid)/status"
        guard let bytes = try Descriptor.open(path, O.readOnly).readAll(limit: 64 << 10, name: path) else {
            throw Failure(.system, "is too large", at: path)
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "NSpid:".utf8) {
            let number = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }.last
            if let number, let pid = Int32(String(decoding: number, as: UTF8.self)) { return pid }
        }
        return pid
    }

    /// Starts a hook in the container.
    ///
    /// - Parameter deadline: on CLOCK_MONOTONIC, in nanoseconds.
    /// - Returns: nil when the time was over before it ran.
    func spawn(
        _ hook: JoiningHook, _ spec: Spec, streams: borrowing HookStreams, deadline: Int64?
    ) throws(Failure) -> HookProcess? {
        let cgroup = try Cgroup(
            record.cgroups.map { Cgroup.Directory(controllers: $0.controllers, path: $0.path) })
        let directory = try cgroup.openUnified()
        let plan = try plan(hook, spec, cgroup, intoCgroup: directory.rawOrNone >= 0)
        let (input, output, errors) = streams.theirs
        var child = try InitProcess.spawn(
            plan: try plan.encode(), door: process.raw, cgroup: directory.rawOrNone,
            streams: [input, output, errors], hasNeighbours: true)
        do throws(Failure) {
            var terminal: Terminal?
            let refusal = try ExecLaunch.converse(
                &child, plan, uid: 0, &terminal, until: deadline ?? .max)
            guard let refusal else { return try HookProcess(child.pid) }
            let failure = plan.describe(
                op: refusal.op, errno: refusal.errno, kind: refusal.kind, detail: refusal.detail)
            let isOfProgram = [CPLAN_EXEC.rawValue, CPLAN_RESOLVE_EXEC.rawValue].contains(
                UInt32(refusal.opcode))
            throw isOfProgram ? failure.located(at: Hooks.program) : failure
        } catch {
            // Whoever has frozen the container meanwhile would keep the hook's init from dying.
            child.kill { _ in try? ContainerCgroup.thaw(record) }
            if let deadline, clinux_monotonic() >= deadline { return nil }
            throw error
        }
    }

    private func plan(
        _ hook: JoiningHook, _ spec: Spec, _ cgroup: Cgroup, intoCgroup: Bool
    ) throws(Failure) -> Plan {
        let options = PlanOptions(
            id: record.id, bundle: record.bundle, rootfs: record.rootfs, noNewKeyring: !record.hasKeyring,
            intoCgroup: intoCgroup)
        let facts = try FactGatherer.gather(Planner.execRequests(spec.process ?? Spec.Process(), in: spec))
        let joining = Joining(entrances: cgroup.entrances, processLimit: clinux_hard_limit_processes())
        var plan = try Planner.planHook(
            hook, in: spec, joining: joining, facts: facts,
            options: options)
        if plan.needsFilter, let seccomp = spec.linux?.seccomp {
            try plan.attach(filter: try SeccompCompiler.compile(seccomp).bytes)
        }
        return plan
    }
}
