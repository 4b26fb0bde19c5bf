import GPT2Engine
import GPT2Kernels
import GPT2Model
import Record
import Statistics

/// Builds the end-to-end cells of one model.
struct GenerationCells {
  let configuration: Configuration
  let prompts: Prompts
  /// Whether a prompt that is text is handed over as text, to be tokenized in the measured time.
  var startsAtText = true

  /// Tokens of the short pass that warms up: enough to touch every weight and fill a tile.
  private static let warmupPrompt = 8

  /// The prompt that a first token is asked for right after a load.
  private static let firstTokenPrompt = 16

  /// What a report says of it.
  static func warmup(_ tests: [Test]) -> String {
    let generations =
      "a pass over at most \(warmupPrompt) tokens, then the whole test once if that pass promised less than a second"
    let training = "the whole step once"
    if tests.allSatisfy({ $0.training == nil }) { return generations }
    return tests.contains { $0.training == nil } ? "\(generations); of training \(training)" : training
  }

  /// - Throws: `UsageError` where the test does not fit the model's context.
  func make(_ test: Test) throws -> CellPlan {
    if case .training(let batch, let context) = test {
      return try makeTraining(test, batch: batch, context: context)
    }
    guard let generation = test.generation, let work = work(of: test) else {
      throw UsageError("an operation is no generation")
    }
    let (prompt, tokens, batch) = (generation.prompt, generation.tokens, generation.batch)
    guard test.fits(configuration) else {
      throw UsageError(
        test.name, found: "\(prompt) + \(tokens) tokens",
        expected:
          "at most \(configuration.context + 1): the model's context, and a last token that is never an input"
      )
    }
    let (ids, text) = try prompts.make(tokens: prompt, batch: batch)
    let short = (prompt: min(prompt, Self.warmupPrompt), tokens: min(tokens, 2))
    let shortIDs = ids.map { Array($0.prefix(short.prompt)) }
    return CellPlan(
      test: test,
      request: RunRequest(prompts: ids, text: startsAtText ? text : nil, tokens: tokens),
      warmup: RunRequest(prompts: shortIDs, tokens: short.tokens),
      work: work,
      cacheBytes: {
        Work.cacheBytes(
          of: configuration, positions: prompt + tokens - 1, sequences: batch, cache: $0)
      },
      arithmetic: { decoding in
        (
          total(decoding, prompt: short.prompt, tokens: short.tokens),
          total(decoding, prompt: prompt, tokens: tokens)
        )
      })
  }

  /// A short prompt of ids and one new token, and its arithmetic.
  func firstToken() throws -> (request: RunRequest, flops: Double) {
    let length = min(Self.firstTokenPrompt, configuration.context)
    let request = RunRequest(prompts: try prompts.make(tokens: length, batch: 1).prompts, tokens: 1)
    return (request, Work(of: configuration, rows: length, firstPosition: 0).flops)
  }

  /// The prompt of the first test that is a prompt's, and a few tokens after it; nil where there is none.
  func profile(_ tests: [Test]) throws -> ProfileRequest? {
    let lengths = tests.filter { $0.stage == .prefill && $0.batch == 1 }.compactMap(\.generation?.prompt)
    guard let length = lengths.first(where: { $0 < configuration.context }) ?? lengths.first else {
      return nil
    }
    return ProfileRequest(
      promptTokens: try prompts.make(tokens: length, batch: 1).prompts[0],
      newTokens: min(Self.profiledTokens, configuration.context - length + 1), measuresOverhead: false,
      coversAllPositions: false)
  }

  private static let profiledTokens = 17

  /// What one primary duration of the test computes and moves, by how the contestant decodes; nil for no generation.
  private func work(
    of test: Test
  ) -> ((Variant.Decoding, _ weights: WeightPrecision, _ cache: WeightPrecision) -> CellWork)? {
    switch test {
    case .prefill(let tokens, let batch):
      return { prefill(tokens, batch: batch, weights: $1, cache: $2) }
    case .decode(let tokens, let depth, let batch):
      return { averageStep($0, depth: depth, tokens: tokens, batch: batch, weights: $1, cache: $2) }
    case .training, .operation: return nil
    }
  }

  private func prefill(
    _ tokens: Int, batch: Int, weights: WeightPrecision, cache: WeightPrecision
  ) -> CellWork {
    let work = Work(
      of: configuration, rows: tokens, firstPosition: 0, sequences: batch, weights: weights, cache: cache)
    return (work.flops, work.bytes, nil)
  }

  /// The mean over the steps after the first new token.
  private func averageStep(
    _ decoding: Variant.Decoding, depth: Int, tokens: Int, batch: Int, weights: WeightPrecision,
    cache: WeightPrecision
  ) -> CellWork {
    let steps = (0..<tokens - 1).map {
      Work(
        ofStepIn: configuration, decoding: decoding, position: depth + $0, sequences: batch, weights: weights,
        cache: cache)
    }
    let count = Double(steps.count)
    return (
      steps.reduce(0) { $0 + $1.flops } / count, steps.reduce(0) { $0 + $1.bytes } / count, nil
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
  /// Whether a model has the context for it. The last new token is chosen and not taken in; nor is that of a window.
  func fits(_ configuration: Configuration) -> Bool {
    if let training = traits.training { return training.context <= configuration.context }
    guard let generation = traits.generation else { return true }
    return generation.prompt <= configuration.context
      && generation.tokens - 1 <= configuration.context - generation.prompt
  }
}

/// The cell of one operation.
enum OperationCells {
  /// What a report says of a matrix product's warm-up, and of another operation's.
  static let matmulWarmup = "as many calls as it took to find out how many last 10 ms"
  static let warmup =
    "as many calls as it took to find out how many last 10 ms, or 2 ms, or 100 ms with its preparation, where each call "
    + "is prepared for"

  static func make(_ shape: OperationShape) -> CellPlan {
    let flops = work(of: shape, .f32, .f32).flops
    return CellPlan(
      test: .operation(shape), request: RunRequest(operation: shape),
      warmup: nil, work: { _, weights, cache in work(of: shape, weights, cache) },
      arithmetic: { _ in (flops, flops) })
  }

  /// Arithmetic, compulsory traffic, and what of it comes from memory; see the operations for what is counted.
  /// Of a matrix product it is all from memory, which its roof knows.
  private static func work(
    of shape: OperationShape, _ weights: WeightPrecision, _ cache: WeightPrecision
  ) -> CellWork {
    switch shape {
    case .matmul(let m, let k, let n):
      (Linear.flops(m: m, n: n, k: k), Linear.bytes(m: m, n: n, k: k, weights: weights), nil)
    case .layerNorm(let rows, let channels):
      (
        LayerNorm.flops(rows: rows, channels: channels), LayerNorm.bytes(rows: rows, channels: channels),
        LayerNorm.vectorBytes(channels: channels)
      )
    case .gelu(let rows, let channels):
      (GELU.flops(count: rows * channels), GELU.bytes(count: rows * channels), 0)
    case .softmax(let rows, let heads, let depth):
      (
        Softmax.flops(rows: rows, firstPosition: depth, heads: heads),
        Softmax.bytes(rows: rows, firstPosition: depth, heads: heads), 0
      )
    case .attention(let rows, let heads, let headSize, let depth):
      (
        Attention.flops(rows: rows, firstPosition: depth, channels: heads * headSize),
        Attention.bytes(rows: rows, firstPosition: depth, channels: heads * headSize, cache: cache),
        Attention.cachedBytes(firstPosition: depth, channels: heads * headSize, cache: cache)
      )
    case .embedding(let rows, let channels, _):
      (
        Embedding.flops(rows: rows, channels: channels),
        Embedding.bytes(rows: rows, channels: channels, weights: weights),
        Embedding.tableBytes(rows: rows, channels: channels, weights: weights)
      )
    case .sampling(let vocabulary, _): (0, 4 * Double(vocabulary), 0)
    }
  }
}

/// The prompts that tests run on: always the same for the same seed, so that every contestant and every run gets
/// the same tokens.
struct Prompts {
  let vocabulary: Int
  let tokenizer: Tokenizer?
  let seed: UInt64

  /// Token ids drawn evenly from the vocabulary, another draw for each sequence of a batch. Where there is a
  /// tokenizer and one sequence, the prompt is text, if one can be cut that has just this many tokens.
  func make(tokens: Int, batch: Int) throws -> (prompts: [[Int]], text: String?) {
    if batch == 1, let (ids, text) = try cutText(tokens: tokens) { return ([ids], text) }
    let prompts = (0..<batch).map { sequence in
      var generator = SeededGenerator(seed: seed &+ UInt64(sequence))
      return (0..<tokens).map { _ in generator.index(below: vocabulary) }
    }
    return (prompts, nil)
  }

  /// The beginning of a text that encodes to `tokens` ids.
  private func cutText(tokens: Int) throws -> (ids: [Int], text: String)? {
    guard let tokenizer else { return nil }
    var text = Self.sample
    var ids = try tokenizer.encode(text)
    while ids.count < tokens {
      text += Self.sample
      ids = try tokenizer.encode(text)
    }
    let cut = try tokenizer.decode(ids[..<tokens])
    let again = try tokenizer.encode(cut)
    return again.count == tokens ? (again, cut) : nil
  }

  private static let sample = """
    The river had been rising since noon, and by the time the lamps were lit the lower meadow was a sheet of grey \
    water with the tops of the gateposts standing out of it. Nobody in the house spoke of it. The old man wound the \
    clock, as he did each evening at eight; the girl counted the candles and found eleven; and the dog, who had \
    slept through every storm of the past 14 years, lay with his head against the door and listened. "It will turn \
    before morning," said the old man. It didn't. At half past two they heard the first of the fences go.


    """
}
