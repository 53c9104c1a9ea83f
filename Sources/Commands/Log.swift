internal import CLinux
internal import Diagnostics
internal import JSON
internal import Linux

/// Where errors, warnings and debug records go: always to people on stderr, and with `--log` to a file as well.
///
/// Podman parses the whole file as one JSON document and containerd takes its last error, so the file gets errors
/// alone unless `--debug` or `--log-level` asks for more.
struct Log: Sendable {
    enum Level: Int, Sendable {
        case debug, info, warning, error

        var name: String {
            switch self {
            case .debug: return "debug"
            case .info: return "info"
            case .warning: return "warning"
            case .error: return "error"
            }
        }
    }

    let file: String?
    let asJSON: Bool
    let least: Level

    /// A log that writes to stderr alone, for the time before the flags are read.
    init() {
        file = nil
        asJSON = false
        least = .error
    }

    /// Reads the log's flags and makes the file, so that an unusable one is told before anything is done.
    init(_ globals: FlagValues) throws(Failure) {
        file = globals[Flags.log].flatMap { $0.isEmpty ? nil : $0 }
        asJSON = globals[Flags.logFormat]?.utf8.elementsEqual("json".utf8) ?? false
        least = globals.has(Flags.debug) ? .debug : Log.level(globals[Flags.logLevel])
        if file != nil { try append("") }
    }

    /// Whether stderr holds sentences; else it is a stream of JSON objects.
    var speaksToPeople: Bool { file != nil || !asJSON }

    private static func level(_ word: String?) -> Level {
        switch word {
        case "debug": return .debug
        case "info": return .info
        case "warning": return .warning
        default: return .error
        }
    }

    func error(_ message: String) {
        record(.error, message)
    }

    func warning(_ message: String) {
        record(.warning, message)
    }

    /// The message is not made unless somebody wants it.
    func debug(_ message: @autoclosure () -> String) {
        if least == .debug { record(.debug, message()) }
    }

    private func record(_ level: Level, _ message: String) {
        let wanted = level.rawValue >= least.rawValue
        guard file != nil else {
            // Warnings are for people even when nobody asked for a log.
            if wanted || level == .warning {
                Output.error(speaksToPeople ? Log.sentence(level, message) : line(level, message))
            }
            return
        }
        if level.rawValue >= Level.warning.rawValue {
            Output.error(Log.sentence(level, message))
        }
        guard wanted else { return }
        do {
            try append(line(level, message))
        } catch {
            Output.error(Log.sentence(.error, error.description))
        }
    }

    /// Opened for each record: a descriptor kept open could be taken for one of `--preserve-fds`.
    private func append(_ text: String) throws(Failure) {
        guard let file else { return }
        let descriptor = try Descriptor.open(file, O.writeOnly | O.create | O.append, mode: 0o644)
        if !text.isEmpty { try descriptor.write(text, name: file) }
    }

    private static func sentence(_ level: Level, _ message: String) -> String {
        let text = Log.withoutControls(message)
        return level == .error ? "gantry: \(text)\n" : "gantry: \(level.name): \(text)\n"
    }

    /// A name from an image, which may be in a message, must not speak to the reader's terminal: control
    /// characters become `\xNN`.
    static func withoutControls(_ message: String) -> String {
        var text: [UInt8] = []
        var isUnsafe = false
        var before: UInt8 = 0
        for byte in message.utf8 {
            // U+0080 to U+009F, which are control characters as well, are C2 and their number in UTF-8.
            let isLate = before == 0xc2 && byte < 0xa0
            before = byte
            guard byte < 0x20 || byte == 0x7f || isLate else {
                text.append(byte)
                continue
            }
            isUnsafe = true
            if isLate { text.removeLast() }
            text.append(contentsOf: "\\x".utf8)
            for digit in [byte >> 4, byte & 15] {
                text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
        return isUnsafe ? String(decoding: text, as: UTF8.self) : message
    }

    private func line(_ level: Level, _ message: String) -> String {
        let moment = Timestamp.rfc3339(secondsSinceEpoch: clinux_realtime() / 1_000_000_000)
        var json = JSONWriter(.compact)
        guard asJSON else {
            json.value(message)
            return "time=\"\(moment)\" level=\(level.name) msg=\(json.text)\n"
        }
        json.beginObject()
        json.member("level", level.name)
        json.member("msg", message)
        json.member("time", moment)
        json.endObject()
        return json.text + "\n"
    }
}
