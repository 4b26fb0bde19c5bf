/// How a kernel runs what only training needs.
public enum TrainingPath: Sendable, Equatable {
  /// The formulas word for word: the oracle.
  case reference
  /// Gradients of linear layers by the kernel's own products, the rest as the formulas are.
  case products
  /// Gradients of linear layers likewise, the rest with vectors of that many floats: 4, 8 or 16.
  case vectors(of: Int)
}

/// What training computes by its formula, or with vectors.
protocol VectorWork {
  func runByTheFormula(on kernel: some Kernel)
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type)
}

/// The operations of training. Each is cut into parts that share no reduction, which go through `forEach`; so they have
/// the kernel's threads, and give the same bits on any number of them.
extension Kernel {
  public func run(_ work: LinearGradient) {
    if trainingPath == .reference { work.runByTheFormula(on: self) } else { work.runAsProducts(on: self) }
  }

  public func run(_ work: LayerNormGradient) { pick(work) }
  public func run(_ work: GELUGradient) { pick(work) }
  public func run(_ work: CrossEntropy) { pick(work) }
  public func run(_ work: CausalAttention) { pick(work) }
  public func run(_ work: CausalAttentionGradient) { pick(work) }

  /// Inlined where the work is known, and each case names its vector, so that the compiler specialises every one of them.
  @inline(__always)
  private func pick(_ work: some VectorWork) {
    switch trainingPath {
    case .reference, .products: work.runByTheFormula(on: self)
    case .vectors(of: 4): work.run(on: self, as: SIMD4<Float>.self)
    case .vectors(of: 8): work.run(on: self, as: SIMD8<Float>.self)
    case .vectors: work.run(on: self, as: SIMD16<Float>.self)
    }
  }
}

extension LayerNormGradient: VectorWork {}
extension GELUGradient: VectorWork {}
extension CrossEntropy: VectorWork {}
extension CausalAttention: VectorWork {}
extension CausalAttentionGradient: VectorWork {}
