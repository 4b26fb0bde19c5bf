/// What may stand in place of the last characters before the cursor.
struct Completion: Equatable, Sendable {
  /// Characters before the cursor that a candidate replaces; each candidate begins with them.
  var replaced = 0
  var candidates: [String] = []

  /// What all candidates begin with.
  var commonPrefix: String {
    guard var prefix = candidates.first else { return "" }
    for candidate in candidates {
      while !candidate.hasPrefix(prefix) { prefix.removeLast() }
    }
    return prefix
  }
}
