import Foundation
import GPT2Model

/// Greedy continuations that a model is known for, whoever computes them: a `continuations.json`, see
/// `Benchmarks/reference/README.md`.
public struct ContinuationCase: ReferenceFile, Sendable {
  public struct Prompt: Decodable, Equatable, Sendable {
    public let text: String
    public let ids: [Int]
    /// The tokens that greedy decoding appends.
    public let greedy: [Int]
    public let continuation: String
  }

  let format: Int
  public let name: String
  /// A model's name as `--model` takes it, a path relative to the project.
  public let model: String
  /// What to do where the model is not there, in a few words.
  public let howToGet: String
  private let shape: Shape
  /// Entries of the position embedding that tell the model from others of its shape: position, channel, value.
  private let positionEmbedding: [[Double]]
  public let prompts: [Prompt]

  private enum CodingKeys: String, CodingKey {
    case format, model, shape, prompts
    case name = "case"
    case howToGet = "how_to_get"
    case positionEmbedding = "position_embedding"
  }

  private struct Shape: Decodable, Equatable {
    let layers, heads, channels, vocabulary, context: Int

    var words: String {
      "\(layers) layers, \(heads) heads, \(channels) channels, a vocabulary of \(vocabulary), "
        + "a context of \(context)"
    }
  }

  static let format = 1
  /// Known values have five significant digits or more.
  private static let relativeTolerance = 1e-4

  public init(path: String) throws(ModelError) {
    self = try Self.read(path, format: Self.format)
    try checkShape(path)
    try checkPositionEmbedding(path)
    for (index, prompt) in prompts.enumerated() { try check(prompt, "prompts[\(index)]", path) }
  }

  private func checkShape(_ path: String) throws(ModelError) {
    let sizes = [shape.layers, shape.heads, shape.channels, shape.vocabulary, shape.context]
    let allowed = 1...Configuration.largestDimensions.any
    guard sizes.allSatisfy(allowed.contains) else {
      throw .field(
        path: path, field: "shape", found: shape.words,
        expected: "sizes from \(allowed.lowerBound) to \(allowed.upperBound)")
    }
  }

  private func checkPositionEmbedding(_ path: String) throws(ModelError) {
    let field = "position_embedding"
    try Self.expect(!positionEmbedding.isEmpty, path, field, "none", "at least one value")
    for entry in positionEmbedding {
      guard entry.count == 3, let position = Int(exactly: entry[0]), let channel = Int(exactly: entry[1]),
        (0..<shape.context).contains(position), (0..<shape.channels).contains(channel)
      else {
        throw .field(
          path: path, field: field, found: "\(entry)", expected: "[position, channel, value] within the shape"
        )
      }
    }
  }

  private func check(_ prompt: Prompt, _ place: String, _ path: String) throws(ModelError) {
    let (field, all) = ("\(place).ids, greedy", prompt.ids + prompt.greedy)
    try Self.expect(!prompt.ids.isEmpty && !prompt.greedy.isEmpty, path, field, "none", "at least one id")
    try Self.expect(
      all.count <= shape.context + 1, path, "\(place).greedy", "\(all.count) ids with the prompt",
      "at most \(shape.context + 1), one more than the context")
    for id in all {
      try Self.expect(0..<shape.vocabulary ~= id, path, field, "\(id)", "0 to \(shape.vocabulary - 1)")
    }
  }

  /// What shows that a checkpoint is not the model that this is of; nil where it is.
  public func difference(to checkpoint: Checkpoint) -> String? {
    let c = checkpoint.configuration
    let found = Shape(
      layers: c.layers, heads: c.heads, channels: c.channels, vocabulary: c.vocabulary, context: c.context)
    guard found == shape else { return "its shape is \(found.words), expected \(shape.words)" }
    for known in positionEmbedding {
      let (position, channel, value) = (Int(known[0]), Int(known[1]), known[2])
      let found = Double(checkpoint.positionEmbedding[position * c.channels + channel])
      guard abs(found - value) <= Self.relativeTolerance * abs(value) else {
        return "its position embedding has \(found) at [\(position), \(channel)], expected \(value)"
      }
    }
    return nil
  }
}

public struct ContinuationCheck: Codable, Equatable, Sendable {
  /// Tokens that are as expected; after the first that is not, none of a prompt's are counted.
  public private(set) var tokensAgreed = 0
  public private(set) var tokensExpected = 0
  public private(set) var failure: String?

  public var passed: Bool { failure == nil && tokensExpected > 0 }
  mutating func fail(_ reason: String) { failure = failure ?? reason }

  /// - Parameter mustAgree: of float32; weights of fewer bits may choose otherwise.
  mutating func compare(_ found: [Int], expected: [Int], prompt: String, mustAgree: Bool) {
    tokensAgreed += zip(found, expected).prefix { $0 == $1 }.count
    tokensExpected += expected.count
    if mustAgree, let difference = greedyDifference(found, expected: expected, prompt: prompt) {
      fail(difference)
    }
  }

  public var result: CheckResult {
    CheckResult(
      failure: passed ? nil : failure ?? CheckResult.nothingCompared, agreed: tokensAgreed,
      compared: tokensExpected)
  }
}

extension Engine {
  /// Continues the case's prompts greedily.
  /// - Parameter tokenizer: is held against the case's texts too; nil for a model without one.
  public func check(
    against known: ContinuationCase, tokenizer: Tokenizer?
  ) throws(EngineError) -> ContinuationCheck {
    var check = ContinuationCheck()
    for prompt in known.prompts {
      let name = prompt.text.debugDescription
      if let problem = tokenizer?.difference(toTextOf: prompt) { check.fail("\(name): \(problem)") }
      switch try greedy(after: prompt.ids, expecting: prompt.greedy) {
      case .success(let found):
        check.compare(
          found, expected: prompt.greedy, prompt: name, mustAgree: QualityLimits(of: variant) == nil)
      case .failure(let error): check.fail("\(name): \(error)")
      }
      if let problem = tokenizer?.difference(toContinuationOf: prompt) { check.fail("\(name): \(problem)") }
    }
    return check
  }
}

extension Tokenizer {
  /// Where the tokenizer and the texts of a prompt do not agree; nil where they do.
  fileprivate func difference(toTextOf prompt: ContinuationCase.Prompt) -> String? {
    described {
      let ids = try encode(prompt.text)
      return ids == prompt.ids ? nil : "the text has the ids \(ids), expected \(prompt.ids)"
    }
  }

  fileprivate func difference(toContinuationOf prompt: ContinuationCase.Prompt) -> String? {
    described {
      let text = try decode(prompt.greedy)
      guard text != prompt.continuation else { return nil }
      return "the continuation's ids spell \(text.debugDescription), "
        + "expected \(prompt.continuation.debugDescription)"
    }
  }

  private func described(_ difference: () throws -> String?) -> String? {
    do { return try difference() } catch { return "\(error)" }
  }
}
