import Record

extension PageContext {
  var phases: Section? {
    guard !stages.isEmpty || record.kind == .endToEnd else { return nil }
    let note: Prose =
      stages.isEmpty
      ? "This record holds no profile, so it does not say which operations take the time."
      : """
      Each bar is one pass, cut into phases as the thread that drives the pass sees them. Hatched: that thread waits \
      for the pool's other threads. Blank: time that no phase explains. \(ProfilePhase.fusion)
      """
    return Section(
      id: "phases", title: "Where the time goes",
      [.note(note)] + doubts + stages.flatMap { [.charts(phaseCharts($0)), phaseTable($0)] })
  }

  /// What speaks against profiles: in full where it is about a few of them, else folded after a sentence.
  private var doubts: [Block] {
    let found = profiles.compactMap { $0.doubt(run) }.map(Block.note)
    guard found.count > 3 else { return found }
    return [
      .note(
        """
        \(found.count) of \(profiles.count) profiles reach more than a roof allows, or differ by more than 10 % from \
        what was measured in the rounds.
        """
      ),
      .details("What speaks against each of them", found),
    ]
  }

  /// In the second chart bars share a scale; slower ones than this would leave the others no length.
  static let scaleSpan = 12.0

  private func phaseCharts(_ group: ProfiledStage) -> [Figured] {
    let shares = StackedBars(
      stacks: group.profiles.map { profile in
        Self.stack(of: profile, named: name(of: profile.contestant)) { 100 * $0 }
      }, axisTitle: "% of the time",
      groups: Self.legend(group.profiles))
    let fastest = group.profiles.first?.wallNanoseconds ?? 0
    let shown = group.profiles.filter { $0.wallNanoseconds <= Self.scaleSpan * fastest }
    let times = StackedBars(
      stacks: shown.map { profile in
        Self.stack(of: profile, named: name(of: profile.contestant)) { $0 * profile.millisecondsPerToken }
      },
      axisTitle: "ms per token", groups: Self.legend(shown))
    let left = group.profiles.dropFirst(shown.count).map { name(of: $0.contestant) }
    let shareChart = shares.chart(
      id: "phases-\(group.id)-share", title: "Share of the time by phase, \(group.words)",
      description: "Stacked bars, fastest variant first. "
        + group.profiles.map { sentence($0) }.joined(separator: " "))
    let timeChart = times.chart(
      id: "phases-\(group.id)-time", title: "Time per token by phase, \(group.words)",
      description: "Stacked bars on one scale: "
        + shown.map { "\(name(of: $0.contestant)) \(NumberText.significant($0.millisecondsPerToken)) ms" }
        .joined(separator: "; ") + ".")
    return [Figured(chart: shareChart, caption: "Shares, \(group.words)")]
      + (shown.count > 1
        ? [
          Figured(
            chart: timeChart, caption: "Milliseconds per token, \(group.words)",
            note: left.isEmpty
              ? ""
              : "Over \(Int(Self.scaleSpan)) times as slow as the fastest, so left out here: "
                + "\(left.joined(separator: "; ")).")
        ] : [])
  }

  private func sentence(_ profile: ProfileFigures) -> String {
    let most = Self.parts(profile).sorted { $0.nanoseconds > $1.nanoseconds }.prefix(3).map {
      "\($0.name) \(NumberText.percent(profile.share($0.nanoseconds)))"
    }
    return "\(name(of: profile.contestant)): \(most.joined(separator: ", "))."
  }

  private typealias TimedPart = (name: String, nanoseconds: Double, look: StackedBars.Look)

  /// By group, within a group in the order of a pass; then the wait, then what is left.
  private static func parts(_ profile: ProfileFigures) -> [TimedPart] {
    let phases = ProfileGroup.allCases.flatMap { group in
      profile.phases.filter { $0.phase.group == group }.map { phase -> TimedPart in
        (phase.phase.title, phase.work.nanoseconds, group.look)
      }
    }
    return phases + [
      ("pool wait", profile.waitNanoseconds, .hatched),
      ("unexplained", max(profile.unexplainedNanoseconds, 0), .blank),
    ]
  }

  /// - Parameter length: of a part in the bar, by its share of the pass.
  static func stack(
    of profile: ProfileFigures, named name: String, _ length: (Double) -> Double
  ) -> StackedBars.Stack {
    StackedBars.Stack(
      name: name,
      parts: parts(profile).map { part in
        StackedBars.Part(
          name: part.name, value: length(profile.share(part.nanoseconds)),
          figure:
            "\(time(part.nanoseconds, profile)) ms, \(NumberText.percent(profile.share(part.nanoseconds)))",
          look: part.look)
      }, figure: "\(NumberText.significant(profile.millisecondsPerToken)) ms a token")
  }

  static func legend(_ profiles: [ProfileFigures]) -> [(name: String, look: StackedBars.Look)] {
    let present = Set(profiles.flatMap { $0.phases.map(\.phase.group) })
    return ProfileGroup.allCases.filter(present.contains).map { ($0.rawValue, $0.look) }
      + [("pool wait", .hatched), ("unexplained", .blank)]
  }

  private static func time(_ nanoseconds: Double, _ profile: ProfileFigures) -> String {
    NumberText.significant(nanoseconds / Double(profile.profile.tokensPerPass) / 1e6, 3)
  }

  /// A row a phase, a column a contestant: milliseconds per token and the share.
  private func phaseTable(_ group: ProfiledStage) -> Block {
    let phases = ProfileGroup.allCases.flatMap { kind in
      group.profiles.flatMap(\.phases).map(\.phase).uniqued().filter { $0.group == kind }
    }
    func row(_ name: Prose, _ text: (ProfileFigures) -> Prose?) -> [Table.Entry] {
      [.init(name)] + group.profiles.map { .init(text($0) ?? "") }
    }
    func timed(_ name: String, _ value: (ProfileFigures) -> Double?) -> [Table.Entry] {
      row(Prose(name)) { profile in
        value(profile).map { "\(Self.time($0, profile)), \(NumberText.percent(profile.share($0)))" }
      }
    }
    let rows =
      phases.map { phase in
        timed(phase.title) { profile in profile.phases.first { $0.phase == phase }?.work.nanoseconds }
      } + [
        timed("pool wait", \.waitNanoseconds), timed("unexplained", \.unexplainedNanoseconds),
        row("**whole**") { "**\(Self.time($0.wallNanoseconds, $0))**" },
        timed("least the ceilings allow", \.leastNanoseconds),
        row("cost of the probes") { $0.overhead.map { Prose(NumberText.signedPercent($0.value)) } },
        row("passes kept of all") { "\($0.profile.keptPasses)/\($0.profile.passNanoseconds.count)" },
      ]
    let table = Table(
      [.init("ms per token, share", .left)] + group.profiles.map { .init(Prose(name(of: $0.contestant))) },
      rows: rows.filter { row in row.dropFirst().contains { !$0.isEmpty } })
    return .details(
      "The figures as a table, \(group.words)", [.table(table, label: "phases, \(group.words)")])
  }
}

extension ProfileGroup {
  fileprivate var look: StackedBars.Look {
    switch self {
    case .attention: .phase(0)
    case .mlp: .phase(1)
    case .logits: .phase(2)
    case .layerNorm: .phase(3)
    case .embedding: .phase(4)
    case .sampling: .phase(5)
    // A step samples nothing, and embedding takes next to nothing of it.
    case .backward: .phase(5)
    case .optimizer: .phase(4)
    case .other: .phase(6)
    }
  }
}
