import Foundation
import TestSupport
import Testing

@testable import GPT2Kernels

/// Each operation of training against the formula in Double, and its bits on other numbers of threads.
struct TrainingOperationTests {
  /// Around vectors, tiles and panels.
  static let sizes = [1, 7, 8, 9, 15, 17, 63, 65]

  struct Shape: Sendable, CustomTestStringConvertible {
    let m, n, k: Int
    var testDescription: String { "\(m) × \(n) × \(k)" }
  }

  /// Each size as rows, as outputs and as inputs, beside others; and more rows than a block of the gradient has.
  static let shapes =
    sizes.indices.flatMap { i in
      [(0, 3), (3, 5), (6, 1)].map { a, b in
        Shape(m: sizes[i], n: sizes[(i + a) % sizes.count], k: sizes[(i + b) % sizes.count])
      }
    } + [Shape(m: 5, n: 2051, k: 9), Shape(m: 5, n: 9, k: 2051), Shape(m: 41, n: 100, k: 800)]

  @Test(arguments: KernelCase.all + KernelCase.narrow)
  func gradientsOfALinearLayerMatchTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for problem in LinearProblem.all { expectNil(problem.fault(kernel)) }
  }

  @Test(arguments: KernelCase.all)
  func gradientsOfALayerNormMatchTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for (index, channels) in (Self.sizes + [768]).enumerated() {
      let rows = Self.sizes[(index * 3 + 1) % Self.sizes.count]
      var random = RandomStream(seed: UInt64(channels))
      let (x, dy) = (random.floats(rows * channels, center: 0.5, spread: 2), random.floats(rows * channels))
      let (weight, start) = (random.floats(channels, center: 1), random.floats(rows * channels))
      let (dw, db) = (random.floats(channels), random.floats(channels))
      let (input, gradient) = (
        GuardedFloats(x, columns: channels, stride: channels + 3),
        GuardedFloats(start, columns: channels, stride: channels + 5)
      )
      let (outputs, weights, dWeight, dBias) = (
        GuardedFloats(dy), GuardedFloats(weight), GuardedFloats(dw), GuardedFloats(db)
      )
      let scratch = GuardedFloats(LayerNormGradient.scratchCount(rows: rows))
      kernel.run(
        LayerNormGradient(
          input: Matrix(input.base, rows: rows, columns: channels, stride: channels + 3),
          weight: Vector(weights.base, count: channels), epsilon: 1e-5,
          outputGradient: Matrix(outputs.base, rows: rows, columns: channels),
          inputGradient: MutableMatrix(gradient.base, rows: rows, columns: channels, stride: channels + 5),
          weightGradient: dWeight.base, biasGradient: dBias.base, scratch: scratch.base))
      let oracle = TrainingOracle.LayerNorm(
        x: Self.rows(x, channels), weight: [weight.map(Double.init)], dy: Self.rows(dy, channels),
        epsilon: 1e-5)
      for row in 0..<rows {
        for (channel, value) in oracle.inputGradient(row).enumerated() {
          let before = Double(start[row * channels + channel])
          let sum = Oracle.Value(
            exact: value.exact + before,
            tolerance: value.tolerance + 2 * Oracle.unitRoundoff * (abs(before) + abs(value.exact)))
          #expect(sum.allows(gradient.base[row * (channels + 5) + channel]))
        }
      }
      for channel in 0..<channels {
        #expect(oracle.weightGradient(channel, from: Double(dw[channel])).allows(dWeight.base[channel]))
        let sum = TrainingOracle.sum(
          Double(db[channel]), (0..<rows).map { Double(dy[$0 * channels + channel]) })
        #expect(sum.allows(dBias.base[channel]))
      }
      let guardsHold = [input, gradient, outputs, weights, dWeight, dBias, scratch].allSatisfy(\.guardsHold)
      #expect(guardsHold)
    }
  }

  @Test(arguments: KernelCase.all)
  func theSlopeOfGELUMatchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for count in Self.sizes + [9001] {
      var random = RandomStream(seed: UInt64(count))
      var x = random.floats(count, spread: 8)
      for (index, extreme) in [-1e4, 1e4, -0.75, 0].enumerated() where index < count {
        x[index] = Float(extreme)
      }
      let dy = random.floats(count)
      let (inputs, gradient) = (GuardedFloats(x), GuardedFloats(dy))
      kernel.run(GELUGradient(inputs: inputs.base, gradient: gradient.base, count: count))
      for i in 0..<count {
        let slope = TrainingOracle.geluSlope(Double(x[i]))
        let size = (2 + abs(Double(x[i]).clamped(to: -8...8))) * abs(Double(dy[i]))
        let value = Oracle.Value(exact: slope * Double(dy[i]), tolerance: 8 * Oracle.unitRoundoff * size)
        #expect(value.allows(gradient.base[i]), "\(x[i])")
      }
      #expect(inputs.guardsHold && gradient.guardsHold)
    }
  }

  @Test(arguments: KernelCase.all)
  func crossEntropyMatchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for (index, vocabulary) in (Self.sizes + [1021]).enumerated() {
      let rows = [1, 3, 8][index % 3]
      var random = RandomStream(seed: UInt64(vocabulary))
      let logits = random.floats(rows * vocabulary, center: 40, spread: 20)
      let targets = random.ids(rows, below: vocabulary).map(Int32.init)
      let stride = vocabulary + 3
      for keepsGradient in [true, false] {
        let buffer = GuardedFloats(logits, columns: vocabulary, stride: stride)
        let losses = GuardedFloats(rows)
        targets.withUnsafeBufferPointer {
          kernel.run(
            CrossEntropy(
              logits: MutableMatrix(buffer.base, rows: rows, columns: vocabulary, stride: stride),
              targets: $0.baseAddress!, losses: losses.base, scale: keepsGradient ? 0.125 : nil))
        }
        for row in 0..<rows {
          let x = (0..<vocabulary).map { Double(logits[row * vocabulary + $0]) }
          let (probabilities, target) = (Oracle.softmax(x), Int(targets[row]))
          // The difference to the largest rounds, as do the power, the sum and the quotient.
          let relative = (40 + 12) * Oracle.unitRoundoff + 2 * Oracle.sumFactor(vocabulary)
          let loss = -log(probabilities[target])
          #expect(
            Oracle.Value(exact: loss, tolerance: relative + 4 * Oracle.unitRoundoff * (loss + 40))
              .allows(losses.base[row]))
          guard keepsGradient else { continue }
          for i in 0..<vocabulary {
            let exact = (probabilities[i] - (i == target ? 1 : 0)) * 0.125
            let size = (probabilities[i] + (i == target ? 1 : 0)) * 0.125
            #expect(
              Oracle.Value(exact: exact, tolerance: relative * size + 0x1p-120)
                .allows(buffer.base[row * stride + i]))
          }
        }
        #expect(buffer.guardsHold && losses.guardsHold)
      }
    }
  }

  /// A logit that is none shows in its row's loss and in no other.
  @Test(arguments: KernelCase.all, [Float.nan, .infinity])
  func aLossOfWhatIsNoNumberIsNone(_ kernelCase: KernelCase, _ spoilt: Float) {
    let kernel = kernelCase.kernel()
    let logits = GuardedFloats([1, 2, 3, 4, spoilt, 6, 7, 8, 9] as [Float])
    let losses = GuardedFloats(3)
    let targets: [Int32] = [0, 0, 2]
    targets.withUnsafeBufferPointer {
      kernel.run(
        CrossEntropy(
          logits: MutableMatrix(logits.base, rows: 3, columns: 3), targets: $0.baseAddress!,
          losses: losses.base, scale: 1))
    }
    #expect(losses.base[0].isFinite && losses.base[1].isNaN && losses.base[2].isFinite)
  }

  @Test(arguments: KernelCase.all)
  func embeddingsGainTheirRowsInOrder(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let (batch, context, vocabulary) = (3, 5, 4)
    for channels in Self.sizes {
      var random = RandomStream(seed: UInt64(channels))
      let tokens = random.ids(batch * context, below: vocabulary).map(Int32.init)
      let gradient = random.floats(batch * context * channels)
      var (byToken, byPosition) = (random.floats(vocabulary * channels), random.floats(context * channels))
      let (tokenGradient, positionGradient) = (GuardedFloats(byToken), GuardedFloats(byPosition))
      let source = GuardedFloats(gradient)
      tokens.withUnsafeBufferPointer {
        kernel.run(
          EmbeddingGradient(
            tokens: $0.baseAddress!, batch: batch, context: context,
            gradient: Matrix(source.base, rows: batch * context, columns: channels),
            tokenGradient: tokenGradient.base, positionGradient: positionGradient.base))
      }
      for row in 0..<batch * context {
        for channel in 0..<channels {
          byToken[Int(tokens[row]) * channels + channel] += gradient[row * channels + channel]
          byPosition[row % context * channels + channel] += gradient[row * channels + channel]
        }
      }
      expectEqual(tokenGradient.values, byToken)
      expectEqual(positionGradient.values, byPosition)
      #expect(tokenGradient.guardsHold && positionGradient.guardsHold && source.guardsHold)
    }
  }

  @Test(arguments: KernelCase.all)
  func dropoutIsAFunctionOfSeedAndIndex(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let count = 40_001
    for rate in [Float(0), 0.1, 0.5] {
      let dropout = Dropout(rate: rate, seed: 7)
      let values = GuardedFloats([Float](repeating: 2, count: count))
      kernel.run(DropoutScaling(values.base, count: count, dropout: dropout))
      let kept = values.values.filter { $0 != 0 }
      #expect(kept.allSatisfy { $0 == 2 * (1 / (1 - rate)) })
      let deviation = (Double(rate) * (1 - Double(rate)) / Double(count)).squareRoot()
      #expect(abs(1 - Double(kept.count) / Double(count) - Double(rate)) <= 4 * deviation)
      for index in stride(from: 0, to: count, by: 97) {
        expectEqual(values.base[index], 2 * dropout.factor(index))
      }
      #expect(values.guardsHold)
    }
  }

  /// Indices go on where the lower 32 bits begin anew, and neighbours and seeds share nothing.
  @Test func dropoutKnowsLongIndicesAndSeeds() {
    let dropout = Dropout(rate: 0.5, seed: 3)
    let first = (1 << 32) - 100
    var values = [Float](repeating: 1, count: 200)
    values.withUnsafeMutableBufferPointer { dropout.scale($0.baseAddress!, count: 200, from: first) }
    #expect(values == (0..<200).map { dropout.factor(first + $0) })
    func mask(_ dropout: Dropout, from first: Int) -> [Bool] {
      (0..<4096).map { dropout.factor(first + $0) == 0 }
    }
    let masks = [
      mask(dropout, from: 0), mask(dropout, from: 1 << 32), mask(Dropout(rate: 0.5, seed: 4), from: 0),
    ]
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
      let same = zip(masks[a], masks[b]).filter { $0 == $1 }.count
      #expect(abs(same - 2048) < 4 * 32)
    }
    let neighbours = zip(masks[0], masks[0].dropFirst()).filter { $0 == $1 }.count
    #expect(abs(neighbours - 2048) < 4 * 32)
  }

  static func rows(_ values: [Float], _ columns: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: columns).map { first in
      values[first..<first + columns].map(Double.init)
    }
  }
}

extension Double {
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}

/// A linear layer's gradients on operands between guards.
struct LinearProblem: Sendable {
  static let all = TrainingOperationTests.shapes.flatMap { shape in
    [WeightLayout.rows, .columns].map { LinearProblem(shape, $0) }
  }

  let shape: TrainingOperationTests.Shape
  let layout: WeightLayout
  private let x, dy, w, dw, db: [Float]
  /// (m, k), (n, k) and (n).
  private let inputGradient, weightGradient, biasGradient: [Oracle.Value]

  init(_ shape: TrainingOperationTests.Shape, _ layout: WeightLayout) {
    (self.shape, self.layout) = (shape, layout)
    let (m, n, k) = (shape.m, shape.n, shape.k)
    var random = RandomStream(seed: UInt64(m * 1_000_000 + n * 1000 + k))
    (x, dy, w) = (random.floats(m * k), random.floats(m * n), random.floats(n * k))
    (dw, db) = (random.floats(n * k), random.floats(n))
    let (weights, start) = (Self.rows(w, layout, n, k), Self.rows(dw, layout, n, k))
    let outputs = Self.transposed(dy, m, n)
    inputGradient = Oracle.linear(dy, Self.transposed(weights, n, k), bias: nil, m: m, n: k, k: n)
    weightGradient = zip(
      start, Oracle.linear(outputs, Self.transposed(x, m, k), bias: nil, m: n, n: k, k: m)
    ).map { Self.sum($0, $1) }
    let ones = [Float](repeating: 1, count: m)
    biasGradient = zip(db, Oracle.linear(outputs, ones, bias: nil, m: n, n: 1, k: m)).map { Self.sum($0, $1) }
  }

  /// What a float is after something was added to it.
  private static func sum(_ start: Float, _ value: Oracle.Value) -> Oracle.Value {
    let size = abs(Double(start)) + abs(value.exact)
    return Oracle.Value(
      exact: Double(start) + value.exact, tolerance: value.tolerance + 2 * Oracle.unitRoundoff * size)
  }

  private static func transposed(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
  }

  /// A matrix in that layout as (outputs, inputs).
  private static func rows(_ values: [Float], _ layout: WeightLayout, _ outputs: Int, _ inputs: Int)
    -> [Float]
  {
    layout == .rows ? values : transposed(values, inputs, outputs)
  }

  /// The gradients of input, matrix and bias.
  func run(_ kernel: any Kernel) -> [GuardedFloats] {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    let (input, outputs, weight) = (GuardedFloats(x), GuardedFloats(dy), GuardedFloats(w))
    let gradients = [GuardedFloats(m * (k + 3)), GuardedFloats(dw), GuardedFloats(db)]
    let scratch = GuardedFloats(LinearGradient.scratchCount(m: m, n: n, k: k, layout: layout))
    kernel.run(
      LinearGradient(
        input: Matrix(input.base, rows: m, columns: k),
        weight: Weight(weight.base, outputs: n, inputs: k, layout: layout),
        outputGradient: Matrix(outputs.base, rows: m, columns: n),
        inputGradient: MutableMatrix(gradients[0].base, rows: m, columns: k, stride: k + 3),
        weightGradient: gradients[1].base, biasGradient: gradients[2].base, scratch: scratch.base))
    return gradients + [input, outputs, weight, scratch]
  }

  /// What is wrong; nil for nothing.
  func fault(_ kernel: any Kernel) -> String? {
    let (n, k) = (shape.n, shape.k)
    let buffers = run(kernel)
    for (index, value) in inputGradient.enumerated() {
      let found = buffers[0].base[index / k * (k + 3) + index % k]
      if !value.allows(found) { return "\(shape) \(layout): dX \(index) is \(found), expected \(value)" }
    }
    let gradient = Self.rows(buffers[1].values, layout, n, k)
    for (index, value) in weightGradient.enumerated() where !value.allows(gradient[index]) {
      return "\(shape) \(layout): dW \(index) is \(gradient[index]), expected \(value)"
    }
    for (index, value) in biasGradient.enumerated() where !value.allows(buffers[2].base[index]) {
      return "\(shape) \(layout): db \(index) is \(buffers[2].base[index]), expected \(value)"
    }
    return buffers.allSatisfy(\.guardsHold) ? nil : "\(shape): wrote outside a buffer"
  }
}
