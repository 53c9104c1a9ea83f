internal import Diagnostics

/// `gantry plan`: what a start would do, without doing it.
enum PlanCommand {
    @Sendable static func plan(_ invocation: Invocation) throws(Failure) -> CInt {
        let flags = invocation.flags
        let options = CreateOptions(
            id: invocation.positionals.first ?? "plan", bundle: flags.bundle,
            root: try invocation.globals.stateRoot(), noPivot: flags.has(Flags.noPivot),
            noNewKeyring: flags.has(Flags.noNewKeyring), preserveFDs: flags.count(Flags.preserveFDs))
        try Output.standard(try Operations.plan(options, asJSON: flags.has(Flags.json)))
        return 0
    }
}
