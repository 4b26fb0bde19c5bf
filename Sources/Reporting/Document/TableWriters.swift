import Files
import Record

/// Comma-separated values (RFC 4180; lines end in LF, as in most CSV files on the systems that this runs on).
enum CSV {
  static func text<Row>(_ columns: [Column<Row>], _ rows: [Row]) -> String {
    text(columns.flatMap(\.fields), rows.map { row in columns.flatMap { $0.fields(row) } })
  }

  static func text(_ names: [String], _ rows: [[String]]) -> String {
    ([names] + rows).map { $0.map(field).joined(separator: ",") + "\n" }.joined()
  }

  /// In double quotes where the text holds a comma, a quote or a line's end.
  private static func field(_ text: String) -> String {
    text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) ? quoted(text) : inert(text)
  }

  /// In double quotes; those within doubled.
  static func quoted(_ text: String) -> String { "\"" + inert(text).replacing("\"", with: "\"\"") + "\"" }

  /// With an apostrophe before what a spreadsheet would compute; numbers are themselves.
  private static func inert(_ text: String) -> String {
    let begins = text.first.map { "=+-@\t".contains($0) } ?? false
    return (begins && Double(text) == nil ? "'" : "") + text.safeLines
  }
}

/// A document for programs: indented, keys sorted. Throws an `EncodingError` for a number that is not finite.
func jsonText(_ document: some Encodable) throws -> String {
  String(decoding: try readableJSON(document), as: UTF8.self)
}

extension JSONValue {
  static func object(known members: [String: JSONValue?]) -> JSONValue {
    .object(members.compactMapValues { $0 })
  }
}

extension Column {
  /// The row as a JSON object's members, by the CSV fields' names in one word (`base_samples`: `baseSamples`,
  /// `ratio_ci_low`: `ratioLow`); what has no value is left out.
  static func members(_ columns: [Self], of row: Row) -> [String: JSONValue] {
    let names = columns.flatMap(\.fields).map { field in
      let words = field.split(separator: "_").filter { $0 != "ci" }
      return (words.prefix(1) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }).joined()
    }
    return zip(names, columns.flatMap { $0.values(row) }).reduce(into: [:]) { $0[$1.0] = $1.1 }
  }
}

extension Table {
  /// More than is read line by line: a page folds it.
  var isLong: Bool { rows.count * headings.count > 500 }

  /// In Markdown whose source is aligned too, so that it reads well in a terminal; a long one would be half blanks.
  var markdown: String {
    let table = withoutEmptyColumns
    let alignments = table.headings.map(\.alignment)
    let cells = table.rows.map { row in row.map { $0.text.markdown.replacing("|", with: "\\|") } }
    let titles = table.headings.map { $0.text.markdown.replacing("|", with: "\\|") }
    let isAligned = !table.isLong
    let widths = titles.indices.map { column in
      isAligned ? max(3, titles[column].count, cells.map { $0[column].count }.max() ?? 0) : 3
    }
    let rule = zip(alignments, widths).map { alignment, width in
      let dashes = String(repeating: "-", count: width - 1)
      return alignment == .left ? "-" + dashes : dashes + ":"
    }
    return ([titles, rule] + cells).map { line in
      guard isAligned else { return "|" + line.joined(separator: "|") + "|" }
      let padded = line.indices.map { line[$0].aligned(alignments[$0], to: widths[$0]) }
      return "| " + padded.joined(separator: " | ") + " |"
    }.joined(separator: "\n")
  }

  /// For a terminal of `width` columns: headings with their units under them, columns that line up, the least
  /// interesting left out where all of them would be too wide, and those in which nothing stands. A last column of text
  /// is broken into lines. With `colour` bold entries are bold (ANSI escapes). Empty for no rows.
  func terminal(colour: Bool, width: Int) -> String {
    guard !rows.isEmpty else { return "" }
    let layout = TerminalLayout(self, width: width)
    let (kept, widths) = layout.columns
    let space = String(repeating: " ", count: TerminalLayout.gap)
    let titles = [headings.map(\.title), headings.map(\.unit)].map { line in
      kept.map { line[$0].safeLine.aligned(headings[$0].alignment, to: widths[$0] ?? 0) }.joined(
        separator: space)
    }
    let lines = rows.map { row in
      kept.map { column in
        let width = widths[column] ?? 0
        let isWrapped = column == layout.wrapped
        let text =
          isWrapped ? row[column].wrapped(to: width, at: layout.start) : row[column].fitted(to: width)
        let entry = isWrapped ? text : text.aligned(headings[column].alignment, to: width)
        return colour && row[column].isBold ? "\u{1B}[1m\(entry)\u{1B}[0m" : entry
      }.joined(separator: space)
    }
    return (titles.filter { !$0.trimmedEnd.isEmpty } + lines).map(\.trimmedEnd).joined(separator: "\n")
  }
}

/// A line for each row of a terminal, its texts below each other: to the left, or to the right but for the first column's.
/// A column is as wide as its longest text, and as `widths` says at least.
///
/// - Parameter width: columns of the terminal, where the last text is to be broken between words; nil for none.
public func alignedColumns(
  _ rows: [[String]], rightAligned: Bool = false, widths: [Int] = [], within width: Int? = nil
) -> [String] {
  let rows = rows.map { $0.map(\.safeLine) }
  let widths = (rows.first ?? []).indices.map { column in
    rows.reduce(column < widths.count ? widths[column] : 0) { max($0, $1[column].count) }
  }
  let start = widths.dropLast().reduce(0) { $0 + $1 + TerminalLayout.gap }
  return rows.map { row in
    var row = row
    if let width, let last = row.last, start < width {
      row[row.count - 1] = last.wrapped(to: width - start, at: start)
    }
    let texts = row.indices.map { row[$0].aligned(rightAligned && $0 > 0 ? .right : .left, to: widths[$0]) }
    return texts.joined(separator: String(repeating: " ", count: TerminalLayout.gap)).trimmedEnd
  }
}

/// Which columns a terminal has room for, and how wide each is.
private struct TerminalLayout {
  static let gap = 2
  /// A column of text that is broken into lines is no narrower than this.
  private static let narrowest = 20
  /// A bar takes what the other columns leave, within these.
  static let barWidths = 7...40
  private static let shortest = 8
  let columns: (kept: [Int], widths: [Int: Int])
  /// The last column, where its text has to be broken into lines, and where it begins.
  private(set) var wrapped: Int?
  private(set) var start = 0

  init(_ table: Table, width: Int) {
    let headings = table.headings
    var kept = headings.indices.filter { column in table.rows.contains { !$0[column].isEmpty } }
    var widths = Dictionary(
      uniqueKeysWithValues: kept.map { column in
        let heading = max(headings[column].title.count, headings[column].unit.count)
        return (column, table.rows.reduce(heading) { max($0, $1[column].minimumWidth) })
      })
    func excess() -> Int { kept.reduce(-Self.gap) { $0 + (widths[$1] ?? 0) + Self.gap } - width }
    while excess() > 0,
      let least = kept.filter({ headings[$0].rank > 0 }).max(by: { headings[$0].rank < headings[$1].rank })
    { kept.removeAll { $0 == least } }
    if excess() > 0, let last = kept.last, headings[last].alignment == .left, !headings[last].canShorten,
      !table.rows.contains(where: { $0[last].isBar })
    {
      wrapped = last
      let whole = widths[last] ?? 0
      widths[last] = max(min(Self.narrowest, whole), whole - excess())
    }
    while excess() > 0,
      let longest = kept.filter({ headings[$0].canShorten && (widths[$0] ?? 0) > Self.shortest }).max(by: {
        (widths[$0] ?? 0) < (widths[$1] ?? 0)
      })
    { widths[longest, default: 0] -= 1 }
    while excess() > 0, kept.count > 2 { kept.remove(at: kept.count - 2) }
    start = kept.dropLast().reduce(0) { $0 + (widths[$1] ?? 0) + Self.gap }
    for column in kept where table.rows.contains(where: { $0[column].isBar }) {
      widths[column, default: 0] += min(max(0, -excess()), Self.barWidths.count - 1)
    }
    columns = (kept, widths)
  }
}

extension String {
  /// In lines of at most `width` characters, of which all but the first begin at a terminal's column `start`.
  fileprivate func wrapped(to width: Int, at start: Int) -> String {
    wrapped(to: width, indent: 0)
      .replacing("\n", with: "\n" + String(repeating: " ", count: start))
  }
}

extension Table.Entry {
  fileprivate func wrapped(to width: Int, at start: Int) -> String {
    fitted(to: .max).wrapped(to: width, at: start)
  }

  fileprivate var isBar: Bool { if case .text = content { false } else { true } }

  fileprivate var minimumWidth: Int {
    switch content {
    case .text(let text): text.plain.count
    case .bar, .span: TerminalLayout.barWidths.lowerBound
    }
  }

  fileprivate func fitted(to width: Int) -> String {
    switch content {
    case .text(let text): text.plain.shortened(to: width)
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
}

extension String {
  func aligned(_ alignment: Table.Alignment, to width: Int) -> String {
    alignment == .left ? padded(to: width) : leftPadded(to: width)
  }
}
