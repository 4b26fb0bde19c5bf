/// The lower end of the exact distribution of a sum of ranks of which each is in or out with probability ½.
///
/// By dynamic programming over the ranks, counting the choices that give each sum: only sums of what is
/// positive, so no digit cancels, and the counts of up to 53 ranks are exact. Only sums up to the one asked
/// for are kept; a small p-value therefore costs little.
struct SignedRankDistribution {
  /// Choices of ranks with sum s at index s.
  private let choices: [Double]
  /// What one choice weighs: 2⁻ⁿ.
  private let weight: Double

  /// Of n ranks without ties, 1...n: P(W = s) for s in 0...limit.
  init(count: Int, upTo limit: Int) {
    self.init(ranks: stride(from: 1, through: count, by: 1), upTo: limit)
  }

  /// - Parameter ranks: positive, no more than 1000 of them: their choices are below the largest `Double`.
  init(ranks: some Sequence<Int>, upTo limit: Int) {
    var choices = [Double](repeating: 0, count: limit + 1)
    var weight = 1.0
    choices[0] = 1
    choices.withUnsafeMutableBytes { choices in
      var highest = 0
      for rank in ranks {
        highest = min(highest + rank, limit)
        weight *= 0.5
        Self.add(rank, upTo: highest, choices)
      }
    }
    self.choices = choices
    self.weight = weight
  }

  /// P(W ≤ limit).
  var total: Double { choices.reduce(0, +) * weight }

  /// The largest s with P(W ≤ s) ≤ `tail`, among the sums kept; nil where even P(W ≤ 0) is above it.
  func largestSum(within tail: Double) -> Int? {
    var cumulative = 0.0
    for (sum, count) in choices.enumerated() {
      cumulative += count
      if cumulative * weight > tail { return sum == 0 ? nil : sum - 1 }
    }
    return choices.count - 1
  }

  /// choices[s] += choices[s − rank] for s from `highest` down to `rank`: downwards, so that what is read is
  /// the count without this rank. Eight at a time, as the power of a comparison takes thousands of
  /// distributions.
  private static func add(_ rank: Int, upTo highest: Int, _ choices: UnsafeMutableRawBufferPointer) {
    let size = MemoryLayout<Double>.stride
    var end = highest + 1
    while end - 8 >= rank {
      end -= 8
      let old = choices.loadUnaligned(fromByteOffset: end * size, as: SIMD8<Double>.self)
      let joined = choices.loadUnaligned(fromByteOffset: (end - rank) * size, as: SIMD8<Double>.self)
      choices.storeBytes(of: old + joined, toByteOffset: end * size, as: SIMD8<Double>.self)
    }
    let counts = choices.assumingMemoryBound(to: Double.self)
    for sum in stride(from: end - 1, through: rank, by: -1) { counts[sum] += counts[sum - rank] }
  }
}
