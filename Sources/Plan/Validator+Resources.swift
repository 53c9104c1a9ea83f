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

    /// A key is the name of one file in the container's cgroup.
    static func checkUnified(_ resources: Spec.Linux.Resources, _ place: Place) throws(Failure) {
        for entry in resources.unified {
            let isDirectory = entry.key.isSame(as: ".") || entry.key.isSame(as: "..")
            if entry.key.isEmpty || isDirectory || entry.key.utf8.contains(UInt8(ascii: "/")) {
                throw place.failure(member("unified", entry.key), "must be the name of a cgroup file")
            }
        }
    }
}
