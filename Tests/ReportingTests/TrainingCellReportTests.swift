import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What reports, comparisons and exports say of training, and that they say nothing of it elsewhere.
struct TrainingCellReportTests {
  /// Steps on 4 windows of 64 tokens: 6 · 140,928 parameters · 256 tokens in 4.5, 5 and 5.5 ms of a ceiling of 100 GFLOP/s.
  private static func cell(_ variant: String, milliseconds: [Double]) -> Cell {
    var cell = Cell(
      variant: variant, weights: "f32", threads: 1, test: .training(batch: 4, context: 64), status: .measured)
    (cell.flops, cell.bytes) = (6 * 140_928 * 256, 32 * 140_928)
    cell.peakMemoryBytes = 10_485_760
    cell.samples = milliseconds.enumerated().map { round, time in
      Sample(
        round: round, sequence: round, elapsedNanoseconds: time * 1e6, iterations: 1, prefillNanoseconds: nil,
        tokenNanoseconds: [])
    }
    return cell
  }

  private static func record(slowedBy factor: Double = 1, beside cells: [Cell] = []) -> Record {
    let steps = (0..<10).map { 4.9 + 0.02 * Double($0) }
    var record = Fixture.record(
      cells: cells + [
        cell("naive", milliseconds: steps.map { 40 * $0 }),
        cell("packed", milliseconds: steps.map { factor * $0 }),
      ])
    record.correctness = ["naive", "packed"].map {
      Fixture.passedCheck($0, reference: "gradients of ragged")
    }
    return record
  }

  @Test func figuresAreOfTheStepsTokensAndParameters() throws {
    let run = RunFigures(
      Fixture.record(cells: [
        Self.cell("naive", milliseconds: [90]), Self.cell("packed", milliseconds: [4.5, 5, 5.5]),
      ]))
    let row = run.rows[1]
    expectEqual(row.figures[.trainingTime]?.value, 5)
    expectEqual(row.figures[.trainingRate]?.value, 51_200)
    let gflops = 6 * 140_928 * 256 / 5e6
    expectEqual(row.figures.gflops, gflops)
    #expect(abs((row.figures.peakPercent ?? 0) - gflops) < 1e-9)
    expectNil(row.figures[.decodeRate])
    expectNil(row.figures[.timeToFirstToken])
    expectEqual(row.figures[.peakMemory]?.value, 10)
    expectEqual(row.speedAgainstNaive?.value, 18)
    expectEqual(row.figures.roof, .compute)
  }

  @Test func columnsAreThereWhereARowHasThem() throws {
    func heading(_ record: Record) throws -> String {
      String(
        try #require(RunReport(record).markdown.split(separator: "\n").first { $0.hasPrefix("| variant") }))
    }
    let training = ["train step ms", "train tok/s ± CI", "GFLOP/s", "% of the FMA peak"]
    let generation = ["TTFT ms", "prefill tok/s ± CI", "decode tok/s ± CI", "TPOT ms", "ITL"]
    let both = try heading(Self.record(beside: Fixture.small().cells))
    #expect((training + generation).allSatisfy(both.contains))
    let alone = try heading(Self.record())
    #expect(training.allSatisfy(alone.contains) && !generation.contains(where: alone.contains))
    let none = try heading(Fixture.small())
    #expect(!training.contains(where: none.contains) && generation.allSatisfy(none.contains))
    expectContains(RunReport(Self.record()).markdown, "**Training.** `train4x64` is one step of AdamW")
    #expect(!RunReport(Fixture.small()).markdown.contains("**Training.**"))

    let lines = CSVReport(Self.record(beside: Fixture.small().cells)).results.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    func field(_ key: String, _ line: [String]) throws -> String {
      line[try #require(lines[0].firstIndex(of: key))]
    }
    let packed = try #require(lines.first { $0[0] == "packed" })
    #expect(try abs((Double(field("train_step_ms", packed)) ?? 0) - 4.99) < 1e-6)
    try expectEqual(field("test", packed), "train4x64")
    #expect(try !field("train_tok_per_s", packed).isEmpty && !field("fma_peak_percent", packed).isEmpty)
    #expect(try field("batch", packed) == "4" && field("decode_tok_per_s", packed).isEmpty)
    #expect(try field("train_step_ms", lines[1]).isEmpty && !field("ttft_ms", lines[1]).isEmpty)
    #expect(!CSVReport(Fixture.small()).results.contains("train_"))
  }

  /// Also where nothing is known of the bytes, and with that of the roofline.
  @Test func aShareAboveThePeakIsNotLeftWithoutAWord() {
    for bytes in [nil, 32 * 140_928.0] {
      var cell = Self.cell("packed", milliseconds: [2, 2, 2])
      cell.bytes = bytes
      expectContains(
        RunReport(Fixture.record(cells: [cell])).markdown,
        "Above 100 % of a roof: `packed` (1 thread) on train4x64 (108 %). The roof was measured too low")
    }
  }

  @Test func theAnswerNamesTheFastestStep() {
    let answer = RunReport(Self.record()).markdown
    expectContains(answer, "**`packed` (1 thread) is fastest on `train4x64`: ")
    expectEqual(CellTest.training(batch: 4, context: 64).words, "a step on 4 windows of 64 tokens")
  }

  @Test func comparisonsKnowTheRows() throws {
    let comparison = Comparison(base: Self.record(), head: Self.record(slowedBy: 1.3))
    let row = try #require(
      comparison.rows.first { $0.contestant.variant == "packed" && $0.metric == .trainingRate })
    expectEqual(row.verdict, .regressed)
    expectEqual(row.test?.name, "train4x64")
    expectEqual(comparison.exitCode, 3)
    let lenient = try Comparison(
      base: Self.record(), head: Self.record(slowedBy: 1.3), thresholds: Thresholds(parsing: "train=40%"))
    #expect(lenient.rows.first { $0.metric == .trainingRate }?.verdict != .regressed)
    let same = Comparison(base: Self.record(), head: Self.record())
    expectEqual(same.exitCode, 0)
  }

  @Test func servicesGetTheStepsTimeAndRate() throws {
    let bencher = try BencherReport(Self.record()).json
    #expect(bencher.contains("\"packed f32 t1 train4x64\"") && bencher.contains("\"latency\""))
    expectContains(bencher, "\"throughput\"")
    let entries = BenchmarkActionReport(Self.record()).entries
    let step = try #require(entries.first { $0.name == "packed f32 t1, train4x64: train step" })
    #expect(step.unit == "ms" && abs(step.value - 4.99) < 1e-9)
  }

  @Test func aProfileOfTrainingIsToldAsOne() throws {
    var profile = Fixture.profile("packed", .training, tokens: 64, milliseconds: 80)
    profile.batch = 4
    var record = Fixture.record()
    record.profiles = [profile]
    let figures = try #require(ProfileFigures.all(record).first)
    expectEqual(profile.stageWords, "training on 4 windows of 64 tokens")
    expectEqual(figures.tokensPerSecond, 3200)
    let text = ProfileText(record, colour: false, width: 200).text
    #expect(
      text.contains(": training on 4 windows of 64 tokens, 80") && text.contains(" ms per step, 3200 tok/s"))
    expectContains(RunReport(record).markdown, "ms per step (share %)")
    try expectEqual(Record.decode(record.encode(), path: "r").profiles, [profile])
  }
}
