/// What can be wrong with a vocabulary's files, or with what is asked of a tokenizer.
///
/// Lines and columns count from 1; a column counts Unicode scalars.
public enum TokenizerError: Error, Equatable, Sendable {
  /// There is no such file.
  case missingFile(path: String)
  /// The file is there and cannot be read.
  case unreadableFile(path: String, reason: String)
  /// `vocab.json` is not a JSON object from strings to non-negative integers.
  case malformedVocabulary(path: String, line: Int, column: Int, found: String, expected: String)
  /// `vocab.json` names a token twice.
  case duplicateToken(path: String, token: String, firstID: Int, secondID: Int)
  /// `vocab.json` gives one id to two tokens.
  case duplicateID(path: String, id: Int, firstToken: String, secondToken: String)
  /// `vocab.json` does not use every id in `0 ..< count`; `id` is the lowest one without a token.
  case missingID(path: String, id: Int, count: Int)
  /// A line of `merges.txt` is not two tokens with one space between them.
  case malformedMerge(path: String, line: Int, found: String)
  /// `merges.txt` lists a pair twice.
  case duplicateMerge(path: String, line: Int, firstLine: Int, pair: String)
  /// A merge has a part, or makes a token, that is not in the vocabulary.
  case mergeOutsideVocabulary(path: String, line: Int, token: String)
  /// An id to decode is not in `0 ..< count`.
  case idOutsideVocabulary(id: Int, count: Int)
  /// The text holds a byte for which the vocabulary has no token; `offset` counts the text's UTF-8 bytes.
  case byteWithoutToken(byte: UInt8, offset: Int)
}

extension TokenizerError: CustomStringConvertible {
  /// One line, whatever the files hold.
  public var description: String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  private var text: String {
    switch self {
    case .missingFile(let path):
      "\(path): no such file, expected a tokenizer's file"
    case .unreadableFile(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .malformedVocabulary(let path, let line, let column, let found, let expected):
      "\(path):\(line):\(column): found \(found), expected \(expected)"
    case .duplicateToken(let path, let token, let firstID, let secondID):
      "\(path): token \(token.quoted) has the ids \(firstID) and \(secondID), expected one"
    case .duplicateID(let path, let id, let firstToken, let secondToken):
      "\(path): id \(id) belongs to \(firstToken.quoted) and to \(secondToken.quoted), "
        + "expected one token for each id"
    case .missingID(let path, let id, let count):
      "\(path): no token has the id \(id), expected the \(count) tokens to have the ids 0 to \(count - 1)"
    case .malformedMerge(let path, let line, let found):
      "\(path):\(line): found \(found.quoted), expected two tokens with one space between them"
    case .duplicateMerge(let path, let line, let firstLine, let pair):
      "\(path):\(line): the merge \(pair.quoted) is on line \(firstLine) already, "
        + "expected each pair once"
    case .mergeOutsideVocabulary(let path, let line, let token):
      "\(path):\(line): the merge needs the token \(token.quoted), expected it in the vocabulary"
    case .idOutsideVocabulary(let id, let count):
      "token id \(id) is outside the vocabulary, expected 0 to \(count - 1)"
    case .byteWithoutToken(let byte, let offset):
      "byte \(byte) at offset \(offset) of the text has no token in the vocabulary"
    }
  }
}
