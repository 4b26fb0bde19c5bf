import NumberFormats

/// The header of a GGUF file, version 2 or 3: metadata and the table of tensors. The data begin after it, at
/// a multiple of the alignment. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
struct GGUFHeader: FileReader {
  struct Tensor {
    /// The fastest-running dimension first: the reverse of a row-major shape.
    var dimensions: [Int]
    /// `GGMLType`
    var type: UInt32
    /// Bytes from the start of the data.
    var offset: UInt64
  }

  static let magic = Array("GGUF".utf8)
  /// What ggml allows.
  private static let mostDimensions = 4
  private static let longestKey = 65535
  private static let longestTensorName = 64

  let path: String
  let file: Mapping
  private(set) var metadata: [String: GGUFValue] = [:]
  private(set) var tensors: [String: Tensor] = [:]
  private(set) var alignment = 32
  private(set) var dataStart = 0

  init(_ path: String) throws(ModelError) {
    self.path = path
    file = try Mapping(readingFile: path)
    var cursor = GGUFCursor(bytes: file.bytes, path: path)
    guard file.bytes.starts(with: Self.magic) else {
      throw .malformed(path: path, problem: "not a GGUF file, expected it to begin with GGUF")
    }
    try cursor.skip(Self.magic.count, "the magic number")
    let version = try cursor.integer(UInt32.self, "version")
    let isSwapped = 2...3 ~= version.byteSwapped
    try expect(
      2...3 ~= version, "GGUF version", found: "\(version)\(isSwapped ? " (a big-endian file)" : "")",
      expected: "2 or 3, little-endian")
    let tensorCount = try cursor.count(ofAtLeast: 24, "number of tensors")
    let entryCount = try cursor.count(ofAtLeast: 13, "number of metadata entries")
    for number in 0..<entryCount { try readEntry(number, &cursor) }
    try readAlignment()
    for number in 0..<tensorCount { try readTensor(number, &cursor) }
    dataStart = cursor.position + (alignment - cursor.position % alignment) % alignment
  }

  private mutating func readEntry(_ number: Int, _ cursor: inout GGUFCursor) throws(ModelError) {
    let key = try readName("the key of metadata entry \(number)", upTo: Self.longestKey, &cursor)
    let value = try cursor.value(key)
    try expect(
      metadata.updateValue(value, forKey: key) == nil, key, found: "twice", expected: "each key once")
  }

  private mutating func readTensor(_ number: Int, _ cursor: inout GGUFCursor) throws(ModelError) {
    let name = try readName("the name of tensor \(number)", upTo: Self.longestTensorName, &cursor)
    let dimensionCount = Int(try cursor.integer(UInt32.self, "tensor \(name)'s number of dimensions"))
    try expect(
      dimensionCount <= Self.mostDimensions, tensor: name, "number of dimensions", found: "\(dimensionCount)",
      expected: "at most \(Self.mostDimensions)")
    var dimensions: [Int] = []
    for _ in 0..<dimensionCount {
      let found = try cursor.integer(UInt64.self, "tensor \(name)'s dimensions")
      guard let size = Int(exactly: found) else {
        throw refusal(tensor: name, "a dimension", found: "\(found)", expected: "at most \(Int.max)")
      }
      dimensions.append(size)
    }
    let tensor = Tensor(
      dimensions: dimensions, type: try cursor.integer(UInt32.self, "tensor \(name)'s type"),
      offset: try cursor.integer(UInt64.self, "tensor \(name)'s offset"))
    try expect(
      tensors.updateValue(tensor, forKey: name) == nil, tensor: name, "its entry", found: "there twice",
      expected: "there once")
  }

  private func readName(
    _ field: @autoclosure () -> String, upTo longest: Int, _ cursor: inout GGUFCursor
  ) throws(ModelError) -> String {
    let range = try cursor.string(field())
    try expect(
      range.count <= longest, field(), found: "\(range.count) bytes", expected: "at most \(longest) bytes")
    guard let name = text(range), !name.isEmpty else {
      throw refusal(field(), found: "empty or not UTF-8", expected: "a name in UTF-8")
    }
    return name
  }

  private mutating func readAlignment() throws(ModelError) {
    guard let value = metadata["general.alignment"] else { return }
    guard case .integer(let number) = value, number > 0, number <= 1 << 20, number & (number - 1) == 0 else {
      throw refusal("general.alignment", found: value.kind, expected: "a power of two up to \(1 << 20)")
    }
    alignment = number
  }
}

extension GGUFHeader {
  func text(_ range: Range<Int>) -> String? {
    String(validating: UnsafeRawBufferPointer(rebasing: file.bytes[range]), as: UTF8.self)
  }

  /// - Parameter read: nil for a value of another type.
  private func typed<Value>(
    _ key: String, _ expected: String, _ read: (GGUFValue) -> Value?
  ) throws(ModelError) -> Value? {
    guard let value = metadata[key] else { return nil }
    guard let typed = read(value) else { throw refusal(key, found: value.kind, expected: expected) }
    return typed
  }

  func optionalInteger(_ key: String) throws(ModelError) -> Int? {
    try typed(key, "a whole number") { if case .integer(let number) = $0 { number } else { nil } }
  }

  func integer(_ key: String) throws(ModelError) -> Int {
    try required(optionalInteger(key), key, "a whole number")
  }

  func number(_ key: String) throws(ModelError) -> Double {
    let number: Double? = try typed(key, "a number") {
      switch $0 {
      case .number(let number): number
      case .integer(let number): Double(number)
      default: nil
      }
    }
    return try required(number, key, "a number")
  }

  func boolean(_ key: String) throws(ModelError) -> Bool? {
    try typed(key, "true or false") { if case .boolean(let value) = $0 { value } else { nil } }
  }

  func string(_ key: String) throws(ModelError) -> String? {
    try typed(key, "a string in UTF-8") { if case .string(let range) = $0 { text(range) } else { nil } }
  }

  /// Where each string of an array lies.
  func strings(_ key: String) throws(ModelError) -> [Range<Int>]? {
    try elements(key, [.string], "an array of strings") { cursor, field throws(ModelError) in
      try cursor.string(field)
    }
  }

  func integers(_ key: String) throws(ModelError) -> [Int32]? {
    try elements(key, [.int32, .uint32], "an array of 32-bit integers") { cursor, field throws(ModelError) in
      try cursor.integer(Int32.self, field)
    }
  }

  private func elements<Element>(
    _ key: String, _ types: [GGUFValueType], _ expected: String,
    _ read: (inout GGUFCursor, String) throws(ModelError) -> Element
  ) throws(ModelError) -> [Element]? {
    guard let value = metadata[key] else { return nil }
    guard case .array(let type, let count, let start) = value, types.contains(type) else {
      throw refusal(key, found: value.kind, expected: expected)
    }
    var cursor = GGUFCursor(bytes: file.bytes, path: path, position: start)
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for index in 0..<count { elements.append(try read(&cursor, "\(key)[\(index)]")) }
    return elements
  }
}

/// The number that GGUF gives to a tensor's encoding: `ggml_type` in ggml.h.
enum GGMLType {
  /// What this program reads. `llama-quantize` gives a tied token embedding Q6_K, whatever else it does.
  static let readable: [UInt32: TensorEncoding] = [
    0: .float32, 1: .float16, 2: .q4, 8: .q8, 14: .q6, 30: .bfloat16,
  ]

  private static let names: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K",
    11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32",
    27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]

  static let readableNames = readable.keys.sorted().map(name).joined(separator: ", ")

  static func number(of encoding: TensorEncoding) -> UInt32? { readable.first { $0.value == encoding }?.key }

  static func name(_ number: UInt32) -> String { names[number] ?? "number \(number)" }
}

enum GGUFValueType: UInt32 {
  case uint8, int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64

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
enum GGUFValue {
  case integer(Int)
  /// A floating-point number, or an integer beyond `Int`.
  case number(Double)
  case boolean(Bool)
  case string(Range<Int>)
  /// The first element begins at byte `start`.
  case array(of: GGUFValueType, count: Int, start: Int)

  init(_ unsigned: UInt64) { self = Int(exactly: unsigned).map { .integer($0) } ?? .number(Double(unsigned)) }

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

/// Walks over the little-endian fields of a GGUF header, never past the file's end.
struct GGUFCursor: FileReader {
  let bytes: UnsafeRawBufferPointer
  let path: String
  var position = 0

  var remaining: Int { bytes.count - position }

  /// - Parameter field: what is read, for the error where the file ends within it.
  mutating func integer<Value: FixedWidthInteger>(
    _: Value.Type, _ field: @autoclosure () -> String
  ) throws(ModelError) -> Value {
    let start = position
    try skip(MemoryLayout<Value>.size, field())
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
  }

  mutating func skip(_ count: Int, _ field: @autoclosure () -> String) throws(ModelError) {
    guard count <= remaining else {
      throw .malformed(
        path: path,
        problem: "\(field()): the file ends within it, after \(bytes.count) bytes; is it truncated?")
    }
    position += count
  }

  /// A count of things that take at least `size` bytes each.
  mutating func count(ofAtLeast size: Int, _ field: @autoclosure () -> String) throws(ModelError) -> Int {
    let found = try integer(UInt64.self, field())
    guard let count = Int(exactly: found), count <= remaining / size else {
      throw refusal(
        field(), found: "\(found)", expected: "at most \(remaining / size), which the file can hold")
    }
    return count
  }

  /// Where the bytes of a string lie: 64 bits of length, then UTF-8.
  mutating func string(_ field: @autoclosure () -> String) throws(ModelError) -> Range<Int> {
    let count = try count(ofAtLeast: 1, field() + "'s length")
    let start = position
    try skip(count, field())
    return start..<position
  }

  /// How deep arrays may lie in arrays. llama.cpp's files have none within another.
  private static let deepestArray = 4

  mutating func valueType(_ field: @autoclosure () -> String) throws(ModelError) -> GGUFValueType {
    let number = try integer(UInt32.self, field() + "'s type")
    guard let type = GGUFValueType(rawValue: number) else {
      throw refusal(field() + "'s type", found: "\(number)", expected: "a number from 0 to 12")
    }
    return type
  }

  mutating func value(_ field: String) throws(ModelError) -> GGUFValue {
    switch try valueType(field) {
    case .uint8: .integer(Int(try integer(UInt8.self, field)))
    case .int8: .integer(Int(try integer(Int8.self, field)))
    case .uint16: .integer(Int(try integer(UInt16.self, field)))
    case .int16: .integer(Int(try integer(Int16.self, field)))
    case .uint32: .integer(Int(try integer(UInt32.self, field)))
    case .int32: .integer(Int(try integer(Int32.self, field)))
    case .int64: .integer(Int(try integer(Int64.self, field)))
    case .uint64: GGUFValue(try integer(UInt64.self, field))
    case .float32: .number(Double(Float(bitPattern: try integer(UInt32.self, field))))
    case .float64: .number(Double(bitPattern: try integer(UInt64.self, field)))
    case .boolean: .boolean(try integer(UInt8.self, field) != 0)
    case .string: .string(try string(field))
    case .array: try array(field, depth: 0)
    }
  }

  /// Reads over an array; elements of fixed size are skipped all at once.
  private mutating func array(_ field: String, depth: Int) throws(ModelError) -> GGUFValue {
    try expect(
      depth < Self.deepestArray, field, found: "arrays within arrays",
      expected: "at most \(Self.deepestArray) within each other")
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
