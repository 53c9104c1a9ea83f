internal import Diagnostics
internal import OCI

// What stands at the top of a configuration.
extension Validator {
    /// Of the specification that this runtime implements.
    static let newestVersion = (major: 1, minor: 3)

    static func checkVersion(_ spec: Spec, _ place: Place) throws(Failure) {
        if spec.ociVersion.isEmpty { throw place.failure("ociVersion", "is required") }
        guard let (major, _) = version(spec.ociVersion) else {
            throw place.failure("ociVersion", "\(quoted(spec.ociVersion)) is not a version such as 1.3.0")
        }
        guard major == newestVersion.major else {
            throw place.failure(
                "ociVersion", "version \(spec.ociVersion) is not supported; supported are 1.0.0 and later 1.x",
                .unsupported)
        }
    }

    /// Major and minor of a SemVer 2.0.0 version; nil for anything else.
    static func version(_ text: String) -> (major: Int, minor: Int)? {
        let plus = UInt8(ascii: "+")
        let withoutBuild = text.utf8.split(separator: plus, maxSplits: 1, omittingEmptySubsequences: false)
        let parts = withoutBuild[0].split(
            separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        for suffix in withoutBuild.dropFirst() + parts.dropFirst() where !isVersionSuffix(suffix) { return nil }
        let numbers = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = versionNumber(numbers[0]), let minor = versionNumber(numbers[1]),
            versionNumber(numbers[2]) != nil
        else { return nil }
        return (major, minor)
    }

    private static func versionNumber(_ text: Substring.UTF8View) -> Int? {
        guard let first = text.first, text.count < 10, first != UInt8(ascii: "0") || text.count == 1 else { return nil }
        var number = 0
        for byte in text {
            guard case UInt8(ascii: "0")...UInt8(ascii: "9") = byte else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// Identifiers of letters, digits and hyphens, separated by dots, none of them empty.
    private static func isVersionSuffix(_ text: Substring.UTF8View) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { identifier in
            !identifier.isEmpty && identifier.allSatisfy { byte in
                byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-")
            }
        }
    }

    static func checkRoot(_ spec: Spec, _ place: Place) throws(Failure) {
        guard let root = spec.root else { throw place.failure("root", "is required") }
        if root.path.isEmpty { throw place.failure("root.path", "must not be empty") }
    }

    static func checkMounts(_ spec: Spec, _ place: Place) throws(Failure) {
        for (index, mount) in spec.mounts.enumerated() {
            if mount.destination.isEmpty {
                throw place.failure("mounts[\(index)].destination", "must not be empty")
            }
            if PathText.cleaned(mount.destination).utf8.count == 1 {
                throw place.failure(
                    "mounts[\(index)].destination", "must not be the container's root, which root.path gives")
            }
            if mount.source == nil, isBind(mount) {
                throw place.failure("mounts[\(index)].source", "is required for a bind mount")
            }
        }
    }

    private static func isBind(_ mount: Spec.Mount) -> Bool {
        mount.options.contains { $0.isSame(as: "bind") || $0.isSame(as: "rbind") }
    }
}
