import Record
import Statistics

/// A figure that services follow from run to run. All are times or sizes, so that smaller is better for every one.
struct TrackedFigure: Sendable {
  let contestant: Contestant
  /// Nil for what belongs to the whole process.
  let test: Test?
  let metric: Metric
  /// In the metric's unit; its value is finite, and so are the ends of its interval.
  let figure: Figure
  /// Samples behind it; nil where there is one value only.
  let sampleCount: Int?

  /// Every figure of a run: row by row, then what each contestant's process took. What has no figure is left out.
  static func all(_ run: RunFigures) -> [TrackedFigure] {
    run.rows.flatMap { row in
      Metric.tracked.filter { $0.scope != .process }.compactMap { metric in
        row.figures[metric]?.finite.map {
          TrackedFigure(
            contestant: row.contestant, test: row.cell.test, metric: metric, figure: $0,
            sampleCount: row.figures.sampleCount)
        }
      }
    } + run.rows.map(\.contestant).uniqued().flatMap { processes($0, run) }
  }

  /// The largest of the contestant's cells, as comparisons take it; of sampled loads, which all cells share, the first.
  private static func processes(_ contestant: Contestant, _ run: RunFigures) -> [TrackedFigure] {
    let own = run.rows.filter { $0.contestant == contestant }.map(\.figures)
    return Metric.tracked.filter { $0.scope == .process }.compactMap { metric in
      let isSampled = if case .time = metric.source { true } else { false }
      let known = own.filter { $0[metric] != nil }
      guard
        let chosen = isSampled
          ? known.first : known.max(by: { ($0[metric]?.value ?? 0) < ($1[metric]?.value ?? 0) })
      else { return nil }
      return chosen[metric]?.finite.map {
        TrackedFigure(
          contestant: contestant, test: nil, metric: metric, figure: $0,
          sampleCount: isSampled ? chosen.loadSampleCount : nil)
      }
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

extension Contestant {
  /// `simd8 f32 t2`: a name for services that know nothing of variants, weights and threads.
  var label: String {
    [variant.singleLine, weights.singleLine, "t\(threads)"].filter { !$0.isEmpty }.joined(separator: " ")
  }
}
