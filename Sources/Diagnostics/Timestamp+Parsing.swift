extension Timestamp {
    /// A moment as RFC 3339 writes it: `2006-01-02T15:04:05`, with a fraction of any length, and with `Z`, an offset or
    /// neither behind it.
    public struct Reading: Equatable, Sendable {
        /// Since the epoch; as if it were UTC when there was no offset.
        public var nanoseconds: Int64
        public var hasOffset: Bool
    }

    /// nil when it is something else. Years 1970 to 2262.
    public static func read(_ text: UnsafeRawBufferPointer) -> Reading? {
        guard text.count >= 19, text[4] == dash, text[7] == dash, text[13] == colon, text[16] == colon,
            text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            let year = number(text, 0, 4), let month = number(text, 5, 2), let day = number(text, 8, 2),
            let hour = number(text, 11, 2), let minute = number(text, 14, 2),
            let second = number(text, 17, 2),
            (1970...2261).contains(year), (1...12).contains(month), (1...length(year, month)).contains(day),
            hour < 24,
            minute < 60, second <= 60
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if at < text.count, text[at] == UInt8(ascii: ".") {
            let first = at + 1
            at = first
            var unit: Int64 = 100_000_000
            while at < text.count, text[at] &- zero < 10 {
                fraction += Int64(text[at] - zero) * unit
                unit /= 10
                at += 1
            }
            if at == first { return nil }
        }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        guard at < text.count else {
            return Reading(nanoseconds: seconds * 1_000_000_000 + fraction, hasOffset: false)
        }
        guard let offset = offset(text, at) else { return nil }
        return Reading(nanoseconds: (seconds - offset) * 1_000_000_000 + fraction, hasOffset: true)
    }

    private static let zero = UInt8(ascii: "0")
    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")

    private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for place in start..<(start + count) {
            let digit = text[place] &- zero
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    /// Of a month, in days.
    private static func length(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Seconds east of UTC: `Z`, `+07:00`, `-0330`.
    private static func offset(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int64? {
        let rest = UnsafeRawBufferPointer(rebasing: text[start...])
        if rest.count == 1 { return rest[0] | 0x20 == UInt8(ascii: "z") ? 0 : nil }
        let hasColon = rest.count == 6 && rest[3] == colon
        guard hasColon || rest.count == 5, rest[0] == UInt8(ascii: "+") || rest[0] == dash,
            let hours = number(rest, 1, 2), let minutes = number(rest, hasColon ? 4 : 3, 2), hours < 24,
            minutes < 60
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return rest[0] == dash ? -seconds : seconds
    }

    /// Days since the epoch. Years are counted from March, as in `civil`.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let counted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return counted * 365 + counted / 4 - counted / 100 + counted / 400 + dayOfYear - 719_468
    }
}
