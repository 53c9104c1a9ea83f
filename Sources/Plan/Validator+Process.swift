internal import Diagnostics
internal import OCI

// The process of a configuration, or that of an `exec`.
extension Validator {
    static func checkArguments(_ process: Spec.Process, _ place: Place) throws(Failure) {
        guard let program = process.args.first else { throw place.failure("args", "must not be empty") }
        if program.isEmpty { throw place.failure("args[0]", "must not be empty") }
    }

    static func checkWorkingDirectory(_ process: Spec.Process, _ place: Place) throws(Failure) {
        if process.cwd.isEmpty { throw place.failure("cwd", "must not be empty") }
        if !isAbsolute(process.cwd) { throw place.failure("cwd", "must be an absolute path") }
    }

    /// An entry without `=` is passed on as it is: execve(2) does not mind.
    static func checkEnvironment(_ process: Spec.Process, _ place: Place) throws(Failure) {
        for (index, entry) in process.env.enumerated() {
            guard let first = entry.utf8.first else {
                throw place.failure("env[\(index)]", "must not be empty")
            }
            if first == UInt8(ascii: "=") {
                throw place.failure("env[\(index)]", "\(quoted(entry)) has no name before the =")
            }
        }
    }

    static func checkUser(_ process: Spec.Process, _ place: Place) throws(Failure) {
        let user = process.user
        if user.uid == noID { throw place.failure("user.uid", "must be less than \(noID)") }
        if user.gid == noID { throw place.failure("user.gid", "must be less than \(noID)") }
        for (index, gid) in user.additionalGids.enumerated() where gid == noID {
            throw place.failure("user.additionalGids[\(index)]", "must be less than \(noID)")
        }
        if let umask = user.umask, umask > 0o777 {
            throw place.failure("user.umask", "must be at most 0777 (511), is \(umask)")
        }
    }

    static func checkCapabilities(_ process: Spec.Process, _ place: Place) throws(Failure) {
        guard let sets = process.capabilities else { return }
        // Engines write the same list several times; comparing costs less than looking the names up.
        if isSame(sets.effective, sets.permitted) { return }
        let permitted = capabilities(sets.permitted)
        let effective = capabilities(sets.effective)
        // capset(2) would say EPERM, and not about which.
        if let index = position(in: sets.effective, outside: permitted, given: effective) {
            throw place.failure(
                "capabilities.effective[\(index)]", "\(sets.effective[index]) is not in the permitted set")
        }
    }

    private static func isSame(_ names: [String], _ others: [String]) -> Bool {
        names.count == others.count && names.indices.allSatisfy { names[$0].isSame(as: others[$0]) }
    }

    /// The set as a mask, capability 0 in bit 0. A name that nobody knows has no bit: it is worth a warning, not an
    /// error (config.md, "process.capabilities"); engines may be newer than we are.
    private static func capabilities(_ names: [String]) -> UInt64 {
        var mask: UInt64 = 0
        for name in names {
            if let number = NameTable.capabilities.number(of: name) { mask |= 1 << UInt64(number) }
        }
        return mask
    }

    private static func position(in names: [String], outside allowed: UInt64, given mask: UInt64) -> Int? {
        guard mask & ~allowed != 0 else { return nil }
        return names.firstIndex { name in
            NameTable.capabilities.number(of: name).map { allowed & 1 << UInt64($0) == 0 } ?? false
        }
    }

    static func checkRlimits(_ process: Spec.Process, _ place: Place) throws(Failure) {
        var seen: UInt64 = 0
        for (index, limit) in process.rlimits.enumerated() {
            guard let number = NameTable.rlimits.number(of: limit.type) else {
                throw place.failure("rlimits[\(index)].type", "unknown resource limit \(quoted(limit.type))")
            }
            let bit: UInt64 = 1 << UInt64(number)
            if seen & bit != 0 {
                throw place.failure("rlimits[\(index)].type", "\(limit.type) is given twice")
            }
            seen |= bit
            if limit.soft > limit.hard {
                throw place.failure(
                    "rlimits[\(index)].soft", "\(limit.soft) is more than the hard limit \(limit.hard)")
            }
        }
    }

    /// The kernel's struct winsize has 16 bits for each. Without a terminal the size has no meaning.
    static func checkConsoleSize(_ process: Spec.Process, _ place: Place) throws(Failure) {
        guard process.terminal, let size = process.consoleSize else { return }
        let limit = UInt(UInt16.max)
        if size.height > limit {
            throw place.failure("consoleSize.height", "must be at most \(limit), is \(size.height)")
        }
        if size.width > limit {
            throw place.failure("consoleSize.width", "must be at most \(limit), is \(size.width)")
        }
    }

    static func checkOOMScore(_ process: Spec.Process, _ place: Place) throws(Failure) {
        if let score = process.oomScoreAdj, !(-1000...1000).contains(score) {
            throw place.failure("oomScoreAdj", "must be from -1000 to 1000, is \(score)")
        }
    }
}
