import Foundation
import Record

/// Explanations for programs.
public enum ExplanationFiles {
  /// One row a part of a pass, then one for the whole pass; RFC 4180. Empty where there is no figure, and where nothing
  /// is attributed. Below zero is time that the second side saves.
  public static func csv(_ explanations: [Explanation]) -> String {
    let names = [
      "from", "to", "stage", "tokens", "part", "outcome", "from_ns_per_pass", "to_ns_per_pass",
      "change_ns_per_pass", "share_percent", "by_work_ns_per_pass", "by_rate_ns_per_pass",
      "from_flop_per_pass",
      "to_flop_per_pass", "from_bytes_per_pass", "to_bytes_per_pass", "ratio", "ratio_of_medians",
      "ratio_of_medians_ci_low", "ratio_of_medians_ci_high",
    ]
    return CSVReport.table(names, explanations.flatMap(rows))
  }

  private static func rows(_ explanation: Explanation) -> [[String]] {
    let document = Document(explanation)
    let opening = [document.from.name, document.to.name, document.stage.rawValue, "\(document.tokens)"]
    let parts = document.parts.map { part in
      opening + [part.part, document.outcome]
        + [
          part.fromNanoseconds, part.toNanoseconds, part.changeNanoseconds, part.share.map { 100 * $0 },
          part.byWorkNanoseconds, part.byRateNanoseconds, part.fromFlops, part.toFlops, part.fromBytes,
          part.toBytes, nil, nil, nil, nil,
        ].map(number)
    }
    let whole: [Double?] = [
      document.from.nanosecondsPerPass, document.to.nanosecondsPerPass, explanation.change,
      explanation.isDecided ? 100 : nil, nil, nil, nil, nil, nil, nil, document.ratio,
      document.ratioOfMedians,
      document.ratioOfMediansLow, document.ratioOfMediansHigh,
    ]
    return parts + [opening + ["total", document.outcome] + whole.map(number)]
  }

  private static func number(_ value: Double?) -> String { value.map(NumberText.plain) ?? "" }

  /// Indented, keys sorted; a key without a value is left out. Times are in nanoseconds and, as the work is, of one
  /// pass; shares are fractions.
  ///
  /// - Throws: an `EncodingError` for a number that is not finite.
  public static func json(_ explanations: [Explanation]) throws -> String {
    String(decoding: try readableJSON(File(explanations: explanations.map(Document.init))), as: UTF8.self)
  }

  private struct File: Encodable {
    let schema = 1
    let explanations: [Document]
  }

  private struct Document: Encodable {
    let from: Party
    let to: Party
    let stage: Profile.Stage
    let tokens: Int
    /// `faster`, `slower` or `undecided`, of the second side.
    let outcome: String
    let undecidedBecause: String?
    let ratio: Double
    let ratioOfMedians: Double?
    let ratioOfMediansLow: Double?
    let ratioOfMediansHigh: Double?
    let noiseFloor: Double?
    let headline: String
    let parts: [Entry]

    init(_ explanation: Explanation) {
      from = Party(explanation.from)
      to = Party(explanation.to)
      stage = explanation.to.profile.stage
      tokens = explanation.to.profile.tokens
      (outcome, undecidedBecause) =
        switch explanation.outcome {
        case .faster: ("faster", nil)
        case .slower: ("slower", nil)
        case .undecided(let reason): ("undecided", reason)
        }
      ratio = explanation.ratio
      ratioOfMedians = explanation.medians?.value
      ratioOfMediansLow = explanation.medians?.interval?.lower
      ratioOfMediansHigh = explanation.medians?.interval?.upper
      noiseFloor = explanation.noiseFloor
      headline = explanation.headline
      parts = explanation.parts.map { Entry($0, explanation) }
    }
  }

  private struct Party: Encodable {
    let name: String
    let variant: String
    let weights: String
    let threads: Int
    let nanosecondsPerPass: Double
    let passes: Int
    let keptPasses: Int

    init(_ side: Explanation.Side) {
      name = side.name
      variant = side.profile.variant
      weights = side.profile.weights
      threads = side.profile.threads
      nanosecondsPerPass = side.nanoseconds
      passes = side.profile.passNanoseconds.count
      keptPasses = side.profile.keptPasses
    }
  }

  private struct Entry: Encodable {
    /// Phases joined by `+`, `pool-wait` or `unexplained`.
    let part: String
    let fromNanoseconds: Double
    let toNanoseconds: Double
    let changeNanoseconds: Double
    let share: Double?
    let byWorkNanoseconds: Double?
    let byRateNanoseconds: Double?
    let fromFlops: Double?
    let toFlops: Double?
    let fromBytes: Double?
    let toBytes: Double?

    init(_ part: ExplainedPart, _ explanation: Explanation) {
      self.part =
        switch part.source {
        case .phases(let phases): phases.map(\.rawValue).joined(separator: "+")
        case .poolWait: "pool-wait"
        case .unexplained: "unexplained"
        }
      fromNanoseconds = part.from.nanoseconds
      toNanoseconds = part.to.nanoseconds
      changeNanoseconds = part.change
      share = explanation.share(part.change)
      byWorkNanoseconds = explanation.isDecided ? part.split?.work : nil
      byRateNanoseconds = explanation.isDecided ? part.split?.rate : nil
      let isCounted = part.split != nil
      fromFlops = isCounted ? part.from.flops : nil
      toFlops = isCounted ? part.to.flops : nil
      fromBytes = isCounted ? part.from.bytes : nil
      toBytes = isCounted ? part.to.bytes : nil
    }
  }
}
