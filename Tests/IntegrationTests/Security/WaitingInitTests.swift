import Foundation
import Testing

/// A created container waits for `start` with a process of the runtime's. Another container in the same pid
/// namespace sees that process.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct WaitingInitTests {
    /// Creates a container and looks at its init, PID 1 of its pid namespace, from another one that joins it.
    ///
    /// - Returns: what `peek` could do, name by name, and where descriptors lead.
    private func peek(
        capabilities: [String], _ change: (TestContainer) throws -> Void = { _ in }
    ) async throws -> (results: [String: String], descriptors: [String], status: String) {
        try await TestContainer.with { waiting in
            try change(waiting)
            let created = try await waiting.gantry("create", "--bundle", waiting.bundle, waiting.id)
            #expect(created.code == 0, "\(created)")
            let state = try await waiting.gantry("state", waiting.id)
            let document = try JSONSerialization.jsonObject(with: Data(state.stdout.utf8)) as? [String: Any]
            let pid = try #require(document?["pid"] as? Int)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            return try await TestContainer.with(["/peek", "1"]) { other in
                try Rootfs.copy(try Programs.peek.get(), to: other.rootfs + "/peek")
                var namespaces = other.value("linux.namespaces") as? [TestContainer.JSON] ?? []
                namespaces.removeAll { $0["type"] as? String == "pid" }
                namespaces.append(["type": "pid", "path": "/proc/\(pid)/ns/pid"])
                try other.set("linux.namespaces", namespaces)
                for set in ["bounding", "effective", "permitted"] {
                    try other.set("process.capabilities.\(set)", capabilities)
                }
                try other.set("process.capabilities.ambient", nil)
                let outcome = try await other.run()
                #expect(outcome.code == 0, "\(outcome)")
                let pairs = outcome.lines.map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
                let results = pairs.filter { $0[0] != "fd" }
                return (
                    Dictionary(uniqueKeysWithValues: results.map { ($0[0], $0[1]) }),
                    pairs.filter { $0[0] == "fd" }.map { $0[1] }, status
                )
            }
        }
    }

    private static let filesystem = ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_KILL"]

    @Test("CVE-2016-9962: a neighbour cannot look into the init that waits for start")
    func neighbour() async throws {
        let seen = try await peek(capabilities: Self.filesystem)
        #expect(seen.results.count == 10)
        for (what, result) in seen.results {
            #expect(result == "EACCES" || result == "EPERM", "\(what): \(result)")
        }
        #expect(seen.descriptors.isEmpty)
    }

    /// The kernel lets CAP_SYS_PTRACE look at any process of its user namespace. What is there to be had must
    /// be no more than the container itself is about to have.
    @Test("CVE-2016-9962: a neighbour with CAP_SYS_PTRACE finds nothing that the container will not have")
    func tracingNeighbour() async throws {
        let seen = try await peek(capabilities: Self.filesystem + ["CAP_SYS_PTRACE"])
        // Its program is sealed memory.
        #expect(seen.results["write-exe"] != "yes", "\(seen)")
        // Besides the stdio that the container will have: what it waits with.
        let others = seen.descriptors.filter { !$0.contains("gantry-test-command") }.map {
            $0.prefix { $0 != "[" }
        }
        #expect(others.sorted() == ["anon_inode:", "socket:"], "\(seen)")
        // CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE: those of the configuration.
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            #expect(statusValue(set, in: seen.status) == "0000000020000420", "\(set): \(seen.status)")
        }
    }

    @Test("CVE-2019-5736: the init's program cannot be opened for writing by anybody in the pod")
    func writeExecutable() async throws {
        let seen = try await peek(
            capabilities: Self.filesystem + ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_SYS_RAWIO"])
        #expect(seen.results["write-exe"] != "yes", "\(seen)")
    }
}
