import GPT2Kernels
import Testing

/// A variant with a number of threads: what every test of an operation is run on. A new line in the registry is a new
/// set of cases.
struct KernelCase: Sendable, CustomTestStringConvertible {
  let variant: Variant
  let threads: Int

  var testDescription: String { "\(variant.name) on \(threads)" }

  /// A kernel of the test's own: a pool serves one caller at a time.
  func kernel() -> any Kernel { variant.kernel(threads: threads) }

  static let threadCounts = [1, 2, 3, 5]

  static let all = Variant.all.flatMap { variant in
    (variant.isThreaded ? threadCounts : [1]).map { KernelCase(variant: variant, threads: $0) }
  }
}
