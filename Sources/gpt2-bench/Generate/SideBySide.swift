import Foundation
import GPT2Kernels

/// One prompt through several variants, one after the other, and what they differ by: in tokens and in speed.
struct SideBySide {
  let request: GenerationRequest
  let variants: [Variant]
  let threads: Int
  let console: Console

  func run() throws -> ExitCode {
    var done: [TimedGeneration] = []
    for variant in variants where !Interruption.shared.isCancelled {
      console.print((done.isEmpty ? "" : "\n") + "== \(variant.name)")
      done.append(try request.perform(variant, threads: threads, console))
      // What became of the output is the caller's to say.
      guard StandardStream.failure == nil else { return .done }
      console.note(done[done.count - 1].statistics(withMemory: false))
    }
    let isInterrupted = Interruption.shared.isCancelled
    let whole = done.filter { !$0.isInterrupted }
    guard !whole.isEmpty else { return .interrupted }
    let comparison = IDComparison(
      whole.map(\.output), isDrawn: request.parameters.sampling.temperature > 0)
    console.print("\n" + comparison.lines.joined(separator: "\n"))
    console.print("\n" + table(whole))
    if isInterrupted { return .interrupted }
    return comparison.hasFailed ? .failedCheck : .done
  }

  private func table(_ generations: [TimedGeneration]) -> String {
    let first = generations[0]
    var rows = [["variant", "threads", "TTFT ms", "tok/s", "× \(first.output.variant)"]]
    for generation in generations {
      rows.append([
        generation.output.variant, "\(generation.threads)",
        generation.millisecondsToFirstToken.map { String(format: "%.1f", $0) } ?? "",
        generation.tokensPerSecond.map { String(format: "%.1f", $0) } ?? "",
        first.tokensPerSecond.flatMap { base in
          generation.tokensPerSecond.map { String(format: "%.2f", $0 / base) }
        } ?? "",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      row.indices.map { column in
        let filling = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + filling : filling + row[column]
      }.joined(separator: "  ").trimmedEnd
    }
    return lines.joined(separator: "\n")
  }
}

extension String {
  /// Without the spaces at its end.
  fileprivate var trimmedEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}
