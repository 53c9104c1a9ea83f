public import Diagnostics
internal import JSON

extension Spec.Process {
    /// Reads the document that `exec --process` is given: the `process` of a `config.json` on its own.
    ///
    /// - Throws: as `Spec.load`; paths begin at the document's root (`cwd`, not `process.cwd`).
    public static func load(json: [UInt8], name: String = "process.json") throws(Failure) -> Spec.Process {
        try Spec.Process(JSONDocument(json, name: name).root.asObject())
    }

    init(_ object: JSONValue) throws(Failure) {
        terminal = try object.flag("terminal")
        consoleSize = try object.object("consoleSize", ConsoleSize.init)
        cwd = try object.requiredText("cwd")
        env = try object.texts("env")
        args = try object.texts("args")
        user = try object.object("user", User.init) ?? User()
        rlimits = try object.objects("rlimits", Rlimit.init)
        capabilities = try object.object("capabilities", Capabilities.init)
        noNewPrivileges = try object.flag("noNewPrivileges")
        oomScoreAdj = try object.integer("oomScoreAdj")
        scheduler = try object.object("scheduler", Scheduler.init)
        ioPriority = try object.object("ioPriority", IOPriority.init)
        execCPUAffinity = try object.object("execCPUAffinity", ExecCPUAffinity.init)
        apparmorProfile = try object.nonEmptyText("apparmorProfile")
        selinuxLabel = try object.nonEmptyText("selinuxLabel")
    }
}

extension Spec.Process.ConsoleSize {
    init(_ object: JSONValue) throws(Failure) {
        height = try object.requiredInteger("height")
        width = try object.requiredInteger("width")
    }
}

extension Spec.Process.User {
    init(_ object: JSONValue) throws(Failure) {
        uid = try object.integer("uid") ?? 0
        gid = try object.integer("gid") ?? 0
        umask = try object.integer("umask")
        additionalGids = try object.list("additionalGids") { (value) throws(Failure) in try value.integer() }
    }
}

extension Spec.Process.Rlimit {
    init(_ object: JSONValue) throws(Failure) {
        type = try object.requiredText("type")
        soft = try object.requiredInteger("soft")
        hard = try object.requiredInteger("hard")
    }
}

extension Spec.Process.Capabilities {
    init(_ object: JSONValue) throws(Failure) {
        bounding = try object.texts("bounding")
        effective = try object.texts("effective")
        inheritable = try object.texts("inheritable")
        permitted = try object.texts("permitted")
        ambient = try object.texts("ambient")
    }
}

extension Spec.Process.Scheduler {
    init(_ object: JSONValue) throws(Failure) {
        policy = try object.choice("policy")
        nice = try object.integer("nice") ?? 0
        priority = try object.integer("priority") ?? 0
        flags = try object.choices("flags")
        runtime = try object.integer("runtime") ?? 0
        deadline = try object.integer("deadline") ?? 0
        period = try object.integer("period") ?? 0
    }
}

extension Spec.Process.IOPriority {
    init(_ object: JSONValue) throws(Failure) {
        `class` = try object.choice("class")
        priority = try object.integer("priority") ?? 0
    }
}

extension Spec.Process.ExecCPUAffinity {
    init(_ object: JSONValue) throws(Failure) {
        initial = try object.nonEmptyText("initial")
        final = try object.nonEmptyText("final")
    }
}
