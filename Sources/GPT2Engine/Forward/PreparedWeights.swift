import GPT2Kernels
import GPT2Model

/// A checkpoint's weights as one kernel wants them, all but the position embedding.
final class PreparedWeights {
  struct Layer {
    let norm1Weight, norm1Bias: Vector
    let qkv: Weight
    let qkvBias: Vector
    let projection: Weight
    let projectionBias: Vector
    let norm2Weight, norm2Bias: Vector
    let up: Weight
    let upBias: Vector
    let down: Weight
    let downBias: Vector
  }

  let layers: [Layer]
  /// (vocabulary, channels): the logits' matrix.
  let output: Weight
  /// (vocabulary, channels): the logits' matrix too, where they are tied.
  let tokenEmbedding: UnsafePointer<Float>
  let finalNormWeight, finalNormBias: Vector

  private let arena: FloatBuffer

  /// Lays out every linear weight once and copies the rest beside them, on the kernel's threads: memory of one's own
  /// comes in huge pages, which a file's does not. The checkpoint's pages are given back to the system, so that
  /// a weight is resident once, not twice.
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
