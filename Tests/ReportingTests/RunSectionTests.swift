import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct CounterReportTests {
  /// `kv-cache` with counters: 64 prompt tokens, four steps after the first token.
  private func record(share: Double? = 1) -> Record {
    var record = Fixture.small()
    for (cell, unit) in [(2, 64), (3, 4)] {
      for sample in record.cells[cell].samples.indices {
        let factor = unit * (sample + 1)
        record.cells[cell].samples[sample].counters = [
          "instructions": 3000 * factor, "cycles": 1000 * factor, "cacheReferences": 40 * factor,
          "cacheMisses": 10 * factor, "somethingElse": 1,
        ]
        record.cells[cell].samples[sample].countersShare = share
      }
    }
    return record
  }

  @Test func medianForEachToken() throws {
    let record = record()
    let prompt = try #require(CounterFigures(record.cells[2]))
    expectEqual(prompt.instructions, 6000)
    expectEqual(prompt.cycles, 2000)
    expectEqual(prompt.cacheReferences, 80)
    expectEqual(prompt.cacheMisses, 20)
    expectEqual(prompt.instructionsPerCycle, 3)
    expectEqual(CounterFigures(record.cells[3]), prompt)
    expectNil(CounterFigures(record.cells[0]))
    var gemm = Fixture.gemmCell("naive", m: 2, milliseconds: [1])
    gemm.samples[0].counters = ["instructions": 500]
    let call = try #require(CounterFigures(gemm))
    // Ten calls a sample.
    expectEqual(call.instructions, 50)
    expectNil(call.cycles)
    expectNil(call.instructionsPerCycle)
  }

  @Test func theTableHasTheRowsThatWereCounted() {
    let report = counters(record())
    expectContains(
      report,
      """
      | variant    | threads | test      | instructions per token | cycles per token |   IPC | cache misses per token | of cache references % |
      | ---------- | ------: | --------- | ---------------------: | ---------------: | ----: | ---------------------: | --------------------: |
      | `kv-cache` |       1 | tg5 @ d64 |                   6000 |             2000 | 3.000 |                  20.00 |                 25.00 |
      | `kv-cache` |       1 | pp64      |                   6000 |             2000 | 3.000 |                  20.00 |                 25.00 |

      Medians over
      """)
    #expect(!report.contains("The counters took turns"))
    expectContains(counters(record(share: nil)), "Medians over")
    expectContains(
      counters(record(share: 0.625)),
      "The counters took turns: the one that ran least did so 62.5 % of the time, and counts are extrapolated."
    )
  }

  @Test func csvHasThemWhereTheyAre() {
    let rows = CSVReport(record()).results.split(separator: "\n")
    expectEqual(rows.count { $0.hasSuffix(",6000,2000,20,") }, 2)
    expectEqual(rows.count { $0.hasSuffix(",,,,") }, 2)
  }

  @Test func withoutCountersThereIsTheReasonOrNothing() {
    var record = Fixture.small()
    #expect(RunReport(record).counters == nil && !RunReport(record).markdown.contains("Counters"))
    record.countersUnavailable =
      "perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU"
    expectContains(
      RunReport(record).markdown,
      "- **Counters:** none: perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU\n"
    )
    #expect(counters(record).hasPrefix("None: perf"))
  }

  private func counters(_ record: Record) -> String { RunReport(record).counters?.blocks.markdown ?? "" }
}

/// Loads and first tokens, other programs, and records from before there were any.
struct LoadTests {
  private func record() -> Record { Fixture.loaded() }

  @Test func theFirstTokenBehindALoadIsAMedianWithItsInterval() throws {
    let figures = CellFigures(record().cells[0], ceiling: nil)
    expectEqual(figures[.loadToFirstToken]?.value, 20)
    let interval = try #require(figures[.loadToFirstToken]?.interval)
    expectEqual(interval.lower, 10)
    expectEqual(interval.upper, 30)
    expectEqual(figures.loadSampleCount, 3)
    expectEqual(figures[.warmLoad]?.value, 2)
    expectEqual(figures[.baselineMemory]?.value, 10)
    var failed = record().cells[0]
    failed.status = .failedCheck
    expectNil(CellFigures(failed, ceiling: nil)[.loadToFirstToken])
  }

  @Test func theReportShowsThemWithTheMemory() {
    let text = RunReport(record()).loading?.blocks.markdown ?? ""
    expectContains(
      text,
      """
      | variant  | weights | threads | load, cold ms | load, warm ms | load to first token ms ± CI | loads | before loading MiB | peak memory MiB |
      | -------- | ------- | ------: | ------------: | ------------: | --------------------------: | ----: | -----------------: | --------------: |
      | kv-cache | f32     |       1 |               |         2.000 |                     20 ± 10 |     3 |              10.00 |           50.00 |
      """)
    expectContains(text, "\n\nLoad to first token: the time to load plus the time to the first token ")
    let without = RunReport(Fixture.small()).loading?.blocks.markdown ?? ""
    #expect(!without.isEmpty && !without.contains("oad to first token"))
  }

  @Test func theReportSaysWhatOtherProgramsWere() {
    let text = RunReport(record()).markdown
    expectContains(
      text,
      """
      ### Other programs

      - **kv-cache**: engine 1.2, `python3 a.py`
      - **mute**: `./mute`

      Each program speaks the protocol of
      """)
    #expect(!RunReport(Fixture.small()).markdown.contains("### Other programs"))
  }

  @Test func theTableHasAColumnForEach() throws {
    let lines = CSVReport(record()).results.split(separator: "\n")
    let names = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let values = lines[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let row = Dictionary(uniqueKeysWithValues: zip(names, values))
    expectEqual(row["memory_before_load_mib"], "10")
    expectEqual(row["load_to_first_token_ms"], "20")
    expectEqual(row["load_to_first_token_ms_ci_high"], "30")
    expectEqual(row["load_samples"], "3")
  }
}

struct CeilingTableTests {
  @Test func aTerminalShowsEveryLevelWithRoofMedianAndBest() {
    expectEqual(
      CeilingTable(Fixture.ceilings).text(),
      """
      threads  ceiling       unit      roof  a thread  median   best  n  working set  read as
            2  FMA, float32  GFLOP/s  216.0     108.0   200.0  220.0  3
            2  L2 read       GB/s     50.00     25.00   50.00  50.00  3     2.00 MiB  1 stream
            2  DRAM read     GB/s     11.80     5.900   11.00  12.00  3      512 MiB  4 streams, 1024 B ahead
      2 threads, DRAM: the buffer is small
      """)
  }

  @Test func aReportSaysHowLongItTookAndWhatTheRoofIs() {
    var record = Fixture.small()
    record.ceilings = Fixture.ceilings
    record.ceilingSeconds = 3.21
    let text = RunReport(record).machine?.blocks.markdown ?? ""
    expectContains(
      text, "|       2 | L2 read      | GB/s    | 50.00 |    25.00 |  50.00 | 50.00 |   3 |",
      "- 2 threads, DRAM: the buffer is small\n")
    expectContains(
      text, "The roof is the 90th percentile of n trials before, between and after the rounds, ")
    expectContains(text, "which took 3.2 s in all")
    expectContains(
      RunReport(record).markdown,
      "- **At most, 2 threads:** 216.0 GFLOP/s of float32 FMA, reads of L2 50.0, DRAM 11.8 GB/s; DRAM: the buffer is small\n"
    )
  }

  @Test func aRecordWithoutTrialsShowsItsBest() {
    let table = CeilingTable([Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10)]).table
    expectEqual(
      table.rows.map { $0.map(\.text.plain) },
      [
        ["1", "FMA, float32", "GFLOP/s", "100.0", "100.0", "", "100.0", "", "", ""],
        ["1", "DRAM read", "GB/s", "10.00", "10.00", "", "10.00", "", "", ""],
      ])
  }
}

struct NarrowWeightsReportTests {
  private var record: Record {
    var record = Fixture.small()
    for (index, (weights, instructions)) in [
      ("f32", String?.none), ("bf16", "avx512_bf16"), ("int8", "avx512_vnni"), ("int4", "avx512_vnni"),
    ].enumerated() {
      (record.cells[index].weights, record.cells[index].instructions) = (weights, instructions)
    }
    record.ceilings[0].products = [
      ProductPeak(numbers: .bf16, instructions: "avx512_bf16", trials: [190, 200]),
      ProductPeak(numbers: .int8, instructions: "avx512_vnni", trials: [390, 400]),
    ]
    return record
  }

  @Test func theReportNamesWhatProductsRanOn() {
    let text = RunReport(record).markdown
    expectContains(
      text, "- **Products:** bf16 on avx512_bf16; int8 and int4 on avx512_vnni\n")
    expectContains(
      text, "199.0 Gop/s of bf16 products (avx512_bf16), 399.0 Gop/s of int8 products", "**Narrow weights.**")
    var narrow = Fixture.small()
    #expect(!RunReport(narrow).markdown.contains("**Narrow caches.**"))
    (narrow.cells[1].variant, narrow.cells[1].cache) = ("packed+kv-bf16", "bf16")
    expectContains(RunReport(narrow).markdown, "**Narrow caches.** `+kv-bf16` in a name says")
    let old = RunReport(Fixture.small()).markdown
    #expect(!old.contains("Products:") && !old.contains("Narrow weights"))
  }

  @Test func theTableOfCeilingsHasThePeaks() {
    let rows = CeilingTable(record.ceilings).table.rows.map { $0.map(\.text.plain) }
    expectEqual(
      rows.map { $0[1] }.prefix(3),
      [
        "FMA, float32", "bf16 products (avx512_bf16)", "int8 products (avx512_vnni)",
      ])
    expectEqual(rows[2][2...3], ["Gop/s", "399.0"])
  }

  @Test func resultsSayItWhereARowDoes() throws {
    let lines = CSVReport(record).results.split(separator: "\n")
    #expect(lines[0].hasPrefix("variant,weights,products_on,threads,"))
    #expect(lines[1].hasPrefix("naive,f32,,1,") && lines[4].hasPrefix("kv-cache,int4,avx512_vnni,1,"))
    #expect(CSVReport(Fixture.small()).results.hasPrefix("variant,weights,threads,"))
    let written = try JSONDecoder().decode(Record.self, from: record.encode())
    expectEqual(written.cells, record.cells)
    expectEqual(written.ceilings, record.ceilings)
  }
}

struct ForkJoinReportTests {
  private var record: Record {
    var record = Fixture.small()
    record.machine.forkJoin = ForkJoin(threads: 2, hotMicroseconds: 0.9126, wokenMicroseconds: 12.34)
    return record
  }

  @Test func reportSaysWhatForkingCosts() {
    expectContains(
      RunReport(record).markdown, "- **Fork and join:** 2 threads: 0.913 µs hot, 12.3 µs woken\n")
    #expect(!RunReport(Fixture.small()).markdown.contains("Fork and join"))
  }
}
