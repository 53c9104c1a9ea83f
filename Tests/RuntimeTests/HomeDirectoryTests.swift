import Testing

@testable import Runtime

/// passwd(5) as images bring it, and as an attacker would.
@Suite struct HomeDirectoryTests {
    private func home(_ uid: UInt32, _ passwd: String) -> String? {
        HomeDirectory.find(uid: uid, in: Array(passwd.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theSixthFieldOfTheFirstMatch() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:\nalso:x:33:33::/other:\n"
        #expect(home(0, passwd) == "/root")
        #expect(home(33, passwd) == "/var/www")
        #expect(home(34, passwd) == nil)
    }

    /// A user *named* 1000 with uid 0 has nothing to do with uid 1000 (CVE-2016-3697).
    @Test func namesAreNotNumbers() {
        #expect(home(1000, "1000:x:0:0::/root:\n") == nil)
    }

    @Test(arguments: [
        "", "\n\n", "root", "root:x:0", "root:x:0:0:root", "x:x:+0:0::/a:", "x:x: 0:0::/a:",
        "x:x:4294967296:0::/a:",
        "x:x::0::/a:", "x:x:-0:0::/a:", "x:x:0x0:0::/a:", "x:x:0:0::/a\0b:/bin/sh",
    ])
    func damagedLinesGiveNothing(_ passwd: String) {
        #expect(home(0, passwd) == nil)
    }

    @Test func aHomeLongerThanAnyPathIsIgnored() {
        #expect(home(0, "r:x:0:0::/" + String(repeating: "a", count: 5000) + ":") == nil)
    }

    @Test func theLastLineNeedsNoNewline() {
        #expect(home(7, "a:x:7:7::/h:/s") == "/h")
        #expect(home(7, "a:x:7:7::/h") == "/h")
    }

    @Test func withoutPasswdItIsTheRoot() {
        #expect(HomeDirectory.environmentEntry(uid: 0, passwd: nil) == Array("HOME=/".utf8))
    }
}
