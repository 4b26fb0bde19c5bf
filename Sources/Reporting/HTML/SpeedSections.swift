import Foundation
import Record

// How fast everyone is: ladders, the course over the sequence, the gaps between tokens, memory, raw samples.
extension PageContext {
  func ladders(_ headlines: [Headline]) -> Section? {
    let tests = (headlines.map(\.test) + run.tests).uniqued()
    let charts = tests.enumerated().compactMap { ladder($1, number: $0) }
    let shown = max(headlines.count, 3)
    let rest = charts.dropFirst(shown)
    let note: Prose =
      "Each bar is a median, and the line on it is its 95 % interval, which the figure gives as ± or, where its ends are "
      + "not as far from the median, from–to. × is how many times as fast as naive that is."
    return Section(
      id: "ladder", title: "The ladder: how fast each variant is",
      charts.isEmpty
        ? []
        : [
          .note(note), .charts(Array(charts.prefix(shown))),
          .details("\(counted(rest.count, "more test"))", [.charts(Array(rest))]),
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
    let speeds: [Column<RunRow>] = [
      Column("variant", .text { name(of: $0.contestant) }),
      Column(Prose(unit), .number { ladder.column.magnitude($0) ?? 0 }),
      Column("95 % from", .number { $0.figures[ladder.metric]?.interval?.lower }),
      Column("to", .number { $0.figures[ladder.metric]?.interval?.upper }),
      Column("against naive", style: .factor, .figure { $0.speedAgainstNaive }),
    ]
    let columns = speeds + record.qualityColumns + [.sampleCount, .outcome]
    let title = "\(unit) on \(test.name)"
    return Figured(
      chart: BarChart(bars: bars, axisTitle: unit).chart(
        id: "ladder-\(number)", title: title,
        description: "Horizontal bars, fastest first: "
          + bars.map { "\($0.name) \($0.words)" }.joined(separator: "; ") + "."), caption: Prose(title),
      note: ladder.column.better == .lower ? "Shorter is faster." : "Longer is faster.",
      table: Table(columns, ladder.rungs.map(\.row)))
  }

  /// Speed against quality, on the first decode test of the headlines; nil where all weights are of one precision, and all
  /// caches.
  func quality(_ headlines: [Headline]) -> Section? {
    guard record.correctness.haveQuality,
      let test = headlines.first(where: { $0.test.stage == .decode })?.test
    else { return nil }
    let metric = test.headlineMetric
    let rows = run.ranked(on: test).filter { $0.figures[metric] != nil }
    let precisions = Set(rows.map { [$0.cell.weights, $0.cell.cache ?? ""] })
    guard precisions.count > 1, rows.contains(where: { $0.quality.kl ?? 0 > 0 }) else { return nil }
    let points = rows.map { row in
      QualityChart.Point(
        name: name(of: row.contestant), kl: row.quality.kl, speed: row.figures[metric]?.value ?? 0,
        style: style(of: row.contestant))
    }
    let columns: [Column<RunRow>] = [
      Column("variant", .text { name(of: $0.contestant) }),
      Column(Prose(metric.name), .figure { $0.figures[metric] }),
    ]
    let title = "\(metric.name) over the KL divergence from float32, \(test.name)"
    let figure = Figured(
      chart: QualityChart(points: points, speedTitle: metric.name).chart(
        id: "quality-chart", title: title,
        description: points.map { QualityChart.words($0, metric.name) }.joined(separator: "; ") + "."),
      caption: Prose(title), note: "Upwards is faster; to the right is farther from float32.",
      table: Table(columns + record.qualityColumns, rows))
    return Section(
      id: "quality", title: "Speed against quality", [.note(Self.qualityNote), .charts([figure])])
  }

  private static let qualityNote: Prose = """
    Weights of fewer bits are read in less time and are not quite the same weights. KL divergence says how far that \
    moves the distribution of the next token. A rung that is slower and farther from float32 than another has no use. \
    One that is over its limit is not drawn: it has no figure.
    """

  /// From token to token: tok/s as the sequence grows, all decode tests of a batch size in one chart; then the gaps.
  var course: Section? {
    let tests = run.tests.filter { $0.times(.step) }
    let positions = tests.map(\.batch).uniqued().sorted().compactMap(positionChart)
    let latencies = tests.enumerated().compactMap { latencyChart($1, number: $0) }
    let notes = [positions.isEmpty ? "" : RunReport.positionNote, latencies.isEmpty ? "" : Self.latencyNote]
    return Section(
      id: "course", title: "From token to token",
      notes.map(Block.note) + [
        .charts(positions + latencies),
        .details("Speed by position as a table", positions.isEmpty ? [] : report.positionTables),
      ])
  }

  private static let latencyNote: Prose = """
    ITL, inter-token latency: every gap between two tokens, of all samples together, as a multiple of the variant's own \
    median. A narrow strip is a steady stream; a gap far to the right is a stutter that a reader notices. Variants that \
    recompute the sequence have wide strips, because each token takes longer than the one before.
    """

  private func positionChart(batch: Int) -> Figured? {
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

  private func latencyChart(_ test: Test, number: Int) -> Figured? {
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
      caption: "Inter-token latency, \(test.name)",
      note: "At the right: p50 / p90 / p99. One gap in a hundred is longer than p99.",
      table: Table(columns, strips))
  }

  var memory: Section? {
    report.loading.flatMap { loading in
      let folded: Block = .details("Loading and memory as a table", loading.blocks)
      return Section(
        id: "memory", title: "Memory and loading",
        [.paragraph(alike ?? ""), .charts(alike == nil ? [peaks].compactMap { $0 } : []), folded])
    }
  }

  /// Each contestant with the most that its process had, of those that say it.
  private var peaksOfContestants: [(contestant: MeasuredVariant, mebibytes: Double)] {
    let rows = run.ranked.filter { $0.figures[.peakMemory] != nil }
    return rows.map(\.contestant).uniqued().compactMap { contestant in
      rows.filter { $0.contestant == contestant }.compactMap { $0.figures[.peakMemory]?.value }.max()
        .map { (contestant, $0) }
    }
  }

  private var weightMebibytes: Double? { record.model.map { Double($0.weightBytes) / 1_048_576 } }

  /// Bars that differ by less than this say less than a sentence.
  private static let likePeaks = 1.1

  /// The sentence in place of bars where all peaks are nearly the same; nil where they are not.
  private var alike: Prose? {
    let peaks = peaksOfContestants.map(\.mebibytes)
    guard let least = peaks.min(), let most = peaks.max(), most <= Self.likePeaks * least else { return nil }
    let ends = [least, most].map { NumberText.fixed($0, 0) }.uniqued().joined(separator: " to ")
    let weights = weightMebibytes.map { " for \(NumberText.significant($0, 3)) MiB of weights" } ?? ""
    return peaks.count == 1
      ? "The process needs at most \(ends) MiB of memory\(weights)."
      : "All \(peaks.count) processes need nearly the same memory: \(ends) MiB at most\(weights)."
  }

  private var peaks: Figured? {
    let weights = weightMebibytes
    let bars = peaksOfContestants.map { contestant, peak in
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
}
