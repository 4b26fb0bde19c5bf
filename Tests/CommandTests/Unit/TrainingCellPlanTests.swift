import GPT2Kernels
import GPT2Model
import Record
import TestSupport
import Testing
import Training

@testable import gpt2_bench

/// Cells of training before anything runs: what they ask, who takes part, and what they need.
struct TrainingCellPlanTests {
  private let configuration: Configuration
  private let cells: GenerationCells

  init() throws {
    configuration = try Configuration(layers: 2, heads: 4, channels: 64, vocabulary: 512, context: 128)
    cells = GenerationCells(
      configuration: configuration, prompts: Prompts(vocabulary: 512, tokenizer: nil, seed: 1))
  }

  private func contestants(_ names: String...) throws -> [Contestant] {
    Contestant.all(try names.map { try #require(Variant.named($0)) }, threads: [1])
  }

  @Test func aStepIsAskedForOnWindowsOfOneTokenMore() throws {
    let cell = try cells.make(.training(batch: 4, context: 16))
    let request = try #require(cell.request.training)
    expectEqual(request.windows.map(\.count), [17, 17, 17, 17])
    expectEqual(Set(request.windows).count, 4)
    expectEqual(request.options, TrainingOptions(benchmarking: 4, context: 16))
    expectNil(cell.warmup)
    expectNil(cell.cacheBytes)
    expectNil(cell.request.generation)
    let work = cell.work(.cache, .f32, .f32)
    expectEqual(work.flops, 6 * Double(configuration.parameterCount) * 64)
    expectEqual(work.bytes, 32 * Double(configuration.parameterCount))
    expectEqual(cell.arithmetic(.recompute).whole, work.flops / 4)
  }

  @Test func theContextIsTheLimit() throws {
    #expect(throws: Never.self) { try cells.make(.training(batch: 1, context: 128)) }
    let long = try #require(throws: UsageError.self) { try cells.make(.training(batch: 1, context: 129)) }
    expectEqual(
      long.description,
      "train1x129: found 'windows of 129 tokens', expected at most 128, the model's context")
    let many = try #require(throws: UsageError.self) { try cells.make(.training(batch: 70_000, context: 8)) }
    expectEqual(many.description, "train70000x8: batch is 70000, expected a number from 1 to 65536")
  }

  /// Parameters, gradients and two moments of each, and what the activations of the batch need.
  @Test func aStepNeedsFourTimesTheParametersAndMore() {
    let small = CellTest.training(batch: 1, context: 8).bytes(of: configuration, isCached: true)
    let large = CellTest.training(batch: 4, context: 64).bytes(of: configuration, isCached: true)
    #expect(small > 16 * Double(configuration.parameterCount))
    #expect(large > small && large < 8 * small)
  }

  @Test func aWorkerIsChargedForWhatItTakesPartIn() throws {
    let planned = try [CellTest.prefill(tokens: 8, batch: 1), .training(batch: 2, context: 8)].map(cells.make)
    let loads = try contestants("packed", "int8").map { planned.load(of: $0) }
    expectEqual(loads.map(\.decoding), [.cache, .cache])
    expectEqual(loads[0].tests, planned.map(\.test))
    expectEqual(loads[1].tests, [CellTest.prefill(tokens: 8, batch: 1)])
  }

  @Test func narrowWeightsAreLeftOutWithANote() throws {
    let planned = try [CellTest.prefill(tokens: 8, batch: 1), .training(batch: 2, context: 8)].map(cells.make)
    let all = try contestants("naive", "packed", "bf16", "int8")
    let (kept, notes) = try planned.contestants(among: all)
    expectEqual(kept, all)
    expectEqual(notes, ["left out of training, which needs float32 weights: bf16, int8"])
    let plan = Plan(contestants: kept, cells: planned)
    expectEqual(kept.indices.map { plan.cells(of: $0) }, [[0, 1], [0, 1], [0], [0]])
    expectEqual(kept.indices.map { plan.rows(of: $0) }, [0..<2, 2..<4, 4..<5, 5..<6])
    expectEqual(plan.row(contestant: 1, cell: 1), 3)
    expectEqual(plan.row(contestant: 3, cell: 0), 5)
    // Who takes part in nothing is no contestant.
    try expectEqual([planned[1]].contestants(among: all).kept.map(\.label), ["naive", "packed"])
    let alone = try #require(throws: UsageError.self) {
      try planned.contestants(among: contestants("bf16", "int8"))
    }
    expectEqual(
      alone.description,
      "--variants: found 'bf16,int8', expected one with float32 weights for train2x8: only those train")
  }

  private struct Plan: CellsByContestant {
    let contestants: [Contestant]
    let cells: [CellPlan]
  }

  @Test func theOptionIsAList() throws {
    func tests(_ text: String) throws -> [CellTest] {
      try Arguments(["--train", text], of: Run.description).training()
    }
    try expectEqual(
      tests("4x64,8x256,4x64"), [.training(batch: 4, context: 64), .training(batch: 8, context: 256)])
    #expect(try Arguments([], of: Run.description).training().isEmpty)
    for wrong in ["4", "0x8", "4x", "4x8x2", "4x8,", "ax8", "4x2147483648"] {
      let error = try #require(throws: UsageError.self) { try tests(wrong) }
      #expect(
        error.description.hasPrefix("--train: found '") && error.description.contains("for example 4x64"))
    }
  }

  @Test func aSuiteMayTrain() throws {
    let sandbox = try Sandbox()
    let suite = try gpt2_bench.Suite(
      sandbox.file(
        "mine.json",
        """
        {"summary": "s", "prefill": [], "decode": [], "train": [{"batch": 2, "context": 8}], "repetitions": 3,
         "cellBudgetSeconds": 1}
        """), in: Project())
    expectEqual(suite.tests, [.training(batch: 2, context: 8)])
  }
}
