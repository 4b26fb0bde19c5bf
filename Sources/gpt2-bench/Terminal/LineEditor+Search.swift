import Foundation

extension LineEditor {
  /// Control-R's search backwards through the history.
  struct Search: Equatable {
    var query = ""
    /// The entry that is shown; nil while nothing was found.
    var entry: Int?
    var isFailing = false
    /// What stood on the line when the search began.
    let original: EditableText

    var prompt: String { "(\(isFailing ? "failing " : "")reverse-search)'\(query)': " }
  }

  /// nil for a key that ends the search and then does what it does on the line that was found.
  mutating func handleSearch(_ key: Key) -> Outcome? {
    switch key {
    case .text(let scalar): look(for: (search?.query ?? "") + String(Character(scalar)))
    case .backspace:
      guard let query = search?.query, !query.isEmpty else { return .refused }
      // From the newest on: what the shorter text finds may be newer than what the longer one did.
      search?.entry = nil
      look(for: String(query.dropLast()))
    case .control("r"): lookFurther()
    case .control("g"), .control("c"), .escape:
      if let original = search?.original { show(original) }
      search = nil
    default:
      search = nil
      return nil
    }
    return .edited
  }

  /// Looks in the entry that is shown and in those before it.
  private mutating func look(for query: String) {
    search?.query = query
    guard !query.isEmpty else {
      search?.isFailing = false
      return
    }
    find(query, before: search?.entry.map { $0 + 1 } ?? history.entries.count)
  }

  private mutating func lookFurther() {
    guard let search, !search.query.isEmpty else { return }
    find(search.query, before: search.entry ?? history.entries.count)
  }

  private mutating func find(_ query: String, before end: Int) {
    guard let entry = history.lastIndex(containing: query, before: end) else {
      search?.isFailing = true
      return
    }
    search?.entry = entry
    search?.isFailing = false
    var found = EditableText(history.entries[entry])
    if let match = history.entries[entry].range(of: query) {
      found.move(
        to: history.entries[entry].distance(from: history.entries[entry].startIndex, to: match.lowerBound))
    }
    show(found)
  }
}
