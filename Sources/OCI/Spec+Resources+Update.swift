internal import JSON

// What `update` does with limits: lay new ones over those in force, and keep the result.
extension Spec.Linux.Resources {
    /// These limits with those that `new` sets in their place. A zero sets nothing where a configuration's would not
    /// either. Devices stay as they are.
    public func updated(with new: Spec.Linux.Resources) -> Spec.Linux.Resources {
        var result = self
        if let memory = new.memory { result.memory = (self.memory ?? Memory()).updated(with: memory) }
        if let cpu = new.cpu { result.cpu = (self.cpu ?? CPU()).updated(with: cpu) }
        if let limit = new.pids?.limit { result.pids = Pids(limit: limit) }
        return result
    }

    /// The limits that can be updated, as a document that `load` reads.
    public func encodedLimits() -> [UInt8] {
        var json = JSONWriter(.compact)
        json.beginObject()
        if let memory { memory.write(to: &json) }
        if let cpu { cpu.write(to: &json) }
        if let limit = pids?.limit {
            json.key("pids")
            json.beginObject()
            json.member("limit", limit)
            json.endObject()
        }
        json.endObject()
        return json.bytes
    }
}

private func set<Value: FixedWidthInteger>(_ new: Value?, _ old: Value?) -> Value? {
    new == 0 ? old : new ?? old
}

extension Spec.Linux.Resources.Memory {
    fileprivate func updated(with new: Self) -> Self {
        var result = self
        result.limit = set(new.limit, limit)
        result.reservation = set(new.reservation, reservation)
        result.swap = set(new.swap, swap)
        // Memory without a limit and swap with one would be a limit.
        if new.limit == -1, new.swap ?? 0 == 0 { result.swap = -1 }
        result.kernel = set(new.kernel, kernel)
        result.kernelTCP = set(new.kernelTCP, kernelTCP)
        result.swappiness = new.swappiness ?? swappiness
        result.disableOOMKiller = new.disableOOMKiller ?? disableOOMKiller
        result.useHierarchy = new.useHierarchy ?? useHierarchy
        result.checkBeforeUpdate = new.checkBeforeUpdate ?? checkBeforeUpdate
        return result
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.key("memory")
        json.beginObject()
        json.optional("limit", limit)
        json.optional("reservation", reservation)
        json.optional("swap", swap)
        json.optional("swappiness", swappiness)
        json.optional("disableOOMKiller", disableOOMKiller)
        json.optional("checkBeforeUpdate", checkBeforeUpdate)
        json.endObject()
    }
}

extension Spec.Linux.Resources.CPU {
    fileprivate func updated(with new: Self) -> Self {
        var result = self
        result.shares = set(new.shares, shares)
        result.quota = set(new.quota, quota)
        result.burst = new.burst ?? burst
        result.period = set(new.period, period)
        result.realtimeRuntime = set(new.realtimeRuntime, realtimeRuntime)
        result.realtimePeriod = set(new.realtimePeriod, realtimePeriod)
        result.cpus = new.cpus ?? cpus
        result.mems = new.mems ?? mems
        result.idle = new.idle ?? idle
        return result
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.key("cpu")
        json.beginObject()
        json.optional("shares", shares)
        json.optional("quota", quota)
        json.optional("burst", burst)
        json.optional("period", period)
        json.optional("realtimeRuntime", realtimeRuntime)
        json.optional("realtimePeriod", realtimePeriod)
        if let cpus { json.member("cpus", cpus) }
        if let mems { json.member("mems", mems) }
        json.optional("idle", idle)
        json.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func optional(_ name: String, _ value: (some FixedWidthInteger)?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func optional(_ name: String, _ value: Bool?) {
        if let value { member(name, value) }
    }
}
