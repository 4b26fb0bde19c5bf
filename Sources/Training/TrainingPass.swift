import GPT2Engine
import GPT2Kernels
import GPT2Model
import Statistics

/// One batch's way through the model and back. What the way there leaves lies in the arena until the next.
final class TrainingPass {
  let configuration: Configuration
  let kernel: any Kernel
  let memory: TrainingMemory
  /// Tokens of a window that go in.
  var context: Int
  private let dropoutRate: Float
  /// Windows of the batch that is in the arena, and their tokens together.
  private(set) var batch = 0
  private(set) var rows = 0
  /// What this batch's masks are drawn from; nil where nothing is dropped.
  private var draw: UInt64?

  var plan: ActivationPlan { memory.plan }

  init(_ configuration: Configuration, kernel: any Kernel, memory: TrainingMemory, options: TrainingOptions) {
    (self.configuration, self.kernel, self.memory) = (configuration, kernel, memory)
    (context, dropoutRate) = (options.context, Float(options.dropout))
  }

  /// The places at which values are dropped.
  enum Site: UInt64 {
    case embedding, probabilities, attention, mlp
  }

  func dropout(_ site: Site, layer: Int = 0) -> Dropout {
    guard let draw, dropoutRate > 0 else { return .none }
    var mixer = SplitMix64(seed: draw &+ site.rawValue << 32 &+ UInt64(layer))
    return Dropout(rate: dropoutRate, seed: mixer.next())
  }

  func matrix(_ place: ActivationPlan.Rows) -> MutableMatrix { memory.matrix(place, count: rows) }

  var tokens: UnsafeMutablePointer<Int32> { memory.ids(plan.tokens, count: rows) }
  var targets: UnsafeMutablePointer<Int32> { memory.ids(plan.targets, count: rows) }
  var losses: UnsafeMutablePointer<Float> { memory.pointer(plan.losses) }

  /// - Parameter draw: what masks are drawn from; nil drops nothing.
  func load(_ windows: ArraySlice<Window>, draw: UInt64?) {
    self.draw = draw
    batch = windows.count
    rows = batch * context
    let (tokens, targets) = (tokens, targets)
    for (row, window) in windows.enumerated() {
      window.tokens.withUnsafeBufferPointer { ids in
        (tokens + row * context).update(from: ids.baseAddress!, count: context)
        (targets + row * context).update(from: ids.baseAddress! + 1, count: context)
      }
    }
  }

  /// From the tokens to the norm of the last layer's output.
  func forward() {
    Probe.during(.embedding) { embed() }
    for (index, layer) in plan.layers.enumerated() {
      attentionBlock(layer, index)
      mlpBlock(
        layer, index, to: index + 1 < plan.layers.count ? plan.layers[index + 1].stream : plan.stream)
    }
    let finalNorm = configuration.finalNormIndex
    norm(
      plan.stream, memory.parameters.vector(finalNorm), memory.parameters.vector(finalNorm + 1),
      to: plan.norm)
  }

  /// stream[row] = token embedding + position embedding
  private func embed() {
    let channels = configuration.channels
    let (tokenTable, positions) = (memory.parameters.pointer(0), memory.parameters.pointer(1))
    let (stream, tokens) = (matrix(firstStream), tokens)
    kernel.forEachPiece(of: rows, size: 16) { piece in
      for row in piece {
        let target = stream.row(row)
        let token = tokenTable + Int(tokens[row]) * channels
        let position = positions + row % context * channels
        for c in 0..<channels { target[c] = token[c] + position[c] }
      }
    }
    kernel.run(DropoutScaling(stream.base, count: rows * channels, dropout: dropout(.embedding)))
  }

  /// What the embeddings' sum goes to.
  var firstStream: ActivationPlan.Rows { plan.layers[0].stream }

  /// middle = stream + projection(attention(norm(stream)))
  private func attentionBlock(_ layer: ActivationPlan.Layer, _ index: Int) {
    let parameters = memory.parameters
    norm(
      layer.stream, parameters.vector(.norm1Weight, index), parameters.vector(.norm1Bias, index),
      to: layer.norm1, layer: index)
    Probe.during(.qkv, layer: index) {
      linear(layer.norm1, .qkvWeight, .qkvBias, to: layer.qkv, layer: index)
    }
    Probe.during(.causalAttention, layer: index) {
      kernel.run(
        CausalAttention(
          qkv: matrix(layer.qkv).readOnly, batch: batch, context: context, heads: configuration.heads,
          output: matrix(layer.attended), logSums: memory.pointer(layer.logSums),
          dropout: dropout(.probabilities, layer: index)))
    }
    Probe.during(.projection, layer: index) {
      linear(layer.attended, .projectionWeight, .projectionBias, to: layer.middle, layer: index)
      add(layer.stream, to: layer.middle, dropout(.attention, layer: index))
    }
  }

  /// next = middle + down(gelu(up(norm(middle))))
  private func mlpBlock(_ layer: ActivationPlan.Layer, _ index: Int, to next: ActivationPlan.Rows) {
    let parameters = memory.parameters
    norm(
      layer.middle, parameters.vector(.norm2Weight, index), parameters.vector(.norm2Bias, index),
      to: layer.norm2, layer: index)
    Probe.during(.up, layer: index) {
      linear(layer.norm2, .upWeight, .upBias, to: layer.up, layer: index)
      let (before, after) = (matrix(layer.up), matrix(layer.hidden))
      kernel.run(GELU(of: before.base, to: after.base, count: rows * configuration.hidden))
    }
    Probe.during(.down, layer: index) {
      linear(layer.hidden, .downWeight, .downBias, to: next, layer: index)
      add(layer.middle, to: next, dropout(.mlp, layer: index))
    }
  }

  private func norm(
    _ input: ActivationPlan.Rows, _ weight: Vector, _ bias: Vector, to output: ActivationPlan.Rows,
    layer: Int? = nil
  ) {
    Probe.during(.layerNorm, layer: layer) {
      kernel.run(
        LayerNorm(
          input: matrix(input).readOnly, weight: weight, bias: bias, epsilon: configuration.layerNormEpsilon,
          output: matrix(output)))
    }
  }

  private func linear(
    _ input: ActivationPlan.Rows, _ weight: LayerParameter, _ bias: LayerParameter,
    to output: ActivationPlan.Rows, layer: Int
  ) {
    kernel.run(
      Linear(
        input: matrix(input).readOnly, weight: memory.parameters.weight(weight, layer),
        bias: memory.parameters.vector(bias, layer), output: matrix(output)))
  }

  /// block = dropped(block) + stream: the residual stream goes on in the block's memory.
  private func add(_ stream: ActivationPlan.Rows, to block: ActivationPlan.Rows, _ dropout: Dropout) {
    let (block, count) = (matrix(block), rows * configuration.channels)
    Probe.enter(.residual)
    kernel.run(DropoutScaling(block.base, count: count, dropout: dropout))
    kernel.run(Addition(to: block.base, addend: matrix(stream).base, count: count))
  }

  func copy(_ source: MutableMatrix, to target: MutableMatrix) {
    kernel.forEachPiece(of: source.rows * source.columns, size: Self.piece) { piece in
      (target.base + piece.lowerBound).update(from: source.base + piece.lowerBound, count: piece.count)
    }
  }

  /// Floats that a thread copies or clears at a time.
  static let piece = 1 << 14
}
