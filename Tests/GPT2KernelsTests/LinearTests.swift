import GPT2Kernels
import TestSupport
import Testing

struct LinearTests {
  struct Shape: Hashable, Sendable {
    let m, n, k: Int
  }

  /// Every size where a tile, a vector or a grain begins or ends meets every other in at least one shape.
  static let shapes: [Shape] = {
    let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65]
    var shapes: Set<Shape> = []
    for n in sizes {
      for k in sizes {
        for m in [1, 3] { shapes.insert(Shape(m: m, n: n, k: k)) }
      }
    }
    for (index, m) in sizes.enumerated() {
      for n in [1, 4, 5, 17, 33] {
        shapes.insert(Shape(m: m, n: n, k: sizes[(index * 5 + n) % sizes.count]))
      }
    }
    shapes.formUnion([
      Shape(m: 65, n: 65, k: 65), Shape(m: 1, n: 19, k: 3072), Shape(m: 5, n: 7, k: 3072),
      Shape(m: 2, n: 770, k: 33), Shape(m: 0, n: 9, k: 5),
      // Several panels and row blocks, inputs in several passes with a ragged last one.
      Shape(m: 9, n: 100, k: 1601), Shape(m: 90, n: 50, k: 3072), Shape(m: 1, n: 193, k: 770),
      Shape(m: 70, n: 101, k: 1601),
    ])
    // Batches around the heights of tiles, on several panels and passes.
    shapes.formUnion([2, 3, 4, 5, 6, 7, 8, 15, 16, 17].map { Shape(m: $0, n: 100, k: 130) })
    return shapes.sorted { ($0.k, $0.n, $0.m) < ($1.k, $1.n, $1.m) }
  }()

  /// One product's operands, and its exact results, with and without a bias.
  struct Problem: Sendable {
    let shape: Shape
    let x, w, conv1D, bias: [Float]
    let plain, biased: [Oracle.Value]

    init(_ shape: Shape) {
      self.shape = shape
      var random = RandomStream(seed: UInt64(shape.m * 10_000_000 + shape.n * 10_000 + shape.k))
      let (m, n, k) = (shape.m, shape.n, shape.k)
      let (x, w, bias) = (random.floats(m * k), random.floats(n * k), random.floats(n, spread: 3))
      (self.x, self.w, self.bias) = (x, w, bias)
      conv1D = (0..<k).flatMap { input in (0..<n).map { w[$0 * k + input] } }
      plain = Oracle.linear(x, w, bias: nil, m: m, n: n, k: k)
      biased = Oracle.linear(x, w, bias: bias, m: m, n: n, k: k)
    }

    static let all = shapes.map(Problem.init)
  }

  @Test(arguments: KernelCase.all)
  func matchesTheFormulaAtEveryShape(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for problem in Problem.all {
      let n = problem.shape.n
      for hasBias in [false, true] {
        let fault = Self.fault(
          problem, layout: kernel.weightLayout, hasBias: hasBias, outputs: 0..<n
        ) { kernel.run($0) }
        expectNil(fault)
      }
    }
  }

  /// A matrix that lies in rows, as the token embedding does, or in columns, as a layer's does in a checkpoint, is taken by
  /// every kernel.
  @Test(arguments: KernelCase.all + KernelCase.narrow, [WeightLayout.rows, .columns])
  func takesWeightsAsFilesHoldThem(_ kernelCase: KernelCase, _ layout: WeightLayout) {
    let kernel = kernelCase.kernel()
    for problem in Problem.all where problem.shape.n % 3 != 0 || problem.shape.m > 1 {
      let fault = Self.fault(problem, layout: layout, hasBias: true, outputs: 0..<problem.shape.n) {
        kernel.run($0)
      }
      expectNil(fault)
    }
  }

  /// GELU and the residual stream, in the kernel or after it: within rounding of the formula on the product.
  @Test(arguments: KernelCase.all + KernelCase.narrow)
  func epiloguesMatchTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for shape in [
      Shape(m: 1, n: 65, k: 33), Shape(m: 9, n: 48, k: 16), Shape(m: 13, n: 150, k: 65),
      Shape(m: 3, n: 7, k: 1), Shape(m: 40, n: 96, k: 1600),
    ] {
      for isContiguous in [true, false] {
        expectNil(EpilogueProblem(shape, isContiguous: isContiguous).fault(kernel))
      }
    }
  }

  @Test(arguments: KernelCase.divisible)
  func computesOnlyTheOutputsAskedFor(_ kernelCase: KernelCase) throws {
    let kernel = try kernelCase.divisibleKernel()
    for shape in [Shape(m: 5, n: 65, k: 17), Shape(m: 1, n: 64, k: 33), Shape(m: 3, n: 40, k: 8)] {
      let problem = Problem(shape)
      for outputs in [0..<0, 0..<1, 3..<4, 1..<6, 16..<32, 4..<23, 13..<shape.n, 32..<shape.n] {
        let fault = Self.fault(problem, layout: .rows, hasBias: true, outputs: outputs) {
          kernel.linear($0, outputs: outputs)
        }
        expectNil(fault)
      }
    }
  }

  @Test(arguments: Variant.all)
  func flopsAndBytesAreThoseOfTheShape(_ variant: Variant) {
    expectEqual(Linear.flops(m: 3, n: 5, k: 7), 210)
    expectEqual(Linear.bytes(m: 3, n: 5, k: 7), 4 * (21 + 35 + 15))
    // 64 inputs are two blocks: 34 bytes each of int8, 18 of int4. Inputs and outputs are floats.
    let bytes: [(WeightPrecision, Double)] = [(.f32, 1280), (.bf16, 640), (.int8, 340), (.int4, 180)]
    for (precision, ofTheMatrix) in bytes {
      expectEqual(Linear.bytes(m: 3, n: 5, k: 64, weights: precision), 828 + ofTheMatrix)
    }
    // An output of 33 inputs has a second block, which is stored whole.
    expectEqual(WeightPrecision.int4.bytes(outputs: 2, inputs: 33), 72)
    expectEqual(Linear.flops(m: 1 << 20, n: 1 << 22, k: 1 << 22), 0x1p65)
    let layout = variant.kernel(threads: 1).weightLayout
    #expect(4 * Double(layout.count(outputs: 5, inputs: 7)) >= layout.precision.bytes(outputs: 5, inputs: 7))
  }

  /// What is wrong with the product on strided operands between guards; nil for nothing.
  static func fault(
    _ problem: Problem, layout: WeightLayout, hasBias: Bool, outputs: Range<Int>,
    run: (Linear) -> Void
  ) -> String? {
    let (m, n, k) = (problem.shape.m, problem.shape.n, problem.shape.k)
    let (inputStride, outputStride) = (k + 3, n + 5)
    let x = GuardedFloats(problem.x, columns: k, stride: inputStride)
    let weights = GuardedFloats(layout.count(outputs: n, inputs: k))
    problem.conv1D.withUnsafeBufferPointer {
      layout.store(conv1D: $0.baseAddress!, inputs: k, outputs: n, to: weights.base)
    }
    let bias = GuardedFloats(problem.bias)
    let out = GuardedFloats(m * outputStride)
    let operation = Linear(
      input: Matrix(x.base, rows: m, columns: k, stride: inputStride),
      weight: Weight(weights.base, outputs: n, inputs: k, layout: layout),
      bias: hasBias ? Vector(bias.base, count: n) : nil,
      output: MutableMatrix(out.base, rows: m, columns: n, stride: outputStride))
    run(operation)
    let expected = hasBias ? problem.biased : problem.plain
    for row in 0..<m {
      for column in 0..<outputStride {
        let index = row * outputStride + column
        if !outputs.contains(column) {
          if out.isWritten(index) { return "\(problem.shape) \(outputs): wrote (\(row), \(column))" }
        } else if !expected[row * n + column].allows(out.base[index]) {
          let value = expected[row * n + column]
          return "\(problem.shape) \(outputs): (\(row), \(column)) is \(out.base[index]), expected \(value)"
        }
      }
    }
    guard x.guardsHold, weights.guardsHold, bias.guardsHold, out.guardsHold else {
      return "\(problem.shape) \(outputs): wrote outside a buffer"
    }
    return nil
  }
}
