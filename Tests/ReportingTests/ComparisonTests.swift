import Foundation
import Testing

@testable import Reporting

@Suite struct ComparisonTests {
  private let base = Fixture.small()

  private func decodeRow(_ comparison: Comparison, _ variant: String = "kv-cache") throws -> ComparisonRow {
    try #require(comparison.rows.first { $0.metric == .decode && $0.contestant.variant == variant })
  }

  private func head(kvCacheSteps: [Double]) -> Record {
    var head = base
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: kvCacheSteps)
    return head
  }

  @Test func aRecordAgainstItselfIsUnchanged() {
    let comparison = Comparison(base: base, head: base)
    #expect(comparison.rows.count == 10)
    #expect(comparison.rows.allSatisfy { $0.verdict == .unchanged && $0.ratio?.value == 1 })
    #expect(comparison.warnings.isEmpty && comparison.unmatched.isEmpty && comparison.failures.isEmpty)
    #expect(comparison.exitCode == 0)
  }

  @Test func aRepeatedRunWithLittleNoiseIsUnchanged() throws {
    let tight = head(kvCacheSteps: [2, 2.01, 2.02])
    let again = head(kvCacheSteps: [2.01, 2.02, 2.03])
    let row = try decodeRow(Comparison(base: tight, head: again))
    #expect(row.verdict == .unchanged)
    #expect(row.reason == nil)
    let interval = try #require(row.ratio?.interval)
    #expect(interval.lower > 0.95 && interval.upper < 1.05)
  }

  @Test func aSlowdownBeyondTheThresholdIsARegression() throws {
    let comparison = Comparison(base: base, head: head(kvCacheSteps: [2.4, 2.52, 2.64]))
    let row = try decodeRow(comparison)
    #expect(abs(try #require(row.ratio).value - 1 / 1.2) < 1e-9)
    #expect(row.verdict == .regressed)
    #expect(comparison.exitCode == 3)
  }

  @Test func aSpeedupIsAnImprovementAndSwappingSidesSwapsTheVerdict() throws {
    let fast = head(kvCacheSteps: [1.6, 1.68, 1.76])
    let forward = Comparison(base: base, head: fast)
    #expect(try decodeRow(forward).verdict == .improved)
    #expect(forward.exitCode == 0)
    #expect(try decodeRow(Comparison(base: fast, head: base)).verdict == .regressed)
  }

  @Test func aSlowdownWithinTheThresholdDoesNotCount() throws {
    let tight = head(kvCacheSteps: [2, 2.001, 2.002])
    let slower = head(kvCacheSteps: [2.06, 2.061, 2.062])
    #expect(try decodeRow(Comparison(base: tight, head: slower)).verdict == .unchanged)
    let strict = Comparison(base: tight, head: slower, threshold: 0.01)
    #expect(try decodeRow(strict).verdict == .regressed)
    #expect(strict.exitCode == 3)
  }

  @Test func noiseIsInconclusive() throws {
    let comparison = Comparison(base: base, head: head(kvCacheSteps: [1.5, 2.6, 3.5]))
    let row = try decodeRow(comparison)
    #expect(row.verdict == .inconclusive)
    #expect(row.reason == "the interval reaches across the threshold")
    #expect(comparison.exitCode == 5)
  }

  @Test func tooFewSamplesAreInconclusiveHoweverLargeTheChange() throws {
    let comparison = Comparison(base: base, head: head(kvCacheSteps: [20, 20]))
    let row = try decodeRow(comparison)
    #expect(row.verdict == .inconclusive)
    #expect(row.reason == "n=2, at least 3 needed")
    #expect(row.ratio?.interval == nil)
    #expect(abs(try #require(row.ratio).value - 0.105) < 1e-9)
    #expect(comparison.exitCode == 5)
  }

  @Test func memoryIsJudgedByTheThresholdAndLoadingOnlyShown() throws {
    var head = base
    for index in head.cells.indices where head.cells[index].variant == "kv-cache" {
      head.cells[index].peakMemoryBytes = 60_000_000
      head.cells[index].load?.warmNanoseconds = 9_000_000
    }
    let comparison = Comparison(base: base, head: head)
    let memory = try #require(
      comparison.rows.first { $0.metric == .peakMemory && $0.contestant.variant == "kv-cache" })
    #expect(memory.verdict == .regressed)
    #expect(memory.test == nil)
    let load = try #require(
      comparison.rows.first { $0.metric == .warmLoad && $0.contestant.variant == "kv-cache" })
    #expect(load.verdict == .regressed && !load.counts)
    #expect(comparison.exitCode == 3)
    for index in head.cells.indices { head.cells[index].peakMemoryBytes = base.cells[0].peakMemoryBytes }
    #expect(Comparison(base: base, head: head).exitCode == 0)
  }

  @Test func aHeadThatFailsItsCheckExitsWithFour() throws {
    var head = base
    head.cells[3] = Fixture.emptyCell("kv-cache", .failedCheck, message: nil)
    head.cells.remove(at: 2)
    head.correctness[1] = Fixture.failedCheck("kv-cache")
    let comparison = Comparison(base: base, head: head)
    let row = try decodeRow(comparison)
    #expect(row.verdict == .failed)
    #expect(row.head == nil && row.ratio == nil)
    #expect(row.reason == "head failed its check: tiny: max abs error 0.5 > 1e-4")
    #expect(comparison.failures == ["`kv-cache`: tiny: max abs error 0.5 > 1e-4"])
    #expect(comparison.exitCode == 4)
  }

  @Test func aCheckThatOnlyTheHeadMadeAndFailedCountsToo() {
    var head = base
    head.correctness.append(Fixture.failedCheck("new-variant"))
    #expect(Comparison(base: base, head: head).exitCode == 4)
  }

  @Test func aRegressionOutweighsAFailedCheckAndThatAnInconclusiveRow() {
    var head = head(kvCacheSteps: [4, 4.1, 4.2])
    head.correctness.append(Fixture.failedCheck("new-variant"))
    #expect(Comparison(base: base, head: head).exitCode == 3)
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: [1, 9])
    #expect(Comparison(base: base, head: head).exitCode == 4)
  }

  @Test func aHeadThatDiedIsInconclusiveWithItsReason() throws {
    var head = base
    head.cells[3] = Fixture.emptyCell("kv-cache", .died, message: "signal 11")
    let comparison = Comparison(base: base, head: head)
    #expect(try decodeRow(comparison).reason == "head has no figure: its process died: signal 11")
    #expect(comparison.exitCode == 5)
  }

  @Test func rowsWithoutACounterpartAreListed() {
    var head = base
    head.cells.remove(at: 3)
    head.cells.append(Fixture.decodeCell("packed", stepMilliseconds: [1, 1, 1]))
    var old = base
    old.cells.append(Fixture.emptyCell("tiled", .hung, message: "60 s"))
    head.cells.append(Fixture.decodeCell("tiled", stepMilliseconds: [1, 1, 1]))
    let comparison = Comparison(base: old, head: head)
    #expect(
      comparison.unmatched == [
        "`kv-cache` (1 thread) on tg5 @ d64: only in base",
        "`tiled` (1 thread) on tg5 @ d64: only in head; base has no figure: its process hung: 60 s",
        "`packed` (1 thread) on tg5 @ d64: only in head",
      ])
    #expect(comparison.exitCode == 0)
  }

  @Test func nothingInCommonIsInconclusive() {
    let gemm = Fixture.record(kind: .gemm, cells: [Fixture.gemmCell("v", m: 1, milliseconds: [1, 1, 1])])
    let comparison = Comparison(base: base, head: gemm)
    #expect(comparison.rows.isEmpty)
    #expect(comparison.exitCode == 5)
    #expect(comparison.markdown.contains("**Nothing could be compared.** Threshold 5 %, exit code 5."))
    #expect(Comparison(base: Fixture.record(), head: Fixture.record()).exitCode == 5)
  }

  @Test func differencesThatForbidAComparisonAreWarnedOf() {
    var head = base
    head.machine.cpu = "Another CPU"
    head.model?.name = "synthetic:gpt2"
    head.build.vectorBits = 512
    head.build.cpuFlag = "-march=native"
    head.isComplete = false
    #expect(
      Comparison(base: base, head: head).warnings == [
        "Not comparable: the model differs: base synthetic:tiny (140928 parameters), head synthetic:gpt2 (140928 parameters).",
        "Not comparable: the CPU differs: base Example CPU, head Another CPU.",
        "Not comparable: the vector width differs: base 256 bits, head 512 bits.",
        "Not comparable: the CPU flag differs: base -march=x86-64-v3, head -march=native.",
        "The head record is incomplete.",
      ])
  }

  @Test func geometricMeansAreTakenPerMetric() throws {
    let comparison = Comparison(base: base, head: head(kvCacheSteps: [0.5, 0.525, 0.55]))
    let decode = try #require(comparison.geometricMeans.first { $0.metric == "decode tok/s" })
    #expect(decode.count == 2)
    #expect(abs(decode.ratio - 2) < 1e-9)
  }

  @Test(arguments: [
    (0.9, 0.85, 0.94, Verdict.regressed), (0.9, 0.85, 1.0, .inconclusive), (0.96, 0.955, 0.97, .unchanged),
    (0.96, 0.94, 0.97, .inconclusive), (1.1, 1.01, 1.2, .improved), (1.1, 0.99, 1.2, .inconclusive),
    (1, 0.95, 1.05, .unchanged), (1, 0.94, 1.05, .inconclusive),
  ])
  func theRuleOfTheVerdict(ratio: Double, lower: Double, upper: Double, expected: Verdict) {
    #expect(VerdictRule(threshold: 0.05).verdict(ratio: ratio, interval: (lower, upper)) == expected)
  }
}
