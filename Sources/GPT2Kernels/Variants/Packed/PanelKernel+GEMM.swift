extension PanelKernel {
  /// Inputs that one pass over a panel takes at most: eight rows of that many stay in the first-level cache, a
  /// panel's share in the second.
  private static var inputBlock: Int { 768 }

  /// Rows up to which memory takes longer to bring a panel than the tiles to use it. A pass then takes few inputs: the
  /// tiles behind the first find them in the first-level cache, what the next pass needs is on its way meanwhile, and
  /// little is asked for in vain where another thread takes the next panel.
  private var memoryBoundRows: Int { 2 * tileRows }
  private static var memoryBoundInputBlock: Int { 64 }

  /// Bytes of input rows, one pass wide, that stay in the second-level cache while panel after panel passes.
  private static var rowBlockBytes: Int { 1 << 20 }

  /// Rows of the input are cut into blocks that stay in cache, and each part is one block against one panel: it
  /// reads the panel once from memory and writes outputs of its own.
  func runGEMM(_ operation: Linear) {
    let (rows, inputs, outputs) = (
      operation.input.rows, operation.weight.inputs, operation.weight.outputs
    )
    guard rows > 0 else { return }
    let panels = shape.panels(outputs: outputs)
    let rowsInCache =
      max(Self.rowBlockBytes / (4 * max(min(inputs, Self.inputBlock), 1)) / tileRows, 1) * tileRows
    let blocks = (rows + rowsInCache - 1) / rowsInCache
    let blockRows = ((rows + blocks - 1) / blocks + tileRows - 1) / tileRows * tileRows
    pool.split(0..<blocks * panels, grain: 1) { parts in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: blockRows * shape.columns) { sums in
        for part in parts {
          let first = part / panels * blockRows
          runBlock(
            operation, rows: first..<min(first + blockRows, rows), panel: part % panels,
            sums: sums.baseAddress!)
        }
      }
    }
  }

  /// - Parameter sums: (rows, panel columns), for what several passes over the inputs add up to.
  private func runBlock(
    _ operation: Linear, rows: Range<Int>, panel: Int, sums: UnsafeMutablePointer<Float>
  ) {
    guard !rows.isEmpty else { return }
    let weight = operation.weight
    let inputs = weight.inputs
    let first = panel * shape.columns
    let width = shape.width(at: first, outputs: weight.outputs)
    let outputs = first..<min(first + width, weight.outputs)
    let base = weight.base + first * inputs
    let limit = rows.count <= memoryBoundRows ? Self.memoryBoundInputBlock : Self.inputBlock
    let passes = max((inputs + limit - 1) / limit, 1)
    let block = ((inputs + passes - 1) / passes + 7) / 8 * 8
    var k = 0
    repeat {
      let count = min(block, inputs - k)
      let isLast = k + count >= inputs
      PanelRows<V>(
        x: operation.input.row(rows.lowerBound) + k, stride: operation.input.stride, rows: rows.count,
        panel: base + k * width, panelStride: width, columns: width, inputs: count, sums: sums,
        sumStride: width, reusesSums: passes == 1, continues: k > 0, next: base + (k + count) * width
      ).run(tileRows: tileRows) { tile in
        guard isLast else { return }
        finish(
          operation, rows: tile.lowerBound + rows.lowerBound..<tile.upperBound + rows.lowerBound,
          outputs: outputs, sums: passes == 1 ? sums : sums + tile.lowerBound * width, width: width)
      }
      k += count
    } while k < inputs
  }

  /// Bias and epilogue of a block of sums, (rows, width), on their way to where they belong.
  ///
  /// Not inlined, and the marks in a function of their own: calls in it, though never made, cost `store` registers.
  @inline(never)
  func finish(
    _ operation: Linear, rows: Range<Int>, outputs: Range<Int>, sums: UnsafePointer<Float>, width: Int
  ) {
    guard case .gelu = operation.epilogue else {
      return store(operation, rows: rows, outputs: outputs, sums: sums, width: width)
    }
    Probe.enter(.gelu)
    store(operation, rows: rows, outputs: outputs, sums: sums, width: width)
    Probe.enter(.operation)
  }

  @inline(never)
  private func store(
    _ operation: Linear, rows: Range<Int>, outputs: Range<Int>, sums: UnsafePointer<Float>, width: Int
  ) {
    let lanes = V.scalarCount
    var column = outputs.lowerBound
    while column < outputs.upperBound {
      let count = min(lanes, outputs.upperBound &- column)
      let bias =
        operation.bias.map { V(loading: $0.base + column, count: count) } ?? V(repeating: 0)
      var source = sums + (column &- outputs.lowerBound)
      switch operation.epilogue {
      case .none:
        for row in rows {
          (V(loading: source) + bias).store(to: operation.output.row(row) + column, count: count)
          source += width
        }
      case .gelu:
        for row in rows {
          gelu(V(loading: source) + bias).store(to: operation.output.row(row) + column, count: count)
          source += width
        }
      case .residual(let stream):
        for row in rows {
          let target = stream.row(row) + column
          let sum = V(loading: target, count: count) + (V(loading: source) + bias)
          sum.store(to: target, count: count)
          source += width
        }
      }
      column &+= lanes
    }
  }
}
