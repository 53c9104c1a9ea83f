internal import CKeeper
public import Diagnostics
internal import Linux

extension Operations {
    /// `exec`: one more process in a container.
    ///
    /// - Parameter warn: is told, a sentence at a time, what was asked for with flags and does not come to pass.
    /// - Returns: its exit code, 128 + signal when it was killed; 0 at once when detached.
    public static func exec(_ options: ExecOptions, warn: (String) -> Void) throws(Failure) -> CInt {
        try InheritedDescriptors.seal(preserving: options.preserveFDs)
        let exec = try ExecPreparation.prepare(options)
        var terminal = try Terminal(
            exec.process, socket: options.consoleSocket, detaches: options.detach)
        // Connected before there is a process: it could not be taken back.
        let pidfdSocket: PidfdSocket?
        if let path = options.pidfdSocket { pidfdSocket = try PidfdSocket(path) } else { pidfdSocket = nil }
        if options.detach {
            if exec.keeper != nil, !exec.isKept {
                warn(
                    "how the process ends is not kept: its container's keeper takes at most"
                        + " \(KeptParent.mostStreams - 3) descriptors")
            }
            var process = try launch(exec, &terminal, warn: warn)
            try hand(&process, options, pidfdSocket)
            try process.leaveToKeeper(as: CKEEPER_EXEC)
            return 0
        }
        let foreground = try Foreground()
        var process = try launch(exec, &terminal, warn: warn)
        try hand(&process, options, pidfdSocket)
        try process.leaveToKeeper(as: CKEEPER_EXEC)
        try foreground.wait(for: process, terminal: terminal)
        return try process.wait().code
    }

    /// Tells the engine which process it is. One that nobody could be told of does not go on.
    private static func hand(
        _ process: inout InitProcess, _ options: ExecOptions, _ socket: borrowing PidfdSocket?
    ) throws(Failure) {
        do throws(Failure) {
            if let path = options.pidFile { try PidFile.write(process.pid, to: path) }
            try socket?.send(process.pid, as: "setns")
        } catch {
            process.kill()
            throw error
        }
    }

    /// Engines look for the first words.
    private static func launch(
        _ exec: borrowing ExecPreparation, _ terminal: inout Terminal?, warn: (String) -> Void
    ) throws(Failure) -> InitProcess {
        do {
            return try ExecLaunch.perform(exec, terminal: &terminal, warn: warn)
        } catch {
            throw Failure(error.kind, "exec failed: " + error.description)
        }
    }
}
