internal import Diagnostics
internal import OCI

// pids.limit        v1 and v2 pids.max
// hugepageLimits    v1 hugetlb.SIZE.limit_in_bytes, hugetlb.SIZE.rsvd.limit_in_bytes
//                   v2 hugetlb.SIZE.max, hugetlb.SIZE.rsvd.max
// network           v1 net_cls.classid, net_prio.ifpriomap
// rdma              v1 and v2 rdma.max
// unified           v2 the files it names
extension ResourceSettings {
    /// A number of 0 and more is written as it is, so that 0 is no more than the process itself: the kernel
    /// charges forks, not what is there. A version 2 cgroup with 0 could not even be entered by clone3(2), so
    /// 0 becomes 1, which allows the same.
    mutating func add(_ pids: Spec.Linux.Resources.Pids) {
        guard let limit = pids.limit else { return }
        add(
            Setting(
                controller: "pids", file: "pids.max", value: limit < 0 ? "max" : String(max(limit, 1)),
                place: "linux.resources.pids.limit"))
    }

    /// Both what is used and what is reserved by mmap(2), which a kernel may not count on its own (Linux 5.7,
    /// CONFIG_CGROUP_HUGETLB).
    mutating func add(_ limits: [Spec.Linux.Resources.HugepageLimit]) {
        let suffix = version == .v1 ? "limit_in_bytes" : "max"
        for (index, limit) in limits.enumerated() {
            let place = "linux.resources.hugepageLimits[\(index)]"
            let prefix = "hugetlb." + limit.pageSize + "."
            let value = String(limit.limit)
            add(Setting(controller: "hugetlb", file: prefix + suffix, value: value, place: place))
            add(
                Setting(
                    controller: "hugetlb", file: prefix + "rsvd." + suffix, value: value, place: place,
                    mayBeMissing: true))
        }
    }

    mutating func add(_ network: Spec.Linux.Resources.Network) throws(Failure) {
        let place = "linux.resources.network"
        if let classID = network.classID, classID != 0 {
            if version == .v2 { throw Self.missingOnVersion2("network classes", place + ".classID") }
            add(
                Setting(
                    controller: "net_cls", file: "net_cls.classid", value: String(classID),
                    place: place + ".classID"))
        }
        for (index, interface) in network.priorities.enumerated() {
            if version == .v2 { throw Self.missingOnVersion2("network priorities", place + ".priorities") }
            add(
                Setting(
                    controller: "net_prio", file: "net_prio.ifpriomap",
                    value: "\(interface.name) \(interface.priority)", place: "\(place).priorities[\(index)]"))
        }
    }

    private static func missingOnVersion2(_ what: StaticString, _ place: String) -> Failure {
        Failure(.unsupported, "cgroup v2 has no \(what)", at: place)
    }

    mutating func add(_ devices: [Spec.Linux.Resources.Rdma]) {
        for device in devices {
            var line = device.device
            if let handles = device.hcaHandles { line += " hca_handle=\(handles)" }
            if let objects = device.hcaObjects { line += " hca_object=\(objects)" }
            add(
                Setting(
                    controller: "rdma", file: "rdma.max", value: line,
                    place: "linux.resources.rdma[\(device.device.debugDescription)]"))
        }
    }

    /// Each line of a value is a write of its own, since most files take one line at a time. Nothing is written for an
    /// empty value, as with peers.
    mutating func add(unified: [Spec.Entry]) throws(Failure) {
        guard !unified.isEmpty else { return }
        if version == .v1 {
            throw Failure(
                .unsupported, "names files of cgroup v2, and this host has version 1",
                at: "linux.resources.unified")
        }
        for entry in unified {
            let name = entry.key.utf8
            let controller = name[..<(name.firstIndex(of: UInt8(ascii: ".")) ?? name.endIndex)]
            let isCommon = controller.elementsEqual("cgroup".utf8)
            for line in entry.value.utf8.split(separator: UInt8(ascii: "\n")) {
                add(
                    Setting(
                        controller: isCommon ? "" : String(Substring(controller)), file: entry.key,
                        value: String(Substring(line)),
                        place: "linux.resources.unified[\(entry.key.debugDescription)]"))
            }
        }
    }
}
