extension Tokenizer {
  /// `llama_token_type` in llama.h.
  private enum TokenType: Int32 {
    case normal = 1
    case control = 3
    case userDefined = 4
    case unused = 5
  }

  /// Puts what llama.cpp reads a tokenizer from. Ids without a token, up to a model's vocabulary, get names as the
  /// converter gives them.
  /// - Throws: `ModelError.unwritable` for what such a file does not hold.
  func putEntries(
    of vocabularySize: Int, path: String, in header: inout GGUFHeaderBuilder
  ) throws(ModelError) {
    let added = rules.added.tokens
    guard rules.splitsWords, !rules.addsPrefixSpace, !rules.added.ignoresSpecials,
      !added.values.contains(where: { $0.isSingleWord || $0.stripsLeft || $0.stripsRight })
    else {
      throw .unwritable(
        path: path,
        reason:
          "the tokenizer splits a text otherwise than into words and whole added tokens, and GGUF has no "
          + "field for that")
    }
    let alphabet = ByteAlphabet()
    var names: [String] = []
    var types: [Int32] = []
    var ids: [String: Int] = [:]
    for id in 0..<max(vocabularySize, vocabularyCount) {
      var (name, type) = ("[PAD\(id)]", TokenType.unused)
      if let token = added[id] {
        (name, type) = (token.content, token.isSpecial || ends.contains(id) ? .control : .userDefined)
      } else if id < vocabularyCount, !vocabulary[id].isEmpty {
        (name, type) = (spelled(id, alphabet), .normal)
      }
      if let first = ids.updateValue(id, forKey: name) {
        throw .unwritable(
          path: path,
          reason: "tokens \(first) and \(id) are both \(name.quoted), which GGUF's tokens cannot be")
      }
      names.append(name)
      types.append(type.rawValue)
    }
    header.put(GGUFHeader.modelKey, "gpt2")
    header.put("tokenizer.ggml.pre", "gpt-2")
    header.put("tokenizer.ggml.tokens", names)
    header.put("tokenizer.ggml.token_type", types)
    header.put(
      "tokenizer.ggml.merges",
      merges.pairs.map { "\(spelled(Int($0.left), alphabet)) \(spelled(Int($0.right), alphabet))" })
    try putEnds(path: path, in: &header)
  }

  private func putEnds(path: String, in header: inout GGUFHeaderBuilder) throws(ModelError) {
    if let startOfText { header.put("tokenizer.ggml.bos_token_id", startOfText) }
    if !prefix.isEmpty { header.put("tokenizer.ggml.add_bos_token", true) }
    let main = endOfText.flatMap { ends.isEmpty || ends.contains($0) ? $0 : nil }
    let all = (main.map { [$0] } ?? []) + ends.filter { $0 != main }.sorted()
    // The end of a text, of a turn, of a message: whatever they are called, all end a generation.
    let keys = ["eos", "eot", "eom"]
    guard all.count <= keys.count else {
      throw .unwritable(
        path: path, reason: "\(all.count) tokens end a text, and GGUF names at most \(keys.count)")
    }
    for (key, id) in zip(keys, all) { header.put("tokenizer.ggml.\(key)_token_id", id) }
  }
}
