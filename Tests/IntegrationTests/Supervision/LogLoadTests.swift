import Foundation
import Testing

/// What a container prints is in its log byte for byte, in order per stream, whatever it prints and however the log is
/// kept. The container writes the same bytes to two files, which are the truth.
///
/// 1 GB with GANTRY_SOAK=1.
@Suite(.needsContainers, .timeLimit(minutes: Soak.isOn ? 60 : 10))
struct LogLoadTests {
    /// Seconds that one step may take.
    private static let patience: Double = Soak.isOn ? 1800 : 240
    private static let amount = Soak.isOn ? 1_000_000_000 : 24_000_000

    /// - Parameter how: `raw`, or in how many parts.
    private func prepare(_ container: TestContainer, how: String? = nil, amount: Int = amount) throws {
        let program = try Programs.compile("babble")
        try FileManager.default.copyItem(atPath: program, toPath: container.rootfs + "/bin/babble")
        try FileManager.default.createDirectory(
            atPath: container.rootfs + "/truth", withIntermediateDirectories: false)
        let seed = ProcessInfo.processInfo.environment["GANTRY_SEED"] ?? "1"
        try container.set(
            "process.args",
            ["/bin/babble", "4", String(amount), seed, "/truth"] + (how.map { [$0] } ?? []))
        if how == "raw" { try container.set("process.terminal", true) }
    }

    /// Where they differ first, in one line; nil when they do not.
    private func difference(_ printed: String, _ truth: String) async throws -> String? {
        let outcome = try await Command.run("/usr/bin/cmp", [printed, truth], seconds: Self.patience)
        return outcome.code == 0 ? nil : outcome.stdout + outcome.stderr
    }

    private func expectTruth(
        _ container: TestContainer, _ printed: String, _ streams: [Int] = [1, 2],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for stream in streams {
            let found = try await difference("\(printed).\(stream)", "\(container.rootfs)/truth/\(stream)")
            #expect(found == nil, "\(found ?? "")", sourceLocation: sourceLocation)
        }
    }

    private func logs(_ container: TestContainer, _ flags: [String], to printed: String) throws -> Child {
        try Child.spawn(
            Machine.gantry,
            container.globals + ["logs"] + flags + [container.id],
            stdout: printed + ".1", stderr: printed + ".2")
    }

    private func logs(
        of container: TestContainer, _ flags: [String], to printed: String, seconds: Double = patience
    ) async throws {
        let code = try await logs(container, flags, to: printed).wait(seconds: seconds)
        #expect(code == 0)
    }

    /// Both files, rotated every megabyte, with a reader that follows all the while.
    @Test(arguments: ["k8s-file", "json-file"])
    func nothingIsLostOrDoubled(driver: String) async throws {
        try await TestContainer.with { container in
            try prepare(container)
            try await container.supervise(
                "--log-driver", driver, "--log-max-size", "1m", "--log-max-files", "10000")
            let followed = container.directory.path + "/followed"
            let follower = try logs(container, ["--follow"], to: followed)
            #expect(try await container.exitCode(seconds: Self.patience) == 0)
            #expect(try await follower.wait(seconds: Self.patience) == 0)
            let whole = container.directory.path + "/whole"
            try await logs(of: container, [], to: whole)
            // A driver whose text is UTF-8 replaces what is not, as Docker does: then both readers agree.
            if driver == "k8s-file" {
                try await expectTruth(container, followed)
                try await expectTruth(container, whole)
            } else {
                for stream in [1, 2] {
                    #expect(try await difference("\(followed).\(stream)", "\(whole).\(stream)") == nil)
                    try expectReplaced("\(whole).\(stream)", "\(container.rootfs)/truth/\(stream)")
                }
            }
            try await container.succeed(["delete", container.id])
        }
    }

    /// As Go's JSON encoder does it: each byte that is no UTF-8 becomes U+FFFD.
    private func expectReplaced(_ printed: String, _ truth: String) throws {
        let text = try Data(contentsOf: URL(filePath: printed))
        let bytes = try Data(contentsOf: URL(filePath: truth))
        // Pieces of lines are encoded each for itself, so a character at their seam may become several; lines that are
        // shorter than a piece must be equal.
        let printedLines = text.split(separator: 10, omittingEmptySubsequences: false)
        let trueLines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        #expect(printedLines.count == trueLines.count)
        for (printed, truth) in zip(printedLines, trueLines) where truth.count < 16_000 {
            let expected = GoText.replacingInvalid(Array(truth))
            if Array(printed) != expected {
                Issue.record("\(printed.count) bytes differ from \(truth.count)")
                return
            }
        }
    }

    @Test func throughATerminal() async throws {
        try await TestContainer.with { container in
            try prepare(container, how: "raw", amount: Self.amount / 4)
            try await container.supervise("--log-max-size", "1m", "--log-max-files", "10000")
            #expect(try await container.exitCode(seconds: Self.patience) == 0)
            let whole = container.directory.path + "/whole"
            try await logs(of: container, [], to: whole)
            try await expectTruth(container, whole, [1])
        }
    }

    /// The supervisor dies again and again while the container prints: a new one takes over, and no byte is lost.
    @Test func aSupervisorThatIsKilled() async throws {
        try await TestContainer.with { container in
            let parts = Soak.rounds(5, soak: 12)
            try prepare(container, how: String(parts), amount: Soak.isOn ? 200_000_000 : 30_000_000)
            try await container.supervise("--log-max-size", "1m", "--log-max-files", "10000")
            for part in 0..<parts {
                try Data().write(to: URL(filePath: "\(container.rootfs)/truth/go-\(part)"))
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...30)))
                try await container.killSupervisor()
            }
            #expect(try await container.exitCode(seconds: Self.patience) == 0)
            let whole = container.directory.path + "/whole"
            try await logs(of: container, [], to: whole)
            try await expectTruth(container, whole)
        }
    }
}

/// Text as Go's encoding/json writes it.
private enum GoText {
    static func replacingInvalid(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let length = validLength(bytes, index)
            if length == 0 {
                result += [0xEF, 0xBF, 0xBD]
                index += 1
            } else {
                result += bytes[index..<index + length]
                index += length
            }
        }
        return result
    }

    /// Length of the valid sequence at `index`; 0 for none (RFC 3629).
    private static func validLength(_ bytes: [UInt8], _ index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let length: Int
        var range: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, range) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: length = 3
        case 0xED: (length, range) = (3, 0x80...0x9F)
        case 0xF0: (length, range) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, range) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + length <= bytes.count, range.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where !(0x80...0xBF).contains(bytes[index + offset]) { return 0 }
        return length
    }
}
