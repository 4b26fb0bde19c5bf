extension Comparison {
  /// How to read the report: the rule, then how this comparison was made.
  var explanation: String {
    let alpha = NumberText.plain(VerdictRule.alpha)
    let lost = method == .interleaved ? "else 1 where the head lost a contestant otherwise, " : ""
    let (floor, memory, undecided) =
      switch method {
      case .stored:
        (
          "what the machine shows without any change of the program",
          "Peak memory is one value a process, and the threshold alone judges it, at the least 1 MiB. ",
          "a row is inconclusive or nothing could be compared"
        )
      case .interleaved:
        (
          "what base against base showed in this run",
          "Peak memory and load time are one value a process, so one pair a block. ",
          "a row is inconclusive, the base lost a contestant on the way or nothing could be compared"
        )
      }
    let lines = [
      "**Ratio** = median time in base ÷ median time in head (of a rate: the head's ÷ the base's; of memory: base ÷ head). Above 1 the head is faster or smaller.",
      "A change of t leaves 1 − t to 1 / (1 − t), so that swapping base and head swaps the verdicts: 5 % leaves 0.950 to 1.053.",
      "**regressed**, **improved**: all of these hold. The whole interval lies on that side of 1; p after Holm's correction for all \(counted(testedCount, "tested row")) is below \(alpha); the change exceeds the row's threshold and the noise floor, \(floor).",
      "**unchanged**: the whole interval lies within the threshold. **failed**: the head has no figure, because it failed its correctness check. Otherwise **inconclusive**, with the condition that failed.",
      memory + "A verdict in parentheses does not count.",
      "Exit code: 3 where a row regressed, else 4 where a check failed in head, \(lost)else 5 where \(undecided), else 0.",
    ]
    let sides = ["Base: \(base.words).", "Head: \(head.words)."]
    return "## How to read it\n\n" + MarkdownReport.list(lines + notes + sides)
  }

  private var testedCount: Int { rows.count { $0.pValue != nil } }
}
