import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ProfileTextTests {
  private func record(_ profiles: [Profile]?, ceilings: Bool = true) -> Record {
    var record = Fixture.profiled()
    record.profiles = profiles
    if !ceilings { record.ceilings = [] }
    return record
  }

  private func text(_ profile: Profile, colour: Bool = false, width: Int = 100, ceilings: Bool = true)
    -> String
  {
    ProfileText(record([profile], ceilings: ceilings), colour: colour, width: width).text
  }

  @Test func aTokenAsATree() {
    expectEqual(
      text(Fixture.profile("kv-cache")),
      """
      kv-cache f32, 2 threads, synthetic:tiny: decode after 64 tokens, 1000.0 µs per token, 1000 tok/s

      phase                             time  share  calls  GFLOP/s   GB/s  FLOP/B  of roof  at best  roof
                                          µs      %                                       %       µs
      embedding           ▎             10.0    1.0      1    0.100  0.100    1.00      1.0      0.1  DRAM
      layer norm          ▌             20.0    2.0      2    0.200  0.200    1.00      2.0      0.4  DRAM
      attention           █████        214.0   21.4            2.91   6.16   0.472     61.6    131.8
      ├ QKV               ██▍          100.0   10.0      2     4.00   8.08   0.495     80.8     80.8  DRAM
      ├ KV store          ▏              4.0    0.4      2            1.00             10.0      0.4  DRAM
      ├ scores            ▊             30.0    3.0      2     1.33   3.33   0.400     33.3     10.0  DRAM
      ├ softmax           ▎             10.0    1.0      2    0.200  0.200    1.00      2.0      0.2  DRAM
      ├ values            ▊             30.0    3.0      2     1.33   3.33   0.400     33.3     10.0  DRAM
      └ projection        ▉             40.0    4.0      2     3.50   7.60   0.461     76.0     30.4  DRAM
      MLP                 ██████████   430.0   43.0            3.45   6.87   0.502     68.7    322.8
      ├ MLP up            ████▋        200.0   20.0      2     3.33   6.71   0.497     67.1    161.0  DRAM
      ├ GELU              ▊             30.0    3.0      2    0.667  0.267    2.50      2.7      0.8  DRAM
      └ MLP down          ████▋        200.0   20.0      2     4.00   8.05   0.497     80.5    161.0  DRAM
      logits              █████▉       250.0   25.0      1     4.00   8.04   0.498     80.4    201.0  DRAM
      sampling            ▌             20.0    2.0      1           0.400              4.0      0.8  DRAM
      between operations  ▏              6.0    0.6      2
      pool wait           ▉             40.0    4.0
      unexplained         ▎             10.0    1.0
      total                           1000.0  100.0            3.25   6.57   0.494     65.7    656.9

      layer                       time  share  calls  MFLOP    MB  GFLOP/s  GB/s  FLOP/B  of roof  at best
                                    µs      %                                                   %       µs
          0  ██████████████████  355.0   35.5     11   1.12  2.27     3.16  6.41   0.494     64.1    227.5
          1  ██████████████████  355.0   35.5     11   1.12  2.27     3.16  6.41   0.494     64.1    227.5

      thread                                                busy  busy  waits
                                                              µs     %     µs
      0, drives  ██████████████████████████████████████    950.0  95.0   40.0
      1          █████████████████████████████████████▎    930.0  93.0   60.0

      98.4 % of the wall time has a name; 0.6 % is between operations or in probes, 1.0 % is unexplained.
      The probes cost 0.5 % (95 % CI 0.5 to 0.5), the median over 5 passes that ran with them and without,
        in turns: 1000.0 µs with, 995.0 µs without.
      Means of 3 of 5 passes, those around the median.
      Times are of the thread that drives the pass. Rates and shares of the roofline count its wait too;
        for a part of an operation, that is the wait of the whole operation.
      At best: the least time that the ceilings of this run allow.

      """)
  }

  @Test func aWideTerminalGetsOperationsAndBytesToo() throws {
    let lines = text(Fixture.profile("kv-cache"), width: 140).split(separator: "\n").map(String.init)
    func words(_ start: String) throws -> [String] {
      try #require(lines.first { $0.hasPrefix(start) }).split(separator: " ").map(String.init)
    }
    try expectEqual(words("phase")[3...7], ["wait", "calls", "MFLOP", "MB", "GFLOP/s"])
    try expectEqual(words("└ projection")[5...8], ["2", "0.140", "0.304", "3.50"])
    #expect(lines.allSatisfy { $0.count <= 140 })
  }

  @Test func aNarrowTerminalGetsFewerColumns() {
    expectEqual(
      text(Fixture.profile("kv-cache"), width: 60),
      """
      kv-cache f32, 2 threads, synthetic:tiny: decode after 64
        tokens, 1000.0 µs per token, 1000 tok/s

      phase                          time  share  GFLOP/s  of roof
                                       µs      %                 %
      embedding           ▏          10.0    1.0    0.100      1.0
      layer norm          ▍          20.0    2.0    0.200      2.0
      attention           ███▌      214.0   21.4     2.91     61.6
      ├ QKV               █▋        100.0   10.0     4.00     80.8
      ├ KV store          ▏           4.0    0.4              10.0
      ├ scores            ▌          30.0    3.0     1.33     33.3
      ├ softmax           ▏          10.0    1.0    0.200      2.0
      ├ values            ▌          30.0    3.0     1.33     33.3
      └ projection        ▋          40.0    4.0     3.50     76.0
      MLP                 ███████   430.0   43.0     3.45     68.7
      ├ MLP up            ███▎      200.0   20.0     3.33     67.1
      ├ GELU              ▌          30.0    3.0    0.667      2.7
      └ MLP down          ███▎      200.0   20.0     4.00     80.5
      logits              ████▏     250.0   25.0     4.00     80.4
      sampling            ▍          20.0    2.0               4.0
      between operations  ▏           6.0    0.6
      pool wait           ▋          40.0    4.0
      unexplained         ▏          10.0    1.0
      total                        1000.0  100.0     3.25     65.7

      layer                    time  share  GFLOP/s  GB/s  of roof
                                 µs      %                       %
          0  ███████████████  355.0   35.5     3.16  6.41     64.1
          1  ███████████████  355.0   35.5     3.16  6.41     64.1

      thread                                     busy  busy  waits
                                                   µs     %     µs
      0, drives  ███████████████████████████▌   950.0  95.0   40.0
      1          ███████████████████████████    930.0  93.0   60.0

      98.4 % of the wall time has a name; 0.6 % is between
        operations or in probes, 1.0 % is unexplained.
      The probes cost 0.5 % (95 % CI 0.5 to 0.5), the median over
        5 passes that ran with them and without, in turns: 1000.0
        µs with, 995.0 µs without.
      Means of 3 of 5 passes, those around the median.
      Times are of the thread that drives the pass. Rates and
        shares of the roofline count its wait too; for a part of
        an operation, that is the wait of the whole operation.
      At best: the least time that the ceilings of this run allow.

      """)
  }

  @Test(arguments: [60, 80, 100, 160])
  func everyLineFits(width: Int) {
    let deep = Fixture.profile("deep", layers: 40)
    for profile in [Fixture.profile("kv-cache"), Fixture.profile("kv-cache", .prefill, threads: 1), deep] {
      let plain = text(profile, width: width)
      #expect(plain.split(separator: "\n").allSatisfy { $0.count <= width })
      #expect(!plain.contains("\u{1B}"))
    }
  }

  @Test func thePhaseThatTakesMostIsBold() {
    let bold = text(Fixture.profile("kv-cache"), colour: true)
    let lines = bold.split(separator: "\n").filter { $0.contains("\u{1B}[1m") }
    expectEqual(lines.count, 1)
    expectEqual(lines.first?.hasPrefix("\u{1B}[1mlogits"), true)
    expectEqual(
      bold.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: ""),
      text(Fixture.profile("kv-cache")))
  }

  @Test func withoutCeilingsThereIsNoRoofline() {
    let bare = text(Fixture.profile("kv-cache"), ceilings: false)
    expectContains(bare, "No roofline: the record has no ceilings for 2 threads.")
    #expect(!bare.contains("of roof"))
    #expect(!bare.contains("at best"))
    expectContains(bare, "GFLOP/s")
  }

  @Test func oneThreadWaitsForNobody() {
    let single = text(Fixture.profile("simd8", threads: 1))
    #expect(!single.contains("pool wait"))
    #expect(!single.contains("drives"))
    expectContains(single, "unexplained")
  }

  @Test func aDeepModelsLayersAreFoldedWhereTheyAreAlike() {
    let deep = text(Fixture.profile("deep", layers: 40))
    expectContains(deep, "4 to 35", "Layers 4 to 35 are within 10 % of their median: the line is their mean.")
    var uneven = Fixture.profile("deep", layers: 40)
    let index = uneven.entries.firstIndex { $0.layer == 20 && $0.phase == .down } ?? 0
    uneven.entries[index].nanoseconds *= 3
    uneven.wallNanoseconds += uneven.entries[index].nanoseconds
    #expect(!text(uneven).contains("4 to 35"))
  }

  @Test func nothingProfiledGivesNoText() {
    #expect(ProfileText(record(nil), colour: true).text.isEmpty)
    #expect(ProfileText(record([]), colour: true).text.isEmpty)
  }

  @Test func aCostThatWasNotMeasuredIsNotPrinted() {
    var profile = Fixture.profile("kv-cache")
    profile.overhead = nil
    #expect(!text(profile).contains("The probes cost"))
  }

  @Test(arguments: [
    (1_000_000.0, "1000.0 µs"), (9_999_949, "9999.9 µs"), (12_345_678, "12.346 ms"),
    (612_345_678, "612.35 ms"),
    (12_345_678_901, "12.346 s"), (35_000, "35.000 µs"),
  ])
  func timesHaveFiveDigits(nanoseconds: Double, words: String) {
    expectEqual(TimeScale(longestNanoseconds: nanoseconds).words(nanoseconds), words)
  }

  @Test func smallTimesAreNoNegativeZero() {
    let scale = TimeScale(longestNanoseconds: 1e6)
    expectEqual(scale.text(-1), "0.0")
    expectEqual(scale.signed(1), "0.0")
    expectEqual(scale.signed(-2600), "-2.6")
    expectEqual(scale.signed(2600), "+2.6")
  }
}
