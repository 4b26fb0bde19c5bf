import CSystem
import Foundation
import GPT2Kernels
import GPT2Model

/// AdamW as PyTorch has it (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv 1711.05101), in
/// one pass over parameters, gradients and moments, which leaves the gradients zero. Blocks of fixed places are shared
/// out between the kernel's threads, so the bits do not depend on their number.
final class AdamW {
  private let memory: TrainingMemory
  private let kernel: any Kernel
  private let blocks: [Block]
  /// Of each block's gradients, the sum of squares.
  private var squares: [Double]

  private struct Block {
    let first, count: Int
    let decays: Bool
  }

  /// What one step multiplies and adds.
  struct Step {
    let learningRate: Double
    /// The step's number, from 1 on.
    let number: Int
    /// What the gradients are multiplied with first.
    let gradientScale: Double
  }

  /// Floats of a block: its gradients stay in the second-level cache.
  private static let blockSize = 1 << 14

  init(_ memory: TrainingMemory, kernel: any Kernel) {
    (self.memory, self.kernel) = (memory, kernel)
    var blocks: [Block] = []
    for (parameter, offset) in zip(memory.space.parameters, memory.space.offsets) {
      let end = FloatBuffer.room(for: parameter.count)
      for first in stride(from: 0, to: end, by: Self.blockSize) {
        blocks.append(
          Block(
            first: offset + first, count: min(Self.blockSize, end - first), decays: parameter.shape.count > 1)
        )
      }
    }
    self.blocks = blocks
    squares = Array(repeating: 0, count: blocks.count)
  }

  /// √Σg² of all gradients. Each block is summed in eight lanes of Double, and the blocks in their order.
  func gradientNorm() -> Double {
    let gradients = memory.gradients.base
    squares.withUnsafeMutableBufferPointer { squares in
      kernel.forEach(blocks.count) { index in
        let block = blocks[index]
        squares[index] = sumOfSquares(gradients + block.first, count: block.count)
      }
    }
    return squares.reduce(0, +).squareRoot()
  }

  func clearGradients() {
    let gradients = memory.gradients.base
    kernel.forEach(blocks.count) { index in
      (gradients + blocks[index].first).update(repeating: 0, count: blocks[index].count)
    }
  }

  /// One step: with g the gradient, scaled, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
  /// p ← (1 − ηλ)p − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε), g ← 0; λ is 0 for norms and biases.
  func update(_ step: Step, _ options: TrainingOptions) {
    let number = Double(step.number)
    let keepsDecaying = Float(1 - step.learningRate * options.weightDecay)
    let factors = Factors(
      gradientScale: Float(step.gradientScale), beta2: Float(options.beta2),
      newShare1: Float(1 - options.beta1), newShare2: Float(1 - options.beta2),
      stepSize: Float(step.learningRate / (1 - pow(options.beta1, number))),
      inverseRoot: Float(1 / (1 - pow(options.beta2, number)).squareRoot()),
      epsilon: Float(options.epsilon))
    let (parameters, gradients) = (memory.parameters.base, memory.gradients.base)
    let (first, second) = (memory.firstMoments.base, memory.secondMoments.base)
    kernel.forEach(blocks.count) { index in
      let block = blocks[index]
      factors.update(
        parameters + block.first, gradients + block.first, first + block.first, second + block.first,
        count: block.count, keep: block.decays ? keepsDecaying : 1)
    }
  }
}

/// Of one step, the same for all parameters.
private struct Factors {
  let gradientScale, beta2, newShare1, newShare2, stepSize, inverseRoot, epsilon: Float

  /// - Parameter count: a multiple of eight.
  @inline(never)
  func update(
    _ parameters: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int, keep: Float
  ) {
    var i = 0
    while i < count {
      let g = SIMD8(reading: gradients + i) * gradientScale
      var m = SIMD8(reading: first + i)
      m = m + (g - m) * newShare1
      let v = SIMD8(reading: second + i) * beta2 + g * g * newShare2
      let change = m / (csystem_square_roots(v) * inverseRoot + epsilon)
      (SIMD8(reading: parameters + i) * keep - change * stepSize).write(to: parameters + i)
      m.write(to: first + i)
      v.write(to: second + i)
      SIMD8<Float>(repeating: 0).write(to: gradients + i)
      i &+= 8
    }
  }
}

/// - Parameter count: a multiple of eight.
@inline(never)
private func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
  var sums = SIMD8<Double>(repeating: 0)
  var i = 0
  while i < count {
    let x = SIMD8<Double>(SIMD8(reading: values + i))
    sums = sums + x * x
    i &+= 8
  }
  return sums.sum()
}

extension SIMD8<Float> {
  @inline(__always)
  fileprivate init(reading source: UnsafePointer<Float>) {
    self = UnsafeRawPointer(source).loadUnaligned(as: Self.self)
  }

  @inline(__always)
  fileprivate func write(to target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: self, as: Self.self)
  }
}
