internal import Cgroups
internal import Diagnostics
internal import Store

// Whether the kernel killed a process of the container since memory was short.
extension Supervisor {
    /// Of a run that begins, or that goes on under this supervisor.
    ///
    /// A scope of systemd's goes with its last process, and what it has counted with it. So it is watched meanwhile: most
    /// often the kernel tells before the scope is gone.
    func watchMemory(isNewRun: Bool) {
        stopWatchingMemory()
        let record = record
        let isScope = record?.unit != nil
        let cgroup = record.flatMap(Supervisor.cgroup)
        if isNewRun {
            // A scope is new; another cgroup need not be.
            core.memory.memoryKills = isScope ? 0 : cgroup?.outOfMemoryKills() ?? 0
            remember()
        }
        guard isScope, let cgroup else { return }
        do throws(Failure) {
            memoryWatch = try OOMWatch.begin(cgroup)
            guard let (descriptor, events) = memoryWatch?.readiness else { return }
            try poller.add(descriptor, .memory, events: events)
        } catch {
            note(error.description)
        }
        memoryRanOut = cgroup.outOfMemoryKills() > core.memory.memoryKills
    }

    /// The watch has something to tell, or may have.
    func lookAtMemory() {
        if memoryWatch?.hasHappened() ?? false { memoryRanOut = true }
    }

    /// Of a run that has ended; its cgroup is still there, unless it was systemd's.
    func lookForMemoryKills() {
        lookAtMemory()
        if let cgroup {
            let ranOut =
                cgroup.memoryIsForgotten
                ? memoryRanOut : cgroup.outOfMemoryKills() > core.memory.memoryKills
            if ranOut { events.append(.outOfMemory) }
        }
        stopWatchingMemory()
    }

    private func stopWatchingMemory() {
        memoryRanOut = false
        memoryWatch = nil
    }
}
