import Foundation

extension Tokenizer {
  /// Writes `vocab.json` and `merges.txt` into a folder, from which the same tokenizer comes back.
  ///
  /// - Throws: `ModelError.unwritable`, also for a vocabulary in which two ids spell the same.
  public func exportHuggingFace(to folder: String) throws(ModelError) {
    let alphabet = ByteAlphabet()
    func spelled(_ id: Int) -> String {
      var text = ""
      for byte in vocabulary[id] { text.unicodeScalars.append(alphabet.scalars[Int(byte)]) }
      return text
    }
    var known: Set<String> = []
    var entries: [String] = []
    for id in 0..<vocabularyCount {
      let token = spelled(id)
      guard known.insert(token).inserted else {
        throw .unwritable(
          path: folder + "/vocab.json",
          reason: "token \(id) spells what a lower id spells, which it cannot hold")
      }
      // The alphabet has no control characters.
      let escaped = token.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      entries.append("\"\(escaped)\": \(id)")
    }
    try NewFile.write(Array("{\(entries.joined(separator: ", "))}".utf8), to: folder + "/vocab.json")
    let lines = merges.pairs.map { "\(spelled(Int($0.left))) \(spelled(Int($0.right)))\n" }
    try NewFile.write(Array(("#version: 0.2\n" + lines.joined()).utf8), to: folder + "/merges.txt")
  }
}
