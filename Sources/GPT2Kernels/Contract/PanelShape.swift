import CSystem

extension Float {
  /// A word of two bfloat16, each rounded to nearest, ties to even; the first is the lower half.
  @inline(__always)
  init(brains first: Float, _ second: Float) {
    self.init(bitPattern: UInt32(csystem_brain_float(first)) | UInt32(csystem_brain_float(second)) << 16)
  }
}

/// A matrix cut into panels of up to three vectors' outputs each, so that the innermost loop of a product reads it
/// from start to end: panel by panel, and in each (words, width). In float32 a word is an input's weight, and the last
/// panel is as many vectors wide as it needs. Of what is smaller a word holds two inputs' weights, or four, or eight, and
/// every panel is whole; after its words come its scales, (blocks, width). This is the packing of Goto and van de Geijn
/// ("Anatomy of High-Performance Matrix Multiplication", 2008).
struct PanelShape {
  let vector: Int
  /// Outputs of a whole panel.
  let columns: Int
  let precision: WeightPrecision

  /// Panels three vectors wide, whatever is left in the last.
  init(vector: Int, _ precision: WeightPrecision = .f32) {
    (self.vector, columns, self.precision) = (vector, 3 * vector, precision)
  }

  /// As few panels as hold that many outputs, and as even as whole vectors allow.
  init(vector: Int, fitting outputs: Int, _ precision: WeightPrecision = .f32) {
    (self.vector, self.precision) = (vector, precision)
    let vectors = max((outputs + vector - 1) / vector, 1)
    let panels = (vectors + 2) / 3
    columns = (vectors + panels - 1) / panels * vector
  }

  @inline(__always) func panels(outputs: Int) -> Int { (outputs &+ columns &- 1) / columns }

  /// Words of four bytes.
  func count(outputs: Int, inputs: Int) -> Int {
    let grain = precision == .f32 ? vector : columns
    let padded = (outputs + grain - 1) / grain * grain
    return offset(ofPanelAt: padded, inputs: inputs)
  }

  /// Words from one output to the next in the panel that holds `output`.
  @inline(__always)
  func width(at output: Int, outputs: Int) -> Int {
    guard precision == .f32 else { return columns }
    let first = output / columns &* columns
    return min(columns, (outputs &- first &+ vector &- 1) / vector &* vector)
  }

  /// Where the panel begins whose first output is `first`.
  @inline(__always)
  func offset(ofPanelAt first: Int, inputs: Int) -> Int {
    first &* precision.words(inputs: inputs) &+ first &* precision.scales(inputs: inputs) / 2
  }

  /// Where an output's first word lies.
  @inline(__always)
  func offset(of output: Int, inputs: Int) -> Int {
    let first = output / columns &* columns
    return offset(ofPanelAt: first, inputs: inputs) &+ (output &- first)
  }
}

extension WeightPrecision {
  /// Inputs of a block that has a scale.
  static let blockLength = 32

  /// Words of a block of an output.
  var blockWords: Int { self == .int8 ? 8 : 4 }

  /// Words that an output's weights take: floats, pairs of bfloat16, or whole blocks.
  func words(inputs: Int) -> Int {
    switch self {
    case .f32: inputs
    case .bf16: (inputs &+ 1) / 2
    case .int8, .int4: scales(inputs: inputs) &* blockWords
    }
  }

  /// Scales that an output has, one for each block.
  func scales(inputs: Int) -> Int {
    switch self {
    case .f32, .bf16: 0
    case .int8, .int4: (inputs &+ Self.blockLength &- 1) / Self.blockLength
    }
  }

  /// Bytes that a matrix takes at least, each output's weights and scales.
  public func bytes(outputs: Int, inputs: Int) -> Double {
    let ofAnOutput = self == .bf16 ? 2 * inputs : 4 * words(inputs: inputs) + 2 * scales(inputs: inputs)
    return Double(outputs) * Double(ofAnOutput)
  }
}

extension PanelShape {
  /// Copies a Hugging Face `Conv1D` matrix, (inputs, outputs) row-major; padding becomes 0.
  func store(
    conv1D source: UnsafePointer<Float>, rows: Range<Int>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    if precision == .bf16 {
      return storePairs(outputs: 0..<outputs, inputs: rows, of: inputs, to: destination) { output, input in
        source[(input &- rows.lowerBound) &* outputs &+ output]
      }
    }
    for first in stride(from: 0, to: outputs, by: columns) {
      let width = width(at: first, outputs: outputs)
      let used = min(width, outputs - first)
      var target = destination + (first &* inputs &+ rows.lowerBound &* width)
      for row in 0..<rows.count {
        target.update(from: source + (row &* outputs &+ first), count: used)
        (target + used).update(repeating: 0, count: width - used)
        target += width
      }
    }
  }

  /// Copies a `Linear` matrix, (outputs, inputs) row-major; padding becomes 0.
  func store(
    linear source: UnsafePointer<Float>, inputs: Int, outputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    if precision == .bf16 {
      return storePairs(outputs: 0..<outputs, inputs: 0..<inputs, of: inputs, to: destination) {
        output, input in
        source[output &* inputs &+ input]
      }
    }
    // Of each row as much as a cache line holds: the lines that are read and those that are written stay in the
    // first-level cache until they are whole.
    let block = 16
    var target = destination
    for first in stride(from: 0, to: outputs, by: columns) {
      let width = width(at: first, outputs: outputs)
      let used = min(width, outputs - first)
      for firstInput in stride(from: 0, to: inputs, by: block) {
        let count = min(block, inputs - firstInput)
        for output in 0..<used {
          let row = source + ((first &+ output) &* inputs &+ firstInput)
          for input in 0..<count { target[input &* width &+ output] = row[input] }
        }
        for input in 0..<count {
          (target + (input &* width &+ used)).update(repeating: 0, count: width - used)
        }
        target += count &* width
      }
    }
  }

  /// Pairs of neighbouring inputs as bfloat16, rounded to nearest, ties to even; the lower half is the first of them.
  @inline(__always)
  private func storePairs(
    outputs: Range<Int>, inputs: Range<Int>, of count: Int, to destination: UnsafeMutablePointer<Float>,
    value: (_ output: Int, _ input: Int) -> Float
  ) {
    precondition(inputs.lowerBound % 2 == 0)
    for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: columns) {
      let used = min(columns, outputs.upperBound - first)
      var target = destination + (offset(ofPanelAt: first, inputs: count) &+ inputs.lowerBound / 2 &* columns)
      for input in stride(from: inputs.lowerBound, to: inputs.upperBound, by: 2) {
        let isPair = input &+ 1 < inputs.upperBound
        for output in 0..<used {
          let second = isPair ? value(first &+ output, input &+ 1) : 0
          target[output] = Float(brains: value(first &+ output, input), second)
        }
        (target + used).update(repeating: 0, count: columns - used)
        target += columns
      }
    }
  }

  /// Puts the bytes of blocks where the words of a panel have them, and their scales after those. A signed byte becomes
  /// an unsigned one, 128 larger: instructions take unsigned bytes times signed ones.
  func store(
    blocks source: UnsafeRawPointer, outputs: Range<Int>, blocks: Range<Int>, inputs: Int,
    to destination: UnsafeMutablePointer<Float>
  ) {
    let count = precision.blockWords
    let sign: UInt32 = precision == .int8 ? 0x8080_8080 : 0
    var source = source
    for output in outputs {
      let column = destination + offset(of: output, inputs: inputs)
      let words = UnsafeMutableRawPointer(column).assumingMemoryBound(to: UInt32.self)
      let scales = scales(ofColumn: column, at: output, inputs: inputs)
      for block in blocks {
        scales[block &* columns] = source.loadUnaligned(as: UInt16.self)
        for word in 0..<count {
          words[(block &* count &+ word) &* columns] =
            source.loadUnaligned(fromByteOffset: 2 &+ 4 &* word, as: UInt32.self) ^ sign
        }
        source += 2 &+ 4 &* count
      }
    }
  }

  /// Where the column's scales begin, `columns` apart.
  private func scales(
    ofColumn column: UnsafeMutablePointer<Float>, at output: Int, inputs: Int
  ) -> UnsafeMutablePointer<UInt16> {
    let place = output % columns
    let panelEnd = column + (columns &* precision.words(inputs: inputs) &- place)
    return UnsafeMutableRawPointer(panelEnd).assumingMemoryBound(to: UInt16.self) + place
  }

  /// One output's weights as floats.
  func read(_ output: Int, of weight: Weight, to target: UnsafeMutablePointer<Float>) {
    let inputs = weight.inputs
    let column = UnsafeMutablePointer(mutating: weight.base) + offset(of: output, inputs: inputs)
    let step = width(at: output, outputs: weight.outputs)
    switch precision {
    case .f32: for input in 0..<inputs { target[input] = column[input &* step] }
    case .bf16:
      for pair in 0..<inputs / 2 {
        let bits = column[pair &* step].bitPattern
        target[2 &* pair] = Float(bitPattern: bits << 16)
        target[2 &* pair &+ 1] = Float(bitPattern: bits & 0xFFFF_0000)
      }
      if inputs % 2 == 1 {
        target[inputs - 1] = Float(bitPattern: column[inputs / 2 &* step].bitPattern << 16)
      }
    case .int8, .int4:
      let scales = scales(ofColumn: column, at: output, inputs: inputs)
      let length = WeightPrecision.blockLength
      withUnsafeTemporaryAllocation(of: Float.self, capacity: length) { block in
        for index in 0..<precision.scales(inputs: inputs) {
          let scale = Float(Float16(bitPattern: scales[index &* step]))
          readBlock(column + index &* precision.blockWords &* step, step, scale, to: block.baseAddress!)
          let first = index &* length
          (target + first).update(from: block.baseAddress!, count: min(length, inputs &- first))
        }
      }
    }
  }

  /// The 32 weights of the block whose words begin at `words`, `step` apart.
  @inline(__always)
  private func readBlock(
    _ words: UnsafePointer<Float>, _ step: Int, _ scale: Float, to target: UnsafeMutablePointer<Float>
  ) {
    for word in 0..<precision.blockWords {
      var bits = words[word &* step].bitPattern
      for byte in 4 &* word..<4 &* word &+ 4 {
        if precision == .int8 {
          target[byte] = scale * Float(Int32(bits & 255) &- 128)
        } else {
          target[byte] = scale * Float(Int32(bits & 15) &- 8)
          target[byte &+ 16] = scale * Float(Int32(bits >> 4 & 15) &- 8)
        }
        bits >>= 8
      }
    }
  }
}
