/// A step's logits as a sampler works on them: a copy without NaN, in blocks of 64 whose largest are known, so that whoever
/// looks for the few large ones of fifty thousand passes nearly all blocks by.
struct ScannedLogits: Sendable {
  /// What `padded` is a multiple of.
  static let block = 64

  /// Filled up to whole blocks with −∞.
  private var values: [Float] = []
  private var maxima: [Float] = []
  private(set) var count = 0

  /// Takes a step's logits in; a NaN becomes −∞, which is never drawn.
  ///
  /// - Parameters:
  ///   - tokens: whose logits are penalised, each once however often it is among them.
  ///   - penalty: as in `SamplingParameters`.
  mutating func load(_ logits: UnsafeBufferPointer<Float>, penalising tokens: [Int], by penalty: Float) {
    if count != logits.count {
      count = logits.count
      let blocks = (count + Self.block - 1) / Self.block
      values = [Float](repeating: -.infinity, count: blocks * Self.block)
      maxima = [Float](repeating: -.infinity, count: blocks)
    }
    values.withUnsafeMutableBufferPointer { copy in
      _ = copy.update(fromContentsOf: logits)
      if penalty != 1 {
        for token in tokens {
          precondition(logits.indices.contains(token), "token \(token) of \(logits.count) logits")
          // From the original: a token that comes again is not penalised again.
          copy[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty
        }
      }
      for index in maxima.indices { maxima[index] = Self.clean(copy.baseAddress! + index * Self.block) }
    }
  }

  /// Replaces each NaN of a block by −∞.
  ///
  /// - Returns: the block's largest value.
  @inline(__always)
  private static func clean(_ values: UnsafeMutablePointer<Float>) -> Float {
    let lowest = SIMD16<Float>(repeating: -.infinity)
    var largest = lowest
    for offset in stride(from: 0, to: block, by: 16) {
      let address = UnsafeMutableRawPointer(values + offset)
      var some = address.loadUnaligned(as: SIMD16<Float>.self)
      some.replace(with: lowest, where: some .!= some)
      address.storeBytes(of: some, as: SIMD16<Float>.self)
      largest.replace(with: some, where: some .> largest)
    }
    return largest.max()
  }

  /// −∞ where there is nothing else.
  var largest: Float { maxima.max() ?? -.infinity }

  /// The lowest id with this logit.
  func firstID(of logit: Float) -> Int? {
    maxima.firstIndex { $0 >= logit }.flatMap { block in
      values[block * Self.block..<min((block + 1) * Self.block, count)].firstIndex(of: logit)
    }
  }

  /// Hands over ids and logits above a limit that the receiver may raise, ids in order.
  @inline(__always)
  func forEach(above limit: inout Float, _ body: (Int, Float, inout Float) -> Void) {
    values.withUnsafeBufferPointer { values in
      for block in maxima.indices where maxima[block] > limit {
        for id in block * Self.block..<min((block + 1) * Self.block, count) where values[id] > limit {
          body(id, values[id], &limit)
        }
      }
    }
  }

  /// All values, filled up with −∞ to whole blocks.
  var padded: [Float] { values }
}
