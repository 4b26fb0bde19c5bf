import Record

/// The short answer on one test, in sentences: who is fastest, by how much, and what keeps it from being faster.
struct Headline {
  let test: Test
  let ladder: Ladder
  let first: RunRow
  /// The fastest of another variant; of the same one with other threads where there is no other variant.
  let second: RunRow?
  /// The second one's median time ÷ the first's.
  let againstSecond: Figure?
  let profile: ProfileFigures?

  /// Of the tests that a report opens with.
  static func all(_ run: RunFigures, profiles: [ProfileFigures]) -> [Headline] {
    run.headlines.compactMap { Headline(run, test: $0, profiles: profiles) }
  }

  private init?(_ run: RunFigures, test: Test, profiles: [ProfileFigures]) {
    self.test = test
    ladder = Ladder(run, test: test)
    let rows = ladder.rungs.map(\.row)
    guard let first = rows.first else { return nil }
    self.first = first
    second = rows.first { $0.cell.variant != first.cell.variant } ?? rows.dropFirst().first
    againstSecond = second.flatMap {
      Figure(medianOf: $0.cell.primaryDurations, overMedianOf: first.cell.primaryDurations)
    }
    profile = Self.profile(of: first.contestant, nearest: test, among: profiles)
  }

  /// Of the same stage and the length that comes nearest to the test's; nil where there is none.
  private static func profile(
    of contestant: MeasuredVariant, nearest test: Test, among profiles: [ProfileFigures]
  ) -> ProfileFigures? {
    guard let wanted = test.profiled else { return nil }
    return profiles.filter { $0.contestant == contestant && $0.profile.stage == wanted.stage }
      .min { abs($0.profile.tokens - wanted.tokens) < abs($1.profile.tokens - wanted.tokens) }
  }

  /// False where chance alone might have put it before the second; true where there is no other.
  var isDecided: Bool { againstSecond.map { $0.interval.map { $0.lower > 1 } ?? false } ?? true }
  var verb: String { isDecided ? "is fastest" : "is ahead, but not for certain," }

  /// `at decode`, `on 64x768x3072`
  var stage: String { test.stage.map { "at \($0.rawValue)" } ?? "on \(test.name)" }

  /// `65.5 tok/s`
  var speed: String {
    let figure = first.figures[ladder.metric].map { NumberText.supported($0) }
    return [figure ?? "", ladder.unit].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// The speed ÷ naive's; nil for naive itself.
  var againstNaive: Figure? { first.cell.variant == RunFigures.oracle ? nil : first.speedAgainstNaive }

  /// By how much it is faster than naive and than the second, and whether that is settled.
  var lead: Prose? {
    let naive = againstNaive.map {
      "\(NumberText.supported($0, 3)) times as fast as `\(RunFigures.oracle)`" as Prose
    }
    let others: Prose? = second.flatMap { second in
      guard naive == nil || second.cell.variant != RunFigures.oracle else { return nil }
      return againstSecond.map { ratio in
        let range = ratio.interval.map { "; 95 %: \($0.words { NumberText.significant($0, 3) })" } ?? ""
        let times = "\(NumberText.supported(ratio, 3)) times as fast as the second"
        return "\(times), `\(second.cell.variant)` (\(counted(second.cell.threads, "thread"))\(range))"
      }
    }
    let parts = [naive, others].compactMap { $0 }
    guard !parts.isEmpty else { return nil }
    let doubt: Prose = isDecided ? "" : " This run does not settle which of the two is faster."
    return "It is \(parts.joined(separator: " and "))." + doubt
  }

  /// Beyond this share a roof is what limits; below it something else does.
  private static let nearTheRoof = 60.0

  /// What limits it, and what a better kernel could gain; nil without a roof.
  var limit: Prose? {
    guard let percent = first.figures.rooflinePercent, let roof = first.figures.roof, percent > 0
    else { return nil }
    let share = NumberText.significant(percent, percent < 99.95 ? 3 : 4)
    let gain = NumberText.significant(100 / percent, 3)
    guard percent < 100 else {
      return
        "\(roof.subject.capitalizedFirst) limits it: it is as fast as the measured limit allows (\(share) %)."
    }
    guard percent >= Self.nearTheRoof else {
      return """
        It reaches \(share) % of what \(roof.subject) allows: a better kernel could be up to \(gain) times as fast.
        """
    }
    return """
      \(roof.subject.capitalizedFirst) limits it: it reaches \(share) % of what that allows, so that no kernel could be \
      more than \(gain) times as fast.
      """
  }

  /// The phase that takes most of a pass, with its share.
  var longestPhase: Prose? {
    guard let profile else { return nil }
    let parts =
      profile.phases.map { (name: $0.phase.title, nanoseconds: $0.work.nanoseconds) }
      + [(name: "waiting for the pool's other threads", nanoseconds: profile.waitNanoseconds)]
    guard let most = parts.max(by: { $0.nanoseconds < $1.nanoseconds }), most.nanoseconds > 0 else {
      return nil
    }
    let place =
      profile.profile.stage == .decode ? "after \(counted(profile.profile.tokens, "token"))" : "of the prompt"
    return """
      The longest part is \(most.name): \(NumberText.percent(profile.share(most.nanoseconds))) of \
      \(NumberText.significant(profile.millisecondsPerToken, 3)) ms a token \(place).
      """
  }

  /// How long a reader waits.
  var latency: Prose? {
    if let time = first.figures[.timePerOutputToken] {
      let rare = first.figures.interTokenLatencyMS.map {
        "; one in a hundred takes over \(NumberText.significant($0.p99, 3)) ms"
      }
      return "A token comes every \(NumberText.supported(time, 3)) ms\(rare ?? "")."
    }
    return first.figures[.timeToFirstToken].map {
      "The first token comes after \(NumberText.supported($0, 3)) ms."
    }
  }

  /// All of it but who and how fast.
  var sentences: [Prose] { [lead, limit, longestPhase, latency].compactMap { $0 } }
}

extension Test.Traits {
  /// `8 new tokens after a prompt of 16`, `a prompt of 64 tokens`, `a step on 4 windows of 64 tokens`; an operation's name.
  var words: String {
    if let training {
      return "a step on \(counted(training.batch, "window")) of \(counted(training.context, "token"))"
    }
    guard let generation else { return name }
    let (prompt, tokens) = (generation.prompt, counted(generation.tokens, "new token"))
    let one =
      stage == .prefill
      ? "a prompt of \(counted(prompt, "token"))"
      : prompt > 0 ? "\(tokens) after a prompt of \(prompt)" : "\(tokens) from the start"
    return batch > 1 ? "\(one), \(batch) texts at once" : one
  }
}

extension Roof {
  /// What a sentence calls it: `arithmetic`, `memory (DRAM)`.
  fileprivate var subject: String {
    switch self {
    case .compute: "arithmetic"
    case .products(let instructions): "arithmetic (\(instructions))"
    case .memory: words
    }
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
