internal import Diagnostics
internal import Linux

/// User names by number, as /etc/passwd of the host has them. The C library's look-up is not used: in a static
/// program it would load libraries of the host.
struct OwnerNames: Sendable {
    private let names: [(uid: UInt32, name: String)]

    /// - Parameter passwd: a file in the format of passwd(5); lines that break it are skipped.
    init(passwd: [UInt8]) {
        names = passwd.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count > 2, let uid = UInt32(String(decoding: fields[2], as: UTF8.self)) else {
                return nil
            }
            return (uid, String(decoding: fields[0], as: UTF8.self))
        }
    }

    /// Reads /etc/passwd; without a readable one every user is shown by number.
    static func ofThisHost() -> OwnerNames {
        let limit = 16 << 20
        do {
            let file = try Descriptor.open("/etc/passwd", O.readOnly)
            return OwnerNames(passwd: try file.readAll(limit: limit, name: "/etc/passwd") ?? [])
        } catch {
            return OwnerNames(passwd: [])
        }
    }

    /// The user's name, or `#1000` for a user without one.
    func name(of uid: UInt32) -> String {
        names.first { $0.uid == uid }?.name ?? "#\(uid)"
    }
}
