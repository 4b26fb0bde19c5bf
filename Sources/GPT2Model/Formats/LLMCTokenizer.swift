/// llm.c's `gpt2_tokenizer.bin`: 256 int32 (magic, version, tokens, the id of `<|endoftext|>`), then each token as a
/// byte of length and its bytes. Version 1 does not hold the end of text, and means GPT-2's vocabulary. Source:
/// `write_tokenizer` in train_gpt2.py and `tokenizer_init` in llmc/tokenizer.h, https://github.com/karpathy/llm.c.
public enum LLMCTokenizer {
  public static let fileName = "gpt2_tokenizer.bin"

  private static let magic = 20_240_328
  private static let fields = 256
  /// What version 1 leaves out.
  private static let gpt2 = (tokens: 50_257, endOfText: 50_256)

  static func read(_ path: String) throws(ModelError) -> Tokenizer {
    var file = try TokenFile(path)
    let found = try file.integer("magic")
    try file.expect(found == magic, "magic", "\(found)", "\(magic)")
    let version = try file.integer("version")
    try file.expect(1...2 ~= version, "version", "\(version)", "1 or 2")
    let count = try file.tokenCount()
    if version == 1 {
      try file.expect(
        count == gpt2.tokens, "vocabulary", "\(count) tokens", "\(gpt2.tokens), which version 1 means")
    }
    let last = try file.integer("end of text")
    let endOfText = version == 1 ? gpt2.endOfText : last
    try file.expect(0..<count ~= endOfText, "end of text", "\(endOfText)", "an id from 0 to \(count - 1)")
    try file.skip(4 * (fields - 4), "the header")
    var vocabulary = Vocabulary()
    for id in 0..<count {
      let length = try file.byte("the length of token \(id)")
      try file.expect(length > 0, "the length of token \(id)", "0", "1 to 255")
      vocabulary.append(try file.take(length, "token \(id)"))
    }
    try file.expectEnd()
    return Tokenizer(vocabulary, endOfText: endOfText)
  }
}

extension Tokenizer {
  /// Writes the tokens as llm.c's version 2.
  ///
  /// - Throws: `ModelError.unwritable`, also for a vocabulary that the format cannot hold.
  public func exportLLMC(to path: String) throws(ModelError) {
    guard let endOfText else {
      throw .unwritable(
        path: path, reason: "llm.c needs \(Self.endOfTextSpelling), which this vocabulary lacks")
    }
    let header = [20_240_328, 2, vocabularyCount, endOfText].map(Int32.init)
    var bytes: [UInt8] = []
    for field in header + [Int32](repeating: 0, count: 252) {
      withUnsafeBytes(of: field.littleEndian) { bytes.append(contentsOf: $0) }
    }
    for id in 0..<vocabularyCount {
      let token = vocabulary[id]
      guard let length = UInt8(exactly: token.count), length > 0 else {
        throw .unwritable(
          path: path, reason: "token \(id) has \(token.count) bytes, and llm.c takes 1 to 255")
      }
      bytes.append(length)
      bytes.append(contentsOf: token)
    }
    try NewFile.write(bytes, to: path)
  }
}
