import Files
import Record

/// UTF-8 on its way out, by way of one buffer: a million lines cost neither a `String` each nor memory for all of them.
struct ByteWriter {
  private static let chunk = 1 << 18
  private var buffer: [UInt8] = []
  private let destination: (UnsafeRawBufferPointer) throws -> Void

  /// - Parameter destination: takes the bytes of each chunk, in order.
  init(to destination: @escaping (UnsafeRawBufferPointer) throws -> Void) {
    self.destination = destination
    buffer.reserveCapacity(Self.chunk + Self.chunk / 4)
  }

  mutating func put(_ text: StaticString) { text.withUTF8Buffer { buffer.append(contentsOf: $0) } }
  mutating func put(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }
  mutating func put(_ number: UInt64) { putDigits(number, decimals: 0) }

  /// Nanoseconds as microseconds with three decimals, by integers alone: what was equal or in order stays so.
  mutating func put(microsecondsOf nanoseconds: UInt64) { putDigits(nanoseconds, decimals: 3) }

  private mutating func putDigits(_ number: UInt64, decimals: Int) {
    // 20 digits of a UInt64, the point, and a zero before it.
    let capacity = 22
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { text in
      var rest = number
      var first = capacity
      var digits = 0
      repeat {
        if digits == decimals && decimals > 0 {
          first -= 1
          text[first] = UInt8(ascii: ".")
        }
        first -= 1
        text[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
        digits += 1
      } while rest > 0 || digits <= decimals
      buffer.append(contentsOf: UnsafeMutableBufferPointer(rebasing: text[first...]))
    }
  }

  /// Ends a line, and passes the buffer on where it holds a chunk.
  mutating func endLine() throws {
    put("\n")
    if buffer.count >= Self.chunk { try flush() }
  }

  mutating func flush() throws {
    try buffer.withUnsafeBytes(destination)
    buffer.removeAll(keepingCapacity: true)
  }

  /// What `body` puts, in one string.
  static func text(of body: (inout ByteWriter) throws -> Void) throws -> String {
    var bytes: [UInt8] = []
    var writer = ByteWriter { bytes.append(contentsOf: $0) }
    try body(&writer)
    try writer.flush()
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension WholeFile {
  static func write(to path: String, writing body: (inout ByteWriter) throws -> Void) throws {
    try write(to: path) { put in
      try withoutActuallyEscaping(put) { put in
        var writer = ByteWriter(to: put)
        try body(&writer)
        try writer.flush()
      }
    }
  }
}

extension String {
  /// With its quotes, in UTF-8. Quote, backslash and what is below U+0020 are escaped (RFC 8259, section 7), and
  /// U+007F, which Perfetto takes for the end of the file's head.
  var jsonLiteral: [UInt8] {
    var bytes = [UInt8(ascii: "\"")]
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes += Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      default: bytes.append(byte)
      }
    }
    return bytes + [UInt8(ascii: "\"")]
  }
}
