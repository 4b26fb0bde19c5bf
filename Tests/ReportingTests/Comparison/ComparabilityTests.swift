import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// Two records of different machines, builds, models or choices.
struct ComparabilityTests {
  private let base = Fixture.comparable()

  /// Another machine with ceilings twice as high, on which everything takes half the time; `kv-cache` decodes in
  /// `factor` times that.
  private func elsewhere(kvCacheDecode factor: Double) -> Record {
    var head = Fixture.comparable(
      Slowdown(naive: 0.5, kvCacheDecode: 0.5 * factor, kvCachePrefill: 0.5, load: 0.5, machine: 0.5), run: 1)
    head.machine.cpu = "Other CPU"
    return head
  }

  @Test func everyDifferenceIsNamed() {
    var head = base
    head.machine.cpu = "Other CPU"
    head.machine.logicalCores = 8
    head.machine.governor = "powersave"
    head.build.compiler = "Swift 7"
    head.build.configuration = "debug"
    head.build.cpuFlag = "-march=native"
    head.build.vectorBits = 512
    head.settings.suite = nil
    head.cells[3].threads = 2
    head.isComplete = false
    expectEqual(
      Comparison(base: base, head: head).warnings,
      [
        "The CPU differs: base Example CPU, head Other CPU.",
        "The number of logical cores differs: base 2, head 8.",
        "The governor differs: base unknown, head powersave.",
        "The compiler differs: base Swift 6.3, head Swift 7.",
        "The configuration differs: base release, head debug.",
        "The CPU flag differs: base -march=x86-64-v3, head -march=native.",
        "The vector width differs: base 256 bits, head 512 bits.",
        "Times do not carry over: speeds are compared in percent of the ceilings that each run measured itself. What "
          + "has no ceiling is not judged.",
        "The suite differs: base quick, head none. Only what both have is compared.",
        "The set of thread counts differs: base 1, head 1, 2. Only what both have is compared.",
        "The head record is incomplete.",
        "In the head's run: this is a debug build of the command; time release builds: swift run -c release.",
      ])
  }

  /// Cores that a hypervisor put elsewhere are told of; what lies within the limit, and what nobody measured, is not.
  @Test func coresThatLayElsewhereAreTold() {
    func moved(_ nanoseconds: [Double]?, from base: [Double]?) -> [String] {
      func record(_ ways: [Double]?) -> Record {
        var record = self.base
        record.conditions = Fixture.quietConditions()
        record.conditions?.coreToCore = ways?.map { CoreToCoreSample(atSeconds: 0, nanoseconds: $0) }
        return record
      }
      return Comparison(base: record(base), head: record(nanoseconds)).warnings
    }
    expectEqual(
      moved([170, 172, 171], from: [26, 172, 26]),
      [
        "Passing a cache line from core to core took 26.0 ns in the base's run and 171 in the head's: the cores had "
          + "moved, and that changes how fast threads exchange data."
      ])
    expectEqual(moved([26], from: [172]).count, 1)
    expectEqual(moved([26], from: [38]), [])
    expectEqual(moved(nil, from: [26]), [])
    expectEqual(moved([26], from: nil), [])
    expectEqual(moved([], from: [26]), [])
  }

  @Test func anotherModelOrKindOfRunIsNotCompared() {
    var model = base
    model.model?.name = "synthetic:gpt2"
    let models = Comparison(base: base, head: model)
    #expect(models.rows.isEmpty && models.exitCode == 5)
    expectEqual(
      models.warnings,
      [
        "The model differs: base synthetic:tiny (140928 parameters), head synthetic:gpt2 (140928 parameters). "
          + "Nothing is compared."
      ])
    let gemm = Fixture.record(kind: .matmul, cells: [Fixture.gemmCell("v", m: 1, milliseconds: [1, 1, 1])])
    let kinds = Comparison(base: base, head: gemm)
    #expect(kinds.rows.isEmpty && kinds.exitCode == 5)
    expectContains(kinds.markdown, "**Nothing could be compared.** A change counts from 5 %")
    expectEqual(Comparison(base: Fixture.record(), head: Fixture.record()).exitCode, 5)
  }

  @Test func ofAnotherMachineTheSharesOfTheCeilingsAreCompared() throws {
    let same = Comparison(base: base, head: elsewhere(kvCacheDecode: 1))
    expectEqual(same.exitCode, 0)
    let row = try #require(same.row(.decodeRate))
    #expect(row.isShareOfCeiling && row.unit == "% of ceiling")
    // 6e5 bytes at the 0.9 quantile of the trials, 9.98 GB/s, take 60.12 µs of a median of 2.009 ms.
    let share: Double = 100 * 0.060_120 / 2.009
    #expect(abs(try #require(row.base) - share) < 1e-3)
    #expect(abs(try #require(row.ratio).value - 1) < 1e-3)
    // The ceiling's own trials, and the row's samples from P10 to P90.
    let floor: Double = 1 - 0.99 / 0.998 * 1.0009 / 1.0081
    #expect(abs(try #require(row.noiseFloor) - floor) < 1e-6)
    #expect(same.rows.filter(\.isShareOfCeiling).map(\.metric.isSpeed).allSatisfy { $0 })
    expectEqual(same.rows.count { $0.isShareOfCeiling }, 6)

    let slower = Comparison(base: base, head: elsewhere(kvCacheDecode: 1.25))
    expectEqual(slower.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
    #expect(abs(try #require(slower.row(.decodeRate)?.ratio).value - 0.8) < 1e-3)
    expectEqual(slower.exitCode, 3)
    expectEqual(Comparison(base: elsewhere(kvCacheDecode: 1.25), head: base).labels(.improved).count, 1)
  }

  @Test func sharesAreMarkedInEveryFormat() throws {
    let comparison = Comparison(base: base, head: elsewhere(kvCacheDecode: 1.25))
    expectContains(comparison.markdown, "> **Warning:** Times do not carry over: ", "| % of ceiling |")
    expectContains(comparison.csv, ",% of ceiling,")
    try expectContains(comparison.json, #""shareOfCeiling" : true"#)
  }

  @Test func loadsOfAnotherMachineAreNotJudged() throws {
    let load = try #require(Comparison(base: base, head: elsewhere(kvCacheDecode: 1)).row(.warmLoad))
    #expect(!load.counts && load.ratio == nil)
    expectEqual(load.reason, "load times do not carry over, does not count")
  }

  @Test func withoutCeilingsAnotherMachineIsInconclusive() throws {
    var head = elsewhere(kvCacheDecode: 1)
    head.ceilings = []
    let comparison = Comparison(base: base, head: head)
    let row = try #require(comparison.row(.decodeRate))
    #expect(row.verdict == .inconclusive && !row.isShareOfCeiling && row.ratio == nil)
    expectEqual(row.reason, "times do not carry over, and head has no ceiling for 1 thread")
    expectEqual(comparison.exitCode, 5)
  }

  @Test func aFirstTokenFromTextIsNoneFromTokenIds() throws {
    var head = Fixture.comparable(run: 1)
    head.model?.hasTokenizer = true
    let comparison = Comparison(base: base, head: head)
    expectEqual(
      comparison.row(.timeToFirstToken)?.reason,
      "one record's TTFT starts at text, the other's at token ids")
    expectEqual(comparison.labels(.inconclusive).count, 2)
  }
}
