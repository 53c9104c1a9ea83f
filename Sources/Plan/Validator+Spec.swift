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
                "ociVersion",
                "version \(spec.ociVersion) is not supported; supported are 1.0.0 and later 1.x",
                .unsupported)
        }
    }

    /// Major and minor of a SemVer 2.0.0 version; nil for anything else.
    static func version(_ text: String) -> (major: Int, minor: Int)? {
        var rest = Substring(text).utf8
        guard let major = versionNumber(&rest), dropFirst(".", &rest), let minor = versionNumber(&rest),
            dropFirst(".", &rest), versionNumber(&rest) != nil
        else { return nil }
        if dropFirst("-", &rest), !dropSuffix(&rest) { return nil }
        if dropFirst("+", &rest), !dropSuffix(&rest) { return nil }
        return rest.isEmpty ? (major, minor) : nil
    }

    private static func dropFirst(_ scalar: Unicode.Scalar, _ rest: inout Substring.UTF8View) -> Bool {
        guard rest.first == UInt8(ascii: scalar) else { return false }
        rest.removeFirst()
        return true
    }

    /// Digits, without a zero before others.
    private static func versionNumber(_ rest: inout Substring.UTF8View) -> Int? {
        var number = 0
        var digits = 0
        while let byte = rest.first, byte &- UInt8(ascii: "0") < 10 {
            if digits == 9 || (digits > 0 && number == 0) { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
            digits += 1
            rest.removeFirst()
        }
        return digits > 0 ? number : nil
    }

    /// Identifiers of letters, digits and hyphens, separated by dots, none of them empty.
    private static func dropSuffix(_ rest: inout Substring.UTF8View) -> Bool {
        var length = 0
        while let byte = rest.first, byte != UInt8(ascii: "+") {
            if byte == UInt8(ascii: ".") {
                if length == 0 { return false }
                length = 0
            } else {
                let isAllowed =
                    byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
                    || byte == UInt8(ascii: "-")
                if !isAllowed { return false }
                length += 1
            }
            rest.removeFirst()
        }
        return length > 0
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
            if isRoot(mount.destination) {
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
