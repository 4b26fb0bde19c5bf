import Foundation
import NumberFormats
import TestSupport
import Testing

@testable import GPT2Model

struct GGUFReadingTests {
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
    expectEqual(checkpoint.configuration, configuration)
    expectValues(of: checkpoint)
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
      expectEqual(source.tokenizerLocation, .gguf(path))
      let checkpoint = try source.open(cacheFolder: folder("none"))
      expectEqual(checkpoint.name, name)
      expectEqual(checkpoint.configuration, configuration)
      try expectEqual(source.tokenizer(for: configuration)?.encode("aabb"), [0, 2, 1])
    }
  }

  @Test func anotherAlignmentAndEpsilonAreTaken() throws {
    let configuration = try Configuration(
      layers: 1, heads: 2, channels: 6, vocabulary: 11, context: 5, layerNormEpsilon: 2.5e-6)
    var file = GGUFFile(of: configuration)
    file.alignment = 256
    file.entries.append(.uint32("general.alignment", 256))
    let checkpoint = try open(file)
    expectEqual(checkpoint.configuration, configuration)
    expectEqual(checkpoint.tensor(at: 0)[7], SafetensorsFile.value(0, 7))
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
    expectEqual(checkpoint.tensor(at: 1)[3], SafetensorsFile.value(1, 3))
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
    expectEqual(Array(checkpoint.tokenEmbedding), expected["token_embd.weight"])
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
    expectEqual(found, expected)
  }
}

/// Files that are wrong somewhere: each is refused in one line that names the file and what is wrong.
struct GGUFRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func outcome(of bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "model.gguf")
    return refusal(naming: path) { try Checkpoint(gguf: path) }
      .map { $0.replacing(path, with: "FILE") } ?? "accepted"
  }

  static let mutations: [Mutation<GGUFFile>] = [
    Mutation("GGUF version: found 1, expected 2 or 3") { $0.version = 1 },
    Mutation("(a big-endian file)") { $0.version = 3 << 24 },
    Mutation("general.architecture: found llama, expected gpt2") {
      $0[entry: "general.architecture"] = .string("general.architecture", "llama")
    },
    Mutation("general.architecture: found nothing") { $0[entry: "general.architecture"] = nil },
    Mutation("gpt2.block_count: found nothing, expected a whole number") {
      $0[entry: "gpt2.block_count"] = nil
    },
    Mutation("gpt2.block_count: found a string") {
      $0[entry: "gpt2.block_count"] = .string("gpt2.block_count", "2")
    },
    Mutation("gpt2.attention.layer_norm_epsilon: found nothing") {
      $0[entry: "gpt2.attention.layer_norm_epsilon"] = nil
    },
    Mutation("layer norm epsilon: found nan") {
      $0[entry: "gpt2.attention.layer_norm_epsilon"] = .float("gpt2.attention.layer_norm_epsilon", .nan)
    },
    Mutation("heads: found 4, expected a divisor of the 6 channels") {
      $0[entry: "gpt2.attention.head_count"] = .uint32("gpt2.attention.head_count", 4)
    },
    Mutation("gpt2.feed_forward_length: found 25, expected 24") {
      $0[entry: "gpt2.feed_forward_length"] = .uint32("gpt2.feed_forward_length", 25)
    },
    Mutation("split.count: found 2") { $0.entries.append(.uint32("split.count", 2)) },
    Mutation("general.alignment: found 24, expected a power of two") {
      $0.entries.append(.uint32("general.alignment", 24))
    },
    Mutation("general.alignment: found 0, expected a power of two") {
      $0.entries.append(.uint32("general.alignment", 0))
    },
    Mutation("gpt2.block_count: found twice") { $0.entries.append(.uint32("gpt2.block_count", 2)) },
    Mutation("x's type: found 13, expected a number from 0 to 12") {
      $0.entries.append(.init(key: "x", type: 13, value: []))
    },
    Mutation("x: found arrays within arrays") { file in
      let level = littleEndian(UInt32(9)) + littleEndian(UInt64(1))
      let nested = (0..<10_000).flatMap { _ in level }
      file.entries.append(.init(key: "x", type: 9, value: nested))
    },
    Mutation("x's length: found 18446744073709551615, expected at most") {
      $0.entries.append(.array("x", of: 0, count: .max, []))
    },
    Mutation("number of tensors: found 4611686018427387904") { $0.declaredTensors = 1 << 62 },
    Mutation("number of metadata entries: found 1099511627776") { $0.declaredEntries = 1 << 40 },
    Mutation("the key of metadata entry 7: found empty or not UTF-8") {
      $0.entries.append(.init(key: "", type: 0, value: [0]))
    },
    Mutation("tensor blk.1.ffn_up.bias is missing") { $0["blk.1.ffn_up.bias"].name = "other" },
    Mutation("tensor blk.2.attn_norm.weight: its layer is 2") {
      $0.tensors.append(.init(name: "blk.2.attn_norm.weight", dimensions: [1], data: [0, 0, 0, 0]))
    },
    Mutation("tensor output_norm.bias: its entry is there twice") {
      $0.tensors.append($0["output_norm.bias"])
    },
    Mutation("tensor blk.0.attn_qkv.weight: dimensions is [18, 6], expected [6, 18]") {
      $0["blk.0.attn_qkv.weight"].dimensions = [18, 6]
    },
    Mutation("tensor token_embd.weight: dimensions is [66], expected two") {
      $0["token_embd.weight"].dimensions = [66]
    },
    Mutation("number of dimensions is 5, expected at most 4") {
      $0["token_embd.weight"].dimensions = [6, 11, 1, 1, 1]
    },
    Mutation("a dimension is 18446744073709551615") { $0["token_embd.weight"].dimensions = [6, .max] },
    Mutation("type is Q4_K, expected one of F32, F16, Q4_0, Q8_0, Q6_K, BF16") {
      $0["blk.0.ffn_up.weight"].type = 12
    },
    Mutation("type is number 4096") { $0["blk.0.ffn_up.weight"].type = 4096 },
    Mutation("tensor blk.0.ffn_up.weight: row is 6 values, expected a multiple of Q8_0's 32") {
      $0["blk.0.ffn_up.weight"].type = 8
    },
    Mutation("tensor output_norm.bias: offset is 12, expected a multiple of the alignment, 32") {
      $0["output_norm.bias"].offset = 12
    },
    Mutation("(is the file truncated?)") { $0["output_norm.bias"].offset = 1 << 30 },
    Mutation("offset is 18446744073709551584 for") { $0["output_norm.bias"].offset = UInt64.max - 31 },
    Mutation("offset is 0, expected none of the bytes of token_embd.weight") {
      $0["output_norm.bias"].offset = 0
    },
  ]

  @Test(arguments: mutations)
  func aMutatedFileIsRefused(_ mutation: Mutation<GGUFFile>) throws {
    var file = GGUFFile(of: try .small())
    mutation.change(&file)
    let text = try outcome(of: file.bytes)
    #expect(text.hasPrefix("FILE") && text.contains(mutation.says), "\(text)")
  }

  @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
    let file = GGUFFile(of: try .small())
    let whole = file.bytes
    let header = file.header.count
    // The last tensor's padding may be missing.
    let needed = whole.count - 8
    for length in Array(0...40) + Array(stride(from: 41, to: header + 64, by: 41)) + [needed - 1] {
      let text = try outcome(of: Array(whole[..<length]))
      #expect(text.hasPrefix("FILE"), "\(length) bytes: \(text)")
    }
    try expectEqual(outcome(of: Array(whole[..<needed])), "accepted")
  }
}
