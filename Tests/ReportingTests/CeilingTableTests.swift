import Testing

@testable import Record
@testable import Reporting

@Suite struct CeilingTableTests {
  private let ceilings = [
    Ceiling(
      threads: 2, fmaGFLOPS: 220, dramGBPerSecond: 12, fmaTrials: [180, 200, 220],
      memory: [
        MemoryRoof(
          level: "L2", capacityBytes: 4 << 20, workingSetBytes: 2 << 20, streams: 1, prefetchBytes: 0,
          trials: [50, 50, 50], remark: nil),
        MemoryRoof(
          level: "DRAM", capacityBytes: nil, workingSetBytes: 512 << 20, streams: 4, prefetchBytes: 1024,
          trials: [10, 11, 12], remark: "the buffer\nis small"),
      ])
  ]

  @Test func aTerminalShowsEveryLevelWithRoofMedianAndBest() {
    #expect(
      CeilingTable(ceilings).text
        == """
        threads  ceiling       unit      roof  a thread  median   best  n  working set  read as
              2  FMA, float32  GFLOP/s  216.0     108.0   200.0  220.0  3
              2  L2 read       GB/s     50.00     25.00   50.00  50.00  3     2.00 MiB  1 stream
              2  DRAM read     GB/s     11.80     5.900   11.00  12.00  3      512 MiB  4 streams, 1024 B ahead
        2 threads, DRAM: the buffer is small
        """)
  }

  @Test func aReportSaysHowLongItTookAndWhatTheRoofIs() {
    var record = Fixture.small()
    record.ceilings = ceilings
    record.ceilingSeconds = 3.21
    let text = MarkdownReport(record).text
    #expect(text.contains("|       2 | L2 read      | GB/s    | 50.00 |    25.00 |  50.00 | 50.00 |   3 |"))
    #expect(text.contains("- 2 threads, DRAM: the buffer is small\n"))
    #expect(
      text.contains("The roof is the 90th percentile of n trials before, between and after the rounds, "))
    #expect(text.contains("which took 3.2 s in all"))
  }

  @Test func aRecordWithoutTrialsShowsItsBest() {
    let table = CeilingTable([Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10)])
    #expect(
      table.rows == [
        ["1", "FMA, float32", "GFLOP/s", "100.0", "100.0", "", "100.0", "", "", ""],
        ["1", "DRAM read", "GB/s", "10.00", "10.00", "", "10.00", "", "", ""],
      ])
  }

  @Test func theTrialsOfARecordComeBackFromItsFile() throws {
    var record = Fixture.small()
    record.ceilings = ceilings
    record.ceilingSeconds = 2
    #expect(try Record.decode(record.encode(), path: "x") == record)
  }
}
