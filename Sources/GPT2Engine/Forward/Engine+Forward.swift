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
  /// What has to be computed for each sequence: everything where the variant recomputes, otherwise what is not
  /// cached yet.
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
  private func attentionBlock(
    _ layer: PreparedWeights.Layer, _ index: Int, _ chunks: [Chunk], rows: Int
  ) {
    let channels = configuration.channels
    let residual = MutableMatrix(activations.residual.base, rows: rows, columns: channels)
    let block = MutableMatrix(activations.block.base, rows: rows, columns: channels)
    let qkv = MutableMatrix(activations.qkv, rows: rows, columns: 3 * channels)
    let attended = MutableMatrix(activations.attended, rows: rows, columns: channels)
    Probe.during(.layerNorm, layer: index) {
      kernel.run(
        LayerNorm(
          input: residual.readOnly, weight: layer.norm1Weight, bias: layer.norm1Bias,
          epsilon: configuration.layerNormEpsilon, output: block))
    }
    Probe.during(.qkv, layer: index) {
      kernel.run(Linear(input: block.readOnly, weight: layer.qkv, bias: layer.qkvBias, output: qkv))
    }
    // Where nothing is kept, all sequences use one cache in turns.
    let together = scratchCache == nil ? max(chunks.count, 1) : 1
    for first in stride(from: 0, to: chunks.count, by: together) {
      attend(chunks[first..<first + together], index, qkv: qkv, attended: attended)
    }
    Probe.during(.projection, layer: index) {
      kernel.run(
        Linear(
          input: attended.readOnly, weight: layer.projection, bias: layer.projectionBias, output: block,
          epilogue: .residual(residual)))
    }
  }

  /// Attention of sequences that have caches of their own: the new keys and values of all are stored first, then read
  /// with all before them.
  private func attend(
    _ chunks: ArraySlice<Chunk>, _ layer: Int, qkv: MutableMatrix, attended: MutableMatrix
  ) {
    let shares = chunks.enumerated().map { index, chunk in
      AttentionShare(
        chunk, layer, qkv: qkv, attended: attended, scratch: scratchCache,
        scores: scores.base + index * scoreCount, configuration: configuration)
    }
    Probe.during(.cacheStore, layer: layer) { kernel.run(shares.map(\.store)) }
    Probe.during(.attention, layer: layer) { kernel.run(shares.map(\.attention)) }
  }

  /// residual += down(gelu(up(norm(residual))))
  private func mlpBlock(_ layer: PreparedWeights.Layer, _ index: Int, rows: Int) {
    let channels = configuration.channels
    let residual = MutableMatrix(activations.residual.base, rows: rows, columns: channels)
    let block = MutableMatrix(activations.block.base, rows: rows, columns: channels)
    let hidden = MutableMatrix(activations.hidden, rows: rows, columns: configuration.hidden)
    Probe.during(.layerNorm, layer: index) {
      kernel.run(
        LayerNorm(
          input: residual.readOnly, weight: layer.norm2Weight, bias: layer.norm2Bias,
          epsilon: configuration.layerNormEpsilon, output: block))
    }
    Probe.during(.up, layer: index) {
      kernel.run(
        Linear(
          input: block.readOnly, weight: layer.up, bias: layer.upBias, output: hidden, epilogue: .gelu))
    }
    Probe.during(.down, layer: index) {
      kernel.run(
        Linear(
          input: hidden.readOnly, weight: layer.down, bias: layer.downBias, output: block,
          epilogue: .residual(residual)))
    }
  }
}
