/// Reading UTF-8 that is known to be valid, and finding where unfinished UTF-8 breaks off.
enum UTF8Text {
  /// The scalar value that starts at `position`, and its length in bytes (1…4).
  ///
  /// - Precondition: `text` is valid UTF-8 and a scalar starts at `position`.
  @inline(__always)
  static func scalar(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
    let lead = UInt32(text[position])
    if lead < 0x80 { return (lead, 1) }
    let second = UInt32(text[position + 1]) & 0x3F
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
    let third = UInt32(text[position + 2]) & 0x3F
    if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(text[position + 3]) & 0x3F
    return ((lead & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }

  /// The length of the scalar at the end of `bytes` that more bytes could still complete: 0…3.
  ///
  /// What can no longer become a scalar counts as finished: it decodes to U+FFFD whatever follows.
  static func unfinishedSuffix(of bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let start = bytes.count - length
      if bytes[start] & 0xC0 == 0x80 { continue }
      return canContinue(bytes[start...]) ? length : 0
    }
    return 0
  }

  /// Whether a sequence that begins with a byte other than 10xxxxxx is a proper prefix of a scalar's UTF-8
  /// (Unicode 16, table 3-7).
  private static func canContinue(_ sequence: ArraySlice<UInt8>) -> Bool {
    guard let lead = sequence.first else { return false }
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return false
    }
    guard sequence.count < length else { return false }
    return sequence.count < 2 || second.contains(sequence[sequence.startIndex + 1])
  }
}
