/// Midranks of values: 1 for the smallest, and equal values share the mean of the ranks that they span.
struct Ranks {
  /// Twice the midrank of each value, in the order given: always whole numbers.
  let doubled: [Int]
  /// Σ (t³ − t) over the groups of t equal values: what ties take from the variance of a rank statistic.
  let tieTerm: Double

  init(_ values: [Double]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var doubled = [Int](repeating: 0, count: values.count)
    var tieTerm = 0.0
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      // Ranks start + 1 to end share their mean.
      for place in start..<end { doubled[order[place]] = start + 1 + end }
      let size = Double(end - start)
      tieTerm += size * size * size - size
      start = end
    }
    self.doubled = doubled
    self.tieTerm = tieTerm
  }

  var hasTies: Bool { tieTerm > 0 }
}
