/// One column of the tables: what it is called and what it reads from a row. Markdown, CSV and the terminal
/// show the same columns, so that they agree.
struct Column: Sendable {
  enum Reading: Sendable {
    case text(@Sendable (Row) -> String?)
    case integer(@Sendable (Row) -> Int?)
    case number(@Sendable (Row) -> Double?)
    case figure(@Sendable (Row) -> Figure?)
    case percentiles(@Sendable (Row) -> Percentiles?)
  }

  enum Better: Sendable { case higher, lower }

  /// How a number is written in a table for people: `12.34`, `12.3×`, `1.2e-06`.
  enum Style: Sendable { case plain, factor, scientific }

  /// The CSV field, with its unit: `ttft_ms`. Percentiles put theirs between name and unit: `itl_p50_ms`.
  let key: String
  /// `TTFT`
  let title: String
  /// `ms`; empty for text.
  let unit: String
  let better: Better?
  let reading: Reading
  /// Whether the tables show ± behind the figure; CSV always holds both ends.
  let showsInterval: Bool
  let style: Style

  init(
    _ key: String, _ title: String, unit: String = "", better: Better? = nil, showsInterval: Bool = false,
    style: Style = .plain, _ reading: Reading
  ) {
    self.key = key
    self.title = title
    self.unit = unit
    self.better = better
    self.reading = reading
    self.showsInterval = showsInterval
    self.style = style
  }

  /// `TTFT ms`
  var heading: String {
    [title, unit].filter { !$0.isEmpty }.joined(separator: " ") + (showsInterval ? " ± CI" : "")
  }

  var isText: Bool {
    if case .text = reading { return true }
    return false
  }

  /// The row's entry in a table for people; empty where there is no figure.
  func display(_ row: Row) -> String {
    switch reading {
    case .text(let read): return read(row) ?? ""
    case .integer(let read): return read(row).map(String.init) ?? ""
    case .number(let read): return read(row).map(display) ?? ""
    case .figure(let read):
      guard let figure = read(row) else { return "" }
      return showsInterval ? NumberText.estimate(figure) : display(figure.value)
    case .percentiles(let read):
      return read(row).map { [$0.p50, $0.p90, $0.p99].map(display).joined(separator: " / ") } ?? ""
    }
  }

  /// What rows are compared by in this column.
  func magnitude(_ row: Row) -> Double? {
    switch reading {
    case .text: return nil
    case .integer(let read): return read(row).map(Double.init)
    case .number(let read): return read(row)
    case .figure(let read): return read(row)?.value
    case .percentiles(let read): return read(row)?.p50
    }
  }

  /// The names of its CSV fields.
  var csvNames: [String] {
    switch reading {
    case .text, .integer, .number: return [key]
    case .figure: return [key, key + "_ci_low", key + "_ci_high"]
    case .percentiles: return ["p50", "p90", "p99"].map { "\(key)_\($0)_\(unit)" }
    }
  }

  /// The row's CSV fields, one for each name; empty where there is no figure.
  func csvValues(_ row: Row) -> [String] {
    switch reading {
    case .text(let read): return [read(row) ?? ""]
    case .integer(let read): return [read(row).map(String.init) ?? ""]
    case .number(let read): return [exact(read(row))]
    case .figure(let read):
      let figure = read(row)
      return [exact(figure?.value), exact(figure?.interval?.lower), exact(figure?.interval?.upper)]
    case .percentiles(let read):
      let percentiles = read(row)
      return [exact(percentiles?.p50), exact(percentiles?.p90), exact(percentiles?.p99)]
    }
  }

  private func display(_ value: Double) -> String {
    switch style {
    case .plain: return NumberText.significant(value)
    case .factor: return NumberText.factor(value)
    case .scientific: return NumberText.scientific(value)
    }
  }

  private func exact(_ value: Double?) -> String {
    value.map(NumberText.plain) ?? ""
  }
}
