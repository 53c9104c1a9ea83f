internal import CPlan
internal import Diagnostics
internal import OCI

/// Stage 1: on the host, with all privileges.
extension Draft {
    /// CLONE_NEW* of a namespace, and when it is joined: the mount namespace late, since paths are looked up
    /// in the one we are in, and pid last.
    static func kind(_ type: Spec.Linux.Namespace.Kind) -> (flag: UInt64, place: Int16) {
        switch type {
        case .user: (Clone.newUser, 0)
        case .time: (Clone.newTime, 1)
        case .ipc: (Clone.newIPC, 2)
        case .uts: (Clone.newUTS, 3)
        case .network: (Clone.newNetwork, 4)
        case .cgroup: (Clone.newCgroup, 5)
        case .mount: (Clone.newMount, 6)
        case .pid: (Clone.newPID, 7)
        }
    }

    mutating func planStageOne() throws(Failure) {
        planProc()
        try planScore()
        try planJoining()
        // Made while gantry makes the cgroups. A cgroup namespace has to wait until we are in them; a new pid
        // namespace is made by the fork.
        steps.origin = Origin("linux.namespaces")
        let early = newNamespaces & (Clone.newIPC | Clone.newUTS | Clone.newNetwork | Clone.newMount)
        if early != 0 { steps.add(.unshare, early) }
        steps.origin = .none
        steps.add(
            .fork, src: options.intoCgroup ? Slot.cgroup : Slot.none, newNamespaces & Clone.newPID)
        steps.add(.resetSignals)
        // Only now, so that the process itself is not charged to the container's memory.
        steps.add(.sync, SyncPoint.place)
    }

    var newNamespaces: UInt64 {
        var flags: UInt64 = 0
        for namespace in linux.namespaces where namespace.path == nil {
            flags |= Draft.kind(namespace.type).flag
        }
        return flags
    }

    /// The host's procfs, so that no other one can be put in its place (CVE-2025-52881).
    mutating func planProc() {
        let path = steps.literal("/proc")
        steps.add(.open, dst: Slot.proc, str: path, OpenFlag.path | OpenFlag.directory, 0)
        steps.add(.check, src: Slot.proc, 0, 0, procMagic)
    }

    mutating func planScore() throws(Failure) {
        guard let score = process.oomScoreAdj else { return }
        steps.origin = Origin("process.oomScoreAdj")
        let file = steps.literal("self/oom_score_adj")
        try write(file, String(score))
    }

    /// Every namespace file is opened before the first one is joined: behind a joined mount namespace, paths
    /// mean something else.
    private mutating func planJoining() throws(Failure) {
        var joins = false
        for (index, namespace) in linux.namespaces.enumerated() {
            guard let path = namespace.path else { continue }
            joins = true
            steps.origin = Origin("linux.namespaces", index)
            let text = try steps.text(path)
            steps.add(
                .open, dst: Slot.firstNamespace + Draft.kind(namespace.type).place, str: text,
                OpenFlag.readOnly, 0)
        }
        guard joins else { return }
        for place in 0..<(Slot.lastKept - Slot.firstNamespace) {
            for (index, namespace) in linux.namespaces.enumerated() where namespace.path != nil {
                let kind = Draft.kind(namespace.type)
                guard kind.place == place else { continue }
                steps.origin = Origin("linux.namespaces", index)
                steps.add(.setNS, src: Slot.firstNamespace + place, kind.flag)
            }
        }
        steps.origin = .none
    }

    /// Writes `value` to a file beneath the host's procfs.
    mutating func write(_ file: UInt32, _ value: String) throws(Failure) {
        let text = try steps.text(value)
        steps.add(.write, src: Slot.proc, str: file, str2: text, len: UInt32(value.utf8.count))
    }
}

/// Stage 2: what a fresh namespace needs.
extension Draft {
    mutating func planFreshNamespaces() throws(Failure) {
        steps.origin = Origin("linux.namespaces")
        if newNamespaces & Clone.newCgroup != 0 { steps.add(.unshare, Clone.newCgroup) }
        if newNamespaces & Clone.newNetwork != 0 { steps.add(.loopback) }
        try planKeyring()
    }

    /// An exec finds the keyring of the same name that the container's start has made.
    mutating func planKeyring() throws(Failure) {
        guard !options.noNewKeyring else { return }
        steps.origin = .none
        let start = steps.position
        steps.append(literal: "_ses.")
        _ = try steps.text(options.id)
        // A kernel without keyrings has none to keep the container from.
        steps.add(.keyring, ok: (ErrorNumber.notImplemented, 0), str: start)
    }

    /// Host name, domain name, sysctls.
    mutating func planNames() throws(Failure) {
        if let name = spec.hostname, !name.isEmpty {
            steps.origin = Origin("hostname")
            let text = try steps.text(name)
            steps.add(.hostname, str: text, len: UInt32(name.utf8.count))
        }
        if let name = spec.domainname, !name.isEmpty {
            steps.origin = Origin("domainname")
            let text = try steps.text(name)
            steps.add(.domainname, str: text, len: UInt32(name.utf8.count))
        }
        try planSysctls()
    }
}
