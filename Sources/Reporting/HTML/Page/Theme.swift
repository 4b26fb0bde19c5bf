/// The colours of the page, for light and for dark surroundings. Charts name them by CSS variables.
struct Theme: Sendable {
  let background: Color
  /// Of boxes on the page.
  let surface: Color
  let text: Color
  /// Of what is said beside the matter.
  let muted: Color
  /// Of grids and borders; carries no meaning.
  let line: Color
  let accent: Color
  let good: Color
  let bad: Color
  let warning: Color
  /// Of series and of groups of phases, told apart by people who see fewer colours too, as far as eight colours can be;
  /// markers, hatching and labels say the same.
  let series: [Color]

  static let light = Theme(
    background: Color(0xFFFFFF), surface: Color(0xF5F7FA), text: Color(0x1B2128), muted: Color(0x57606B),
    line: Color(0xD5DAE1), accent: Color(0x0B5CAD), good: Color(0x146C3B), bad: Color(0xB3261E),
    warning: Color(0x8A5300),
    series: [
      Color(0x0069B4), Color(0xC04A00), Color(0x007A5E), Color(0xB0308A), Color(0x5E4B00), Color(0x00809E),
      Color(0x4B35B5), Color(0x4A4F57),
    ])

  static let dark = Theme(
    background: Color(0x0F1317), surface: Color(0x181D23), text: Color(0xE7EBF0), muted: Color(0x9EA8B3),
    line: Color(0x323A44), accent: Color(0x79B8FF), good: Color(0x63C98B), bad: Color(0xFF8A80),
    warning: Color(0xF0B84D),
    series: [
      Color(0x4FA3F0), Color(0xFF8A4C), Color(0x2FC79A), Color(0xF08AC8), Color(0xEBD04A), Color(0x9BE8FF),
      Color(0x8F7BFF), Color(0xC4CAD2),
    ])

  var css: String {
    let named = [
      ("bg", background), ("surface", surface), ("text", text), ("muted", muted), ("line", line),
      ("accent", accent), ("good", good), ("bad", bad), ("warning", warning),
    ]
    return CSS.variables(named + series.enumerated().map { ("s\($0)", $1) })
  }

  /// Light on paper and where nothing is preferred, dark on a screen that prefers it; classes `s0`, `s1` … set the
  /// colour of a series for what is inside.
  static let styleSheet = CSS(
    source: """
      :root { \(light.css) }
      @media screen and (prefers-color-scheme: dark) { :root { \(dark.css) } }
      \(light.series.indices.map { ".s\($0) { --c: var(--s\($0)); }" }.joined(separator: " "))
      """)
}
