internal import CLinux
internal import Diagnostics
internal import Linux

/// journald's native protocol: one datagram an entry, fields as `KEY=VALUE` lines, or with a length where a value has
/// line ends of its own (systemd, "Native Journal Protocol").
struct Journal: ~Copyable {
    static let socketPath = "/run/systemd/journal/socket"

    private let path: String
    private var socket: Descriptor?
    /// What every entry has.
    private let fields: [UInt8]
    /// Of a line of each stream of which a piece has been sent.
    private var openPriority: (UInt8?, UInt8?) = (nil, nil)
    private var entry: [UInt8] = []

    /// No journal, for other drivers.
    init() {
        path = ""
        fields = []
    }

    /// - Parameter tag: nil for none: the ID is its identifier in the journal then.
    init(
        socket path: String, id: String, tag: String?, labels: [(key: String, value: String)]
    ) throws(Failure) {
        self.path = path
        fields = Journal.fields(id: id, tag: tag, labels: labels)
        socket = try Journal.connect(path)
    }

    private static func connect(_ path: String) throws(Failure) -> Descriptor {
        let raw = clinux_datagram_connect(path, 1)
        return Descriptor(
            adopting: try check(
                raw, "connect \(path)", "journald cannot be reached; take another --log-driver"))
    }

    /// The fields that conmon writes, so that `podman logs` and what people have written for it find them.
    static func fields(id: String, tag: String?, labels: [(key: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        append("CONTAINER_ID_FULL", id, to: &bytes)
        append("CONTAINER_ID", String(decoding: id.utf8.prefix(12), as: UTF8.self), to: &bytes)
        append("CONTAINER_NAME", id, to: &bytes)
        if let tag { append("CONTAINER_TAG", tag, to: &bytes) }
        append("SYSLOG_IDENTIFIER", tag ?? id, to: &bytes)
        for (key, value) in labels {
            if let name = fieldName(key) { append(name, value, to: &bytes) }
        }
        return bytes
    }

    /// A field's name for a label: upper case letters, digits and `_`, which is not the first; at most 64 bytes. nil
    /// when nothing is left.
    static func fieldName(_ label: String) -> String? {
        var name: [UInt8] = []
        for byte in label.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.append(byte - 32)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                name.append(byte)
            default: name.append(UInt8(ascii: "_"))
            }
        }
        let text = name.drop { $0 == UInt8(ascii: "_") || $0 < UInt8(ascii: "A") }.prefix(64)
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        if value.utf8.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            let count = UInt64(value.utf8.count)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Sends a line of the container's, or a piece of one. 0, or -errno; -EAGAIN when journald does not follow.
    mutating func send(_ text: UnsafeRawBufferPointer, stream: Int, isWhole: Bool) -> CInt {
        var text = text
        var priority = stream == 0 ? Journal.usual : Journal.error
        if let open = stream == 0 ? openPriority.0 : openPriority.1 {
            priority = open
        } else if let given = Journal.priority(text) {
            priority = given
            text = UnsafeRawBufferPointer(rebasing: text[3...])
        }
        let code = send(text, priority: priority, isWhole: isWhole)
        if code == 0 {
            let open = isWhole ? nil : priority
            if stream == 0 { openPriority.0 = open } else { openPriority.1 = open }
        }
        return code
    }

    private static let usual = UInt8(ascii: "6")
    private static let error = UInt8(ascii: "3")

    /// Sends a sentence of our own about the log.
    mutating func tell(_ sentence: String) -> CInt {
        var sentence = sentence
        return sentence.withUTF8 {
            send(UnsafeRawBufferPointer($0), priority: Journal.error, isWhole: true)
        }
    }

    private mutating func send(_ text: UnsafeRawBufferPointer, priority: UInt8, isWhole: Bool) -> CInt {
        entry.removeAll(keepingCapacity: true)
        entry.append(contentsOf: "PRIORITY=".utf8)
        entry.append(priority)
        entry.append(UInt8(ascii: "\n"))
        entry.append(contentsOf: fields)
        if !isWhole { entry.append(contentsOf: "CONTAINER_PARTIAL_MESSAGE=true\n".utf8) }
        entry.append(contentsOf: "MESSAGE=".utf8)
        entry.append(contentsOf: text)
        entry.append(UInt8(ascii: "\n"))
        if socket == nil {
            let raw = clinux_datagram_connect(path, 1)
            guard raw >= 0 else { return raw }
            socket = Descriptor(adopting: raw)
        }
        let number = socket.rawOrNone
        let code = entry.withUnsafeBytes { clinux_journal_send(number, $0.baseAddress!, $0.count) }
        // journald was started again: the next attempt connects to the new one.
        if code < 0, code != -Errno.EAGAIN { socket = nil }
        return code
    }

    /// `<3>` before a line is its priority, as of what services print (sd-daemon(3)).
    private static func priority(_ text: UnsafeRawBufferPointer) -> UInt8? {
        guard text.count >= 3, text[0] == UInt8(ascii: "<"), text[2] == UInt8(ascii: ">"),
            text[1] >= UInt8(ascii: "0"), text[1] <= UInt8(ascii: "7")
        else { return nil }
        return text[1]
    }
}
