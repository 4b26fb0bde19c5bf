import GPT2Engine
import GPT2Kernels
import GPT2Model
import Record

/// Builds the end-to-end cells of one model.
struct GenerationCells {
  let configuration: Configuration
  let prompts: Prompts
  /// Whether a prompt that is text is handed over as text, to be tokenized in the measured time.
  var startsAtText = true

  /// Tokens of the short pass that warms up: enough to touch every weight and fill a tile.
  private static let warmupPrompt = 8

  /// The prompt that a first token is asked for right behind a load.
  private static let firstTokenPrompt = 16

  /// What a report says of it.
  static let warmup =
    "a pass over at most \(warmupPrompt) tokens, then, where that promised less than a second, the whole test once"

  /// - Throws: `UsageError` where the test does not fit the model's context.
  func make(_ test: Test) throws -> CellPlan {
    let (prompt, tokens, batch): (Int, Int, Int) =
      switch test {
      case .prefill(let tokens, let batch): (tokens, 1, batch)
      case .decode(let tokens, let depth, let batch): (depth, tokens, batch)
      case .operation: throw UsageError("an operation is no generation")
      }
    guard test.fits(configuration) else {
      throw UsageError(
        test.name, found: "\(prompt) + \(tokens) tokens",
        expected:
          "at most \(configuration.context + 1): the model's context, and a last token that is not taken in")
    }
    let (ids, text) = try prompts.make(tokens: prompt, batch: batch)
    let short = (prompt: min(prompt, Self.warmupPrompt), tokens: min(tokens, 2))
    let shortIDs = ids.map { Array($0.prefix(short.prompt)) }
    return CellPlan(
      test: test,
      request: RunRequest(
        generation: .init(prompts: ids, text: startsAtText ? text : nil, tokens: tokens)),
      warmup: RunRequest(
        generation: .init(prompts: shortIDs, text: nil, tokens: short.tokens)),
      work: { decoding in
        switch test {
        case .decode: averageStep(decoding, depth: prompt, tokens: tokens, batch: batch)
        default: prefill(prompt, batch: batch)
        }
      },
      cacheBytes: Work.cacheBytes(of: configuration, positions: prompt + tokens - 1, sequences: batch),
      warmupRatio: { decoding in
        total(decoding, prompt: prompt, tokens: tokens)
          / total(decoding, prompt: short.prompt, tokens: short.tokens)
      })
  }

  /// A short prompt of ids and one new token.
  func firstToken() throws -> RunRequest {
    let length = min(Self.firstTokenPrompt, configuration.context)
    return RunRequest(
      generation: .init(prompts: try prompts.make(tokens: length, batch: 1).prompts, text: nil, tokens: 1))
  }

  /// The prompt of the first test that is a prompt's, and a few tokens behind it; nil where there is none.
  func profile(_ tests: [Test]) throws -> ProfileRequest? {
    let lengths = tests.compactMap { test -> Int? in
      if case .prefill(let tokens, 1) = test { return tokens }
      return nil
    }
    guard let length = lengths.first(where: { $0 < configuration.context }) ?? lengths.first else {
      return nil
    }
    return ProfileRequest(
      promptTokens: try prompts.make(tokens: length, batch: 1).prompts[0],
      newTokens: min(Self.profiledTokens, configuration.context - length + 1), measuresOverhead: false,
      coversAllPositions: false)
  }

  private static let profiledTokens = 17

  private func prefill(_ tokens: Int, batch: Int) -> (flops: Double, bytes: Double) {
    let work = Work(of: configuration, rows: tokens, firstPosition: 0, sequences: batch)
    return (work.flops, work.bytes)
  }

  /// The mean over the steps behind the first new token.
  private func averageStep(
    _ decoding: Variant.Decoding, depth: Int, tokens: Int, batch: Int
  ) -> (flops: Double, bytes: Double) {
    let steps = (0..<tokens - 1).map {
      Work(ofStepIn: configuration, decoding: decoding, position: depth + $0, sequences: batch)
    }
    let count = Double(steps.count)
    return (
      steps.reduce(0) { $0 + $1.flops } / count, steps.reduce(0) { $0 + $1.bytes } / count
    )
  }

  /// Arithmetic of a whole generation.
  private func total(_ decoding: Variant.Decoding, prompt: Int, tokens: Int) -> Double {
    let first = Work(of: configuration, rows: prompt, firstPosition: 0).flops
    return (0..<tokens - 1).reduce(first) {
      $0 + Work(ofStepIn: configuration, decoding: decoding, position: prompt + $1).flops
    }
  }
}

extension Test {
  /// Whether a model has the context for it. The last new token is chosen and not taken in.
  func fits(_ configuration: Configuration) -> Bool {
    switch self {
    case .prefill(let tokens, _): tokens <= configuration.context
    case .decode(let tokens, let depth, _):
      depth <= configuration.context && tokens - 1 <= configuration.context - depth
    case .operation: true
    }
  }
}
