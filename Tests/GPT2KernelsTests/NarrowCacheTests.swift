import TestSupport
import Testing

@testable import GPT2Kernels

/// Keys and values in bfloat16: a word holds two channels of a key, and two positions' values of a channel.
struct NarrowCacheTests {
  static let positions = [1, 2, 7, 8, 9, 15, 17, 63, 65]

  /// As many positions at once, the last alone, and the last ones after an even and an odd number before.
  static let shapes: [AttentionTests.Shape] = [8, 63, 64].flatMap { headSize in
    positions.flatMap { count in
      Set([0, count / 2, count - 1]).sorted().map { first in
        AttentionTests.Shape(
          heads: 2, headSize: headSize, capacity: count + count % 3, firstPosition: first,
          rows: count - first)
      }
    }
  }

  /// Of the numbers that the cache keeps, to float32's tolerance.
  @Test(arguments: KernelCase.narrowCache)
  func matchesTheFormula(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for shape in Self.shapes {
      let problem = AttentionProblem(shape, kernel: kernel)
      problem.run(kernel)
      expectNil(problem.fault())
    }
  }

  /// Of the numbers that the cache is given, each of which it changes by at most 2⁻⁸ of itself: it keeps eight bits.
  @Test func nothingIsLostButARounding() {
    let kernel = Packed(pool: ThreadPool(threads: 2), cache: .bf16)
    for shape in Self.shapes {
      let problem = AttentionProblem(shape, kernel: kernel)
      problem.run(kernel)
      expectNil(problem.fault(rounding: 0x1p-8))
      #expect(problem.fault(rounding: 0) != nil)
    }
  }

  /// However many positions a step stores, and where a sequence was cut and goes on, the words and the outputs are the same.
  @Test(arguments: KernelCase.narrowCache, [1, 2, 3, 7, 16])
  func piecesOfAnySizeStoreTheSameWords(_ kernelCase: KernelCase, _ size: Int) {
    let kernel = kernelCase.kernel()
    for headSize in [8, 63, 64] {
      let shape = AttentionTests.Shape(
        heads: 3, headSize: headSize, capacity: 40, firstPosition: 0, rows: 35)
      let whole = AttentionProblem(shape, kernel: kernel, storesAtOnce: false)
      let pieces = AttentionProblem(shape, kernel: kernel, storesAtOnce: false)
      let cut = AttentionProblem(shape, kernel: kernel, storesAtOnce: false)
      kernel.run(whole.store(0..<35))
      whole.run(kernel)
      for first in stride(from: 0, to: 35, by: size) {
        let positions = first..<min(first + size, 35)
        kernel.run(pieces.store(positions))
        kernel.run(pieces.operation(firstRow: positions.lowerBound, rows: positions.count))
      }
      kernel.run(cut.store(0..<size))
      // What is stored is forgotten from an even or an odd place on.
      kernel.run(cut.store(size / 2..<size / 2 + 1))
      kernel.run(cut.operation(firstRow: size / 2, rows: 1))
      let row = (size / 2) * (3 * headSize + 2)
      expectNil(
        firstBitDifference(
          cut.out.values[row..<row + 3 * headSize], whole.out.values[row..<row + 3 * headSize]))
      expectNil(firstBitDifference(pieces.keys.values, whole.keys.values))
      expectNil(firstBitDifference(pieces.values.values, whole.values.values))
      expectNil(firstBitDifference(pieces.out.values, whole.out.values))
    }
  }

  /// Two bytes a number, but for the vectors that a panel is filled up with.
  @Test(arguments: [4, 8, 16]) func theCacheIsHalfAsLarge(_ vector: Int) {
    let wide = CacheLayout.panels(vector: vector)
    let narrow = CacheLayout.panels(vector: vector, of: .bf16)
    let padded = (1024 + 3 * vector - 1) / (3 * vector) * 3 * vector
    expectEqual(wide.keyStride(capacity: 1024, headSize: 64), 64 * 1024)
    expectEqual(narrow.keyStride(capacity: 1024, headSize: 64), 32 * padded)
    expectEqual(narrow.keyStride(capacity: 1024, headSize: 63), 32 * padded)
    for capacity in [1, 2, 63, 1024] {
      let words = wide.valueStride(capacity: capacity, headSize: 64) / 64
      let columns = narrow.valueStride(capacity: capacity, headSize: 64) / ((capacity + 1) / 2)
      #expect(words == capacity && (64...64 + 2 * vector).contains(columns))
    }
    expectEqual(narrow.precision, .bf16)
    expectEqual(wide.precision, .f32)
    expectEqual(CacheLayout.rows.precision, .f32)
  }

  @Test func aNumberIsKeptAsTheNearest() {
    let narrow = CacheLayout.panels(vector: 8, of: .bf16)
    expectEqual(narrow.kept(1 + 0x1p-7), 1 + 0x1p-7)
    // Ties go to the even one.
    expectEqual(narrow.kept(1 + 0x1p-8), 1)
    expectEqual(narrow.kept(1 + 3 * 0x1p-8), 1 + 0x1p-6)
    #expect(
      narrow.kept(.infinity) == .infinity && narrow.kept(.nan).isNaN && narrow.kept(0x1p-133) == 0x1p-133)
    expectEqual(CacheLayout.rows.kept(1 + 0x1p-20), 1 + 0x1p-20)
  }
}
