internal import Diagnostics
internal import Linux
internal import OCI
internal import Runtime

/// `gantry update`: new limits for a container.
enum UpdateCommand {
    @Sendable static func update(_ invocation: Invocation) throws(Failure) -> CInt {
        // As with runc, an empty value is none, and beside a document others do not count.
        let given = UpdateFlags.all.filter { !(invocation.flags[$0.flag] ?? "").isEmpty }
        let resources: Spec.Linux.Resources
        if let source = invocation.flags[Flags.resources], !source.isEmpty {
            for row in given {
                invocation.log.warning("--\(row.flag.name): does not count beside --resources")
            }
            resources = try read(source)
        } else {
            resources = try collect(given, invocation.flags)
        }
        try Operations.update(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot(), resources: resources,
            warn: invocation.log.warning)
        return 0
    }

    private static func collect(
        _ given: [UpdateFlags.Row], _ flags: FlagValues
    ) throws(Failure) -> Spec.Linux.Resources {
        var resources = Spec.Linux.Resources()
        for row in given {
            do throws(Failure) {
                try row.set(&resources, flags[row.flag] ?? "")
            } catch {
                throw error.located(at: "--" + row.flag.name)
            }
        }
        return resources
    }

    /// More than any document of limits has.
    private static let limit = 16 << 20

    private static func read(_ source: String) throws(Failure) -> Spec.Linux.Resources {
        let isStandardInput = source.utf8.elementsEqual("-".utf8)
        let name = isStandardInput ? "standard input" : source
        let bytes =
            isStandardInput
            ? try Descriptor.readAll(0, limit: limit, name: name)
            : try Descriptor.open(source, O.readOnly).readAll(limit: limit, name: name)
        guard let bytes else { throw Failure(.invalid, "is too large", at: name) }
        return try Spec.Linux.Resources.load(json: bytes, name: name)
    }
}
