import GPT2Kernels
import GPT2Model

/// The arithmetic and the compulsory memory traffic of one forward pass.
public struct Work: Equatable, Sendable {
  public var flops: Double
  /// Every weight that is needed once, cached keys and values once, activations that stay in caches not at all.
  public var bytes: Double

  /// - Parameters:
  ///   - rows: positions computed in each sequence.
  ///   - firstPosition: positions before them whose keys and values are read.
  ///   - sequences: sequences in the batch, which share the weights.
  ///   - logitRows: positions of each sequence whose logits are computed.
  ///   - weights: what the matrices are in, the token embedding among them.
  ///   - cache: what keys and values are in; all else is float32.
  public init(
    of configuration: Configuration, rows: Int, firstPosition: Int, sequences: Int = 1, logitRows: Int = 1,
    weights: WeightPrecision = .f32, cache: WeightPrecision = .f32
  ) {
    let c = configuration.channels
    let batch = Double(sequences)
    let layers = Double(configuration.layers)
    let linear = 24 * Double(c) * Double(c) * Double(rows) * batch
    let attention = Attention.flops(rows: rows, firstPosition: firstPosition, channels: c) * batch
    let logits = Linear.flops(m: logitRows, n: configuration.vocabulary, k: c) * batch
    flops = layers * (linear + attention) + logits
    let cached = 2 * cache.bytes(outputs: firstPosition + rows, inputs: c) * batch
    let vectors = 4 * 13 * Double(c)
    let matrices =
      weights.bytes(outputs: 4 * c + configuration.hidden, inputs: c)
      + weights.bytes(outputs: c, inputs: configuration.hidden)
    let embedding = weights.bytes(outputs: configuration.vocabulary, inputs: c)
    let embedded = Embedding.tableBytes(rows: rows, channels: c, weights: weights) * batch
    bytes = layers * (matrices + vectors + cached) + embedding + embedded
  }

  /// One step of training, by the rule of Kaplan et al. ("Scaling Laws for Neural Language Models", 2020, arXiv
  /// 2001.08361): 6 · parameters · tokens, a third of it forward. The products between positions within attention, the
  /// norms and the update come on top and are not counted. The bytes are those of the update: parameters, gradients and
  /// both moments, each read once and written once in float32.
  public init(ofTrainingStepIn configuration: Configuration, tokens: Int) {
    let parameters = Double(configuration.parameterCount)
    flops = 6 * parameters * Double(tokens)
    bytes = 32 * parameters
  }

  /// Keys and values of so many positions of each sequence.
  public static func cacheBytes(
    of configuration: Configuration, positions: Int, sequences: Int, cache: WeightPrecision = .f32
  ) -> Double {
    2 * cache.bytes(outputs: positions, inputs: configuration.channels)
      * Double(configuration.layers) * Double(sequences)
  }

  /// One decoding step at a position: one row with a cache, the whole sequence again without one.
  public init(
    ofStepIn configuration: Configuration, decoding: Variant.Decoding, position: Int, sequences: Int = 1,
    weights: WeightPrecision = .f32, cache: WeightPrecision = .f32
  ) {
    let isCached = decoding == .cache
    self.init(
      of: configuration, rows: isCached ? 1 : position + 1, firstPosition: isCached ? position : 0,
      sequences: sequences, weights: weights, cache: cache)
  }
}

/// The operations of a forward pass, the choice of a token after it, and what a step of training adds, as a profile
/// tells them apart.
public enum Phase: UInt8, Sendable, CaseIterable {
  case embedding, layerNorm, qkv, cacheStore, attention, projection, up, down, logits, sampling
  /// Attention of whole sequences, without a cache.
  case causalAttention
  /// The loss, and its gradient by the logits.
  case loss
  case logitsGradient, downGradient, geluGradient, upGradient, projectionGradient, attentionGradient,
    qkvGradient
  case layerNormGradient, embeddingGradient
  /// The norm of the gradients, and the step of all parameters.
  case optimizer
  case between
}

extension Mark {
  /// The operation of a layer, or of none. Layers beyond 65,534 share the last number.
  public init(_ phase: Phase, layer: Int? = nil) {
    let place = layer.map { UInt32(min($0, 0xFFFE)) } ?? 0xFFFF
    self.init(rawValue: Mark.firstOperation * UInt32(phase.rawValue + 1) + place)
  }

  /// What it is a mark of, where it is an operation's.
  public var place: (phase: Phase, layer: Int?)? {
    guard rawValue >= Mark.firstOperation,
      let phase = Phase(rawValue: UInt8(truncatingIfNeeded: rawValue / Mark.firstOperation - 1))
    else { return nil }
    let layer = rawValue % Mark.firstOperation
    return (phase, layer == 0xFFFF ? nil : Int(layer))
  }
}

extension Probe {
  @inline(__always)
  public static func during(_ phase: Phase, layer: Int? = nil, _ body: () throws -> Void) rethrows {
    enter(Mark(phase, layer: layer))
    try body()
    enter(Mark(.between))
  }
}

/// The arithmetic and the compulsory memory traffic of one operation of a forward pass, or of a part of one.
public struct PhaseWork: Equatable, Sendable {
  public var flops = 0.0
  /// Weights, and keys and values of the cache: what a pass touches once, and no smaller cache keeps.
  public var streamedBytes = 0.0
  /// Activations, which the operation before has just written and the one after reads.
  public var activationBytes = 0.0
}

extension PhaseWork {
  /// - Parameters:
  ///   - part: `.operation`, a part of attention, `.gelu` or `.residual`. GELU moves nothing: a perfect kernel
  ///     computes it in a register. An operation that adds to the residual stream has the stream among its bytes, as
  ///     if the addition were fused; where it is not, those are the addition's.
  ///   - isInLayer: whether the operation is a layer's; a layer norm's has all rows, else those that have logits.
  ///   - rows, firstPosition, logitRows, weights, cache: as `Work` has them.
  ///   - sequences: that have so many rows each; `logitRows` are of all of them.
  public init(
    of phase: Phase, part: Mark = .operation, isInLayer: Bool = true, in configuration: Configuration,
    rows: Int, firstPosition: Int, sequences: Int = 1, logitRows: Int = 1, weights: WeightPrecision = .f32,
    cache: WeightPrecision = .f32
  ) {
    guard !phase.isOfTraining else {
      self.init(
        ofTraining: phase, in: configuration, rows: rows, sequences: sequences, logitRows: logitRows)
      return
    }
    let c = configuration.channels
    precondition(sequences == 1 || phase != .attention, "attention of several sequences is training's")
    let rows = rows * sequences
    let values = Self.floats(rows * c)
    /// (m, k) · (k, n), and where it adds to the residual stream, that read as well.
    func linear(
      m: Int, n: Int, k: Int, addsToStream: Bool = false, hasBias: Bool = true
    ) -> PhaseWork {
      PhaseWork(
        flops: Linear.flops(m: m, n: n, k: k),
        streamedBytes: weights.bytes(outputs: n, inputs: k) + Self.floats(hasBias ? n : 0),
        activationBytes: Self.floats(m * k + (addsToStream ? 2 : 1) * m * n))
    }
    if part == .residual {
      self.init(flops: Double(rows * c), activationBytes: 3 * values)
      return
    }
    switch phase {
    case .embedding:
      self.init(
        flops: Double(rows * c),
        streamedBytes: Embedding.tableBytes(rows: rows, channels: c, weights: weights),
        activationBytes: values)
    case .layerNorm:
      let rows = isInLayer ? rows : logitRows
      self.init(
        flops: LayerNorm.flops(rows: rows, channels: c), streamedBytes: LayerNorm.vectorBytes(channels: c),
        activationBytes: LayerNorm.bytes(rows: rows, channels: c) - LayerNorm.vectorBytes(channels: c))
    case .qkv: self = linear(m: rows, n: 3 * c, k: c)
    case .cacheStore:
      self.init(streamedBytes: 2 * cache.bytes(outputs: rows, inputs: c), activationBytes: 2 * values)
    case .attention:
      self = Self.attention(part, configuration, rows: rows, firstPosition: firstPosition, cache)
    case .projection: self = linear(m: rows, n: c, k: c, addsToStream: true)
    case .up:
      let hidden = configuration.hidden
      let product = linear(m: rows, n: hidden, k: c)
      self = part == .gelu ? PhaseWork(flops: GELU.flops(count: rows * hidden)) : product
    case .down: self = linear(m: rows, n: c, k: configuration.hidden, addsToStream: true)
    case .logits: self = linear(m: logitRows, n: configuration.vocabulary, k: c, hasBias: false)
    case .sampling: self.init(activationBytes: Self.floats(logitRows * configuration.vocabulary))
    default: self.init()
    }
  }

  /// One read or one write of the residual stream.
  public static func streamBytes(rows: Int, in configuration: Configuration) -> Double {
    floats(rows * configuration.channels)
  }

  private static func attention(
    _ part: Mark, _ configuration: Configuration, rows: Int, firstPosition: Int, _ cache: WeightPrecision
  ) -> PhaseWork {
    let c = configuration.channels
    // The new positions' keys and values have just been stored: they are activations.
    let (cached, stored) = (
      cache.bytes(outputs: firstPosition, inputs: c), cache.bytes(outputs: rows, inputs: c)
    )
    let softmax = (
      flops: Softmax.flops(rows: rows, firstPosition: firstPosition, heads: configuration.heads),
      bytes: Softmax.bytes(rows: rows, firstPosition: firstPosition, heads: configuration.heads)
    )
    switch part {
    case .scores, .values:
      return PhaseWork(
        flops: Attention.flops(rows: rows, firstPosition: firstPosition, channels: c) / 2,
        streamedBytes: cached, activationBytes: floats(rows * c) + stored + softmax.bytes / 2)
    case .softmax: return PhaseWork(flops: softmax.flops, activationBytes: softmax.bytes)
    default: return PhaseWork()
    }
  }

  private static func floats(_ count: Int) -> Double { 4 * Double(count) }
}
