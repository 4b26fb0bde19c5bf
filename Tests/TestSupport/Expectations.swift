import Testing

// What most tests ask, as functions. `#expect` writes out a syntax tree and closures at every use, 10 to 15 ms of the
// compiler's time, and tests ask thousands of times. It stays where its breakdown of an expression says more than
// these do.

/// Two equal values. When they are not, says both, or for long texts the first line that differs.
public func expectEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, _ comment: @autoclosure () -> Comment? = nil,
  fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
  guard found != expected else { return }
  record(
    difference(String(reflecting: found), String(reflecting: expected)), comment(),
    SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
}

/// No value.
public func expectNil<Value>(
  _ found: Value?, _ comment: @autoclosure () -> Comment? = nil,
  fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
  guard let found else { return }
  record(
    "found \(String(reflecting: found)), expected nil", comment(),
    SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
}

/// A text in which each of `parts` occurs.
public func expectContains(
  _ text: some StringProtocol, _ parts: String..., comment: @autoclosure () -> Comment? = nil,
  fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
  for part in parts where !text.contains(part) {
    record(
      "\(String(reflecting: part)) is not in:\n\(text)", comment(),
      SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }
}

private func record(_ problem: String, _ comment: Comment?, _ location: SourceLocation) {
  Issue.record(
    Comment(rawValue: comment.map { "\(problem)\n\($0.rawValue)" } ?? problem), sourceLocation: location)
}

private func difference(_ found: String, _ expected: String) -> String {
  // `String(reflecting:)` writes a text's line ends as two characters.
  let (a, b) = (found.split(separator: "\\n"), expected.split(separator: "\\n"))
  guard max(a.count, b.count) > 4 else { return "found \(found), expected \(expected)" }
  let at = zip(a, b).prefix { $0 == $1 }.count
  let line = { (lines: [Substring]) in at < lines.count ? "\"\(lines[at])\"" : "no line" }
  return "line \(at + 1): found \(line(a)), expected \(line(b))"
}
