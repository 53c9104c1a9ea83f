public import Diagnostics
internal import JSON
internal import Linux
internal import Plan
public import Store

/// What the commands do.
public enum Operations {
    /// `create`: everything but the exec, which waits for `start`.
    ///
    /// - Parameter warn: is told, a sentence at a time, what the configuration has that does not come to
    ///   pass.
    public static func create(_ options: CreateOptions, warn: (String) -> Void) throws(Failure) {
        try InheritedDescriptors.seal(preserving: options.preserveFDs, behind: options.listenFDs)
        let container = try Preparation(options, waitsForStart: true)
        var terminal = try Terminal(
            container.process, socket: options.consoleSocket, detaches: true)
        container.warnings.forEach(warn)
        _ = try Launch.perform(container, terminal: &terminal, warn: warn)
    }

    /// `run`: create, start and, unless detached, wait, then delete.
    ///
    /// - Parameters:
    ///   - keep: leave state and cgroup when the process has ended.
    ///   - warn: as for `create`.
    /// - Returns: the process's exit code, 128 + signal when it was killed; 0 at once when detached.
    public static func run(
        _ options: CreateOptions, detach: Bool, keep: Bool, warn: (String) -> Void
    ) throws(Failure) -> CInt {
        try InheritedDescriptors.seal(preserving: options.preserveFDs, behind: options.listenFDs)
        let container = try Preparation(options, waitsForStart: false)
        var terminal = try Terminal(
            container.process, socket: options.consoleSocket, detaches: detach)
        container.warnings.forEach(warn)
        if detach {
            var started = try Launch.perform(container, terminal: &terminal, warn: warn)
            try started.notify.take()?.passWhenReady(pid: started.process.pid, started.entry)
            return 0
        }
        let foreground = try Foreground()
        var started: Launch.Started
        do throws(Failure) {
            started = try Launch.perform(container, terminal: &terminal, warn: warn)
        } catch {
            guard error.kind == .interrupted, let signal = Interruption.signal else { throw error }
            warn(error.description)
            return 128 + signal
        }
        try started.entry.unlock()
        try foreground.wait(
            for: started.process, terminal: terminal, notify: started.notify.take())
        let code = try started.process.wait().code
        if !keep { try cleanUp(container, started.entry, warn: warn) }
        return code
    }

    /// Takes down what a finished `run` made, unless somebody deleted the container meanwhile.
    private static func cleanUp(
        _ container: Preparation, _ entry: borrowing StoredContainer, warn: (String) -> Void
    ) throws(Failure) {
        try entry.lock()
        guard try entry.isPresent() else { return }
        try ContainerCgroup.remove(container.record)
        try entry.remove()
        container.hooks?.runAfterEnd(warn: warn)
    }

    /// The steps that `run` or `create` would take, as text; nothing is made.
    public static func plan(
        _ options: CreateOptions, asJSON: Bool, warn: (String) -> Void
    ) throws(Failure) -> String {
        let container = try Preparation(options, waitsForStart: true)
        container.warnings.forEach(warn)
        let plan = container.plan
        guard asJSON else { return plan.description }
        var json = JSONWriter(.indented)
        plan.write(to: &json)
        return json.text + "\n"
    }

    /// `state`.
    ///
    /// - Parameter states: where supervised containers are that have not run since the boot.
    public static func state(
        id: String, root: String, states: StateDirectory
    ) throws(Failure) -> ContainerReport {
        do throws(Failure) {
            if let report = try report(id, Store(root: root)) { return report }
        } catch {
            guard error.kind == .notFound, let report = try stoppedReport(id, states) else { throw error }
            return report
        }
        throw Failure(.state, "container is being created, or was cut off while it was", at: id)
    }

    /// `list`: what can be told of each container, and why nothing can be told of the others. One that
    /// vanishes meanwhile is left out.
    public static func list(
        root: String, states: StateDirectory
    ) throws(Failure) -> (reports: [ContainerReport], failures: [Failure]) {
        let store = Store(root: root)
        let ids = try store.list()
        let others = try states.list().filter { !ids.contains($0) }
        var reports: [ContainerReport] = []
        var failures: [Failure] = []
        for id in (ids + others).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            do throws(Failure) {
                do throws(Failure) {
                    if let report = try report(id, store) { reports.append(report) }
                } catch {
                    guard error.kind == .notFound else { throw error }
                    guard let report = try stoppedReport(id, states),
                        try isAt(root, report.supervision?.settings?.root)
                    else { continue }
                    reports.append(report)
                }
            } catch {
                if error.kind != .notFound { failures.append(error) }
            }
        }
        return (reports, failures)
    }

    private static func report(_ id: String, _ store: Store) throws(Failure) -> ContainerReport? {
        let container = try LiveContainer.look(try store.open(id))
        guard var report = container.report else { return nil }
        if container.isSupervised { report.supervision = try Supervision.report(container) }
        return report
    }

    /// Of a supervised container that has no entry in the store; nil when there is no such container.
    private static func stoppedReport(
        _ id: String, _ states: StateDirectory
    ) throws(Failure) -> ContainerReport? {
        do throws(Failure) {
            return try Supervision.report(try states.open(id))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// Several roots may share a state directory: each has its own containers.
    private static func isAt(_ root: String, _ other: String?) throws(Failure) -> Bool {
        guard let other else { return false }
        return try Paths.absolute(root).utf8.elementsEqual(other.utf8)
    }
}
