import GPT2Kernels
import GPT2Model

/// A checkpoint's weights as one kernel wants them.
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
  /// (vocabulary, channels)
  let output: Weight
  let finalNormWeight, finalNormBias: Vector

  private let arena: FloatBuffer

  /// Lays out every linear weight once and takes a copy of the layers' small vectors. The checkpoint's own pages of
  /// all of them are given back to the system, so that a weight is resident once, not twice; embeddings and logits
  /// stay in place in the checkpoint.
  init(_ checkpoint: Checkpoint, layout: WeightLayout) throws(EngineError) {
    let c = checkpoint.configuration
    let matrix = Self.matrices(of: c).reduce(0) {
      $0 + layout.count(outputs: $1.outputs, inputs: $1.inputs)
    }
    // Norms, biases: 13 channels' worth a layer.
    let arena = try makeBuffer(c.layers * (matrix + 13 * c.channels), isFilledAtOnce: true)
    var filler = Filler(checkpoint: checkpoint, layout: layout, next: arena.base)
    layers = (0..<c.layers).map { filler.layer($0) }
    // Only now: reading one tensor maps pages of its neighbours again.
    for layer in 0..<c.layers {
      for parameter in LayerParameter.allCases { checkpoint.releasePages(of: parameter, layer: layer) }
    }
    self.arena = arena
    // The logits' matrix lies in the file as `rows` wants it, and the embedding needs it there anyway.
    output = Weight(
      checkpoint.outputEmbedding.baseAddress!, outputs: c.vocabulary, inputs: c.channels, layout: .rows)
    finalNormWeight = Vector(checkpoint.finalNormWeight)
    finalNormBias = Vector(checkpoint.finalNormBias)
  }

  private typealias Shape = (parameter: LayerParameter, inputs: Int, outputs: Int)

  private static func matrices(of c: Configuration) -> [Shape] {
    [
      (.qkvWeight, c.channels, 3 * c.channels), (.projectionWeight, c.channels, c.channels),
      (.upWeight, c.channels, c.hidden), (.downWeight, c.hidden, c.channels),
    ]
  }

  /// Puts one tensor behind the other.
  private struct Filler {
    let checkpoint: Checkpoint
    let layout: WeightLayout
    var next: UnsafeMutablePointer<Float>

    mutating func layer(_ index: Int) -> Layer {
      let matrices = PreparedWeights.matrices(of: checkpoint.configuration).map { matrix($0, index) }
      return Layer(
        norm1Weight: vector(.norm1Weight, index), norm1Bias: vector(.norm1Bias, index),
        qkv: matrices[0], qkvBias: vector(.qkvBias, index), projection: matrices[1],
        projectionBias: vector(.projectionBias, index), norm2Weight: vector(.norm2Weight, index),
        norm2Bias: vector(.norm2Bias, index), up: matrices[2], upBias: vector(.upBias, index),
        down: matrices[3], downBias: vector(.downBias, index))
    }

    private mutating func matrix(_ shape: Shape, _ layer: Int) -> Weight {
      let weight = Weight(next, outputs: shape.outputs, inputs: shape.inputs, layout: layout)
      layout.store(
        conv1D: checkpoint.tensor(shape.parameter, layer: layer).baseAddress!, inputs: shape.inputs,
        outputs: shape.outputs, to: next)
      checkpoint.releasePages(of: shape.parameter, layer: layer)
      next += layout.count(outputs: shape.outputs, inputs: shape.inputs)
      return weight
    }

    private mutating func vector(_ parameter: LayerParameter, _ layer: Int) -> Vector {
      let source = checkpoint.tensor(parameter, layer: layer)
      next.update(from: source.baseAddress!, count: source.count)
      defer { next += source.count }
      return Vector(next, count: source.count)
    }
  }
}
