import Foundation
import Testing

@testable import Record
@testable import Reporting

/// Loads and first tokens, other programs, and records from before there were any.
@Suite struct LoadTests {
  private func record() -> Record {
    var record = Fixture.small()
    for index in record.cells.indices {
      record.cells[index].load = LoadTimes(
        coldNanoseconds: nil, warmNanoseconds: 2_000_000,
        samples: [30, 10, 20].enumerated().map { round, total in
          LoadSample(
            round: round, loadNanoseconds: 2_000_000, firstTokenNanoseconds: total * 1_000_000)
        })
      record.cells[index].baselineMemoryBytes = 10_485_760
    }
    record.peers = [
      PeerDescription(name: "kv-cache", command: "python3 a.py", version: "engine 1.2"),
      PeerDescription(name: "mute", command: "./mute"),
    ]
    return record
  }

  @Test func theFirstTokenBehindALoadIsAMedianWithItsInterval() throws {
    let figures = CellFigures(record().cells[0], ceiling: nil)
    #expect(figures.loadToFirstTokenMS?.value == 20)
    let interval = try #require(figures.loadToFirstTokenMS?.interval)
    #expect(interval.lower == 10 && interval.upper == 30)
    #expect(figures.loadSampleCount == 3)
    #expect(figures.warmLoadMS == 2)
    #expect(figures.baselineMemoryMiB == 10)
    var failed = record().cells[0]
    failed.status = .failedCheck
    #expect(CellFigures(failed, ceiling: nil).loadToFirstTokenMS == nil)
  }

  @Test func theReportShowsThemWithTheMemory() {
    let text = MarkdownReport(record()).text
    #expect(
      text.contains(
        """
        | variant  | weights | threads | load, cold ms | load, warm ms | load to first token ms ± CI | loads | before loading MiB | peak memory MiB |
        | -------- | ------- | ------: | ------------: | ------------: | --------------------------: | ----: | -----------------: | --------------: |
        | kv-cache | f32     |       1 |               |         2.000 |               20.00 ± 10.00 |     3 |              10.00 |           50.00 |
        """))
    #expect(text.contains("\n\nLoad to first token: in a fresh process that is already started, "))
    #expect(!MarkdownReport(Fixture.small()).text.contains("oad to first token"))
  }

  @Test func theReportSaysWhatOtherProgramsWere() {
    let text = MarkdownReport(record()).text
    #expect(
      text.contains(
        """
        ### Other programs

        - **kv-cache**: engine 1.2, `python3 a.py`
        - **mute**: `./mute`

        Each answers the lines of
        """))
    #expect(!MarkdownReport(Fixture.small()).text.contains("### Other programs"))
  }

  @Test func theTableHasAColumnForEach() throws {
    let lines = CSVReport(record()).results.split(separator: "\n")
    let names = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let values = lines[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let row = Dictionary(uniqueKeysWithValues: zip(names, values))
    #expect(row["memory_before_load_mib"] == "10")
    #expect(row["load_to_first_token_ms"] == "20")
    #expect(row["load_to_first_token_ms_ci_high"] == "30")
    #expect(row["load_samples"] == "3")
  }

  @Test func theyAreReadBack() throws {
    let record = record()
    #expect(try Record.decode(record.encode(), path: "r") == record)
  }

  /// No key is written for what is not there, so a record without it is one from before.
  @Test func recordsFromBeforeAreRead() throws {
    let record = Fixture.small()
    let text = String(decoding: try record.encode(), as: UTF8.self)
    for key in ["\"peers\"", "\"baselineMemoryBytes\"", "\"firstTokenNanoseconds\""] {
      #expect(!text.contains(key))
    }
    #expect(try Record.decode(Data(text.utf8), path: "r") == record)
  }

  @Test(
    arguments: [
      (
        "\"firstTokenNanoseconds\" : 10000000", "\"firstTokenNanoseconds\" : 5",
        "an integer of at least 2000000"
      ),
      ("\"loadNanoseconds\" : 2000000", "\"loadNanoseconds\" : 0", "an integer of at least 1"),
      ("\"baselineMemoryBytes\" : 10485760", "\"baselineMemoryBytes\" : -1", "an integer of at least 1"),
    ])
  func whatCannotBeIsRefused(_ old: String, _ new: String, _ expected: String) throws {
    let text = String(decoding: try record().encode(), as: UTF8.self)
    #expect(text.contains(old))
    let found = message { try Record.decode(Data(text.replacing(old, with: new).utf8), path: "r") }
    #expect(found?.hasPrefix("r: cells[0].") == true)
    #expect(found?.hasSuffix("expected \(expected)") == true, "\(found ?? "")")
  }
}
