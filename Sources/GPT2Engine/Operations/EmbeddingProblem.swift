import GPT2Kernels
import Statistics

/// Vectors of tokens and positions, which lie anywhere in their tables, summed into rows.
///
/// A pass does it once, and has the weights of all layers in its caches when it does: calls are timed one by one, and
/// before each one as much memory is read as pushes out what the call before it left.
public final class EmbeddingProblem: OperationProblem {
  public let callsPerPreparation: Int? = 1

  private let rows, channels, vocabulary: Int
  private let rotation: WeightRotation?
  /// (min(vocabulary, 256), channels) and (rows, channels): the tables that it is checked on.
  private let tokens, positions: FloatBuffer
  private let output: FloatBuffer
  private let checkedIDs, timedIDs: [Int]

  /// Floats that are read before a call: more than the caches of one core hold.
  private static let interlude = 1 << 20
  private var preparations = 0

  /// - Parameter rotation: memory that is taken for the tables; nil to run on small ones only.
  public init(
    rows: Int, channels: Int, vocabulary: Int, rotation: WeightRotation?, seed: UInt64 = 1
  ) throws(EngineError) {
    let checkedVocabulary = min(vocabulary, 256)
    tokens = try makeBuffer(checkedVocabulary * channels)
    positions = try makeBuffer(rows * channels)
    output = try makeBuffer(rows * channels)
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

  public func prepare() {
    guard let rotation else { return }
    let count = min(Self.interlude, rotation.count)
    guard let values = rotation.scattered(turn: preparations, count: count) else { return }
    preparations += 1
    // Into the output, so that it is read in truth.
    var sum: Float = 0
    for line in stride(from: 0, to: count, by: 16) { sum += values[line] }
    output.base[0] = sum
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    guard let rotation, let places = rotation.scattered(turn: turn, count: rows * channels),
      vocabulary * channels <= rotation.count
    else {
      return run(
        Embedding(tokens: tokens.base, positions: positions.base, channels: channels), checkedIDs[...])
    }
    let first = turn % (timedIDs.count / rows) * rows
    return run(
      Embedding(tokens: rotation.base, positions: places, channels: channels),
      timedIDs[first..<first + rows])
  }

  private func run(_ embedding: Embedding, _ ids: ArraySlice<Int>) -> UnsafePointer<Float> {
    embedding.run(ids, firstPosition: 0, to: output.base)
    return UnsafePointer(output.base)
  }

  /// One rounding.
  public func check() -> ValueCheck {
    _ = run(
      Embedding(tokens: tokens.base, positions: positions.base, channels: channels), checkedIDs[...])
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
