internal import Diagnostics
internal import Runtime

/// `gantry create` and `gantry run`, which share their flags.
enum CreateCommand {
    @Sendable static func create(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.create(try options(invocation), warn: invocation.log.warning)
        return 0
    }

    @Sendable static func run(_ invocation: Invocation) throws(Failure) -> CInt {
        if let settings = try SupervisionFlags.settings(invocation) {
            try Operations.runSupervised(
                try options(invocation), settings, try invocation.stateDirectory(),
                warn: invocation.log.warning)
            return 0
        }
        return try Operations.run(
            try options(invocation), detach: invocation.flags.has(Flags.detach),
            keep: invocation.flags.has(Flags.keep), warn: invocation.log.warning)
    }

    @Sendable static func relaunch(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.relaunch(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot(),
            try invocation.stateDirectory(), warn: invocation.log.warning)
        return 0
    }

    private static func options(_ invocation: Invocation) throws(Failure) -> CreateOptions {
        try invocation.createOptions(id: invocation.positionals[0])
    }
}

extension Invocation {
    /// What `create`, `run` and `plan` take. `--no-subreaper` asks for what gantry never does otherwise.
    func createOptions(id: String) throws(Failure) -> CreateOptions {
        var options = CreateOptions(id: id, bundle: flags.bundle, root: try globals.stateRoot())
        options.supervised = try stateDirectory()
        options.cgroupManager = try globals.cgroupManager()
        // Engines pass an empty one when they want none.
        options.pidFile = flags[Flags.pidFile].flatMap { $0.isEmpty ? nil : $0 }
        options.consoleSocket = flags[Flags.consoleSocket].flatMap { $0.isEmpty ? nil : $0 }
        options.noPivot = flags.has(Flags.noPivot)
        options.hasInit = flags.has(Flags.initProcess)
        options.noNewKeyring = flags.has(Flags.noNewKeyring)
        options.preserveFDs = flags.count(Flags.preserveFDs)
        options.pidfdSocket = flags[Flags.pidfdSocket].flatMap { $0.isEmpty ? nil : $0 }
        options.listenFDs = SocketActivation.count()
        options.notifySocket = Settings.notifySocket
        return options
    }
}
