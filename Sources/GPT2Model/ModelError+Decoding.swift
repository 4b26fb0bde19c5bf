extension ModelError {
  /// What is wrong with a JSON file, and where in it.
  public init(_ error: DecodingError, path: String) {
    switch error {
    case .keyNotFound(let key, let context):
      self = .field(
        path: path, field: Self.place(context.codingPath + [key]), found: "nothing", expected: "a value")
    case .typeMismatch(let type, let context):
      self = .field(
        path: path, field: Self.place(context.codingPath), found: "another type", expected: "\(type)")
    case .valueNotFound(let type, let context):
      self = .field(path: path, field: Self.place(context.codingPath), found: "null", expected: "\(type)")
    case .dataCorrupted(let context):
      self = .malformed(path: path, problem: "not valid JSON at \(Self.place(context.codingPath))")
    @unknown default:
      self = .malformed(path: path, problem: "not the expected JSON")
    }
  }

  /// For example `prompts[2].ids`.
  private static func place(_ keys: [any CodingKey]) -> String {
    let text = keys.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
    return text.isEmpty ? "the file" : String(text.drop { $0 == "." })
  }
}
