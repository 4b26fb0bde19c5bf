import Foundation
import NumberFormats
import TestSupport
import Testing

@testable import GPT2Model

/// What is written as GGUF comes back.
struct GGUFExportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint(tied: Bool = true, channels: Int = 64) throws -> Checkpoint {
    let configuration = try Configuration(
      layers: 2, heads: 2, channels: channels, vocabulary: 13, context: 4, layerNormEpsilon: 3e-6,
      tiesEmbeddings: tied)
    return try Checkpoint(inMemory: configuration, name: "models/small.v1.bin")
  }

  private func restored(
    _ checkpoint: Checkpoint, _ weights: GGUFWeights, _ tokenizer: Tokenizer? = nil
  ) throws -> Checkpoint {
    try checkpoint.exportGGUF(to: folder("model.gguf"), weights: weights, tokenizer: tokenizer)
    return try Checkpoint(gguf: folder("model.gguf"))
  }

  /// In whatever order the weights came.
  @Test(arguments: [true, false], [64, 9 * 6])
  func float32ComesBackTheSame(_ tied: Bool, _ channels: Int) throws {
    let original = try checkpoint(tied: tied, channels: channels)
    let found = try restored(original, .float32)
    expectEqual(found.configuration, original.configuration)
    expectNil(firstDifferentTensor(found, original))
    try found.exportGGUF(to: folder("again.gguf"), weights: .float32)
    try expectNil(firstDifferentTensor(Checkpoint(gguf: folder("again.gguf")), original))
  }

  /// Matrices are rounded to the nearest, and nothing else is.
  @Test(arguments: [GGUFWeights.float16, .bfloat16])
  func halvesAreRounded(_ weights: GGUFWeights) throws {
    let original = try checkpoint(tied: false)
    let found = try restored(original, weights)
    for (number, parameter) in original.configuration.parameters.enumerated() {
      let expected = original.tensor(at: number).map { value -> Float in
        guard parameter.isMatrix, value != 0 else { return value }
        guard weights == .bfloat16 else { return Float(Float16(value)) }
        // The nearest multiple of the upper half's last place, ties to even.
        let step = Float(sign: .plus, exponent: value.exponent - 7, significand: 1)
        return (value / step).rounded(.toNearestOrEven) * step
      }
      expectNil(firstBitDifference(found.tensor(at: number), expected), "\(parameter.name)")
    }
  }

  /// The blocks are those that the engine gets, come back bit for bit, and are written again as they are.
  @Test(arguments: [(.q8, .q8), (.q4, .q4)] as [(GGUFWeights, BlockFormat)])
  func blocksComeBackTheSame(_ weights: GGUFWeights, _ format: BlockFormat) throws {
    let original = try checkpoint(tied: false)
    let found = try restored(original, weights)
    for (number, parameter) in original.configuration.parameters.enumerated() {
      let values = Array(original.tensor(at: number))
      guard parameter.isMatrix else {
        expectNil(firstBitDifference(found.tensor(at: number), values), "\(parameter.name)")
        continue
      }
      let isLinear = parameter.role == .linearWeight
      let rows = isLinear ? GGUFFile.transposed(parameter.shape).map { values[$0] } : values
      let expected = quantized(rows, outputs: parameter.matrix.outputs, as: format)
      var blocks: [UInt8] = []
      try found.withBlocksOnce(number, as: format, grain: 16) { piece, outputs, count in
        blocks += UnsafeRawBufferPointer(start: piece, count: outputs.count * count.count * format.bytes)
      }
      expectEqual(blocks, expected, "\(parameter.name)")
    }
    try found.exportGGUF(to: folder("again.gguf"), weights: weights)
    try expectNil(firstDifferentTensor(Checkpoint(gguf: folder("again.gguf")), found))
  }

  @Test func metadataAreTheConverters() throws {
    _ = try restored(checkpoint(), .q4)
    let header = try GGUFHeader(folder("model.gguf"))
    try expectEqual(header.string("general.architecture"), "gpt2")
    try expectEqual(header.string("general.name"), "small.v1")
    try expectEqual(header.integer("general.file_type"), 2)
    try expectEqual(header.integer("general.quantization_version"), 2)
    try expectEqual(header.integer("gpt2.feed_forward_length"), 256)
    try expectEqual(header.string("tokenizer.ggml.model"), "none")
    expectEqual(header.tensors["blk.1.ffn_down.weight"]?.dimensions, [256, 64])
    expectEqual(header.tensors["blk.1.ffn_down.weight"]?.type, 2)
    expectEqual(header.tensors["position_embd.weight"]?.type, 0)
    expectEqual(header.tensors["token_embd.weight"]?.type, 2)
    expectEqual(header.tensors["blk.0.attn_qkv.bias"]?.type, 0)
    expectNil(header.tensors["output.weight"])
  }

  /// It has no tokenizer of its own; one may lie beside it.
  @Test func aModelWithoutAVocabularyHasNone() throws {
    _ = try restored(checkpoint(), .float32)
    try expectNil(ModelSource(folder("model.gguf")).tokenizerLocation)
  }

  /// The ids above the tokens have a row in the model and stand for no text.
  @Test func theTokenizerComesBack() throws {
    let tokenizer = try TokenizerFixtures.small()
    let configuration = try Configuration(
      layers: 1, heads: 1, channels: 32, vocabulary: tokenizer.vocabularyCount + 3, context: 4)
    _ = try restored(Checkpoint(inMemory: configuration, name: "m"), .q8, tokenizer)
    let source = try ModelSource(folder("model.gguf"))
    let found = try #require(try source.tokenizer(for: configuration))
    expectEqual(found.vocabularyCount, configuration.vocabulary)
    expectEqual(found.endOfText, tokenizer.endOfText)
    expectEqual(found.ends, tokenizer.ends)
    #expect(found.startOfText == tokenizer.startOfText && found.prefix.isEmpty)
    for text in ["the house, and don't!", "<|endoftext|>a<|endoftext|>", "żółć 漢字 👩‍💻 \u{0}\n\n  x"] {
      let ids = try tokenizer.encode(text)
      #expect(try found.encode(text) == ids && found.decode(ids) == text)
    }
    #expect(try found.bytes(of: configuration.vocabulary - 1).isEmpty)
  }

  @Test(arguments: [(.q8, "q8_0"), (.q4, "q4_0")] as [(GGUFWeights, String)])
  func channelsThatNoBlockDividesAreRefused(_ weights: GGUFWeights, _ name: String) throws {
    let path = folder("model.gguf")
    let original = try checkpoint(channels: 48)
    let text = refusal(naming: path) {
      try original.exportGGUF(to: path, weights: weights)
    }
    expectEqual(
      text,
      "\(path): cannot be written: \(name) has blocks of 32 weights, which do not divide the 48 channels "
        + "of models/small.v1.bin")
    #expect(try folder.contents().isEmpty)
  }

  /// And leave no file.
  @Test(
    arguments: [
      (.float16, 65520, "a number that float16 holds"), (.float16, .nan, "a number that float16 holds"),
      (.bfloat16, 3.4e38, "a number that bfloat16 holds"),
      (.bfloat16, -.infinity, "a number that bfloat16 holds"),
      (.q8, .nan, "a number from -8319008.0 to 8319008.0 for q8_0"),
    ] as [(GGUFWeights, Float, String)])
  func whatAnEncodingDoesNotHoldIsRefused(_ weights: GGUFWeights, _ value: Float, _ expected: String) throws {
    let configuration = try Configuration(
      layers: 2, heads: 1, channels: 32, vocabulary: 11, context: 5)
    var file = SafetensorsFile(of: configuration)
    file.metadata = ["n_head": "1"]
    // Row 3, column 17 of (32, 128).
    file["h.1.mlp.c_fc.weight"].data.replaceSubrange(
      4 * (3 * 128 + 17)..<4 * (3 * 128 + 18), with: littleEndian(value.bitPattern))
    let path = try folder.write(file.bytes, to: "m.safetensors")
    let checkpoint = try Checkpoint(safetensors: path)
    let text = refusal(naming: path) { try checkpoint.exportGGUF(to: folder("model.gguf"), weights: weights) }
    expectEqual(
      text, "\(path): tensor h.1.mlp.c_fc.weight: the weight at [3, 17] is \(value), expected \(expected)")
    try expectEqual(folder.contents(), ["m.safetensors"])
    // In float32 every bit is kept.
    try expectNil(firstDifferentTensor(restored(checkpoint, .float32), checkpoint))
  }
}
