import Foundation

/// What may stand in place of the last characters before the cursor: how many a candidate replaces, and the candidates, each
/// of which begins with them.
typealias TabCompletion = (replaced: Int, candidates: [String])

/// Edits a line as readline does with its Emacs keys: keys go in, a text and a cursor come out. Knows no terminal.
struct LineEditor {
  enum Outcome: Equatable {
    /// The line may have changed; it goes on.
    case edited
    case refused
    case submitted(String)
    /// Control-C: the line is given up.
    case interrupted
    /// Control-D on an empty line.
    case endOfInput
    /// Control-L: the line stays, all else on the screen goes.
    case clearScreen
    case suspended
    /// Several texts could complete what stands before the cursor.
    case candidates([String])
  }

  private(set) var line = EditableText()
  var history: InputHistory
  var search: Search?
  private let complete: (String) -> TabCompletion

  private var killed = ""
  /// Kills one after the other add up.
  private var hasJustKilled = false

  init(
    history: InputHistory = InputHistory(), complete: @escaping (String) -> TabCompletion = { _ in (0, []) }
  ) { (self.history, self.complete) = (history, complete) }

  mutating func handle(_ key: Key) -> Outcome {
    if let outcome = handleSearch(key) { return outcome }
    let wasKilling = hasJustKilled
    hasJustKilled = false
    switch key {
    case .text(let scalar): line.insert(String(Character(scalar)))
    case .paste(let text): line.insert(text)
    case .enter:
      defer { clear() }
      return .submitted(line.text)
    case .tab: return completeLine()
    case .control("c"):
      clear()
      return .interrupted
    case .control("d"):
      if line.isEmpty { return .endOfInput }
      return remove(line.cursor..<line.cursor + 1)
    case .control("l"): return .clearScreen
    case .control("z"): return .suspended
    case .control("r"):
      search = Search(original: line)
      return .edited
    case .control("t"): return line.transpose() ? .edited : .refused
    case .control("y"):
      if killed.isEmpty { return .refused }
      line.insert(killed)
    case .backspace: return remove(line.cursor - 1..<line.cursor)
    case .delete: return remove(line.cursor..<line.cursor + 1)
    // A line up or down where there are several, else another entry.
    case .up, .control("p"): return line.above.map { move(to: $0) } ?? show(history.older(than: line.text))
    case .down, .control("n"): return line.below.map { move(to: $0) } ?? show(history.newer())
    default:
      if let part = partToKill(key) { return kill(part, addsUp: wasKilling) }
      guard let place = place(key) else { return .refused }
      return move(to: place)
    }
    return .edited
  }

  private mutating func clear() {
    line = EditableText()
    history.leave()
  }

  private func place(_ key: Key) -> Int? {
    switch key {
    case .left, .control("b"): line.cursor - 1
    case .right, .control("f"): line.cursor + 1
    case .home, .control("a"): line.lineStart
    case .end, .control("e"): line.lineEnd
    case .wordLeft, .alt("b"): line.wordStart
    case .wordRight, .alt("f"): line.wordEnd
    default: nil
    }
  }

  private mutating func move(to place: Int) -> Outcome {
    let before = line.cursor
    line.move(to: place)
    return line.cursor == before ? .refused : .edited
  }

  private mutating func show(_ entry: String?) -> Outcome {
    guard let entry else { return .refused }
    line = EditableText(entry)
    return .edited
  }

  private mutating func remove(_ part: Range<Int>) -> Outcome {
    guard part.lowerBound >= 0, part.upperBound <= line.characters.count else { return .refused }
    _ = line.remove(part)
    return .edited
  }

  private func partToKill(_ key: Key) -> Range<Int>? {
    switch key {
    // At a line's end its newline goes.
    case .control("k"): line.cursor..<max(line.lineEnd, min(line.cursor + 1, line.characters.count))
    case .control("u"): line.lineStart..<line.cursor
    case .control("w"): line.blankWordStart..<line.cursor
    case .alt("\u{7F}"): line.wordStart..<line.cursor
    case .alt("d"): line.cursor..<line.wordEnd
    default: nil
    }
  }

  private mutating func kill(_ part: Range<Int>, addsUp: Bool) -> Outcome {
    hasJustKilled = addsUp
    guard !part.isEmpty else { return .refused }
    let isBefore = part.upperBound == line.cursor
    let text = line.remove(part)
    let kept = addsUp ? killed : ""
    killed = isBefore ? text + kept : kept + text
    hasJustKilled = true
    return .edited
  }

  private mutating func completeLine() -> Outcome {
    let completion = complete(line.beforeCursor)
    guard let first = completion.candidates.first else { return .refused }
    let insertion = completion.candidates.count == 1 ? first + " " : Self.commonPrefix(completion.candidates)
    let present = line.cursor - completion.replaced..<line.cursor
    if insertion == String(line.characters[present]) { return .candidates(completion.candidates) }
    _ = line.remove(present)
    line.insert(insertion)
    return .edited
  }

  private static func commonPrefix(_ texts: [String]) -> String {
    texts.dropFirst().reduce(texts.first ?? "") { prefix, text in
      String(zip(prefix, text).prefix { $0 == $1 }.map(\.0))
    }
  }
}

extension LineEditor {
  /// Control-R's search backwards through the history.
  struct Search: Equatable {
    var query = ""
    /// The entry that is shown; nil while nothing was found.
    var entry: Int?
    var isFailing = false
    let original: EditableText

    var prompt: String { "(\(isFailing ? "failing " : "")reverse-search)'\(query)': " }
  }

  /// nil for a key that ends the search and then does what it does on the line that was found.
  private mutating func handleSearch(_ key: Key) -> Outcome? {
    guard let search else { return nil }
    switch key {
    case .text(let scalar):
      // In the entry that is shown and in those before it.
      look(for: search.query + String(Character(scalar)), before: search.entry.map { $0 + 1 })
    case .backspace:
      if search.query.isEmpty { return .refused }
      // From the newest on: what the shorter text finds may be newer than what the longer one did.
      self.search?.entry = nil
      look(for: String(search.query.dropLast()), before: nil)
    case .control("r"): look(for: search.query, before: search.entry)
    case .control("g"), .control("c"), .escape:
      line = search.original
      self.search = nil
    default:
      self.search = nil
      return nil
    }
    return .edited
  }

  /// - Parameter end: an entry; nil for the draft, after all of them.
  private mutating func look(for query: String, before end: Int?) {
    search?.query = query
    search?.isFailing = false
    guard !query.isEmpty else { return }
    let searched = history.entries[..<(end ?? history.entries.count)]
    guard let entry = searched.lastIndex(where: { $0.contains(query) }) else {
      search?.isFailing = true
      return
    }
    search?.entry = entry
    let text = history.entries[entry]
    line = EditableText(text)
    if let match = text.range(of: query) {
      line.move(to: text.distance(from: text.startIndex, to: match.lowerBound))
    }
  }
}
