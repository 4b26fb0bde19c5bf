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
