extension Tokenizer {
  /// Loads the tokenizer that a GGUF file carries, as llama.cpp does (`llama-vocab.cpp`): `tokenizer.ggml.tokens`,
  /// `.merges`, and, where they are there, `.token_type`, the ids of tokens with a purpose, and `.add_bos_token`. Errors
  /// count tokens and merges from 1.
  ///
  /// - Throws: `ModelError` for the file's structure, `TokenizerError` for what its tokens and merges say.
  public init(gguf path: String) throws {
    let header = try GGUFHeader(path)
    try header.refuseOtherTokenizers()
    let index = try TokenIndex(header.tokens(), path: "\(path): \(GGUFHeader.tokensKey)")
    let types = try GGUFTokenTypes(header, index)
    var rules = TextRules(added: AddedTokens(longestFirst: types.whole))
    rules.startOfText = try header.tokenID("bos", count: index.count)
    rules.endOfText =
      try header.tokenID("eos", count: index.count) ?? index.id(of: Tokenizer.endOfTextSpelling)
    rules.furtherEnds = types.ends
    for name in ["eot", "eom", "fim_pad", "fim_rep", "fim_sep"] {
      if let id = try header.tokenID(name, count: index.count) { rules.furtherEnds.insert(id) }
    }
    if try header.boolean("tokenizer.ggml.add_bos_token") ?? false {
      rules.prefix = [
        try header.required(
          rules.startOfText, "tokenizer.ggml.bos_token_id", "the token that add_bos_token asks for")
      ]
    }
    try self.init(
      index: index, merges: header.merges(index), rules: rules, literal: Set(types.whole.keys),
      empty: types.empty)
  }
}

/// What llama.cpp makes of the type of each token, and of what the token is called.
private struct GGUFTokenTypes {
  /// Tokens that are cut out of a text whole, by id: of the types unknown (2), control (3) and user-defined (4), and
  /// those that are called as such tokens are.
  private(set) var whole: [Int: String] = [:]
  /// Tokens that stand for no text: of the types undefined (0) and unused (5), as of the rows that the converter adds
  /// where a model is wider than its vocabulary.
  private(set) var empty: Set<Int> = []
  /// Tokens that are called as those that end a text are.
  private(set) var ends: Set<Int> = []

  init(_ header: GGUFHeader, _ index: TokenIndex) throws(ModelError) {
    let key = "tokenizer.ggml.token_type"
    let types = try header.integers(key) ?? [Int32](repeating: 1, count: index.count)
    try header.expect(
      types.count == index.count, key, found: "\(types.count) entries",
      expected: "\(index.count), one for each token")
    for id in 0..<index.count {
      let name = index.withKey(of: id) { String(decoding: $0, as: UTF8.self) }
      let type = types[id]
      try header.expect(
        0...5 ~= type, "\(key)[\(id)]", found: "\(type)", expected: "0 to 5: a type of byte-level tokens")
      if Self.endings.contains(name) { ends.insert(id) }
      if 2...4 ~= type || Self.endings.contains(name) || Self.marks.contains(name) {
        whole[id] = name
      } else if type != 1 {
        empty.insert(id)
      }
    }
    applyExceptions(index)
  }

  /// llama.cpp's two exceptions, for vocabularies in which these names mean something else.
  private mutating func applyExceptions(_ index: TokenIndex) {
    func has(_ name: String) -> Bool { index.id(of: name) != nil }
    let isHarmony = has("<|return|>") && (has("<|call|>") || has("<|calls|>"))
    let isSolar = has("<|flush|>") && (has("<|call|>") || has("<|calls|>"))
    if let end = index.id(of: "<|end|>"), isHarmony || isSolar { ends.remove(end) }
    if let end = index.id(of: "</s>"), has("<|tool_response>") {
      ends.remove(end)
      whole[end] = nil
    }
  }

  /// The names by which llama.cpp knows tokens that end a generation, whatever their type.
  private static let endings: Set = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
    "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
    // Padding, repository and file marks of vocabularies that fill in the middle.
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>",
    "<REPO>", "<reponame>", "<|file_sep|>",
  ]

  /// The names of tokens that are cut out whole, whatever their type, and end nothing.
  private static let marks: Set = [
    "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
    "<|prefix|>", "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
    "<|code_suffix|>", "<|suffix|>", "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>",
    "▁<MID>", "<|code_middle|>", "<|middle|>", "<|channel|>", "<|message|>", "<|start|>", "<|constrain|>",
  ]
}

extension GGUFHeader {
  /// Whether a file is sound and has no tokenizer. One that is not sound says so when it is read.
  static func lacksTokenizer(_ path: String) -> Bool {
    guard let header = try? GGUFHeader(path), let model = try? header.string(modelKey) ?? noTokenizer else {
      return false
    }
    return [noTokenizer, "no_vocab"].contains(model)
  }

  static let modelKey = "tokenizer.ggml.model"
  /// As llama.cpp calls it; it wants a model to be named.
  static let noTokenizer = "none"
  fileprivate static let tokensKey = "tokenizer.ggml.tokens"
  private static let mergesKey = "tokenizer.ggml.merges"

  /// Another model or pre-tokenizer would give other ids for the same text, and so would what is put after it.
  fileprivate func refuseOtherTokenizers() throws(ModelError) {
    let model = try required(string(Self.modelKey), Self.modelKey, "gpt2: a tokenizer in the file")
    try expect(model == "gpt2", Self.modelKey, found: model, expected: "gpt2")
    // Files from before May 2024 name no pre-tokenizer; GPT-2's was the only one that could be meant. "default" means
    // another one: it splits numbers and punctuation further.
    let splitting = "tokenizer.ggml.pre"
    let name = try string(splitting) ?? "gpt-2"
    try expect(["gpt-2", "gpt2"].contains(name), splitting, found: name, expected: "gpt-2")
    let adding = "tokenizer.ggml.add_eos_token"
    let addsEnd = try boolean(adding) ?? false
    try expect(!addsEnd, adding, found: "true", expected: "false: nothing goes on after the end of a text")
  }

  /// The id that a key names for a purpose; nil where it is not there.
  fileprivate func tokenID(_ name: String, count: Int) throws(ModelError) -> Int? {
    let key = "tokenizer.ggml.\(name)_token_id"
    guard let id = try optionalInteger(key) else { return nil }
    try expect(0..<count ~= id, key, found: "\(id)", expected: "a number from 0 to \(count - 1)")
    return id
  }

  fileprivate func tokens() throws(ModelError) -> TokenEntries {
    let ranges = try required(strings(Self.tokensKey), Self.tokensKey, "the tokens")
    try expect(!ranges.isEmpty, Self.tokensKey, found: "nothing", expected: "the tokens")
    var entries = TokenEntries()
    for (id, range) in ranges.enumerated() {
      try expect(
        text(range) != nil, "\(Self.tokensKey)[\(id)]", found: "bytes that are not UTF-8", expected: "UTF-8")
      entries.keys.append(contentsOf: file.bytes[range])
      entries.offsets.append(entries.keys.count)
      entries.ids.append(id)
    }
    return entries
  }

  fileprivate func merges(_ index: TokenIndex) throws -> MergeTable {
    let ranges = try required(strings(Self.mergesKey), Self.mergesKey, "the merges")
    var merges = MergeTable(capacity: ranges.count)
    for (rank, range) in ranges.enumerated() {
      let content = UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: UInt8.self)
      try merges.add(content, rank: rank, line: rank + 1, index: index, path: "\(path): \(Self.mergesKey)")
    }
    return merges
  }
}
