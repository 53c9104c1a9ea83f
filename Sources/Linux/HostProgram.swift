internal import CLinux
public import Diagnostics

/// A program of the host that gantry runs for what it prints.
public enum HostProgram {
    /// More than any program prints that is run for a person.
    private static let limit = 64 << 20

    /// Runs a program, which is looked for in PATH, to its end.
    ///
    /// - Returns: what it printed on both its output streams, and its exit code (128 + signal if it was killed).
    public static func output(of words: [String]) throws(Failure) -> (text: [UInt8], code: CInt) {
        let name = words[0]
        let (raw, pid) = try start(words)
        let output = Descriptor(adopting: raw)
        let text: Result<[UInt8]?, Failure> = Result { () throws(Failure) in
            try output.readAll(limit: limit, name: "the output of \(name)")
        }
        var status: CInt = 0
        _ = clinux_waitpid(pid, &status, 0)
        guard let text = try text.get() else { throw Failure(.system, "prints too much", at: name) }
        let signal = status & 0x7f
        return (text, signal != 0 ? 128 + signal : (status >> 8) & 0xff)
    }

    /// Starts a program, which is looked for in PATH. The caller closes the pipe that its output streams go to, and waits
    /// for its end.
    public static func start(_ words: [String]) throws(Failure) -> (output: CInt, pid: CInt) {
        var ends: (CInt, CInt) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) {
            clinux_pipe($0.assumingMemoryBound(to: CInt.self).baseAddress!)
        }
        _ = try check(made, "pipe2", "cannot run \(words[0])")
        let output = Descriptor(adopting: ends.0)
        let input = Descriptor(adopting: ends.1)
        let pid = try spawn(words, output: input.raw)
        return (output.release(), pid)
    }

    private static func spawn(_ words: [String], output: CInt) throws(Failure) -> CInt {
        var argv: [UInt8] = []
        for word in words {
            argv.append(contentsOf: word.utf8)
            argv.append(0)
        }
        let pid = argv.withUnsafeBytes { bytes in
            clinux_spawn_found(
                bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count, output)
        }
        return try check(pid, "posix_spawnp \(words[0])", "cannot run \(words[0])")
    }
}
