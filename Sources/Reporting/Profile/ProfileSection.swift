import Record

extension RunReport {
  /// Time by phase of every contestant that was profiled; nil where none was.
  var profiles: Section? {
    let parts = ProfiledStage.all(ProfileFigures.all(record)).flatMap(Self.blocks)
    let file: Prose = record.isProfileAlone ? "`--format csv`" : "`profile.csv`"
    let note: Prose =
      "\(Self.profileNote) \(ProfilePhase.fusion) Each layer, with rates and rooflines, is in \(file)."
    return Section(
      id: "profiles", title: "Where the time goes", parts.isEmpty ? [] : parts + [.paragraph(note)])
  }

  /// What a record says that holds profiles and no cells: a sentence or two a stage. Nil for any other record.
  var profiledAnswer: Prose? {
    guard record.isProfileAlone else { return nil }
    let figures = ProfileFigures.all(record)
    return [true, false].flatMap { isDecode in
      figures.filter { ($0.profile.stage == .decode) == isDecode }.map { figures -> Prose in
        "\(figures.contestant.prose), \(figures.profile.stageWords), takes \(Self.words(figures))"
      }
    }.joined(separator: " ")
  }

  private static func blocks(_ stage: ProfiledStage) -> [Block] {
    // What takes most in the fastest contestant.
    let fastest = stage.profiles.min { $0.wallNanoseconds < $1.wallNanoseconds }.map { figures -> Prose in
      "The fastest, \(figures.contestant.prose), takes \(Self.words(figures))"
    }
    return [
      .heading(Prose(stage.words.prefix(1).uppercased() + stage.words.dropFirst())),
      .paragraph(fastest ?? ""), .table(table(stage.profiles)),
    ]
  }

  private static func words(_ figures: ProfileFigures) -> Prose {
    let scale = TimeScale(longestNanoseconds: figures.wallNanoseconds)
    let opening = "\(scale.words(figures.wallNanoseconds)) per \(figures.profile.passWord)."
    guard let phase = figures.longestPhase else { return Prose(opening) }
    let share = NumberText.percent(figures.share(phase.work.nanoseconds))
    let roofline = phase.work.rooflinePercent.map { percent in
      " at \(NumberText.fixed(percent, 0)) % of its roofline"
        + (phase.work.roof.map { " (\($0.words))" } ?? "")
    }
    return "\(opening) Its longest phase is \(phase.phase.title): \(share)\(roofline ?? "")."
  }

  /// A column a contestant, a row a phase: time and share of a pass.
  private static func table(_ figures: [ProfileFigures]) -> Table {
    let pass = figures.first?.profile.passWord ?? ""
    var table = Table(
      [.init("ms per \(pass) (share %)", .left)]
        + figures.map { .init("`\($0.profile.variant)` t\($0.profile.threads)") })
    func add(_ name: Prose, _ text: (ProfileFigures) -> Prose?) {
      let entries = figures.map { Table.Entry(text($0) ?? "") }
      if entries.contains(where: { !$0.isEmpty }) { table.rows.append([.init(name)] + entries) }
    }
    func time(_ figures: ProfileFigures, _ nanoseconds: Double) -> Prose {
      "\(milliseconds(nanoseconds)) (\(NumberText.percentValue(figures.share(nanoseconds))))"
    }
    for phase in ProfilePhase.allCases {
      add(Prose(phase.title)) { figures in
        figures.phases.first { $0.phase == phase }.map { time(figures, $0.work.nanoseconds) }
      }
    }
    add("pool wait") { $0.profile.threads > 1 ? time($0, $0.waitNanoseconds) : nil }
    add("unexplained") { time($0, $0.unexplainedNanoseconds) }
    add("**a whole \(pass)**") { "**\(milliseconds($0.wallNanoseconds))**" }
    add("at best") { $0.leastNanoseconds.map { Prose(milliseconds($0)) } }
    add("has a name, %") { Prose(NumberText.percentValue($0.coverage)) }
    add("the probes cost, %") { $0.overhead.map(cost) }
    add("passes kept") { "\($0.profile.keptPasses) of \($0.profile.passNanoseconds.count)" }
    return table
  }

  /// Each with its own decimals: what takes a second in one column takes a thousandth of it in another.
  private static func milliseconds(_ nanoseconds: Double) -> String {
    NumberText.significant(nanoseconds / 1e6, 3)
  }

  /// `0.4 (-0.1 to 0.9)`
  private static func cost(_ overhead: Figure) -> Prose {
    let interval = overhead.interval.map { " (\($0.words(NumberText.percentValue)))" } ?? ""
    return Prose(NumberText.percentValue(overhead.value) + interval)
  }

  private static let profileNote: Prose = """
    The times are means over the kept passes: those around the median. All passes ran with probes, apart from the \
    rounds. Times are of the thread that drives a pass. Three rows are not the work of a phase: its wait for the \
    pool's other threads, the time between operations (with the probes' own time), and the time that nothing explains. \
    **At best** is the least time that this run's ceilings allow, phase by phase. **The probes cost** compares the \
    same passes with probes and without, in turns, and gives the 95 % interval.
    """
}

extension Record {
  /// Whether it holds profiles and nothing else, as `profile` makes it.
  var isProfileAlone: Bool { cells.isEmpty && !(profiles ?? []).isEmpty }
}
