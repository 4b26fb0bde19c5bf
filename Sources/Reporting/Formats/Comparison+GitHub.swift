extension Comparison {
  /// The comparison as a comment on GitHub: the verdict, the rows that are worse or undecided, and the rest folded.
  public var gitHubComment: String {
    let (urgent, others) = (rowsWorstFirst.filter(\.isUrgent), rowsWorstFirst.filter { !$0.isUrgent })
    func raw(_ text: String) -> Block { .paragraph(Prose(runs: [.init(text: text)])) }
    return GitHubComment(
      marker: "gpt2-bench compare", heading: "Performance of two \(method.nouns)",
      shown: [
        raw(verdictLine), raw(warnings.map { "> **Warning:** \($0)" }.joined(separator: "\n>\n")),
        raw(
          failures.isEmpty ? "" : "Failed its correctness check in head:\n\n" + MarkdownReport.list(failures)),
        raw(table(of: urgent)),
      ],
      folded: [
        Section(id: "others", title: counted(others.count, "other row"), [raw(table(of: others))]),
        Section(id: "means", title: "Geometric means", [raw(meansTable)]),
        Section(id: "unmatched", title: "On one side only", [raw(MarkdownReport.list(unmatched))]),
        Section(id: "method", title: "How to read it", [raw(String(explanation.dropFirst(19)))]),
      ]
    ).text
  }

  /// Lines for GitHub Actions: a notice with the verdict, an error for each row that regressed and for each failed
  /// check, a warning for each undecided row and for what one side lacks. The worst come first, since GitHub shows ten of a level for a step.
  public var gitHubAnnotations: [String] {
    let counting = rowsWorstFirst.filter(\.counts)
    let summary = WorkflowCommand(
      level: .notice, title: "Performance of two \(method.nouns)",
      message: "\(summary) Exit code \(exitCode).")
    let regressed = counting.filter { $0.verdict == .regressed }.map { $0.annotation(.error) }
    let failed = failures.map {
      WorkflowCommand(level: .error, title: "correctness check failed", message: $0)
    }
    let undecided = counting.filter { $0.verdict == .inconclusive }.map { $0.annotation(.warning) }
    let unmatched = unmatched.map {
      WorkflowCommand(level: .warning, title: "not compared", message: $0)
    }
    return ([summary] + regressed + failed + undecided + unmatched).map(\.line)
  }
}

extension ComparisonRow {
  /// Whether a reader must see it: it counts, and is worse or undecided.
  fileprivate var isUrgent: Bool { counts && [.regressed, .failed, .inconclusive].contains(verdict) }

  fileprivate func annotation(_ level: WorkflowCommand.Level) -> WorkflowCommand {
    let place = [contestant.label, test?.name, metric.name].compactMap { $0 }.joined(separator: ", ")
    let values = [base, head].map { $0.map { NumberText.significant($0) } ?? "no figure" }
    let interval = ratio?.interval.map {
      " (\(NumberText.fixed($0.lower, 3)) to \(NumberText.fixed($0.upper, 3)))"
    }
    let change = ratio.map { ", ratio \(NumberText.fixed($0.value, 3))\(interval ?? "")" } ?? ""
    let remark = reason.map { "; \($0.singleLine)" } ?? ""
    return WorkflowCommand(
      level: level, title: "\(place): \(verdict.rawValue)",
      message: "\(values.joined(separator: " → ")) \(unit)\(change)\(remark)")
  }
}
