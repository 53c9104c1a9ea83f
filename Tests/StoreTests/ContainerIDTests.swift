import Diagnostics
import Testing

@testable import Store

@Suite struct ContainerIDTests {
    @Test(arguments: ["a", "A-Z_0+9.x", "...", "-", "a.", ".hidden", String(repeating: "x", count: 255)])
    func accepted(id: String) throws {
        try ContainerID.check(id)
    }

    /// What would leave the state directory, need quoting in a cgroup's path, or be no name of a file.
    @Test(arguments: [
        "", ".", "..", "/", "a/b", "../a", "a b", "a\n", "a\0", "a:b", "a@b", "ü", "\u{65}\u{301}", "%2e",
    ])
    func refused(id: String) {
        let failure = #expect(throws: Failure.self) { try ContainerID.check(id) }
        #expect(failure?.kind == .usage)
        #expect(failure?.message == "invalid container ID format")
    }

    @Test func longerThanAFileName() {
        let failure = #expect(throws: Failure.self) {
            try ContainerID.check(String(repeating: "x", count: 256))
        }
        #expect(
            failure?.message
                == "invalid container ID format: 256 bytes, of which a directory's name can have 255")
    }
}
