import Testing

@testable import Record
@testable import Reporting

/// What the command line chooses: thresholds and rows.
@Suite struct ComparisonChoiceTests {
  @Test func oneShareIsForEveryMetricButTheLoad() throws {
    let thresholds = try Thresholds(parsing: "3%")
    #expect(ComparedMetric.allCases.map { thresholds[$0] } == [0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.2])
    #expect(thresholds.words == "3 %, memory 3 %, load 20 %")
    #expect(Thresholds().words == "5 %, memory 2 %, load 20 %")
  }

  @Test func aMetricMayHaveAShareOfItsOwn() throws {
    let thresholds = try Thresholds(parsing: "5%,decode=2%,memory=0.01,load=50%")
    #expect(ComparedMetric.allCases.map { thresholds[$0] } == [0.02, 0.05, 0.05, 0.05, 0.05, 0.01, 0.5])
    #expect(thresholds.words == "decode 2 %, prefill 5 %, ttft 5 %, gemm 5 %, ops 5 %, memory 1 %, load 50 %")
    #expect(try Thresholds(parsing: "decode=2%,5%") == Thresholds(parsing: "5%,decode=2%"))
    let own = try Thresholds(parsing: "ttft=9%", defaults: Thresholds(speeds: 0.01, memory: 0.03))
    #expect(ComparedMetric.allCases.map { own[$0] } == [0.01, 0.01, 0.09, 0.01, 0.01, 0.03, 0.2])
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
    let known = "one of decode, prefill, ttft, gemm, ops, memory, load"
    #expect(throws: OptionError(found: "speed", expected: known)) {
      try Thresholds(parsing: "5%,speed=2%")
    }
    #expect(throws: OptionError(found: "decode=1%,decode=2%", expected: "decode once")) {
      try Thresholds(parsing: "decode=1%,decode=2%")
    }
  }

  private let label = RowFilter.label(
    Contestant(variant: "kv-cache", weights: "f32", threads: 2), .decode(tokens: 32, depth: 64, batch: 1),
    .decode)

  @Test(arguments: [
    ("kv-cache", true), ("KV", true), ("decode t2", true), ("t2  decode  kv", true), ("tg32 @ d64", true),
    ("packed,decode", true), ("packed decode", false), ("packed,memory", false), ("prefill", false),
  ])
  func aRowIsKeptByEveryWordOfOneTerm(text: String, isKept: Bool) throws {
    #expect(label == "kv-cache f32 t2 tg32 @ d64 decode")
    #expect(try RowFilter(parsing: text).keeps(label) == isKept)
    // No number is a part of another.
    let wide = "packed f32 t16 tg40 @ d128 decode"
    let parts = [("t1", false), ("t16", true), ("tg4", false), ("d1", false), ("d128", true), ("128", true)]
    for (word, isKept) in parts {
      #expect(try RowFilter(parsing: word).keeps(wide) == isKept, "\(word)")
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
