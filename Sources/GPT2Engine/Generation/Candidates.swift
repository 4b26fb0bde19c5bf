import Foundation
import Statistics

/// The tokens that a cut has left, in the order of their ids.
struct Candidates: Sendable {
  private struct Candidate {
    /// The likelier one's is larger, and of equals the lower id's: the logit in the upper half, as a number that has
    /// its order, and the id, counted downwards, in the lower. One comparison and no branch.
    let rank: UInt64
    var weight = 0.0

    init(id: Int, logit: Float) {
      // −0 becomes 0, its equal.
      let bits = (logit + 0).bitPattern
      let ordered = bits & Self.sign == 0 ? bits | Self.sign : ~bits
      rank = UInt64(ordered) << 32 | UInt64(UInt32.max - UInt32(id))
    }

    private static let sign: UInt32 = 1 << 31

    var id: Int { Int(UInt32.max - UInt32(truncatingIfNeeded: rank)) }

    var logit: Float {
      let ordered = UInt32(rank >> 32)
      return Float(bitPattern: ordered & Self.sign == 0 ? ~ordered : ordered ^ Self.sign)
    }
  }

  private var members: [Candidate] = []
  /// Where selecting moves them about.
  private var moved: [Candidate] = []

  /// Takes the k most likely tokens, the lowest ids among equals.
  mutating func gather(_ logits: ScannedLogits, mostLikely k: Int) {
    members.removeAll(keepingCapacity: true)
    let k = min(k, logits.count)
    // Selected anew whenever as many again have come in: linear in all.
    let enough = 2 * k + 64
    var limit = -Float.infinity
    logits.forEach(above: &limit) { id, logit, limit in
      members.append(Candidate(id: id, logit: logit))
      if members.count == enough { limit = keepFirst(reaching: Double(k)) { _ in 1 } }
    }
    if members.count > k { _ = keepFirst(reaching: Double(k)) { _ in 1 } }
  }

  mutating func gather(_ logits: ScannedLogits, above limit: Float) {
    members.removeAll(keepingCapacity: true)
    var limit = limit
    logits.forEach(above: &limit) { id, logit, _ in members.append(Candidate(id: id, logit: logit)) }
  }

  /// Sets each weight to e^((logit − largest) / temperature).
  mutating func weigh(largest: Float, temperature: Float) {
    for index in members.indices {
      let distance = Double(members[index].logit) - Double(largest)
      members[index].weight = exp(distance / Double(temperature))
    }
  }

  mutating func weigh(_ numerators: SoftmaxNumerators) {
    for index in members.indices { members[index].weight = numerators[members[index].id] }
  }

  var totalWeight: Double { members.reduce(0) { $0 + $1.weight } }

  /// Keeps the fewest most likely ones whose weights reach a sum.
  mutating func keepNucleus(_ sum: Double) { _ = keepFirst(reaching: sum, \.weight) }

  mutating func keep(weightsOfAtLeast least: Double) { members.removeAll { $0.weight < least } }

  /// The id at this share of the total weight.
  /// - Parameter share: in 0..<1.
  func draw(_ share: Double) -> Int? {
    var left = share * totalWeight
    for member in members where member.weight > 0 {
      left -= member.weight
      if left < 0 { return member.id }
    }
    return members.last { $0.weight > 0 }?.id
  }

  /// Keeps the fewest of the highest ranks whose masses reach `target`. By selection (Hoare's Find, 1961) with pivots
  /// at random places, so that the time is linear whatever the logits.
  /// - Returns: the last one's logit.
  @inline(__always)
  private mutating func keepFirst(reaching target: Double, _ mass: (Candidate) -> Double) -> Float {
    moved.removeAll(keepingCapacity: true)
    moved += members
    let last = moved.withUnsafeMutableBufferPointer { moved in
      var random = SplitMix64(seed: 1)
      var (low, high) = (0, moved.count)
      var reached = 0.0
      while high - low > 1 {
        moved.swapAt(low + Int(random.next() % UInt64(high - low)), high - 1)
        let pivot = moved[high - 1]
        var (boundary, ahead) = (low, 0.0)
        // Both sides take each member, so that no branch depends on it: which side it belongs to is anybody's guess.
        for index in low..<high - 1 {
          let member = moved[index]
          let isAhead = member.rank > pivot.rank
          moved[index] = moved[boundary]
          moved[boundary] = member
          ahead += isAhead ? mass(member) : 0
          boundary += isAhead ? 1 : 0
        }
        if reached + ahead >= target {
          high = boundary
          continue
        }
        reached += ahead + mass(pivot)
        if reached >= target { return pivot }
        moved.swapAt(boundary, high - 1)
        low = boundary + 1
      }
      // Where rounding left nothing of a range, what comes before it is the last.
      return moved[low < high ? low : max(low - 1, 0)]
    }
    members.removeAll { $0.rank < last.rank }
    return last.logit
  }
}
