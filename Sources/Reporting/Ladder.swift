import Record

/// The short answer: each contestant's speed on one test, fastest first, with a share for its bar.
struct Ladder: Sendable {
  struct Rung: Sendable {
    let row: Row
    /// This rung's speed ÷ the fastest's.
    let share: Double
    /// The same contestant on the prompt's test; nil where that was not measured.
    let prefill: Row?
  }

  let test: Test
  let prefillTest: Test?
  /// The column that the rungs are ranked by.
  let column: Column
  let rungs: [Rung]

  /// On the decode test that most rows have figures for; without one on a prompt's test. Nil where no row
  /// has a figure.
  private init?(_ run: RunFigures) {
    let prefillTest = run.headline { $0.isPrefill }
    guard let test = run.headline(where: \.isDecode) ?? prefillTest else { return nil }
    self.init(run, test: test, prefillTest: test.isDecode ? prefillTest : nil)
  }

  /// The ladders that a report opens with: one for an end-to-end run, one a shape for GEMMs and operations, but for the
  /// engine's own.
  static func all(_ run: RunFigures) -> [Ladder] {
    let ladders =
      run.record.kind != .endToEnd
      ? run.tests.filter { !$0.isTheEngines }.map { Ladder(run, test: $0, prefillTest: nil) }
      : [Ladder(run)].compactMap { $0 }
    return ladders.filter { !$0.rungs.isEmpty }
  }

  /// On one test; without rungs where no row has a figure there.
  init(_ run: RunFigures, test: Test, prefillTest: Test?) {
    self.test = test
    self.prefillTest = prefillTest
    switch test {
    case .decode: column = .decodeRate
    case .prefill: column = .prefillRate
    case .operation(.matmul): column = .gflops
    case .operation: column = .operationTime
    }
    let rows = run.ranked(on: test)
    let fastest = rows.first?.speed ?? 1
    rungs = rows.filter(\.hasFigures).map { row in
      Rung(
        row: row, share: (row.speed ?? 0) / fastest,
        prefill: run.rows.first {
          $0.cell.test == prefillTest && $0.contestant == row.contestant && $0.hasFigures
        })
    }
  }

  var showsWeights: Bool { Set(rungs.map(\.row.cell.weights)).count > 1 }
}

/// A ladder as lines of a terminal: name, bar, figure, speed against naive.
struct TerminalLadder {
  private static let barWidths = 8...40
  private static let shortestName = 8

  let text: String

  init(_ ladder: Ladder, width: Int) {
    let names = ladder.rungs.map { rung in
      let cell = rung.row.cell
      return ladder.showsWeights
        ? "\(cell.variant) \(cell.weights) t\(cell.threads)" : "\(cell.variant) t\(cell.threads)"
    }
    let figures = ladder.rungs.map { ladder.column.display($0.row) }
    let figureWidth = figures.map(\.count).max() ?? 0
    let factors = ladder.rungs.map { Column.speedAgainstNaive.display($0.row) }
    let factorWidth = factors.map(\.count).max() ?? 0
    let room = width - figureWidth - factorWidth - 6
    let nameWidth = min(
      names.map(\.count).max() ?? 0, max(Self.shortestName, room - Self.barWidths.lowerBound))
    let barWidth = min(max(room - nameWidth, Self.barWidths.lowerBound), Self.barWidths.upperBound)
    let lines = ladder.rungs.indices.map { index in
      [
        names[index].shortened(to: nameWidth).padded(to: nameWidth),
        bar(share: ladder.rungs[index].share, width: barWidth).padded(to: barWidth),
        figures[index].leftPadded(to: figureWidth), factors[index].leftPadded(to: factorWidth),
      ].filter { !$0.isEmpty }.joined(separator: "  ")
    }
    let factorNote = factors.contains { !$0.isEmpty } ? ", × naive" : ""
    let title = "\(ladder.test.name): \(ladder.column.heading)\(factorNote), t = threads"
    text = ([title.wrapped(to: width)] + lines).joined(separator: "\n")
  }
}
