import CSystem

extension PanelKernel {
  /// Inputs that a pass over a panel takes at most: eight rows of so many stay in the L1 cache, a panel's share in the
  /// L2.
  private static var inputBlock: Int { 768 }

  /// Rows up to which memory takes longer to bring a panel than the tiles to use it. A pass then takes few inputs: the
  /// tiles after the first find them in the first-level cache, what the next pass needs is on its way meanwhile, and
  /// little is asked for in vain where another thread takes the next panel.
  private var memoryBoundRows: Int { 2 * tileRows }
  private static var memoryBoundInputBlock: Int { 64 }

  /// Bytes of input rows, one pass wide, that stay in the second-level cache while panel after panel passes.
  private static var rowBlockBytes: Int { 1 << 20 }

  /// Rows of the input are cut into blocks that stay in cache, and each part is one block against one panel: it
  /// reads the panel once from memory and writes outputs of its own.
  func linearOfRows(_ operation: Linear) {
    let (rows, inputs, outputs) = (operation.input.rows, operation.weight.inputs, operation.weight.outputs)
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
          runPart(
            operation, rows: first..<min(first + blockRows, rows), panel: part % panels,
            sums: sums.baseAddress!)
        }
      }
    }
  }

  /// - Parameter sums: (rows, panel columns), for what several passes over the inputs add up to.
  private func runPart(_ operation: Linear, rows: Range<Int>, panel: Int, sums: UnsafeMutablePointer<Float>) {
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

  /// Bias and epilogue of a block of sums, (rows, width), on their way to where they belong. Not inlined, and the
  /// marks in a function of their own: calls in it, though never made, cost `store` registers.
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
      let bias = operation.bias.map { V(loading: $0.base + column, count: count) } ?? V(repeating: 0)
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

extension PanelKernel {
  /// Floats ahead of the one in use that are asked for: far enough for memory's latency.
  private static var lookahead: Int { 768 }

  /// One row: every weight is read once and used once, so all that counts is to keep memory busy. Each thread
  /// walks two neighbouring panels at a time, two streams, and asks for lines ahead of itself.
  func linearOfOneRow(_ operation: Linear) {
    let panels = shape.panels(outputs: operation.weight.outputs)
    pool.split(0..<panels, grain: 2) { part in
      var panel = part.lowerBound
      while panel < part.upperBound {
        let outputs = operation.weight.outputs
        let isPair = panel + 2 <= part.upperBound && (panel + 2) * shape.columns <= outputs
        if isPair { runPair(operation, panel) } else { runSingle(operation, panel) }
        panel += isPair ? 2 : 1
      }
    }
  }

  private func runPair(_ operation: Linear, _ panel: Int) {
    let (inputs, columns) = (operation.weight.inputs, shape.columns)
    let x = operation.input.row(0)
    var w = operation.weight.base + panel &* columns &* inputs
    var v = w + columns &* inputs
    var (s, t) = (Strip3<V>(), Strip3<V>())
    for k in 0..<inputs {
      for line in stride(from: 0, to: columns, by: 16) {
        csystem_prefetch_ahead(w + (line &+ Self.lookahead))
        csystem_prefetch_ahead(v + (line &+ Self.lookahead))
      }
      s.add(x[k], times: Strip3(loading: w))
      t.add(x[k], times: Strip3(loading: v))
      w += columns
      v += columns
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * columns) { sums in
      let base = sums.baseAddress!
      s.store(to: base)
      t.store(to: base + columns)
      let first = panel * columns
      finish(operation, rows: 0..<1, outputs: first..<first + 2 * columns, sums: base, width: 2 * columns)
    }
  }

  private func runSingle(_ operation: Linear, _ panel: Int) {
    let inputs = operation.weight.inputs
    let first = panel * shape.columns
    let width = shape.width(at: first, outputs: operation.weight.outputs)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: shape.columns) { sums in
      let base = sums.baseAddress!
      PanelRows<V>(
        x: operation.input.row(0), stride: operation.input.stride, rows: 1,
        panel: operation.weight.base + first * inputs, panelStride: width, columns: width,
        inputs: inputs, sums: base, sumStride: width
      ).run(tileRows: tileRows)
      let outputs = first..<min(first + width, operation.weight.outputs)
      finish(operation, rows: 0..<1, outputs: outputs, sums: base, width: width)
    }
  }
}

extension PanelKernel {
  /// Against a matrix in `rows`, as the token embedding lies in its file: vectors run along the inputs, four
  /// outputs at a time, each with a vector of sums for each row of the tile.
  func linearByDotProducts(_ operation: Linear) {
    let rows = operation.input.rows
    let lanes = V.scalarCount
    guard rows > 0 else { return }
    pool.split(0..<operation.weight.outputs, grain: 32) { outputs in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * lanes) { sums in
        for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: lanes) {
          let vector = first..<min(first + lanes, outputs.upperBound)
          for four in stride(from: first, to: vector.upperBound, by: 4) {
            multiply(
              operation, outputs: four..<min(four + 4, vector.upperBound),
              sums: sums.baseAddress! + (four - first))
          }
          finish(operation, rows: 0..<rows, outputs: vector, sums: sums.baseAddress!, width: lanes)
        }
      }
    }
  }

  /// All rows against four outputs, fewer at the end. Meanwhile the next four's weights are asked for: the tiles share
  /// them out, so that memory is as busy under the last as under the first.
  /// - Parameter sums: (rows, lanes)
  private func multiply(_ operation: Linear, outputs: Range<Int>, sums: UnsafeMutablePointer<Float>) {
    let (rows, inputs) = (operation.input.rows, operation.weight.inputs)
    let weights = QuadRows(operation.weight.row(outputs.lowerBound), stride: inputs, count: outputs.count)
    let highest = tileRows == 8 ? 4 : 2
    let linesPerStep = min((4 * highest + rows - 1) / rows, 4)
    var next = weights.a + 4 &* inputs
    var row = 0
    while row < rows {
      let left = rows &- row
      let product = DotProduct(
        x: operation.input.row(row), stride: operation.input.stride, weights: weights, inputs: inputs,
        sums: sums + row &* V.scalarCount, next: next,
        linesPerStep: next < weights.a + 8 &* inputs ? linesPerStep : 0)
      if left >= 4, highest == 4 {
        DotPair<DotPair<DotRow<V>>>.run(product)
        row &+= 4
      } else if left >= 2 {
        DotPair<DotRow<V>>.run(product)
        row &+= 2
      } else {
        DotRow<V>.run(product)
        row &+= 1
      }
      next += product.linesPerStep &* inputs
    }
  }
}
