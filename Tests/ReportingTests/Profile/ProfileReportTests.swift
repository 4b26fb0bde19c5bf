import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ProfileReportTests {
  @Test func contestantsStandSideBySide() throws {
    let section = RunReport(Fixture.profiled()).profiles
    let text = Document(title: "", sections: [section, Section(id: "end", title: "End", [.note("end")])])
      .markdown
    let start = try #require(text.range(of: "## Where the time goes"))
    let end = try #require(text.range(of: "\n\n## ", range: start.upperBound..<text.endIndex))
    expectEqual(
      String(text[start.lowerBound..<end.lowerBound]),
      """
      ## Where the time goes

      ### Decode after 64 tokens

      The fastest, `kv-cache` (2 threads), takes 1000.0 µs per token. Its longest phase is logits: 25.0 % at 80 % of its roofline (memory (DRAM)).

      | ms per token (share %) |    `kv-cache` t2 |    `threaded` t2 |
      | ---------------------- | ---------------: | ---------------: |
      | embedding              |     0.0100 (1.0) |      0.400 (1.4) |
      | layer norm             |     0.0200 (2.0) |      0.800 (2.8) |
      | QKV                    |     0.100 (10.0) |      4.00 (13.9) |
      | KV store               |    0.00400 (0.4) |                  |
      | scores                 |     0.0300 (3.0) |       1.20 (4.2) |
      | softmax                |     0.0100 (1.0) |      0.400 (1.4) |
      | values                 |     0.0300 (3.0) |       1.20 (4.2) |
      | projection             |     0.0400 (4.0) |       1.60 (5.6) |
      | MLP up                 |     0.200 (20.0) |      8.00 (27.9) |
      | GELU                   |     0.0300 (3.0) |       1.20 (4.2) |
      | MLP down               |     0.200 (20.0) |      8.00 (27.9) |
      | logits                 |     0.250 (25.0) |      0.250 (0.9) |
      | sampling               |     0.0200 (2.0) |     0.0200 (0.1) |
      | between operations     |    0.00600 (0.6) |    0.00600 (0.0) |
      | pool wait              |     0.0400 (4.0) |       1.60 (5.6) |
      | unexplained            |     0.0100 (1.0) |     0.0100 (0.0) |
      | **a whole token**      |         **1.00** |         **28.7** |
      | at best                |            0.657 |             1.72 |
      | has a name, %          |             98.4 |             99.9 |
      | the probes cost, %     | 0.5 (0.5 to 0.5) | 0.5 (0.5 to 0.5) |
      | passes kept            |           3 of 5 |           3 of 5 |

      ### Prefill of 64 tokens

      The fastest, `kv-cache` (2 threads), takes 28.686 ms per prompt. Its longest phase is MLP up: 27.9 % at 5 % of its roofline (compute).

      | ms per prompt (share %) |    `kv-cache` t2 |
      | ----------------------- | ---------------: |
      | embedding               |      0.400 (1.4) |
      | layer norm              |      0.800 (2.8) |
      | QKV                     |      4.00 (13.9) |
      | scores                  |       1.20 (4.2) |
      | softmax                 |      0.400 (1.4) |
      | values                  |       1.20 (4.2) |
      | projection              |       1.60 (5.6) |
      | MLP up                  |      8.00 (27.9) |
      | GELU                    |       1.20 (4.2) |
      | MLP down                |      8.00 (27.9) |
      | logits                  |      0.250 (0.9) |
      | sampling                |     0.0200 (0.1) |
      | between operations      |    0.00600 (0.0) |
      | pool wait               |       1.60 (5.6) |
      | unexplained             |     0.0100 (0.0) |
      | **a whole prompt**      |         **28.7** |
      | at best                 |             1.72 |
      | has a name, %           |             99.9 |
      | the probes cost, %      | 0.5 (0.5 to 0.5) |
      | passes kept             |           3 of 5 |

      The times are means over the kept passes: those around the median. All passes ran with probes, apart from the rounds. Times are of the thread that drives a pass. Three rows are not the work of a phase: its wait for the pool's other threads, the time between operations (with the probes' own time), and the time that nothing explains. **At best** is the least time that this run's ceilings allow, phase by phase. **The probes cost** compares the same passes with probes and without, in turns, and gives the 95 % interval. Some variants fuse work into a matrix product. A fused addition to the residual stream counts in the product's time. The time of a fused GELU includes the product's bias and stores. Each layer, with rates and rooflines, is in `profile.csv`.
      """)
  }

  /// As `profile` makes it: the report answers with the profiles, and speaks of no rounds.
  @Test func aProfileAloneIsItsOwnAnswer() {
    var record = Fixture.profiled()
    record.cells = []
    let answer =
      "`kv-cache` (2 threads), decode after 64 tokens, takes 1000.0 µs per token. Its longest phase is logits: "
      + "25.0 % at 80 % of its roofline"
    let text = RunReport(record).markdown
    expectContains(text, "\n\n" + answer)
    #expect(!text.contains("No variant has a figure"))
    #expect(!text.contains("Contestants took turns") && !text.contains("Samples of a cell"))
    expectContains(text, "is in `--format csv`")
    expectContains(HTMLReport(record).text, "takes 1000.0 µs per token")
  }

  @Test func aRunThatWasNotProfiledHasNoSection() {
    for profiles in [nil, []] as [[Profile]?] {
      var record = Fixture.profiled()
      record.profiles = profiles
      #expect(!RunReport(record).markdown.contains("Where the time goes"))
    }
  }

  /// Name → field, for each row.
  private func rows(_ record: Record) -> [[String: String]] {
    let lines = ProfileCSV(record).text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    expectEqual(Set(lines.map(\.count)).count, 1)
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  @Test func everyPhaseAndLayerIsARow() throws {
    let rows = rows(Fixture.profiled()).filter { $0["variant"] == "kv-cache" && $0["stage"] == "decode" }
    // Three phases outside the layers, eleven in two layers each; what is unexplained, and the whole.
    expectEqual(rows.count, 3 + 2 * 11 + 2)
    let up = try #require(rows.first { $0["phase"] == "mlp-up" && $0["layer"] == "1" })
    expectEqual(up["time_ns_per_pass"], "100000")
    expectEqual(up["wait_ns_per_pass"], "20000")
    expectEqual(up["share_percent"], "10")
    expectEqual(up["gflop_per_s"], "3.333333")
    expectEqual(up["at_best_ns_per_pass"], "80500")
    expectEqual(up["roof"], "memory (DRAM)")
    expectEqual(up["passes"], "")
    let total = try #require(rows.last)
    expectEqual(total["phase"], "total")
    expectEqual(total["time_ns_per_pass"], "1000000")
    expectEqual(total["passes"], "5")
    expectEqual(total["passes_kept"], "3")
    expectEqual(total["probes_cost_percent"], "0.5")
    let times = rows.dropLast().compactMap { Double($0["time_ns_per_pass"] ?? "") }
    let waits = rows.dropLast().compactMap { Double($0["wait_ns_per_pass"] ?? "") }
    let sum: Double = (times + waits).reduce(0, +)
    #expect(abs(sum - 1e6) < 1)
  }

  @Test func whatThereIsNotIsEmptyAndNeverZero() throws {
    var record = Fixture.profiled()
    record.ceilings = []
    let other = try #require(rows(record).first { $0["phase"] == "other" })
    for name in [
      "gflop_per_s", "gb_per_s", "flop_per_byte", "at_best_ns_per_pass", "roofline_percent", "roof",
    ] {
      expectEqual(other[name], "")
    }
    #expect(rows(record).allSatisfy { $0["roofline_percent"] == "" })
  }

  @Test func theFolderHasAFileOnlyWhereThereIsAProfile() throws {
    try withTemporaryFolder { root in
      let folder = try ReportFolder.create(at: root)
      try folder.write(Fixture.small())
      #expect(!FileManager.default.fileExists(atPath: root + "/profile.csv"))
      try folder.write(Fixture.profiled())
      let text = try String(contentsOfFile: root + "/profile.csv", encoding: .utf8)
      expectEqual(text, ProfileCSV(Fixture.profiled()).text)
    }
  }
}

struct PassRooflineTests {
  private let ceiling: Ceiling

  init() {
    var ceiling = Ceiling(threads: 2, fmaGFLOPS: 1000, dramGBPerSecond: 10)
    ceiling.memory = [("L2", 1_000_000, 100.0), ("DRAM", Int?.none, 10)].map { name, capacity, rate in
      MemoryRoof(
        level: name, capacityBytes: capacity, workingSetBytes: 1, streams: 1, prefetchBytes: 0,
        trials: [Double](repeating: rate, count: 3), remark: nil)
    }
    self.ceiling = ceiling
  }

  private func entry(_ phase: ProfilePhase, activations: Double) -> Profile.Entry {
    Profile.Entry(
      phase: phase, layer: 0, calls: 2, nanoseconds: 1, waitNanoseconds: 0, flops: 1, streamedBytes: 0,
      activationBytes: activations)
  }

  /// Two calls of 4 MB: a layer norm has all of a call's in its hands, a softmax only a query's 62.5 kB.
  @Test func aSoftmaxIsHeldAgainstTheMemoryThatHoldsAQuerys() throws {
    let roofline = Roofline(ceiling, products: nil, streamedBytes: 1e9)
    let norm = try #require(roofline.bound(.init([entry(.layerNorm, activations: 8e6)], queries: 64)))
    #expect(norm.roof == .memory(level: "DRAM") && abs(norm.nanoseconds - 8e5) < 1)
    let softmax = try #require(
      roofline.bound(.init([entry(.attentionSoftmax, activations: 8e6)], queries: 64)))
    #expect(softmax.roof == .memory(level: "L2") && abs(softmax.nanoseconds - 8e4) < 1)
    let token = Roofline.Work([entry(.attentionSoftmax, activations: 8e6)], queries: 1)
    expectEqual(roofline.bound(token)?.roof, .memory(level: "DRAM"))
  }

  /// Of 1000 multiply-adds and 4000 products of bytes in a nanosecond.
  @Test func onlyProductsWithWeightsHaveTheirPeak() throws {
    let peak = ProductPeak(numbers: .int8, instructions: "avx2", trials: [4000])
    let roofline = Roofline(ceiling, products: peak)
    func bound(_ phase: ProfilePhase) -> Roofline.Bound? {
      let entry = Profile.Entry(
        phase: phase, layer: 0, calls: 1, nanoseconds: 1, waitNanoseconds: 0, flops: 8e6, streamedBytes: 8,
        activationBytes: 0)
      return roofline.bound(.init([entry], queries: 1))
    }
    for phase in [ProfilePhase.qkv, .projection, .up, .down, .logits] {
      expectEqual(bound(phase), .init(nanoseconds: 2000, roof: .products(instructions: "avx2")))
    }
    for phase in [ProfilePhase.attentionScores, .attentionValues, .gelu, .layerNorm] {
      expectEqual(bound(phase), .init(nanoseconds: 8000, roof: .compute))
    }
    var ceiling = ceiling
    ceiling.products = [peak]
    var profile = Fixture.profile("int8")
    (profile.weights, profile.instructions) = ("int8", "avx2")
    let logits = { (profile: Profile) in
      ProfileFigures(profile, ceiling: ceiling).phases.first { $0.phase == .logits }?.work
    }
    // A token's logits: 1 MFLOP, which memory bounds either way.
    expectEqual(logits(profile)?.roof, logits(Fixture.profile("packed"))?.roof)
    for index in profile.entries.indices { profile.entries[index].flops *= 1e6 }
    expectEqual(logits(profile)?.roof, .products(instructions: "avx2"))
  }
}
