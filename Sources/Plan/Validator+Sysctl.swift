internal import Diagnostics
internal import OCI

// Only parameters of a namespace that the container has to itself may be set: any other one is the host's,
// too.
extension Validator {
    /// Per namespace its parameters; a slash at the end stands for all below it.
    private static let ofNetwork: [StaticString] = ["net/"]
    private static let ofIPC: [StaticString] = [
        "fs/mqueue/", "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall",
        "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
    ]
    private static let ofUTS: [StaticString] = ["kernel/domainname"]
    private static let ofUser: [StaticString] = ["user/"]

    static func checkSysctls(_ linux: Spec.Linux, _ place: Place) throws(Failure) {
        for (index, entry) in linux.sysctl.enumerated() {
            let path = SysctlName.path(of: entry.key)
            if let problem = problem(ofSysctl: path, linux) {
                throw place.failure(member("sysctl", entry.key), problem)
            }
            // One write, one value: what follows a line end would be dropped, or be a second value.
            if entry.value.utf8.contains(UInt8(ascii: "\n")) {
                throw place.failure(member("sysctl", entry.key), "must not contain a line end")
            }
            if linux.sysctl[..<index].contains(where: { SysctlName.path(of: $0.key).isSame(as: path) }) {
                throw place.failure(member("sysctl", entry.key), "is given twice, with . and with /")
            }
        }
    }

    private static func problem(ofSysctl path: String, _ linux: Spec.Linux) -> String? {
        if isOdd(path) { return "is not the name of a kernel parameter" }
        if path.isSame(as: "kernel/hostname") { return "is set by the property hostname" }
        guard let namespace = owner(ofSysctl: path) else {
            return "belongs to no namespace: setting it would change the host"
        }
        if linux.namespace(namespace) != nil { return nil }
        return "cannot be set without a \(namespace.rawValue) namespace"
    }

    /// Whether a component is empty, `.` or `..`.
    private static func isOdd(_ path: String) -> Bool {
        var isOdd = false
        forEachComponent(path) { isOdd = isOdd || $0 != .name }
        return isOdd
    }

    private static func owner(ofSysctl path: String) -> Spec.Linux.Namespace.Kind? {
        if ofNetwork.contains(where: { matches(path, $0) }) { return .network }
        if ofIPC.contains(where: { matches(path, $0) }) { return .ipc }
        if ofUTS.contains(where: { matches(path, $0) }) { return .uts }
        if ofUser.contains(where: { matches(path, $0) }) { return .user }
        return nil
    }

    private static func matches(_ path: String, _ allowed: StaticString) -> Bool {
        let allowed = UnsafeBufferPointer(start: allowed.utf8Start, count: allowed.utf8CodeUnitCount)
        guard path.utf8.starts(with: allowed) else { return false }
        return allowed.last == UInt8(ascii: "/") || path.utf8.count == allowed.count
    }
}
