import Diagnostics
import OCI
import Testing

@testable import Cgroups

typealias DeviceRule = Spec.Linux.Resources.DeviceRule

@Suite struct DevicePolicyTests {
    /// What runc 1.1.5 leaves in devices.list for a container without rules of its own.
    static let standard = [
        "b *:* m", "c *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm",
        "c 5:2 rwm", "c 10:200 rwm", "c 136:* rwm",
    ]
    static let denyAll = DeviceRule(allow: false, access: "rwm")

    private func lines(_ rules: [DeviceRule]) throws(Failure) -> [String] {
        let exceptions = try DeviceExceptions(try DevicePolicy(rules))
        return [exceptions.allowsByDefault ? "allow all but" : "deny all but"]
            + exceptions.exceptions.map(\.line)
    }

    @Test func nothingIsAllowedByDefault() throws {
        #expect(try lines([]) == ["deny all but"] + Self.standard)
        #expect(try lines([Self.denyAll]) == ["deny all but"] + Self.standard)
    }

    @Test func everythingIsAllowed() throws {
        #expect(try lines([Self.denyAll, DeviceRule(allow: true, access: "rwm")]) == ["allow all but"])
        // A rule of every kind and number, with numbers spelled as engines do.
        #expect(try lines([DeviceRule(allow: true, type: .all, major: -1, minor: -1)]) == ["allow all but"])
    }

    /// `docker run --device /dev/sda:/dev/sda:r`: the node is there, and may be read alone. That it is made gives no right.
    @Test func nodesOfTheDocumentGiveNoRight() throws {
        let spec = try Spec.load(
            json: Array(
                #"""
                {"ociVersion": "1.0.2", "root": {"path": "r"}, "linux": {
                 "devices": [{"path": "/dev/sda", "type": "b", "major": 8, "minor": 0},
                             {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}],
                 "resources": {"devices": [{"allow": false, "access": "rwm"},
                  {"allow": true, "type": "b", "major": 8, "minor": 0, "access": "r"}]}}}
                """#.utf8))
        let hierarchy = Layout.Hierarchy(controllers: ["devices"], mountPoint: "/devices")
        let plan = try CgroupPlan(
            spec, directories: [Cgroup.Directory(controllers: "devices", path: "/devices/c")],
            layout: Layout(hierarchies: [hierarchy]))
        let written = plan.deviceExceptions?.exceptions.map(\.line) ?? []
        #expect(Set(written).subtracting(Self.standard) == ["b 8:0 r"])
    }

    /// As docker writes them: what is denied again was never allowed.
    @Test func denialOfWhatIsDenied() throws {
        let rules = [
            Self.denyAll, DeviceRule(allow: true, type: .character, major: 5, minor: 1, access: "rwm"),
            DeviceRule(allow: false, type: .character, major: 10, minor: 229, access: "rwm"),
        ]
        #expect(Set(try lines(rules)).subtracting(Self.standard) == ["deny all but", "c 5:1 rwm"])
    }

    @Test func accessIsAddedAndTaken() throws {
        let fuse = { (allow: Bool, access: String) in
            DeviceRule(allow: allow, type: .character, major: 10, minor: 229, access: access)
        }
        #expect(try lines([fuse(true, "r"), fuse(true, "m")]).contains("c 10:229 rm"))
        #expect(try lines([fuse(true, "rwm"), fuse(false, "w")]).contains("c 10:229 rm"))
        #expect(!(try lines([fuse(true, "rw"), fuse(false, "wr")]).contains { $0.contains("10:229") }))
        // A broader denial takes the narrower permission with it.
        let all = DeviceRule(allow: false, type: .character, access: "rwm")
        #expect(!(try lines([fuse(true, "rwm"), all]).contains { $0.contains("10:229") }))
        // Reading is one of the kinds that "everything" has.
        let reading = DeviceRule(allow: true, type: .all, access: "r")
        let written = try lines([reading])
        #expect(written.contains("c *:* rm") && written.contains("b *:* rm"))
    }

    /// The controller knows no order, so that a hole in a broad permission cannot be said to it. It would be
    /// accepted without an effect.
    @Test func holesAreRefused() {
        let failure = #expect(throws: Failure.self) {
            try lines([
                DeviceRule(allow: true, type: .character, access: "rw"),
                DeviceRule(allow: false, type: .character, major: 10, minor: 229, access: "w"),
            ])
        }
        #expect(failure?.kind == .unsupported)
        #expect(failure?.place == "linux.resources.devices[1]")
        // Another kind of access is no hole.
        #expect(throws: Never.self) {
            try lines([
                DeviceRule(allow: true, type: .character, access: "r"),
                DeviceRule(allow: false, type: .character, major: 10, minor: 229, access: "w"),
            ])
        }
    }

    @Test func denialsFromEverything() throws {
        let all = DeviceRule(allow: true)
        let disk = DeviceRule(allow: false, type: .block, major: 8, access: "rwm")
        // What every container may use is allowed already.
        #expect(try lines([all, disk]) == ["allow all but", "b 8:* rw"])
    }

    @Test func numbersOutOfRange() {
        for rule in [
            DeviceRule(allow: true, type: .character, major: -2),
            DeviceRule(allow: true, type: .block, minor: 1 << 32),
        ] {
            #expect(throws: Failure.self) { try DevicePolicy([rule]) }
        }
        let failure = #expect(throws: Failure.self) {
            try DevicePolicy([DeviceRule(allow: true, access: "x")])
        }
        #expect(failure?.place == "linux.resources.devices[0].access")
    }
}
