/// A table for a terminal: headings with their units under them, columns that line up, the least interesting left
/// out where all of them would be too wide.
struct TextTable {
  struct Column {
    let title: String
    var unit = ""
    var alignment = MarkdownTable.Alignment.right
    /// 0 for a column that always stays; else the highest is left out first.
    var rank = 0
    /// Whether its entries lose their middle where the table is too wide without all columns that can be left out.
    var canShorten = false
  }

  struct Entry {
    enum Content {
      case text(String)
      /// A bar for a share of the longest.
      case bar(share: Double)
      /// A bar from one share of the width to another, in another grey where it `grows`.
      case span(from: Double, to: Double, grows: Bool)
    }

    var content: Content
    var isBold = false

    init(_ text: String, isBold: Bool = false) {
      content = .text(text)
      self.isBold = isBold
    }

    init(_ content: Content) { self.content = content }

    fileprivate var isEmpty: Bool { minimumWidth == 0 }

    fileprivate var minimumWidth: Int {
      switch content {
      case .text(let text): text.count
      case .bar, .span: TextTable.barWidths.lowerBound
      }
    }

    fileprivate var isBar: Bool {
      if case .text = content { return false }
      return true
    }
  }

  /// A bar takes what the other columns leave, within these.
  static let barWidths = 7...40
  private static let gap = 2
  /// What is left of a shortened entry at least.
  private static let shortest = 8

  var columns: [Column]
  /// Each as long as `columns`.
  var rows: [[Entry]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Empty for no rows. Columns in which nothing stands are left out.
  ///
  /// - Parameters:
  ///   - colour: whether bold entries are bold (ANSI escapes).
  ///   - width: columns of the terminal.
  func text(colour: Bool, width: Int) -> String {
    guard !rows.isEmpty else { return "" }
    let (kept, widths) = layout(width: width)
    let headings = [columns.map(\.title), columns.map(\.unit)].map { line in
      kept.map { aligned(line[$0], $0, widths[$0] ?? 0) }.joined(separator: Self.space)
    }
    let lines = rows.map { row in
      kept.map { column in
        let width = widths[column] ?? 0
        let entry = aligned(text(row[column], width: width), column, width)
        return colour && row[column].isBold ? "\u{1B}[1m\(entry)\u{1B}[0m" : entry
      }.joined(separator: Self.space)
    }
    return (headings.filter { !$0.trimmedEnd.isEmpty } + lines).map(\.trimmedEnd).joined(separator: "\n")
  }

  private static var space: String { String(repeating: " ", count: gap) }

  /// The columns that stay, and the width of each.
  private func layout(width: Int) -> (kept: [Int], widths: [Int: Int]) {
    var kept = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
    var widths = Dictionary(uniqueKeysWithValues: kept.map { ($0, naturalWidth($0)) })
    func excess() -> Int { kept.reduce(-Self.gap) { $0 + (widths[$1] ?? 0) + Self.gap } - width }
    while excess() > 0,
      let least = kept.filter({ columns[$0].rank > 0 }).max(by: { columns[$0].rank < columns[$1].rank })
    {
      kept.removeAll { $0 == least }
    }
    while excess() > 0,
      let longest = kept.filter({ columns[$0].canShorten && (widths[$0] ?? 0) > Self.shortest }).max(by: {
        (widths[$0] ?? 0) < (widths[$1] ?? 0)
      })
    {
      widths[longest, default: 0] -= 1
    }
    for column in kept where rows.contains(where: { $0[column].isBar }) {
      widths[column, default: 0] += min(max(0, -excess()), Self.barWidths.count - 1)
    }
    return (kept, widths)
  }

  private func naturalWidth(_ column: Int) -> Int {
    let heading = columns[column]
    return rows.reduce(max(heading.title.count, heading.unit.count)) { max($0, $1[column].minimumWidth) }
  }

  private func text(_ entry: Entry, width: Int) -> String {
    switch entry.content {
    case .text(let text): text.shortened(to: width)
    case .bar(let share): share > 0 ? bar(share: share, width: width) : ""
    case .span(let from, let to, let grows): Self.span(from, to, grows: grows, width: width)
    }
  }

  /// In whole characters; what is narrower than one is a line.
  private static func span(_ from: Double, _ to: Double, grows: Bool, width: Int) -> String {
    let ends = [from, to].map { Int((min(max($0, 0), 1) * Double(width)).rounded()) }
    let (first, last) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
    guard last > first else { return String(repeating: " ", count: min(first, width - 1)) + "▏" }
    return String(repeating: " ", count: first) + String(repeating: grows ? "▒" : "█", count: last - first)
  }

  private func aligned(_ text: String, _ column: Int, _ width: Int) -> String {
    columns[column].alignment == .left ? text.padded(to: width) : text.leftPadded(to: width)
  }
}
