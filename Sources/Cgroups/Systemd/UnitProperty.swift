public import DBus
internal import Diagnostics

/// A property of a unit (org.freedesktop.systemd1(5)).
public struct UnitProperty: Equatable, Sendable {
    public let name: String
    public let value: Value

    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

extension [UnitProperty] {
    /// Takes the place of one of the same name.
    mutating func set(_ property: UnitProperty) {
        removeAll { $0.name.utf8.elementsEqual(property.name.utf8) }
        append(property)
    }
}

// What follows from resources: the values that cgroupfs gets, told to systemd, too, so that it keeps them whenever it
// writes its own (`daemon-reload`).
extension UnitProperty {
    /// Those that have one. The others are files alone.
    ///
    /// - Parameter version: systemd's: CPUWeight=idle is there since 252, OOMPolicy of scopes since 253.
    static func properties(of settings: [Setting], version: Int) throws(Failure) -> [UnitProperty] {
        var properties: [UnitProperty] = []
        var quota = CPUQuota()
        var isIdle = false
        for setting in settings.map(inSystemdsTerms) {
            if let name = sizes.name(of: setting.file) {
                if let size = try size(setting) { properties.set(UnitProperty(name, .uint64(size))) }
            } else if let name = sets.name(of: setting.file) {
                guard let bits = CPUList.bits(of: setting.value) else {
                    throw Failure(
                        .invalid, "must be a list such as 0-3,7, not \"\(setting.value)\"", at: setting.place)
                }
                properties.set(UnitProperty(name, .bytes(bits)))
            } else if setting.file.utf8.elementsEqual("cpu.idle".utf8) {
                isIdle = version >= 252 && setting.value.utf8.elementsEqual("1".utf8)
            } else if setting.file.utf8.elementsEqual("memory.oom.group".utf8) {
                let isAll = setting.value.utf8.elementsEqual("1".utf8)
                if version >= 253 {
                    properties.set(UnitProperty(oomPolicy, .string(isAll ? "kill" : "continue")))
                }
            } else {
                try quota.take(setting)
            }
        }
        // Idle is a weight of its own, behind all others.
        if isIdle { properties.set(UnitProperty("CPUWeight", .uint64(0))) }
        for property in quota.properties { properties.set(property) }
        return properties
    }

    /// Which of them need to know the version.
    static func dependOnVersion(_ settings: [Setting]) -> Bool {
        settings.contains {
            $0.file.utf8.elementsEqual("cpu.idle".utf8) || $0.file.utf8.elementsEqual("memory.oom.group".utf8)
        }
    }

    /// The one that can only be set at the start.
    static let oomPolicy = "OOMPolicy"

    /// Of weights systemd has one kind, whatever the kernel's scheduler makes of it.
    private static func inSystemdsTerms(_ setting: Setting) -> Setting {
        guard setting.file.utf8.elementsEqual("io.bfq.weight".utf8) else { return setting }
        return setting.forOtherKernels ?? setting
    }

    private struct Table {
        let rows: [(file: StaticString, property: StaticString)]

        func name(of file: String) -> String? {
            for row in rows where file.utf8.elementsEqual(row.file.description.utf8) {
                return row.property.description
            }
            return nil
        }
    }

    /// A number, or `max`.
    private static var sizes: Table {
        Table(rows: [
            ("memory.max", "MemoryMax"), ("memory.high", "MemoryHigh"), ("memory.low", "MemoryLow"),
            ("memory.min", "MemoryMin"), ("memory.swap.max", "MemorySwapMax"), ("cpu.weight", "CPUWeight"),
            ("pids.max", "TasksMax"), ("io.weight", "IOWeight"),
            // Version 1.
            ("memory.limit_in_bytes", "MemoryLimit"), ("cpu.shares", "CPUShares"),
            ("blkio.bfq.weight", "BlockIOWeight"),
        ])
    }

    private static var sets: Table {
        Table(rows: [("cpuset.cpus", "AllowedCPUs"), ("cpuset.mems", "AllowedMemoryNodes")])
    }

    /// nil for a value of one device alone, which systemd leaves as it is.
    private static func size(_ setting: Setting) throws(Failure) -> UInt64? {
        let words = setting.value.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        if words.count == 2, !words[0].elementsEqual("default".utf8) { return nil }
        guard let word = words.last else { throw notNumber(setting) }
        if word.elementsEqual("max".utf8) || word.elementsEqual("-1".utf8) { return .max }
        guard let number = UInt64(String(Substring(word))) else { throw notNumber(setting) }
        return number
    }

    fileprivate static func notNumber(_ setting: Setting) -> Failure {
        Failure(.invalid, "\"\(setting.value)\" is no value for \(setting.file)", at: setting.place)
    }

    /// What a running unit is to be told.
    static func changes(from before: [UnitProperty], to after: [UnitProperty]) -> [UnitProperty] {
        var changes = after.filter { !before.contains($0) }
        for property in before where !after.contains(where: { $0.name == property.name }) {
            changes.append(unset(property.name))
        }
        changes.removeAll { $0.name == oomPolicy }
        return changes
    }

    /// What it is when nobody sets it, so that one that was set can be taken back.
    static func unset(_ name: String) -> UnitProperty {
        let isSet = name.utf8.starts(with: "Allowed".utf8)
        let isZero = name.utf8.elementsEqual("MemoryLow".utf8) || name.utf8.elementsEqual("MemoryMin".utf8)
        return UnitProperty(name, isSet ? .bytes([]) : .uint64(isZero ? 0 : .max))
    }
}

/// cpu.max, or both files of version 1: systemd wants microseconds of CPU time per second.
private struct CPUQuota {
    private var quota: UInt64?
    private var period: UInt64?
    private var isMentioned = false

    mutating func take(_ setting: Setting) throws(Failure) {
        let words = setting.value.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        func number(_ index: Int) throws(Failure) -> UInt64? {
            guard index < words.count else { return nil }
            if words[index].elementsEqual("max".utf8) || words[index].elementsEqual("-1".utf8) { return nil }
            guard let number = UInt64(String(Substring(words[index]))) else {
                throw UnitProperty.notNumber(setting)
            }
            return number
        }
        if setting.file.utf8.elementsEqual("cpu.max".utf8) {
            isMentioned = true
            quota = try number(0)
            if words.count > 1 { period = try number(1) }
        } else if setting.file.utf8.elementsEqual("cpu.cfs_quota_us".utf8) {
            isMentioned = true
            quota = try number(0)
        } else if setting.file.utf8.elementsEqual("cpu.cfs_period_us".utf8) {
            isMentioned = true
            period = try number(0)
        }
    }

    /// The kernel's, in microseconds.
    private static let usualPeriod: UInt64 = 100_000

    /// systemd counts in hundredths of a CPU and would round down: a part more is made a whole one, so that the exact
    /// value, which is written into the file, fits below.
    var properties: [UnitProperty] {
        guard isMentioned else { return [] }
        var properties: [UnitProperty] = []
        if let period { properties.append(UnitProperty("CPUQuotaPeriodUSec", .uint64(period))) }
        var perSecond = UInt64.max
        if let quota {
            let (product, overflow) = quota.multipliedReportingOverflow(by: 1_000_000)
            if !overflow {
                let exact = product / max(period ?? CPUQuota.usualPeriod, 1)
                perSecond = exact % 10_000 == 0 ? exact : (exact / 10_000 + 1) * 10_000
            }
        }
        properties.append(UnitProperty("CPUQuotaPerSecUSec", .uint64(perSecond)))
        return properties
    }
}

/// Lists of CPUs or memory nodes as the kernel reads them (cpuset(7), "List format").
enum CPUList {
    /// CONFIG_NR_CPUS of the largest kernels, several times.
    private static let most = 1 << 16

    /// Bit n of byte n / 8 for each number n; nil for what is no list.
    static func bits(of list: String) -> [UInt8]? {
        var bits: [UInt8] = []
        for part in list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let trimmed = part.drop { $0 == UInt8(ascii: " ") }.prefix {
                $0 != UInt8(ascii: " ") && $0 != 0x0a
            }
            // As the kernel does.
            if trimmed.isEmpty { continue }
            guard let range = Range(trimmed) else { return nil }
            var number = range.first
            while number <= range.last {
                if (number - range.first) % range.group < range.used {
                    while bits.count <= number / 8 { bits.append(0) }
                    bits[number / 8] |= 1 << UInt8(number % 8)
                }
                number += 1
            }
        }
        return bits
    }

    /// `7`, `0-3`, or `0-31:2/8`, the first two of every eight.
    private struct Range {
        let first: Int
        let last: Int
        let used: Int
        let group: Int

        init?(_ text: Substring.UTF8View) {
            let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard parts.count <= 2, let ends = Range.numbers(parts[0], UInt8(ascii: "-")), ends.count <= 2
            else {
                return nil
            }
            first = ends[0]
            last = ends[ends.count - 1]
            guard first <= last, last < CPUList.most else { return nil }
            guard parts.count == 2 else {
                used = 1
                group = 1
                return
            }
            guard ends.count == 2, let stride = Range.numbers(parts[1], UInt8(ascii: "/")), stride.count == 2,
                stride[1] > 0, stride[0] <= stride[1]
            else { return nil }
            used = stride[0]
            group = stride[1]
        }

        private static func numbers(_ text: Substring.UTF8View, _ separator: UInt8) -> [Int]? {
            var numbers: [Int] = []
            for part in text.split(separator: separator, omittingEmptySubsequences: false) {
                guard !part.isEmpty, part.count < 10, part.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
                    let number = Int(String(Substring(part)))
                else { return nil }
                numbers.append(number)
            }
            return numbers
        }
    }
}
