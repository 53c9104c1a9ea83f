/// Moments as text.
public enum Timestamp {
    /// RFC 3339 in UTC, whole seconds: `2026-11-21T11:08:35Z`. Years 1970 to 9999.
    public static func rfc3339(secondsSinceEpoch seconds: Int64) -> String {
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(daysSinceEpoch: days)
        var text = padded(date.year, 4)
        for (separator, value) in [
            ("-", date.month), ("-", date.day), ("T", rest / 3600), (":", rest / 60 % 60), (":", rest % 60),
        ] {
            text += separator
            text += padded(value, 2)
        }
        return text + "Z"
    }

    /// The same to the nanosecond, trailing zeros left out: `2026-11-21T11:08:35.1234Z`.
    public static func rfc3339(nanosecondsSinceEpoch nanoseconds: Int64) -> String {
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let whole = rfc3339(secondsSinceEpoch: seconds)
        guard fraction != 0 else { return whole }
        var digits = padded(fraction, 9)
        while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(whole.dropLast()).\(digits)Z"
    }

    /// The proleptic Gregorian date. Years are counted from March, so that the leap day is a year's last.
    private static func civil(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let daysPerEra: Int64 = 146_097  // 400 years
        let sinceMarch0000 = days + 719_468
        let era = sinceMarch0000 / daysPerEra
        let dayOfEra = sinceMarch0000 % daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
