internal import Diagnostics
internal import OCI

/// Properties that are right but not executed yet: using one is an error, never ignored. What learns to execute one
/// deletes its row.
enum Unsupported {
    /// `path` is the JSON path; its `*` stands for the index that `use` finds. `what` completes "… not supported yet".
    private typealias Row<Subject> = (
        path: StaticString, what: StaticString, use: @Sendable (Subject) -> Int?
    )

    private static let inSpec: [Row<Spec>] = [
        ("hooks.prestart", "hooks are", { used(!$0.hooks.prestart.isEmpty) }),
        ("hooks.createRuntime", "hooks are", { used(!$0.hooks.createRuntime.isEmpty) }),
        ("hooks.createContainer", "hooks are", { used(!$0.hooks.createContainer.isEmpty) }),
        ("hooks.startContainer", "hooks are", { used(!$0.hooks.startContainer.isEmpty) }),
        ("hooks.poststart", "hooks are", { used(!$0.hooks.poststart.isEmpty) }),
        ("hooks.poststop", "hooks are", { used(!$0.hooks.poststop.isEmpty) }),
        ("mounts[*].uidMappings", "mapped ids are", { $0.mounts.firstIndex { !$0.uidMappings.isEmpty } }),
        ("mounts[*].gidMappings", "mapped ids are", { $0.mounts.firstIndex { !$0.gidMappings.isEmpty } }),
    ]

    private static let inLinux: [Row<Spec.Linux>] = [
        ("namespaces[*]", "user namespaces are", { $0.namespaces.firstIndex { $0.type == .user } }),
        ("namespaces[*]", "time namespaces are", { $0.namespaces.firstIndex { $0.type == .time } }),
        ("uidMappings", "user namespaces are", { used(!$0.uidMappings.isEmpty) }),
        ("gidMappings", "user namespaces are", { used(!$0.gidMappings.isEmpty) }),
        ("timeOffsets", "time namespaces are", { used(!$0.timeOffsets.isEmpty) }),
        ("netDevices", "moving network devices is", { used(!$0.netDevices.isEmpty) }),
        ("intelRdt", "resctrl is", { used($0.intelRdt != nil) }),
        ("memoryPolicy", "memory policies are", { used($0.memoryPolicy != nil) }),
        ("mountLabel", "SELinux is", { used($0.mountLabel != nil) }),
        ("seccomp.listenerPath", "seccomp notification is", { used($0.seccomp?.listenerPath != nil) }),
        (
            "seccomp.syscalls[*].action", "seccomp notification is",
            { $0.seccomp?.syscalls.firstIndex { $0.action == .notify } }
        ),
    ]

    private static let inProcess: [Row<Spec.Process>] = [
        ("terminal", "terminals are", { used($0.terminal) }),
        ("scheduler", "scheduling policies are", { used($0.scheduler != nil) }),
        ("ioPriority", "I/O priorities are", { used($0.ioPriority != nil) }),
        ("execCPUAffinity", "CPU affinity is", { used($0.execCPUAffinity != nil) }),
        ("apparmorProfile", "AppArmor is", { used($0.apparmorProfile != nil) }),
        ("selinuxLabel", "SELinux is", { used($0.selinuxLabel != nil) }),
    ]

    /// Engines write some of these with nothing in them, or with zero weights.
    private static let inResources: [Row<Spec.Linux.Resources>] = [
        ("blockIO", "I/O limits are", { used($0.blockIO.map { !isDefault($0) } ?? false) }),
        ("hugepageLimits", "huge page limits are", { used(!$0.hugepageLimits.isEmpty) }),
        ("network", "network classes are", { used($0.network.map { !isDefault($0) } ?? false) }),
        ("rdma", "RDMA limits are", { used(!$0.rdma.isEmpty) }),
        ("unified", "cgroup files by name are", { used(!$0.unified.isEmpty) }),
    ]

    static func check(_ spec: Spec) throws(Failure) {
        try check(spec, inSpec, Place(""))
        if let process = spec.process { try check(process, inProcess, Place("process")) }
        guard let linux = spec.linux else { return }
        try check(linux, inLinux, Place("linux"))
        if let resources = linux.resources { try check(resources, inResources, Place("linux.resources")) }
    }

    static func check(_ process: Spec.Process) throws(Failure) {
        try check(process, inProcess, Place(""))
    }

    static func check(_ resources: Spec.Linux.Resources) throws(Failure) {
        try check(resources, inResources, Place(""))
    }

    private static func check<Subject>(
        _ subject: Subject, _ rows: [Row<Subject>], _ place: Place
    ) throws(Failure) {
        for row in rows {
            guard let index = row.use(subject) else { continue }
            let parts = row.path.description.split(separator: "*", maxSplits: 1)
            let path = parts.count == 2 ? "\(parts[0])\(index)\(parts[1])" : row.path.description
            throw place.failure(path, "\(row.what) not supported yet", .unsupported)
        }
    }

    /// For rows whose path has no `*`.
    private static func used(_ isUsed: Bool) -> Int? { isUsed ? 0 : nil }

    private static func isDefault(_ blockIO: Spec.Linux.Resources.BlockIO) -> Bool {
        var rest = blockIO
        if rest.weight == 0 { rest.weight = nil }
        if rest.leafWeight == 0 { rest.leafWeight = nil }
        return rest == Spec.Linux.Resources.BlockIO()
    }

    private static func isDefault(_ network: Spec.Linux.Resources.Network) -> Bool {
        (network.classID ?? 0) == 0 && network.priorities.isEmpty
    }
}
