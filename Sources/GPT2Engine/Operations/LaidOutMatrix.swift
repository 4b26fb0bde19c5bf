import GPT2Kernels
import GPT2Model
import NumberFormats

/// A matrix of floats as a layout has it: quantized where it has blocks.
struct LaidOutMatrix: ~Copyable {
  private let memory: FloatBuffer
  let outputs, inputs: Int
  let layout: WeightLayout

  /// - Parameter source: (outputs, inputs), finite and within half precision.
  init(
    linear source: UnsafePointer<Float>, outputs: Int, inputs: Int, layout: WeightLayout
  ) throws(EngineError) {
    memory = try makeBuffer(layout.count(outputs: outputs, inputs: inputs), isFilledAtOnce: true)
    (self.outputs, self.inputs, self.layout) = (outputs, inputs, layout)
    if let format = layout.precision.blocks {
      store(source, as: format)
    } else {
      layout.store(linear: source, inputs: inputs, outputs: outputs, to: memory.base)
    }
  }

  private func store(_ source: UnsafePointer<Float>, as format: BlockFormat) {
    let count = BlockFormat.count(inputs: inputs)
    let step = layout.grain
    let blocks = UnsafeMutableRawPointer.allocate(byteCount: step * count * format.bytes, alignment: 64)
    defer { blocks.deallocate() }
    for first in stride(from: 0, to: outputs, by: step) {
      let piece = first..<min(first + step, outputs)
      format.quantize(linear: source + first * inputs, outputs: piece.count, inputs: inputs, to: blocks)
      layout.store(blocks: blocks, outputs: piece, blocks: 0..<count, inputs: inputs, to: memory.base)
    }
  }

  var weight: Weight { Weight(memory.base, outputs: outputs, inputs: inputs, layout: layout) }
}
