import NumberFormats
import TestSupport
import Testing

struct BlockFormatTests {
  private func squaredError(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
  }

  /// What `quantize_row_q8_0_ref` and `quantize_row_q4_0_ref` of ggml-quants.c lose of a block.
  private func simpleError(_ block: ArraySlice<Float>, _ format: BlockFormat) -> Double {
    var extreme: Float = 0
    for x in block where x.magnitude > extreme.magnitude { extreme = x }
    let scale = format == .q8 ? extreme.magnitude / 127 : extreme / -8
    let factor = scale == 0 ? 0 : 1 / scale
    let half = Float(Float16(scale))
    return squaredError(
      block,
      block.map { x -> Float in
        let integer =
          format == .q8
          ? (x * factor).rounded() : min((x * factor + 8.5).rounded(.towardZero), 15) - 8
        return half * integer
      })
  }

  /// Close to normal.
  private static func normal(_ count: Int, _ random: inout RandomStream) -> [Float] {
    (0..<count).map { _ in (random.float() + random.float() + random.float() + random.float()) / 50 }
  }

  @Test func eightBitsOfKnownValues() {
    let integers = [-127, 127, 0, 1, -1] + (0..<27).map { 4 * $0 - 50 }
    expectEqual(
      quantized(integers.map { Float($0) * 0.25 }, outputs: 1, as: .q8),
      littleEndian(Float16(0.25).bitPattern) + integers.map { UInt8(bitPattern: Int8($0)) })
  }

  /// Of both signs: the extreme becomes −8. Byte i has value i below and value 16 + i above.
  @Test(arguments: [0.5, -0.5] as [Float])
  func fourBitsOfKnownValues(_ scale: Float) {
    let integers = (0..<16).map { $0 - 8 } + (0..<16).map { 7 - $0 }
    let pairs = (0..<16).map { (low: UInt8) in low + (15 - low) * 16 }
    expectEqual(
      quantized(integers.map { Float($0) * scale }, outputs: 1, as: .q4),
      littleEndian(Float16(scale).bitPattern) + pairs)
  }

  @Test(arguments: BlockFormat.allCases)
  func noBlockIsWorseThanSimplyRounded(_ format: BlockFormat) throws {
    var random = RandomStream(seed: 18)
    var worst = 0.0
    for exponent in -34...10 {
      for kind in 0..<40 {
        var block = Self.normal(32, &random)
        // Values between two integers, few values, one that stands out.
        if kind % 3 == 0 { block = block.map { ($0 * 400).rounded() * 0.5 } }
        if kind % 7 == 0 { block.replaceSubrange(4..<28, with: repeatElement(0, count: 24)) }
        if kind % 5 == 0 { block[kind % 32] *= 20 }
        block = block.map { Float(sign: .plus, exponent: exponent, significand: $0) }
        let found = widened(try #require(quantized(block, outputs: 1, as: format)), as: format)
        let (error, simple) = (squaredError(found, block), simpleError(block[...], format))
        worst = max(worst, simple == 0 ? error : error / simple)
      }
    }
    // Errors of equal scales and integers are summed in float32.
    #expect(worst <= 1 + 1e-6)
  }

  /// The mean squared error of normal values against that of simple rounding.
  @Test(arguments: [(.q8, 0.81), (.q4, 0.9)] as [(BlockFormat, Double)])
  func normalValuesLoseLess(_ format: BlockFormat, _ limit: Double) throws {
    var random = RandomStream(seed: 2)
    let values = Self.normal(32 * 500, &random)
    let found = widened(try #require(quantized(values, outputs: 1, as: format)), as: format)
    let simple = stride(from: 0, to: values.count, by: 32)
      .reduce(0) { $0 + simpleError(values[$1..<$1 + 32], format) }
    #expect(squaredError(found, values) < limit * simple)
  }

  /// Bits that must be the same on every machine, by FNV-1a.
  @Test(arguments: [(.q8, 0x0B86_7744_49D6_443B), (.q4, 0xA125_661F_76E5_171C)] as [(BlockFormat, UInt64)])
  func bitsAreTheSameEverywhere(_ format: BlockFormat, _ expected: UInt64) throws {
    var random = RandomStream(seed: 3)
    let blocks = try #require(quantized(Self.normal(19 * 200, &random), outputs: 19, as: format))
    let hash = blocks.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    expectEqual(hash, expected)
  }

  /// Each output alone gives the blocks that it has among others, and zeros fill its last block.
  @Test(arguments: [1, 15, 16, 17, 33], [1, 31, 32, 33, 70])
  func everyShapeIsTaken(_ outputs: Int, _ inputs: Int) throws {
    var random = RandomStream(seed: UInt64(outputs * 100 + inputs))
    let rows = random.floats(outputs * inputs)
    for format in BlockFormat.allCases {
      let blocks = try #require(quantized(rows, outputs: outputs, as: format))
      let bytes = blocks.count / outputs
      for output in 0..<outputs {
        let row = Array(rows[output * inputs..<(output + 1) * inputs])
        let alone = try #require(quantized(row, outputs: 1, as: format))
        expectEqual(alone, Array(blocks[output * bytes..<(output + 1) * bytes]))
        let values = widened(alone, as: format)
        #expect(values[inputs...].allSatisfy { $0 == 0 })
        let largest = row.map(\.magnitude).max() ?? 0
        #expect(zip(values, row).allSatisfy { ($0 - $1).magnitude <= largest / (format == .q8 ? 127 : 4) })
      }
    }
  }

  @Test func zerosHaveNoScale() {
    expectEqual(
      quantized([Float](repeating: 0, count: 64), outputs: 2, as: .q8), [UInt8](repeating: 0, count: 68))
    expectEqual(
      quantized([0, -0] + [Float](repeating: 0, count: 30), outputs: 1, as: .q4),
      [0, 0] + [UInt8](repeating: 0x88, count: 16))
  }

  /// Where half precision has few numbers, a scale is the next above what would be needed; ggml's becomes 0.
  @Test(arguments: BlockFormat.allCases)
  func theSmallestScalesAreUsed(_ format: BlockFormat) throws {
    let values = (0..<32).map { Float($0 - 16) * 0x1p-24 / 3 }
    let found = widened(try #require(quantized(values, outputs: 1, as: format)), as: format)
    #expect(zip(found, values).allSatisfy { ($0 - $1).magnitude <= 0x1p-25 })
    let tiny = [Float](repeating: .leastNonzeroMagnitude, count: 32)
    #expect(widened(try #require(quantized(tiny, outputs: 1, as: format)), as: format).allSatisfy { $0 == 0 })
  }

  @Test(arguments: BlockFormat.allCases)
  func whatNoScaleHoldsIsRefused(_ format: BlockFormat) throws {
    let largest: Float = format == .q8 ? 127 * 65504 : 8 * 65504
    var rows = [Float](repeating: 1, count: 3 * 40)
    rows[47] = -largest
    let blocks = try #require(quantized(rows, outputs: 3, as: format))
    expectEqual(widened(blocks, as: format)[64 + 7], -largest)
    for value in [largest.nextUp, -largest.nextUp, .infinity, -.infinity, .nan, -.nan] {
      rows[47] = value
      var target = [UInt8](repeating: 0, count: 6 * format.bytes)
      expectEqual(format.quantize(linear: rows, outputs: 3, inputs: 40, to: &target), 47, "\(value)")
    }
  }
}
