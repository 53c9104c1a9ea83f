import Diagnostics
import Testing

@testable import Store

@Suite struct RecordTests {
    static let whole = Record(
        id: "a", bundle: "/b", rootfs: "/b/rootfs", created: 1_700_000_000_123_456_789, ownerUID: 1000,
        annotations: [("org.example", "x"), ("empty", ""), ("quotes \"\\\n\u{1}", "ü €\u{10ffff}")],
        hasPidNamespace: true, hasKeyring: true,
        cgroups: [
            Record.Cgroup(controllers: "cpu,cpuacct", path: "/sys/fs/cgroup/cpu,cpuacct/a"),
            Record.Cgroup(controllers: "", path: "/sys/fs/cgroup/unified/a"),
        ], supervised: "/var/lib/gantry/a")

    @Test func isReadAsItWasWritten() throws {
        #expect(try Record(Self.whole.encoded(), name: "state.json") == Self.whole)
        let least = Record(
            id: "b", bundle: "/", rootfs: "/", created: .min, ownerUID: .max, annotations: [],
            hasPidNamespace: false, hasKeyring: false, cgroups: [])
        let read = try Record(least.encoded(), name: "state.json")
        #expect(read == least)
        #expect(read.created == .min)
        #expect(read.ownerUID == .max)
        #expect(read.supervised == nil)
    }

    /// Every beginning of a record is damage, never a smaller record.
    @Test func everyTruncationIsRefused() {
        let bytes = Self.whole.encoded()
        for count in 0..<bytes.count {
            let failure = #expect(throws: Failure.self) {
                try Record(Array(bytes.prefix(count)), name: "/run/gantry/a/state.json")
            }
            #expect(
                failure?.description.contains("/run/gantry/a/state.json") == true,
                "\(String(describing: failure))")
        }
    }

    /// Each member must be there and have its type, and the error names the file and the member.
    @Test(arguments: [
        ("\"version\":2", "\"versio\":1", "version"), ("\"version\":2", "\"version\":\"1\"", "version"),
        ("\"id\":\"a\"", "\"id\":1", "id"), ("\"bundle\":\"/b\"", "\"bundle\":null", "bundle"),
        ("\"rootfs\":", "\"rootf\":", "rootfs"), ("\"created\":1", "\"created\":-9", "created"),
        ("\"owner\":1000", "\"owner\":-1", "owner"), ("\"owner\":1000", "\"owner\":4294967296", "owner"),
        ("\"annotations\":{", "\"annotation\":{", "annotations"),
        ("\"empty\":\"\"", "\"empty\":[]", "annotations.empty"),
        ("\"pidNamespace\":true", "\"pidNamespace\":0", "pidNamespace"),
        ("\"keyring\":true", "\"keyrin\":true", "keyring"),
        ("\"cgroups\":[", "\"cgroup\":[", "cgroups"),
        ("\"controllers\":\"cpu,cpuacct\"", "\"controllers\":{}", "cgroups[0].controllers"),
    ])
    func damageIsRefused(old: String, new: String, place: String) {
        let text = String(decoding: Self.whole.encoded(), as: UTF8.self)
        let damaged = replaced(old, with: new, in: text)
        #expect(damaged != text)
        let failure = #expect(throws: Failure.self) {
            try Record(Array(damaged.utf8), name: "/run/gantry/a/state.json")
        }
        #expect(failure?.description.contains(place) == true, "\(String(describing: failure))")
        #expect(
            failure?.place?.contains("/run/gantry/a/state.json") == true, "\(String(describing: failure))")
    }

    @Test(arguments: [0, 1, 99])
    func anotherVersionIsTold(version: Int) {
        let text = String(decoding: Self.whole.encoded(), as: UTF8.self)
        let other = replaced("\"version\":2", with: "\"version\":\(version)", in: text)
        let failure = #expect(throws: Failure.self) { try Record(Array(other.utf8), name: "state.json") }
        #expect(failure?.kind == .unsupported)
        #expect(
            failure?.description == "state.json: written by another version of gantry (format \(version), "
                + "this one reads \(Record.version))")
    }

    /// The first occurrence.
    private func replaced(_ old: String, with new: String, in text: String) -> String {
        guard let range = text.firstRange(of: old) else { return text }
        return text.replacingCharacters(in: range, with: new)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}

@Suite struct InitRecordTests {
    @Test(arguments: [(1, 0), (42, 1_234_567), (Int32.max, UInt64.max)] as [(Int32, UInt64)])
    func isReadAsItWasWritten(pid: Int32, start: UInt64) throws {
        let record = InitRecord(pid: pid, startTime: start)
        #expect(try InitRecord(Array(record.encoded.utf8), name: "init") == record)
    }

    /// A pid of 0 or below would reach whole process groups.
    @Test(arguments: [
        "", "\n", "1", "1 ", "0 5", "-1 5", "a 5", "5 a", "5 -1", "1 2 3", "4294967296 1",
        "5 18446744073709551616", "5\0 1",
    ])
    func damageIsRefused(text: String) {
        let failure = #expect(throws: Failure.self) {
            try InitRecord(Array(text.utf8), name: "/run/gantry/a/init")
        }
        #expect(failure?.description == "/run/gantry/a/init: must be a pid and a start time")
    }
}
