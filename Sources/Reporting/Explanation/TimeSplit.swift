/// A change of time, taken apart into more or less work and faster or slower work.
///
/// The side that does more is asked what it would take for the other's work; what that saves it comes from the work,
/// and what is left between it and the other side from the rate (a two-fold decomposition by a counterfactual; Oaxaca
/// 1973, doi:10.2307/2525981). Of its time t a part is what the ceilings allow for its work at best (the roofline of
/// Williams, Waterman and Patterson 2009, doi:10.1145/1498765.1498785), and changes as that does; the rest is what the
/// kernel loses, and goes with the operations F: t' = least′ + (t − least) · F′ / F. Without ceilings all of it does.
///
/// It is never asked the other way round: what a kernel loses on one row says little of what it would lose on 500.
struct TimeSplit: Sendable, Equatable {
  /// Nanoseconds of the change that come from the amount of work.
  let work: Double
  /// Nanoseconds of the change that come from how fast it is done.
  let rate: Double

  /// Nil where neither side has any work to count. The parts sum to the change, and change their signs where the sides
  /// are swapped.
  init?(from: WorkAmount, to: WorkAmount) {
    guard from.hasWork || to.hasWork else { return nil }
    let isLess = to.isLess(than: from)
    let (more, less) = isLess ? (from, to) : (to, from)
    let asked = more.nanoseconds(for: less)
    work = isLess ? asked - more.nanoseconds : more.nanoseconds - asked
    rate = isLess ? less.nanoseconds - asked : asked - less.nanoseconds
  }
}

/// Work, and the time that it took.
struct WorkAmount: Sendable, Equatable {
  var nanoseconds = 0.0
  var flops = 0.0
  var bytes = 0.0
  /// The least time that the ceilings allow; 0 without ceilings.
  var leastNanoseconds = 0.0

  var hasWork: Bool { flops > 0 || bytes > 0 }

  /// Fewer operations; of as many, less time at best or fewer bytes.
  fileprivate func isLess(than other: WorkAmount) -> Bool {
    (flops, leastNanoseconds, bytes) < (other.flops, other.leastNanoseconds, other.bytes)
  }

  /// What this side would take for the work of `less`.
  fileprivate func nanoseconds(for less: WorkAmount) -> Double {
    let share = flops > 0 ? less.flops / flops : bytes > 0 ? less.bytes / bytes : 1
    // Where the ceiling was measured too low there is no loss, and the time changes as the ceiling's does.
    guard nanoseconds > leastNanoseconds else {
      return leastNanoseconds > 0 ? nanoseconds * less.leastNanoseconds / leastNanoseconds : 0
    }
    let asked = less.leastNanoseconds + (nanoseconds - leastNanoseconds) * share
    return min(asked, nanoseconds)
  }
}
