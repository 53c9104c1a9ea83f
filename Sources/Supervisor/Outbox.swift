/// Messages that wait until a client takes them, oldest first. Answers are all kept: who does not take them is not to be
/// heard meanwhile. Of output only so much is kept, and what is over is given up from its oldest on. Empty, it holds no
/// memory.
struct Outbox {
    /// Bytes of output that wait at most.
    static let capacity = 1 << 20
    /// Bytes of answers that may wait.
    static let mostAnswers = 64 << 10

    private var messages: [[UInt8]] = []
    private var first = 0
    /// Of output, in bytes, with what each message costs besides.
    private(set) var waiting = 0
    private static let costOfMessage = 64
    /// Of answers, likewise.
    private var answers = 0
    /// Bytes of each stream that were given up and not told of yet.
    private var lost: (UInt64, UInt64) = (0, 0)

    var isEmpty: Bool { first == messages.count }

    var isFullOfAnswers: Bool { answers > Outbox.mostAnswers }

    /// An answer.
    mutating func append(_ message: [UInt8]) {
        messages.append(message)
        answers += message.count + Outbox.costOfMessage
    }

    /// Output, in as few messages as it goes into.
    mutating func append(_ bytes: UnsafeRawBufferPointer, stream: Int) {
        let code = ControlMessage.Code.output(stream)
        var rest = bytes[...]
        while !rest.isEmpty {
            let last = messages.count - 1
            if last < first || messages[last][0] != code
                || messages[last].count > ControlMessage.mostOutput
            {
                messages.append([code])
                waiting += Outbox.costOfMessage
                continue
            }
            let room = ControlMessage.mostOutput + 1 - messages[last].count
            let piece = rest.prefix(room)
            messages[last].append(contentsOf: piece)
            waiting += piece.count
            rest = rest.dropFirst(piece.count)
        }
        while waiting > Outbox.capacity { giveUpOldest() }
    }

    private mutating func giveUpOldest() {
        var index = first
        while !Outbox.isOutput(messages[index]) { index += 1 }
        let count = messages[index].count - 1
        waiting -= count + Outbox.costOfMessage
        if messages[index][0] == ControlMessage.Code.stdout {
            lost.0 += UInt64(count)
        } else {
            lost.1 += UInt64(count)
        }
        // As a rule it is the first one; answers are few.
        if index == first { advance() } else { messages.remove(at: index) }
    }

    private static func isOutput(_ message: [UInt8]) -> Bool {
        message[0] == ControlMessage.Code.stdout || message[0] == ControlMessage.Code.stderr
    }

    /// The next message; `removeFirst` when it has been taken. That something is missing is told where it is missing.
    mutating func next() -> [UInt8]? {
        if lost.0 > 0 { return tellLost(stream: 0, lost.0) }
        if lost.1 > 0 { return tellLost(stream: 1, lost.1) }
        return isEmpty ? nil : messages[first]
    }

    private mutating func tellLost(stream: Int, _ count: UInt64) -> [UInt8] {
        if stream == 0 { lost.0 = 0 } else { lost.1 = 0 }
        let message = ControlMessage.lost(stream: stream, bytes: count).bytes
        answers += message.count + Outbox.costOfMessage
        // In front: what has been sent already is kept there no longer.
        if first > 0 {
            first -= 1
            messages[first] = message
        } else {
            messages.insert(message, at: 0)
        }
        return message
    }

    mutating func removeFirst() {
        if Outbox.isOutput(messages[first]) {
            waiting -= messages[first].count - 1 + Outbox.costOfMessage
        } else {
            answers -= messages[first].count + Outbox.costOfMessage
        }
        advance()
    }

    private mutating func advance() {
        messages[first] = []
        first += 1
        if isEmpty {
            messages = []
            first = 0
        } else if first >= 256 {
            messages.removeFirst(first)
            first = 0
        }
    }
}
