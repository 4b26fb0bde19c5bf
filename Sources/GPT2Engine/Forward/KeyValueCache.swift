import GPT2Kernels
import GPT2Model

/// Keys and values of one sequence: for each layer the keys of all heads and then their values, as the kernel that
/// reads them wants them.
struct KeyValueCache: ~Copyable {
  /// Positions there is room for.
  let capacity: Int

  private let keyCount: Int
  private let valueCount: Int
  private let storage: FloatBuffer

  init(layers: Int, configuration: Configuration, layout: CacheLayout) throws(EngineError) {
    let (heads, headSize) = (configuration.heads, configuration.headSize)
    capacity = configuration.context
    keyCount = heads * layout.keyStride(capacity: capacity, headSize: headSize)
    valueCount = heads * layout.valueStride(capacity: capacity, headSize: headSize)
    storage = try makeBuffer(layers * (keyCount + valueCount))
  }

  func keys(_ layer: Int) -> UnsafeMutablePointer<Float> {
    storage.base + layer * (keyCount + valueCount)
  }

  func values(_ layer: Int) -> UnsafeMutablePointer<Float> { keys(layer) + keyCount }
}
