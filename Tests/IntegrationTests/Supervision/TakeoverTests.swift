import Foundation
import Testing

/// What becomes of a container whose supervisor, or keeper, is killed.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct TakeoverTests {
    @Test func anEndThatNobodySaw() async throws {
        try await TestContainer.with { container in
            try container.setScript("while [ ! -e /end ]; do sleep 0.02; done; echo last words; exit 44")
            try await container.supervise()
            let supervisor = try await container.pid(of: "supervisor")
            let process = try await container.pid()
            kill(supervisor, SIGSTOP)
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            try await eventually("the end") { kill(process, 0) != 0 }
            kill(supervisor, SIGKILL)
            #expect(try await container.gantry("wait", container.id).stdout == "44\n")
            #expect(try container.logged() == ["last words"])
        }
    }

    @Test func aPolicyGoesOn() async throws {
        try await TestContainer.with { container in
            try container.setScript("echo x >> /runs; sleep 0.2; echo run $(wc -l < /runs); exit 7")
            try await container.supervise("--restart", "on-failure:4")
            for _ in 0..<3 {
                try await container.killSupervisor()
                try await Task.sleep(for: .milliseconds(150))
            }
            #expect(try await container.gantry("wait", container.id).stdout == "7\n")
            let status = try container.keptStatus()
            #expect(status["restartCount"] as? Int == 4)
            #expect(try container.logged() == (1...5).map { "run \($0)" })
        }
    }

    @Test func itsKeeperIsKilled() async throws {
        try await TestContainer.with { container in
            try container.setScript(
                "echo one; while [ ! -e /end ]; do sleep 0.02; done; echo two; echo three >&2; exit 12")
            try await container.supervise()
            try await container.waitForLine("one")
            let keeper = try await container.pid(of: "keeper")
            kill(keeper, SIGKILL)
            try await eventually("it to be told") { container.messages().contains("the keeper is gone") }
            let process = try await container.pid()
            #expect(kill(process, 0) == 0, "the container lives on")
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            try await eventually("the end to be told") { try container.phase() == "stopped" }
            #expect(try Set(container.logged()) == ["one", "two", "three"])
            // A zombie tells; of one that process 1 has reaped already, only Linux 6.15 and newer know the end.
            let code = try container.keptCode()
            #expect(
                code == 12 || code == nil && !Machine.kernel(isAtLeast: 6, 15), "\(String(describing: code))")
            try await eventually("the supervisor's end") { try Host.processes(of: container.id) == [] }
            // It can be run again, with another keeper.
            try FileManager.default.removeItem(atPath: container.rootfs + "/end")
            try await container.succeed(["start", container.id])
            try await container.succeed(["stop", "--time", "0", container.id])
        }
    }

    /// Memory and pipe are full when it ends, and nobody is its parent that would tell: what it has printed waits for the
    /// disk, and the supervisor does so without a busy loop.
    @Test func aFullDiskWithoutAKeeper() async throws {
        try await TestContainer.with { container in
            // Four times what disk, memory and pipe hold.
            try container.setScript("seq 1 200000; exit 12")
            try await SmallDisk.with(at: container.directory.path + "/disk") { disk in
                let log = disk.path + "/log"
                try await container.supervise("--log-path", log)
                try await eventually("the disk to be full") {
                    container.messages().contains("no space left on device")
                }
                let supervisor = try await container.pid(of: "supervisor")
                // Until memory and pipe are full, and there is more to come: a keeper that is killed while it reads takes
                // along what it has just read.
                try await eventually("it to be held up") { try self.written(container) > 310 << 10 }
                var written: Int
                repeat {
                    written = try self.written(container)
                    try await Task.sleep(for: .milliseconds(500))
                } while try self.written(container) != written
                kill(try await container.pid(of: "keeper"), SIGKILL)
                try await eventually("it to be told") { container.messages().contains("the keeper is gone") }
                let process = try await container.pid()
                // Nobody takes what it prints, so that it is killed while it has more to say.
                kill(process, SIGKILL)
                try await eventually("its end") { Host.stat(process).map { $0[0] == "Z" } ?? true }
                let before = try Host.processorTime(supervisor)
                try await Task.sleep(for: .seconds(1))
                #expect(try Host.processorTime(supervisor) - before < 0.2)
                try await disk.grow()
                try await eventually("the end to be told") { try container.phase() == "stopped" }
                try await eventually("the supervisor's end") { try Host.processes(of: container.id) == [] }
                let printed = try await container.printed("stdout", at: log)
                #expect(printed.utf8.count > 300 << 10)
                // Not what is expected and what is there: that is half a megabyte.
                let gap = printed.split(separator: "\n").enumerated().first { "\($0 + 1)" != $1 }
                #expect(gap == nil, "\(String(describing: gap))")
            }
        }
    }

    /// The most bytes that a process of the container has written so far.
    private func written(_ container: TestContainer) throws -> Int {
        try Host.processes(of: container.id).filter { !Host.commandLine($0.pid).hasPrefix("gantry") }.map {
            process in
            let lines = (Host.read("/proc/\(process.pid)/io") ?? "").split(separator: "\n")
            return lines.first { $0.hasPrefix("wchar: ") }.flatMap { Int($0.dropFirst(7)) } ?? 0
        }.max() ?? 0
    }

    /// A gantry that says of itself to have been built from a commit of that time: in its ELF note (CBuildInfo).
    private func gantry(builtAt time: UInt64, in directory: String) throws -> String {
        var file = try Data(contentsOf: URL(filePath: Machine.program))
        let header = Data([7, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0]) + Data("gantry\0\0".utf8)
        let place = try #require(file.range(of: header)).upperBound
        withUnsafeBytes(of: time.littleEndian) { file.replaceSubrange(place..<place + 8, with: $0) }
        let path = directory + "/gantry-\(time)"
        try file.write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    /// The first command of a newer build replaces the supervisor; the container, its log and who is attached do not notice.
    @Test func aNewerBuildGoesOn() async throws {
        try await TestContainer.with { container in
            let old = try gantry(builtAt: 1_000_000, in: container.directory.path)
            let new = try gantry(builtAt: 2_000_000, in: container.directory.path)
            func run(_ program: String, _ words: String...) async throws -> Outcome {
                try await Command.run(program, container.globals + words)
            }
            func programOfSupervisor() async throws -> String? {
                let pid = try await container.pid(of: "supervisor")
                return try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
            }
            try container.setScript(
                "i=0; while [ ! -e /end ]; do i=$((i+1)); echo $i; sleep 0.01; done; echo $i lines; exit 17")
            let flags = ["run", "--detach", "--supervise", "--bundle", container.bundle, container.id]
            let manager = Machine.usesSystemd ? ["--systemd-cgroup"] : []
            let started = try await Command.run(old, container.globals + manager + flags)
            try #require(started.code == 0, "\(started)")
            #expect(try await programOfSupervisor() == old)
            let process = try await container.pid()
            let client = try container.attach("--no-stdin", name: "client", program: old)
            try await attached(client)

            // Commands that only look replace nobody; nor does one of an older build.
            _ = try await run(new, "state", container.id)
            #expect(try await programOfSupervisor() == old)
            let waiting = try Child.spawn(new, container.globals + ["wait", container.id])
            try await eventually("the new supervisor") { try await programOfSupervisor() == new }
            #expect(try await run(old, "exec", container.id, "/bin/true").code == 0)
            let other = try container.attach("--no-stdin", name: "other", program: old)
            try await attached(other)
            #expect(try await programOfSupervisor() == new)

            #expect(try await container.pid() == process)
            try Data().write(to: URL(filePath: container.rootfs + "/end"))
            #expect(try await waiting.wait() == 0)
            #expect(try await client.wait() == 17)
            #expect(try await other.wait() == 17)
            let lines = try container.logged()
            let count = lines.count - 1
            #expect(lines == (1...count).map { "\($0)" } + ["\(count) lines"])
            #expect(
                lines.joined(separator: "\n").hasSuffix(
                    container.output("client").trimmingCharacters(in: .newlines)))
        }
    }

    /// CVE-2019-5736's class: what the container can see of us is a sealed copy.
    @Test func aContainerAmongTheHostsProcessesSeesACopy() async throws {
        try await TestContainer.with(["/bin/sleep", "1000"]) { container in
            try container.shareHostProcesses()
            try await container.supervise()
            let supervisor = try await container.pid(of: "supervisor")
            try await eventually("the copy to run") {
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(supervisor)/exe")
                return target?.hasPrefix("/memfd:gantry") ?? false
            }
            try await container.succeed(["stop", "--time", "0", container.id])
        }
    }
}
