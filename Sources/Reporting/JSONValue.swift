/// Any JSON document, to say what was found where a record's field was expected.
enum JSONValue: Codable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// The value at the end of `path`, nil where there is none.
  func value(at path: ArraySlice<any CodingKey>) -> JSONValue? {
    guard let key = path.first else { return self }
    switch self {
    case .object(let members): return members[key.stringValue]?.value(at: path.dropFirst())
    case .array(let elements):
      guard let index = key.intValue, elements.indices.contains(index) else { return nil }
      return elements[index].value(at: path.dropFirst())
    default: return nil
    }
  }

  /// The same document with null at the end of `path`.
  func withNull(at path: ArraySlice<any CodingKey>) -> JSONValue {
    guard let key = path.first else { return .null }
    switch self {
    case .object(var members):
      members[key.stringValue] = (members[key.stringValue] ?? .null).withNull(at: path.dropFirst())
      return .object(members)
    case .array(var elements):
      guard let index = key.intValue, elements.indices.contains(index) else { return self }
      elements[index] = elements[index].withNull(at: path.dropFirst())
      return .array(elements)
    default: return self
    }
  }

  /// In words for an error: a scalar as it stands, cut short where it is long.
  var summary: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .number(let value):
      return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    case .string(let value):
      return "\"" + (value.count > 40 ? String(value.prefix(40)) + "…" : value) + "\""
    case .array(let elements): return "an array of \(elements.count)"
    case .object: return "an object"
    }
  }
}
