import Foundation
import GPT2Engine
import GPT2Model
import Measurement

/// What one variant made of a prompt, and when.
struct TimedGeneration {
  private(set) var output: VariantOutput
  let threads: Int
  var ending: GenerationEnding?
  private let request: GenerationRequest
  private let start = ContinuousClock.now
  private var first: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?

  /// Starts the clock; the engine is loaded.
  init(_ request: GenerationRequest, _ engine: Engine) {
    self.request = request
    output = VariantOutput(variant: engine.variant.name, weights: engine.variant.weights)
    threads = engine.threads
  }

  mutating func add(_ id: Int) {
    let now = ContinuousClock.now
    if first == nil { first = now }
    last = now
    output.ids.append(id)
  }

  var isInterrupted: Bool { ending == .stopped }

  /// From request to first new token, without loading; nil without a token.
  var millisecondsToFirstToken: Double? { first.map { ($0 - start) / .milliseconds(1) } }

  /// Of the tokens behind the first; nil where there is none.
  var millisecondsPerToken: Double? {
    guard let first, let last, output.ids.count > 1 else { return nil }
    return (last - first) / .milliseconds(1) / Double(output.ids.count - 1)
  }

  var tokensPerSecond: Double? { millisecondsPerToken.map { 1000 / $0 } }

  /// The line at the end.
  ///
  /// - Parameter withMemory: also the most memory that was resident, which is the whole process's.
  func statistics(withMemory: Bool = true) -> String {
    var text =
      "\(request.prompt.count) + \(output.ids.count) tokens, \(output.variant), \(threads) thread"
      + (threads == 1 ? "" : "s")
    if let time = millisecondsToFirstToken { text += String(format: ", TTFT %.1f ms", time) }
    if let time = millisecondsPerToken, let rate = tokensPerSecond {
      text += String(format: ", TPOT %.2f ms, %.1f tok/s", time, rate)
    }
    if withMemory, let peak = ProcessMemory.peakResidentBytes() {
      text += String(format: ", peak memory %.1f MiB", Double(peak) / 1_048_576)
    }
    if request.parameters.sampling.temperature > 0 { text += ", seed \(request.parameters.sampling.seed)" }
    return text + endingText
  }

  private var endingText: String {
    switch ending {
    case .count, nil: ""
    case .endOfText: ", ended by \(Tokenizer.endOfTextSpelling)"
    case .stopSequence(let text): ", ended by --stop \(text.debugDescription)"
    case .contextFull: ", ended by a full context"
    case .stopped: ", interrupted"
    }
  }
}
