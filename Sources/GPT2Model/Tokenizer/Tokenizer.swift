/// GPT-2's byte-level byte-pair encoding (Radford et al. 2019), exact, from `vocab.json` and `merges.txt`.
///
/// Any vocabulary in these two files works; ids are what `vocab.json` says. Every byte string has ids if the
/// vocabulary holds all 256 bytes, as GPT-2's does.
public struct Tokenizer: Sendable {
  /// How the special token is spelled in `vocab.json` and in text.
  public static let endOfTextSpelling = "<|endoftext|>"

  /// The number of tokens; their ids are `0 ..< vocabularyCount`.
  public var vocabularyCount: Int { vocabulary.count }

  /// The id of `<|endoftext|>`; nil in a vocabulary without it.
  public let endOfText: Int?

  let vocabulary: Vocabulary
  let merges: MergeTable
  private let byteTokens: [UInt32]  // (256); UInt32.max where the vocabulary lacks the byte

  /// - Parameters:
  ///   - literal: ids of tokens that are spelled as text, not in the alphabet of bytes.
  ///   - endOfText: the special token's id; nil for the one that is spelled `<|endoftext|>`, if there is one.
  init(index: TokenIndex, merges: MergeTable, literal: Set<Int> = [], endOfText: Int? = nil) {
    let alphabet = ByteAlphabet()
    self.merges = merges
    self.endOfText = endOfText ?? index.id(of: Self.endOfTextSpelling)
    vocabulary = Vocabulary(index, alphabet: alphabet, literal: literal)
    byteTokens = alphabet.scalars.map { index.id(of: String($0)).map { UInt32($0) } ?? .max }
  }

  /// A tokenizer of a vocabulary whose merges no file lists: `MergeTable.init(making:)` finds them.
  /// - Parameter endOfText: the id of `<|endoftext|>`; no merge makes it.
  init(_ vocabulary: Vocabulary, endOfText: Int?) {
    (self.vocabulary, self.endOfText) = (vocabulary, endOfText)
    byteTokens = vocabulary.byteTokens
    merges = MergeTable(making: vocabulary, byteTokens: byteTokens, except: endOfText)
  }

  /// The ids of a text.
  ///
  /// - Parameter recognizesEndOfText: whether `<|endoftext|>` in the text is the special token, as Hugging
  ///   Face's GPT-2 tokenizer has it, or plain text.
  /// - Throws: `TokenizerError.byteWithoutToken`, only with a vocabulary that lacks some of the 256 bytes.
  /// - Complexity: O(n) in the text's length, O(w log w) in a word's.
  public func encode(_ text: String, recognizesEndOfText: Bool = true) throws -> [Int] {
    var special: (spelling: [UInt8], id: Int)?
    if recognizesEndOfText, let endOfText {
      let spelling = try bytes(of: endOfText)
      if !spelling.isEmpty { special = (spelling, endOfText) }
    }
    var text = text
    return try text.withUTF8 { utf8 in
      var encoder = TextEncoder(utf8, byteTokens: byteTokens, merges: merges)
      try encoder.encode(special: special)
      return encoder.ids
    }
  }

  /// The ids of a text given as UTF-8.
  ///
  /// Bytes that are not UTF-8 are replaced first: each maximal subpart of an ill-formed sequence becomes
  /// U+FFFD, as Unicode recommends and as Python's `errors="replace"` does. An encoded surrogate (ED A0 80)
  /// is three such subparts.
  /// - Throws: as `encode(_:recognizesEndOfText:)`.
  public func encode(utf8: some Collection<UInt8>, recognizesEndOfText: Bool = true) throws -> [Int] {
    try encode(String(decoding: utf8, as: UTF8.self), recognizesEndOfText: recognizesEndOfText)
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
