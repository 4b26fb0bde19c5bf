import Record

extension Profile {
  var contestant: Contestant { Contestant(variant: variant, weights: weights, threads: threads) }

  /// `decode behind 512 tokens`, `prefill of 512 tokens`
  public var stageWords: String {
    switch stage {
    case .prefill: "prefill of \(counted(tokens, "token"))"
    case .decode: "decode behind \(counted(tokens, "token"))"
    }
  }

  /// What one pass is.
  var passWord: String { stage.passWord }

  /// Tokens that a pass takes in.
  var tokensPerPass: Int { stage == .prefill ? tokens : 1 }

  /// Of as many threads; nil where the record has none.
  func ceiling(among ceilings: [Ceiling]) -> Ceiling? { ceilings.first { $0.threads == threads } }
}

extension Profile.Stage {
  var passWord: String {
    switch self {
    case .prefill: "prompt"
    case .decode: "token"
    }
  }
}

extension ProfileFigures {
  var tokensPerSecond: Double { Double(profile.tokensPerPass) * 1e9 / wallNanoseconds }

  /// The phase that took most; nil where none took anything.
  var longestPhase: PhaseFigures? {
    phases.filter { $0.phase != .other && $0.nanoseconds > 0 }.max { $0.nanoseconds < $1.nanoseconds }
  }

  /// `98.9 % of the wall time has a name; 0.8 % is between operations or in probes, 0.3 % is unexplained.`
  var coverageSentence: String {
    let between = phases.filter { $0.phase == .other }.reduce(0) { $0 + $1.nanoseconds }
    let left = [
      between > 0 ? "\(NumberText.percent(share(between))) % is between operations or in probes" : nil,
      "\(NumberText.percent(share(unexplainedNanoseconds))) % is unexplained",
    ].compactMap { $0 }
    return "\(NumberText.percent(coverage)) % of the wall time has a name; \(left.joined(separator: ", "))."
  }

  /// What the probes cost, with its interval and both medians; nil where it was not measured.
  func overheadSentence(_ scale: TimeScale) -> String? {
    guard let overhead, let samples = profile.overhead,
      let with = Figure(medianOf: samples.withNanoseconds),
      let without = Figure(medianOf: samples.withoutNanoseconds)
    else { return nil }
    let interval = overhead.interval.map {
      " (95 % CI \(NumberText.percent($0.lower)) to \(NumberText.percent($0.upper)))"
    }
    return "The probes cost \(NumberText.percent(overhead.value)) %\(interval ?? ""), the median over "
      + "\(counted(samples.withNanoseconds.count, "pass", plural: "passes")) that ran with them and without, in turns: "
      + "\(scale.words(with.value)) with, \(scale.words(without.value)) without."
  }
}

/// `1 pass`, `2 passes`.
func counted(_ count: Int, _ noun: String, plural: String) -> String {
  "\(count) \(count == 1 ? noun : plural)"
}

extension ProfilePhase {
  /// What a reader who compares variants has to know.
  static let fusion =
    "What a variant fuses into a product is in the product's time: additions to the residual stream, and of a fused "
    + "GELU's time the product's bias and stores."
}
