internal import Diagnostics
internal import Runtime

/// `gantry plan`: what a start would do, without doing it.
enum PlanCommand {
    @Sendable static func plan(_ invocation: Invocation) throws(Failure) -> CInt {
        let options = try invocation.createOptions(id: invocation.positionals.first ?? "plan")
        try Output.standard(
            try Operations.plan(
                options, asJSON: invocation.flags.has(Flags.json), warn: invocation.log.warning))
        return 0
    }
}
