import GPT2Engine

/// How what the user types becomes part of the text that the model continues.
enum ChatMode: String, CaseIterable {
  /// All of it is one text. What a model that was trained on texts, and on nothing else, can do.
  case complete
  /// A text in the form of a dialogue: each line opens with who speaks, and an answer ends where the next line opens.
  case dialogue
}

/// What is put around the user's lines.
struct ChatFraming: Equatable {
  var separator = "\n"
  var user = "USER:"
  var answer = "GPT:"

  /// What is added to the text for a turn.
  ///
  /// - Parameters:
  ///   - line: what the user typed.
  ///   - ends: whether the text so far ends with this; an empty text ends with everything.
  func added(_ line: String, mode: ChatMode, textEnds ends: (String) throws -> Bool) rethrows -> String {
    switch mode {
    case .complete: (try line.isEmpty || ends(separator) ? "" : separator) + line
    case .dialogue: (try ends("\n") ? "" : "\n") + "\(user) \(line)\n\(answer)"
    }
  }

  /// Where an answer ends, beside what the user set: at the next speaker's line.
  func stops(mode: ChatMode) -> [String] {
    switch mode {
    case .complete: []
    case .dialogue: ["\n" + user, "\n" + answer]
    }
  }
}
