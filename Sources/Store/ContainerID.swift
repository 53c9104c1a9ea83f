public import Diagnostics

/// The rule for container IDs: they become the name of a directory, a cgroup and a socket's directory.
public enum ContainerID {
    /// NAME_MAX: an ID is one component of a path, as with runc.
    public static let maximumLength = 255

    /// Letters, digits and `_+.-`, not `.` or `..`, at most 255 bytes.
    public static func check(_ id: String) throws(Failure) {
        let bytes = id.utf8
        guard bytes.count <= maximumLength else {
            throw Failure(
                .usage,
                "invalid container ID format: \(bytes.count) bytes, of which a directory's name can have"
                    + " \(maximumLength)", at: id)
        }
        guard !bytes.isEmpty, id != ".", id != "..", bytes.allSatisfy(isAllowed)
        else {
            throw Failure(.usage, "invalid container ID format", at: id)
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
