/// The unit and the decimals that a table's times are written in: one for all of them, chosen by the longest, which
/// gets five digits.
struct TimeScale: Sendable {
  /// `µs`, `ms` or `s`.
  let unit: String
  private let nanoseconds: Double
  private let decimals: Int

  init(longestNanoseconds: Double) {
    (unit, nanoseconds) =
      switch abs(longestNanoseconds) {
      case ..<1e7: ("µs", 1e3)
      case ..<1e10: ("ms", 1e6)
      default: ("s", 1e9)
      }
    let digits = String(Int((abs(longestNanoseconds) / nanoseconds).rounded(.down))).count
    decimals = max(0, min(5 - digits, 3))
  }

  /// Without the unit, which stands in the heading.
  func text(_ nanoseconds: Double) -> String {
    let text = NumberText.fixed(nanoseconds / self.nanoseconds, decimals)
    return text.contains { $0.isWholeNumber && $0 != "0" } ? text : NumberText.fixed(0, decimals)
  }

  /// `12.345 ms`
  func words(_ nanoseconds: Double) -> String { "\(text(nanoseconds)) \(unit)" }

  /// With a sign: `-3.21`, `+0.04`.
  func signed(_ nanoseconds: Double) -> String {
    let text = text(nanoseconds)
    return nanoseconds > 0 && text != self.text(0) ? "+" + text : text
  }
}

extension NumberText {
  /// A share from 0 to 1 in per cent, with one decimal: `12.3`.
  static func percent(_ share: Double) -> String {
    let text = fixed(100 * share, 1)
    return text == "-0.0" ? "0.0" : text
  }
}
