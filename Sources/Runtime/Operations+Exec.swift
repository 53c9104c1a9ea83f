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
        if options.detach {
            let process = try launch(exec, &terminal)
            if let path = options.pidFile { try PidFile.write(process.pid, to: path) }
            return 0
        }
        let foreground = try Foreground()
        var process = try launch(exec, &terminal)
        if let path = options.pidFile { try PidFile.write(process.pid, to: path) }
        try foreground.wait(for: process.pid, terminal: terminal)
        return process.wait().code
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
