import GPT2Kernels

/// A step's logits as a sampler works on them: a copy in blocks of 64 whose largest are known, so that whoever looks
/// for the few large ones of fifty thousand passes nearly all blocks by.
struct ScannedLogits: Sendable {
  /// What `padded` is a multiple of.
  static let block = 64

  /// All values, filled up with −∞ to whole blocks.
  private(set) var padded: [Float] = []
  private var maxima: [Float] = []
  private(set) var count = 0

  /// Takes a step's logits in.
  /// - Parameter tokens: whose logits are penalised, each once however often it is among them.
  /// - Throws: `EngineError.nonFiniteLogit`.
  mutating func load(
    _ logits: UnsafeBufferPointer<Float>, position: Int, penalising tokens: [Int], by penalty: Float
  ) throws(EngineError) {
    if count != logits.count {
      count = logits.count
      let blocks = (count + Self.block - 1) / Self.block
      padded = [Float](repeating: -.infinity, count: blocks * Self.block)
      maxima = [Float](repeating: -.infinity, count: blocks)
    }
    let areFinite = padded.withUnsafeMutableBufferPointer { copy in
      let areFinite = Self.copy(logits, to: copy.baseAddress!)
      if penalty != 1 {
        for token in tokens {
          precondition(logits.indices.contains(token), "token \(token) of \(logits.count) logits")
          // From the original: a token that comes again is not penalised again.
          copy[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty
        }
      }
      for index in maxima.indices { maxima[index] = Self.largest(copy.baseAddress! + index * Self.block) }
      return areFinite
    }
    try EngineError.unless(areFinite, logits, position: position)
  }

  /// - Returns: whether all are finite.
  private static func copy(
    _ logits: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<Float>
  ) -> Bool {
    let whole = logits.count / 16 * 16
    var watch = FiniteWatch()
    for start in stride(from: 0, to: whole, by: 16) {
      let some = UnsafeRawPointer(logits.baseAddress! + start).loadUnaligned(as: SIMD16<Float>.self)
      UnsafeMutableRawPointer(target + start).storeBytes(of: some, as: SIMD16<Float>.self)
      watch.see(some)
    }
    for id in whole..<logits.count {
      target[id] = logits[id]
      watch.see(logits[id])
    }
    return watch.sawOnlyFinite
  }

  /// Of a block.
  @inline(__always)
  private static func largest(_ values: UnsafePointer<Float>) -> Float {
    var largest = SIMD16<Float>(repeating: -.infinity)
    for offset in stride(from: 0, to: block, by: 16) {
      let some = UnsafeRawPointer(values + offset).loadUnaligned(as: SIMD16<Float>.self)
      largest.replace(with: some, where: some .> largest)
    }
    return largest.max()
  }

  /// −∞ where there is nothing else.
  var largest: Float { maxima.max() ?? -.infinity }

  /// The lowest id with this logit, one of those that were loaded.
  func firstID(of logit: Float) -> Int {
    guard let block = maxima.firstIndex(where: { $0 >= logit }),
      let id = padded[block * Self.block..<min((block + 1) * Self.block, count)].firstIndex(of: logit)
    else { preconditionFailure("no logit is \(logit)") }
    return id
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
