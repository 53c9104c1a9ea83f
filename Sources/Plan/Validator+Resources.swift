internal import Diagnostics
internal import OCI

// Limits. What a controller accepts is told by the part that writes its files.
extension Validator {
    static func checkDeviceRules(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        for (index, rule) in resources.devices.enumerated() {
            if let major = rule.major, major < -1 {
                throw place.failure("devices[\(index)].major", anyNumber)
            }
            if let minor = rule.minor, minor < -1 {
                throw place.failure("devices[\(index)].minor", anyNumber)
            }
            guard let access = rule.access else { continue }
            if !access.utf8.allSatisfy({ "rwm".utf8.contains($0) }) {
                throw place.failure(
                    "devices[\(index)].access", "\(quoted(access)) may only consist of r, w and m")
            }
        }
    }

    private static var anyNumber: String { "must be a number from 0 on, or -1 for every number" }

    /// The size becomes part of a file name: `hugetlb.2MB.limit_in_bytes`.
    static func checkHugepages(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        for (index, limit) in resources.hugepageLimits.enumerated() where !isPageSize(limit.pageSize) {
            throw place.failure(
                "hugepageLimits[\(index)].pageSize",
                "\(quoted(limit.pageSize)) is not a size such as 64KB, 2MB or 1GB")
        }
    }

    /// Digits, then KB, MB or GB.
    private static func isPageSize(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count >= 3, bytes.dropLast(2).allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else {
            return false
        }
        return ["KB", "MB", "GB"].contains { bytes.suffix(2).elementsEqual($0.utf8) }
    }

    /// A name becomes the first word of a line.
    static func checkPriorities(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        guard let network = resources.network else { return }
        for (index, interface) in network.priorities.enumerated() where !isWord(interface.name) {
            throw place.failure(
                "network.priorities[\(index)].name",
                "\(quoted(interface.name)) is not the name of an interface")
        }
    }

    static func checkRdma(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        for device in resources.rdma {
            if !isWord(device.device) {
                throw place.failure(member("rdma", device.device), "must be the name of a device")
            }
            if device.hcaHandles == nil && device.hcaObjects == nil {
                throw place.failure(member("rdma", device.device), "must have hcaHandles or hcaObjects")
            }
        }
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    /// A key is the name of one file in the container's cgroup: of a controller, or of those that every cgroup has,
    /// unless writing there is no setting but an act.
    static func checkUnified(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        for entry in resources.unified {
            let key = entry.key.utf8
            guard let dot = key.firstIndex(of: UInt8(ascii: ".")), dot > key.startIndex,
                key.index(after: dot) < key.endIndex, key.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") })
            else {
                throw place.failure(
                    member("unified", entry.key), "must be the name of a cgroup file, CONTROLLER.NAME")
            }
            for act in ["cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze"]
            where entry.key.isSame(as: act) {
                throw place.failure(member("unified", entry.key), "is no setting of the cgroup")
            }
        }
    }
}
