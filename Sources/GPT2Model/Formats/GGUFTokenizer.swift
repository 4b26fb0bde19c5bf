extension Tokenizer {
  /// Loads the tokenizer that a GGUF file carries: `tokenizer.ggml.tokens`, `.merges`, and, where they are
  /// there, `.token_type` and `.eos_token_id`. Errors count tokens and merges from 1.
  ///
  /// - Throws: `ModelError` for the file's structure, `TokenizerError` for what its tokens and merges say.
  public init(gguf path: String) throws {
    let header = try GGUFHeader(path)
    try header.refuseOtherTokenizers()
    let index = try TokenIndex(header.tokens(), path: "\(path): \(GGUFHeader.tokensKey)")
    try self.init(
      index: index, merges: header.merges(index),
      literal: header.literalTokens(count: index.count),
      endOfText: header.endOfText(count: index.count))
  }
}

extension GGUFHeader {
  /// Whether a file is sound and names no tokenizer. One that is not sound says so when it is read.
  static func lacksTokenizer(_ path: String) -> Bool {
    guard let header = try? GGUFHeader(path) else { return false }
    return header.metadata[modelKey] == nil
  }

  private static let modelKey = "tokenizer.ggml.model"
  fileprivate static let tokensKey = "tokenizer.ggml.tokens"
  private static let mergesKey = "tokenizer.ggml.merges"

  /// Another model or pre-tokenizer would give other ids for the same text.
  fileprivate func refuseOtherTokenizers() throws(ModelError) {
    let model = try required(Self.modelKey, "gpt2: a tokenizer in the file", string)
    try expect(model == "gpt2", Self.modelKey, found: model, expected: "gpt2")
    // Files from before May 2024 name no pre-tokenizer; GPT-2's was the only one that could be meant.
    let splitting = "tokenizer.ggml.pre"
    let name = try string(splitting) ?? "default"
    try expect(
      ["gpt-2", "gpt2", "default"].contains(name), splitting, found: name, expected: "gpt-2")
  }

  fileprivate func tokens() throws(ModelError) -> VocabularyParser.Entries {
    let ranges = try required(Self.tokensKey, "the tokens", strings)
    guard !ranges.isEmpty else { throw refusal(Self.tokensKey, found: "nothing", expected: "the tokens") }
    var entries = VocabularyParser.Entries()
    for (id, range) in ranges.enumerated() {
      guard text(range) != nil else {
        throw refusal("\(Self.tokensKey)[\(id)]", found: "bytes that are not UTF-8", expected: "UTF-8")
      }
      entries.keys.append(contentsOf: file.bytes[range])
      entries.offsets.append(entries.keys.count)
      entries.ids.append(id)
    }
    return entries
  }

  fileprivate func merges(_ index: TokenIndex) throws -> MergeTable {
    let ranges = try required(Self.mergesKey, "the merges", strings)
    var merges = MergeTable(capacity: ranges.count)
    for (rank, range) in ranges.enumerated() {
      let content = UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: UInt8.self)
      try merges.add(content, rank: rank, line: rank + 1, index: index, path: "\(path): \(Self.mergesKey)")
    }
    return merges
  }

  /// Tokens of the types 3 (control) and 4 (user-defined), which are spelled as text and not in the alphabet
  /// of bytes: `llama_token_type` in llama.h.
  fileprivate func literalTokens(count: Int) throws(ModelError) -> Set<Int> {
    let key = "tokenizer.ggml.token_type"
    guard let types = try integers(key) else { return [] }
    try expect(
      types.count == count, key, found: "\(types.count) entries", expected: "\(count), one for each token")
    return Set(types.indices.filter { types[$0] == 3 || types[$0] == 4 })
  }

  fileprivate func endOfText(count: Int) throws(ModelError) -> Int? {
    let key = "tokenizer.ggml.eos_token_id"
    guard let id = try optionalInteger(key) else { return nil }
    try expect(0..<count ~= id, key, found: "\(id)", expected: "a number from 0 to \(count - 1)")
    return id
  }
}
