import Testing

@testable import Record
@testable import Reporting

@Suite struct ThemeTests {
  @Test(arguments: [Theme.light, .dark])
  func textAndMarksStandOutFromWhatIsBehindThem(theme: Theme) {
    for back in [theme.background, theme.surface] {
      for text in [theme.text, theme.muted, theme.accent, theme.good, theme.bad, theme.warning] {
        #expect(text.contrast(against: back) >= 4.5, "\(text.hex) on \(back.hex)")
      }
    }
    // Parts of bars carry their names in the colour of the background.
    for color in theme.series {
      #expect(color.contrast(against: theme.background) >= 4.5, "\(color.hex)")
    }
  }

  @Test func contrastIsThatOfTheStandard() {
    #expect(abs(Color(0x000000).contrast(against: Color(0xFFFFFF)) - 21) < 1e-9)
    #expect(Color(0x777777).contrast(against: Color(0x777777)) == 1)
    #expect(abs(Color(0x767676).contrast(against: Color(0xFFFFFF)) - 4.54) < 0.01)
  }

  @Test func noTwoOfManySeriesLookTheSame() {
    let looks = (0..<64).map { SeriesStyle(index: $0) }.map { "\($0.cssClass) \($0.shape)" }
    #expect(Set(looks).count == 64)
    #expect(Set((0..<8).map { SeriesStyle(index: $0).shape }).count == 8)
  }
}
