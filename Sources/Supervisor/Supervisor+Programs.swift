internal import CLinux
internal import Diagnostics
internal import Linux
internal import Store

// The launcher of the next run, and the exit command.
extension Supervisor {
    /// Nanoseconds that the exit command may take.
    private static let exitCommandPatience: Int64 = 120_000_000_000

    private static let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    func launch() {
        let words = [
            arguments.program, "--root", arguments.root, "--state-dir", arguments.stateDirectory,
            "relaunch", arguments.id,
        ]
        childIsLauncher = true
        do throws(Failure) {
            // config.json may be another one by now; a copy takes over where this process was.
            try SupervisorProcess.hide(settings)
            try start(words, [Supervisor.path])
        } catch {
            events.append(.launcherEnded(code: 1, message: error.description))
        }
    }

    func runExitCommand() {
        childIsLauncher = false
        do throws(Failure) {
            try start(["/bin/sh", "-c", settings.exitCommand ?? ""], exitEnvironment)
            childDeadline = clinux_monotonic() + Supervisor.exitCommandPatience
        } catch {
            events.append(.exitCommandEnded(problem: "exit command: \(error.description)"))
        }
    }

    private var exitEnvironment: [String] {
        let status = core.status
        return [
            Supervisor.path, "GANTRY_CONTAINER_ID=\(arguments.id)",
            "GANTRY_EXIT_CODE=" + (status.end.map { "\($0.exitCode)" } ?? ""),
            "GANTRY_EXIT_SIGNAL=" + (status.end.map { "\($0.signal)" } ?? ""),
            "GANTRY_OOM_KILLED=" + (status.oomKilled ? "true" : "false"),
            "GANTRY_STATE_DIR=\(container.path)",
        ]
    }

    private func start(_ words: [String], _ environment: [String]) throws(Failure) {
        let started = try ChildProgram.run(words: words, environment: environment)
        try poller.add(started.process.raw, .child)
        try poller.add(started.output.raw, .childOutput)
        child = consume started
    }

    func readChild() {
        guard let raw = childOutput, !(child?.readOutput() ?? true) else { return }
        poller.remove(raw)
    }

    private var childOutput: CInt? {
        switch child {
        case .some(let child): child.output.raw
        case .none: nil
        }
    }

    func childEnded() {
        guard var ended = child.take() else { return }
        poller.remove(ended.process.raw)
        poller.remove(ended.output.raw)
        childDeadline = 0
        var (code, lines) = ended.reap()
        if childIsLauncher {
            // What it has started is told by the keeper, before it ended.
            try? hearKeeper()
            let message = code == 0 ? "" : lines.popLast() ?? "the launcher ended with status \(code)"
            for line in lines { note(line) }
            events.append(.launcherEnded(code: code, message: message))
        } else {
            let said = lines.last.map { ": " + $0 } ?? ""
            let problem = code == 0 ? "" : "the exit command ended with status \(code)\(said)"
            events.append(.exitCommandEnded(problem: problem))
            if leavesAfterChild {
                handleEvents()
                isReplaced = true
            }
        }
    }
}
