import GPT2Kernels
import Statistics

/// Vectors of tokens and positions, which lie anywhere in their tables, summed into rows.
///
/// A pass does it once, and has much else in its caches when it does: calls are timed one by one, or a processor would
/// wait for the next one's rows during this one, and each writes to a place that was written last when all the others
/// had their turn.
public final class EmbeddingProblem: OperationProblem {
  public let callsPerPreparation: Int? = 1

  private let rows, channels, vocabulary: Int
  private let rotation: WeightRotation?
  /// (min(vocabulary, 256), channels) and (rows, channels): the tables that it is checked on.
  private let tokens, positions: FloatBuffer
  /// (outputs, rows, channels)
  private let output: FloatBuffer
  private let outputs: Int
  private let checkedIDs, timedIDs: [Int]

  /// More than the caches of one core hold.
  private static let outputBytes = 16 << 20

  /// - Parameter rotation: memory that is taken for the tables; nil to run on small ones only.
  public init(
    rows: Int, channels: Int, vocabulary: Int, rotation: WeightRotation?, seed: UInt64 = 1
  ) throws(EngineError) {
    let checkedVocabulary = min(vocabulary, 256)
    tokens = try makeBuffer(checkedVocabulary * channels)
    positions = try makeBuffer(rows * channels)
    outputs = rotation == nil ? 1 : max(Self.outputBytes / (4 * rows * channels), 1)
    output = try makeBuffer(outputs * rows * channels)
    (self.rows, self.channels, self.rotation) = (rows, channels, rotation)
    var generator = SeededGenerator(seed: seed)
    draw(tokens.base, count: tokens.count, &generator)
    draw(positions.base, count: positions.count, &generator)
    func ids(_ count: Int, below limit: Int) -> [Int] {
      (0..<count).map { _ in min(Int(generator.unit() * Double(limit)), limit - 1) }
    }
    checkedIDs = ids(rows, below: checkedVocabulary)
    let timed = max(min(vocabulary, (rotation?.count ?? 0) / channels), 1)
    self.vocabulary = timed
    timedIDs = rotation == nil ? [] : ids(max(2 * timed / rows, 1) * rows, below: timed)
  }

  /// What a worker keeps for it, in bytes.
  public static func bytes(rows: Int, channels: Int) -> Double {
    8 * Double(rows) * Double(channels) + max(Double(outputBytes), 4 * Double(rows) * Double(channels))
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    guard let rotation, let places = rotation.scattered(turn: turn, count: rows * channels),
      vocabulary * channels <= rotation.count
    else {
      return run(
        Embedding(tokens: tokens.base, positions: positions.base, channels: channels), checkedIDs[...],
        turn: turn)
    }
    let first = turn % (timedIDs.count / rows) * rows
    return run(
      Embedding(tokens: rotation.base, positions: places, channels: channels),
      timedIDs[first..<first + rows], turn: turn)
  }

  private func run(_ embedding: Embedding, _ ids: ArraySlice<Int>, turn: Int) -> UnsafePointer<Float> {
    let target = output.base + turn % outputs * rows * channels
    embedding.run(ids, firstPosition: 0, to: target)
    return UnsafePointer(target)
  }

  /// One rounding.
  public func check() -> ValueCheck {
    _ = run(
      Embedding(tokens: tokens.base, positions: positions.base, channels: channels), checkedIDs[...], turn: 0)
    var result = ValueCheck(compared: rows * channels, total: rows * channels)
    for (row, id) in checkedIDs.enumerated() {
      for i in 0..<channels {
        let exact = Double(tokens.base[id * channels + i]) + Double(positions.base[row * channels + i])
        result.add(
          output.base[row * channels + i], exact, tolerance: unitRoundoff * abs(exact), row: row, column: i)
      }
    }
    return result
  }

  /// The first failure among ragged shapes; nil where there is none.
  public static func firstRaggedFailure() throws(EngineError) -> String? {
    for rows in RaggedSizes.rows {
      for channels in RaggedSizes.widths {
        let problem = try EmbeddingProblem(rows: rows, channels: channels, vocabulary: 50, rotation: nil)
        if let failure = problem.check().failure { return "\(rows)x\(channels): \(failure)" }
      }
    }
    return nil
  }
}
