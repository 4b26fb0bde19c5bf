import GPT2Kernels

/// A step's logits as a sampler works on them: a copy without NaN, in blocks of 64 whose largest are known, so that
/// whoever looks for the few large ones of fifty thousand passes nearly all blocks by.
struct ScannedLogits: Sendable {
  /// What `padded` is a multiple of.
  static let block = 64

  /// All values, filled up with −∞ to whole blocks.
  private(set) var padded: [Float] = []
  private var maxima: [Float] = []
  private(set) var count = 0

  /// Takes a step's logits in; a NaN becomes −∞, which is never drawn.
  /// - Parameter tokens: whose logits are penalised, each once however often it is among them.
  mutating func load(_ logits: UnsafeBufferPointer<Float>, penalising tokens: [Int], by penalty: Float) {
    if count != logits.count {
      count = logits.count
      let blocks = (count + Self.block - 1) / Self.block
      padded = [Float](repeating: -.infinity, count: blocks * Self.block)
      maxima = [Float](repeating: -.infinity, count: blocks)
    }
    padded.withUnsafeMutableBufferPointer { copy in
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
      padded[block * Self.block..<min((block + 1) * Self.block, count)].firstIndex(of: logit)
    }
  }

  /// Hands over ids and logits above a limit that the receiver may raise, ids in order.
  @inline(__always)
  func forEach(above limit: inout Float, _ body: (Int, Float, inout Float) -> Void) {
    padded.withUnsafeBufferPointer { values in
      for block in maxima.indices where maxima[block] > limit {
        for id in block * Self.block..<min((block + 1) * Self.block, count) where values[id] > limit {
          body(id, values[id], &limit)
        }
      }
    }
  }
}

/// e^((logit − largest) / temperature) for every token, for a draw from all of them. The powers are float32; they are
/// summed in blocks, and the blocks' sums in double, so that the sum of fifty thousand has no say in the choice.
struct SoftmaxNumerators: Sendable {
  /// (vocabulary), filled up with 0.
  private var values: [Float] = []
  /// Of each block of `ScannedLogits.block` values.
  private var sums: [Double] = []
  private(set) var total = 0.0

  subscript(id: Int) -> Double { Double(values[id]) }

  /// - Parameters:
  ///   - largest: finite.
  ///   - temperature: above 0.
  mutating func fill(_ logits: ScannedLogits, largest: Float, temperature: Float) {
    let block = ScannedLogits.block
    if values.count != logits.padded.count {
      values = logits.padded
      sums = [Double](repeating: 0, count: values.count / block)
    }
    // A scale of ∞ would make NaN of the largest's 0.
    let scale = min(1 / temperature, .greatestFiniteMagnitude)
    total = 0
    values.withUnsafeMutableBufferPointer { values in
      _ = values.update(fromContentsOf: logits.padded)
      for index in sums.indices {
        let part = UnsafeMutableBufferPointer(rebasing: values[index * block..<(index + 1) * block])
        sums[index] = Double(exponentials(part, shift: largest, scale: scale))
        total += sums[index]
      }
    }
  }

  /// The token at this share of the total, tokens in the order of their ids.
  /// - Parameter share: in 0..<1.
  func draw(_ share: Double) -> Int {
    var left = share * total
    var last = 0
    for (index, sum) in sums.enumerated() where sum > 0 {
      let ids = index * ScannedLogits.block..<(index + 1) * ScannedLogits.block
      guard left < sum else {
        left -= sum
        last = ids.upperBound - 1
        continue
      }
      for id in ids where values[id] > 0 {
        left -= Double(values[id])
        last = id
        if left < 0 { return id }
      }
      // The block's sum was rounded up: its last token.
      return last
    }
    return values[...last].lastIndex { $0 > 0 } ?? last
  }
}
