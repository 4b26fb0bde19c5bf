import GPT2Kernels
import GPT2Model

/// A checkpoint's weights as one kernel wants them: linear layers in its layout, everything else in place in the
/// checkpoint.
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

  /// Lays out every linear weight once. The checkpoint's own copy of each is given back to the system as soon as
  /// it has been read, so that a weight is resident once, not twice.
  init(_ checkpoint: Checkpoint, layout: WeightLayout) throws(EngineError) {
    let c = checkpoint.configuration
    let shapes: [(LayerParameter, inputs: Int, outputs: Int)] = [
      (.qkvWeight, c.channels, 3 * c.channels), (.projectionWeight, c.channels, c.channels),
      (.upWeight, c.channels, c.hidden), (.downWeight, c.hidden, c.channels),
    ]
    let layerCount = shapes.reduce(0) { $0 + layout.count(outputs: $1.outputs, inputs: $1.inputs) }
    let arena = try makeBuffer(layerCount * c.layers, isFilledAtOnce: true)
    var next = arena.base
    func store(_ index: Int, _ layer: Int) -> Weight {
      let (parameter, inputs, outputs) = shapes[index]
      let weight = Weight(next, outputs: outputs, inputs: inputs, layout: layout)
      layout.store(
        conv1D: checkpoint.tensor(parameter, layer: layer).baseAddress!, inputs: inputs,
        outputs: outputs, to: next)
      checkpoint.releasePages(of: parameter, layer: layer)
      next += layout.count(outputs: outputs, inputs: inputs)
      return weight
    }
    var layers: [Layer] = []
    for layer in 0..<c.layers {
      func vector(_ parameter: LayerParameter) -> Vector {
        Vector(checkpoint.tensor(parameter, layer: layer))
      }
      layers.append(
        Layer(
          norm1Weight: vector(.norm1Weight), norm1Bias: vector(.norm1Bias), qkv: store(0, layer),
          qkvBias: vector(.qkvBias), projection: store(1, layer),
          projectionBias: vector(.projectionBias), norm2Weight: vector(.norm2Weight),
          norm2Bias: vector(.norm2Bias), up: store(2, layer), upBias: vector(.upBias),
          down: store(3, layer), downBias: vector(.downBias)))
    }
    self.layers = layers
    self.arena = arena
    // The logits' matrix lies in the file as `rows` wants it, and the embedding needs it there anyway.
    output = Weight(
      checkpoint.outputEmbedding.baseAddress!, outputs: c.vocabulary, inputs: c.channels, layout: .rows)
    finalNormWeight = Vector(checkpoint.finalNormWeight)
    finalNormBias = Vector(checkpoint.finalNormBias)
  }
}
