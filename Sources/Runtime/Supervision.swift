internal import CKeeper
internal import Diagnostics
internal import Linux
internal import Store

/// What is found of a supervised container when it is looked at.
enum Supervision {
    /// Of a container that has an entry in the store.
    static func report(_ container: borrowing LiveContainer) throws(Failure) -> SupervisionReport? {
        guard let path = container.record?.supervised else { return nil }
        let runs = container.process != nil
        var state: ckeeper_state?
        // One that does not answer is told of as one that is not there.
        if let keeper = try KeptParent.find(container.entry) { state = (try? keeper.ask()) ?? nil }
        do throws(Failure) {
            let place = try StateDirectory(root: Paths.parent(of: path)).open(container.entry.id)
            return try report(place, runs: runs, state)
        } catch {
            // Somebody removed it, or what was in it. The container is there all the same.
            guard error.kind == .notFound else { throw error }
            return SupervisionReport(
                settings: nil, status: SupervisionStatus(), phase: runs ? .running : .stopped,
                keeper: state?.keeper ?? 0, supervisor: state?.supervisor ?? 0,
                problem: "\(path), or what was in it, has been removed")
        }
    }

    /// Of one that has none since the boot.
    static func report(_ place: borrowing SupervisedContainer) throws(Failure) -> ContainerReport? {
        guard let record = try place.record() else { return nil }
        return ContainerReport(
            id: record.id, pid: 0, status: .stopped, bundle: record.bundle, rootfs: record.rootfs,
            created: record.created, ownerUID: record.ownerUID, annotations: record.annotations,
            supervision: try report(place, runs: false, nil))
    }

    private static func report(
        _ place: borrowing SupervisedContainer, runs: Bool, _ state: ckeeper_state?
    ) throws(Failure) -> SupervisionReport {
        let settings = try place.settings()
        var status = try place.status()
        let isWatched = state != nil
        var phase = runs ? .running : status.phase
        var problem = status.problem
        if runs, !isWatched {
            problem = "its keeper has been killed: its output and how it ends may be lost"
        } else if !runs, phase == .running, let state, state.run > 0, state.lives == 0 {
            // Its supervisor is about to write that, or cannot. The keeper knows it.
            let end = WaitStatus(raw: state.container.status)
            status.end = .init(exitCode: end.code, signal: end.signal ?? 0, time: state.container.ended)
            phase = settings.restart == .no ? .stopped : .restarting
        } else if !runs, !isWatched, phase != .stopped {
            phase = .stopped
            problem = "nobody was there when it ended: the machine went down, or its keeper was killed"
        }
        return SupervisionReport(
            settings: settings, status: status, phase: phase, keeper: state?.keeper ?? 0,
            supervisor: state?.supervisor ?? 0, problem: problem)
    }
}
