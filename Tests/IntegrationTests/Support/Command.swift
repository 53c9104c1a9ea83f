import Foundation

/// How a command ended, and what it printed.
struct Outcome: CustomStringConvertible {
    let command: String
    /// Exit code; 128 + signal when it was killed.
    let code: Int32
    let stdout: String
    let stderr: String

    var description: String {
        "\(command)\nexit code \(code)\nstdout: \(stdout)\nstderr: \(stderr)"
    }

    var lines: [String] {
        stdout.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
}

/// Runs commands as children, each with a time limit against hangs.
enum Command {
    struct TimedOut: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end. Its output goes through files, so that a grandchild that keeps a pipe open cannot
    /// make the test wait.
    static func run(
        _ program: String, _ arguments: [String], stdin: String? = nil, environment: [String: String]? = nil,
        directory: String? = nil, seconds: Double = 60
    ) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        if let environment { process.environment = environment }
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        let scratch = try TemporaryDirectory("command")
        defer { scratch.remove() }
        try (stdin ?? "").write(toFile: scratch.path + "/in", atomically: false, encoding: .utf8)
        for name in ["out", "err"] { FileManager.default.createFile(atPath: scratch.path + "/" + name, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: scratch.path + "/in"))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: scratch.path + "/out"))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: scratch.path + "/err"))
        let line = ([program] + arguments).joined(separator: " ")
        let code = try await finish(process, line, seconds)
        return Outcome(
            command: line, code: code, stdout: try text(scratch.path + "/out"), stderr: try text(scratch.path + "/err"))
    }

    private static func finish(_ process: Process, _ line: String, _ seconds: Double) async throws -> Int32 {
        try process.run()
        let deadline = Date().addingTimeInterval(seconds)
        var pause: UInt64 = 1_000_000
        while process.isRunning {
            if Date() > deadline {
                kill(process.processIdentifier, SIGKILL)
                throw TimedOut(description: "no end after \(seconds) s: \(line)")
            }
            try await Task.sleep(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
        let status = process.terminationStatus
        return process.terminationReason == .uncaughtSignal ? 128 + status : status
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

/// A directory that its owner removes.
struct TemporaryDirectory {
    let path: String

    init(_ purpose: String) throws {
        var template = Array("/tmp/gantry-test-\(purpose)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
