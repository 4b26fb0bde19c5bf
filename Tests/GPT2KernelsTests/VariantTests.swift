import GPT2Kernels
import TestSupport
import Testing

/// A result depends on its own operands only: not on the rows beside it, the part it was computed in or the number
/// of threads, bit for bit.
struct IndependenceTests {
  @Test(arguments: KernelCase.all)
  func aRowAloneIsThatRowInABatchOf17(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for (n, k) in [(33, 65), (5, 7), (64, 64)] {
      let batch = Layer(rows: 17, n: n, k: k, kernel: kernel)
      let whole = batch.run(kernel, rows: 0..<17)
      for row in 0..<17 {
        let alone = batch.run(kernel, rows: row..<row + 1)
        expectNil(firstBitDifference(alone.product, whole.product[row * n..<(row + 1) * n]))
        expectNil(firstBitDifference(alone.normal, whole.normal[row * k..<(row + 1) * k]))
        expectNil(firstBitDifference(alone.active, whole.active[row * k..<(row + 1) * k]))
      }
    }
  }

  @Test(arguments: KernelCase.all)
  func rowsAreTheSameInBatchesOfAnySize(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let (n, k) = (100, 130)
    let batch = Layer(rows: 17, n: n, k: k, kernel: kernel)
    let whole = batch.run(kernel, rows: 0..<17)
    for rows in [2, 3, 4, 5, 6, 7, 8, 9, 15, 16] {
      let part = batch.run(kernel, rows: 0..<rows)
      expectNil(firstBitDifference(part.product, whole.product[..<(rows * n)]))
    }
  }

  @Test(arguments: KernelCase.all + KernelCase.narrowCache)
  func anAttentionRowAloneIsThatRowInABatchOf17(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for headSize in [5, 8, 64] {
      let shape = AttentionTests.Shape(
        heads: 3, headSize: headSize, capacity: 24, firstPosition: 4, rows: 17)
      let whole = AttentionProblem(shape, kernel: kernel)
      let alone = AttentionProblem(shape, kernel: kernel)
      whole.run(kernel)
      for row in 0..<17 { kernel.run(alone.operation(firstRow: row, rows: 1)) }
      expectNil(firstBitDifference(whole.out.values, alone.out.values))
    }
  }

  @Test(arguments: KernelCase.divisible)
  func aPartIsThatPartOfTheWhole(_ kernelCase: KernelCase) throws {
    let kernel = try kernelCase.divisibleKernel()
    let layer = Layer(rows: 7, n: 66, k: 37, kernel: kernel)
    let whole = layer.run(kernel, rows: 0..<7)
    let parts = layer.run(kernel, rows: 0..<7, cuts: [0, 16, 32, 48, 66])
    let ragged = layer.run(kernel, rows: 0..<7, cuts: [0, 1, 6, 17, 40, 65, 66])
    expectNil(firstBitDifference(whole.product, parts.product))
    expectNil(firstBitDifference(whole.product, ragged.product))
  }

  @Test(arguments: (KernelCase.all + KernelCase.narrow + KernelCase.narrowCache).filter { $0.threads == 3 })
  func threadsChangeNoBit(_ kernelCase: KernelCase) {
    let single = kernelCase.kernel(threads: 1)
    let shape = AttentionTests.Shape(heads: 7, headSize: 16, capacity: 60, firstPosition: 9, rows: 31)
    let layer = Layer(rows: 31, n: 301, k: 129, kernel: single)
    let expected = layer.run(single, rows: 0..<31)
    let attended = AttentionProblem(shape, kernel: single)
    attended.run(single)
    for threads in KernelCase.threadCounts.dropFirst() {
      let kernel = kernelCase.kernel(threads: threads)
      let found = layer.run(kernel, rows: 0..<31)
      expectNil(firstBitDifference(expected.product, found.product))
      expectNil(firstBitDifference(expected.normal, found.normal))
      expectNil(firstBitDifference(expected.active, found.active))
      let again = AttentionProblem(shape, kernel: kernel)
      again.run(kernel)
      expectNil(firstBitDifference(attended.out.values, again.out.values))
    }
  }

  /// A linear layer, a norm and an activation on the same rows.
  struct Layer {
    let n, k: Int
    let x, w, weight, bias, outputBias: GuardedFloats
    let layout: WeightLayout

    struct Results {
      let product, normal, active: [Float]
    }

    init(rows: Int, n: Int, k: Int, kernel: any Kernel) {
      var random = RandomStream(seed: UInt64(n * 1000 + k))
      (self.n, self.k) = (n, k)
      x = GuardedFloats(random.floats(rows * k))
      layout = kernel.weightLayout
      w = GuardedFloats(layout.count(outputs: n, inputs: k))
      layout.quantize(random.floats(n * k), inputs: k, outputs: n, to: w.base)
      (weight, bias) = (GuardedFloats(random.floats(k)), GuardedFloats(random.floats(k)))
      outputBias = GuardedFloats(random.floats(n))
    }

    /// The product in parts.
    func run(_ kernel: any DivisibleKernel, rows: Range<Int>, cuts: [Int]) -> Results {
      run(kernel, rows: rows) { linear in
        for (first, end) in zip(cuts, cuts.dropFirst()) { kernel.linear(linear, outputs: first..<end) }
      }
    }

    func run(_ kernel: any Kernel, rows: Range<Int>) -> Results {
      run(kernel, rows: rows) { kernel.run($0) }
    }

    private func run(
      _ kernel: any Kernel, rows: Range<Int>, product multiply: (Linear) -> Void
    ) -> Results {
      let input = Matrix(x.base + rows.lowerBound * k, rows: rows.count, columns: k)
      let product = GuardedFloats(rows.count * n)
      let normal = GuardedFloats(rows.count * k)
      let linear = Linear(
        input: input, weight: Weight(w.base, outputs: n, inputs: k, layout: layout),
        bias: Vector(outputBias.base, count: n),
        output: MutableMatrix(product.base, rows: rows.count, columns: n))
      multiply(linear)
      kernel.run(
        LayerNorm(
          input: input, weight: Vector(weight.base, count: k), bias: Vector(bias.base, count: k),
          epsilon: 1e-5, output: MutableMatrix(normal.base, rows: rows.count, columns: k)))
      let active = GuardedFloats(Array(UnsafeBufferPointer(start: input.base, count: rows.count * k)))
      kernel.run(GELU(active.base, count: active.count))
      return Results(product: product.values, normal: normal.values, active: active.values)
    }
  }
}

struct RegistryTests {
  @Test func theLadderStartsWithTheOracleAndHasTheMissionsRungs() {
    let names = Variant.all.map(\.name)
    expectEqual(
      names,
      [
        "naive", "unrolled8", "tiled", "simd8", "threaded", "kv-cache", "packed", "bf16", "int8", "int4",
      ])
    expectEqual(Set(names).count, names.count)
    expectEqual(Variant.oracle.name, "naive")
  }

  @Test(arguments: Variant.all)
  func isFoundByItsNameAndUsesTheThreadsItSays(_ variant: Variant) {
    expectEqual(Variant.named(variant.name)?.name, variant.name)
    #expect(!variant.summary.isEmpty && !variant.summary.contains("\n"))
    #expect(variant.threads(of: 3) == (variant.isThreaded ? 3 : 1))
    expectEqual(variant.threads(of: 0), 1)
    expectEqual(variant.threads(of: -5), 1)
  }

  /// `blas` is one library on this machine and another or none on the next.
  @Test func whatRunsUnaskedIsTheSameEverywhere() {
    expectEqual(Variant.preferred.name, "packed")
    expectEqual(Variant.preferred.weights, .f32)
    #expect(Variant.all.contains { $0.name == Variant.preferred.name })
    #expect(!Variant.lookedUp.contains { $0.name == Variant.preferred.name })
  }

  /// A cache of bfloat16 is a name of its own, which no list has.
  @Test func aNarrowCacheIsInTheName() throws {
    expectEqual(
      Variant.withNarrowCache.map(\.name),
      ["packed+kv-bf16", "bf16+kv-bf16", "int8+kv-bf16", "int4+kv-bf16"])
    for variant in Variant.withNarrowCache {
      let found = try #require(Variant.named(variant.name))
      #expect(found.name == variant.name && found.cache == .bf16 && !found.isExact)
      expectEqual(found.kernel(threads: 1).cacheLayout.precision, .bf16)
      #expect(Variant.isName(found.name) && !Variant.names.contains(found.name))
      expectEqual(found.caching(in: .bf16)?.name, found.name)
      expectNil(found.caching(in: .f32))
    }
    for variant in Variant.available {
      expectEqual(variant.cache, .f32)
      expectEqual(variant.caching(in: .f32)?.name, variant.name)
      let narrow = variant.caching(in: .bf16)
      #expect(narrow?.weights == (narrow == nil ? nil : variant.weights))
      #expect((narrow == nil) == (variant.kernel(threads: 1).cacheLayout == .rows))
      expectNil(variant.caching(in: .int8))
    }
    #expect(Variant.named("naive+kv-bf16") == nil && !Variant.isName("naive+kv-bf16"))
    #expect(Variant.named("packed+kv-f32") == nil && Variant.isName("blas"))
  }

  @Test func unknownNamesAreNotFound() {
    expectNil(Variant.named(""))
    expectNil(Variant.named("Naive"))
  }
}
