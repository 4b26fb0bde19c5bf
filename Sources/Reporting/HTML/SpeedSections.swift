import Foundation
import Record

// How fast everyone is: ladders, the course over the sequence, the gaps between tokens, memory, raw samples.
extension PageContext {
  func ladders(_ headlines: [Headline]) -> Section? {
    let tests = (headlines.map(\.test) + run.tests).uniqued()
    let charts = tests.enumerated().compactMap { ladder($1, number: $0) }
    let shown = max(headlines.count, 1)
    let rest = charts.dropFirst(shown)
    let note: Prose =
      "Each bar is a median, and the line on it is the 95 % bootstrap interval. × is the speed against naive on the "
      + "same test."
    return Section(
      id: "ladder", title: "The ladder: how fast each variant is",
      charts.isEmpty
        ? []
        : [
          .note(note), .charts(Array(charts.prefix(shown))),
          .details("\(counted(rest.count, "more test"))", [.charts(Array(rest))], isOpen: rest.count < 3),
        ])
  }

  private func ladder(_ test: Test, number: Int) -> Figured? {
    let ladder = Ladder(run, test: test)
    guard !ladder.rungs.isEmpty else { return nil }
    let unit = ladder.column.heading.text.plain.replacing(" ± CI", with: "")
    let bars = ladder.rungs.map { rung in
      BarChart.Bar(
        name: name(of: rung.row.contestant), value: ladder.column.magnitude(rung.row) ?? 0,
        interval: rung.row.figures[ladder.metric]?.interval.map { ($0.lower, $0.upper) },
        figure: ladder.column.display(rung.row).plain,
        factor: Column<RunRow>.speedAgainstNaive.display(rung.row).plain,
        style: style(of: rung.row.contestant))
    }
    let columns: [Column<RunRow>] = [
      Column("variant", .text { name(of: $0.contestant) }),
      Column(Prose(unit), .number { ladder.column.magnitude($0) ?? 0 }),
      Column("95 % from", .number { $0.figures[ladder.metric]?.interval?.lower }),
      Column("to", .number { $0.figures[ladder.metric]?.interval?.upper }),
      Column("against naive", style: .factor, .figure { $0.speedAgainstNaive }), .sampleCount, .outcome,
    ]
    let title = "\(unit) on \(test.name)"
    return Figured(
      chart: BarChart(bars: bars, axisTitle: unit).chart(
        id: "ladder-\(number)", title: title,
        description: "Horizontal bars, fastest first: "
          + bars.map { "\($0.name) \($0.words)" }.joined(separator: "; ") + "."), caption: Prose(title),
      note: ladder.column.better == .lower ? "Shorter is faster." : "Longer is faster.",
      table: Table(columns, ladder.rungs.map(\.row)))
  }

  /// tok/s as the sequence grows, all decode tests of a batch size in one chart.
  var positions: Section? {
    let batches = run.tests.filter { $0.times(.step) }.map(\.batch).uniqued().sorted()
    let charts = batches.compactMap(positions)
    guard !charts.isEmpty else { return nil }
    return Section(
      id: "positions", title: "Speed as the sequence grows",
      [
        .paragraph(RunReport.positionNote), .charts(charts),
        .details("The figures as a table", report.positionTables),
      ])
  }

  private func positions(batch: Int) -> Figured? {
    let rows = run.ranked.filter { $0.cell.test.times(.step) && $0.cell.test.batch == batch }
    let series = rows.map(\.contestant).uniqued().map { contestant in
      LineChart.Series(
        name: name(of: contestant),
        points: rows.filter { $0.contestant == contestant }.flatMap(\.figures.positions).map { rate in
          (x: Double(rate.positions.lowerBound + rate.positions.upperBound) / 2, y: rate.tokensPerSecond)
        }.sorted { $0.x < $1.x }, style: style(of: contestant))
    }.filter { !$0.points.isEmpty }
    // One position alone shows no course.
    guard Set(series.flatMap { $0.points.map(\.x) }).count > 1 else { return nil }
    let suffix = batch > 1 ? ", batch of \(batch)" : ""
    let ends = series.map { line in
      let (first, last) = (line.points[0], line.points[line.points.count - 1])
      return
        "\(line.name) from \(NumberText.significant(first.y)) at position \(NumberText.plain(first.x)) to "
        + "\(NumberText.significant(last.y)) at \(NumberText.plain(last.x))"
    }
    return Figured(
      chart: LineChart(series: series, xTitle: "position in the sequence, tokens", yTitle: "decode tok/s")
        .chart(
          id: "positions-\(batch)", title: "Decode tok/s over the position\(suffix)",
          description: "One line for each variant: \(ends.joined(separator: "; "))."),
      caption: "Decode tok/s over the position\(suffix)")
  }

  var latencies: Section? {
    let charts = run.tests.filter { $0.times(.step) }.enumerated().compactMap { latencies($1, number: $0) }
    guard !charts.isEmpty else { return nil }
    let note: Prose = """
      Every gap between two tokens, of all samples together, as a multiple of the variant's own median, so that all \
      can be compared. The percentiles at the right are in milliseconds. A narrow strip is a steady stream. A gap far \
      to the right is a stutter that a reader notices. Variants that recompute the sequence have wide strips, because \
      each token takes longer than the one before.
      """
    return Section(id: "latency", title: "From token to token: ITL", [.note(note), .charts(charts)])
  }

  private func latencies(_ test: Test, number: Int) -> Figured? {
    let strips = run.ranked(on: test).compactMap { row -> StripChart.Strip? in
      guard let marked = row.figures.interTokenLatencyMS, marked.p50 > 0 else { return nil }
      return StripChart.Strip(
        name: name(of: row.contestant), values: row.cell.tokenGaps.map { $0 * 1e-6 }, marked: marked,
        figure: Column<RunRow>.interTokenLatency.display(row).plain + " ms", style: style(of: row.contestant))
    }
    guard !strips.isEmpty else { return nil }
    let columns: [Column<StripChart.Strip>] = [
      Column("variant", .text { $0.name }), Column("gaps", .integer { $0.values.count }),
      Column("p50 ms", .number { $0.marked.p50 }), Column("p90 ms", .number { $0.marked.p90 }),
      Column("p99 ms", .number { $0.marked.p99 }), Column("longest ms", .number { $0.values.max() ?? 0 }),
    ]
    return Figured(
      chart: StripChart(strips: strips, axisTitle: "gap ÷ the variant's own median").chart(
        id: "latency-\(number)", title: "Inter-token latency over its median, \(test.name)",
        description: "One strip for each variant. P50, P90 and P99 of each variant: "
          + strips.map { "\($0.name) \($0.figure)" }.joined(separator: "; ") + "."),
      caption: "Inter-token latency, \(test.name)", note: "At the right: p50 / p90 / p99.",
      table: Table(columns, strips))
  }

  var memory: Section? {
    report.loading.flatMap { loading in
      Section(
        id: "memory", title: "Memory and loading", [.charts([peaks].compactMap { $0 })] + loading.blocks)
    }
  }

  private var peaks: Figured? {
    let rows = run.ranked.filter { $0.figures[.peakMemory] != nil }
    let weights = record.model.map { Double($0.weightBytes) / 1_048_576 }
    let bars = rows.map(\.contestant).uniqued().compactMap { contestant -> BarChart.Bar? in
      let peaks = rows.filter { $0.contestant == contestant }.compactMap { $0.figures[.peakMemory]?.value }
      guard let peak = peaks.max() else { return nil }
      let factor = weights.flatMap { $0 > 0 ? NumberText.factor(peak / $0) : nil }
      return BarChart.Bar(
        name: name(of: contestant), value: peak, interval: nil,
        figure: "\(NumberText.significant(peak)) MiB", factor: factor ?? "", style: style(of: contestant))
    }
    guard !bars.isEmpty else { return nil }
    let limit = weights.map { (value: $0, name: "the weights' \(NumberText.significant($0)) MiB") }
    return Figured(
      chart: BarChart(bars: bars, axisTitle: "peak resident memory, MiB", limit: limit).chart(
        id: "memory-peak", title: "Peak memory in MiB by variant",
        description: "Horizontal bars: " + bars.map { "\($0.name) \($0.words)" }.joined(separator: "; ")
          + (limit.map { ". The line is \($0.name)." } ?? ".")), caption: "Peak memory, × the weights' size")
  }

  var samples: Section? {
    let cells = record.cells.filter { !$0.samples.isEmpty }
    let gaps = cells.flatMap(\.samples).reduce(0) { $0 + $1.tokenNanoseconds.count }
    let showsGaps = gaps <= Self.gapLimit
    let note: Prose =
      "One line for each sample: its round and its place in the run's order, then "
      + "milliseconds.\(showsGaps ? "" : Self.tooManyGaps)"
    return Section(
      id: "samples", title: "Every raw sample",
      cells.isEmpty ? [] : [.note(note)] + cells.map { samples($0, showsGaps: showsGaps) })
  }

  private static let tooManyGaps: Prose =
    " There are too many gaps between tokens for a page; `samples.csv` and `record.json` hold them."

  /// As many gaps are about a megabyte of text, half of what a page may have.
  private static let gapLimit = 150_000

  private func samples(_ cell: Cell, showsGaps: Bool) -> Block {
    let lines = cell.samples.map { Self.line($0, showsGaps: showsGaps) }
    let status = cell.status == .measured ? "" : ", \(cell.status.words)"
    return .details(
      "\(name(of: MeasuredVariant(cell))), \(cell.test.name): \(counted(cell.samples.count, "sample"))\(status)",
      [.samples(lines.joined(separator: "\n"))])
  }

  private static func line(_ sample: Sample, showsGaps: Bool) -> String {
    let tokens = sample.tokenNanoseconds
    let gaps = showsGaps ? zip(tokens.dropFirst(), tokens).map { milliseconds(Double($0 - $1)) } : []
    let parts: [String?] = [
      "r\(sample.round) #\(sample.sequence) whole \(milliseconds(sample.elapsedNanoseconds))",
      sample.prefillNanoseconds.map { "prefill \(milliseconds(Double($0)))" },
      tokens.first.map { "first token \(milliseconds(Double($0)))" },
      sample.iterations > 1 ? "mean of \(sample.iterations) calls" : nil,
      gaps.isEmpty ? nil : "gaps \(gaps.joined(separator: " "))",
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }

  /// Five significant digits at least down to a microsecond, without the cost of a format string.
  private static func milliseconds(_ nanoseconds: Double) -> String {
    guard nanoseconds >= 0, nanoseconds < 1e15 else { return NumberText.significant(nanoseconds / 1e6, 5) }
    let (unit, digits): (Double, Int) = nanoseconds >= 1e8 ? (1e4, 2) : nanoseconds >= 1e5 ? (1e3, 3) : (1, 6)
    let number = Int((nanoseconds / unit).rounded())
    let power = [2: 100, 3: 1000, 6: 1_000_000][digits] ?? 1
    let decimals = String(number % power)
    return "\(number / power)." + String(repeating: "0", count: digits - decimals.count) + decimals
  }
}
