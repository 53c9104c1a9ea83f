import Foundation
import Testing

/// The same, while another process swaps a directory and a symlink without a pause. `scripts/soak` runs many
/// more rounds.
@Suite(.needsContainers, .serialized, .timeLimit(minutes: 20))
struct MountRaceTests {
    private static let rounds = Soak.rounds(25, soak: 1000)

    /// A volume with a directory `swapped` and a symlink that take turns, and what the symlink leads to.
    private struct Volume {
        let path: String
        let outside: String

        init(_ container: TestContainer, linkTo target: String? = nil) throws {
            outside = try container.makeOutside()
            path = try container.makeOutside("volume")
            try FileManager.default.createDirectory(
                atPath: path + "/swapped", withIntermediateDirectories: true)
            // Climbs out of wherever it is resolved, then comes down again.
            try FileManager.default.createSymbolicLink(
                atPath: path + "/link", withDestinationPath: target ?? "../../../../../../../.." + outside)
            try container.addMount("/volume", type: "bind", source: path, options: ["rbind"])
        }

        func swap() throws -> Companion {
            try Companion(Programs.exchange, path + "/swapped", path + "/link")
        }
    }

    /// - Returns: what the containers that started printed.
    private func race(_ container: TestContainer, _ volume: Volume) async throws -> [String] {
        let companion = try volume.swap()
        var outputs: [String] = []
        for _ in 0..<Self.rounds {
            let outcome = try await container.run()
            // A clean refusal is fine; anything else is not.
            if outcome.code == 0 {
                outputs.append(outcome.stdout)
            } else {
                #expect(outcome.code == 1 && outcome.stderr.hasPrefix("gantry: "), "\(outcome)")
            }
        }
        #expect(try await companion.stop())
        return outputs
    }

    @Test(
        "CVE-2021-30465: a mount target that is swapped with a symlink never leads to the host",
        arguments: ["/volume/swapped", "/volume/swapped/sub"])
    func swappedTarget(destination: String) async throws {
        try await TestContainer.with([
            "/bin/sh", "-c",
            "cat /proc/self/mountinfo; find / -name secret-of-the-host -xdev 2>/dev/null; true",
        ]) {
            container in
            let volume = try Volume(container)
            try "secret".write(
                toFile: volume.outside + "/secret-of-the-host", atomically: false, encoding: .utf8)
            try container.addMount(destination, type: "tmpfs", source: "marked")
            for output in try await race(container, volume) {
                #expect(!output.contains("secret-of-the-host"), "\(output)")
                let mount = MountLine.all(in: output).first { $0.source == "marked" }
                #expect(mount != nil, "\(output)")
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: volume.outside) == ["secret-of-the-host"])
            let host = try #require(Host.read("/proc/self/mountinfo"))
            #expect(!host.contains("marked"))
        }
    }

    @Test("CVE-2024-45310: directories and files on the way are made inside only")
    func madeInside() async throws {
        try await TestContainer.with { container in
            let volume = try Volume(container)
            try "x".write(toFile: container.directory.path + "/file", atomically: false, encoding: .utf8)
            try container.addMount("/volume/swapped/a/b/c", type: "tmpfs", source: "marked")
            try container.addMount(
                "/volume/swapped/d/file", type: "bind", source: container.directory.path + "/file",
                options: ["bind"])
            try container.set("process.cwd", "/volume/swapped/e/f")
            _ = try await race(container, volume)
            #expect(try FileManager.default.contentsOfDirectory(atPath: volume.outside).isEmpty)
        }
    }

    @Test("youki 2026: a read-only path is the same one when it is bound and when it becomes read-only")
    func readOnlyPath() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            let volume = try Volume(container, linkTo: "/etc")
            try container.set("linux.readonlyPaths", ["/volume/swapped"])
            try container.set("linux.maskedPaths", nil)
            for output in try await race(container, volume) {
                let mounts = MountLine.all(in: output)
                let covered = mounts.filter {
                    ["/volume/swapped", "/volume/link", "/etc"].contains($0.mountPoint)
                }
                #expect(covered.count == 1, "\(output)")
                #expect(covered.first?.options.contains("ro") == true, "\(output)")
                let others = mounts.filter { $0.mountPoint == "/volume" || $0.mountPoint == "/" }
                #expect(others.allSatisfy { $0.options.contains("rw") }, "\(output)")
            }
        }
    }

    @Test("youki 2026: a masked directory, too")
    func maskedPath() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/mountinfo"]) { container in
            let volume = try Volume(container, linkTo: "/etc")
            try container.set("linux.readonlyPaths", nil)
            try container.set("linux.maskedPaths", ["/volume/swapped"])
            for output in try await race(container, volume) {
                let covered = MountLine.all(in: output).filter {
                    ["/volume/swapped", "/volume/link", "/etc"].contains($0.mountPoint)
                }
                #expect(covered.count == 1, "\(output)")
                #expect(
                    covered.first?.type == "tmpfs" && covered.first?.options.contains("ro") == true,
                    "\(output)")
            }
        }
    }

    @Test("CVE-2025-31133: /dev/null that is swapped with a symlink masks, or nothing starts")
    func swappedNull() async throws {
        let pattern = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
        try await TestContainer.with(["/bin/sh", "-c", "cat /proc/timer_list /proc/keys; echo end"]) {
            container in
            let dev = try container.makeOutside("dev")
            #expect(mknod(dev + "/null", S_IFCHR | 0o666, 0x103) == 0)
            try FileManager.default.createSymbolicLink(
                atPath: dev + "/link", withDestinationPath: "/proc/sys/kernel/core_pattern")
            container.mounts.removeAll { ($0["destination"] as? String)?.hasPrefix("/dev") == true }
            try container.addMount("/dev", type: "bind", source: dev, options: ["rbind"])
            let companion = try Companion(Programs.exchange, dev + "/null", dev + "/link")
            for _ in 0..<Self.rounds {
                let outcome = try await container.run()
                if outcome.code == 0 {
                    #expect(outcome.stdout == "end\n", "\(outcome)")
                } else {
                    #expect(outcome.code == 1, "\(outcome)")
                    #expect(outcome.stderr.hasPrefix("gantry: linux.maskedPaths: "), "\(outcome)")
                }
            }
            #expect(try await companion.stop())
        }
        #expect(try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8) == pattern)
    }

    /// Scoped lookups of a path with ".." answer EAGAIN while anything on the machine is renamed or mounted.
    @Test("CVE-2025-52881 (robustness): lookups that are disturbed are repeated until they succeed")
    func disturbedLookups() async throws {
        try await TestContainer.with { container in
            let load = try container.makeOutside()
            try container.link("/up", to: "../../../var/../up2")
            try container.link("/up2", to: "../etc/../../../tmp")
            for index in 0..<10 {
                try container.addMount("/up/\(index)/../\(index)/deep", type: "tmpfs", source: "marked")
                try FileManager.default.createDirectory(
                    atPath: container.rootfs + "/tmp/\(index)", withIntermediateDirectories: true)
                try container.link("/tmp/\(index)/deep", to: "../../../up/../var")
            }
            let companion = try Companion(Programs.churn, load)
            for _ in 0..<Soak.rounds(50, soak: 5000) {
                let outcome = try await container.run()
                #expect(outcome.code == 0, "\(outcome)")
            }
            #expect(try await companion.stop())
        }
    }
}
