import GPT2Kernels

/// e^((logit − largest) / temperature) for every token, for a draw from all of them.
///
/// The powers are float32; they are summed in blocks, and the blocks' sums in double, so that the sum of fifty thousand
/// has no say in the choice.
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
  ///
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
