import GPT2Kernels
import GPT2Model

/// A checkpoint's weights as one kernel wants them, all but the position embedding.
final class PreparedWeights {
  struct Layer {
    let qkv, projection, up, down: Weight
    let norm1Weight, norm1Bias, qkvBias, projectionBias, norm2Weight, norm2Bias, upBias, downBias: Vector
  }

  let layers: [Layer]
  /// (vocabulary, channels): the logits' matrix.
  let output: Weight
  /// (vocabulary, channels): the logits' matrix too, where they are tied.
  let tokenEmbedding: UnsafePointer<Float>
  let finalNormWeight, finalNormBias: Vector

  private let arena: FloatBuffer

  /// Lays out every linear weight once and copies the rest beside them, on the kernel's threads, into huge pages,
  /// which a file's are not. The checkpoint's pages go back to the system, so that a weight is resident once.
  init(_ checkpoint: Checkpoint, kernel: some Kernel) throws(EngineError) {
    let c = checkpoint.configuration
    let layout = kernel.weightLayout
    let matrices = Self.matrices(of: c).reduce(0) {
      $0 + layout.count(outputs: $1.outputs, inputs: $1.inputs)
    }
    // Norms and biases are 13 channels' worth a layer.
    let arena = try makeBuffer(
      c.layers * (matrices + 13 * c.channels) + c.vocabulary * c.channels, isFilledAtOnce: true)
    var plan = PreparationPlan(checkpoint: checkpoint, layout: layout, next: arena.base)
    let output = plan.copy(c.outputEmbeddingIndex, count: c.vocabulary * c.channels)
    layers = (0..<c.layers).map { plan.layer($0) }
    plan.carryOut(on: kernel)
    self.arena = arena
    self.output = Weight(output, outputs: c.vocabulary, inputs: c.channels, layout: .rows)
    tokenEmbedding = c.tiesEmbeddings ? output : checkpoint.tokenEmbedding.baseAddress!
    finalNormWeight = Vector(checkpoint.finalNormWeight)
    finalNormBias = Vector(checkpoint.finalNormBias)
  }

  typealias Shape = (parameter: LayerParameter, inputs: Int, outputs: Int)

  static func matrices(of c: Configuration) -> [Shape] {
    [
      (.qkvWeight, c.channels, 3 * c.channels), (.projectionWeight, c.channels, c.channels),
      (.upWeight, c.channels, c.hidden), (.downWeight, c.hidden, c.channels),
    ]
  }
}

/// Says where in one piece of memory each tensor goes before any is moved, so that several threads can move them.
struct PreparationPlan {
  let checkpoint: Checkpoint
  let layout: WeightLayout
  /// Where the next tensor goes.
  private(set) var next: UnsafeMutablePointer<Float>
  private var moves: [@Sendable () -> Void] = []

  /// Floats of one plain copy, a few megabytes.
  private static let slice = 1 << 20

  init(checkpoint: Checkpoint, layout: WeightLayout, next: UnsafeMutablePointer<Float>) {
    (self.checkpoint, self.layout, self.next) = (checkpoint, layout, next)
  }

  mutating func layer(_ index: Int) -> PreparedWeights.Layer {
    let matrices = PreparedWeights.matrices(of: checkpoint.configuration).map { matrix($0, index) }
    return PreparedWeights.Layer(
      qkv: matrices[0], projection: matrices[1], up: matrices[2], down: matrices[3],
      norm1Weight: vector(.norm1Weight, index), norm1Bias: vector(.norm1Bias, index),
      qkvBias: vector(.qkvBias, index), projectionBias: vector(.projectionBias, index),
      norm2Weight: vector(.norm2Weight, index), norm2Bias: vector(.norm2Bias, index),
      upBias: vector(.upBias, index), downBias: vector(.downBias, index))
  }

  mutating func copy(_ tensor: Int, count: Int) -> UnsafePointer<Float> {
    nonisolated(unsafe) let target = next
    for first in stride(from: 0, to: count, by: Self.slice) {
      let elements = first..<min(first + Self.slice, count)
      moves.append { [checkpoint] in checkpoint.copyOnce(tensor, elements, to: target + first) }
    }
    next += count
    return UnsafePointer(target)
  }

  private mutating func vector(_ parameter: LayerParameter, _ layer: Int) -> Vector {
    let count = parameter.parameter(layer: layer, of: checkpoint.configuration).count
    return Vector(copy(Configuration.index(of: parameter, layer: layer), count: count), count: count)
  }

  private mutating func matrix(_ shape: PreparedWeights.Shape, _ layer: Int) -> Weight {
    let (_, inputs, outputs) = shape
    let tensor = Configuration.index(of: shape.parameter, layer: layer)
    nonisolated(unsafe) let target = next
    moves.append { [checkpoint, layout] in
      checkpoint.withMatrixOnce(tensor) { source, order in
        switch order {
        case .inputsFirst: layout.store(conv1D: source, inputs: inputs, outputs: outputs, to: target)
        case .outputsFirst: layout.store(linear: source, inputs: inputs, outputs: outputs, to: target)
        }
      }
    }
    next += layout.count(outputs: outputs, inputs: inputs)
    return Weight(target, outputs: outputs, inputs: inputs, layout: layout)
  }

  /// Moves everything, each tensor by one of the kernel's threads.
  func carryOut(on kernel: some Kernel) {
    kernel.forEach(moves.count) { [moves] in moves[$0]() }
    checkpoint.releaseAllPages()
  }
}
