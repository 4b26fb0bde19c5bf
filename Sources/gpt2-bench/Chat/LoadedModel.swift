import GPT2Engine
import GPT2Kernels
import GPT2Model

/// A model that is ready to go on with a text, by one variant.
struct LoadedModel {
  let name: String
  let checkpoint: Checkpoint
  /// nil for a model without one: then texts are token ids.
  let tokenizer: Tokenizer?
  let engine: Engine

  var configuration: Configuration { checkpoint.configuration }

  /// - Parameter name: nil for the default.
  init(_ name: String?, _ variant: Variant, threads: Int, _ console: Console) throws {
    let choice = try ModelChoice(name, for: .text, Project(), console)
    checkpoint = try choice.open()
    tokenizer = try choice.tokenizer(of: checkpoint.configuration)
    engine = try Engine(checkpoint, variant: variant, threads: threads)
    self.name = choice.source.name
  }

  /// The same model by another variant.
  init(_ other: LoadedModel, _ variant: Variant, threads: Int) throws {
    (name, checkpoint, tokenizer) = (other.name, other.checkpoint, other.tokenizer)
    engine = try Engine(checkpoint, variant: variant, threads: threads)
  }

  /// What text is to the model; without a tokenizer text is ids.
  func ids(_ text: String) throws -> [Int] {
    if let tokenizer { return try tokenizer.encode(text) }
    return try text.split(whereSeparator: \.isWhitespace).map { word in
      guard let id = Int(word), id >= 0 else {
        throw UsageError(
          "found '\(word)', expected token ids such as \"1 2 3\", because \(name) has no tokenizer")
      }
      return id
    }
  }

  /// Whether the text of these ids ends with another.
  func text(of ids: [Int], endsWith end: String) throws -> Bool {
    guard let tokenizer, !ids.isEmpty else { return true }
    // A token is one byte at least.
    let bytes = try tokenizer.bytes(of: ids.suffix(end.utf8.count))
    return bytes.suffix(end.utf8.count).elementsEqual(end.utf8)
  }
}
