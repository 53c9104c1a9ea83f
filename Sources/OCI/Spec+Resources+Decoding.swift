public import Diagnostics
internal import JSON

extension Spec.Linux.Resources {
    /// Reads the document that `update --resources` is given: the `linux.resources` of a `config.json` on its
    /// own.
    ///
    /// - Throws: as `Spec.load`; paths begin at the document's root (`memory.limit`).
    public static func load(
        json: [UInt8], name: String = "resources.json"
    ) throws(Failure) -> Spec.Linux.Resources {
        try Spec.Linux.Resources(JSONDocument(json, name: name).root.asObject())
    }

    init(_ object: JSONValue) throws(Failure) {
        devices = try object.objects("devices", DeviceRule.init)
        memory = try object.object("memory", Memory.init)
        cpu = try object.object("cpu", CPU.init)
        pids = try object.object("pids", Pids.init)
        blockIO = try object.object("blockIO", BlockIO.init)
        hugepageLimits = try object.objects("hugepageLimits", HugepageLimit.init)
        network = try object.object("network", Network.init)
        rdma = try object.namedObjects("rdma", Rdma.init)
        unified = try object.entries("unified")
    }
}

extension Spec.Linux.Resources.DeviceRule {
    init(_ object: JSONValue) throws(Failure) {
        guard let allow = try object.optionalFlag("allow") else { throw object.missing("allow") }
        self.allow = allow
        type = try object.nonEmptyText("type") == nil ? .all : object.choice("type")
        major = try object.integer("major")
        minor = try object.integer("minor")
        access = try object.nonEmptyText("access")
    }
}

extension Spec.Linux.Resources.Memory {
    init(_ object: JSONValue) throws(Failure) {
        limit = try object.integer("limit")
        reservation = try object.integer("reservation")
        swap = try object.integer("swap")
        kernel = try object.integer("kernel")
        kernelTCP = try object.integer("kernelTCP")
        swappiness = try object.integer("swappiness")
        disableOOMKiller = try object.optionalFlag("disableOOMKiller")
        useHierarchy = try object.optionalFlag("useHierarchy")
        checkBeforeUpdate = try object.optionalFlag("checkBeforeUpdate")
    }
}

extension Spec.Linux.Resources.CPU {
    init(_ object: JSONValue) throws(Failure) {
        shares = try object.integer("shares")
        quota = try object.integer("quota")
        burst = try object.integer("burst")
        period = try object.integer("period")
        realtimeRuntime = try object.integer("realtimeRuntime")
        realtimePeriod = try object.integer("realtimePeriod")
        cpus = try object.nonEmptyText("cpus")
        mems = try object.nonEmptyText("mems")
        idle = try object.integer("idle")
    }
}

extension Spec.Linux.Resources.Pids {
    init(_ object: JSONValue) throws(Failure) {
        limit = try object.integer("limit")
    }
}

extension Spec.Linux.Resources.BlockIO {
    init(_ object: JSONValue) throws(Failure) {
        typealias Throttle = Spec.Linux.Resources.ThrottleDevice
        weight = try object.integer("weight")
        leafWeight = try object.integer("leafWeight")
        weightDevice = try object.objects("weightDevice", Spec.Linux.Resources.WeightDevice.init)
        throttleReadBpsDevice = try object.objects("throttleReadBpsDevice", Throttle.init)
        throttleWriteBpsDevice = try object.objects("throttleWriteBpsDevice", Throttle.init)
        throttleReadIOPSDevice = try object.objects("throttleReadIOPSDevice", Throttle.init)
        throttleWriteIOPSDevice = try object.objects("throttleWriteIOPSDevice", Throttle.init)
    }
}

extension Spec.Linux.Resources.WeightDevice {
    init(_ object: JSONValue) throws(Failure) {
        major = try object.requiredInteger("major")
        minor = try object.requiredInteger("minor")
        weight = try object.integer("weight")
        leafWeight = try object.integer("leafWeight")
    }
}

extension Spec.Linux.Resources.ThrottleDevice {
    init(_ object: JSONValue) throws(Failure) {
        major = try object.requiredInteger("major")
        minor = try object.requiredInteger("minor")
        rate = try object.requiredInteger("rate")
    }
}

extension Spec.Linux.Resources.HugepageLimit {
    init(_ object: JSONValue) throws(Failure) {
        pageSize = try object.requiredText("pageSize")
        limit = try object.requiredInteger("limit")
    }
}

extension Spec.Linux.Resources.Network {
    init(_ object: JSONValue) throws(Failure) {
        classID = try object.integer("classID")
        priorities = try object.objects("priorities", Spec.Linux.Resources.InterfacePriority.init)
    }
}

extension Spec.Linux.Resources.InterfacePriority {
    init(_ object: JSONValue) throws(Failure) {
        name = try object.requiredText("name")
        priority = try object.requiredInteger("priority")
    }
}

extension Spec.Linux.Resources.Rdma {
    init(_ name: JSONValue, _ object: JSONValue) throws(Failure) {
        device = try name.text()
        hcaHandles = try object.integer("hcaHandles")
        hcaObjects = try object.integer("hcaObjects")
    }
}
