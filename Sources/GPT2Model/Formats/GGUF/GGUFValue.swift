/// The types that a GGUF metadata value may have, by their number in the file.
enum GGUFValueType: UInt32 {
  case uint8, int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64

  /// The fewest bytes that one such value takes.
  var smallestSize: Int {
    switch self {
    case .uint8, .int8, .boolean: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }
}

/// A metadata value. Strings and arrays stay in the file; here is where they lie.
enum GGUFValue: Equatable {
  case integer(Int)
  /// A floating-point number, or an integer beyond `Int`.
  case number(Double)
  case boolean(Bool)
  case string(Range<Int>)
  /// The first element begins at byte `start`.
  case array(of: GGUFValueType, count: Int, start: Int)

  /// What an error calls it.
  var kind: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string: "a string"
    case .array: "an array"
    }
  }
}

extension GGUFCursor {
  /// How deep arrays may lie in arrays. llama.cpp's files have none within another.
  private static let deepestArray = 4

  mutating func valueType(_ field: @autoclosure () -> String) throws(ModelError) -> GGUFValueType {
    let number = try integer(UInt32.self, field() + "'s type")
    guard let type = GGUFValueType(rawValue: number) else {
      throw .field(
        path: path, field: field() + "'s type", found: "\(number)", expected: "a number from 0 to 12")
    }
    return type
  }

  mutating func value(_ field: String) throws(ModelError) -> GGUFValue {
    try value(of: valueType(field), field, depth: 0)
  }

  private mutating func value(
    of type: GGUFValueType, _ field: String, depth: Int
  ) throws(ModelError) -> GGUFValue {
    switch type {
    case .uint8: .integer(Int(try integer(UInt8.self, field)))
    case .int8: .integer(Int(try integer(Int8.self, field)))
    case .uint16: .integer(Int(try integer(UInt16.self, field)))
    case .int16: .integer(Int(try integer(Int16.self, field)))
    case .uint32: .integer(Int(try integer(UInt32.self, field)))
    case .int32: .integer(Int(try integer(Int32.self, field)))
    case .int64: .integer(Int(try integer(Int64.self, field)))
    case .uint64: Self.value(of: try integer(UInt64.self, field))
    case .float32: .number(Double(Float(bitPattern: try integer(UInt32.self, field))))
    case .float64: .number(Double(bitPattern: try integer(UInt64.self, field)))
    case .boolean: .boolean(try integer(UInt8.self, field) != 0)
    case .string: .string(try string(field))
    case .array: try array(field, depth: depth)
    }
  }

  private static func value(of unsigned: UInt64) -> GGUFValue {
    Int(exactly: unsigned).map { .integer($0) } ?? .number(Double(unsigned))
  }

  /// Reads over an array; elements of fixed size are skipped all at once.
  private mutating func array(_ field: String, depth: Int) throws(ModelError) -> GGUFValue {
    guard depth < Self.deepestArray else {
      throw .field(
        path: path, field: field, found: "arrays within arrays",
        expected: "at most \(Self.deepestArray) within each other")
    }
    let type = try valueType(field)
    let count = try count(ofAtLeast: type.smallestSize, field + "'s length")
    let start = position
    switch type {
    case .string:
      for index in 0..<count { _ = try string("\(field)[\(index)]") }
    case .array:
      for _ in 0..<count { _ = try array(field, depth: depth + 1) }
    default: try skip(count * type.smallestSize, field)
    }
    return .array(of: type, count: count, start: start)
  }
}
