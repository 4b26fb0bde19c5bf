import Foundation

/// What a `tokenizer.json` of Hugging Face's tokenizers says. Whatever in it would make other ids than byte-level
/// byte-pair encoding does is refused by the name of its field.
///
/// `truncation` and `padding` are not read: transformers sets both anew for each call, and its default is neither.
struct TokenizerJSON {
  let path: String
  let index: TokenIndex
  let merges: MergeTable
  /// With the ids that the file gives them, in its order.
  let added: [(id: Int, token: AddedToken)]
  let addsPrefixSpace: Bool
  let splitsWords: Bool
  private let fields: JSONFields

  /// - Throws: `TokenizerError` for tokens and merges, `ModelError` for other fields.
  init(_ text: UnsafeBufferPointer<UInt8>, path: String) throws {
    self.path = path
    var fields: [String: Any] = [:]
    var model: [String: Any] = [:]
    var entries: TokenEntries?
    var mergesCursor: JSONCursor?
    func read(_ cursor: inout JSONCursor, _ name: String) throws -> Any {
      let text = Data(buffer: try cursor.value())
      guard let value = try? JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed) else {
        throw ModelError.malformed(path: path, problem: "\(name) is not valid JSON")
      }
      return value
    }
    var cursor = try JSONCursor(text, path: path)
    try cursor.members("a tokenizer: an object (\"{\")") { cursor, name in
      guard name == "model" else {
        fields[name] = try read(&cursor, name)
        return
      }
      try cursor.members("a model: an object (\"{\")") { cursor, name in
        switch name {
        case "vocab": entries = try TokenEntries(&cursor)
        case "merges":
          mergesCursor = cursor
          _ = try cursor.value()
        default:
          model[name] = try read(&cursor, "model.\(name)")
          // Another type's vocabulary is no object.
          if name == "type" {
            try Self.refuseOtherModels(JSONFields(path: path, fields: model, prefix: "model."))
          }
        }
      }
    }
    try cursor.end()
    self.fields = JSONFields(path: path, fields: fields)
    try Self.refuseOtherModels(JSONFields(path: path, fields: model, prefix: "model."))
    index = try TokenIndex(
      self.fields.required(entries, "model.vocab", "an object from tokens to ids"), path: path)
    var lists = try self.fields.required(mergesCursor, "model.merges", "a list of merges")
    merges = try Self.merges(&lists, index, path: "\(path): model.merges")

    try self.fields.refuseNormalizer()
    let splitting = try self.fields.byteLevel("pre_tokenizer")
    addsPrefixSpace = try splitting?.boolean("add_prefix_space") ?? true
    splitsWords = try splitting?.boolean("use_regex") ?? true
    _ = try self.fields.has("decoder") ? self.fields.byteLevel("decoder") : nil
    added =
      try self.fields.list("added_tokens")?.map { element throws(ModelError) in
        guard let fields = try element.object(element.onlyName) else {
          throw element.refusal(of: element.onlyName, found: "null", expected: "a token")
        }
        return (try fields.integer("id"), try AddedToken(fields))
      } ?? []
  }

  private static func refuseOtherModels(_ model: JSONFields) throws(ModelError) {
    try model.expect("type", in: ["BPE"], expected: "BPE")
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      try model.expect(name, in: [""], expected: "nothing")
    }
    let dropout = try model.number("dropout") ?? 0
    guard dropout == 0 else { throw model.refusal(of: "dropout", found: "\(dropout)", expected: "null or 0") }
    try model.expect("byte_fallback", is: false)
    try model.expect("ignore_merges", is: false)
  }

  /// Merges as strings of two tokens with a space between them, or as lists of two tokens.
  private static func merges(_ cursor: inout JSONCursor, _ index: TokenIndex, path: String) throws
    -> MergeTable
  {
    var bytes: [UInt8] = []
    // Where the parts of each merge begin and end; a merge as a string is one part.
    var places: [[Range<Int>]] = []
    func read(_ cursor: inout JSONCursor) throws -> Range<Int> {
      let start = bytes.count
      try cursor.string(to: &bytes, or: "a token in quotation marks")
      return start..<bytes.count
    }
    try cursor.elements("a list of merges (\"[\")") { cursor in
      guard cursor.peek == UInt8(ascii: "[") else { return places.append([try read(&cursor)]) }
      var parts: [Range<Int>] = []
      try cursor.elements("two tokens") { parts.append(try read(&$0)) }
      places.append(parts)
    }
    var table = MergeTable(capacity: places.count)
    try bytes.withUnsafeBufferPointer { bytes in
      for (rank, places) in places.enumerated() {
        let parts = places.map { UnsafeBufferPointer(rebasing: bytes[$0]) }
        switch parts.count {
        case 1: try table.add(parts[0], rank: rank, line: rank + 1, index: index, path: path)
        case 2: try table.add(parts[0], parts[1], rank: rank, line: rank + 1, index: index, path: path)
        default:
          let found = parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
          throw TokenizerError.malformedMerge(path: path, line: rank + 1, found: found)
        }
      }
    }
    return table
  }

  /// The ids that the post-processor puts before a text.
  func prefix() throws(ModelError) -> [Int] { try fields.object("post_processor")?.prefixOfText() ?? [] }
}

extension JSONFields {
  fileprivate func refuseNormalizer() throws(ModelError) {
    guard let normalizer = try object("normalizer") else { return }
    let type = try normalizer.string("type") ?? "no type"
    let parts = try normalizer.list("normalizers") ?? []
    let isEmpty = type == "Sequence" && parts.isEmpty
    try expect(isEmpty, "normalizer", found: type, expected: "null")
  }

  /// A part of the tokenizer that must be a `ByteLevel`.
  fileprivate func byteLevel(_ name: String) throws(ModelError) -> JSONFields? {
    let part = try required(object(name), name, "a ByteLevel")
    let type = try part.string("type") ?? "no type"
    try expect(type == "ByteLevel", name, found: type, expected: "ByteLevel")
    return part
  }

  /// The ids that a post-processor puts before a text.
  fileprivate func prefixOfText() throws(ModelError) -> [Int] {
    switch try string("type") {
    case "ByteLevel": return []
    case "TemplateProcessing": return try templatePrefix()
    case "Sequence":
      var ids: [Int] = []
      for element in try list("processors") ?? [] {
        // Each works on what those before it made.
        if let processor = try element.object(element.onlyName) { ids = try processor.prefixOfText() + ids }
      }
      return ids
    case let type:
      throw refusal(
        of: "type", found: type ?? "nothing", expected: "ByteLevel, TemplateProcessing or a Sequence of them")
    }
  }

  /// Of a template with the text at its end.
  private func templatePrefix() throws(ModelError) -> [Int] {
    var ids: [Int] = []
    var hasText = false
    let parts = try required(list("single"), prefix + "single", "a list")
    for element in parts {
      let part = try element.object(element.onlyName)
      guard !hasText else {
        throw refusal(of: "single", found: "\(parts.count) parts", expected: "nothing after the text")
      }
      if let token = try part?.object("SpecialToken")?.string("id") {
        let entry = try object("special_tokens")?.object(token)
        ids += try required(
          entry?.integers("ids"), prefix + "special_tokens." + token, "the ids of the template's token")
      } else {
        hasText = try part?.object("Sequence")?.string("id") == "A"
        guard hasText else { throw refusal(of: "single", found: "another part", expected: "tokens, then A") }
      }
    }
    guard hasText else { throw refusal(of: "single", found: "no text", expected: "tokens, then A") }
    return ids
  }
}
