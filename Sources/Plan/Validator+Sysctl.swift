internal import Diagnostics
internal import OCI

// Only parameters of a namespace that the container has to itself may be set: any other one is the host's, too.
extension Validator {
    /// A parameter, or with a slash at its end all below it, and the namespace whose it is.
    private static let namespaced: [(path: StaticString, namespace: Spec.Linux.Namespace.Kind)] = [
        ("net/", .network),
        ("fs/mqueue/", .ipc),
        ("kernel/msgmax", .ipc),
        ("kernel/msgmnb", .ipc),
        ("kernel/msgmni", .ipc),
        ("kernel/sem", .ipc),
        ("kernel/shmall", .ipc),
        ("kernel/shmmax", .ipc),
        ("kernel/shmmni", .ipc),
        ("kernel/shm_rmid_forced", .ipc),
        ("kernel/domainname", .uts),
        ("user/", .user),
    ]

    static func checkSysctls(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let linux = spec.linux else { return }
        for (index, entry) in linux.sysctl.enumerated() {
            let path = SysctlName.path(of: entry.key)
            if let problem = problem(ofSysctl: path, linux) {
                throw place.failure(member("linux.sysctl", entry.key), problem)
            }
            // One write, one value: what follows a line end would be dropped, or be a second value.
            if entry.value.utf8.contains(UInt8(ascii: "\n")) {
                throw place.failure(member("linux.sysctl", entry.key), "must not contain a line end")
            }
            if linux.sysctl[..<index].contains(where: { SysctlName.path(of: $0.key).isSame(as: path) }) {
                throw place.failure(member("linux.sysctl", entry.key), "is given twice, with . and with /")
            }
        }
    }

    private static func problem(ofSysctl path: String, _ linux: Spec.Linux) -> String? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isOdd = parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
        if isOdd { return "is not the name of a kernel parameter" }
        if path.isSame(as: "kernel/hostname") { return "is set by the property hostname" }
        for (allowed, namespace) in namespaced where matches(path, allowed) {
            if linux.namespace(namespace) != nil { return nil }
            return "cannot be set without a \(namespace.rawValue) namespace"
        }
        return "belongs to no namespace: setting it would change the host"
    }

    private static func matches(_ path: String, _ allowed: StaticString) -> Bool {
        let allowed = UnsafeBufferPointer(start: allowed.utf8Start, count: allowed.utf8CodeUnitCount)
        guard path.utf8.starts(with: allowed) else { return false }
        return allowed.last == UInt8(ascii: "/") || path.utf8.count == allowed.count
    }
}
