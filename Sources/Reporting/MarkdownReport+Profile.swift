import Record

extension MarkdownReport {
  /// Time by phase of every contestant that was profiled; empty where none was.
  static func profiles(_ run: RunFigures) -> String {
    let all = (run.record.profiles ?? []).map { profile in
      ProfileFigures(profile, ceiling: profile.ceiling(among: run.record.ceilings))
    }
    let tests = all.map { Profiled($0.profile) }.uniqued()
    let ordered = tests.filter { $0.stage == .decode } + tests.filter { $0.stage == .prefill }
    let parts = ordered.flatMap { test in
      profiles(test, all.filter { Profiled($0.profile) == test })
    }
    let file = run.record.isProfileAlone ? "`--format csv`" : "`profile.csv`"
    let note = "\(profileNote) \(ProfilePhase.fusion) Each layer, with rates and rooflines, is in \(file)."
    return section("Where the time goes", parts.isEmpty ? [] : parts + [note])
  }

  /// What a record says that holds profiles and no cells: a sentence or two a stage. Nil for any other record.
  static func profiledAnswer(_ record: Record) -> String? {
    guard record.isProfileAlone, let profiles = record.profiles else { return nil }
    return profiles.sorted { $0.stage == .decode && $1.stage != .decode }.map { profile in
      let figures = ProfileFigures(profile, ceiling: profile.ceiling(among: record.ceilings))
      let subject = "\(profile.contestant.markdown), \(profile.stageWords),"
      return "\(subject) takes \(words(figures))"
    }.joined(separator: " ")
  }

  /// Contestants side by side: the same stage at the same length.
  private struct Profiled: Hashable {
    let stage: Profile.Stage
    let tokens: Int

    init(_ profile: Profile) { (stage, tokens) = (profile.stage, profile.tokens) }
  }

  private static func profiles(_ test: Profiled, _ figures: [ProfileFigures]) -> [String] {
    guard let first = figures.first else { return [] }
    let title = "### \(first.profile.stageWords.capitalizedFirst)"
    return [
      title, figures.min { $0.wallNanoseconds < $1.wallNanoseconds }.map(fastest) ?? "",
      table(figures),
    ]
  }

  /// What takes most in the fastest contestant.
  private static func fastest(_ figures: ProfileFigures) -> String {
    "The fastest, \(figures.profile.contestant.markdown), takes \(words(figures))"
  }

  /// The time of a pass, and what takes most of it.
  private static func words(_ figures: ProfileFigures) -> String {
    let scale = TimeScale(longestNanoseconds: figures.wallNanoseconds)
    let opening = "\(scale.words(figures.wallNanoseconds)) per \(figures.profile.passWord)."
    guard let phase = figures.longestPhase else { return opening }
    let share = NumberText.percent(figures.share(phase.nanoseconds))
    let roofline = phase.rooflinePercent.map { percent in
      " at \(NumberText.fixed(percent, 0)) % of its roofline" + (phase.roof.map { " (\($0.words))" } ?? "")
    }
    return "\(opening) Its longest phase is \(phase.phase.title): \(share) %\(roofline ?? "")."
  }

  /// A column a contestant, a row a phase: time and share of a pass.
  private static func table(_ figures: [ProfileFigures]) -> String {
    let pass = figures.first?.profile.passWord ?? ""
    var table = MarkdownTable(
      [("ms per \(pass) (share %)", .left)]
        + figures.map { ("`\($0.profile.variant)` t\($0.profile.threads)", .right) })
    func add(_ name: String, _ text: (ProfileFigures) -> String?) {
      let cells = figures.map { text($0) ?? "" }
      if cells.contains(where: { !$0.isEmpty }) { table.rows.append([name] + cells) }
    }
    func time(_ figures: ProfileFigures, _ nanoseconds: Double) -> String {
      "\(milliseconds(nanoseconds)) (\(NumberText.percent(figures.share(nanoseconds))))"
    }
    for phase in ProfilePhase.allCases {
      add(phase.title) { figures in
        figures.phases.first { $0.phase == phase }.map { time(figures, $0.nanoseconds) }
      }
    }
    add("pool wait") { $0.profile.threads > 1 ? time($0, $0.waitNanoseconds) : nil }
    add("unexplained") { time($0, $0.unexplainedNanoseconds) }
    add("**a whole \(pass)**") { "**\(milliseconds($0.wallNanoseconds))**" }
    add("at best") { $0.leastNanoseconds.map(milliseconds) }
    add("has a name, %") { NumberText.percent($0.coverage) }
    add("the probes cost, %") { $0.overhead.map(cost) }
    add("passes kept") { "\($0.profile.keptPasses) of \($0.profile.passNanoseconds.count)" }
    return table.text
  }

  /// Each with its own decimals: what takes a second in one column takes a thousandth of it in another.
  private static func milliseconds(_ nanoseconds: Double) -> String {
    NumberText.significant(nanoseconds / 1e6, 3)
  }

  /// `0.4 (-0.1 to 0.9)`
  private static func cost(_ overhead: Figure) -> String {
    let interval = overhead.interval.map {
      " (\(NumberText.percent($0.lower)) to \(NumberText.percent($0.upper)))"
    }
    return NumberText.percent(overhead.value) + (interval ?? "")
  }

  private static let profileNote =
    "Means over the kept passes, those around the median, of passes run under probes beside the rounds. Times are of "
    + "the thread that drives a pass; what it waits for the pool's other threads is a row of its own, and so is what "
    + "lies between operations, the probes' own time with it, and what nothing explains. **At best** is the least time "
    + "that this run's ceilings allow, phase by phase. **The probes cost**: the same passes with probes and without, in "
    + "turns, and the 95 % interval."
}

extension Record {
  /// Whether it holds profiles and nothing else, as `profile` makes it.
  var isProfileAlone: Bool { cells.isEmpty && !(profiles ?? []).isEmpty }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
