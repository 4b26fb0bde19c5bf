import Foundation
import TestSupport
import Testing

@testable import GPT2Kernels

/// Attention of whole sequences and its gradient against the formula in Double, and the formula against differences.
struct TrainingAttentionTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let batch, context, heads, size: Int
    var testDescription: String { "\(batch) × \(context), \(heads) heads of \(size)" }
  }

  /// Contexts around tiles, panels and blocks of queries and keys; heads around vectors.
  static let shapes = [
    Shape(batch: 1, context: 1, heads: 1, size: 1), Shape(batch: 2, context: 7, heads: 3, size: 8),
    Shape(batch: 1, context: 8, heads: 2, size: 9), Shape(batch: 2, context: 9, heads: 1, size: 15),
    Shape(batch: 1, context: 15, heads: 2, size: 17), Shape(batch: 1, context: 17, heads: 1, size: 7),
    Shape(batch: 1, context: 63, heads: 1, size: 16), Shape(batch: 2, context: 65, heads: 2, size: 5),
    Shape(batch: 1, context: 97, heads: 1, size: 65), Shape(batch: 1, context: 193, heads: 1, size: 63),
    Shape(batch: 1, context: 160, heads: 1, size: 64),
  ]

  @Test(arguments: KernelCase.all)
  func matchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for problem in Problem.all { expectNil(problem.fault(kernel)) }
  }

  @Test(arguments: Variant.exact)
  func givesTheSameBitsOnAnyNumberOfThreads(_ variant: Variant) {
    for shape in [Self.shapes[7], Shape(batch: 2, context: 70, heads: 3, size: 24)] {
      let problem = Problem(shape, rate: 0.1)
      let one = problem.run(variant.kernel(threads: 1)).map { $0.values.map(\.bitPattern) }
      for threads in [2, 3] {
        let bits = problem.run(variant.kernel(threads: threads)).map { $0.values.map(\.bitPattern) }
        expectEqual(bits, one)
      }
    }
  }

  /// A part is the same whoever computes it.
  @Test(arguments: Variant.exact)
  func linearGradientsGiveTheSameBitsOnAnyNumberOfThreads(_ variant: Variant) {
    for shape in [TrainingOperationTests.Shape(m: 65, n: 150, k: 70), .init(m: 33, n: 17, k: 63)] {
      for layout in [WeightLayout.rows, .columns] {
        let problem = LinearProblem(shape, layout)
        let one = problem.run(variant.kernel(threads: 1)).prefix(3).map { $0.values.map(\.bitPattern) }
        for threads in [2, 3] {
          let bits = problem.run(variant.kernel(threads: threads)).prefix(3).map {
            $0.values.map(\.bitPattern)
          }
          expectEqual(bits, one)
        }
      }
    }
  }

  /// The oracle's own gradients are slopes of its own outputs.
  @Test func theFormulaIsTheSlopeOfItsOutput() {
    let shape = Shape(batch: 1, context: 9, heads: 1, size: 5)
    var oracle = Problem(shape, rate: 0.25).oracle(0, 0)
    let gradients = oracle.gradients()
    let step = 1e-5
    let paths: [WritableKeyPath<TrainingOracle.Attention, [[Double]]>] = [\.q, \.k, \.v]
    for (third, path) in paths.enumerated() {
      for row in 0..<shape.context {
        for i in 0..<shape.size {
          let value = oracle[keyPath: path][row][i]
          oracle[keyPath: path][row][i] = value + step
          let above = oracle.loss()
          oracle[keyPath: path][row][i] = value - step
          let below = oracle.loss()
          oracle[keyPath: path][row][i] = value
          #expect(abs((above - below) / (2 * step) - gradients[third][row][i].exact) < 1e-8)
        }
      }
    }
  }

  @Test func theOtherFormulasAreSlopesToo() {
    var random = RandomStream(seed: 5)
    func rows(_ count: Int) -> [[Double]] {
      TrainingOperationTests.rows(random.floats(count * 7, spread: 2), 7)
    }
    let (x, weight, dy) = (rows(3), rows(1), rows(3))
    func norm(_ x: [[Double]], _ weight: [[Double]]) -> TrainingOracle.LayerNorm {
      TrainingOracle.LayerNorm(x: x, weight: weight, dy: dy, epsilon: 1e-5)
    }
    let step = 1e-5
    for i in 0..<7 {
      var (above, below) = (weight, weight)
      above[0][i] += step
      below[0][i] -= step
      let slope = (norm(x, above).loss() - norm(x, below).loss()) / (2 * step)
      #expect(abs(slope - norm(x, weight).weightGradient(i, from: 0).exact) < 1e-7)
      for row in 0..<3 {
        var (above, below) = (x, x)
        above[row][i] += step
        below[row][i] -= step
        let slope = (norm(above, weight).loss() - norm(below, weight).loss()) / (2 * step)
        #expect(abs(slope - norm(x, weight).inputGradient(row)[i].exact) < 1e-7)
      }
    }
    for x in stride(from: -6.0, through: 6, by: 0.37) {
      func gelu(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }
      let slope = (gelu(x + step) - gelu(x - step)) / (2 * step)
      #expect(abs(slope - TrainingOracle.geluSlope(x)) < 1e-8)
    }
  }

  /// Operands between guards, rows with gaps.
  struct Problem: Sendable {
    static let all = shapes.flatMap { shape in [Float(0), 0.25].map { Problem(shape, rate: $0) } }

    let shape: Shape
    let dropout: Dropout
    private let qkv, dO: [Float]
    private var expectedLogSums: [Oracle.Value] = []
    /// (rows, channels) and (rows, 3 · channels).
    private var expectedOutput, expectedGradient: [Oracle.Value]
    private var channels: Int { shape.heads * shape.size }
    private var rows: Int { shape.batch * shape.context }

    init(_ shape: Shape, rate: Float) {
      self.shape = shape
      dropout = Dropout(rate: rate, seed: 11)
      var random = RandomStream(seed: UInt64(shape.context * 100 + shape.size))
      let count = shape.batch * shape.context * shape.heads * shape.size
      (qkv, dO) = (random.floats(3 * count, spread: 2), random.floats(count))
      let empty = Oracle.Value(exact: 0, tolerance: 0)
      expectedOutput = Array(repeating: empty, count: count)
      expectedGradient = Array(repeating: empty, count: 3 * count)
      for sequence in 0..<shape.batch {
        for head in 0..<shape.heads { expect(oracle(sequence, head), sequence, head) }
      }
    }

    private mutating func expect(_ oracle: TrainingOracle.Attention, _ sequence: Int, _ head: Int) {
      let gradients = oracle.gradients()
      for query in 0..<shape.context {
        expectedLogSums.append(oracle.logSum(query))
        let row = sequence * shape.context + query
        let column = head * shape.size
        for (i, value) in oracle.output(query).enumerated() {
          expectedOutput[row * channels + column + i] = value
          for third in 0..<3 {
            expectedGradient[(3 * row + third) * channels + column + i] = gradients[third][query][i]
          }
        }
      }
    }

    /// Output, ln of sums, gradient; then the operands.
    func run(_ kernel: any Kernel) -> [GuardedFloats] {
      let (width, context) = (3 * channels, shape.context)
      let (operand, gradient) = (
        GuardedFloats(qkv, columns: width, stride: width + 3), GuardedFloats(rows * (width + 1))
      )
      gradient.base.update(repeating: 9, count: gradient.count)
      let (output, dOutput) = (GuardedFloats(rows * (channels + 2)), GuardedFloats(dO))
      output.base.update(repeating: 9, count: output.count)
      let logSums = GuardedFloats(rows * shape.heads)
      let input = Matrix(operand.base, rows: rows, columns: width, stride: width + 3)
      let target = MutableMatrix(output.base, rows: rows, columns: channels, stride: channels + 2)
      kernel.run(
        CausalAttention(
          qkv: input, batch: shape.batch, context: context, heads: shape.heads, output: target,
          logSums: logSums.base, dropout: dropout))
      kernel.run(
        CausalAttentionGradient(
          qkv: input, output: target.readOnly, logSums: logSums.base, batch: shape.batch, context: context,
          heads: shape.heads, outputGradient: Matrix(dOutput.base, rows: rows, columns: channels),
          qkvGradient: MutableMatrix(gradient.base, rows: rows, columns: width, stride: width + 1),
          dropout: dropout))
      let guardsHold = [operand, gradient, output, dOutput, logSums].allSatisfy(\.guardsHold)
      #expect(guardsHold)
      return [output, logSums, gradient]
    }

    func oracle(_ sequence: Int, _ head: Int) -> TrainingOracle.Attention {
      let part = sequence * shape.heads + head
      func third(_ index: Int) -> [[Double]] {
        (0..<shape.context).map { row in
          let first =
            (sequence * shape.context + row) * 3 * channels + index * channels + head * shape.size
          return qkv[first..<first + shape.size].map(Double.init)
        }
      }
      let gradient = (0..<shape.context).map { row in
        let first = (sequence * shape.context + row) * channels + head * shape.size
        return dO[first..<first + shape.size].map(Double.init)
      }
      return TrainingOracle.Attention(q: third(0), k: third(1), v: third(2), dO: gradient) {
        [dropout, shape] query, key in
        Double(dropout.factor((part * shape.context + query) * shape.context + key))
      }
    }

    /// What is wrong; nil for nothing.
    func fault(_ kernel: any Kernel) -> String? {
      let buffers = run(kernel)
      for (index, value) in expectedLogSums.enumerated() where !value.allows(buffers[1].base[index]) {
        return "\(shape): ln of sum \(index) is \(buffers[1].base[index]), expected \(value)"
      }
      for (place, values) in [(0, expectedOutput), (2, expectedGradient)] {
        let columns = values.count / rows
        let stride = buffers[place].count / rows
        for (index, value) in values.enumerated() {
          let found = buffers[place].base[index / columns * stride + index % columns]
          if !value.allows(found) {
            return
              "\(shape): (\(index / columns), \(index % columns)) of \(place) is \(found), expected \(value)"
          }
        }
      }
      return nil
    }
  }
}
