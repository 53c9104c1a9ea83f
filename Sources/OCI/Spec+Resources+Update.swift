internal import JSON

// What `update` does with limits: lay new ones over those in force, and keep the result.
extension Spec.Linux.Resources {
    /// These limits with those that `new` sets in their place. A zero sets nothing where a configuration's would not
    /// either. Rules about devices, which have an order, replace those before.
    public func updated(with new: Spec.Linux.Resources) -> Spec.Linux.Resources {
        var result = self
        if !new.devices.isEmpty { result.devices = new.devices }
        if let memory = new.memory { result.memory = (self.memory ?? Memory()).updated(with: memory) }
        if let cpu = new.cpu { result.cpu = (self.cpu ?? CPU()).updated(with: cpu) }
        if let limit = new.pids?.limit { result.pids = Pids(limit: limit) }
        if let blockIO = new.blockIO { result.blockIO = (self.blockIO ?? BlockIO()).updated(with: blockIO) }
        replace(&result.hugepageLimits, with: new.hugepageLimits) {
            $0.pageSize.utf8.elementsEqual($1.pageSize.utf8)
        }
        if let network = new.network { result.network = (self.network ?? Network()).updated(with: network) }
        for device in new.rdma {
            if let index = result.rdma.firstIndex(where: { $0.device.utf8.elementsEqual(device.device.utf8) })
            {
                result.rdma[index].hcaHandles = device.hcaHandles ?? result.rdma[index].hcaHandles
                result.rdma[index].hcaObjects = device.hcaObjects ?? result.rdma[index].hcaObjects
            } else {
                result.rdma.append(device)
            }
        }
        replace(&result.unified, with: new.unified) { $0.key.utf8.elementsEqual($1.key.utf8) }
        return result
    }

    /// The limits that can be updated, as a document that `load` reads.
    public func encodedLimits() -> [UInt8] {
        var json = JSONWriter(.compact)
        json.beginObject()
        json.objects("devices", devices) { rule, json in
            json.member("allow", rule.allow)
            json.member("type", rule.type.rawValue)
            json.optional("major", rule.major)
            json.optional("minor", rule.minor)
            if let access = rule.access { json.member("access", access) }
        }
        if let memory { memory.write(to: &json) }
        if let cpu { cpu.write(to: &json) }
        if let limit = pids?.limit {
            json.key("pids")
            json.beginObject()
            json.member("limit", limit)
            json.endObject()
        }
        if let blockIO { blockIO.write(to: &json) }
        json.objects("hugepageLimits", hugepageLimits) { limit, json in
            json.member("pageSize", limit.pageSize)
            json.member("limit", limit.limit)
        }
        if let network { network.write(to: &json) }
        writeNamed(to: &json)
        json.endObject()
        return json.bytes
    }

    private func writeNamed(to json: inout JSONWriter) {
        if !rdma.isEmpty {
            json.key("rdma")
            json.beginObject()
            for device in rdma {
                json.key(device.device)
                json.beginObject()
                json.optional("hcaHandles", device.hcaHandles)
                json.optional("hcaObjects", device.hcaObjects)
                json.endObject()
            }
            json.endObject()
        }
        if !unified.isEmpty {
            json.key("unified")
            json.beginObject()
            for entry in unified { json.member(entry.key, entry.value) }
            json.endObject()
        }
    }
}

/// Puts each new element in the place of the one that is about the same, or at the end.
private func replace<Element>(
    _ old: inout [Element], with new: [Element], isSame: (Element, Element) -> Bool
) {
    for element in new {
        if let index = old.firstIndex(where: { isSame($0, element) }) {
            old[index] = element
        } else {
            old.append(element)
        }
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

extension Spec.Linux.Resources.BlockIO {
    fileprivate func updated(with new: Self) -> Self {
        var result = self
        result.weight = set(new.weight, weight)
        result.leafWeight = set(new.leafWeight, leafWeight)
        replace(&result.weightDevice, with: new.weightDevice) { $0.major == $1.major && $0.minor == $1.minor }
        let isSame = { (a: Spec.Linux.Resources.ThrottleDevice, b: Spec.Linux.Resources.ThrottleDevice) in
            a.major == b.major && a.minor == b.minor
        }
        replace(&result.throttleReadBpsDevice, with: new.throttleReadBpsDevice, isSame: isSame)
        replace(&result.throttleWriteBpsDevice, with: new.throttleWriteBpsDevice, isSame: isSame)
        replace(&result.throttleReadIOPSDevice, with: new.throttleReadIOPSDevice, isSame: isSame)
        replace(&result.throttleWriteIOPSDevice, with: new.throttleWriteIOPSDevice, isSame: isSame)
        return result
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.key("blockIO")
        json.beginObject()
        json.optional("weight", weight)
        json.optional("leafWeight", leafWeight)
        json.objects("weightDevice", weightDevice) { device, json in
            json.member("major", device.major)
            json.member("minor", device.minor)
            json.optional("weight", device.weight)
            json.optional("leafWeight", device.leafWeight)
        }
        for (name, devices) in [
            ("throttleReadBpsDevice", throttleReadBpsDevice),
            ("throttleWriteBpsDevice", throttleWriteBpsDevice),
            ("throttleReadIOPSDevice", throttleReadIOPSDevice),
            ("throttleWriteIOPSDevice", throttleWriteIOPSDevice),
        ] {
            json.objects(name, devices) { device, json in
                json.member("major", device.major)
                json.member("minor", device.minor)
                json.member("rate", device.rate)
            }
        }
        json.endObject()
    }
}

extension Spec.Linux.Resources.Network {
    fileprivate func updated(with new: Self) -> Self {
        var result = self
        result.classID = set(new.classID, classID)
        replace(&result.priorities, with: new.priorities) { $0.name.utf8.elementsEqual($1.name.utf8) }
        return result
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.key("network")
        json.beginObject()
        json.optional("classID", classID)
        json.objects("priorities", priorities) { interface, json in
            json.member("name", interface.name)
            json.member("priority", interface.priority)
        }
        json.endObject()
    }
}

extension JSONWriter {
    /// An array of objects; nothing when it is empty.
    fileprivate mutating func objects<Element>(
        _ name: String, _ elements: [Element], _ write: (Element, inout JSONWriter) -> Void
    ) {
        if elements.isEmpty { return }
        key(name)
        beginArray()
        for element in elements {
            beginObject()
            write(element, &self)
            endObject()
        }
        endArray()
    }

    fileprivate mutating func optional(_ name: String, _ value: (some FixedWidthInteger)?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func optional(_ name: String, _ value: Bool?) {
        if let value { member(name, value) }
    }
}
