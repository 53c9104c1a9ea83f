// swift-tools-version: 6.1
import PackageDescription

// A module imports only what stands above it in this list (spec/architecture.md, "Modules").
let package = Package(
    name: "gantry",
    products: [.executable(name: "gantry", targets: ["gantry"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C: what Swift cannot call, or cannot call safely.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CPlan"),
        .target(name: "CKeeper"),
        .target(name: "CBuildInfo"),
        .systemLibrary(
            name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCapability", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),

        // Pure Swift: no system call in any of these.
        .target(
            name: "Diagnostics",
            dependencies: ["CLinux"]),
        .target(name: "JSON", dependencies: ["Diagnostics"]),
        .target(name: "OCI", dependencies: ["JSON", "Diagnostics"]),
        .target(name: "Seccomp", dependencies: ["OCI", "CSeccomp", "CLinux", "Diagnostics"]),
        .target(
            name: "Plan", dependencies: ["OCI", "JSON", "CPlan", "CLinux", "Diagnostics"]),

        // The kernel.
        .target(name: "Linux", dependencies: ["CLinux", "Diagnostics"]),
        .target(name: "DBus", dependencies: ["Linux", "CLinux", "Diagnostics"]),
        .target(name: "FreestandingInit", plugins: ["EmbedInit"]),
        .target(name: "Cgroups", dependencies: ["OCI", "DBus", "Linux", "CLinux", "Diagnostics"]),
        .target(name: "Store", dependencies: ["JSON", "Linux", "CLinux", "Diagnostics"]),
        .target(
            name: "Keeper",
            dependencies: ["CKeeper", "Linux", "CLinux", "FreestandingInit", "Diagnostics"]),
        .target(
            name: "Runtime",
            dependencies: [
                "OCI", "JSON", "Seccomp", "Plan", "CPlan", "Linux", "FreestandingInit", "Cgroups",
                "Store", "Keeper", "CKeeper", "Diagnostics",
            ]),

        // The supervisor (spec/supervisor.md).
        .target(
            name: "Logs", dependencies: ["Keeper", "Store", "JSON", "Linux", "CLinux", "Diagnostics"]),
        .target(
            name: "Supervisor",
            dependencies: [
                "Logs", "Keeper", "CKeeper", "Store", "Cgroups", "JSON", "Linux", "CLinux", "Diagnostics",
            ]),

        .target(
            name: "Commands",
            dependencies: [
                "OCI", "JSON", "Plan", "Linux", "Cgroups", "Store", "Runtime", "Logs", "Supervisor",
                "Diagnostics", "CBuildInfo", "CSeccomp",
            ]),
        .executableTarget(name: "gantry", dependencies: ["Commands"]),
        // A tool: built by scripts/bench only.
        .executableTarget(
            name: "gantry-bench",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),

        .testTarget(name: "JSONTests", dependencies: ["JSON", "Diagnostics"]),
        .testTarget(name: "OCITests", dependencies: ["OCI", "JSON", "Diagnostics"]),
        .testTarget(
            name: "PlanTests",
            dependencies: ["Plan", "OCI", "JSON", "CPlan", "CCapability", "Diagnostics"],
            exclude: ["Golden"]),
        .testTarget(
            name: "SeccompTests", dependencies: ["Seccomp", "OCI", "CSeccomp", "Diagnostics"]),
        .testTarget(
            name: "DBusTests", dependencies: ["DBus", "Linux", "CLinux", "Diagnostics"]),
        .testTarget(
            name: "CgroupsTests",
            dependencies: [
                "Cgroups", "DBus", "CLinux", "Linux", "OCI", "Diagnostics",
            ]),
        .testTarget(name: "StoreTests", dependencies: ["Store", "Linux", "Diagnostics"]),
        .testTarget(
            name: "RuntimeTests",
            dependencies: ["Runtime", "Store", "Linux", "CLinux", "CPlan", "Diagnostics"]),
        .testTarget(
            name: "KeeperTests",
            dependencies: ["Keeper", "CKeeper", "Linux", "CLinux", "Diagnostics"]),
        // What LogsTests kills.
        .executableTarget(
            name: "log-feeder",
            dependencies: ["Logs", "Keeper", "CKeeper", "Store", "Linux", "CLinux", "Diagnostics"],
            path: "Tests/LogFeeder"),
        .testTarget(
            name: "LogsTests",
            dependencies: [
                "Logs", "Keeper", "CKeeper", "Store", "Linux", "CLinux", "Diagnostics", "TestSupport",
                "log-feeder",
            ]),
        .testTarget(
            name: "SupervisorTests",
            dependencies: [
                "Supervisor", "Logs", "Keeper", "CKeeper", "Store", "Linux", "CLinux", "Diagnostics",
            ]),
        .testTarget(
            name: "CommandsTests", dependencies: ["Commands", "Runtime", "Logs", "Linux", "Diagnostics"]),
        // What tests that start programs share.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "IntegrationTests", dependencies: ["TestSupport"]),
        // Real engines on gantry: scripts/test --engines.
        .testTarget(name: "EngineTests", dependencies: ["TestSupport"]),

        .plugin(name: "EmbedInit", capability: .buildTool()),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    let isC = target.name.hasPrefix("C") && target.name.dropFirst().first!.isUppercase
    if isC {
        target.cSettings = [.define("_GNU_SOURCE")]
        // Told by scripts/build; the manifest cannot ask git itself without going stale between commits.
        if target.name == "CBuildInfo", let commit = Context.environment["GANTRY_COMMIT"] {
            target.cSettings?.append(.define("GANTRY_COMMIT", to: "\"\(commit)\""))
        }
        if target.name == "CBuildInfo", let time = Context.environment["GANTRY_COMMIT_TIME"] {
            target.cSettings?.append(.define("GANTRY_COMMIT_TIME", to: time))
        }
    } else {
        target.swiftSettings = [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
        ]
    }
}
