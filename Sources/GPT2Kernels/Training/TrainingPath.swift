/// How a kernel runs what only training needs.
public enum TrainingPath: Sendable, Equatable {
  /// The formulas word for word: the oracle.
  case reference
  /// Gradients of linear layers by the kernel's own products, the rest as the formulas are.
  case products
  /// Gradients of linear layers likewise, the rest with vectors of that many floats: 4, 8 or 16.
  case vectors(of: Int)

  @inline(__always)
  fileprivate func pick(
    _ formula: () -> Void, _ four: () -> Void, _ eight: () -> Void, _ sixteen: () -> Void
  ) {
    switch self {
    case .reference, .products: formula()
    case .vectors(of: 4): four()
    case .vectors(of: 8): eight()
    case .vectors: sixteen()
    }
  }
}

/// The operations of training. Each is cut into parts that share no reduction, which go through `forEach`; so they have
/// the kernel's threads, and give the same bits on any number of them. Each case names its vector, so that the compiler
/// specialises every one of them.
extension Kernel {
  public func run(_ work: LinearGradient) {
    if trainingPath == .reference { work.runByTheFormula(on: self) } else { work.runAsProducts(on: self) }
  }

  public func run(_ work: LayerNormGradient) {
    trainingPath.pick(
      { work.runByTheFormula(on: self) }, { work.run(on: self, as: SIMD4<Float>.self) },
      { work.run(on: self, as: SIMD8<Float>.self) }, { work.run(on: self, as: SIMD16<Float>.self) })
  }

  public func run(_ work: GELUGradient) {
    trainingPath.pick(
      { work.runByTheFormula(on: self) }, { work.run(on: self, as: SIMD4<Float>.self) },
      { work.run(on: self, as: SIMD8<Float>.self) }, { work.run(on: self, as: SIMD16<Float>.self) })
  }

  public func run(_ work: CrossEntropy) {
    trainingPath.pick(
      { work.runByTheFormula(on: self) }, { work.run(on: self, as: SIMD4<Float>.self) },
      { work.run(on: self, as: SIMD8<Float>.self) }, { work.run(on: self, as: SIMD16<Float>.self) })
  }

  public func run(_ work: CausalAttention) {
    trainingPath.pick(
      { work.runByTheFormula(on: self) }, { work.run(on: self, as: SIMD4<Float>.self) },
      { work.run(on: self, as: SIMD8<Float>.self) }, { work.run(on: self, as: SIMD16<Float>.self) })
  }

  public func run(_ work: CausalAttentionGradient) {
    trainingPath.pick(
      { work.runByTheFormula(on: self) }, { work.run(on: self, as: SIMD4<Float>.self) },
      { work.run(on: self, as: SIMD8<Float>.self) }, { work.run(on: self, as: SIMD16<Float>.self) })
  }
}
