/// What a model's folder or file says, besides tokens and merges, of how a text becomes ids, and where one ends.
struct TextRules: Sendable {
  var added = AddedTokens()
  /// Whether a piece of text that does not begin with a space gets one: `add_prefix_space`.
  var addsPrefixSpace = false
  /// Whether a piece of text is split into words; else it is merged as one: `use_regex`.
  var splitsWords = true
  /// What the ids of a whole text begin with.
  var prefix: [Int] = []
  /// `bos_token` and `eos_token`.
  var startOfText: Int?
  var endOfText: Int?
  /// Tokens that end a text, besides `endOfText`.
  var furtherEnds: Set<Int> = []
}

/// GPT-2's byte-level byte-pair encoding (Radford et al. 2019), exact, with the added tokens and the rules of the
/// folder or file that it comes from.
///
/// Any vocabulary works; ids are what it says. Every byte string has ids if the vocabulary holds all 256 bytes, as
/// GPT-2's does.
public struct Tokenizer: Sendable {
  /// How GPT-2 spells the token that ends a text.
  public static let endOfTextSpelling = "<|endoftext|>"

  /// The number of tokens; their ids are `0 ..< vocabularyCount`.
  public var vocabularyCount: Int { vocabulary.count }

  /// The token that ends a text: `<|endoftext|>`, where the vocabulary's files name no other; nil where there is none.
  public var endOfText: Int? { rules.endOfText }

  /// The token that a text begins with that has no other.
  public var startOfText: Int? { rules.startOfText ?? rules.endOfText }

  /// What the ids of a whole text begin with, before those that `encode` gives: the token that begins a text, where the
  /// vocabulary's files ask for it; else nothing.
  public var prefix: [Int] { rules.prefix }

  /// The tokens that end a generation.
  public internal(set) var ends: Set<Int>

  /// Whether the ids of a text are those of its `TextBlocks`, one after the other. They are not where a space is put
  /// before each text, or where an added token takes in white space.
  public var encodesInBlocks: Bool {
    rules.splitsWords && !rules.addsPrefixSpace && rules.added.staysWithinWords
  }

  var vocabulary: Vocabulary
  let merges: MergeTable
  let rules: TextRules
  private let byteTokens: [UInt32]  // (256); UInt32.max where the vocabulary lacks the byte

  /// - Parameters:
  ///   - rules: its added tokens that the index lacks have the ids after it.
  ///   - literal: ids of tokens that are spelled as text, not in the alphabet of bytes.
  ///   - empty: ids of tokens that stand for no text.
  init(
    index: TokenIndex, merges: MergeTable, rules: TextRules, literal: Set<Int> = [], empty: Set<Int> = []
  ) {
    let alphabet = ByteAlphabet()
    let added = rules.added.tokens.filter { $0.key >= index.count }.sorted { $0.key < $1.key }
    vocabulary = Vocabulary(
      index, alphabet: alphabet, literal: literal, empty: empty, added: added.map(\.value.content))
    byteTokens = alphabet.scalars.map { index.id(of: String($0)).map { UInt32($0) } ?? .max }
    (self.merges, self.rules) = (merges, rules)
    ends = rules.furtherEnds.union(rules.endOfText.map { [$0] } ?? [])
  }

  /// A tokenizer of a vocabulary whose merges no file lists: `MergeTable.init(making:)` finds them.
  /// - Parameter endOfText: the id of `<|endoftext|>`; no merge makes it.
  init(_ vocabulary: Vocabulary, endOfText: Int?) {
    self.vocabulary = vocabulary
    byteTokens = vocabulary.byteTokens
    merges = MergeTable(making: vocabulary, byteTokens: byteTokens, except: endOfText)
    var rules = TextRules(endOfText: endOfText)
    if let endOfText {
      let spelling = String(decoding: vocabulary[endOfText], as: UTF8.self)
      rules.added.add(
        [AddedToken(content: spelling, isSpecial: true)], known: { _ in endOfText }, count: vocabulary.count)
    }
    self.rules = rules
    ends = endOfText.map { [$0] } ?? []
  }

  /// The ids of a text, without `prefix`.
  ///
  /// - Parameter recognizesAddedTokens: whether the added tokens in the text are tokens, as Hugging Face's GPT-2
  ///   tokenizer has it, or plain text.
  /// - Throws: `TokenizerError.byteWithoutToken`, only with a vocabulary that lacks some of the 256 bytes.
  /// - Complexity: O(n) in the text's length, O(w log w) in a word's.
  public func encode(_ text: String, recognizesAddedTokens: Bool = true) throws -> [Int] {
    var text = text
    return try text.withUTF8 { utf8 in
      var pieces: [AddedTokens.Piece] = []
      if recognizesAddedTokens {
        rules.added.cut(utf8) { pieces.append($0) }
      } else if !utf8.isEmpty {
        pieces = [.text(0..<utf8.count)]
      }
      return try rules.addsPrefixSpace ? encodeWithSpaces(utf8, pieces) : encode(utf8, pieces)
    }
  }

  private func encode(_ text: UnsafeBufferPointer<UInt8>, _ pieces: [AddedTokens.Piece]) throws -> [Int] {
    var encoder = TextEncoder(text, byteTokens: byteTokens, merges: merges)
    try encoder.encode(pieces, splitsWords: rules.splitsWords)
    return encoder.ids
  }

  /// The ids of pieces of a text, each with a space before it that does not begin with one.
  private func encodeWithSpaces(
    _ text: UnsafeBufferPointer<UInt8>, _ pieces: [AddedTokens.Piece]
  ) throws -> [Int] {
    var spaced: [UInt8] = []
    // Where each piece begins, and how far it was moved.
    var moves: [(start: Int, distance: Int)] = []
    let moved = pieces.map { piece -> AddedTokens.Piece in
      guard case .text(let range) = piece else { return piece }
      let start = spaced.count
      if text[range.lowerBound] != 0x20 { spaced.append(0x20) }
      moves.append((start, spaced.count - range.lowerBound))
      spaced.append(contentsOf: text[range])
      return .text(start..<spaced.count)
    }
    do {
      return try spaced.withUnsafeBufferPointer { try encode($0, moved) }
    } catch TokenizerError.byteWithoutToken(let byte, let offset) {
      let move = moves.last { $0.start <= offset }
      throw TokenizerError.byteWithoutToken(byte: byte, offset: max(offset - (move?.distance ?? 0), 0))
    }
  }

  /// The ids of a text given as UTF-8.
  ///
  /// Bytes that are not UTF-8 are replaced first: each maximal subpart of an ill-formed sequence becomes
  /// U+FFFD, as Unicode recommends and as Python's `errors="replace"` does. An encoded surrogate (ED A0 80)
  /// is three such subparts.
  /// - Throws: as `encode(_:recognizesAddedTokens:)`.
  public func encode(utf8: some Collection<UInt8>, recognizesAddedTokens: Bool = true) throws -> [Int] {
    try encode(String(decoding: utf8, as: UTF8.self), recognizesAddedTokens: recognizesAddedTokens)
  }

  /// The bytes that a token stands for; they need not be whole characters.
  /// - Throws: `TokenizerError.idOutsideVocabulary`.
  public func bytes(of id: Int) throws -> [UInt8] { Array(try vocabulary.bytes(of: id)) }

  /// The bytes that a sequence of tokens stands for.
  /// - Throws: `TokenizerError.idOutsideVocabulary`.
  public func bytes(of ids: some Sequence<Int>) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { bytes.append(contentsOf: try vocabulary.bytes(of: id)) }
    return bytes
  }

  /// The text of a sequence of tokens; what is not UTF-8 in it becomes U+FFFD.
  /// - Throws: `TokenizerError.idOutsideVocabulary`.
  public func decode(_ ids: some Sequence<Int>) throws -> String {
    String(decoding: try bytes(of: ids), as: UTF8.self)
  }
}
