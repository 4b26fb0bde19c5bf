/// Short texts side by side, as `ls` shows names.
enum ColumnList {
  /// - Parameter width: columns of the terminal.
  /// - Returns: lines, each ended.
  static func text(_ texts: [String], width: Int) -> String {
    let cell = (texts.map(DisplayWidth.columns).max() ?? 0) + 2
    let columns = max((width - 1) / cell, 1)
    return stride(from: 0, to: texts.count, by: columns).map { first -> String in
      let row = texts[first..<min(first + columns, texts.count)]
      return row.dropLast().map { $0 + String(repeating: " ", count: cell - DisplayWidth.columns(of: $0)) }
        .joined()
        + (row.last ?? "") + "\n"
    }.joined()
  }
}
