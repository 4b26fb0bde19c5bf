import Foundation

extension Tokenizer {
  /// Whether tokens and the end of text are all that there is to this tokenizer.
  private var isPlain: Bool {
    let plain = endOfText.map { [$0] } ?? []
    return Set(rules.added.tokens.keys) == Set(plain) && ends.isSubset(of: plain) && rules.prefix.isEmpty
      && !rules.addsPrefixSpace && rules.splitsWords && (rules.startOfText ?? endOfText) == endOfText
      && rules.added.tokens.values.allSatisfy { !$0.isSingleWord && !$0.stripsLeft && !$0.stripsRight }
  }

  /// Refuses what a format of tokens alone has no room for.
  func requirePlain(_ format: String, path: String) throws(ModelError) {
    guard !isPlain else { return }
    throw .unwritable(
      path: path,
      reason:
        "the tokenizer has added tokens, other ends of text or a prefix, and \(format) holds only tokens")
  }

  /// Writes `vocab.json` and `merges.txt` into a folder, from which the same tokenizer comes back; where there is more
  /// to it than tokens and the end of text, also `tokenizer_config.json`.
  ///
  /// - Returns: the names of the files.
  /// - Throws: `ModelError.unwritable`, also for a vocabulary in which two ids spell the same.
  @discardableResult
  public func exportHuggingFace(to folder: String) throws(ModelError) -> [String] {
    guard rules.splitsWords else {
      throw .unwritable(
        path: folder + "/vocab.json", reason: "without words, only tokenizer.json can hold it")
    }
    let alphabet = ByteAlphabet()
    var known: Set<String> = []
    var entries: [String] = []
    for id in 0..<vocabularyCount {
      let token = rules.added.tokens[id]?.content ?? spelled(id, alphabet)
      guard known.insert(token).inserted else {
        throw .unwritable(
          path: folder + "/vocab.json",
          reason: "token \(id) spells what a lower id spells, which it cannot hold")
      }
      entries.append("\(Self.json(token)): \(id)")
    }
    try ModelFile.write("{\(entries.joined(separator: ", "))}".utf8, to: folder + "/vocab.json")
    let lines = merges.pairs.map {
      "\(spelled(Int($0.left), alphabet)) \(spelled(Int($0.right), alphabet))\n"
    }
    try ModelFile.write(("#version: 0.2\n" + lines.joined()).utf8, to: folder + "/merges.txt")
    guard !isPlain else { return ["vocab.json", "merges.txt"] }
    try ModelFile.write(configurationFile.utf8, to: folder + "/tokenizer_config.json")
    return ["vocab.json", "merges.txt", "tokenizer_config.json"]
  }

  /// A token in the alphabet of bytes.
  func spelled(_ id: Int, _ alphabet: ByteAlphabet) -> String {
    var text = ""
    for byte in vocabulary[id] { text.unicodeScalars.append(alphabet.scalars[Int(byte)]) }
    return text
  }

  private var configurationFile: String {
    func name(_ id: Int?) -> String { id.map { Self.json(spelled($0)) } ?? "null" }
    func spelled(_ id: Int) -> String { rules.added.tokens[id]?.content ?? self.spelled(id, ByteAlphabet()) }
    let added = rules.added.tokens.sorted { $0.key < $1.key }.map { id, token in
      """
          "\(id)": {"content": \(Self.json(token.content)), "lstrip": \(token.stripsLeft), \
      "normalized": \(token.isNormalized), "rstrip": \(token.stripsRight), \
      "single_word": \(token.isSingleWord), "special": \(token.isSpecial)}
      """
    }
    return """
      {
        "add_bos_token": \(!rules.prefix.isEmpty),
        "add_prefix_space": \(rules.addsPrefixSpace),
        "added_tokens_decoder": {
      \(added.joined(separator: ",\n"))
        },
        "bos_token": \(name(startOfText)),
        "eos_token": \(name(endOfText)),
        "split_special_tokens": \(rules.added.ignoresSpecials),
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": \(name(endOfText))
      }

      """
  }

  /// A string as JSON has it.
  private static func json(_ text: String) -> String {
    var escaped = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": escaped += "\\\""
      case "\\": escaped += "\\\\"
      case "\u{0}"..."\u{1F}": escaped += String(format: "\\u%04x", scalar.value)
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped + "\""
  }
}

extension ModelSource {
  /// What a folder says of its text, file by file.
  private static let tokenizerFiles = [
    "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "added_tokens.json",
    "special_tokens_map.json", "generation_config.json",
  ]

  /// Writes the model's tokenizer into a folder as Hugging Face lays it out. Files that lie so are copied as they are: a
  /// vocabulary's own spelling and order say more than what is read from it.
  ///
  /// - Returns: the names of the files; none for a model without a tokenizer, and for one that lies in the folder.
  /// - Throws: `TokenizerError` or `ModelError`.
  public func exportTokenizer(to folder: String, for configuration: Configuration) throws -> [String] {
    guard case .huggingFace(let source) = tokenizerLocation else {
      return try tokenizer(for: configuration)?.exportHuggingFace(to: folder) ?? []
    }
    guard source != folder else { return [] }
    let names = Self.tokenizerFiles.filter { FileManager.default.fileExists(atPath: "\(source)/\($0)") }
    for name in names { try ModelFile.write(ModelFile.read("\(source)/\(name)"), to: "\(folder)/\(name)") }
    return names
  }
}
