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

/// Paired differences of the textbooks.
enum PublishedData {
  /// Hollander and Wolfe, "Nonparametric Statistical Methods", table 3.1: after less before.
  static let depression = zip(
    [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
  ).map { $1 - $0 }

  /// Darwin, "The Effects of Cross and Self Fertilisation in the Vegetable Kingdom", 1876, as in Fisher, "The
  /// Design of Experiments", 1935.
  static let maize: [Double] = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
}

func isClose(_ value: Double, _ expected: Double, _ relative: Double = 1e-11) -> Bool {
  abs(value - expected) <= relative * abs(expected)
}
