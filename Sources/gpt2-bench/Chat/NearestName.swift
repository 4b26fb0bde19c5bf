/// Which name was probably meant.
enum NearestName {
  /// The end of an error's line: the nearest name where one is near, else all of them.
  ///
  /// - Parameter prefix: stands before each name.
  static func advice(_ found: String, among names: [String], prefix: String) -> String {
    if let nearest = nearest(to: found, among: names) { return ", did you mean '\(prefix)\(nearest)'?" }
    return ", expected one of " + names.map { prefix + $0 }.joined(separator: " ")
  }

  /// The one that the fewest changes lead to, of a third of its letters or one, or the only one that begins so.
  static func nearest(to found: String, among names: [String]) -> String? {
    let beginning = names.filter { !found.isEmpty && $0.hasPrefix(found) }
    if beginning.count == 1 { return beginning[0] }
    let measured = names.map { (name: $0, distance: distance(Array(found), Array($0))) }
    guard let best = measured.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(best.name.count / 3, 1) ? best.name : nil
  }

  /// The fewest insertions, removals, replacements and swaps of neighbours that make one of the other (Damerau's
  /// distance with each part changed once).
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var least = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
