import Record

/// What the sections of a page share: the figures, and one look and one name for each contestant.
struct PageContext {
  let run: RunFigures
  let validity: Validity
  let profiles: [ProfileFigures]
  private let styles: [Contestant: SeriesStyle]
  private let namesWeights: Bool

  init(_ run: RunFigures) {
    let record = run.record
    self.run = run
    validity = Validity(record)
    profiles = (record.profiles ?? []).map { profile in
      ProfileFigures(profile, ceiling: record.ceilings.first { $0.threads == profile.threads })
    }
    let contestants = (run.rows.map(\.contestant) + profiles.map(\.contestant)).uniqued()
    styles = Dictionary(
      uniqueKeysWithValues: contestants.enumerated().map { ($1, SeriesStyle(index: $0)) })
    namesWeights = Set(contestants.map(\.weights)).count > 1
  }

  var record: Record { run.record }

  /// Most threads first: the fastest are among them as a rule.
  var ceilings: [Ceiling] { record.ceilings.sorted { $0.threads > $1.threads } }

  func style(of contestant: Contestant) -> SeriesStyle { styles[contestant] ?? SeriesStyle(index: 0) }

  /// `packed, 2 threads`; the weights' precision too where the run has several.
  func name(of contestant: Contestant) -> String {
    let weights = namesWeights && !contestant.weights.isEmpty ? ", \(contestant.weights)" : ""
    return "\(contestant.variant)\(weights), \(counted(contestant.threads, "thread"))"
  }

  /// The profile of the contestant that comes nearest to a test's length; nil where it has none of that stage.
  func profile(of contestant: Contestant, nearest test: Test) -> ProfileFigures? {
    let wanted: (stage: Profile.Stage, tokens: Int)
    switch test {
    case .decode(_, let depth, _): wanted = (.decode, depth)
    case .prefill(let tokens, _): wanted = (.prefill, tokens)
    default: return nil
    }
    return profiles.filter { $0.contestant == contestant && $0.profile.stage == wanted.stage }
      .min { abs($0.profile.tokens - wanted.tokens) < abs($1.profile.tokens - wanted.tokens) }
  }
}

extension ProfileFigures {
  var contestant: Contestant {
    Contestant(variant: profile.variant, weights: profile.weights, threads: profile.threads)
  }

  /// Tokens that one pass takes in.
  var tokensOfPass: Double { profile.stage == .prefill ? Double(max(profile.tokens, 1)) : 1 }

  var millisecondsPerToken: Double { wallNanoseconds / tokensOfPass / 1e6 }
}
