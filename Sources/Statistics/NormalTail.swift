import Foundation

/// P(Z ≥ z) of a standard normal Z.
func normalUpperTail(_ z: Double) -> Double {
  0.5 * erfc(z / 2.squareRoot())
}
