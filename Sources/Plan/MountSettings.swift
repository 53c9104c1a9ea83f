internal import Diagnostics
internal import OCI

/// The options of one mount, told apart.
struct MountSettings {
    /// MS_* of the mount, as mount(2) would get them.
    private(set) var flags: UInt32 = 0
    /// MS_SHARED and its like, in order.
    private(set) var propagation: [UInt32] = []
    /// MOUNT_ATTR_* for the whole tree; `clear` contains the field of access times when `set` chooses one.
    private(set) var recursiveSet: UInt64 = 0
    private(set) var recursiveClear: UInt64 = 0
    /// What the file system itself gets, split at its commas.
    private(set) var data: [String] = []
    /// Positions in the array of options, for errors.
    private(set) var firstDataOption = -1
    private(set) var firstSuperblockOption = -1
    private(set) var copyUpOption = -1

    /// - Throws: `unsupported` for an option that this build does not execute, `invalid` for `remount`.
    init(_ options: [String], index: Int) throws(Failure) {
        for (position, option) in options.enumerated() {
            guard let effect = MountOption.find(option) else {
                if option.utf8.isEmpty { continue }
                if firstDataOption < 0 { firstDataOption = position }
                split(option)
                continue
            }
            switch effect {
            case .nothing: break
            case .set(let bits):
                if bits == MountFlag.remount {
                    throw MountSettings.failure(
                        .invalid, "is for mounts that exist already", index, position, option)
                }
                if bits & MountFlag.superblock != 0, firstSuperblockOption < 0 {
                    firstSuperblockOption = position
                }
                flags |= bits
            case .clear(let bits): flags &= ~bits
            case .propagation(let bits): propagation.append(bits)
            case .recursive(let set, let clear):
                recursiveSet = recursiveSet & ~clear | set
                recursiveClear = recursiveClear & ~set | clear
            case .copyUp: copyUpOption = position
            case .idMap:
                throw MountSettings.failure(.unsupported, "is not supported yet", index, position, option)
            }
        }
    }

    /// Whether the new file system is filled with what the directory holds that it covers.
    var copiesUp: Bool { copyUpOption >= 0 }
    var isBind: Bool { flags & MountFlag.bind != 0 }
    var isRecursive: Bool { flags & MountFlag.recursive != 0 }
    var isReadOnly: Bool { flags & MountFlag.readOnly != 0 }

    /// MOUNT_ATTR_* of a new mount: what mount(2) makes of its flags, where strictatime wins over noatime,
    /// and relatime is what is left.
    func attributes(readOnly: Bool) -> UInt64 {
        var result: UInt64 = readOnly ? MountAttribute.readOnly : 0
        if flags & MountFlag.noSUID != 0 { result |= MountAttribute.noSUID }
        if flags & MountFlag.noDev != 0 { result |= MountAttribute.noDev }
        if flags & MountFlag.noExec != 0 { result |= MountAttribute.noExec }
        if flags & MountFlag.noSymlinkFollow != 0 { result |= MountAttribute.noSymlinkFollow }
        if flags & MountFlag.noDirATime != 0 { result |= MountAttribute.noDirATime }
        if flags & MountFlag.strictATime != 0 {
            result |= MountAttribute.strictATime
        } else if flags & MountFlag.noATime != 0 {
            result |= MountAttribute.noATime
        }
        return result
    }

    /// What to set and clear on a bind mount, or `nil` to keep what the source has. As with a remount: one
    /// flag given, and those not given are taken away, but access times stay unless one of theirs is given.
    func bindAttributes(readOnly: Bool) -> (set: UInt64, clear: UInt64)? {
        guard flags & MountFlag.perMount != 0 else { return nil }
        let set = attributes(readOnly: readOnly)
        var clear =
            MountAttribute.readOnly | MountAttribute.noSUID | MountAttribute.noDev | MountAttribute.noExec
            | MountAttribute.noSymlinkFollow
        if flags & MountFlag.accessTime != 0 { clear |= MountAttribute.noDirATime }
        clear &= ~set
        if flags & MountFlag.accessTime != 0 { clear |= MountAttribute.accessTimeMask }
        return (set, clear)
    }

    /// Refuses on a bind mount what the kernel would drop without a word: the file system is mounted already.
    func checkBind(_ options: [String], index: Int) throws(Failure) {
        if firstSuperblockOption >= 0 {
            throw MountSettings.failure(
                .invalid, "belongs to the file system, which a bind mount does not mount", index,
                firstSuperblockOption, options[firstSuperblockOption])
        }
        try checkNoData(options, index: index, "is no option of a bind mount")
    }

    func checkNoData(_ options: [String], index: Int, _ reason: String) throws(Failure) {
        guard firstDataOption >= 0 else { return }
        throw MountSettings.failure(.invalid, reason, index, firstDataOption, options[firstDataOption])
    }

    /// Refuses `tmpcopyup` where nothing would be copied.
    func checkCopyUp(_ options: [String], type: String, index: Int) throws(Failure) {
        guard copiesUp, !type.isSame(as: "tmpfs") else { return }
        throw MountSettings.failure(
            .invalid, "is for mounts of type tmpfs only", index, copyUpOption, options[copyUpOption])
    }

    private static func failure(
        _ kind: Failure.Kind, _ reason: String, _ index: Int, _ position: Int, _ option: String
    ) -> Failure {
        Failure(kind, "\"\(option)\" \(reason)", at: "mounts[\(index)].options[\(position)]")
    }

    /// Splits at commas, except inside double quotes: a security context has commas of its own.
    private mutating func split(_ option: String) {
        let utf8 = option.utf8
        guard utf8.contains(UInt8(ascii: ",")) else {
            data.append(option)
            return
        }
        var quoted = false
        var start = utf8.startIndex
        for index in utf8.indices {
            let byte = utf8[index]
            if byte == UInt8(ascii: "\"") { quoted.toggle() }
            if byte == UInt8(ascii: ","), !quoted {
                if start < index { data.append(String(option[start..<index])) }
                start = utf8.index(after: index)
            }
        }
        if start < utf8.endIndex { data.append(String(option[start...])) }
    }
}
