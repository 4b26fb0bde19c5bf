import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct TerminalTableTests {
  @Test func theBestOfEachTestIsBold() {
    expectEqual(
      TerminalTable(Fixture.small(), colour: true).text,
      """
      tg5 @ d64: decode tok/s ± CI, × naive, t = threads
      kv-cache t1  ████████████████████████████████████████    476 ± 24  10.0×
      naive t1     ████                                      47.6 ± 2.4  1.00×

      variant   thr  test        TTFT     prefill      decode  TPOT  roofline  memory    speed  n  check
                                   ms  tok/s ± CI  tok/s ± CI    ms         %     MiB  × naive
      kv-cache    1  tg5 @ d64                     \u{1B}[1m  476 ± 24\u{1B}[0m  \u{1B}[1m2.10\u{1B}[0m     2.857  \u{1B}[1m 50.00\u{1B}[0m  \u{1B}[1m  10.0×\u{1B}[0m  3  pass
      naive       1  tg5 @ d64                     47.6 ± 2.4  21.0    0.2857   50.00    1.00×  3  pass
      kv-cache    1  pp64       \u{1B}[1m11.50\u{1B}[0m  \u{1B}[1m6100 ± 300\u{1B}[0m                       19.05  \u{1B}[1m 50.00\u{1B}[0m  \u{1B}[1m  3.90×\u{1B}[0m  3  pass
      naive       1  pp64        42.0   1561 ± 39                       4.878   50.00    1.00×  3  pass

      """)
  }

  @Test func troublesStandUnderTheTable() {
    expectEqual(
      TerminalTable(Fixture.troubled(), colour: false).text,
      """
      tg5 @ d64: decode tok/s ± CI, × naive, t = threads
      kv-cache t1  ████████████████████████████████████████    476 ± 24  10.0×
      naive t1     ████                                      47.6 ± 2.4  1.00×

      variant   thr  test        TTFT     prefill      decode  TPOT  roofline  memory    speed  n  check
                                   ms  tok/s ± CI  tok/s ± CI    ms         %     MiB  × naive
      kv-cache    1  tg5 @ d64                       476 ± 24  2.10     2.857   50.00    10.0×  3  pass
      naive       1  tg5 @ d64                     47.6 ± 2.4  21.0    0.2857   50.00    1.00×  3  pass
      simd8       1  tg5 @ d64                                                                     FAIL
      threaded    1  tg5 @ d64                                                                     hung
      tiled       1  tg5 @ d64                                                  50.00              pending
      kv-cache    1  pp64       11.50  6100 ± 300                       19.05   50.00    3.90×  3  pass
      naive       1  pp64        42.0   1561 ± 39                       4.878   50.00    1.00×  3  pass

      The run is incomplete: 6 of 7 cells done.
      The build is a debug build.
      `simd8` (1 thread) has no figures on tg5 @ d64: failed its correctness check: max abs error 0.5 >
        1e-4
      `threaded` (1 thread) has no figures on tg5 @ d64: its process hung: no answer | in 60 s

      """)
  }

  @Test func gemms() {
    expectEqual(
      TerminalTable(Fixture.gemm(), colour: false).text,
      """
      1x100x200: GFLOP/s, × naive, t = threads
      simd8 t1  ████████████████████████████████████████  9.524  5.00×
      naive t1  ████████                                  1.905  1.00×

      64x100x200: GFLOP/s, × naive, t = threads
      naive t1  ████████████████████████████████████████  2.000  1.00×

      variant   M    K    N  thr               time  GFLOP/s    GB/s  roofline      max  check    speed  n
                                            ms ± CI                          %    error         × naive
      simd8     1  100  200    1  0.00420 ± 0.00020    9.524   19.33     193.3  1.5e-06  pass     5.00×  3
      naive     1  100  200    1    0.0210 ± 0.0010    1.905   3.867     38.67  1.5e-06  pass     1.00×  3
      naive    64  100  200    1      1.280 ± 0.000    2.000  0.1225     2.000  1.5e-06  pass     1.00×  3
      simd8    64  100  200    1                                                5.0e-01  FAIL

      `simd8` (1 thread) has no figures on 64x100x200: failed its correctness check: 64x100x200: max abs
        error 0.5 > 1e-4
      Above 100 % of a roof: `simd8` (1 thread) on 1x100x200 (193 %). The roof was measured too low, or in
        a worse moment than the samples. (What the first-level cache holds has the second level's roof:
        the first is not measured.)

      """)
  }

  @Test func aNarrowTerminalGetsFewerColumns() {
    expectEqual(
      TerminalTable(Fixture.small(), colour: false, width: 72).text,
      """
      tg5 @ d64: decode tok/s ± CI, × naive, t = threads
      kv-cache t1  ████████████████████████████████████████    476 ± 24  10.0×
      naive t1     ████                                      47.6 ± 2.4  1.00×

      variant   thr  test        TTFT     prefill      decode    speed  check
                                   ms  tok/s ± CI  tok/s ± CI  × naive
      kv-cache    1  tg5 @ d64                       476 ± 24    10.0×  pass
      naive       1  tg5 @ d64                     47.6 ± 2.4    1.00×  pass
      kv-cache    1  pp64       11.50  6100 ± 300                3.90×  pass
      naive       1  pp64        42.0   1561 ± 39                1.00×  pass

      """)
  }

  @Test(arguments: [72, 80, 100, 140, 200])
  func noLineIsWiderThanTheTerminal(width: Int) {
    for record in [Fixture.small(), Fixture.gemm(), Fixture.operations()] {
      let lines = TerminalTable(record, colour: false, width: width).text.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= width })
    }
  }

  @Test func nothingMeasuredGivesNoTable() {
    #expect(TerminalTable(Fixture.record(), colour: true).text.isEmpty)
  }
}

/// What `all`, `run` and `matmul` end with must fit a terminal of 100 columns, whatever takes part.
struct TerminalWidthTests {
  private static let peer = "llama.cpp-server-with-flash-attention-and-a-quite-long-name"

  /// Names, tests and figures as wide as they come, two thread counts, and troubles.
  private static func crowded() -> Record {
    var record = Fixture.troubled()
    let tests: [CellTest] = [
      .decode(tokens: 1024, depth: 65536, batch: 16), .prefill(tokens: 131_072, batch: 16),
    ]
    for (index, test) in tests.enumerated() {
      for threads in [1, 256] {
        for (variant, time) in [(peer, 0.00812345), ("naive", 812_345.678)] {
          var cell =
            index == 0
            ? Fixture.decodeCell(variant, threads: threads, stepMilliseconds: [time, time * 1.1, time * 1.3])
            : Fixture.prefillCell(variant, threads: threads, milliseconds: [time, time * 1.1, time * 1.3])
          cell.test = test
          cell.peakMemoryBytes = 812_345_678_901
          record.cells.append(cell)
        }
      }
    }
    record.cells.append(
      Fixture.emptyCell(peer, .died, message: String(repeating: "/a/path/that/nothing/can/break", count: 9)))
    record.warnings.append(
      "left out, longer than the model's context of 1024: "
        + (1...20).map { "pp\($0 * 100)" }.joined(separator: ", "))
    return record
  }

  private static func crowdedGEMM() -> Record {
    var record = Fixture.gemm()
    for variant in [peer, "naive"] {
      var cell = Fixture.gemmCell(variant, m: 64, milliseconds: [812_345.678, 912_345.678, 990_000.123])
      cell.test = .operation(.matmul(m: 1_048_576, k: 1_048_576, n: 1_048_576))
      record.cells.append(cell)
    }
    return record
  }

  static let records: [(String, Record)] = [
    ("small", Fixture.small()), ("troubled", Fixture.troubled()), ("gemm", Fixture.gemm()),
    ("crowded", crowded()), ("crowded gemm", crowdedGEMM()),
  ]

  @Test(arguments: records.map(\.0))
  func noLineIsWiderThan100(name: String) throws {
    let record = try #require(Self.records.first { $0.0 == name }?.1)
    let text = TerminalTable(record, colour: false, width: 100).text
    #expect(!text.isEmpty)
    for line in text.split(separator: "\n") {
      #expect(line.count <= 100, Comment(rawValue: String(line)))
    }
    #expect(!text.contains("\u{1B}"))
  }

  @Test(arguments: records.map(\.0))
  func colourIsAllThatColourAdds(name: String) throws {
    let record = try #require(Self.records.first { $0.0 == name }?.1)
    let bold = TerminalTable(record, colour: true, width: 100).text
    let plain = TerminalTable(record, colour: false, width: 100).text
    expectContains(bold, "\u{1B}[1m")
    expectEqual(bold.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: ""), plain)
  }

  @Test func longNamesLoseTheirMiddle() {
    let text = TerminalTable(Self.crowded(), colour: false, width: 100).text
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("llam") }
    #expect(rows.count >= 4)
    #expect(rows.allSatisfy { $0.contains("…") })
    #expect(rows.contains { $0.contains("name t256") })
  }

  @Test func unitsStandUnderTheHeadings() throws {
    for (record, units) in [
      (Self.crowded(), ["tok/s ± CI", "× naive"]),
      (Fixture.small(), ["ms", "tok/s ± CI", "%", "MiB", "× naive"]),
      (Fixture.gemm(), ["ms ± CI", "%", "× naive"]),
    ] {
      let lines = TerminalTable(record, colour: false, width: 100).text.split(separator: "\n")
      let heading = try #require(lines.firstIndex { $0.hasPrefix("variant ") })
      for unit in units { expectContains(lines[heading + 1], unit) }
    }
  }
}
