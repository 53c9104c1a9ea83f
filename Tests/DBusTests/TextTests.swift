internal import Diagnostics
internal import Testing

@testable import DBus

/// GVariant's text format, as its documentation has it.
@Suite struct TextTests {
    static let valid: [(String, Value)] = [
        ("true", .boolean(true)), (" false ", .boolean(false)), ("5", .int32(5)), ("-0x10", .int32(-16)),
        ("017", .int32(15)), ("uint64 5000000", .uint64(5_000_000)), ("@t 1", .uint64(1)),
        ("uint64 18446744073709551615", .uint64(.max)), ("int64 -9223372036854775808", .int64(.min)),
        ("byte 0xff", .byte(255)), ("1.5", .double(1.5)), ("1e3", .double(1000)), ("double 2", .double(2)),
        ("'inactive-or-failed'", .string("inactive-or-failed")), ("\"it's\"", .string("it's")),
        ("'a\\'b\\n\\u00e4'", .string("a'b\nä")), ("objectpath '/a/b_1'", .objectPath("/a/b_1")),
        ("signature 'a{sv}'", .signature("a{sv}")), ("b'a\\001'", .bytes([97, 1, 0])),
        ("['a', 'b']", .array(of: "s", [.string("a"), .string("b")])), ("@as []", .array(of: "s", [])),
        ("[1, uint64 2]", .array(of: "t", [.uint64(1), .uint64(2)])),
        ("[1, 2.5]", .array(of: "d", [.double(1), .double(2.5)])), ("[byte 1, 2]", .bytes([1, 2])),
        ("@ay [0x0f]", .bytes([15])), ("('a', uint64 1)", .structure([.string("a"), .uint64(1)])),
        ("(1,)", .structure([.int32(1)])),
        (
            "[('/dev/null', 'rw'), ('/dev/zero', 'r')]",
            .array(
                of: "(ss)",
                [
                    .structure([.string("/dev/null"), .string("rw")]),
                    .structure([.string("/dev/zero"), .string("r")]),
                ])
        ),
        ("[('/dev/sda', uint64 5)]", .array(of: "(st)", [.structure([.string("/dev/sda"), .uint64(5)])])),
        ("@a(st) []", .array(of: "(st)", [])), ("<'x'>", .variant(.string("x"))),
        ("{'a': <1>}", .array(of: "{sv}", [.entry(.string("a"), .variant(.int32(1)))])),
        ("@a{ss} {}", .array(of: "{ss}", [])),
        (
            "[[], ['a']]",
            .array(
                of: "as",
                [
                    .array(of: "s", []), .array(of: "s", [.string("a")]),
                ])
        ),
        ("@(tas) (1, [])", .structure([.uint64(1), .array(of: "s", [])])),
    ]

    @Test(arguments: valid) func reads(_ text: String, _ value: Value) throws {
        #expect(try Value(text: text) == value)
    }

    @Test(arguments: [
        "", " ", "text", "'open", "[1, 'a']", "[", "[1", "[1 2]", "(1", "<1", "{1: 2", "{'a' 1}", "uint64",
        "uint64 -1",
        "byte 256", "5000000000", "0x", "08", "1.2.3", "@ 1", "@z 1", "@as [1]", "[]", "[[]]",
        "objectpath 'a'",
        "objectpath '/a/'", "signature 'z'", "'a' 'b'", "5,", "[1,,2]", "'\\u00zz'", "'\\ud800'", "true5",
        "nothing",
        "just 1", "uint64 'a'", "string 5", "boolean 1", "()", "@(s) ('a', 'b')", "@(ss) ('a',)", "-", "+",
        ".",
        "'\\u0000'", String(repeating: "[", count: 100) + "1" + String(repeating: "]", count: 100),
    ])
    func refuses(_ text: String) {
        #expect(throws: Failure.self) { _ = try Value(text: text) }
    }

    /// Whatever it is, it does not trap.
    @Test func fragments() {
        for (text, _) in Self.valid {
            let bytes = [UInt8](text.utf8)
            for first in bytes.indices {
                for last in first...bytes.count {
                    _ = try? Value(text: String(decoding: bytes[first..<last], as: UTF8.self))
                }
            }
        }
    }
}
