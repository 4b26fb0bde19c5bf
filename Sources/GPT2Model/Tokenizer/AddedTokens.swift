/// A token that is cut out of a text whole, before the text is split into words: `AddedToken` of Hugging Face's
/// tokenizers.
struct AddedToken: Equatable, Sendable {
  var content: String
  var isSpecial = false
  /// Stands only where no letter, mark, digit or connector touches it.
  var isSingleWord = false
  /// Takes in the white space before it.
  var stripsLeft = false
  /// Takes in the white space after it.
  var stripsRight = false
  /// Is looked for after the tokens that are not: those may take its text away.
  var isNormalized = false
}

/// The added tokens of a vocabulary, and how a text is cut at them.
///
/// As in tokenizers 0.22 (`added_vocabulary.rs`): the first stage looks for the tokens that are not normalized, the
/// second for the others in what is left. In a stage the leftmost token wins, and the longest of those that begin at
/// one place. llama.cpp looks for the longest tokens in the whole text first: one stage for each length.
struct AddedTokens: Sendable {
  /// What a text is cut into.
  enum Piece: Equatable {
    case token(Int)
    /// Bytes of the text, at least one.
    case text(Range<Int>)
  }

  /// By id.
  private(set) var tokens: [Int: AddedToken] = [:]
  private var ids: [String: Int] = [:]
  private var highest = -1
  /// What is looked for. A token that was added twice may stand in both stages.
  private var patterns: [(content: String, id: Int, isNormalized: Bool)] = []
  private var specials: Set<String> = []
  private var stages: [TokenMatcher] = []
  /// Whether special tokens are text like other text: `split_special_tokens`.
  var ignoresSpecials = false

  var isEmpty: Bool { tokens.isEmpty }

  func id(of content: String) -> Int? { ids[content] }

  subscript(_ content: String) -> AddedToken? { ids[content].flatMap { tokens[$0] } }

  /// Adds tokens in their order, and changes those that are there already.
  ///
  /// - Parameters:
  ///   - known: the id of a token of the vocabulary; a token that it lacks gets the next free id.
  ///   - count: the vocabulary's tokens.
  mutating func add(_ added: [AddedToken], known: (String) -> Int?, count: Int) {
    for token in added where !token.content.isEmpty {
      if token.isSpecial, specials.insert(token.content).inserted {
        patterns.append((token.content, -1, token.isNormalized))
      }
    }
    for token in added where !token.content.isEmpty && self[token.content] != token {
      let id = ids[token.content] ?? known(token.content) ?? max(highest + 1, count)
      ids[token.content] = id
      highest = max(highest, id)
      tokens[id] = token
      if !specials.contains(token.content) { patterns.append((token.content, id, token.isNormalized)) }
    }
    for index in patterns.indices {
      if let id = ids[patterns[index].content] { patterns[index].id = id }
    }
    stages = [false, true].compactMap { isNormalized in
      TokenMatcher(patterns.filter { $0.isNormalized == isNormalized }.map { ($0.content, $0.id) })
    }
  }

  /// The tokens of a GGUF file, which are cut out of a text as llama.cpp does.
  init(longestFirst whole: [Int: String]) {
    tokens = whole.mapValues { AddedToken(content: $0) }
    for (id, content) in whole { ids[content] = id }
    let byLength = Dictionary(grouping: whole.map { ($0.value, $0.key) }) { $0.0.utf8.count }
    stages = byLength.keys.sorted(by: >).compactMap { TokenMatcher(byLength[$0] ?? []) }
  }

  /// No token but those that are added later.
  init() {}

  /// Whether a text may be cut before any blank that follows a visible character, and its parts encoded alone.
  var staysWithinWords: Bool {
    tokens.values.allSatisfy { token in
      !token.stripsLeft && !token.stripsRight
        && !token.content.utf8.contains { $0 == 0x20 || $0 == 0x0A }
    }
  }

  /// Hands over the pieces of a text in their order.
  /// - Parameter text: valid UTF-8.
  func cut(_ text: UnsafeBufferPointer<UInt8>, _ body: (Piece) throws -> Void) rethrows {
    try cut(text, 0..<text.count, stage: 0, body)
  }

  private func cut(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, stage: Int, _ body: (Piece) throws -> Void
  ) rethrows {
    guard !range.isEmpty else { return }
    guard stage < stages.count else { return try body(.text(range)) }
    var start = range.lowerBound
    var position = start
    while let match = stages[stage].first(in: text, from: position, limit: range.upperBound) {
      position = match.place.upperBound
      guard let token = tokens[match.id], !(ignoresSpecials && specials.contains(token.content)) else {
        continue
      }
      if token.isSingleWord, touchesWord(match.place, in: text, within: range) { continue }
      var (first, end) = (match.place.lowerBound, match.place.upperBound)
      if token.stripsLeft {
        first = max(UTF8Text.startOfSpace(in: text, before: first, limit: range.lowerBound), start)
      }
      if token.stripsRight { end = UTF8Text.endOfSpace(in: text, from: end, limit: range.upperBound) }
      if start < first { try cut(text, start..<first, stage: stage + 1, body) }
      // The token before may have taken in all of this one, where it is white space.
      if first < end { try body(.token(match.id)) }
      start = max(start, end)
    }
    if start < range.upperBound { try cut(text, start..<range.upperBound, stage: stage + 1, body) }
  }

  private func touchesWord(
    _ place: Range<Int>, in text: UnsafeBufferPointer<UInt8>, within range: Range<Int>
  ) -> Bool {
    if place.lowerBound > range.lowerBound {
      let before = UTF8Text.start(in: text, before: place.lowerBound)
      if UTF8Text.isWord(UTF8Text.scalar(in: text, at: before).value) { return true }
    }
    return place.upperBound < range.upperBound
      && UTF8Text.isWord(UTF8Text.scalar(in: text, at: place.upperBound).value)
  }
}

/// Finds the leftmost of several patterns in a text, and of those at one place the longest: a trie of their bytes.
private struct TokenMatcher: Sendable {
  /// The node after a node and a byte; node 0 is the root.
  private var children: [Int: Int] = [:]
  /// By node; nil where no pattern ends.
  private var ids: [Int?] = [nil]
  /// (256)
  private var begins = [Bool](repeating: false, count: 256)

  /// - Returns: nil without a pattern.
  init?(_ patterns: [(String, Int)]) {
    guard !patterns.isEmpty else { return nil }
    for (content, id) in patterns {
      var node = 0
      for byte in content.utf8 {
        if node == 0 { begins[Int(byte)] = true }
        let key = node << 8 | Int(byte)
        if let child = children[key] {
          node = child
        } else {
          children[key] = ids.count
          node = ids.count
          ids.append(nil)
        }
      }
      ids[node] = id
    }
  }

  /// - Complexity: O(n) in the text, times the longest pattern where the text is made of beginnings of patterns.
  func first(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, limit: Int
  ) -> (place: Range<Int>, id: Int)? {
    begins.withUnsafeBufferPointer { begins in
      for position in start..<limit where begins[Int(text[position])] {
        var found: (place: Range<Int>, id: Int)?
        var node = 0
        var end = position
        while end < limit, let child = children[node << 8 | Int(text[end])] {
          node = child
          end += 1
          if let id = ids[node] { found = (position..<end, id) }
        }
        if let found { return found }
      }
      return nil
    }
  }
}

extension UTF8Text {
  /// Where the scalar begins that ends at `end`.
  fileprivate static func start(in text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    var start = end - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  /// Where the white space begins that ends at `end`.
  fileprivate static func startOfSpace(
    in text: UnsafeBufferPointer<UInt8>, before end: Int, limit: Int
  ) -> Int {
    var position = end
    while position > limit {
      let before = start(in: text, before: position)
      guard isSpace(scalar(in: text, at: before).value) else { break }
      position = before
    }
    return position
  }

  /// Where the white space ends that begins at `start`.
  fileprivate static func endOfSpace(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, limit: Int
  ) -> Int {
    var position = start
    while position < limit {
      let (value, length) = scalar(in: text, at: position)
      guard isSpace(value) else { break }
      position += length
    }
    return position
  }

  private static func isSpace(_ value: UInt32) -> Bool {
    Unicode.Scalar(value)?.properties.isWhitespace ?? false
  }

  /// Whether a scalar is of `\w`: alphabetic, a mark, a decimal digit, a connector or a joiner (Unicode TR18, of
  /// Unicode 16 as in `ScalarClass`).
  fileprivate static func isWord(_ value: UInt32) -> Bool {
    guard let properties = Unicode.Scalar(value)?.properties else { return false }
    if let age = properties.age, age.major > 16 { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
