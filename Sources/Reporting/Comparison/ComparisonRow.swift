import Record

/// One metric of one contestant on one test, on both sides.
struct ComparisonRow: Sendable {
  let contestant: Contestant
  /// Nil for what belongs to the whole process.
  let test: Test?
  let metric: Metric
  /// The figure as `unit` has it; nil where there is none.
  var base: Double?
  var head: Double?
  var baseSamples = 0
  var headSamples = 0
  /// Above 1 where the head is faster or smaller.
  var ratio: Figure?
  /// Two-sided, of the test that the method uses; nil for what was not tested.
  var pValue: Double?
  /// `pValue` after Holm's correction for all tested rows of the comparison.
  var adjustedPValue: Double?
  /// The change, as a share, that this run or these runs show without any change of the program: of the
  /// interleaved comparison what base against base showed, of stored records what the machine's ceilings differed
  /// by between the runs and the samples within them.
  var noiseFloor: Double?
  /// The smallest change, as a share, that this run could have detected.
  var smallestDetectable: Double?
  /// Whether `base` and `head` are percent of the ceilings of their own run.
  var isShareOfCeiling = false
  /// The change, as a share, from which on it counts.
  var threshold: Double
  /// A change beyond this share, though it does not count, is not called unchanged; nil for the threshold itself.
  var tolerance: Double?
  var verdict: Verdict
  /// Why there is no firm verdict, or no comparison.
  var reason: String?
  /// Whether a second, independent measurement bore the verdict out; nil where there was none.
  var isConfirmed: Bool?
  /// Whether the row decides the exit code.
  var counts = true

  var unit: String { isShareOfCeiling ? "% of ceiling" : metric.unit.name }
}
