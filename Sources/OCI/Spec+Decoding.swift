public import Diagnostics
internal import JSON

extension Spec {
    /// Reads a `config.json`. What the values must obey beyond their types is the validator's.
    ///
    /// - Parameters:
    ///   - json: the file as it is.
    ///   - name: what errors call the file as a whole.
    /// - Throws: `invalid`, with line and column where the text is not JSON, else with the property's path.
    public static func load(json: [UInt8], name: String = "config.json") throws(Failure) -> Spec {
        try Spec(JSONDocument(json, name: name).root.asObject())
    }

    init(_ object: JSONValue) throws(Failure) {
        ociVersion = try object.text("ociVersion") ?? ""
        root = try object.object("root", Root.init)
        process = try object.object("process", Process.init)
        hostname = try object.nonEmptyText("hostname")
        domainname = try object.nonEmptyText("domainname")
        mounts = try object.objects("mounts", Mount.init)
        hooks = try object.object("hooks", Hooks.init) ?? Hooks()
        annotations = try object.entries("annotations")
        linux = try object.object("linux", Linux.init)
    }
}

extension Spec.Root {
    init(_ object: JSONValue) throws(Failure) {
        path = try object.requiredText("path")
        readonly = try object.flag("readonly")
    }
}

extension Spec.IDMapping {
    init(_ object: JSONValue) throws(Failure) {
        containerID = try object.requiredInteger("containerID")
        hostID = try object.requiredInteger("hostID")
        size = try object.requiredInteger("size")
    }
}

extension Spec.Mount {
    init(_ object: JSONValue) throws(Failure) {
        destination = try object.requiredText("destination")
        type = try object.nonEmptyText("type")
        source = try object.nonEmptyText("source")
        options = try object.texts("options")
        uidMappings = try object.objects("uidMappings", Spec.IDMapping.init)
        gidMappings = try object.objects("gidMappings", Spec.IDMapping.init)
    }
}

extension Spec.Hooks {
    init(_ object: JSONValue) throws(Failure) {
        prestart = try object.objects("prestart", Spec.Hook.init)
        createRuntime = try object.objects("createRuntime", Spec.Hook.init)
        createContainer = try object.objects("createContainer", Spec.Hook.init)
        startContainer = try object.objects("startContainer", Spec.Hook.init)
        poststart = try object.objects("poststart", Spec.Hook.init)
        poststop = try object.objects("poststop", Spec.Hook.init)
    }
}

extension Spec.Hook {
    init(_ object: JSONValue) throws(Failure) {
        path = try object.requiredText("path")
        args = try object.texts("args")
        env = try object.texts("env")
        timeout = try object.integer("timeout")
    }
}
