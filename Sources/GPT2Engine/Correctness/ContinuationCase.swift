import Foundation
import GPT2Model

/// Greedy continuations that a model is known for, whoever computes them: a `continuations.json`, see
/// `Benchmarks/reference/README.md`.
public struct ContinuationCase: Sendable {
  public struct Prompt: Decodable, Equatable, Sendable {
    public let text: String
    /// The text's tokens.
    public let ids: [Int]
    /// The tokens that greedy decoding appends.
    public let greedy: [Int]
    /// The text of these.
    public let continuation: String
  }

  /// An entry of the position embedding that tells the model from others of its shape.
  struct KnownValue: Equatable, Sendable {
    let position: Int
    let channel: Int
    let value: Double
  }

  public var name: String { file.case }
  /// A model's name as `--model` takes it, a path relative to the project.
  public var model: String { file.model }
  /// What to do where the model is not there, in a few words.
  public var howToGet: String { file.howToGet }
  public var prompts: [Prompt] { file.prompts }

  private let file: File
  private let known: [KnownValue]

  static let format = 1
  /// Known values have five significant digits or more.
  private static let relativeTolerance = 1e-4

  public init(path: String) throws(ModelError) {
    file = try File.read(path, format: Self.format)
    known = try Self.known(file, path: path)
    for (index, prompt) in file.prompts.enumerated() { try Self.check(prompt, index, file.shape, path: path) }
  }

  private static func known(_ file: File, path: String) throws(ModelError) -> [KnownValue] {
    let field = "position_embedding"
    guard !file.positionEmbedding.isEmpty else {
      throw .field(path: path, field: field, found: "none", expected: "at least one value")
    }
    var known: [KnownValue] = []
    for entry in file.positionEmbedding {
      guard entry.count == 3, let position = Int(exactly: entry[0]), let channel = Int(exactly: entry[1]),
        (0..<file.shape.context).contains(position), (0..<file.shape.channels).contains(channel)
      else {
        throw .field(
          path: path, field: field, found: "\(entry)", expected: "[position, channel, value] within the shape"
        )
      }
      known.append(KnownValue(position: position, channel: channel, value: entry[2]))
    }
    return known
  }

  private static func check(
    _ prompt: Prompt, _ index: Int, _ shape: File.Shape, path: String
  ) throws(ModelError) {
    let place = "prompts[\(index)]"
    guard !prompt.ids.isEmpty, !prompt.greedy.isEmpty else {
      throw .field(path: path, field: "\(place).ids, greedy", found: "none", expected: "at least one id")
    }
    let all = prompt.ids + prompt.greedy
    guard all.count <= shape.context + 1 else {
      throw .field(
        path: path, field: "\(place).greedy", found: "\(all.count) ids with the prompt",
        expected: "at most \(shape.context + 1), one more than the context")
    }
    guard let bad = all.first(where: { !(0..<shape.vocabulary).contains($0) }) else { return }
    throw .field(
      path: path, field: "\(place).ids, greedy", found: "\(bad)", expected: "0 to \(shape.vocabulary - 1)")
  }

  /// What shows that a checkpoint is not the model that this is of; nil where it is.
  public func difference(to checkpoint: Checkpoint) -> String? {
    let c = checkpoint.configuration
    let found = File.Shape(
      layers: c.layers, heads: c.heads, channels: c.channels, vocabulary: c.vocabulary, context: c.context)
    guard found == file.shape else { return "its shape is \(found.words), expected \(file.shape.words)" }
    let embedding = checkpoint.positionEmbedding
    for value in known {
      let found = Double(embedding[value.position * c.channels + value.channel])
      guard abs(found - value.value) <= Self.relativeTolerance * abs(value.value) else {
        return "its position embedding has \(found) at [\(value.position), \(value.channel)], "
          + "expected \(value.value)"
      }
    }
    return nil
  }

  private struct File: ReferenceFile {
    let format: Int
    let `case`: String
    let model, howToGet: String
    let shape: Shape
    let positionEmbedding: [[Double]]
    let prompts: [Prompt]

    private enum CodingKeys: String, CodingKey {
      case format, `case`, model, shape, prompts
      case howToGet = "how_to_get"
      case positionEmbedding = "position_embedding"
    }

    struct Shape: Decodable, Equatable, Sendable {
      let layers, heads, channels, vocabulary, context: Int

      var words: String {
        "\(layers) layers, \(heads) heads, \(channels) channels, a vocabulary of \(vocabulary), "
          + "a context of \(context)"
      }
    }
  }
}

/// What a comparison of greedy continuations has found.
public struct ContinuationCheck: Codable, Equatable, Sendable {
  /// Tokens that are as expected; after the first that is not, none of a prompt's are counted.
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
    tokensAgreed += zip(found, expected).prefix { $0 == $1 }.count
    tokensExpected += expected.count
    if let difference = greedyDifference(found, expected: expected, prompt: prompt) { fail(difference) }
  }

  public var result: CheckResult {
    CheckResult(
      failure: passed ? nil : failure ?? CheckResult.nothingCompared, agreed: tokensAgreed,
      compared: tokensExpected)
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
      let found = try greedy(after: [prompt.ids], count: prompt.greedy.count) { step, tokens in
        tokens[0] == prompt.greedy[step]
      }
      check.compare(found[0], expected: prompt.greedy, prompt: name)
      if let problem = tokenizer?.difference(toContinuationOf: prompt) { check.fail("\(name): \(problem)") }
    }
    return check
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
