import GPT2Kernels
import GPT2Model
import NumberFormats
import Synchronization

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
  let tokenEmbedding: Weight
  let finalNormWeight, finalNormBias: Vector

  private let arena: FloatBuffer

  /// What the layers read of a pass, in the order in which they do.
  var layerMemory: UnsafeRawBufferPointer {
    let logits = FloatBuffer.room(
      for: output.layout.count(outputs: output.outputs, inputs: output.inputs))
    return UnsafeRawBufferPointer(
      UnsafeBufferPointer(start: arena.base + logits, count: arena.count - logits))
  }

  /// Lays out every linear weight once and copies the rest beside them, on the kernel's threads, into huge pages,
  /// which a file's are not. The checkpoint's pages go back to the system, so that a weight is resident once.
  init(_ checkpoint: Checkpoint, kernel: some Kernel) throws(EngineError) {
    let c = checkpoint.configuration
    let (layout, outputLayout) = (kernel.weightLayout, kernel.outputLayout)
    let matrices = Self.matrices(of: c).reduce(0) {
      $0 + FloatBuffer.room(for: layout.count(outputs: $1.outputs, inputs: $1.inputs))
    }
    let logits = FloatBuffer.room(for: outputLayout.count(outputs: c.vocabulary, inputs: c.channels))
    // Norms and biases are 13 channels' worth a layer.
    let vectors = FloatBuffer.room(for: 13 * c.channels)
    let arena = try makeBuffer(c.layers * (matrices + vectors) + logits, isFilledAtOnce: true)
    var plan = PreparationPlan(checkpoint: checkpoint, next: arena.base)
    let output = plan.matrix(c.outputEmbeddingIndex, inputs: c.channels, outputs: c.vocabulary, outputLayout)
    layers = (0..<c.layers).map { plan.layer($0, layout) }
    try plan.carryOut(on: kernel)
    self.arena = arena
    self.output = output
    tokenEmbedding =
      c.tiesEmbeddings
      ? output
      : Weight(
        checkpoint.tokenEmbedding.baseAddress!, outputs: c.vocabulary, inputs: c.channels, layout: .rows)
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
  /// Where the next tensor goes.
  private(set) var next: UnsafeMutablePointer<Float>
  /// Each says what its layout cannot hold.
  private var moves: [@Sendable () -> ModelError?] = []

  /// Floats of one plain copy: a megabyte, as of a matrix.
  private static let slice = 1 << 18

  init(checkpoint: Checkpoint, next: UnsafeMutablePointer<Float>) {
    (self.checkpoint, self.next) = (checkpoint, next)
  }

  mutating func layer(_ index: Int, _ layout: WeightLayout) -> PreparedWeights.Layer {
    let matrices = PreparedWeights.matrices(of: checkpoint.configuration).map {
      matrix(
        Configuration.index(of: $0.parameter, layer: index), inputs: $0.inputs, outputs: $0.outputs, layout)
    }
    let first = next
    let layer = PreparedWeights.Layer(
      qkv: matrices[0], projection: matrices[1], up: matrices[2], down: matrices[3],
      norm1Weight: vector(.norm1Weight, index), norm1Bias: vector(.norm1Bias, index),
      qkvBias: vector(.qkvBias, index), projectionBias: vector(.projectionBias, index),
      norm2Weight: vector(.norm2Weight, index), norm2Bias: vector(.norm2Bias, index),
      upBias: vector(.upBias, index), downBias: vector(.downBias, index))
    next = first + FloatBuffer.room(for: next - first)
    return layer
  }

  private mutating func vector(_ parameter: LayerParameter, _ layer: Int) -> Vector {
    let count = parameter.parameter(layer: layer, of: checkpoint.configuration).count
    let target = next
    copy(Configuration.index(of: parameter, layer: layer), count: count)
    next += count
    return Vector(target, count: count)
  }

  private mutating func copy(_ tensor: Int, count: Int) {
    nonisolated(unsafe) let target = next
    for first in stride(from: 0, to: count, by: Self.slice) {
      let elements = first..<min(first + Self.slice, count)
      moves.append { [checkpoint] in
        checkpoint.copyOnce(tensor, elements, to: target + first)
        return nil
      }
    }
  }

  /// A layer's matrix, or that of the logits, in a layout.
  mutating func matrix(_ tensor: Int, inputs: Int, outputs: Int, _ layout: WeightLayout) -> Weight {
    nonisolated(unsafe) let target = next
    if layout == .rows, tensor == checkpoint.configuration.outputEmbeddingIndex {
      copy(tensor, count: outputs * inputs)
    } else {
      moves.append { [checkpoint] in
        checkpoint.lay(tensor, inputs: inputs, outputs: outputs, layout, to: target)
      }
    }
    next += FloatBuffer.room(for: layout.count(outputs: outputs, inputs: inputs))
    return Weight(target, outputs: outputs, inputs: inputs, layout: layout)
  }

  /// Moves everything, each tensor by one of the kernel's threads.
  /// - Throws: `EngineError.weights` for the first weight that its layout cannot hold.
  func carryOut(on kernel: some Kernel) throws(EngineError) {
    let refused = Mutex<(move: Int, error: ModelError)?>(nil)
    kernel.forEach(moves.count) { [moves] index in
      guard let error = moves[index]() else { return }
      refused.withLock { if $0.map({ index < $0.move }) ?? true { $0 = (index, error) } }
    }
    checkpoint.releaseAllPages()
    if let refused = refused.withLock({ $0 }) { throw .weights(refused.error) }
  }
}

extension Checkpoint {
  /// Lays a matrix out, quantized where the layout is of blocks, and returns what it cannot hold.
  fileprivate func lay(
    _ tensor: Int, inputs: Int, outputs: Int, _ layout: WeightLayout,
    to target: UnsafeMutablePointer<Float>
  ) -> ModelError? {
    guard let format = layout.precision.blocks else {
      return layFloats(tensor, inputs: inputs, outputs: outputs, layout, to: target)
    }
    do throws(ModelError) {
      try withBlocksOnce(tensor, as: format, grain: layout.grain) {
        layout.store(blocks: $0, outputs: $1, blocks: $2, inputs: inputs, to: target)
      }
      return nil
    } catch { return error }
  }

  /// As floats or as bfloat16, which must hold the weights: rounded, the largest floats would be infinite.
  private func layFloats(
    _ tensor: Int, inputs: Int, outputs: Int, _ layout: WeightLayout,
    to target: UnsafeMutablePointer<Float>
  ) -> ModelError? {
    var refused: ModelError?
    withMatrixOnce(tensor, grain: layout.grain) { source, rows, order in
      let columns = order == .inputsFirst ? outputs : inputs
      if layout.precision != .f32, refused == nil,
        let place = (0..<rows.count * columns).first(where: { !(source[$0].magnitude < 0x1.FFp127) })
      {
        refused = refusal(
          of: tensor, at: rows.lowerBound * columns + place, order, found: source[place],
          expected: "a number that \(layout.precision.rawValue) holds")
      }
      switch order {
      case .inputsFirst:
        layout.store(conv1D: source, rows: rows, inputs: inputs, outputs: outputs, to: target)
      case .outputsFirst:
        layout.store(linear: source, rows: rows, inputs: inputs, outputs: outputs, to: target)
      }
    }
    return refused
  }
}

extension WeightPrecision {
  /// ggml's blocks that a layout of this precision is made of, if it is.
  var blocks: BlockFormat? {
    switch self {
    case .f32, .bf16: nil
    case .int8: .q8
    case .int4: .q4
    }
  }
}
