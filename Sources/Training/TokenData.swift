import GPT2Model
import Statistics

/// Which windows of the data a step takes.
public enum WindowOrder: String, Sendable, Codable, CaseIterable {
  /// Each from a place that is drawn: a function of seed, step and row alone.
  case random
  /// One after the other, without gaps; after the last whole window the first.
  case sequential
}

/// A text to train on, whose tail is kept back to validate with. It may be larger than memory.
public struct TrainingText: Sendable {
  public let path: String
  /// Bytes of the file; characters begin at each bound.
  public let training: Range<Int>
  public let validation: Range<Int>
  /// Whether some of it is to be kept back.
  let validates: Bool

  /// - Parameter share: of the bytes that are kept back, from 0 to below 1; a character is not cut.
  /// - Throws: `ModelError` for what is no file, and for an empty one.
  public init(_ path: String, validation share: Double) throws(ModelError) {
    precondition((0..<1).contains(share))
    guard let bytes = try TextReader.size(of: path) else {
      throw .malformed(path: path, problem: "is no plain file, expected one whose size is known")
    }
    guard bytes > 0 else { throw .malformed(path: path, problem: "the file is empty, expected a text") }
    var split = share == 0 ? bytes : Int(Double(bytes) * (1 - share))
    // At most three bytes go on with a character.
    let next = try TextReader.bytes(of: path, split..<min(split + 3, bytes))
    split += next.prefix { $0 & 0xC0 == 0x80 }.count
    (self.path, training, validation, validates) = (path, 0..<split, split..<bytes, share > 0)
  }

  /// Learns a vocabulary from what is not kept back.
  /// - Parameter count: tokens, `VocabularyLearner.fewestTokens` at least.
  /// - Throws: `ModelError` for what is not UTF-8, `TokenizerError.textTooShort`.
  public func learnTokenizer(vocabulary count: Int) throws -> Tokenizer {
    var learner = VocabularyLearner()
    var reader = try TextReader(path, part: training)
    while let block = try reader.next() { learner.add(block) }
    return try learner.tokenizer(count: count)
  }
}

/// The tokens that a model is trained on, and those that are kept back to validate with.
public struct TokenData: Sendable {
  /// What is the same for the same data; with it a training knows its data again.
  public struct Identity: Codable, Equatable, Sendable {
    public let trainingTokens: Int
    public let validationTokens: Int
    /// A hash of all tokens, hexadecimal.
    public let digest: String
  }

  /// The file.
  public let name: String
  public let training: TokenList
  public let validation: TokenList
  /// Tokens that a window predicts.
  public let context: Int
  public let identity: Identity

  /// - Parameters:
  ///   - vocabulary: of the model; the tokenizer's is no larger.
  ///   - folder: on whose disk the tokens are kept, in a file that goes with the data.
  /// - Throws: `ModelError` for what is not UTF-8, a full disk, and parts that are shorter than a window;
  ///   `TokenizerError` for a byte that has no token.
  public init(
    _ text: TrainingText, _ tokenizer: Tokenizer, vocabulary: Int, context: Int, inFolder folder: String
  ) throws {
    func tokens(_ part: Range<Int>) throws -> TokenList {
      var reader = try TokenReader(text.path, part: part, tokenizer)
      return try TokenList(inFolder: folder, vocabulary: vocabulary) { try reader.next() }
    }
    try self.init(
      text.path, training: tokens(text.training), validation: tokens(text.validation),
      validates: text.validates, context: context)
  }

  /// - Parameters:
  ///   - path: a one-dimensional `.npy` array of whole numbers below `vocabulary`.
  ///   - share: of the tokens, the last of which are kept back, from 0 to below 1.
  /// - Throws: `ModelError`, also for parts that are shorter than a window.
  public init(npy path: String, vocabulary: Int, validation share: Double, context: Int) throws(ModelError) {
    precondition((0..<1).contains(share))
    let tokens = try TokenList(npy: path, vocabulary: vocabulary)
    let split = share == 0 ? tokens.count : Int(Double(tokens.count) * (1 - share))
    try self.init(
      path, training: tokens[0..<split], validation: tokens[split..<tokens.count], validates: share > 0,
      context: context)
  }

  private init(
    _ name: String, training: TokenList, validation: TokenList, validates: Bool, context: Int
  ) throws(ModelError) {
    precondition(context > 0)
    func requireWindow(_ tokens: TokenList, _ purpose: String, _ advice: String) throws(ModelError) {
      guard tokens.count <= context else { return }
      throw .malformed(
        path: name,
        problem:
          "found \(tokens.count) token\(tokens.count == 1 ? "" : "s") to \(purpose), expected at least "
          + "\(context + 1) for a window of \(context): \(advice)")
    }
    try requireWindow(training, "train on", "give a longer text, or a smaller --context")
    if validates {
      try requireWindow(
        validation, "validate with",
        "give a longer text, a larger --validation or none (0), or a smaller --context")
    }
    (self.name, self.training, self.validation, self.context) = (name, training, validation, context)
    let digest = SplitMix64.mix(training.digest, validation.digest)
    identity = Identity(
      trainingTokens: training.count, validationTokens: validation.count,
      digest: String(digest, radix: 16))
  }

  /// The windows of a step.
  ///
  /// - Parameters:
  ///   - step: from 0 on.
  ///   - count: rows of the step, those of all accumulated batches. In sequence, row r of step s begins at token
  ///     (s · count + r) · context.
  public func windows(step: Int, count: Int, order: WindowOrder, seed: UInt64) -> [Window] {
    (0..<count).map { row -> Window in
      switch order {
      case .random:
        let drawn = SplitMix64.mix(SplitMix64.mix(seed, UInt64(step)), UInt64(row))
        var generator = SeededGenerator(seed: drawn)
        return window(of: training, from: generator.index(below: training.count - context))
      case .sequential:
        let index = (step * count + row) % wholeWindows(training)
        return window(of: training, from: index * context)
      }
    }
  }

  /// The first windows of what is kept back, one after the other; none where nothing is.
  public func validationWindows(atMost most: Int = .max) -> [Window] {
    (0..<min(wholeWindows(validation), most)).map { window(of: validation, from: $0 * context) }
  }

  private func wholeWindows(_ tokens: TokenList) -> Int { max(tokens.count - 1, 0) / context }

  private func window(of tokens: TokenList, from start: Int) -> Window {
    Window(tokens.ids(start..<start + context + 1))
  }
}
