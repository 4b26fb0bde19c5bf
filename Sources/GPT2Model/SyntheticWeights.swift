import Foundation

/// Weights made from integers and plain float32 arithmetic, the same bits on every machine. Element `i` (row-major) of
/// tensor `t` (its number in `Configuration.parameters`) takes `h = splitmix64(t · 2⁴⁰ + i)` and the sum `s` of h's
/// four 16-bit fields minus 131,070: close to normal, with mean 0 and standard deviation 37,837. Its value is
/// `float32(s) · scale`, and one more for a layer norm's weight; `scale = float32(deviation / 37837)`. Deviations:
/// embeddings and biases 0.02, linear weights 1/√in, so that each block moves the residual stream and the next token
/// depends on the whole context, layer norm weights 0.1 and biases 0.02. splitmix64: Steele, Lea, Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014, doi 10.1145/2660193.2660195.
enum SyntheticWeights {
  /// Part of a cached file's name; raised whenever a bit of the weights would change.
  static let version = 1

  static func fill(_ destination: UnsafeMutableBufferPointer<Float>, tensor: Int, _ parameter: Parameter) {
    let scale = Float(deviation(of: parameter) / 37837)
    let center: Float = parameter.role == .normWeight ? 1 : 0
    let first = UInt64(tensor) << 40
    nonisolated(unsafe) let values = destination
    inParallel(destination.count, by: 1 << 18) { elements in
      for i in elements {
        let h = splitmix64(first &+ UInt64(i))
        let fields = (h & 0xFFFF) &+ ((h >> 16) & 0xFFFF) &+ ((h >> 32) & 0xFFFF) &+ (h >> 48)
        let centered = Int32(truncatingIfNeeded: fields) &- 131_070
        values[i] = center + Float(centered) * scale
      }
    }
  }

  private static func deviation(of parameter: Parameter) -> Double {
    switch parameter.role {
    case .linearWeight: 1 / Double(parameter.shape[0]).squareRoot()
    case .normWeight: 0.1
    case .tokenEmbedding, .positionEmbedding, .bias, .outputEmbedding: 0.02
    }
  }

  @inline(__always)
  private static func splitmix64(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Checkpoint {
  /// Opens a synthetic model, generating it into `cacheFolder` first where it is not there yet. Where nothing
  /// may be written to that folder the weights exist in this process's memory only.
  public convenience init(
    synthetic configuration: Configuration, name: String, cacheFolder: String
  ) throws(ModelError) {
    let c = configuration
    let file =
      "\(cacheFolder)/synthetic-\(c.layers)-\(c.heads)-\(c.channels)-\(c.vocabulary)-\(c.context)"
      + ".v\(SyntheticWeights.version).safetensors"
    if !FileManager.default.fileExists(atPath: file) {
      guard access(cacheFolder, W_OK) == 0 else {
        try self.init(inMemory: configuration, name: name)
        return
      }
      let metadata = ["generator": "\(SyntheticWeights.version)", "n_head": "\(c.heads)"]
      let parameters = c.parameters
      try SafetensorsWriter.write(c, metadata: metadata, to: file) { values, index in
        SyntheticWeights.fill(values, tensor: index, parameters[index])
      }
    }
    try self.init(SafetensorsContents(file: file), configuration: configuration, name: name)
  }

  /// A synthetic model in this process's memory.
  public convenience init(inMemory configuration: Configuration, name: String) throws(ModelError) {
    let parameters = configuration.parameters
    try self.init(inMemory: configuration, name: name) {
      SyntheticWeights.fill($0, tensor: $1, parameters[$1])
    }
  }
}
