internal import Store

extension ControlMessage {
    /// The first byte.
    enum Code {
        static let stdin: UInt8 = 1
        static let stdout: UInt8 = 2
        static let stderr: UInt8 = 3
        static let hello: UInt8 = 16
        static let askStatus: UInt8 = 17
        static let stop: UInt8 = 18
        static let restart: UInt8 = 19
        static let wait: UInt8 = 20
        static let waitForExec: UInt8 = 21
        static let release: UInt8 = 22
        static let attach: UInt8 = 23
        static let stdinEnd: UInt8 = 24
        static let resize: UInt8 = 25
        static let detach: UInt8 = 26
        static let reopenLog: UInt8 = 27
        static let signal: UInt8 = 28
        static let done: UInt8 = 64
        static let ended: UInt8 = 65
        static let failed: UInt8 = 66
        static let status: UInt8 = 67
        static let attached: UInt8 = 68
        static let lost: UInt8 = 69

        static func output(_ stream: Int) -> UInt8 { stream == 0 ? stdout : stderr }
    }

    /// More than any message has.
    static let mostBytes = 64 << 10

    public var bytes: [UInt8] {
        switch self {
        case .stdin(let data): return [Code.stdin] + data
        case .output(let stream, let data): return [Code.output(stream)] + data
        case .hello(let hello):
            return ControlMessage.encode(Code.hello, UInt64(hello.version), hello.build, signed: hello.pid)
        case .askStatus: return [Code.askStatus]
        case .stop(let order): return ControlMessage.encode(Code.stop, order)
        case .restart(let order): return ControlMessage.encode(Code.restart, order)
        case .wait: return [Code.wait]
        case .waitForExec(let pid): return ControlMessage.encode(Code.waitForExec, signed: pid)
        case .release: return [Code.release]
        case .attach(let attachment): return ControlMessage.encode(attachment)
        case .stdinEnd: return [Code.stdinEnd]
        case .resize(let size): return ControlMessage.encode(Code.resize, UInt64(size))
        case .detach: return [Code.detach]
        case .reopenLog: return [Code.reopenLog]
        case .signal(let number): return ControlMessage.encode(Code.signal, signed: number)
        case .done: return [Code.done]
        case .ended(nil): return [Code.ended]
        case .ended(.some(let end)):
            let time = UInt64(bitPattern: end.time)
            return ControlMessage.encode(Code.ended, time, signed: end.exitCode, end.signal)
        case .failed(let message): return [Code.failed] + Array(message.utf8.prefix(8192))
        case .status(let json): return [Code.status] + json
        case .attached(let attached):
            let flags: UInt64 = (attached.hasTerminal ? 1 : 0) | (attached.hasInput ? 2 : 0)
            return ControlMessage.encode(
                Code.attached, flags, attached.positions.0, attached.positions.1)
        case .lost(let stream, let count): return ControlMessage.encode(Code.lost, UInt64(stream), count)
        }
    }

    private static func encode(_ code: UInt8, _ values: UInt64..., signed: Int32...) -> [UInt8] {
        var bytes = [code]
        for value in values { append(value, to: &bytes) }
        for value in signed { append(UInt64(bitPattern: Int64(value)), to: &bytes) }
        return bytes
    }

    private static func encode(_ code: UInt8, _ order: SupervisorCore.StopOrder) -> [UInt8] {
        encode(code, signed: order.signal, order.grace)
    }

    private static func encode(_ attachment: Attachment) -> [UInt8] {
        let flags: UInt64 =
            (attachment.wantsOutput.0 ? 1 : 0) | (attachment.wantsOutput.1 ? 2 : 0)
            | (attachment.sendsInput ? 4 : 0) | (attachment.resumeAt != nil ? 8 : 0)
        let resume = attachment.resumeAt ?? (0, 0)
        return encode(Code.attach, flags, UInt64(attachment.size), resume.0, resume.1)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift * 8))) }
    }

    /// Reads one datagram; nil for one that this version does not know, or that breaks the rules.
    public init?(_ datagram: [UInt8]) {
        guard let code = datagram.first else { return nil }
        let data = datagram.dropFirst()
        switch code {
        case Code.stdin where data.count <= ControlMessage.mostInput: self = .stdin(Array(data))
        case Code.stdout where data.count <= ControlMessage.mostOutput:
            self = .output(stream: 0, Array(data))
        case Code.stderr where data.count <= ControlMessage.mostOutput:
            self = .output(stream: 1, Array(data))
        case Code.failed: self = .failed(String(decoding: data, as: UTF8.self))
        case Code.status: self = .status(Array(data))
        default:
            guard let known = ControlMessage(code, numbers: ControlMessage.numbers(data)) else { return nil }
            self = known
        }
    }

    private static func numbers(_ data: ArraySlice<UInt8>) -> [UInt64]? {
        guard data.count % 8 == 0, data.count <= 64 else { return nil }
        var values: [UInt64] = []
        var at = data.startIndex
        while at < data.endIndex {
            var value: UInt64 = 0
            for shift in 0..<8 { value |= UInt64(data[at + shift]) << UInt64(shift * 8) }
            values.append(value)
            at += 8
        }
        return values
    }

    private init?(_ code: UInt8, numbers: [UInt64]?) {
        guard let numbers else { return nil }
        func signed(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: Int64(bitPattern: numbers[index])) }
        switch (code, numbers.count) {
        case (Code.hello, 3...):
            var hello = Hello(build: numbers[1], pid: signed(2))
            hello.version = UInt32(truncatingIfNeeded: numbers[0])
            self = .hello(hello)
        case (Code.askStatus, 0): self = .askStatus
        case (Code.stop, 2): self = .stop(.init(signal: signed(0), grace: signed(1)))
        case (Code.restart, 2): self = .restart(.init(signal: signed(0), grace: signed(1)))
        case (Code.wait, 0): self = .wait
        case (Code.waitForExec, 1): self = .waitForExec(pid: signed(0))
        case (Code.release, 0): self = .release
        case (Code.attach, 4): self = .attach(ControlMessage.attachment(numbers))
        case (Code.stdinEnd, 0): self = .stdinEnd
        case (Code.resize, 1): self = .resize(UInt32(truncatingIfNeeded: numbers[0]))
        case (Code.detach, 0): self = .detach
        case (Code.reopenLog, 0): self = .reopenLog
        case (Code.signal, 1): self = .signal(signed(0))
        case (Code.done, 0): self = .done
        case (Code.ended, 0): self = .ended(nil)
        case (Code.ended, 3):
            self = .ended(
                .init(exitCode: signed(1), signal: signed(2), time: Int64(bitPattern: numbers[0])))
        case (Code.attached, 3):
            self = .attached(
                .init(
                    hasTerminal: numbers[0] & 1 != 0, hasInput: numbers[0] & 2 != 0,
                    positions: (numbers[1], numbers[2])))
        case (Code.lost, 2): self = .lost(stream: numbers[0] == 0 ? 0 : 1, bytes: numbers[1])
        default: return nil
        }
    }

    private static func attachment(_ numbers: [UInt64]) -> Attachment {
        var attachment = Attachment()
        attachment.wantsOutput = (numbers[0] & 1 != 0, numbers[0] & 2 != 0)
        attachment.sendsInput = numbers[0] & 4 != 0
        if numbers[0] & 8 != 0 { attachment.resumeAt = (numbers[2], numbers[3]) }
        attachment.size = UInt32(truncatingIfNeeded: numbers[1])
        return attachment
    }
}
