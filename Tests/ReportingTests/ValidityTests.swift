import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ValidityTests {
  private func record(_ change: (inout Conditions) -> Void = { _ in }) -> Record {
    var record = Fixture.small()
    var conditions = Fixture.quietConditions()
    change(&conditions)
    record.conditions = conditions
    return record
  }

  private func findings(_ change: (inout Conditions) -> Void) -> [Finding] {
    Validity(record(change)).findings
  }

  private func checks(_ change: (inout Conditions) -> Void) -> [String] { findings(change).map(\.check) }

  @Test func aQuietRunHasNoFindings() {
    expectEqual(findings { _ in }, [])
    expectEqual(Validity(record()).unreadable, [])
    expectEqual(Validity(Fixture.small()).findings, [])
  }

  @Test func theBuildAndTheThreadsAreJudgedWithoutConditions() {
    var record = Fixture.small()
    record.build.configuration = "debug"
    record.cells[0].threads = 3
    expectEqual(
      Validity(record).findings,
      [
        Finding(
          severity: .warning, check: "build",
          text: "this is a debug build of the command; time release builds: swift run -c release"),
        Finding(severity: .warning, check: "threads", text: "3 threads share 2 cores"),
      ])
  }

  @Test func stealIsAShareOfTheCoresTime() {
    let found = findings { conditions in
      conditions.stretches = (0..<12).map { Fixture.stretch(at: 5 * Double($0), stolen: 0.031) }
    }
    expectEqual(found.map(\.text), ["the hypervisor took 3.1 % of the cores' time"])
    expectEqual(
      checks { conditions in
        // 2 % is allowed.
        conditions.stretches = [Fixture.stretch(at: 0, stolen: 0.02)]
      }, [])
  }

  @Test func loadByOthersIsTheMeanOverTheRunAndTheWorstStretch() {
    let lasting = findings { conditions in
      conditions.stretches = (0..<12).map { Fixture.stretch(at: 5 * Double($0), others: $0 < 6 ? 0.5 : 0) }
    }
    expectEqual(
      lasting,
      [
        Finding(
          severity: .warning, check: "load by others",
          text: "other processes used 0.25 cores on average, 0.50 in the worst stretch")
      ])
    let burst = findings { $0.stretches[4] = Fixture.stretch(at: 20, others: 1) }
    expectEqual(burst.map(\.severity), [.note])
    expectEqual(checks { $0.stretches[4] = Fixture.stretch(at: 20, others: 0.4) }, [])
    // Ticks are cut off: a stretch may seem to have had less work than ours.
    expectEqual(checks { $0.stretches[0].busySeconds = 4.9 }, [])
  }

  @Test func swapAndThrottlingAreNeverAllowed() {
    expectEqual(findings { $0.pagesSwappedIn = 12 }.map(\.text), ["the machine swapped: 12 pages in, 0 out"])
    expectEqual(checks { $0.pagesSwappedOut = 1 }, ["swap"])
    let quota = findings {
      $0.groupThrottledPeriods = 3
      $0.groupThrottledSeconds = 0.25
    }
    expectEqual(
      quota.map(\.text),
      [
        "the control group's quota of CPU time held processes back: 3 periods, 0.25 s in all"
      ])
    expectEqual(
      findings { $0.packageThrottles = 1 }.map(\.text),
      [
        "heat slowed the CPU: 0 core events, 1 package event"
      ])
  }

  @Test func theClockRateMayNotWander() {
    func times(_ times: [Int]) -> (inout Conditions) -> Void {
      { conditions in
        conditions.calibration = times.map {
          CalibrationSample(atSeconds: 0, nanoseconds: $0, frequencyMHz: nil)
        }
      }
    }
    let wandering = findings(times([100, 110, 100, 110, 100, 110, 100, 110, 100, 110]))
    expectEqual(
      wandering.map(\.text),
      [
        "a fixed loop's time varied by 10.0 %: the clock rate changed, or other programs used the core"
      ])
    // One bad moment of twenty is none of the run's.
    expectEqual(checks(times([Int](repeating: 100, count: 19) + [500])), [])
    let falling = findings(times((0..<10).map { 1000 + 6 * $0 }))
    expectEqual(falling.map(\.check), ["frequency trend"])
    expectEqual(falling.map(\.severity), [.note])
    expectEqual(
      falling.map(\.text), ["a fixed loop got 3.0 % slower from the run's first half to its second"])
    expectEqual(checks(times([100, 200])), [])
  }

  /// As a host was seen to do it: from 33 to 57 GB/s within a run.
  @Test func memoryMayNotWander() {
    func record(_ rates: [Double]) -> Record {
      var record = Fixture.small()
      let sample = record.cells[3].samples[0]
      record.cells[3].samples = rates.enumerated().map { index, rate in
        var sample = sample
        (sample.round, sample.sequence, sample.memoryGBPerSecond) = (index, index, [rate, rate])
        return sample
      }
      return record
    }
    let found = Validity(record((0..<10).map { 33 + 24 * Double($0) / 9 })).findings
    expectEqual(found.map(\.check), ["memory drift", "memory trend"])
    expectEqual(found.first?.text.hasPrefix("what memory gave varied by "), true)
    expectEqual(found.last?.text.hasSuffix(" more in the run's second half than in its first"), true)
    expectEqual(Validity(record([Double](repeating: 40, count: 10))).findings, [])
  }

  @Test func coresMayNotMove() {
    func ways(_ ways: [Double]) -> (inout Conditions) -> Void {
      { $0.coreToCore = ways.map { CoreToCoreSample(atSeconds: 0, nanoseconds: $0) } }
    }
    let moving = findings(ways([26, 27, 26, 172, 171, 170]))
    expectEqual(moving.map(\.check), ["core-to-core latency"])
    expectEqual(moving.map(\.severity), [.note])
    expectEqual(
      moving.map(\.text),
      [
        "passing a cache line from one core to another took from 26.0 to 172 ns: the hypervisor moves the cores, and "
          + "that changes how fast threads exchange data"
      ])
    expectEqual(checks(ways([26, 30, 38, 28, 26])), [])
    // One bad moment of twenty is none of the run's, and two tell nothing.
    expectEqual(checks(ways([Double](repeating: 26, count: 19) + [172])), [])
    expectEqual(checks(ways([26, 172])), [])
    let report = RunReport(record(ways([26, 26, 27]))).markdown
    expectContains(report, "| core-to-core latency | 26.0 to 26.8 ns (n = 3)")
  }

  @Test func whatCannotBeReadIsNamedAndNotJudged() {
    let validity = Validity(
      record {
        $0 = Conditions(stretches: [], calibration: [])
      })
    expectEqual(validity.findings, [])
    expectEqual(
      validity.unreadable,
      [
        "steal", "load by others", "swap", "throttling by quota", "throttling by heat", "frequency",
        "frequency drift",
      ])
    let partly = Validity(
      record {
        $0.coreThrottles = nil
        $0.packageThrottles = nil
        for index in $0.calibration.indices { $0.calibration[index].frequencyMHz = nil }
        for index in $0.stretches.indices { $0.stretches[index].stolenSeconds = nil }
      })
    expectEqual(partly.unreadable, ["steal", "throttling by heat", "frequency"])
  }

  @Test func theSectionOfAQuietRun() {
    let report = RunReport(
      record {
        $0.coreThrottles = nil
        $0.packageThrottles = nil
      }
    ).markdown
    expectEqual(
      section("Validity", of: report),
      """
      ## Validity

      Nothing was found that speaks against these figures.

      <details><summary>What was looked at</summary>

      | checked             | found                    | limit           |     |
      | ------------------- | ------------------------ | --------------- | --- |
      | build               | release                  | release         |     |
      | threads             | 1                        | 2 cores         |     |
      | steal               | 0.2 %                    | 2.0 %           |     |
      | load by others      | 0.01 cores, at most 0.01 | 0.10 cores      |     |
      | swap                | 0 pages in, 0 out        | none            |     |
      | throttling by quota | 0 periods                | none            |     |
      | frequency           | 3000 MHz                 |                 |     |
      | frequency drift     | 0.2 % (n = 13)           | 5.0 %           |     |
      | frequency trend     | +0.0 % (p = 0.84)        | 2.0 %, p < 0.01 |     |

      Not readable here: throttling by heat.
      """)
    #expect(!report.contains("Warning"))
  }

  @Test func warningsAreNamedAtTheHeadAndNotesAreNot() {
    var record = record {
      $0.stretches[4] = Fixture.stretch(at: 20, others: 1)
      $0.pagesSwappedIn = 5
    }
    record.build.configuration = "debug"
    let report = RunReport(record).markdown
    expectContains(
      report,
      "\n\n> **Warning:** Conditions that speak against these figures: build, swap; see Validity.\n\n")
    expectContains(
      report, "- **Warning**, swap: the machine swapped: 5 pages in, 0 out.\n",
      "- Note, load by others: other processes used 0.09 cores on average, 1.00 in")
    expectContains(
      report, "| 5 pages in, 0 out               | none            | warning |\n")
  }

  @Test func aRecordFromBeforeHasNoSection() {
    #expect(!RunReport(Fixture.small()).markdown.contains("Validity"))
  }

  /// From a heading to the section's last paragraph but one.
  private func section(_ heading: String, of report: String) -> String {
    let body = report.components(separatedBy: "\n\n## \(heading)\n").last ?? ""
    let whole = "## \(heading)\n" + (body.components(separatedBy: "\n\n## ").first ?? "")
    return whole.components(separatedBy: "\n\n").dropLast().joined(separator: "\n\n")
  }
}

struct DriftTests {
  private func record(_ steps: [Double]) -> Record {
    var record = Fixture.small()
    record.cells[3] = Fixture.decodeCell("kv-cache", stepMilliseconds: steps)
    return record
  }

  private let rising = [2.0, 2.05, 2.1, 2.15, 2.2, 2.25, 2.3]

  @Test func aTrendThatIsClearAndLargeIsOne() throws {
    let drift = try #require(Drift(rising))
    #expect(abs(drift.change - (2.25 / 2.05 - 1)) < 1e-12)
    #expect(drift.pValue < 0.01)
    #expect(drift.exceeds(Drift.samples))
    #expect(try #require(Drift(rising.reversed())).exceeds(Drift.samples))
  }

  @Test func oneThatIsSmallOrUnclearIsNone() throws {
    #expect(try !#require(Drift(rising.map { 10 + $0 })).exceeds(Drift.samples))
    #expect(try !#require(Drift([2, 3, 2, 3, 2, 3, 2.5])).exceeds(Drift.samples))
    // A jump in the middle has large halves; whether it is a trend, six values cannot tell from noise.
    #expect(try !#require(Drift([2, 2, 2, 3, 3, 3])).exceeds(Drift.samples))
  }

  @Test func fewValuesTellNothing() {
    expectNil(Drift([1, 2, 3, 4, 5]))
    expectNil(Drift([1, 2, 3, 4, 5, 0]))
    expectNil(Drift([1, 2, 3, 4, 5, .nan]))
  }

  @Test func manyValuesAreJudgedInBlocks() throws {
    let noise = (0..<100_000).map { Double($0 % 7) / 10 }
    let rising = noise.enumerated().map { 1 + Double($0) / 1e6 + $1 }
    #expect(try #require(Drift(rising)).exceeds(0.01))
    #expect(try !#require(Drift(noise.map { 1 + $0 })).exceeds(0.01))
  }

  @Test func aDriftingRowIsMarkedEverywhere() {
    let record = record(rising)
    let report = RunReport(record).markdown
    expectContains(report, "| pass ‡ |\n", "\n\n‡ drifts: the times of this row changed by more than 5.0 %")
    expectContains(
      report,
      "- Note, drifting cells: from the run's first half to its second, the times changed for kv-cache (1 thread) on "
        + "tg5 @ d64 (+9.8 %).")
    let terminal = TerminalTable(record, colour: false).text
    expectContains(terminal, "pass ‡\n", "\n‡ drifts: ")
    let csv = CSVReport(record).results
    expectContains(csv, ",drifts,,,,\n")
    expectEqual(csv.split(separator: "\n").count { $0.contains("drifts") }, 1)
  }

  @Test func aSteadyRowIsNot() {
    let record = record([2, 2.1, 2, 2.1, 2, 2.1])
    #expect(!RunReport(record).markdown.contains("‡"))
    #expect(!TerminalTable(record, colour: false).text.contains("‡"))
    expectContains(CSVReport(record).results, ",steady,,,,\n")
  }

  /// A cell without figures has no course either.
  @Test func aFailedCheckHasNoDrift() {
    var record = record(rising)
    record.correctness = [Fixture.failedCheck("kv-cache")]
    #expect(!CSVReport(record).results.contains("drifts"))
  }
}
