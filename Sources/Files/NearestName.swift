/// The name that was meant where another one was found.
public enum NearestName {
  /// The one that the fewest changes lead to, of a third of its letters or one, or the only one that begins so. Upper
  /// and lower case count as one.
  public static func nearest(to found: String, among names: [String]) -> String? {
    let letters = found.lowercased()
    let beginning = names.filter { !found.isEmpty && $0.lowercased().hasPrefix(letters) }
    if beginning.count == 1 { return beginning[0] }
    // What is much longer than a name is none of them, and measuring it would take long.
    let measured = names.filter { $0.count + 10 > letters.count }
      .map { (name: $0, distance: distance(Array(letters), Array($0.lowercased()))) }
    guard let best = measured.min(by: { $0.distance < $1.distance }) else { return nil }
    // Of two letters, one in common says nothing.
    let isNear =
      best.distance <= max(best.name.count / 3, 1) && 2 * best.distance < max(letters.count, best.name.count)
    return isNear ? best.name : nil
  }

  /// What an error ends with: `; did you mean 'packed'?`, or nothing where no name is near.
  public static func advice(for found: String, among names: [String]) -> String {
    nearest(to: found, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// The fewest insertions, removals, replacements and swaps of neighbours (Damerau's, each part changed once).
  public static func distance(_ left: [Character], _ right: [Character]) -> Int {
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
