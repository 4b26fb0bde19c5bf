import GPT2Kernels
import GPT2Model

/// Says where in one piece of memory each tensor goes, one behind the other, before any is moved: so that they can
/// be moved by several threads at once.
struct PreparationPlan {
  let checkpoint: Checkpoint
  let layout: WeightLayout
  /// Where the next tensor goes.
  private(set) var next: UnsafeMutablePointer<Float>
  private var moves: [Move] = []

  private struct Move: @unchecked Sendable {
    let source: UnsafeBufferPointer<Float>
    let target: UnsafeMutablePointer<Float>
    /// Of a matrix that is laid out anew; nil for a plain copy.
    let shape: PreparedWeights.Shape?
  }

  /// Floats of one plain copy, a few megabytes.
  private static let slice = 1 << 20

  init(checkpoint: Checkpoint, layout: WeightLayout, next: UnsafeMutablePointer<Float>) {
    self.checkpoint = checkpoint
    self.layout = layout
    self.next = next
  }

  mutating func layer(_ index: Int) -> PreparedWeights.Layer {
    let matrices = PreparedWeights.matrices(of: checkpoint.configuration).map { matrix($0, index) }
    return PreparedWeights.Layer(
      norm1Weight: vector(.norm1Weight, index), norm1Bias: vector(.norm1Bias, index),
      qkv: matrices[0], qkvBias: vector(.qkvBias, index), projection: matrices[1],
      projectionBias: vector(.projectionBias, index), norm2Weight: vector(.norm2Weight, index),
      norm2Bias: vector(.norm2Bias, index), up: matrices[2], upBias: vector(.upBias, index),
      down: matrices[3], downBias: vector(.downBias, index))
  }

  /// The values as they are.
  mutating func copy(_ source: UnsafeBufferPointer<Float>) -> UnsafePointer<Float> {
    let target = next
    for first in stride(from: 0, to: source.count, by: Self.slice) {
      let part = UnsafeBufferPointer(rebasing: source[first..<min(first + Self.slice, source.count)])
      moves.append(Move(source: part, target: target + first, shape: nil))
    }
    next += source.count
    return UnsafePointer(target)
  }

  private mutating func vector(_ parameter: LayerParameter, _ layer: Int) -> Vector {
    let source = checkpoint.tensor(parameter, layer: layer)
    return Vector(copy(source), count: source.count)
  }

  private mutating func matrix(_ shape: PreparedWeights.Shape, _ layer: Int) -> Weight {
    let source = checkpoint.tensor(shape.parameter, layer: layer)
    moves.append(Move(source: source, target: next, shape: shape))
    defer { next += layout.count(outputs: shape.outputs, inputs: shape.inputs) }
    return Weight(next, outputs: shape.outputs, inputs: shape.inputs, layout: layout)
  }

  /// Moves everything, each tensor by one of the kernel's threads.
  func carryOut(on kernel: some Kernel) {
    kernel.forEach(moves.count) { index in
      let move = moves[index]
      checkpoint.willRead(move.source)
      if let shape = move.shape {
        layout.store(
          conv1D: move.source.baseAddress!, inputs: shape.inputs, outputs: shape.outputs, to: move.target)
      } else {
        move.target.update(from: move.source.baseAddress!, count: move.source.count)
      }
      checkpoint.releasePages(of: move.source)
    }
    checkpoint.releaseAllPages()
  }
}
