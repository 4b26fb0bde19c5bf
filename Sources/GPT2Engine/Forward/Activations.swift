import GPT2Kernels
import GPT2Model

/// The intermediate values of a forward pass over `capacity` rows.
struct Activations: ~Copyable {
  let capacity: Int
  /// (capacity, channels): the residual stream.
  let residual: FloatBuffer
  /// (capacity, channels): normalised rows, then what a block adds to the stream.
  let block: FloatBuffer
  /// What lives within attention, or within the MLP, never in both.
  private let shared: FloatBuffer
  private let channels: Int

  init(capacity: Int, configuration: Configuration) throws(EngineError) {
    let channels = configuration.channels
    let residual = try makeBuffer(capacity * channels)
    let block = try makeBuffer(capacity * channels)
    let shared = try makeBuffer(capacity * max(4 * channels, configuration.hidden))
    self.capacity = capacity
    self.channels = channels
    self.residual = residual
    self.block = block
    self.shared = shared
  }

  /// (capacity, 3 · channels): queries, keys, values.
  var qkv: UnsafeMutablePointer<Float> { shared.base }

  /// (capacity, channels): heads' outputs side by side.
  var attended: UnsafeMutablePointer<Float> { shared.base + capacity * 3 * channels }

  /// (capacity, 4 · channels), in the memory of `qkv` and `attended`.
  var hidden: UnsafeMutablePointer<Float> { shared.base }
}
