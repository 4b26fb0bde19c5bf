/// The seed format's vocabulary, `vocab.bin` beside `model.bin`: an int32, the number of tokens, then each token as an
/// int32 of length and its bytes. An id without a token has length 0. The end of text is the token that spells it.
public enum SeedVocabulary {
  public static let fileName = "vocab.bin"

  static func read(_ path: String) throws(ModelError) -> Tokenizer {
    var file = try TokenFile(path)
    let count = try file.tokenCount()
    var vocabulary = Vocabulary()
    for id in 0..<count {
      let length = try file.integer("the length of token \(id)")
      try file.expect(
        0...TokenFile.longestToken ~= length, "the length of token \(id)", "\(length)",
        "0 to \(TokenFile.longestToken)")
      vocabulary.append(try file.take(length, "token \(id)"))
    }
    try file.expectEnd()
    return Tokenizer(vocabulary, endOfText: vocabulary.id(of: Tokenizer.endOfTextSpelling.utf8))
  }
}

extension Tokenizer {
  /// Writes the tokens as the seed format's `vocab.bin`.
  public func exportSeed(to path: String) throws(ModelError) {
    var bytes: [UInt8] = []
    func append(_ number: Int) {
      withUnsafeBytes(of: Int32(number).littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(vocabularyCount)
    for id in 0..<vocabularyCount {
      append(vocabulary[id].count)
      bytes.append(contentsOf: vocabulary[id])
    }
    try NewFile.write(bytes, to: path)
  }
}
