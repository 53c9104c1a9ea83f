import Diagnostics
import OCI
import Testing

/// Reading a configuration: oddities of engines that must pass, and errors with their places.
@Suite struct LoadingTests {
    private func spec(_ text: String) throws -> Spec {
        try Spec.load(json: Array(text.utf8))
    }

    private func linux(_ text: String) throws -> Spec.Linux {
        try #require(try spec("{\"linux\": {\(text)}}").linux)
    }

    private func message(_ text: String) -> String? {
        do {
            _ = try Spec.load(json: Array(text.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test func theEmptyDocument() throws {
        #expect(try spec("{}") == Spec())
    }

    @Test func absentAndNullAreTheSame() throws {
        let nulls = """
            {"ociVersion": null, "root": null, "process": null, "hostname": null, "domainname": null,
             "mounts": null, "hooks": null, "annotations": null,
             "linux": {"uidMappings": null, "sysctl": null,
             "namespaces": null, "devices": null, "cgroupsPath": null,
             "resources": {"memory": null, "pids": null,
             "devices": null, "unified": null, "rdma": null}, "seccomp": null, "timeOffsets": null,
             "maskedPaths": null, "netDevices": null, "personality": null}}
            """
        var expected = Spec()
        expected.linux = Spec.Linux()
        expected.linux?.resources = Spec.Linux.Resources()
        #expect(try spec(nulls) == expected)
    }

    @Test func unknownPropertiesAreIgnored() throws {
        let text = """
            {"x": [1.5e300], "windows": {"a": {}}, 
             "process": {"cwd": "/", "commandLine": 7, "user": {"username": 1}},
             "linux": {"new": true}}
            """
        #expect(try spec(text).process?.cwd == "/")
    }

    @Test func whatEnginesWrite() throws {
        let linux = try linux(
            """
            "namespaces": [{"type": "pid"}, {"type": "network", "path": ""}, {"type": "ipc", "path": "/p"}],
            "resources": {"devices": [{"allow": false, "access": "rwm"},
                {"allow": true, "type": "", "major": null},
                {"allow": true, "type": "c", "major": -1, "minor": 5}],
                "blockIO": {"weight": 0}, "cpu": {}},
            "mountLabel": "", "rootfsPropagation": "", "cgroupsPath": ""
            """)
        #expect(linux.namespaces == [.init(.pid), .init(.network), .init(.ipc, path: "/p")])
        #expect(
            linux.resources?.devices == [
                .init(allow: false, type: .all, access: "rwm"), .init(allow: true),
                .init(allow: true, type: .character, major: -1, minor: 5),
            ])
        #expect(linux.resources?.blockIO?.weight == 0)
        #expect(linux.mountLabel == nil && linux.rootfsPropagation == nil && linux.cgroupsPath == nil)
    }

    @Test(arguments: [
        ("", "config.json: line 1, column 1: expected a value, found the end of the document"),
        ("[]", "config.json: must be an object"),
        (
            "{\"mounts\": [],\n\n  \"root\" 1}",
            "config.json: line 3, column 10: expected ':' after the property name, found '1'"
        ),
        (
            "{\"process\": {\"cwd\": \"/\", \"cwd\": \"/\"}}",
            "config.json: line 1, column 26: duplicate property process.cwd"
        ),
        ("{\"ociVersion\": 1}", "ociVersion: must be a string"),
        ("{\"root\": {}}", "root.path: is required"),
        ("{\"root\": \"/\"}", "root: must be an object"),
        ("{\"process\": {}}", "process.cwd: is required"),
        ("{\"process\": {\"cwd\": \"/\", \"args\": \"sh\"}}", "process.args: must be an array"),
        ("{\"process\": {\"cwd\": \"/\", \"args\": [\"a\", 1]}}", "process.args[1]: must be a string"),
        ("{\"process\": {\"cwd\": \"/\", \"args\": [null]}}", "process.args[0]: must be a string"),
        ("{\"process\": {\"cwd\": \"/\", \"terminal\": 1}}", "process.terminal: must be true or false"),
        (
            "{\"process\": {\"cwd\": \"/\", \"user\": {\"uid\": -1}}}",
            "process.user.uid: must be an integer from 0 to 4294967295"
        ),
        (
            "{\"process\": {\"cwd\": \"/\", \"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 1}]}}",
            "process.rlimits[0].hard: is required"
        ),
        ("{\"mounts\": [{}]}", "mounts[0].destination: is required"),
        (
            "{\"mounts\": [{\"destination\": \"/a\"}, {\"destination\": \"/b\", \"options\": [\"ro\", {}]}]}",
            "mounts[1].options[1]: must be a string"
        ),
        ("{\"mounts\": [null]}", "mounts[0]: must be an object"),
        ("{\"annotations\": {\"a.b\": 1}}", "annotations[\"a.b\"]: must be a string"),
        ("{\"hooks\": {\"poststop\": [{\"args\": []}]}}", "hooks.poststop[0].path: is required"),
    ])
    func errors(_ text: String, _ expected: String) {
        #expect(message(text) == expected)
    }

    @Test(arguments: [
        (
            "\"resources\": {\"memory\": {\"limit\": \"1G\"}}",
            "linux.resources.memory.limit: must be an integer"
        ),
        (
            "\"resources\": {\"memory\": {\"limit\": 1e3}}",
            "linux.resources.memory.limit: must be an integer, without fraction or exponent"
        ),
        (
            "\"resources\": {\"cpu\": {\"shares\": -5}}",
            "linux.resources.cpu.shares: must be an integer from 0 to 18446744073709551615"
        ),
        ("\"resources\": {\"devices\": [{}]}", "linux.resources.devices[0].allow: is required"),
        (
            "\"resources\": {\"devices\": [{\"allow\": true, \"type\": \"p\"}]}",
            "linux.resources.devices[0].type: unknown value \"p\"; known are a, c, b"
        ),
        (
            "\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"net\"}]",
            "linux.namespaces[1].type: unknown value \"net\";"
                + " known are pid, network, mount, ipc, uts, user, cgroup, time"
        ),
        ("\"namespaces\": [{}]", "linux.namespaces[0].type: is required"),
        (
            "\"devices\": [{\"path\": \"/dev/x\", \"type\": \"x\"}]",
            "linux.devices[0].type: unknown value \"x\"; known are c, u, b, p"
        ),
        (
            "\"devices\": [{\"path\": \"/dev/x\", \"type\": \"c\", \"major\": 1}]",
            "linux.devices[0].minor: is required"
        ),
        (
            "\"timeOffsets\": {\"realtime\": {}}",
            "linux.timeOffsets.realtime: unknown value \"realtime\"; known are monotonic, boottime"
        ),
        (
            "\"personality\": {\"domain\": \"LINUX64\"}",
            "linux.personality.domain: unknown value \"LINUX64\"; known are LINUX, LINUX32"
        ),
        ("\"seccomp\": {}", "linux.seccomp.defaultAction: is required"),
        (
            "\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"action\": \"SCMP_ACT_LOG\","
                + " \"names\": [\"a\"], \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"==\"}]}]}",
            "linux.seccomp.syscalls[0].args[0].op: unknown value \"==\"; known are SCMP_CMP_NE, SCMP_CMP_LT,"
                + " SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ"
        ),
        // U+017F and U+212A fold or compose to ASCII letters in some comparisons.
        (
            "\"namespaces\": [{\"type\": \"u\u{17F}er\"}]",
            "linux.namespaces[0].type: unknown value \"u\u{17F}er\";"
                + " known are pid, network, mount, ipc, uts, user, cgroup, time"
        ),
        ("\"resources\": {\"rdma\": {\"mlx5_1\": 5}}", "linux.resources.rdma.mlx5_1: must be an object"),
    ])
    func errorsInLinux(_ text: String, _ expected: String) {
        #expect(message("{\"linux\": {\(text)}}") == expected)
    }

    @Test(arguments: [
        (#"{"process": {"cwd": "/", "args": ["a", "b\u0000"]}}"#, "process.args[1]"),
        (#"{"process": {"cwd": "/", "env": ["A=\u0000"]}}"#, "process.env[0]"),
        (#"{"process": {"cwd": "/\u0000"}}"#, "process.cwd"),
        (#"{"root": {"path": "\u0000"}}"#, "root.path"),
        (#"{"hostname": "a\u0000b"}"#, "hostname"),
        (#"{"mounts": [{"destination": "/a\u0000"}]}"#, "mounts[0].destination"),
        (#"{"mounts": [{"destination": "/a", "options": ["x\u0000"]}]}"#, "mounts[0].options[0]"),
        (#"{"linux": {"sysctl": {"net.a": "1\u0000"}}}"#, #"linux.sysctl["net.a"]"#),
        (#"{"linux": {"sysctl": {"net\u0000": "1"}}}"#, #"linux.sysctl["net\u0000"]"#),
        (#"{"linux": {"cgroupsPath": "/\u0000"}}"#, "linux.cgroupsPath"),
        (#"{"linux": {"maskedPaths": ["/a", "/b\u0000c"]}}"#, "linux.maskedPaths[1]"),
    ])
    func noNULAnywhere(_ text: String, _ place: String) {
        #expect(message(text) == place + ": must not contain a NUL byte")
    }

    @Test func aDocumentOfTenMegabytes() throws {
        let entry = "\"KEY=a value with some length and an escape \\u00e9\","
        var env = ""
        while env.utf8.count < 10 << 20 { env += entry }
        let spec = try spec("{\"process\": {\"cwd\": \"/\", \"env\": [\(env)\"LAST=1\"]}}")
        #expect(spec.process?.env.count == env.utf8.count / entry.utf8.count + 1)
        #expect(spec.process?.env.first == "KEY=a value with some length and an escape é")
    }

    @Test func aDocumentOfHundredThousandLevels() {
        let text = "{\"annotations\": " + String(repeating: "[", count: 100_000)
        #expect(message(text) == "config.json: line 1, column 528: nested deeper than 512 levels")
    }
}
