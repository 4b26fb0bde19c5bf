/// A line that begins with a slash: its name, what may stand behind it, and what it does.
struct ChatCommand: Sendable {
  let name: String
  /// What stands behind the name, as the help shows it.
  var operands = ""
  let help: String
  /// Takes what stands behind the name, without blanks around it. Throws where that makes no sense; the chat goes on.
  let run: @Sendable (ChatSession, String) throws -> ChatSession.Next

  /// Does what stands behind the slash.
  ///
  /// - Throws: `UsageError` that names the nearest command where there is no such one.
  static func perform(_ text: String, in session: ChatSession) throws -> ChatSession.Next {
    let name = String(text.prefix { !$0.isWhitespace })
    guard let command = all.first(where: { $0.name == name }) else {
      throw UsageError(
        "unknown command '/\(name)'" + NearestName.advice(name, among: all.map(\.name), prefix: "/")
          + " (a text that begins with a slash is written with two)")
    }
    let rest = text.dropFirst(name.count).drop(while: \.isWhitespace)
    let operands = String(rest.reversed().drop(while: \.isWhitespace).reversed())
    if command.operands.isEmpty, !operands.isEmpty {
      throw UsageError("/\(name): found '\(operands)', expected nothing behind it")
    }
    return try command.run(session, operands)
  }

  /// Names of commands, and behind those that take one of several words, these.
  static func complete(_ text: String) -> Completion {
    guard text.hasPrefix("/"), !text.hasPrefix("//") else { return Completion() }
    let words = text.dropFirst().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let last = words.last ?? ""
    let known = words.count == 1 ? all.map(\.name) : words.count == 2 ? choices(behind: words[0]) : []
    return Completion(replaced: last.count, candidates: known.filter { $0.hasPrefix(last) }.sorted())
  }
}
