import Diagnostics
import Testing

@testable import Commands

/// Words of `exec` that stand for numbers.
@Suite struct ExecCommandLineTests {
    @Test(
        arguments: [
            ("0", 0, 0), ("1", 1, 0), ("7:8", 7, 8), ("4294967294:4294967294", 4_294_967_294, 4_294_967_294),
            ("007:010", 7, 10),
        ] as [(String, UInt32, UInt32)])
    func users(text: String, uid: UInt32, gid: UInt32) throws {
        let user = try UserText.parse(text)
        #expect(user.uid == uid && user.gid == gid)
    }

    @Test(
        "CVE-2026-30892: what is no user is no root",
        arguments: [
            "", ":", "1:", ":1", "-1", "+1", "1 ", " 1", "1:2:3", "0x1", "1e3", "root", "4294967295",
            "4294967296", "18446744073709551616", "99999999999999999999999", "1:-1", "1:4294967295", "١",
        ])
    func noUsers(text: String) {
        #expect(throws: Failure.self) { _ = try UserText.parse(text) }
    }

    @Test func controlCharacters() {
        #expect(Log.withoutControls("plain é\u{a0} text") == "plain é\u{a0} text")
        #expect(
            Log.withoutControls("\u{1b}[2J\r\n\u{7f}\u{9b}1m\u{80}\u{9f}é")
                == "\\x1b[2J\\x0d\\x0a\\x7f\\x9b1m\\x80\\x9fé")
    }
}
