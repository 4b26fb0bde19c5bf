/// The new tokens that a variant chose.
struct VariantOutput {
  let variant: String
  /// Precision of the weights.
  let weights: String
  var ids: [Int] = []
}

/// Whether other variants gave the first one's tokens.
struct IDComparison {
  /// A line for each other variant, and what there is to know.
  let lines: [String]
  /// Whether tokens differ that must not: the largest logits' of the same weights.
  let hasFailed: Bool

  /// - Parameters:
  ///   - outputs: at least one.
  ///   - isDrawn: tokens were drawn at random: then a difference in a logit's last bit can choose another one.
  init(_ outputs: [VariantOutput], isDrawn: Bool) {
    let first = outputs[0]
    var lines: [String] = []
    var hasFailed = false
    for other in outputs.dropFirst() {
      guard let place = Self.parting(first.ids, other.ids) else {
        lines.append("\(other.variant): ids equal to \(first.variant)'s")
        continue
      }
      lines.append("\(other.variant): ids part from \(first.variant)'s at new token \(place + 1)")
      if !isDrawn, other.weights == first.weights { hasFailed = true }
    }
    if outputs.count == 1 {
      lines.append("\(first.variant): no other variant to compare its ids with")
    } else if isDrawn {
      lines.append("drawn at random: a rounding in a logit can draw another token, so ids may part")
    }
    self.lines = lines
    self.hasFailed = hasFailed
  }

  /// The first index at which two differ or one ends; nil where they are equal.
  private static func parting(_ left: [Int], _ right: [Int]) -> Int? {
    if let index = zip(left, right).enumerated().first(where: { $1.0 != $1.1 })?.offset { return index }
    return left.count == right.count ? nil : min(left.count, right.count)
  }
}
