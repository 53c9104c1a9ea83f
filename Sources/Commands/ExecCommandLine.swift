internal import CLinux
internal import Diagnostics
internal import Linux
internal import Plan
internal import Runtime

/// `gantry exec`.
enum ExecCommandLine {
    @Sendable static func exec(_ invocation: Invocation) throws(Failure) -> CInt {
        let flags = invocation.flags
        var options = ExecOptions(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot(),
            program: try program(invocation))
        options.cgroups = flags.all(Flags.execCgroup)
        options.ignorePaused = flags.has(Flags.ignorePaused)
        options.detach = flags.has(Flags.detach)
        options.pidFile = flags[Flags.pidFile].flatMap { $0.isEmpty ? nil : $0 }
        options.consoleSocket = flags[Flags.consoleSocket].flatMap { $0.isEmpty ? nil : $0 }
        options.pidfdSocket = flags[Flags.pidfdSocket].flatMap { $0.isEmpty ? nil : $0 }
        options.preserveFDs = flags.count(Flags.preserveFDs)
        return try Operations.exec(options, warn: invocation.log.warning)
    }

    private static func program(_ invocation: Invocation) throws(Failure) -> ExecOptions.Program {
        let flags = invocation.flags
        var args = invocation.positionals.dropFirst()
        if args.first == "--" { args = args.dropFirst() }
        if let file = flags[Flags.process], !file.isEmpty {
            return .document(try document(file), name: file)
        }
        guard !args.isEmpty else { throw UsageError.noProgram }
        var command = ExecCommand(args: Array(args))
        command.cwd = flags[Flags.cwd].flatMap { $0.isEmpty ? nil : $0 }
        command.env = flags.all(Flags.env)
        command.terminal = flags.has(Flags.tty)
        if let user = flags[Flags.user] { command.user = try UserText.parse(user) }
        for list in flags.all(Flags.additionalGids) {
            for gid in list.split(separator: ",", omittingEmptySubsequences: false) {
                command.additionalGids.append(try UserText.id(gid, of: list, flag: "--additional-gids"))
            }
        }
        for name in flags.all(Flags.cap) {
            guard let capability = CapabilityName.canonical(name) else {
                throw Failure(.usage, "unknown capability \"\(name)\"", at: "--cap")
            }
            command.capabilities.append(capability)
        }
        if flags[Flags.noNewPrivs] != nil { command.noNewPrivileges = flags.has(Flags.noNewPrivs) }
        command.apparmorProfile = flags[Flags.apparmor].flatMap { $0.isEmpty ? nil : $0 }
        command.selinuxLabel = flags[Flags.processLabel].flatMap { $0.isEmpty ? nil : $0 }
        return .command(command)
    }

    /// As large as no process is; a device would have no end.
    private static let documentLimit = 16 << 20

    private static func document(_ path: String) throws(Failure) -> [UInt8] {
        guard let bytes = try Descriptor.open(path, O.readOnly).readAll(limit: documentLimit, name: path)
        else {
            throw Failure(.invalid, "must not be larger than \(documentLimit >> 20) MiB", at: path)
        }
        return bytes
    }
}

/// `--user`: numbers alone. A name would have to be looked up in the image, which could call anybody root
/// (CVE-2016-3697), and a parser that forgives makes root of what it does not understand (CVE-2026-30892).
enum UserText {
    static func parse(_ text: String) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let uid = try id(parts[0], of: text, flag: "--user")
        return (uid, parts.count > 1 ? try id(parts[1], of: text, flag: "--user") : 0)
    }

    /// Decimal digits below 2^32 - 1, which the kernel takes for "as it is".
    static func id(_ digits: Substring, of text: String, flag: String) throws(Failure) -> UInt32 {
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        guard isNumber, let id = UInt32(digits), id != .max else {
            let form = flag.utf8.elementsEqual("--user".utf8) ? "UID or UID:GID" : "a GID"
            throw Failure(
                .usage, "\"\(text)\" must be \(form), in digits, each less than 4294967295", at: flag)
        }
        return id
    }
}
