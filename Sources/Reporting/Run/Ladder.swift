import Record

/// The short answer: each contestant's speed on one test, fastest first, with a share for its bar.
struct Ladder: Sendable {
  struct Rung: Sendable {
    let row: RunRow
    let share: Double
    /// The same contestant on the other test; nil where that was not measured.
    let other: RunRow?
  }

  let test: Test
  /// The test beside it.
  let other: Test?
  let metric: Metric
  let column: Column<RunRow>
  let rungs: [Rung]
  /// Whether any weights or cache have fewer bits than float32's.
  private let showsQuality: Bool

  /// The ladders that a report opens with: the first test of an end-to-end run with the second beside it; one a test
  /// for what is left and for operations, but for the engine's own.
  static func all(_ run: RunFigures) -> [Ladder] {
    let tests = run.headlines.filter { !$0.isTheEngines }
    let second = run.record.kind == .endToEnd ? tests.dropFirst().first : nil
    return tests.filter { $0 != second }
      .map { Ladder(run, test: $0, beside: $0 == tests.first ? second : nil) }
      .filter { !$0.rungs.isEmpty }
  }

  /// On one test; without rungs where no row has a figure there.
  init(_ run: RunFigures, test: Test, beside other: Test? = nil) {
    self.test = test
    self.other = other
    showsQuality = run.record.correctness.haveQuality
    // Where the sizes tell the arithmetic, a time says little without them.
    metric = test.flops == nil ? test.headlineMetric : .gflops
    column = .metric(metric)
    let rows = run.ranked(on: test)
    let fastest = rows.first?.speed ?? 1
    rungs = rows.filter(\.hasFigures).map { row in
      Rung(
        row: row, share: (row.speed ?? 0) / fastest,
        other: run.rows.first {
          $0.cell.test == other && $0.contestant == row.contestant && $0.hasFigures
        })
    }
  }

  var unit: String { metric.unit.name }
  private var showsWeights: Bool { Set(rungs.map(\.row.cell.weights)).count > 1 }

  /// For Markdown: a bar a row, and the other test beside it.
  var table: Table {
    typealias Rungs = Column<Rung>
    let (column, test) = (column, test)
    let isAgainstNaive = rungs.contains { $0.row.speedAgainstNaive != nil }
    func shown(
      _ heading: Prose, _ column: Column<RunRow>, _ row: @escaping @Sendable (Rung) -> RunRow?
    ) -> Rungs { Rungs(heading, alignment: .right, .prose { row($0).map(column.display) }) }
    var columns = [Rungs("variant", .prose { .code($0.row.cell.variant) })]
    if showsWeights { columns.append(Rungs("weights", .text { $0.row.cell.weights })) }
    columns += [
      Rungs("threads", .integer { $0.row.cell.threads }),
      shown("\(column.heading.text), `\(test.name)`", column) { $0.row },
      Rungs("", .text { bar(share: $0.share, width: 24) }),
    ]
    if isAgainstNaive { columns.append(shown("against naive", .speedAgainstNaive) { $0.row }) }
    if let other {
      let rate = Column<RunRow>.metric(other.headlineMetric)
      columns.append(shown("\(rate.heading.text), `\(other.name)`", rate) { $0.other })
      if isAgainstNaive { columns.append(shown("against naive", .speedAgainstNaive) { $0.other }) }
    }
    if showsQuality { columns += Column.quality { $0.row.quality } }
    columns.append(Rungs("check", .prose { Column<RunRow>.outcome.display($0.row) }))
    return Table(columns, rungs)
  }

  private static let barWidths = 8...40
  private static let shortestName = 8

  func text(width: Int) -> String {
    let names = rungs.map(\.row.cell).map { cell in
      "\(cell.variant)\(showsWeights && cell.weights != cell.variant ? " \(cell.weights)" : "") t\(cell.threads)"
    }
    let figures = rungs.map { column.display($0.row).plain }
    let figureWidth = figures.map(\.count).max() ?? 0
    let factors = rungs.map { Column<RunRow>.speedAgainstNaive.display($0.row).plain }
    let factorWidth = factors.map(\.count).max() ?? 0
    let room = width - figureWidth - factorWidth - 6
    let nameWidth = min(
      names.map(\.count).max() ?? 0, max(Self.shortestName, room - Self.barWidths.lowerBound))
    let barWidth = min(max(room - nameWidth, Self.barWidths.lowerBound), Self.barWidths.upperBound)
    let lines = rungs.indices.map { index in
      [
        names[index].shortened(to: nameWidth).padded(to: nameWidth),
        bar(share: rungs[index].share, width: barWidth).padded(to: barWidth),
        figures[index].leftPadded(to: figureWidth), factors[index].leftPadded(to: factorWidth),
      ].filter { !$0.isEmpty }.joined(separator: "  ")
    }
    let factorNote = factors.contains { !$0.isEmpty } ? ", × naive" : ""
    let title = "\(test.name): \(column.heading.text.plain)\(factorNote), t = threads"
    return ([title.wrapped(to: width)] + lines).joined(separator: "\n")
  }
}

/// The record's rows as a plain table for a terminal, fastest first, under short ladders with bars.
public struct TerminalTable: Sendable {
  public let text: String

  /// With `colour` the best figures of each test are bold. Columns of lesser interest are left out until the table fits
  /// the `width`, then names are shortened. Where `isVerbose` it is all of the report, with how it was measured.
  public init(_ record: Record, colour: Bool, width: Int = 100, isVerbose: Bool = false) {
    guard !isVerbose else {
      text = RunReport(record).document.terminal(colour: colour, width: width)
      return
    }
    let run = RunFigures(record)
    let ladders = Ladder.all(run).map { $0.text(width: width) }
    let blocks =
      ladders + [Self.table(run).terminal(colour: colour, width: width), Self.remarks(run, width: width)]
    text = blocks.filter { !$0.isEmpty }.map { $0 + "\n" }.joined(separator: "\n")
  }

  /// Every cell, the best figures of each test in bold where there is more than one.
  private static func table(_ run: RunFigures) -> Table {
    // The sizes of the caches are for reports: a terminal has no room for them.
    let (rows, columns) = (run.ranked, run.record.columns.filter { $0.key != Metric.cacheMemory.key })
    var table = Table(columns, rows)
    for index in columns.indices {
      table.headings[index].canShorten = columns[index].reading.alignment == .left
    }
    for (index, column) in columns.enumerated() {
      guard let better = column.better else { continue }
      for group in Dictionary(grouping: rows.indices, by: { rows[$0].cell.test }).values {
        let found = group.compactMap { row in column.magnitude(rows[row]).map { (row, $0) } }
        guard found.count > 1, let first = found.max(by: { better == .higher ? $0.1 < $1.1 : $0.1 > $1.1 })
        else { continue }
        table.rows[first.0][index].isBold = true
      }
    }
    return table
  }

  private static func remarks(_ run: RunFigures, width: Int) -> String {
    let lines = (run.warnings + run.withoutFigures + [run.driftRemark, run.roofRemark]).map(\.marked)
    return lines.filter { !$0.isEmpty }.map { $0.wrapped(to: width) }.joined(separator: "\n")
  }
}
