import GPT2Kernels
import Statistics

/// Vectors of tokens and positions, which lie anywhere in their tables, summed into rows.
///
/// A pass begins with it, right after the logits of the pass before, which have read the whole table of tokens: calls are
/// timed one by one, and their linear layer, over the table, comes before each one. The table of positions is a file's, mapped in
/// small pages.
public final class EmbeddingProblem: OperationProblem {
  public let callsPerPreparation: Int? = 1

  private let rows, channels, vocabulary: Int
  private let rotation: WeightRotation?
  /// The logits; nil where nothing is timed.
  private let logits: AdjacentLinear?
  /// (min(vocabulary, `mostChecked`), channels): the table that it is checked on.
  private let tokens: LaidOutMatrix
  /// (context, channels)
  private let positions: FloatBuffer
  private let output: PoisonedOutput
  private let checkedIDs, timedIDs: [Int]
  /// Positions: GPT-2's context where it has room for the rows.
  private let context: Int
  private static let usualContext = 1024
  /// Tokens of the table that it is checked on.
  private static let mostChecked = 256
  private var preparations = 0
  /// Of the next call; nil where nothing is timed.
  private var next: (ids: ArraySlice<Int>, firstPosition: Int)?

  /// - Parameters:
  ///   - kernel: computes the logits that come before each call.
  ///   - rotation: memory that is taken for the table of tokens; nil to run on a small one only.
  public init(
    rows: Int, channels: Int, vocabulary: Int, kernel: any Kernel, rotation: WeightRotation?
  ) throws(EngineError) {
    let checkedVocabulary = min(vocabulary, Self.mostChecked)
    context = max(rotation == nil ? rows : Self.usualContext, rows)
    var generator = SeededGenerator(seed: 1)
    let table = try drawn(checkedVocabulary * channels, &generator)
    tokens = try LaidOutMatrix(
      linear: table.base, outputs: checkedVocabulary, inputs: channels, layout: kernel.outputLayout)
    positions = try drawn(context * channels, &generator)
    output = try PoisonedOutput(rows * channels)
    (self.rows, self.channels, self.rotation) = (rows, channels, rotation)
    func ids(_ count: Int, below limit: Int) -> [Int] {
      (0..<count).map { _ in min(Int(generator.unit() * Double(limit)), limit - 1) }
    }
    checkedIDs = ids(rows, below: checkedVocabulary)
    let walk = rotation.map(WeightWalk.init)
    let layout = kernel.outputLayout
    let timed = max(min(vocabulary, (walk?.count ?? 0) / channels), 1)
    self.vocabulary = timed
    logits = try walk.flatMap { walk throws(EngineError) in
      guard timed * channels <= walk.count else { return nil }
      return try AdjacentLinear(
        rows: 1, inputs: channels, outputs: timed, kernel: kernel, layout: layout, walk: walk)
    }
    timedIDs = rotation == nil ? [] : ids(max(2 * timed / rows, 1) * rows, below: timed)
  }

  /// What a worker keeps for it, in bytes: the table of positions, a small one of tokens, the rows, and the logits.
  static func bytes(rows: Int, channels: Int, vocabulary: Int) -> Double {
    let tables = max(usualContext, rows) + min(vocabulary, mostChecked)
    return 4 * (Double(tables + rows + 1) * Double(channels) + Double(vocabulary))
  }

  public func prepare() {
    logits?.run()
    preparations += 1
    guard logits != nil else { return }
    // A sequence has just been given its new tokens: they are in the caches, and where the tables lie is not.
    let first = preparations % (timedIDs.count / rows) * rows
    next = (timedIDs[first..<first + rows], preparations % (context - rows + 1))
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    guard let rotation, let next else { return run(tokens.weight, checkedIDs[...]) }
    let table = Weight(rotation.base, outputs: vocabulary, inputs: channels, layout: tokens.layout)
    return run(table, next.ids, firstPosition: next.firstPosition)
  }

  private func run(
    _ tokens: Weight, _ ids: ArraySlice<Int>, firstPosition: Int = 0
  ) -> UnsafePointer<Float> {
    Embedding(tokens: tokens, positions: positions.base, channels: channels)
      .run(ids, firstPosition: firstPosition, to: output.base)
    return UnsafePointer(output.base)
  }

  /// One rounding.
  public func check() -> ValueCheck {
    output.fill()
    _ = run(tokens.weight, checkedIDs[...])
    var result = ValueCheck(total: rows * channels)
    var token = [Float](repeating: 0, count: channels)
    for (row, id) in checkedIDs.enumerated() {
      tokens.weight.read(id, to: &token)
      for i in 0..<channels {
        let exact = Double(token[i]) + Double(positions.base[row * channels + i])
        result.add(
          output.base[row * channels + i], exact, tolerance: unitRoundoff * abs(exact), row: row, column: i)
      }
    }
    output.hold(&result)
    return result
  }
}
