/// Walks over the little-endian fields of a GGUF header, never past the file's end.
struct GGUFCursor {
  /// The file's bytes, whole.
  let bytes: UnsafeRawBufferPointer
  /// For errors.
  let path: String
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, path: String, at position: Int = 0) {
    self.bytes = bytes
    self.path = path
    self.position = position
  }

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
  mutating func count(
    ofAtLeast size: Int, _ field: @autoclosure () -> String
  ) throws(ModelError) -> Int {
    let found = try integer(UInt64.self, field())
    guard let count = Int(exactly: found), count <= remaining / size else {
      throw .field(
        path: path, field: field(), found: "\(found)",
        expected: "at most \(remaining / size), which the file can hold")
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
}
