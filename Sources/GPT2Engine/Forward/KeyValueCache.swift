import GPT2Kernels
import GPT2Model

/// Keys and values of one sequence: for each layer (heads, capacity, headSize) of each, so that one head's
/// positions lie in a row.
struct KeyValueCache: ~Copyable {
  let heads: Int
  let headSize: Int
  /// Positions there is room for.
  let capacity: Int

  private let storage: FloatBuffer

  init(layers: Int, configuration: Configuration) throws(EngineError) {
    heads = configuration.heads
    headSize = configuration.headSize
    capacity = configuration.context
    storage = try makeBuffer(2 * layers * configuration.channels * configuration.context)
  }

  private var layerStride: Int { heads * capacity * headSize }

  func keys(_ layer: Int) -> UnsafeMutablePointer<Float> { storage.base + 2 * layer * layerStride }

  func values(_ layer: Int) -> UnsafeMutablePointer<Float> {
    storage.base + (2 * layer + 1) * layerStride
  }

  /// Takes keys and values from rows of (queries, keys, values), each `heads · headSize` wide.
  func store(_ rows: Matrix, layer: Int, firstPosition: Int) {
    let channels = heads * headSize
    let (keys, values) = (keys(layer), values(layer))
    for row in 0..<rows.rows {
      let source = rows.row(row) + channels
      for head in 0..<heads {
        let target = (head * capacity + firstPosition + row) * headSize
        (keys + target).update(from: source + head * headSize, count: headSize)
        (values + target).update(from: source + channels + head * headSize, count: headSize)
      }
    }
  }
}
