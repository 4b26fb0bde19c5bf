import Record

extension MeasuredVariant {
  init(_ cell: Cell) { self.init(variant: cell.variant, weights: cell.weights, threads: cell.threads) }

  /// `` `simd8` (2 threads) ``
  var prose: Prose { "`\(variant)` (\(counted(threads, "thread")))" }
  /// `simd8 (2 threads)`
  var words: String { prose.plain }
}

enum Check: Sendable, Equatable {
  case passed, notChecked
  case failed(String)
}

/// How far weights or a cache of fewer bits are from float32: the worst that any check found; nil where none looked.
struct QualityFigures: Sendable, Equatable {
  let kl, top1, deltaPerplexity: Double?

  init(_ checks: [Correctness]) {
    kl = checks.compactMap(\.kl).max()
    top1 = checks.compactMap(\.top1).min()
    deltaPerplexity = checks.compactMap(\.deltaPerplexity).max()
  }
}

/// One cell with everything that a table says of it.
struct RunRow: Sendable {
  let cell: Cell
  let figures: CellFigures
  /// The oracle's median time ÷ this row's, on the same test.
  let speedAgainstNaive: Figure?
  let check: Check
  let maxAbsoluteError: Double?
  let quality: QualityFigures
  /// Samples that were asked for.
  let wantedSamples: Int

  var contestant: MeasuredVariant { MeasuredVariant(cell) }
  var hasFigures: Bool { speed != nil }

  /// What rows of the same test are ranked by; larger is faster.
  var speed: Double? {
    guard let figure = figures[cell.test.headlineMetric] else { return nil }
    return cell.test.headlineMetric.better == .higher ? figure.value : 1 / figure.value
  }

  /// `pass`, `FAIL`, or nil where nothing was checked.
  var checkWord: String? {
    switch check {
    case .passed: "pass"
    case .failed: "FAIL"
    case .notChecked: nil
    }
  }

  /// Whether the cell's budget of time, or an interruption, ended it before it had all of its samples.
  var isShort: Bool { (1..<max(wantedSamples, 1)).contains(figures.sampleCount) }

  static let driftMark = "‡"

  /// A share of what the machine can do that is above all of it, in per cent; nil where none is.
  var percentAboveARoof: Double? {
    let shares = [figures.rooflinePercent, figures.memoryPercent, figures.peakPercent]
    return shares.compactMap { $0 }.max().flatMap { $0 > 100 ? $0 : nil }
  }

  var isDrifting: Bool { figures.drift?.exceeds(Drift.samples) ?? false }
  /// `drifts` or `steady`; nil for fewer samples than could show it.
  var driftWord: String? { figures.drift.map { _ in isDrifting ? "drifts" : "steady" } }
}

/// Every figure of a run: the rows in the record's order, and fastest first.
struct RunFigures: Sendable {
  static let oracle = "naive"
  let record: Record
  let rows: [RunRow]
  /// Tests in the order in which the record first names them.
  let tests: [Test]

  init(_ record: Record) {
    self.record = record
    let checks = record.cells.map { Self.checks(of: $0, in: record) }
    let outcomes = zip(record.cells, checks).map { Self.outcome(of: $0, entries: $1) }
    let cells = zip(record.cells, outcomes).map { Self.gated($0, by: $1) }
    let machine = MachineDrift(record)
    rows = cells.indices.map { index in
      let cell = cells[index]
      let ceiling = record.ceilings.first { $0.threads == cell.threads }
      return RunRow(
        cell: cell, figures: CellFigures(cell, ceiling: ceiling, machine: machine),
        speedAgainstNaive: Self.speedAgainstOracle(cell, in: cells), check: outcomes[index],
        maxAbsoluteError: checks[index].compactMap(\.maxAbsoluteError).max(),
        quality: QualityFigures(checks[index]),
        wantedSamples: record.settings.repetitions)
    }
    tests = record.cells.map(\.test).uniqued()
  }

  /// Rows test by test, decode first, and within a test fastest first; rows without figures last.
  var ranked: [RunRow] { testsInOrder.flatMap(ranked(on:)) }

  private var testsInOrder: [Test] {
    tests.filter { $0.stage == .decode } + tests.filter { $0.stage != .decode }
  }

  func ranked(on test: Test) -> [RunRow] {
    let own = rows.filter { $0.cell.test == test }
    let measured = own.filter(\.hasFigures).sorted { ($0.speed ?? 0) > ($1.speed ?? 0) }
    return measured + own.filter { !$0.hasFigures }
  }

  /// The tests that a report opens with, decode first: for each time that tests are judged by the one that most rows
  /// have a figure for, the earliest of equals. All of them where operations are measured alone.
  var headlines: [Test] {
    guard record.kind == .endToEnd else { return tests }
    return testsInOrder.map(\.primarySpan).uniqued().compactMap { span in
      let counts = tests.filter { $0.primarySpan == span }.map { test in
        (test: test, count: rows.count { $0.cell.test == test && $0.hasFigures })
      }
      guard let most = counts.map(\.count).max(), most > 0 else { return nil }
      return counts.first { $0.count == most }?.test
    }
  }

  var variants: [String] { (rows.map(\.cell.variant) + record.correctness.map(\.variant)).uniqued() }

  /// Why the variant's first failed check failed; nil where none did.
  func failure(of variant: String) -> String? {
    if let entry = record.correctness.first(where: { $0.variant == variant && !$0.passed }) {
      return entry.reason
    }
    let failed = rows.first { $0.cell.variant == variant && $0.cell.status == .failedCheck }
    return failed.map { $0.cell.message ?? Cell.Status.failedCheck.words }
  }

  /// Against the oracle on the same test: with the same number of threads, else with the fewest.
  private static func speedAgainstOracle(_ cell: Cell, in cells: [Cell]) -> Figure? {
    let own = cell.primaryDurations
    let candidates = cells.filter {
      $0.variant == oracle && $0.test == cell.test && !$0.primaryDurations.isEmpty
    }
    let chosen = candidates.first { $0.threads == cell.threads } ?? candidates.min { $0.threads < $1.threads }
    guard let chosen, !own.isEmpty, !cell.test.isTheEngines else { return nil }
    return chosen == cell ? Figure(value: 1) : Figure(medianOf: chosen.primaryDurations, overMedianOf: own)
  }

  /// The checks that speak for a cell: of an operation's own shape; of the cell's number of threads where there are
  /// some.
  private static func checks(of cell: Cell, in record: Record) -> [Correctness] {
    var entries = record.correctness.filter { $0.variant == cell.variant }
    if record.kind != .endToEnd { entries = entries.filter { $0.reference == cell.test.name } }
    let own = entries.filter { $0.threads == cell.threads }
    return own.isEmpty ? entries : own
  }

  /// The cell without a claim to figures where its check failed, whatever its status says.
  private static func gated(_ cell: Cell, by check: Check) -> Cell {
    guard case .failed(let reason) = check, [.measured, .pending].contains(cell.status) else { return cell }
    var cell = cell
    cell.status = .failedCheck
    cell.message = cell.message ?? reason
    return cell
  }

  private static func outcome(of cell: Cell, entries: [Correctness]) -> Check {
    if let failed = entries.first(where: { !$0.passed }) { return .failed(failed.reason) }
    if cell.status == .failedCheck { return .failed(cell.message ?? Cell.Status.failedCheck.words) }
    return entries.isEmpty ? .notChecked : .passed
  }
}

// What a reader must know beside the figures, one line each.
extension RunFigures {
  var warnings: [Prose] {
    let warnings = ((record.missing ?? []) + (record.resumed ?? []) + record.warnings).map { Prose($0) }
    guard !record.isComplete else { return warnings }
    let done = record.cells.count { $0.status != .pending }
    let reason = record.stopped.map { "; \($0)" } ?? ""
    return ["The run is incomplete: \(done) of \(counted(record.cells.count, "cell")) done\(reason)."]
      + warnings
  }

  /// Each contestant that has no figures on some tests, with the tests and the reason.
  var withoutFigures: [Prose] {
    var groups: [(contestant: MeasuredVariant, why: String, tests: [String])] = []
    for row in rows where !row.hasFigures && row.cell.status != .pending {
      let why = row.cell.status.words + (row.cell.message.map { ": " + $0 } ?? "")
      if let known = groups.firstIndex(where: { $0.contestant == row.contestant && $0.why == why }) {
        groups[known].tests.append(row.cell.test.name)
      } else {
        groups.append((row.contestant, why, [row.cell.test.name]))
      }
    }
    return groups.map { contestant, why, tests in
      "\(contestant.prose) has no figures on \(tests.joined(separator: ", ")): \(why)"
    }
  }

  /// What the mark of rows that drift means; empty where none does.
  var driftRemark: Prose {
    guard rows.contains(where: \.isDrifting) else { return "" }
    return """
      \(RunRow.driftMark) drifts: the times of this row changed by more than \(NumberText.percent(Drift.samples)) from \
      the first half of its samples to the second (Mann-Kendall p < \(Drift.significance)); its median describes \
      neither half.
      """
  }

  /// The rows that took more than all of a roof, the farthest first; empty where none did.
  var roofRemark: Prose {
    let above = rows.compactMap { row in row.percentAboveARoof.map { (row: row, percent: $0) } }
      .sorted { $0.percent > $1.percent }
    guard !above.isEmpty else { return "" }
    let named = above.prefix(3).map { row, percent -> Prose in
      "\(row.contestant.prose) on \(row.cell.test.name) (\(NumberText.fixed(percent, 0)) %)"
    }
    let more = above.count > 3 ? ", and \(above.count - 3) more" : ""
    return """
      Above 100 % of a roof: \(named.joined(separator: ", "))\(more). The roof was measured too low, or in a worse moment \
      than the samples. (What the first-level cache holds has the second level's roof: the first is not measured.)
      """
  }

  /// What the record says of cells that have all of their figures.
  var remarksOnFigures: [Prose] {
    rows.filter { $0.hasFigures && !$0.isShort }.compactMap { row in
      row.cell.message.map { "\(row.contestant.prose) on \(row.cell.test.name): \($0)" }
    }
  }
}

extension Cell.Status {
  var words: String {
    switch self {
    case .pending: "not finished"
    case .measured: "measured without a sample"
    case .failedCheck: "failed its correctness check"
    case .died: "its process died"
    case .hung: "its process hung"
    case .rejected: "its figures were rejected"
    case .skipped: "skipped"
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element where it stands first.
  public func uniqued() -> [Element] {
    var seen = Set<Element>()
    return filter { seen.insert($0).inserted }
  }
}

extension [Correctness] {
  /// Whether any is of weights or a cache with fewer bits than float32's.
  var haveQuality: Bool { contains { $0.kl != nil || $0.top1 != nil || $0.deltaPerplexity != nil } }
}

extension Correctness {
  /// Which reference it missed, and how.
  var reason: String { "\(reference): \(failure ?? "outside the tolerance")" }
}
