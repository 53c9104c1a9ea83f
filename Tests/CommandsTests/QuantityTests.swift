import Testing

@testable import Commands

/// Sizes and durations on the command line.
@Suite struct QuantityTests {
    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("1024", 1024), ("1b", 1), ("32k", 32 << 10), ("32K", 32 << 10),
            ("32kb", 32 << 10),
            ("32KiB", 32 << 10), ("512m", 512 << 20), ("1.5g", 3 << 29), ("2t", 2 << 40), ("1p", 1 << 50),
            ("100 m", 100 << 20), ("0.5k", 512), ("-1", -1), ("1.999999999999k", 2047), ("8191p", 8191 << 50),
        ] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) throws {
        #expect(try ByteCount.parse(text) == bytes)
    }

    @Test(arguments: [
        "", "x", "m", "-2", "-1m", "+1", "1x", "1mm", "1ib", "1.", ".5m", "1..5m", "1m ", " 1m", "1  m",
        "8192p",
        "9223372036854775808", "99999999999999999999", "1kbb", "1,5m",
    ])
    func wrongSizes(text: String) {
        #expect(throws: (any Error).self) { try ByteCount.parse(text) }
    }

    @Test(
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("300ms", 300_000_000), ("1.5s", 1_500_000_000),
            ("1h", 3_600_000_000_000),
            ("1m30s", 90_000_000_000), ("2us", 2000), ("2µs", 2000), ("7ns", 7), ("-1s", -1_000_000_000),
            (".5s", 500_000_000), ("1.s", 1_000_000_000), ("+3s", 3_000_000_000),
            ("1h0m0.25s", 3_600_250_000_000),
        ] as [(String, Int64)])
    func durations(text: String, nanoseconds: Int64) {
        #expect(GoDuration.parse(text) == nanoseconds)
    }

    @Test(arguments: ["", "5", "s", "-", "5 s", "5x", "1h5", ".s", "5ss", "9999999999h", "1e3s"])
    func wrongDurations(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }
}
