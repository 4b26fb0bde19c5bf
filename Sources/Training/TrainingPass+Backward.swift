import GPT2Engine
import GPT2Kernels
import GPT2Model

/// The way back. Gradients of parameters grow by the batch's.
extension TrainingPass {
  /// The losses of the batch, from a block of logits after the other, and with a scale what the final norm's output
  /// and the logits' matrix gain.
  /// - Parameter scale: what the sum of losses is multiplied with for the loss that is differentiated; nil for no
  ///   gradient.
  /// - Returns: the sum of the losses, in nats.
  func computeLosses(scale: Float?) -> Double {
    let (norm, gradient) = (matrix(plan.norm), matrix(plan.blockGradient))
    let (losses, targets) = (losses, targets)
    for first in stride(from: 0, to: rows, by: ActivationPlan.logitRows) {
      let count = min(ActivationPlan.logitRows, rows - first)
      let input = Matrix(norm.row(first), rows: count, columns: norm.columns)
      let logits = MutableMatrix(
        memory.pointer(plan.logits), rows: count, columns: configuration.vocabulary)
      Probe.during(.logits) {
        kernel.run(
          Linear(
            input: input, weight: memory.parameters.output, bias: nil, output: logits,
            sumsMayDependOnRows: true))
      }
      Probe.during(.loss) {
        kernel.run(
          CrossEntropy(
            logits: logits, targets: targets + first, losses: losses + first, scale: scale))
      }
      guard scale != nil else { continue }
      Probe.during(.logitsGradient) {
        kernel.run(
          LinearGradient(
            input: input, weight: memory.parameters.output, outputGradient: logits.readOnly,
            inputGradient: MutableMatrix(gradient.row(first), rows: count, columns: gradient.columns),
            weightGradient: memory.gradients.pointer(configuration.outputEmbeddingIndex), biasGradient: nil,
            scratch: memory.pointer(plan.scratch)))
      }
    }
    var sum = 0.0
    for row in 0..<rows { sum += Double(losses[row]) }
    return sum
  }

  /// From the gradient of the final norm's output to those of all parameters but the logits' matrix, if it is one of
  /// its own.
  func backward() {
    let stream = matrix(plan.streamGradient)
    kernel.forEachPiece(of: rows * configuration.channels, size: Self.piece) { piece in
      (stream.base + piece.lowerBound).update(repeating: 0, count: piece.count)
    }
    let finalNorm = configuration.finalNormIndex
    norm(
      plan.stream, memory.parameters.vector(finalNorm), memory.gradients.pointer(finalNorm),
      memory.gradients.pointer(finalNorm + 1))
    for (index, layer) in plan.layers.enumerated().reversed() {
      mlpBlock(layer, index)
      attentionBlock(layer, index)
    }
    Probe.during(.embeddingGradient) {
      kernel.run(
        DropoutScaling(stream.base, count: rows * configuration.channels, dropout: dropout(.embedding)))
      kernel.run(
        EmbeddingGradient(
          tokens: tokens, batch: batch, context: context, gradient: stream.readOnly,
          tokenGradient: memory.gradients.pointer(0), positionGradient: memory.gradients.pointer(1)))
    }
  }

  private func mlpBlock(_ layer: ActivationPlan.Layer, _ index: Int) {
    let hidden = matrix(plan.hiddenGradient)
    Probe.during(.downGradient, layer: index) {
      linear(
        layer.hidden, .downWeight, .downBias, of: droppedStream(dropout(.mlp, layer: index)), to: hidden,
        layer: index)
    }
    Probe.during(.geluGradient, layer: index) {
      kernel.run(
        GELUGradient(
          inputs: matrix(layer.up).base, gradient: hidden.base, count: rows * configuration.hidden))
    }
    Probe.during(.upGradient, layer: index) {
      linear(layer.norm2, .upWeight, .upBias, of: hidden, to: matrix(plan.blockGradient), layer: index)
    }
    norm(layer.middle, .norm2Weight, .norm2Bias, layer: index)
  }

  private func attentionBlock(_ layer: ActivationPlan.Layer, _ index: Int) {
    let (attended, qkv) = (matrix(plan.attendedGradient), matrix(plan.qkvGradient))
    Probe.during(.projectionGradient, layer: index) {
      linear(
        layer.attended, .projectionWeight, .projectionBias,
        of: droppedStream(dropout(.attention, layer: index)), to: attended, layer: index)
    }
    Probe.during(.attentionGradient, layer: index) {
      kernel.run(
        CausalAttentionGradient(
          qkv: matrix(layer.qkv).readOnly, output: matrix(layer.attended).readOnly,
          logSums: memory.pointer(layer.logSums), batch: batch, context: context,
          heads: configuration.heads, outputGradient: attended.readOnly, qkvGradient: qkv,
          dropout: dropout(.probabilities, layer: index)))
    }
    Probe.during(.qkvGradient, layer: index) {
      linear(layer.norm1, .qkvWeight, .qkvBias, of: qkv, to: matrix(plan.blockGradient), layer: index)
    }
    norm(layer.stream, .norm1Weight, .norm1Bias, layer: index)
  }

  /// The stream's gradient, with the same values dropped as of what a block has added to the stream.
  private func droppedStream(_ dropout: Dropout) -> MutableMatrix {
    let stream = matrix(plan.streamGradient)
    guard dropout.rate > 0 else { return stream }
    let block = matrix(plan.blockGradient)
    copy(stream, to: block)
    kernel.run(DropoutScaling(block.base, count: rows * block.columns, dropout: dropout))
    return block
  }

  private func linear(
    _ input: ActivationPlan.Rows, _ weight: LayerParameter, _ bias: LayerParameter,
    of outputGradient: MutableMatrix, to inputGradient: MutableMatrix, layer: Int
  ) {
    kernel.run(
      LinearGradient(
        input: matrix(input).readOnly, weight: memory.parameters.weight(weight, layer),
        outputGradient: outputGradient.readOnly, inputGradient: inputGradient,
        weightGradient: memory.gradients.pointer(weight, layer),
        biasGradient: memory.gradients.pointer(bias, layer), scratch: memory.pointer(plan.scratch)))
  }

  private func norm(
    _ input: ActivationPlan.Rows, _ weight: LayerParameter, _ bias: LayerParameter, layer: Int
  ) {
    norm(
      input, memory.parameters.vector(weight, layer), memory.gradients.pointer(weight, layer),
      memory.gradients.pointer(bias, layer), layer: layer)
  }

  /// The stream's gradient grows by what the norm's input gains.
  private func norm(
    _ input: ActivationPlan.Rows, _ weight: Vector, _ weightGradient: UnsafeMutablePointer<Float>,
    _ biasGradient: UnsafeMutablePointer<Float>, layer: Int? = nil
  ) {
    Probe.during(.layerNormGradient, layer: layer) {
      kernel.run(
        LayerNormGradient(
          input: matrix(input).readOnly, weight: weight, epsilon: configuration.layerNormEpsilon,
          outputGradient: matrix(plan.blockGradient).readOnly, inputGradient: matrix(plan.streamGradient),
          weightGradient: weightGradient, biasGradient: biasGradient, scratch: memory.pointer(plan.scratch)))
    }
  }
}
