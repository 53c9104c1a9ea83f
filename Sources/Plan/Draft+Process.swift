internal import CPlan
internal import Diagnostics
internal import OCI

/// The user's process: limits, identity, capabilities, filter, and the exec.
extension Draft {
    mutating func planProcess() throws(Failure) {
        let environment = Environment(process.env + options.environment)
        let hook = options.joining?.hook
        let needsHome = hook == nil && environment.value("HOME")?.isEmpty ?? true
        let capabilities = addCapabilities()

        if needsHome { planPasswd() }
        try planLabels()
        try planRlimits()
        planPersonality()
        steps.origin = Origin("process.user.umask")
        steps.add(.umask, UInt64(process.user.umask ?? 0o022))
        steps.origin = Origin("process.capabilities.bounding")
        steps.add(.capBounding, str: capabilities.offset, capabilities.sets.bounding)
        if hook?.ownsStreams ?? true {
            steps.origin = Origin("process.user")
            steps.add(.stdioOwner, UInt64(process.user.uid))
        }

        // From here on nothing but the container's own can be reached: a working directory or an executable
        // that is named /proc/self/fd/N leads nowhere else (CVE-2024-21626).
        steps.origin = .none
        steps.add(.closeFrom, src: needsHome ? Slot.passwd : Slot.none, UInt64(3 + options.preserveFDs))
        try planIdentity(capabilities.offset)
        try planExecutable(environment)
        // Nobody waits for an exec to be ready, unless it lacks something.
        if options.joining == nil || needsHome { planReady(needsHome: needsHome) }
        planPrivileges(capabilities.sets, offset: capabilities.offset)
        try planExec(environment)
    }

    private mutating func addCapabilities() -> (sets: cplan_caps, offset: UInt32) {
        // In a user namespace of its own a process has all of them.
        let available = linux.namespace(.user) == nil ? facts.permittedCapabilities : .max
        let (sets, missing) = Capabilities.sets(process.capabilities, available: available)
        if missing != 0 {
            warnings.append(
                "process.capabilities: the container is without \(Plan.capabilities(missing)), since gantry"
                    + " itself is")
        }
        return (sets, addCapabilities(sets))
    }

    private mutating func addCapabilities(_ sets: cplan_caps) -> UInt32 {
        withUnsafeBytes(of: sets) { steps.data($0) }
    }

    /// gantry reads the user's home directory from it. Opened as root, and in the root file system, like
    /// everything in there; a container without the file has the home "/".
    private mutating func planPasswd() {
        steps.origin = .none
        let path = steps.literal("etc/passwd")
        steps.add(
            .open, flags: UInt32(CPLAN_F_OPTIONAL), dst: Slot.passwd, src: Slot.root, str: path,
            OpenFlag.readOnly | OpenFlag.noTTY | OpenFlag.nonBlock, Resolve.container)
    }

    /// Raising a hard limit takes privileges, so it happens here; what would be in our own way waits: see
    /// `planLateLimits`.
    private mutating func planRlimits() throws(Failure) {
        for (index, limit) in process.rlimits.enumerated() {
            steps.origin = Origin("process.rlimits", index)
            guard let number = NameTable.rlimits.number(of: limit.type) else {
                throw Failure(
                    .invalid, "\"\(limit.type)\" is no resource limit", at: "process.rlimits[\(index)].type")
            }
            guard isLate(limit, number) else {
                steps.add(.rlimit, UInt64(number), limit.soft, limit.hard)
                continue
            }
            let isRaised =
                number == Draft.openFiles
                ? limit.hard >= Draft.ownFiles : limit.hard > (options.joining?.processLimit ?? 0)
            if isRaised { steps.add(.rlimit, UInt64(number), limit.hard, limit.hard) }
        }
    }

    /// Whether the limit would be in the init's own way: it needs some open files, and an exec forks once
    /// more after it has become the container's user.
    private func isLate(_ limit: Spec.Process.Rlimit, _ number: Int) -> Bool {
        (number == Draft.openFiles && limit.soft < Draft.ownFiles)
            || (number == Draft.processes && options.joining != nil)
    }

    /// RLIMIT_NOFILE.
    static let openFiles = 7
    /// RLIMIT_NPROC.
    private static let processes = 6
    /// More than the init ever has open behind the preserved descriptors.
    private static let ownFiles: UInt64 = 256

    private mutating func planLateLimits() {
        for (index, limit) in process.rlimits.enumerated() {
            guard let number = NameTable.rlimits.number(of: limit.type), isLate(limit, number) else {
                continue
            }
            steps.origin = Origin("process.rlimits", index)
            steps.add(.rlimit, UInt64(number), limit.soft, limit.hard)
        }
    }

    private mutating func planPersonality() {
        guard let personality = linux.personality else { return }
        steps.origin = Origin("linux.personality")
        steps.add(.personality, personality.domain == .linux32 ? 0x8 : 0x0)
    }

    /// The working directory is entered as root and, where only its user may (a network file system), once
    /// more.
    private mutating func planIdentity(_ capabilities: UInt32) throws(Failure) {
        steps.origin = Origin("process.cwd")
        let path = try steps.text(process.cwd)
        steps.add(.chdir, ok: (ErrorNumber.access, ErrorNumber.notPermitted), str: path)
        steps.origin = Origin("process.user")
        let groups = process.user.additionalGids
        let list = groups.withUnsafeBytes { steps.data($0) }
        steps.add(
            .identity, str: list, str2: capabilities, len: UInt32(groups.count), UInt64(process.user.uid),
            UInt64(process.user.gid))
        steps.origin = Origin("process.cwd")
        steps.add(.chdir, str: path)
    }

    /// Where the executable may be: args[0] itself when it has a slash, else in each directory of the
    /// container's PATH; an empty entry is the working directory (execvp(3)).
    mutating func planExecutable(_ environment: Environment) throws(Failure) {
        let hook = options.joining?.hook
        steps.origin = hook?.origin ?? Origin("process.args", 0)
        let name = hook?.hook.path ?? process.args[0]
        let start = steps.position
        if name.utf8.contains(PathText.slash) {
            _ = try steps.text(name)
        } else if !name.isEmpty, let path = environment.value("PATH"), !path.isEmpty {
            var rest = path
            while true {
                let entry = rest.prefix { $0 != UInt8(ascii: ":") }
                if entry.isEmpty {
                    steps.append(literal: ".")
                } else {
                    try steps.append(Substring(entry))
                }
                if entry.last != PathText.slash { steps.append(byte: PathText.slash) }
                _ = try steps.text(name)
                if entry.endIndex == rest.endIndex { break }
                rest = rest[rest.index(after: entry.endIndex)...]
            }
        }
        let length = steps.position - start
        steps.add(.resolveExec, str: length == 0 ? 0 : start, len: length)
    }

    /// Everything that can go wrong has gone wrong before this, as far as one can know: `create` tells it.
    private mutating func planReady(needsHome: Bool) {
        steps.origin = .none
        var flags = needsHome ? UInt32(CPLAN_F_ENV_VALUE | CPLAN_F_ANY_FD) : 0
        if options.waitsForStart { flags |= UInt32(CPLAN_F_LAST) }
        steps.add(.sync, flags: flags, src: needsHome ? Slot.passwd : Slot.none, SyncPoint.ready)
        if needsHome { steps.add(.close, src: Slot.passwd) }
    }

    /// A filter may be loaded by whoever can gain no privileges, or by CAP_SYS_ADMIN. The less comes behind
    /// it, the less it must allow.
    ///
    /// Capabilities go before the wait for `start`: a neighbour in the pid namespace that has CAP_SYS_PTRACE
    /// can take over whoever waits there, and must not win by it (CVE-2016-9962).
    private mutating func planPrivileges(_ sets: cplan_caps, offset: UInt32) {
        if process.noNewPrivileges {
            steps.origin = Origin("process.noNewPrivileges")
            steps.add(.noNewPrivileges)
        }
        let hasFilter = linux.seccomp != nil
        let isFilterPrivileged = hasFilter && !process.noNewPrivileges
        if isFilterPrivileged {
            // The permitted set is still full, the effective one is not.
            var raised = sets
            raised.effective |= Capabilities.sysAdmin & facts.permittedCapabilities
            raised.permitted |= Capabilities.sysAdmin & facts.permittedCapabilities
            raised.ambient = 0
            steps.origin = Origin("linux.seccomp")
            let raisedOffset = addCapabilities(raised)
            steps.add(.caps, str: raisedOffset)
        } else {
            planCapabilities(offset)
        }
        steps.origin = .none
        if options.waitsForStart { steps.add(.waitStart) }
        // What the container sees of an exec is its own already.
        if options.joining != nil {
            steps.add(.fork)
            if process.terminal { planControllingTerminal() }
        }
        planDeathSignal()
        planLateLimits()
        if hasFilter { planFilter() }
        if isFilterPrivileged { planCapabilities(offset) }
    }

    private mutating func planCapabilities(_ offset: UInt32) {
        steps.origin = Origin("process.capabilities")
        steps.add(.caps, str: offset)
    }

    private mutating func planFilter() {
        steps.origin = Origin("linux.seccomp")
        var flags: UInt64 = 0
        for flag in linux.seccomp?.flags ?? [] { flags |= UInt64(flag.mask) }
        filterOp = steps.ops.count
        steps.add(.seccomp, flags)
    }

    mutating func planExec(_ environment: Environment) throws(Failure) {
        steps.origin = Origin("process.args")
        var arguments: [UInt32] = []
        arguments.reserveCapacity(process.args.count + Plan.reaperWords)
        if options.hasInit {
            // The init puts the path that it has chosen in the place of the second.
            let name = steps.literal("gantry-reaper")
            arguments.append(name)
            arguments.append(name)
        }
        for argument in process.args { arguments.append(try steps.text(argument)) }
        steps.origin = Origin("process.env")
        var entries: [UInt32] = []
        entries.reserveCapacity(environment.chosen.count)
        if let hook = options.joining?.hook {
            for entry in hook.hook.env { entries.append(try steps.text(entry)) }
        }
        for position in options.joining?.hook == nil ? environment.chosen : [] {
            let entry = environment.entries[Int(position)]
            // The init appends the home directory that gantry found.
            if entry.isSame(as: "HOME=") { continue }
            entries.append(try steps.text(entry))
        }
        steps.origin = options.joining?.hook?.origin ?? Origin("process.args", 0)
        let argv = steps.vector(arguments)
        let envp = steps.vector(entries)
        steps.add(.exec, src: options.hasInit ? Slot.reaper : Slot.none, str: argv, str2: envp)
    }
}
