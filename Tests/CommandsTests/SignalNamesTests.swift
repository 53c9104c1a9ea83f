import Foundation
import Testing

import Linux

@Suite struct SignalNamesTests {
    /// Names and numbers as the shell's `kill -l` knows them, which takes them from the C library.
    @Test func everySignalOfTheShellIsKnown() throws {
        let shell = Process()
        let output = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", "for n in {1..64}; do echo $n $(kill -l $n); done"]
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        var known = 0
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 2, let number = CInt(fields[0]) else { continue }  // 32 and 33 have no name
            known += 1
            #expect(try SignalNames.number(fields[1]) == number, "\(line)")
            #expect(try SignalNames.number("SIG" + fields[1]) == number)
            #expect(try SignalNames.number("sig" + fields[1].lowercased()) == number)
        }
        #expect(known == 62)
    }

    @Test(arguments: [("9", 9), ("0", 0), ("64", 64), ("009", 9), ("iot", 6), ("SIGCLD", 17), ("Poll", 29)])
    func otherSpellings(word: String, number: CInt) throws {
        #expect(try SignalNames.number(word) == number)
    }

    @Test(arguments: [
        "", "FOO", "SIG", "SIGSIGKILL", "-9", "+9", "65", "99", "1000", "9x", "RTMIN+31", "RTMIN-1",
        "RTMAX+1",
        "RTMIN+", "KILL ", "RTMIN+-1", "KİLL",
    ])
    func unknownOnes(word: String) {
        #expect(throws: (any Error).self) { try SignalNames.number(word) }
    }
}
