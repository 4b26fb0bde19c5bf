import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// Records of operations alone, in every form that has room for them.
struct OperationReportTests {
  private let run = RunFigures(Fixture.operations())

  private func isClose(_ value: Double?, _ expected: Double) -> Bool {
    value.map { abs($0 - expected) < 1e-9 * expected } ?? false
  }

  @Test func figuresInMicroseconds() throws {
    let norm = run.rows[1].figures
    expectEqual(norm[.operationTime]?.value, 16)
    expectEqual(norm.gflops, 25)
    expectEqual(norm.gbPerSecond, 25)
    expectEqual(norm.intensity, 1)
    expectEqual(run.rows[1].speedAgainstNaive?.value, 5)
    expectNil(norm[.matmulTime])
    expectNil(norm[.decodeRate])
  }

  /// 6 kB from DRAM at 10 GB/s take 0.6 µs, 394 kB from a cache at 100 GB/s 3.94 µs; 0.4 MFLOP at 100 GFLOP/s 4 µs.
  @Test func streamedBytesAndActivationsHaveRoofsOfTheirOwn() throws {
    func level(_ name: String, _ capacity: Int?, _ rate: Double) -> MemoryRoof {
      MemoryRoof(
        level: name, capacityBytes: capacity, workingSetBytes: 1, streams: 1, prefetchBytes: 0,
        trials: [rate],
        remark: nil)
    }
    let ceiling = Ceiling(
      threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10, fmaTrials: [100],
      memory: [level("L2", 1 << 20, 100), level("DRAM", nil, 10)])
    let record = Fixture.operations()
    let norm = CellFigures(record.cells[1], ceiling: ceiling)
    #expect(isClose(norm.bound?.nanoseconds, 4540))
    #expect(isClose(norm.rooflinePercent, 28.375))
    expectEqual(norm.roof, .memory(level: "L2"))
    // Nothing is counted of a choice but its bytes: 200 kB from DRAM take 20 µs of its 250.
    let choice = CellFigures(record.cells[2], ceiling: ceiling)
    expectNil(choice.gflops)
    expectNil(choice.intensity)
    expectEqual(choice.gbPerSecond, 0.8)
    #expect(isClose(choice.rooflinePercent, 8))
    expectEqual(choice.roof, .memory(level: "DRAM"))
    var computing = record.cells[1]
    computing.flops = 1e6
    expectEqual(CellFigures(computing, ceiling: ceiling).roof, .compute)
    // The queries of a head take turns in one row: 64 rows of 16 kB each stay in L2.
    var softmax = Fixture.operationCell(
      "naive", .softmax(rows: 64, heads: 12, depth: 512), flops: 1, bytes: 64 * 16_000, streamed: 0,
      microseconds: [1])
    softmax.bytes = 2_000_000
    expectEqual(CellFigures(softmax, ceiling: ceiling).roof, .memory(level: "L2"))
  }

  @Test func aFailedShapeCostsItsOwnRowAlone() {
    expectEqual(
      run.rows.map(\.check),
      [
        .passed, .passed, .passed, .passed,
        .failed("attention 1x12x64 @ d512: max abs error 0.5 > 1e-4"),
      ])
    #expect(!run.rows[4].hasFigures && run.rows[1].hasFigures)
  }

  @Test func theTableFitsAndRanksWithinATest() {
    let text = TerminalTable(Fixture.operations(), colour: false).text
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.hasPrefix("simd8    layernorm 64x768") && $0.contains("16.00") })
    let simd8 = lines.firstIndex { $0.hasPrefix("simd8    layernorm") }
    let naive = lines.firstIndex { $0.hasPrefix("naive    layernorm") }
    expectEqual(simd8.flatMap { s in naive.map { s < $0 } }, true)
    #expect(lines.contains { $0.contains("µs ± CI") })
    #expect(lines.contains("layernorm 64x768: time µs ± CI, × naive, t = threads"))
  }

  /// What is the same code for every variant makes none the fastest.
  @Test func theEnginesOwnOperationsAreNotRanked() {
    expectEqual(Ladder.all(run).map(\.test.name), ["layernorm 64x768", "attention 1x12x64 @ d512"])
    #expect(run.rows[2].speedAgainstNaive == nil && run.rows[2].hasFigures)
    #expect(!RunReport(Fixture.operations()).markdown.contains("is fastest on `sampling"))
  }

  @Test func csvHasTheOperationAndItsRows() throws {
    let lines = CSVReport(Fixture.operations()).results.split(separator: "\n")
    #expect(
      lines[0].hasPrefix("variant,weights,operation,rows,test,threads,status,check,samples,us,us_ci_low,"))
    #expect(lines[2].hasPrefix("simd8,f32,layernorm,64,layernorm 64x768,1,measured,pass,3,16,16,16,25,25,1,"))
    // No GFLOP/s and no FLOP/B where none are counted.
    #expect(
      lines[3].hasPrefix("naive,f32,sampling,1,sampling 50257 top-k,1,measured,pass,3,250,250,250,,0.8,,8,"))
  }

  @Test func markdownSaysHowItIsCountedAndThatSomeRowsAreTheEngines() {
    let text = RunReport(Fixture.operations()).markdown
    #expect(text.hasPrefix("# GPT-2's operations on Example CPU"))
    expectContains(
      text,
      "**`simd8` (1 thread) is fastest on `layernorm 64x768`: 16.00 ± 0.00 µs.** It is 5.00 times as fast as `naive`."
    )
    #expect(text.contains("Layer norm has 8 for each value") && text.contains("The engine's own."))
    expectContains(
      RunReport(Fixture.operations()).gitHubComment, "### GPT-2's operations on Example CPU")
  }

  @Test func servicesGetTimesOfCalls() throws {
    let action = BenchmarkActionReport(Fixture.operations()).entries.first
    expectEqual(action?.name, "naive f32 t1, layernorm 64x768: operation")
    expectEqual(action?.unit, "µs")
    expectEqual(action?.value, 80)
    let metrics = try #require(
      BencherReport(Fixture.operations()).benchmarks["simd8 f32 t1 layernorm 64x768"])
    #expect(isClose(metrics["latency"]?.value, 16_000))
    #expect(isClose(metrics["throughput"]?.value, 62_500))
  }

  @Test func recordsCompareLikeThoseOfProducts() throws {
    let base = Fixture.operations()
    #expect(Comparison(base: base, head: base).rows.allSatisfy { $0.verdict != .regressed })
    var head = base
    for index in head.cells[1].samples.indices { head.cells[1].samples[index].elapsedNanoseconds *= 2 }
    let rows = Comparison(base: base, head: head).rows
    let row = try #require(rows.first { $0.label == "simd8 f32 t1 layernorm 64x768 ops" })
    expectEqual(row.metric, .operationTime)
    expectEqual(row.unit, "µs")
    expectEqual(row.base, 16)
    expectEqual(row.head, 32)
    try expectEqual(Thresholds(parsing: "5%,ops=9%")[.operationTime], 0.09)
  }

  @Test func theRecordReadsBackAndItsSizesAreChecked() throws {
    let record = Fixture.operations()
    try expectEqual(Record.decode(record.encode(), path: "r.json"), record)
    for (old, new, field) in [
      ("\"headSize\" : 64", "\"headSize\" : 0", "cells[3].test.operation.shape.attention.headSize"),
      ("\"depth\" : 512", "\"depth\" : -1", "cells[3].test.operation.shape.attention.depth"),
      ("\"vocabulary\" : 50257", "\"vocabulary\" : 0", "cells[2].test.operation.shape.sampling.vocabulary"),
      ("\"channels\" : 768", "\"channels\" : 0", "cells[0].test.operation.shape.layerNorm.channels"),
      ("\"streamedBytes\" : 6000", "\"streamedBytes\" : -1", "cells[0].streamedBytes"),
    ] {
      let text = String(decoding: try record.encode(), as: UTF8.self).replacing(old, with: new)
      let error = #expect(throws: RecordError.self) { try Record.decode(Data(text.utf8), path: "r.json") }
      expectEqual(error?.description.contains(field), true)
    }
    let json = String(decoding: try record.encode(), as: UTF8.self)
    let batch = json.replacing("\"layerNorm\"", with: "\"batchNorm\"")
    let unknown = #expect(throws: RecordError.self) { try Record.decode(Data(batch.utf8), path: "r.json") }
    expectEqual(
      unknown?.description,
      "r.json: cells[0].test.operation.shape: found an object, expected an object with one of "
        + "\"layerNorm\", \"gelu\", \"softmax\", \"attention\", \"embedding\", \"sampling\"")
    let text = json.replacing("\"top-k\"", with: "\"best\"")
    let error = #expect(throws: RecordError.self) { try Record.decode(Data(text.utf8), path: "r.json") }
    expectEqual(error?.description.contains("one of \"greedy\", \"temperature\", \"top-k\", \"top-p\""), true)
  }
}
