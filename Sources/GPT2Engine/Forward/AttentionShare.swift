import GPT2Kernels
import GPT2Model

/// One sequence's share of a layer's attention.
struct AttentionShare {
  let store: CacheStore
  let attention: Attention

  /// - Parameters:
  ///   - qkv: (rows, 3 · channels): queries, keys and values of all sequences' new positions.
  ///   - attended: (rows, channels)
  ///   - scratch: the cache of one layer where the engine recomputes.
  ///   - scores: (heads, context), of this sequence's own.
  init(
    _ chunk: Chunk, _ layer: Int, qkv: MutableMatrix, attended: MutableMatrix, scratch: CacheBox?,
    scores: UnsafeMutablePointer<Float>, configuration: Configuration
  ) {
    guard let box = chunk.sequence.cache ?? scratch else {
      preconditionFailure("the sequence belongs to an engine that recomputes")
    }
    let channels = configuration.channels
    let rows = qkv.row(chunk.firstRow)
    func part(_ index: Int) -> Matrix {
      Matrix(rows + index * channels, rows: chunk.count, columns: channels, stride: qkv.stride)
    }
    let cacheLayer = chunk.sequence.cache == nil ? 0 : layer
    let (keys, values) = (box.cache.keys(cacheLayer), box.cache.values(cacheLayer))
    store = CacheStore(
      newKeys: part(1), newValues: part(2), keys: keys, values: values, heads: configuration.heads,
      headSize: configuration.headSize, capacity: box.cache.capacity, firstPosition: chunk.firstPosition)
    attention = Attention(
      queries: part(0), keys: keys, values: values, heads: configuration.heads,
      headSize: configuration.headSize, capacity: box.cache.capacity, firstPosition: chunk.firstPosition,
      output: MutableMatrix(attended.row(chunk.firstRow), rows: chunk.count, columns: channels),
      scores: scores)
  }
}
