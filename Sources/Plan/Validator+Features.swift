internal import Diagnostics
public import OCI

// What this build executes, asked of the checks themselves: a list beside them would be wrong one day.
extension Validator {
    /// Whether configurations with a property are executed.
    ///
    /// - Parameter use: adds the property to a configuration that is valid without it.
    public static func executes(_ use: (inout Spec) -> Void) -> Bool {
        var spec = Spec()
        spec.ociVersion = oldestVersionText
        spec.root = Spec.Root(path: "rootfs")
        spec.process = Spec.Process(cwd: "/", args: ["sh"])
        spec.linux = Spec.Linux()
        use(&spec)
        // On a host that has everything.
        var facts = HostFacts(cgroup: .legacy([]))
        facts.appArmorFile = "self/attr/exec"
        facts.hasSELinux = true
        do {
            try check(spec)
            _ = try Planner.plan(
                spec, facts: facts,
                options: PlanOptions(id: "features", bundle: "/bundle", rootfs: "/bundle/rootfs"))
            return true
        } catch {
            // What is wrong with the value that stands for all others is another matter.
            return error.kind != .unsupported
        }
    }

    /// The oldest and the newest version of the specification that are accepted.
    public static let oldestVersionText = "1.0.0"
    public static var newestVersionText: String { "\(newestVersion.major).\(newestVersion.minor).0" }

    /// Names of capabilities that are known, whether the kernel has them or not.
    public static var capabilityNames: [String] {
        NameTable.capabilities.names.map { "CAP_" + $0.description }
    }
}
