import Foundation
import Testing

/// `exec` into a container that fights back.
@Suite(.needsContainers, .alsoSupervised, .timeLimit(minutes: 5))
struct ExecSecurityTests {
    private static let ptrace = ["CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SYS_PTRACE", "CAP_SETUID"]
    private static let administrator = ptrace + ["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_NET_ADMIN"]

    /// What a hunt gave.
    private struct Hunt {
        var words: [String]
        var outcomes: [Outcome]

        func count(_ word: String) -> Int { words.filter { $0 == word }.count }
        var wins: [String] { words.filter { $0.hasPrefix("win") } }
    }

    /// Runs Tests/Programs/hunter.c as a container's first process, and execs that it may fall upon: until it has
    /// seen enough of them, which depends on luck.
    private func hunt(
        _ capabilities: [String], mask: String, victim: pid_t? = nil, enough: (Hunt) -> Bool,
        _ change: (TestContainer) throws -> Void = { _ in }
    ) async throws -> Hunt {
        let victims = victim.map { [String($0)] } ?? []
        return try await TestContainer.with(["/hunter", mask] + victims) { container in
            try Rootfs.copy(try Programs.hunter.get(), to: container.rootfs + "/hunter")
            for set in ["bounding", "effective", "permitted"] {
                try container.set("process.capabilities.\(set)", capabilities)
            }
            try container.set("process.capabilities.ambient", nil)
            try container.set("process.capabilities.inheritable", nil)
            try change(container)
            // A copy: the one under test may be rebuilt meanwhile.
            let gantry = try container.makeOutside() + "/gantry"
            try Rootfs.copy(Machine.gantry, to: gantry)
            let before = try Data(contentsOf: URL(filePath: gantry))
            let prey = container.directory.path + "/prey"
            let child = try Child.spawn(
                gantry,
                container.globals + container.detachedRun,
                stdout: prey)
            #expect(try await child.wait() == 0)
            try await eventually("the hunter") {
                try String(contentsOfFile: prey, encoding: .utf8).contains("ready")
            }
            var hunt = Hunt(words: [], outcomes: [])
            for _ in 0..<Soak.rounds(25, soak: 250) {
                hunt.outcomes += try await execs(container, gantry)
                hunt.words = try String(contentsOfFile: prey, encoding: .utf8).split(separator: "\n").map(
                    String.init)
                if !Soak.isOn, enough(hunt) { break }
            }
            #expect(try await container.status() == "running")
            #expect(try Data(contentsOf: URL(filePath: gantry)) == before)
            return hunt
        }
    }

    /// Four at once, by different users.
    private func execs(_ container: TestContainer, _ gantry: String) async throws -> [Outcome] {
        let words = ["--root", container.root, "exec"]
        let id = container.id
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            for user in [
                ["--user", "0"], ["--user", "1000:1000"], ["--cap", "CAP_CHOWN"], ["-e", "HOME=/"],
            ] {
                group.addTask {
                    try await Command.run(gantry, words + user + [id, "/bin/true"], seconds: 200)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("CVE-2016-9962, CVE-2019-5736: a hostile root in the container wins nothing by an exec")
    func hunter() async throws {
        // CAP_CHOWN comes by --cap.
        let hunt = try await hunt(
            ["CAP_DAC_OVERRIDE", "CAP_KILL"], mask: "23", enough: { $0.count("sighted") > 3 })
        #expect(hunt.wins.isEmpty, "\(hunt.wins)")
        #expect(hunt.count("traced") == 0)
        for outcome in hunt.outcomes { #expect(outcome.code == 0, "\(outcome)") }
    }

    @Test("CVE-2016-9962, CVE-2019-5736: nor does one with CAP_SYS_PTRACE, which may trace all it sees")
    func tracingHunter() async throws {
        let hunt = try await hunt(Self.ptrace, mask: "800a3", enough: { $0.count("traced") > 3 })
        #expect(hunt.wins.isEmpty, "\(hunt.wins)")
        for outcome in hunt.outcomes { expectSanity(outcome) }
    }

    @Test("CVE-2016-9962: with a filter that needs CAP_SYS_ADMIN, one that has it wins no more than it had")
    func tracingHunterWithAFilter() async throws {
        let hunt = try await hunt(Self.administrator, mask: "2810a7", enough: { $0.count("traced") > 3 }) {
            try $0.set("process.noNewPrivileges", false)
            try $0.set(
                "linux.seccomp",
                [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["swapon"], "action": "SCMP_ACT_ERRNO"]],
                ])
        }
        #expect(hunt.wins.isEmpty, "\(hunt.wins)")
        for outcome in hunt.outcomes { expectSanity(outcome) }
    }

    /// Who takes the init over before gantry knows its pid must not be believed when it gives another one.
    @Test("CVE-2016-9962: an init that is taken over speaks, and gantry keeps its head")
    func forgedMessages() async throws {
        let victim = try Child.spawn("/bin/sleep", ["1000"])
        do {
            let hunt = try await hunt(
                Self.ptrace, mask: "800a3", victim: victim.pid, enough: { $0.count("forged") > 24 })
            #expect(hunt.wins.isEmpty, "\(hunt.wins)")
            #expect(hunt.count("forged") > 0)
            for outcome in hunt.outcomes { expectSanity(outcome) }
            #expect(Host.process(victim.pid)?.isAlive == true)
        } catch {
            kill(victim.pid, SIGKILL)
            throw error
        }
        kill(victim.pid, SIGKILL)
        _ = try await victim.wait()
    }

    /// The program ran, or one sentence says why it did not; nothing in it is a command to a terminal.
    private func expectSanity(_ outcome: Outcome) {
        #expect([0, 255, 137].contains(outcome.code), "\(outcome)")
        #expect(outcome.code != 255 || outcome.isOneSentence, "\(outcome)")
        let isPlain = outcome.stderr.unicodeScalars.allSatisfy { $0 == "\n" || !$0.properties.isControl }
        #expect(isPlain, "\(outcome.stderr.debugDescription)")
    }

    // MARK: Descriptors

    @Test(
        "CVE-2024-21626: a working directory of an exec named by a descriptor is refused",
        arguments: ["", "/..", "/../.."])
    func workingDirectory(suffix: String) async throws {
        try await TestContainer.sleeping { container in
            for number in 3...24 {
                for process in ["self", "thread-self"] {
                    let outcome = try await container.gantryWithLeaks([
                        "exec", "--cwd", "/proc/\(process)/fd/\(number)\(suffix)", container.id, "/bin/ls",
                    ])
                    #expect(outcome.code == 255, "\(outcome)")
                    #expect(outcome.stderr.contains("process.cwd: "), "\(outcome)")
                    #expect(outcome.lines.count == 1, "\(outcome)")
                }
            }
        }
    }

    @Test(
        "CVE-2024-21626: a program of an exec named by a descriptor is not found",
        arguments: ["", "/../outside"])
    func program(suffix: String) async throws {
        try await TestContainer.sleeping { container in
            for number in 3...24 {
                let outcome = try await container.gantryWithLeaks(
                    ["exec", container.id, "/proc/self/fd/\(number)\(suffix)/escape"])
                #expect(outcome.code == 255, "\(outcome)")
                #expect(outcome.stderr.contains("no such file or directory"), "\(outcome)")
            }
        }
    }

    @Test("CVE-2024-21626: an exec has stdio and nothing else")
    func descriptors() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantryWithLeaks(
                ["exec", container.id, "/bin/sh", "-c", "ls /proc/$$/fd; true"])
            #expect(outcome.stdout == "0\n1\n2\n", "\(outcome)")
        }
    }

    @Test(
        "CVE-2019-5736: an exec of /proc/self/exe is not the runtime",
        arguments: ["/proc/self/exe", "/script"])
    func ownExecutable(program: String) async throws {
        try await TestContainer.sleeping {
            try $0.put("#!/proc/self/exe\n", at: "/script")
        } _: { container in
            let outcome = try await container.gantry("exec", container.id, program, "--version")
            #expect(outcome.code != 0, "\(outcome)")
            #expect(!outcome.stdout.contains("gantry"), "\(outcome)")
        }
    }

    // MARK: Identity

    private func status(_ container: TestContainer, _ flags: String...) async throws -> String {
        let outcome = try await Command.run(
            Machine.gantry,
            ["--root", container.root, "exec"] + flags + [container.id, "/bin/cat", "/proc/self/status"])
        #expect(outcome.code == 0, "\(outcome)")
        return outcome.stdout
    }

    @Test(
        "CVE-2022-29162: exec --cap gives no inheritable and no ambient capabilities",
        arguments: ["0", "1000"])
    func inheritable(user: String) async throws {
        try await TestContainer.sleeping {
            try $0.set("process.capabilities.ambient", nil)
        } _: { container in
            let text = try await status(container, "--user", user, "--cap", "CAP_SYS_TIME")
            #expect(statusValue("CapInh", in: text) == "0000000000000000", "\(text)")
            #expect(statusValue("CapAmb", in: text) == "0000000000000000", "\(text)")
            #expect(statusValue("CapBnd", in: text)?.hasSuffix("22000420") == true, "\(text)")
        }
    }

    @Test("CVE-2016-8867: an exec of a plain user has no effective and no ambient capabilities")
    func ambient() async throws {
        try await TestContainer.sleeping {
            try $0.set("process.capabilities.ambient", nil)
        } _: { container in
            let text = try await status(container, "--user", "1000")
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                #expect(statusValue(set, in: text) == "0000000000000000", "\(set): \(text)")
            }
        }
    }

    @Test("CVE-2026-30892, CVE-2016-3697: the user of an exec is the number that was given")
    func numericUser() async throws {
        try await TestContainer.sleeping {
            try $0.put("1:x:0:0:evil:/root:/bin/sh\n", at: "/etc/passwd")
            try $0.put("1:x:0:\n", at: "/etc/group")
        } _: { container in
            let text = try await status(container, "-u", "1")
            #expect(statusValue("Uid", in: text) == "1\t1\t1\t1", "\(text)")
            #expect(statusValue("Gid", in: text) == "0\t0\t0\t0", "\(text)")
        }
    }

    @Test("CVE-2023-25173: groups of an exec are the container's and those that were given, not the caller's")
    func groups() async throws {
        try await TestContainer.sleeping {
            try $0.set("process.user", ["uid": 0, "gid": 0, "additionalGids": [7]])
        } _: { container in
            let outcome = try await Command.run(
                "/usr/bin/setpriv",
                [
                    "--groups", "10,20,30", Machine.gantry, "--root", container.root, "exec",
                    "--additional-gids", "8,9", container.id, "/bin/cat", "/proc/self/status",
                ])
            #expect(statusValue("Groups", in: outcome.stdout) == "7 8 9", "\(outcome)")
        }
    }

    @Test("CVE-2026-57231: an environment entry without a value gets none of the host's")
    func environmentWithoutValue() async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry(
                "exec", "--env", "SECRET", container.id, "/bin/env", environment: ["SECRET": "host"])
            #expect(!outcome.stdout.contains("host"), "\(outcome)")
        }
    }

    @Test(
        "CVE-2026-47262: HOME of an exec from a passwd that has no end",
        arguments: ["/dev/zero", "/fifo", "/etc"])
    func endlessPasswd(target: String) async throws {
        try await TestContainer.sleeping {
            mkfifo($0.rootfs + "/fifo", 0o666)
            try $0.link("/etc/passwd", to: target)
        } _: { container in
            let outcome = try await container.gantry("exec", container.id, "/bin/sh", "-c", "echo $HOME")
            #expect(outcome.stdout == "/\n", "\(outcome)")
        }
    }

    @Test(
        "CVE-2021-43784: very many and very long arguments and variables arrive, or are refused by the kernel"
    )
    func lengths() async throws {
        try await TestContainer.sleeping { container in
            let file = container.directory.path + "/process.json"
            func exec(_ env: [String], _ args: [String]) async throws -> Outcome {
                let document: [String: Any] = ["cwd": "/", "env": env, "args": args]
                try JSONSerialization.data(withJSONObject: document).write(to: URL(filePath: file))
                return try await container.gantry("exec", "--process", file, container.id)
            }
            let long = String(repeating: "x", count: 100_000)
            let count = try await exec(
                ["A=" + long], ["/bin/sh", "-c", "echo ${#A} ${#1} $#", "sh", long, "b"])
            #expect(count.stdout == "100000 100000 2\n", "\(count.code)")
            let many = try await exec(
                (0..<20_000).map { "V\($0)=1" }, ["/bin/sh", "-c", "env | grep -c ^V"])
            #expect(many.stdout == "20000\n", "\(many)")
            let tooLong = try await exec([], ["/bin/true", String(repeating: "x", count: 1 << 20)])
            #expect(tooLong.code == 255 && tooLong.isOneSentence, "\(tooLong.stderr)")
            #expect(tooLong.stderr.contains("argument list too long"), "\(tooLong.stderr)")
        }
    }

    // MARK: A hostile root file system

    @Test(
        "CVE-2025-31133, CVE-2026-88265: an exec with /dev/null that the container has replaced",
        arguments: ["symlink", "file", "fifo", "missing", "other device"])
    func hostileNullDevice(kind: String) async throws {
        let replace = [
            "symlink": "ln -s /etc/victim /dev/null", "file": "echo > /dev/null", "fifo": "mknod /dev/null p",
            "missing": "true", "other device": "cp -a /dev/zero /dev/null || mv /dev/zero /dev/null",
        ][kind]!
        try await TestContainer.sleeping { container in
            try container.put("victim", at: "/etc/victim")
            let before = try status(of: "/dev/null")
            let changed = try await container.gantry(
                "exec", container.id, "/bin/sh", "-c", "rm /dev/null; \(replace)", stdin: "")
            #expect(changed.code == 0, "\(changed)")
            // stdio that is a null device, and a user who would get it.
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "exec", "--user", "1000", container.id, "/bin/true"])
            #expect(try await child.wait() == 0)
            #expect(try container.text("etc/victim") == "victim")
            #expect(try status(of: "/dev/null") == before)
        }
    }

    private func status(of path: String) throws -> [UInt64] {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return [UInt64(status.st_mode), UInt64(status.st_uid), UInt64(status.st_gid), UInt64(status.st_rdev)]
    }

    @Test("crun 1.28: exec --cgroup leads nowhere else", arguments: ["../..", "a/../../..", "memory:../x"])
    func cgroup(path: String) async throws {
        try await TestContainer.sleeping { container in
            let outcome = try await container.gantry("exec", "--cgroup", path, container.id, "/bin/true")
            #expect(outcome.code == 255 && outcome.stderr.contains("--cgroup"), "\(outcome)")
        }
    }

    @Test("an error about a hostile program has no commands for a terminal")
    func controlCharacters() async throws {
        try await TestContainer.sleeping { container in
            try container.put("#!/\u{1b}]0;owned\u{7}\u{9b}2J\n", at: "/script")
            let outcome = try await container.gantry("exec", container.id, "/script")
            #expect(outcome.code == 255 && outcome.stderr.contains("owned"), "\(outcome)")
            expectSanity(outcome)
        }
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}
