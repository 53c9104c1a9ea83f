import Foundation
import Testing

/// Who the container's process is, whatever its caller was.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct IdentityTests {
    private static let status = ["/bin/cat", "/proc/self/status"]
    /// A caller with capabilities in all of its sets.
    private static let capableCaller: [String] = {
        let names = "+chown,+kill,+net_bind_service,+sys_admin,+sys_ptrace,+setuid"
        return ["/usr/bin/setpriv", "--inh-caps", names, "--ambient-caps", names]
    }()

    @Test("CVE-2022-24769: inheritable capabilities are those of the configuration, not the caller's")
    func inheritable() async throws {
        try await TestContainer.with(Self.status) { container in
            let outcome = try await container.run(through: Self.capableCaller)
            #expect(statusValue("CapInh", in: outcome.stdout) == "0000000000000000", "\(outcome)")
            try container.set("process.capabilities.inheritable", ["CAP_KILL"])
            let asked = try await container.run(through: Self.capableCaller)
            #expect(statusValue("CapInh", in: asked.stdout) == "0000000000000020", "\(asked)")
        }
    }

    @Test("CVE-2016-8867: a user that is not root has no ambient and no effective capabilities")
    func ambient() async throws {
        try await TestContainer.with(Self.status) { container in
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            try container.set("process.capabilities.ambient", nil)
            try container.set("process.capabilities.effective", nil)
            try container.set("process.capabilities.permitted", nil)
            let outcome = try await container.run(through: Self.capableCaller)
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                #expect(statusValue(set, in: outcome.stdout) == "0000000000000000", "\(set): \(outcome)")
            }
        }
    }

    @Test("CVE-2016-8867: with permitted capabilities in the configuration, exec leaves a plain user none")
    func permittedOfAPlainUser() async throws {
        try await TestContainer.with(Self.status) { container in
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            try container.set("process.capabilities.ambient", nil)
            let outcome = try await container.run(through: Self.capableCaller)
            for set in ["CapPrm", "CapEff", "CapAmb"] {
                #expect(statusValue(set, in: outcome.stdout) == "0000000000000000", "\(set): \(outcome)")
            }
        }
    }

    @Test("CVE-2023-25173: groups are exactly additionalGids", arguments: [[], [7], [7, 8, 100_000]])
    func groups(additional: [Int]) async throws {
        try await TestContainer.with(Self.status) { container in
            try container.set("process.user", ["uid": 1000, "gid": 1000, "additionalGids": additional])
            let outcome = try await container.run(through: ["/usr/bin/setpriv", "--groups", "10,20,30"])
            let groups = statusValue("Groups", in: outcome.stdout)?.split(separator: " ").map(String.init)
            #expect(groups == additional.map(String.init), "\(outcome)")
            #expect(statusValue("Gid", in: outcome.stdout) == "1000\t1000\t1000\t1000")
        }
    }

    @Test("CVE-2016-3697: a number is never looked up as a name")
    func numericName() async throws {
        try await TestContainer.with(Self.status) { container in
            try container.put("1000:x:0:0:evil:/root:/bin/sh\n", at: "/etc/passwd")
            try container.put("1000:x:0:\n", at: "/etc/group")
            try container.set("process.user", ["uid": 1000, "gid": 1000])
            let outcome = try await container.run()
            #expect(statusValue("Uid", in: outcome.stdout) == "1000\t1000\t1000\t1000", "\(outcome)")
            #expect(statusValue("Gid", in: outcome.stdout) == "1000\t1000\t1000\t1000", "\(outcome)")
        }
    }

    @Test(
        "CVE-2024-40635: an id that is out of range is refused",
        arguments: ["uid", "gid", "additionalGids"], [-1, 4_294_967_295, 4_294_967_296, 1 << 40])
    func idsOutOfRange(property: String, id: Int) async throws {
        try await TestContainer.with(Self.status) { container in
            let value: Any = property == "additionalGids" ? [id] : id
            try container.set("process.user.\(property)", value)
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("process.user.\(property)"), "\(outcome)")
            #expect(outcome.stdout.isEmpty, "\(outcome)")
        }
    }

    @Test(
        "CVE-2016-9962: the program cannot be traced by its pod, nor does it keep the runtime's signal state")
    func signalState() async throws {
        try await TestContainer.with(Self.status) { container in
            let outcome = try await container.run()
            #expect(statusValue("TracerPid", in: outcome.stdout) == "0", "\(outcome)")
            #expect(statusValue("SigBlk", in: outcome.stdout) == "0000000000000000", "\(outcome)")
            #expect(statusValue("SigIgn", in: outcome.stdout) == "0000000000000000", "\(outcome)")
        }
    }
}
