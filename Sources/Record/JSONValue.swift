/// Any JSON document, to say what was found where a record's field was expected.
public enum JSONValue: Codable, Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// An integer beyond `Int.max`.
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .unsigned(value)
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

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
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

  /// The same document with `value` at the end of `path`.
  func replacing(_ path: ArraySlice<any CodingKey>, with value: JSONValue) -> JSONValue {
    guard let key = path.first else { return value }
    switch self {
    case .object(var members):
      members[key.stringValue] = (members[key.stringValue] ?? .null).replacing(path.dropFirst(), with: value)
      return .object(members)
    case .array(var elements):
      guard let index = key.intValue, elements.indices.contains(index) else { return self }
      elements[index] = elements[index].replacing(path.dropFirst(), with: value)
      return .array(elements)
    default: return self
    }
  }

  /// The paths of all numbers that some integer type cannot hold: fractions, negative and very large ones.
  func unfitNumbers(under path: [any CodingKey] = []) -> [[any CodingKey]] {
    switch self {
    case .number, .unsigned: return [path]
    case .integer(let value): return value < 0 ? [path] : []
    case .array(let elements):
      return elements.enumerated().flatMap { $1.unfitNumbers(under: path + [Key(intValue: $0)]) }
    case .object(let members):
      return members.sorted { $0.key < $1.key }
        .flatMap { $1.unfitNumbers(under: path + [Key(stringValue: $0)]) }
    case .null, .bool, .string: return []
    }
  }

  /// A step of a path.
  private struct Key: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
  }

  /// In words for an error: a scalar as it stands, cut short where it is long.
  var summary: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .unsigned(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .string(let value):
      return "\"" + (value.count > 40 ? String(value.prefix(40)) + "…" : value) + "\""
    case .array(let elements): return "an array of \(elements.count)"
    case .object: return "an object"
    }
  }
}
