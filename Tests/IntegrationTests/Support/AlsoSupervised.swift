import Testing

/// Runs each test twice: with containers that gantry leaves to themselves, and with supervised ones.
struct AlsoSupervised: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        testCase == nil ? nil : self
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await function()
        try await TestContainer.$areSupervised.withValue(true) { try await function() }
    }
}

extension Trait where Self == AlsoSupervised {
    static var alsoSupervised: Self { AlsoSupervised() }
}
