import Foundation

/// Round numbers for axes.
enum Ticks {
  /// The step 1, 2 or 5 × 10ⁿ that cuts `span` into at most `wanted` parts.
  static func step(_ span: Double, wanted: Int) -> Double {
    guard span.isFinite, span > 0 else { return 1 }
    let rough = span / Double(max(wanted, 1))
    let power = pow(10, log10(rough).rounded(.down))
    let factor = [1.0, 2, 5].first { $0 * power >= rough * (1 - 1e-9) } ?? 10
    return factor * power
  }

  /// Multiples of a round step within the range, at most about `wanted` + 1 of them.
  static func linear(_ range: ClosedRange<Double>, wanted: Int = 5) -> [Double] {
    let step = step(range.upperBound - range.lowerBound, wanted: wanted)
    let first = (range.lowerBound / step - 1e-9).rounded(.up)
    let last = (range.upperBound / step + 1e-9).rounded(.down)
    guard last >= first, last - first < 1000 else { return [] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// Powers of ten; over about three of them and fewer 2 and 5 times these too, and over less than a factor of
  /// about three the multiples of a round step. `range` is above zero.
  static func logarithmic(_ range: ClosedRange<Double>) -> [Double] {
    let decades = log10(range.upperBound / range.lowerBound)
    guard decades > 0.5 else { return linear(range, wanted: 4) }
    let first = Int(log10(range.lowerBound).rounded(.down))
    let last = Int(log10(range.upperBound).rounded(.up))
    let every = max(1, Int((decades / 6).rounded(.up)))
    let factors: [Double] = decades > 3.2 ? [1] : [1, 2, 5]
    return stride(from: first, through: last, by: every).flatMap { power in
      factors.map { $0 * pow(10, Double(power)) }
    }.filter { range.contains($0) }
  }

  /// `0.5`, `200`, `2000`, `1e12`
  static func label(_ value: Double) -> String { NumberText.plain(value) }
}
