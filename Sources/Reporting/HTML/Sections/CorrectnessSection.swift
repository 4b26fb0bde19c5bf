extension PageSection {
  /// The verdict, and every check behind it: open where one failed.
  static func correctness(_ context: PageContext) -> PageSection? {
    let blocks = MarkdownBlock.blocks(of: MarkdownReport.correctness(context.run)).dropFirst()
    let entries = context.record.correctness
    guard !entries.isEmpty else {
      return PageSection(id: "correctness", title: "Correctness", [.markdown(Array(blocks))])
    }
    let failed = entries.contains { !$0.passed }
    return PageSection(
      id: "correctness", title: "Correctness",
      [
        .element(
          "p", ["class": failed ? "fail" : "good"], [.inline(MarkdownReport.verdict(context.run))]),
        .details(
          "\(counted(entries.count, "check")), each variant against each reference",
          [.markdown(Array(blocks))], isOpen: failed),
      ])
  }
}
