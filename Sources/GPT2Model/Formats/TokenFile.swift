import Foundation

/// Reads tokens from a file that holds them one behind the other, each after its length.
struct TokenFile {
  /// The longest token that is believed; GPT-2's longest has 128 bytes.
  static let longestToken = 1024

  private let data: Data
  private let path: String
  private var position: Int

  init(_ path: String) throws(ModelError) {
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: "no such file, or it may not be read")
    }
    self.path = path
    position = 0
  }

  /// The next int32, little-endian.
  mutating func integer(_ field: String) throws(ModelError) -> Int {
    let bytes = try take(4, field)
    return Int(Int32(truncatingIfNeeded: bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }))
  }

  /// The next byte.
  mutating func byte(_ field: String) throws(ModelError) -> Int { Int(try take(1, field)[0]) }

  mutating func skip(_ count: Int, _ field: String) throws(ModelError) { _ = try take(count, field) }

  mutating func take(_ count: Int, _ field: String) throws(ModelError) -> [UInt8] {
    guard count <= data.count - position else {
      throw .malformed(
        path: path,
        problem: "truncated: \(field) needs \(count) bytes at \(position), and the file has \(data.count)")
    }
    defer { position += count }
    return [UInt8](data[position..<position + count])
  }

  /// The number of tokens, which must be one that fits a model and the file.
  mutating func tokenCount() throws(ModelError) -> Int {
    let count = try integer("vocabulary")
    let limit = Configuration.largestDimensions.any
    try expect(1...limit ~= count, "vocabulary", "\(count)", "1 to \(limit) tokens")
    return count
  }

  func expect(_ isRight: Bool, _ field: String, _ found: String, _ expected: String) throws(ModelError) {
    guard isRight else { throw .field(path: path, field: field, found: found, expected: expected) }
  }

  /// Refuses bytes behind the last token.
  func expectEnd() throws(ModelError) {
    try expect(
      position == data.count, "size", "\(data.count) bytes", "\(position), where the last token ends")
  }
}
