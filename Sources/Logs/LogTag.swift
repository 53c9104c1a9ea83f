/// `--log-tag`: a text in which the container's ID may stand.
enum LogTag {
    private static let templates: [(text: StaticString, length: Int?)] = [
        ("{{.ID}}", 12), ("{{.FullID}}", nil), ("{{.Name}}", nil),
    ]

    /// The text with `{{.FullID}}` and `{{.Name}}` replaced by the ID, and `{{.ID}}` by its first 12 characters.
    static func text(of tag: String, id: String) -> String {
        let bytes = Array(tag.utf8)
        var text: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let rest = bytes[at...]
            let found = templates.first { template in
                template.text.withUTF8Buffer { rest.starts(with: $0) }
            }
            if let found {
                text.append(contentsOf: found.length.map { id.utf8.prefix($0) } ?? id.utf8[...])
                at += found.text.utf8CodeUnitCount
            } else {
                text.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
