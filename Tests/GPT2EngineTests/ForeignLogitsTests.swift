import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Logits and tokens that another program handed over.
@Suite struct ForeignLogitsTests {
  private let checkpoint: Checkpoint
  private let reference: ReferenceCase
  private let logits: NPY

  init() throws {
    checkpoint = try Fixtures.tiny.get()
    reference = try ReferenceCase(oracleFor: checkpoint, prompts: [Fixtures.ids(9, of: checkpoint)])
    logits = try Engine(checkpoint, variant: .oracle, threads: 1).logits(of: reference.prompts[0].ids)
  }

  private func compare(_ logits: NPY) -> LogitComparison {
    var comparison = LogitComparison()
    comparison.compare(logits, withTheEndOf: reference.prompts[0], of: checkpoint.configuration)
    comparison.finish()
    return comparison
  }

  private func last(_ rows: Int) -> NPY {
    NPY(rows: rows, columns: 512, values: Array(logits.values.suffix(rows * 512)))
  }

  @Test(arguments: [1, 2, 9])
  func asManyOfTheLastPositionsAsThereAreAreCompared(_ rows: Int) {
    let comparison = compare(last(rows))
    #expect(comparison.passed && comparison.failure == nil)
    #expect(comparison.argmaxCompared == rows && comparison.argmaxAgreed == rows)
    #expect(comparison.maxAbsoluteError == 0)
  }

  @Test func theFirstPositionsAreNotTheLast() {
    let first = NPY(rows: 2, columns: 512, values: Array(logits.values.prefix(2 * 512)))
    #expect(compare(first).failure?.hasPrefix("p0 position 7: ") == true)
  }

  @Test func aShapeThatIsNotThePromptsFails() {
    let longer = NPY(rows: 10, columns: 512, values: logits.values + logits.row(0))
    #expect(compare(longer).failure == "p0: found logits of 10 positions, expected 1 to 9")
    #expect(
      compare(NPY(rows: 0, columns: 512, values: [])).failure
        == "p0: found logits of 0 positions, expected 1 to 9")
    let narrow = NPY(rows: 1, columns: 511, values: Array(logits.values.suffix(511)))
    #expect(compare(narrow).failure == "p0: found logits of a vocabulary of 511, expected 512")
    #expect(compare(narrow).argmaxCompared == 0)
  }

  @Test func aLogitBeyondTheToleranceFails() {
    var values = last(2).values
    let tolerance = compare(last(1)).tolerance
    #expect(tolerance > 0)
    values[700] += Float(3 * tolerance)
    #expect(
      compare(NPY(rows: 2, columns: 512, values: values)).failure?.hasPrefix(
        "p0 position 8: a logit is off by")
        == true)
    values[3] = .nan
    #expect(
      compare(NPY(rows: 2, columns: 512, values: values)).failure
        == "p0 position 7: logit 3 is nan, expected a finite number")
  }

  /// Coarser arithmetic may be allowed, and the argmax is still held.
  @Test func anAllowanceMultipliesTheTolerance() {
    func compare(_ values: [Float], _ allowance: Double) -> LogitComparison {
      var comparison = LogitComparison()
      comparison.compare(
        NPY(rows: 1, columns: 512, values: values), withTheEndOf: reference.prompts[0],
        of: checkpoint.configuration, allowance: allowance)
      comparison.finish()
      return comparison
    }
    let exact = last(1).values
    let tolerance = compare(exact, 1).tolerance
    var values = exact
    for index in stride(from: 0, to: 512, by: 8) {
      values[index] += Float(index % 16 == 0 ? 3 * tolerance : -3 * tolerance)
    }
    #expect(!compare(values, 1).passed && !compare(values, 2.9).passed)
    #expect(compare(values, 10).passed)
    #expect(abs(compare(values, 10).tolerance - 10 * tolerance) < 1e-12)
    #expect(abs(compare(values, 10).nmseTolerance - 100 * compare(values, 1).nmseTolerance) < 1e-15)
    values[exact.firstIndex(of: exact.min() ?? 0) ?? 0] = (exact.max() ?? 0) + 1
    #expect(compare(values, 1e6).failure?.contains("the largest logit is token") == true)
  }

  @Test func logitsComputedElsewhereMakeTheSameReference() throws {
    let again = ReferenceCase(oracleOf: "m", prompts: reference.prompts.map(\.ids), logits: [logits])
    #expect(again.name == reference.name && again.model == "m")
    #expect(again.prompts[0].argmax == reference.prompts[0].argmax)
    #expect(again.prompts[0].logits == reference.prompts[0].logits)
    #expect(again.prompts[0].largestLogit == reference.prompts[0].largestLogit)
  }

  @Test func aGreedyContinuationIsComparedTokenByToken() throws {
    let folder = Project.file("Benchmarks/reference/tiny-synthetic")
    let prompt = try #require(try ReferenceCase(folder: folder).prompts.first { $0.greedy.count > 3 })
    var comparison = LogitComparison()
    comparison.compare(greedy: Array(prompt.greedy.prefix(3)), with: prompt)
    #expect(comparison.failure == nil)
    comparison.compare(greedy: [prompt.greedy[0], prompt.greedy[1] + 1], with: prompt)
    #expect(
      comparison.failure
        == "\(prompt.name): greedy token 1 is \(prompt.greedy[1] + 1), expected \(prompt.greedy[1])")
  }
}
