/// ggml's blocks of 32 weights of one output, which share a scale in half precision: Q8_0 and Q4_0 (ggml-common.h). A
/// weight is its integer times the scale. A matrix in blocks is (outputs, blocks) row-major; where 32 does not divide
/// the inputs, zeros fill the last block of each output.
public enum BlockFormat: String, CaseIterable, Sendable {
  /// The scale, then 32 signed bytes, −127 to 127.
  case q8 = "q8_0"
  /// The scale, then 16 bytes: integers 0…15 in their lower halves, 16…31 in their upper ones, −8 to 7, stored with 8
  /// added.
  case q4 = "q4_0"

  /// Weights of a block.
  public static let length = 32

  /// Of a block.
  public var bytes: Int { encoding.bytes(of: Self.length) }

  /// Blocks that hold the weights of an output.
  public static func count(inputs: Int) -> Int { (inputs + length - 1) / length }

  package var encoding: TensorEncoding {
    switch self {
    case .q8: .q8
    case .q4: .q4
    }
  }

  /// Half precision's largest number: a larger scale is none.
  static let largestScale: Float = 65504

  /// The largest magnitude of a weight.
  package var largestWeight: Float {
    switch self {
    case .q8: 127 * Self.largestScale
    case .q4: 8 * Self.largestScale
    }
  }

  /// Widens blocks to float32, as ggml does, to the bit.
  public func widen(_ blocks: UnsafeRawPointer, count: Int, to values: UnsafeMutablePointer<Float>) {
    encoding.decode(blocks, count * Self.length, to: values)
  }

  /// Quantizes a matrix (outputs, inputs), row-major, each block with the least squared error that `BlockFit` finds: the
  /// same bits on every machine.
  /// - Parameter target: (outputs, blocks).
  /// - Returns: the place in `rows` of a weight that no block can hold, NaN, infinite or too large; nil, as a rule, where
  ///   all were quantized.
  @discardableResult
  public func quantize(
    linear rows: UnsafePointer<Float>, outputs: Int, inputs: Int, to target: UnsafeMutableRawPointer
  ) -> Int? {
    quantize(rows, .outputsFirst, outputs: outputs, inputs: inputs, to: target)
  }

  /// Likewise from either order of the matrix.
  package func quantize(
    _ source: UnsafePointer<Float>, _ order: MatrixOrder, outputs: Int, inputs: Int,
    to target: UnsafeMutableRawPointer
  ) -> Int? {
    let blocks = Self.count(inputs: inputs)
    let (inputStride, outputStride) = order == .inputsFirst ? (outputs, 1) : (1, inputs)
    return withUnsafeTemporaryAllocation(of: BlockFit.Lanes.self, capacity: Self.length) { memory in
      let tile = memory.baseAddress!
      for block in 0..<blocks {
        let firstInput = block * Self.length
        let inputCount = min(Self.length, inputs - firstInput)
        for firstOutput in stride(from: 0, to: outputs, by: BlockFit.lanes) {
          let outputCount = min(BlockFit.lanes, outputs - firstOutput)
          let corner = firstInput * inputStride + firstOutput * outputStride
          Self.gather(
            source + corner, inputs: inputCount, stride: inputStride, outputs: outputCount,
            stride: outputStride, to: tile)
          guard let extremes = BlockFit.extremes(of: tile, largest: largestWeight) else {
            return corner + refusedPlace(source + corner, inputCount, inputStride, outputCount, outputStride)
          }
          let fit = BlockFit(tile, extremes: extremes, format: self)
          fit.store(
            tile, outputs: outputCount, stride: blocks * bytes,
            to: target + (firstOutput * blocks + block) * bytes)
        }
      }
      return nil
    }
  }

  /// Copies up to 32 inputs of up to 16 outputs, and fills the rest with zeros.
  /// - Parameter tile: (inputs, outputs).
  @inline(__always)
  private static func gather(
    _ source: UnsafePointer<Float>, inputs: Int, stride inputStride: Int, outputs: Int,
    stride outputStride: Int, to tile: UnsafeMutablePointer<BlockFit.Lanes>
  ) {
    let isWhole = inputs == length && outputs == BlockFit.lanes
    if !isWhole { tile.update(repeating: .zero, count: length) }
    if outputStride == 1, outputs == BlockFit.lanes {
      for input in 0..<inputs {
        tile[input] = UnsafeRawPointer(source + input &* inputStride).loadUnaligned(as: BlockFit.Lanes.self)
      }
      return
    }
    tile.withMemoryRebound(to: Float.self, capacity: length * BlockFit.lanes) { values in
      if isWhole, inputStride == 1 {
        transpose(source, stride: outputStride, to: values)
        return
      }
      for output in 0..<outputs {
        let column = source + output &* outputStride
        for input in 0..<inputs {
          values[input &* BlockFit.lanes &+ output] = column[input &* inputStride]
        }
      }
    }
  }

  /// A whole tile (inputs, outputs) of rows of inputs, four by four.
  @inline(__always)
  private static func transpose(
    _ source: UnsafePointer<Float>, stride rowStride: Int, to tile: UnsafeMutablePointer<Float>
  ) {
    for output in stride(from: 0, to: BlockFit.lanes, by: 4) {
      for input in stride(from: 0, to: length, by: 4) {
        let corner = UnsafeRawPointer(source + (output &* rowStride &+ input))
        let a = corner.loadUnaligned(as: SIMD4<Float>.self)
        let b = corner.loadUnaligned(fromByteOffset: 4 &* rowStride, as: SIMD4<Float>.self)
        let c = corner.loadUnaligned(fromByteOffset: 8 &* rowStride, as: SIMD4<Float>.self)
        let d = corner.loadUnaligned(fromByteOffset: 12 &* rowStride, as: SIMD4<Float>.self)
        for i in 0..<4 {
          let target = UnsafeMutableRawPointer(tile + ((input &+ i) &* BlockFit.lanes &+ output))
          target.storeBytes(of: SIMD4(a[i], b[i], c[i], d[i]), as: SIMD4<Float>.self)
        }
      }
    }
  }

  private func refusedPlace(
    _ source: UnsafePointer<Float>, _ inputs: Int, _ inputStride: Int, _ outputs: Int, _ outputStride: Int
  ) -> Int {
    for output in 0..<outputs {
      for input in 0..<inputs {
        let place = input * inputStride + output * outputStride
        // NaN compares with nothing.
        if !(source[place].magnitude <= largestWeight) { return place }
      }
    }
    return 0
  }

  /// The first of some blocks whose scale is NaN or infinite: its first weight's number, and the scale; nil as a rule.
  package func firstWithoutScale(_ blocks: UnsafeRawPointer, count: Int) -> (place: Int, value: Float)? {
    for block in 0..<count {
      let bits = blocks.loadUnaligned(fromByteOffset: block &* bytes, as: UInt16.self)
      if bits & 0x7C00 == 0x7C00 { return (block * Self.length, TensorEncoding.widen(half: bits)) }
    }
    return nil
  }
}
