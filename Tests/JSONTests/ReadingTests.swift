import Diagnostics
import Testing

@testable import JSON

/// What RFC 8259 allows and forbids, and where errors point.
@Suite struct ReadingTests {
    private func document(_ text: String) throws -> JSONDocument {
        try JSONDocument(Array(text.utf8), name: "x.json")
    }

    private func message(_ bytes: [UInt8]) -> String? {
        do {
            _ = try JSONDocument(bytes, name: "x.json")
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        "null", "true", " false ", "0", "-0", "1", "-12.5e+10", "1E5", "1e-5", "0.0", "\"\"", "[]", "{}",
        "\t[ ]\r\n",
        "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", "\"\u{7F}\u{80}é😀\"", "[[[]]]", "{\"\":0}",
    ])
    func accepts(_ text: String) {
        #expect(message(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("", "line 1, column 1: expected a value, found the end of the document"),
        ("  \n ", "line 2, column 2: expected a value, found the end of the document"),
        ("{", "line 1, column 2: expected a property name in double quotes, found the end of the document"),
        ("{\"a\" 1}", "line 1, column 6: expected ':' after the property name, found '1'"),
        ("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'"),
        ("{\"a\":1,}", "line 1, column 8: expected a property name in double quotes, found '}'"),
        ("{a:1}", "line 1, column 2: expected a property name in double quotes, found 'a'"),
        ("{\"a\":}", "line 1, column 6: expected a value, found '}'"),
        ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
        ("[1,]", "line 1, column 4: expected a value, found ']'"),
        ("[1", "line 1, column 3: expected ',' or ']', found the end of the document"),
        ("[1}", "line 1, column 3: expected ',' or ']', found '}'"),
        ("{} {}", "line 1, column 4: expected the end of the document, found '{'"),
        ("// no\n{}", "line 1, column 1: expected a value, found '/'"),
        ("'a'", "line 1, column 1: expected a value, found '''"),
        ("tru", "line 1, column 1: expected a value; did you mean true?"),
        ("[nul]", "line 1, column 2: expected a value; did you mean null?"),
        ("NaN", "line 1, column 1: expected a value, found 'N'"),
        ("01", "line 1, column 2: a number must not begin with 0"),
        ("-", "line 1, column 2: expected a digit, found the end of the document"),
        ("+1", "line 1, column 1: expected a value, found '+'"),
        (".5", "line 1, column 1: expected a value, found '.'"),
        ("1.", "line 1, column 3: expected a digit, found the end of the document"),
        ("[1.e2]", "line 1, column 4: expected a digit, found 'e'"),
        ("1e", "line 1, column 3: expected a digit, found the end of the document"),
        ("0x10", "line 1, column 2: expected the end of the document, found 'x'"),
        ("\n\n  \"abc", "line 3, column 3: the string that begins here does not end"),
        ("\"a\\\"", "line 1, column 1: the string that begins here does not end"),
        ("\"a\nb\"", "line 1, column 3: byte 0x0A in a string must be written as an escape"),
        ("\"\\x41\"", "line 1, column 2: unknown escape in a string"),
        ("\"\\u12g4\"", "line 1, column 2: \\u needs four hexadecimal digits"),
        ("\"\\ud800\"", "line 1, column 2: a surrogate escape without its other half"),
        ("\"\\ud800\\u0041\"", "line 1, column 2: a surrogate escape without its other half"),
        ("\"\\udc00\\ud800\"", "line 1, column 2: a surrogate escape without its other half"),
        ("\u{FEFF}{}", "line 1, column 1: a byte order mark stands before the document"),
        ("{\n  \"é😀\": x\n}", "line 2, column 9: expected a value, found 'x'"),
        ("[\u{1}]", "line 1, column 2: expected a value, found byte 0x01"),
        ("[é]", "line 1, column 2: expected a value, found byte 0xC3"),
    ])
    func refuses(_ text: String, _ expected: String) {
        #expect(message(Array(text.utf8)) == "x.json: " + expected)
    }

    /// RFC 3629, sections 3 and 4.
    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
            [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(message([quote] + bytes + [quote])?.contains("not UTF-8") == true)
        #expect(message([quote] + bytes) != nil)
    }

    @Test func theEdgesOfUTF8() throws {
        for scalar in [
            "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}",
        ] {
            #expect(try document("\"\(scalar)\"").root.string() == scalar)
        }
    }

    @Test func escapes() throws {
        let value = try document(#""\"\\\/\b\f\n\r\té😀 plain \u0000""#).root
        #expect(try value.string() == "\"\\/\u{8}\u{C}\n\r\té😀 plain \0")
        #expect(value.containsNUL)
        #expect(try !document(#""\u0001""#).root.containsNUL)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2,"a":3}"#, "line 1, column 14: duplicate property a"),
        ("{\"x\":[{\"a\":{}},\n {\"k\":1,\"k\":1}]}", "line 2, column 9: duplicate property x[1].k"),
        (#"{"a":1,"\u0061":3}"#, "line 1, column 8: duplicate property a"),
        (#"{"p q":{"a.b":1,"a.b":2}}"#, #"line 1, column 17: duplicate property ["p q"]["a.b"]"#),
    ])
    func duplicates(_ text: String, _ expected: String) {
        #expect(message(Array(text.utf8)) == "x.json: " + expected)
    }

    @Test(arguments: [16, 17, 1000])
    func duplicatesInLargeObjects(_ count: Int) {
        let names = (0..<count).map { "\"k\($0)\": [{}, {\"k\": 1}]" }
        #expect(message(Array("{\(names.joined(separator: ","))}".utf8)) == nil)
        let twice = names + ["\"k\(count / 2)\": 0"]
        let failure = message(Array("{\(twice.joined(separator: ","))}".utf8))
        #expect(failure?.hasSuffix("duplicate property k\(count / 2)") == true)
    }

    @Test func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: depth)
                + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(message(nested(512)) == nil)
        #expect(message(nested(513)) == "x.json: line 1, column 513: nested deeper than 512 levels")
        #expect(message(nested(100_000)) == "x.json: line 1, column 513: nested deeper than 512 levels")
        let objects = Array(String(repeating: "{\"a\":", count: 100_000).utf8)
        #expect(message(objects) == "x.json: line 1, column 2561: nested deeper than 512 levels")
        let opened = Array(repeating: UInt8(ascii: "["), count: 512)
        #expect(message(opened)?.hasSuffix("expected a value, found the end of the document") == true)
    }

    @Test func aLargeDocument() throws {
        let row = "{\"name\": \"a string that is long enough \\n\", \"list\": [1, -2, 3.5e3, true, null]},\n"
        var text = "["
        while text.utf8.count < 10 << 20 { text += row }
        text += "{}]"
        let root = try document(text).root
        var count = 0
        for _ in try root.elements() { count += 1 }
        #expect(count == (text.utf8.count - 4) / row.utf8.count + 1)
    }

    /// More tokens than this a text of this length cannot have.
    @Test(arguments: ["1", "[]", "[1]", "[1,2]", "[[],[],[]]", "{\"\":1}", "[[[[[[[[1]]]]]]]]"])
    func theTapeHasRoom(_ text: String) throws {
        #expect(try document(text).tape.tokens.count <= text.utf8.count / 2 + 1)
    }
}
