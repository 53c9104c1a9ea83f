public import Diagnostics

/// Signals by name, as signal(7) lists them for x86-64 and arm64, which number them alike.
public enum SignalNames {
    /// The first and last real-time signal that the C library leaves to programs.
    private static let realTime: ClosedRange<CInt> = 34...64

    private static let table: [(name: StaticString, number: CInt)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7),
        ("FPE", 8), ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14),
        ("TERM", 15), ("STKFLT", 16), ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20),
        ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27),
        ("WINCH", 28), ("IO", 29), ("POLL", 29), ("PWR", 30), ("SYS", 31), ("UNUSED", 31),
    ]

    /// The number of `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`, `SIGRTMAX-1`. 0 probes without a signal.
    public static func number(_ word: String) throws(Failure) -> CInt {
        if let number = decimal(word.utf8[...]) {
            if (0...realTime.upperBound).contains(number) { return number }
            throw unknown(word)
        }
        let upper = word.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 }
        let name = upper.starts(with: "SIG".utf8) ? upper[3...] : upper[...]
        for row in table where row.name.withUTF8Buffer({ $0.elementsEqual(name) }) {
            return row.number
        }
        if let number = realTimeNumber(name) { return number }
        throw unknown(word)
    }

    private static func realTimeNumber(_ name: ArraySlice<UInt8>) -> CInt? {
        let fromLast = name.starts(with: "RTMAX".utf8)
        guard fromLast || name.starts(with: "RTMIN".utf8) else { return nil }
        let base = fromLast ? realTime.upperBound : realTime.lowerBound
        let rest = name.dropFirst("RTMIN".utf8.count)
        guard let sign = rest.first else { return base }
        guard sign == UInt8(ascii: fromLast ? "-" : "+"), let offset = decimal(rest.dropFirst()) else {
            return nil
        }
        let number = fromLast ? base - offset : base + offset
        return realTime.contains(number) ? number : nil
    }

    /// A number of at most three digits, without a sign.
    private static func decimal<Bytes: Collection<UInt8>>(_ bytes: Bytes) -> CInt? {
        guard (1...3).contains(bytes.count) else { return nil }
        var value: CInt = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + CInt(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func unknown(_ word: String) -> Failure {
        Failure(.usage, "unknown signal \"\(word)\"")
    }
}
