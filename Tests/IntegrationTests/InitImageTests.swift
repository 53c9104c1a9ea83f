import Foundation
import Testing

/// The freestanding programs as the compiler leaves them, for both machines.
@Suite struct InitImageTests {
    enum Architecture: String, CaseIterable {
        case x86 = "x86_64"
        case arm = "aarch64"

        static var host: String { uname("-m") }

        private static func uname(_ flag: String) -> String {
            var name = utsname()
            Glibc.uname(&name)
            return withUnsafeBytes(of: name.machine) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
        }

        var isHost: Bool { rawValue == Self.host }

        /// Why it cannot be compiled here, or nil.
        var obstacle: String? {
            isHost || Machine.find("\(rawValue)-linux-gnu-gcc") != nil
                ? nil : "gcc for \(rawValue) is missing: run scripts/test"
        }

        /// The emulator that runs its programs here; nil when none is needed.
        var emulator: String? { isHost ? nil : Machine.find("qemu-\(rawValue)-static") }
    }

    private func build(
        _ architecture: Architecture, _ source: String = "main.c", in directory: TemporaryDirectory
    ) async throws -> String {
        let image = directory.path + "/image"
        let outcome = try await Command.run(
            "/bin/sh", [Machine.repository + "/Init/build.sh", image, architecture.rawValue, source])
        try #require(outcome.code == 0, "\(outcome)")
        return image
    }

    private func readelf(_ flags: String, _ image: String) async throws -> String {
        try await Command.run("/usr/bin/readelf", [flags, image]).stdout
    }

    @Test(
        arguments: Architecture.allCases.filter { $0.obstacle == nil },
        [("main.c", 64 << 10), ("keeper/main.c", 64 << 10), ("reaper/main.c", 8 << 10)])
    func nothingIsMissingAndNothingIsLarge(
        architecture: Architecture, program: (source: String, limit: Int)
    ) async throws {
        let directory = try TemporaryDirectory("init")
        defer { directory.remove() }
        let image = try await build(architecture, program.source, in: directory)

        let size = try FileManager.default.attributesOfItem(atPath: image)[.size] as? Int ?? .max
        #expect(size <= program.limit)
        // Nobody would apply relocations, load an interpreter or find a symbol.
        #expect(try await readelf("-Wr", image).contains("There are no relocations"))
        #expect(!(try await readelf("-Wl", image).contains("INTERP")))
        #expect(!(try await readelf("-Wd", image).contains("NEEDED")))
        #expect(!(try await readelf("-Ws", image).split(separator: "\n").contains { $0.contains(" UND _") }))
    }

    /// It takes a plan, talks to gantry, and tells which op failed and how.
    @Test(arguments: Architecture.allCases.filter { $0.obstacle == nil && ($0.isHost || $0.emulator != nil) })
    func itExecutesAPlan(architecture: Architecture) async throws {
        let directory = try TemporaryDirectory("init")
        defer { directory.remove() }
        let image = try await build(architecture, in: directory)
        let driver = try Programs.compile(
            "driveinit", flags: ["-I" + Machine.repository + "/Sources/CPlan/include"])
        let outcome = try await Command.run(driver, [architecture.emulator, image].compactMap { $0 })
        #expect(outcome.code == 0 && outcome.stdout == "as planned\n", "\(outcome)")
    }

    /// It executes a program, hands a signal on, and exits as the program does; of the other machine, too.
    @Test(
        .needsContainers,
        arguments: Architecture.allCases.filter { $0.obstacle == nil && ($0.isHost || $0.emulator != nil) })
    func theReaperLooksAfterAProgram(architecture: Architecture) async throws {
        let directory = try TemporaryDirectory("reaper")
        defer { directory.remove() }
        let image = try await build(architecture, "reaper/main.c", in: directory)
        // As PID 1: what it asks for elsewhere the emulator has not.
        let words = ["/usr/bin/unshare", "--pid", "--fork", architecture.emulator, image].compactMap { $0 }
        func run(_ program: String...) async throws -> Outcome {
            try await Command.run(words[0], words.dropFirst() + program)
        }
        let ended = try await run("/bin/sh", "sh", "-c", "(sleep 0.01 &); echo $0 $1; exit 7", "name", "word")
        #expect(ended.code == 7 && ended.stdout == "name word\n", "\(ended)")
        let missing = try await run("/nosuch", "nosuch")
        #expect(missing.code == 127, "\(missing)")
        #expect(missing.stderr.hasSuffix(": exec /nosuch: no such file or directory\n"), "\(missing)")

        let ready = directory.path + "/ready"
        let script = "trap 'exit 9' TERM; touch \(ready); while :; do sleep 0.02; done"
        let child = try Child.spawn(words[0], words.dropFirst() + ["/bin/sh", "sh", "-c", script])
        try await eventually("the program") { FileManager.default.fileExists(atPath: ready) }
        for first in try Host.children(of: child.pid) { kill(first.pid, SIGTERM) }
        #expect(try await child.wait() == 9)
    }
}
