import Files
import Foundation

/// A decoding error in the terms of the document: which field, what it holds, what it should.
struct DecodingProblem<Value: Decodable> {
  let path: [any CodingKey]
  let document: JSONValue
  let expectation: String

  init(_ error: DecodingError, in document: JSONValue) {
    let problem = JSONProblem(error)
    var path = problem.path
    self.document = document
    switch problem.kind {
    case .null(let type), .anotherType(let type): expectation = Self.name(of: type)
    case .invalid(let description) where description.hasPrefix(NamedChoiceMessage.prefix):
      expectation = description
    case .missing, .invalid:
      if path.isEmpty { path = Self.unfitNumber(in: document) }
      expectation = Self.expected(at: path, in: document)
    }
    self.path = path
  }

  func error(path file: String) -> RecordError {
    .invalid(
      path: file, field: fieldName(path), found: document.value(at: path[...])?.summary ?? "missing",
      expected: expectation)
  }

  /// The type that the decoder asks for at `path`: it names it when it meets null there.
  private static func expected(at path: [any CodingKey], in document: JSONValue) -> String {
    switch problem(of: document.replacing(path[...], with: .null))?.kind {
    case .null(let type), .anotherType(let type): return name(of: type)
    default: return "another value"
    }
  }

  /// The first number that its field's integer type cannot hold. The decoder does not say where it is: the
  /// document decodes once every such number up to it has been replaced, which a bisection finds.
  private static func unfitNumber(in document: JSONValue) -> [any CodingKey] {
    let candidates = document.unfitNumbers()
    var low = 0
    var high = candidates.count
    while low < high {
      let middle = (low + high) / 2
      let mended = candidates[...middle].reduce(document) { $0.replacing($1[...], with: .integer(1)) }
      if hasUnfitNumber(mended) { low = middle + 1 } else { high = middle }
    }
    return candidates.indices.contains(low) ? candidates[low] : []
  }

  private static func hasUnfitNumber(_ document: JSONValue) -> Bool {
    guard let problem = problem(of: document), case .invalid = problem.kind else { return false }
    return problem.path.isEmpty
  }

  /// Nil for a document that decodes.
  private static func problem(of document: JSONValue) -> JSONProblem? {
    do { _ = try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(document)) } catch {
      return (error as? DecodingError).map(JSONProblem.init)
    }
    return nil
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is Int.Type, is UInt64.Type: return "an integer"
    case is Double.Type: return "a number"
    case is String.Type, is any NamedChoice.Type: return "a string"
    case is Bool.Type: return "true or false"
    case is Test.Type, is Test.Stored.Type: return object(with: Test.Stored.CodingKeys.self)
    case is OperationShape.Type: return object(with: OperationShape.CodingKeys.self)
    default:
      return String(describing: type).hasPrefix("Array") ? "an array" : "an object"
    }
  }

  private static func object<Keys: CodingKey & CaseIterable>(with keys: Keys.Type) -> String {
    "an object with one of " + keys.allCases.map { "\"\($0.stringValue)\"" }.joined(separator: ", ")
  }
}

/// An enumeration that is written as one of a few words; a reader that meets another word learns which it
/// may be.
public protocol NamedChoice: RawRepresentable, CaseIterable, Codable, Sendable
where RawValue == String {}

extension NamedChoice {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let word = try container.decode(String.self)
    guard let choice = Self(rawValue: word) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: NamedChoiceMessage.prefix + Self.words)
    }
    self = choice
  }

  private static var words: String { allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") }
}

enum NamedChoiceMessage {
  /// Opens the description of the decoding error, which is then what was expected.
  static let prefix = "one of "
}
