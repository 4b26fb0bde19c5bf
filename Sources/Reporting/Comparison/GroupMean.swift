import Statistics

/// The geometric mean of the ratios of a group of rows.
struct GroupMean: Sendable, Equatable {
  let metric: Metric
  /// Nil for the rows of every variant.
  let variant: String?
  /// Above 1 where the head is better.
  let ratio: Double
  /// Rows with a ratio.
  let count: Int
}

extension Comparison {
  /// Metric by metric in the metrics' order: of all rows, then of each variant where there are several.
  var groupMeans: [GroupMean] {
    Metric.compared.flatMap { metric in
      let own = rows.filter { $0.metric == metric && $0.ratio != nil }
      let variants = own.map(\.contestant.variant).uniqued()
      let groups: [String?] = [nil] + (variants.count > 1 ? variants : [])
      return groups.compactMap { variant -> GroupMean? in
        let ratios = own.filter { variant == nil || $0.contestant.variant == variant }.compactMap(
          \.ratio?.value)
        return geometricMean(ratios).map {
          GroupMean(metric: metric, variant: variant, ratio: $0, count: ratios.count)
        }
      }
    }
  }
}
