// Files of version 2 (Documentation/admin-guide/cgroup-v2.rst), told in the terms of version 1 as runc does.
extension Statistics {
    mutating func readVersion2(_ directory: String) {
        let path = directory + "/"
        let times = Self.table(path + "cpu.stat")
        cpu.total = Self.value(of: "usage_usec", in: times) * 1000
        cpu.user = Self.value(of: "user_usec", in: times) * 1000
        cpu.kernel = Self.value(of: "system_usec", in: times) * 1000
        cpu.periods = Self.value(of: "nr_periods", in: times)
        cpu.throttledPeriods = Self.value(of: "nr_throttled", in: times)
        cpu.throttledTime = Self.value(of: "throttled_usec", in: times) * 1000
        cpu.pressure = Self.pressure(path + "cpu.pressure")
        cpuset.cpus = Self.list(path + "cpuset.cpus.effective")
        cpuset.mems = Self.list(path + "cpuset.mems.effective")
        cpuset.values = CPUSet.names.map { ($0, 0) }
        readUnifiedMemory(path)
        pids.current = Self.number(path + "pids.current")
        let limit = Self.number(path + "pids.max")
        pids.limit = limit == .max ? 0 : limit
        readUnifiedIO(path)
        for size in Self.pageSizes(path, "current") {
            let prefix = path + "hugetlb." + size + "."
            hugePages.append(
                HugePages(
                    size: size, usage: Self.number(prefix + "current"), peak: 0,
                    failures: Self.value(of: "max", in: Self.table(prefix + "events"))))
        }
    }

    private mutating func readUnifiedMemory(_ path: String) {
        memory.raw = Self.table(path + "memory.stat").sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        memory.cache = Self.value(of: "file", in: memory.raw)
        memory.usage = MemoryUse(
            limit: Self.number(path + "memory.max"), usage: Self.number(path + "memory.current"),
            peak: Self.number(path + "memory.peak"),
            failures: Self.value(of: "max", in: Self.table(path + "memory.events")))
        memory.pressure = Self.pressure(path + "memory.pressure")
        let swapped = Self.number(path + "memory.swap.current")
        let limit = Self.number(path + "memory.swap.max")
        let hasLimit = limit != .max && memory.usage.limit != .max
        memory.swap = MemoryUse(
            limit: hasLimit ? limit + memory.usage.limit : .max, usage: swapped + memory.usage.usage,
            peak: 0, failures: Self.value(of: "fail", in: Self.table(path + "memory.swap.events")))
    }

    /// `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`.
    private mutating func readUnifiedIO(_ path: String) {
        var bytes: [IOEntry] = []
        var operations: [IOEntry] = []
        for words in Self.lines(path + "io.stat") {
            guard let first = words.first, let (major, minor) = Self.device(first) else { continue }
            for word in words.dropFirst() {
                let parts = word.split(separator: UInt8(ascii: "="))
                guard parts.count == 2 else { continue }
                let isRead = parts[0].first == UInt8(ascii: "r")
                guard isRead || parts[0].first == UInt8(ascii: "w") else { continue }
                let entry = IOEntry(
                    major: major, minor: minor, operation: isRead ? "Read" : "Write",
                    value: Self.number(parts[1]))
                if parts[0].dropFirst().elementsEqual("bytes".utf8) { bytes.append(entry) }
                if parts[0].dropFirst().elementsEqual("ios".utf8) { operations.append(entry) }
            }
        }
        if !bytes.isEmpty { io.append(("ioServiceBytesRecursive", bytes)) }
        if !operations.isEmpty { io.append(("ioServicedRecursive", operations)) }
        ioPressure = Self.pressure(path + "io.pressure")
    }
}
