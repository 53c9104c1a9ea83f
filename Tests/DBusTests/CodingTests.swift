internal import Diagnostics
internal import Testing

@testable import DBus

/// Bytes on the wire, against the D-Bus Specification's "Marshaling".
@Suite struct CodingTests {
    private func encode(_ values: [Value]) -> [UInt8] {
        var encoder = Encoder()
        encoder.append(values)
        return encoder.bytes
    }

    private func decode(_ bytes: [UInt8], _ signature: String, big: Bool = false) throws -> [Value] {
        var decoder = Decoder(bytes, to: bytes.count, isBigEndian: big)
        return try decoder.values(try #require(Signature(signature)))
    }

    @Test func alignment() {
        #expect(
            encode([.byte(1), .uint16(2), .byte(3), .uint32(4), .byte(5), .uint64(6)]) == [
                1, 0, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
            ])
        #expect(encode([.byte(1), .structure([.byte(2)])]) == [1, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(encode([.string("ab")]) == [2, 0, 0, 0, 97, 98, 0])
        #expect(encode([.signature("as")]) == [2, 97, 115, 0])
        #expect(encode([.variant(.boolean(true))]) == [1, 98, 0, 0, 1, 0, 0, 0])
    }

    /// An array's length does not count the padding before its first element, which an empty one has, too.
    @Test func arrays() {
        #expect(encode([.array(of: "t", [])]) == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(encode([.array(of: "t", [.uint64(1)])]) == [8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(encode([.bytes([1, 2])]) == [2, 0, 0, 0, 1, 2])
        #expect(
            encode([.array(of: "{yy}", [.entry(.byte(1), .byte(2))])]) == [
                2, 0, 0, 0, 0, 0, 0, 0, 1, 2,
            ])
    }

    static let values: [Value] = [
        .byte(255), .boolean(false), .int16(-2), .uint16(65535), .int32(-3), .uint32(7), .int64(.min),
        .uint64(.max), .double(0.5), .string("ä"), .objectPath("/a"), .signature("a{sv}"), .bytes([]),
        .bytes([1, 2, 3]), .array(of: "s", []), .array(of: "(st)", [.structure([.string("x"), .uint64(1)])]),
        .structure([.byte(1), .structure([.uint64(2), .string("")])]),
        .array(of: "{sv}", [.entry(.string("k"), .variant(.array(of: "(ss)", [])))]),
        .variant(.variant(.variant(.int32(1)))), .array(of: "ay", [.bytes([1]), .bytes([])]),
        .array(of: "a{sv}", [.array(of: "{sv}", [])]),
    ]

    @Test(arguments: values) func roundTrip(_ value: Value) throws {
        // Behind a byte, so that nothing is aligned by chance.
        let all = [Value.byte(1), value]
        #expect(try decode(encode(all), "y" + value.type) == all)
    }

    /// None of these may trap; each is an error or, cut at a place where nothing was, a value.
    @Test(arguments: values) func truncated(_ value: Value) throws {
        let bytes = encode([.byte(1), value])
        for count in 0..<bytes.count {
            #expect(throws: Failure.self) {
                _ = try decode([UInt8](bytes[..<count]), "y" + value.type)
            }
        }
        #expect(throws: Failure.self) { _ = try decode(bytes + [0], "y" + value.type) }
    }

    @Test func bigEndian() throws {
        #expect(try decode([0, 0, 0, 1, 97, 0], "s", big: true) == [.string("a")])
        #expect(try decode([1, 0, 0, 2], "yq", big: true) == [.byte(1), .uint16(2)])
    }

    /// Every byte of a message changed in every way that tends to hurt.
    @Test func damaged() throws {
        var message = Message(.reply)
        message.serial = 5
        message.replySerial = 3
        message.sender = ":1.2"
        message.body = Self.values
        let bytes = message.encoded
        #expect(try Message(bytes)?.body == Self.values)
        for index in bytes.indices {
            for change: UInt8 in [0, 1, 2, 7, 0x7f, 0x80, 0xff, bytes[index] &+ 1, bytes[index] &- 1] {
                var copy = bytes
                copy[index] = change
                _ = try? Message(copy)
            }
        }
        for count in 0..<bytes.count { _ = try? Message([UInt8](bytes[..<count])) }
    }

    @Test func hostile() {
        // An array that says it has 4 GiB, one that ends within an element, a string without its end, a boolean 2.
        let cases: [([UInt8], String)] = [
            ([255, 255, 255, 255], "ay"), ([255, 255, 255, 255, 0, 0, 0, 0], "at"),
            ([3, 0, 0, 0, 1, 0, 0, 0], "au"), ([1, 0, 0, 0, 97, 98], "s"), ([2, 0, 0, 0], "b"),
            ([255, 255, 255, 255], "s"), ([1, 97, 0, 0, 0, 0, 0], "v"), ([0, 0], "v"),
            ([2, 121, 121, 0, 1, 1], "v"),
            ([1, 0, 0, 0, 0, 0], "s"),
        ]
        for (bytes, signature) in cases {
            #expect(throws: Failure.self, "\(bytes) \(signature)") { _ = try decode(bytes, signature) }
        }
        // Variants in variants in variants.
        var deep: [UInt8] = []
        for _ in 0..<1000 { deep += [1, 118, 0] }
        deep += [1, 121, 0, 1]
        #expect(throws: Failure.self) { _ = try decode(deep, "v") }
    }

    @Test func bounds() throws {
        var head: [UInt8] = [UInt8(ascii: "l"), 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(try Message.length(head) == 16)
        head[12] = 1
        #expect(try Message.length(head) == 24)
        for (place, value) in [(0, 0), (3, 2), (7, 1), (15, 128), (6, 17)] {
            var copy = head
            copy[place] = UInt8(value)
            #expect(throws: Failure.self) { _ = try Message.length(copy) }
        }
        #expect(throws: Failure.self) { _ = try Message.length([UInt8](head[..<15])) }
    }

    @Test(arguments: ["", "y", "as", "a{sv}", "(i(ss)a{ya{tv}})", "aaaaai", "a(sv)aa(sv)"])
    func signatures(_ text: String) {
        #expect(Signature(text) != nil)
    }

    @Test(arguments: [
        "a", "(", ")", "()", "{sv}", "a{s}", "a{svv}", "a{vs}", "a{(s)v}", "(y", "y)", "z", "a{sv", "aa",
        String(repeating: "a", count: 33) + "y", String(repeating: "(", count: 33) + "y",
        String(repeating: "y", count: 256), "r", "e",
    ])
    func noSignatures(_ text: String) {
        #expect(Signature(text) == nil)
    }

    @Test func addresses() throws {
        #expect(try Address("unix:path=/run/a%20b,guid=12", place: "").sockets == ["/run/a b"])
        #expect(
            try Address("tcp:host=x;unix:abstract=/tmp/x;unix:path=/y", place: "").sockets == [
                "@/tmp/x", "/y",
            ])
        for text in [
            "", "tcp:host=localhost", "unix:", "unix:path=", "unix:path=/a%2", "unix:path=/a%00", "x",
        ] {
            #expect(throws: Failure.self) { _ = try Address(text, place: "DBUS_SYSTEM_BUS_ADDRESS") }
        }
    }
}
