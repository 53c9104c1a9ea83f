internal import CPlan
internal import Diagnostics

/// Why a program did not start. Engines choose exit codes by these sentences, which are those of the runtime
/// they were written for; what is known beyond them comes before.
enum ExecFailure {
    private static let noEntry: Int32 = 2
    private static let access: Int32 = 13
    private static let isDirectory: Int32 = 21
    private static let noExec: Int32 = 8
    private static let textBusy: Int32 = 26
    private static let tooLong: Int32 = 7

    /// No candidate was found that may be executed.
    ///
    /// - Parameter reason: `enum cplan_exec_reason`, when errno is EACCES.
    static func unresolved(
        _ candidates: [String], name: String, errno: Int32, reason: UInt8? = nil
    ) -> Failure {
        let quoted = "exec: \"\(name)\""
        let why = errno == access ? refusal(reason) : nil
        let isThere = errno == access ? ": one is there, but " + (why ?? "it is not executable") : ""
        guard name.utf8.contains(PathText.slash) else {
            let inPath = candidates.isEmpty ? ": process.env has no PATH" : isThere
            return Failure(.notFound, quoted + ": executable file not found in $PATH" + inPath)
        }
        let cause = Errno(rawValue: errno)
        if errno == isDirectory {
            // execve(2) calls it EACCES, and engines look for those words.
            return Failure(.system, "\(quoted): permission denied: it is a directory")
        }
        if errno == access {
            return Failure(.system, "\(quoted): \(cause.sentence)" + (why.map { ": " + $0 } ?? ""))
        }
        return Failure(
            errno == noEntry ? .notFound : .system, quoted,
            cause: Failure.Cause(call: "stat \(name)", errno: cause))
    }

    private static func refusal(_ reason: UInt8?) -> String? {
        switch reason.map(UInt32.init) {
        case CPLAN_EXEC_NOT_REACHED.rawValue: "a directory on the way may not be entered by the user"
        case CPLAN_EXEC_NOT_REGULAR.rawValue: "it is not a regular file"
        case CPLAN_EXEC_NOEXEC.rawValue: "it is on a mount with noexec"
        case CPLAN_EXEC_MODE.rawValue: "it is not executable for the user"
        default: nil
        }
    }

    /// The kernel would not execute the file. `detail` is its path, a NUL, and its first bytes.
    static func refused(_ detail: [UInt8], name: String, errno: Int32) -> Failure {
        let end = detail.firstIndex(of: 0) ?? detail.endIndex
        let path = end > 0 ? String(decoding: detail[..<end], as: UTF8.self) : name
        let head = Array(detail[end...].dropFirst())
        let reason = reason(path, head, errno) ?? "the program cannot be started"
        return Failure(
            errno == noEntry ? .notFound : .system, reason,
            cause: Failure.Cause(call: "exec \(path)", errno: Errno(rawValue: errno)))
    }

    /// The kernel would not execute gantry's own reaper. `E2BIG` is about the program's words.
    static func reaper(_ errno: Int32) -> Failure {
        let why = errno == tooLong ? "" : " (the system-call filter must allow execveat and rt_sigprocmask)"
        return Failure(
            .system, "--init cannot start the program" + why,
            cause: Failure.Cause(call: "execveat", errno: Errno(rawValue: errno)))
    }

    private static func reason(_ path: String, _ head: [UInt8], _ errno: Int32) -> String? {
        switch errno {
        case noEntry:
            if let interpreter = scriptInterpreter(head) {
                if interpreter.utf8.last == UInt8(ascii: "\r") {
                    return
                        "the #! line of \(path) ends with a carriage return (CRLF), part of the name"
                }
                return "the interpreter \(interpreter) of \(path) is missing in the container"
            }
            if let loader = ELFHead(head)?.interpreter {
                return "the loader \(loader) of \(path) is missing in the container"
            }
            return head.starts(with: ELFHead.magic)
                ? "the loader of \(path) is missing in the container" : nil
        case noExec:
            if head.isEmpty { return "\(path) is empty" }
            if let machine = ELFHead(head)?.machine, machine != ELFHead.ownMachine {
                return "\(path) is built for \(machine), this machine is \(ELFHead.ownMachine)"
            }
            return head.starts(with: ELFHead.magic) ? nil : "\(path) is no program and has no #! line"
        case access:
            // The file itself was looked at before.
            let file = scriptInterpreter(head).map { "the interpreter \($0) of \(path)" } ?? path
            return "\(file) may not be executed: its mode, or a mount with noexec"
        case textBusy: return "\(path), or its interpreter, is open for writing somewhere"
        default: return nil
        }
    }

    /// What stands behind `#!`.
    private static func scriptInterpreter(_ head: [UInt8]) -> String? {
        guard head.starts(with: "#!".utf8) else { return nil }
        let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            .prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return String(decoding: word, as: UTF8.self)
    }
}

/// The beginning of an ELF file (elf(5)), little-endian.
struct ELFHead {
    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    #if arch(arm64)
        static let ownMachine = "arm64"
    #else
        static let ownMachine = "x86-64"
    #endif

    /// What it is built for.
    let machine: String
    /// The loader it asks for; `nil` for a static program, or when its name is not among the bytes.
    let interpreter: String?

    init?(_ head: [UInt8]) {
        guard head.starts(with: ELFHead.magic), head.count >= 52, head[5] == 1 else { return nil }
        machine = ELFHead.machine(Int(head[18]) | Int(head[19]) << 8)
        interpreter = ELFHead.interpreter(head, is64: head[4] == 2)
    }

    private static func machine(_ number: Int) -> String {
        switch number {
        case 3: "x86 (32 bits)"
        case 8: "MIPS"
        case 20, 21: "PowerPC"
        case 22: "s390x"
        case 40: "arm (32 bits)"
        case 62: "x86-64"
        case 183: "arm64"
        case 243: "RISC-V"
        case 258: "LoongArch"
        default: "machine \(number)"
        }
    }

    /// The program header of type PT_INTERP says where the name is.
    private static func interpreter(_ head: [UInt8], is64: Bool) -> String? {
        func number(_ at: Int, _ size: Int) -> Int? {
            guard at >= 0, at + size <= head.count else { return nil }
            return (0..<min(size, 7)).reduce(0) { $0 | Int(head[at + $1]) << (8 * $1) }
        }
        guard let table = number(is64 ? 32 : 28, is64 ? 8 : 4), let size = number(is64 ? 54 : 42, 2),
            let count = number(is64 ? 56 : 44, 2), size > 0, count <= 64, table <= head.count
        else { return nil }
        for index in 0..<count {
            let at = table + index * size
            guard let type = number(at, 4) else { return nil }
            guard type == 3, let offset = number(at + (is64 ? 8 : 4), is64 ? 8 : 4), offset < head.count
            else { continue }
            guard let end = head[offset...].firstIndex(of: 0) else { return nil }
            return String(decoding: head[offset..<end], as: UTF8.self)
        }
        return nil
    }
}
