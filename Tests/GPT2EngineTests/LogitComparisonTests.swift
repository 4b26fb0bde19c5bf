import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import GPT2Engine

/// The comparison's edges: what is just allowed passes, what is just not allowed fails.
struct LogitComparisonTests {
  /// 200 logits at two positions, of which the first is known in full, the second by its two largest.
  private static let prompt: ReferenceCase.Prompt = {
    var random = RandomStream(seed: 8)
    var full = random.floats(200)
    full[17] = 2
    return ReferenceCase.Prompt(
      name: "p0", ids: [1, 2], positions: [0], logits: NPY(rows: 1, columns: 200, values: full),
      argmax: [17, 3], top: [[17], [3, 4]], topLogits: [[2], [1.5, 1]], largestLogit: 2, greedy: [])
  }()

  private static let tolerance = Result {
    try Tolerance(
      Configuration(layers: 12, heads: 12, channels: 768, vocabulary: 200, context: 64), positions: 64,
      largestLogit: 2)
  }

  private static var second: [Float] {
    var logits = [Float](repeating: -1, count: 200)
    (logits[3], logits[4]) = (1.5, 1)
    return logits
  }

  private func compare(
    _ changes: [(position: Int, id: Int, by: Double)]
  ) throws -> LogitComparison {
    let tolerance = try Self.tolerance.get()
    var rows = [Array(Self.prompt.logits.row(0)), Self.second]
    for change in changes {
      let old = Double(rows[change.position][change.id])
      rows[change.position][change.id] = Float(old + change.by * tolerance.absolute)
    }
    var comparison = LogitComparison()
    for (position, row) in rows.enumerated() {
      row.withUnsafeBufferPointer {
        comparison.compare($0, with: Self.prompt, position: position, tolerance: tolerance)
      }
    }
    comparison.finish()
    return comparison
  }

  @Test func equalLogitsPass() throws {
    let comparison = try compare([])
    #expect(comparison.passed && comparison.maxAbsoluteError == 0 && comparison.nmse == 0)
    expectEqual(comparison.argmaxAgreed, 2)
    expectEqual(comparison.argmaxCompared, 2)
  }

  @Test(arguments: [(0, 5), (0, 199), (1, 3), (1, 4)])
  func theToleranceIsSharp(_ position: Int, _ id: Int) throws {
    for sign in [1.0, -1] {
      let below = try compare([(position, id, 0.98 * sign)])
      #expect(below.passed && below.failure == nil)
      let tolerance = try Self.tolerance.get()
      #expect(abs(below.maxAbsoluteError / tolerance.absolute - 0.98) < 0.01)
      expectEqual(below.tolerance, tolerance.absolute)
      expectEqual(below.nmseTolerance, tolerance.nmse)
      let above = try compare([(position, id, 1.02 * sign)])
      #expect(!above.passed)
      expectEqual(above.failure?.hasPrefix("p0 position \(position): a logit is off by"), true)
    }
  }

  @Test func logitsThatAreNotKnownAreNotCompared() throws {
    #expect(try compare([(1, 100, 50)]).passed)
  }

  /// Many logits off by less than the tolerance each: their mean square is what is wrong.
  @Test func theMeanErrorIsJudgedOverEverything() throws {
    let some = (0..<200).filter { $0 != 17 }.map { (position: 0, id: $0, by: $0 % 2 == 0 ? 0.95 : -0.95) }
    let comparison = try compare(some)
    // Relative to Σr² ≈ 200 / 3 rather than 200 · 2², the errors are above 1.
    #expect(!comparison.passed)
    expectEqual(comparison.failure?.hasPrefix("normalised mean square error is"), true)
    #expect(comparison.maxAbsoluteError <= comparison.tolerance)
  }

  @Test func anotherWinnerFailsHoweverSmallTheError() throws {
    let tolerance = try Self.tolerance.get()
    var row = Self.second
    row[9] = Float(1.5).nextUp
    var comparison = LogitComparison()
    row.withUnsafeBufferPointer {
      comparison.compare($0, with: Self.prompt, position: 1, tolerance: tolerance, isDecoded: true)
    }
    expectEqual(
      comparison.failure,
      "p0 position 1 decoded from the cache: the largest logit is token 9's, expected 3's")
    expectEqual(comparison.argmaxAgreed, 0)
    expectEqual(comparison.argmaxCompared, 1)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteFailsWhereverItIs(_ value: Float) throws {
    let tolerance = try Self.tolerance.get()
    var row = Self.second
    row[150] = value
    var comparison = LogitComparison()
    row.withUnsafeBufferPointer {
      comparison.compare($0, with: Self.prompt, position: 1, tolerance: tolerance)
    }
    expectEqual(
      comparison.failure, "p0 position 1: the logit of token 150 is \(value), expected a finite number")
    #expect(!comparison.passed)
  }

  @Test func everyCheckHasOneKindOfResult() throws {
    let good = try compare([]).result
    #expect(good.passed && good.maxAbsoluteError == 0 && good.agreed == 2 && good.compared == 2)
    let nothing = LogitComparison().result
    expectEqual(nothing.failure, "nothing was compared")
    expectNil(nothing.maxAbsoluteError)
    expectEqual(ContinuationCheck().result.failure, "nothing was compared")
    var values = ValueCheck(compared: 1, total: 1)
    values.add(.nan, 1, tolerance: 1, row: 0, column: 0)
    expectEqual(values.result(ragged: "1: off").failure, "1: off")
    expectEqual(values.result(ragged: nil).failure, "output (0, 0) is nan, expected a finite number")
    expectNil(values.result(ragged: nil).maxAbsoluteError)
    #expect(CheckResult(tokens: [[1, 2]], expected: [[1, 2]]).passed)
    let other = CheckResult(tokens: [[1, 2], [3]], expected: [[1, 2], [4, 5]])
    expectEqual(other.failure, "2 of 4 tokens are the same, expected all")
    #expect(!CheckResult(tokens: [[1, 2]], expected: [[1]]).passed)
  }

  @Test func whatWasAllowedIsOfTheOutputWithTheLargestError() {
    var values = ValueCheck(total: 3)
    for (value, reference, tolerance) in [(100.5, 100.0, 1.0), (0.25, 0.0, 0.26), (7, 7, 0.1)] {
      values.add(Float(value), reference, tolerance: tolerance, row: 0, column: 0)
    }
    expectEqual(values.maxAbsoluteError, 0.5)
    expectEqual(values.tolerance, 1)
    expectNil(values.failure)
  }

  /// The position that is nearest to its own tolerance is not always the one with the largest error.
  @Test func theLargestLogitErrorStandsBesideWhatWasAllowedThere() throws {
    let (wide, narrow) = (Tolerance(absolute: 1, nmse: 1e-4), Tolerance(absolute: 0.02, nmse: 1e-2))
    var comparison = LogitComparison()
    for (position, tolerance, error) in [(0, wide, Float(0.5)), (1, narrow, 0.015)] {
      var row = position == 0 ? Array(Self.prompt.logits.row(0)) : Self.second
      row[position == 0 ? 17 : 3] += error
      row.withUnsafeBufferPointer {
        comparison.compare($0, with: Self.prompt, position: position, tolerance: tolerance)
      }
    }
    expectNil(comparison.failure)
    expectEqual(comparison.maxAbsoluteError, 0.5)
    expectEqual(comparison.tolerance, 1)
    expectEqual(comparison.nmseTolerance, 1e-2)
  }

  @Test func theFirstFailureIsKept() throws {
    let comparison = try compare([(0, 5, 3), (1, 3, 7)])
    expectEqual(comparison.failure?.hasPrefix("p0 position 0:"), true)
    #expect(comparison.maxAbsoluteError > 6 * comparison.tolerance)
  }
}

/// Logits and tokens that another program handed over.
struct ForeignLogitsTests {
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
    expectEqual(comparison.argmaxCompared, rows)
    expectEqual(comparison.argmaxAgreed, rows)
    expectEqual(comparison.maxAbsoluteError, 0)
  }

  @Test func theFirstPositionsAreNotTheLast() {
    let first = NPY(rows: 2, columns: 512, values: Array(logits.values.prefix(2 * 512)))
    expectEqual(compare(first).failure?.hasPrefix("p0 position 7: "), true)
  }

  @Test func aShapeThatIsNotThePromptsFails() {
    let longer = NPY(rows: 10, columns: 512, values: logits.values + logits.row(0))
    expectEqual(compare(longer).failure, "p0: found logits of 10 positions, expected 1 to 9")
    expectEqual(
      compare(NPY(rows: 0, columns: 512, values: [])).failure,
      "p0: found logits of 0 positions, expected 1 to 9")
    let narrow = NPY(rows: 1, columns: 511, values: Array(logits.values.suffix(511)))
    expectEqual(compare(narrow).failure, "p0: found logits of a vocabulary of 511, expected 512")
    expectEqual(compare(narrow).argmaxCompared, 0)
  }

  @Test func aLogitBeyondTheToleranceFails() {
    var values = last(2).values
    let tolerance = compare(last(1)).tolerance
    #expect(tolerance > 0)
    values[700] += Float(3 * tolerance)
    expectEqual(
      compare(NPY(rows: 2, columns: 512, values: values)).failure?.hasPrefix(
        "p0 position 8: a logit is off by"),
      true)
    values[3] = .nan
    expectEqual(
      compare(NPY(rows: 2, columns: 512, values: values)).failure,
      "p0 position 7: the logit of token 3 is nan, expected a finite number")
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
    expectEqual(compare(values, 1e6).failure?.contains("the largest logit is token"), true)
  }

  @Test func logitsComputedElsewhereMakeTheSameReference() throws {
    let again = try ReferenceCase(oracleOf: "m", prompts: reference.prompts.map(\.ids), logits: [logits])
    expectEqual(again.name, reference.name)
    expectEqual(again.model, "m")
    expectEqual(again.prompts[0].argmax, reference.prompts[0].argmax)
    expectEqual(again.prompts[0].logits, reference.prompts[0].logits)
    expectEqual(again.prompts[0].largestLogit, reference.prompts[0].largestLogit)
  }

  @Test func aGreedyContinuationIsComparedTokenByToken() throws {
    let folder = Project.file("Benchmarks/reference/tiny-synthetic")
    let prompt = try #require(try ReferenceCase(folder: folder).prompts.first { $0.greedy.count > 3 })
    var comparison = LogitComparison()
    comparison.compare(greedy: Array(prompt.greedy.prefix(3)), with: prompt)
    expectNil(comparison.failure)
    comparison.compare(greedy: [prompt.greedy[0], prompt.greedy[1] + 1], with: prompt)
    expectEqual(
      comparison.failure,
      "\(prompt.name): greedy token 1 is \(prompt.greedy[1] + 1), expected \(prompt.greedy[1])")
  }
}
