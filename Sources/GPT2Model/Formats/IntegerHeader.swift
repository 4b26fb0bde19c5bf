/// The little-endian int32 with which a file begins.
struct IntegerHeader {
  private let values: [Int32]
  private let path: String

  /// - Throws: `ModelError.malformed` for a file that is shorter.
  init(_ file: Mapping, count: Int, path: String) throws(ModelError) {
    let bytes = count * MemoryLayout<Int32>.stride
    guard file.count >= bytes else {
      throw .malformed(
        path: path,
        problem: "truncated: \(file.count) bytes, expected a header of \(count) int32, \(bytes) bytes")
    }
    values = (0..<count).map {
      Int32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
    }
    self.path = path
  }

  subscript(_ index: Int) -> Int32 { values[index] }

  func refusal(_ field: String, _ found: Int32, _ expected: String) -> ModelError {
    .field(path: path, field: field, found: "\(found)", expected: expected)
  }

  func expect(_ isRight: Bool, _ field: String, _ found: Int32, _ expected: String) throws(ModelError) {
    guard isRight else { throw refusal(field, found, expected) }
  }
}
