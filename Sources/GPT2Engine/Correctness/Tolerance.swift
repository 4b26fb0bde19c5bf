import GPT2Model

/// How far float32 logits may lie from exact ones, from the lengths of the sums on the way.
///
/// A sum of n float32 terms is off by about √n · u, u = 2⁻²⁴, relative to the terms' size, because roundings
/// cancel like steps of a random walk (Higham and Mary, "A new approach to probabilistic rounding error
/// analysis", 2019, doi 10.1137/18M1226312). The errors of the sums along the path are added as if they never
/// cancelled: for each layer two norms and the queries' product (√C each), scores (√headSize), weighted values
/// (√T), projection (√C), MLP up (√C) and down (√4C); then the final norm and the logits. The result is relative
/// to the largest logit.
public struct Tolerance: Sendable, Equatable {
  /// Largest absolute error allowed.
  public let absolute: Double
  /// Largest normalised mean square error allowed.
  public let nmse: Double

  /// - Parameters:
  ///   - positions: the longest sequence compared.
  ///   - largestLogit: the reference's largest absolute value.
  public init(_ configuration: Configuration, positions: Int, largestLogit: Double) {
    let unitRoundoff = 0x1p-24
    func root(_ length: Int) -> Double { Double(length).squareRoot() }
    let c = root(configuration.channels)
    let layer = 5 * c + root(configuration.hidden) + root(configuration.headSize) + root(positions)
    let relative = unitRoundoff * (Double(configuration.layers) * layer + 2 * c)
    self.init(absolute: relative * largestLogit, nmse: relative * relative)
  }

  /// What is allowed to arithmetic that is so many times as coarse.
  func scaled(by factor: Double) -> Tolerance {
    Tolerance(absolute: absolute * factor, nmse: nmse * factor * factor)
  }

  private init(absolute: Double, nmse: Double) {
    self.absolute = absolute
    self.nmse = nmse
  }
}
