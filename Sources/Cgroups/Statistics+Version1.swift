// Files of version 1 (Documentation/admin-guide/cgroup-v1).
extension Statistics {
    mutating func readVersion1(_ directory: Cgroup.Directory) {
        let path = directory.path + "/"
        if directory.has("cpuacct") { readTimes(path) }
        if directory.has("cpu") { readThrottling(path) }
        if directory.has("cpuset") { readSets(path) }
        if directory.has("memory") { readMemory(path) }
        if directory.has("pids") {
            pids.current = Self.number(path + "pids.current")
            let limit = Self.number(path + "pids.max")
            pids.limit = limit == .max ? 0 : limit
        }
        if directory.has("blkio") { readBlockIO(path) }
        if directory.has("hugetlb") { readHugePages(path) }
    }

    private mutating func readTimes(_ path: String) {
        cpu.total = Self.number(path + "cpuacct.usage")
        cpu.perCPU = Self.lines(path + "cpuacct.usage_percpu").first?.map { Self.number($0) } ?? []
        // `cpu user system`, then a line for each.
        for line in Self.lines(path + "cpuacct.usage_all").dropFirst() where line.count == 3 {
            cpu.perCPUUser.append(Self.number(line[1]))
            cpu.perCPUKernel.append(Self.number(line[2]))
        }
        // Clock ticks, of which the kernel tells 100 a second (USER_HZ).
        let times = Self.table(path + "cpuacct.stat")
        cpu.user = Self.value(of: "user", in: times) * 10_000_000
        cpu.kernel = Self.value(of: "system", in: times) * 10_000_000
    }

    private mutating func readThrottling(_ path: String) {
        let table = Self.table(path + "cpu.stat")
        cpu.periods = Self.value(of: "nr_periods", in: table)
        cpu.throttledPeriods = Self.value(of: "nr_throttled", in: table)
        cpu.throttledTime = Self.value(of: "throttled_time", in: table)
    }

    private mutating func readSets(_ path: String) {
        cpuset.cpus = Self.list(path + "cpuset.cpus")
        cpuset.mems = Self.list(path + "cpuset.mems")
        cpuset.values = CPUSet.names.map { name in
            let words = Self.lines(path + "cpuset." + name.description).first ?? []
            return (name, words.first.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0)
        }
    }

    private mutating func readMemory(_ path: String) {
        memory.raw = Self.table(path + "memory.stat").sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        memory.cache = Self.value(of: "cache", in: memory.raw)
        memory.usage = Self.use(path + "memory.")
        memory.swap = Self.use(path + "memory.memsw.")
        memory.kernel = Self.use(path + "memory.kmem.")
        memory.kernelTCP = Self.use(path + "memory.kmem.tcp.")
    }

    private static func use(_ prefix: String) -> MemoryUse {
        MemoryUse(
            limit: number(prefix + "limit_in_bytes"), usage: number(prefix + "usage_in_bytes"),
            peak: number(prefix + "max_usage_in_bytes"), failures: number(prefix + "failcnt"))
    }

    /// Files by preference: those of the bfq scheduler, of kernels before 5.0, and those that count for all.
    private static let ioTables: [(name: StaticString, files: [String])] = [
        (
            "ioServiceBytesRecursive",
            [
                "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
                "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
            ]
        ),
        (
            "ioServicedRecursive",
            [
                "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
                "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced",
            ]
        ),
        ("ioQueueRecursive", ["blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"]),
        (
            "ioServiceTimeRecursive",
            ["blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive"]
        ),
        ("ioWaitTimeRecursive", ["blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive"]),
        ("ioMergedRecursive", ["blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"]),
        ("ioTimeRecursive", ["blkio.bfq.time_recursive", "blkio.time_recursive"]),
        ("sectorsRecursive", ["blkio.bfq.sectors_recursive", "blkio.sectors_recursive"]),
    ]

    private mutating func readBlockIO(_ path: String) {
        for table in Self.ioTables {
            for file in table.files {
                let entries = Self.lines(path + file).compactMap { Self.entry($0) }
                if entries.isEmpty { continue }
                io.append((table.name, entries))
                break
            }
        }
    }

    /// `8:0 Read 4096`, `8:0 4096`; not the sum of all, `Total 4096`.
    private static func entry(_ words: [ArraySlice<UInt8>]) -> IOEntry? {
        guard words.count == 2 || words.count == 3, let (major, minor) = device(words[0]) else { return nil }
        return IOEntry(
            major: major, minor: minor,
            operation: words.count == 3 ? String(decoding: words[1], as: UTF8.self) : "",
            value: number(words.last!))
    }

    private mutating func readHugePages(_ path: String) {
        for size in Self.pageSizes(path, "usage_in_bytes") {
            let prefix = path + "hugetlb." + size + "."
            hugePages.append(
                HugePages(
                    size: size, usage: Self.number(prefix + "usage_in_bytes"),
                    peak: Self.number(prefix + "max_usage_in_bytes"),
                    failures: Self.number(prefix + "failcnt")))
        }
    }
}

extension Statistics.CPUSet {
    /// What version 1 has files for, in the order in which runc tells it.
    public static let names: [StaticString] = [
        "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
        "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
    ]
}
