import Record

/// Profiles of the same stage and length: what can stand side by side.
struct ProfileGroupOfRuns {
  let stage: Profile.Stage
  let tokens: Int
  /// Fastest first.
  let profiles: [ProfileFigures]

  /// Decode first, shorter before longer.
  static func all(_ profiles: [ProfileFigures]) -> [ProfileGroupOfRuns] {
    let keys = profiles.map { Key(stage: $0.profile.stage, tokens: $0.profile.tokens) }.uniqued()
    let sorted = keys.sorted {
      ($0.stage == .decode ? 0 : 1, $0.tokens) < ($1.stage == .decode ? 0 : 1, $1.tokens)
    }
    return sorted.map { key in
      ProfileGroupOfRuns(
        stage: key.stage, tokens: key.tokens,
        profiles: profiles.filter { $0.profile.stage == key.stage && $0.profile.tokens == key.tokens }
          .sorted { $0.wallNanoseconds < $1.wallNanoseconds })
    }
  }

  private struct Key: Hashable {
    let stage: Profile.Stage
    let tokens: Int
  }

  /// `decode behind 16 tokens`, `prefill of 64 tokens`
  var words: String {
    switch stage {
    case .decode: "decode behind \(counted(tokens, "token"))"
    case .prefill: "prefill of \(counted(tokens, "token"))"
    }
  }

  /// `decode-16`
  var id: String { "\(stage.rawValue)-\(tokens)" }
}

extension PageSection {
  /// Where the time of a token goes: shares, the same in milliseconds, and the figures.
  static func phases(_ context: PageContext) -> PageSection? {
    let groups = ProfileGroupOfRuns.all(context.profiles)
    guard !groups.isEmpty else {
      guard context.record.kind == .endToEnd else { return nil }
      return PageSection(
        id: "phases", title: "Where the time goes",
        [.note("This record holds no profile, so it does not say which operations take the time.")])
    }
    let note =
      "Each bar is one pass, cut into the phases that it spends its time in, as the thread that drives it sees them. "
      + "Hatched: it waits for the pool's other threads. Blank: what no phase explains. "
      + ProfilePhase.fusion
    return PageSection(
      id: "phases", title: "Where the time goes",
      [.note(note)] + groups.flatMap { [.charts(charts($0, context)), table($0, context)] })
  }

  /// In the second chart bars share a scale; slower ones than this would leave the others no length.
  private static let scaleSpan = 12.0

  private static func charts(_ group: ProfileGroupOfRuns, _ context: PageContext) -> [Markup] {
    let shares = StackedBars(
      stacks: group.profiles.map { stack($0, context) { 100 * $0 } }, axisTitle: "% of the time",
      groups: legend(group.profiles))
    let fastest = group.profiles.first?.wallNanoseconds ?? 0
    let shown = group.profiles.filter { $0.wallNanoseconds <= scaleSpan * fastest }
    let times = StackedBars(
      stacks: shown.map { profile in
        stack(profile, context) { $0 * profile.millisecondsPerToken }
      }, axisTitle: "ms per token", groups: legend(shown))
    let left = group.profiles.dropFirst(shown.count).map { context.name(of: $0.contestant) }
    let shareChart = shares.chart(
      id: "phases-\(group.id)-share", title: "Share of the time by phase, \(group.words)",
      description: "Stacked bars, fastest variant first. "
        + group.profiles.map { sentence($0, context) }.joined(separator: " "))
    let timeChart = times.chart(
      id: "phases-\(group.id)-time", title: "Time per token by phase, \(group.words)",
      description: "Stacked bars on one scale: "
        + shown.map {
          "\(context.name(of: $0.contestant)) \(NumberText.significant($0.millisecondsPerToken)) ms"
        }.joined(separator: "; ") + ".")
    return [.figure(shareChart, caption: "Shares, \(group.words)")]
      + (shown.count > 1
        ? [
          .figure(
            timeChart, caption: "Milliseconds per token, \(group.words)",
            note: left.isEmpty
              ? "" : "Over \(Int(scaleSpan)) times as slow, left out here: \(left.joined(separator: "; ")).")
        ] : [])
  }

  private static func sentence(_ profile: ProfileFigures, _ context: PageContext) -> String {
    let most = parts(profile).sorted { $0.nanoseconds > $1.nanoseconds }.prefix(3).map {
      "\($0.name) \(Validity.percent(profile.share($0.nanoseconds)))"
    }
    return "\(context.name(of: profile.contestant)): \(most.joined(separator: ", "))."
  }

  private typealias TimedPart = (name: String, nanoseconds: Double, look: StackedBars.Look)

  /// By group, within a group in the order of a pass; then the wait, then what is left.
  private static func parts(_ profile: ProfileFigures) -> [TimedPart] {
    let phases = ProfileGroup.allCases.flatMap { group in
      profile.phases.filter { $0.phase.group == group }.map { phase -> TimedPart in
        (phase.phase.title, phase.nanoseconds, group.look)
      }
    }
    return phases + [
      ("pool wait", profile.waitNanoseconds, .hatched),
      ("unexplained", max(profile.unexplainedNanoseconds, 0), .blank),
    ]
  }

  private static func stack(
    _ profile: ProfileFigures, _ context: PageContext, _ length: (Double) -> Double
  ) -> StackedBars.Stack {
    StackedBars.Stack(
      name: context.name(of: profile.contestant),
      parts: parts(profile).map { part in
        StackedBars.Part(
          name: part.name, value: length(profile.share(part.nanoseconds)),
          figure:
            "\(time(part.nanoseconds, profile)) ms, \(Validity.percent(profile.share(part.nanoseconds)))",
          look: part.look)
      }, figure: "\(NumberText.significant(profile.millisecondsPerToken)) ms a token")
  }

  private static func legend(_ profiles: [ProfileFigures]) -> [(name: String, look: StackedBars.Look)] {
    let present = Set(profiles.flatMap { $0.phases.map(\.phase.group) })
    return ProfileGroup.allCases.filter(present.contains).map { ($0.rawValue, $0.look) }
      + [("pool wait", .hatched), ("unexplained", .blank)]
  }

  private static func time(_ nanoseconds: Double, _ profile: ProfileFigures) -> String {
    NumberText.significant(nanoseconds / profile.tokensOfPass / 1e6, 3)
  }

  /// A row a phase, a column a contestant: milliseconds per token and the share.
  private static func table(_ group: ProfileGroupOfRuns, _ context: PageContext) -> Markup {
    var table = MarkdownTable(
      [("ms per token, share", .left)]
        + group.profiles.map { (context.name(of: $0.contestant), MarkdownTable.Alignment.right) })
    let phases = ProfileGroup.allCases.flatMap { kind in
      group.profiles.flatMap(\.phases).map(\.phase).uniqued().filter { $0.group == kind }
    }
    func entry(_ nanoseconds: Double?, _ profile: ProfileFigures) -> String {
      nanoseconds.map { "\(time($0, profile)), \(Validity.percent(profile.share($0)))" } ?? ""
    }
    func row(_ name: String, _ value: (ProfileFigures) -> Double?) -> [String] {
      [name] + group.profiles.map { entry(value($0), $0) }
    }
    table.rows =
      phases.map { phase in
        row(phase.title) { profile in profile.phases.first { $0.phase == phase }?.nanoseconds }
      } + [
        row("pool wait", \.waitNanoseconds), row("unexplained", \.unexplainedNanoseconds),
        ["**whole**"] + group.profiles.map { "**\(time($0.wallNanoseconds, $0))**" },
        row("least the ceilings allow", \.leastNanoseconds),
        ["cost of the probes"]
          + group.profiles.map { profile in
            profile.overhead.map { Validity.signed($0.value) } ?? ""
          },
        ["passes kept of all"]
          + group.profiles.map { "\($0.profile.keptPasses)/\($0.profile.passNanoseconds.count)" },
      ]
    table.rows = table.rows.filter { row in row.dropFirst().contains { !$0.isEmpty } }
    return .details(
      "The figures as a table, \(group.words)", [.scrolling(table, label: "phases, \(group.words)")])
  }
}

extension ProfileGroup {
  /// The same in every chart.
  fileprivate var look: StackedBars.Look {
    switch self {
    case .attention: .series(0)
    case .mlp: .series(1)
    case .logits: .series(2)
    case .layerNorm: .series(3)
    case .embedding: .series(4)
    case .sampling: .series(6)
    case .other: .series(7)
    }
  }
}
