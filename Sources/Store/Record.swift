internal import Diagnostics
internal import JSON

/// What is kept of a container from before anything of it is made: who it is, and what is about to be made
/// outside its own namespaces. `delete` works from this alone, with the bundle changed or gone.
public struct Record: Sendable, Equatable {
    /// A cgroup directory, absolute, and the controllers of its hierarchy as /proc/self/cgroup names them.
    public struct Cgroup: Sendable, Equatable {
        public var controllers: String
        public var path: String

        public init(controllers: String, path: String) {
            self.controllers = controllers
            self.path = path
        }
    }

    /// A unit of systemd's.
    public struct Unit: Sendable, Equatable {
        public var name: String
        /// Whether it is one of the user's own instance.
        public var isUser: Bool

        public init(name: String, isUser: Bool) {
            self.name = name
            self.isUser = isUser
        }
    }

    /// Version of the format on disk. A reader refuses another one.
    static let version = 2

    public var id: String
    public var bundle: String
    public var rootfs: String
    /// Nanoseconds since the epoch.
    public var created: Int64
    /// Who called `create`.
    public var ownerUID: UInt32
    public var annotations: [(key: String, value: String)]
    /// Whether the container has a pid namespace of its own, whose end is the end of all its processes.
    public var hasPidNamespace: Bool
    /// Whether it has a session keyring of its own, which an exec joins.
    public var hasKeyring: Bool
    public var cgroups: [Cgroup]
    /// Whether the configuration names hooks: who goes on with the container must read it.
    public var hasHooks: Bool
    /// Who made the cgroups.
    public var cgroupManager: CgroupManager
    /// systemd's unit that they are.
    public var unit: Unit?
    /// The directory of a supervised container (`SupervisedContainer`); nil for any other.
    public var supervised: String?

    public init(
        id: String, bundle: String, rootfs: String, created: Int64, ownerUID: UInt32,
        annotations: [(key: String, value: String)], hasPidNamespace: Bool, hasKeyring: Bool,
        cgroups: [Cgroup], cgroupManager: CgroupManager = .cgroupfs, unit: Unit? = nil,
        hasHooks: Bool = false, supervised: String? = nil
    ) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.ownerUID = ownerUID
        self.annotations = annotations
        self.hasPidNamespace = hasPidNamespace
        self.hasKeyring = hasKeyring
        self.cgroups = cgroups
        self.cgroupManager = cgroupManager
        self.unit = unit
        self.hasHooks = hasHooks
        self.supervised = supervised
    }

    public static func == (left: Record, right: Record) -> Bool {
        left.encoded() == right.encoded()
    }
}

extension Record {
    func encoded() -> [UInt8] {
        var json = JSONWriter(.compact)
        json.beginObject()
        json.member("version", Record.version)
        json.member("id", id)
        json.member("bundle", bundle)
        json.member("rootfs", rootfs)
        json.member("created", created)
        json.member("owner", ownerUID)
        json.key("annotations")
        json.beginObject()
        for (key, value) in annotations { json.member(key, value) }
        json.endObject()
        json.member("pidNamespace", hasPidNamespace)
        json.member("keyring", hasKeyring)
        if hasHooks { json.member("hooks", true) }
        if let supervised { json.member("supervised", supervised) }
        if cgroupManager != .cgroupfs { json.member("cgroupManager", cgroupManager.rawValue) }
        if let unit {
            json.member("unit", unit.name)
            if unit.isUser { json.member("userUnit", true) }
        }
        json.key("cgroups")
        json.beginArray()
        for cgroup in cgroups {
            json.beginObject()
            json.member("controllers", cgroup.controllers)
            json.member("path", cgroup.path)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Reads what `encoded` wrote. What is on disk is not trusted: everything must be there and have its
    /// type.
    ///
    /// - Parameter name: the file, for errors.
    init(_ bytes: [UInt8], name: String) throws(Failure) {
        do {
            try self.init(reading: bytes, name: name)
        } catch {
            guard let place = error.place, !place.utf8.starts(with: name.utf8) else { throw error }
            throw Failure(error.kind, error.message, at: name + ": " + place, cause: error.cause)
        }
    }

    private init(reading bytes: [UInt8], name: String) throws(Failure) {
        let document = try JSONDocument(bytes, name: name)
        let root = document.root
        try Versions.check(root, is: Record.version, name: name)
        id = try Versions.member(root, "id").string()
        bundle = try Versions.member(root, "bundle").string()
        rootfs = try Versions.member(root, "rootfs").string()
        created = try Versions.member(root, "created").integer()
        ownerUID = try Versions.member(root, "owner").integer()
        hasPidNamespace = try Versions.member(root, "pidNamespace").bool()
        hasKeyring = try Versions.member(root, "keyring").bool()
        hasHooks = try root["hooks"]?.bool() ?? false
        supervised = try root["supervised"]?.string()
        cgroupManager = try CgroupManager.read(root["cgroupManager"])
        unit = nil
        if let name = root["unit"] {
            unit = Unit(name: try name.string(), isUser: try root["userUnit"]?.bool() ?? false)
        }
        annotations = []
        for (name, value) in try Versions.member(root, "annotations").members() {
            annotations.append((key: try name.string(), value: try value.string()))
        }
        cgroups = []
        for element in try Versions.member(root, "cgroups").elements() {
            cgroups.append(
                Cgroup(
                    controllers: try Versions.member(element, "controllers").string(),
                    path: try Versions.member(element, "path").string()))
        }
    }
}
