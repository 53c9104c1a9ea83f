internal import Cgroups
internal import Diagnostics
internal import JSON
internal import Runtime

/// `gantry events`: one JSON document a line, as runc writes them.
enum EventsCommand {
    /// Nanoseconds.
    private static let usualInterval: Int64 = 5_000_000_000

    @Sendable static func events(_ invocation: Invocation) throws(Failure) -> CInt {
        let id = invocation.positionals[0]
        let root = try invocation.globals.stateRoot()
        var interval = usualInterval
        if let text = invocation.flags[Flags.interval] {
            guard let given = GoDuration.parse(text) else {
                throw Failure(.usage, "invalid value \"\(text)\" for flag -interval: parse error")
            }
            interval = given
        }
        guard interval > 0 else { throw Failure(.usage, "duration interval must be greater than 0") }
        if invocation.flags.has(Flags.stats) {
            try Output.standard(line(.statistics(try Operations.statistics(id: id, root: root)), id: id))
        } else {
            try Operations.events(id: id, root: root, interval: interval) { (event) throws(Failure) in
                try Output.standard(line(event, id: id))
            }
        }
        return 0
    }

    static func line(_ event: ContainerEvent, id: String) -> String {
        var json = JSONWriter(.compact)
        json.beginObject()
        switch event {
        case .statistics(let statistics):
            json.member("type", "stats")
            json.member("id", id)
            json.object("data") { StatisticsJSON.write(statistics, to: &$0) }
        case .outOfMemory:
            json.member("type", "oom")
            json.member("id", id)
        }
        json.endObject()
        return json.text + "\n"
    }
}

/// Durations as Go writes them: `5s`, `300ms`, `1h2m3.5s`.
enum GoDuration {
    /// In nanoseconds.
    private static let units: [(name: StaticString, nanoseconds: UInt64)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Nanoseconds, or nil for what is none, or too long.
    static func parse(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) { return 0 }
        var total: UInt64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let part = component(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow { return nil }
            total = sum
        }
        guard let value = Int64(exactly: total) else { return nil }
        return isNegative ? -value : value
    }

    /// A number and its unit.
    private static func component(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        let whole = digits(&rest)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = digits(&rest)
        }
        if whole.isEmpty && fraction.isEmpty { return nil }
        let name = rest.prefix { $0 != UInt8(ascii: ".") && $0 &- UInt8(ascii: "0") >= 10 }
        rest = rest.dropFirst(name.count)
        guard
            let unit = units.first(where: { $0.name.withUTF8Buffer { $0.elementsEqual(name) } })?.nanoseconds,
            let number = whole.isEmpty ? 0 : UInt64(String(decoding: whole, as: UTF8.self))
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        var scale = unit
        var small: UInt64 = 0
        for digit in fraction {
            scale /= 10
            small += UInt64(digit - UInt8(ascii: "0")) * scale
        }
        let (sum, tooMuch) = product.addingReportingOverflow(small)
        return overflow || tooMuch ? nil : sum
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix { $0 &- UInt8(ascii: "0") < 10 }
        rest = rest.dropFirst(digits.count)
        return digits
    }
}
