import Diagnostics
import Testing

@testable import JSON

/// Typed access, and the paths of its errors.
@Suite struct ValueTests {
    private func root(_ text: String) throws -> JSONValue {
        try JSONDocument(Array(text.utf8), name: "x.json").root
    }

    private func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Failure)?.description
        }
    }

    private func integer<Integer: FixedWidthInteger>(_ text: String, _ type: Integer.Type) -> Integer? {
        try? root(text).integer(type)
    }

    @Test func integersAreExactToTheLastBit() {
        #expect(integer("9223372036854775807", Int64.self) == .max)
        #expect(integer("-9223372036854775808", Int64.self) == .min)
        #expect(integer("9223372036854775808", Int64.self) == nil)
        #expect(integer("-9223372036854775809", Int64.self) == nil)
        #expect(integer("18446744073709551615", UInt64.self) == .max)
        #expect(integer("18446744073709551616", UInt64.self) == nil)
        #expect(integer("184467440737095516160", UInt64.self) == nil)
        #expect(integer("-1", UInt64.self) == nil)
        #expect(integer("-0", UInt64.self) == 0)
        #expect(integer("-0", Int64.self) == 0)
        #expect(integer("4294967295", UInt32.self) == .max)
        #expect(integer("4294967296", UInt32.self) == nil)
        #expect(integer("9007199254740993", Int64.self) == 9_007_199_254_740_993)
    }

    @Test(arguments: [
        ("1e3", "must be an integer, without fraction or exponent"),
        ("1.0", "must be an integer, without fraction or exponent"),
        ("\"1\"", "must be an integer"),
        ("null", "must be an integer"),
        ("70000", "must be an integer from 0 to 65535"),
        ("-1", "must be an integer from 0 to 65535"),
        ("99999999999999999999999", "must be an integer from 0 to 65535"),
    ])
    func whatIsNoInteger(_ text: String, _ expected: String) {
        #expect(message { _ = try root(text).integer(UInt16.self) } == "x.json: " + expected)
        let nested = "{\"a\": [{\"b\": \(text)}]}"
        let failure = message { () throws in
            for value in try root(nested)["a"]!.elements() {
                for (_, number) in try value.members() { _ = try number.integer(UInt16.self) }
            }
        }
        #expect(failure == "a[0].b: " + expected)
    }

    @Test func paths() throws {
        let root = try root(#"{"a": {"x": 1, "b": [0, [], [7, {"c.d": null, "e f": [true]}]]}, "z": "s"}"#)
        var paths: [String] = []
        func walk(_ value: JSONValue) throws {
            paths.append(value.path)
            switch value.kind {
            case .array: for element in try value.elements() { try walk(element) }
            case .object: for (_, member) in try value.members() { try walk(member) }
            default: break
            }
        }
        try walk(root)
        #expect(
            paths == [
                "", "a", "a.x", "a.b", "a.b[0]", "a.b[1]", "a.b[2]", "a.b[2][0]", "a.b[2][1]",
                #"a.b[2][1]["c.d"]"#, #"a.b[2][1]["e f"]"#, #"a.b[2][1]["e f"][0]"#, "z",
            ])
    }

    @Test func lookup() throws {
        let root = try root(#"{"ab": 1, "a": [{"a": 9}], "": 3, "n": null, "\u0062": 4}"#)
        #expect(try root["ab"]?.integer(Int.self) == 1)
        #expect(root["a"]?.kind == .array)
        #expect(try root[""]?.integer(Int.self) == 3)
        #expect(try root["b"]?.integer(Int.self) == 4)
        #expect(root["n"] == nil)
        #expect(root["c"] == nil)
        #expect(root["a"]?["a"] == nil)
    }

    /// U+212A, the Kelvin sign, equals K for Swift's strings.
    @Test func bytesDecideWhatIsEqual() throws {
        #expect(try root("\"\u{212A}\"").isString("\u{212A}"))
        #expect(try !root("\"\u{212A}\"").isString("K"))
        #expect(try root("{\"\u{212A}\": 1}")["K"] == nil)
        #expect(try root("{\"\u{212A}\": 1, \"K\": 2}")["K"] != nil)
    }

    @Test func wrongKinds() throws {
        let root = try root(#"{"o": {"s": "x", "l": ["a", 5]}}"#)
        #expect(message { _ = try root["o"]!["s"]!.bool() } == "o.s: must be true or false")
        #expect(message { _ = try root["o"]!.string() } == "o: must be a string")
        #expect(message { _ = try root["o"]!.elements() } == "o: must be an array")
        #expect(message { _ = try root["o"]!["s"]!.members() } == "o.s: must be an object")
        #expect(message { _ = try root["o"]!["l"]!.strings() } == "o.l[1]: must be a string")
        #expect(root["o"]!.failure("is required", property: "p").description == "o.p: is required")
        #expect(root.failure("is required", property: "p").description == "p: is required")
    }

    @Test func strings() throws {
        let list = try root(#"["a", "", "b\tc", "é", "\u0000"]"#)
        #expect(try list.strings() == ["a", "", "b\tc", "é", "\0"])
        #expect(message { _ = try list.strings(allowingNUL: false) } == "[4]: must not contain a NUL byte")
    }
}
