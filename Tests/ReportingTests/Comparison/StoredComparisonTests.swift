import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// Two records of one machine and one kind of build.
struct StoredComparisonTests {
  private let base = Fixture.comparable()

  private func compared(
    _ slowdown: Slowdown, thresholds: Thresholds = Thresholds(), samples: Int = 10
  ) -> Comparison {
    Comparison(
      base: Fixture.comparable(samples: samples),
      head: Fixture.comparable(slowdown, samples: samples, run: 1), thresholds: thresholds)
  }

  private let allLabels = [
    "naive f32 t1 pp64 prefill", "naive f32 t1 pp64 ttft", "naive f32 t1 tg5 @ d64 decode",
    "kv-cache f32 t1 pp64 prefill", "kv-cache f32 t1 pp64 ttft", "kv-cache f32 t1 tg5 @ d64 decode",
    "naive f32 t1 memory", "kv-cache f32 t1 memory", "naive f32 t1 load", "kv-cache f32 t1 load",
  ]

  @Test func aRecordAgainstItselfIsUnchanged() {
    let comparison = Comparison(base: base, head: base)
    expectEqual(comparison.rows.map(\.label), allLabels)
    #expect(
      comparison.rows.allSatisfy { $0.verdict == .unchanged && $0.ratio?.value == 1 && $0.pValue == nil })
    #expect(comparison.warnings.isEmpty && comparison.unmatched.isEmpty && comparison.failures.isEmpty)
    expectEqual(comparison.exitCode, 0)
  }

  @Test func aRepeatedRunWithLittleNoiseIsUnchanged() throws {
    let comparison = compared(Slowdown())
    expectEqual(comparison.labels(.unchanged), allLabels)
    let row = try #require(comparison.row(.decodeRate))
    expectNil(row.reason)
    #expect(try #require(row.noiseFloor) < 0.01)
    #expect(try #require(row.adjustedPValue) > 0.5)
    expectEqual(comparison.exitCode, 0)
  }

  @Test func aSlowdownIsARegressionInItsRowAndSwappingSidesSwapsTheVerdict() throws {
    let slow = Fixture.comparable(Slowdown(kvCacheDecode: 1.2), run: 1)
    let comparison = Comparison(base: base, head: slow)
    expectEqual(comparison.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
    expectEqual(comparison.labels(.unchanged).count, 9)
    let row = try #require(comparison.row(.decodeRate))
    #expect(abs(try #require(row.ratio).value - 1 / 1.2) < 1e-3)
    // Two samples of ten that do not overlap: 2 of the 184756 ways to choose ten of twenty; eight rows are tested.
    #expect(abs(try #require(row.pValue) - 2.0 / 184_756) < 1e-12)
    #expect(abs(try #require(row.adjustedPValue) - 16.0 / 184_756) < 1e-12)
    expectEqual(comparison.exitCode, 3)
    let mirrored = Comparison(base: slow, head: base)
    expectEqual(mirrored.labels(.improved), ["kv-cache f32 t1 tg5 @ d64 decode"])
    expectEqual(mirrored.labels(.unchanged).count, 9)
    expectEqual(mirrored.exitCode, 0)
  }

  @Test func everyMetricHasItsOwnThreshold() throws {
    let slowdown = Slowdown(kvCacheDecode: 1.04, kvCachePrefill: 1.04, load: 1.1)
    expectEqual(compared(slowdown).labels(.unchanged), allLabels)
    let decode = compared(slowdown, thresholds: try Thresholds(parsing: "decode=2%"))
    expectEqual(decode.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
    expectEqual(decode.labels(.unchanged).count, 9)
    let loads = compared(slowdown, thresholds: try Thresholds(parsing: "load=5%"))
    expectEqual(loads.labels(.regressed), ["naive f32 t1 load", "kv-cache f32 t1 load"])
  }

  @Test func loadsAreJudged() throws {
    let comparison = try Comparison(
      base: base, head: Fixture.comparable(Slowdown(load: 1.5), run: 1), filter: RowFilter(parsing: "load"))
    expectEqual(comparison.labels(.regressed), ["naive f32 t1 load", "kv-cache f32 t1 load"])
    let row = try #require(comparison.row(.warmLoad))
    #expect(row.baseSamples == 5 && row.headSamples == 5 && row.counts && row.threshold == 0.2)
    expectEqual(comparison.exitCode, 3)
  }

  @Test func aLoadOfOneValueIsOnlyShown() throws {
    var head = Fixture.comparable(run: 1)
    for index in head.cells.indices {
      head.cells[index].load = LoadTimes(coldNanoseconds: nil, warmNanoseconds: 9_000_000)
    }
    let comparison = Comparison(base: base, head: head)
    let load = try #require(comparison.row(.warmLoad))
    #expect(load.verdict == .inconclusive && !load.counts)
    expectEqual(load.reason, "fewer than 3 loads on a side, does not count")
    expectEqual(comparison.exitCode, 0)
  }

  /// The peak is over all tests of a run: of runs of other tests it is shown and decides nothing.
  @Test func memoryOfOtherTestsDoesNotCount() throws {
    var head = base
    head.cells.removeAll { $0.variant == "kv-cache" && $0.test == Fixture.decode }
    for index in head.cells.indices { head.cells[index].peakMemoryBytes = 80_000_000 }
    let rows = Comparison(base: base, head: head).rows.filter { $0.metric == .peakMemory }
    let other = try #require(rows.first { $0.contestant.variant == "kv-cache" })
    #expect(other.verdict == .inconclusive && !other.counts && other.ratio != nil)
    expectEqual(other.reason?.hasPrefix("the peak covers all tests of a run"), true)
    let same = try #require(rows.first { $0.contestant.variant == "naive" })
    #expect(same.verdict == .regressed && same.counts)
  }

  @Test func whatSpeaksAgainstARecordIsSaid() {
    var head = base
    head.build.configuration = "debug"
    let warnings = Comparison(base: base, head: head).warnings
    #expect(warnings.contains { $0.hasPrefix("In the head's run: this is a debug build") })
    #expect(!warnings.contains { $0.hasPrefix("In the base's run: ") })
  }

  @Test func memoryIsJudgedBeyondWhatOneBuildsProcessesDifferBy() throws {
    var head = base
    for index in head.cells.indices where head.cells[index].variant == "kv-cache" {
      head.cells[index].peakMemoryBytes = 54_000_000
    }
    // 3 %: one process a side says too little.
    expectEqual(Comparison(base: base, head: head).row(.peakMemory)?.verdict, .inconclusive)
    expectEqual(Comparison(base: base, head: head).exitCode, 5)
    // Peaks of several processes that agree say enough, those that differ as much do not.
    let steady = (base.withPeaks([50, 50, 50]), head.withPeaks([50, 50, 50]))
    expectEqual(Comparison(base: steady.0, head: steady.1).row(.peakMemory)?.verdict, .regressed)
    let restless = (base.withPeaks([50, 50, 52]), head.withPeaks([50, 50, 50]))
    let row = try #require(Comparison(base: restless.0, head: restless.1).row(.peakMemory))
    #expect(row.verdict == .inconclusive && abs((row.noiseFloor ?? 0) - 2.0 / 52) < 1e-12)
    for index in head.cells.indices where head.cells[index].variant == "kv-cache" {
      head.cells[index].peakMemoryBytes = 56_000_000
    }
    let comparison = Comparison(base: base, head: head)
    expectEqual(comparison.labels(.regressed), ["kv-cache f32 t1 memory"])
    expectNil(comparison.row(.peakMemory)?.test)
    expectEqual(comparison.exitCode, 3)
    let lenient = Comparison(base: base, head: head, thresholds: try Thresholds(parsing: "memory=8%"))
    expectEqual(lenient.exitCode, 0)
  }

  @Test func aMebibyteOfMemoryIsNoChange() throws {
    let base = base.withPeaks([50, 50, 50])
    var head = base
    for index in head.cells.indices { head.cells[index].peakMemoryBytes = 52_428_800 + 1_048_000 }
    let thresholds = try Thresholds(parsing: "memory=0.1%")
    let row = try #require(Comparison(base: base, head: head, thresholds: thresholds).row(.peakMemory))
    #expect(row.verdict == .unchanged && abs(row.threshold - 1 / 51.0) < 1e-4)
    for index in head.cells.indices { head.cells[index].peakMemoryBytes = 52_428_800 + 1_049_000 }
    let more = Comparison(base: base, head: head, thresholds: thresholds)
    expectEqual(more.row(.peakMemory)?.verdict, .regressed)
    expectEqual(
      Comparison(base: head, head: base, thresholds: thresholds).row(.peakMemory)?.verdict, .improved)
  }

  /// The second half of the base's run was a third slower in one row, without any change of the program.
  @Test func aRunThatDiffersFromItselfShowsNoSmallerChange() throws {
    var restless = base
    restless.cells[0] = Fixture.prefillCell(
      "naive", milliseconds: [40, 40.1, 40.2, 40.3, 40.4, 60, 60.1, 60.2, 60.3, 60.4])
    let slower = Comparison(base: restless, head: Fixture.comparable(Slowdown(kvCacheDecode: 1.4), run: 1))
    expectEqual(slower.row(.decodeRate)?.verdict, .inconclusive)
    expectEqual(slower.row(.decodeRate)?.reason, "the change is below the noise floor of 33 %")
    let far = Comparison(base: restless, head: Fixture.comparable(Slowdown(kvCacheDecode: 1.6), run: 1))
    expectEqual(far.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
  }

  /// The row's samples lie 8 % apart from P10 to P90, and the fixed loop was a tenth slower in the head's run.
  @Test func aRowsOwnScatterAndASlowerLoopAddUp() throws {
    func run(_ slowdown: Double, loop: Int) -> Record {
      var record = base
      let times = (0...10).map { slowdown * (2 + 0.02 * Double($0)) }
      record.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: times)
      record.conditions = Fixture.quietConditions()
      record.conditions?.calibration = (0..<5).map {
        CalibrationSample(atSeconds: Double($0), nanoseconds: loop, frequencyMHz: nil)
      }
      return record
    }
    let old = run(1, loop: 1000)
    let row = try #require(Comparison(base: old, head: run(1.15, loop: 1100)).row(.decodeRate))
    expectEqual(row.reason, "the change is below the noise floor of 16 %")
    let alike = Comparison(base: old, head: run(1.15, loop: 1000))
    expectEqual(alike.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
    let far = Comparison(base: old, head: run(1.25, loop: 1100))
    expectEqual(far.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
  }

  @Test func noiseIsInconclusive() throws {
    var head = base
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: [1.5, 2.6, 3.5])
    let row = try #require(Comparison(base: base, head: head).row(.decodeRate))
    expectEqual(row.verdict, .inconclusive)
    expectEqual(row.reason?.hasPrefix("the interval reaches across 1; p = "), true)
    expectEqual(Comparison(base: base, head: head).exitCode, 5)
  }

  @Test func tooFewSamplesAreInconclusiveHoweverLargeTheChange() throws {
    var head = base
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: [20, 20])
    let comparison = Comparison(base: base, head: head)
    let row = try #require(comparison.row(.decodeRate))
    expectEqual(row.verdict, .inconclusive)
    expectEqual(row.reason, "n = 2, at least 3 needed")
    expectNil(row.ratio?.interval)
    expectNil(row.pValue)
    expectEqual(comparison.exitCode, 5)
  }

  /// Exact Mann-Whitney of 3 against 3 has no p below 0.1, of 5 against 5 none below 2 / 252.
  @Test func whereNoResultCouldBeSignificantTheReasonSaysSo() throws {
    let three = compared(Slowdown(kvCacheDecode: 2), samples: 3)
    expectEqual(three.row(.decodeRate)?.verdict, .inconclusive)
    expectEqual(
      three.row(.decodeRate)?.reason, "n = 3 and 3 cannot show a change: the smallest possible p is 0.10")
    let five = compared(Slowdown(kvCacheDecode: 2), samples: 5)
    expectEqual(
      five.row(.decodeRate)?.reason,
      "the samples do not overlap, but n = 5 and 5 cannot show a change among 8 rows: "
        + "the smallest possible p is 0.0079, 0.063 after Holm")
    expectEqual(five.exitCode, 5)
    let chosen = try Comparison(
      base: Fixture.comparable(samples: 5),
      head: Fixture.comparable(Slowdown(kvCacheDecode: 2), samples: 5, run: 1),
      filter: RowFilter(parsing: "kv-cache decode"))
    expectEqual(chosen.rows.map(\.verdict), [.regressed])
    expectEqual(chosen.exitCode, 3)
  }

  /// What a neighbour on a shared machine does: all times and the ceilings change alike.
  @Test func aMachineThatWasSlowerIsNoRegression() throws {
    let drifted = compared(
      Slowdown(naive: 1.12, kvCacheDecode: 1.12, kvCachePrefill: 1.12, load: 1.12, machine: 1.12))
    #expect(drifted.labels(.regressed).isEmpty)
    expectEqual(drifted.exitCode, 5)
    let row = try #require(drifted.row(.decodeRate))
    // The samples lie 0.9 % apart, evenly: P10 to P90 is 1.0009 to 1.0081.
    let floor: Double = 1 - 1.0009 / 1.0081 / 1.12
    #expect(abs(try #require(row.noiseFloor) - floor) < 1e-6)
    let more = compared(
      Slowdown(naive: 1.14, kvCacheDecode: 1.14, kvCachePrefill: 1.14, load: 1.14, machine: 1.12))
    #expect(more.labels(.regressed).isEmpty)
    expectEqual(
      more.row(.decodeRate)?.reason,
      "the machine itself was 11 % slower in head's run: relative to its ceiling the ratio is 0.982")
  }

  @Test func aRegressionBeyondWhatTheMachineDidIsFound() {
    let comparison = compared(
      Slowdown(naive: 1.12, kvCacheDecode: 1.4, kvCachePrefill: 1.12, load: 1.12, machine: 1.12))
    expectEqual(comparison.labels(.regressed), ["kv-cache f32 t1 tg5 @ d64 decode"])
  }

  @Test func aFasterMachineDoesNotHideASlowdown() {
    let comparison = compared(Slowdown(machine: 1 / 1.12))
    expectEqual(comparison.row(.decodeRate)?.verdict, .inconclusive)
    expectEqual(
      comparison.row(.decodeRate)?.reason,
      "the machine itself was 11 % faster in head's run: relative to its ceiling the ratio is 0.893")
  }

  @Test func aHeadThatFailsItsCheckExitsWithFour() throws {
    var head = base
    head.cells[3] = Fixture.emptyCell("kv-cache", .failedCheck, message: nil)
    head.cells.remove(at: 2)
    head.correctness[1] = Fixture.failedCheck("kv-cache")
    let comparison = Comparison(base: base, head: head)
    let row = try #require(comparison.row(.decodeRate))
    expectEqual(row.verdict, .failed)
    expectNil(row.head)
    expectNil(row.ratio)
    expectEqual(row.reason, "head failed its check: tiny: max abs error 0.5 > 1e-4")
    expectEqual(comparison.failures.map(\.markdown), ["`kv-cache`: tiny: max abs error 0.5 > 1e-4"])
    expectEqual(comparison.exitCode, 4)
    let other = try Comparison(base: base, head: head, filter: RowFilter(parsing: "naive"))
    #expect(other.failures.isEmpty && other.exitCode == 0)
  }

  @Test func aCheckThatOnlyTheHeadMadeAndFailedCountsToo() {
    var head = base
    head.correctness.append(Fixture.failedCheck("new-variant"))
    expectEqual(Comparison(base: base, head: head).exitCode, 4)
  }

  @Test func aRegressionOutweighsAFailedCheckAndThatAnInconclusiveRow() {
    var head = Fixture.comparable(Slowdown(kvCacheDecode: 2), run: 1)
    head.correctness.append(Fixture.failedCheck("new-variant"))
    expectEqual(Comparison(base: base, head: head).exitCode, 3)
    head.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: [1, 9])
    expectEqual(Comparison(base: base, head: head).exitCode, 4)
  }

  @Test func aHeadThatDiedIsInconclusiveWithItsReason() throws {
    var head = base
    head.cells[3] = Fixture.emptyCell("kv-cache", .died, message: "signal 11")
    let comparison = Comparison(base: base, head: head)
    expectEqual(comparison.row(.decodeRate)?.reason, "head has no figure: its process died: signal 11")
    expectEqual(comparison.exitCode, 5)
  }

  @Test func rowsWithoutACounterpartAreListed() throws {
    var head = base
    head.cells.remove(at: 3)
    head.cells.append(Fixture.decodeCell("packed", stepMilliseconds: [1, 1, 1]))
    var old = base
    old.cells.append(Fixture.emptyCell("tiled", .hung, message: "60 s"))
    head.cells.append(Fixture.decodeCell("tiled", stepMilliseconds: [1, 1, 1]))
    let comparison = Comparison(base: old, head: head)
    let lines = [
      "`kv-cache` (1 thread) on tg5 @ d64: only in base",
      "`tiled` (1 thread) on tg5 @ d64: only in head; base has no figure: its process hung: 60 s",
      "`packed` (1 thread) on tg5 @ d64: only in head",
    ]
    expectEqual(comparison.unmatched.map(\.markdown), lines)
    expectEqual(comparison.exitCode, 0)
    let filtered = try Comparison(base: old, head: head, filter: RowFilter(parsing: "packed"))
    #expect(
      filtered.unmatched.map(\.markdown) == [lines[2]] && filtered.rows.isEmpty && filtered.exitCode == 5)
  }

  @Test func aFilterThatKeepsNothingNamesTheRowsThereAre() throws {
    let filter = try RowFilter(parsing: "packed")
    #expect(
      throws: OptionError(
        found: "packed", expected: "words of one of these rows: \(allLabels.joined(separator: ", "))")
    ) { try Comparison(base: base, head: base, filter: filter) }
    let kept = try Comparison(
      base: base, head: base, filter: RowFilter(parsing: "naive decode,kv-cache pp64"))
    expectEqual(kept.rows.map(\.label), Array(allLabels[2...4]))
  }

  @Test func geometricMeansAreTakenPerMetricAndPerVariant() throws {
    let comparison = compared(Slowdown(kvCacheDecode: 0.25))
    let decode = comparison.groupMeans.filter { $0.metric == .decodeRate }
    expectEqual(decode.map(\.variant), [nil, "naive", "kv-cache"])
    expectEqual(decode.map(\.count), [2, 1, 1])
    for (mean, expected) in zip(decode, [2, 1, 4.0]) { #expect(abs(mean.ratio - expected) < 0.001) }
  }
}

struct StoredReasonsTests {
  private func records(slowdown: Double) -> (base: Record, head: Record) {
    var base = Fixture.comparable()
    var head = Fixture.comparable(Slowdown(kvCacheDecode: slowdown), run: 1)
    base.profiles = [Fixture.profile("kv-cache", threads: 1)]
    head.profiles = [
      Fixture.profile(
        "kv-cache", .decode, threads: 1,
        Fixture.cachedToken.map { time in
          var time = time
          if time.phase == .down { time.microseconds *= 2 }
          return time
        })
    ]
    return (base, head)
  }

  @Test func aRowThatRegressedIsExplained() {
    let (base, head) = records(slowdown: 1.3)
    let comparison = Comparison(base: base, head: head)
    expectEqual(comparison.reasons.count, 1)
    expectContains(
      comparison.markdown,
      "## Why\n\n- `kv-cache` (1 thread), `tg5 @ d64`, regressed: head takes 1.20 × as long as base")
    expectContains(comparison.markdown, "100 % from slower work in MLP")
  }

  @Test func profilesThatSayOtherwiseAreCalledSo() {
    let (base, head) = records(slowdown: 0.7)
    let comparison = Comparison(base: base, head: head)
    expectEqual(comparison.reasons.count, 1)
    expectContains(comparison.reasons[0].markdown, "improved; the profiles do not show it: head takes")
  }

  @Test func nothingIsSaidWithoutProfilesOrWithoutAChange() {
    var (base, head) = records(slowdown: 1.3)
    head.profiles = nil
    #expect(Comparison(base: base, head: head).reasons.isEmpty)
    #expect(!Comparison(base: base, head: head).markdown.contains("## Why"))
    (base, head) = records(slowdown: 1)
    #expect(Comparison(base: base, head: head).reasons.isEmpty)
  }
}

extension Record {
  /// Every contestant's loads had these peaks, in MiB.
  fileprivate func withPeaks(_ peaks: [Int]) -> Record {
    var record = self
    for index in record.cells.indices {
      record.cells[index].load?.samples = peaks.enumerated().map { round, peak in
        LoadSample(
          round: round, loadNanoseconds: 2_000_000, firstTokenNanoseconds: 3_000_000,
          peakMemoryBytes: peak << 20)
      }
    }
    return record
  }
}
