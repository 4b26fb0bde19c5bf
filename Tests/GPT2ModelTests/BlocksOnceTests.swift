import NumberFormats
import TestSupport
import Testing

@testable import GPT2Model

/// The blocks of a checkpoint's matrices, as the engine takes them.
struct BlocksOnceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// All blocks of a matrix, from pieces that must cover it once.
  private func blocks(
    _ number: Int, of checkpoint: Checkpoint, as format: BlockFormat, grain: Int = 48
  ) throws -> [UInt8] {
    let (outputs, inputs) = checkpoint.configuration.parameters[number].matrix
    let count = BlockFormat.count(inputs: inputs)
    var bytes = [UInt8](repeating: 0, count: outputs * count * format.bytes)
    var seen = [Int](repeating: 0, count: outputs * count)
    try checkpoint.withBlocksOnce(number, as: format, grain: grain) { piece, pieceOutputs, pieceBlocks in
      expectEqual(pieceOutputs.lowerBound % grain, 0)
      #expect(pieceOutputs == 0..<outputs || pieceBlocks == 0..<count)
      for output in pieceOutputs {
        for block in pieceBlocks {
          let source =
            (output - pieceOutputs.lowerBound) * pieceBlocks.count + block - pieceBlocks.lowerBound
          for byte in 0..<format.bytes {
            bytes[(output * count + block) * format.bytes + byte] = piece.load(
              fromByteOffset: source * format.bytes + byte, as: UInt8.self)
          }
          seen[output * count + block] += 1
        }
      }
    }
    #expect(seen.allSatisfy { $0 == 1 })
    return bytes
  }

  private func matrices(of configuration: Configuration) -> [Int] {
    configuration.parameters.indices.filter { configuration.parameters[$0].isMatrix }
  }

  /// A matrix (outputs, inputs) as its tensor's values.
  private func rows(_ number: Int, of checkpoint: Checkpoint) -> [Float] {
    let parameter = checkpoint.configuration.parameters[number]
    let values = checkpoint.tensor(at: number)
    guard parameter.role == .linearWeight else { return Array(values) }
    return GGUFFile.transposed(parameter.shape).map { values[$0] }
  }

  /// Several pieces of most matrices; inputs that 32 does not divide.
  @Test(arguments: BlockFormat.allCases)
  func bothOrdersGiveTheSameBlocks(_ format: BlockFormat) throws {
    let configuration = try Configuration(layers: 1, heads: 1, channels: 328, vocabulary: 1000, context: 2)
    let inputsFirst = try Checkpoint(inMemory: configuration, name: "memory")
    try inputsFirst.exportSeed(to: folder("model.bin"))
    let outputsFirst = try Checkpoint(folder: folder.path)
    for number in matrices(of: configuration) {
      let expected = quantized(
        rows(number, of: inputsFirst), outputs: configuration.parameters[number].matrix.outputs, as: format)
      try expectEqual(blocks(number, of: inputsFirst, as: format), expected)
      try expectEqual(blocks(number, of: outputsFirst, as: format), expected)
      try expectEqual(blocks(number, of: outputsFirst, as: format, grain: 5), expected)
    }
  }

  /// The logits' own matrix too.
  @Test func anUntiedMatrixIsHandedOver() throws {
    let checkpoint = try Checkpoint(inMemory: .small(tied: false), name: "memory")
    let number = checkpoint.configuration.outputEmbeddingIndex
    let expected = quantized(rows(number, of: checkpoint), outputs: 11, as: .q8)
    try expectEqual(blocks(number, of: checkpoint, as: .q8), expected)
  }

  private static func file(with blocks: [UInt8], of format: BlockFormat) throws -> GGUFFile {
    var file = GGUFFile(
      of: try Configuration(layers: 1, heads: 1, channels: 64, vocabulary: 5, context: 2))
    file["blk.0.ffn_down.weight"].type = format == .q8 ? 8 : 2
    file["blk.0.ffn_down.weight"].data = blocks
    return file
  }

  /// (64, 256) in blocks of random integers.
  private static func randomBlocks(_ format: BlockFormat) -> [UInt8] {
    var random = RandomStream(seed: 6)
    return (0..<64 * 256 / 32).flatMap { _ -> [UInt8] in
      let scale = littleEndian(Float16(random.float() / 50).bitPattern)
      return scale + (2..<format.bytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
  }

  private static let down = Configuration.index(of: .downWeight, layer: 0)

  @Test(arguments: BlockFormat.allCases)
  func aFilesOwnBlocksStayAsTheyAre(_ format: BlockFormat) throws {
    let expected = Self.randomBlocks(format)
    let path = try folder.write(Self.file(with: expected, of: format).bytes, to: "model.gguf")
    let checkpoint = try Checkpoint(gguf: path)
    try expectEqual(blocks(Self.down, of: checkpoint, as: format), expected)
    // In the other format they are what they stand for, quantized.
    let other: BlockFormat = format == .q8 ? .q4 : .q8
    try expectEqual(
      blocks(Self.down, of: checkpoint, as: other),
      quantized(widened(expected, as: format), outputs: 64, as: other))
  }

  /// The place is that of Hugging Face's shape, whatever the order in the file.
  @Test(arguments: [
    (Float.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"), (1e9, "1e+09"), (-1e9, "-1e+09"),
  ])
  func aWeightThatNoBlockHoldsIsNamed(_ value: Float, _ found: String) throws {
    let configuration = try Configuration.small()
    var safetensors = SafetensorsFile(of: configuration)
    // Row 3, column 17 of (6, 24).
    safetensors["h.1.mlp.c_fc.weight"].data.replaceSubrange(
      4 * (3 * 24 + 17)..<4 * (3 * 24 + 18), with: littleEndian(value.bitPattern))
    var gguf = GGUFFile(of: configuration)
    gguf["blk.1.ffn_up.weight"].data.replaceSubrange(
      4 * (17 * 6 + 3)..<4 * (17 * 6 + 4), with: littleEndian(value.bitPattern))
    // Token 7's channel 2.
    safetensors["wte.weight"].data.replaceSubrange(
      4 * (7 * 6 + 2)..<4 * (7 * 6 + 3), with: littleEndian(value.bitPattern))
    safetensors.metadata = ["n_head": "2"]
    let first = try folder.write(safetensors.bytes, to: "model.safetensors")
    let second = try folder.write(gguf.bytes, to: "model.gguf")
    let number = Configuration.index(of: .upWeight, layer: 1)
    for (path, checkpoint) in [
      (first, try Checkpoint(safetensors: first)), (second, try Checkpoint(gguf: second)),
    ] {
      let text = refusal(naming: path) { try blocks(number, of: checkpoint, as: .q8) }
      expectEqual(
        text,
        "\(path): tensor h.1.mlp.c_fc.weight: the weight at [3, 17] is \(found), "
          + "expected a number from -8319008.0 to 8319008.0 for q8_0")
    }
    let text = refusal(naming: first) { try blocks(0, of: Checkpoint(safetensors: first), as: .q4) }
    expectEqual(
      text,
      "\(first): tensor wte.weight: the weight at [7, 2] is \(found), "
        + "expected a number from -524032.0 to 524032.0 for q4_0")
  }

  /// A file's own block whose scale is none.
  @Test(arguments: [0x7C00, 0xFC00, 0x7E01] as [UInt16])
  func aBlockWithoutAScaleIsNamed(_ scale: UInt16) throws {
    var blocks = Self.randomBlocks(.q8)
    // Output 9, inputs from 96 on.
    blocks.replaceSubrange(34 * (9 * 8 + 3)..<34 * (9 * 8 + 3) + 2, with: littleEndian(scale))
    let path = try folder.write(Self.file(with: blocks, of: .q8).bytes, to: "model.gguf")
    let checkpoint = try Checkpoint(gguf: path)
    let text = refusal(naming: path) { try self.blocks(Self.down, of: checkpoint, as: .q8) }
    expectEqual(
      text?.contains("tensor h.0.mlp.c_proj.weight: the weight at [96, 9] is "), true, "\(text ?? "")")
  }
}
