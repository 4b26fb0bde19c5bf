import Foundation
import Statistics

/// Kinds of noise that timings have, for simulations.
enum Noise: Sendable, CaseIterable {
  case normal
  /// Log-normal with a tail of slow values: what preemption and page faults add.
  case skewed
  /// Two levels and a little noise around each: a process that landed on a slow page layout stays slow.
  case twoLevels

  /// One draw, in the unit of a log time.
  func value(_ generator: inout SeededGenerator) -> Double {
    switch self {
    case .normal: 0.02 * Self.gaussian(&generator)
    case .skewed: 0.02 * exp(Self.gaussian(&generator))
    case .twoLevels: (generator.unit() < 0.3 ? 0.06 : 0) + 0.005 * Self.gaussian(&generator)
    }
  }

  /// The log-ratio of a pair of times that differ by `shift` and by a draw of noise each.
  func pair(shift: Double = 0, _ generator: inout SeededGenerator) -> Double {
    let base = value(&generator)
    return value(&generator) + shift - base
  }

  /// Box and Muller.
  static func gaussian(_ generator: inout SeededGenerator) -> Double {
    let radius = (-2 * log(1 - generator.unit())).squareRoot()
    return radius * cos(2 * .pi * generator.unit())
  }
}
