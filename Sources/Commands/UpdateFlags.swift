internal import Diagnostics
internal import OCI

/// The flags of `update` that are limits: each with the property of `linux.resources` that it sets.
enum UpdateFlags {
    typealias Resources = Spec.Linux.Resources

    struct Row: Sendable {
        let flag: Flag
        let set: @Sendable (inout Resources, String) throws(Failure) -> Void

        init(
            _ name: String, _ placeholder: String, _ help: String,
            _ set: @escaping @Sendable (inout Resources, String) throws(Failure) -> Void
        ) {
            flag = Flag(name, nil, .text(placeholder), help)
            self.set = set
        }
    }

    static let all: [Row] = [
        memory("memory", "Limit of memory: 512m, 2g …, -1 for none") { $0.limit = $1 },
        memory("memory-reservation", "Memory that is left to the container when it gets scarce") {
            $0.reservation = $1
        },
        memory("memory-swap", "Limit of memory and swap together, -1 for none") { $0.swap = $1 },
        memory("kernel-memory", "Ignored with a warning: Linux has no such limit any more") {
            $0.kernel = $1
        },
        memory("kernel-memory-tcp", "Ignored with a warning: Linux has no such limit any more") {
            $0.kernelTCP = $1
        },
        cpu("cpu-share", "N", "Share of CPU time relative to others: 2 to 262144") {
            cpu, text throws(Failure) in
            cpu.shares = try number(text)
        },
        cpu("cpu-quota", "US", "CPU time in a period, in microseconds, -1 for no limit") {
            cpu, text throws(Failure) in cpu.quota = try number(text)
        },
        cpu("cpu-period", "US", "Length of the period, in microseconds") { cpu, text throws(Failure) in
            cpu.period = try number(text)
        },
        cpu("cpu-burst", "US", "CPU time that may be saved up, in microseconds") {
            cpu, text throws(Failure) in
            cpu.burst = try number(text)
        },
        cpu("cpu-idle", "0|1", "Whether it runs only when nothing else does") { cpu, text throws(Failure) in
            cpu.idle = try number(text)
        },
        cpu("cpu-rt-period", "US", "Length of the realtime period, in microseconds") {
            cpu, text throws(Failure) in cpu.realtimePeriod = try number(text)
        },
        cpu("cpu-rt-runtime", "US", "Realtime CPU time in a period, in microseconds") {
            cpu, text throws(Failure) in cpu.realtimeRuntime = try number(text)
        },
        cpu("cpuset-cpus", "LIST", "CPUs to run on: 0-3,7") { $0.cpus = $1 },
        cpu("cpuset-mems", "LIST", "Memory nodes to use: 0-1") { $0.mems = $1 },
        Row("pids-limit", "N", "Most processes and threads, -1 for no limit") {
            resources, text throws(Failure) in
            resources.pids = Resources.Pids(limit: try number(text))
        },
        Row("blkio-weight", "N", "Weight of I/O relative to others: 10 to 1000") {
            resources, text throws(Failure) in
            resources.blockIO = Resources.BlockIO()
            resources.blockIO?.weight = try number(text)
        },
        Row("l3-cache-schema", "TEXT", "Cache allocation (not supported yet)", unsupported),
        Row("mem-bw-schema", "TEXT", "Memory bandwidth (not supported yet)", unsupported),
    ]

    /// A number of bytes.
    private static func memory(
        _ name: String, _ help: String, _ set: @escaping @Sendable (inout Resources.Memory, Int64) -> Void
    ) -> Row {
        Row(name, "BYTES", help) { resources, text throws(Failure) in
            var memory = resources.memory ?? Resources.Memory()
            set(&memory, try ByteCount.parse(text))
            resources.memory = memory
        }
    }

    private static func cpu(
        _ name: String, _ placeholder: String, _ help: String,
        _ set: @escaping @Sendable (inout Resources.CPU, String) throws(Failure) -> Void
    ) -> Row {
        Row(name, placeholder, help) { resources, text throws(Failure) in
            var cpu = resources.cpu ?? Resources.CPU()
            try set(&cpu, text)
            resources.cpu = cpu
        }
    }

    private static let unsupported: @Sendable (inout Resources, String) throws(Failure) -> Void = {
        _, _ throws(Failure) in
        throw Failure(.unsupported, "resctrl is not supported yet")
    }

    private static func number<Number: FixedWidthInteger>(_ text: String) throws(Failure) -> Number {
        guard let number = Number(text), text.utf8.first != UInt8(ascii: "+") else {
            throw Failure(.usage, "\"\(text)\" is not a number from \(Number.min) to \(Number.max)")
        }
        return number
    }
}

/// Numbers of bytes on the command line: `1048576`, `512m`, `1.5g`, `100 KiB`, -1 for "no limit".
enum ByteCount {
    private static let units = "kmgtp"

    /// Units are powers of 1024, in either case, with or without `b` or `ib` behind them, as runc takes them.
    static func parse(_ text: String) throws(Failure) -> Int64 {
        if text.utf8.elementsEqual("-1".utf8) { return -1 }
        guard let count = count(Array(text.utf8)) else {
            throw Failure(.usage, "invalid size: \"\(text)\"; right would be 1048576, 512m or 1.5g")
        }
        return count
    }

    private static func count(_ bytes: [UInt8]) -> Int64? {
        let digits = bytes.prefix { $0 &- UInt8(ascii: "0") < 10 }
        var rest = bytes.dropFirst(digits.count)
        guard !digits.isEmpty, digits.count < 20, let whole = Int64(String(decoding: digits, as: UTF8.self))
        else {
            return nil
        }
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix { $0 &- UInt8(ascii: "0") < 10 }
            // Beyond nine digits nothing makes a byte.
            if fraction.isEmpty { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        guard let unit = multiplier(rest.map { $0 | 0x20 }) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        let (sum, tooMuch) = product.addingReportingOverflow(part(fraction.prefix(9), of: unit))
        return overflow || tooMuch ? nil : sum
    }

    /// How much of `unit` the decimals are, rounded down.
    private static func part(_ decimals: ArraySlice<UInt8>, of unit: Int64) -> Int64 {
        var numerator: UInt64 = 0
        var denominator: UInt64 = 1
        for digit in decimals {
            numerator = numerator * 10 + UInt64(digit - UInt8(ascii: "0"))
            denominator *= 10
        }
        let (high, low) = numerator.multipliedFullWidth(by: UInt64(unit))
        return Int64(denominator.dividingFullWidth((high, low)).quotient)
    }

    /// What a unit in small letters stands for.
    private static func multiplier(_ unit: [UInt8]) -> Int64? {
        if unit.isEmpty || unit.elementsEqual("b".utf8) { return 1 }
        var power: Int64 = 1
        for letter in units.utf8 {
            power *= 1024
            guard unit[0] == letter else { continue }
            let rest = unit.dropFirst()
            return rest.isEmpty || rest.elementsEqual("b".utf8) || rest.elementsEqual("ib".utf8) ? power : nil
        }
        return nil
    }
}
