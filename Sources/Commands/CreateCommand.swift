internal import Diagnostics

/// `gantry create` and `gantry run`, which share their flags.
enum CreateCommand {
    @Sendable static func create(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.create(try options(invocation))
        return 0
    }

    @Sendable static func run(_ invocation: Invocation) throws(Failure) -> CInt {
        try Operations.run(
            try options(invocation), detach: invocation.flags.has(Flags.detach),
            keep: invocation.flags.has(Flags.keep))
    }

    private static func options(_ invocation: Invocation) throws(Failure) -> CreateOptions {
        let flags = invocation.flags
        for flag in [Flags.consoleSocket, Flags.pidfdSocket] where flags[flag] != nil {
            throw Failure(.unsupported, "not supported yet", at: "--\(flag.name)")
        }
        try refuseForeignCgroupManagers(invocation.globals)
        return CreateOptions(
            id: invocation.positionals[0], bundle: flags.bundle,
            root: try invocation.globals.stateRoot(), pidFile: flags[Flags.pidFile],
            noPivot: flags.has(Flags.noPivot), noNewKeyring: flags.has(Flags.noNewKeyring),
            preserveFDs: flags.count(Flags.preserveFDs), noSubreaper: flags.has(Flags.noSubreaper))
    }

    /// Refused here and not while parsing: engines pass these before every command, and only making a container
    /// depends on them.
    private static func refuseForeignCgroupManagers(_ globals: FlagValues) throws(Failure) {
        if globals.has(Flags.systemdCgroup) {
            throw Failure(
                .unsupported, "cgroups made by systemd are not supported yet", at: "--systemd-cgroup")
        }
        if let manager = globals[Flags.cgroupManager], manager != "cgroupfs" {
            throw Failure(.unsupported, "\(manager) is not supported yet", at: "--cgroup-manager")
        }
    }
}
