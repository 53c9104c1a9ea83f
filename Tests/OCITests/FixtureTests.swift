import Diagnostics
import Foundation
import JSON
import OCI
import Testing

/// Every document that a real engine wrote is read, whole and right. Foundation is the referee.
@Suite struct FixtureTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    static func files(_ folder: String) -> [URL] {
        let folder = fixtures.appendingPathComponent(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().map { folder.appendingPathComponent($0) }
    }

    @Test func thereAreFixtures() {
        #expect(Self.files("configs").count >= 4)
    }

    @Test(arguments: files("configs"))
    func config(_ file: URL) throws {
        let data = try Data(contentsOf: file)
        let spec = try Spec.load(json: Array(data))
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(spec.ociVersion == object["ociVersion"] as? String)
        #expect(spec.root?.path == (object["root"] as? [String: Any])?["path"] as? String)
        #expect(spec.root?.readonly == ((object["root"] as? [String: Any])?["readonly"] as? Bool ?? false))
        #expect(spec.hostname == object["hostname"] as? String)
        let annotations = object["annotations"] as? [String: String] ?? [:]
        #expect(spec.annotations.count == annotations.count)
        #expect(spec.annotations.allSatisfy { annotations[$0.key] == $0.value })
        try compare(try #require(spec.process), object["process"] as? [String: Any])
        compare(spec.mounts, object["mounts"] as? [[String: Any]] ?? [])
        compare(try #require(spec.linux), try #require(object["linux"] as? [String: Any]))
    }

    @Test(arguments: files("processes"))
    func process(_ file: URL) throws {
        let data = try Data(contentsOf: file)
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        try compare(try Spec.Process.load(json: Array(data)), object)
    }

    private func compare(_ process: Spec.Process, _ object: [String: Any]?) throws {
        let object = try #require(object)
        #expect(process.args == object["args"] as? [String])
        #expect(process.env == object["env"] as? [String] ?? [])
        #expect(process.cwd == object["cwd"] as? String)
        #expect(process.terminal == (object["terminal"] as? Bool ?? false))
        #expect(process.noNewPrivileges == (object["noNewPrivileges"] as? Bool ?? false))
        #expect(process.oomScoreAdj == object["oomScoreAdj"] as? Int)
        let user = try #require(object["user"] as? [String: Any])
        #expect(Int(process.user.uid) == user["uid"] as? Int)
        #expect(Int(process.user.gid) == user["gid"] as? Int)
        #expect(process.user.additionalGids.map { Int($0) } == user["additionalGids"] as? [Int] ?? [])
        let sets = object["capabilities"] as? [String: [String]]
        #expect((process.capabilities == nil) == (sets == nil))
        #expect(process.capabilities?.bounding ?? [] == sets?["bounding"] ?? [])
        #expect(process.capabilities?.effective ?? [] == sets?["effective"] ?? [])
        #expect(process.capabilities?.inheritable ?? [] == sets?["inheritable"] ?? [])
        #expect(process.capabilities?.permitted ?? [] == sets?["permitted"] ?? [])
        #expect(process.capabilities?.ambient ?? [] == sets?["ambient"] ?? [])
        let limits = object["rlimits"] as? [[String: Any]] ?? []
        #expect(process.rlimits.map(\.type) == limits.map { $0["type"] as? String })
        #expect(process.rlimits.map(\.soft) == limits.map { ($0["soft"] as? NSNumber)?.uint64Value })
        #expect(process.rlimits.map(\.hard) == limits.map { ($0["hard"] as? NSNumber)?.uint64Value })
    }

    private func compare(_ mounts: [Spec.Mount], _ list: [[String: Any]]) {
        #expect(mounts.map(\.destination) == list.map { $0["destination"] as? String })
        #expect(mounts.map(\.type) == list.map { $0["type"] as? String })
        #expect(mounts.map(\.source) == list.map { $0["source"] as? String })
        #expect(mounts.map(\.options) == list.map { $0["options"] as? [String] ?? [] })
    }

    private func compare(_ linux: Spec.Linux, _ object: [String: Any]) {
        let namespaces = object["namespaces"] as? [[String: String]] ?? []
        #expect(linux.namespaces.map(\.type.rawValue) == namespaces.map { $0["type"] })
        #expect(linux.namespaces.map(\.path) == namespaces.map { $0["path"] })
        #expect(linux.cgroupsPath == object["cgroupsPath"] as? String)
        #expect(linux.maskedPaths == object["maskedPaths"] as? [String] ?? [])
        #expect(linux.readonlyPaths == object["readonlyPaths"] as? [String] ?? [])
        let devices = object["devices"] as? [[String: Any]] ?? []
        #expect(linux.devices.map(\.path) == devices.map { $0["path"] as? String })
        #expect(linux.devices.map(\.type.rawValue) == devices.map { $0["type"] as? String })
        #expect(linux.devices.map { Int($0.major) } == devices.map { $0["major"] as? Int })
        #expect(linux.devices.map { Int($0.minor) } == devices.map { $0["minor"] as? Int })
        #expect(linux.devices.map { $0.fileMode.map(Int.init) } == devices.map { $0["fileMode"] as? Int })
        let sysctl = object["sysctl"] as? [String: String] ?? [:]
        #expect(linux.sysctl.count == sysctl.count)
        #expect(linux.sysctl.allSatisfy { sysctl[$0.key] == $0.value })
        let resources = object["resources"] as? [String: Any]
        let rules = resources?["devices"] as? [[String: Any]] ?? []
        #expect(linux.resources?.devices.map(\.allow) ?? [] == rules.map { $0["allow"] as? Bool })
        #expect(linux.resources?.devices.map(\.access) ?? [] == rules.map { $0["access"] as? String })
        let memory = resources?["memory"] as? [String: Any]
        #expect(linux.resources?.memory?.limit.map(Int.init) == memory?["limit"] as? Int)
        #expect(linux.resources?.memory?.swap.map(Int.init) == memory?["swap"] as? Int)
        let cpu = resources?["cpu"] as? [String: Any]
        #expect(linux.resources?.cpu?.shares.map(Int.init) == cpu?["shares"] as? Int)
        #expect(linux.resources?.cpu?.quota.map(Int.init) == cpu?["quota"] as? Int)
        #expect(linux.resources?.cpu?.cpus == cpu?["cpus"] as? String)
        let seccomp = object["seccomp"] as? [String: Any]
        let syscalls = seccomp?["syscalls"] as? [[String: Any]] ?? []
        #expect(linux.seccomp?.defaultAction.rawValue == seccomp?["defaultAction"] as? String)
        #expect(
            linux.seccomp?.architectures.map(\.rawValue) ?? [] == seccomp?["architectures"] as? [String] ?? []
        )
        #expect(linux.seccomp?.syscalls.map(\.names) ?? [] == syscalls.map { $0["names"] as? [String] })
        #expect(
            linux.seccomp?.syscalls.map(\.action.rawValue) ?? [] == syscalls.map { $0["action"] as? String })
        #expect(
            linux.seccomp?.syscalls.flatMap(\.args).map(\.value) ?? []
                == syscalls.flatMap { $0["args"] as? [[String: Any]] ?? [] }
                .map { ($0["value"] as? NSNumber)?.uint64Value })
    }
}
