internal import Diagnostics
internal import OCI

/// One way in which a rule can hold: all of its conditions.
struct Clause {
    let conditions: [Spec.Linux.Seccomp.Argument]
}

/// A rule of the profile, checked.
struct ProfileRule {
    let returnValue: UInt32
    let names: [String]
    /// Any of them; empty: always.
    let clauses: [Clause]
    /// The action is the default action: the rule does nothing but name its calls.
    let isRedundant: Bool
}

/// `linux.seccomp` with actions as numbers and arguments as clauses.
struct Profile {
    let defaultReturn: UInt32
    /// Whether numbers beyond those named return ENOSYS.
    let refusesNewCalls: Bool
    let rules: [ProfileRule]

    init(_ seccomp: Spec.Linux.Seccomp) throws(Failure) {
        defaultReturn = try ReturnValue.of(
            seccomp.defaultAction, errno: seccomp.defaultErrnoRet, property: "defaultErrnoRet",
            in: "linux.seccomp")
        refusesNewCalls =
            !ReturnValue.isPermissive(seccomp.defaultAction) && defaultReturn != ReturnValue.enosys
        var rules: [ProfileRule] = []
        rules.reserveCapacity(seccomp.syscalls.count)
        for (index, rule) in seccomp.syscalls.enumerated() {
            rules.append(try Self.check(rule, index, defaultReturn))
        }
        self.rules = rules
    }

    private static func check(
        _ rule: Spec.Linux.Seccomp.Rule, _ index: Int, _ defaultReturn: UInt32
    ) throws(Failure) -> ProfileRule {
        let value = try ReturnValue.of(
            rule.action, errno: rule.errnoRet, property: "errnoRet", in: "linux.seccomp.syscalls[\(index)]")
        if rule.names.isEmpty {
            throw Failure(
                .invalid, "must name at least one system call", at: "linux.seccomp.syscalls[\(index)].names")
        }
        var seen: UInt8 = 0
        var isRepeated = false
        for (position, argument) in rule.args.enumerated() {
            if argument.index > 5 {
                throw Failure(
                    .invalid, "must be 0 to 5: a system call has six arguments",
                    at: "linux.seccomp.syscalls[\(index)].args[\(position)].index")
            }
            isRepeated = isRepeated || seen & 1 << argument.index != 0
            seen |= 1 << argument.index
        }
        var clauses: [Clause] = []
        if isRepeated {
            clauses = rule.args.map { Clause(conditions: [$0]) }
        } else if !rule.args.isEmpty {
            clauses = [Clause(conditions: rule.args)]
        }
        return ProfileRule(
            returnValue: value, names: rule.names, clauses: clauses, isRedundant: value == defaultReturn)
    }
}
