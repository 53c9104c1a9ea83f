internal import Cgroups
internal import JSON

/// The `data` of an event of type `stats`, with runc's names; as there, most zeros are left out.
enum StatisticsJSON {
    static func write(_ statistics: Statistics, to json: inout JSONWriter) {
        json.object("cpu") { write(statistics.cpu, to: &$0) }
        json.object("cpuset") { write(statistics.cpuset, to: &$0) }
        json.object("memory") { write(statistics.memory, to: &$0) }
        json.object("pids") { json in
            json.unlessZero("current", statistics.pids.current)
            json.unlessZero("limit", statistics.pids.limit)
        }
        json.object("blkio") { json in
            for table in statistics.io {
                json.array(table.name.description) { json in
                    for entry in table.entries { write(entry, to: &json) }
                }
            }
            write(statistics.ioPressure, to: &json)
        }
        json.object("hugetlb") { json in
            for pages in statistics.hugePages {
                json.object(pages.size) { json in
                    json.unlessZero("usage", pages.usage)
                    json.unlessZero("max", pages.peak)
                    json.member("failcnt", pages.failures)
                }
            }
        }
        json.object("intel_rdt") { _ in }
        // Networks are the engine's to make and to count.
        json.key("network_interfaces")
        json.null()
    }

    private static func write(_ cpu: Statistics.CPU, to json: inout JSONWriter) {
        json.object("usage") { json in
            json.unlessZero("total", cpu.total)
            json.unlessEmpty("percpu", cpu.perCPU)
            json.unlessEmpty("percpu_kernel", cpu.perCPUKernel)
            json.unlessEmpty("percpu_user", cpu.perCPUUser)
            json.member("kernel", cpu.kernel)
            json.member("user", cpu.user)
        }
        json.object("throttling") { json in
            json.unlessZero("periods", cpu.periods)
            json.unlessZero("throttledPeriods", cpu.throttledPeriods)
            json.unlessZero("throttledTime", cpu.throttledTime)
        }
        write(cpu.pressure, to: &json)
    }

    private static func write(_ cpuset: Statistics.CPUSet, to json: inout JSONWriter) {
        json.unlessEmpty("cpus", cpuset.cpus)
        json.unlessEmpty("mems", cpuset.mems)
        for name in Statistics.CPUSet.names {
            let row = cpuset.values.first { $0.name.description == name.description }
            json.member(name.description, row?.value ?? 0)
        }
    }

    private static func write(_ memory: Statistics.Memory, to json: inout JSONWriter) {
        json.unlessZero("cache", memory.cache)
        for (name, use) in [
            ("usage", memory.usage), ("swap", memory.swap), ("kernel", memory.kernel),
            ("kernelTCP", memory.kernelTCP),
        ] {
            json.object(name) { json in
                json.member("limit", use.limit)
                json.unlessZero("usage", use.usage)
                json.unlessZero("max", use.peak)
                json.member("failcnt", use.failures)
            }
        }
        if !memory.raw.isEmpty {
            json.object("raw") { json in
                for row in memory.raw { json.member(row.name, row.value) }
            }
        }
        write(memory.pressure, to: &json)
    }

    private static func write(_ entry: Statistics.IOEntry, to json: inout JSONWriter) {
        json.beginObject()
        json.unlessZero("major", entry.major)
        json.unlessZero("minor", entry.minor)
        if !entry.operation.isEmpty { json.member("op", entry.operation) }
        json.unlessZero("value", entry.value)
        json.endObject()
    }

    private static func write(_ pressure: [Statistics.Pressure], to json: inout JSONWriter) {
        if pressure.isEmpty { return }
        json.object("psi") { json in
            for line in pressure {
                json.object(line.kind) { json in
                    for row in line.values { json.member(row.name, decimal: row.value) }
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func unlessZero(_ name: String, _ value: UInt64) {
        if value != 0 { member(name, value) }
    }

    fileprivate mutating func unlessEmpty(_ name: String, _ values: [UInt64]) {
        if values.isEmpty { return }
        array(name) { json in
            for value in values { json.value(value) }
        }
    }
}
