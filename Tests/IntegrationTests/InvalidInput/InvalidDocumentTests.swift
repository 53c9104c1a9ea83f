import Foundation
import Testing

/// config.json as a document: missing, not JSON, not what the runtime-spec says.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct InvalidDocumentTests {
    /// Replaces the first occurrence of a text in config.json as it was written.
    private static func edit(_ container: TestContainer, _ from: String, _ to: String) throws {
        let path = container.bundle + "/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let range = text.range(of: from) else { throw POSIXError(.ENOENT) }
        try text.replacingCharacters(in: range, with: to).write(
            toFile: path, atomically: false, encoding: .utf8)
    }

    private static func write(_ container: TestContainer, _ text: String) throws {
        try text.write(toFile: container.bundle + "/config.json", atomically: false, encoding: .utf8)
    }

    private static let cases: [Refusal] = [
        Refusal("no config.json", says: "cannot open {bundle}/config.json: openat: no such file or directory")
        {
            try FileManager.default.removeItem(atPath: $0.bundle + "/config.json")
        },
        Refusal("a directory in its place", says: "cannot read {bundle}/config.json: read: is a directory") {
            try FileManager.default.removeItem(atPath: $0.bundle + "/config.json")
            try FileManager.default.createDirectory(
                atPath: $0.bundle + "/config.json", withIntermediateDirectories: true)
        },
        Refusal(
            "a device without an end in its place",
            says: "{bundle}/config.json: must not be larger than 64 MiB"
        ) {
            try FileManager.default.removeItem(atPath: $0.bundle + "/config.json")
            try FileManager.default.createSymbolicLink(
                atPath: $0.bundle + "/config.json", withDestinationPath: "/dev/zero")
        },
        Refusal(
            "empty", says: "config.json: line 1, column 1: expected a value, found the end of the document"
        ) { try write($0, "") },
        Refusal("cut off", says: "config.json: line 3, column 3: the string that begins here does not end") {
            try write($0, "{\n  \"ociVersion\": \"1.0.2\",\n  \"proc")
        },
        Refusal(
            "a comma too many",
            says: "config.json: line 3, column 1: expected a property name in double quotes, found '}'"
        ) { try write($0, "{\n  \"ociVersion\": \"1.0.2\",\n}") },
        Refusal("a comma too few", says: "config.json: line 3, column 3: expected ',' or '}', found '\"'") {
            try write($0, "{\n  \"ociVersion\": \"1.0.2\"\n  \"root\": {}\n}")
        },
        Refusal(
            "two documents",
            says: "config.json: line 2, column 1: expected the end of the document, found '{'"
        ) { try write($0, "{}\n{}") },
        Refusal("not UTF-8", says: "config.json: line 1, column 16: byte 0xFF is not UTF-8") {
            let bytes = Data("{\"hostname\": \"a".utf8) + Data([0xff]) + Data("\"}".utf8)
            try bytes.write(to: URL(filePath: $0.bundle + "/config.json"))
        },
        Refusal("an array", says: "config.json: must be an object") { try write($0, "[]") },
        Refusal("a key twice", says: "config.json: line 3, column 2: duplicate property process.cwd") {
            try write($0, "{\n  \"process\": {\"cwd\": \"/\",\n \"cwd\": \"/tmp\"}\n}")
        },
        Refusal(
            "a key twice, spelt with an escape",
            says: "config.json: line 1, column 24: duplicate property root.path"
        ) {
            try write($0, "{\"root\": {\"path\": \"a\", \"p\\u0061th\": \"b\"}}")
        },
        Refusal("100,000 deep", says: "config.json: line 1, column 513: nested deeper than 512 levels") {
            try write($0, String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000))
        },
        Refusal(
            "100,000 deep in a property",
            says: "config.json: line 1, column 2561: nested deeper than 512 levels"
        ) {
            try write(
                $0,
                String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000))
        },
        Refusal("10 MB of one text", says: "process.cwd: must be an absolute path") {
            try $0.set("process.cwd", String(repeating: "c", count: 10 << 20))
        },
        Refusal("larger than any document", says: "{bundle}/config.json: must not be larger than 64 MiB") {
            container in
            _ = FileManager.default.createFile(atPath: container.bundle + "/config.json", contents: nil)
            truncate(container.bundle + "/config.json", 65 << 20)
        },
        Refusal("no process", says: "process: is required") { try $0.set("process", nil) },
        Refusal("no root", says: "root: is required") { try $0.set("root", nil) },
        Refusal("no version", says: "ociVersion: is required") { try $0.set("ociVersion", nil) },
        Refusal(
            "ociVersion", "2.0.0",
            says: "ociVersion: version 2.0.0 is not supported; supported are 1.0.0 and later 1.x"),
        Refusal("ociVersion", "1", says: "ociVersion: \"1\" is not a version such as 1.3.0"),
        Refusal("ociVersion", "one", says: "ociVersion: \"one\" is not a version such as 1.3.0"),
        Refusal("ociVersion", "", says: "ociVersion: is required"),
    ]

    @Test(arguments: cases)
    func refused(_ refusal: Refusal) async throws { try await refusal.check() }

    private static let types: [Refusal] = [
        Refusal("ociVersion", 1, says: "ociVersion: must be a string"),
        Refusal("process", "x", says: "process: must be an object"),
        Refusal("process.args", "/bin/true", says: "process.args: must be an array"),
        Refusal("process.args", [1], says: "process.args[0]: must be a string"),
        Refusal("process.cwd", ["/"], says: "process.cwd: must be a string"),
        Refusal("process.terminal", "yes", says: "process.terminal: must be true or false"),
        Refusal("process.user", "root", says: "process.user: must be an object"),
        Refusal("process.user.uid", "0", says: "process.user.uid: must be an integer"),
        Refusal(
            "process.user.uid", 1.5,
            says: "process.user.uid: must be an integer, without fraction or exponent"),
        Refusal("process.user.uid", -1, says: "process.user.uid: must be an integer from 0 to 4294967295"),
        Refusal("process.noNewPrivileges", 1, says: "process.noNewPrivileges: must be true or false"),
        Refusal("process.capabilities", ["CAP_KILL"], says: "process.capabilities: must be an object"),
        Refusal("process.rlimits", ["type": "RLIMIT_NOFILE"], says: "process.rlimits: must be an array"),
        Refusal("root.path", true, says: "root.path: must be a string"),
        Refusal("root.readonly", "true", says: "root.readonly: must be true or false"),
        Refusal("mounts", ["/proc"], says: "mounts[0]: must be an object"),
        Refusal("hostname", 5, says: "hostname: must be a string"),
        Refusal("linux", [1], says: "linux: must be an object"),
        Refusal("linux.namespaces", ["pid"], says: "linux.namespaces[0]: must be an object"),
        Refusal(
            "linux.resources.memory.limit", "1g", says: "linux.resources.memory.limit: must be an integer"),
        Refusal(
            "linux.resources.memory.limit", 1e30,
            says: "linux.resources.memory.limit: must be an integer, without fraction or exponent"),
        Refusal(
            "linux.resources.pids.limit", 1.5,
            says: "linux.resources.pids.limit: must be an integer, without fraction or exponent"),
        Refusal(
            "linux.sysctl", ["net.ipv4.ip_forward": 1],
            says: "linux.sysctl[\"net.ipv4.ip_forward\"]: must be a string"),
        Refusal("annotations", ["a": 1], says: "annotations.a: must be a string"),
    ]

    @Test("wrong types", arguments: types)
    func wrongTypes(_ refusal: Refusal) async throws { try await refusal.check() }
}
