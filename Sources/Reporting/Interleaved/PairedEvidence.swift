import Foundation
import Statistics

/// What a row's log-ratios say, a block each.
struct PairedEvidence: Sendable {
  /// exp of the median; the interval is as wide, on either side, as the wider of two: the percentile bootstrap of the
  /// median, and Hodges and Lehmann's, which goes with Wilcoxon's test and is exact for few values. Nil for no values;
  /// no interval for too few.
  let ratio: Figure?
  /// Wilcoxon's signed-rank test, two-sided.
  let pValue: Double?

  init(_ logarithms: [Double], confidence: Double) {
    pValue = SignedRank(logarithms)?.pValue
    guard let center = median(logarithms) else {
      ratio = nil
      return
    }
    let bootstrap = Bootstrap(confidence: confidence).median(logarithms)?.interval
    let exact = HodgesLehmann.estimate(logarithms, confidence: confidence)?.interval
    guard let bootstrap, let exact else {
      ratio = Figure(value: exp(center))
      return
    }
    ratio = Figure(
      value: exp(center),
      interval: Interval(
        lower: exp(min(bootstrap.lower, exact.lower)), upper: exp(max(bootstrap.upper, exact.upper))))
  }

  /// How far the interval reaches from 1, as a share: the change t that leaves 1 − t or 1 / (1 − t).
  var farthest: Double? {
    ratio?.interval.map { max(1 - $0.lower, 1 - 1 / $0.upper, 0) }
  }
}
