import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct BencherReportTests {
  private enum Key: String, CodingKey, CaseIterable {
    case value
    case lower = "lower_value"
    case upper = "upper_value"
  }

  private typealias Benchmarks = [String: [String: StrictObject<Key>]]

  private func benchmarks(_ record: Record) throws -> Benchmarks {
    try JSONDecoder().decode(Benchmarks.self, from: Data(BencherReport(record).json.utf8))
  }

  @Test func timesAreNanosecondsAndSizesBytes() throws {
    let benchmarks = try benchmarks(Fixture.small())
    expectEqual(
      benchmarks.keys.sorted(),
      [
        "kv-cache f32 t1", "kv-cache f32 t1 pp64", "kv-cache f32 t1 tg5 @ d64", "naive f32 t1",
        "naive f32 t1 pp64", "naive f32 t1 tg5 @ d64",
      ])
    let prompt = try #require(benchmarks["naive f32 t1 pp64"])
    expectEqual(prompt.keys.sorted(), ["latency", "throughput", "time-to-first-token"])
    expectEqual(prompt["latency"]?.numbers, [.value: 41e6, .lower: 40e6, .upper: 42e6])
    expectEqual(prompt["time-to-first-token"]?.numbers[.value], 42e6)
    // 64 tokens in 40, 41 and 42 ms.
    expectEqual(prompt["throughput"]?.numbers, [.value: 64e9 / 41e6, .lower: 64e9 / 42e6, .upper: 1600])
    let decode = try #require(benchmarks["kv-cache f32 t1 tg5 @ d64"])
    expectEqual(decode.keys.sorted(), ["latency", "throughput"])
    expectEqual(decode["latency"].flatMap { $0.numbers[.value] }.map { abs($0 - 2.1e6) < 1 }, true)
    let process = try #require(benchmarks["naive f32 t1"])
    expectEqual(process.keys.sorted(), ["load-time", "peak-memory"])
    expectEqual(process["peak-memory"]?.numbers, [.value: 52_428_800])
    expectEqual(process["load-time"]?.numbers, [.value: 1_250_000])
  }

  @Test func gemmCountsFloatingPointOperations() throws {
    let metric = try #require(try benchmarks(Fixture.gemm())["naive f32 t1 64x100x200"]?["throughput"])
    // 2 · 64 · 100 · 200 in 1.28 ms.
    expectEqual(metric.numbers[.value].map { abs($0 / 2e9 - 1) < 1e-12 }, true)
  }

  @Test func boundsLieAroundTheValue() throws {
    for record in [
      Fixture.small(), Fixture.gemm(), Fixture.operations(), Fixture.troubled(), Fixture.awkward(),
    ] {
      for metric in try benchmarks(record).values.flatMap(\.values) {
        let value = try #require(metric.numbers[.value])
        #expect(metric.texts.isEmpty && value > 0)
        #expect(metric.numbers[.lower] ?? value <= value)
        #expect(metric.numbers[.upper] ?? value >= value)
      }
    }
  }

  @Test func whatHasNoFigureIsLeftOut() throws {
    let benchmarks = try benchmarks(Fixture.awkward())
    #expect(!benchmarks.keys.contains { $0.hasPrefix("naive") })
    // Its time is a number, its rate is not.
    expectEqual(benchmarks["simd8 f32 t1 1x100x200"]?.keys.sorted(), ["latency"])
    #expect(try self.benchmarks(Fixture.record()).isEmpty)
  }

  @Test func namesStayWithinBenchersLimit() throws {
    var record = Fixture.small()
    record.cells[0].variant = String(repeating: "é", count: 2000)
    let names = try benchmarks(record).keys
    #expect(names.allSatisfy { !$0.isEmpty && $0.utf8.count <= 1024 })
    #expect(names.contains { $0.hasPrefix("éé") && $0.hasSuffix(" pp64") })
  }
}

struct BenchmarkActionReportTests {
  /// The keys of the action's schema; all but the last two must be there.
  private enum Key: String, CodingKey, CaseIterable { case name, unit, value, range, extra }

  private func entries(_ record: Record) throws -> [StrictObject<Key>] {
    let text = try BenchmarkActionReport(record).json
    return try JSONDecoder().decode([StrictObject<Key>].self, from: Data(text.utf8))
  }

  @Test func everyFigureIsATimeOrASize() throws {
    let entries = try entries(Fixture.small())
    expectEqual(
      entries.map { $0.texts[.name] ?? "" },
      [
        "naive f32 t1, pp64: TTFT", "naive f32 t1, pp64: prefill", "naive f32 t1, tg5 @ d64: TPOT",
        "kv-cache f32 t1, pp64: TTFT", "kv-cache f32 t1, pp64: prefill", "kv-cache f32 t1, tg5 @ d64: TPOT",
        "naive f32 t1: peak memory", "naive f32 t1: load, warm", "kv-cache f32 t1: peak memory",
        "kv-cache f32 t1: load, warm",
      ])
    #expect(entries.allSatisfy { ["ms", "MiB"].contains($0.texts[.unit]) })
    expectEqual(entries.map { $0.numbers[.value] ?? -1 }, [42, 41, 21, 11.5, 10.5, 2.1, 50, 1.25, 50, 1.25])
  }

  /// The interval of 40, 41 and 42 ms reaches from one end to the other.
  @Test func rangeIsHalfTheInterval() throws {
    let entries = try entries(Fixture.small())
    expectEqual(entries[1].texts[.range], "± 1")
    expectEqual(entries[2].texts[.range], "± 1")
    expectNil(entries[6].texts[.range])
    expectEqual(
      entries[1].texts[.extra], "n = 3\nsynthetic:tiny\nExample CPU\ngpt2-bench 0.1.0, commit 0123abc")
    // What the action's own pattern takes for a number.
    for range in entries.compactMap({ $0.texts[.range] }) {
      #expect(range.hasPrefix("± ") && Double(range.dropFirst(2)) != nil)
    }
  }

  @Test func gemm() throws {
    let entries = try entries(Fixture.gemm())
    // The variant that failed on the matrix has no figure there.
    expectEqual(
      entries.compactMap { $0.texts[.name] }.filter { $0.hasSuffix(": GEMM") },
      [
        "naive f32 t1, 1x100x200: GEMM", "simd8 f32 t1, 1x100x200: GEMM", "naive f32 t1, 64x100x200: GEMM",
      ])
  }

  @Test func whatHasNoFigureIsLeftOut() throws {
    let entries = try entries(Fixture.awkward())
    let names = entries.compactMap { $0.texts[.name] }
    expectEqual(names.count, entries.count)
    #expect(names.contains("o'brien, \"quoted\" f32 t1, pp64: TTFT"))
    #expect(!names.contains { $0.hasPrefix("naive") })
    #expect(entries.allSatisfy { ($0.numbers[.value] ?? 0) > 0 })
    #expect(try self.entries(Fixture.record()).isEmpty)
    let troubled = try self.entries(Fixture.troubled()).compactMap { $0.texts[.name] }
    #expect(!troubled.contains { $0.hasPrefix("simd8") || $0.hasPrefix("threaded, ") })
  }
}
