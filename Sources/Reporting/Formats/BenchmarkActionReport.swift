import Foundation
import Record

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
  }

  public init(_ record: Record) {
    let run = RunFigures(record)
    entries = TrackedFigure.all(run).map { Entry($0, in: record) }
  }

  /// The file, indented, keys sorted; `[]` where no cell has a figure, which the action refuses.
  ///
  /// - Throws: nothing that a record can cause: what is not finite has been left out.
  public var json: String {
    get throws {
      String(decoding: try readableJSON(entries), as: UTF8.self)
    }
  }
}

extension BenchmarkActionReport.Entry {
  fileprivate init(_ tracked: TrackedFigure, in record: Record) {
    let place = [tracked.contestant.label, tracked.test?.name].compactMap { $0 }.joined(separator: ", ")
    name = "\(place): \(tracked.metric.title)"
    unit = tracked.metric.unit.name
    value = tracked.figure.value
    range = tracked.figure.interval.map { "± \(NumberText.plain(($0.upper - $0.lower) / 2))" }
    let lines = [
      tracked.sampleCount.map { "n = \($0)" }, record.model?.name.singleLine, record.machine.cpu.singleLine,
      "gpt2-bench \(record.build.version)" + (record.build.commit.map { ", commit \($0)" } ?? ""),
    ]
    extra = lines.compactMap { $0 }.joined(separator: "\n")
  }
}
