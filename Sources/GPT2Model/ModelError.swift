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
  public var description: String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  private var text: String {
    switch shortened {
    case .unknownModel(let name):
      "unknown model '\(name)': expected synthetic:gpt2, synthetic:gpt2-medium, synthetic:gpt2-large, "
        + "synthetic:gpt2-xl, synthetic:tiny, synthetic:L,H,C,V,T, a folder with a model in it, or "
        + WeightsFormat.expectation
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .malformed(let path, let problem): "\(path): \(problem)"
    case .field(let path, let field, let found, let expected):
      "\(path): \(field): found \(found), expected \(expected)"
    case .missingTensor(let path, let name): "\(path): tensor \(name) is missing"
    case .tensor(let path, let name, let property, let found, let expected):
      "\(path): tensor \(name): \(property) is \(found), expected \(expected)"
    case .configuration(let field, let found, let expected):
      "model configuration: \(field) is \(found), expected \(expected)"
    }
  }

  /// With what a file holds cut to a length that can be read.
  private var shortened: ModelError {
    switch self {
    case .field(let path, let field, let found, let expected):
      .field(path: path, field: field.shortened, found: found.shortened, expected: expected)
    case .missingTensor(let path, let name): .missingTensor(path: path, name: name.shortened)
    case .tensor(let path, let name, let property, let found, let expected):
      .tensor(
        path: path, name: name.shortened, property: property, found: found.shortened, expected: expected)
    default: self
    }
  }
}

extension String {
  /// Its beginning, of about a line's length.
  var shortened: String { unicodeScalars.count > 100 ? String(unicodeScalars.prefix(100)) + "…" : self }

  /// In quotation marks, with escapes for what cannot be seen.
  var quoted: String { shortened.debugDescription }
}
