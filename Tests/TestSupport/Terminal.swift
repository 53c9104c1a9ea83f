package import Foundation

/// A command on a terminal of its own, and whoever sits before it.
package final class Terminal {
    package struct Unexpected: Error, CustomStringConvertible {
        package let description: String
    }

    /// posix_openpt(3) and its kin are not in Swift's Glibc module.
    package let master: Int32
    /// Path of the end that the command has.
    package let slave: String
    package let child: Child
    private let line: String
    /// What the command has printed.
    package private(set) var bytes = Data()
    package var output: String { String(decoding: bytes, as: UTF8.self) }
    /// Where `expect` goes on.
    private var seen = 0

    /// - Parameter isSession: the terminal is that of a session with the command as its leader. Otherwise it is just
    ///   a terminal that the command has as its streams.
    package init(
        _ words: [String], rows: UInt16 = 24, columns: UInt16 = 80, environment: [String: String]? = nil,
        isSession: Bool = true
    ) throws {
        line = words.joined(separator: " ")
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        // ioctl_tty(2)
        let (unlock, getNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
        var (locked, number) = (Int32(0), Int32(0))
        guard master >= 0, ioctl(master, unlock, &locked) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
        slave = "/dev/pts/\(number)"
        try Terminal.resize(master, rows, columns)
        let arguments = Array(words.dropFirst())
        child =
            isSession
            ? try Child.spawn(words[0], arguments, environment: environment, terminal: slave)
            : try Child.spawn(
                words[0], arguments, environment: environment, stdin: slave, stdout: slave, stderr: slave)
    }

    package func resize(rows: UInt16, columns: UInt16) throws {
        try Terminal.resize(master, rows, columns)
    }

    private static func resize(_ master: Int32, _ rows: UInt16, _ columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(master, UInt(TIOCSWINSZ), &size) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    package func type(_ text: String) throws {
        try type(Data(text.utf8))
    }

    package func type(_ data: Data) throws {
        guard data.withUnsafeBytes({ write(master, $0.baseAddress!, $0.count) }) == data.count else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    /// How the terminal is, in the words of stty(1).
    package func mode() async throws -> String {
        let outcome = try await Command.run("/usr/bin/stty", ["-F", slave, "-a"])
        guard outcome.code == 0 else { throw Unexpected(description: outcome.description) }
        return outcome.stdout
    }

    /// Waits until the text has come after what was waited for last.
    package func expect(_ text: String, seconds: Double = 60) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds * Machine.patience)
        while true {
            read()
            if let found = bytes.range(of: Data(text.utf8), in: seen..<bytes.count) {
                seen = found.upperBound
                return
            }
            guard ContinuousClock.now < deadline else {
                kill(child.pid, SIGKILL)
                throw Unexpected(
                    description: "\(line)\nno \(text.debugDescription) in \(output.debugDescription)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits for the prompt of busybox's shell. It asks where the cursor is when nothing was typed ahead, and takes what
    /// comes next for the answer.
    package func prompt() async throws {
        try await expect("# \u{1B}[6n")
        try type("\u{1B}[1;9R")
    }

    /// Waits for the end of the command and returns its exit code. What it prints is read meanwhile.
    package func end(seconds: Double = 120) async throws -> Int32 {
        defer { close(master) }
        let deadline = ContinuousClock.now + .seconds(seconds * Machine.patience)
        while true {
            var status: Int32 = 0
            let found = waitpid(child.pid, &status, WNOHANG)
            read()
            if found == child.pid {
                return status & 0x7f != 0 ? 128 + (status & 0x7f) : (status >> 8) & 0xff
            }
            guard found == 0, ContinuousClock.now < deadline else {
                kill(child.pid, SIGKILL)
                waitpid(child.pid, &status, 0)
                throw Unexpected(
                    description: "\(line)\nno end after \(output.suffix(2000).debugDescription)")
            }
            // Much output is to be read as fast as it comes.
            var set = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            poll(&set, 1, 2)
            if set.revents != Int16(POLLIN) { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(master, &buffer, buffer.count)
            guard count > 0 else { return }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
