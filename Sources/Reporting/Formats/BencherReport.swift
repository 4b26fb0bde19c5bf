import Foundation
import Record
import Statistics

/// A run in Bencher's metric format (bencher.dev/docs/reference/bencher-metric-format): benchmark, measure, value
/// and bounds.
///
/// `latency` and `throughput` are Bencher's own measures, in nanoseconds and operations a second: of a prompt its
/// forward pass and tokens, of decoding one token (TPOT) and tokens, of a GEMM one product and floating-point
/// operations, of another operation one call and calls. `time-to-first-token`, `load-time` and `load-to-first-token` are nanoseconds too, `peak-memory` is
/// bytes. A slug has at most 64 characters, a benchmark's name at most 1024 bytes.
public struct BencherReport: Sendable {
  let benchmarks: [String: [String: Metric]]

  struct Metric: Codable, Sendable, Equatable {
    let value: Double
    /// The ends of the 95 % interval; absent where there is none.
    let lowerValue: Double?
    let upperValue: Double?

    enum CodingKeys: String, CodingKey {
      case value
      case lowerValue = "lower_value"
      case upperValue = "upper_value"
    }

    init(_ figure: Figure) {
      value = figure.value
      lowerValue = figure.interval?.lower
      upperValue = figure.interval?.upper
    }
  }

  static let longestName = 1024

  public init(_ record: Record) {
    let run = RunFigures(record)
    var benchmarks: [String: [String: Metric]] = [:]
    for tracked in TrackedFigure.all(run) {
      let name = Self.name(tracked.contestant, tracked.test)
      guard let figure = tracked.figure.scaled(by: Self.factor(tracked.measure)).finite else { continue }
      benchmarks[name, default: [:]][Self.slug(tracked.measure)] = Metric(figure)
    }
    for row in run.rows {
      guard let figure = Self.throughput(row)?.finite else { continue }
      benchmarks[Self.name(row.contestant, row.cell.test), default: [:]]["throughput"] = Metric(figure)
    }
    self.benchmarks = benchmarks
  }

  /// The document, indented, keys sorted.
  ///
  /// - Throws: nothing that a record can cause: what is not finite has been left out.
  public var json: String {
    get throws {
      String(decoding: try readableJSON(benchmarks), as: UTF8.self)
    }
  }

  private static func slug(_ measure: TrackedFigure.Measure) -> String {
    switch measure {
    case .prefill, .timePerOutputToken, .gemm, .operation: return "latency"
    case .timeToFirstToken: return "time-to-first-token"
    case .peakMemory: return "peak-memory"
    case .warmLoad: return "load-time"
    case .loadToFirstToken: return "load-to-first-token"
    }
  }

  /// From milliseconds and microseconds to nanoseconds, from MiB to bytes.
  private static func factor(_ measure: TrackedFigure.Measure) -> Double {
    switch measure {
    case .peakMemory: 1_048_576
    case .operation: 1e3
    default: 1e6
    }
  }

  private static func throughput(_ row: Row) -> Figure? {
    switch row.cell.test {
    case .prefill: return row.figures.prefillTokensPerSecond
    case .decode: return row.figures.decodeTokensPerSecond
    case .operation(.matmul):
      return (row.cell.flops ?? row.cell.test.matmulFlops).flatMap { flops in
        row.figures.gemmMS?.rate(of: flops * 1e3)
      }
    case .operation: return row.figures.operationMicroseconds?.rate(of: 1e6)
    }
  }

  /// `simd8 f32 t2 pp64`; the contestant's part is cut where the whole would be too long.
  private static func name(_ contestant: Contestant, _ test: Test?) -> String {
    let end = test.map { " " + $0.name } ?? ""
    var start = contestant.label
    while start.utf8.count + end.utf8.count > longestName { start.removeLast() }
    return start + end
  }
}
