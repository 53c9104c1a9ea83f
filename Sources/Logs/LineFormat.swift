internal import CLinux
internal import Diagnostics

/// How a line is written into a log file (spec/logs.md, "Formats").
///
/// What stands before and behind the text is made once for all lines of a stream that arrived together; a line then
/// costs two or three copies.
struct LineFormat: ~Copyable {
    enum Kind: Sendable {
        /// `TIME stdout F TEXT`: what Kubernetes' container runtime interface asks for.
        case kubernetes
        /// `{"log":"TEXT\n","stream":"stdout","time":"TIME"}`: as Docker's json-file driver writes it.
        case docker
    }

    let kind: Kind
    /// `"attrs":{…},`, or nothing.
    private let attributes: [UInt8]

    /// What stands before the text, for a whole line. The tag is its last byte but one (kubernetes).
    private var prefix: [UInt8] = []
    /// What stands behind the text of a whole line; of a piece the first two bytes are left out (docker).
    private var suffix: [UInt8] = []
    private var stream = -1
    private var time = Int64.min

    /// Seconds since the epoch that `secondText` stands for: `2006-01-02T15:04:05`.
    private var second = Int64.min
    private var secondText: [UInt8] = []

    init(_ kind: Kind, attributes: [(key: String, value: String)] = []) {
        self.kind = kind
        self.attributes = kind == .docker ? DockerText.attributes(attributes) : []
    }

    static let streamNames: [StaticString] = ["stdout", "stderr"]

    /// The lines that follow are of this stream and arrived then, in nanoseconds since the epoch.
    mutating func prepare(stream: Int, time: Int64) {
        if time == self.time, stream == self.stream { return }
        self.time = time
        self.stream = stream
        let name = LineFormat.streamNames[stream]
        prefix.removeAll(keepingCapacity: true)
        suffix.removeAll(keepingCapacity: true)
        switch kind {
        case .kubernetes:
            LineFormat.append(time: time, digits: 9, second: &second, secondText: &secondText, to: &prefix)
            prefix.append(UInt8(ascii: " "))
            LineFormat.append(name, to: &prefix)
            LineFormat.append(" F ", to: &prefix)
            suffix.append(UInt8(ascii: "\n"))
        case .docker:
            LineFormat.append("{\"log\":\"", to: &prefix)
            LineFormat.append("\\n\",\"stream\":\"", to: &suffix)
            LineFormat.append(name, to: &suffix)
            LineFormat.append("\",", to: &suffix)
            suffix.append(contentsOf: attributes)
            LineFormat.append("\"time\":\"", to: &suffix)
            LineFormat.append(time: time, digits: 0, second: &second, secondText: &secondText, to: &suffix)
            LineFormat.append("\"}\n", to: &suffix)
        }
    }

    /// More bytes than stand before and behind a text.
    var frameBytes: Int { 128 + attributes.count }

    /// Writes a line, as `prepare` said, to memory that has room for it (`frameBytes`, `DockerText`). Returns how many bytes it took.
    ///
    /// - Parameter isWhole: the text ends its line; otherwise it is a piece that others follow.
    func write(_ text: UnsafeRawBufferPointer, isWhole: Bool, to place: UnsafeMutableRawPointer) -> Int {
        prefix.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        var used = prefix.count
        var behind = 0
        switch kind {
        case .kubernetes:
            if !isWhole {
                (place + used - 2).storeBytes(of: UInt8(ascii: "P"), as: UInt8.self)
            }
            if text.count > 0 { (place + used).copyMemory(from: text.baseAddress!, byteCount: text.count) }
            used += text.count
        case .docker:
            used += DockerText.escape(text, to: place + used)
            if !isWhole { behind = 2 }
        }
        suffix.withUnsafeBytes {
            (place + used).copyMemory(from: $0.baseAddress! + behind, byteCount: $0.count - behind)
        }
        return used + suffix.count - behind
    }

    /// RFC 3339 in UTC: with `digits` behind the point, or with 0 as many as are needed, and no point without any.
    static func append(
        time: Int64, digits: Int, second: inout Int64, secondText: inout [UInt8], to bytes: inout [UInt8]
    ) {
        let whole = max(time, 0) / 1_000_000_000
        var fraction = max(time, 0) % 1_000_000_000
        if whole != second {
            second = whole
            secondText = Array(Timestamp.rfc3339(secondsSinceEpoch: whole).utf8.dropLast())
        }
        bytes.append(contentsOf: secondText)
        if digits != 0 || fraction != 0 {
            let point = bytes.count
            bytes.append(UInt8(ascii: "."))
            for _ in 0..<9 { bytes.append(UInt8(ascii: "0")) }
            for place in stride(from: point + 9, to: point, by: -1) {
                bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10)
                fraction /= 10
            }
            while digits == 0, bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
