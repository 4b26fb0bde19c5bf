import Foundation
import Statistics

/// Text of numbers for tables; no locale takes part.
enum NumberText {
  /// With so many significant digits and all before the point; very small and very large values as 1.2e-13.
  static func significant(_ value: Double, _ digits: Int = 4) -> String {
    guard value != 0 else { return "0" }
    guard isPlain(value) else { return scientific(value, digits) }
    return fixed(value, decimals(value, digits))
  }

  private static func isPlain(_ value: Double) -> Bool { (1e-4..<1e12).contains(abs(value)) }

  static func scientific(_ value: Double, _ digits: Int = 2) -> String {
    value == 0 ? "0" : String(format: "%.\(max(0, digits - 1))e", value)
  }

  /// Fewer decimals than none round to tens, hundreds and so on.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard decimals < 0 else { return String(format: "%.\(decimals)f", value) }
    let unit = pow(10, Double(-decimals))
    return String(format: "%.0f", (value / unit).rounded() * unit)
  }

  /// The value in the digits that its interval supports, and the interval: `83.1 ± 0.5`; `240 (12–480)` where its ends
  /// are not as far from the value. The value alone where there is no interval.
  static func estimate(_ figure: Figure, _ digits: Int = 4) -> String {
    let value = supported(figure, digits)
    guard let interval = figure.interval, let half = figure.halfWidth else { return value }
    let decimals = hasDigits(figure) ? decimals(figure, digits) : nil
    func text(_ number: Double) -> String {
      guard let decimals else { return scientific(number) }
      let rounded = fixed(number, decimals)
      // An end of 480 beside a value of 20000 is no zero.
      return number > 0 && Double(rounded) == 0 ? significant(number, 1) : rounded
    }
    let looksSymmetric = text(figure.value - interval.lower) == text(interval.upper - figure.value)
    guard figure.isSymmetric || looksSymmetric else {
      return "\(value) (\(text(interval.lower))–\(text(interval.upper)))"
    }
    return "\(value) ± \(text(half))"
  }

  /// In the digits that the figure's interval supports, and at most so many: two digits of the interval's half. One digit
  /// of the value stays, and where there is no interval all of them.
  static func supported(_ figure: Figure, _ digits: Int = 4) -> String {
    guard hasDigits(figure) else { return scientific(figure.value, digits) }
    return fixed(figure.value, decimals(figure, digits))
  }

  /// Whether it is written as a plain number: with an interval beside it that may be no longer than this.
  private static func hasDigits(_ figure: Figure) -> Bool {
    isPlain(figure.value) && (figure.interval?.upper ?? 0) < 1e9
  }

  private static func decimals(_ figure: Figure, _ digits: Int) -> Int {
    let most = decimals(figure.value, digits)
    guard let half = figure.halfWidth, half > 0 else { return most }
    return min(most, max(1 - exponent(half, 2), -exponent(figure.value, 1)))
  }

  /// Seven significant digits without zeros at the end, for machines to read.
  static func plain(_ value: Double) -> String {
    let parts = significant(value, 7).split(separator: "e", maxSplits: 1)
    guard let mantissa = parts.first, mantissa.contains(".") else { return significant(value, 7) }
    let digits = mantissa.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return String(digits.reversed()) + parts.dropFirst().map { "e" + $0 }.joined()
  }

  static func factor(_ value: Double) -> String { significant(value, 3) + "×" }
  static func factor(_ figure: Figure) -> String { supported(figure, 3) + "×" }

  /// As `fixed`; what rounds to zero has no sign.
  static func rounded(_ value: Double, _ decimals: Int) -> String {
    let text = fixed(value, decimals)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  /// A share from 0 to 1 in per cent: `12.3 %`.
  static func percent(_ share: Double) -> String { percentValue(share) + " %" }

  /// The same without its sign, which stands in a heading or behind several: `12.3`.
  static func percentValue(_ share: Double) -> String { rounded(100 * share, 1) }

  /// A change in per cent: `+12.3 %`, `−0.4 %`.
  static func signedPercent(_ change: Double) -> String { (change < 0 ? "−" : "+") + percent(abs(change)) }

  /// Decimals that give `value`, once rounded, `digits` significant digits.
  private static func decimals(_ value: Double, _ digits: Int) -> Int {
    max(0, digits - 1 - exponent(value, digits))
  }

  /// Of ten, once `value` is rounded to so many digits.
  private static func exponent(_ value: Double, _ digits: Int) -> Int {
    String(format: "%.\(digits - 1)e", value).split(separator: "e").last.flatMap { Int($0) } ?? 0
  }
}

/// The unit and the decimals of all of a table's times, chosen by the longest, which gets five digits.
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
  func text(_ nanoseconds: Double) -> String { NumberText.rounded(nanoseconds / self.nanoseconds, decimals) }
  func words(_ nanoseconds: Double) -> String { "\(text(nanoseconds)) \(unit)" }

  /// With a sign: `-3.21`, `+0.04`.
  func signed(_ nanoseconds: Double) -> String {
    let text = text(nanoseconds)
    return nanoseconds > 0 && text != self.text(0) ? "+" + text : text
  }
}

extension Interval {
  /// `0.797 to 0.803`
  func words(_ text: (Double) -> String = { NumberText.fixed($0, 3) }) -> String {
    "\(text(lower)) to \(text(upper))"
  }
}

/// `1 thread`, `2 threads`, `2 passes`.
func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// `474.7 MiB`
func mebibytes(_ bytes: Int, _ digits: Int = 4) -> String {
  NumberText.significant(Double(bytes) / 1_048_576, digits) + " MiB"
}

/// A bar of at most `width` characters for `share` of the longest, in eighths of a character.
func bar(share: Double, width: Int) -> String {
  guard share.isFinite else { return "" }
  let eighths = Int((min(max(share, 0), 1) * Double(width) * 8).rounded())
  let full = String(repeating: "█", count: eighths / 8)
  let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
  return full.isEmpty && rest.isEmpty ? "▏" : full + rest
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
  func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

  /// In lines of at most `width` characters, broken between words, and in a word that is longer; all but the first
  /// begin with `indent` blanks.
  public func wrapped(to width: Int, indent: Int = 2) -> String {
    let width = max(width, indent + 1)
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ") {
      let joined = line.isEmpty ? String(word) : "\(line) \(word)"
      if joined.count <= width {
        line = joined
        continue
      }
      if !line.allSatisfy({ $0 == " " }) { lines.append(line) }
      line = (lines.isEmpty ? "" : String(repeating: " ", count: indent)) + word
      while line.count > width {
        lines.append(String(line.prefix(width)))
        line = String(repeating: " ", count: indent) + line.dropFirst(width)
      }
    }
    return (lines + [line]).joined(separator: "\n")
  }

  /// With `…` in place of its middle where it is longer than `width`: names often differ at either end.
  func shortened(to width: Int) -> String {
    guard count > width, width > 0 else { return self }
    let kept = width - 1
    return prefix(kept - kept / 2) + "…" + suffix(kept / 2)
  }

  var trimmedEnd: String { String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)]) }
}
