import Diagnostics
import Foundation
import Testing

@testable import Commands

@Suite struct TextTests {
    @Test(
        arguments: [
            0, 1, 951_782_399, 951_782_400, 951_868_800, 978_307_199, 1_709_164_800, 1_709_251_199,
            1_709_251_200,
            1_795_259_315, 4_102_444_800, 4_107_542_400, 253_402_300_799,
        ] as [Int64])
    func timestampsAreThoseOfFoundation(seconds: Int64) {
        let formatter = ISO8601DateFormatter()
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        let expected = formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
        #expect(Timestamp.rfc3339(secondsSinceEpoch: seconds) == expected)
    }

    @Test(arguments: [
        ("kil", "kill"), ("strat", "start"), ("stat", "state"), ("craete", "create"), ("lst", "list"),
        ("puase", "pause"), ("checkpiont", "checkpoint"), ("detele", "delete"),
    ])
    func slipsAreRecognised(typed: String, meant: String) {
        #expect(NearMatch.of(typed, among: CommandTable.all.map(\.name)) == meant)
    }

    @Test(arguments: ["foo", "x", "", "docker", "images", String(repeating: "k", count: 100_000)])
    func otherWordsAreNot(typed: String) {
        #expect(NearMatch.of(typed, among: CommandTable.all.map(\.name)) == nil)
    }

    @Test func ownersComeFromPasswd() {
        let text = "root:x:0:0::/root:/bin/sh\nbroken\n::\nweb:x:1000:1000::/:/bin/sh\nlate:x:1000:1::/:\n"
        let owners = OwnerNames(passwd: Array(text.utf8))
        #expect(owners.name(of: 0) == "root")
        #expect(owners.name(of: 1000) == "web")
        #expect(owners.name(of: 7) == "#7")
    }
}
