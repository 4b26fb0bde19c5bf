import Record

extension PageContext {
  /// More cards would push everything else away; the ladders hold every test.
  private static let cardLimit = 4

  /// The first screen: the answer, what it rests on, and what speaks against it.
  func opening(_ headlines: [Headline]) -> Markup {
    .element(
      "header", [:],
      [
        .element("h1", text: report.title.plain),
        .element("p", ["class": "answer"], [.prose(answer(headlines))]),
        .element("div", ["class": "cards"], headlines.prefix(Self.cardLimit).map(card)),
      ] + notices + [facts])
  }

  /// In a sentence for each variant that is fastest on some test.
  private func answer(_ headlines: [Headline]) -> Prose {
    guard !headlines.isEmpty else { return report.profiledAnswer ?? "No variant has a figure." }
    let winners = headlines.map(\.first.cell.variant).uniqued()
    let sentences = winners.map { winner -> Prose in
      let own = headlines.filter { $0.first.cell.variant == winner }
      guard own.count <= 2 else {
        let open = own.count { !$0.isDecided }
        let rest = open == 0 ? "" : " and ahead, but not for certain, on \(open)"
        return
          "`\(winner)` is fastest on \(own.count - open) of \(headlines.count) tests\(rest)\(Self.range(own))."
      }
      let clauses = own.enumerated().map { place, headline -> Prose in
        let oracle: Prose = place == 0 ? " as `\(RunFigures.oracle)`" : ""
        let factor = headline.againstNaive.map { figure -> Prose in
          ", \(NumberText.supported(figure, 3)) times as fast\(oracle)"
        }
        return "\(headline.speed) \(headline.stage)\(factor ?? "")"
      }
      let verb = own.allSatisfy(\.isDecided) ? "is fastest" : "is ahead, but not for certain"
      return "`\(winner)` \(verb): \(clauses.joined(separator: ", and "))."
    }
    return sentences.joined(separator: " ")
  }

  /// `, 60.1 to 90.4 times as fast as naive`; empty for naive itself and where it was not measured.
  private static func range(_ headlines: [Headline]) -> Prose {
    let factors = headlines.compactMap { $0.againstNaive?.value }
    guard let least = factors.min(), let most = factors.max() else { return "" }
    let ends = [least, most].map { NumberText.significant($0, 3) }.uniqued().joined(separator: " to ")
    return ", \(ends) times as fast as `\(RunFigures.oracle)`"
  }

  private func card(_ headline: Headline) -> Markup {
    let test = headline.test
    let stage = test.training == nil ? test.stage?.rawValue.capitalized : "Training"
    let title = stage.map { "\($0): \(test.words), " } ?? ""
    return .element(
      "article", ["class": "card"],
      [
        .element("h2", [:], [.text(title), .element("code", text: test.name)]),
        .element("p", ["class": "who"], text: name(of: headline.first.contestant)),
        .element(
          "p", ["class": "speed"],
          [
            .prose(headline.ladder.column.display(headline.first)), .text(" "),
            .element("small", text: headline.ladder.unit),
          ]),
      ] + headline.sentences.map { .element("p", [:], [.prose($0)]) })
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
