import Foundation

/// A change of time, taken apart into more or less work and a faster or slower rate of it.
///
/// Time is work times time per unit of work, t = w · u. With the logarithmic mean L(a, b) = (b − a) / ln(b / a) the
/// change is t₁ − t₀ = L(t₀, t₁) · ln(w₁ / w₀) + L(t₀, t₁) · ln(u₁ / u₀), exactly and whichever side is called first:
/// the additive logarithmic mean Divisia index (LMDI-I; Ang 2005, "The LMDI approach to decomposition analysis: a
/// practical guide", doi:10.1016/j.enpol.2003.10.010). A mean of both orders of change would be as exact, and useless
/// where work changes by a factor of hundreds: each part would be many times the whole.
struct TimeSplit: Sendable, Equatable {
  /// Nanoseconds of the change that come from the amount of work.
  let work: Double
  /// Nanoseconds of the change that come from the time per unit of work.
  let rate: Double

  /// Nil where neither side has any work to count. What only one side works on is work; where one side's time
  /// is below the clock's resolution, the change is one of rate.
  init?(from: (time: Double, work: Double), to: (time: Double, work: Double)) {
    let change = to.time - from.time
    guard from.work > 0 || to.work > 0 else { return nil }
    guard from.work > 0, to.work > 0 else {
      (work, rate) = (change, 0)
      return
    }
    guard from.time > 0, to.time > 0 else {
      (work, rate) = (0, change)
      return
    }
    work = Self.logarithmicMean(from.time, to.time) * log(to.work / from.work)
    rate = change - work
  }

  /// (b − a) / ln(b / a) of two numbers above zero; a where both are the same.
  static func logarithmicMean(_ a: Double, _ b: Double) -> Double {
    let ratio = log(b / a)
    // The series of (eˣ − 1) / x, where the quotient would lose its digits.
    return abs(ratio) < 1e-6 ? a * (1 + ratio / 2) : (b - a) / ratio
  }
}
