import Foundation
import Testing

/// Root file systems that hold one static program and nothing else: not even the directories that mounts go to.
@Suite(.needsContainers, .timeLimit(minutes: 1))
struct StaticProgramTests {
    /// Leaves only the program, as /program.
    private func run(
        _ program: String, _ arguments: [String] = [], configure: (TestContainer) throws -> Void = { _ in }
    ) async throws -> Outcome {
        try await TestContainer.with(["/program"] + arguments) { container in
            try FileManager.default.removeItem(atPath: container.rootfs)
            try FileManager.default.createDirectory(
                atPath: container.rootfs, withIntermediateDirectories: true)
            // By a child: see `ComparisonBundle.makeProgram`.
            _ = try await Command.run("/bin/cp", [program, container.rootfs + "/program"])
            try configure(container)
            try container.save()
            return try await container.run()
        }
    }

    @Test func alone() async throws {
        let outcome = try await run(Machine.busybox!, ["true"])
        // Called as "program", busybox does not know itself.
        #expect(outcome.code == 127 && outcome.stderr.contains("program: applet not found"), "\(outcome)")
    }

    @Test func probe() async throws {
        let outcome = try await run(try Programs.probe.get())
        #expect(outcome.code == 0 && outcome.stdout.contains("argument: /program\n"), "\(outcome)")
        for directory in ["/dev", "/proc", "/sys"] {
            #expect(outcome.stdout.contains("\n\(directory): mode 40"), "\(outcome)")
        }
    }

    /// Nothing is mounted, and so nothing is made either.
    @Test func withoutMounts() async throws {
        let outcome = try await run(try Programs.probe.get()) { container in
            container.config.set(["mounts"], [Any]())
            container.config.set(["root", "readonly"], true)
            container.config.set(["linux", "maskedPaths"], nil)
            container.config.set(["linux", "readonlyPaths"], nil)
        }
        #expect(outcome.code == 0 && outcome.stdout.contains("argument: /program\n"), "\(outcome)")
        #expect(outcome.stdout.contains("\n/dev/null: mode 20666"), "\(outcome)")
        #expect(!outcome.stdout.contains("\n/proc: "), "\(outcome)")
    }

    #if arch(x86_64)
        private func runThirtyTwo(_ seccomp: [String: Any]?, _ personality: String?) async throws -> Outcome {
            let program = try Programs.compile("thirtytwo", flags: ["-m32", "-nostdlib"])
            return try await run(program) { container in
                container.config.set(["linux", "seccomp"], seccomp)
                if let personality {
                    container.config.set(["linux", "personality"], ["domain": personality])
                }
            }
        }

        @Test func thirtyTwoBits() async throws {
            let outcome = try await runThirtyTwo(nil, nil)
            #expect(outcome.code == 3 && outcome.stdout == "32 bits on x86_64\n", "\(outcome)")
            let disguised = try await runThirtyTwo(nil, "LINUX32")
            #expect(disguised.code == 3 && disguised.stdout == "32 bits on i686\n", "\(disguised)")
        }

        /// A filter applies to the architectures that it names, and kills what comes by another one.
        @Test func thirtyTwoBitsWithAFilter() async throws {
            func filter(_ architectures: String...) -> [String: Any] {
                [
                    "defaultAction": "SCMP_ACT_ALLOW", "architectures": architectures,
                    "syscalls": [["names": ["uname"], "action": "SCMP_ACT_ERRNO"]],
                ]
            }
            let named = try await runThirtyTwo(filter("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"), nil)
            #expect(named.code == 3 && named.stdout == "32 bits on \n", "\(named)")
            let foreign = try await runThirtyTwo(filter("SCMP_ARCH_X86_64"), nil)
            #expect(foreign.code == 128 + SIGSYS && foreign.stdout.isEmpty, "\(foreign)")
        }
    #endif
}
