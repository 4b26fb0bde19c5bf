/// What is wrong with a JSON document, and where, in the document's own terms.
public struct JSONProblem {
  public enum Kind {
    case missing
    /// The type was expected there.
    case null(any Any.Type)
    /// Something else stands there than the type.
    case anotherType(any Any.Type)
    /// The document is no JSON, or a value in it is none that is allowed; what the decoder says of it.
    case invalid(String)
  }

  /// The way to the field; empty for the document itself.
  public let path: [any CodingKey]
  public let kind: Kind

  public init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context): (path, kind) = (context.codingPath + [key], .missing)
    case .typeMismatch(let type, let context): (path, kind) = (context.codingPath, .anotherType(type))
    case .valueNotFound(let type, let context): (path, kind) = (context.codingPath, .null(type))
    case .dataCorrupted(let context): (path, kind) = (context.codingPath, .invalid(context.debugDescription))
    @unknown default: (path, kind) = ([], .invalid(""))
    }
  }

  /// `cells[3].threads`; empty for the document itself.
  public var field: String { fieldName(path) }
}

/// The way to a field of a document: `cells[3].threads`.
public func fieldName(_ path: [any CodingKey]) -> String {
  path.reduce("") { name, key in
    if let index = key.intValue { return name + "[\(index)]" }
    return name.isEmpty ? key.stringValue : name + "." + key.stringValue
  }
}
