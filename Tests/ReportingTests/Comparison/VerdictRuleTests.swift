import Statistics
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct VerdictRuleTests {
  /// What decides a verdict; a fifth slower beyond doubt unless said otherwise.
  struct Evidence: Sendable {
    var ratio = 0.8
    var interval = (0.78, 0.82)
    var p = 0.01
    var threshold = 0.05
    var floor: Double? = 0.03
    var tolerance: Double?

    var judgement: VerdictRule.Judgement {
      VerdictRule(threshold: threshold, tolerance: tolerance, noiseFloor: floor).judgement(
        of: Figure(value: ratio, interval: Interval(lower: interval.0, upper: interval.1)), adjustedPValue: p,
        fewestSamples: 10)
    }

    /// The same with base and head swapped.
    var swapped: Evidence {
      var copy = self
      copy.ratio = 1 / ratio
      copy.interval = (1 / interval.1, 1 / interval.0)
      return copy
    }
  }

  typealias Case = (evidence: Evidence, verdict: Verdict, mirrored: Verdict, reason: String?)

  static let cases: [Case] = [
    (Evidence(), .regressed, .improved, nil),
    (Evidence(floor: nil), .regressed, .improved, nil),
    // Each condition alone.
    (
      Evidence(interval: (0.78, 1.01)), .inconclusive, .inconclusive,
      "the interval reaches across 1"
    ),
    (Evidence(p: 0.05), .inconclusive, .inconclusive, "p = 0.050 after Holm"),
    (Evidence(p: 0.0499), .regressed, .improved, nil),
    (
      Evidence(floor: 0.21), .inconclusive, .inconclusive,
      "the change is below the noise floor of 21 %"
    ),
    (Evidence(floor: 0.19), .regressed, .improved, nil),
    (
      Evidence(threshold: 0.21), .inconclusive, .inconclusive,
      "the interval reaches across the threshold of 21 %"
    ),
    (Evidence(threshold: 0.19), .regressed, .improved, nil),
    // All but the threshold.
    (
      Evidence(interval: (0.5, 1.2), p: 0.4, floor: 0.3), .inconclusive, .inconclusive,
      "the interval reaches across 1; p = 0.40 after Holm; the change is below the noise floor of 30 %"
    ),
    // Within the threshold, whatever the machine does.
    (Evidence(ratio: 0.97, interval: (0.96, 0.98), p: 1e-6), .unchanged, .unchanged, nil),
    // Beyond a tolerance: neither the same nor enough.
    (
      Evidence(ratio: 0.97, interval: (0.96, 0.98), p: 1e-6, tolerance: 0.02), .inconclusive, .inconclusive,
      "a change beyond 2.0 %, below the threshold of 5.0 %"
    ),
    (Evidence(ratio: 0.985, interval: (0.97, 0.99), p: 1e-6, tolerance: 0.02), .unchanged, .unchanged, nil),
    (Evidence(ratio: 0.97, interval: (0.96, 1.001), p: 1e-6, tolerance: 0.02), .unchanged, .unchanged, nil),
    (Evidence(ratio: 0.97, interval: (0.96, 0.98), p: 0.05, tolerance: 0.02), .unchanged, .unchanged, nil),
    (Evidence(ratio: 0.97, interval: (0.951, 0.98), p: 0.9, floor: 0.4), .unchanged, .unchanged, nil),
    (
      Evidence(ratio: 0.97, interval: (0.949, 0.98)), .inconclusive, .inconclusive,
      "the interval reaches across the threshold of 5.0 %"
    ),
    (
      Evidence(ratio: 1, interval: (0.94, 1.06), p: 0.9), .inconclusive, .inconclusive,
      "the interval reaches across the threshold of 5.0 %"
    ),
  ]

  @Test(arguments: cases.indices)
  func everyConditionHoldsAndSwappingSidesSwapsTheVerdict(index: Int) {
    let (evidence, verdict, mirrored, reason) = Self.cases[index]
    expectEqual(evidence.judgement, .init(verdict: verdict, reason: reason))
    expectEqual(evidence.swapped.judgement, .init(verdict: mirrored, reason: reason))
  }

  @Test func withoutAnIntervalOrAPValueNothingIsSaid() {
    let rule = VerdictRule(threshold: 0.05)
    let reason = "n = 2, at least 3 needed"
    expectEqual(
      rule.judgement(of: Figure(value: 0.1), adjustedPValue: 0.001, fewestSamples: 2),
      .init(verdict: .inconclusive, reason: reason))
    expectEqual(
      rule.judgement(of: nil, adjustedPValue: nil, fewestSamples: 2),
      .init(verdict: .inconclusive, reason: reason))
  }

  @Test func oneValueASideIsJudgedByTheThresholdAlone() {
    for (ratio, verdict) in [
      (0.97, Verdict.regressed), (0.981, .unchanged), (1, .unchanged), (1.02, .unchanged), (1.03, .improved),
    ] {
      expectEqual(VerdictRule.verdict(of: ratio, beyond: 0.02), verdict)
    }
  }

  private func row(p: Double?, ratio: Double = 1, verdict: Verdict = .inconclusive) -> ComparisonRow {
    ComparisonRow(
      contestant: MeasuredVariant(variant: "v", weights: "f32", threads: 1), test: Fixture.decode,
      metric: .decodeRate,
      baseSamples: 10, headSamples: 10,
      ratio: Figure(value: ratio, interval: Interval(lower: ratio * 0.99, upper: ratio * 1.01)), pValue: p,
      threshold: 0.05, verdict: verdict)
  }

  @Test func oneFalseRowAmongTwentyIsNoRegression() throws {
    let unlucky = row(p: 0.01, ratio: 0.9)
    expectEqual([unlucky].judged()[0].verdict, .regressed)
    let many = ([unlucky] + (1..<20).map { _ in row(p: 0.4) }).judged()
    expectEqual(many[0].verdict, .inconclusive)
    expectEqual(many[0].reason, "p = 0.20 after Holm")
    #expect(abs(try #require(many[0].adjustedPValue) - 0.2) < 1e-12)
    #expect(many.dropFirst().allSatisfy { $0.verdict == .unchanged })
    let real = ([row(p: 0.001, ratio: 0.9)] + (1..<20).map { _ in row(p: 0.4) }).judged()
    expectEqual(real[0].verdict, .regressed)
  }

  @Test func whatWasNotTestedKeepsItsVerdictAndDoesNotWeighOnTheOthers() {
    let untested = row(p: nil, ratio: 0.5, verdict: .failed)
    let rows = ([row(p: 0.04, ratio: 0.9)] + (1..<20).map { _ in untested }).judged()
    expectEqual(rows[0].verdict, .regressed)
    #expect(rows[1...].allSatisfy { $0.verdict == .failed && $0.adjustedPValue == nil })
  }
}

/// What the command line chooses: thresholds and rows.
struct ComparisonChoiceTests {
  @Test func oneShareIsForEveryMetricButTheLoad() throws {
    let thresholds = try Thresholds(parsing: "3%")
    expectEqual(Metric.compared.map { thresholds[$0] }, [0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.2])
    expectEqual(thresholds.words, "3 %, memory 3 %, load 20 %")
    expectEqual(Thresholds().words, "5 %, memory 2 %, load 20 %")
  }

  @Test func aMetricMayHaveAShareOfItsOwn() throws {
    let thresholds = try Thresholds(parsing: "5%,decode=2%,memory=0.01,load=50%")
    expectEqual(Metric.compared.map { thresholds[$0] }, [0.02, 0.05, 0.05, 0.05, 0.05, 0.05, 0.01, 0.5])
    expectEqual(
      thresholds.words,
      "decode 2 %, prefill 5 %, ttft 5 %, train 5 %, gemm 5 %, ops 5 %, memory 1 %, load 50 %")
    try expectEqual(Thresholds(parsing: "decode=2%,5%"), Thresholds(parsing: "5%,decode=2%"))
    let own = try Thresholds(parsing: "ttft=9%", defaults: Thresholds(speeds: 0.01, memory: 0.03))
    expectEqual(Metric.compared.map { own[$0] }, [0.01, 0.01, 0.09, 0.01, 0.01, 0.01, 0.03, 0.2])
  }

  /// Of a build that did not know training yet.
  @Test func aRecordsThresholdsAreForMetricsThatCameLater() throws {
    let text = "decode=0.03,prefill=0.03,ttft=0.03,gemm=0.03,ops=0.03,memory=0.01,load=0.25"
    let thresholds = try Thresholds(recorded: text)
    expectEqual(thresholds[.trainingRate], 0.03)
    expectEqual(thresholds.words, "3 %, memory 1 %, load 25 %")
  }

  @Test(arguments: ["-1%", "100%", "1", "5", "%", "x", "", "nan", "inf", "5 %"])
  func whatIsNoShareIsRefused(text: String) {
    let error = OptionError(found: text, expected: "a share such as 5% or 0.05, below 100%")
    #expect(throws: error) { try Thresholds(parsing: text) }
    #expect(throws: error) { try Thresholds(parsing: "decode=" + text) }
  }

  @Test func twoSharesForAllMetricsAreRefused() {
    for text in ["5%,", "5%,3%", "5%,decode=1%,3%"] {
      #expect(
        throws: OptionError(
          found: text, expected: "one share for all metrics, the others as decode=2%")
      ) { try Thresholds(parsing: text) }
    }
  }

  @Test func anUnknownMetricNamesTheKnownOnes() {
    let known = "one of decode, prefill, ttft, train, gemm, ops, memory, load"
    #expect(throws: OptionError(found: "speed", expected: known)) {
      try Thresholds(parsing: "5%,speed=2%")
    }
    #expect(throws: OptionError(found: "decode=1%,decode=2%", expected: "decode once")) {
      try Thresholds(parsing: "decode=1%,decode=2%")
    }
  }

  private let label = RowFilter.label(
    MeasuredVariant(variant: "kv-cache", weights: "f32", threads: 2),
    .decode(tokens: 32, depth: 64, batch: 1),
    .decodeRate)

  @Test(arguments: [
    ("kv-cache", true), ("KV", true), ("decode t2", true), ("t2  decode  kv", true), ("tg32 @ d64", true),
    ("packed,decode", true), ("packed decode", false), ("packed,memory", false), ("prefill", false),
  ])
  func aRowIsKeptByEveryWordOfOneTerm(text: String, isKept: Bool) throws {
    expectEqual(label, "kv-cache f32 t2 tg32 @ d64 decode")
    try expectEqual(RowFilter(parsing: text).keeps(label), isKept)
    // No number is a part of another.
    let wide = "packed f32 t16 tg40 @ d128 decode"
    let parts = [("t1", false), ("t16", true), ("tg4", false), ("d1", false), ("d128", true), ("128", true)]
    for (word, isKept) in parts {
      try expectEqual(RowFilter(parsing: word).keeps(wide), isKept, "\(word)")
    }
  }

  @Test(arguments: ["", " ", "a,", ",a", "a,,b"])
  func aTermWithoutWordsIsRefused(text: String) {
    #expect(
      throws: OptionError(
        found: text, expected: "words of a row's label, such as \"packed decode,memory\"")
    ) { try RowFilter(parsing: text) }
  }
}
