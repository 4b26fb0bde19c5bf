import Foundation

struct Scale: Sendable, Equatable {
  enum Kind: Sendable, Equatable { case linear, logarithmic }

  let kind: Kind
  /// Values at the ends; above zero on a logarithmic scale, and never the same.
  let lower: Double
  let upper: Double
  /// Coordinates of both; `end` lies left of or above `start` where the axis runs that way.
  let start: Double
  let end: Double
  private(set) var hasWholeTicks = false

  /// A linear scale from zero, for lengths that are compared: the upper end is a tick.
  static func fromZero(to most: Double, start: Double, end: Double) -> Scale {
    let most = most < largest && most > 0 ? most : 1
    let step = Ticks.step(most, wanted: 5)
    let upper = (most / step - 1e-9).rounded(.up) * step
    return Scale(kind: .linear, lower: 0, upper: upper, start: start, end: end)
  }

  /// A linear scale between the ticks around the values.
  static func around(_ values: [Double], start: Double, end: Double) -> Scale {
    guard let (least, most) = Self.extent(values) else { return fromZero(to: 1, start: start, end: end) }
    let span = most > least ? most - least : max(abs(most), 1)
    let step = Ticks.step(span, wanted: 5)
    let lower = (least / step + 1e-9).rounded(.down) * step
    let upper = (most / step - 1e-9).rounded(.up) * step
    return Scale(
      kind: .linear, lower: lower, upper: upper > lower ? upper : lower + step, start: start, end: end)
  }

  /// A logarithmic scale around the values above zero, with a little room at both ends.
  static func logarithmic(_ values: [Double], room: Double = 1.15, start: Double, end: Double) -> Scale {
    guard let (least, most) = Self.extent(values.filter { $0 > 1 / largest }) else {
      return Scale(kind: .logarithmic, lower: 1, upper: 10, start: start, end: end)
    }
    return Scale(kind: .logarithmic, lower: least / room, upper: most * room, start: start, end: end)
  }

  /// What an axis's title says of it.
  var remark: String { kind == .logarithmic ? ", logarithmic" : "" }

  func position(_ value: Double) -> Double {
    let share =
      switch kind {
      case .linear: (value - lower) / (upper - lower)
      case .logarithmic: log(max(value, .leastNormalMagnitude) / lower) / log(upper / lower)
      }
    return start + share * (end - start)
  }

  func clamped(_ value: Double) -> Double { position(min(max(value, lower), upper)) }

  var ticks: [Double] {
    let ticks = kind == .linear ? Ticks.linear(lower...upper) : Ticks.logarithmic(lower...upper)
    return hasWholeTicks ? ticks.filter { $0 == $0.rounded() } : ticks
  }

  var withWholeTicks: Scale {
    var scale = self
    scale.hasWholeTicks = true
    return scale
  }

  /// Beyond any quantity that is measured, and far from where arithmetic overflows.
  private static let largest = 1e100

  private static func extent(_ values: [Double]) -> (Double, Double)? {
    let finite = values.filter { abs($0) < largest }
    return finite.min().flatMap { least in finite.max().map { (least, $0) } }
  }
}

enum Ticks {
  /// The step 1, 2 or 5 × 10ⁿ that cuts `span` into at most `wanted` parts.
  static func step(_ span: Double, wanted: Int) -> Double {
    guard span.isFinite, span > 0 else { return 1 }
    let rough = span / Double(max(wanted, 1))
    let power = pow(10, log10(rough).rounded(.down))
    let least = rough * (1 - 1e-9)
    let factor = ([1, 2, 5] as [Double]).first { $0 * power >= least } ?? 10
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

  /// Powers of ten; over three of them or fewer also 2 and 5 times these; over less than a factor of three a round
  /// step.
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
}
