import Foundation
import Testing

@testable import Record
@testable import Reporting

@Suite struct BenchmarkActionReportTests {
  /// The keys of the action's schema; all but the last two must be there.
  private enum Key: String, CodingKey, CaseIterable { case name, unit, value, range, extra }

  private func entries(_ record: Record) throws -> [StrictObject<Key>] {
    let text = try BenchmarkActionReport(record).json
    return try JSONDecoder().decode([StrictObject<Key>].self, from: Data(text.utf8))
  }

  @Test func everyFigureIsATimeOrASize() throws {
    let entries = try entries(Fixture.small())
    #expect(
      entries.map { $0.texts[.name] ?? "" } == [
        "naive f32 t1, pp64: TTFT", "naive f32 t1, pp64: prefill", "naive f32 t1, tg5 @ d64: TPOT",
        "kv-cache f32 t1, pp64: TTFT", "kv-cache f32 t1, pp64: prefill", "kv-cache f32 t1, tg5 @ d64: TPOT",
        "naive f32 t1: peak memory", "naive f32 t1: load, warm", "kv-cache f32 t1: peak memory",
        "kv-cache f32 t1: load, warm",
      ])
    #expect(entries.allSatisfy { ["ms", "MiB"].contains($0.texts[.unit]) })
    #expect(entries.map { $0.numbers[.value] ?? -1 } == [42, 41, 21, 11.5, 10.5, 2.1, 50, 1.25, 50, 1.25])
  }

  /// The interval of 40, 41 and 42 ms reaches from one end to the other.
  @Test func rangeIsHalfTheInterval() throws {
    let entries = try entries(Fixture.small())
    #expect(entries[1].texts[.range] == "± 1")
    #expect(entries[2].texts[.range] == "± 1")
    #expect(entries[6].texts[.range] == nil)
    #expect(
      entries[1].texts[.extra] == "n = 3\nsynthetic:tiny\nExample CPU\ngpt2-bench 0.1.0, commit 0123abc")
    // What the action's own pattern takes for a number.
    for range in entries.compactMap({ $0.texts[.range] }) {
      #expect(range.hasPrefix("± ") && Double(range.dropFirst(2)) != nil)
    }
  }

  @Test func gemm() throws {
    let entries = try entries(Fixture.gemm())
    // The variant that failed on the matrix has no figure there.
    #expect(
      entries.compactMap { $0.texts[.name] }.filter { $0.hasSuffix(": GEMM") } == [
        "naive f32 t1, 1x100x200: GEMM", "simd8 f32 t1, 1x100x200: GEMM", "naive f32 t1, 64x100x200: GEMM",
      ])
  }

  @Test func whatHasNoFigureIsLeftOut() throws {
    let entries = try entries(Fixture.awkward())
    let names = entries.compactMap { $0.texts[.name] }
    #expect(names.count == entries.count)
    #expect(names.contains("o'brien, \"quoted\" f32 t1, pp64: TTFT"))
    #expect(!names.contains { $0.hasPrefix("naive") })
    #expect(entries.allSatisfy { ($0.numbers[.value] ?? 0) > 0 })
    #expect(try self.entries(Fixture.record()).isEmpty)
    let troubled = try self.entries(Fixture.troubled()).compactMap { $0.texts[.name] }
    #expect(!troubled.contains { $0.hasPrefix("simd8") || $0.hasPrefix("threaded, ") })
  }
}
