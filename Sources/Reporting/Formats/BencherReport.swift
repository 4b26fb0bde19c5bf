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
  let benchmarks: [String: [String: Measure]]

  struct Measure: Codable, Sendable, Equatable {
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
    var benchmarks: [String: [String: Measure]] = [:]
    for tracked in TrackedFigure.all(run) {
      let name = Self.name(tracked.contestant, tracked.test)
      // Bencher's units are nanoseconds and bytes.
      guard let slug = tracked.metric.slug,
        let figure = tracked.figure.scaled(by: tracked.metric.unit.size).finite
      else { continue }
      benchmarks[name, default: [:]][slug] = Measure(figure)
    }
    for row in run.rows {
      guard let figure = Self.throughput(row)?.finite else { continue }
      benchmarks[Self.name(row.contestant, row.cell.test), default: [:]]["throughput"] = Measure(figure)
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

  private static func throughput(_ row: RunRow) -> Figure? {
    switch row.cell.test {
    case .prefill, .decode: row.figures[row.cell.test.headlineMetric]
    case .operation(.matmul):
      (row.cell.flops ?? row.cell.test.matmulFlops).flatMap { row.figures[.matmulTime]?.rate(of: $0 * 1e3) }
    case .operation: row.figures[.operationTime]?.rate(of: 1e6)
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
