import Record

/// The short answer on one test: who is fastest, by how much, and what keeps it from being faster.
struct Headline {
  let test: Test
  let ladder: Ladder
  let first: Row
  /// The fastest of another variant; of the same one with other threads where there is no other variant.
  let next: Row?
  /// The next one's median time ÷ the first's.
  let againstNext: Figure?
  let profile: ProfileFigures?

  /// The tests that a page opens with.
  static func all(_ context: PageContext) -> [Headline] {
    tests(context.run).compactMap { Headline(context, test: $0) }
  }

  private static func tests(_ run: RunFigures) -> [Test] {
    run.record.kind == .endToEnd
      ? [run.headline(where: \.isDecode), run.headline(where: \.isPrefill)].compactMap { $0 } : run.tests
  }

  private init?(_ context: PageContext, test: Test) {
    self.test = test
    ladder = Ladder(context.run, test: test, prefillTest: nil)
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
  var stage: String { test.isDecode ? "at decode" : test.isPrefill ? "at prefill" : "on \(test.name)" }

  /// `61.15 tok/s`
  var speed: String {
    [ladder.column.magnitude(first).map { NumberText.significant($0) } ?? "", ladder.column.unit]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// `memory (DRAM) at decode, 94 % of that roof reached`
  var limit: String? {
    first.figures.rooflinePercent.flatMap { percent in
      first.figures.roof.map { roof in
        "\(roof.words) \(stage), \(NumberText.significant(percent, 2)) % of that roof reached"
      }
    }
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
      profile.phases.map { (name: $0.phase.title, nanoseconds: $0.nanoseconds) }
      + [(name: "waiting for the pool's other threads", nanoseconds: profile.waitNanoseconds)]
    guard let most = parts.max(by: { $0.nanoseconds < $1.nanoseconds }), most.nanoseconds > 0 else {
      return nil
    }
    let behind =
      profile.profile.stage == .decode ? "behind \(profile.profile.tokens) tokens" : "of the prompt"
    return "\(most.name), \(Validity.percent(profile.share(most.nanoseconds))) of "
      + "\(NumberText.significant(profile.millisecondsPerToken, 3)) ms a token \(behind)"
  }
}
