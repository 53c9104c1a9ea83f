internal import Diagnostics
internal import JSON

// How properties are read. Absent and null are the same everywhere. A string with U+0000 is refused
// everywhere: nearly every string reaches the kernel, which would see its beginning only.
extension JSONValue {
    /// This string or property name.
    func text() throws(Failure) -> String {
        if containsNUL { throw failure(Self.hasNUL) }
        return try string()
    }

    func text(_ name: StaticString) throws(Failure) -> String? {
        guard let value = self[name] else { return nil }
        return try value.text()
    }

    /// A string that says the same when it is empty as when it is absent.
    func nonEmptyText(_ name: StaticString) throws(Failure) -> String? {
        guard let text = try text(name), !text.isEmpty else { return nil }
        return text
    }

    func requiredText(_ name: StaticString) throws(Failure) -> String {
        guard let text = try text(name) else { throw missing(name) }
        return text
    }

    func texts(_ name: StaticString) throws(Failure) -> [String] {
        guard let value = self[name] else { return [] }
        return try value.strings(allowingNUL: false)
    }

    /// False when absent.
    func flag(_ name: StaticString) throws(Failure) -> Bool {
        try optionalFlag(name) ?? false
    }

    func optionalFlag(_ name: StaticString) throws(Failure) -> Bool? {
        guard let value = self[name] else { return nil }
        return try value.bool()
    }

    func integer<Integer: FixedWidthInteger>(_ name: StaticString) throws(Failure) -> Integer? {
        guard let value = self[name] else { return nil }
        return try value.integer()
    }

    func requiredInteger<Integer: FixedWidthInteger>(_ name: StaticString) throws(Failure) -> Integer {
        guard let value = self[name] else { throw missing(name) }
        return try value.integer()
    }

    /// One of the strings that the type lists.
    func choice<Choice: RawRepresentable<String> & CaseIterable>() throws(Failure) -> Choice {
        guard kind == .string else { throw failure("must be a string") }
        for choice in Choice.allCases where isString(choice.rawValue) { return choice }
        let known = Choice.allCases.map { $0.rawValue }.joined(separator: ", ")
        throw failure("unknown value \(quoted(try string())); known are \(known)")
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: StaticString) throws(Failure)
        -> Choice
    {
        guard let value = self[name] else { throw missing(name) }
        return try value.choice()
    }

    func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: StaticString
    ) throws(Failure) -> [Choice] {
        try list(name) { (value) throws(Failure) in try value.choice() }
    }

    /// An array; empty when absent.
    func list<Element>(
        _ name: StaticString, _ element: (JSONValue) throws(Failure) -> Element
    ) throws(Failure) -> [Element] {
        guard let value = self[name] else { return [] }
        var list: [Element] = []
        for item in try value.elements() { list.append(try element(item)) }
        return list
    }

    /// An array of objects; empty when absent.
    func objects<Element>(
        _ name: StaticString, _ element: (JSONValue) throws(Failure) -> Element
    ) throws(Failure) -> [Element] {
        try list(name) { (value) throws(Failure) in try element(value.asObject()) }
    }

    /// One object; nil when absent.
    func object<Object>(
        _ name: StaticString, _ object: (JSONValue) throws(Failure) -> Object
    ) throws(Failure) -> Object? {
        guard let value = self[name] else { return nil }
        return try object(value.asObject())
    }

    /// An object whose property names are data and whose values are objects; empty when absent.
    func namedObjects<Element>(
        _ name: StaticString, _ element: (JSONValue, JSONValue) throws(Failure) -> Element
    ) throws(Failure) -> [Element] {
        guard let value = self[name] else { return [] }
        var list: [Element] = []
        for (name, value) in try value.members() { list.append(try element(name, value.asObject())) }
        return list
    }

    /// An object whose property names are data and whose values are strings; empty when absent.
    func entries(_ name: StaticString) throws(Failure) -> [Spec.Entry] {
        guard let value = self[name] else { return [] }
        var entries: [Spec.Entry] = []
        for (name, value) in try value.members() {
            entries.append(Spec.Entry(try name.text(), try value.text()))
        }
        return entries
    }

    func asObject() throws(Failure) -> JSONValue {
        guard kind == .object else { throw failure("must be an object") }
        return self
    }

    func missing(_ name: StaticString) -> Failure {
        failure("is required", property: name)
    }
}

/// The text as a JSON string, so that nothing in it can break the line of a message.
private func quoted(_ text: String) -> String {
    var writer = JSONWriter(.compact)
    writer.value(text)
    return writer.text
}
