import Foundation
import Testing

/// Every resource of the specification, made by gantry and by a peer: all files of the container's cgroup that can be
/// set read the same. What a peer refuses, gantry refuses. On version 1, hybrid and version 2; the manager is
/// `Machine.usesSystemd`.
@Suite(
    .needsContainers,
    .enabled(if: Machine.runc != nil && Machine.crun != nil, "the peers are missing: run scripts/test"),
    .enabled(if: ResourceComparison.device != nil, "there is no block device"), .timeLimit(minutes: 20))
struct ResourceComparisonTests {
    typealias Comparison = ResourceComparison

    private static func of(_ cases: [ResourceCase]) -> [ResourceCase] {
        cases.filter { (Comparison.version == 1 ? $0.v1 : $0.v2) != nil }
    }

    @Test(arguments: of(ResourceCase.memory)) func memory(_ candidate: ResourceCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: of(ResourceCase.processors)) func processors(_ candidate: ResourceCase) async throws {
        try await compare(candidate)
    }

    @Test(arguments: of(ResourceCase.others)) func others(_ candidate: ResourceCase) async throws {
        try await compare(candidate)
    }

    @Test(
        .enabled(if: rdmaDevice != nil && Comparison.version == 2, "there is no RDMA device, or no cgroup v2")
    )
    func rdma() async throws {
        try await compare(.rdma(Self.rdmaDevice!))
    }

    private static let rdmaDevice = try? FileManager.default.contentsOfDirectory(
        atPath: "/sys/class/infiniband"
    ).first

    @Test(.enabled(if: Comparison.version == 1, "cgroup v2 has none")) func networks() async throws {
        try await MountedHierarchy.with("net_cls,net_prio") { try await compare(.networks, namespace: $0) }
    }

    /// While it is mounted, version 2 does not have the controller, which other tests may use.
    @Test(.enabled(if: Comparison.version == 1 && Soak.isOn, "scripts/soak only, or cgroup v2"))
    func hugePages() async throws {
        try await MountedHierarchy.with("hugetlb") { try await compare(.hugePages, namespace: $0) }
    }

    private func compare(_ candidate: ResourceCase, namespace: pid_t? = nil) async throws {
        try await TestContainer.with { container in
            let program = candidate.peer == .runc ? Machine.runc! : Machine.crun!
            let peer = Comparison.Side.peer(program, container, namespace: namespace)
            let own = Comparison.Side.own(container, namespace: namespace)
            let changed = Comparison.Side.own(container, suffix: "-changed", namespace: namespace)
            do {
                try await compare(candidate, own, changed, peer, in: container)
            } catch {
                for side in [own, changed, peer] { await side.delete() }
                throw error
            }
            for side in [own, changed, peer] { await side.delete() }
        }
    }

    private func compare(
        _ candidate: ResourceCase, _ own: Comparison.Side, _ changed: Comparison.Side,
        _ peer: Comparison.Side,
        in container: TestContainer
    ) async throws {
        let resources = try Comparison.document(candidate.resources)
        let theirs = try await peer.create(container, resources)
        let ours = try await own.create(container, resources)
        // crun 1.8.1 makes no container at all when a controller is on version 2 and others are not.
        let canCompare = !theirs.stderr.contains("cgroups in hybrid mode not supported")
        if theirs.code != 0, candidate.peerRefuses == nil, canCompare {
            #expect(candidate.obstacle != nil && ours.code == 1 && ours.isOneSentence, "\(theirs)\n\(ours)")
            return
        }
        if canCompare { #expect((theirs.code == 0) == (candidate.peerRefuses == nil), "\(theirs)") }
        if theirs.code == 0, let sentence = candidate.oursRefuses, ours.stderr.contains(sentence) { return }
        try #require(ours.code == 0, "\(ours)")
        let files = try await own.files()
        check(files, candidate)
        if theirs.code == 0 {
            let differences = problems(files, try await peer.files(), candidate)
            #expect(differences == [])
            let properties = problems(try await own.properties(), try await peer.properties(), candidate)
            #expect(properties == [])
        }

        // The same by an update of one that has no limits.
        let plain = try await changed.create(container, [:])
        try #require(plain.code == 0, "\(plain)")
        let document = String(decoding: try JSONSerialization.data(withJSONObject: resources), as: UTF8.self)
        let update = try await changed.run(["update", "--resources", "-", changed.id], stdin: document)
        try #require(update.code == 0, "\(update)")
        let updated = try await changed.files()
        check(updated, candidate)
        #expect(problems(updated, files, nil) == [], "what update does, and create")
    }

    /// Ours are as the case says.
    private func check(_ files: [String: String], _ candidate: ResourceCase) {
        for (name, text) in (Comparison.version == 1 ? candidate.v1 : candidate.v2) ?? [:] {
            let names = name.split(separator: "|").map(String.init)
            let texts = Comparison.filled(text).split(separator: "|", omittingEmptySubsequences: false)
            let index = names.firstIndex { files[$0] != nil } ?? 0
            let actual = files[names[index]]
            // Only a part of a file that has a line for each interface.
            let isThere =
                names[index] == "net_prio.ifpriomap"
                ? actual?.split(separator: "\n").contains(texts[index]) ?? false
                : actual == String(texts[index])
            #expect(isThere, "\(names[index]): \(actual ?? "is missing"), not \(texts[index])")
        }
    }

    private func problems(
        _ ours: [String: String], _ theirs: [String: String], _ candidate: ResourceCase?
    ) -> [String] {
        Set(ours.keys).union(theirs.keys).sorted().compactMap { name in
            guard ours[name] != theirs[name], candidate?.differences[name] == nil,
                !Machine.usesSystemd || candidate?.scopeDifferences[name] == nil,
                JustifiedDifference.ofResources[name] == nil
            else { return nil }
            return "\(name): \(ours[name] ?? "missing") is not \(theirs[name] ?? "there")"
        }
    }

    @Test(arguments: RefusedResource.all.filter { $0.versions.contains(Comparison.version) })
    func refused(_ candidate: RefusedResource) async throws {
        try await TestContainer.with { container in
            let resources = try Comparison.document(candidate.resources)
            let peer = Comparison.Side.peer(Machine.runc!, container)
            let theirs = try await peer.create(container, resources)
            await peer.delete()
            #expect(theirs.code != 0 || candidate.peerTakesIt != nil, "\(theirs)")
            let ours = try await Comparison.Side.own(container).create(container, resources)
            #expect(ours.code == 1 && ours.isOneSentence, "\(ours)")
            #expect(ours.stderr.hasPrefix("gantry: " + candidate.says), "\(ours)")
            #expect(Host.cgroups(of: container.id).filter { !$0.contains("-peer") } == [])
            #expect(!FileManager.default.fileExists(atPath: container.root + "/" + container.id))
        }
    }
}

extension JustifiedDifference {
    /// Files and properties that differ from the peer's in every container, each with the reason.
    static let ofResources: [String: String] = [
        "Description": "each names itself",
        "CollectMode": "runc leaves scopes that have failed, until somebody resets them",
        "cgroup.clone_children":
            "runc 1.1 sets it while it fills the cpuset; nothing is made below that would inherit it",
    ]
}
