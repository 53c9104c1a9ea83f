internal import Diagnostics

/// The devices controller of cgroup v1 knows a default and exceptions from it, without an order: the ordered
/// rules are merged into those.
struct DeviceExceptions: Equatable, Sendable {
    struct Exception: Equatable, Sendable {
        var kind: DevicePolicy.Kind
        var major: UInt32?
        var minor: UInt32?
        var access: DevicePolicy.Access
        var place: String?

        fileprivate var order: (Int64, Int64, UInt32) {
            (major.map(Int64.init) ?? -1, minor.map(Int64.init) ?? -1, kind.rawValue)
        }

        /// As in devices.list: `c 1:3 rwm`.
        var line: String {
            var text = kind == .block ? "b " : "c "
            text += major.map { String($0) } ?? "*"
            text += ":"
            text += minor.map { String($0) } ?? "*"
            text += " "
            text += access.text
            return text
        }
    }

    let allowsByDefault: Bool
    private(set) var exceptions: [Exception] = []

    /// - Throws: when a rule takes back a part of what a broader one before it gave; the controller cannot hold that.
    init(_ policy: DevicePolicy) throws(Failure) {
        allowsByDefault = policy.allowsByDefault
        for rule in policy.rules {
            if rule.allow == allowsByDefault {
                try remove(rule)
            } else {
                insert(rule)
            }
        }
        exceptions.removeAll { $0.access.isEmpty }
        // devices.list shows them in the order in which they were written; peers write them sorted.
        exceptions.sort { $0.order < $1.order }
    }

    /// What of these exceptions the other ones do not have.
    func exceptions(without others: DeviceExceptions) -> [Exception] {
        var rest = exceptions
        for index in rest.indices {
            for other in others.exceptions
            where other.kind == rest[index].kind && other.major == rest[index].major
                && other.minor == rest[index].minor
            {
                rest[index].access.subtract(other.access)
            }
        }
        rest.removeAll { $0.access.isEmpty }
        return rest
    }

    private mutating func insert(_ rule: DevicePolicy.Rule) {
        for index in exceptions.indices where exceptions[index].isAbout(rule) {
            exceptions[index].access.formUnion(rule.access)
            return
        }
        exceptions.append(
            Exception(
                kind: rule.kind, major: rule.major, minor: rule.minor, access: rule.access, place: rule.place)
        )
    }

    private mutating func remove(_ rule: DevicePolicy.Rule) throws(Failure) {
        for index in exceptions.indices {
            let exception = exceptions[index]
            guard exception.kind == rule.kind, !exception.access.isDisjoint(with: rule.access),
                exception.overlaps(rule)
            else { continue }
            guard exception.isCovered(by: rule) else {
                throw Failure(
                    .unsupported,
                    "takes back a part of what the broader rule \"\(exception.line)\" before it says, "
                        + "which cgroup v1 cannot express",
                    at: rule.place)
            }
            exceptions[index].access.subtract(rule.access)
        }
    }
}

extension DeviceExceptions.Exception {
    fileprivate func isAbout(_ rule: DevicePolicy.Rule) -> Bool {
        kind == rule.kind && major == rule.major && minor == rule.minor
    }

    /// Whether some device matches both.
    fileprivate func overlaps(_ rule: DevicePolicy.Rule) -> Bool {
        (major == nil || rule.major == nil || major == rule.major)
            && (minor == nil || rule.minor == nil || minor == rule.minor)
    }

    /// Whether every device that matches this matches the rule.
    fileprivate func isCovered(by rule: DevicePolicy.Rule) -> Bool {
        (rule.major == nil || rule.major == major) && (rule.minor == nil || rule.minor == minor)
    }
}
