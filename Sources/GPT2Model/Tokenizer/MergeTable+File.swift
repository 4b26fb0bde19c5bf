extension MergeTable {
  private typealias Token = UnsafeBufferPointer<UInt8>

  /// Reads the text of `merges.txt`: a first line `#version: …` that may be absent, then one merge a line,
  /// the earliest first, as two tokens with one space between them.
  ///
  /// - Parameters:
  ///   - index: the vocabulary, in which both parts of every merge and what they make must be.
  ///   - path: the file's name, for errors.
  /// - Throws: `TokenizerError`, with the line.
  init(parsing text: UnsafeBufferPointer<UInt8>, index: TokenIndex, path: String) throws {
    let newline = UInt8(ascii: "\n")
    self.init(capacity: text.count { $0 == newline } + 1)
    var position = 0
    var line = 0
    var firstMergeLine = 1
    while position < text.count {
      line += 1
      let end = text[position...].firstIndex(of: newline) ?? text.count
      var content = text[position..<end]
      position = end + 1
      if content.last == UInt8(ascii: "\r") { content.removeLast() }
      if line == 1, content.starts(with: "#version".utf8) {
        firstMergeLine = 2
        continue
      }
      if content.isEmpty, text[end...].allSatisfy({ $0 == newline || $0 == UInt8(ascii: "\r") }) { break }

      try add(Token(rebasing: content), rank: line - firstMergeLine, line: line, index: index, path: path)
    }
  }

  /// Adds one merge: two tokens with one space between them.
  ///
  /// - Parameters:
  ///   - rank: how many merges come before it.
  ///   - line: its place in the file, from 1, for errors.
  mutating func add(
    _ content: UnsafeBufferPointer<UInt8>, rank: Int, line: Int, index: TokenIndex, path: String
  ) throws {
    guard let (left, right) = Self.parts(of: content) else {
      let found = String(decoding: content, as: UTF8.self)
      throw TokenizerError.malformedMerge(path: path, line: line, found: found)
    }
    func id(of token: Token) throws -> UInt32 {
      if let id = index.id(of: token) { return UInt32(id) }
      let name = String(decoding: token, as: UTF8.self)
      throw TokenizerError.mergeOutsideVocabulary(path: path, line: line, token: name)
    }
    let joined = Array(left) + right
    let merge = Merge(rank: UInt32(rank), result: try joined.withUnsafeBufferPointer { try id(of: $0) })
    if let earlier = insert(try id(of: left), try id(of: right), merge) {
      throw TokenizerError.duplicateMerge(
        path: path, line: line, firstLine: line - rank + Int(earlier.rank),
        pair: String(decoding: content, as: UTF8.self))
    }
  }

  private static func parts(of line: Token) -> (left: Token, right: Token)? {
    let space = UInt8(ascii: " ")
    guard let middle = line.firstIndex(of: space) else { return nil }
    let left = line[..<middle]
    let right = line[(middle + 1)...]
    guard !left.isEmpty, !right.isEmpty, !right.contains(space) else { return nil }
    return (Token(rebasing: left), Token(rebasing: right))
  }
}
