import GPT2Kernels
import GPT2Model

/// Where each parameter of a model lies in a piece of memory that holds one float for every parameter: each tensor as in
/// Hugging Face's file, from a whole cache line on, with zeros in between.
struct ParameterSpace {
  let configuration: Configuration
  let parameters: [Parameter]
  /// Of each tensor's first value.
  let offsets: [Int]
  let count: Int

  init(_ configuration: Configuration) {
    self.configuration = configuration
    parameters = configuration.parameters
    var plan = ArenaPlan()
    offsets = parameters.map { plan.take($0.count) }
    count = plan.count
  }
}

/// The parameters themselves, their gradients, or one of their moments.
struct ParameterMemory {
  let space: ParameterSpace
  let base: UnsafeMutablePointer<Float>

  subscript(index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer(index), count: space.parameters[index].count)
  }

  func pointer(_ index: Int) -> UnsafeMutablePointer<Float> { base + space.offsets[index] }

  func pointer(_ parameter: LayerParameter, _ layer: Int) -> UnsafeMutablePointer<Float> {
    pointer(Configuration.index(of: parameter, layer: layer))
  }

  func vector(_ index: Int) -> Vector { Vector(UnsafeBufferPointer(self[index])) }

  func vector(_ parameter: LayerParameter, _ layer: Int) -> Vector {
    vector(Configuration.index(of: parameter, layer: layer))
  }

  /// A linear layer's matrix.
  func weight(_ parameter: LayerParameter, _ layer: Int) -> Weight {
    let index = Configuration.index(of: parameter, layer: layer)
    let shape = space.parameters[index].shape
    return Weight(pointer(index), outputs: shape[1], inputs: shape[0], layout: .columns)
  }

  /// (vocabulary, channels): the logits' matrix.
  var output: Weight {
    Weight(
      pointer(space.configuration.outputEmbeddingIndex), outputs: space.configuration.vocabulary,
      inputs: space.configuration.channels, layout: .rows)
  }
}

/// Sums up what an arena has to hold, piece by piece.
struct ArenaPlan {
  private(set) var count = 0

  /// - Returns: where the piece begins.
  mutating func take(_ floats: Int) -> Int {
    defer { count += FloatBuffer.room(for: floats) }
    return count
  }
}

/// Where the values of one batch's pass lie in the arena. A row is a token's.
struct ActivationPlan {
  /// A matrix with a row for each token.
  struct Rows {
    let offset, columns: Int
  }

  /// What a layer's forward pass leaves for its backward pass.
  struct Layer {
    /// The residual stream before the layer, and between its blocks.
    let stream, middle: Rows
    let norm1, qkv, attended, norm2: Rows
    /// Before GELU and after.
    let up, hidden: Rows
    /// Of the attention's queries: a float for each token and head.
    let logSums: Int
  }

  /// The most rows of logits that exist at a time.
  static let logitRows = 256

  let layers: [Layer]
  /// The residual stream after the last layer, and its norm.
  let stream, norm: Rows
  /// (`logitRows`, vocabulary) or fewer: logits, then their gradient.
  let logits: Int
  let losses, tokens, targets: Int
  /// The gradient of the residual stream, and of what one operation took or gave.
  let streamGradient, blockGradient: Rows
  /// Of GELU's input or output.
  let hiddenGradient: Rows
  /// Of attention's input and of its output, in the memory of `hiddenGradient`.
  let qkvGradient, attendedGradient: Rows
  let scratch: Int

  init(_ configuration: Configuration, rows: Int, in plan: inout ArenaPlan) {
    func take(_ columns: Int) -> Rows { Rows(offset: plan.take(rows * columns), columns: columns) }
    let c = configuration.channels
    layers = (0..<configuration.layers).map { _ in
      Layer(
        stream: take(c), middle: take(c), norm1: take(c), qkv: take(3 * c), attended: take(c), norm2: take(c),
        up: take(configuration.hidden), hidden: take(configuration.hidden),
        logSums: plan.take(rows * configuration.heads))
    }
    stream = take(c)
    norm = take(c)
    let logitRows = min(rows, Self.logitRows)
    logits = plan.take(logitRows * configuration.vocabulary)
    losses = plan.take(rows)
    tokens = plan.take(rows)
    targets = plan.take(rows)
    streamGradient = take(c)
    blockGradient = take(c)
    hiddenGradient = take(configuration.hidden)
    qkvGradient = Rows(offset: hiddenGradient.offset, columns: 3 * c)
    attendedGradient = Rows(offset: hiddenGradient.offset + rows * 3 * c, columns: c)
    func scratchCount(_ m: Int, _ n: Int, _ k: Int, _ layout: WeightLayout) -> Int {
      LinearGradient.scratchCount(m: m, n: n, k: k, layout: layout)
    }
    let counts = [
      scratchCount(rows, 3 * c, c, .columns), scratchCount(rows, c, c, .columns),
      scratchCount(rows, configuration.hidden, c, .columns),
      scratchCount(rows, c, configuration.hidden, .columns),
      scratchCount(logitRows, configuration.vocabulary, c, .rows),
      LayerNormGradient.scratchCount(rows: rows),
    ]
    scratch = plan.take(counts.reduce(0, max))
  }
}

/// Everything that a step needs, in one piece.
final class TrainingMemory {
  let parameters, gradients, firstMoments, secondMoments: ParameterMemory
  let plan: ActivationPlan
  /// Tokens that there is room for at once.
  let rows: Int
  private let arena: FloatBuffer

  var space: ParameterSpace { parameters.space }

  /// - Parameter rows: tokens that go through the model together, at most.
  init(_ configuration: Configuration, rows: Int) throws(TrainingError) {
    self.rows = rows
    let (space, pieces, places, plan) = Self.layout(configuration, rows: rows)
    self.plan = plan
    do { arena = try FloatBuffer(count: pieces.count, isFilledAtOnce: true) } catch {
      throw .outOfMemory(bytes: error.bytes)
    }
    let base = arena.base
    let memories = places.map { ParameterMemory(space: space, base: base + $0) }
    (parameters, gradients) = (memories[0], memories[1])
    (firstMoments, secondMoments) = (memories[2], memories[3])
  }

  static func bytes(_ configuration: Configuration, rows: Int) -> Int {
    layout(configuration, rows: rows).pieces.count * MemoryLayout<Float>.stride
  }

  /// Where the parameters and what belongs to each begin, then the activations.
  private static func layout(
    _ configuration: Configuration, rows: Int
  ) -> (space: ParameterSpace, pieces: ArenaPlan, places: [Int], plan: ActivationPlan) {
    let space = ParameterSpace(configuration)
    var pieces = ArenaPlan()
    let places = (0..<4).map { _ in pieces.take(space.count) }
    let plan = ActivationPlan(configuration, rows: rows, in: &pieces)
    return (space, pieces, places, plan)
  }

  func pointer(_ offset: Int) -> UnsafeMutablePointer<Float> { arena.base + offset }

  /// Room for `count` ids.
  func ids(_ offset: Int, count: Int) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(pointer(offset)).bindMemory(to: Int32.self, capacity: count)
  }

  /// The first `count` rows.
  func matrix(_ rows: ActivationPlan.Rows, count: Int) -> MutableMatrix {
    MutableMatrix(pointer(rows.offset), rows: count, columns: rows.columns)
  }
}
