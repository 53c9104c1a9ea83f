internal import Diagnostics

/// One message (D-Bus Specification, "Message Format").
public struct Message: Sendable {
    public enum Kind: UInt8, Sendable {
        case call = 1
        case reply = 2
        case error = 3
        case signal = 4
    }

    public var kind: Kind
    public var serial: UInt32 = 0
    /// Of the call that it answers.
    public var replySerial: UInt32?
    public var path: String?
    public var interface: String?
    public var member: String?
    public var errorName: String?
    public var destination: String?
    public var sender: String?
    public var body: [Value] = []

    init(_ kind: Kind) {
        self.kind = kind
    }

    /// Of what comes before the fields.
    static let headLength = 16
    /// What we have to do with fits in a few hundred bytes; the specification allows 128 MiB.
    static let mostBytes = 1 << 20

    private static let littleEndian = UInt8(ascii: "l")
    private static let bigEndian = UInt8(ascii: "B")
    private static let version: UInt8 = 1

    /// Numbers of the header's fields.
    private enum Field {
        static let path: UInt8 = 1
        static let interface: UInt8 = 2
        static let member: UInt8 = 3
        static let errorName: UInt8 = 4
        static let replySerial: UInt8 = 5
        static let destination: UInt8 = 6
        static let sender: UInt8 = 7
        static let signature: UInt8 = 8
    }
}

extension Message {
    var encoded: [UInt8] {
        var content = Encoder()
        content.append(body)
        var fields: [Value] = []
        func add(_ field: UInt8, _ value: Value?) {
            if let value { fields.append(.structure([.byte(field), .variant(value)])) }
        }
        add(Field.path, path.map { .objectPath($0) })
        add(Field.interface, interface.map { .string($0) })
        add(Field.member, member.map { .string($0) })
        add(Field.errorName, errorName.map { .string($0) })
        add(Field.replySerial, replySerial.map { .uint32($0) })
        add(Field.destination, destination.map { .string($0) })
        add(Field.sender, sender.map { .string($0) })
        if !body.isEmpty { add(Field.signature, .signature(Value.types(body))) }
        var message = Encoder()
        let flags: UInt8 = 0
        message.append([
            .byte(Message.littleEndian), .byte(kind.rawValue), .byte(flags), .byte(Message.version),
        ])
        message.append(UInt32(content.bytes.count))
        message.append(serial)
        message.append(.array(of: "(yv)", fields))
        message.align(8)
        return message.bytes + content.bytes
    }

    /// How long the message is that begins so.
    ///
    /// - Parameter head: its first `headLength` bytes.
    static func length(_ head: [UInt8]) throws(Failure) -> Int {
        guard head.count >= headLength, head[0] == littleEndian || head[0] == bigEndian, head[3] == version
        else {
            throw Decoder.damaged("does not begin as one does")
        }
        var decoder = Decoder(head, from: 4, to: headLength, isBigEndian: head[0] == bigEndian)
        let body = Int(try decoder.number() as UInt32)
        _ = try decoder.number() as UInt32
        let fields = Int(try decoder.number() as UInt32)
        guard body <= mostBytes, fields <= mostBytes else { throw Decoder.damaged("is too long") }
        let length = headLength + (fields + 7) / 8 * 8 + body
        guard length <= mostBytes else { throw Decoder.damaged("is too long") }
        return length
    }

    /// nil for one of a kind that we do not know, which is to be ignored.
    init?(_ bytes: [UInt8]) throws(Failure) {
        guard try Message.length(bytes) == bytes.count else { throw Decoder.damaged("ends too early") }
        let isBigEndian = bytes[0] == Message.bigEndian
        guard bytes[1] != 0 else { throw Decoder.damaged("does not begin as one does") }
        guard let kind = Kind(rawValue: bytes[1]) else { return nil }
        self.init(kind)
        var head = Decoder(bytes, from: 8, to: bytes.count, isBigEndian: isBigEndian)
        serial = try head.number()
        guard let type = Signature("a(yv)"), let bodyType = try read(try head.value(type, 0)) else {
            throw Decoder.damaged("has a header that is none")
        }
        let start = (head.position + 7) / 8 * 8
        var rest = Decoder(bytes, from: start, to: bytes.count, isBigEndian: isBigEndian)
        body = try rest.values(bodyType)
    }

    /// Takes the header's fields.
    ///
    /// - Returns: the body's types; nil when a field is not what it is to be.
    private mutating func read(_ fields: Value) throws(Failure) -> Signature? {
        guard case .array(_, let list) = fields else { return nil }
        var signature = Signature("")
        for field in list {
            guard case .structure(let parts) = field, parts.count == 2, case .byte(let number) = parts[0],
                let value = parts[1].content
            else { return nil }
            switch number {
            case Field.path: path = value.text
            case Field.interface: interface = value.text
            case Field.member: member = value.text
            case Field.errorName: errorName = value.text
            case Field.replySerial: replySerial = value.number
            case Field.destination: destination = value.text
            case Field.sender: sender = value.text
            case Field.signature: signature = value.text.flatMap { Signature($0) }
            default: break
            }
        }
        return signature
    }
}
