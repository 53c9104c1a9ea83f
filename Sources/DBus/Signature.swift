/// A list of types, checked (D-Bus Specification, "Valid Signatures").
struct Signature: Equatable {
    /// As many of each may be in each other.
    private static let deepest = 32
    private static let longest = 255

    let codes: [UInt8]

    /// nil for one that is not valid.
    init?(_ codes: [UInt8]) {
        guard codes.count <= Signature.longest else { return nil }
        self.codes = codes
        var at = 0
        while at < codes.count {
            guard let end = end(at, arrays: 0, structures: 0) else { return nil }
            at = end
        }
    }

    init?(_ text: String) {
        self.init([UInt8](text.utf8))
    }

    /// Whether it is exactly one type.
    var isSingle: Bool { !codes.isEmpty && end(at: 0) == codes.count }

    /// Where the type that begins at a place ends.
    func end(at place: Int) -> Int { end(place, arrays: 0, structures: 0) ?? codes.count }

    /// The same for an array's element, which may be an entry.
    func end(ofElement place: Int) -> Int { end(at: place - 1) }

    private func end(_ place: Int, arrays: Int, structures: Int) -> Int? {
        guard place < codes.count else { return nil }
        switch codes[place] {
        case UInt8(ascii: "a"):
            guard arrays < Signature.deepest, place + 1 < codes.count else { return nil }
            if codes[place + 1] == UInt8(ascii: "{") {
                return endOfEntry(place + 1, arrays: arrays + 1, structures: structures)
            }
            return end(place + 1, arrays: arrays + 1, structures: structures)
        case UInt8(ascii: "("):
            guard structures < Signature.deepest else { return nil }
            var at = place + 1
            while at < codes.count, codes[at] != UInt8(ascii: ")") {
                guard let end = end(at, arrays: arrays, structures: structures + 1) else { return nil }
                at = end
            }
            // An empty structure is none.
            return at < codes.count && at > place + 1 ? at + 1 : nil
        case UInt8(ascii: "v"): return place + 1
        default: return Signature.isBasic(codes[place]) ? place + 1 : nil
        }
    }

    private func endOfEntry(_ place: Int, arrays: Int, structures: Int) -> Int? {
        guard structures < Signature.deepest, place + 1 < codes.count, Signature.isBasic(codes[place + 1]),
            let end = end(place + 2, arrays: arrays, structures: structures + 1), end < codes.count,
            codes[end] == UInt8(ascii: "}")
        else { return nil }
        return end + 1
    }

    static func isBasic(_ code: UInt8) -> Bool { "ybnqiuxtdsogh".utf8.contains(code) }

    /// What a value of the type begins at a multiple of.
    static func alignment(of code: UInt8) -> Int {
        switch code {
        case UInt8(ascii: "y"), UInt8(ascii: "g"), UInt8(ascii: "v"): 1
        case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
        case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
        default: 4
        }
    }
}
