internal import Diagnostics
internal import Linux
internal import Runtime
internal import Store

/// The commands on a container that is there: `start`, `kill`, `delete`, `pause`, `resume`.
enum LifecycleCommands {
    @Sendable static func start(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.start(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot(),
            states: try invocation.stateDirectory(), notifySocket: Settings.notifySocket,
            warn: invocation.log.warning)
        return 0
    }

    @Sendable static func kill(_ invocation: Invocation) throws(Failure) -> CInt {
        let signal = invocation.positionals.count > 1 ? invocation.positionals[1] : "TERM"
        try Operations.kill(
            id: invocation.positionals[0], signal: try SignalNames.number(signal),
            all: invocation.flags.has(Flags.killAll), root: try invocation.globals.stateRoot())
        return 0
    }

    @Sendable static func delete(_ invocation: Invocation) throws(Failure) -> CInt {
        let root = try invocation.globals.stateRoot()
        try Operations.delete(
            id: invocation.positionals[0], force: invocation.flags.has(Flags.force), root: root,
            states: try invocation.stateDirectory(),
            release: { (id, states) throws(Failure) in
                try SupervisionCommands.release(id, root: root, states)
            }, warn: invocation.log.warning)
        return 0
    }

    @Sendable static func pause(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.pause(id: invocation.positionals[0], root: try invocation.globals.stateRoot())
        return 0
    }

    @Sendable static func resume(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.resume(id: invocation.positionals[0], root: try invocation.globals.stateRoot())
        return 0
    }
}
