import Diagnostics
import Foundation
import Testing

@testable import JSON

/// Foundation's reader is the referee: of thousands of damaged documents both must accept the same ones, and
/// read the same from them. Three differences are meant: Foundation takes a comma before a closing bracket,
/// one of two properties of the same name, and other encodings than UTF-8.
@Suite struct DifferentialTests {
    private let seeds = [
        #"{"a":[1,-2.5e+3,true,false,null],"b":{"c":"x\n\u00e9\ud83d\ude00é😀"},"d":""}"#,
        #"[{"k":"\"\\\/\b\f\n\r\t"},[[],{}],0,-0,42,"# + "\"\u{10FFFF}\u{7FF}\"]",
        "{\n  \"ociVersion\": \"1.0.2-dev\",\n  \"list\": [ 1 , 2 ]\n}\n",
    ]

    @Test(arguments: 0..<3)
    func damagedDocuments(_ number: Int) throws {
        var random = SplitMix(state: UInt64(number) &* 0x9E37)
        let seed = Array(seeds[number].utf8)
        var accepted = 0
        for _ in 0..<4000 {
            let text = damaged(seed, &random)
            // Signs of other encodings.
            if text.prefix(4).contains(0) || text.starts(with: [0xEF, 0xBB, 0xBF]) { continue }
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            do {
                let ours = try JSONDocument(text, name: "x").root
                accepted += 1
                if theirs == nil { Issue.record("only we accept \(String(decoding: text, as: UTF8.self))") }
                if let theirs { #expect(isSame(ours, theirs), "\(String(decoding: text, as: UTF8.self))") }
            } catch {
                let isMeant =
                    error.message.contains("duplicate property")
                    || error.message.hasSuffix("found ']'") || error.message.hasSuffix("found '}'")
                if theirs != nil, !isMeant {
                    Issue.record("\(error.description): \(String(decoding: text, as: UTF8.self)) \(text)")
                }
            }
        }
        #expect(accepted > 100)
    }

    private func damaged(_ seed: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        let pieces: [[UInt8]] = [
            [UInt8(ascii: "\"")], Array("\\u".utf8), [UInt8(ascii: ",")], Array("[".utf8), Array("}".utf8),
            [0xC3], [0x80],
            Array("e".utf8), Array("0".utf8), Array("-".utf8), Array("\\ud800".utf8), [0x0A], [0x00],
            Array(":1".utf8),
        ]
        var text = seed
        for _ in 0...(random.next() % 2) {
            let position = Int(random.next() % UInt64(text.count))
            switch random.next() % 4 {
            case 0: text.remove(at: position)
            case 1: text[position] = UInt8(truncatingIfNeeded: random.next())
            case 2: text.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: position)
            default: text.removeLast(Int(random.next() % 4))
            }
            if text.isEmpty { return seed }
        }
        return text
    }

    private func isSame(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours.kind {
        case .null: return theirs is NSNull
        case .bool: return (try? ours.bool()) == theirs as? Bool
        case .number:
            guard let integer = try? ours.integer(Int64.self) else { return theirs is NSNumber }
            return (theirs as? NSNumber)?.int64Value == integer
        case .string:
            guard let string = theirs as? String, let own = try? ours.string() else { return false }
            return own.utf8.elementsEqual(string.utf8)
        case .array:
            guard let list = theirs as? [Any], let elements = try? ours.elements() else { return false }
            let own = Array(elements)
            return own.count == list.count && zip(own, list).allSatisfy { isSame($0, $1) }
        case .object:
            guard let object = theirs as? [String: Any], let members = try? ours.members() else {
                return false
            }
            return members.allSatisfy { name, value in
                guard let key = try? name.string(), let other = object[key] else { return false }
                return isSame(value, other)
            }
        }
    }
}

/// The generator of Steele, Lea and Flood: the same numbers on every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
