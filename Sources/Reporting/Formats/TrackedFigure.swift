import Record
import Statistics

/// A figure that services follow from run to run. All are times or sizes, so that smaller is better for every one.
struct TrackedFigure: Sendable, Equatable {
  enum Measure: String, Sendable {
    case timeToFirstToken = "TTFT"
    case prefill
    case timePerOutputToken = "TPOT"
    case gemm = "GEMM"
    case operation
    case peakMemory = "peak memory"
    case warmLoad = "load, warm"
    case loadToFirstToken = "load to first token"

    /// `ms`, `µs` or `MiB`.
    var unit: String {
      switch self {
      case .peakMemory: "MiB"
      case .operation: "µs"
      default: "ms"
      }
    }
  }

  let contestant: Contestant
  /// Nil for what belongs to the whole process.
  let test: Test?
  let measure: Measure
  /// In the measure's unit; its value is finite, and so are the ends of its interval.
  let figure: Figure
  /// Samples behind it; nil where there is one value only.
  let sampleCount: Int?

  /// Every figure of a run: row by row, then what each contestant's process took. What has no figure is left out.
  static func all(_ run: RunFigures) -> [TrackedFigure] {
    run.rows.flatMap(sampled) + run.rows.map(\.contestant).uniqued().flatMap { processes($0, run) }
  }

  private static func sampled(_ row: Row) -> [TrackedFigure] {
    let figures: [(Measure, Figure?)] = [
      (.timeToFirstToken, row.figures.timeToFirstTokenMS), (.prefill, row.figures.prefillMS),
      (.timePerOutputToken, row.figures.timePerOutputTokenMS), (.gemm, row.figures.gemmMS),
      (.operation, row.figures.operationMicroseconds),
    ]
    return figures.compactMap { measure, figure in
      figure?.finite.map {
        TrackedFigure(
          contestant: row.contestant, test: row.cell.test, measure: measure, figure: $0,
          sampleCount: row.figures.sampleCount)
      }
    }
  }

  /// The largest of the contestant's cells, as comparisons take it.
  private static func processes(_ contestant: Contestant, _ run: RunFigures) -> [TrackedFigure] {
    let own = run.rows.filter { $0.contestant == contestant }.map(\.figures)
    func largest(_ value: (CellFigures) -> Double?) -> Figure? {
      own.compactMap(value).max().map { Figure(value: $0) }
    }
    let withLoads = own.first { $0.loadToFirstTokenMS != nil }
    let figures: [(Measure, Figure?, Int?)] = [
      (.peakMemory, largest(\.peakMemoryMiB), nil), (.warmLoad, largest(\.warmLoadMS), nil),
      (.loadToFirstToken, withLoads?.loadToFirstTokenMS, withLoads?.loadSampleCount),
    ]
    return figures.compactMap { measure, figure, count in
      figure?.finite.map {
        TrackedFigure(contestant: contestant, test: nil, measure: measure, figure: $0, sampleCount: count)
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
