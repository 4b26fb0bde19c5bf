import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ScaleTests {
  @Test(arguments: [
    (80.0, 5, 20.0), (100, 5, 20), (61.15, 5, 20), (1.0, 5, 0.2), (0.03, 5, 0.01), (1529, 5, 500), (7, 7, 1),
    (5, 5, 1),
  ])
  func stepsAreRound(span: Double, wanted: Int, expected: Double) {
    #expect(abs(Ticks.step(span, wanted: wanted) / expected - 1) < 1e-12)
  }

  @Test func stepsOfNothingAreOne() {
    expectEqual([0, -1, .nan, .infinity].map { Ticks.step($0, wanted: 5) }, [1, 1, 1, 1])
  }

  @Test func linearTicksAreTheMultiplesWithin() {
    expectEqual(Ticks.linear(0...80), [0, 20, 40, 60, 80])
    expectEqual(Ticks.linear(0...1).map(NumberText.plain), ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    expectEqual(Ticks.linear(17...129), [50, 100])
  }

  @Test func logarithmicTicksThinOutAsTheRangeGrows() {
    expectEqual(Ticks.logarithmic(0.9...110), [1, 2, 5, 10, 20, 50, 100])
    expectEqual(Ticks.logarithmic(0.5...20_000).map(NumberText.plain), ["1", "10", "100", "1000", "10000"])
    expectEqual(Ticks.logarithmic(15...25), [15, 20, 25])
    #expect(Ticks.logarithmic(1e-9...1e9).count < 8)
  }

  @Test func lengthsStartAtZeroAndEndAtATick() {
    let scale = Scale.fromZero(to: 61.15, start: 0, end: 400)
    expectEqual(scale.upper, 80)
    expectEqual(scale.position(0), 0)
    expectEqual(scale.position(80), 400)
    expectEqual(scale.position(20), 100)
    expectEqual(Scale.fromZero(to: 80, start: 0, end: 1).upper, 80)
    expectEqual(Scale.fromZero(to: 0, start: 0, end: 1).upper, 1)
    expectEqual(Scale.fromZero(to: .nan, start: 0, end: 1).upper, 1)
  }

  @Test func logarithmsAreEvenlySpacedAndMayRunUpwards() {
    let scale = Scale(kind: .logarithmic, lower: 1, upper: 1000, start: 300, end: 0)
    expectEqual([1, 10, 100, 1000].map(scale.position).map { $0.rounded() }, [300, 200, 100, 0])
    expectEqual(scale.clamped(0), 300)
    expectEqual(scale.clamped(1e9).rounded(), 0)
  }

  @Test func scalesOfOneValueOrNoneHaveASpan() {
    for values in [[], [5], [5, 5], [0], [.nan], [-3]] as [[Double]] {
      for scale in [
        Scale.around(values, start: 0, end: 100), .logarithmic(values, start: 0, end: 100),
      ] {
        #expect(scale.upper > scale.lower)
        #expect(scale.position(5).isFinite)
        #expect(scale.ticks.allSatisfy { (scale.lower...scale.upper).contains($0) || abs($0) < 1e-9 })
      }
    }
  }

  @Test func coordinatesAreShort() {
    expectEqual(
      [0, 1, 1.26, -0.04, -0.5, 399.96, .nan].map(coordinate), ["0", "1", "1.3", "0", "-0.5", "400", "0"])
  }

  @Test func textIsCutWhereItWouldNotFit() {
    expectEqual(TextWidth.fitted("packed", to: 100), "packed")
    let cut = TextWidth.fitted(String(repeating: "m", count: 99), to: 100)
    #expect(cut.hasSuffix("…") && TextWidth.of(cut) <= 100)
  }

  @Test func namesBesidePointsCoverNeitherPointsNorEachOther() {
    var places = LabelPlaces(left: 0, right: 400, top: 0, bottom: 400)
    places.block(x: 200, y: 100)
    let markup = (0..<20).compactMap { _ in places.place("projection", besideX: 200, y: 100) }
    #expect((1...8).contains(markup.count))
    var narrow = LabelPlaces(left: 190, right: 210, top: 0, bottom: 400)
    expectNil(narrow.place("projection", besideX: 200, y: 100))
  }
}

struct RooflineChartTests {
  /// Two levels that give nearly the same lie nearly on each other: one name is for both.
  @Test(arguments: [ChartWidth.narrow, .half, .whole])
  func namesOfLevelsNeverLieOnEachOther(width: ChartWidth) {
    let point = RooflineChart.Point(name: "QKV", intensity: 0.5, gflops: 15, isLabelled: true)
    let series = RooflineChart.Series(name: "a", points: [point], style: SeriesStyle(index: 0))
    let chart = RooflineChart(
      series: [series],
      peaks: [("FMA peak", 236), ("bf16 products (avx512_bf16)", 470), ("int8 products (avx512_vnni)", 930)],
      slopes: [("L2", 231), ("L3", 199), ("DRAM", 35.3)])
    let marks = chart.drawn(width: width.rawValue, id: "x").marks.map(\.source)
    expectEqual(marks.count { $0.contains(">L2 231, L3 199 GB/s<") }, 1)
    expectEqual(marks.count { $0.contains(">DRAM 35.3 GB/s<") }, 1)
    expectEqual(marks.count { $0.contains(">QKV<") }, 1)
    #expect(!marks.contains { $0.contains("rotate") })
    expectEqual(marks.count { $0.contains("class=\"roof\"") }, 3)
    for peak in ["FMA peak 236", "bf16 products (avx512_bf16) 470", "int8 products (avx512_vnni) 930"] {
      expectEqual(marks.count { $0.contains(">\(peak) GFLOP/s<") }, 1)
    }
  }
}

struct ThemeTests {
  @Test(arguments: [Theme.light, .dark])
  func textAndMarksStandOutFromWhatIsBehindThem(theme: Theme) {
    for back in [theme.background, theme.surface] {
      for text in [theme.text, theme.muted, theme.accent, theme.good, theme.bad, theme.warning] {
        #expect(text.contrast(against: back) >= 4.5, "\(text.hex) on \(back.hex)")
      }
    }
    for color in theme.series {
      #expect(color.contrast(against: theme.background) >= 4.5, "\(color.hex)")
    }
    // Parts of bars carry their names.
    for color in theme.phases {
      #expect(theme.text.contrast(against: color) >= 4.5, "\(color.hex)")
    }
  }

  @Test(arguments: [Theme.light, .dark])
  func noPhaseLooksLikeAContestant(theme: Theme) {
    for phase in theme.phases {
      for series in theme.series {
        #expect(phase.contrast(against: series) >= 1.5, "\(phase.hex) and \(series.hex)")
      }
    }
    expectEqual(Set((theme.phases + theme.series).map(\.hex)).count, theme.phases.count + theme.series.count)
  }

  @Test func contrastIsThatOfTheStandard() {
    #expect(abs(Color(0x000000).contrast(against: Color(0xFFFFFF)) - 21) < 1e-9)
    expectEqual(Color(0x777777).contrast(against: Color(0x777777)), 1)
    #expect(abs(Color(0x767676).contrast(against: Color(0xFFFFFF)) - 4.54) < 0.01)
  }

  @Test func noTwoOfManySeriesLookTheSame() {
    let looks = (0..<64).map { SeriesStyle(index: $0) }.map { "\($0.cssClass) \($0.shape)" }
    expectEqual(Set(looks).count, 64)
    expectEqual(Set((0..<8).map { SeriesStyle(index: $0).shape }).count, 8)
  }
}

extension Color {
  /// Relative luminance, 0 to 1 (WCAG 2.2).
  private var luminance: Double {
    let linear = [16, 8, 0].map { shift -> Double in
      let channel = Double((rgb >> UInt32(shift)) & 0xFF) / 255
      return channel <= 0.04045 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }

  /// Contrast ratio, 1 to 21 (WCAG 2.2): text wants 4.5, marks of a chart want 3.
  fileprivate func contrast(against other: Color) -> Double {
    let lights = [luminance, other.luminance].sorted()
    return (lights[1] + 0.05) / (lights[0] + 0.05)
  }
}
