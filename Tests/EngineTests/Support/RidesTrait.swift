import Foundation
import Testing

enum Requirements {
    private static let programs = [
        "dockerd", "docker", "containerd", "ctr", "podman", "conmon", "buildah", "runc", "umoci", "nsenter",
        "setpriv", "iptables",
    ]

    /// Why no engine can be started here, or nil.
    static let obstacle: String? =
        Machine.obstacle
        ?? programs.first { Machine.find($0) == nil }.map { "\($0) is missing: run scripts/test --engines" }

    static let met = obstacle == nil
}

/// Ends an engine's worlds after the last of its cases, and looks whether the machine is as it was.
struct RidesTrait: SuiteTrait, TestScoping {
    let engine: Engine

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let before = try await Traces.of(engine)
        try await function()
        do { try await Rides.shared.end(engine) } catch { Issue.record("\(error)") }
        let left = try await Traces.of(engine).subtracting(before)
        #expect(left.isEmpty, "\(engine) left something on the machine")
    }
}

extension Trait where Self == RidesTrait {
    static func rides(_ engine: Engine) -> Self { RidesTrait(engine: engine) }
}

/// What engines leave on a machine when they are not in a world of their own. Other programs' things come and go
/// there, so only what has an engine's or a world's name counts.
enum Traces {
    static func of(_ engine: Engine) async throws -> Set<String> {
        let world = TemporaryDirectory.prefix + engine.worlds
        let table = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        var found = Set(table.split(separator: "\n").filter { $0.contains(world) }.map { "mount " + $0 })
        let name = URL(filePath: world).lastPathComponent
        let cgroups = try await Command.run(
            "/usr/bin/find", ["/sys/fs/cgroup", "-mindepth", "2", "-type", "d", "-name", name + "*"])
        found.formUnion(cgroups.lines.map { "cgroup " + $0 })
        let links = try await Command.run("/usr/bin/env", ["ip", "-o", "link"])
        found.formUnion(links.lines.filter { $0.contains(/docker|cni/) }.map { "link " + $0 })
        let rules = try await Command.run("/usr/bin/env", ["iptables-save"])
        found.formUnion(rules.lines.filter { $0.contains(/DOCKER|CNI/) }.map { "firewall rule " + $0 })
        for directory in ["/run", "/var/lib", "/etc/cni", "/etc/docker", "/etc/containerd", "/dev/shm"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            found.formUnion(
                names.map { "file " + directory + "/" + $0 }.filter {
                    $0.contains(/docker|cni|libpod|contain/)
                })
        }
        // Descriptors and roots of processes that outlived their world would name its directory.
        let processes = try await Command.run("/usr/bin/pgrep", ["-f", world])
        found.formUnion(processes.lines.map { "process " + $0 })
        return found
    }
}
