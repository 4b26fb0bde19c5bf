extension MarkdownReport {
  /// One table for each decode test: how the speed changes as the sequence grows.
  static func positions(_ run: RunFigures) -> String {
    let tables = run.tests.filter(\.isDecode).compactMap { test -> String? in
      let rows = run.ranked(on: test).filter { !$0.figures.positions.isEmpty }
      let ranges = rows.flatMap { $0.figures.positions.map(\.positions) }.uniqued()
        .sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
      guard !rows.isEmpty else { return nil }
      var table = MarkdownTable(
        [("`\(test.name)`", .left), ("threads", .right)] + ranges.map { (label($0), .right) })
      table.rows = rows.map { row in
        ["`\(row.cell.variant)`", "\(row.cell.threads)"]
          + ranges.map { range in
            row.figures.positions.first { $0.positions == range }
              .map { NumberText.significant($0.tokensPerSecond) } ?? ""
          }
      }
      return table.text
    }
    guard !tables.isEmpty else { return "" }
    let note =
      "Decode tok/s over ranges of positions; the new token with index i takes the position depth + i. "
      + "A variant that recomputes the whole sequence falls with the position, one with a KV cache hardly does."
    return section("Decode speed by position", [note] + tables)
  }

  private static func label(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound)"
  }

  /// GFLOP/s, GB/s and the share of the roofline; the tables of GEMMs and operations hold them already.
  static func work(_ run: RunFigures) -> String {
    let rows = run.ranked.filter { $0.figures.gflops != nil || $0.figures.gbPerSecond != nil }
    guard run.record.kind == .endToEnd, !rows.isEmpty else { return "" }
    let columns: [Column] = [
      .variant, .threads, .test, .gflops, .gbPerSecond, .intensity, .roofline, .roof,
    ]
    return section("Work and roofline", [MarkdownTable(columns, rows).text])
  }

  /// Every variant against every reference.
  static func correctness(_ run: RunFigures) -> String {
    let entries = run.record.correctness
    guard !entries.isEmpty else {
      return section("Correctness", ["No variant was held against a reference in this run."])
    }
    let comparesArgmax = entries.contains { $0.argmaxCompared > 0 }
    var headings: [(String, MarkdownTable.Alignment)] = [
      ("variant", .left), ("threads", .right), ("reference", .left), ("max abs error", .right),
      ("tolerance", .right), ("NMSE", .right),
    ]
    if comparesArgmax { headings.append(("argmax agreement", .right)) }
    headings.append(("verdict", .left))
    var table = MarkdownTable(headings)
    table.rows = entries.map { entry in
      var cells = [
        "`\(entry.variant)`", "\(entry.threads)", entry.reference,
        entry.maxAbsoluteError.map { NumberText.scientific($0) } ?? "",
        NumberText.scientific(entry.tolerance), entry.nmse.map { NumberText.scientific($0) } ?? "",
      ]
      if comparesArgmax {
        cells.append(entry.argmaxCompared > 0 ? "\(entry.argmaxAgreed)/\(entry.argmaxCompared)" : "")
      }
      let reason = entry.failure.map { ": \($0)" } ?? ""
      return cells + [entry.passed ? "pass" : "FAIL\(reason)"]
    }
    return section("Correctness", [table.text])
  }

  /// Load times and memory of each contestant.
  static func loading(_ run: RunFigures) -> String {
    var seen = Set<Contestant>()
    let rows = run.ranked.filter {
      ($0.figures.peakMemoryMiB ?? $0.figures.coldLoadMS ?? $0.figures.warmLoadMS) != nil
        && seen.insert($0.contestant).inserted
    }
    guard !rows.isEmpty else { return "" }
    let columns: [Column] = [
      .variant, .weights, .threads, .coldLoad, .warmLoad, .loadToFirstToken, .loadCount, .baselineMemory,
      .peakMemory,
    ]
    let optional = [Column.loadToFirstToken.key, Column.loadCount.key, Column.baselineMemory.key]
    let shown = columns.filter { column in
      !optional.contains(column.key) || rows.contains { !column.display($0).isEmpty }
    }
    let note =
      "Each variant ran in a process of its own. The peak is the resident set's largest size; it counts the "
      + "pages of the memory-mapped weights file, which all processes share, in every one of them. A cold load "
      + "had the file's pages dropped from the page cache first, a warm one had not."
    let firstToken =
      rows.contains { $0.figures.loadToFirstTokenMS != nil }
      ? "Load to first token: in a fresh process that is already started, with the file in the page cache, the "
        + "time to load plus the time to the first token of a prompt of 16 ids (fewer where the context is "
        + "shorter); the medians of as many processes as the loads column says, in rounds of random order. "
        + "A warm load is the median of the same processes. Every one of them is in `record.json`." : ""
    return section("Loading and memory", [MarkdownTable(shown, rows).text, note, firstToken])
  }
}
