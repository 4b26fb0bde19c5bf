import Testing

@testable import Record
@testable import Reporting

/// What `all`, `run` and `matmul` end with must fit a terminal of 100 columns, whatever takes part.
@Suite struct TerminalWidthTests {
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
    #expect(bold.contains("\u{1B}[1m"))
    #expect(bold.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: "") == plain)
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
      for unit in units { #expect(lines[heading + 1].contains(unit)) }
    }
  }
}

@Suite struct TextWrappingTests {
  @Test func linesBreakBetweenWordsAndHang() {
    #expect("one two three four".wrapped(to: 9) == "one two\n  three\n  four")
    #expect("one two three four".wrapped(to: 9, indent: 0) == "one two\nthree\nfour")
    #expect("short".wrapped(to: 9) == "short")
    #expect("".wrapped(to: 9) == "")
  }

  @Test func aWordThatIsTooLongIsBroken() {
    #expect("a bcdefghijk l".wrapped(to: 5) == "a\n  bcd\n  efg\n  hij\n  k l")
    #expect("abcdefgh".wrapped(to: 5) == "abcde\n  fgh")
  }

  @Test func namesKeepBothEnds() {
    #expect("llama.cpp-f16".shortened(to: 9) == "llam…-f16")
    #expect("packed".shortened(to: 6) == "packed")
    #expect("packed".shortened(to: 5) == "pa…ed")
  }
}
