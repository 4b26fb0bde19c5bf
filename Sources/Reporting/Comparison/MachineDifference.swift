import Record
import Statistics

/// How much faster or slower the machine itself was in the head's run, by the ceilings of both runs.
///
/// Two runs one after the other on a shared machine meet different neighbours: the machine's own ceilings differ by
/// 10 % and more. Such a difference slows or speeds all rows alike and says nothing of the program.
struct MachineDifference: Sendable, Equatable {
  /// Of a ceiling: median of the head's trials ÷ median of the base's. Below 1 the machine was slower in head's run.
  let ratio: Double

  /// The difference as a share, the same where both sides are swapped.
  var share: Double { 1 - min(ratio, 1 / ratio) }

  /// `12 % slower in head's run`
  var words: String {
    "\(NumberText.significant(share * 100, 2)) % \(ratio < 1 ? "slower" : "faster") in head's run"
  }

  init?(ratio: Double?) {
    guard let ratio, ratio > 0, ratio.isFinite else { return nil }
    self.ratio = ratio
  }

  /// By the ceilings that bound the two rows; where those are two, by the one that differs more. Nil where a run did
  /// not measure them for this number of threads.
  init?(_ base: RunRow, _ head: RunRow, ceilings: (base: Ceiling?, head: Ceiling?)) {
    let roofs = [base.figures.roof, head.figures.roof].compactMap { $0 }
    let found = roofs.compactMap { MachineDifference(roof: $0, ceilings) }
    guard let largest = found.max(by: { $0.share < $1.share }) else { return nil }
    self = largest
  }

  init?(roof: Roof, _ ceilings: (base: Ceiling?, head: Ceiling?)) {
    guard let old = ceilings.base?.typical(roof), let new = ceilings.head?.typical(roof), old > 0
    else { return nil }
    self.init(ratio: new / old)
  }
}

extension Ceiling {
  /// The median of a roof's trials, in its unit; its best where the record kept no other; nil for a level that it
  /// did not measure.
  func typical(_ roof: Roof) -> Double? {
    switch roof {
    case .compute: return fmaTrials.flatMap { median($0) } ?? fmaGFLOPS
    case .memory(let level):
      return memory?.first { $0.level == level }.flatMap { median($0.trials) }
        ?? (level == Self.dram ? dramGBPerSecond : nil)
    }
  }

  /// How far a roof lies above the median of its trials, as a share of it: what the roof itself may be off by.
  func spread(_ roof: Roof) -> Double? {
    let trials =
      switch roof {
      case .compute: fmaTrials
      case .memory(let level): memory?.first { $0.level == level }?.trials
      }
    guard let found = trials.flatMap({ quantiles($0, [0.5, Self.roofQuantile]) }), found[1] > 0 else {
      return nil
    }
    return 1 - found[0] / found[1]
  }
}
