import Files

/// What is wrong with a model's name, its configuration or its files. Each description is one line that names
/// the thing, what was found and what was expected.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknownModel(String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  /// The file as a whole breaks its format.
  case malformed(path: String, problem: String)
  case field(path: String, field: String, found: String, expected: String)
  case missingTensor(path: String, name: String)
  case tensor(path: String, name: String, property: String, found: String, expected: String)
  case configuration(field: String, found: String, expected: String)

  /// One line, whatever a file or a name holds.
  public var description: String { text.safeLine }

  /// What a file holds is cut to a length that can be read.
  private var text: String {
    switch self {
    case .unknownModel(let name):
      "unknown model '\(name.shortened)': expected synthetic:gpt2, synthetic:gpt2-medium, synthetic:gpt2-large, "
        + "synthetic:gpt2-xl, synthetic:tiny, synthetic:L,H,C,V,T, a folder with a model in it, or "
        + WeightsFormat.expectation + ModelSource.advice(for: name)
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .malformed(let path, let problem): "\(path): \(problem)"
    case .field(let path, let field, let found, let expected):
      "\(path): \(field.shortened): found \(found.shortened), expected \(expected)"
    case .missingTensor(let path, let name): "\(path): tensor \(name.shortened) is missing"
    case .tensor(let path, let name, let property, let found, let expected):
      "\(path): tensor \(name.shortened): \(property) is \(found.shortened), expected \(expected)"
    case .configuration(let field, let found, let expected):
      "model configuration: \(field) is \(found), expected \(expected)"
    }
  }
}

/// What can be wrong with a vocabulary's files, or with what is asked of a tokenizer. Lines and columns count from 1;
/// a column counts Unicode scalars.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  case missingFile(path: String)
  case unreadableFile(path: String, reason: String)
  /// `vocab.json` is not a JSON object from strings to non-negative integers.
  case malformedVocabulary(path: String, line: Int, column: Int, found: String, expected: String)
  case duplicateToken(path: String, token: String, firstID: Int, secondID: Int)
  /// `vocab.json` gives one id to two tokens.
  case duplicateID(path: String, id: Int, firstToken: String, secondToken: String)
  /// `vocab.json` does not use every id in `0 ..< count`; `id` is the lowest one without a token.
  case missingID(path: String, id: Int, count: Int)
  /// A line of `merges.txt` is not two tokens with one space between them.
  case malformedMerge(path: String, line: Int, found: String)
  case duplicateMerge(path: String, line: Int, firstLine: Int, pair: String)
  /// A merge has a part, or makes a token, that is not in the vocabulary.
  case mergeOutsideVocabulary(path: String, line: Int, token: String)
  /// An id to decode is not in `0 ..< count`.
  case idOutsideVocabulary(id: Int, count: Int)
  /// The text holds a byte for which the vocabulary has no token; `offset` counts the text's UTF-8 bytes.
  case byteWithoutToken(byte: UInt8, offset: Int)
  /// A text to learn a vocabulary from has no further pair of neighbours to make a token of.
  case textTooShort(found: Int, expected: Int)

  /// One line, whatever the files hold.
  public var description: String { text.safeLine }

  private var text: String {
    switch self {
    case .missingFile(let path): "\(path): no such file, expected a tokenizer's file"
    case .unreadableFile(let path, let reason): "\(path): cannot be read: \(reason)"
    case .malformedVocabulary(let path, let line, let column, let found, let expected):
      "\(path):\(line):\(column): found \(found), expected \(expected)"
    case .duplicateToken(let path, let token, let firstID, let secondID):
      "\(path): token \(token.quoted) has the ids \(firstID) and \(secondID), expected one"
    case .duplicateID(let path, let id, let firstToken, let secondToken):
      "\(path): id \(id) belongs to \(firstToken.quoted) and to \(secondToken.quoted), "
        + "expected one token for each id"
    case .missingID(let path, let id, let count):
      "\(path): no token has the id \(id), expected the \(count) tokens to have the ids 0 to \(count - 1)"
    case .malformedMerge(let path, let line, let found):
      "\(path):\(line): found \(found.quoted), expected two tokens with one space between them"
    case .duplicateMerge(let path, let line, let firstLine, let pair):
      "\(path):\(line): the merge \(pair.quoted) is on line \(firstLine) already, "
        + "expected each pair once"
    case .mergeOutsideVocabulary(let path, let line, let token):
      "\(path):\(line): the merge needs the token \(token.quoted), expected it in the vocabulary"
    case .idOutsideVocabulary(let id, let count):
      "token id \(id) is outside the vocabulary, expected 0 to \(count - 1)"
    case .byteWithoutToken(let byte, let offset):
      "byte \(byte) at offset \(offset) of the text has no token in the vocabulary"
    case .textTooShort(let found, let expected):
      "the text makes \(found) tokens, expected the \(expected) of the vocabulary: give more text, or a smaller "
        + "vocabulary"
    }
  }
}

/// One who reads a file, and names the file in what it refuses.
protocol FileReader {
  var path: String { get }
}

extension FileReader {
  /// - Parameter tensor: whose property the field is; nil for the file's.
  func refusal(tensor: String? = nil, _ field: String, found: String, expected: String) -> ModelError {
    guard let tensor else { return .field(path: path, field: field, found: found, expected: expected) }
    return .tensor(path: path, name: tensor, property: field, found: found, expected: expected)
  }

  func expect(
    _ isRight: Bool, tensor: String? = nil, _ field: String, found: @autoclosure () -> String,
    expected: @autoclosure () -> String
  ) throws(ModelError) {
    guard isRight else { throw refusal(tensor: tensor, field, found: found(), expected: expected()) }
  }

  func required<Value>(_ value: Value?, _ field: String, _ expected: String) throws(ModelError) -> Value {
    guard let value else { throw refusal(field, found: "nothing", expected: expected) }
    return value
  }
}

extension ModelError {
  /// What is wrong with a JSON file, and where in it.
  public init(_ error: DecodingError, path: String) {
    let problem = JSONProblem(error)
    let field = problem.path.isEmpty ? "the file" : problem.field
    func wrong(_ found: String, _ expected: String) -> ModelError {
      .field(path: path, field: field, found: found, expected: expected)
    }
    self =
      switch problem.kind {
      case .missing: wrong("nothing", "a value")
      case .null(let type): wrong("null", "\(type)")
      case .anotherType(let type): wrong("another type", "\(type)")
      case .invalid: .malformed(path: path, problem: "not valid JSON at \(field)")
      }
  }
}

extension String {
  /// Its beginning, of about a line's length.
  var shortened: String { unicodeScalars.count > 100 ? String(unicodeScalars.prefix(100)) + "…" : self }

  /// In quotation marks, with escapes for what cannot be seen.
  var quoted: String { shortened.debugDescription }
}
