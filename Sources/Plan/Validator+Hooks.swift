internal import Diagnostics
internal import OCI

// Programs to run at points of the lifecycle (config.md, "POSIX-platform Hooks").
extension Validator {
    static func checkHooks(_ hooks: Spec.Hooks) throws(Failure) {
        try check(hooks.prestart, Place("hooks.prestart"))
        try check(hooks.createRuntime, Place("hooks.createRuntime"))
        try check(hooks.createContainer, Place("hooks.createContainer"))
        try check(hooks.startContainer, Place("hooks.startContainer"))
        try check(hooks.poststart, Place("hooks.poststart"))
        try check(hooks.poststop, Place("hooks.poststop"))
    }

    private static func check(_ hooks: [Spec.Hook], _ place: Place) throws(Failure) {
        for (index, hook) in hooks.enumerated() {
            if !isAbsolute(hook.path) {
                throw place.element(index, "path", "must be an absolute path, is \(quoted(hook.path))")
            }
            if let timeout = hook.timeout, timeout <= 0 {
                throw place.element(index, "timeout", "must be greater than 0, is \(timeout)")
            }
            for (number, entry) in hook.env.enumerated() {
                guard let first = entry.utf8.first else {
                    throw place.element(index, "env[\(number)]", "must not be empty")
                }
                if first == UInt8(ascii: "=") {
                    throw place.element(index, "env[\(number)]", "\(quoted(entry)) has no name before the =")
                }
            }
        }
    }
}
