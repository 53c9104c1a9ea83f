import Foundation
import Testing

@testable import JSON

@Suite struct WriterTests {
    private func sample(_ style: JSONWriter.Style) -> String {
        var writer = JSONWriter(style)
        writer.beginObject()
        writer.member("id", "c1")
        writer.member("pid", 4711)
        writer.member("ok", true)
        writer.key("none")
        writer.null()
        writer.member("list", ["a", "b"])
        writer.member("empty", [] as [String])
        writer.key("object")
        writer.beginObject()
        writer.endObject()
        writer.key("nested")
        writer.beginArray()
        writer.beginObject()
        writer.member("k", UInt64.max)
        writer.endObject()
        writer.value(Int64.min)
        writer.endArray()
        writer.endObject()
        return writer.text
    }

    @Test func compact() {
        #expect(
            sample(.compact) == #"{"id":"c1","pid":4711,"ok":true,"none":null,"list":["a","b"],"empty":[],"#
                + #""object":{},"nested":[{"k":18446744073709551615},-9223372036854775808]}"#)
    }

    /// As Debian 12's `runc state` lays out its object: two spaces, a space after the colon.
    @Test func indented() {
        #expect(
            sample(.indented) == """
                {
                  "id": "c1",
                  "pid": 4711,
                  "ok": true,
                  "none": null,
                  "list": [
                    "a",
                    "b"
                  ],
                  "empty": [],
                  "object": {},
                  "nested": [
                    {
                      "k": 18446744073709551615
                    },
                    -9223372036854775808
                  ]
                }
                """)
    }

    /// Foundation reads back what was written.
    @Test func escaping() throws {
        var all = "é😀\u{2028}\u{FFFF}"
        for value in 0...0x80 { all.unicodeScalars.append(Unicode.Scalar(UInt8(value))) }
        for style in [JSONWriter.Style.compact, .indented] {
            var writer = JSONWriter(style)
            writer.beginObject()
            writer.member(all, all)
            writer.endObject()
            let object = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: String]
            #expect(object?.keys.first?.utf8.elementsEqual(all.utf8) == true)
            #expect(object?.values.first?.utf8.elementsEqual(all.utf8) == true)
            #expect(writer.bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
        }
    }

    @Test func aValueAlone() {
        var writer = JSONWriter(.indented)
        writer.value("x\n\"\\")
        #expect(writer.text == #""x\n\"\\""#)
    }
}
