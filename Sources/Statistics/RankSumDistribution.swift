/// The exact distribution of the sum of the ranks of `chosen` values out of all, every choice as likely.
///
/// By dynamic programming over the values in the order of their ranks: of n − i values left, the next is
/// chosen with probability (chosen − c)/(n − i) where c are chosen already. Only products and sums of what is
/// positive, so no digit cancels.
struct RankSumDistribution {
  /// Most steps of the program; above, a normal approximation serves as well.
  private static let affordableSteps = 30_000_000

  /// P(S = lowest + s·step), in doubled ranks, at index s.
  private let probabilities: [Double]
  private let step: Int
  private let lowest: Int

  /// Nil where the program would take more than `affordableSteps`.
  init?(ranks: Ranks, chosen: Int) {
    let count = ranks.doubled.count
    // Without ties every doubled rank is even.
    let step = ranks.hasTies ? 1 : 2
    let sorted = ranks.doubled.sorted()
    let first = sorted[0]
    // Ranks above the lowest: the sums then start from 0.
    let offsets = sorted.map { ($0 - first) / step }
    let highest = offsets.suffix(chosen).reduce(0, +)
    let (cells, overflow) = (highest + 1).multipliedReportingOverflow(by: chosen + 1)
    guard !overflow, cells <= Self.affordableSteps / count else { return nil }
    self.step = step
    lowest = first * chosen
    let width = highest + 1
    var table = [Double](repeating: 0, count: cells)
    table[0] = 1
    // The highest sum of c chosen so far.
    var reach = [Int](repeating: 0, count: chosen + 1)
    table.withUnsafeMutableBufferPointer { table in
      for (index, offset) in offsets.enumerated() {
        let left = Double(count - index)
        for taken in stride(from: min(index + 1, chosen), through: 0, by: -1) {
          let stays = 1 - Double(chosen - taken) / left
          let row = taken * width
          for sum in 0...reach[taken] { table[row + sum] *= stays }
          guard taken > 0 else { continue }
          let joins = Double(chosen - taken + 1) / left
          let source = row - width
          for sum in 0...reach[taken - 1] { table[row + sum + offset] += joins * table[source + sum] }
          reach[taken] = max(reach[taken], reach[taken - 1] + offset)
        }
      }
    }
    probabilities = Array(table[(chosen * width)...])
  }

  /// Twice the smaller of P(S ≤ sum) and P(S ≥ sum), at most 1.
  func pValue(of doubledSum: Int) -> Double {
    let index = (doubledSum - lowest) / step
    let below = probabilities[...index].reduce(0, +)
    let above = probabilities[index...].reduce(0, +)
    return min(1, 2 * min(below, above))
  }
}
