/// A container's configuration: `config.json` of the OCI runtime specification 1.3.0, for Linux.
///
/// Types only; what the values must obey is the validator's. Everywhere below, an absent property, `null`
/// and, where the specification gives the empty string no meaning of its own, `""` are the same: `nil` or an
/// empty array. Engines write all three. Properties of other platforms (`windows`, `process.commandLine`, …)
/// are ignored.
public struct Spec: Equatable, Sendable {
    /// Version of the specification the document was written for, SemVer; empty when absent.
    public var ociVersion = ""
    public var root: Root?
    /// Absent only in documents that the validator refuses.
    public var process: Process?
    /// `nil`: the name stays what the uts namespace has.
    public var hostname: String?
    /// NIS domain name.
    public var domainname: String?
    /// In the order in which they are mounted.
    public var mounts: [Mount] = []
    public var hooks = Hooks()
    /// In the order of the document.
    public var annotations: [Entry] = []
    public var linux: Linux?

    public init() {}

    /// The version of the specification that these types follow.
    public static let implementedVersion = "1.3.0"
}

extension Spec {
    /// One property of an object whose property names are data: annotations, sysctls, unified files.
    public struct Entry: Equatable, Sendable {
        public var key: String
        public var value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// The container's root file system (config.md, "Root").
    public struct Root: Equatable, Sendable {
        /// Absolute, or relative to the bundle.
        public var path: String
        public var readonly: Bool

        public init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }

    /// A range of ids, one line of `/proc/PID/uid_map` (user_namespaces(7)).
    public struct IDMapping: Equatable, Sendable {
        public var containerID: UInt32
        public var hostID: UInt32
        /// Number of ids.
        public var size: UInt32

        public init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    /// A mount inside the container (config.md, "Mounts").
    public struct Mount: Equatable, Sendable {
        /// Path inside the container.
        public var destination: String
        /// File system type; `nil` or `none` for a bind mount, which `options` say.
        public var type: String?
        /// A device, a file (relative to the bundle in bind mounts) or a name without meaning.
        public var source: String?
        /// As in fstab(5), and those of config-linux.md.
        public var options: [String]
        public var uidMappings: [IDMapping]
        public var gidMappings: [IDMapping]

        public init(
            destination: String, type: String? = nil, source: String? = nil, options: [String] = [],
            uidMappings: [IDMapping] = [], gidMappings: [IDMapping] = []
        ) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
            self.uidMappings = uidMappings
            self.gidMappings = gidMappings
        }
    }

    /// Programs to run at points of the lifecycle, each list in its order (config.md, "POSIX-platform
    /// Hooks").
    public struct Hooks: Equatable, Sendable {
        public var prestart: [Hook] = []
        public var createRuntime: [Hook] = []
        public var createContainer: [Hook] = []
        public var startContainer: [Hook] = []
        public var poststart: [Hook] = []
        public var poststop: [Hook] = []

        public init() {}

        public var isEmpty: Bool {
            prestart.isEmpty && createRuntime.isEmpty && createContainer.isEmpty && startContainer.isEmpty
                && poststart.isEmpty && poststop.isEmpty
        }

        /// Whether there are hooks between the mounts and the entering of the root.
        public var areInCreation: Bool {
            !(prestart.isEmpty && createRuntime.isEmpty && createContainer.isEmpty)
        }
    }

    /// One hook.
    public struct Hook: Equatable, Sendable {
        /// Absolute path of the program.
        public var path: String
        /// As for execv(3): the first is the program's name.
        public var args: [String]
        /// `NAME=value`.
        public var env: [String]
        /// Seconds; `nil` when the hook may take for ever.
        public var timeout: Int64?

        public init(path: String, args: [String] = [], env: [String] = [], timeout: Int64? = nil) {
            self.path = path
            self.args = args
            self.env = env
            self.timeout = timeout
        }
    }
}
