import GPT2Model
import TestSupport
import Testing

/// Files that are wrong somewhere: each is refused in one line that names the file and what is wrong.
@Suite struct GGUFRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func outcome(of bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "model.gguf")
    return refusal(naming: path) { try Checkpoint(gguf: path) }
      .map { $0.replacing(path, with: "FILE") } ?? "accepted"
  }

  struct Mutation: Sendable, CustomTestStringConvertible {
    /// What the error has to say.
    let testDescription: String
    let change: @Sendable (inout GGUFFile) -> Void

    init(_ says: String, change: @escaping @Sendable (inout GGUFFile) -> Void) {
      testDescription = says
      self.change = change
    }
  }

  static let mutations: [Mutation] = [
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
  func aMutatedFileIsRefused(_ mutation: Mutation) throws {
    var file = GGUFFile(of: try .small())
    mutation.change(&file)
    let text = try outcome(of: file.bytes)
    #expect(text.hasPrefix("FILE") && text.contains(mutation.testDescription), "\(text)")
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
    #expect(try outcome(of: Array(whole[..<needed])) == "accepted")
  }
}
