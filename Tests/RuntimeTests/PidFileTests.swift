import Diagnostics
import Foundation
import Testing

@testable import Runtime

@Suite struct PidFileTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/gantry-test-pid-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    /// Digits and nothing else: conmon and containerd take the whole file for the number.
    @Test func digitsWithoutANewline() throws {
        try withDirectory { path in
            try PidFile.write(4711, to: path + "/pid")
            #expect(try String(contentsOfFile: path + "/pid", encoding: .utf8) == "4711")
            try PidFile.write(1, to: path + "/pid")
            #expect(try String(contentsOfFile: path + "/pid", encoding: .utf8) == "1")
            #expect(try names(path) == ["pid"])
        }
    }

    /// A link in the place of the file is replaced, one in the place of its half is removed: neither is
    /// followed.
    @Test func linksAreNotFollowed() throws {
        try withDirectory { path in
            for name in ["pid", ".pid"] {
                try FileManager.default.createSymbolicLink(
                    atPath: path + "/" + name, withDestinationPath: path + "/victim")
            }
            try PidFile.write(7, to: path + "/pid")
            #expect(try names(path) == ["pid"])
            #expect(try String(contentsOfFile: path + "/pid", encoding: .utf8) == "7")
        }
    }

    @Test func whatCannotBeWrittenIsTold() throws {
        try withDirectory { path in
            let failure = #expect(throws: Failure.self) { try PidFile.write(7, to: path + "/none/pid") }
            #expect(failure?.description.contains(path + "/none/") == true)
            try FileManager.default.createDirectory(
                atPath: path + "/directory/inside", withIntermediateDirectories: true)
            #expect(throws: Failure.self) { try PidFile.write(7, to: path + "/directory") }
            #expect(try names(path) == ["directory"])
        }
    }
}
