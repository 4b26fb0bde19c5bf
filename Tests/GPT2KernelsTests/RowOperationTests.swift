import GPT2Kernels
import TestSupport
import Testing

struct LayerNormTests {
  static let channels = [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65, 768, 1600]

  @Test(arguments: KernelCase.all)
  func matchesTheFormulaAtEveryWidth(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for channels in Self.channels {
      for (rows, center) in [(1, Float(0)), (5, 0), (3, 50)] {
        let fault = Self.fault(kernel, rows: rows, channels: channels, center: center)
        expectNil(fault)
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
    expectNil(firstBitDifference(apart.values, input.values))
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
    expectEqual(out.values, b.values)
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

struct SoftmaxTests {
  static let widths = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 129, 577]

  @Test(arguments: KernelCase.all)
  func matchesTheFormulaAtEveryWidth(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for positions in Self.widths {
      for (heads, queries) in [(1, 1), (3, 1), (2, min(5, positions)), (7, min(9, positions))] {
        let fault = Self.fault(kernel, heads: heads, queries: queries, positions: positions, center: 0)
        expectNil(fault)
      }
    }
  }

  /// Scores far from zero neither overflow nor vanish: only differences count.
  @Test(arguments: KernelCase.all)
  func aShiftOfAllScoresChangesNothing(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for center in [Float(-1000), 1000] {
      expectNil(Self.fault(kernel, heads: 2, queries: 3, positions: 41, center: center))
    }
  }

  /// Rows that take turns in one place, as the scores of attention do, end with the last query's weights.
  @Test(arguments: KernelCase.all)
  func queriesMayTakeTurnsInOneRow(_ kernelCase: KernelCase) {
    let (heads, queries, positions) = (3, 4, 19)
    let scores = GuardedFloats([Float](repeating: 0.25, count: heads * positions))
    let divisors = GuardedFloats(heads * queries)
    kernelCase.kernel().run(
      Softmax(
        scores.base, heads: heads, queries: queries, positions: positions, headStride: positions,
        queryStride: 0, divisors: divisors.base))
    for head in 0..<heads {
      let row = (0..<positions).map { scores.base[head * positions + $0] }
      let sum = row.reduce(0, +) / divisors.base[head * queries + queries - 1]
      #expect(abs(sum - 1) < 1e-5)
    }
    #expect(scores.guardsHold && divisors.guardsHold)
  }

  @Test(arguments: KernelCase.all.filter { $0.threads == 3 })
  func threadsChangeNoBit(_ kernelCase: KernelCase) {
    let results = [1, 2, 3, 5].map { threads in
      let scores = Self.scores(heads: 7, queries: 5, positions: 37, stride: 37, center: 0)
      let divisors = GuardedFloats(7 * 5)
      kernelCase.kernel(threads: threads).run(
        Softmax(
          scores.base, heads: 7, queries: 5, positions: 37, headStride: 5 * 37, queryStride: 37,
          divisors: divisors.base))
      return scores.values + divisors.values
    }
    for result in results.dropFirst() { expectNil(firstBitDifference(results[0], result)) }
  }

  private static func scores(
    heads: Int, queries: Int, positions: Int, stride: Int, center: Float
  ) -> GuardedFloats {
    var random = RandomStream(seed: UInt64(heads * 10_000 + queries * 1000 + positions))
    let values = random.floats(heads * queries * positions, center: center, spread: 5)
    return GuardedFloats(values, columns: positions, stride: stride)
  }

  private static func fault(
    _ kernel: any Kernel, heads: Int, queries: Int, positions: Int, center: Float
  ) -> String? {
    let stride = positions + 3
    let scores = scores(heads: heads, queries: queries, positions: positions, stride: stride, center: center)
    let before = scores.values
    let divisors = GuardedFloats(heads * queries)
    kernel.run(
      Softmax(
        scores.base, heads: heads, queries: queries, positions: positions, headStride: queries * stride,
        queryStride: stride, divisors: divisors.base))
    for row in 0..<heads * queries {
      let count = positions - queries + row % queries + 1
      let seen = before[row * stride..<row * stride + count].map(Double.init)
      let spread = (seen.max() ?? 0) - (seen.min() ?? 0)
      let relative = Oracle.sumFactor(count) + (8 + spread) * Oracle.unitRoundoff
      for (column, exact) in Oracle.softmax(seen).enumerated() {
        let found = Double(scores.base[row * stride + column]) / Double(divisors.base[row])
        guard abs(found - exact) <= relative * exact else {
          return "\(heads)x\(queries)x\(positions): (\(row), \(column)) is \(found), expected \(exact)"
        }
      }
      for column in positions..<stride where scores.isWritten(row * stride + column) {
        return "\(heads)x\(queries)x\(positions): wrote between rows at (\(row), \(column))"
      }
    }
    return scores.guardsHold && divisors.guardsHold ? nil : "\(positions) positions: wrote outside a buffer"
  }
}

struct ElementwiseTests {
  static let counts = [0, 1, 7, 8, 9, 15, 17, 1023, 1024, 1025, 5000]

  @Test(arguments: KernelCase.all)
  func geluMatchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for count in Self.counts {
      var random = RandomStream(seed: UInt64(count))
      let x = random.floats(count, spread: 8)
      let values = GuardedFloats(x)
      kernel.run(GELU(values.base, count: count))
      let wrong = x.indices.first { !Oracle.gelu(x[$0]).allows(values.base[$0]) }
      expectNil(wrong, "\(count) elements")
      #expect(values.guardsHold)
      let (inputs, elsewhere) = (GuardedFloats(x), GuardedFloats(count))
      kernel.run(GELU(of: inputs.base, to: elsewhere.base, count: count))
      expectNil(firstBitDifference(elsewhere.values, values.values), "\(count) elements")
      expectNil(firstBitDifference(inputs.values, x), "the inputs stay")
      #expect(inputs.guardsHold && elsewhere.guardsHold)
    }
  }

  @Test(arguments: KernelCase.all)
  func geluHoldsAtTheEdges(_ kernelCase: KernelCase) {
    let subnormal = Float.leastNonzeroMagnitude
    let large: [Float] = [12, 100, 1e4, 1e12, 1e13, 1e20, 3e38, .greatestFiniteMagnitude]
    let x =
      large + large.map { -$0 }
      + [
        0, -0, subnormal, -subnormal, subnormal * 70_000, subnormal * -70_000, .leastNormalMagnitude, .nan,
        .infinity,
      ]
    let values = GuardedFloats(x)
    kernelCase.kernel().run(GELU(values.base, count: x.count))
    for (x, y) in zip(x, values.values) {
      switch x {
      case _ where x.isNaN: #expect(y.isNaN)
      case 12...: expectEqual(y, x, "gelu(\(x))")
      case ...(-12): #expect(abs(y) <= 1e-25, "gelu(\(x)) is \(y)")
      default: #expect(Oracle.gelu(x).allows(y), "gelu(\(x)) is \(y)")
      }
    }
  }

  @Test(arguments: KernelCase.divisible)
  func onlyTheElementsAskedForChange(_ kernelCase: KernelCase) throws {
    let kernel = try kernelCase.divisibleKernel()
    var random = RandomStream(seed: 3)
    let x = random.floats(100, spread: 4)
    let addend = GuardedFloats(random.floats(100))
    for elements in [0..<0, 0..<5, 3..<11, 9..<90, 99..<100] {
      let (activated, added) = (GuardedFloats(x), GuardedFloats(x))
      kernel.gelu(GELU(activated.base, count: 100), elements: elements)
      kernel.add(Addition(to: added.base, addend: addend.base, count: 100), elements: elements)
      for i in x.indices {
        #expect((activated.base[i] != x[i]) == elements.contains(i))
        #expect((added.base[i] != x[i]) == elements.contains(i))
      }
    }
  }

  @Test(arguments: KernelCase.all)
  func additionIsExactlyRounded(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for count in Self.counts + [8191, 8192, 8193, 40_000] {
      var random = RandomStream(seed: UInt64(count))
      let (x, y) = (random.floats(count), random.floats(count, spread: 1000))
      let (target, addend) = (GuardedFloats(x), GuardedFloats(y))
      kernel.run(Addition(to: target.base, addend: addend.base, count: count))
      expectNil(firstBitDifference(target.values, zip(x, y).map { $0 + $1 }))
      #expect(target.guardsHold)
    }
  }
}
