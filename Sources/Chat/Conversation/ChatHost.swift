import Files
import GPT2Engine
import GPT2Kernels
import GPT2Model

/// The program that a chat is part of: it knows where models are, and what machine this is.
public protocol ChatHost {
  /// - Parameter name: a model's name or path, as it was typed; nil for the default.
  func load(_ name: String?, _ variant: Variant, threads: Int) throws -> LoadedModel
  func variant(named name: String) throws -> Variant
  /// Bytes of memory that the process has, and the most that it had; nil where the system does not say.
  var memory: (resident: Int?, peak: Int?) { get }
  var machine: (cores: Int, cpu: String?, system: String) { get }
}

public protocol ChatConsole: AnyObject {
  var isQuiet: Bool { get }
  /// Whether figures are wanted while an answer comes.
  var showsProgress: Bool { get }
  var usesColor: Bool { get }
  var hasFailed: Bool { get }
  /// A piece of standard output, out at once.
  func write(_ text: String)
  /// A line of standard error, unless nobody wants remarks.
  func note(_ text: String)
  func warn(_ text: String)
}

/// What a person typed makes no sense: the error says what was found and what was expected.
public struct InputError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }

  public init(_ name: String, found: String, expected: String) {
    self.init("\(name): found '\(found.safeLine(limit: 200))', expected \(expected)")
  }

  /// A value that is none of those known, and the nearest of them.
  ///
  /// - Parameter other: what else would do.
  public init(_ name: String, found: String, oneOf known: [String], or other: String? = nil) {
    let words = known.joined(separator: ", ") + (other.map { ", or \($0)" } ?? "")
    self.init(
      name, found: found, expected: "one of \(words)\(NearestName.advice(for: found, among: known))")
  }

  /// A name that is none of those known: the nearest one, else all of them.
  ///
  /// - Parameters:
  ///   - kind: what it is a name of.
  ///   - prefix: what stands before each name.
  ///   - hint: what follows the nearest name or the names.
  public init(
    unknown kind: String, _ name: String, among known: [String], prefix: String = "", hint: String = ""
  ) {
    let advice =
      NearestName.nearest(to: name, among: known).map { "did you mean '\(prefix)\($0)'?" }
      ?? "expected one of " + known.map { prefix + $0 }.joined(separator: ", ")
    self.init("unknown \(kind) '\(prefix)\(name.safeLine(limit: 200))', \(advice)\(hint)")
  }
}

/// - Parameter wrong: the error for a word that is no token id.
public func tokenIDs<Word: StringProtocol>(
  _ words: some Sequence<Word>, wrong: (Word) -> any Error
) throws -> [Int] {
  try words.map { word in
    guard let id = Int(word), id >= 0 else { throw wrong(word) }
    return id
  }
}

public struct LoadedModel {
  public let name: String
  /// nil for a model without one: then texts are token ids.
  let tokenizer: Tokenizer?
  /// The tokens that end an answer.
  let ends: Set<Int>
  let engine: Engine

  /// - Parameter ends: the tokens that end a text, where there is no tokenizer to say it.
  public init(
    _ name: String, _ checkpoint: Checkpoint, _ tokenizer: Tokenizer?, ends: Set<Int> = [],
    _ variant: Variant, threads: Int
  ) throws {
    (self.name, self.tokenizer, self.ends) = (name, tokenizer, tokenizer?.ends ?? ends)
    engine = try Engine(checkpoint, variant: variant, threads: threads)
  }

  /// What text is to the model; without a tokenizer text is ids.
  func ids(_ text: String) throws -> [Int] {
    if let tokenizer { return try tokenizer.encode(text) }
    return try tokenIDs(text.split(whereSeparator: \.isWhitespace)) {
      InputError("found '\($0)', expected token ids such as \"1 2 3\", because \(name) has no tokenizer")
    }
  }

  func text(of ids: [Int], endsWith end: String) throws -> Bool {
    guard let tokenizer, !ids.isEmpty else { return true }
    // Most tokens are one byte at least; some stand for no text.
    let spelled = try ids.filter { try !tokenizer.bytes(of: $0).isEmpty }
    let bytes = try tokenizer.bytes(of: spelled.suffix(end.utf8.count))
    return bytes.suffix(end.utf8.count).elementsEqual(end.utf8)
  }
}
