/// A stretch of a pass: what it computed and moved, and the time that took. Times are in nanoseconds.
protocol MeasuredWork: Sendable {
  /// In the stretch itself.
  var nanoseconds: Double { get }
  /// Waiting for the pool's other threads within it.
  var waitNanoseconds: Double { get }
  var calls: Double { get }
  var flops: Double { get }
  var bytes: Double { get }
  /// The least time that the ceilings allow; nil without ceilings, and where there is nothing to compute or move.
  var leastNanoseconds: Double? { get }
}

extension MeasuredWork {
  /// Both together: what an operation timed alone would take.
  var wholeNanoseconds: Double { nanoseconds + waitNanoseconds }
  var gflops: Double? { flops > 0 && wholeNanoseconds > 0 ? flops / wholeNanoseconds : nil }
  var gbPerSecond: Double? { bytes > 0 && wholeNanoseconds > 0 ? bytes / wholeNanoseconds : nil }
  /// FLOP per byte.
  var intensity: Double? { flops > 0 && bytes > 0 ? flops / bytes : nil }
  /// The least time ÷ the time it took, in per cent.
  var rooflinePercent: Double? {
    leastNanoseconds.flatMap { wholeNanoseconds > 0 ? 100 * $0 / wholeNanoseconds : nil }
  }
}

extension PhaseFigures: MeasuredWork {}

/// Several stretches together.
struct WorkSum: MeasuredWork {
  var nanoseconds: Double
  var waitNanoseconds: Double
  let calls: Double
  let flops: Double
  let bytes: Double
  let leastNanoseconds: Double?

  init(_ parts: [any MeasuredWork]) {
    func sum(_ value: (any MeasuredWork) -> Double) -> Double { parts.reduce(0) { $0 + value($1) } }
    nanoseconds = sum(\.nanoseconds)
    waitNanoseconds = sum(\.waitNanoseconds)
    calls = sum(\.calls)
    flops = sum(\.flops)
    bytes = sum(\.bytes)
    let least = parts.compactMap(\.leastNanoseconds)
    leastNanoseconds = least.isEmpty ? nil : least.reduce(0, +)
  }

  /// A whole pass: all its work in all its time.
  init(pass figures: ProfileFigures) {
    self.init(figures.phases)
    (nanoseconds, waitNanoseconds) = (figures.wallNanoseconds, 0)
  }
}
