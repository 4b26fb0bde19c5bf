import Testing

@testable import Record
@testable import Reporting

@Suite struct CounterReportTests {
  /// `kv-cache` with counters: 64 prompt tokens, four steps behind the first token.
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
    #expect(prompt.instructions == 6000 && prompt.cycles == 2000)
    #expect(prompt.cacheReferences == 80 && prompt.cacheMisses == 20)
    #expect(prompt.instructionsPerCycle == 3)
    #expect(CounterFigures(record.cells[3]) == prompt)
    #expect(CounterFigures(record.cells[0]) == nil)
    var gemm = Fixture.gemmCell("naive", m: 2, milliseconds: [1])
    gemm.samples[0].counters = ["instructions": 500]
    let call = try #require(CounterFigures(gemm))
    // Ten calls a sample.
    #expect(call.instructions == 50 && call.cycles == nil && call.instructionsPerCycle == nil)
  }

  @Test func theTableHasTheRowsThatWereCounted() {
    let report = MarkdownReport(record()).text
    #expect(
      report.contains(
        """
        ## Counters

        | variant    | threads | test      | instructions per token | cycles per token |   IPC | cache misses per token | of cache references % |
        | ---------- | ------: | --------- | ---------------------: | ---------------: | ----: | ---------------------: | --------------------: |
        | `kv-cache` |       1 | tg5 @ d64 |                   6000 |             2000 | 3.000 |                  20.00 |                 25.00 |
        | `kv-cache` |       1 | pp64      |                   6000 |             2000 | 3.000 |                  20.00 |                 25.00 |

        Medians over
        """))
    #expect(!report.contains("The counters took turns"))
    #expect(MarkdownReport(record(share: nil)).text.contains("## Counters"))
    #expect(
      MarkdownReport(record(share: 0.625)).text.contains(
        "The counters took turns: the least ran 62.5 % of the time, and counts are extrapolated."))
  }

  @Test func csvHasThemWhereTheyAre() {
    let rows = CSVReport(record()).results.split(separator: "\n")
    #expect(rows.count { $0.hasSuffix(",6000,2000,20,") } == 2)
    #expect(rows.count { $0.hasSuffix(",,,,") } == 2)
  }

  @Test func withoutCountersThereIsTheReasonOrNothing() {
    var record = Fixture.small()
    #expect(!MarkdownReport(record).text.contains("Counters"))
    record.countersUnavailable =
      "perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU"
    #expect(
      MarkdownReport(record).text.contains(
        "\n\n## Counters\n\nNone: perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU.\n\n"
      ))
  }
}
