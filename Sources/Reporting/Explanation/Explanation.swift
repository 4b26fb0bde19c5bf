import Files
import Foundation
import Record
import Statistics

/// Where the difference between two profiles comes from: what each part of a pass adds to it, and how much of that is
/// less work, and how much the same work done faster. Nothing is attributed where it cannot be told from noise.
public struct Explanation: Sendable {
  public struct NotComparable: Error, Equatable, CustomStringConvertible { public let description: String }

  enum Outcome: Equatable, Sendable {
    case faster, slower
    /// Why it cannot be told, in words that follow a colon.
    case undecided(String)

    var reason: String? { if case .undecided(let reason) = self { reason } else { nil } }
    var word: String { self == .faster ? "faster" : self == .slower ? "slower" : "undecided" }
  }

  struct NamedProfile: Sendable {
    let name: String
    let figures: ProfileFigures

    var profile: Profile { figures.profile }
    /// Of one pass: the mean of those that were kept.
    var nanoseconds: Double { figures.wallNanoseconds }
  }

  let from: NamedProfile
  let to: NamedProfile
  let outcome: Outcome
  /// In the order in which a pass goes through them; the changes sum to the difference.
  let parts: [ExplainedPart]
  let medians: Figure?
  let noiseFloor: Double?
  let hasCeiling: Bool

  /// - Parameters:
  ///   - fromName, toName: what people call the sides; where both are the same, `A` and `B` tell them apart.
  ///   - ceiling: one for both sides, best of as many threads as `to` has; without it work is counted in operations.
  ///   - noiseFloor: the share by which one side's passes differed between its turns; a difference must exceed it.
  /// - Throws: `NotComparable` for two stages, lengths or models.
  public init(
    from: Profile, named fromName: String, to: Profile, named toName: String, ceiling: Ceiling?,
    noiseFloor: Double? = nil
  ) throws(NotComparable) {
    try Self.refuseDifferent(from, to)
    let marks = fromName == toName ? (" (A)", " (B)") : ("", "")
    self.from = NamedProfile(
      name: fromName.safeLine + marks.0, figures: ProfileFigures(from, ceiling: ceiling))
    self.to = NamedProfile(name: toName.safeLine + marks.1, figures: ProfileFigures(to, ceiling: ceiling))
    parts = ExplainedPart.all(from: self.from.figures, to: self.to.figures, ceiling: ceiling)
    medians = Figure(medianOf: from.passNanoseconds, overMedianOf: to.passNanoseconds)
    self.noiseFloor = noiseFloor
    hasCeiling = ceiling != nil
    outcome = Self.outcome(self.from.nanoseconds / self.to.nanoseconds, medians, noiseFloor)
  }

  /// How many times as fast as `from` the other side is, by the means that are attributed.
  var ratio: Double { from.nanoseconds / to.nanoseconds }
  /// Of a pass, in nanoseconds; below zero where `to` is faster.
  var change: Double { to.nanoseconds - from.nanoseconds }
  /// `decode after 512 tokens`
  public var stageWords: String { to.profile.stageWords }
  public var isDecided: Bool { outcome == .faster || outcome == .slower }

  /// Of the difference; below zero for what works against it. Nil where nothing is attributed.
  func share(_ nanoseconds: Double) -> Double? { isDecided ? nanoseconds / change : nil }

  private static func refuseDifferent(_ from: Profile, _ to: Profile) throws(NotComparable) {
    func require(_ isSame: Bool, _ what: String, _ a: Any, _ b: Any) throws(NotComparable) {
      guard !isSame else { return }
      throw NotComparable(description: "two profiles of one \(what): found \(a) and \(b), expected the same")
    }
    try require(from.stage == to.stage, "stage", from.stage.rawValue, to.stage.rawValue)
    try require(from.tokens == to.tokens, "number of tokens", from.tokens, to.tokens)
    let layers = [from, to].map { Set($0.entries.compactMap(\.layer)).count }
    try require(layers[0] == layers[1], "model, with layers", layers[0], layers[1])
  }

  private static func outcome(_ ratio: Double, _ medians: Figure?, _ noiseFloor: Double?) -> Outcome {
    guard let medians, let interval = medians.interval else {
      return .undecided(
        "there are too few passes to know the noise, expected at least \(Bootstrap.minimumCount) of each")
    }
    guard !interval.contains(1) else {
      return .undecided(
        "the 95 % interval of the ratio of both medians, \(interval.words()), contains 1")
    }
    if let noiseFloor, abs(log(medians.value)) <= log(1 + noiseFloor) {
      return .undecided(
        "one side alone differed by \(NumberText.percent(noiseFloor)) from one of its turns to another")
    }
    guard (ratio > 1) == (medians.value > 1) else {
      return .undecided(
        "the means of the kept passes and the medians of all of them disagree on which is faster")
    }
    return ratio > 1 ? .faster : .slower
  }
}
