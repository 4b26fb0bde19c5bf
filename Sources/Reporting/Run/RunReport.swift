import Record

/// A run as reports for people: the answer first, then every figure, correctness, how it was measured, and the machine.
/// Each is a section here; a page and a comment have all of them, and `report.md` the short ones.
public struct RunReport: Sendable {
  let run: RunFigures
  let validity: Validity
  var record: Record { run.record }

  public init(_ record: Record) { self.init(RunFigures(record)) }
  init(_ run: RunFigures) { (self.run, validity) = (run, Validity(run.record)) }

  /// The report as a comment on GitHub: which variant is fastest, and every table folded.
  public var gitHubComment: String {
    GitHubComment(
      marker: "gpt2-bench report", heading: "\(record.subject) on \(record.machine.cpu)",
      shown: answer + [.warnings(run.warnings)],
      folded: [
        Section(id: "ranking", title: "Ranking", ladders), everyCell(), positions, work, correctness, loading,
        method, machine,
      ]
    ).text
  }

  /// `synthetic:gpt2 on Intel(R) Xeon(R) Processor`
  var title: Prose { "\(record.subject) on \(record.machine.cpu)" }
}

// The answer.
extension RunReport {
  /// Which variant is fastest, by how much, and whether all were correct; then who has no figures, and why.
  var answer: [Block] {
    if let answer = profiledAnswer { return [.paragraph(answer)] }
    let headlines = Headline.all(run, profiles: ProfileFigures.all(record)).filter { !$0.test.isTheEngines }
    guard !headlines.isEmpty else {
      let opening: Prose = run.rows.contains(where: \.hasFigures) ? "" : "No variant has a figure."
      let words = [opening, verdict].filter { !$0.isEmpty }.joined(separator: " ")
      return [.paragraph(words), .list(run.withoutFigures)]
    }
    // More would be a list that says less than the table.
    let isLong = headlines.count > 2
    let sentences =
      isLong
      ? [headlines.map { fastest($0, namesFactor: true) }.joined(separator: " ")]
      : headlines.map { ([fastest($0)] + $0.sentences).joined(separator: " ") }
    return sentences.map(Block.paragraph) + [.paragraph(verdict), .list(run.withoutFigures)]
  }

  private func fastest(_ headline: Headline, namesFactor: Bool = false) -> Prose {
    let (first, name) = (headline.first, headline.test.name)
    let subject: Prose = headline.test.stage.map { "at \($0.rawValue) (`\(name)`)" } ?? "on `\(name)`"
    let speed: Prose = "\(headline.ladder.column.display(first)) \(headline.ladder.unit)"
    let factor = headline.againstNaive.map { ", \(NumberText.factor($0)) `\(RunFigures.oracle)`" as Prose }
    let against = namesFactor ? factor ?? "" : ""
    return "**\(first.contestant.prose) \(headline.verb) \(subject): \(speed)\(against).**"
  }

  var verdict: Prose {
    let variants = run.variants
    let failed = variants.compactMap { variant -> Prose? in
      run.failure(of: variant).map { "`\(variant)` (\($0))" }
    }
    let unchecked = variants.filter { variant in
      run.failure(of: variant) == nil
        && run.rows.contains { $0.cell.variant == variant && $0.check == .notChecked }
    }.map(Prose.code)
    let passed = variants.count - failed.count - unchecked.count
    let parts: [Prose] = [
      failed.isEmpty ? "" : "FAILED its correctness check: \(failed.joined(separator: ", ")).",
      unchecked.isEmpty ? "" : "Not checked: \(unchecked.joined(separator: ", ")).",
      passed == 0 ? "" : "\(passed) of \(counted(variants.count, "variant")) passed every correctness check.",
    ]
    return parts.joined(separator: " ")
  }

  /// Contestants fastest first, each with a bar; for operations one ladder a shape.
  var ladders: [Block] { Ladder.all(run).map { .table($0.table) } }
}

// The figures.
extension RunReport {
  /// - Parameter folds: whether a long table is folded, where charts show the same before it; else it leaves out what is
  ///   read least, which `results.csv` has.
  func everyCell(folds: Bool = false) -> Section? {
    let (columns, rows) = (record.columns, run.ranked)
    let whole = Table(columns, rows).withoutEmptyColumns
    let block: Block =
      if !whole.isLong {
        .table(whole)
      } else if folds {
        .details("All \(rows.count) as a table", [.table(whole)])
      } else {
        .table(Table(columns.filter { $0.key != Column.interTokenLatency.key }, rows))
      }
    return Section(
      id: "cells", title: "Every cell",
      [block]
        + [.paragraph(run.driftRemark), .paragraph(run.roofRemark)])
  }

  /// One table for each decode test: how the speed changes as the sequence grows.
  var positions: Section? {
    Section(
      id: "positions", title: "Decode speed by position",
      positionTables.isEmpty ? [] : [.paragraph(Self.positionNote)] + positionTables)
  }

  static let positionNote: Prose = """
    Decode tok/s over ranges of positions. The new token with index i takes the position depth + i. A variant that \
    recomputes the whole sequence gets slower as the sequence grows; one with a KV cache hardly does.
    """

  var positionTables: [Block] {
    run.tests.filter { $0.times(.step) }.compactMap { test in
      let rows = run.ranked(on: test).filter { !$0.figures.positions.isEmpty }
      let ranges = rows.flatMap { $0.figures.positions.map(\.positions) }.uniqued()
        .sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
      guard !rows.isEmpty else { return nil }
      let columns = ranges.map { range in
        Column<RunRow>(
          range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound)",
          .number { $0.figures.positions.first { $0.positions == range }?.tokensPerSecond })
      }
      let names: [Column<RunRow>] = [
        Column("`\(test.name)`", .prose { .code($0.cell.variant) }), .threads,
      ]
      return .table(Table(names + columns, rows))
    }
  }

  /// GFLOP/s, GB/s and the share of the roofline; the tables of operations hold them already.
  var work: Section? {
    Section(id: "work", title: "Work and roofline", record.kind == .endToEnd ? [.table(workTable)] : [])
  }

  /// Without rows where none has a count of its work.
  var workTable: Table {
    Table(
      [
        .variant, .threads, .test, .metric(.gflops), .metric(.gbPerSecond), .metric(.intensity),
        .metric(.roofline), .roof,
      ], run.ranked.filter { $0.figures.gflops != nil || $0.figures.gbPerSecond != nil })
  }

  /// What the CPU counted, or in a line why it counted nothing; nil where the record says neither.
  var counters: Section? {
    let rows = run.ranked.filter { $0.figures.counters != nil }
    let why: Prose = record.countersUnavailable.map { "None: \($0)." } ?? ""
    if rows.isEmpty { return Section(id: "counters", title: "Counters", [.paragraph(why)]) }
    let unit = record.kind == .endToEnd ? "token" : "call"
    func counted(_ heading: Prose, _ read: @escaping @Sendable (CounterFigures) -> Double?) -> Column<RunRow>
    { Column(heading, .number { $0.figures.counters.flatMap(read) }) }
    let columns: [Column<RunRow>] = [
      Column("variant", .prose { .code($0.cell.variant) }), .threads, .test,
      counted("instructions per \(unit)") { $0.instructions }, counted("cycles per \(unit)") { $0.cycles },
      counted("IPC") { $0.instructionsPerCycle }, counted("cache misses per \(unit)") { $0.cacheMisses },
      counted("of cache references %") { $0.missedPercent },
    ]
    let share = rows.compactMap { $0.figures.counters?.share }.min().flatMap { $0 < 1 ? $0 : nil }
    let turns: Prose? = share.map {
      " The counters took turns: the one that ran least did so \(NumberText.percent($0)) of the time, and counts are "
        + "extrapolated."
    }
    return Section(
      id: "counters", title: "Counters",
      [.table(Table(columns, rows)), .paragraph(Self.counterNote + (turns ?? ""))])
  }

  private static let counterNote: Prose = """
    Medians over the samples, of all threads of a contestant, in user mode. They count what the row is judged by: a \
    prompt's pass with its token, the steps after the first token, or a product or operation. Threads that wait in a \
    loop count too.
    """

  /// Every variant against every reference. A page shows the verdict, and the checks where one asks or one failed.
  var correctness: Section? {
    let entries = record.correctness
    let failed = entries.contains { !$0.passed }
    let checks: [Block] = [
      .page([.verdict(verdict, isGood: !failed)]),
      .details(
        "\(counted(entries.count, "check")), each variant against each reference",
        [.table(Table(Column.checks(of: entries), entries).withoutEmptyColumns)], isOpen: failed),
    ]
    return Section(
      id: "correctness", title: "Correctness",
      entries.isEmpty ? [.paragraph("No variant was checked against a reference in this run.")] : checks)
  }

  var loading: Section? {
    var seen = Set<MeasuredVariant>()
    let rows = run.ranked.filter { row in
      [Metric.peakMemory, .coldLoad, .warmLoad].contains { row.figures[$0] != nil }
        && seen.insert(row.contestant).inserted
    }
    let table = Table(
      [
        .variant, .weights, .threads, .metric(.coldLoad), .metric(.warmLoad), .metric(.loadToFirstToken),
        .loadCount, .metric(.baselineMemory), .metric(.peakMemory),
      ], rows)
    let firstTokens = rows.contains { $0.figures[.loadToFirstToken] != nil } ? Self.firstTokenNote : ""
    return Section(
      id: "memory", title: "Loading and memory",
      rows.isEmpty ? [] : [.table(table), .paragraph(Self.memoryNote), .paragraph(firstTokens)])
  }

  private static let memoryNote: Prose = """
    Each variant ran in a process of its own. The peak is the largest size of the resident set. All processes share \
    the pages of the memory-mapped weights file, and the peak of every process counts them. Before a cold load, the \
    file's pages were dropped from the page cache; before a warm load, they were not.
    """

  private static let firstTokenNote: Prose = """
    Load to first token: the time to load plus the time to the first token of a prompt of 16 ids (fewer where the \
    context is shorter). It is measured in a fresh process that is already started, with the file in the page cache. \
    Each figure is the median of as many processes as the loads column says, in rounds of random order. A warm load is \
    the median of the same processes. Every one of them is in `record.json`.
    """
}

/// The columns of a check's results, for reports and for the terminal of `check`.
extension Column where Row == Correctness {
  /// - Parameter rows: those that are shown.
  static func checks(of rows: [Correctness]) -> [Self] {
    let errors: [Self] = [
      Self("variant", .prose { .code($0.variant) }), Self("threads", .integer { $0.threads }),
      Self("reference", .text { $0.reference }),
      Self("max abs error", key: "max_abs_error", style: .scientific, .number { $0.maxAbsoluteError }),
      Self("tolerance", style: .scientific, .number { $0.tolerance }),
      Self("NMSE", key: "nmse", style: .scientific, .number { $0.nmse }),
      Self(
        "argmax agreement", key: "argmax", alignment: .right, isOptional: true,
        .text { $0.argmaxCompared > 0 ? "\($0.argmaxAgreed)/\($0.argmaxCompared)" : nil }),
    ]
    let verdict = Self(
      "verdict", key: "check",
      .text { $0.passed ? "pass" : "FAIL" + ($0.failure.map { ": \($0)" } ?? "") }, isBad: { !$0.passed })
    let quality: [Self] = rows.haveQuality ? quality { QualityFigures([$0]) } : []
    return errors + quality + [verdict]
  }
}

extension Record {
  /// What the run was about, for headings: the model, or what was measured without one.
  public var subject: String {
    switch kind {
    case .endToEnd: model?.name ?? "GPT-2"
    case .matmul: "GEMM"
    case .operations: "GPT-2's operations"
    }
  }
}
