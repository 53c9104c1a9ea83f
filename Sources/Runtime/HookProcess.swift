internal import CLinux
internal import Diagnostics
internal import Linux
internal import OCI

/// A hook in flight: a child of this process and the leader of a process group.
struct HookProcess: ~Copyable {
    let pid: Int32
    private let process: Descriptor

    /// Takes over a child that was just made.
    init(_ pid: Int32) throws(Failure) {
        self.pid = pid
        let raw = clinux_pidfd_open(pid)
        if raw < 0 { _ = clinux_kill_group(pid, Signal.kill) }
        process = Descriptor(adopting: try check(raw, "pidfd_open", "cannot watch a hook"))
    }

    /// Starts a program on the host.
    static func spawn(_ hook: Spec.Hook, directory: String, streams: borrowing HookStreams) throws(Failure)
        -> HookProcess
    {
        // argv has a name in it even where the configuration gives none: many a program takes it for granted.
        let arguments = HookProcess.words(hook.args.isEmpty ? [hook.path] : hook.args)
        let variables = HookProcess.words(hook.env)
        let numbers = streams.theirs
        let pid = hook.path.withCString { path in
            directory.withCString { directory in
                arguments.withUnsafeBufferPointer { arguments in
                    variables.withUnsafeBufferPointer { variables in
                        var program = clinux_program(
                            path: path,
                            arguments: UnsafeRawPointer(arguments.baseAddress!).assumingMemoryBound(
                                to: CChar.self),
                            variables: UnsafeRawPointer(variables.baseAddress!).assumingMemoryBound(
                                to: CChar.self),
                            argument_count: max(hook.args.count, 1), variable_count: hook.env.count,
                            directory: directory, streams: numbers)
                        return clinux_run_program(&program)
                    }
                }
            }
        }
        guard pid >= 0 else { throw refusal(hook.path, -pid) }
        return try HookProcess(pid)
    }

    /// Why a program of the host's cannot be executed.
    private static func refusal(_ path: String, _ errno: CInt) -> Failure {
        let reason: String
        switch errno {
        case Errno.ENOENT where clinux_exists(path) == 0:
            reason = "cannot run the hook, whose interpreter or loader is missing"
        case Errno.ENOEXEC: reason = "cannot run the hook, which is no program and has no #! line"
        default: reason = "cannot run the hook"
        }
        return Failure.system(errno, "execve \(path)", reason).located(at: Hooks.program)
    }

    /// Each word with a NUL behind it; never an empty array.
    private static func words(_ words: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in words {
            bytes.append(contentsOf: word.utf8)
            bytes.append(0)
        }
        if bytes.isEmpty { bytes.append(0) }
        return bytes
    }

    /// Waits until the hook has ended, keeping what it prints. Its children may go on: whoever of them still holds
    /// the streams is not waited for.
    ///
    /// - Parameters:
    ///   - deadline: on CLOCK_MONOTONIC, in nanoseconds; then the whole process group is killed.
    ///   - isInterruptible: whether a signal that asks gantry to end ends it.
    /// - Returns: nil when the time was over.
    consuming func wait(
        until deadline: Int64?, isInterruptible: Bool, _ streams: inout HookStreams
    ) throws(Failure) -> WaitStatus? {
        while true {
            var set = [process.raw, streams.output.raw, streams.errors.raw].map {
                clinux_pollfd(fd: $0, events: Int16(CLINUX_POLLIN), revents: 0)
            }
            do throws(Failure) {
                _ = try check(
                    clinux_poll(&set, CInt(set.count), HookProcess.milliseconds(until: deadline)), "poll",
                    "cannot wait for a hook")
            } catch {
                end()
                throw error
            }
            if set[1].revents != 0 || set[2].revents != 0 { streams.drain() }
            if set[0].revents != 0 {
                // What it printed last may have come between the two.
                streams.drain()
                return HookProcess.reap(pid)
            }
            if let deadline, clinux_monotonic() >= deadline {
                end()
                return nil
            }
            do throws(Failure) {
                if isInterruptible { try Interruption.check() }
            } catch {
                end()
                throw error
            }
        }
    }

    /// As long as it is not looked whether a signal asks gantry to end, in milliseconds.
    private static let round: Int64 = 1000

    /// For poll(2). Rounded up, so that the deadline is over after it.
    private static func milliseconds(until deadline: Int64?) -> CInt {
        guard let deadline else { return CInt(round) }
        return CInt(clamping: max(0, min(round, (deadline - clinux_monotonic() + 999_999) / 1_000_000)))
    }

    /// How long a killed hook may take to die, in milliseconds. In a frozen cgroup of version 1 it does not.
    private static let deathPatience: CInt = 10_000

    private func end() {
        _ = clinux_kill_group(pid, Signal.kill)
        if clinux_wait_readable(process.raw, -1, HookProcess.deathPatience) != 0 { _ = HookProcess.reap(pid) }
    }

    private static func reap(_ pid: Int32) -> WaitStatus {
        var status: CInt = 0
        _ = clinux_waitpid(pid, &status, 0)
        return WaitStatus(raw: status)
    }
}
