import Record

/// The short answer on one test: who is fastest, by how much, and what keeps it from being faster.
struct Headline {
  let test: Test
  let ladder: Ladder
  let first: RunRow
  /// The fastest of another variant; of the same one with other threads where there is no other variant.
  let next: RunRow?
  /// The next one's median time ÷ the first's.
  let againstNext: Figure?
  let profile: ProfileFigures?

  /// Of the tests that a page opens with.
  static func all(_ context: PageContext) -> [Headline] {
    context.run.headlines.compactMap { Headline(context, test: $0) }
  }

  private init?(_ context: PageContext, test: Test) {
    self.test = test
    ladder = Ladder(context.run, test: test)
    let rows = ladder.rungs.map(\.row)
    guard let first = rows.first else { return nil }
    self.first = first
    next = rows.first { $0.cell.variant != first.cell.variant } ?? rows.dropFirst().first
    againstNext = next.flatMap {
      Figure(medianOf: $0.cell.primaryDurations, overMedianOf: first.cell.primaryDurations)
    }
    profile = context.profile(of: first.contestant, nearest: test)
  }

  /// False where chance alone might have put it before the next one; true where there is no other.
  var isDecided: Bool { againstNext.map { $0.interval.map { $0.lower > 1 } ?? false } ?? true }
  /// `at decode`, `on 64x768x3072`
  var stage: String { test.stage.map { "at \($0.rawValue)" } ?? "on \(test.name)" }

  var speed: String {
    [ladder.column.magnitude(first).map { NumberText.significant($0) } ?? "", ladder.unit]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// `memory (DRAM) at decode, 94 % of that limit reached`
  var limit: String? {
    guard let percent = first.figures.rooflinePercent, let roof = first.figures.roof else { return nil }
    return "\(roof.words) \(stage), \(NumberText.significant(percent, 2)) % of that limit reached"
  }

  /// `71.9× naive`
  var againstNaive: String? {
    guard first.cell.variant != RunFigures.oracle else { return nil }
    return first.speedAgainstNaive.map { "\(NumberText.factor($0.value)) \(RunFigures.oracle)" }
  }

  /// The phase that takes most of a pass, with its share, and the time of a whole token.
  var largestPhase: String? {
    guard let profile else { return nil }
    let parts =
      profile.phases.map { (name: $0.phase.title, nanoseconds: $0.work.nanoseconds) }
      + [(name: "waiting for the pool's other threads", nanoseconds: profile.waitNanoseconds)]
    guard let most = parts.max(by: { $0.nanoseconds < $1.nanoseconds }), most.nanoseconds > 0 else {
      return nil
    }
    let place = profile.profile.stage == .decode ? "after \(profile.profile.tokens) tokens" : "of the prompt"
    return "\(most.name), \(NumberText.percent(profile.share(most.nanoseconds))) of "
      + "\(NumberText.significant(profile.millisecondsPerToken, 3)) ms a token \(place)"
  }
}

extension PageContext {
  /// More cards would push everything else away; the ladders hold every test.
  private static let cardLimit = 4

  /// The first screen: the answer, what it rests on, and what speaks against it.
  func opening(_ headlines: [Headline]) -> Markup {
    let parts = headlines.count <= 2 ? headlines.compactMap(\.limit) : []
    let limits: Prose = "What limits it: \(parts.joined(separator: "; "))."
    return .element(
      "header", [:],
      [
        .element("h1", text: report.title.plain),
        .element("p", ["class": "answer"], [.prose(answer(headlines))]),
        parts.isEmpty ? .nothing : .element("p", ["class": "lead"], [.prose(limits)]),
        .element("div", ["class": "cards"], headlines.prefix(Self.cardLimit).map(card)),
      ] + notices + [facts])
  }

  private func answer(_ headlines: [Headline]) -> Prose {
    guard !headlines.isEmpty else { return report.profiledAnswer ?? "No variant has a figure." }
    let winners = headlines.map(\.first.cell.variant).uniqued()
    let sentences = winners.map { winner -> Prose in
      let own = headlines.filter { $0.first.cell.variant == winner }
      let verb = own.allSatisfy(\.isDecided) ? "is fastest" : "is ahead, but not for certain"
      guard own.count <= 2 else {
        let open = own.count { !$0.isDecided }
        let rest = open == 0 ? "" : " and ahead, but not for certain, on \(open)"
        return
          "`\(winner)` is fastest on \(own.count - open) of \(headlines.count) tests\(rest)\(Self.range(own))."
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

  private func card(_ headline: Headline) -> Markup {
    let row = headline.first
    let test = headline.test
    let heading = (test.stage.map { $0.rawValue.capitalized + ", " } ?? "") + test.name
    let lines: [(String, String?)] = [
      ("next", headline.next.map { next(headline, $0) }),
      (
        "naive",
        headline.againstNaive.map { _ in "\(Column<RunRow>.speedAgainstNaive.display(row).plain) as fast" }
      ),
      ("limit", limit(row)), ("most time", headline.largestPhase), ("latency", latency(row)),
    ]
    return .element(
      "article", ["class": "card"],
      [
        .element("h2", text: heading),
        .element("p", ["class": "who"], text: name(of: row.contestant)),
        .element(
          "p", ["class": "speed"],
          [
            .prose(headline.ladder.column.display(row)), .text(" "),
            .element("small", text: headline.ladder.unit),
          ]),
        .element(
          "dl", [:],
          lines.flatMap { name, value in
            value.map { [.element("dt", text: name), .element("dd", text: $0)] } ?? [Markup]()
          }),
      ])
  }

  private func next(_ headline: Headline, _ next: RunRow) -> String {
    let name = name(of: next.contestant)
    guard let ratio = headline.againstNext else { return name }
    let range = ratio.interval.map { " (95 %: \($0.words { NumberText.significant($0, 3) }))" } ?? ""
    let doubt = headline.isDecided ? "" : "; this run does not settle which is faster"
    return "\(NumberText.factor(ratio.value)) as fast as \(name)\(range)\(doubt)"
  }

  private func limit(_ row: RunRow) -> String? {
    guard let percent = row.figures.rooflinePercent, let roof = row.figures.roof, percent > 0
    else { return nil }
    let rest =
      percent < 100
      ? "; the roof allows \(NumberText.factor(100 / percent)) that speed"
      : "; as fast as the measured ceiling"
    return "\(roof.words): \(NumberText.significant(percent, 3)) % of the roofline\(rest)"
  }

  private func latency(_ row: RunRow) -> String? {
    let columns: [Column<RunRow>] = [
      .metric(.timeToFirstToken), .metric(.timePerOutputToken), .interTokenLatency,
    ]
    let parts = columns.compactMap { column -> String? in
      let text = column.display(row).plain
      return text.isEmpty ? nil : "\(column.heading.title) \(text) \(column.heading.unit)"
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private var notices: [Markup] {
    func notice(_ lines: [Prose], class style: String = "notice") -> Markup {
      lines.isEmpty
        ? .nothing : .element("div", ["class": style], lines.map { .element("p", [:], [.prose($0)]) })
    }
    let failed = run.variants.contains { run.failure(of: $0) != nil }
    let warnings = run.warnings.map { "**Warning:** \($0)" as Prose }
    let found = validity.findings.map { finding -> Prose in
      "**\(finding.severity == .warning ? "Warning" : "Note"), \(finding.check):** \(finding.text)."
    }
    let missing = run.withoutFigures
    return [
      failed ? notice([report.verdict] + missing, class: "notice bad") : notice(missing),
      notice(warnings + found),
    ]
  }

  private var facts: Markup {
    let shape: Prose? = record.model.map {
      "\($0.layers) layers, \($0.channels) channels, \(mebibytes($0.weightBytes, 3)) of weights"
    }
    let isQuiet = validity.findings.isEmpty && record.conditions != nil
    let pairs: [(String, Prose?)] = [
      ("Correctness", report.verdict),
      ("Conditions", isQuiet ? "nothing found that speaks against these figures" : nil),
      ("Model", shape),
      ("Machine", "\(counted(record.machine.logicalCores, "logical core")), \(record.machine.system)"),
      ("Build", "\(record.build.version) \(record.build.configuration), \(record.build.cpuFlag)"),
      ("Started", Prose(record.started)),
    ]
    return .element(
      "ul", ["class": "facts"],
      pairs.compactMap { name, value in
        value.flatMap { text in
          text.isEmpty ? nil : .element("li", [:], [.element("b", text: name), .text(" "), .prose(text)])
        }
      })
  }
}
