/// The lower end of the exact distribution of a sum of ranks of which each is in or out with probability ½.
///
/// By dynamic programming over the ranks, in probabilities: each step halves and adds what is positive, so no
/// digit cancels, and the terms of up to 53 ranks are exact. Only sums up to the one asked for are kept; a
/// small p-value therefore costs little.
struct SignedRankDistribution {
  /// P(W = s) at index s.
  private let probabilities: [Double]

  /// Of n ranks without ties, 1...n: P(W = s) for s in 0...limit.
  init(count: Int, upTo limit: Int) {
    self.init(ranks: stride(from: 1, through: count, by: 1), upTo: limit)
  }

  /// - Parameter ranks: positive.
  init(ranks: some Sequence<Int>, upTo limit: Int) {
    var table = [Double](repeating: 0, count: limit + 1)
    table[0] = 1
    var highest = 0
    table.withUnsafeMutableBufferPointer { table in
      for rank in ranks {
        highest = min(highest + rank, limit)
        for sum in stride(from: highest, through: rank, by: -1) {
          table[sum] = 0.5 * (table[sum] + table[sum - rank])
        }
        for sum in 0..<min(rank, highest + 1) { table[sum] *= 0.5 }
      }
    }
    probabilities = table
  }

  /// P(W ≤ limit).
  var total: Double { probabilities.reduce(0, +) }

  /// The largest s with P(W ≤ s) ≤ `tail`, among the sums kept; nil where even P(W ≤ 0) is above it.
  func largestSum(within tail: Double) -> Int? {
    var cumulative = 0.0
    for (sum, probability) in probabilities.enumerated() {
      cumulative += probability
      if cumulative > tail { return sum == 0 ? nil : sum - 1 }
    }
    return probabilities.count - 1
  }
}
