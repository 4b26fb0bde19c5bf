import Statistics
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct FigureTests {
  private let ceiling = Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10)

  @Test func aPromptGivesTimeToFirstTokenAndPrefillSpeed() throws {
    let figures = CellFigures(Fixture.prefillCell("v", milliseconds: [40, 44, 42]), ceiling: ceiling)
    expectEqual(figures.sampleCount, 3)
    expectEqual(figures[.timeToFirstToken]?.value, 43)
    expectEqual(figures[.prefillTime]?.value, 42)
    let rate = try #require(figures[.prefillRate])
    #expect(abs(rate.value - 64 / 0.042) < 1e-6)
    let interval = try #require(rate.interval)
    #expect(abs(interval.lower - 64 / 0.044) < 1e-6)
    #expect(abs(interval.upper - 64 / 0.040) < 1e-6)
    expectNil(figures[.decodeRate])
    expectNil(figures.interTokenLatencyMS)
  }

  @Test func decodingLeavesOutTheFirstToken() throws {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [])
    cell.samples = [
      Sample(
        round: 0, sequence: 0, elapsedNanoseconds: 50e6, iterations: 1, prefillNanoseconds: 9_000_000,
        tokenNanoseconds: [10_000_000, 20_000_000, 30_000_000, 38_000_000, 46_000_000])
    ]
    let figures = CellFigures(cell, ceiling: ceiling)
    let decode = try #require(figures[.decodeRate])
    #expect(abs(decode.value - 4 / 0.036) < 1e-6)
    expectNil(decode.interval)
    expectEqual(figures[.timePerOutputToken]?.value, 10)
    let latency = try #require(figures.interTokenLatencyMS)
    expectEqual(latency.p50, 9)
    #expect(abs(latency.p90 - 10) < 1e-9)
    expectNil(figures[.timeToFirstToken])
    let positions = figures.positions.map(\.positions)
    expectEqual(positions, [65...65, 66...66, 67...67, 68...68])
    for (found, expected) in zip(figures.positions.map(\.tokensPerSecond), [100, 100, 125, 125.0]) {
      #expect(abs(found - expected) < 1e-9)
    }
  }

  @Test func latencyPercentilesPoolTheGapsOfAllSamples() throws {
    let figures = CellFigures(Fixture.decodeCell("v", stepMilliseconds: [10, 20]), ceiling: nil)
    expectEqual(figures.interTokenLatencyMS?.p50, 15)
    expectEqual(figures.interTokenLatencyMS?.p90, 20)
  }

  @Test func aBatchMultipliesTokensAndNotLatency() throws {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [10, 10, 10])
    cell.test = .decode(tokens: 5, depth: 64, batch: 4)
    let figures = CellFigures(cell, ceiling: nil)
    #expect(abs(try #require(figures[.decodeRate]).value - 400) < 1e-9)
    #expect(abs(try #require(figures[.decodeRatePerUser]).value - 100) < 1e-9)
    expectEqual(figures[.timePerOutputToken]?.value, 10)
    #expect(abs(figures.positions[0].tokensPerSecond - 400) < 1e-9)
    cell = Fixture.prefillCell("v", milliseconds: [64, 64, 64])
    cell.test = .prefill(tokens: 64, batch: 2)
    #expect(abs(try #require(CellFigures(cell, ceiling: nil)[.prefillRate]).value - 2000) < 1e-9)
  }

  @Test func longOutputsFallIntoEightRangesWithoutAGap() {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [])
    cell.samples = [
      Sample(
        round: 0, sequence: 0, elapsedNanoseconds: 21e6, iterations: 1, prefillNanoseconds: nil,
        tokenNanoseconds: (1...21).map { $0 * 1_000_000 })
    ]
    let positions = CellFigures(cell, ceiling: nil).positions
    expectEqual(positions.count, 8)
    expectEqual(positions.first?.positions.lowerBound, 65)
    expectEqual(positions.last?.positions.upperBound, 84)
    for (left, right) in zip(positions, positions.dropFirst()) {
      expectEqual(left.positions.upperBound + 1, right.positions.lowerBound)
    }
    #expect(positions.allSatisfy { abs($0.tokensPerSecond - 1000) < 1e-6 })
  }

  @Test func workIsHeldAgainstTheLowerOfBothCeilings() throws {
    var cell = Fixture.gemmCell("v", m: 1, milliseconds: [1, 1, 1])
    cell.flops = 4e7
    cell.bytes = 8e6
    let memoryBound = CellFigures(cell, ceiling: ceiling)
    expectEqual(memoryBound.gflops, 40)
    expectEqual(memoryBound.gbPerSecond, 8)
    expectEqual(memoryBound.intensity, 5)
    expectEqual(memoryBound.rooflinePercent, 80)
    expectEqual(memoryBound.roof, .memory(level: "DRAM"))
    cell.bytes = 1e6
    expectEqual(CellFigures(cell, ceiling: ceiling).rooflinePercent, 40)
    expectEqual(CellFigures(cell, ceiling: ceiling).roof, .compute)
    expectNil(CellFigures(cell, ceiling: nil).rooflinePercent)
  }

  /// A row of narrow weights against the peak of what its products ran on, and else against multiply-adds.
  @Test func narrowWeightsHaveThePeakOfTheirInstructions() {
    var ceiling = ceiling
    ceiling.products = [
      ProductPeak(numbers: .bf16, instructions: "avx512_bf16", trials: [200, 200]),
      ProductPeak(numbers: .int8, instructions: "avx512_vnni", trials: [400, 400]),
    ]
    func found(_ weights: String, on instructions: String?) -> (Double?, Roof?) {
      var cell = Fixture.prefillCell("v", milliseconds: [4, 4, 4])
      (cell.weights, cell.instructions) = (weights, instructions)
      let figures = CellFigures(cell, ceiling: ceiling)
      return (figures.rooflinePercent, figures.roof)
    }
    // 200 MFLOP in 4 ms are 50 GFLOP/s.
    #expect(found("f32", on: nil) == (50, .compute))
    #expect(found("bf16", on: "avx512_bf16") == (25, .products(instructions: "avx512_bf16")))
    #expect(found("bf16", on: "avx512f") == (50, .compute))
    #expect(found("int8", on: "avx512_vnni") == (12.5, .products(instructions: "avx512_vnni")))
    #expect(found("int4", on: "avx512_vnni") == (12.5, .products(instructions: "avx512_vnni")))
    #expect(found("int8", on: "scalar") == (50, .compute))
    // Of a program that does not say what it runs on, the peak of such weights.
    #expect(found("q4_0", on: nil) == (12.5, .products(instructions: "avx512_vnni")))
    #expect(found("f16", on: nil) == (50, .compute))
    expectEqual(Roof.products(instructions: "avx2").words, "compute (avx2)")
    var gelu = Fixture.operationCell(
      "v", .gelu(rows: 1, channels: 10), flops: 4e7, bytes: 8, streamed: 0, microseconds: [1000])
    (gelu.weights, gelu.instructions) = ("int8", "avx512_vnni")
    expectEqual(CellFigures(gelu, ceiling: ceiling).roof, .compute)
  }

  /// Roofs of 89.8, 18.5 and 9: a tenth of the trials lies above.
  private let measured = Ceiling(
    threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10, fmaTrials: (0...10).map { 88 + Double($0) * 0.2 },
    memory: [
      MemoryRoof(
        level: "L3", capacityBytes: 1_000_000, workingSetBytes: 8192, streams: 1, prefetchBytes: 0,
        trials: [17, 18, 18.5].flatMap { [$0, $0, $0, $0] } + [18, 18, 18], remark: nil),
      MemoryRoof(
        level: "DRAM", capacityBytes: nil, workingSetBytes: 1 << 30, streams: 4, prefetchBytes: 1024,
        trials: [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10], remark: nil),
    ])

  @Test func theRoofIsAHighQuantileOfTheTrialsOfTheNearestMemoryThatHoldsTheBytes() throws {
    #expect(abs(measured.computeRoof - 89.8) < 1e-9)
    #expect(measured.memoryRoof(holding: nil) == ("DRAM", 9))
    #expect(measured.memoryRoof(holding: 1_000_001) == ("DRAM", 9))
    #expect(measured.memoryRoof(holding: 1_000_000) == ("L3", 18.5))
    var step = Fixture.decodeCell("v", stepMilliseconds: [1])
    (step.flops, step.bytes) = (4e6, 2e6)
    let far = CellFigures(step, ceiling: measured)
    expectEqual(far.roof, .memory(level: "DRAM"))
    let farPercent: Double = 100 * 2.0 / 9
    #expect(abs(try #require(far.rooflinePercent) - farPercent) < 1e-9)
    (step.flops, step.bytes) = (1e6, 5e5)
    let near = CellFigures(step, ceiling: measured)
    expectEqual(near.roof, .memory(level: "L3"))
    let nearPercent: Double = 100 * 0.5 / 18.5
    #expect(abs(try #require(near.rooflinePercent) - nearPercent) < 1e-9)
    // The weights of a product come from memory, however small they are.
    expectEqual(
      CellFigures(Fixture.gemmCell("v", m: 1, milliseconds: [1]), ceiling: measured).roof,
      .memory(level: "DRAM"))
    step.flops = 1e9
    expectEqual(CellFigures(step, ceiling: measured).roof, .compute)
    expectNil(CellFigures(step, ceiling: nil).roof)
  }

  @Test func theOperationsOfAGemmFollowFromItsShape() {
    var cell = Fixture.gemmCell("v", m: 64, milliseconds: [2, 2, 2])
    cell.flops = nil
    expectEqual(CellFigures(cell, ceiling: nil).gflops, 1.28)
  }

  @Test func memoryAndLoadingAreInMebibytesAndMilliseconds() {
    let figures = CellFigures(Fixture.decodeCell("v", stepMilliseconds: [1]), ceiling: nil)
    expectEqual(figures[.peakMemory]?.value, 50)
    expectEqual(figures[.coldLoad]?.value, 3.5)
    expectEqual(figures[.warmLoad]?.value, 1.25)
  }

  @Test(arguments: [Cell.Status.failedCheck, .died, .hung, .rejected, .skipped])
  func aCellThatIsNotSoundHasNoFigures(_ status: Cell.Status) {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [1, 2, 3])
    cell.status = status
    let figures = CellFigures(cell, ceiling: ceiling)
    expectEqual(figures.sampleCount, 0)
    expectNil(figures[.decodeRate])
    expectNil(figures[.timePerOutputToken])
    expectNil(figures.interTokenLatencyMS)
    #expect(figures.positions.isEmpty)
    expectNil(figures.gflops)
    expectNil(figures[.peakMemory])
    expectNil(figures[.warmLoad])
  }

  @Test func anInterruptedCellKeepsTheFiguresOfItsSamples() {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [10])
    cell.status = .pending
    expectEqual(CellFigures(cell, ceiling: nil)[.decodeRate]?.value, 100)
  }

  @Test func samplesWithoutTimesGiveNoFigure() {
    var cell = Fixture.decodeCell("v", stepMilliseconds: [])
    cell.samples = [
      Sample(
        round: 0, sequence: 0, elapsedNanoseconds: 1e6, iterations: 1, prefillNanoseconds: nil,
        tokenNanoseconds: [5]),
      Sample(
        round: 1, sequence: 1, elapsedNanoseconds: 1e6, iterations: 1, prefillNanoseconds: nil,
        tokenNanoseconds: []),
    ]
    let figures = CellFigures(cell, ceiling: ceiling)
    expectNil(figures[.decodeRate])
    expectNil(figures[.timePerOutputToken])
    #expect(figures.positions.isEmpty)
    expectNil(figures.gflops)
  }
}

struct RunFiguresTests {
  @Test func speedIsGivenAgainstNaiveOnTheSameTest() throws {
    let run = RunFigures(Fixture.small())
    expectEqual(run.rows[0].speedAgainstNaive, Figure(value: 1))
    #expect(abs(try #require(run.rows[2].speedAgainstNaive).value - 41 / 10.5) < 1e-9)
    let decode = try #require(run.rows[3].speedAgainstNaive)
    #expect(abs(decode.value - 10) < 1e-9)
    let interval = try #require(decode.interval)
    #expect(abs(interval.lower - 20 / 2.2) < 1e-9)
    #expect(abs(interval.upper - 11) < 1e-9)
  }

  @Test func naiveWithAsManyThreadsIsPreferred() {
    let record = Fixture.record(cells: [
      Fixture.decodeCell("naive", threads: 2, stepMilliseconds: [30]),
      Fixture.decodeCell("naive", threads: 1, stepMilliseconds: [40]),
      Fixture.decodeCell("fast", threads: 2, stepMilliseconds: [10]),
      Fixture.decodeCell("fast", threads: 4, stepMilliseconds: [10]),
    ])
    let factors = RunFigures(record).rows.map { $0.speedAgainstNaive?.value }
    expectEqual(factors, [1, 1, 3, 4])
  }

  @Test func rowsAreRankedFastestFirstAndEmptyOnesLast() {
    let record = Fixture.record(cells: [
      Fixture.emptyCell("gone", .died, message: nil), Fixture.prefillCell("slow", milliseconds: [40]),
      Fixture.decodeCell("slow", stepMilliseconds: [20]), Fixture.decodeCell("fast", stepMilliseconds: [2]),
      Fixture.prefillCell("fast", milliseconds: [4]),
    ])
    let names = RunFigures(record).ranked.map { "\($0.cell.variant) \($0.cell.test.name)" }
    expectEqual(
      names, ["fast tg5 @ d64", "slow tg5 @ d64", "gone tg5 @ d64", "fast pp64", "slow pp64"])
  }

  @Test func aFailedCheckTakesTheFiguresAwayWhateverTheStatus() {
    var record = Fixture.small()
    record.correctness.append(Fixture.failedCheck("kv-cache"))
    let run = RunFigures(record)
    expectEqual(run.rows.map(\.hasFigures), [true, true, false, false])
    expectEqual(run.rows[3].check, .failed("tiny: max abs error 0.5 > 1e-4"))
    expectNil(run.rows[3].speedAgainstNaive)
    expectEqual(run.failure(of: "kv-cache"), "tiny: max abs error 0.5 > 1e-4")
    expectNil(run.failure(of: "naive"))
  }

  /// Rows are ranked by what their tests are judged by, and compared by that first.
  @Test(
    arguments: [
      (Fixture.prefill, ["prefill", "ttft"]), (Fixture.decode, ["decode"]),
      (.training(batch: 4, context: 64), ["train"]),
      (.operation(.matmul(m: 1, k: 2, n: 3)), ["gemm"]), (.operation(.gelu(rows: 1, channels: 2)), ["ops"]),
    ] as [(CellTest, [String])])
  func aMetricIsOfTheTestsThatHaveItsTime(test: CellTest, words: [String]) {
    expectEqual(Set(Metric.compared(on: test).map(\.word)), Set(words))
    expectEqual(test.headlineMetric.word, words[0])
    #expect(Metric.compared.filter(\.isOfProcess).allSatisfy { $0.applies(to: test) })
  }

  @Test func aGemmIsCheckedByItsOwnShape() {
    var record = Fixture.record(
      kind: .matmul,
      cells: [
        Fixture.gemmCell("v", m: 1, milliseconds: [1]), Fixture.gemmCell("v", m: 64, milliseconds: [1]),
        Fixture.gemmCell("v", m: 65, milliseconds: [1]),
      ])
    record.correctness = [
      Fixture.passedCheck("v", reference: "1x100x200"), Fixture.failedCheck("v", reference: "64x100x200"),
    ]
    let rows = RunFigures(record).rows
    expectEqual(rows.map(\.check), [.passed, .failed("64x100x200: max abs error 0.5 > 1e-4"), .notChecked])
    expectEqual(rows.map(\.maxAbsoluteError), [1.5e-6, 0.5, nil])
    expectEqual(rows.map(\.hasFigures), [true, false, true])
  }

  /// The committed sample is read and reported on whatever fields have come since.
  @Test func theSampleReportsRecordIsReadable() throws {
    let record = try Record.read(path: Project.file("reports/sample/record.json"))
    #expect(record.isComplete && !record.cells.isEmpty && !record.ceilings.isEmpty)
    let figures = RunFigures(record)
    #expect(figures.rows.allSatisfy { $0.figures.rooflinePercent != nil && $0.figures.roof != nil })
    // Of a run of `all`.
    let report = RunReport(figures).markdown
    #expect(report.utf8.count <= 12_000, "\(report.utf8.count) bytes")
    #expect(report.contains("|3 of 10|") && !report.contains("by the time budget"))
  }
}

struct NumberTextTests {
  @Test(arguments: [
    (0, "0"), (1, "1.000"), (12.345678, "12.35"), (999.96, "1000"), (99.996, "100.0"), (123_456, "123456"),
    (0.012_34, "0.01234"), (0.000_01, "1.000e-05"), (-2.5, "-2.500"),
  ])
  func fourDigitsThatMatter(value: Double, text: String) {
    expectEqual(NumberText.significant(value), text)
  }

  @Test(arguments: [
    (42, "42"), (0.5, "0.5"), (1560.9756, "1560.976"), (100, "100"), (1.5e-6, "1.5e-06"),
  ])
  func plainNumbersHaveNoZerosAtTheEnd(value: Double, text: String) {
    expectEqual(NumberText.plain(value), text)
  }

  /// Two digits of the half, four of the value at most.
  @Test(arguments: [
    (83.1234, 82.1, 84.2, "83.1 ± 1.1"), (1097.2, 1079, 1115, "1097 ± 18"),
    (0.77491, 0.65, 0.9, "0.77 ± 0.13"),
    (4431.3, 4190, 4660, "4430 ± 240"), (14.4412, 14.4390, 14.4434, "14.44 ± 0.002"),
    (47.619, 47.619, 47.619, "47.62 ± 0.00"), (9.96, 9.85, 10.07, "9.96 ± 0.11"),
    // Its ends are not as far from it.
    (83.1234, 82, 83.5, "83.1 (82.0–83.5)"), (240.7, 0, 300, "240 (0–300)"),
    (857.4, 787.1, 877, "857 (787–877)"),
    // The interval supports none of its digits, and one stays.
    (3.2, 0.1, 500, "3 (0.1–500)"), (31.2, 0.1, 5000, "30 (0.1–5000)"),
    (83.1234e-6, 82.1e-6, 84.2e-6, "8.312e-05 ± 1.1e-06"),
    (83.1e-6, 82e-6, 83.5e-6, "8.310e-05 (8.2e-05–8.3e-05)"),
  ])
  func aFigureHasTheDigitsThatItsIntervalSupports(value: Double, lower: Double, upper: Double, text: String) {
    let figure = Figure(value: value, interval: Interval(lower: lower, upper: upper))
    expectEqual(NumberText.estimate(figure), text)
    #expect(text.hasPrefix(NumberText.supported(figure)))
  }

  @Test func aFigureWithoutAnIntervalHasFourDigits() {
    expectEqual(NumberText.estimate(Figure(value: 83.1234)), "83.12")
    expectEqual(NumberText.supported(Figure(value: 83.1234), 3), "83.1")
    expectEqual(NumberText.factor(Figure(value: 91.63, interval: Interval(lower: 70, upper: 112))), "92×")
  }

  @Test func fewerDecimalsThanNoneRoundToTens() {
    expectEqual(NumberText.fixed(1234.5, -2), "1200")
    expectEqual(NumberText.fixed(1250, -2), "1300")
    expectEqual(NumberText.fixed(-7, -1), "-10")
    expectEqual(NumberText.fixed(4, -1), "0")
  }

  @Test func barsGrowByEighths() {
    expectEqual(bar(share: 1, width: 3), "███")
    expectEqual(bar(share: 0.5, width: 3), "█▌")
    expectEqual(bar(share: 0.0001, width: 3), "▏")
    expectEqual(bar(share: .nan, width: 3), "")
  }
}
