import Testing

@testable import GPT2Kernels

/// A kernel with a number of threads: what every test of an operation is run on. A new line in the registry is a
/// new set of cases, and so is each vector width of `packed`, whatever the width of this machine.
struct KernelCase: Sendable, CustomTestStringConvertible {
  let name: String
  let threads: Int
  private let make: @Sendable (Int) -> any Kernel

  var testDescription: String { "\(name) on \(threads)" }

  /// A kernel of the test's own: a pool serves one caller at a time.
  func kernel() -> any Kernel { make(threads) }

  func kernel(threads: Int) -> any Kernel { make(threads) }

  static let threadCounts = [1, 2, 3, 5]

  /// `packed` at the widths and register counts of NEON, SSE, AVX and AVX-512.
  static let widths = [(4, 8), (4, 4), (8, 4), (16, 8)].flatMap { lanes, rows in
    [1, 3].map { threads in
      KernelCase(name: "packed, \(lanes) lanes, \(rows) rows", threads: threads) {
        Packed(pool: ThreadPool(threads: $0), lanes: lanes, tileRows: rows)
      }
    }
  }

  static let all =
    Variant.all.flatMap { variant in
      (variant.isThreaded ? threadCounts : [1]).map { threads in
        KernelCase(name: variant.name, threads: threads) { variant.kernel(threads: $0) }
      }
    } + widths

  /// Those whose operations fall into parts.
  static let divisible = all.filter { $0.make(1) is any DivisibleKernel }

  func divisibleKernel() throws -> any DivisibleKernel {
    try #require(make(threads) as? any DivisibleKernel)
  }
}
