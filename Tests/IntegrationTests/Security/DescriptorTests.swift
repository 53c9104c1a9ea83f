import Foundation
import Testing

/// What a container could reach through a descriptor, or through the program that started it.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct DescriptorTests {
    private func runWithLeaks(_ container: TestContainer) async throws -> Outcome {
        try await container.gantryWithLeaks(["run", "--bundle", container.bundle, container.id])
    }

    @Test(
        "CVE-2024-21626: a working directory named by a descriptor is refused",
        arguments: ["", "/..", "/../.."])
    func workingDirectory(suffix: String) async throws {
        try await TestContainer.with(["/bin/sh", "-c", "cat secret outside/secret ../secret; ls"]) {
            container in
            for number in 3...20 {
                try container.set("process.cwd", "/proc/self/fd/\(number)\(suffix)")
                let outcome = try await runWithLeaks(container)
                #expect(outcome.code == 1, "\(outcome)")
                #expect(outcome.stderr.hasPrefix("gantry: process.cwd: "), "\(outcome)")
                #expect(outcome.lines.count == 1, "\(outcome)")
            }
        }
    }

    @Test("CVE-2024-21626: a program named by a descriptor is not found", arguments: ["", "/../outside"])
    func program(suffix: String) async throws {
        try await TestContainer.with { container in
            for number in 3...20 {
                try container.set("process.args", ["/proc/self/fd/\(number)\(suffix)/escape"])
                let outcome = try await runWithLeaks(container)
                #expect(outcome.code == 1, "\(outcome)")
                #expect(outcome.stderr.contains("no such file or directory"), "\(outcome)")
            }
        }
    }

    @Test("CVE-2024-21626: the container has stdio and nothing else")
    func descriptors() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "ls /proc/1/fd; true"]) { container in
            let outcome = try await runWithLeaks(container)
            #expect(outcome.stdout == "0\n1\n2\n", "\(outcome)")
        }
    }

    @Test("CVE-2024-21626: preserved descriptors come, those behind them do not")
    func preservedDescriptors() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "ls /proc/1/fd; cat <&4; true"]) { container in
            let file = try container.makeOutside() + "/file"
            try "kept".write(toFile: file, atomically: false, encoding: .utf8)
            let descriptor = open(file, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let output = container.directory.path + "/output"
            let child = try Child.spawn(
                Machine.gantry,
                [
                    "--root", container.root, "run", "--preserve-fds", "2", "--bundle", container.bundle,
                    container.id,
                ],
                stdout: output, stderr: output, descriptors: [3: descriptor, 4: descriptor, 5: descriptor])
            #expect(try await child.wait() == 0)
            #expect(try String(contentsOfFile: output, encoding: .utf8) == "0\n1\n2\n3\n4\nkept")
        }
    }

    @Test(
        "CVE-2019-5736: a program that is /proc/self/exe is not the runtime",
        arguments: ["/proc/self/exe", "/script"])
    func ownExecutable(program: String) async throws {
        try await TestContainer.with([program, "--version"]) { container in
            // A copy: the one under test may be rebuilt meanwhile.
            let copy = try container.makeOutside() + "/gantry"
            try Rootfs.copy(Machine.gantry, to: copy)
            let before = try Data(contentsOf: URL(filePath: copy))
            try container.put("#!/proc/self/exe\n", at: "/script")
            let outcome = try await container.run(through: ["/usr/bin/env"], gantry: copy)
            #expect(outcome.code != 0, "\(outcome)")
            #expect(!outcome.stdout.contains("gantry"), "\(outcome)")
            #expect(try Data(contentsOf: URL(filePath: copy)) == before)
        }
    }

    @Test("CVE-2019-5736: a container in the host's pid namespace cannot open the runtime that waits for it")
    func executableOfTheParent() async throws {
        // PPid is the gantry that runs it.
        let attack = """
            parent=$(sed -n 's/^PPid:[^0-9]*//p' /proc/self/status)
            parent=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$$/status)
            cat /proc/$parent/comm
            echo evil > /proc/$parent/exe && echo written
            exec 3</proc/$parent/exe && echo opened
            ls /proc/$parent/fd && echo listed
            true
            """
        try await TestContainer.with(["/bin/sh", "-c", attack]) { container in
            let namespaces = container.value("linux.namespaces") as? [TestContainer.JSON] ?? []
            try container.set("linux.namespaces", namespaces.filter { $0["type"] as? String != "pid" })
            let copy = try container.makeOutside() + "/gantry"
            try Rootfs.copy(Machine.gantry, to: copy)
            let before = try Data(contentsOf: URL(filePath: copy))
            let outcome = try await container.run(through: ["/usr/bin/env"], gantry: copy)
            #expect(outcome.lines == ["gantry"], "\(outcome)")
            #expect(try Data(contentsOf: URL(filePath: copy)) == before)
        }
    }
}
