/// Columns of a terminal that a character takes.
enum DisplayWidth {
  /// 0 for what is drawn over the character before, 2 for East Asian wide characters and emoji, else 1.
  ///
  /// A cluster of several scalars is as wide as they are together, but one that is drawn as one emoji (joined, with a
  /// skin tone, a flag, or made emoji by U+FE0F) takes two columns, as current terminals have it.
  static func columns(of character: Character) -> Int {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return 0 }
    if first.isASCII, scalars.count == 1 { return first.value < 0x20 || first.value == 0x7F ? 0 : 1 }
    if scalars.count > 1, first.properties.isEmoji, scalars.dropFirst().contains(where: makesEmoji) {
      return 2
    }
    return scalars.reduce(0) { $0 + columns(of: $1) }
  }

  static func columns(of text: String) -> Int { text.reduce(0) { $0 + columns(of: $1) } }

  /// Whether terminals agree on how wide it is: those of one scalar, with marks above and below.
  static func isCertain(_ character: Character) -> Bool {
    character.unicodeScalars.reduce(0) { $0 + (columns(of: $1) > 0 ? 1 : 0) } <= 1
      && !character.unicodeScalars.contains { $0 == "\u{200D}" || $0 == "\u{FE0F}" }
  }

  private static func makesEmoji(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\u{FE0F}" || scalar == "\u{200D}" || scalar.properties.isEmojiModifier
      || (0x1F1E6...0x1F1FF).contains(scalar.value)
  }

  private static func columns(of scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .control, .lineSeparator, .paragraphSeparator: return 0
    // A soft hyphen is drawn.
    case .format: return scalar == "\u{AD}" ? 1 : 0
    default: break
    }
    // Vowels and final consonants of a Hangul syllable that is written in parts.
    if (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FF).contains(scalar.value) { return 0 }
    return isWide(scalar) ? 2 : 1
  }

  /// East_Asian_Width W and F of Unicode 16; emoji come from their own property.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value >= 0x1100 else { return false }
    if scalar.properties.isEmojiPresentation { return true }
    var (low, high) = (0, wide.count)
    while low < high {
      let middle = (low + high) / 2
      if wide[middle].upperBound < scalar.value { low = middle + 1 } else { high = middle }
    }
    return low < wide.count && wide[low].contains(scalar.value)
  }

  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E, 0x3041...0x3247,
    0x3250...0xA4C6, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B,
    0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x16FF6, 0x17000...0x18DF2, 0x1AFF0...0x1B2FB,
    0x1D300...0x1D376, 0x1F200...0x1F265, 0x20000...0x2FFFD, 0x30000...0x3FFFD,
  ]
}

/// Text that leaves a terminal as it is: control characters in it are made visible, `^[` for escape.
enum SafeText {
  static func visible(_ character: Character) -> String {
    guard let scalar = character.unicodeScalars.first else { return "" }
    switch scalar.value {
    case 0..<0x20, 0x7F:
      let rest = String(String.UnicodeScalarView(character.unicodeScalars.dropFirst()))
      return "^" + String(Character(Unicode.Scalar(scalar.value ^ 0x40) ?? "?")) + rest.map(visible).joined()
    case 0x80..<0xA0: return "\u{FFFD}"
    default: return String(character)
    }
  }

  /// Lines and tabs stay as they are.
  static func visible(_ text: String) -> String {
    text.map { $0 == "\n" || $0 == "\t" ? String($0) : visible($0) }.joined()
  }
}
