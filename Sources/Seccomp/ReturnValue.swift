internal import Diagnostics
internal import OCI

/// What a filter returns: an action in the upper half, its data in the lower (linux/seccomp.h,
/// `SECCOMP_RET_*`).
enum ReturnValue {
    static let killThread: UInt32 = 0
    /// EPERM, which the OCI text names as the default of `errnoRet`.
    private static let defaultErrno: UInt32 = 1
    static let enosys: UInt32 = 0x0005_0000 | 38

    /// The value for `action`, whose error number stands in `property` of `object`.
    static func of(
        _ action: Spec.Linux.Seccomp.Action, errno: UInt32?, property: StaticString,
        in object: @autoclosure () -> String
    ) throws(Failure) -> UInt32 {
        let value: UInt32
        var largestErrno: UInt32?
        switch action {
        case .kill, .killThread: value = killThread
        case .killProcess: value = 0x8000_0000
        case .trap: value = 0x0003_0000
        case .errno:
            value = 0x0005_0000
            largestErrno = 4095  // MAX_ERRNO; the kernel would return it for anything greater
        case .trace:
            value = 0x7ff0_0000
            largestErrno = 0xffff  // SECCOMP_RET_DATA
        case .log: value = 0x7ffc_0000
        case .allow: value = 0x7fff_0000
        case .notify:
            throw Failure(
                .unsupported, "SCMP_ACT_NOTIFY is not supported yet", at: object() + actionName(property))
        }
        guard let largestErrno else {
            if errno == nil { return value }
            throw Failure(
                .invalid, "must not be set with \(action.rawValue), which returns no error number",
                at: "\(object()).\(property)")
        }
        let number = errno ?? defaultErrno
        if number > largestErrno {
            throw Failure(.invalid, "must be at most \(largestErrno)", at: "\(object()).\(property)")
        }
        return value | number
    }

    private static func actionName(_ property: StaticString) -> String {
        property.utf8CodeUnitCount == 8 ? ".action" : ".defaultAction"  // errnoRet, defaultErrnoRet
    }

    /// Whether calls that the profile does not name shall go through, so that ENOSYS would take something
    /// away.
    static func isPermissive(_ action: Spec.Linux.Seccomp.Action) -> Bool {
        switch action {
        case .allow, .log, .trace: true
        case .kill, .killThread, .killProcess, .trap, .errno, .notify: false
        }
    }
}
