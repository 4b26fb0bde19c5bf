/// The first screen: the answer, what it rests on, and what speaks against it.
struct Opening {
  let context: PageContext
  let headlines: [Headline]

  init(_ context: PageContext) {
    self.context = context
    headlines = Headline.all(context)
  }

  var markup: Markup {
    .element(
      "header", [:],
      [
        .element("h1", text: MarkdownReport.title(context.record)),
        .element("p", ["class": "answer"], [.inline(sentence)]),
        limits.isEmpty ? .nothing : .element("p", ["class": "lead"], [.inline(limits)]),
        .element("div", ["class": "cards"], headlines.prefix(Self.cardLimit).map(card)),
      ] + notices + [facts])
  }

  /// More cards would push everything else away; the ladders hold every test.
  private static let cardLimit = 4

  /// Who is fastest, and by how much.
  var sentence: String {
    guard !headlines.isEmpty else {
      return MarkdownReport.profiledAnswer(context.record) ?? "No variant has a figure."
    }
    let winners = headlines.map(\.first.cell.variant).uniqued()
    let sentences = winners.map { winner -> String in
      let own = headlines.filter { $0.first.cell.variant == winner }
      let verb = own.allSatisfy(\.isDecided) ? "is fastest" : "is ahead, not beyond doubt"
      guard own.count <= 2 else {
        let open = own.count { !$0.isDecided }
        let rest = open == 0 ? "" : " and ahead, not beyond doubt, on \(open)"
        return "`\(winner)` is fastest on \(own.count - open) of \(headlines.count) tests\(rest)"
          + "\(Self.range(own))."
      }
      let clauses = own.map { headline in
        [headline.speed + " " + headline.stage, headline.againstNaive].compactMap { $0 }
          .joined(separator: ", ")
      }
      return "`\(winner)` \(verb): \(clauses.joined(separator: "; "))."
    }
    return sentences.joined(separator: " ")
  }

  /// `, 60.1× to 90.4× naive`; empty for naive itself and where it was not measured.
  private static func range(_ headlines: [Headline]) -> String {
    let factors = headlines.filter { $0.againstNaive != nil }.compactMap(\.first.speedAgainstNaive?.value)
    guard let least = factors.min(), let most = factors.max() else { return "" }
    return ", \(NumberText.factor(least)) to \(NumberText.factor(most)) \(RunFigures.oracle)"
  }

  /// What keeps the fastest from being faster.
  private var limits: String {
    guard headlines.count <= 2 else { return "" }
    let parts = headlines.compactMap(\.limit)
    return parts.isEmpty ? "" : "What limits it: \(parts.joined(separator: "; "))."
  }

  private func card(_ headline: Headline) -> Markup {
    let row = headline.first
    let test = headline.test
    let heading = (test.isDecode ? "Decode, " : test.isPrefill ? "Prefill, " : "") + test.name
    let lines: [(String, String?)] = [
      ("next", headline.next.map { next(headline, $0) }),
      ("naive", headline.againstNaive.map { _ in "\(Column.speedAgainstNaive.display(row)) as fast" }),
      ("limit", limit(row)),
      ("most time", headline.largestPhase),
      ("latency", latency(row)),
    ]
    return .element(
      "article", ["class": "card"],
      [
        .element("h2", text: heading),
        .element("p", ["class": "who"], text: context.name(of: row.contestant)),
        .element(
          "p", ["class": "speed"],
          [
            .text(headline.ladder.column.display(row)), .text(" "),
            .element("small", text: headline.ladder.column.unit),
          ]),
        .element(
          "dl", [:],
          lines.flatMap { name, value in
            value.map { [.element("dt", text: name), .element("dd", text: $0)] } ?? [Markup]()
          }),
      ])
  }

  private func next(_ headline: Headline, _ next: Row) -> String {
    guard let ratio = headline.againstNext else { return context.name(of: next.contestant) }
    let range = ratio.interval.map {
      " (95 %: \(NumberText.significant($0.lower, 3)) to \(NumberText.significant($0.upper, 3)))"
    }
    let doubt = headline.isDecided ? "" : "; this run does not settle which is faster"
    return
      "\(NumberText.factor(ratio.value)) as fast as \(context.name(of: next.contestant))\(range ?? "")\(doubt)"
  }

  private func limit(_ row: Row) -> String? {
    guard let percent = row.figures.rooflinePercent, let roof = row.figures.roof, percent > 0 else {
      return nil
    }
    let rest =
      percent < 100
      ? "; the roof is \(NumberText.factor(100 / percent)) away" : "; as fast as the measured ceiling"
    return "\(roof.words): \(NumberText.significant(percent, 3)) % of the roofline\(rest)"
  }

  private func latency(_ row: Row) -> String? {
    let columns: [Column] = [.timeToFirstToken, .timePerOutputToken, .interTokenLatency]
    let parts = columns.compactMap { column -> String? in
      let text = column.display(row)
      return text.isEmpty ? nil : "\(column.title) \(text) \(column.unit)"
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private var notices: [Markup] {
    let failed = context.run.variants.contains { context.run.failure(of: $0) != nil }
    let warnings = RunRemarks.warnings(context.record).map { "**Warning:** \($0)" }
    let found = context.validity.findings.map { finding in
      "**\(finding.severity == .warning ? "Warning" : "Note"), \(finding.check):** \(finding.text)."
    }
    let missing = RunRemarks.withoutFigures(context.run)
    return [
      failed ? Self.notice([MarkdownReport.verdict(context.run)] + missing, class: "notice bad") : .nothing,
      failed ? .nothing : Self.notice(missing, class: "notice"),
      Self.notice(warnings + found, class: "notice"),
    ]
  }

  private static func notice(_ lines: [String], class style: String) -> Markup {
    lines.isEmpty
      ? .nothing
      : .element("div", ["class": style], lines.map { .element("p", [:], [.inline($0)]) })
  }

  private var facts: Markup {
    let record = context.record
    let shape = record.model.map {
      "\($0.layers) layers, \($0.channels) channels, "
        + "\(NumberText.significant(Double($0.weightBytes) / 1_048_576, 3)) MiB of weights"
    }
    let isQuiet = context.validity.findings.isEmpty && record.conditions != nil
    let pairs: [(String, String?)] = [
      ("Correctness", MarkdownReport.verdict(context.run)),
      ("Conditions", isQuiet ? "nothing found that speaks against these figures" : nil),
      ("Model", shape),
      ("Machine", "\(counted(record.machine.logicalCores, "logical core")), \(record.machine.system)"),
      ("Build", "\(record.build.version) \(record.build.configuration), \(record.build.cpuFlag)"),
      ("Started", record.started),
    ]
    return .element(
      "ul", ["class": "facts"],
      pairs.compactMap { name, value in
        value.flatMap { text in
          text.isEmpty
            ? nil : .element("li", [:], [.element("b", text: name), .text(" "), .inline(text)])
        }
      })
  }
}
