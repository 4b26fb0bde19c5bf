/// Paired differences of the textbooks.
enum PublishedData {
  /// Hollander and Wolfe, "Nonparametric Statistical Methods", table 3.1: after less before.
  static let depression = zip(
    [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
  ).map { $1 - $0 }

  /// Darwin, "The Effects of Cross and Self Fertilisation in the Vegetable Kingdom", 1876, as in Fisher, "The
  /// Design of Experiments", 1935.
  static let maize: [Double] = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
}

func isClose(_ value: Double, _ expected: Double, _ relative: Double = 1e-11) -> Bool {
  abs(value - expected) <= relative * abs(expected)
}
