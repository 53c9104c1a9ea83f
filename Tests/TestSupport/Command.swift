package import Foundation

/// How a command ended, and what it printed.
package struct Outcome: CustomStringConvertible {
    package let command: String
    /// Exit code; 128 + signal when it was killed.
    package let code: Int32
    package let stdout: String
    package let stderr: String

    package init(command: String, code: Int32, stdout: String, stderr: String) {
        self.command = command
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
    }

    package var description: String {
        "\(command)\nexit code \(code)\nstdout: \(stdout)\nstderr: \(stderr)"
    }

    package var lines: [String] {
        stdout.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
}

/// Runs commands as children, each with a time limit against hangs.
package enum Command {
    package struct TimedOut: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// Runs a program to its end. Its output goes through files, so that a grandchild that keeps a pipe open cannot
    /// make the test wait.
    package static func run(
        _ program: String, _ arguments: [String], stdin: String? = nil, environment: [String: String]? = nil,
        directory: String? = nil, seconds: Double = 60
    ) async throws -> Outcome {
        let scratch = try TemporaryDirectory("command")
        defer { scratch.remove() }
        try (stdin ?? "").write(toFile: scratch.path + "/in", atomically: false, encoding: .utf8)
        let child = try Child.spawn(
            program, arguments, environment: environment, directory: directory, stdin: scratch.path + "/in",
            stdout: scratch.path + "/out", stderr: scratch.path + "/err")
        let code = try await child.wait(seconds: seconds)
        return Outcome(
            command: child.line, code: code, stdout: try text(scratch.path + "/out"),
            stderr: try text(scratch.path + "/err"))
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

/// A child process with files as stdio, default signal dispositions and an empty signal mask: the test runner's own
/// would be inherited otherwise.
package struct Child {
    package let pid: pid_t
    package let line: String

    /// - Parameter terminal: a terminal that becomes its stdio and controls a session of its own.
    package static func spawn(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil,
        directory: String? = nil,
        stdin: String = "/dev/null", stdout: String = "/dev/null", stderr: String = "/dev/null",
        descriptors: [Int32: Int32] = [:], newSession: Bool = false, terminal: String? = nil
    ) throws -> Child {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let terminal {
            for number: Int32 in 0...2 {
                posix_spawn_file_actions_addopen(&actions, number, terminal, O_RDWR, 0)
            }
        } else {
            let output = O_WRONLY | O_CREAT | O_APPEND
            posix_spawn_file_actions_addopen(&actions, 0, stdin, O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, stdout, output, 0o600)
            posix_spawn_file_actions_addopen(&actions, 2, stderr, output, 0o600)
        }
        for (number, source) in descriptors { posix_spawn_file_actions_adddup2(&actions, source, number) }
        try close(allBut: descriptors.keys, &actions)
        // posix_spawn_file_actions_addchdir_np(3) is a GNU extension that Swift's Glibc module does not show.
        let words = (directory.map { ["/usr/bin/env", "-C", $0] } ?? []) + [program] + arguments

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // posix_spawn(3): a session comes before the files, so that a terminal among them becomes its own.
        let session = newSession || terminal != nil ? 0x80 /* POSIX_SPAWN_SETSID, a GNU extension */ : 0
        posix_spawnattr_setflags(
            &attributes, Int16(Int(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | session))

        let variables = (environment ?? ProcessInfo.processInfo.environment).map { $0.key + "=" + $0.value }
        var pid: pid_t = 0
        let result = withCStrings(words) { argv in
            withCStrings(variables) { envp in posix_spawn(&pid, words[0], &actions, &attributes, argv, envp) }
        }
        guard result == 0 else { throw POSIXError(.init(rawValue: result) ?? .EIO) }
        return Child(pid: pid, line: ([program] + arguments).joined(separator: " "))
    }

    /// What other tests have open at the moment would be inherited, unless it is close-on-exec, which what Foundation
    /// opens is not.
    private static func close(
        allBut kept: some Collection<Int32>, _ actions: inout posix_spawn_file_actions_t
    ) throws {
        let end = (kept.max() ?? 2) + 1
        for number in 3..<max(end, 3) where !kept.contains(number) {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        // A GNU extension (glibc 2.34) that Swift's Glibc module does not show.
        typealias Add = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw POSIXError(.ENOSYS)
        }
        let result = unsafeBitCast(symbol, to: Add.self)(&actions, max(end, 3))
        guard result == 0 else { throw POSIXError(.init(rawValue: result) ?? .EIO) }
    }

    /// Waits for the end and returns the exit code, 128 + signal for a killed child. Kills it when the time is over.
    package func wait(seconds: Double = 60) async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(seconds * Machine.patience)
        var pause: UInt64 = 1_000_000
        while true {
            var status: Int32 = 0
            let found = waitpid(pid, &status, WNOHANG)
            if found == pid { return status & 0x7f != 0 ? 128 + (status & 0x7f) : (status >> 8) & 0xff }
            if found < 0 { throw POSIXError(.init(rawValue: errno) ?? .ECHILD) }
            if ContinuousClock.now > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw Command.TimedOut(description: "no end after \(seconds) s: \(line)")
            }
            try await Task.sleep(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}

/// A directory that its owner removes.
package struct TemporaryDirectory {
    package static let prefix = "/tmp/gantry-test-"

    package let path: String

    package init(_ purpose: String) throws {
        var template = Array("\(Self.prefix)\(purpose)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
