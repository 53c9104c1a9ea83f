internal import CPlan
internal import Diagnostics
internal import OCI

/// Stage 1: on the host, with all privileges.
extension Draft {
    /// Joined in this order: the mount namespace late, since paths are looked up in the one we are in; pid last.
    private static let order: [(type: Spec.Linux.Namespace.Kind, flag: UInt64)] = [
        (.ipc, Clone.newIPC), (.uts, Clone.newUTS), (.network, Clone.newNetwork), (.cgroup, Clone.newCgroup),
        (.mount, Clone.newMount), (.pid, Clone.newPID),
    ]

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
        steps.add(.sync, SyncPoint.place)
        steps.add(
            .fork, src: options.intoCgroup ? Slot.cgroup : Slot.none, newNamespaces & Clone.newPID)
    }

    var newNamespaces: UInt64 {
        var flags: UInt64 = 0
        for (type, flag) in Draft.order {
            if let namespace = linux.namespace(type), namespace.path == nil { flags |= flag }
        }
        return flags
    }

    /// The host's procfs, so that no other one can be put in its place (CVE-2025-52881).
    private mutating func planProc() {
        let path = steps.literal("/proc")
        steps.add(.open, dst: Slot.proc, str: path, OpenFlag.path | OpenFlag.directory, 0)
        steps.add(.check, src: Slot.proc, 0, 0, procMagic)
    }

    private mutating func planScore() throws(Failure) {
        guard let score = process.oomScoreAdj else { return }
        steps.origin = Origin("process.oomScoreAdj")
        let file = steps.literal("self/oom_score_adj")
        try write(file, String(score))
    }

    /// Every namespace file is opened before the first one is joined: behind a joined mount namespace, paths mean
    /// something else.
    private mutating func planJoining() throws(Failure) {
        var joined: [(slot: Int16, flag: UInt64, origin: Origin)] = []
        for (index, namespace) in linux.namespaces.enumerated() {
            guard let path = namespace.path else { continue }
            guard let place = Draft.order.firstIndex(where: { $0.type == namespace.type }) else { continue }
            steps.origin = Origin("linux.namespaces", index)
            let slot = Slot.firstNamespace + Int16(place)
            let text = try steps.text(path)
            steps.add(.open, dst: slot, str: text, OpenFlag.readOnly, 0)
            joined.append((slot, Draft.order[place].flag, steps.origin))
        }
        joined.sort { $0.slot < $1.slot }
        for join in joined {
            steps.origin = join.origin
            steps.add(.setNS, src: join.slot, join.flag)
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
        steps.origin = .none
        if !options.noNewKeyring {
            let start = steps.position
            steps.append(literal: "_ses.")
            _ = try steps.text(options.id)
            // A kernel without keyrings has none to keep the container from.
            steps.add(.keyring, ok: (ErrorNumber.notImplemented, 0), str: start)
        }
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
