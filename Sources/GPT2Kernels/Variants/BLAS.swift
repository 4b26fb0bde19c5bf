extension LookedUpVariant {
  public static let blas = LookedUpVariant(
    name: "blas",
    summary: "the system's CBLAS for linear layers, looked up at run time; the rest as kv-cache",
    lookUp: {
      BLASLibrary.found.map { library in
        Variant(
          name: "blas", summary: "linear layers by \(library.file), the rest as kv-cache", decoding: .cache,
          isThreaded: true, leavesThreadsBusy: true,
          kernel: { pool in
            BLASLinear(
              base: Threaded(base: SIMD8Tile3x4(), pool: pool), library: library, threads: pool.threads)
          })
      }
    })
}

/// Another kernel's operations, with linear layers by `cblas_sgemm` on as many threads of the library's own.
struct BLASLinear<Base: DivisibleKernel>: DivisibleKernel {
  let base: Base
  let library: BLASLibrary
  let threads: Int

  func linear(_ operation: Linear, outputs: Range<Int>) {
    let output = operation.output
    guard output.rows > 0, !outputs.isEmpty else { return }
    let part = MutableMatrix(
      output.base + outputs.lowerBound, rows: output.rows, columns: outputs.count, stride: output.stride)
    if let bias = operation.bias {
      for row in 0..<part.rows {
        part.row(row).update(from: bias.base + outputs.lowerBound, count: outputs.count)
      }
    }
    let weight = Matrix(
      operation.weight.row(outputs.lowerBound), rows: outputs.count, columns: operation.weight.inputs)
    library.multiply(
      operation.input, transposed: weight, beta: operation.bias == nil ? 0 : 1, to: part, threads: threads)
  }

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) { base.layerNorm(operation, rows: rows) }

  func gelu(_ operation: GELU, elements: Range<Int>) { base.gelu(operation, elements: elements) }

  func add(_ operation: Addition, elements: Range<Int>) { base.add(operation, elements: elements) }

  func run(_ operations: [Attention]) { base.run(operations) }

  func attention(_ operation: Attention, heads: Range<Int>) { base.attention(operation, heads: heads) }

  func softmaxRows(_ operation: Softmax, heads: Range<Int>) { base.softmaxRows(operation, heads: heads) }

  func forEach(_ count: Int, _ body: (Int) -> Void) { base.forEach(count, body) }
}
