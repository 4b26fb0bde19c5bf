import Foundation
import TestSupport
import Testing

@testable import GPT2Model

@Suite struct GGUFReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: GGUFFile) throws -> Checkpoint {
    try Checkpoint(gguf: folder.write(file.bytes, to: "model.gguf"))
  }

  @Test(arguments: [true, false], [2, 3] as [UInt32])
  func valuesAreTheSafetensorsModels(_ tied: Bool, _ version: UInt32) throws {
    let configuration = try Configuration.small(tied: tied)
    var file = GGUFFile(of: configuration)
    file.version = version
    let checkpoint = try open(file)
    #expect(checkpoint.configuration == configuration)
    for (number, parameter) in configuration.parameters.enumerated() {
      let tensor = checkpoint.tensor(at: number)
      #expect(tensor.count == parameter.count)
      let wrong = tensor.indices.first { tensor[$0] != SafetensorsFile.value(number, $0) }
      #expect(wrong == nil, "\(parameter.name)")
    }
  }

  /// By what it holds, not by its name; alone in a folder; with its own tokenizer where there is one.
  @Test func aModelSourceKnowsIt() throws {
    let configuration = try Configuration.small()
    var file = GGUFFile(of: configuration)
    let bare = try folder.write(file.bytes, to: "weights")
    #expect(try ModelSource(bare) == .file(bare, .gguf) && ModelSource(bare).tokenizerLocation == nil)
    file.addTokenizer(tokens: ["a", "b", "ab"], merges: ["a b"])
    let path = try folder.write(file.bytes, to: "small.gguf")
    for name in [path, folder.path] {
      let source = try ModelSource(name)
      #expect(source.tokenizerLocation == .gguf(path))
      let checkpoint = try source.open(cacheFolder: folder("none"))
      #expect(checkpoint.name == name && checkpoint.configuration == configuration)
      #expect(try source.tokenizer(for: configuration)?.encode("aabb") == [0, 2, 1])
    }
  }

  @Test func anotherAlignmentAndEpsilonAreTaken() throws {
    let configuration = try Configuration(
      layers: 1, heads: 2, channels: 6, vocabulary: 11, context: 5, layerNormEpsilon: 2.5e-6)
    var file = GGUFFile(of: configuration)
    file.alignment = 256
    file.entries.append(.uint32("general.alignment", 256))
    let checkpoint = try open(file)
    #expect(checkpoint.configuration == configuration)
    #expect(checkpoint.tensor(at: 0)[7] == SafetensorsFile.value(0, 7))
  }

  @Test func unknownEntriesAndTensorsAreIgnored() throws {
    var file = GGUFFile(of: try .small())
    file.entries.insert(
      contentsOf: [
        .init(key: "a", type: 0, value: [255]), .init(key: "b", type: 1, value: [255]),
        .init(key: "c", type: 2, value: [255, 255]), .init(key: "d", type: 3, value: [255, 255]),
        .init(key: "e", type: 5, value: littleEndian(Int32.min)), .init(key: "f", type: 7, value: [1]),
        .init(key: "g", type: 10, value: littleEndian(UInt64.max)),
        .init(key: "h", type: 11, value: littleEndian(Int.min)),
        .init(key: "i", type: 12, value: littleEndian(Double.nan.bitPattern)), .string("j", ""),
        .array("k", of: 2, [[1, 2], [3, 4]]),
        .array("l", of: 9, [littleEndian(UInt32(0)) + littleEndian(UInt64(2)) + [7, 8]]),
      ], at: 0)
    file.tensors.insert(
      GGUFFile.Tensor(name: "rope_freqs.weight", dimensions: [3], type: 12, data: [1, 2, 3]), at: 1)
    let checkpoint = try open(file)
    #expect(checkpoint.tensor(at: 1)[3] == SafetensorsFile.value(1, 3))
  }

  /// Half precision in a matrix, which is transposed, and in an embedding.
  @Test(arguments: [(1, "F16"), (30, "BF16")] as [(UInt32, String)])
  func halfPrecisionIsWidened(_ type: UInt32, _ name: String) throws {
    let configuration = try Configuration.small()
    var file = GGUFFile(of: configuration)
    func value(_ i: Int) -> Float { Float(i % 100) / 64 - 0.5 }
    func half(_ value: Float) -> UInt16 {
      type == 1 ? Float16(value).bitPattern : UInt16(value.bitPattern >> 16)
    }
    for name in ["token_embd.weight", "blk.1.ffn_up.weight"] {
      let count = Int(file[name].dimensions.reduce(1, *))
      file[name].type = type
      file[name].data = (0..<count).flatMap { littleEndian(half(value($0))) }
    }
    let checkpoint = try open(file)
    #expect(checkpoint.tokenEmbedding.enumerated().allSatisfy { $1 == value($0) })
    let up = checkpoint.tensor(.upWeight, layer: 1)
    let order = GGUFFile.transposed([6, 24])
    #expect(order.indices.allSatisfy { up[order[$0]] == value($0) })
  }

  /// Blocks of 32 along the inputs of a linear layer, whose matrix is then transposed.
  @Test(arguments: [(8, 34), (2, 18)] as [(UInt32, Int)])
  func blocksAreWidened(_ type: UInt32, _ blockBytes: Int) throws {
    let configuration = try Configuration(layers: 1, heads: 1, channels: 32, vocabulary: 3, context: 2)
    var file = GGUFFile(of: configuration)
    var random = RandomStream(seed: 3)
    var expected: [String: [Float]] = [:]
    for name in ["token_embd.weight", "blk.0.ffn_down.weight"] {
      var values: [Float] = []
      file[name].type = type
      file[name].data = (0..<file[name].dimensions.reduce(1, *) / 32).flatMap { _ -> [UInt8] in
        let scale = Float16(random.float() / 100)
        let quants = (0..<blockBytes - 2).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let integers =
          type == 8
          ? quants.map { Int(Int8(bitPattern: $0)) }
          : quants.map { Int($0 & 15) - 8 } + quants.map { Int($0 >> 4) - 8 }
        values += integers.map { Float(scale) * Float($0) }
        return littleEndian(scale.bitPattern) + quants
      }
      expected[name] = values
    }
    let checkpoint = try open(file)
    #expect(Array(checkpoint.tokenEmbedding) == expected["token_embd.weight"])
    let down = checkpoint.tensor(.downWeight, layer: 0)
    let order = GGUFFile.transposed([128, 32])
    #expect(order.indices.allSatisfy { down[order[$0]] == expected["blk.0.ffn_down.weight"]?[$0] })
  }

  /// Every quant of Q6_K from a distinct place of its block, by the definition of the block.
  @Test func sixBitBlocksAreWidened() {
    var random = RandomStream(seed: 5)
    let quants = (0..<256).map { _ in Int(random.next() % 64) }
    let scales = (0..<16).map { _ in Int8(truncatingIfNeeded: random.next()) }
    let scale = Float16(0.0123)
    var block =
      [UInt8](repeating: 0, count: 192) + scales.map { UInt8(bitPattern: $0) }
      + littleEndian(scale.bitPattern)
    for (i, quant) in quants.enumerated() {
      let (half, place) = i.quotientAndRemainder(dividingBy: 128)
      let (quarter, column) = place.quotientAndRemainder(dividingBy: 32)
      block[half * 64 + quarter % 2 * 32 + column] |= UInt8(quant & 15) << (quarter > 1 ? 4 : 0)
      block[128 + half * 32 + column] |= UInt8(quant >> 4) << UInt8(2 * quarter)
    }
    let expected = (0..<256).map { Float(scale) * Float(scales[$0 / 16]) * Float(quants[$0] - 32) }
    let found = [Float](unsafeUninitializedCapacity: 256) { values, count in
      block.withUnsafeBytes { TensorEncoding.q6.decode($0.baseAddress!, 256, to: values.baseAddress!) }
      count = 256
    }
    #expect(found == expected)
  }
}
