import Foundation
import Testing

/// What of a container can be seen on the host from outside.
enum Host {
    /// Cgroup version 2 alone.
    static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")

    /// A process, told from another one that gets its pid later.
    struct Process: Hashable, CustomStringConvertible {
        let pid: pid_t
        /// Field 22 of /proc/PID/stat.
        let start: UInt64

        var description: String { "\(pid) (\(Host.commandLine(pid)))" }

        /// A zombie has ended.
        var isAlive: Bool {
            guard let fields = Host.stat(pid) else { return false }
            return UInt64(fields[19]) == start && fields[0] != "Z" && fields[0] != "X"
        }
    }

    /// The fields of /proc/PID/stat from the state on, which is field 3 in proc(5).
    static func stat(_ pid: pid_t) -> [Substring]? {
        guard let text = read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    static func commandLine(_ pid: pid_t) -> String {
        (read("/proc/\(pid)/cmdline") ?? "").replacing("\0", with: " ")
    }

    static func process(_ pid: pid_t) -> Process? {
        stat(pid).flatMap { UInt64($0[19]) }.map { Process(pid: pid, start: $0) }
    }

    /// Bytes of a process's memory that nobody else has.
    static func privateMemory(_ pid: pid_t) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Private_Dirty:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) << 10
    }

    /// What a process has taken of the processors, in seconds.
    static func processorTime(_ pid: pid_t) throws -> Double {
        let fields = try #require(stat(pid))
        let ticks = try #require(Double(fields[11])) + #require(Double(fields[12]))
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The processes whose command line or cgroup names the marker. gantry's own commands are not meant.
    static func processes(of marker: String) throws -> [Process] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { pid in
            pid != getpid()
                && (read("/proc/\(pid)/cmdline")?.contains(marker) ?? false
                    || read("/proc/\(pid)/cgroup")?.contains(marker) ?? false)
        }.compactMap(process).filter(\.isAlive)
    }

    /// The lines of the host's mount table that name the path.
    static func mounts(of path: String) -> [Substring] {
        (read("/proc/self/mountinfo") ?? "").split(separator: "\n").filter { $0.contains(path) }
    }

    /// The cgroup directories of all hierarchies whose name contains the marker.
    static func cgroups(of marker: String) -> [String] {
        var found: [String] = []
        var pending = ["/sys/fs/cgroup"]
        while let directory = pending.popLast() {
            for child in directories(in: directory) {
                let path = directory + "/" + child
                if child.contains(marker) { found.append(path) }
                pending.append(path)
            }
        }
        return found
    }

    /// The units of systemd whose name contains the marker, whatever their state; none where there is no systemd.
    static func units(of marker: String) async throws -> [String] {
        guard FileManager.default.fileExists(atPath: "/run/systemd/system") else { return [] }
        return try await Command.run(
            "/usr/bin/systemctl", ["list-units", "--all", "--plain", "--no-legend", "*\(marker)*"]
        ).lines
    }

    /// readdir(3) knows the type, so nothing has to be looked at: a cgroup file system has many files.
    private static func directories(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// A file of the kernel's to its end. Foundation takes a read that brings less than was asked for as the last one,
    /// and a long mountinfo comes in pieces.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        // A page is what most such files have at most.
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { piece in
            while case let count = Foundation.read(file, piece.baseAddress!, piece.count), count > 0 {
                bytes.append(contentsOf: piece[..<count])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
