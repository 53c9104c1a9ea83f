import Foundation
import Testing

/// `--init` puts a process of gantry's into the container for good. It must be no more than the program is.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct ReaperSecurityTests {
    private static func filter(_ names: [String], _ action: String = "SCMP_ACT_ERRNO") -> TestContainer.JSON {
        ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [["names": names, "action": action]]]
    }

    @Test("CVE-2019-5736: the first process's program can be read and not written")
    func ownExecutable() async throws {
        let attack = """
            cat /proc/1/exe > /copy && echo read
            echo evil > /proc/1/exe && echo written
            chmod 777 /proc/1/exe
            dd if=/dev/zero of=/proc/1/exe conv=notrunc count=1 && echo written
            exec 3<>/proc/1/exe && echo opened && echo evil >&3 && echo written
            true
            """
        try await TestContainer.with(["/bin/sh", "-c", attack]) { container in
            for set in ["bounding", "effective", "permitted"] {
                try container.set(
                    "process.capabilities.\(set)",
                    ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"])
            }
            let outcome = try await container.run("--init")
            #expect(outcome.lines.contains("read") && !outcome.lines.contains("written"), "\(outcome)")
            let copy = try Data(contentsOf: URL(filePath: container.rootfs + "/copy"))
            #expect(copy.starts(with: [0x7f] + Array("ELF".utf8)) && copy.count < 16 << 10)
        }
    }

    @Test(
        "CVE-2016-9962: the first process has the program's rights, filter and root, and nothing of the host's",
        arguments: [0, 1000])
    func rights(uid: Int) async throws {
        let script =
            "cat /proc/1/status; echo; cat /proc/self/status; for f in root cwd; do stat -L -c %d:%i /proc/1/$f /proc/self/$f; done"
        try await TestContainer.with(["/bin/sh", "-c", script]) { container in
            try container.set("process.user", ["uid": uid, "gid": uid, "additionalGids": [7]])
            try container.set("linux.seccomp", Self.filter(["swapon"]))
            let outcome = try await container.run("--init")
            let parts = outcome.stdout.components(separatedBy: "\n\n")
            try #require(outcome.code == 0 && parts.count == 2, "\(outcome)")
            for key in [
                "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
                "Seccomp",
                "Seccomp_filters",
            ] {
                #expect(
                    statusValue(key, in: parts[0]) == statusValue(key, in: parts[1]), "\(key): \(outcome)")
            }
            let places = parts[1].split(separator: "\n").suffix(4)
            #expect(
                places.first == places.dropFirst().first && places.last == places.dropLast().last, "\(places)"
            )
        }
    }

    /// A plain user, no capability, no new privileges, Docker's filter.
    @Test func needsNothing() async throws {
        let path = Machine.repository + "/Tests/Fixtures/configs/docker-default.json"
        let docker = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? TestContainer.JSON)
        let script = "trap 'exit 9' TERM; (sleep 0.01 &); touch /tmp/ready; while :; do sleep 0.02; done"
        try await TestContainer.with { container in
            try container.setScript(script)
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            try container.set("process.capabilities", [String: Any]())
            try container.set("process.noNewPrivileges", true)
            try container.set("linux.seccomp", docker.value(["linux", "seccomp"]))
            chmod(container.rootfs + "/tmp", 0o1777)
            let child = try Child.spawn(
                Machine.gantry,
                ["--root", container.root, "run", "--init", "--bundle", container.bundle, container.id])
            try await container.waitForFile("tmp/ready")
            let pid = try await container.pid()
            try await eventually("no zombies") { try !Host.children(of: pid).contains { $0.state == "Z" } }
            try await container.succeed(["kill", container.id, "TERM"])
            #expect(try await child.wait() == 9)
        }
    }

    /// It says so, and does not go on deaf or without rest.
    @Test(
        "a filter that forbids what it needs",
        arguments: ["rt_sigtimedwait", "wait4", "kill", "clone", "prctl"])
    func filterForbids(call: String) async throws {
        try await TestContainer.with { container in
            try container.set("linux.seccomp", Self.filter([call]))
            // That one it needs for what a pid namespace does by itself.
            if call == "prctl" { try container.shareHostProcesses() }
            let outcome = try await container.run("--init")
            #expect(outcome.code == 126 && outcome.isOneSentence, "\(outcome)")
            #expect(
                outcome.stderr
                    == "gantry: --init cannot start the program: the system-call filter may forbid a call that it needs: "
                    + "\(call): operation not permitted\n", "\(outcome)")
        }
    }

    @Test("a filter that forbids its exec", arguments: ["execveat", "rt_sigprocmask"])
    func filterForbidsTheExec(call: String) async throws {
        let says =
            "--init cannot start the program (the system-call filter must allow execveat and rt_sigprocmask)"
        try await TestContainer.with { container in
            try container.set("linux.seccomp", Self.filter([call]))
            try await container.fail(
                ["run", "--init", "--bundle", container.bundle, container.id], says: says)
            try await container.create("--init")
            try await container.fail(["start", container.id], says: says)
        }
    }

    @Test("a filter that forbids what it can do without")
    func filterForbidsOthers() async throws {
        try await TestContainer.with { container in
            try container.set("linux.seccomp", Self.filter(["setpgid", "close_range", "ioctl"]))
            let outcome = try await container.runWithReaper(["/bin/sh", "-c", "ls /proc/1/fd; exit 5"])
            #expect(outcome.code == 5 && outcome.stdout == "0\n1\n2\n", "\(outcome)")
        }
    }
}
