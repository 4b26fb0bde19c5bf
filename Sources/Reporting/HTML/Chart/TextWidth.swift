/// How wide text comes out in a chart, before any browser has set it: a little too wide rather than too narrow.
enum TextWidth {
  static let size = 12.0
  static let small = 11.0

  /// In the chart's units, for a font of `size`.
  static func of(_ text: String, size: Double = size) -> Double {
    text.unicodeScalars.reduce(0) { width, scalar in
      switch scalar {
      case "i", "l", "j", "t", "f", "I", ".", ",", ":", ";", "'", "|", " ", "(", ")", "-": width + 0.36 * size
      case "m", "w", "M", "W", "%", "@": width + 0.9 * size
      case "\u{0}"..<"\u{2E80}": width + 0.6 * size
      default: width + size
      }
    }
  }

  /// The text, or as much of it as fits with `…` behind it.
  static func fitted(_ text: String, to width: Double, size: Double = size) -> String {
    guard of(text, size: size) > width else { return text }
    var left = width - of("…", size: size)
    let kept = text.prefix { character in
      left -= of(String(character), size: size)
      return left >= 0
    }
    return kept + "…"
  }
}
