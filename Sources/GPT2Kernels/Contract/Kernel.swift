/// How the operations of a GPT-2 are computed. One conformer per rung of the ladder; the engine asks for whole
/// operations and knows nothing of threads, tiles or layouts.
public protocol Kernel: Sendable {
  /// How linear layers' matrices have to lie; a matrix in `rows` or `columns` is taken as well.
  var weightLayout: WeightLayout { get }

  /// How the matrix of the logits has to lie, which is the token embedding's too: in `rows`, or as a layer's.
  var outputLayout: WeightLayout { get }

  /// What its products run on, where it chose between several; nil where it did not.
  var instructions: String? { get }

  /// How the keys and values of a sequence have to lie.
  var cacheLayout: CacheLayout { get }

  /// The product, its bias and its epilogue.
  func run(_ operation: Linear)

  func run(_ operation: LayerNorm)
  func run(_ operation: GELU)
  func run(_ operation: Addition)

  /// Of sequences that share a step, each with memory of its own for what it writes.
  func run(_ operations: [CacheStore])

  /// Likewise; the sequences' heads are as many and as large.
  func run(_ operations: [Attention])

  /// The softmax that is inside `run(_: Attention)`, alone.
  func run(_ operation: Softmax)

  /// How it runs the operations that only training needs.
  var trainingPath: TrainingPath { get }

  /// Calls `body` with each index below `count`, on whatever threads the kernel has.
  func forEach(_ count: Int, _ body: (Int) -> Void)
}

extension Kernel {
  public var weightLayout: WeightLayout { .rows }
  public var outputLayout: WeightLayout { .rows }
  public var instructions: String? { nil }
  public var cacheLayout: CacheLayout { .rows }
  public var trainingPath: TrainingPath { .products }
  public func run(_ operation: CacheStore) { run([operation]) }

  public func run(_ operations: [CacheStore]) {
    for operation in operations {
      cacheLayout.store(operation, rows: 0..<operation.newKeys.rows, heads: 0..<operation.heads)
    }
  }

  public func run(_ operation: Attention) { run([operation]) }
  public func forEach(_ count: Int, _ body: (Int) -> Void) { for index in 0..<count { body(index) } }

  /// Calls `body` with pieces of `count` places, of `size` each and the last of what is left, as `forEach` does.
  public func forEachPiece(of count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    forEach((count + size - 1) / size) { index in body(index * size..<min((index + 1) * size, count)) }
  }
}

/// A kernel whose operations fall into parts that share no reduction, so that a caller may split them between threads;
/// a result must not depend on how it was split. Whatever a conformer does not implement is the reference operation of
/// `Variants/Naive.swift`. Every implementation handles every shape itself.
public protocol DivisibleKernel: Kernel {
  /// Columns `outputs` of the product with its bias, for all rows, with a matrix in `rows`. The epilogue is the
  /// caller's.
  func linear(_ operation: Linear, outputs: Range<Int>)

  /// The same with a matrix in `rows` or `columns`.
  func product(_ operation: Linear, outputs: Range<Int>)

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>)
  func gelu(_ operation: GELU, elements: Range<Int>)
  func add(_ operation: Addition, elements: Range<Int>)
  func attention(_ operation: Attention, heads: Range<Int>)

  /// With the function that `attention` calls for a row.
  func softmaxRows(_ operation: Softmax, heads: Range<Int>)
}

extension DivisibleKernel {
  public func run(_ operation: Linear) {
    product(operation, outputs: 0..<operation.weight.outputs)
    operation.runEpilogue(on: self)
  }

  /// Some outputs' columns at a time become rows.
  public func product(_ operation: Linear, outputs: Range<Int>) {
    let weight = operation.weight
    guard weight.layout == .columns else { return linear(operation, outputs: outputs) }
    let block = 64
    withThreadMemory(min(block, outputs.count) * weight.inputs) { rows in
      for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: block) {
        let count = min(block, outputs.upperBound - first)
        transpose(
          weight.base + first, stride: weight.outputs, rows: weight.inputs, columns: count, to: rows,
          stride: weight.inputs)
        let output = operation.output
        linear(
          Linear(
            input: operation.input,
            weight: Weight(rows, outputs: count, inputs: weight.inputs, layout: .rows),
            bias: operation.bias.map { Vector($0.base + first, count: count) },
            output: MutableMatrix(
              output.base + first, rows: output.rows, columns: count, stride: output.stride)),
          outputs: 0..<count)
      }
    }
  }

  public func run(_ operation: LayerNorm) { layerNorm(operation, rows: 0..<operation.input.rows) }
  public func run(_ operation: GELU) { gelu(operation, elements: 0..<operation.count) }
  public func run(_ operation: Addition) { add(operation, elements: 0..<operation.count) }

  public func run(_ operations: [Attention]) {
    for operation in operations { attention(operation, heads: 0..<operation.heads) }
  }

  public func run(_ operation: Softmax) { softmaxRows(operation, heads: 0..<operation.heads) }
}

extension Linear {
  /// The epilogue as operations of its own, after a finished product.
  func runEpilogue(on kernel: some Kernel) {
    switch epilogue {
    case .none: break
    case .gelu:
      if output.isContiguous {
        kernel.run(GELU(output.base, count: output.rows * output.columns))
      } else {
        for row in 0..<output.rows { kernel.run(GELU(output.row(row), count: output.columns)) }
      }
    case .residual(let stream):
      Probe.enter(.residual)
      if output.isContiguous, stream.isContiguous {
        kernel.run(Addition(to: stream.base, addend: output.base, count: output.rows * output.columns))
      } else {
        for row in 0..<output.rows {
          kernel.run(Addition(to: stream.row(row), addend: output.row(row), count: output.columns))
        }
      }
      Probe.enter(.operation)
    }
  }
}
