public import Diagnostics
public import OCI

/// From a configuration to the steps that make its container. Pure: what it must know about the host is asked
/// for with `requests(for:)` first.
public enum Planner {
    /// The facts that this configuration's plan depends on.
    public static func requests(for spec: Spec) -> [FactRequest] {
        var requests: [FactRequest] = [.permittedCapabilities]
        var mountsCgroups = false
        var bindsDev = false
        for (index, mount) in spec.mounts.enumerated() {
            if let type = mount.type, type.isSame(as: "cgroup") { mountsCgroups = true }
            guard mount.options.contains(where: { $0.isSame(as: "bind") || $0.isSame(as: "rbind") }) else {
                continue
            }
            let destination = PathText.cleaned(mount.destination)
            if destination.isSame(as: "/dev") { bindsDev = true }
            if destination.isSame(as: "/proc"), let source = mount.source, PathText.isAbsolute(source) {
                requests.append(.isProcfs(index: index, source: source))
            }
        }
        if mountsCgroups { requests.append(.cgroups) }
        if let process = spec.process { requests += labelRequests(for: process) }
        if !bindsDev { requests.append(.kcore) }
        guard let linux = spec.linux else { return requests }
        if !linux.sysctl.isEmpty, let path = linux.namespace(.network)?.path {
            requests.append(.isOwnNetwork(path: path))
        }
        return requests
    }

    /// What must be known for the labels of a process.
    static func labelRequests(for process: Spec.Process) -> [FactRequest] {
        var requests: [FactRequest] = []
        if process.apparmorProfile != nil { requests.append(.appArmor) }
        if process.selinuxLabel != nil { requests.append(.seLinux) }
        return requests
    }

    /// Plans a start of the container.
    ///
    /// - Parameters:
    ///   - spec: a configuration that the validator let pass.
    ///   - facts: answers to `requests(for:)`.
    ///   - filter: the compiled system-call filter; it may also be attached to the plan later.
    /// - Throws: what the configuration wants and the plan cannot do, with the property's JSON path.
    public static func plan(
        _ spec: Spec, facts: HostFacts, options: PlanOptions, filter: [UInt8]? = nil
    ) throws(Failure) -> Plan {
        var draft = Draft(spec: spec, facts: facts, options: options)
        try draft.checkSupport()
        try draft.planStageOne()
        try draft.planStageTwo()
        var plan = Plan(
            draft.steps, firstPrivate: UInt32(clamping: 3 + options.preserveFDs), filterOp: draft.filterOp,
            warnings: draft.warnings)
        if let filter { try plan.attach(filter: filter) }
        return plan
    }
}

/// A plan in the making.
struct Draft {
    let spec: Spec
    let facts: HostFacts
    let options: PlanOptions
    let linux: Spec.Linux
    /// Empty where the configuration has none; `checkSupport` refuses that.
    let process: Spec.Process
    var steps = PlanBuilder()

    /// Mounts that become read-only when everything beneath them is made, in order.
    var lateReadOnly: [LateReadOnly] = []
    var nextKept = Slot.firstKept
    var filterOp: Int?
    /// What the configuration has that does not come to pass, a sentence each.
    var warnings: [String] = []

    init(spec: Spec, facts: HostFacts, options: PlanOptions) {
        self.spec = spec
        self.facts = facts
        self.options = options
        linux = spec.linux ?? Spec.Linux()
        process = spec.process ?? Spec.Process()
    }

    var hasMountNamespace: Bool { linux.namespace(.mount) != nil }

    /// Order matters here more than anywhere else; spec/plan.md says why each step stands where it does.
    mutating func planStageTwo() throws(Failure) {
        try planFreshNamespaces()
        try planRoot()
        try planMounts()
        try planDevices()
        if spec.hooks.areInCreation {
            steps.origin = Origin("hooks")
            steps.add(.sync, SyncPoint.mounted)
        }
        try planEnterRoot()
        try planNames()
        try planProtectedPaths()
        try planProcess()
    }

    /// What would otherwise be left out without a word, or change the host.
    func checkSupport() throws(Failure) {
        if case .none = spec.process { throw Failure(.invalid, "must be given", at: "process") }
        if process.args.isEmpty { throw Failure(.invalid, "must not be empty", at: "process.args") }
        if linux.namespace(.user) != nil || !linux.uidMappings.isEmpty || !linux.gidMappings.isEmpty {
            throw Failure(.unsupported, "user namespaces are not supported yet", at: "linux.namespaces")
        }
        if linux.namespace(.time) != nil || !linux.timeOffsets.isEmpty {
            throw Failure(.unsupported, "time namespaces are not supported yet", at: "linux.namespaces")
        }
        if linux.namespace(.uts) == nil {
            if spec.hostname != nil { throw Failure(.invalid, "needs a uts namespace", at: "hostname") }
            if spec.domainname != nil { throw Failure(.invalid, "needs a uts namespace", at: "domainname") }
        }
        guard !hasMountNamespace else { return }
        // All of these would change the host's own tree.
        let property: String? =
            !spec.mounts.isEmpty
            ? "mounts"
            : !linux.maskedPaths.isEmpty
                ? "linux.maskedPaths"
                : !linux.readonlyPaths.isEmpty
                    ? "linux.readonlyPaths"
                    : spec.root?.readonly == true
                        ? "root.readonly" : linux.rootfsPropagation != nil ? "linux.rootfsPropagation" : nil
        if let property { throw Failure(.invalid, "needs a mount namespace", at: property) }
    }
}

/// A mount that is made read-only at the end.
struct LateReadOnly {
    var origin: Origin
    /// The slot that keeps it, or -1 when there was none left: then it is found by its path.
    var slot: Int16
    var path: String
}

/// `enum cplan_sync`.
enum SyncPoint {
    static let place: UInt64 = 1
    static let mounted: UInt64 = 2
    static let ready: UInt64 = 3
    static let terminal: UInt64 = 4
}
