import GPT2Kernels
import GPT2Model

extension Phase {
  /// Whether only a step of training comes to it.
  public var isOfTraining: Bool {
    switch self {
    case .embedding, .layerNorm, .qkv, .cacheStore, .attention, .projection, .up, .down, .logits, .sampling,
      .between:
      false
    case .causalAttention, .loss, .logitsGradient, .downGradient, .geluGradient, .upGradient,
      .projectionGradient,
      .attentionGradient, .qkvGradient, .layerNormGradient, .embeddingGradient, .optimizer:
      true
    }
  }
}

extension PhaseWork {
  /// What only a step of training does. A matrix product's gradients are two products of its size. They read its weights
  /// once, and the weights' gradients are read and written.
  /// - Parameters:
  ///   - rows: of each of the `sequences`.
  ///   - logitRows: of all sequences together, of one operation.
  init(
    ofTraining phase: Phase, in configuration: Configuration, rows: Int, sequences: Int, logitRows: Int
  ) {
    let (c, hidden, vocabulary) = (configuration.channels, configuration.hidden, configuration.vocabulary)
    let all = rows * sequences
    func floats(_ count: Int) -> Double { 4 * Double(count) }
    func gradient(m: Int, n: Int, k: Int) -> PhaseWork {
      PhaseWork(
        flops: LinearGradient.flops(m: m, n: n, k: k), streamedBytes: 3 * floats(n * k),
        activationBytes: floats(2 * m * k + m * n))
    }
    let attention = Attention.flops(rows: rows, firstPosition: 0, channels: c) * Double(sequences)
    let softmax = Softmax.flops(rows: rows, firstPosition: 0, heads: configuration.heads) * Double(sequences)
    switch phase {
    case .causalAttention: self.init(flops: attention + softmax, activationBytes: floats(4 * all * c))
    // Scores and their softmax again, then four products of the same size.
    case .attentionGradient:
      self.init(flops: 2.5 * attention + softmax, activationBytes: floats(8 * all * c))
    // The softmax of each row, and the target's probability less one.
    case .loss:
      self.init(
        flops: 5 * Double(logitRows) * Double(vocabulary), activationBytes: 2 * floats(logitRows * vocabulary)
      )
    case .logitsGradient: self = gradient(m: logitRows, n: vocabulary, k: c)
    case .downGradient: self = gradient(m: all, n: c, k: hidden)
    // The derivative of the tanh approximation.
    case .geluGradient: self.init(flops: 16 * Double(all * hidden), activationBytes: 3 * floats(all * hidden))
    case .upGradient: self = gradient(m: all, n: hidden, k: c)
    case .projectionGradient: self = gradient(m: all, n: c, k: c)
    case .qkvGradient: self = gradient(m: all, n: 3 * c, k: c)
    // Statistics again, the input's gradient added to the stream's, and the sums for weight and bias.
    case .layerNormGradient:
      self.init(
        flops: 18 * Double(all * c), streamedBytes: 5 * floats(c), activationBytes: 4 * floats(all * c))
    case .embeddingGradient:
      self.init(
        flops: 2 * Double(all * c), streamedBytes: 4 * floats(all * c), activationBytes: floats(all * c))
    // The norm of all gradients, both moments, and AdamW's step.
    case .optimizer:
      let parameters = configuration.parameterCount
      self.init(flops: 16 * Double(parameters), streamedBytes: 8 * floats(parameters))
    default: self.init()
    }
  }
}
