import Statistics

extension RunFigures {
  /// The largest share by which the samples of one row in the first half of the run differ from those in the second,
  /// median against median. It is the same program in both, so this is what the machine alone does to a row: with as
  /// many rows as are judged, the largest of them is what one may show by chance. Nil where no row has three samples
  /// in each half.
  var largestDifferenceOfHalves: Double? {
    rows.compactMap { row -> Double? in
      let times = row.cell.primaryDurations
      let half = times.count / 2
      guard half >= Bootstrap.minimumCount, let first = median(Array(times.prefix(half))),
        let second = median(Array(times.suffix(half)))
      else { return nil }
      return 1 - min(first / second, second / first)
    }.max()
  }
}
