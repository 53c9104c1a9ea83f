internal import CPlan
internal import Diagnostics
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// One exec, from what is prepared to a process that runs.
enum ExecLaunch {
    /// - Parameters:
    ///   - terminal: takes the terminal of a process that has one.
    ///   - warn: is told of capabilities that were asked for here and cannot be given.
    static func perform(
        _ exec: borrowing ExecPreparation, terminal: inout Terminal?, warn: (String) -> Void
    ) throws(Failure) -> InitProcess {
        if let process = try perform(exec, &terminal, fallback: false, warn: warn) { return process }
        guard let process = try perform(exec, &terminal, fallback: true, warn: { _ in }) else {
            throw Failure(.system, "the container's cgroup takes no processes")
        }
        return process
    }

    /// - Returns: nil when the cgroup of version 2 takes no processes, and there is another one to try.
    private static func perform(
        _ exec: borrowing ExecPreparation, _ terminal: inout Terminal?, fallback: Bool,
        warn: (String) -> Void
    ) throws(Failure) -> InitProcess? {
        let directory = try exec.openCgroup(fallback: fallback)
        let plan = try exec.plan(intoCgroup: directory.rawOrNone >= 0)
        // What the container itself lacks was told when it was made.
        if exec.asksForCapabilities { plan.warnings.forEach(warn) }
        var process = try InitProcess.spawn(
            plan: try plan.encode(), door: exec.container.raw, cgroup: directory.rawOrNone,
            streams: exec.isKept ? exec.streams : nil, hasNeighbours: true,
            keeper: exec.isKept ? exec.keeper : nil)
        let refusal: InitFailure?
        do throws(Failure) {
            refusal = try converse(&process, plan, uid: exec.process.user.uid, &terminal)
        } catch {
            process.kill()
            throw error
        }
        guard let refusal else { return process }
        process.kill()
        if !fallback, exec.mayFallBack, isRefusedByCgroup(refusal, plan) { return nil }
        throw plan.describe(
            op: refusal.op, errno: refusal.errno, kind: refusal.kind, detail: refusal.detail)
    }

    private static func isRefusedByCgroup(_ failure: InitFailure, _ plan: Plan) -> Bool {
        plan.entersCgroup(at: failure.op)
            && (failure.errno == Errno.EBUSY || failure.errno == Errno.EOPNOTSUPP)
    }

    /// - Parameters:
    ///   - uid: whose home directory the init may ask for.
    ///   - deadline: on CLOCK_MONOTONIC, in nanoseconds.
    /// - Returns: what the init told, when it failed.
    static func converse(
        _ process: inout InitProcess, _ plan: Plan, uid: UInt32, _ terminal: inout Terminal?,
        until deadline: Int64 = .max
    ) throws(Failure) -> InitFailure? {
        var order = ExecProtocol(forks: plan.forks)
        while true {
            var received = try process.receive(until: deadline)
            switch order.receive(received.message) {
            case .adopt(let pid):
                process.adopt(pid)
            case .takeTerminal:
                if let master = received.descriptor.take() { try terminal?.take(master) }
                guard try process.channel.reply(CPLAN_SYNC_TERMINAL) else {
                    throw describeDeath(process.kill())
                }
            case .sendHome:
                let home =
                    plan.wantsHome
                    ? HomeDirectory.environmentEntry(
                        uid: uid, passwd: received.descriptor) : []
                guard try process.channel.reply(CPLAN_SYNC_READY, value: home) else {
                    throw describeDeath(process.kill())
                }
            case .succeed:
                return nil
            case .reportFailure:
                return received.failure
            case .reportDeath:
                throw describeDeath(process.kill())
            case .reportDisorder:
                throw Failure(.system, "the init sent a message out of order; this is a bug in gantry")
            }
        }
    }

    private static func describeDeath(_ status: WaitStatus) -> Failure {
        guard let signal = status.signal else {
            return Failure(.system, "the init ended with exit code \(status.code) before the process ran")
        }
        return Failure(.system, "the init was killed by signal \(signal) before the process ran")
    }
}
