import GPT2Kernels

/// What comparing sequences that share their steps with the same ones alone has found.
public struct BatchCheck: Codable, Equatable, Sendable {
  public let sequences: Int
  /// Greedy tokens that are the same.
  public let agreed: Int
  public let compared: Int

  public var passed: Bool { agreed == compared }
}

extension Engine {
  /// Decodes that many sequences of different lengths together and each of them alone, and compares their greedy tokens.
  /// A few short ones: a variant that recomputes takes its time.
  public func checkBatch(of count: Int) throws(EngineError) -> BatchCheck {
    let lengths = (0..<count).map { min(1 + $0 % 3, configuration.context) }
    // Any tokens will do, as long as they differ.
    let prompts = lengths.enumerated().map { sequence, length in
      (0..<length).map { (sequence * 7919 + $0 * 104_729 + 1) % configuration.vocabulary }
    }
    let together = try greedy(prompts)
    var agreed = 0
    for (prompt, tokens) in zip(prompts, together) {
      agreed += zip(try greedy([prompt])[0], tokens).count { $0 == $1 }
    }
    return BatchCheck(sequences: count, agreed: agreed, compared: together.reduce(0) { $0 + $1.count })
  }

  private static let checkedTokens = 2

  private func greedy(_ prompts: [[Int]]) throws(EngineError) -> [[Int]] {
    var sequences: [TokenSequence] = []
    for prompt in prompts {
      let sequence = try makeSequence()
      try sequence.append(prompt)
      sequences.append(sequence)
    }
    var tokens = prompts.map { _ in [Int]() }
    let count = min(Self.checkedTokens, 1 + (sequences.map(\.room).min() ?? 0))
    for number in 1...count {
      let logits = try step(sequences)
      for (row, sequence) in sequences.enumerated() {
        let token = argmax(UnsafeBufferPointer(start: logits.row(row), count: logits.columns))
        tokens[row].append(token)
        if number < count { try sequence.append([token]) }
      }
    }
    return tokens
  }
}
