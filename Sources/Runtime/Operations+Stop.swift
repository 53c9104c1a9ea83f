internal import CLinux
public import Diagnostics
internal import Linux
internal import Store

// Containers that nobody supervises.
extension Operations {
    /// `stop`: returns when the container's process has ended.
    ///
    /// - Parameters:
    ///   - signal: 0 for the container's own: the annotation org.opencontainers.image.stopSignal, or TERM.
    ///   - grace: milliseconds after which it is killed; below 0: never.
    ///   - isLenient: a container that is not there has stopped.
    public static func stop(
        id: String, root: String, signal: CInt, grace: Int32, isLenient: Bool = false
    ) throws(Failure) {
        guard let container = try look(id, root, isLenient: isLenient) else { return }
        guard let process = try container.openProcess() else { return }
        if grace != 0 {
            _ = clinux_pidfd_signal(
                process.raw, signal != 0 ? signal : container.record?.stopSignal ?? Signal.terminate)
            if container.status == .paused, let record = container.record {
                try ContainerCgroup.thaw(record)
            }
            let ended = try check(
                clinux_wait_readable(process.raw, -1, grace), "poll", "cannot wait for the container")
            if ended != 0 { return }
        }
        _ = clinux_pidfd_signal(process.raw, Signal.kill)
        if let record = container.record {
            try ContainerCgroup.killAll(record)
            try ContainerCgroup.thaw(record)
        }
        let ended = try check(
            clinux_wait_readable(process.raw, -1, deathPatience), "poll", "cannot wait for the container")
        guard ended != 0 else {
            throw Failure(
                .system, "the container's process did not die within \(deathPatience / 1000) s of SIGKILL",
                at: id)
        }
    }

    /// `wait`: returns when the container's process has ended.
    public static func wait(id: String, root: String, isLenient: Bool = false) throws(Failure) {
        guard let process = try look(id, root, isLenient: isLenient)?.openProcess() else { return }
        _ = try check(
            clinux_wait_readable(process.raw, -1, -1), "poll", "cannot wait for the container")
    }

    private static func look(
        _ id: String, _ root: String, isLenient: Bool
    ) throws(Failure) -> LiveContainer? {
        do throws(Failure) {
            return try LiveContainer.look(try Store(root: root).open(id))
        } catch {
            guard isLenient, error.kind == .notFound else { throw error }
            return nil
        }
    }
}
