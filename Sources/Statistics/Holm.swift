/// Holm's adjusted p-values (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979), in the
/// order given: with p₁ ≤ … ≤ pₘ, the i-th is max over j ≤ i of (m − j + 1)·pⱼ, at most 1. Rejecting those at
/// or below α keeps the chance of any false rejection at or below α, whatever the dependence between the
/// tests.
///
/// A p-value that is not a number proves nothing and counts as 1.
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
