internal import CBuildInfo
internal import CLinux
internal import Diagnostics
internal import Linux
internal import Runtime
internal import Store
internal import Supervisor

/// The commands that speak to a container's supervisor: `stop`, `restart`, `wait`, `attach`; and the supervisor itself.
enum SupervisionCommands {
    /// `supervise`: a keeper starts it.
    @Sendable static func supervise(_ invocation: Invocation) throws(Failure) -> CInt {
        let program = String(cString: clinux_arguments()[0]!)
        try SupervisorProcess.run(
            SupervisorArguments(
                id: invocation.positionals[0], root: try invocation.globals.stateRoot(),
                stateDirectory: try invocation.stateDirectory().root,
                program: program.utf8.first == UInt8(ascii: "/") ? program : try Paths.ofExecutable(),
                build: cbuildinfo_time()))
        return 0
    }

    @Sendable static func stop(_ invocation: Invocation) throws(Failure) -> CInt {
        let order = try order(invocation)
        return try eachAtOnce(invocation) { id throws(Failure) in
            guard let supervised = try find(id, invocation) else {
                return try Operations.stop(
                    id: id, root: try invocation.globals.stateRoot(), signal: order.signal, grace: order.grace
                )
            }
            if try SupervisionClient.stop(supervised, order) == .orphaned {
                try Operations.stop(
                    id: id, root: supervised.root, signal: order.signal, grace: order.grace)
            }
        }
    }

    @Sendable static func restart(_ invocation: Invocation) throws(Failure) -> CInt {
        let order = try order(invocation)
        return try eachAtOnce(invocation) { id throws(Failure) in
            guard let supervised = try find(id, invocation) else { throw unsupervised(id, "cannot restart") }
            if try SupervisionClient.restart(supervised, order) { return }
            // What a keeper that was killed has left.
            try Operations.stop(
                id: id, root: supervised.root, signal: order.signal, grace: order.grace, isLenient: true)
            try Operations.start(
                id: id, root: supervised.root, states: StateDirectory(root: supervised.stateDirectory),
                notifySocket: Settings.notifySocket, warn: invocation.log.warning)
        }
    }

    @Sendable static func wait(_ invocation: Invocation) throws(Failure) -> CInt {
        var exec: Int32?
        if let text = invocation.flags[Flags.waitExec] {
            guard let pid = Int32(text), pid > 0 else {
                throw Failure(.usage, "must be a process id", at: "--exec")
            }
            guard invocation.positionals.count == 1 else {
                throw Failure(.usage, "goes with one container", at: "--exec")
            }
            exec = pid
        }
        return try each(invocation) { id throws(Failure) in
            let code = try exitCode(of: id, exec: exec, invocation)
            try Output.standard("\(code)\n")
        }
    }

    private static func exitCode(
        of id: String, exec: Int32?, _ invocation: Invocation
    ) throws(Failure) -> Int32 {
        guard let supervised = try find(id, invocation) else {
            let root = try invocation.globals.stateRoot()
            if exec != nil { throw unsupervised(id, "the exit codes of its execs are not kept") }
            try Operations.wait(id: id, root: root)
            throw unsupervised(id, "it has ended, and its exit code is not kept")
        }
        let outcome =
            if let exec {
                try SupervisionClient.wait(supervised, forExec: exec)
            } else {
                try SupervisionClient.wait(supervised)
            }
        switch outcome {
        case .ended(let end?): return end.exitCode
        case .ended(nil): break
        case .orphaned: try Operations.wait(id: id, root: supervised.root, isLenient: true)
        }
        throw Failure(
            .state, "it has ended, and its exit code is not known: its keeper was killed, or the machine",
            at: id)
    }

    @Sendable static func attach(_ invocation: Invocation) throws(Failure) -> CInt {
        let id = invocation.positionals[0]
        var options = AttachOptions()
        options.hasStdin = !invocation.flags.has(Flags.noStdin)
        options.keepsStdinOpen = invocation.flags.has(Flags.keepStdinOpen)
        options.passesSignals =
            invocation.flags[Flags.sigProxy] == nil || invocation.flags.has(Flags.sigProxy)
        if let keys = invocation.flags[Flags.detachKeys] { options.detachKeys = try DetachKeys(keys) }
        guard let supervised = try find(id, invocation) else {
            throw unsupervised(id, "nobody keeps its output")
        }
        var session = try AttachSession.begin(supervised, options)
        switch try session.run() {
        case .detached: return 0
        case .interrupted(let signal): return 128 + signal
        case .ended(let code?): return code
        case .ended(nil):
            throw Failure(.state, "the container has ended, and its exit code is not known", at: id)
        }
    }

    // MARK: What they share

    /// `--time` and `--signal`.
    private static func order(_ invocation: Invocation) throws(Failure) -> SupervisorCore.StopOrder {
        var order = SupervisorCore.StopOrder(grace: 10_000)
        if let text = invocation.flags[Flags.stopTime] {
            guard let seconds = Int32(text), seconds >= -1 else {
                throw Failure(.usage, "must be a number of seconds, or -1 to wait for ever", at: "--time")
            }
            order.grace = seconds < 0 ? -1 : Int32(clamping: Int64(seconds) * 1000)
        }
        if let name = invocation.flags[Flags.stopSignal] {
            order.signal = try SignalNames.number(name)
            if order.signal == 0 { throw Failure(.usage, "must be a signal", at: "--signal") }
        }
        return order
    }

    /// The same for each ID; one that fails does not keep the others from their turn.
    private static func each(
        _ invocation: Invocation, _ body: (String) throws(Failure) -> Void
    ) throws(Failure) -> CInt {
        var code: CInt = 0
        for id in invocation.positionals {
            do throws(Failure) {
                try body(id)
            } catch {
                if invocation.positionals.count == 1 { throw error }
                invocation.log.error(error.located(at: id).description)
                code = 1
            }
        }
        return code
    }

    /// `each`, in a process for each ID: one container's grace is not another's.
    private static func eachAtOnce(
        _ invocation: Invocation, _ body: (String) throws(Failure) -> Void
    ) throws(Failure) -> CInt {
        guard invocation.positionals.count > 1 else { return try each(invocation, body) }
        var code: CInt = 0
        var children: [CInt] = []
        for id in invocation.positionals {
            let child = clinux_fork()
            if child > 0 { children.append(child) }
            guard child <= 0 else { continue }
            var own: CInt = 0
            do throws(Failure) {
                try body(id)
            } catch {
                invocation.log.error(error.located(at: id).description)
                own = 1
            }
            if child == 0 { clinux_exit(own) }
            // There is no process for it: it is done here.
            code = max(code, own)
        }
        for child in children {
            var status: CInt = 0
            if clinux_waitpid(child, &status, 0) < 0 || status != 0 { code = 1 }
        }
        return code
    }

    private static func unsupervised(_ id: String, _ what: String) -> Failure {
        Failure(.state, "the container is not supervised (run --supervise): \(what)", at: id)
    }

    /// What `delete` does before it ends a container that has a supervisor.
    static func release(_ id: String, root: String, _ states: StateDirectory) throws(Failure) -> Bool {
        try SupervisionClient.release(
            SupervisorArguments(
                id: id, root: try Paths.absolute(root), stateDirectory: states.root,
                program: try Paths.ofExecutable(), build: cbuildinfo_time()))
    }

    /// nil for a container that is not supervised.
    private static func find(
        _ id: String, _ invocation: Invocation
    ) throws(Failure) -> SupervisorArguments? {
        let root = try Paths.absolute(try invocation.globals.stateRoot())
        var states = try invocation.stateDirectory()
        var isEntry = true
        do throws(Failure) {
            let record = try Store(root: root).open(id).record()
            if let record {
                guard let path = record.supervised else { return nil }
                // Where it was put when it was made, whatever --state-dir says now.
                states = StateDirectory(root: Paths.parent(of: path))
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            isEntry = false
        }
        let settings: SupervisionSettings
        do throws(Failure) {
            settings = try states.open(id).settings()
        } catch {
            if error.kind == .notFound, isEntry { return nil }
            throw error
        }
        guard settings.root.utf8.elementsEqual(root.utf8) else {
            throw Failure(.state, "the container was made with --root \(settings.root)", at: id)
        }
        return SupervisorArguments(
            id: id, root: root, stateDirectory: states.root, program: try Paths.ofExecutable(),
            build: cbuildinfo_time())
    }
}
