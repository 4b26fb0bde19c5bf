import GPT2Kernels
import TestSupport
import Testing

@Suite struct LayerNormTests {
  static let channels = [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65, 768, 1600]

  @Test(arguments: KernelCase.all)
  func matchesTheFormulaAtEveryWidth(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for channels in Self.channels {
      for (rows, center) in [(1, Float(0)), (5, 0), (3, 50)] {
        let fault = Self.fault(kernel, rows: rows, channels: channels, center: center)
        #expect(fault == nil)
      }
    }
  }

  @Test(arguments: KernelCase.all)
  func worksInPlace(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    var random = RandomStream(seed: 11)
    let (rows, channels) = (17, 33)
    let x = random.floats(rows * channels)
    let (weight, bias) = (random.floats(channels), random.floats(channels))
    let apart = GuardedFloats(rows * channels)
    let (input, w, b) = (GuardedFloats(x), GuardedFloats(weight), GuardedFloats(bias))
    for output in [apart, input] {
      kernel.run(
        LayerNorm(
          input: Matrix(input.base, rows: rows, columns: channels),
          weight: Vector(w.base, count: channels), bias: Vector(b.base, count: channels),
          epsilon: 1e-5, output: MutableMatrix(output.base, rows: rows, columns: channels)))
    }
    #expect(firstBitDifference(apart.values, input.values) == nil)
  }

  /// A constant row has no variance: ε alone keeps the division finite, and the bias is all that is left.
  @Test(arguments: KernelCase.all)
  func aConstantRowBecomesTheBias(_ kernelCase: KernelCase) {
    let (x, w) = (GuardedFloats([Float](repeating: 0.5, count: 24)), GuardedFloats((0..<24).map(Float.init)))
    let (b, out) = (GuardedFloats((0..<24).map { Float($0) / 8 }), GuardedFloats(24))
    kernelCase.kernel().run(
      LayerNorm(
        input: Matrix(x.base, rows: 1, columns: 24), weight: Vector(w.base, count: 24),
        bias: Vector(b.base, count: 24), epsilon: 1e-5,
        output: MutableMatrix(out.base, rows: 1, columns: 24)))
    #expect(out.values == b.values)
  }

  private static func fault(
    _ kernel: any Kernel, rows: Int, channels: Int, center: Float
  ) -> String? {
    var random = RandomStream(seed: UInt64(rows * 10_000 + channels))
    let x = random.floats(rows * channels, center: center)
    let (weight, bias) = (random.floats(channels), random.floats(channels))
    let (inputStride, outputStride) = (channels + 1, channels + 3)
    let input = GuardedFloats(x, columns: channels, stride: inputStride)
    let (w, b) = (GuardedFloats(weight), GuardedFloats(bias))
    let out = GuardedFloats(rows * outputStride)
    kernel.run(
      LayerNorm(
        input: Matrix(input.base, rows: rows, columns: channels, stride: inputStride),
        weight: Vector(w.base, count: channels), bias: Vector(b.base, count: channels),
        epsilon: 1e-5,
        output: MutableMatrix(out.base, rows: rows, columns: channels, stride: outputStride)))
    for row in 0..<rows {
      let expected = Oracle.layerNorm(
        Array(x[row * channels..<(row + 1) * channels]), weight: weight, bias: bias, epsilon: 1e-5)
      for column in 0..<outputStride {
        let index = row * outputStride + column
        if column >= channels {
          if out.isWritten(index) { return "\(channels) channels: wrote (\(row), \(column))" }
        } else if !expected[column].allows(out.base[index]) {
          return
            "\(channels) channels: (\(row), \(column)) is \(out.base[index]), expected \(expected[column])"
        }
      }
    }
    return input.guardsHold && out.guardsHold ? nil : "\(channels) channels: wrote outside a buffer"
  }
}
