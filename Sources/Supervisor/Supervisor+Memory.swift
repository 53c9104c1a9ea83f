internal import Cgroups
internal import Diagnostics
internal import Store

// Whether the kernel killed a process of the container since memory was short.
extension Supervisor {
    /// Of a run that begins, or that goes on under this supervisor.
    ///
    /// A scope of systemd's goes with its last process, and what it has counted with it: it is watched meanwhile. The
    /// kernel tells when it kills, before the process is gone.
    func watchMemory(isNewRun: Bool) {
        stopWatchingMemory()
        let record = record
        let cgroup = record.flatMap(Supervisor.cgroup)
        let kills = cgroup?.outOfMemoryKills() ?? 0
        if isNewRun {
            // A cgroup need not be new.
            core.memory.memoryKills = kills
            remember()
        }
        guard record?.unit != nil, let cgroup else { return }
        memoryRanOut = kills > core.memory.memoryKills
        do throws(Failure) {
            memoryWatch = try OOMWatch.begin(cgroup)
            guard let (descriptor, events) = memoryWatch?.readiness else { return }
            try poller.add(descriptor, .memory, events: events)
        } catch {
            note(error.description)
        }
    }

    /// The watch has something to tell, or may have.
    func lookAtMemory() {
        if memoryWatch?.hasHappened() ?? false { memoryRanOut = true }
    }

    /// Of a run that has ended; its cgroup is still there, unless it was systemd's.
    func lookForMemoryKills() {
        lookAtMemory()
        if memoryRanOut || cgroup?.outOfMemoryKills() ?? 0 > core.memory.memoryKills {
            events.append(.outOfMemory)
        }
        stopWatchingMemory()
    }

    private func stopWatchingMemory() {
        memoryRanOut = false
        memoryWatch = nil
    }
}
