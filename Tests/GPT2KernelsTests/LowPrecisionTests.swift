import TestSupport
import Testing

@testable import GPT2Kernels

/// Products with weights of fewer bits: what each way of multiplying makes of the same numbers.
struct LowPrecisionTests {
  /// Around vectors, panels, blocks and tiles, in one pass and in several.
  static let shapes: [LinearTests.Shape] = {
    let edges = [1, 7, 8, 9, 15, 17, 31, 32, 33, 63, 64, 65]
    var shapes = edges.map { LinearTests.Shape(m: 1, n: $0, k: $0) }
    shapes += edges.map { LinearTests.Shape(m: 3, n: 49, k: $0) }
    shapes += edges.map { LinearTests.Shape(m: $0, n: 50, k: 34) }
    let large = [(1, 193, 770), (1, 96, 3072), (9, 100, 1601), (33, 50, 3072), (90, 25, 6200), (0, 9, 5)]
    return shapes + large.map { LinearTests.Shape(m: $0.0, n: $0.1, k: $0.2) }
  }()

  /// - Parameter rows: all unless given.
  private func product(
    _ problem: LinearTests.Problem, _ kernel: any Kernel, rows: Range<Int>? = nil
  ) -> (out: [Float], weights: [Float]) {
    let rows = rows ?? 0..<problem.shape.m
    let (m, n, k) = (rows.count, problem.shape.n, problem.shape.k)
    let layout = kernel.weightLayout
    let input = Array(problem.x[rows.lowerBound * k..<rows.upperBound * k])
    let x = GuardedFloats(input, columns: k, stride: k + 3)
    let memory = GuardedFloats(layout.count(outputs: n, inputs: k))
    layout.quantize(problem.w, inputs: k, outputs: n, to: memory.base)
    let (bias, out) = (GuardedFloats(problem.bias), GuardedFloats(m * n))
    let weight = Weight(memory.base, outputs: n, inputs: k, layout: layout)
    kernel.run(
      Linear(
        input: Matrix(x.base, rows: m, columns: k, stride: k + 3), weight: weight,
        bias: Vector(bias.base, count: n), output: MutableMatrix(out.base, rows: m, columns: n)))
    #expect(x.guardsHold && memory.guardsHold && bias.guardsHold && out.guardsHold)
    var weights: [Float] = []
    for output in 0..<n {
      let row = GuardedFloats(k)
      weight.read(output, to: row.base)
      weights += row.values
    }
    return (out.values, weights)
  }

  /// Rows as a kernel rounds them.
  private func rounding(_ kernel: LowPrecision) -> ([Float]) -> [Float] {
    switch (kernel.precision, kernel.path) {
    case (.bf16, let path) where path.roundsRows: { $0.map(Narrow.brainFloat) }
    case (.bf16, _): { $0 }
    default: Narrow.bytes
    }
  }

  @Test(arguments: KernelCase.narrow)
  func productsAreThoseOfTheRoundedNumbers(_ kernelCase: KernelCase) throws {
    let kernel = try #require(kernelCase.kernel() as? LowPrecision)
    for shape in Self.shapes {
      let problem = LinearTests.Problem(shape)
      let found = product(problem, kernel)
      let rows = (0..<shape.m).flatMap {
        rounding(kernel)(Array(problem.x[$0 * shape.k..<($0 + 1) * shape.k]))
      }
      let expected = Oracle.linear(
        rows, found.weights, bias: problem.bias, m: shape.m, n: shape.n, k: shape.k)
      let wrong = zip(found.out, expected).enumerated().first { !$1.1.allows($1.0) }
      expectNil(wrong, "\(shape)")
    }
  }

  /// However many passes over a panel each of them takes.
  @Test(arguments: KernelCase.narrow.filter { $0.threads == 1 })
  func aRowAloneIsThatRowAmongOthers(_ kernelCase: KernelCase) throws {
    let kernel = kernelCase.kernel()
    for (m, n, k) in [(17, 50, 1601), (33, 49, 3100), (65, 97, 63)] {
      let whole = LinearTests.Problem(LinearTests.Shape(m: m, n: n, k: k))
      let together = product(whole, kernel).out
      for row in [0, 15, 16, m - 1] {
        let alone = product(whole, kernel, rows: row..<row + 1).out
        let expected = Array(together[row * n..<(row + 1) * n])
        expectNil(firstBitDifference(alone, expected), "row \(row) of \(m), k \(k)")
      }
    }
  }

  /// Integers are the same on every path, and so is each sum of float32 after them.
  @Test(arguments: [WeightPrecision.int8, .int4])
  func everyPathGivesTheScalarOnesBits(_ precision: WeightPrecision) {
    let paths = DotPath.all(for: precision)
    expectEqual(paths.last, .scalar)
    let scalar = LowPrecision(precision, pool: ThreadPool(threads: 1), path: .scalar)
    for shape in Self.shapes {
      let problem = LinearTests.Problem(shape)
      let expected = product(problem, scalar).out
      for path in paths {
        let kernel = LowPrecision(precision, pool: ThreadPool(threads: 2), path: path)
        expectNil(firstBitDifference(product(problem, kernel).out, expected), "\(path) \(shape)")
      }
    }
  }

  /// What a layout holds is what was put in, to the bit.
  @Test(arguments: KernelCase.narrow.filter { $0.threads == 1 })
  func weightsAreReadAsTheyWereStored(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for (n, k) in [(1, 1), (50, 33), (97, 64), (48, 96), (7, 130)] {
      let problem = LinearTests.Problem(LinearTests.Shape(m: 1, n: n, k: k))
      let expected =
        kernel.weightLayout.precision == .bf16
        ? problem.w.map(Narrow.brainFloat)
        : stride(from: 0, to: n * k, by: k).flatMap {
          Narrow.widened(Narrow.blocks(problem.w[$0..<$0 + k], kernel.weightLayout.precision), count: k)
        }
      expectNil(firstBitDifference(product(problem, kernel).weights, expected))
    }
  }

  /// bfloat16 from either order of the matrix, whole or in pieces.
  @Test(arguments: [8, 16]) func pairsLieTheSameFromEitherOrder(_ vector: Int) {
    let layout = WeightLayout.panels(vector: vector, of: .bf16)
    for (n, k) in [(1, 1), (50, 33), (97, 64), (7, 130)] {
      let problem = LinearTests.Problem(LinearTests.Shape(m: 1, n: n, k: k))
      let count = layout.count(outputs: n, inputs: k)
      let (linear, conv1D, pieces) = (GuardedFloats(count), GuardedFloats(count), GuardedFloats(count))
      layout.store(linear: problem.w, inputs: k, outputs: n, to: linear.base)
      layout.store(conv1D: problem.conv1D, inputs: k, outputs: n, to: conv1D.base)
      for first in stride(from: 0, to: k, by: 6) {
        let rows = first..<min(first + 6, k)
        problem.conv1D.withUnsafeBufferPointer {
          layout.store(
            conv1D: $0.baseAddress! + first * n, rows: rows, inputs: k, outputs: n, to: pieces.base)
        }
      }
      expectNil(firstBitDifference(linear.values, conv1D.values))
      expectNil(firstBitDifference(linear.values, pieces.values))
    }
  }

  /// A row with a value that is not finite gives no number; the rows beside it are what they were.
  @Test(arguments: KernelCase.narrow.filter { $0.threads == 1 }, [Float.nan, .infinity, -.infinity])
  func notANumberStaysOne(_ kernelCase: KernelCase, _ value: Float) {
    let (m, n, k) = (3, 50, 70)
    let problem = LinearTests.Problem(LinearTests.Shape(m: m, n: n, k: k))
    let kernel = kernelCase.kernel()
    let layout = kernel.weightLayout
    let memory = GuardedFloats(layout.count(outputs: n, inputs: k))
    layout.quantize(problem.w, inputs: k, outputs: n, to: memory.base)
    let weight = Weight(memory.base, outputs: n, inputs: k, layout: layout)
    func run(_ x: [Float]) -> [Float] {
      let out = GuardedFloats(m * n)
      kernel.run(
        Linear(
          input: Matrix(x, rows: m, columns: k), weight: weight, bias: nil,
          output: MutableMatrix(out.base, rows: m, columns: n)))
      return out.values
    }
    let whole = run(problem.x)
    for place in [0, 31, 69] {
      var x = problem.x
      x[k + place] = value
      let spoilt = run(x)
      #expect(spoilt[n..<2 * n].allSatisfy { !$0.isFinite })
      expectNil(firstBitDifference(Array(spoilt[..<n]), Array(whole[..<n])))
      expectNil(firstBitDifference(Array(spoilt[(2 * n)...]), Array(whole[(2 * n)...])))
    }
  }

  /// Numbers too small or too large for a scale's inverse.
  @Test(arguments: KernelCase.narrow.filter { $0.threads == 1 })
  func extremeRowsGiveFiniteSums(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let problem = LinearTests.Problem(LinearTests.Shape(m: 1, n: 20, k: 64))
    let layout = kernel.weightLayout
    let memory = GuardedFloats(layout.count(outputs: 20, inputs: 64))
    layout.quantize(problem.w, inputs: 64, outputs: 20, to: memory.base)
    for size: Float in [0, 0x1p-149, 0x1p-120, 0x1p-90, 0x1p90] {
      let x = problem.x.map { $0 * size }
      let out = GuardedFloats(20)
      kernel.run(
        Linear(
          input: Matrix(x, rows: 1, columns: 64),
          weight: Weight(memory.base, outputs: 20, inputs: 64, layout: layout), bias: nil,
          output: MutableMatrix(out.base, rows: 1, columns: 20)))
      #expect(out.values.allSatisfy { $0.isFinite && abs($0) <= 128 * max(size, 0x1p-100) })
    }
  }
}

/// Numbers of fewer bits, made the plain way.
enum Narrow {
  static func brainFloat(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  /// Blocks of 32, of which the largest becomes 127.
  static func bytes(_ row: [Float]) -> [Float] {
    stride(from: 0, to: row.count, by: 32).flatMap { first -> [Float] in
      let block = row[first..<min(first + 32, row.count)]
      let largest = block.map(abs).max()!
      let inverse: Float = largest > 0x1p-100 ? 127 / largest : 0
      return block.map { ($0 * inverse).rounded(.toNearestOrEven) * (largest / 127) }
    }
  }

  /// ggml's blocks of one output, each rounded the simple way.
  static func blocks(_ row: ArraySlice<Float>, _ precision: WeightPrecision) -> [UInt8] {
    stride(from: row.startIndex, to: row.endIndex, by: 32).flatMap { first -> [UInt8] in
      var values = Array(row[first..<min(first + 32, row.endIndex)])
      values += [Float](repeating: 0, count: 32 - values.count)
      let extreme = values.max { abs($0) < abs($1) }!
      let scale = Float16(precision == .int8 ? abs(extreme) / 127 : extreme / -8)
      let inverse = scale == 0 ? 0 : 1 / Float(scale)
      let (low, high): (Float, Float) = precision == .int8 ? (-127, 127) : (-8, 7)
      let integers = values.map { Int(min(max(($0 * inverse).rounded(), low), high)) }
      let bits = [UInt8(scale.bitPattern & 255), UInt8(scale.bitPattern >> 8)]
      guard precision == .int4 else { return bits + integers.map { UInt8(truncatingIfNeeded: $0) } }
      let nibbles = integers.map { UInt8($0 + 8) }
      return bits + zip(nibbles[..<16], nibbles[16...]).map { low, high in low | high << 4 }
    }
  }

  static func widened(_ blocks: [UInt8], count: Int) -> [Float] {
    let size = count > 0 ? blocks.count / ((count + 31) / 32) : 1
    var values: [Float] = []
    for first in stride(from: 0, to: blocks.count, by: size) {
      let scale = Float(Float16(bitPattern: UInt16(blocks[first]) | UInt16(blocks[first + 1]) << 8))
      let bytes = blocks[first + 2..<first + size]
      if size == 34 {
        values += bytes.map { scale * Float(Int8(bitPattern: $0)) }
      } else {
        values +=
          bytes.map { scale * Float(Int($0 & 15) - 8) } + bytes.map { scale * Float(Int($0 >> 4) - 8) }
      }
    }
    return Array(values.prefix(count))
  }
}

extension WeightLayout {
  /// Lays a `Linear` matrix out, whatever the layout's precision.
  func quantize(_ weights: [Float], inputs: Int, outputs: Int, to target: UnsafeMutablePointer<Float>) {
    guard precision == .int8 || precision == .int4 else {
      return store(linear: weights, inputs: inputs, outputs: outputs, to: target)
    }
    for output in 0..<outputs {
      Narrow.blocks(weights[output * inputs..<(output + 1) * inputs], precision).withUnsafeBytes {
        store(
          blocks: $0.baseAddress!, outputs: output..<output + 1, blocks: 0..<(inputs + 31) / 32,
          inputs: inputs, to: target)
      }
    }
  }
}
