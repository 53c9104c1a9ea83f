/// Text in columns.
enum TextTable {
    /// Pads every cell but a row's last to its column's width, which is the longest cell's plus `gap`, or
    /// `minimumWidth` if that is more. A terminal column is taken to be one Unicode scalar.
    static func render(_ rows: [[String]], minimumWidth: Int, gap: Int) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(minimumWidth) }
                widths[column] = max(widths[column], cell.unicodeScalars.count + gap)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
                }
            }
            text += "\n"
        }
        return text
    }
}
