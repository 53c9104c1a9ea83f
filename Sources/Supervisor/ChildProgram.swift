internal import CLinux
internal import Diagnostics
internal import Linux

/// A program that the supervisor has started: the launcher of the next run, or the exit command. It does not outlive
/// the supervisor.
struct ChildProgram: ~Copyable {
    let pid: Int32
    /// Readable when it has ended.
    let process: Descriptor
    /// What it says on both its output streams.
    let output: Descriptor
    private var said: [UInt8] = []

    /// Of what it says, the last so many bytes are kept.
    private static let mostSaid = 8 << 10

    /// - Parameters:
    ///   - words: its argv; the first is a path.
    ///   - environment: `NAME=value`, all of it.
    static func run(words: [String], environment: [String]) throws(Failure) -> ChildProgram {
        let path = words[0]
        var ends: [CInt] = [-1, -1]
        _ = try check(clinux_capture_pipe(&ends), "pipe2", "cannot run \(path)")
        let output = Descriptor(adopting: ends[0])
        let writing = Descriptor(adopting: ends[1])
        let nothing = try Descriptor.open("/dev/null", O.readOnly)
        let result = ChildProgram.start(
            path, ChildProgram.joined(words), words.count, ChildProgram.joined(environment),
            environment.count, input: nothing.raw, output: writing.raw)
        let pid = try check(result, "execve \(path)", "cannot run \(path)")
        let pidfd = clinux_pidfd_open(pid)
        if pidfd < 0 {
            _ = clinux_kill_group(pid, Signal.kill)
            var status: CInt = 0
            _ = clinux_waitpid(pid, &status, 0)
        }
        let process = Descriptor(
            adopting: try check(pidfd, "pidfd_open", "cannot watch \(path)"))
        return ChildProgram(pid: pid, process: process, output: output)
    }

    private init(pid: Int32, process: consuming Descriptor, output: consuming Descriptor) {
        self.pid = pid
        self.process = process
        self.output = output
    }

    private static func start(
        _ path: String, _ arguments: [UInt8], _ argumentCount: Int, _ variables: [UInt8],
        _ variableCount: Int, input: CInt, output: CInt
    ) -> CInt {
        path.withCString { path in
            arguments.withUnsafeBufferPointer { arguments in
                variables.withUnsafeBufferPointer { variables in
                    "/".withCString { directory in
                        var program = clinux_program(
                            path: path, arguments: ChildProgram.text(arguments),
                            variables: ChildProgram.text(variables), argument_count: argumentCount,
                            variable_count: variableCount, directory: directory,
                            streams: (input, output, output))
                        return clinux_run_program(&program)
                    }
                }
            }
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: CChar.self)
    }

    /// Each ended by NUL; never empty.
    private static func joined(_ words: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in words {
            bytes.append(contentsOf: word.utf8)
            bytes.append(0)
        }
        bytes.append(0)
        return bytes
    }

    /// Reads at most what a pipe holds: whoever writes all the time holds nobody up.
    ///
    /// - Returns: false when nothing more can come.
    mutating func readOutput() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<16 {
            let raw = output.raw
            let count = chunk.withUnsafeMutableBytes { clinux_read(raw, $0.baseAddress!, $0.count) }
            if count == -Int(Errno.EAGAIN) { return true }
            guard count > 0 else { return false }
            said.append(contentsOf: chunk[..<count])
            if said.count > 2 * ChildProgram.mostSaid { said.removeFirst(said.count - ChildProgram.mostSaid) }
        }
        return true
    }

    /// Its whole process group.
    func signal(_ signo: CInt) {
        _ = clinux_pidfd_signal(process.raw, signo)
        _ = clinux_kill_group(pid, signo)
    }

    /// Takes its wait status: the exit code, 128 + signal for a killed process, and the lines it said.
    mutating func reap() -> (code: Int32, lines: [String]) {
        var status: CInt = 0
        _ = clinux_waitpid(pid, &status, 0)
        _ = readOutput()
        let end = ProcessEnd.code(status)
        var lines: [String] = []
        for line in said.split(separator: UInt8(ascii: "\n")) {
            lines.append(ChildProgram.sentence(line))
        }
        return (end, lines)
    }

    /// Without the name that a gantry puts in front.
    private static func sentence(_ line: ArraySlice<UInt8>) -> String {
        let name = "gantry: "
        let rest = line.starts(with: name.utf8) ? line.dropFirst(name.utf8.count) : line
        return String(decoding: rest, as: UTF8.self)
    }
}

/// Wait statuses (wait(2)).
enum ProcessEnd {
    /// The signal that killed it; 0 for none.
    static func signal(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0x7f ? 0 : signal
    }

    /// The exit code as a shell tells it: 128 + signal for a killed process.
    static func code(_ status: Int32) -> Int32 {
        let signal = signal(status)
        return signal != 0 ? 128 + signal : status >> 8 & 0xff
    }
}
