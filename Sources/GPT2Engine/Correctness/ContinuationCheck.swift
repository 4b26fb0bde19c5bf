import GPT2Model

/// What a comparison of greedy continuations has found.
public struct ContinuationCheck: Codable, Equatable, Sendable {
  /// Tokens that are as expected; behind the first that is not, none of a prompt's are counted.
  public private(set) var tokensAgreed = 0
  public private(set) var tokensExpected = 0
  /// The first thing found wrong, in a line.
  public private(set) var failure: String?

  public var passed: Bool { failure == nil && tokensAgreed == tokensExpected && tokensExpected > 0 }

  mutating func fail(_ reason: String) {
    if failure == nil { failure = reason }
  }

  /// - Parameter prompt: opens a message.
  mutating func compare(_ found: [Int], expected: [Int], prompt: String) {
    let agreed = zip(found, expected).prefix { $0 == $1 }.count
    tokensAgreed += agreed
    tokensExpected += expected.count
    if agreed < found.count {
      fail("\(prompt): greedy token \(agreed) is \(found[agreed]), expected \(expected[agreed])")
    } else if agreed < expected.count {
      fail("\(prompt): the context ends after \(agreed) of \(expected.count) greedy tokens")
    }
  }
}

extension Engine {
  /// Continues the case's prompts greedily.
  ///
  /// - Parameter tokenizer: is held against the case's texts too; nil for a model without one.
  public func check(
    against known: ContinuationCase, tokenizer: Tokenizer?
  ) throws(EngineError) -> ContinuationCheck {
    var check = ContinuationCheck()
    for prompt in known.prompts {
      let name = prompt.text.debugDescription
      if let problem = tokenizer?.difference(toTextOf: prompt) { check.fail("\(name): \(problem)") }
      check.compare(
        try greedy(prompt.ids, upTo: prompt.greedy), expected: prompt.greedy, prompt: name)
      if let problem = tokenizer?.difference(toContinuationOf: prompt) { check.fail("\(name): \(problem)") }
    }
    return check
  }

  /// The greedy tokens behind a prompt, up to and with the first that is not as expected.
  private func greedy(_ prompt: [Int], upTo expected: [Int]) throws(EngineError) -> [Int] {
    let sequence = try makeSequence()
    try sequence.append(prompt)
    var tokens: [Int] = []
    for token in expected {
      let logits = try step([sequence])
      tokens.append(argmax(UnsafeBufferPointer(start: logits.row(0), count: logits.columns)))
      guard tokens.last == token, sequence.room > 0 else { break }
      try sequence.append([token])
    }
    return tokens
  }
}

/// Where a tokenizer and the texts of a prompt do not agree; nil where they do.
extension Tokenizer {
  fileprivate func difference(toTextOf prompt: ContinuationCase.Prompt) -> String? {
    do {
      let ids = try encode(prompt.text)
      return ids == prompt.ids ? nil : "the text has the ids \(ids), expected \(prompt.ids)"
    } catch {
      return "\(error)"
    }
  }

  fileprivate func difference(toContinuationOf prompt: ContinuationCase.Prompt) -> String? {
    do {
      let text = try decode(prompt.greedy)
      guard text != prompt.continuation else { return nil }
      return "the continuation's ids spell \(text.debugDescription), "
        + "expected \(prompt.continuation.debugDescription)"
    } catch {
      return "\(error)"
    }
  }
}
