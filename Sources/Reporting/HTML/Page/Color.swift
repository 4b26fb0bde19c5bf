import Foundation

/// A colour in sRGB.
struct Color: Sendable, Equatable {
  /// 0xRRGGBB
  let rgb: UInt32

  init(_ rgb: UInt32) { self.rgb = rgb }

  /// `#1f6fb5`
  var hex: String { "#" + String(format: "%06x", rgb) }

  /// Relative luminance, 0 to 1 (WCAG 2.2).
  var luminance: Double {
    let linear = [16, 8, 0].map { shift -> Double in
      let channel = Double((rgb >> UInt32(shift)) & 0xFF) / 255
      return channel <= 0.04045 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }

  /// Contrast ratio, 1 to 21 (WCAG 2.2): text wants 4.5, marks of a chart want 3.
  func contrast(against other: Color) -> Double {
    let lights = [luminance, other.luminance].sorted()
    return (lights[1] + 0.05) / (lights[0] + 0.05)
  }
}
