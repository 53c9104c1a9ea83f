internal import CLinux
internal import Diagnostics
internal import OCI
internal import Plan
internal import Seccomp

/// What this build can do (runtime-spec, features.md and features-linux.md). Only `seccompFlags` depends on the
/// host's kernel.
public struct Features: Sendable {
    public let hooks: [String]
    public let mountOptions: [String]
    public let namespaces: [String]
    public let hasRdma: Bool
    public let seccompActions: [String]
    public let seccompOperators: [String]
    public let seccompArchitectures: [String]
    public let seccompFlags: (known: [String], supported: [String])
    public let hasAppArmor: Bool
    public let hasSELinux: Bool
    public let intelRdt: (isEnabled: Bool, hasSchemata: Bool, hasMonitoring: Bool)
    public let memoryPolicy: (modes: [String], flags: [String])
    public let hasIDMappedMounts: Bool
    public let hasNetDevices: Bool

    public static var oldestSpecification: String { Validator.oldestVersionText }
    public static var newestSpecification: String { Validator.newestVersionText }
    public static var capabilities: [String] { Validator.capabilityNames }

    public init() {
        hooks = Features.hookKinds.filter { kind in
            Validator.executes { kind.set(&$0.hooks, [Features.hook]) }
        }
        .map { $0.name.description }
        mountOptions = MountOption.all.filter { $0.isSupported }.map { $0.name.description }
        namespaces = Features.names { (namespace: Spec.Linux.Namespace.Kind) in
            Validator.executes { $0.linux?.namespaces = [Spec.Linux.Namespace(namespace)] }
        }
        hasRdma = Validator.executes {
            $0.linux?.resources = Spec.Linux.Resources()
            $0.linux?.resources?.rdma = [Spec.Linux.Resources.Rdma(device: "mlx5_1", hcaHandles: 3)]
        }
        seccompActions = Features.names { Features.executes(action: $0) }
        seccompOperators = Spec.Linux.Seccomp.Comparison.allCases.map { $0.rawValue }
        seccompArchitectures = Spec.Linux.Seccomp.Architecture.allCases.map { $0.rawValue }
        seccompFlags = (
            known: Spec.Linux.Seccomp.Flag.allCases.map { $0.rawValue },
            supported: Features.names { (flag: Spec.Linux.Seccomp.Flag) in
                clinux_knows_seccomp_flags(flag.mask) == 1
            }
        )
        hasAppArmor = Validator.executes { $0.process?.apparmorProfile = "profile" }
        hasSELinux = Validator.executes {
            $0.process?.selinuxLabel = "label"
            $0.linux?.mountLabel = "label"
        }
        intelRdt = (
            isEnabled: Features.executes { $0.closID = "class" },
            hasSchemata: Features.executes { $0.schemata = ["L3:0=f"] },
            hasMonitoring: Features.executes { $0.enableMonitoring = true }
        )
        memoryPolicy = (
            modes: Features.names { mode in
                Validator.executes { $0.linux?.memoryPolicy = Spec.Linux.MemoryPolicy(mode: mode) }
            },
            flags: Features.names { flag in
                Validator.executes {
                    $0.linux?.memoryPolicy = Spec.Linux.MemoryPolicy(mode: .bind)
                    $0.linux?.memoryPolicy?.flags = [flag]
                }
            }
        )
        hasIDMappedMounts = Validator.executes { spec in
            let mapping = Spec.IDMapping(containerID: 0, hostID: 1000, size: 1)
            spec.mounts = [
                Spec.Mount(
                    destination: "/mnt", source: "/mnt", options: ["bind"], uidMappings: [mapping],
                    gidMappings: [mapping])
            ]
        }
        hasNetDevices = Validator.executes { $0.linux?.netDevices = [Spec.Linux.NetDevice(hostName: "eth0")] }
    }
}

extension Features {
    private static let hook = Spec.Hook(path: "/bin/true")

    /// The kinds of hooks in the order in which they run.
    private static let hookKinds:
        [(name: StaticString, set: @Sendable (inout Spec.Hooks, [Spec.Hook]) -> Void)] =
            [
                ("prestart", { $0.prestart = $1 }),
                ("createRuntime", { $0.createRuntime = $1 }),
                ("createContainer", { $0.createContainer = $1 }),
                ("startContainer", { $0.startContainer = $1 }),
                ("poststart", { $0.poststart = $1 }),
                ("poststop", { $0.poststop = $1 }),
            ]

    /// The spellings of those cases that pass.
    private static func names<Choice: RawRepresentable<String> & CaseIterable>(
        _ isIncluded: (Choice) -> Bool
    ) -> [String] {
        Choice.allCases.filter(isIncluded).map { $0.rawValue }
    }

    /// The validator and the compiler must both take it.
    private static func executes(action: Spec.Linux.Seccomp.Action) -> Bool {
        var seccomp = Spec.Linux.Seccomp(defaultAction: .allow)
        seccomp.syscalls = [Spec.Linux.Seccomp.Rule(names: ["getpid"], action: action)]
        guard Validator.executes({ $0.linux?.seccomp = seccomp }) else { return false }
        do throws(Failure) {
            _ = try SeccompCompiler.compile(seccomp)
            return true
        } catch {
            return error.kind != .unsupported
        }
    }

    /// The same for Intel RDT.
    private static func executes(_ use: (inout Spec.Linux.IntelRdt) -> Void) -> Bool {
        var intelRdt = Spec.Linux.IntelRdt()
        use(&intelRdt)
        return Validator.executes { $0.linux?.intelRdt = intelRdt }
    }
}
