/// The header of a GGUF file, version 2 or 3: metadata and the table of tensors. The data begin behind it, at
/// a multiple of the alignment. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
struct GGUFHeader {
  struct Tensor: Equatable {
    /// The fastest-running dimension first: the reverse of a row-major shape.
    var dimensions: [Int]
    var type: GGMLType
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
  /// Where the tensors' data begin in the file.
  private(set) var dataStart = 0

  init(_ path: String) throws(ModelError) {
    self.path = path
    file = try Mapping(readingFile: path)
    var cursor = GGUFCursor(file.bytes, path: path)
    guard file.bytes.starts(with: Self.magic) else {
      throw .malformed(path: path, problem: "not a GGUF file, expected it to begin with GGUF")
    }
    try cursor.skip(Self.magic.count, "the magic number")
    let version = try cursor.integer(UInt32.self, "version")
    guard version == 2 || version == 3 else {
      let isSwapped = version.byteSwapped == 2 || version.byteSwapped == 3
      throw .field(
        path: path, field: "GGUF version", found: "\(version)\(isSwapped ? " (a big-endian file)" : "")",
        expected: "2 or 3, little-endian")
    }
    let tensorCount = try cursor.count(ofAtLeast: 24, "number of tensors")
    let entryCount = try cursor.count(ofAtLeast: 13, "number of metadata entries")
    for number in 0..<entryCount { try readEntry(number, &cursor) }
    try readAlignment()
    for number in 0..<tensorCount { try readTensor(number, &cursor) }
    dataStart = cursor.position + (alignment - cursor.position % alignment) % alignment
  }

  private mutating func readEntry(_ number: Int, _ cursor: inout GGUFCursor) throws(ModelError) {
    let key = try readName(
      "the key of metadata entry \(number)", upTo: Self.longestKey, &cursor)
    let value = try cursor.value(key)
    guard metadata.updateValue(value, forKey: key) == nil else {
      throw .field(path: path, field: key, found: "twice", expected: "each key once")
    }
  }

  private mutating func readTensor(_ number: Int, _ cursor: inout GGUFCursor) throws(ModelError) {
    let name = try readName("the name of tensor \(number)", upTo: Self.longestTensorName, &cursor)
    let dimensionCount = Int(try cursor.integer(UInt32.self, "tensor \(name)'s number of dimensions"))
    guard dimensionCount <= Self.mostDimensions else {
      throw .tensor(
        path: path, name: name, property: "number of dimensions", found: "\(dimensionCount)",
        expected: "at most \(Self.mostDimensions)")
    }
    var dimensions: [Int] = []
    for _ in 0..<dimensionCount {
      let found = try cursor.integer(UInt64.self, "tensor \(name)'s dimensions")
      guard let size = Int(exactly: found) else {
        throw .tensor(
          path: path, name: name, property: "a dimension", found: "\(found)", expected: "at most \(Int.max)")
      }
      dimensions.append(size)
    }
    let tensor = Tensor(
      dimensions: dimensions,
      type: GGMLType(number: try cursor.integer(UInt32.self, "tensor \(name)'s type")),
      offset: try cursor.integer(UInt64.self, "tensor \(name)'s offset"))
    guard tensors.updateValue(tensor, forKey: name) == nil else {
      throw .tensor(
        path: path, name: name, property: "its entry", found: "there twice", expected: "there once")
    }
  }

  private func readName(
    _ field: @autoclosure () -> String, upTo longest: Int, _ cursor: inout GGUFCursor
  ) throws(ModelError) -> String {
    let range = try cursor.string(field())
    guard range.count <= longest else {
      throw .field(
        path: path, field: field(), found: "\(range.count) bytes", expected: "at most \(longest) bytes")
    }
    guard let name = text(range), !name.isEmpty else {
      throw .field(path: path, field: field(), found: "empty or not UTF-8", expected: "a name in UTF-8")
    }
    return name
  }

  private mutating func readAlignment() throws(ModelError) {
    guard let value = metadata["general.alignment"] else { return }
    guard case .integer(let number) = value, number > 0, number <= 1 << 20, number & (number - 1) == 0 else {
      throw .field(
        path: path, field: "general.alignment", found: value.kind, expected: "a power of two up to \(1 << 20)"
      )
    }
    alignment = number
  }
}

/// Typed access to the metadata.
extension GGUFHeader {
  func text(_ range: Range<Int>) -> String? {
    String(validating: UnsafeRawBufferPointer(rebasing: file.bytes[range]), as: UTF8.self)
  }

  func optionalInteger(_ key: String) throws(ModelError) -> Int? {
    guard let value = metadata[key] else { return nil }
    guard case .integer(let number) = value else {
      throw .field(path: path, field: key, found: value.kind, expected: "a whole number")
    }
    return number
  }

  func integer(_ key: String) throws(ModelError) -> Int {
    guard let number = try optionalInteger(key) else { throw missing(key, "a whole number") }
    return number
  }

  func number(_ key: String) throws(ModelError) -> Double {
    switch metadata[key] {
    case .number(let number)?: return number
    case .integer(let number)?: return Double(number)
    case nil: throw missing(key, "a number")
    case let value?: throw .field(path: path, field: key, found: value.kind, expected: "a number")
    }
  }

  func string(_ key: String) throws(ModelError) -> String? {
    guard let value = metadata[key] else { return nil }
    guard case .string(let range) = value, let text = text(range) else {
      throw .field(path: path, field: key, found: value.kind, expected: "a string in UTF-8")
    }
    return text
  }

  /// Where each string of an array lies.
  func strings(_ key: String) throws(ModelError) -> [Range<Int>]? {
    guard let value = metadata[key] else { return nil }
    guard case .array(.string, let count, let start) = value else {
      throw .field(path: path, field: key, found: value.kind, expected: "an array of strings")
    }
    var cursor = GGUFCursor(file.bytes, path: path, at: start)
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(count)
    for index in 0..<count { ranges.append(try cursor.string("\(key)[\(index)]")) }
    return ranges
  }

  func integers(_ key: String) throws(ModelError) -> [Int32]? {
    guard let value = metadata[key] else { return nil }
    guard case .array(let type, let count, let start) = value, type == .int32 || type == .uint32 else {
      throw .field(path: path, field: key, found: value.kind, expected: "an array of 32-bit integers")
    }
    var cursor = GGUFCursor(file.bytes, path: path, at: start)
    var integers: [Int32] = []
    integers.reserveCapacity(count)
    for index in 0..<count { integers.append(try cursor.integer(Int32.self, "\(key)[\(index)]")) }
    return integers
  }

  func missing(_ key: String, _ expected: String) -> ModelError {
    .field(path: path, field: key, found: "nothing", expected: expected)
  }
}
