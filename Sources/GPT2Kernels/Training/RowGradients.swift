import Foundation

/// The gradients of a layer norm, y = x̂ · w + b with x̂ = (x − mean) / √(variance + ε), from that of its output:
/// dx += (d − mean(d) − x̂ · mean(d · x̂)) / √(variance + ε) with d = dy · w, dw += Σ dy · x̂, db += Σ dy over the rows.
public struct LayerNormGradient: @unchecked Sendable {
  /// (rows, channels)
  public let input: Matrix
  /// (channels)
  public let weight: Vector
  public let epsilon: Float
  /// (rows, channels)
  public let outputGradient: Matrix
  /// (rows, channels), which grow: the residual stream's. No operand's memory.
  public let inputGradient: MutableMatrix
  /// (channels), which grow.
  public let weightGradient, biasGradient: UnsafeMutablePointer<Float>
  /// As many floats as `scratchCount` says: what rows leave for the columns' sums.
  public let scratch: UnsafeMutablePointer<Float>

  public init(
    input: Matrix, weight: Vector, epsilon: Float, outputGradient: Matrix, inputGradient: MutableMatrix,
    weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    assert(weight.count == input.columns)
    assert(outputGradient.rows == input.rows && outputGradient.columns == input.columns)
    assert(inputGradient.rows == input.rows && inputGradient.columns == input.columns)
    (self.input, self.weight, self.epsilon) = (input, weight, epsilon)
    (self.outputGradient, self.inputGradient) = (outputGradient, inputGradient)
    (self.weightGradient, self.biasGradient, self.scratch) = (weightGradient, biasGradient, scratch)
  }

  /// Floats of scratch that so many rows take.
  public static func scratchCount(rows: Int) -> Int { 2 * rows }

  /// Of each row, in scratch.
  var means: UnsafeMutablePointer<Float> { scratch }
  /// 1/√(variance + ε) of each row, in scratch.
  var inverses: UnsafeMutablePointer<Float> { scratch + input.rows }
}

extension LayerNormGradient {
  /// Rows first, each on its own, which leave their mean and their inverse deviation for the columns' sums.
  func runByTheFormula(on kernel: some Kernel) {
    let (rows, channels) = (input.rows, input.columns)
    let (means, inverses) = (means, inverses)
    kernel.forEach(rows) { row in
      let (x, dy, dx) = (input.row(row), outputGradient.row(row), inputGradient.row(row))
      var sum: Float = 0
      for i in 0..<channels { sum += x[i] }
      let mean = sum / Float(channels)
      var squares: Float = 0
      for i in 0..<channels { squares += (x[i] - mean) * (x[i] - mean) }
      let inverse = 1 / (squares / Float(channels) + epsilon).squareRoot()
      var (total, product): (Float, Float) = (0, 0)
      for i in 0..<channels {
        let d = dy[i] * weight.base[i]
        total += d
        product += d * ((x[i] - mean) * inverse)
      }
      for i in 0..<channels {
        let (d, normal) = (dy[i] * weight.base[i], (x[i] - mean) * inverse)
        dx[i] += (d - total / Float(channels) - normal * product / Float(channels)) * inverse
      }
      (means[row], inverses[row]) = (mean, inverse)
    }
    kernel.forEach(channels) { channel in
      var (products, sum): (Float, Float) = (0, 0)
      for row in 0..<rows {
        let dy = outputGradient.row(row)[channel]
        products += dy * ((input.row(row)[channel] - means[row]) * inverses[row])
        sum += dy
      }
      weightGradient[channel] += products
      biasGradient[channel] += sum
    }
  }
}

/// dx ← dx · gelu′(x), in place, of `GELU`'s approximation: with u = √(2/π) (x + 0.044715 x³) it is
/// ½ (1 + tanh u) + ½ x (1 − tanh² u) · √(2/π) (1 + 3 · 0.044715 x²).
public struct GELUGradient: @unchecked Sendable {
  /// What GELU was taken of.
  public let inputs: UnsafePointer<Float>
  public let gradient: UnsafeMutablePointer<Float>
  public let count: Int

  public init(inputs: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int) {
    (self.inputs, self.gradient, self.count) = (inputs, gradient, count)
  }

  /// Elements of one part.
  static var part: Int { 4096 }

  func runByTheFormula(on kernel: some Kernel) {
    let scale = (2 / Float.pi).squareRoot()
    kernel.forEachPiece(of: count, size: Self.part) { piece in
      for i in piece {
        let x = inputs[i]
        let tangent = tanhf(scale * (x + 0.044715 * x * x * x))
        let slope = scale * (1 + 3 * 0.044715 * x * x)
        gradient[i] *= 0.5 * (1 + tangent) + 0.5 * x * (1 - tangent * tangent) * slope
      }
    }
  }
}
