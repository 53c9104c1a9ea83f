import Foundation
import Testing

extension TestContainer {
    /// What the supervisor has left in the state directory.
    func keptStatus() throws -> JSON {
        let data = try Data(contentsOf: URL(filePath: states + "/" + id + "/status.json"))
        return try #require(JSONSerialization.jsonObject(with: data) as? JSON)
    }

    /// Empty before the supervisor has written it, which `run` does not wait for.
    func phase() throws -> String {
        guard FileManager.default.fileExists(atPath: states + "/" + id + "/status.json") else { return "" }
        return try keptStatus()["phase"] as? String ?? ""
    }

    func keptCode() throws -> Int? { (try keptStatus()["end"] as? JSON)?["exitCode"] as? Int }

    /// What `wait` prints.
    func exitCode(seconds: Double = 120) async throws -> Int {
        let outcome = try await Command.run(Machine.gantry, globals + ["wait", id], seconds: seconds)
        try #require(outcome.code == 0, "\(outcome)")
        return try #require(Int(outcome.stdout.trimmingCharacters(in: .whitespacesAndNewlines)), "\(outcome)")
    }

    func messages() -> String {
        (try? String(contentsOfFile: states + "/" + id + "/messages", encoding: .utf8)) ?? ""
    }

    /// The texts of the log's lines; of one stream when it is named. What is being written is not yet a line.
    func logged(_ stream: String? = nil) throws -> [String] {
        let text = try String(contentsOfFile: states + "/" + id + "/container.log", encoding: .utf8)
        let end = text.utf8.lastIndex(of: UInt8(ascii: "\n")) ?? text.startIndex
        return text[..<end].split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            return stream == nil || fields[1] == stream! ? String(fields[3]) : nil
        }
    }

    /// Whether that is the last line, without a look at the others.
    func logEnds(with line: String) throws -> Bool {
        let log = try FileHandle(forReadingFrom: URL(filePath: states + "/" + id + "/container.log"))
        defer { try? log.close() }
        let end = Data(" \(line)\n".utf8)
        let size = try log.seekToEnd()
        guard size >= UInt64(end.count) else { return false }
        try log.seek(toOffset: size - UInt64(end.count))
        return try log.readToEnd() == end
    }

    func waitForLine(_ line: String) async throws {
        try await eventually("the line \(line)") { (try? logged().contains(line)) ?? false }
    }

    /// Pid of the keeper, or of the supervisor, as `state` tells it.
    func pid(of name: String) async throws -> pid_t {
        let supervision = try #require(try await state()["supervision"] as? JSON)
        return pid_t(try #require(supervision[name] as? Int))
    }

    /// Kills the supervisor; waits for one when the keeper pauses before the next. None is left to be killed when the
    /// container has ended, as it may have on a slow machine.
    func killSupervisor() async throws {
        var killed: pid_t = 0
        try await eventually("a supervisor to kill") {
            if try phase() == "stopped" { return true }
            let supervision = try await state()["supervision"] as? JSON
            guard let pid = supervision?["supervisor"] as? Int, Glibc.kill(pid_t(pid), SIGKILL) == 0 else {
                return false
            }
            killed = pid_t(pid)
            return true
        }
        if killed != 0 { try await eventually("the supervisor's end") { Glibc.kill(killed, 0) != 0 } }
    }

    /// How many bytes a child of `attach` was told that it has missed: more than it would on a machine with time for it.
    func missed(_ name: String) -> Int {
        output(name + ".err").split(separator: "\n").reduce(0) { sum, line in
            guard line.contains("bytes of output are missing here") else { return sum }
            return sum + (line.split(separator: " ").compactMap { Int($0) }.first ?? 0)
        }
    }

    /// `gantry attach` as a child, its streams files in the container's directory.
    func attach(
        _ flags: String..., name: String, stdin: String = "/dev/null", program: String = Machine.gantry
    ) throws -> Child {
        try reader(["attach"] + flags, name: name, stdin: stdin, program: program)
    }

    /// `gantry logs --follow` as a child, the same way.
    func follow(name: String) throws -> Child { try reader(["logs", "--follow"], name: name) }

    private func reader(
        _ words: [String], name: String, stdin: String = "/dev/null", program: String = Machine.gantry
    ) throws -> Child {
        try Child.spawn(
            program, globals + words + [id], stdin: stdin, stdout: directory.path + "/" + name,
            stderr: directory.path + "/" + name + ".err")
    }

    /// What the whole lines of a k8s-file say a stream has printed, read by somebody else than gantry.
    func printed(_ stream: String, at log: String? = nil) async throws -> String {
        let path = log ?? states + "/" + id + "/container.log"
        let outcome = try await Command.run("/bin/sed", ["-n", "s/^[^ ]* \(stream) F //p", path])
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.stdout
    }

    /// How much it is, in bytes.
    func outputSize(_ name: String) -> Int {
        var facts = stat()
        return stat(directory.path + "/" + name, &facts) == 0 ? Int(facts.st_size) : 0
    }

    /// What such a child has printed.
    func output(_ name: String) -> String {
        (try? String(contentsOfFile: directory.path + "/" + name, encoding: .utf8)) ?? ""
    }
}

/// Waits until children of `attach` are attached: until then they wait for one answer, from then on for four things
/// (proc_pid_syscall(5): the number of poll(2) and its arguments).
func attached(_ children: Child..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for child in children {
        try await eventually("\(child.pid) to be attached", sourceLocation: sourceLocation) {
            let call = try String(contentsOfFile: "/proc/\(child.pid)/syscall", encoding: .utf8).split(
                separator: " ")
            return call.count > 2 && call[2] == "0x4"
        }
    }
}
