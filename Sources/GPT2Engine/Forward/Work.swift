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
  public init(
    of configuration: Configuration, rows: Int, firstPosition: Int, sequences: Int = 1,
    logitRows: Int = 1
  ) {
    let c = configuration.channels
    let batch = Double(sequences)
    let layers = Double(configuration.layers)
    let matrices = 12 * Double(c) * Double(c)
    let linear = 2 * matrices * Double(rows) * batch
    let attention =
      Attention.flops(rows: rows, firstPosition: firstPosition, channels: c) * batch
    let logits =
      Linear.flops(m: logitRows, n: configuration.vocabulary, k: c) * batch
    flops = layers * (linear + attention) + logits
    let cached = 2 * Double(c) * Double(firstPosition + rows) * batch
    let vectors = 13 * Double(c)
    let embedding = Double(configuration.vocabulary) * Double(c)
    let embedded = 2 * Double(rows) * Double(c) * batch
    bytes = 4 * (layers * (matrices + vectors + cached) + embedding + embedded)
  }

  /// The keys and values of so many positions of each sequence.
  public static func cacheBytes(
    of configuration: Configuration, positions: Int, sequences: Int
  ) -> Double {
    8 * Double(configuration.layers) * Double(configuration.channels) * Double(positions) * Double(sequences)
  }

  /// One decoding step at a position: one row with a cache, the whole sequence again without one.
  public init(
    ofStepIn configuration: Configuration, decoding: Variant.Decoding, position: Int,
    sequences: Int = 1
  ) {
    switch decoding {
    case .cache:
      self.init(of: configuration, rows: 1, firstPosition: position, sequences: sequences)
    case .recompute:
      self.init(of: configuration, rows: position + 1, firstPosition: 0, sequences: sequences)
    }
  }
}
