import Foundation

/// Softmax, cross-entropy and its gradient, in place: the logits of a row become (softmax − onehot(target)) · scale, its
/// loss −ln p(target).
public struct CrossEntropy: @unchecked Sendable {
  /// (rows, vocabulary). Unspecified afterwards where nobody wants the gradient.
  public let logits: MutableMatrix
  /// (rows), each below the vocabulary's size.
  public let targets: UnsafePointer<Int32>
  /// (rows), in nats. Not a number where a logit is none, or infinite.
  public let losses: UnsafeMutablePointer<Float>
  /// What the sum of all losses is multiplied with for the loss that is differentiated, 1/rows for their mean; nil for no
  /// gradient.
  public let scale: Float?

  public init(
    logits: MutableMatrix, targets: UnsafePointer<Int32>, losses: UnsafeMutablePointer<Float>, scale: Float?
  ) {
    (self.logits, self.targets, self.losses, self.scale) = (logits, targets, losses, scale)
  }
}

extension CrossEntropy {
  func runByTheFormula(on kernel: some Kernel) {
    let vocabulary = logits.columns
    kernel.forEach(logits.rows) { row in
      let (x, target) = (logits.row(row), Int(targets[row]))
      assert(target >= 0 && target < vocabulary)
      var maximum = -Float.infinity
      for i in 0..<vocabulary { maximum = max(maximum, x[i]) }
      let ofTheTarget = x[target] - maximum
      var sum: Float = 0
      for i in 0..<vocabulary {
        x[i] = expf(x[i] - maximum)
        sum += x[i]
      }
      losses[row] = logf(sum) - ofTheTarget
      guard let scale else { return }
      for i in 0..<vocabulary { x[i] = x[i] / sum * scale }
      x[target] -= scale
    }
  }
}

/// What token and position embeddings gain from the gradient of their sums. A token that stands in several rows gains
/// theirs in the order of the rows.
public struct EmbeddingGradient: @unchecked Sendable {
  /// (batch · context)
  public let tokens: UnsafePointer<Int32>
  public let batch, context: Int
  /// (batch · context, channels)
  public let gradient: Matrix
  /// (vocabulary, channels), which grow.
  public let tokenGradient: UnsafeMutablePointer<Float>
  /// (context, channels), which grow.
  public let positionGradient: UnsafeMutablePointer<Float>

  public init(
    tokens: UnsafePointer<Int32>, batch: Int, context: Int, gradient: Matrix,
    tokenGradient: UnsafeMutablePointer<Float>, positionGradient: UnsafeMutablePointer<Float>
  ) {
    assert(gradient.rows == batch * context)
    (self.tokens, self.batch, self.context, self.gradient) = (tokens, batch, context, gradient)
    (self.tokenGradient, self.positionGradient) = (tokenGradient, positionGradient)
  }
}

extension Kernel {
  /// A part is some channels of all rows, in their order.
  public func run(_ operation: EmbeddingGradient) {
    let channels = operation.gradient.columns
    forEachPiece(of: channels, size: 64) { piece in
      let (first, count) = (piece.lowerBound, piece.count)
      for row in 0..<operation.gradient.rows {
        let source = operation.gradient.row(row) + first
        let token = operation.tokenGradient + (Int(operation.tokens[row]) * channels + first)
        let position = operation.positionGradient + (row % operation.context * channels + first)
        for channel in 0..<count { token[channel] += source[channel] }
        for channel in 0..<count { position[channel] += source[channel] }
      }
    }
  }
}
