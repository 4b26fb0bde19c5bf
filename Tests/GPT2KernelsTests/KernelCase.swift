import TestSupport
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

  /// Those whose results are float32's.
  static let all =
    Variant.exact.flatMap { variant in
      (variant.isThreaded ? threadCounts : [1]).map { threads in
        KernelCase(name: variant.name, threads: threads) { variant.kernel(threads: $0) }
      }
    } + widths

  /// Weights of every other precision, on each way of multiplying them that this build has.
  static let narrow = [WeightPrecision.bf16, .int8, .int4].flatMap { precision in
    DotPath.all(for: precision).flatMap { path in
      [1, 3].map { threads in
        KernelCase(name: "\(precision) on \(path.rawValue)", threads: threads) {
          LowPrecision(precision, pool: ThreadPool(threads: $0), path: path)
        }
      }
    }
  }

  /// Those whose cache is of bfloat16.
  static let narrowCache =
    Variant.withNarrowCache.flatMap { variant in
      (variant.weights == .f32 ? [1, 2, 3] : [3]).map { threads in
        KernelCase(name: variant.name, threads: threads) { variant.kernel(threads: $0) }
      }
    }
    + [(4, 8), (4, 4), (8, 4), (16, 8)].map { lanes, rows in
      KernelCase(name: "packed, \(lanes) lanes, \(rows) rows, cache of bf16", threads: 3) {
        Packed(pool: ThreadPool(threads: $0), lanes: lanes, tileRows: rows, cache: .bf16)
      }
    }

  /// Those whose operations fall into parts.
  static let divisible = all.filter { $0.make(1) is any DivisibleKernel }

  func divisibleKernel() throws -> any DivisibleKernel {
    try #require(make(threads) as? any DivisibleKernel)
  }
}

/// A product with something to be done to it, on operands between guards.
struct EpilogueProblem {
  let shape: LinearTests.Shape
  /// Floats between the rows of the output and of the stream.
  private let gap: Int
  private let problem: LinearTests.Problem
  private let stream: [Float]

  init(_ shape: LinearTests.Shape, isContiguous: Bool) {
    self.shape = shape
    gap = isContiguous ? 0 : 5
    problem = LinearTests.Problem(shape)
    var random = RandomStream(seed: 11)
    stream = random.floats(shape.m * shape.n, spread: 2)
  }

  /// What is wrong with GELU or the residual stream; nil for nothing.
  func fault(_ kernel: any Kernel) -> String? {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    let x = GuardedFloats(problem.x)
    let weights = GuardedFloats(kernel.weightLayout.count(outputs: n, inputs: k))
    kernel.weightLayout.quantize(problem.w, inputs: k, outputs: n, to: weights.base)
    let bias = GuardedFloats(problem.bias)
    let product = GuardedFloats(m * (n + gap))
    let active = GuardedFloats(m * (n + gap))
    let scratch = GuardedFloats(m * (n + gap))
    let residual = GuardedFloats(stream, columns: n, stride: n + gap)
    func view(_ buffer: GuardedFloats) -> MutableMatrix {
      MutableMatrix(buffer.base, rows: m, columns: n, stride: n + gap)
    }
    func linear(_ output: GuardedFloats, _ epilogue: Linear.Epilogue) -> Linear {
      Linear(
        input: Matrix(x.base, rows: m, columns: k),
        weight: Weight(weights.base, outputs: n, inputs: k, layout: kernel.weightLayout),
        bias: Vector(bias.base, count: n), output: view(output), epilogue: epilogue)
    }
    kernel.run(linear(product, .none))
    kernel.run(linear(active, .gelu))
    kernel.run(linear(scratch, .residual(view(residual))))
    for row in 0..<m {
      for column in 0..<n {
        let value = view(product).row(row)[column]
        let activated = view(active).row(row)[column]
        if !Oracle.gelu(value).allows(activated) { return "GELU of \(value) is \(activated)" }
        let sum = view(residual).row(row)[column]
        if sum != stream[row * n + column] + value {
          return "\(stream[row * n + column]) + \(value) is \(sum)"
        }
      }
    }
    let buffers = [x, weights, bias, product, active, scratch, residual]
    return buffers.allSatisfy(\.guardsHold) ? nil : "\(shape): wrote outside a buffer"
  }
}
