/// What a terminal sends for one keystroke, or for one paste.
enum Key: Equatable, Sendable {
  case text(Unicode.Scalar)
  /// A bracketed paste, whole, its lines divided by `\n`.
  case paste(String)
  case enter, tab, backspace, delete, escape
  case left, right, up, down, home, end, wordLeft, wordRight
  /// Control and a letter or sign, in lower case.
  case control(Character)
  /// Alt and a character; alt with backspace is U+007F.
  case alt(Character)
  /// A key that has no meaning here.
  case unknown
}
