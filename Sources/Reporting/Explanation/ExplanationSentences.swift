import Record

extension Explanation {
  /// A ratio of rows from which on one side computes old positions anew.
  private static let recomputes = 1.5
  /// Reasons below this share of the difference are not worth a word.
  private static let smallestShare = 0.005

  /// Both sides, how much faster the one is and why; or that they cannot be told apart.
  public var headline: String {
    let place = "at \(to.profile.stageWords) (\(times))"
    return switch outcome {
    case .undecided(let reason): "\(to.name) and \(from.name) cannot be told apart \(place): \(reason)."
    case .faster:
      "\(to.name) is \(NumberText.significant(ratio, 3)) × as fast as \(from.name) \(place): \(why)."
    case .slower:
      "\(to.name) takes \(NumberText.significant(1 / ratio, 3)) × as long as \(from.name) \(place): \(why)."
    }
  }

  /// What happened to the part that changed most in the difference's direction; nil where nothing is attributed.
  var largestSentence: String? {
    guard isDecided, let part = largestPart else { return nil }
    let times = "\(scale.words(part.from.nanoseconds)) became \(scale.words(part.to.nanoseconds))"
    let details = [workWords(part), speedWords(part)].compactMap { $0 }.joined(separator: ", ")
    return "The largest part is \(part.name): \(times)\(details.isEmpty ? "" : ", \(details)")."
  }

  var largestPart: ExplainedPart? {
    parts.filter { $0.change * change > 0 }.max { abs($0.change) < abs($1.change) }
  }

  var scale: TimeScale { TimeScale(longestNanoseconds: max(from.nanoseconds, to.nanoseconds)) }

  private var times: String {
    "\(scale.text(from.nanoseconds)) to \(scale.words(to.nanoseconds)) per \(to.profile.passWord)"
  }

  private var why: String {
    let told = reasons.filter { abs($0.share) >= Self.smallestShare }
    let causes = told.filter { $0.share > 0 }.map { "\(percent($0.share)) from \(words($0))" }
    let against = told.filter { $0.share < 0 }.map { "\(words($0)) takes \(percent(-$0.share)) back" }
    return causes.joined(separator: ", ") + (against.isEmpty ? "" : "; " + against.list)
  }

  private func percent(_ share: Double) -> String { "\(NumberText.fixed(100 * share, 0)) %" }

  private func words(_ reason: ExplainedReason) -> String {
    let isLess = reason.change < 0
    let stories = reason.stories.isEmpty ? "all parts" : ProfileStory.words(reason.stories)
    switch reason.kind {
    case .work:
      guard let rowRatio, isLess ? rowRatio >= Self.recomputes : rowRatio <= 1 / Self.recomputes
      else {
        let change = isLess ? "narrower" : "wider"
        if from.profile.weights != to.profile.weights { return "\(change) weights in \(stories)" }
        return from.profile.cache == to.profile.cache
          ? "\(isLess ? "less" : "more") work in \(stories)"
          : "\(change) keys and values in \(stories)"
      }
      return "\(isLess ? "not " : "")recomputing \(stories) for old positions"
    case .rate: return "\(isLess ? "faster" : "slower") work in \(stories)"
    case .wait: return isLess ? "less waiting for the pool's threads" : "waiting for the pool's threads"
    case .rest: return "\(isLess ? "less" : "more") time outside the counted work"
    }
  }

  /// `with 512 × fewer FLOPs`, `for the same work`; nil where there is no work to count.
  private func workWords(_ part: ExplainedPart) -> String? {
    guard part.split != nil else { return nil }
    let amounts = [("FLOPs", part.from.flops, part.to.flops), ("bytes", part.from.bytes, part.to.bytes)]
      .filter { $0.1 > 0 && $0.2 > 0 }
    if amounts.isEmpty { return nil }
    let changed = amounts.filter { abs($0.2 / $0.1 - 1) >= 0.05 }.map { name, from, to in
      NumberText.significant(max(to / from, from / to), 3) + (to < from ? " × fewer " : " × the ") + name
    }
    return changed.isEmpty ? "for the same work" : "with \(changed.list)"
  }

  /// `at 45 % of its roofline instead of 80 %`; operations per second without a roofline of both sides.
  private func speedWords(_ part: ExplainedPart) -> String? {
    let sides = [part.to, part.from]
    guard sides.allSatisfy({ $0.nanoseconds > 0 }) else { return nil }
    if hasCeiling, from.profile.threads == to.profile.threads, sides.allSatisfy({ $0.leastNanoseconds > 0 }) {
      let shares = sides.map {
        NumberText.significant(Roofline.percent(least: $0.leastNanoseconds, of: $0.nanoseconds), 2)
      }
      return "at \(shares[0]) % of its roofline instead of \(shares[1]) %"
    }
    guard sides.allSatisfy({ $0.flops > 0 }) else { return nil }
    let rates = sides.map { NumberText.significant($0.flops / $0.nanoseconds, 3) }
    return "at \(rates[0]) GFLOP/s instead of \(rates[1])"
  }

  var notes: [String] {
    let passes = [from, to].map { side in
      "\(side.profile.keptPasses) of \(side.profile.passNanoseconds.count) of \(side.name)"
    }
    let interval = medians?.interval.map { ", 95 % CI \($0.words { NumberText.significant($0, 3) })" }
    let basis =
      [
        "Means of the kept passes, \(passes.list)",
        medians.map {
          "Ratio of the medians of all passes: \(NumberText.significant($0.value, 3))\(interval ?? "")"
        },
        noiseFloor.map { "One side's own turns differed by up to \(NumberText.percent($0))" },
      ].compactMap { $0 }.joined(separator: ". ") + "."
    guard isDecided else { return [basis] }
    let loss =
      hasCeiling
      ? "its time beyond the best that the ceilings allow is taken as proportional to its operations"
      : "its time is taken as proportional to its operations"
    return [
      basis,
      "By work: the time that the side with more work would save with only the other's work; \(loss). By rate: the "
        + "rest of the difference.",
    ]
  }
}

struct ExplainedReason: Sendable {
  /// The rest is time that no work can be counted for.
  enum Kind: Sendable, CaseIterable { case work, rate, wait, rest }

  let kind: Kind
  /// Nanoseconds that it adds to a pass.
  let change: Double
  /// Of the whole difference; below zero where it works against it.
  let share: Double
  /// The stories that most of the change is in, the largest first.
  let stories: [ProfileStory]
  /// A story is named from this share of the reason's change on.
  private static let smallestShare = 0.1
  private static let mostStories = 4

  init(_ kind: Kind, _ parts: [ExplainedPart], whole: Double) {
    let change = parts.reduce(0) { $0 + Self.change(kind, $1) }
    (self.kind, self.change, share) = (kind, change, change / whole)
    let byStory = ProfileStory.allCases.map { story in
      (story: story, change: parts.filter { $0.story == story }.reduce(0) { $0 + Self.change(kind, $1) })
    }
    let same = byStory.filter { $0.change * change > 0 }
    let sum = same.reduce(0) { $0 + $1.change }
    stories = same.filter { $0.change / sum >= Self.smallestShare }
      .sorted { abs($0.change) > abs($1.change) }.prefix(Self.mostStories).map(\.story)
  }

  private static func change(_ kind: Kind, _ part: ExplainedPart) -> Double {
    if part.source == .poolWait { return kind == .wait ? part.change : 0 }
    return switch kind {
    case .work: part.split?.work ?? 0
    case .rate: part.split?.rate ?? 0
    case .rest: part.split == nil ? part.change : 0
    case .wait: 0
    }
  }
}

extension Explanation {
  /// Every kind that adds something, those that make the difference first, the largest of them first.
  var reasons: [ExplainedReason] {
    ExplainedReason.Kind.allCases.map { ExplainedReason($0, parts, whole: change) }
      .filter { $0.change != 0 }.sorted { $0.share > $1.share }
  }

  /// How many times as many rows as `to` the side `from` computes for a token, by the MLP's operations, which do not
  /// depend on the position.
  var rowRatio: Double? {
    guard to.profile.stage == .decode else { return nil }
    let flops = [from, to].map { side in
      side.figures.phases.filter { $0.phase == .up }.reduce(0) { $0 + $1.work.flops }
    }
    return flops[0] > 0 && flops[1] > 0 ? flops[0] / flops[1] : nil
  }
}

/// Phases that are told together: what changes in one of them usually changes in all.
enum ProfileStory: String, Sendable, CaseIterable {
  case embedding
  case layerNorm = "layer norm"
  case attentionLinear = "QKV/projection"
  case cacheStore = "KV store"
  case attention
  case mlp = "MLP"
  case logits
  case sampling
  case backward = "the backward pass"
  case optimizer = "the optimizer"
  case other = "between operations"

  init(_ phase: ProfilePhase) {
    self =
      switch phase {
      case .embedding: .embedding
      case .layerNorm: .layerNorm
      case .qkv, .projection, .projectionResidual: .attentionLinear
      case .cacheStore: .cacheStore
      case .attention, .attentionScores, .attentionSoftmax, .attentionValues, .attentionOther: .attention
      case .up, .gelu, .down, .mlpResidual: .mlp
      case .logits, .loss: .logits
      case .sampling: .sampling
      case .logitsGradient, .layerNormGradient, .downGradient, .geluGradient, .upGradient,
        .projectionGradient, .attentionGradient, .qkvGradient, .embeddingGradient:
        .backward
      case .optimizer: .optimizer
      case .other: .other
      }
  }

  private static let linear: [ProfileStory] = [.attentionLinear, .mlp, .logits]

  /// `the linear layers and attention`
  static func words(_ stories: [ProfileStory]) -> String {
    guard linear.allSatisfy(stories.contains) else { return stories.map(\.rawValue).list }
    return (["the linear layers"] + stories.filter { !linear.contains($0) }.map(\.rawValue)).list
  }
}

extension [String] {
  /// `a, b and c`
  var list: String {
    guard count > 1, let last else { return first ?? "" }
    return dropLast().joined(separator: ", ") + " and " + last
  }
}
