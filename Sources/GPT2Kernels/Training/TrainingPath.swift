/// How a kernel runs what only training needs.
public enum TrainingPath: Sendable, Equatable {
  /// The formulas word for word: the oracle.
  case reference
  /// Gradients of linear layers by the kernel's own products, the rest as the formulas are.
  case products
  /// Gradients of linear layers likewise, the rest with vectors of that many floats: 4, 8 or 16.
  case vectors(of: Int)
}

/// The operations of training. Each is cut into parts that share no reduction, which go through `forEach`; so they have
/// the kernel's threads, and give the same bits on any number of them.
extension Kernel {
  public func run(_ operation: LinearGradient) {
    if trainingPath == .reference { operation.runByTheFormula(on: self) } else { operation.runAsProducts(on: self) }
  }

  public func run(_ operation: LayerNormGradient) { operation.runByTheFormula(on: self) }
  public func run(_ operation: GELUGradient) { operation.runByTheFormula(on: self) }
  public func run(_ operation: CausalAttention) { operation.runByTheFormula(on: self) }
  public func run(_ operation: CausalAttentionGradient) { operation.runByTheFormula(on: self) }
  public func run(_ operation: CrossEntropy) { operation.runByTheFormula(on: self) }
}
