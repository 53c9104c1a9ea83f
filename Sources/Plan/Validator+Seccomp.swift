internal import Diagnostics
internal import OCI

// The system-call filter. Which calls and architectures there are is libseccomp's to say.
extension Validator {
    private typealias Action = Spec.Linux.Seccomp.Action

    static func checkSeccompActions(_ seccomp: Spec.Linux.Seccomp, _ place: Place) throws(Failure) {
        if seccomp.defaultAction == .notify {
            throw place.failure(
                "defaultAction", "\(Action.notify.rawValue) must not be the default")
        }
        try checkErrno(
            seccomp.defaultErrnoRet, seccomp.defaultAction, "defaultErrnoRet", place)
        if seccomp.listenerMetadata != nil, seccomp.listenerPath == nil {
            throw place.failure("listenerMetadata", "has no meaning without listenerPath")
        }
    }

    static func checkSeccompRules(_ seccomp: Spec.Linux.Seccomp, _ place: Place) throws(Failure) {
        for (index, rule) in seccomp.syscalls.enumerated() {
            if rule.names.isEmpty {
                throw place.failure("syscalls[\(index)].names", "must not be empty")
            }
            if let empty = rule.names.firstIndex(where: { $0.isEmpty }) {
                throw place.failure("syscalls[\(index)].names[\(empty)]", "must not be empty")
            }
            if rule.errnoRet != nil {
                try checkErrno(
                    rule.errnoRet, rule.action, "syscalls[\(index)].errnoRet", place)
            }
            for (number, argument) in rule.args.enumerated() where argument.index > 5 {
                throw place.failure(
                    "syscalls[\(index)].args[\(number)].index",
                    "must be from 0 to 5, is \(argument.index)")
            }
        }
    }

    /// What `action` returns must be of use to it and fit (seccomp(2): 16 bits; an errno is at most 4095).
    private static func checkErrno(
        _ value: UInt32?, _ action: Action, _ path: String, _ place: Place
    ) throws(Failure) {
        guard let value else { return }
        let most: UInt32
        switch action {
        case .errno: most = 4095
        case .trace: most = 65535
        default:
            throw place.failure(path, "is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not \(action.rawValue)")
        }
        if value > most { throw place.failure(path, "must be from 0 to \(most), is \(value)") }
    }
}
