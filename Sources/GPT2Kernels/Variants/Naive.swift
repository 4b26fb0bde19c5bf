extension Variant {
  static let naive = Variant(
    name: "naive",
    summary: "triple loop, one accumulator; the whole sequence again for each token",
    kernel: { _ in Naive() })
}

/// The reference operations, with nothing changed.
struct Naive: DivisibleKernel {}
