internal import CLinux
internal import Diagnostics
internal import Linux
internal import Plan

/// Finds out what a plan must know about this host.
enum FactGatherer {
    /// - Parameter cgroup: may be left out for an exec, which asks for nothing about it.
    static func gather(
        _ requests: [FactRequest], cgroup: ContainerCgroup? = nil
    ) throws(Failure) -> HostFacts {
        var facts = HostFacts(cgroup: .legacy([]))
        for request in requests {
            switch request {
            case .cgroups:
                if let cgroup { facts.cgroup = cgroup.layout }
            case .permittedCapabilities:
                facts.permittedCapabilities = try permittedCapabilities()
            case .appArmor:
                facts.appArmorFile = appArmorFile()
            case .seLinux:
                facts.hasSELinux = clinux_exists("/sys/fs/selinux/enforce") == 0
            case .kcore:
                facts.hasKcore = clinux_exists("/proc/kcore") == 0
            case .isProcfs(let index, let source):
                if clinux_fs_type_at(source) == FileSystemMagic.proc { facts.procfsSources.append(index) }
            case .isOwnNetwork(let path):
                facts.joinsOwnNetwork = try isSameFile(path, "/proc/self/ns/net")
            }
        }
        return facts
    }

    /// Who has none cannot start containers; what he gets to see is the plan of somebody who can.
    private static func permittedCapabilities() throws(Failure) -> UInt64 {
        var mask: UInt64 = 0
        _ = try check(clinux_permitted_capabilities(&mask), "capget", "cannot read the capabilities")
        return mask == 0 ? .max : mask
    }

    /// Beside other modules AppArmor has a directory of its own (Linux 5.8); the plain file is the first module's.
    private static func appArmorFile() -> String? {
        let enabled = "/sys/module/apparmor/parameters/enabled"
        guard let file = try? Descriptor.open(enabled, O.readOnly),
            let bytes = try? file.readAll(limit: 16, name: enabled), bytes.first == UInt8(ascii: "Y")
        else { return nil }
        let own = "self/attr/apparmor/exec"
        return clinux_exists("/proc/" + own) == 0 ? own : "self/attr/exec"
    }

    private static func isSameFile(_ first: String, _ second: String) throws(Failure) -> Bool {
        try check(clinux_is_same_file(first, second), "stat \(first)", "cannot look at the namespace") == 1
    }
}
