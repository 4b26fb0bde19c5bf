import Record
import Statistics

/// Runs of one model on one machine, and how each row's figure went from one to the next. It knows records and nothing
/// of where they are kept. The runs are unpaired: what the machine did between them is in the figures too.
public struct RunHistory: Sendable {
  /// The oldest first.
  let runs: [RunFigures]
  let rows: [HistoryRow]
  /// Records that are not shown: of another model or machine, or of another build's flags.
  private let leftOut: Int

  /// - Parameter records: in any order. The newest says which model and machine the history is of.
  /// - Returns: nil for no end-to-end record with a figure.
  public init?(_ records: [Record]) {
    let ordered = records.filter { $0.kind == .endToEnd }.sorted { $0.started < $1.started }
    guard let newest = ordered.last else { return nil }
    let kept = ordered.filter { $0 == newest || Comparison.carriesOver(from: $0, to: newest) }
    runs = kept.map(RunFigures.init)
    leftOut = records.count - kept.count
    rows = HistoryRow.all(of: runs)
    guard !rows.isEmpty else { return nil }
  }

  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  public func text(as format: PageFormat) throws -> String {
    guard let result = format.result else { return page.text }
    return try points.text(as: result, .historyPoints, of: document)
  }

  public func terminalText(colour: Bool, width: Int) -> String {
    [
      document.title.plain, runTable.terminal(colour: colour, width: width),
      Table(.history, rows).terminal(colour: colour, width: width),
    ].joined(separator: "\n\n")
  }

  var document: Document {
    let model = runs.last?.record.model?.name ?? ""
    let others =
      leftOut > 0 ? " \(counted(leftOut, "record")) of other work, machines or build flags left out." : ""
    return Document(
      title: "\(counted(runs.count, "run")) of \(model), the oldest first",
      opening: [.table(Table(.history, rows), label: "rows")],
      sections: [
        Section(id: "runs", title: "Runs", [.table(runTable, label: "runs")]),
        Section(
          id: "method", title: "How to read it",
          [
            .list([
              """
              **Trend** has a bar for each run, taller where the row was faster; a space where the row had no figure. \
              It spans the row's figures, and at least \(NumberText.percent(HistoryRow.leastSpan)) of their median, so \
              that noise stays flat.
              """,
              """
              **Ratio** = the newest figure against the oldest; above 1 the newest is faster. The runs are unpaired. \
              `gpt2-bench compare BASE HEAD` says whether two of them differ by more than the machine did.\(others)
              """,
            ])
          ]),
      ])
  }

  private var runTable: Table { Table(.historyRuns, runs.map(\.record)) }

  private var points: [HistoryPoint] { HistoryPoint.all(of: rows, in: runs) }
}

/// A row's figure in one run.
struct HistoryPoint: Sendable {
  let run: Record
  let row: HistoryRow
  let figure: Figure

  /// Row by row, each run's figure where it has one.
  static func all(of rows: [HistoryRow], in runs: [RunFigures]) -> [HistoryPoint] {
    rows.flatMap { row in
      zip(runs, row.figures).compactMap { run, figure in
        figure.map { HistoryPoint(run: run.record, row: row, figure: $0) }
      }
    }
  }
}

extension [HistoryPoint] {
  /// The document, or the points for programs.
  /// - Throws: an `EncodingError` for JSON of a number that is not finite.
  func text(
    as format: ResultFormat, _ columns: [Column<HistoryPoint>], of document: Document
  ) throws -> String {
    switch format {
    case .markdown: document.markdown
    case .csv: CSV.text(columns, self)
    case .json:
      try jsonText([
        "schema": .integer(1),
        "points": JSONValue.array(map { .object(Column.members(columns, of: $0)) }),
      ])
    }
  }
}

/// One contestant on one test: its headline figure in each run, nil where a run has none.
struct HistoryRow: Sendable {
  struct Place: Hashable, Sendable {
    let contestant: MeasuredVariant
    let test: Test
  }

  let place: Place
  let figures: [Figure?]

  /// One for each place that has a figure in any of the runs.
  static func all(of runs: [RunFigures]) -> [HistoryRow] {
    let measured = runs.flatMap { run in run.rows.filter(\.hasFigures) }
    let places = measured.map { Place(contestant: $0.contestant, test: $0.cell.test) }.uniqued()
    return places.map { place in
      HistoryRow(
        place: place,
        figures: runs.map { run in
          let row = run.rows.first { $0.contestant == place.contestant && $0.cell.test == place.test }
          return row.flatMap { $0.figures[place.test.headlineMetric] }
        })
    }
  }

  /// What a trend's height stands for at least, as a share of the row's median.
  static let leastSpan = 0.2

  var metric: Metric { place.test.headlineMetric }
  private var known: [Figure] { figures.compactMap { $0 } }
  var newest: Figure? { known.last }

  /// Above 1 where the newest is faster than the oldest; nil for fewer than two figures.
  var ratio: Double? {
    guard known.count > 1, let old = known.first?.value, let new = known.last?.value else { return nil }
    return metric.better == .higher ? new / old : old / new
  }

  /// `▂▃▃█`
  var trend: String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let speeds = figures.map { $0.map { metric.better == .higher ? $0.value : 1 / $0.value } }
    let measured = speeds.compactMap { $0 }
    guard let middle = median(measured), let low = measured.min(), let high = measured.max() else {
      return ""
    }
    let span = max(high - low, Self.leastSpan * middle)
    let floor = (low + high - span) / 2
    return String(
      speeds.map { speed in
        guard let speed else { return " " }
        return bars[min(max(Int((speed - floor) / span * Double(bars.count)), 0), bars.count - 1)]
      })
  }
}

extension [Column<HistoryRow>] {
  static var history: Self {
    [
      Column("variant", .text(\.place.contestant.variant)) { .code($0.place.contestant.variant) },
      Column("weights", rank: 3, .text(\.place.contestant.weights)),
      Column("threads", rank: 2, .integer(\.place.contestant.threads)),
      Column("test", .text(\.place.test.name)),
      Column("metric", rank: 1, .text(\.metric.name)),
      Column("trend", .text(\.trend)),
      Column("newest", .figure(\.newest)),
      Column("ratio, > 1 is faster", short: ("ratio", ""), style: .decimals(3), .number(\.ratio)),
    ]
  }
}

extension [Column<HistoryPoint>] {
  static var historyPoints: Self {
    [
      Column("started", .text(\.run.started)),
      Column("commit", .text(\.run.build.commit)),
      Column("variant", .text(\.row.place.contestant.variant)),
      Column("weights", .text(\.row.place.contestant.weights)),
      Column("threads", .integer(\.row.place.contestant.threads)),
      Column("test", .text(\.row.place.test.name)),
      Column("metric", .text(\.row.metric.name)),
      Column("unit", .text(\.row.metric.unit.name)),
      Column("value", .figure(\.figure)),
    ]
  }
}

extension [Column<Record>] {
  static var historyRuns: Self {
    [
      Column("started", .text(\.started)),
      Column("commit", .text(\.build.commit)),
      Column("version", rank: 1, .text(\.build.version)),
    ]
  }
}
