import Foundation
import Testing

/// A file system of its own for a test, which can be full.
struct SmallDisk {
    let path: String

    /// Where all who log to it wait, in kilobytes.
    static let small = 128

    /// Mounts one, runs the body, and takes it away, also when the body fails.
    static func with<Value>(
        at path: String, kilobytes: Int = small, _ body: (SmallDisk) async throws -> Value
    ) async throws -> Value {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let disk = SmallDisk(path: path)
        try await disk.mount("-t", "tmpfs", "-o", "size=\(kilobytes)k,mode=755", "gantry-test", path)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(disk))
        } catch {
            result = .failure(error)
        }
        _ = try await Command.run("/bin/umount", ["-l", path])
        return try result.get()
    }

    private func mount(_ words: String...) async throws {
        let outcome = try await Command.run("/bin/mount", words)
        try #require(outcome.code == 0, "\(outcome)")
    }

    /// Makes room.
    func grow(to kilobytes: Int = 64 << 10) async throws {
        try await mount("-o", "remount,size=\(kilobytes)k", path)
    }

    /// Leaves not a byte of room.
    func fill() throws {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let page = [UInt8](repeating: 0, count: 4096)
        while write(file, page, page.count) > 0 {}
        try #require(errno == ENOSPC)
    }

    func setReadOnly(_ isReadOnly: Bool) async throws {
        try await mount("-o", "remount,\(isReadOnly ? "ro" : "rw")", path)
    }
}
