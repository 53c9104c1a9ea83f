public import Diagnostics
internal import Linux

extension Operations {
    /// `exec`: one more process in a container.
    ///
    /// - Returns: its exit code, 128 + signal when it was killed; 0 at once when detached.
    public static func exec(_ options: ExecOptions) throws(Failure) -> CInt {
        try InheritedDescriptors.seal(preserving: options.preserveFDs)
        let exec = try ExecPreparation.prepare(options)
        var terminal = try Terminal(
            exec.process, socket: options.consoleSocket, detaches: options.detach)
        // Connected before there is a process: it could not be taken back.
        let pidfdSocket: PidfdSocket?
        if let path = options.pidfdSocket { pidfdSocket = try PidfdSocket(path) } else { pidfdSocket = nil }
        if options.detach {
            let process = try launch(exec, &terminal)
            try hand(process.pid, options, pidfdSocket)
            return 0
        }
        let foreground = try Foreground()
        var process = try launch(exec, &terminal)
        try hand(process.pid, options, pidfdSocket)
        try foreground.wait(for: process.pid, terminal: terminal)
        return process.wait().code
    }

    /// Tells the engine which process it is.
    private static func hand(
        _ pid: Int32, _ options: ExecOptions, _ socket: borrowing PidfdSocket?
    ) throws(Failure) {
        if let path = options.pidFile { try PidFile.write(pid, to: path) }
        try socket?.send(pid, as: "setns")
    }

    /// Engines look for the first words.
    private static func launch(
        _ exec: borrowing ExecPreparation, _ terminal: inout Terminal?
    ) throws(Failure) -> InitProcess {
        do {
            return try ExecLaunch.perform(exec, terminal: &terminal)
        } catch {
            throw Failure(error.kind, "exec failed: " + error.description)
        }
    }
}
