/// Everything as panels: products with weights, scores against keys and sums of values all run the same register tile
/// over memory that it reads from start to end. Eight rows by three vectors are twenty-four sums; with three vectors
/// of weights and one broadcast activation that is twenty-eight of thirty-two registers, and eleven loads for
/// twenty-four multiply-adds, less than the two loads a cycle that a core can do. Where there are sixteen registers
/// the tile is four rows high: twelve, three and one. Activations are read where they lie: each is loaded once a panel
/// and shared by three vectors, and copying them into panels first was measured to cost what it saves.
struct PanelKernel<V: BrainVector>: Sendable {
  let pool: ThreadPool
  /// Rows of the highest tile, 4 or 8.
  let tileRows: Int
  /// What keys and values are kept in, float32 or bfloat16.
  let cache: WeightPrecision

  var shape: PanelShape { PanelShape(vector: V.scalarCount) }
  var cacheLayout: CacheLayout { .panels(vector: V.scalarCount, of: cache) }

  /// Rows of an input from which on it pays to make panels of a matrix that lies in `rows`.
  private var fewestPackedRows: Int { 32 }

  func run(_ operation: Linear) {
    let linear = PanelLinear<FloatSum<V>>(pool: pool, tileRows: tileRows, shape: shape, convertsRows: false)
    let makesPanels = operation.sumsMayDependOnRows && operation.input.rows >= fewestPackedRows
    if operation.weight.layout == .rows, !makesPanels {
      linear.runByDotProducts(operation)
    } else {
      linear.run(operation)
    }
  }

  func run(_ operation: LayerNorm) {
    let grain = max(4096 / max(operation.input.columns, 1), 1)
    pool.split(0..<operation.input.rows, grain: grain) {
      vectorLayerNorm(operation, rows: $0, as: V.self)
    }
  }

  func run(_ operation: GELU) {
    pool.split(0..<operation.count, grain: 2048) {
      vectorGELU(operation, elements: $0, as: V.self)
    }
  }

  func run(_ operation: Addition) {
    pool.split(0..<operation.count, grain: 8192) {
      vectorAdd(operation.target + $0.lowerBound, operation.addend + $0.lowerBound, count: $0.count)
    }
  }

  /// A part is one head's share of a vector of positions: a single row has parts for several threads too. What a part
  /// writes, no other one does.
  func run(_ operations: [CacheStore]) {
    let layout = cacheLayout
    let parts = HeadBlock.cut(operations, heads: \.heads, rows: \.newKeys.rows, blockRows: V.scalarCount)
    pool.split(0..<parts.count, grain: 1) { range in
      for part in range.lazy.map({ parts[$0] }) {
        layout.store(operations[part.operation], rows: part.rows, heads: part.head..<part.head + 1)
      }
    }
  }

  /// The sum of a row's numerators is its divisor: attention divides what it has summed with them.
  func run(_ operation: Softmax) {
    pool.split(0..<operation.heads, grain: 1) { heads in
      operation.forEachRow(of: heads) { row, count, divisor in
        divisor.pointee = softmaxNumerators(row, count: count, scale: 1, as: V.self).sum
      }
    }
  }

  private func vectorAdd(_ target: UnsafeMutablePointer<Float>, _ addend: UnsafePointer<Float>, count: Int) {
    var i = 0
    while i &+ V.scalarCount <= count {
      (V(loading: target + i) + V(loading: addend + i)).store(to: target + i)
      i &+= V.scalarCount
    }
    while i < count {
      target[i] += addend[i]
      i &+= 1
    }
  }
}

/// Some new positions of one head of one sequence: the smallest part of what a step does with keys and values.
struct HeadBlock {
  /// Which of the step's operations.
  let operation: Int
  let head: Int
  let rows: Range<Int>

  /// All heads of all operations, their rows in blocks of at most `blockRows`.
  static func cut<Operation>(
    _ operations: [Operation], heads: (Operation) -> Int, rows: (Operation) -> Int, blockRows: Int
  ) -> [HeadBlock] {
    var blocks: [HeadBlock] = []
    for (index, operation) in operations.enumerated() {
      let count = rows(operation)
      for head in 0..<heads(operation) {
        for first in stride(from: 0, to: count, by: blockRows) {
          blocks.append(HeadBlock(operation: index, head: head, rows: first..<min(first + blockRows, count)))
        }
      }
    }
    return blocks
  }
}
