/// Trials of the arithmetic peak.
struct MultiplyAddTrials {
  let length: Duration

  /// GFLOP/s of each trial, of all threads together.
  func rates(threads: Int, trials: Int) -> [Double] {
    // The number of passes comes from one thread, and with it the clock rate has risen.
    let passes = Calibration(minimumSample: length).calibrate { PeakKernels.multiplyAdd(passes: $0) }
      .iterations
    let times = ThreadTrials.run(threads: threads, trials: trials) { _, _ in
      PeakKernels.multiplyAdd(passes: passes)
    }
    let work = Double(PeakKernels.operationsPerPass) * Double(passes * threads)
    return times.map { work / Double($0) }
  }
}
