import GPT2Kernels
import GPT2Model

/// Consecutive positions of one sequence that one pass computes, and their rows in the activations.
struct Chunk {
  let sequence: TokenSequence
  let firstPosition: Int
  let count: Int
  let firstRow: Int
}

extension Engine {
  /// What has to be computed for each sequence: all where the variant recomputes, else what is not cached.
  func chunks(of sequences: [TokenSequence]) throws(EngineError) -> [Chunk] {
    var chunks: [Chunk] = []
    var row = 0
    for sequence in sequences {
      precondition(sequence.configuration == configuration, "a sequence of another engine")
      let first = sequence.cachedCount
      let count = sequence.tokens.count - first
      guard count > 0 else { throw .emptyPrompt }
      chunks.append(Chunk(sequence: sequence, firstPosition: first, count: count, firstRow: row))
      row += count
    }
    return chunks
  }

  /// Brings every chunk's rows of the residual stream through all layers.
  func forward(_ chunks: [Chunk]) throws(EngineError) {
    let rows = chunks.reduce(0) { $0 + $1.count }
    if activations.capacity < rows {
      // Doubled, or a sequence recomputed for each token would be given new memory for each.
      let capacity = max(rows, min(2 * activations.capacity, configuration.context))
      activations = try Activations(capacity: capacity, configuration: configuration)
    }
    let scored = scratchCache == nil ? chunks.count : 1
    if scores.count < scored * scoreCount { scores = try makeBuffer(scored * scoreCount) }
    Probe.during(.embedding) { embed(chunks) }
    for (index, layer) in weights.layers.enumerated() {
      attentionBlock(layer, index, chunks, rows: rows)
      mlpBlock(layer, index, rows: rows)
    }
    for chunk in chunks where chunk.sequence.cache != nil {
      chunk.sequence.cachedCount = chunk.firstPosition + chunk.count
    }
  }

  /// residual[row] = token embedding + position embedding
  private func embed(_ chunks: [Chunk]) {
    let embedding = Embedding(
      tokens: weights.tokenEmbedding, positions: checkpoint.positionEmbedding.baseAddress!,
      channels: configuration.channels)
    for chunk in chunks {
      let new = chunk.firstPosition..<chunk.firstPosition + chunk.count
      embedding.run(
        chunk.sequence.tokens[new], firstPosition: chunk.firstPosition,
        to: activations.residual.base + chunk.firstRow * configuration.channels)
    }
  }

  /// residual += projection(attention(norm(residual)))
  private func attentionBlock(_ layer: PreparedWeights.Layer, _ index: Int, _ chunks: [Chunk], rows: Int) {
    let channels = configuration.channels
    let residual = MutableMatrix(activations.residual.base, rows: rows, columns: channels)
    let block = MutableMatrix(activations.block.base, rows: rows, columns: channels)
    let qkv = MutableMatrix(activations.qkv, rows: rows, columns: 3 * channels)
    let attended = MutableMatrix(activations.attended, rows: rows, columns: channels)
    norm(residual, layer.norm1Weight, layer.norm1Bias, to: block, layer: index)
    linear(.qkv, block, layer.qkv, layer.qkvBias, to: qkv, layer: index)
    // Where nothing is kept, all sequences use one cache in turns.
    let together = scratchCache == nil ? max(chunks.count, 1) : 1
    for first in stride(from: 0, to: chunks.count, by: together) {
      attend(chunks[first..<first + together], layer: index, qkv: qkv, attended: attended)
    }
    linear(
      .projection, attended, layer.projection, layer.projectionBias, to: block, .residual(residual),
      layer: index)
  }

  /// Attention of sequences with caches of their own: all new keys and values are stored before any is read.
  private func attend(_ chunks: ArraySlice<Chunk>, layer: Int, qkv: MutableMatrix, attended: MutableMatrix) {
    let (channels, heads, headSize) = (configuration.channels, configuration.heads, configuration.headSize)
    var stores: [CacheStore] = []
    var attentions: [Attention] = []
    for (index, chunk) in chunks.enumerated() {
      guard let cache = chunk.sequence.cache ?? scratchCache else {
        preconditionFailure("the sequence belongs to an engine that recomputes")
      }
      func part(_ index: Int) -> Matrix {
        let first = qkv.row(chunk.firstRow) + index * channels
        return Matrix(first, rows: chunk.count, columns: channels, stride: qkv.stride)
      }
      let cacheLayer = chunk.sequence.cache == nil ? 0 : layer
      let (keys, values) = (cache.keys(cacheLayer), cache.values(cacheLayer))
      stores.append(
        CacheStore(
          newKeys: part(1), newValues: part(2), keys: keys, values: values, heads: heads,
          headSize: headSize, capacity: cache.capacity, firstPosition: chunk.firstPosition))
      attentions.append(
        Attention(
          queries: part(0), keys: keys, values: values, heads: heads, headSize: headSize,
          capacity: cache.capacity, firstPosition: chunk.firstPosition,
          output: MutableMatrix(attended.row(chunk.firstRow), rows: chunk.count, columns: channels),
          scores: scores.base + index * scoreCount))
    }
    Probe.during(.cacheStore, layer: layer) { kernel.run(stores) }
    Probe.during(.attention, layer: layer) { kernel.run(attentions) }
  }

  /// residual += down(gelu(up(norm(residual))))
  private func mlpBlock(_ layer: PreparedWeights.Layer, _ index: Int, rows: Int) {
    let channels = configuration.channels
    let residual = MutableMatrix(activations.residual.base, rows: rows, columns: channels)
    let block = MutableMatrix(activations.block.base, rows: rows, columns: channels)
    let hidden = MutableMatrix(activations.hidden, rows: rows, columns: configuration.hidden)
    norm(residual, layer.norm2Weight, layer.norm2Bias, to: block, layer: index)
    linear(.up, block, layer.up, layer.upBias, to: hidden, .gelu, layer: index)
    linear(.down, hidden, layer.down, layer.downBias, to: block, .residual(residual), layer: index)
  }

  /// The final layer norm, in place, and the logits: (rows, vocabulary).
  func project(_ rows: UnsafeMutablePointer<Float>, to output: MutableMatrix) {
    let normal = MutableMatrix(rows, rows: output.rows, columns: configuration.channels)
    norm(normal, weights.finalNormWeight, weights.finalNormBias, to: normal)
    linear(.logits, normal, weights.output, nil, to: output)
  }

  private func norm(
    _ input: MutableMatrix, _ weight: Vector, _ bias: Vector, to output: MutableMatrix, layer: Int? = nil
  ) {
    Probe.during(.layerNorm, layer: layer) {
      kernel.run(
        LayerNorm(
          input: input.readOnly, weight: weight, bias: bias, epsilon: configuration.layerNormEpsilon,
          output: output))
    }
  }

  private func linear(
    _ phase: Phase, _ input: MutableMatrix, _ weight: Weight, _ bias: Vector?, to output: MutableMatrix,
    _ epilogue: Linear.Epilogue = .none, layer: Int? = nil
  ) {
    Probe.during(phase, layer: layer) {
      kernel.run(
        Linear(input: input.readOnly, weight: weight, bias: bias, output: output, epilogue: epilogue))
    }
  }
}

/// The first step of a pass: out[i] = vector of token ids[i] + vector of position first + i, for every variant.
public struct Embedding {
  /// (vocabulary, channels), in any layout.
  let tokens: Weight
  /// (context, channels)
  let positions: UnsafePointer<Float>
  let channels: Int

  /// - Parameter out: (ids, channels)
  func run(_ ids: ArraySlice<Int>, firstPosition: Int, to out: UnsafeMutablePointer<Float>) {
    var place = positions + firstPosition * channels
    var row = out
    for id in ids {
      tokens.read(id, to: row)
      for c in 0..<channels { row[c] += place[c] }
      place += channels
      row += channels
    }
  }

  /// One a value.
  public static func flops(rows: Int, channels: Int) -> Double { Double(rows) * Double(channels) }

  /// Of each row a token's vector and a position's read once, their sum written once.
  public static func bytes(rows: Int, channels: Int, weights: WeightPrecision = .f32) -> Double {
    tableBytes(rows: rows, channels: channels, weights: weights) + 4 * Double(rows) * Double(channels)
  }

  /// Of `bytes`, the vectors, which lie anywhere in their tables; a position's is float32 whatever the tokens' are in.
  public static func tableBytes(rows: Int, channels: Int, weights: WeightPrecision = .f32) -> Double {
    weights.bytes(outputs: rows, inputs: channels) + 4 * Double(rows) * Double(channels)
  }
}

/// The intermediate values of a forward pass over `capacity` rows.
final class Activations {
  let capacity: Int
  /// (capacity, channels): the residual stream.
  let residual: FloatBuffer
  /// (capacity, channels): normalised rows, then what a block adds to the stream.
  let block: FloatBuffer
  /// What lives within attention, or within the MLP, never in both.
  private let shared: FloatBuffer
  private let channels: Int

  init(capacity: Int, configuration: Configuration) throws(EngineError) {
    self.capacity = capacity
    channels = configuration.channels
    residual = try makeBuffer(capacity * channels)
    block = try makeBuffer(capacity * channels)
    shared = try makeBuffer(capacity * max(4 * channels, configuration.hidden))
  }

  /// (capacity, 3 · channels): queries, keys, values.
  var qkv: UnsafeMutablePointer<Float> { shared.base }

  /// (capacity, channels): heads' outputs side by side.
  var attended: UnsafeMutablePointer<Float> { shared.base + capacity * 3 * channels }

  /// (capacity, 4 · channels), in the memory of `qkv` and `attended`.
  var hidden: UnsafeMutablePointer<Float> { shared.base }
}
