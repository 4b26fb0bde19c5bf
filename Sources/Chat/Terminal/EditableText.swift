/// A text and a cursor in it. Positions count grapheme clusters, so that no edit leaves half of one.
struct EditableText: Equatable, Sendable {
  private(set) var characters: [Character] = []
  /// The character that the cursor stands on; as many as there are where it stands after the last.
  private(set) var cursor = 0

  init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  var text: String { String(characters) }
  var beforeCursor: String { String(characters[..<cursor]) }
  var isEmpty: Bool { characters.isEmpty }

  /// Puts text where the cursor stands, which ends up after it. A mark joins the character before it.
  mutating func insert(_ piece: String) {
    let head = beforeCursor + piece
    let scalarsBefore = head.unicodeScalars.count
    characters = Array(head + String(characters[cursor...]))
    var scalars = 0
    cursor =
      characters.firstIndex { character in
        defer { scalars += character.unicodeScalars.count }
        return scalars >= scalarsBefore
      } ?? characters.count
  }

  /// Takes a part out; the cursor stays with what it stood on.
  mutating func remove(_ part: Range<Int>) -> String {
    let removed = String(characters[part])
    let isAfter = cursor >= part.upperBound
    characters.removeSubrange(part)
    if isAfter { cursor -= part.count } else { cursor = min(cursor, part.lowerBound) }
    return removed
  }

  mutating func move(to position: Int) { cursor = min(max(position, 0), characters.count) }

  /// Swaps the characters at either side of the cursor and goes on by one; at a line's end the two before it.
  /// - Returns: false where there are no two on the line.
  mutating func transpose() -> Bool {
    let second = cursor == lineEnd ? cursor - 1 : cursor
    guard second - 1 >= lineStart else { return false }
    characters.swapAt(second - 1, second)
    cursor = second + 1
    return true
  }

  /// The beginning of the line, among several, that the cursor stands on.
  var lineStart: Int { (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1 }
  var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

  /// The same column a line up; nil on the first.
  var above: Int? {
    let start = lineStart
    guard start > 0 else { return nil }
    let previous = (characters[..<(start - 1)].lastIndex(of: "\n") ?? -1) + 1
    return min(previous + cursor - start, start - 1)
  }

  /// The same column a line down; nil on the last.
  var below: Int? {
    let end = lineEnd
    guard end < characters.count else { return nil }
    let next = end + 1
    return min(next + cursor - lineStart, characters[next...].firstIndex(of: "\n") ?? characters.count)
  }

  /// Where the word before the cursor begins; words are letters and digits.
  var wordStart: Int {
    let word = characters[..<cursor].lastIndex(where: Self.isOfWord) ?? 0
    return (characters[..<word].lastIndex { !Self.isOfWord($0) } ?? -1) + 1
  }

  var wordEnd: Int {
    let word = characters[cursor...].firstIndex(where: Self.isOfWord) ?? characters.count
    return characters[word...].firstIndex { !Self.isOfWord($0) } ?? characters.count
  }

  /// Where the word before the cursor begins if blanks alone divide words.
  var blankWordStart: Int {
    let word = characters[..<cursor].lastIndex { !$0.isWhitespace } ?? 0
    return (characters[..<word].lastIndex(where: \.isWhitespace) ?? -1) + 1
  }

  private static func isOfWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
