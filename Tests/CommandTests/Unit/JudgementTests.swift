import GPT2Engine
import GPT2Kernels
import GPT2Model
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// Cells and samples with round numbers.
enum Samples {
  static func sample(elapsed: Double = 1000, prefill: Int? = nil, tokens: [Int] = []) -> Sample {
    Sample(
      round: 0, sequence: 0, elapsedNanoseconds: elapsed, iterations: 1, prefillNanoseconds: prefill,
      tokenNanoseconds: tokens)
  }

  static func cell(_ test: CellTest, flops: Double?, threads: Int = 1, _ samples: Sample...) -> Cell {
    var cell = Cell(variant: "naive", weights: "f32", threads: threads, test: test, status: .measured)
    cell.flops = flops
    cell.samples = samples
    return cell
  }
}

struct OneRowTests {
  private func row(_ name: String, error: Double, failure: String? = nil) -> Correctness {
    var row = Fixture.passedCheck("tiled", reference: name)
    (row.maxAbsoluteError, row.tolerance, row.failure, row.passed) = (error, 1e-4, failure, failure == nil)
    return row
  }

  @Test func theRowNearestToItsLimitStandsForAll() {
    let row = [row("gelu 5x8", error: 1e-6), row("5x8x9", error: 9e-5), row("softmax", error: 1e-5)]
      .asOneRow(named: "operations")
    expectEqual(row?.maxAbsoluteError, 9e-5)
    expectEqual(row?.passed, true)
    expectEqual(row?.reference, "operations")
    expectEqual(row?.variant, "tiled")
  }

  @Test func theFirstFailureStandsForAllAndNamesItsOperation() {
    let row = [
      row("gelu 5x8", error: 1e-6), row("5x8x9", error: 1e-6, failure: "1x1x1: output (0, 0) is nan"),
      row("softmax", error: 2, failure: "output (0, 1) is off"),
    ].asOneRow(named: "operations")
    expectEqual(row?.passed, false)
    expectEqual(row?.failure, "5x8x9: 1x1x1: output (0, 0) is nan")
    expectNil([Correctness]().asOneRow(named: "operations"))
  }
}

struct ImpossibleRateTests {
  private let ceilings = [
    Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10),
    Ceiling(threads: 2, fmaGFLOPS: 200, dramGBPerSecond: 15),
  ]
  private let matmul = CellTest.operation(.matmul(m: 1, k: 1, n: 1))

  private func verdict(_ cell: Cell) -> String? { ImpossibleRate(cell, ceilings: ceilings)?.description }

  @Test func aRateAboveThePeakIsRejected() {
    expectEqual(
      verdict(Samples.cell(matmul, flops: 110_000, Samples.sample())),
      "110.0 GFLOP/s is above the measured FMA peak of 100.0: not everything was computed")
  }

  @Test func aRateBelowItIsNot() {
    expectNil(verdict(Samples.cell(matmul, flops: 99_000, Samples.sample())))
    expectNil(verdict(Samples.cell(matmul, flops: 104_000, Samples.sample())))
    #expect(verdict(Samples.cell(matmul, flops: 106_000, Samples.sample())) != nil)
  }

  @Test func theFastestSampleDecides() {
    let slow = Samples.sample(elapsed: 10_000)
    #expect(verdict(Samples.cell(matmul, flops: 110_000, slow, Samples.sample(), slow)) != nil)
    expectNil(verdict(Samples.cell(matmul, flops: 110_000, slow)))
  }

  @Test func thePeakIsThatOfAsManyThreads() {
    expectNil(verdict(Samples.cell(matmul, flops: 150_000, threads: 2, Samples.sample())))
    #expect(verdict(Samples.cell(matmul, flops: 220_000, threads: 2, Samples.sample())) != nil)
    expectNil(verdict(Samples.cell(matmul, flops: 1e12, threads: 3, Samples.sample())))
  }

  @Test func narrowProductsHaveAPeakOfTheirOwn() {
    var fast = ceilings
    for (index, peak) in [400.0, 800].enumerated() {
      fast[index].products = [ProductPeak(numbers: .int8, instructions: "avx2", trials: [peak - 10, peak])]
    }
    func verdict(_ flops: Double, _ weights: String, on instructions: String?) -> String? {
      var cell = Samples.cell(matmul, flops: flops, Samples.sample())
      (cell.weights, cell.instructions) = (weights, instructions)
      return ImpossibleRate(cell, ceilings: fast)?.description
    }
    expectNil(verdict(410_000, "int4", on: "avx2"))
    expectEqual(
      verdict(430_000, "int4", on: "avx2"),
      "430.0 GFLOP/s is above the measured avx2 peak of 400.0: not everything was computed")
    // Widened to float32.
    expectEqual(verdict(110_000, "bf16", on: "avx2")?.contains("FMA peak of 100.0"), true)
    // A program that does not say what it runs on may have what was not measured.
    #expect(verdict(1e6, "int8", on: nil) == nil && verdict(1e6, "f32", on: nil) != nil)
  }

  /// Two threads measured in a slow minute: what one does alone, two may do.
  @Test func aPeakMeasuredInASlowMinuteRejectsNothing() {
    let slow = [
      Ceiling(threads: 1, fmaGFLOPS: 100, dramGBPerSecond: 10),
      Ceiling(threads: 2, fmaGFLOPS: 140, dramGBPerSecond: 15),
    ]
    func isRejected(_ flops: Double) -> Bool {
      ImpossibleRate(Samples.cell(matmul, flops: flops, threads: 2, Samples.sample()), ceilings: slow) != nil
    }
    #expect(!isRejected(190_000) && isRejected(220_000))
  }

  @Test func promptsCountTheForwardPassAndDecodingTheMeanStep() {
    let prompt = Samples.sample(elapsed: 50_000, prefill: 1000, tokens: [1200])
    #expect(verdict(Samples.cell(.prefill(tokens: 4, batch: 1), flops: 110_000, prompt)) != nil)
    expectNil(verdict(Samples.cell(.prefill(tokens: 4, batch: 1), flops: 90_000, prompt)))
    let decoding = Samples.sample(elapsed: 50_000, prefill: 1, tokens: [10_000, 10_500, 12_000])
    let test = CellTest.decode(tokens: 3, depth: 4, batch: 1)
    #expect(verdict(Samples.cell(test, flops: 110_000, decoding)) != nil)
    expectNil(verdict(Samples.cell(test, flops: 90_000, decoding)))
  }

  /// Where no arithmetic is counted the bytes must have come from somewhere.
  @Test func bytesBeyondTheFastestMemoryAreRejected() {
    let shape = OperationShape.sampling(vocabulary: 9, choice: .greedy)
    var cell = Samples.cell(.operation(shape), flops: nil, Samples.sample())
    cell.bytes = 9_000
    expectNil(verdict(cell))
    cell.bytes = 11_000
    expectEqual(
      verdict(cell), "11.0 GB/s is above the 10.0 of the fastest memory measured: not everything was read")
  }

  @Test func whatIsNotKnownIsNotJudged() {
    expectNil(verdict(Samples.cell(matmul, flops: nil, Samples.sample())))
    expectNil(verdict(Samples.cell(matmul, flops: 1e12)))
    expectNil(
      verdict(Samples.cell(.decode(tokens: 2, depth: 1, batch: 1), flops: 1e12, Samples.sample(tokens: [5])))
    )
  }
}

struct CheckAnswerTests {
  private let contestant = Contestant(kind: .variant(.oracle), threads: 1)

  private func request(_ operation: OperationShape?) -> CheckRequest {
    CheckRequest(operation: operation)
  }

  private func answer(_ check: ValueCheck, ragged: String? = nil) -> CheckAnswer {
    CheckAnswer(matmul: check, matmulFailure: ragged)
  }

  @Test func aComparisonOfNothingDoesNotPass() throws {
    let answer = CheckAnswer(
      references: [.init(name: "r", comparison: LogitComparison())])
    let row = try #require(answer.rows(for: request(nil), of: contestant).first)
    #expect(!row.passed)
    expectEqual(row.failure, "nothing was compared")
    expectNil(row.maxAbsoluteError)
    expectEqual(row.reference, "r")
    expectEqual(row.variant, "naive")
  }

  @Test func aMatrixProductIsARow() throws {
    let problem = try MatmulProblem(m: 3, k: 5, n: 7, kernel: Variant.oracle.kernel(threads: 1))
    let shape = OperationShape.matmul(m: 3, k: 5, n: 7)
    let good = answer(problem.check())
    let row = try #require(good.rows(for: request(shape), of: contestant).first)
    #expect(row.passed)
    expectEqual(row.reference, "3x5x7")
    #expect(try #require(row.maxAbsoluteError) <= row.tolerance)
    let ragged = answer(problem.check(), ragged: "1x1x1: off")
    let failed = try #require(ragged.rows(for: request(shape), of: contestant).first)
    #expect(!failed.passed)
    expectEqual(failed.failure, "1x1x1: off")
  }

  @Test func anOperationIsARow() throws {
    let shape = OperationShape.softmax(rows: 3, heads: 2, depth: 5)
    let kernel = Variant.oracle.kernel(threads: 1)
    let found = try shape.problem(kernel: kernel, rotation: nil).check()
    func row(ragged: String?) -> Correctness? {
      let answer = CheckAnswer(operation: found, operationFailure: ragged)
      return answer.rows(for: request(shape), of: contestant).first
    }
    let passed = try #require(row(ragged: nil))
    #expect(passed.passed && passed.reference == "softmax 3x2 @ d5")
    expectEqual(row(ragged: "1x1 @ d0: off")?.failure, "1x1 @ d0: off")
  }

  @Test func anOutputThatWasNeverComputedFails() throws {
    let problem = try MatmulProblem(m: 3, k: 5, n: 7, kernel: Variant.oracle.kernel(threads: 1))
    let answer = answer(problem.checkOutput())
    let row = answer.rows(for: request(.matmul(m: 3, k: 5, n: 7)), of: contestant).first
    expectEqual(row?.passed, false)
  }

  @Test func tokensMustBeTheSame() {
    let same = Correctness(
      CheckResult(tokens: [[1, 2], [3, 4]], expected: [[1, 2], [3, 4]]), reference: "r", of: contestant)
    #expect(same.passed)
    expectEqual(same.argmaxAgreed, 4)
    expectEqual(same.argmaxCompared, 4)
    let other = Correctness(
      CheckResult(tokens: [[1, 2], [3, 5]], expected: [[1, 2], [3, 4]]), reference: "r", of: contestant)
    #expect(!other.passed)
    expectEqual(other.failure, "3 of 4 tokens are the same, expected all")
    expectEqual(other.argmaxAgreed, 3)
    let fewer = Correctness(
      CheckResult(tokens: [[1, 2]], expected: [[1, 2], [3, 4]]), reference: "r", of: contestant)
    #expect(!fewer.passed)
  }
}

struct ExitCodeTests {
  private func code(
    complete: Bool = true, checks: [Bool] = [true], _ statuses: Cell.Status...
  ) -> ExitCode {
    var record = Record(
      kind: .matmul, command: ["gpt2-bench"], started: "2026-01-01T00:00:00Z", model: nil,
      machine: Machine(
        cpu: "c", flags: [], logicalCores: 1, caches: [], memoryBytes: nil, governor: nil, system: "s"),
      build: Build(
        version: "0", compiler: "c", configuration: "release", cpuFlag: "f", vectorBits: 128, commit: nil),
      settings: Settings(suite: nil, repetitions: 1, cellBudgetSeconds: 1, seed: 1))
    record.isComplete = complete
    record.cells = statuses.map {
      Cell(
        variant: "naive", weights: "f32", threads: 1, test: .operation(.matmul(m: 1, k: 1, n: 1)), status: $0)
    }
    record.correctness = checks.map {
      Correctness(
        variant: "naive", threads: 1, reference: "r", passed: $0, maxAbsoluteError: nil, tolerance: 0,
        nmse: nil, argmaxAgreed: 0, argmaxCompared: 0, failure: nil)
    }
    return record.runExitCode
  }

  @Test func aRunEndsWithTheWorstThatHappened() {
    expectEqual(code(.measured, .measured), .done)
    expectEqual(code(.measured, .rejected), .inconclusive)
    expectEqual(code(.rejected, .died), .error)
    expectEqual(code(.measured, .hung), .error)
    expectEqual(code(.measured, .skipped), .error)
    expectEqual(code(.died, .failedCheck, .rejected), .failedCheck)
    expectEqual(code(checks: [true, false], .measured), .failedCheck)
    expectEqual(code(complete: false, .failedCheck), .interrupted)
  }

  @Test(
    arguments: [
      (UsageError("u") as any Error, ExitCode.usage), (RunError("r"), .error),
      (ModelError.unknownModel("m"), .usage),
      (ModelError.configuration(field: "f", found: "a", expected: "b"), .usage),
      (ModelError.unreadable(path: "p", reason: "r"), .error),
      (ModelError.field(path: "p", field: "f", found: "a", expected: "b"), .error),
      (ModelError.missingTensor(path: "p", name: "n"), .error),
      (EngineError.emptyPrompt, .usage), (EngineError.contextExceeded(tokens: 2, context: 1), .usage),
      (EngineError.tokenOutsideVocabulary(id: 9, vocabulary: 5), .usage),
      (EngineError.sampling(parameter: "p", found: "a", expected: "b"), .usage),
      (EngineError.emptyStopSequence, .usage), (EngineError.stopSequenceWithoutTokenizer, .usage),
      (EngineError.outOfMemory(bytes: 1), .error),
      (EngineError.tokenWithoutText(id: 9, vocabulary: 5), .error),
      (TokenizerError.idOutsideVocabulary(id: 9, count: 5), .usage),
      (TokenizerError.missingFile(path: "p"), .error),
    ])
  func theCommandLineIsTwoAndFilesAreOne(_ error: any Error, _ code: ExitCode) {
    expectEqual(ExitCode(for: error), code)
  }

  @Test func theNumbersAreTheContracts() {
    let codes: [ExitCode] = [.done, .error, .usage, .regression, .failedCheck, .inconclusive]
    expectEqual(codes.map(\.rawValue), [0, 1, 2, 3, 4, 5])
    expectEqual(ExitCode.interrupted.rawValue, 130)
  }
}
