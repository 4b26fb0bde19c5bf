import Foundation

/// Bytes that arrive in pieces and leave as lines.
struct LineBuffer {
  private var bytes = Data()
  /// Everything before this offset is known to hold no newline.
  private var searched = 0

  /// Bytes of the line that has not ended yet, or of lines not taken.
  var count: Int { bytes.count }

  mutating func append(_ piece: some Sequence<UInt8>) {
    bytes.append(contentsOf: piece)
  }

  /// The next complete line without its newline, or nil until there is one.
  mutating func nextLine() -> Data? {
    guard let newline = bytes[(bytes.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = bytes.count
      return nil
    }
    let line = Data(bytes[..<newline])
    bytes = Data(bytes[(newline + 1)...])
    searched = 0
    return line
  }

  /// What is left when the stream has ended: a last line without a newline, nil where nothing is left.
  mutating func remainder() -> Data? {
    defer {
      bytes = Data()
      searched = 0
    }
    return bytes.isEmpty ? nil : bytes
  }
}

/// The end of a text of any length.
struct TextTail {
  private var bytes = Data()
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  mutating func append(_ piece: Data) {
    bytes.append(piece)
    if bytes.count > 2 * capacity { bytes = Data(bytes.suffix(capacity)) }
  }

  var text: String { String(decoding: bytes.suffix(capacity), as: UTF8.self) }
}
