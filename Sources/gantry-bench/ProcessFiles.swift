import Foundation

/// What /proc says of processes.
enum ProcessFiles {
    static func number(in file: String) throws -> Int {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let number = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchError("\(file) has no number: \(text)")
        }
        return number
    }

    static func parent(of pid: Int) throws -> Int {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return Int(stat.split(separator: ")").last!.split(separator: " ")[1]) ?? 0
    }

    static func children(of pid: Int) -> [Int] {
        let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return (text ?? "").split(separator: " ").compactMap { Int($0) }
    }

    static func commandLine(_ pid: Int) -> String {
        (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
    }

    /// Milliseconds on a processor.
    static func processorTime(_ pid: Int) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/schedstat", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e6
    }

    /// KiB.
    static func proportionalSetSize(_ pid: Int) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
