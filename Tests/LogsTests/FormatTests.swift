import Foundation
import Store
import Testing

@testable import Logs

/// Lines as they are written.
@Suite struct FormatTests {
    /// A log that somebody else has written to: an escape without its digits becomes more bytes than it had.
    @Test(arguments: ["\\u", "\\u1", "x\\u", "\\u0041", "\\n"])
    func unescapedTextHasRoom(part: String) {
        let text = Array(String(repeating: part, count: 1000).utf8)
        var place = [UInt8](repeating: 0, count: 4 * text.count)
        let used = text.withUnsafeBytes { text in
            place.withUnsafeMutableBytes { JSONScanner.unescape(text, to: $0.baseAddress!) }
        }
        #expect(used <= JSONScanner.mostUnescaped(text.count))
    }

    private func written(
        _ text: [UInt8], _ format: consuming LineFormat, stream: Int = 0, time: Int64 = 0,
        isWhole: Bool = true
    ) -> String {
        var format = format
        var place = [UInt8](repeating: 0, count: text.count * 6 + 1000)
        format.prepare(stream: stream, time: time)
        let count = text.withUnsafeBytes { text in
            place.withUnsafeMutableBytes { format.write(text, isWhole: isWhole, to: $0.baseAddress!) }
        }
        return String(decoding: place[..<count], as: UTF8.self)
    }

    @Test func kubernetesLines() {
        let moment: Int64 = 1_136_214_245_000_000_007
        #expect(
            written(Array("a b".utf8), LineFormat(.kubernetes), time: moment)
                == "2006-01-02T15:04:05.000000007Z stdout F a b\n")
        #expect(
            written([], LineFormat(.kubernetes), stream: 1, time: moment, isWhole: false)
                == "2006-01-02T15:04:05.000000007Z stderr P \n")
    }

    @Test(arguments: [
        (1_136_214_245_000_000_000, "2006-01-02T15:04:05Z"),
        (1_136_214_245_120_000_000, "2006-01-02T15:04:05.12Z"),
        (1_136_214_245_000_000_001, "2006-01-02T15:04:05.000000001Z"),
        (0, "1970-01-01T00:00:00Z"), (-5, "1970-01-01T00:00:00Z"),
    ])
    func dockerTimes(time: Int64, text: String) {
        #expect(
            written([120], LineFormat(.docker), time: time)
                == #"{"log":"x\n","stream":"stdout","time":"\#(text)"}"# + "\n")
    }

    /// Go's table of cases: encoding/json with HTML escapes, and Docker's own encoder, which are the same but for the tab.
    @Test func dockerEscapes() {
        let cases: [([UInt8], String)] = [
            (Array("\"\\/\r\t\u{8}\u{c}\u{1}\u{7f}".utf8), #"\"\\/\r\u0009\u0008\u000c\u0001"# + "\u{7f}"),
            (Array("<b>&</b>".utf8), #"\u003cb\u003e\u0026\u003c/b\u003e"#),
            (Array("\u{2028}\u{2029}\u{202a}".utf8), #"\u2028\u2029"# + "\u{202a}"),
            (Array("ü€😀".utf8), "ü€😀"),
            ([0xff, 0x61, 0xc3, 0x28], #"\ufffda\ufffd("#),
            // Cut off, overlong, surrogates, too large.
            ([0xe2, 0x82], #"\ufffd\ufffd"#), ([0xc0, 0x80], #"\ufffd\ufffd"#),
            ([0xed, 0xa0, 0x80], #"\ufffd\ufffd\ufffd"#),
            ([0xf4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#),
            ([0xf0, 0x9f, 0x98], #"\ufffd\ufffd\ufffd"#), ([0], #"\u0000"#),
        ]
        for (bytes, expected) in cases {
            #expect(
                written(bytes, LineFormat(.docker), stream: 1, isWhole: false)
                    == #"{"log":"\#(expected)","stream":"stderr","time":"1970-01-01T00:00:00Z"}"# + "\n")
        }
    }

    /// Foundation reads back what was text.
    @Test func anyTextSurvivesDockersForm() throws {
        var dice = Dice(7)
        for _ in 0..<200 {
            let scalars = (0..<50).map { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x10ffff, using: &dice)) ?? "\u{fffd}"
            }
            let text = String(String.UnicodeScalarView(scalars))
            let line = written(Array(text.utf8), LineFormat(.docker))
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
            #expect(object["log"].map { Array($0.utf8) } == Array((text + "\n").utf8))
        }
    }

    @Test func dockerAttributes() {
        let format = LineFormat(
            .docker, attributes: [("b", "2<"), ("a", "\""), ("b", "3")])
        #expect(
            written([120], format)
                == #"{"log":"x\n","stream":"stdout","attrs":{"a":"\"","b":"3"},"time":"1970-01-01T00:00:00Z"}"#
                + "\n")
    }

    @Test(arguments: [
        ("a{{.ID}}b", "a0123456789abb"), ("{{.FullID}}", "0123456789abcdef"),
        ("{{.Name}}/", "0123456789abcdef/"),
        ("plain", "plain"), ("{{.Other}}", "{{.Other}}"), ("", ""),
    ])
    func tags(tag: String, text: String) {
        #expect(LogTag.text(of: tag, id: "0123456789abcdef") == text)
    }

    @Test func sequencesAreNotCut() {
        let text = Array("aü€😀".utf8)
        text.withUnsafeBytes { bytes in
            let cuts = (1..<bytes.count).map { UTF8Sequence.cut(bytes, atMost: $0) }
            // a ü ü € € € 😀 😀 😀 😀
            #expect(cuts == [1, 1, 3, 3, 3, 6, 6, 6, 6])
        }
        [UInt8](repeating: 0x80, count: 10).withUnsafeBytes { #expect(UTF8Sequence.cut($0, atMost: 5) == 5) }
    }

    @Test func rates() {
        var rate = RateLimit(100)
        func take(_ count: Int, _ milliseconds: Int64) -> Bool {
            rate.take(count, time: milliseconds * 1_000_000)
        }
        #expect(take(60, 0))
        #expect(!take(60, 0))
        #expect(take(40, 0))
        #expect(!take(1, 1))
        #expect(take(50, 500))
        // Longer than a second's share: only when that is untouched.
        #expect(!take(200, 900))
        #expect(take(200, 9000))
        #expect(!take(1, 9500))
        // A clock that goes back gives nothing, and takes nothing.
        #expect(!take(1, 0))
        #expect(take(1, 2000))
    }

    @Test func theLargestRateIsNone() {
        var rate = RateLimit(.max)
        func take(_ time: Int64) -> Bool { rate.take(1, time: time) }
        #expect(take(1))
        #expect(take(2))
        #expect(take(3))
    }

    @Test(arguments: [
        ("com.example/key-1", "COM_EXAMPLE_KEY_1"), ("_x", "X"), ("1a", "A"), ("___", nil), ("ü", nil),
    ])
    func fieldNames(label: String, name: String?) {
        #expect(Journal.fieldName(label) == name)
    }
}
