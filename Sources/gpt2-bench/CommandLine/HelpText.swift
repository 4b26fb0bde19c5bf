import Reporting

extension CommandDescription {
  var usage: String {
    let words = ["gpt2-bench", name, operands, "[options]"].filter { !$0.isEmpty }
    return words.joined(separator: " ")
  }

  /// What `--help` shows: a sentence, the usage, examples, and the options group by group.
  var help: String {
    let sentence = HelpText.wrapped("\(summary.prefix(1).uppercased())\(summary.dropFirst()).")
    let groups: [(title: String, rows: [(String, String)])] = OptionGroup.allCases.map { group in
      (group.rawValue, allOptions.filter { $0.group == group }.map { ($0.synopsis, $0.help) })
    }
    let indent = HelpText.indent(of: groups.flatMap(\.rows))
    let sections: [[String]] =
      [[sentence], ["usage: \(usage)"], HelpText.examples(examples)]
      + groups.map { $0.rows.isEmpty ? [] : ["\($0.title):"] + HelpText.columns($0.rows, indent: indent) }
    return HelpText.joined(sections)
  }
}

/// How help is laid out: no line is wider than 80 columns.
enum HelpText {
  private static let width = 80

  static func wrapped(_ text: String) -> String { text.wrapped(to: width, indent: 0) }

  /// Where the second column begins.
  static func indent(of rows: [(String, String)]) -> Int { (rows.map(\.0.count).max() ?? 0) + 4 }

  /// Names, and what is said of each beside it.
  static func columns(_ rows: [(String, String)], indent: Int) -> [String] {
    rows.flatMap { name, text in
      let lines = text.wrapped(to: width - indent, indent: 0).split(separator: "\n")
      return lines.enumerated().map { index, line in
        let start = index == 0 ? "  " + name : ""
        return start + String(repeating: " ", count: indent - start.count) + line
      }
    }
  }

  static func examples(_ examples: [CommandDescription.Example]) -> [String] {
    guard !examples.isEmpty else { return [] }
    return ["Examples:"] + examples.flatMap { ["  # " + $0.does, "  " + $0.line] }
  }

  /// Sections with a blank line between them; those without a line are left out.
  static func joined(_ sections: [[String]]) -> String {
    sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }
}
