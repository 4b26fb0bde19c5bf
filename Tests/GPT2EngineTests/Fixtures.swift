import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Models small enough to run many times: one that every tile divides, one that none does.
enum Fixtures {
  static let tiny = Result { try model("tiny", 2, 4, 64, 512, 128) }
  static let ragged = Result { try model("ragged", 3, 5, 35, 131, 121) }
  static let small = Result { try model("small", 2, 2, 10, 23, 12) }

  private static func model(
    _ name: String, _ l: Int, _ h: Int, _ c: Int, _ v: Int, _ t: Int
  ) throws -> Checkpoint {
    try Checkpoint(
      inMemory: Configuration(layers: l, heads: h, channels: c, vocabulary: v, context: t), name: name)
  }

  static func ids(_ count: Int, of checkpoint: Checkpoint, seed: UInt64 = 1) -> [Int] {
    var random = RandomStream(seed: seed)
    return random.ids(count, below: checkpoint.configuration.vocabulary)
  }
}

extension Variant: CustomTestStringConvertible {
  public var testDescription: String { name }
}

extension Engine {
  /// The logits of a step's rows, copied.
  func rows(_ sequences: [TokenSequence]) throws -> [[Float]] {
    let logits = try step(sequences)
    return (0..<logits.rows).map {
      Array(UnsafeBufferPointer(start: logits.row($0), count: logits.columns))
    }
  }

  /// A new sequence's logits after these tokens.
  func logits(after ids: [Int]) throws -> [Float] {
    let sequence = try makeSequence()
    try sequence.append(ids)
    return try rows([sequence])[0]
  }

  /// A new sequence's logits at each of these tokens, from one pass.
  func logitsThrough(_ ids: [Int]) throws -> [[Float]] {
    let sequence = try makeSequence()
    try sequence.append(ids)
    var all: [[Float]] = []
    try stepThroughPositions(of: sequence) { position, logits in
      expectEqual(position, all.count)
      all.append(Array(logits))
    }
    return all
  }

  func greedy(_ prompt: [Int], count: Int) throws -> [Int] {
    var tokens: [Int] = []
    try Generator(self).generate(prompt: prompt, GenerationParameters(maximumNewTokens: count)) { step in
      tokens += [step.token].compactMap(\.self)
      return true
    }
    return tokens
  }
}
