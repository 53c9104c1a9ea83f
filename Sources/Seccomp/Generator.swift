internal import OCI

/// Writes the code of one family: a binary search over the segments of its number line, then the conditions.
///
/// The kernel runs a filter once per known number when it is loaded, to remember calls that are always
/// allowed, so a search that takes eight steps instead of hundreds also makes loading cheaper.
struct Generator {
    let profile: Profile
    let line: NumberLine
    var writer: ProgramWriter

    /// Returns where the code begins.
    mutating func generate() -> ProgramWriter.Label {
        let search = search(0, line.segments.count)
        writer.fallThrough(to: search)
        return writer.load(SeccompData.number)
    }

    private mutating func search(_ first: Int, _ end: Int) -> ProgramWriter.Label {
        if end - first == 1 {
            switch line.segments[first].answer {
            case .value(let value): return writer.returning(value)
            case .checks(let index): return generate(line.checks[index])
            }
        }
        let middle = (first + end) / 2
        let upper = search(middle, end)
        let lower = search(first, middle)
        return writer.jump(.greaterOrEqual, line.segments[middle].start, then: upper, else: lower)
    }

    private mutating func generate(_ checks: NumberLine.Checks) -> ProgramWriter.Label {
        var next = writer.returning(profile.defaultReturn)
        for (index, selector) in checks.alternatives.reversed() {
            let rule = profile.rules[index]
            let match = writer.returning(rule.returnValue)
            if rule.clauses.isEmpty {
                next = generate(select(selector), isWide: false, then: match, else: next)
            }
            for clause in rule.clauses.reversed() {
                var conditions = clause.conditions
                if selector != 0 {
                    conditions.removeAll { $0.index == 0 }
                    conditions.append(select(selector))
                }
                next = generate(conditions, checks.isWide, then: match, else: next)
            }
        }
        return next
    }

    /// The first argument of socketcall or ipc is `selector`.
    private func select(_ selector: UInt32) -> Spec.Linux.Seccomp.Argument {
        Spec.Linux.Seccomp.Argument(index: 0, value: UInt64(selector), op: .equal)
    }

    private mutating func generate(
        _ conditions: [Spec.Linux.Seccomp.Argument], _ isWide: Bool, then match: ProgramWriter.Label,
        else next: ProgramWriter.Label
    ) -> ProgramWriter.Label {
        var entry = match
        for condition in conditions.reversed() {
            entry = generate(condition, isWide: isWide, then: entry, else: next)
        }
        return entry
    }

    /// One comparison, unsigned; the upper halves first where both count.
    private mutating func generate(
        _ condition: Spec.Linux.Seccomp.Argument, isWide: Bool, then: ProgramWriter.Label,
        else: ProgramWriter.Label
    ) -> ProgramWriter.Label {
        let value = condition.value
        switch condition.op {
        case .equal:
            return equal(condition.index, .max, value, isWide, then: then, else: `else`)
        case .notEqual:
            return equal(condition.index, .max, value, isWide, then: `else`, else: then)
        case .maskedEqual:
            return equal(condition.index, value, condition.valueTwo, isWide, then: then, else: `else`)
        case .greaterOrEqual:
            return order(.greaterOrEqual, condition.index, value, isWide, then: then, else: `else`)
        case .less:
            return order(.greaterOrEqual, condition.index, value, isWide, then: `else`, else: then)
        case .greater:
            return order(.greater, condition.index, value, isWide, then: then, else: `else`)
        case .lessOrEqual:
            return order(.greater, condition.index, value, isWide, then: `else`, else: then)
        }
    }

    private mutating func equal(
        _ index: UInt32, _ mask: UInt64, _ value: UInt64, _ isWide: Bool, then: ProgramWriter.Label,
        else: ProgramWriter.Label
    ) -> ProgramWriter.Label {
        let offset = SeccompData.argument(index)
        let lower = half(
            offset, UInt32(truncatingIfNeeded: mask), UInt32(truncatingIfNeeded: value), then, `else`)
        let upperMask = UInt32(mask >> 32)
        let upperValue = UInt32(value >> 32)
        if !isWide || upperMask == 0 && upperValue == 0 { return lower }
        return half(offset + 4, upperMask, upperValue, lower, `else`)
    }

    private mutating func half(
        _ offset: UInt32, _ mask: UInt32, _ value: UInt32, _ then: ProgramWriter.Label,
        _ other: ProgramWriter.Label
    ) -> ProgramWriter.Label {
        writer.jump(.equal, value, then: then, else: other)
        if mask != .max { writer.and(mask) }
        return writer.load(offset)
    }

    private mutating func order(
        _ test: ProgramWriter.Test, _ index: UInt32, _ value: UInt64, _ isWide: Bool,
        then: ProgramWriter.Label, else: ProgramWriter.Label
    ) -> ProgramWriter.Label {
        let offset = SeccompData.argument(index)
        writer.jump(test, UInt32(truncatingIfNeeded: value), then: then, else: `else`)
        let lower = writer.load(offset)
        if !isWide { return lower }
        let upper = UInt32(value >> 32)
        let equal = writer.jump(.equal, upper, then: lower, else: `else`)
        writer.jump(.greater, upper, then: then, else: equal)
        return writer.load(offset + 4)
    }
}
