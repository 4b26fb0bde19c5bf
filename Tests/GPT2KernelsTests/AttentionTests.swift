import GPT2Kernels
import TestSupport
import Testing

struct AttentionTests {
  struct Shape: Sendable {
    let heads, headSize, capacity, firstPosition, rows: Int
  }

  static let shapes: [Shape] = {
    var shapes: [Shape] = []
    for headSize in [1, 5, 7, 8, 16, 25, 33, 64, 80] {
      for (capacity, first, rows) in [
        (1, 0, 1), (9, 0, 9), (20, 0, 13), (40, 17, 1), (40, 6, 11), (70, 47, 2),
      ] {
        shapes.append(
          Shape(heads: 3, headSize: headSize, capacity: capacity, firstPosition: first, rows: rows))
      }
    }
    return shapes + [
      Shape(heads: 1, headSize: 64, capacity: 300, firstPosition: 255, rows: 2),
      Shape(heads: 12, headSize: 8, capacity: 8, firstPosition: 4, rows: 4),
      // More than one part of query rows, and more than one panel of keys.
      Shape(heads: 2, headSize: 16, capacity: 150, firstPosition: 3, rows: 140),
    ]
  }()

  @Test(arguments: KernelCase.all + KernelCase.narrowCache)
  func matchesTheFormulaAndReadsNoFuturePosition(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for shape in Self.shapes {
      let problem = AttentionProblem(shape, kernel: kernel)
      problem.run(kernel)
      expectNil(problem.fault())
    }
  }

  /// Sequences of a step: as many heads, as large, and all else their own.
  @Test(arguments: KernelCase.all + KernelCase.narrowCache)
  func severalSequencesAtOnceAreEachTheirOwn(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let problems = [(20, 0, 13), (40, 17, 1), (90, 6, 70), (40, 39, 1), (9, 2, 3)].map {
      AttentionProblem(
        Shape(heads: 3, headSize: 16, capacity: $0.0, firstPosition: $0.1, rows: $0.2), kernel: kernel,
        storesAtOnce: false)
    }
    kernel.run(problems.map { $0.store(0..<$0.shape.firstPosition) }.filter { $0.newKeys.rows > 0 })
    kernel.run(problems.map { $0.store($0.shape.firstPosition..<$0.shape.firstPosition + $0.shape.rows) })
    kernel.run(problems.map(\.operation))
    for problem in problems { expectNil(problem.fault()) }
    kernel.run([CacheStore]())
    kernel.run([Attention]())
  }

  @Test(arguments: KernelCase.divisible)
  func computesOnlyTheHeadsAskedFor(_ kernelCase: KernelCase) throws {
    let kernel = try kernelCase.divisibleKernel()
    let shape = Shape(heads: 6, headSize: 7, capacity: 12, firstPosition: 2, rows: 5)
    for heads in [0..<0, 0..<1, 2..<5, 5..<6] {
      let problem = AttentionProblem(shape, kernel: kernel)
      kernel.attention(problem.operation, heads: heads)
      expectNil(problem.fault(heads: heads))
    }
  }

  /// Scores far apart: the softmax subtracts the largest before it takes a power.
  @Test(arguments: KernelCase.all + KernelCase.narrowCache)
  func largeScoresDoNotOverflow(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    let problem = AttentionProblem(
      Shape(heads: 2, headSize: 16, capacity: 16, firstPosition: 3, rows: 9), kernel: kernel, spread: 40)
    problem.run(kernel)
    expectNil(problem.fault())
  }

  @Test func flopsAndBytesAreThoseOfTheShape() {
    // Rows 4, 5 and 6 of a sequence see 5, 6 and 7 positions.
    expectEqual(Attention.flops(rows: 3, firstPosition: 4, channels: 10), 4 * Double(5 + 6 + 7) * 10)
    expectEqual(Attention.bytes(rows: 3, firstPosition: 4, channels: 10), 4 * Double(2 * 7 + 2 * 3) * 10)
    let narrow = Attention.bytes(rows: 3, firstPosition: 4, channels: 10, cache: .bf16)
    #expect(narrow == (2 * Double(2 * 7) + 4 * Double(2 * 3)) * 10)
    expectEqual(Attention.cachedBytes(firstPosition: 4, channels: 10, cache: .bf16), 2 * 2 * 4 * 10)
  }
}

/// One attention's operands between guards, with NaN wherever nothing may be read. The keys and values of all
/// positions up to the last went through the kernel's own cache, those of the first positions in a step of their
/// own.
struct AttentionProblem {
  let shape: AttentionTests.Shape
  let queries, newKeys, newValues, keys, values, out, scores: GuardedFloats
  let queryStride: Int
  /// Keeps the keys and values.
  let layout: CacheLayout

  init(
    _ shape: AttentionTests.Shape, kernel: any Kernel, spread: Float = 1, storesAtOnce: Bool = true
  ) {
    self.shape = shape
    var random = RandomStream(seed: UInt64(shape.headSize * 1000 + shape.rows))
    let channels = shape.heads * shape.headSize
    queryStride = 3 * channels + 1
    queries = GuardedFloats(
      random.floats(shape.rows * channels, spread: spread), columns: channels, stride: queryStride)
    let positions = shape.firstPosition + shape.rows
    newKeys = GuardedFloats(
      random.floats(positions * channels, spread: spread), columns: channels, stride: channels + 3)
    newValues = GuardedFloats(random.floats(positions * channels), columns: channels, stride: channels + 3)
    layout = kernel.cacheLayout
    keys = GuardedFloats(
      shape.heads * layout.keyStride(capacity: shape.capacity, headSize: shape.headSize))
    values = GuardedFloats(
      shape.heads * layout.valueStride(capacity: shape.capacity, headSize: shape.headSize))
    out = GuardedFloats(shape.rows * (channels + 2))
    scores = GuardedFloats(shape.heads * shape.capacity)
    guard storesAtOnce else { return }
    for positions in [0..<shape.firstPosition, shape.firstPosition..<positions] {
      kernel.run(store(positions))
    }
  }

  func store(_ positions: Range<Int>) -> CacheStore {
    let channels = shape.heads * shape.headSize
    func rows(_ buffer: GuardedFloats) -> Matrix {
      Matrix(
        buffer.base + positions.lowerBound * (channels + 3), rows: positions.count, columns: channels,
        stride: channels + 3)
    }
    return CacheStore(
      newKeys: rows(newKeys), newValues: rows(newValues), keys: keys.base, values: values.base,
      heads: shape.heads, headSize: shape.headSize, capacity: shape.capacity,
      firstPosition: positions.lowerBound)
  }

  var operation: Attention { operation(firstRow: 0, rows: shape.rows) }

  /// Attention of some of the rows, which land where all of them would.
  func operation(firstRow: Int, rows: Int) -> Attention {
    let channels = shape.heads * shape.headSize
    return Attention(
      queries: Matrix(
        queries.base + firstRow * queryStride, rows: rows, columns: channels, stride: queryStride),
      keys: keys.base, values: values.base, heads: shape.heads, headSize: shape.headSize,
      capacity: shape.capacity, firstPosition: shape.firstPosition + firstRow,
      output: MutableMatrix(
        out.base + firstRow * (channels + 2), rows: rows, columns: channels, stride: channels + 2),
      scores: scores.base)
  }

  func run(_ kernel: any Kernel) { kernel.run(operation) }

  /// What is wrong with the output of `heads`, all of them unless given; nil for nothing.
  /// - Parameter rounding: by how much of itself the cache may change a number; nil for the numbers as it keeps them.
  func fault(heads: Range<Int>? = nil, rounding: Double? = nil) -> String? {
    func visible(_ rows: GuardedFloats, head: Int, row: Int) -> [[Float]] {
      let stride = shape.heads * shape.headSize + 3
      return (0...shape.firstPosition + row).map {
        let numbers = slice(rows, $0 * stride + head * shape.headSize)
        return rounding == nil ? numbers.map(layout.kept) : numbers
      }
    }
    let heads = heads ?? 0..<shape.heads
    let (size, channels) = (shape.headSize, shape.heads * shape.headSize)
    for row in 0..<shape.rows {
      let start = row * (channels + 2)
      for column in 0..<channels + 2 where !heads.contains(column / size) || column >= channels {
        if out.isWritten(start + column) { return "\(shape): wrote (\(row), \(column))" }
      }
      for head in heads {
        let expected = Oracle.attention(
          query: slice(queries, row * queryStride + head * size),
          keys: visible(newKeys, head: head, row: row), values: visible(newValues, head: head, row: row),
          rounding: rounding ?? 0)
        for i in 0..<size where !expected[i].allows(out.base[start + head * size + i]) {
          let found = out.base[start + head * size + i]
          return "\(shape): row \(row) head \(head) [\(i)] is \(found), expected \(expected[i])"
        }
      }
    }
    let isIntact = [queries, newKeys, newValues, keys, values, out, scores].allSatisfy(\.guardsHold)
    return isIntact ? nil : "\(shape): wrote outside a buffer"
  }

  private func slice(_ buffer: GuardedFloats, _ start: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: buffer.base + start, count: shape.headSize))
  }
}
