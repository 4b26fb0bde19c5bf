import Foundation

/// The tokenizer files of a folder, put together as transformers 4.57 does for its fast GPT-2 tokenizer:
/// `_from_pretrained` in tokenization_utils_base.py, `__init__` in tokenization_utils_fast.py, `GPT2Converter`.
///
/// Which file wins: `tokenizer.json` over `vocab.json` and `merges.txt`, and over `add_bos_token`; `add_prefix_space`
/// of `tokenizer_config.json` over that of `tokenizer.json`; `added_tokens_decoder` of `tokenizer_config.json` over
/// `added_tokens.json` and `special_tokens_map.json`, which are read without it only; `special_tokens_map.json` over
/// the special tokens of `tokenizer_config.json`.
struct HuggingFaceTokenizer {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  private func path(_ name: String) -> String { folder + "/" + name }

  private var hasTokenizerJSON: Bool { FileManager.default.fileExists(atPath: path("tokenizer.json")) }

  /// The file that must be there.
  var mainFile: String { path(hasTokenizerJSON ? "tokenizer.json" : "vocab.json") }

  /// - Throws: `TokenizerError` for tokens and merges, `ModelError` for the other files.
  func load() throws -> Tokenizer {
    let config =
      try JSONFields(pathIfThere: path("tokenizer_config.json"))
      ?? JSONFields(path: path("tokenizer_config.json"), fields: [:])
    try refuseOtherClasses(config)
    guard hasTokenizerJSON else {
      let (index, merges) = try Tokenizer.parts(
        vocabularyFile: path("vocab.json"), mergesFile: path("merges.txt"))
      return try Tokenizer(index: index, merges: merges, rules: rules(index, config, nil))
    }
    let json = try Tokenizer.read(path("tokenizer.json")) {
      try TokenizerJSON($0, path: path("tokenizer.json"))
    }
    return try Tokenizer(index: json.index, merges: json.merges, rules: rules(json.index, config, json))
  }

  /// Refuses classes that make other ids than those that are made here.
  private func refuseOtherClasses(_ config: JSONFields) throws(ModelError) {
    let known =
      ["GPT2Tokenizer", "GPT2TokenizerFast"] + (hasTokenizerJSON ? ["PreTrainedTokenizerFast"] : [])
    let expected = known.joined(separator: " or ")
    try config.expect("tokenizer_class", in: known, expected: expected)
    guard !config.has("tokenizer_class") else { return }
    try JSONFields(pathIfThere: path("config.json"))?
      .expect("tokenizer_class", in: known, expected: expected)
  }

  /// - Parameter json: nil for a folder without `tokenizer.json`.
  private func rules(
    _ index: TokenIndex, _ config: JSONFields, _ json: TokenizerJSON?
  ) throws(ModelError) -> TextRules {
    var rules = TextRules()
    rules.splitsWords = json?.splitsWords ?? true
    rules.addsPrefixSpace = try config.boolean("add_prefix_space") ?? json?.addsPrefixSpace ?? false
    rules.added.ignoresSpecials = try config.boolean("split_special_tokens") ?? false

    let known = { (content: String) in index.id(of: content) }
    let named = try namedTokens(config, index)
    let listed = try listedTokens(config, json, named)
    let specials = named.map { $0.asTransformersHasIt(listed, isSlow: json == nil) }
    rules.added.add((json?.added ?? []).map(\.token), known: known, count: index.count)
    rules.added.add(further(rules.added, listed, specials), known: known, count: index.count)
    for entry in listed {
      let id = rules.added.id(of: entry.token.content)
      try entry.source.expect(
        id == entry.id, entry.field, found: "\(entry.id) for \(entry.token.content.quoted)",
        expected: id.map { "\($0), its place in the vocabulary" } ?? "a text")
    }

    func id(_ role: String) -> Int? {
      specials.first { $0.role == role }.flatMap { rules.added.id(of: $0.content) ?? known($0.content) }
    }
    (rules.startOfText, rules.endOfText) = (id("bos_token"), id("eos_token"))
    if let json {
      rules.prefix = try json.prefix()
    } else if try config.boolean("add_bos_token") ?? false {
      rules.prefix = [try config.required(rules.startOfText, "bos_token", "the token of add_bos_token")]
    }
    return rules
  }

  /// The tokens that are added to those of `tokenizer.json`, in their order.
  private func further(
    _ present: AddedTokens, _ listed: [ListedToken], _ specials: [SpecialToken]
  ) -> [AddedToken] {
    var further = listed.map(\.token)
    let contents = Set(present.tokens.values.map(\.content) + further.map(\.content))
    var seen: Set<String> = []
    for special in specials where seen.insert(special.content).inserted {
      if let token = special.token {
        if !further.contains(token) { further.append(token) }
      } else if !contents.contains(special.content) {
        further.append(AddedToken(content: special.content, isSpecial: true))
      }
    }
    return further.map { token in
      var token = token
      token.isSpecial = token.isSpecial || seen.contains(token.content)
      return token
    }
  }
}

/// A token that a file lists with its id.
private struct ListedToken {
  let source: JSONFields
  let field: String
  let id: Int
  let token: AddedToken
  /// Whether it takes the place of a special token that is only named.
  let replacesNames: Bool
}

/// A token that a file names for a purpose, such as `bos_token`.
private struct SpecialToken: Equatable {
  let role: String
  let content: String
  /// nil for one that is given as a string.
  var token: AddedToken?
  /// Whether no file names it.
  var isDefault = false

  init(_ role: String, _ content: String) { (self.role, self.content, isDefault) = (role, content, true) }

  /// - Returns: nil where the field is null.
  /// - Throws: `ModelError` for what is neither a string nor a token.
  init?(_ role: String, _ file: JSONFields, field: String) throws(ModelError) {
    guard file.has(field) else { return nil }
    self.role = role
    guard file.fields[field] is [String: Any], let fields = try file.object(field) else {
      content = try file.required(file.string(field), field, "a token")
      return
    }
    var token = try AddedToken(fields)
    if !fields.has("__type") {
      // special_tokens_map.json's tokens are special without saying so.
      token.isNormalized = try fields.boolean("normalized") ?? false
      token.isSpecial = true
    }
    (content, self.token) = (token.content, token)
  }

  /// A listed token says more than a name; and of four names transformers makes tokens that are normalized, where it
  /// begins with `vocab.json`.
  func asTransformersHasIt(_ listed: [ListedToken], isSlow: Bool) -> SpecialToken {
    var special = self
    if role != HuggingFaceTokenizer.list,
      let entry = listed.last(where: { $0.replacesNames && $0.token.content == content })
    {
      special.token = entry.token
    } else if token == nil, isSlow, HuggingFaceTokenizer.namesOfGPT2.contains(role) {
      special.token = AddedToken(content: content, isNormalized: true)
    }
    return special
  }
}

extension HuggingFaceTokenizer {
  private static let roles = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]
  fileprivate static let namesOfGPT2: Set = ["bos_token", "eos_token", "unk_token", "pad_token"]
  fileprivate static let list = "additional_special_tokens"

  /// The tokens with a purpose, in the order in which they are added.
  ///
  /// Beginning, end and unknown token are `<|endoftext|>` where no file says otherwise and the vocabulary has it.
  private func namedTokens(_ config: JSONFields, _ index: TokenIndex) throws(ModelError) -> [SpecialToken] {
    var byRole: [String: [SpecialToken]] = [:]
    if try config.string("tokenizer_class") != "PreTrainedTokenizerFast",
      index.id(of: Tokenizer.endOfTextSpelling) != nil
    {
      for role in Self.roles.prefix(3) { byRole[role] = [SpecialToken(role, Tokenizer.endOfTextSpelling)] }
    }
    var files = [config]
    if !config.has("added_tokens_decoder"),
      let map = try JSONFields(pathIfThere: path("special_tokens_map.json"))
    {
      files.append(map)
    }
    for file in files {
      for role in Self.roles where file.fields[role] != nil {
        byRole[role] = try SpecialToken(role, file, field: role).map { [$0] } ?? []
      }
      for element in try file.list(Self.list) ?? [] {
        guard let token = try SpecialToken(Self.list, element, field: element.onlyName) else { continue }
        if !byRole[Self.list, default: []].contains(token) { byRole[Self.list, default: []].append(token) }
      }
    }
    let extra = "extra_special_tokens"
    if let fields = try config.object(extra) {
      byRole[extra] = []
      for name in fields.fields.keys.sorted() {
        if let token = try SpecialToken(extra, fields, field: name) { byRole[extra]?.append(token) }
      }
    }
    return (Self.roles + [Self.list, extra]).flatMap { byRole[$0] ?? [] }
  }

  /// The tokens that files list with their ids, by id; later files win.
  private func listedTokens(
    _ config: JSONFields, _ json: TokenizerJSON?, _ named: [SpecialToken]
  ) throws(ModelError) -> [ListedToken] {
    var listed: [Int: ListedToken] = [:]
    if let decoder = try config.object("added_tokens_decoder") {
      for name in decoder.fields.keys {
        guard let id = Int(name), let fields = try decoder.object(name) else {
          throw config.refusal(
            "added_tokens_decoder", found: name, expected: "an object from ids to tokens")
        }
        listed[id] = ListedToken(
          source: config, field: "added_tokens_decoder", id: id, token: try AddedToken(fields),
          replacesNames: true)
      }
      return listed.values.sorted { $0.id < $1.id }
    }
    if let file = try JSONFields(pathIfThere: path("added_tokens.json")) {
      for content in file.fields.keys {
        let id = try file.integer(content)
        let isSpecial = named.contains { $0.content == content && !$0.isDefault }
        listed[id] = ListedToken(
          source: file, field: "added token", id: id,
          token: AddedToken(content: content, isSpecial: isSpecial, isNormalized: !isSpecial),
          replacesNames: false)
      }
    }
    for (id, token) in json?.added ?? [] {
      let source = JSONFields(path: path("tokenizer.json"), fields: [:])
      listed[id] = ListedToken(
        source: source, field: "added_tokens", id: id, token: token, replacesNames: true)
    }
    return listed.values.sorted { $0.id < $1.id }
  }
}

extension AddedToken {
  /// Reads a token as `tokenizer_config.json` and `tokenizer.json` write it.
  init(_ fields: JSONFields) throws(ModelError) {
    content = try fields.required(fields.string("content"), fields.prefix + "content", "a string")
    isSpecial = try fields.boolean("special") ?? false
    isSingleWord = try fields.boolean("single_word") ?? false
    stripsLeft = try fields.boolean("lstrip") ?? false
    stripsRight = try fields.boolean("rstrip") ?? false
    isNormalized = try fields.boolean("normalized") ?? !isSpecial
  }
}
