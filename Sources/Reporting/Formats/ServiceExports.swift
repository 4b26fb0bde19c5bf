import Files
import Foundation
import Record
import Statistics

/// A figure that services follow from run to run. All are times or sizes, so that smaller is better for every one.
struct TrackedFigure: Sendable {
  let contestant: MeasuredVariant
  let test: Test?
  let metric: Metric
  /// In the metric's unit; its value is finite, and so are the ends of its interval.
  let figure: Figure
  /// Samples that it is made from; nil where there is one value only.
  let sampleCount: Int?

  static func all(_ run: RunFigures) -> [TrackedFigure] {
    run.rows.flatMap { row in
      Metric.tracked.filter { !$0.isOfProcess }.compactMap { metric in
        row.figures[metric]?.finite.map {
          TrackedFigure(
            contestant: row.contestant, test: row.cell.test, metric: metric, figure: $0,
            sampleCount: row.figures.sampleCount)
        }
      }
    } + run.rows.map(\.contestant).uniqued().flatMap { processes($0, run) }
  }

  /// The largest of the contestant's cells, as comparisons take it; of sampled loads, which all cells share, the first.
  private static func processes(_ contestant: MeasuredVariant, _ run: RunFigures) -> [TrackedFigure] {
    let own = run.rows.filter { $0.contestant == contestant }.map(\.figures)
    return Metric.tracked.filter(\.isOfProcess).compactMap { metric in
      let isSampled = if case .time = metric.source { true } else { false }
      let known = own.filter { $0[metric] != nil }
      let largest = known.max { ($0[metric]?.value ?? 0) < ($1[metric]?.value ?? 0) }
      guard let chosen = isSampled ? known.first : largest, let figure = chosen[metric]?.finite
      else { return nil }
      return TrackedFigure(
        contestant: contestant, test: nil, metric: metric, figure: figure,
        sampleCount: isSampled ? chosen.loadSampleCount : nil)
    }
  }
}

extension Figure {
  /// Without an interval that is not finite; nil where the value itself is not, since no format can hold it.
  var finite: Figure? {
    guard value.isFinite else { return nil }
    let isWhole = interval.map { $0.lower.isFinite && $0.upper.isFinite } ?? false
    return Figure(value: value, interval: isWhole ? interval : nil)
  }
}

extension MeasuredVariant {
  /// `simd8 f32 t2`: a name for services that know nothing of variants, weights and threads.
  var label: String {
    [variant.safeLine, weights.safeLine, "t\(threads)"].filter { !$0.isEmpty }.joined(separator: " ")
  }
}

/// A run in Bencher's metric format (bencher.dev/docs/reference/bencher-metric-format): benchmark, measure, value,
/// bounds. `latency` and `throughput` are Bencher's own measures, in nanoseconds and operations a second: of a prompt
/// its forward pass and tokens, of decoding one token (TPOT) and tokens, of a GEMM one product and floating-point
/// operations, of another operation one call and calls. `time-to-first-token`, `load-time` and `load-to-first-token`
/// are nanoseconds too, `peak-memory` is bytes. A slug has at most 64 characters, a benchmark's name at most 1024
/// bytes.
public struct BencherReport: Sendable {
  let benchmarks: [String: [String: Figure]]
  private static let longestName = 1024

  public init(_ record: Record) {
    let run = RunFigures(record)
    var benchmarks: [String: [String: Figure]] = [:]
    for tracked in TrackedFigure.all(run) {
      let name = Self.name(tracked.contestant, tracked.test)
      // Bencher's units are nanoseconds and bytes.
      guard let slug = tracked.metric.slug,
        let figure = tracked.figure.scaled(by: tracked.metric.unit.size).finite
      else { continue }
      benchmarks[name, default: [:]][slug] = figure
    }
    for row in run.rows {
      guard let figure = Self.throughput(row)?.finite else { continue }
      benchmarks[Self.name(row.contestant, row.cell.test), default: [:]]["throughput"] = figure
    }
    self.benchmarks = benchmarks
  }

  /// Indented, keys sorted; without bounds where there is no interval. What is not finite has been left out.
  public var json: String {
    get throws {
      func measure(_ figure: Figure) -> JSONValue {
        .object(known: [
          "value": .number(figure.value), "lower_value": figure.interval.map { .number($0.lower) },
          "upper_value": figure.interval.map { .number($0.upper) },
        ])
      }
      return try jsonText(benchmarks.mapValues { $0.mapValues(measure) })
    }
  }

  /// A second: of what the rows are ranked by where that is a rate, else of the arithmetic that the sizes tell, or of calls.
  private static func throughput(_ row: RunRow) -> Figure? {
    let (cell, metric) = (row.cell, row.cell.test.headlineMetric)
    if case .rate = metric.source { return row.figures[metric] }
    let amount = cell.test.flops.map { cell.flops ?? $0 } ?? 1
    return row.figures[metric]?.rate(of: amount * (1e9 / metric.unit.size))
  }

  /// `simd8 f32 t2 pp64`; the contestant's part is cut where the whole would be too long.
  private static func name(_ contestant: MeasuredVariant, _ test: Test?) -> String {
    let end = test.map { " " + $0.name } ?? ""
    var start = contestant.label
    while start.utf8.count + end.utf8.count > longestName { start.removeLast() }
    return start + end
  }
}

/// A run for github-action-benchmark (github.com/benchmark-action/github-action-benchmark), its tool
/// `customSmallerIsBetter`: an array of objects whose `name`, `value` and `unit` must be there; `range` and `extra`
/// may be. The action reads a range of the form `± number`, and takes entries of one name for one series.
public struct BenchmarkActionReport: Sendable {
  let entries: [Entry]

  struct Entry: Codable, Sendable, Equatable {
    /// `simd8 f32 t2, pp64: TTFT`
    let name: String
    let unit: String
    let value: Double
    /// Half of the 95 % interval's width; absent where there is none.
    let range: String?
    /// Where the figure comes from, a line each.
    let extra: String

    fileprivate init(_ tracked: TrackedFigure, in record: Record) {
      let place = [tracked.contestant.label, tracked.test?.name].compactMap { $0 }.joined(separator: ", ")
      name = "\(place): \(tracked.metric.title)"
      unit = tracked.metric.unit.name
      value = tracked.figure.value
      range = tracked.figure.interval.map { "± \(NumberText.plain(($0.upper - $0.lower) / 2))" }
      let lines: [String?] = [
        tracked.sampleCount.map { "n = \($0)" }, record.model?.name.safeLine, record.machine.cpu.safeLine,
        "gpt2-bench \(record.build.version)" + (record.build.commit.map { ", commit \($0)" } ?? ""),
      ]
      extra = lines.compactMap { $0 }.joined(separator: "\n")
    }
  }

  public init(_ record: Record) {
    entries = TrackedFigure.all(RunFigures(record)).map { Entry($0, in: record) }
  }

  /// Indented, keys sorted; `[]` where no cell has a figure, which the action refuses.
  public var json: String { get throws { try jsonText(entries) } }
}
