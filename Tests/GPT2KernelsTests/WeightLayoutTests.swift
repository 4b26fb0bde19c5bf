import TestSupport
import Testing

@testable import GPT2Kernels

struct WeightLayoutTests {
  static let sizes = [1, 2, 3, 5, 31, 32, 33, 64, 65, 97]

  @Test(arguments: sizes, sizes)
  func transposeMovesEveryValueAndNothingElse(_ rows: Int, _ columns: Int) {
    let source = (0..<rows * columns).map(Float.init)
    let target = GuardedFloats(rows * columns)
    transpose(source, stride: columns, rows: rows, columns: columns, to: target.base, stride: rows)
    let expected = (0..<columns).flatMap { column in (0..<rows).map { source[$0 * columns + column] } }
    expectEqual(target.values, expected)
    #expect(target.guardsHold)
  }

  @Test(arguments: [(1, 1), (3, 7), (33, 31), (65, 4)])
  func rowsHoldOneOutputAfterTheOther(_ inputs: Int, _ outputs: Int) {
    let layout = WeightLayout.rows
    let conv1D = (0..<inputs * outputs).map(Float.init)
    expectEqual(layout.count(outputs: outputs, inputs: inputs), inputs * outputs)
    let target = GuardedFloats(inputs * outputs)
    layout.store(conv1D: conv1D, inputs: inputs, outputs: outputs, to: target.base)
    for output in 0..<outputs {
      for input in 0..<inputs {
        expectEqual(target.base[output * inputs + input], conv1D[input * outputs + output])
      }
    }
    #expect(target.guardsHold)
  }

  /// A matrix that comes in pieces lies as one that comes at once.
  @Test(arguments: [.rows, .columns, .panels(vector: 4), .panels(vector: 16)] as [WeightLayout])
  func piecesLieAsTheWhole(_ layout: WeightLayout) {
    let (inputs, outputs) = (37, 101)
    let values = (1...inputs * outputs).map(Float.init)
    let count = layout.count(outputs: outputs, inputs: inputs)
    let (whole, pieces) = (GuardedFloats(count), GuardedFloats(count))
    layout.store(conv1D: values, inputs: inputs, outputs: outputs, to: whole.base)
    for rows in [0..<1, 1..<20, 20..<37] {
      let source = Array(values[(rows.lowerBound * outputs)...])
      layout.store(conv1D: source, rows: rows, inputs: inputs, outputs: outputs, to: pieces.base)
    }
    #expect(pieces.values == whole.values && pieces.guardsHold)

    layout.store(linear: values, inputs: inputs, outputs: outputs, to: whole.base)
    for rows in [0..<layout.grain, layout.grain..<2 * layout.grain, 2 * layout.grain..<outputs] {
      let source = Array(values[(rows.lowerBound * inputs)...])
      layout.store(linear: source, rows: rows, inputs: inputs, outputs: outputs, to: pieces.base)
    }
    #expect(pieces.values == whole.values && pieces.guardsHold)
  }

  @Test(arguments: [4, 8, 16], [(1, 1), (3, 7), (33, 31), (5, 48), (2, 49), (7, 100), (4, 65)])
  func panelsHoldThreeVectorsOfOutputsInputAfterInput(_ vector: Int, _ sizes: (Int, Int)) {
    let (inputs, outputs) = sizes
    let layout = WeightLayout.panels(vector: vector)
    let conv1D = (1...inputs * outputs).map(Float.init)
    let count = layout.count(outputs: outputs, inputs: inputs)
    #expect(count % (vector * inputs) == 0 && count - outputs * inputs < vector * inputs)
    let target = GuardedFloats(count)
    layout.store(conv1D: conv1D, inputs: inputs, outputs: outputs, to: target.base)
    var next = 0
    for first in stride(from: 0, to: outputs, by: 3 * vector) {
      let width = min(3 * vector, (outputs - first + vector - 1) / vector * vector)
      for input in 0..<inputs {
        for output in first..<first + width {
          let expected = output < outputs ? conv1D[input * outputs + output] : 0
          expectEqual(target.base[next], expected)
          next += 1
        }
      }
    }
    #expect(next == count && target.guardsHold)
  }

  /// From the transpose that other files hold, the same in every place.
  @Test(
    arguments: [WeightLayout.rows, .columns, .panels(vector: 4), .panels(vector: 8), .panels(vector: 16)],
    [(1, 1), (3, 7), (33, 31), (5, 48), (2, 49), (16, 100), (47, 65)])
  func aLinearMatrixIsLaidOutAsItsTranspose(_ layout: WeightLayout, _ sizes: (Int, Int)) {
    let (inputs, outputs) = sizes
    let conv1D = (1...inputs * outputs).map(Float.init)
    let linear = (0..<outputs).flatMap { output in (0..<inputs).map { conv1D[$0 * outputs + output] } }
    let count = layout.count(outputs: outputs, inputs: inputs)
    let (target, expected) = (GuardedFloats(count), GuardedFloats(count))
    layout.store(linear: linear, inputs: inputs, outputs: outputs, to: target.base)
    layout.store(conv1D: conv1D, inputs: inputs, outputs: outputs, to: expected.base)
    #expect(target.values == expected.values && target.guardsHold)
  }

  @Test func aBufferIsZeroedAndRefusesWhatCannotBe() throws {
    let buffer = try FloatBuffer(count: 3000)
    let isZero = (0..<3000).allSatisfy { buffer.base[$0] == 0 }
    #expect(isZero)
    expectEqual(Int(bitPattern: buffer.base) % 4096, 0)
    for count in [Int.max, 1 << 58] {
      #expect(throws: FloatBuffer.OutOfMemory.self) { try allocate(count) }
    }
  }

  private func allocate(_ count: Int) throws(FloatBuffer.OutOfMemory) {
    let buffer = try FloatBuffer(count: count)
    buffer.base[0] = 1
  }
}
