internal import Diagnostics
internal import OCI

/// Which devices a container may use: the rules of the specification, in order, a later one wins. Pure.
///
/// It starts from "none". After the document's rules come those for what every container may use, the same as runc's.
/// `linux.devices` only makes nodes: whether they may be opened is said by the rules, as with peers.
struct DevicePolicy: Equatable, Sendable {
    /// BPF_DEVCG_ACC_* of linux/bpf.h.
    struct Access: OptionSet, Equatable, Sendable {
        let rawValue: UInt32

        static let mknod = Access(rawValue: 1)
        static let read = Access(rawValue: 2)
        static let write = Access(rawValue: 4)
        static let all: Access = [.mknod, .read, .write]

        /// As in devices.allow.
        var text: String {
            (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.mknod) ? "m" : "")
        }
    }

    /// BPF_DEVCG_DEV_* of linux/bpf.h.
    enum Kind: UInt32, Sendable {
        case block = 1
        case character = 2
    }

    struct Rule: Equatable, Sendable {
        var allow: Bool
        var kind: Kind
        /// nil: every number.
        var major: UInt32?
        var minor: UInt32?
        var access: Access
        /// JSON path of the property it follows from; nil for what every container may use.
        var place: String?
    }

    /// What holds where no rule matches.
    private(set) var allowsByDefault = false
    private(set) var rules: [Rule] = []

    /// Whether every device may be used.
    var isUnlimited: Bool { allowsByDefault && rules.isEmpty }

    /// - Parameter document: `linux.resources.devices`.
    init(_ document: [Spec.Linux.Resources.DeviceRule]) throws(Failure) {
        for (index, rule) in document.enumerated() {
            try add(rule, "linux.resources.devices[\(index)]")
        }
        // Every device is allowed already: nothing to add.
        if isUnlimited { return }
        rules.reserveCapacity(rules.count + Self.always.count)
        for (kind, major, minor, access) in Self.always {
            rules.append(
                Rule(allow: true, kind: kind, major: major, minor: minor, access: access, place: nil))
        }
    }

    /// c *:* m and b *:* m: making a node is harmless while opening it is not allowed.
    private static let always: [(Kind, UInt32?, UInt32?, Access)] = [
        (.character, nil, nil, .mknod),
        (.block, nil, nil, .mknod),
        (.character, 1, 3, .all),  // /dev/null
        (.character, 1, 5, .all),  // /dev/zero
        (.character, 1, 7, .all),  // /dev/full
        (.character, 1, 8, .all),  // /dev/random
        (.character, 1, 9, .all),  // /dev/urandom
        (.character, 5, 0, .all),  // /dev/tty
        (.character, 5, 2, .all),  // /dev/ptmx
        (.character, 136, nil, .all),  // /dev/pts/*
        // /dev/net/tun: peers took it away in 2024 and had to give it back.
        (.character, 10, 200, .all),
    ]

    private mutating func add(_ rule: Spec.Linux.Resources.DeviceRule, _ place: String) throws(Failure) {
        let major = try Self.number(rule.major, place + ".major")
        let minor = try Self.number(rule.minor, place + ".minor")
        let access = try Self.access(rule.access, place + ".access")
        switch rule.type {
        case .all where major == nil && minor == nil && access == .all:
            // Whatever came before does not matter any more.
            allowsByDefault = rule.allow
            rules.removeAll(keepingCapacity: true)
        case .all:
            for kind in [Kind.character, .block] {
                append(rule.allow, kind, major, minor, access, place)
            }
        case .character: append(rule.allow, .character, major, minor, access, place)
        case .block: append(rule.allow, .block, major, minor, access, place)
        }
    }

    private mutating func append(
        _ allow: Bool, _ kind: Kind, _ major: UInt32?, _ minor: UInt32?, _ access: Access, _ place: String
    ) {
        rules.append(Rule(allow: allow, kind: kind, major: major, minor: minor, access: access, place: place))
    }

    private static func number(_ value: Int64?, _ place: String) throws(Failure) -> UInt32? {
        guard let value, value != -1 else { return nil }
        guard let number = UInt32(exactly: value) else {
            throw Failure(.invalid, "must be a device number, or -1 for every number", at: place)
        }
        return number
    }

    private static func access(_ text: String?, _ place: String) throws(Failure) -> Access {
        guard let text, !text.isEmpty else { return .all }
        var access: Access = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "r"): access.insert(.read)
            case UInt8(ascii: "w"): access.insert(.write)
            case UInt8(ascii: "m"): access.insert(.mknod)
            default: throw Failure(.invalid, "may only consist of r, w and m", at: place)
            }
        }
        return access
    }
}
