internal import CLinux
internal import Diagnostics
internal import Linux
internal import Plan

/// Finds out what a plan must know about this host.
enum FactGatherer {
    static func gather(
        _ requests: [FactRequest], rootfs: String, cgroup: ContainerCgroup
    ) throws(Failure) -> HostFacts {
        var facts = HostFacts(cgroup: .legacy([]))
        for request in requests {
            switch request {
            case .cgroups:
                facts.cgroup = cgroup.layout
            case .lastCapability:
                facts.lastCapability = try lastCapability()
            case .kcore:
                facts.hasKcore = clinux_exists("/proc/kcore") == 0
            case .rootfsMountPoint:
                facts.rootfsMountPoint = try MountInfo.mountPoint(containing: rootfs)
            case .isProcfs(let index, let source):
                if clinux_fs_type_at(source) == FileSystemMagic.proc { facts.procfsSources.append(index) }
            case .isOwnNetwork(let path):
                facts.joinsOwnNetwork = try isSameFile(path, "/proc/self/ns/net")
            }
        }
        return facts
    }

    /// The kernel knows every number up to the last: the usual one is asked about first, the file only if it is not.
    private static func lastCapability() throws(Failure) -> Int {
        let usual: CInt = 40  // CAP_CHECKPOINT_RESTORE, since Linux 5.9
        if clinux_knows_capability(usual) == 1 && clinux_knows_capability(usual + 1) == 0 {
            return Int(usual)
        }
        let path = "/proc/sys/kernel/cap_last_cap"
        let bytes = try Descriptor.open(path, O.readOnly).readAll(limit: 16, name: path) ?? []
        let digits = bytes.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let number = Int(String(decoding: digits, as: UTF8.self)), number < 64 else {
            throw Failure(.system, "is not a capability's number", at: path)
        }
        return number
    }

    private static func isSameFile(_ first: String, _ second: String) throws(Failure) -> Bool {
        try check(clinux_is_same_file(first, second), "stat \(first)", "cannot look at the namespace") == 1
    }
}
