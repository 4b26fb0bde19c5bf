import Foundation

/// The looks of a group-sequential comparison: the pair counts at which it may stop, and the error that each may
/// spend. Looks are at f, 3f/2, 2f, 3f, 4f, 6f, 8f, 12f, … pairs for a first look f, halves rounded up: 10, 15, 20,
/// 30, 40, 60, 80, 120, … for 10. The k-th look, k from 1, may spend α/2ᵏ; that sums to α over endlessly many looks.
/// By the union bound a procedure that stops at the first look whose valid p-value is at or below its share raises a
/// false alarm with probability at most α, whenever else it stops and however the looks depend on each other. Between
/// the looks nothing may be decided: looked at after every pair, a p-value falls below α sooner or later by chance.
public struct SequentialPlan: Sendable, Equatable {
  public let alpha: Double
  public let firstLook: Int

  /// - Parameters:
  ///   - alpha: the error of all looks together, between 0 and 1.
  ///   - firstLook: pairs, 2 or more.
  public init(alpha: Double = 0.05, firstLook: Int = 10) {
    precondition(alpha > 0 && alpha < 1, "alpha \(alpha) is not between 0 and 1")
    precondition(firstLook >= 2, "first look at \(firstLook) pairs, expected 2 or more")
    (self.alpha, self.firstLook) = (alpha, firstLook)
  }

  /// The index from 0 of the look at exactly `count` pairs; nil where there is none.
  public func look(at count: Int) -> Int? {
    lookReached(by: count).flatMap { self.count(look: $0) == count ? $0 : nil }
  }

  /// What look `look`, from 0, may spend.
  public func alpha(look: Int) -> Double { alpha / pow(2, Double(look + 1)) }

  /// The index from 0 of the last look that `count` pairs have reached; nil before the first.
  public func lookReached(by count: Int) -> Int? {
    guard count >= firstLook else { return nil }
    var doubled = firstLook
    var look = 0
    while doubled <= count / 2 {
      doubled *= 2
      look += 2
    }
    return count - doubled >= (doubled + 1) / 2 ? look + 1 : look
  }

  public func count(look: Int) -> Int {
    let doubled = firstLook << (look / 2)
    return look.isMultiple(of: 2) ? doubled : doubled + (doubled + 1) / 2
  }
}

/// Holm's adjusted p-values (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979), in the order
/// given: with p₁ ≤ … ≤ pₘ, the i-th is max over j ≤ i of (m − j + 1)·pⱼ, at most 1. Rejecting those at or below α
/// keeps the chance of any false rejection at or below α, whatever the dependence between the tests. A p-value that
/// is not a number proves nothing and counts as 1.
public func holm(_ pValues: [Double]) -> [Double] {
  let known = pValues.map { $0.isNaN ? 1 : $0 }
  var adjusted = known
  var largest = 0.0
  for (place, index) in known.indices.sorted(by: { known[$0] < known[$1] }).enumerated() {
    largest = max(largest, Double(known.count - place) * known[index])
    adjusted[index] = min(1, largest)
  }
  return adjusted
}
