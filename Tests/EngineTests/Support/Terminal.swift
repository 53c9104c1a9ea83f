import Foundation

/// A command on a terminal of its own, and whoever sits before it.
final class Terminal {
    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    private let master: Int32
    private let child: Child
    private let line: String
    private(set) var output = ""
    /// Where `expect` goes on.
    private var seen = 0

    init(_ words: [String], rows: UInt16 = 24, columns: UInt16 = 80) throws {
        line = words.joined(separator: " ")
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        // ioctl_tty(2); posix_openpt(3) and its kin are not in Swift's Glibc module.
        let (unlock, getNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
        var (locked, number) = (Int32(0), Int32(0))
        guard master >= 0, ioctl(master, unlock, &locked) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
        let slave = "/dev/pts/\(number)"
        child = try Child.spawn(words[0], Array(words.dropFirst()), terminal: slave)
        try resize(rows: rows, columns: columns)
    }

    func resize(rows: UInt16, columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(master, UInt(TIOCSWINSZ), &size) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    func type(_ text: String) throws {
        guard write(master, text, text.utf8.count) == text.utf8.count else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    /// Waits until the text has come after what was waited for last.
    func expect(_ text: String, seconds: Double = 30) async throws {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            read()
            let rest = output.dropFirst(seen)
            if let found = rest.range(of: text) {
                seen = output.distance(from: output.startIndex, to: found.upperBound)
                return
            }
            guard Date() < deadline else {
                kill(child.pid, SIGKILL)
                throw Unexpected(
                    description: "\(line)\nno \(text.debugDescription) after \(output.debugDescription)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits for the prompt of busybox's shell. It asks where the cursor is when nothing was typed ahead, and takes what
    /// comes next for the answer.
    func prompt() async throws {
        try await expect("# \u{1B}[6n")
        try type("\u{1B}[1;9R")
    }

    /// Waits for the end of the command and returns its exit code.
    func end(seconds: Double = 30) async throws -> Int32 {
        defer { close(master) }
        let code = try await child.wait(seconds: seconds)
        read()
        return code
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(master, &buffer, buffer.count)
            guard count > 0 else { return }
            output += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
