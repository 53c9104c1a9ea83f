import Foundation
import OCI
import Seccomp
import Testing

enum Fixtures {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    static func names(in folder: String, ending: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(
            atPath: root.appendingPathComponent(folder).path)
        return (files ?? []).filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
            .sorted()
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appendingPathComponent(path)))
    }

    /// `linux.seccomp` of a captured config.json.
    static func config(_ name: String) throws -> Spec.Linux.Seccomp? {
        try Spec.load(json: bytes("configs/\(name).json")).linux?.seccomp
    }

    /// A profile of Fixtures/seccomp, or of a config.json with that name.
    static func profile(_ name: String) throws -> Spec.Linux.Seccomp {
        guard let text = try? bytes("seccomp/\(name).json") else { return try #require(try config(name)) }
        return try seccomp(String(decoding: text, as: UTF8.self))
    }

    static func seccomp(_ json: String) throws -> Spec.Linux.Seccomp {
        let whole = "{\"ociVersion\": \"1.0.2\", \"linux\": {\"seccomp\": \(json)}}"
        return try #require(try Spec.load(json: [UInt8](whole.utf8)).linux?.seccomp)
    }
}

/// Calls that tell filters apart: every number that means something, and arguments around what a profile
/// compares.
struct Samples {
    static let numbers: [UInt32] =
        Array(0...600) + [1023, 0x000f_0000, 0x000f_0001, 0x000f_0005, 0x000f_0006, 0x3fff_ffff]
        + (0...600).map { 0x4000_0000 + $0 } + [0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

    let interesting: [UInt64]

    init(_ seccomp: Spec.Linux.Seccomp) {
        var values: [UInt64] = [0, 1, .max, 0xffff_ffff, 0x1_0000_0000]
        for argument in seccomp.syscalls.flatMap(\.args) {
            for value in [argument.value, argument.valueTwo, argument.value & argument.valueTwo] {
                values += [value, value &+ 1, value &- 1, value << 32 | value >> 32, value & 0xffff_ffff]
            }
        }
        interesting = Array(Set(values)).sorted()
    }

    /// `count` argument lists, the same in every run.
    func arguments(_ count: Int, _ random: inout SplitMix) -> [[UInt64]] {
        (0..<count).map { _ in (0..<6).map { _ in interesting.randomElement(using: &random)! } }
    }
}

/// A small generator with a seed, so that failures can be repeated (Steele, Lea, Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
