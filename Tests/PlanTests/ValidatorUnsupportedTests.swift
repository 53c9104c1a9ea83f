import Diagnostics
import Foundation
import OCI
import Testing

@testable import Plan

/// Nothing that is not executed passes, and nothing that engines write without meaning it is refused.
@Suite struct ValidatorUnsupportedTests {
    private static let mapping = Spec.IDMapping(containerID: 0, hostID: 1000, size: 1)

    private static let cases: [(change: @Sendable (inout Spec) -> Void, failure: String)] = [
        (
            { $0.mounts = [.init(destination: "/a"), .init(destination: "/b", uidMappings: [mapping])] },
            "mounts[1].uidMappings: mapped ids are"
        ),
        (
            { $0.mounts = [.init(destination: "/a", gidMappings: [mapping])] },
            "mounts[0].gidMappings: mapped ids are"
        ),
        ({ $0.linux?.namespaces.append(.init(.user)) }, "linux.namespaces[6]: user namespaces are"),
        ({ $0.linux?.namespaces.append(.init(.time)) }, "linux.namespaces[6]: time namespaces are"),
        ({ $0.linux?.uidMappings = [mapping] }, "linux.uidMappings: user namespaces are"),
        ({ $0.linux?.gidMappings = [mapping] }, "linux.gidMappings: user namespaces are"),
        (
            { $0.linux?.timeOffsets = [.init(clock: .boottime, secs: 1, nanosecs: 0)] },
            "linux.timeOffsets: time namespaces are"
        ),
        ({ $0.linux?.netDevices = [.init(hostName: "e")] }, "linux.netDevices: moving network devices is"),
        ({ $0.linux?.intelRdt = .init() }, "linux.intelRdt: resctrl is"),
        ({ $0.linux?.memoryPolicy = .init(mode: .bind) }, "linux.memoryPolicy: memory policies are"),
        ({ $0.linux?.mountLabel = "l" }, "linux.mountLabel: SELinux is"),
        (
            {
                $0.linux?.seccomp = .init(defaultAction: .allow)
                $0.linux?.seccomp?.listenerPath = "/l"
            }, "linux.seccomp.listenerPath: seccomp notification is"
        ),
        (
            {
                $0.linux?.seccomp = .init(defaultAction: .allow)
                $0.linux?.seccomp?.syscalls = [
                    .init(names: ["a"], action: .log), .init(names: ["b"], action: .notify),
                ]
            }, "linux.seccomp.syscalls[1].action: seccomp notification is"
        ),
        ({ $0.process?.scheduler = .init(policy: .idle) }, "process.scheduler: scheduling policies are"),
        (
            { $0.process?.ioPriority = .init(class: .idle, priority: 0) },
            "process.ioPriority: I/O priorities are"
        ),
        ({ $0.process?.execCPUAffinity = .init(initial: "0") }, "process.execCPUAffinity: CPU affinity is"),
    ]

    @Test(arguments: cases.indices)
    func isRefused(_ index: Int) throws {
        let (change, expected) = Self.cases[index]
        var spec = validSpec()
        change(&spec)
        do {
            try Validator.check(spec)
            Issue.record("passed; expected \(expected)")
        } catch {
            #expect(error.description == expected + " not supported yet")
            #expect(error.kind == .unsupported)
        }
    }

    @Test func emptyOnesPass() {
        #expect(
            resourcesObjection {
                $0.blockIO = .init()
                $0.blockIO?.weight = 0
                $0.blockIO?.leafWeight = 0
                $0.network = .init()
                $0.network?.classID = 0
                $0.memory = .init()
                $0.cpu = .init()
                $0.pids = .init()
            } == nil)
    }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Fixtures/configs")

    static var fixtureNames: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted()
    }

    /// Engines' own documents are only refused for a user namespace.
    @Test(arguments: fixtureNames)
    func engines(_ name: String) throws {
        let file = Self.fixtures.appendingPathComponent(name)
        var spec = try Spec.load(json: Array(Data(contentsOf: file)))
        spec.linux?.namespaces.removeAll { $0.type == .user }
        spec.linux?.uidMappings = []
        spec.linux?.gidMappings = []
        #expect(throws: Never.self) { try Validator.check(spec) }
        #expect(Validator.warnings(spec) == [])
    }
}
