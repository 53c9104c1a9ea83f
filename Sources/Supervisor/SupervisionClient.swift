internal import CLinux
public import Diagnostics
internal import Keeper
internal import Linux
public import Store

/// What commands ask of a container's supervisor. Each returns when it is done, also over the death or replacement of
/// the supervisor meanwhile.
public enum SupervisionClient {
    public enum Outcome: Equatable, Sendable {
        /// nil: nobody can tell how.
        case ended(SupervisionStatus.End?)
        /// It runs, and there is neither a keeper nor a supervisor: nobody will ever tell how it ends.
        case orphaned
    }

    /// `stop`: returns when the container has ended and its status says so.
    public static func stop(
        _ arguments: SupervisorArguments, _ order: SupervisorCore.StopOrder
    ) throws(Failure) -> Outcome {
        try ended(arguments, .stop(order))
    }

    /// `wait`: until the container has ended for good.
    public static func wait(_ arguments: SupervisorArguments) throws(Failure) -> Outcome {
        try ended(arguments, .wait)
    }

    /// `wait --exec`.
    public static func wait(_ arguments: SupervisorArguments, forExec pid: Int32) throws(Failure) -> Outcome {
        switch try answer(arguments, .waitForExec(pid: pid)) {
        case .ended(let end)?: return .ended(end)
        case .some: throw disorder
        case nil:
            let status = try status(arguments)
            guard let exec = status.execs.last(where: { $0.pid == pid }) else {
                throw Failure(
                    .notFound, "no process \(pid) of an exec in this container is known", at: arguments.id)
            }
            return .ended(exec.end)
        }
    }

    /// `restart`: returns when the program runs.
    ///
    /// - Returns: false when there is no supervisor: the container has ended, and is started as any other.
    public static func restart(
        _ arguments: SupervisorArguments, _ order: SupervisorCore.StopOrder
    ) throws(Failure) -> Bool {
        switch try answer(arguments, .restart(order)) {
        case .done?: return true
        case nil: return false
        case .some: throw disorder
        }
    }

    /// `delete`: no policy runs it again, and no launcher is under way; the supervisor finishes when it has ended.
    ///
    /// - Returns: false when there is no supervisor.
    public static func release(_ arguments: SupervisorArguments) throws(Failure) -> Bool {
        switch try answer(arguments, .release) {
        case .done?: return true
        case nil: return false
        case .some: throw disorder
        }
    }

    private static func ended(
        _ arguments: SupervisorArguments, _ request: ControlMessage
    ) throws(Failure) -> Outcome {
        switch try answer(arguments, request) {
        case .ended(let end)?: return .ended(end)
        case .some: throw disorder
        case nil:
            let status = try status(arguments)
            return status.phase == .stopped ? .ended(status.end) : .orphaned
        }
    }

    private static var disorder: Failure {
        Failure(.system, "the supervisor gives an answer to another question")
    }

    static func status(_ arguments: SupervisorArguments) throws(Failure) -> SupervisionStatus {
        try StateDirectory(root: arguments.stateDirectory).open(arguments.id).status()
    }

    /// Asks until somebody answers; nil when there is neither a keeper nor a supervisor.
    private static func answer(
        _ arguments: SupervisorArguments, _ request: ControlMessage
    ) throws(Failure) -> ControlMessage? {
        while let connection = try SupervisorConnection.connect(arguments) {
            if try connection.send(request), let answer = try connection.receive() {
                guard case .failed(let message) = answer else { return answer }
                throw Failure(.state, message, at: arguments.id)
            }
            // Another one will answer: it has been asked nothing yet, or has forgotten.
            clinux_sleep(10)
        }
        return nil
    }
}
