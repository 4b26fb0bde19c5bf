import GPT2Model
import TestSupport
import Testing

@testable import GPT2Engine

/// The comparison's edges: what is just allowed passes, what is just not allowed fails.
@Suite struct LogitComparisonTests {
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
        comparison.compare($0, with: Self.prompt, position: position, tolerance: tolerance, path: "")
      }
    }
    comparison.finish()
    return comparison
  }

  @Test func equalLogitsPass() throws {
    let comparison = try compare([])
    #expect(comparison.passed && comparison.maxAbsoluteError == 0 && comparison.nmse == 0)
    #expect(comparison.argmaxAgreed == 2 && comparison.argmaxCompared == 2)
  }

  @Test(arguments: [(0, 5), (0, 199), (1, 3), (1, 4)])
  func theToleranceIsSharp(_ position: Int, _ id: Int) throws {
    for sign in [1.0, -1] {
      let below = try compare([(position, id, 0.98 * sign)])
      #expect(below.passed && below.failure == nil)
      let tolerance = try Self.tolerance.get()
      #expect(abs(below.maxAbsoluteError / tolerance.absolute - 0.98) < 0.01)
      #expect(below.tolerance == tolerance.absolute && below.nmseTolerance == tolerance.nmse)
      let above = try compare([(position, id, 1.02 * sign)])
      #expect(!above.passed)
      #expect(above.failure?.hasPrefix("p0 position \(position): a logit is off by") == true)
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
    #expect(comparison.failure?.hasPrefix("normalised mean square error is") == true)
    #expect(comparison.maxAbsoluteError <= comparison.tolerance)
  }

  @Test func anotherWinnerFailsHoweverSmallTheError() throws {
    let tolerance = try Self.tolerance.get()
    var row = Self.second
    row[9] = Float(1.5).nextUp
    var comparison = LogitComparison()
    row.withUnsafeBufferPointer {
      comparison.compare($0, with: Self.prompt, position: 1, tolerance: tolerance, path: " again")
    }
    #expect(comparison.failure == "p0 position 1 again: the largest logit is token 9's, expected 3's")
    #expect(comparison.argmaxAgreed == 0 && comparison.argmaxCompared == 1)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteFailsWhereverItIs(_ value: Float) throws {
    let tolerance = try Self.tolerance.get()
    var row = Self.second
    row[150] = value
    var comparison = LogitComparison()
    row.withUnsafeBufferPointer {
      comparison.compare($0, with: Self.prompt, position: 1, tolerance: tolerance, path: "")
    }
    #expect(comparison.failure == "p0 position 1: logit 150 is \(value), expected a finite number")
    #expect(!comparison.passed)
  }

  @Test func theFirstFailureIsKept() throws {
    let comparison = try compare([(0, 5, 3), (1, 3, 7)])
    #expect(comparison.failure?.hasPrefix("p0 position 0:") == true)
    #expect(comparison.maxAbsoluteError > 6 * comparison.tolerance)
  }
}
