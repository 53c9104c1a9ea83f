internal import Diagnostics
internal import JSON

extension Spec.Linux {
    init(_ object: JSONValue) throws(Failure) {
        uidMappings = try object.objects("uidMappings", Spec.IDMapping.init)
        gidMappings = try object.objects("gidMappings", Spec.IDMapping.init)
        timeOffsets = try object.namedObjects("timeOffsets", TimeOffset.init)
        namespaces = try object.objects("namespaces", Namespace.init)
        devices = try object.objects("devices", Device.init)
        netDevices = try object.namedObjects("netDevices", NetDevice.init)
        cgroupsPath = try object.nonEmptyText("cgroupsPath")
        resources = try object.object("resources", Resources.init)
        intelRdt = try object.object("intelRdt", IntelRdt.init)
        memoryPolicy = try object.object("memoryPolicy", MemoryPolicy.init)
        sysctl = try object.entries("sysctl")
        seccomp = try object.object("seccomp", Seccomp.init)
        rootfsPropagation = try object.nonEmptyText("rootfsPropagation")
        maskedPaths = try object.texts("maskedPaths")
        readonlyPaths = try object.texts("readonlyPaths")
        mountLabel = try object.nonEmptyText("mountLabel")
        personality = try object.object("personality", Personality.init)
    }
}

extension Spec.Linux.Namespace {
    init(_ object: JSONValue) throws(Failure) {
        type = try object.choice("type")
        path = try object.nonEmptyText("path")
    }
}

extension Spec.Linux.Device {
    init(_ object: JSONValue) throws(Failure) {
        type = try object.choice("type")
        path = try object.requiredText("path")
        // A fifo has no number.
        let isNumbered = type != .fifo
        major = isNumbered ? try object.requiredInteger("major") : try object.integer("major") ?? 0
        minor = isNumbered ? try object.requiredInteger("minor") : try object.integer("minor") ?? 0
        fileMode = try object.integer("fileMode")
        uid = try object.integer("uid")
        gid = try object.integer("gid")
    }
}

extension Spec.Linux.TimeOffset {
    init(_ name: JSONValue, _ object: JSONValue) throws(Failure) {
        clock = try name.choice()
        secs = try object.integer("secs") ?? 0
        nanosecs = try object.integer("nanosecs") ?? 0
    }
}

extension Spec.Linux.NetDevice {
    init(_ name: JSONValue, _ object: JSONValue) throws(Failure) {
        hostName = try name.text()
        self.name = try object.nonEmptyText("name")
    }
}

extension Spec.Linux.IntelRdt {
    init(_ object: JSONValue) throws(Failure) {
        closID = try object.nonEmptyText("closID")
        schemata = try object.texts("schemata")
        l3CacheSchema = try object.nonEmptyText("l3CacheSchema")
        memBwSchema = try object.nonEmptyText("memBwSchema")
        enableMonitoring = try object.flag("enableMonitoring")
        enableCMT = try object.flag("enableCMT")
        enableMBM = try object.flag("enableMBM")
    }
}

extension Spec.Linux.MemoryPolicy {
    init(_ object: JSONValue) throws(Failure) {
        mode = try object.choice("mode")
        nodes = try object.nonEmptyText("nodes")
        flags = try object.choices("flags")
    }
}

extension Spec.Linux.Personality {
    init(_ object: JSONValue) throws(Failure) {
        domain = try object.choice("domain")
        flags = try object.texts("flags")
    }
}

extension Spec.Linux.Seccomp {
    init(_ object: JSONValue) throws(Failure) {
        defaultAction = try object.choice("defaultAction")
        defaultErrnoRet = try object.integer("defaultErrnoRet")
        architectures = try object.choices("architectures")
        flags = try object.choices("flags")
        listenerPath = try object.nonEmptyText("listenerPath")
        listenerMetadata = try object.nonEmptyText("listenerMetadata")
        syscalls = try object.objects("syscalls", Rule.init)
    }
}

extension Spec.Linux.Seccomp.Rule {
    init(_ object: JSONValue) throws(Failure) {
        names = try object.texts("names")
        action = try object.choice("action")
        errnoRet = try object.integer("errnoRet")
        args = try object.objects("args", Spec.Linux.Seccomp.Argument.init)
    }
}

extension Spec.Linux.Seccomp.Argument {
    init(_ object: JSONValue) throws(Failure) {
        index = try object.requiredInteger("index")
        value = try object.requiredInteger("value")
        valueTwo = try object.integer("valueTwo") ?? 0
        op = try object.choice("op")
    }
}
