import Files
import Statistics

extension Comparison {
  /// For people: the verdict, every row (the worst first), geometric means, what had no counterpart, how to read it.
  public var markdown: String { document.markdown }

  var document: Document {
    Document(
      title: title,
      opening: opening + [table(of: rowsWorstFirst)] + (reasons.isEmpty ? means : []),
      sections: [
        Section(id: "why", title: "Why", reasons.isEmpty ? [] : [.list(reasons)] + means), onOneSide,
        explanation,
      ])
  }

  /// For a terminal of `width` columns: no line is wider.
  ///
  /// - Parameter isVerbose: also how to read it.
  public func terminal(colour: Bool, width: Int, isVerbose: Bool) -> String {
    var table = Table(.terminal, rowsWorstFirst)
    for (index, row) in rowsWorstFirst.enumerated() where row.counts && row.verdict == .regressed {
      for column in table.headings.indices { table.rows[index][column].isBold = true }
    }
    let hint: Prose =
      "Ratios above 1 are better in head. \("--verbose") says how verdicts come about and what both sides are."
    return Document(
      title: title,
      opening: opening + [.table(table, label: "rows"), .list(remarks)] + means,
      sections: [
        Section(id: "why", title: "Why", [.list(reasons)]), onOneSide, isVerbose ? explanation : nil,
        isVerbose ? nil : Section(id: "hint", title: "How to read it", [.paragraph(hint)]),
      ]
    ).terminal(colour: colour, width: width)
  }

  var title: Prose { "Comparison of two \(method.nouns)" }

  /// What is to be said of rows that count, each remark once with the rows it is of.
  private var remarks: [Prose] {
    let counting = rowsWorstFirst.filter { $0.counts && $0.reason != nil }
    return counting.compactMap(\.reason).uniqued().map { reason in
      let own = counting.filter { $0.reason == reason }
      return own.count > 2
        ? "\(counted(own.count, "row")): \(reason)" : "\(own.map(\.label).joined(separator: "; ")): \(reason)"
    }
  }

  /// The comparison as a comment on GitHub: the verdict, the rows that are worse or undecided, and the rest folded.
  public var gitHubComment: String {
    let (urgent, others) = (rowsWorstFirst.filter(\.isUrgent), rowsWorstFirst.filter { !$0.isUrgent })
    return GitHubComment(
      marker: "gpt2-bench compare", heading: "Performance of two \(method.nouns)",
      shown: opening + [table(of: urgent)],
      folded: [
        Section(id: "others", title: counted(others.count, "other row"), [table(of: others)]),
        Section(id: "means", title: "Geometric means", means), onOneSide, explanation,
      ]
    ).text
  }

  /// `1 regressed, 2 unchanged.`, of the rows that count.
  public var summary: String {
    let counted = rows.filter(\.counts)
    let parts = Verdict.allCases.compactMap { verdict -> String? in
      let count = counted.count { $0.verdict == verdict }
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    return parts.isEmpty ? "Nothing could be compared." : parts.joined(separator: ", ") + "."
  }

  /// The rows that count and changed, the worst first, a line each: `regressed: packed t2 pp64 prefill tok/s, 0.912 ×`.
  public var changes: [String] {
    rowsWorstFirst.filter { $0.counts && $0.verdict.isChange }.map { row in
      "\(row.verdict.rawValue): \(row.label)"
        + (row.ratio.map { ", \(NumberText.fixed($0.value, 3)) ×" } ?? "")
    }
  }

  /// The verdict with the thresholds and the exit code, and what must be known before the rows.
  var opening: [Block] {
    [
      .paragraph("**\(summary)** A change counts from \(thresholds.words); exit code \(exitCode)."),
      .warnings(warnings.map { Prose($0) }),
      .paragraph(failures.isEmpty ? "" : "Failed its correctness check in head:"), .list(failures),
    ]
  }

  func table(of rows: [ComparisonRow]) -> Block { .table(Table(.report, rows), label: "rows") }

  /// A line for all rows, then one a variant; a column a metric, with the number of rows of each mean.
  var means: [Block] {
    let metrics = groupMeans.map(\.metric).uniqued()
    let lines = groupMeans.map(\.variant).uniqued().map { variant in
      [Table.Entry(variant.map(Prose.code) ?? "all")]
        + metrics.map { metric in
          let mean = groupMeans.first { $0.metric == metric && $0.variant == variant }
          return Table.Entry(mean.map { "\(NumberText.fixed($0.ratio, 3)) (\($0.count))" } ?? "")
        }
    }
    let headings =
      [Table.Heading(text: "geometric mean of the ratios (rows)", title: "mean ratio", alignment: .left)]
      + metrics.enumerated().map { index, metric in
        Table.Heading(text: Prose(metric.name), title: metric.name, rank: index)
      }
    return [.table(Table(headings, rows: lines), label: "geometric means")]
  }

  var onOneSide: Section? { Section(id: "unmatched", title: "On one side only", [.list(unmatched)]) }

  var explanation: Section? {
    let tested = counted(rows.count { $0.pValue != nil }, "tested row")
    let (floor, memory, undecided) = method.particulars
    let lost = method == .interleaved ? "else 1 where the head lost a contestant for another reason, " : ""
    let lines: [Prose] = [
      """
      **Ratio** = median time in base ÷ median time in head (of a rate: the head's ÷ the base's; of memory: base ÷ \
      head). Above 1 the head is faster or smaller.
      """,
      """
      A threshold of t allows ratios from 1 − t to 1 / (1 − t), so that swapping base and head swaps the verdicts: 5 % \
      allows 0.950 to 1.053.
      """,
      """
      **regressed**, **improved**: all of these hold. The whole interval lies below 1 (regressed) or above 1 \
      (improved). p, after Holm's correction for all \(tested), is below \(NumberText.plain(VerdictRule.alpha)). The \
      change exceeds the row's threshold and the noise floor, \(floor).
      """,
      """
      **unchanged**: the whole interval lies within the threshold. **failed**: the head has no figure, because it \
      failed its correctness check. Otherwise **inconclusive**, with the condition that failed.
      """,
      "\(memory) A verdict in parentheses does not count.",
      """
      Exit code: 3 where a row regressed, else 4 where a check failed in head, \(lost)else 5 where \(undecided), else 0.
      """,
    ]
    let sides: [Prose] = ["Base: \(base.words).", "Head: \(head.words)."]
    return Section(id: "method", title: "How to read it", [.list(lines + notes + sides)])
  }
}

extension Comparison.Method {
  fileprivate var nouns: String { self == .stored ? "runs" : "builds" }

  /// What the noise floor is, how what has one value a process is judged, and what leaves a comparison undecided.
  fileprivate var particulars: (floor: String, memory: String, undecided: String) {
    switch self {
    case .stored:
      (
        "which is what the machine shows without any change of the program",
        """
        Peak memory is one value a process. Its threshold, at least 1 MiB, judges it, and its noise floor: what the peaks \
        of one build's processes differed by, \(NumberText.percent(RunFigures.usualMemoryUnrest)) where a record holds \
        fewer than \(Bootstrap.minimumCount).
        """,
        "a row is inconclusive or nothing could be compared"
      )
    case .interleaved:
      (
        "which is what the base showed against itself in this run",
        "Peak memory and load time are one value a process, so each block gives one pair.",
        "a row is inconclusive, the base lost a contestant during the run, or nothing could be compared"
      )
    }
  }
}

extension Comparison {
  /// For GitHub Actions: a notice with the verdict, an error for each row that regressed and each failed check, a
  /// warning for each undecided row and for what one side lacks. The worst come first: GitHub shows ten of a level for
  /// a step.
  public var gitHubAnnotations: [String] {
    let counting = rowsWorstFirst.filter(\.counts)
    let summary = WorkflowCommand(
      level: .notice, title: "Performance of two \(method.nouns)",
      message: "\(summary) Exit code \(exitCode).")
    let regressed = counting.filter { $0.verdict == .regressed }.map { $0.annotation(.error) }
    let failed = failures.map {
      WorkflowCommand(level: .error, title: "correctness check failed", message: $0.marked)
    }
    let undecided = counting.filter { $0.verdict == .inconclusive }.map { $0.annotation(.warning) }
    let unmatched = unmatched.map {
      WorkflowCommand(level: .warning, title: "not compared", message: $0.marked)
    }
    return ([summary] + regressed + failed + undecided + unmatched).map(\.line)
  }
}

extension ComparisonRow {
  var isUrgent: Bool { counts && [.regressed, .failed, .inconclusive].contains(verdict) }

  fileprivate func annotation(_ level: WorkflowCommand.Level) -> WorkflowCommand {
    let place = [contestant.label, test?.name, metric.name].compactMap { $0 }.joined(separator: ", ")
    let values = [base, head].map { $0.map { NumberText.significant($0) } ?? "no figure" }
    let interval = ratio?.interval.map { " (\($0.words()))" }
    let change = ratio.map { ", ratio \(NumberText.fixed($0.value, 3))\(interval ?? "")" } ?? ""
    let remark = reason.map { "; \($0.safeLine)" } ?? ""
    return WorkflowCommand(
      level: level, title: "\(place): \(verdict.rawValue)",
      message: "\(values.joined(separator: " → ")) \(unit)\(change)\(remark)")
  }
}

/// What GitHub Actions reads from a step's output and shows as an annotation: `::error title=packed, pp64::regressed`
/// (docs.github.com, "Workflow commands for GitHub Actions").
struct WorkflowCommand: Sendable, Equatable {
  enum Level: String, Sendable { case error, warning, notice }

  let level: Level
  let title: String
  let message: String

  var line: String { "::\(level.rawValue) title=\(Self.escapedProperty(title))::\(Self.escaped(message))" }

  private static func escaped(_ text: String) -> String {
    // A carriage return and the line feed after it are one Character.
    text.safeLines.unicodeScalars.map { scalar in
      switch scalar {
      case "%": "%25"
      case "\r": "%0D"
      case "\n": "%0A"
      default: String(scalar)
      }
    }.joined()
  }

  private static func escapedProperty(_ text: String) -> String {
    escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}
