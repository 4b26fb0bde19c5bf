import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Reporting

/// Takes one text through one or several variants, a window at a time, each window through all of them in turn: so a text
/// is read once, and a machine that drifts drifts for all.
final class PerplexityRun {
  private struct Contestant {
    let engine: Engine
    let sequence: TokenSequence
    var score = TextScore()
    var elapsed = Duration.zero
  }

  private var contestants: [Contestant]
  private let byteCounts: [Int]
  private(set) var tokens = 0
  private(set) var scoredBytes = 0

  init(_ checkpoint: Checkpoint, _ variants: [Variant], threads: Int, tokenizer: Tokenizer) throws {
    contestants = try variants.map { variant in
      let engine = try Engine(checkpoint, variant: variant, threads: threads)
      return Contestant(engine: engine, sequence: try engine.makeSequence())
    }
    byteCounts = try (0..<tokenizer.vocabularyCount).map { try tokenizer.bytes(of: $0).count }
  }

  /// Tokens scored so far.
  var scored: Int { contestants[0].score.tokens }

  /// The first variant's nats per token so far.
  var natsPerToken: Double? { contestants[0].score.natsPerToken }

  /// - Parameter onWindow: called behind each window, for progress.
  /// - Throws: `RunError` where the text cannot be read, a variant's logits are no numbers, or nothing was scored.
  func score(_ input: inout TextInput, _ windows: TokenWindows, onWindow: (TextInput) -> Void) throws {
    var windows = windows
    while let ids = try input.next() {
      tokens += ids.count
      windows.append(ids)
      try drain(&windows, input, onWindow)
    }
    windows.finish()
    try drain(&windows, input, onWindow)
  }

  private func drain(
    _ windows: inout TokenWindows, _ input: TextInput, _ onWindow: (TextInput) -> Void
  ) throws {
    while let window = windows.next() {
      for index in contestants.indices { try score(window, &contestants[index]) }
      scoredBytes += window.targets.reduce(0) { $0 + byteCounts[$1] }
      onWindow(input)
    }
  }

  private func score(_ window: TokenWindow, _ contestant: inout Contestant) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let nats = try contestant.engine.nats(of: window, in: contestant.sequence)
    contestant.elapsed += clock.now - start
    guard nats.isFinite else {
      throw RunError(
        "\(contestant.engine.variant.name): −log p of tokens \(scored + 1) to \(scored + window.targets.count) "
          + "is \(nats), expected a finite number")
    }
    contestant.score.add(nats: nats, tokens: window.targets.count)
  }

  /// What was found; empty before anything was scored.
  var results: [PerplexityReport.Result] {
    contestants.compactMap { contestant in
      guard let nats = contestant.score.natsPerToken, let perplexity = contestant.score.perplexity else {
        return nil
      }
      let seconds = contestant.elapsed / .seconds(1)
      return PerplexityReport.Result(
        variant: contestant.engine.variant.name, weights: contestant.engine.variant.weights,
        threads: contestant.engine.threads, natsPerToken: nats, perplexity: perplexity,
        bitsPerByte: contestant.score.bitsPerByte(bytes: scoredBytes), seconds: seconds,
        tokensPerSecond: Double(contestant.score.tokens) / seconds)
    }
  }
}
