import GPT2Kernels
import GPT2Model

/// The intermediate values of a forward pass over `capacity` rows.
struct Activations: ~Copyable {
  let capacity: Int
  /// (capacity, channels): the residual stream.
  let residual: FloatBuffer
  /// (capacity, channels): normalised rows, then what a block adds to the stream.
  let block: FloatBuffer
  /// (capacity, 3 · channels): queries, keys, values.
  let qkv: FloatBuffer
  /// (capacity, channels): heads' outputs side by side.
  let attended: FloatBuffer
  /// (capacity, 4 · channels)
  let hidden: FloatBuffer

  init(capacity: Int, configuration: Configuration) throws(EngineError) {
    let channels = configuration.channels
    let residual = try makeBuffer(capacity * channels)
    let block = try makeBuffer(capacity * channels)
    let qkv = try makeBuffer(capacity * 3 * channels)
    let attended = try makeBuffer(capacity * channels)
    let hidden = try makeBuffer(capacity * configuration.hidden)
    self.capacity = capacity
    self.residual = residual
    self.block = block
    self.qkv = qkv
    self.attended = attended
    self.hidden = hidden
  }
}
