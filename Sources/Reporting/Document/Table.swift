import Record

/// Headings and rows of text: what every table comes to before one of the writers sets it.
struct Table: Sendable {
  enum Alignment: Sendable { case left, right }

  struct Heading: Sendable {
    /// As Markdown and HTML show it, in a line: `TTFT ms`.
    var text: Prose
    /// As a terminal shows it, in two: `TTFT` over `ms`.
    var title: String
    var unit = ""
    var alignment = Alignment.right
    /// In a terminal: 0 for a column that always stays; else the highest is left out first.
    var rank = 0
    /// In a terminal: whether entries lose their middle where the table is too wide without all that can be left out.
    var canShorten = false
    /// Whether Markdown and HTML leave the column out where nothing stands in it, as a terminal always does.
    var isOptional = false
  }

  struct Entry: Sendable {
    enum Content: Sendable {
      case text(Prose)
      case bar(share: Double)
      /// A bar from one share of the width to another, in another grey where it `grows`.
      case span(from: Double, to: Double, grows: Bool)
    }

    var content: Content
    /// Of a terminal; elsewhere the text's own marks say what is bold.
    var isBold = false
    var isBad = false

    init(_ text: Prose, isBold: Bool = false, isBad: Bool = false) {
      content = .text(text)
      self.isBold = isBold
      self.isBad = isBad
    }

    init(_ text: String, isBold: Bool = false) { self.init(Prose(text), isBold: isBold) }
    init(_ content: Content) { self.content = content }

    var isEmpty: Bool { if case .text(let text) = content { text.isEmpty } else { false } }

    /// In a line of text: a bar of at most 24 characters.
    var text: Prose {
      switch content {
      case .text(let text): text
      case .bar(let share): Prose(Reporting.bar(share: share, width: 24))
      case .span: ""
      }
    }
  }

  var headings: [Heading]
  var rows: [[Entry]]

  init(_ headings: [Heading], rows: [[Entry]] = []) {
    self.headings = headings
    self.rows = rows
  }

  /// A row for each of `values`, in the columns' words.
  init<Row>(_ columns: [Column<Row>], _ values: [Row]) {
    self.init(columns.map(\.heading), rows: values.map { value in columns.map { $0.entry(value) } })
  }

  var withoutEmptyColumns: Table {
    let kept = headings.indices.filter { column in
      !headings[column].isOptional || rows.contains { !$0[column].isEmpty }
    }
    return Table(kept.map { headings[$0] }, rows: rows.map { row in kept.map { row[$0] } })
  }
}

extension Table.Heading {
  /// A heading for a table that is never shown in two lines.
  init(_ text: Prose, _ alignment: Table.Alignment = .right, isOptional: Bool = false) {
    self.init(text: text, title: text.plain, alignment: alignment, isOptional: isOptional)
  }

  /// A heading of a terminal's table; in one line it is `TITLE UNIT`.
  static func short(
    _ title: String, _ unit: String = "", _ alignment: Table.Alignment = .right, rank: Int = 0,
    canShorten: Bool = false
  ) -> Self {
    Self(
      text: Prose([title, unit].filter { !$0.isEmpty }.joined(separator: " ")), title: title, unit: unit,
      alignment: alignment, rank: rank, canShorten: canShorten)
  }
}

/// A column over rows of any kind: what it is called and what it reads from a row, for Markdown, HTML, CSV and
/// terminals.
struct Column<Row>: Sendable {
  enum Reading: Sendable {
    case prose(@Sendable (Row) -> Prose?)
    case text(@Sendable (Row) -> String?)
    case flag(@Sendable (Row) -> Bool?)
    case integer(@Sendable (Row) -> Int?)
    case number(@Sendable (Row) -> Double?)
    case figure(@Sendable (Row) -> Figure?)
    case percentiles(@Sendable (Row) -> Percentiles?)
    /// A bar; no CSV field.
    case drawing(@Sendable (Row) -> Table.Entry.Content?)

    var alignment: Table.Alignment {
      switch self {
      case .prose, .text, .flag, .drawing: .left
      case .integer, .number, .figure, .percentiles: .right
      }
    }
  }

  /// How a number is written in a table for people: `12.34`, `12.3×`, `1.2e-06`, `0.994`.
  enum Style: Sendable {
    case significant(Int)
    case factor, scientific
    case decimals(Int)
    /// A share of 1, in per cent.
    case percent
    /// All digits that matter, at most seven.
    case exact
    /// Nanoseconds, in the unit of the scale; a change has its sign.
    case time(TimeScale, isChange: Bool = false)

    static var plain: Style { .significant(4) }
  }

  var heading: Table.Heading
  /// The CSV field, with its unit: `ttft_ms`. Percentiles put theirs between name and unit: `itl_p50_ms`.
  let key: String
  var better: Metric.Better?
  let reading: Reading
  /// What a table for people shows in place of the reading itself.
  var shown: (@Sendable (Row) -> Prose)?
  /// Whether the tables show ± after the figure; CSV always holds both ends.
  var showsInterval = false
  var style = Style.plain
  var isBad: @Sendable (Row) -> Bool = { _ in false }
  var isBold: @Sendable (Row) -> Bool = { _ in false }

  /// The same column in another style, or with another rank in a terminal.
  func styled(_ style: Style? = nil, rank: Int? = nil) -> Self {
    var column = self
    column.style = style ?? self.style
    column.heading.rank = rank ?? heading.rank
    if case .time(let scale, _) = style { column.heading.unit = scale.unit }
    return column
  }

  /// The row's entry in a table for people; empty where there is no figure.
  func entry(_ row: Row) -> Table.Entry {
    if case .drawing(let read) = reading, let content = read(row) { return Table.Entry(content) }
    return Table.Entry(display(row), isBold: isBold(row), isBad: isBad(row))
  }

  func display(_ row: Row) -> Prose {
    if let shown { return shown(row) }
    switch reading {
    case .prose(let read): return read(row) ?? ""
    case .flag(let read): return Prose(read(row).map { $0 ? "yes" : "no" } ?? "")
    case .number(let read): return Prose(read(row).map(display) ?? "")
    case .figure(let read):
      guard let figure = read(row) else { return "" }
      return Prose(showsInterval ? NumberText.estimate(figure) : display(figure))
    case .percentiles(let read):
      return Prose(read(row).map { [$0.p50, $0.p90, $0.p99].map(display).joined(separator: " / ") } ?? "")
    case .text, .integer, .drawing: return Prose(fields(row).joined())
    }
  }

  /// What rows are compared by in this column; nil for text.
  func magnitude(_ row: Row) -> Double? {
    switch values(row).first {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  var fields: [String] {
    switch reading {
    case .prose, .text, .flag, .integer, .number: [key]
    case .figure: [key, key + "_ci_low", key + "_ci_high"]
    case .drawing: []
    case .percentiles: ["p50", "p90", "p99"].map { "\(key)_\($0)_\(heading.unit)" }
    }
  }

  /// What the row has for each of these, at full precision; nil where there is no figure.
  func values(_ row: Row) -> [JSONValue?] {
    func numbers(_ values: Double?...) -> [JSONValue?] { values.map { $0.map(JSONValue.number) } }
    switch reading {
    case .prose(let read): return [read(row).map { .string($0.plain) }]
    case .text(let read): return [read(row).map(JSONValue.string)]
    case .flag(let read): return [read(row).map(JSONValue.bool)]
    case .integer(let read): return [read(row).map(JSONValue.integer)]
    case .number(let read): return numbers(read(row))
    case .figure(let read):
      let figure = read(row)
      return numbers(figure?.value, figure?.interval?.lower, figure?.interval?.upper)
    case .percentiles(let read):
      let percentiles = read(row)
      return numbers(percentiles?.p50, percentiles?.p90, percentiles?.p99)
    case .drawing: return []
    }
  }

  /// The row's CSV fields, one for each name; empty where there is no figure.
  func fields(_ row: Row) -> [String] {
    values(row).map { value in
      switch value {
      case .string(let text): text
      case .bool(let flag): "\(flag)"
      case .integer(let count): "\(count)"
      case .number(let number): NumberText.plain(number)
      default: ""
      }
    }
  }

  private func display(_ figure: Figure) -> String {
    switch style {
    case .significant(let digits): NumberText.supported(figure, digits)
    case .factor: NumberText.factor(figure)
    default: display(figure.value)
    }
  }

  private func display(_ value: Double) -> String {
    switch style {
    case .significant(let digits): return NumberText.significant(value, digits)
    case .factor: return NumberText.factor(value)
    case .scientific: return NumberText.scientific(value)
    case .decimals(let count): return NumberText.rounded(value, count)
    case .percent: return NumberText.percent(value)
    case .exact: return NumberText.plain(value)
    case .time(let scale, let isChange): return isChange ? scale.signed(value) : scale.text(value)
    }
  }
}

extension Column {
  /// The heading is in one line, with the unit; a terminal's two lines are `short`, else the heading. Where none is
  /// given, the key is the heading's words, and text stands left and numbers right.
  init(
    _ heading: Prose, key: String? = nil, short: (title: String, unit: String)? = nil,
    alignment: Table.Alignment? = nil, rank: Int = 0, isOptional: Bool = false, style: Style = .plain,
    better: Metric.Better? = nil, _ reading: Reading, shown: (@Sendable (Row) -> Prose)? = nil,
    isBad: @escaping @Sendable (Row) -> Bool = { _ in false }
  ) {
    self.init(
      heading: Table.Heading(
        text: heading, title: short?.title ?? heading.plain, unit: short?.unit ?? "",
        alignment: alignment ?? reading.alignment, rank: rank, isOptional: isOptional),
      key: key ?? heading.plain, better: better, reading: reading, shown: shown, style: style, isBad: isBad)
  }
}
