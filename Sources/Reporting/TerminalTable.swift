import Record

/// The record's rows as a plain table for a terminal, fastest first, under a short ladder with bars.
public struct TerminalTable: Sendable {
  public let text: String

  /// - Parameters:
  ///   - colour: whether the best figures of each test are bold (ANSI escapes).
  ///   - width: columns of the terminal; columns of lesser interest are left out until the table fits, then
  ///     names are shortened.
  public init(_ record: Record, colour: Bool, width: Int = 100) {
    let run = RunFigures(record)
    let ladders = Ladder.all(run).map { TerminalLadder($0, width: width).text }
    let blocks = ladders + [Self.table(run, colour: colour, width: width), Self.remarks(run, width: width)]
    text = blocks.filter { !$0.isEmpty }.map { $0 + "\n" }.joined(separator: "\n")
  }

  private static func table(_ run: RunFigures, colour: Bool, width: Int) -> String {
    let rows = run.ranked
    let columns = TerminalColumn.all(run.record.kind, hasBatches: run.record.hasBatches)
    let best = bestRows(rows, columns)
    var table = TextTable(columns.map(\.heading))
    table.rows = rows.indices.map { row in
      columns.indices.map { column in
        TextTable.Entry(columns[column].column.display(rows[row]), isBold: best.contains([row, column]))
      }
    }
    return table.text(colour: colour, width: width)
  }

  /// Row and column of each best figure among the rows of its test, where there is more than one.
  private static func bestRows(_ rows: [Row], _ columns: [TerminalColumn]) -> Set<[Int]> {
    var best = Set<[Int]>()
    for (index, shown) in columns.enumerated() {
      guard let better = shown.column.better else { continue }
      let groups = Dictionary(grouping: rows.indices) { rows[$0].cell.test }
      for group in groups.values {
        let found = group.compactMap { row in shown.column.magnitude(rows[row]).map { (row, $0) } }
        guard found.count > 1,
          let first = found.max(by: { better == .higher ? $0.1 < $1.1 : $0.1 > $1.1 })
        else { continue }
        best.insert([first.0, index])
      }
    }
    return best
  }

  private static func remarks(_ run: RunFigures, width: Int) -> String {
    let drift = run.rows.contains(where: \.isDrifting) ? ["\(Row.driftMark) \(Row.driftMeaning)"] : []
    return (RunRemarks.warnings(run.record) + RunRemarks.withoutFigures(run) + drift)
      .map { $0.wrapped(to: width) }.joined(separator: "\n")
  }
}

/// A column with the short heading that a terminal has room for.
struct TerminalColumn: Sendable {
  let column: Column
  let title: String
  let unit: String
  /// 0 for a column that always stays; else the highest is left out first.
  let rank: Int

  private init(_ column: Column, _ title: String, _ unit: String = "", rank: Int = 0) {
    self.column = column
    self.title = title
    self.unit = unit
    self.rank = rank
  }

  /// Names are what is long: of a variant, of another program, of a test.
  var heading: TextTable.Column {
    TextTable.Column(
      title: title, unit: unit, alignment: column.isText ? .left : .right, rank: rank,
      canShorten: column.isText)
  }

  static func all(_ kind: Record.Kind, hasBatches: Bool) -> [TerminalColumn] {
    switch kind {
    case .endToEnd:
      return [
        .init(.variant, "variant"), .init(.weights, "weights", rank: 7),
        .init(.threads, "thr"), .init(.test, "test"), .init(.timeToFirstToken, "TTFT", "ms", rank: 1),
        .init(.prefillRate, "prefill", "tok/s ± CI"), .init(.decodeRate, "decode", "tok/s ± CI"),
      ]
        + (hasBatches ? [.init(.decodeRatePerUser, "per user", "tok/s ± CI", rank: 1)] : []) + [
          .init(.timePerOutputToken, "TPOT", "ms", rank: 5),
          .init(.interTokenLatency, "ITL p50 / p90 / p99", "ms", rank: 6),
          .init(.roofline, "roofline", "%", rank: 3), .init(.roof, "roof", rank: 8),
          .init(.peakMemory, "memory", "MiB", rank: 2), .init(.speedAgainstNaive, "speed", "× naive"),
          .init(.sampleCount, "n", rank: 4), .init(.outcome, "check"),
        ]
    case .matmul:
      return [
        .init(.variant, "variant"), .init(.m, "M"), .init(.k, "K"), .init(.n, "N"),
        .init(.threads, "thr"), .init(.gemmTime, "time", "ms ± CI"), .init(.gflops, "GFLOP/s"),
        .init(.gbPerSecond, "GB/s", rank: 2), .init(.roofline, "roofline", "%", rank: 1),
        .init(.roof, "roof", rank: 5), .init(.maxError, "max", "error", rank: 3), .init(.outcome, "check"),
        .init(.speedAgainstNaive, "speed", "× naive"), .init(.sampleCount, "n", rank: 4),
      ]
    case .operations:
      return [
        .init(.variant, "variant"), .init(.test, "test"), .init(.threads, "thr"),
        .init(.operationTime, "time", "µs ± CI"), .init(.gflops, "GFLOP/s"),
        .init(.gbPerSecond, "GB/s", rank: 2), .init(.roofline, "roofline", "%", rank: 1),
        .init(.roof, "roof", rank: 5), .init(.maxError, "max", "error", rank: 3), .init(.outcome, "check"),
        .init(.speedAgainstNaive, "speed", "× naive"), .init(.sampleCount, "n", rank: 4),
      ]
    }
  }
}
