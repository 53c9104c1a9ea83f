public import Diagnostics

/// Where a bus listens (D-Bus Specification, "Server Addresses"): the Unix sockets of an address list.
public struct Address: Equatable, Sendable {
    /// Paths in order; `@` in front of the name of an abstract one (unix(7)).
    public let sockets: [String]

    /// - Parameters:
    ///   - text: as in DBUS_SYSTEM_BUS_ADDRESS.
    ///   - place: where it comes from, for errors.
    public init(_ text: String, place: String) throws(Failure) {
        var sockets: [String] = []
        for entry in text.utf8.split(separator: UInt8(ascii: ";")) {
            guard let colon = entry.firstIndex(of: UInt8(ascii: ":")),
                entry[..<colon].elementsEqual("unix".utf8)
            else { continue }
            for pair in entry[entry.index(after: colon)...].split(separator: UInt8(ascii: ",")) {
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let key = pair[..<equals]
                guard let value = Address.unescaped([UInt8](pair[pair.index(after: equals)...])),
                    !value.isEmpty, !value.utf8.contains(0)
                else { throw Failure(.invalid, "\"\(text)\" is no address of D-Bus", at: place) }
                if key.elementsEqual("path".utf8) { sockets.append(value) }
                if key.elementsEqual("abstract".utf8) { sockets.append("@" + value) }
            }
        }
        guard !sockets.isEmpty else {
            throw Failure(.unsupported, "\"\(text)\" names no Unix socket (unix:path=…)", at: place)
        }
        self.sockets = sockets
    }

    public init(socket: String) {
        sockets = [socket]
    }

    /// `%2f` is a slash.
    private static func unescaped(_ text: [UInt8]) -> String? {
        var bytes: [UInt8] = []
        var at = 0
        while at < text.count {
            guard text[at] == UInt8(ascii: "%") else {
                bytes.append(text[at])
                at += 1
                continue
            }
            guard at + 2 < text.count, let high = digit(text[at + 1]), let low = digit(text[at + 2]) else {
                return nil
            }
            bytes.append(high << 4 | low)
            at += 3
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
