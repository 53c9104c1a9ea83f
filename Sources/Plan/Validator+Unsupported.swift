internal import Diagnostics
internal import OCI

/// Properties that are right but not executed yet: using one is an error, never ignored. What learns to
/// execute one deletes its line.
///
/// Each line: whether it is used (for an array of objects: by which element), its JSON path with `*` for the
/// number of that element, and the beginning of "… not supported yet". Calls and not an array of rows: the
/// types of such an array and of its closures would be made at run time, which takes longer than all checks.
enum Unsupported {
    static func check(_ spec: Spec) throws(Failure) {
        let place = Place("")
        let mounts = spec.mounts
        let withUsers = mounts.firstIndex { !$0.uidMappings.isEmpty }
        let withGroups = mounts.firstIndex { !$0.gidMappings.isEmpty }
        try refuse(withUsers, "mounts[*].uidMappings", "mapped ids are", place)
        try refuse(withGroups, "mounts[*].gidMappings", "mapped ids are", place)
    }

    static func check(_ linux: Spec.Linux) throws(Failure) {
        let place = Place("linux")
        let user = linux.namespaces.firstIndex { $0.type == .user }
        let time = linux.namespaces.firstIndex { $0.type == .time }
        let notify = linux.seccomp?.syscalls.firstIndex { $0.action == .notify }
        try refuse(user, "namespaces[*]", "user namespaces are", place)
        try refuse(time, "namespaces[*]", "time namespaces are", place)
        try refuse(!linux.uidMappings.isEmpty, "uidMappings", "user namespaces are", place)
        try refuse(!linux.gidMappings.isEmpty, "gidMappings", "user namespaces are", place)
        try refuse(!linux.timeOffsets.isEmpty, "timeOffsets", "time namespaces are", place)
        try refuse(!linux.netDevices.isEmpty, "netDevices", "moving network devices is", place)
        try refuse(linux.intelRdt != nil, "intelRdt", "resctrl is", place)
        try refuse(linux.memoryPolicy != nil, "memoryPolicy", "memory policies are", place)
        try refuse(linux.mountLabel != nil, "mountLabel", "SELinux is", place)
        try refuse(
            linux.seccomp?.listenerPath != nil, "seccomp.listenerPath", "seccomp notification is", place)
        try refuse(notify, "seccomp.syscalls[*].action", "seccomp notification is", place)
    }

    static func check(_ process: Spec.Process, _ place: Place) throws(Failure) {
        try refuse(process.scheduler != nil, "scheduler", "scheduling policies are", place)
        try refuse(process.ioPriority != nil, "ioPriority", "I/O priorities are", place)
        try refuse(process.execCPUAffinity != nil, "execCPUAffinity", "CPU affinity is", place)
    }

    @inline(__always)
    private static func refuse(
        _ isUsed: Bool, _ path: StaticString, _ what: StaticString, _ place: Place
    ) throws(Failure) {
        if isUsed { throw place.failure("\(path)", "\(what) not supported yet", .unsupported) }
    }

    @inline(__always)
    private static func refuse(
        _ user: Int?, _ path: StaticString, _ what: StaticString, _ place: Place
    ) throws(Failure) {
        guard let user else { return }
        let parts = path.description.split(separator: "*", maxSplits: 1)
        throw place.failure("\(parts[0])\(user)\(parts[1])", "\(what) not supported yet", .unsupported)
    }
}
