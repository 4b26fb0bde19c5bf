import Foundation
import Record

extension PageSection {
  /// Every raw sample, a block a cell, to open.
  static func samples(_ context: PageContext) -> PageSection? {
    let cells = context.record.cells.filter { !$0.samples.isEmpty }
    let showsGaps =
      cells.reduce(0) { $0 + $1.samples.reduce(0) { $0 + $1.tokenNanoseconds.count } } <= gapLimit
    let note =
      "A line a sample: round and place in the run's order, then milliseconds."
      + (showsGaps
        ? ""
        : " There are too many gaps between tokens for a page; `samples.csv` and `record.json` hold them.")
    return PageSection(
      id: "samples", title: "Every raw sample",
      cells.isEmpty ? [] : [.note(note)] + cells.map { block($0, context, showsGaps: showsGaps) })
  }

  /// As many gaps are about a megabyte of text, half of what a page may have.
  private static let gapLimit = 150_000

  private static func block(_ cell: Cell, _ context: PageContext, showsGaps: Bool) -> Markup {
    let lines = cell.samples.map { sample in
      (["r\(sample.round)", "#\(sample.sequence)"] + times(sample, cell.test, showsGaps: showsGaps))
        .joined(separator: " ")
    }
    let status = cell.status == .measured ? "" : ", \(cell.status.words)"
    return .details(
      "\(context.name(of: Contestant(cell))), \(cell.test.name): "
        + "\(counted(cell.samples.count, "sample"))\(status)",
      [
        .element(
          "pre", ["class": "samples", "tabindex": "0"], text: lines.joined(separator: "\n"))
      ])
  }

  private static func times(_ sample: Sample, _ test: Test, showsGaps: Bool) -> [String] {
    let whole = "whole \(milliseconds(sample.elapsedNanoseconds))"
    let prefill = sample.prefillNanoseconds.map { "prefill \(milliseconds(Double($0)))" }
    let first = sample.tokenNanoseconds.first.map { "first token \(milliseconds(Double($0)))" }
    let calls = sample.iterations > 1 ? "mean of \(sample.iterations) calls" : nil
    let gaps = zip(sample.tokenNanoseconds.dropFirst(), sample.tokenNanoseconds).map {
      milliseconds(Double($0 - $1))
    }
    let list = showsGaps && !gaps.isEmpty ? "gaps \(gaps.joined(separator: " "))" : nil
    return [whole, prefill, first, calls, list].compactMap { $0 }
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
