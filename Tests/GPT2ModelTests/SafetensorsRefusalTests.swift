import Foundation
import GPT2Model
import TestSupport
import Testing

/// Files that are wrong somewhere: each is refused in one line that names the file and what is wrong.
struct SafetensorsRefusalTests {
  let folder: TemporaryFolder
  let configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    configuration = try .small()
    try folder.write(SafetensorsReadingTests.config(configuration), to: "config.json")
  }

  /// What opening says, checked to be one line that names the file.
  private func outcome(of bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "model.safetensors")
    return refusal(naming: path) { try Checkpoint(folder: folder.path) }
      .map { $0.replacing(path, with: "FILE") } ?? "accepted"
  }

  static let mutations: [Mutation<SafetensorsFile>] = [
    Mutation("missing tensor", says: "tensor h.1.mlp.c_fc.bias is missing") { file in
      file.tensors.removeAll { $0.name == "h.1.mlp.c_fc.bias" }
    },
    Mutation("no tensors", says: "tensor wte.weight is missing") { $0.tensors = [] },
    Mutation("transposed shape", says: "h.0.attn.c_attn.weight: shape is [18, 6], expected [6, 18]") {
      $0["h.0.attn.c_attn.weight"].shape = [18, 6]
    },
    Mutation("flat shape", says: "wte.weight: shape is [66], expected [11, 6]") {
      $0["wte.weight"].shape = [66]
    },
    Mutation("double precision", says: "ln_f.weight: dtype is F64, expected F32, F16 or BF16") {
      $0["ln_f.weight"].dtype = "F64"
      $0["ln_f.weight"].data += [UInt8](repeating: 0, count: 24)
    },
    Mutation("integers", says: "ln_f.weight: dtype is I32, expected F32, F16 or BF16") {
      $0["ln_f.weight"].dtype = "I32"
    },
    Mutation("unknown dtype", says: "ln_f.weight: dtype is F7, expected F32") {
      $0["ln_f.weight"].dtype = "F7"
    },
    Mutation("dtype and size disagree", says: "ln_f.weight: data is 24 bytes") {
      $0["ln_f.weight"].dtype = "F16"
    },
    Mutation("shape overflows", says: "data is 264 bytes") {
      $0["wte.weight"].shape = [1 << 62, 4]
    },
    Mutation("shape overflows to the size", says: "data is 264 bytes") {
      $0["wte.weight"].shape = [1 << 62, 4, 66]
    },
    Mutation("negative shape", says: "shape is missing or not a list of sizes") {
      $0["wte.weight"].shape = [-11, -6]
    },
    Mutation("offsets reversed", says: "data_offsets is [264, 0]") {
      $0["wte.weight"].offsets = [264, 0]
    },
    Mutation("negative offsets", says: "data_offsets is [-264, 0]") {
      $0["wte.weight"].offsets = [-264, 0]
    },
    Mutation("offsets past the end", says: "(is the file truncated?)") {
      $0["wte.weight"].offsets = [1_000_000, 1_000_264]
    },
    Mutation("offsets at the end of the numbers", says: "data_offsets is") {
      $0["wte.weight"].offsets = [Int.max - 264, Int.max]
    },
    Mutation("offsets of another length", says: "data is 260 bytes") {
      $0["wte.weight"].offsets = [0, 260]
    },
    Mutation("three offsets", says: "data_offsets is missing or not a pair") {
      $0["wte.weight"].offsets = [0, 264, 264]
    },
    Mutation("a layer too many", says: "h.2.ln_1.weight: its layer is 2, expected below") {
      $0.tensors.append(.init(name: "h.2.ln_1.weight", shape: [6], data: [UInt8](repeating: 0, count: 24)))
    },
    Mutation("a hole in the data", says: "h.0.ln_1.weight: data_offsets is [") {
      let place = $0.tensors.firstIndex { $0.name == "h.0.ln_1.weight" }!
      $0.tensors.insert(.init(name: "hole", dtype: "U8", shape: [4], data: [0, 0, 0, 0]), at: place)
      $0.tensors[place].offsets = [0, 0]
      $0.tensors[place].shape = [0]
    },
    Mutation("a hole at the beginning", says: "expected 0 at first: the bytes before it are in no tensor") {
      $0.tensors.insert(
        .init(name: "hole", dtype: "U8", shape: [0], offsets: [0, 0], data: [0, 0, 0, 0]), at: 0)
    },
    Mutation(
      "a tensor under both names", says: "wpe.weight: its name is there, and so is transformer.wpe.weight"
    ) {
      var tensor = $0["wpe.weight"]
      tensor.name = "transformer.wpe.weight"
      $0.tensors.append(tensor)
    },
    Mutation("a line feed in a name", says: "data is 1 bytes") {
      $0.tensors.append(.init(name: #"a\nb"#, shape: [2], data: [0]))
    },
    Mutation("a line feed in a dtype", says: "wte.weight: dtype is") {
      $0["wte.weight"].dtype = #"F\n32"#
    },
  ]

  @Test(arguments: mutations)
  func aMutatedFileIsRefused(_ mutation: Mutation<SafetensorsFile>) throws {
    var file = SafetensorsFile(of: configuration)
    mutation.change(&file)
    let text = try outcome(of: file.bytes)
    #expect(text.hasPrefix("FILE") && (text.contains(mutation.says) || mutation.says.isEmpty), "\(text)")
  }

  @Test(
    arguments: [
      "", "{", "[]", "null", "3", "\"x\"", "{]", "{\"wte.weight\": 3}", "{\"wte.weight\": {}}",
      "{\"wte.weight\": {\"dtype\": \"F32\"}}", "{\"__metadata__\": 3}", "{\"__metadata__\": {\"a\": 1}}",
      "{\"wte.weight\": {\"dtype\": \"F32\", \"shape\": [1.5], \"data_offsets\": [0, 4]}}",
      "{\"wte.weight\": {\"dtype\": \"F32\", \"shape\": [1e400], \"data_offsets\": [0, 4]}}",
      "{\"wte.weight\": {\"dtype\": \"F32\", \"shape\": [\"1\"], \"data_offsets\": [0, 4]}}",
      "{\"wte.weight\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 99999999999999999999]}}",
      "{\"wte.weight\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": {}}}",
      String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
      "\u{FEFF}{}", "{\"wte.weight\": \u{0}}",
    ])
  func aMalformedHeaderIsRefused(_ header: String) throws {
    let text = try outcome(
      of: SafetensorsFile.bytes(header: Array(header.utf8), data: [UInt8](repeating: 0, count: 64)))
    #expect(text.hasPrefix("FILE"), "\(text)")
  }

  @Test func metadataMayBeNull() throws {
    let file = SafetensorsFile(of: configuration)
    let header = "{\"__metadata__\": null, " + file.json.dropFirst()
    try expectEqual(
      outcome(of: SafetensorsFile.bytes(header: Array(header.utf8), data: file.tensors.flatMap(\.data))),
      "accepted")
  }

  @Test func aHeaderThatIsNotTextIsRefused() throws {
    for header: [UInt8] in [[0xFF, 0xFE, 0x7B], [0x7B, 0xC3, 0x28, 0x7D], [0, 0, 0, 0x7B], [0x80, 0x81]] {
      let text = try outcome(of: SafetensorsFile.bytes(header: header, data: []))
      #expect(text.hasPrefix("FILE"), "\(text)")
    }
  }

  @Test(arguments: [UInt64.max, 1 << 63, UInt64(Int.max), UInt64(Int.max) - 7, 1 << 40, 100_000_001])
  func aHugeHeaderLengthIsRefused(_ length: UInt64) throws {
    let file = SafetensorsFile(of: configuration)
    let text = try outcome(
      of: SafetensorsFile.bytes(header: Array(file.json.utf8), length: length, data: []))
    expectContains(text, "header length: found \(length)")
  }

  @Test func aHeaderLengthThatIsSlightlyWrongIsRefused() throws {
    let file = SafetensorsFile(of: configuration)
    let header = Array(file.json.utf8)
    for length in [0, 1, header.count - 1, header.count + 1, header.count + 4] {
      let bytes = SafetensorsFile.bytes(
        header: header, length: UInt64(length), data: file.tensors.flatMap(\.data))
      let text = try outcome(of: bytes)
      #expect(text.hasPrefix("FILE"), "length \(length): \(text)")
    }
  }

  @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
    let whole = SafetensorsFile(of: configuration).bytes
    let header = 8 + SafetensorsFile(of: configuration).json.utf8.count
    let lengths =
      Array(0...24) + [header - 1, header, header + 1, header + 4, whole.count - 4, whole.count - 1]
      + Array(stride(from: 100, to: whole.count, by: 97))
    for length in lengths {
      let text = try outcome(of: Array(whole[..<length]))
      #expect(text.hasPrefix("FILE"), "\(length) bytes: \(text)")
    }
    try expectContains(outcome(of: []), "the file is empty")
    try expectEqual(outcome(of: whole), "accepted")
    try expectContains(
      outcome(of: whole + [0]), "size: found \(whole.count + 1) bytes, expected \(whole.count)")
  }

  @Test func aPathThatIsNoFileIsRefused() throws {
    let path = folder("model.safetensors")
    expectEqual(
      refusal(naming: folder.path) { try Checkpoint(folder: folder.path) }?.contains("no weights in it"),
      true)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    expectEqual(
      refusal(naming: path) { try Checkpoint(folder: folder.path) }?.contains("it is not a file"), true)
    #expect(refusal(naming: folder("none")) { try Checkpoint(safetensors: folder("none")) } != nil)
    #if os(Linux)
      #expect(refusal(naming: "/dev/null") { try Checkpoint(safetensors: "/dev/null") } != nil)
    #endif
  }

  /// Any bytes at all in the header: an error or a model, never a crash.
  @Test func flippedHeaderBytesNeverCrash() throws {
    let file = SafetensorsFile(of: configuration)
    let whole = file.bytes
    let header = 8 + file.json.utf8.count
    var random = RandomStream(seed: 2)
    var refused = 0
    for _ in 0..<500 {
      var bytes = whole
      for _ in 0...random.next() % 3 {
        bytes[Int(random.next() % UInt64(header))] = UInt8(truncatingIfNeeded: random.next())
      }
      let text = try outcome(of: bytes)
      #expect(text == "accepted" || text.hasPrefix("FILE"), "\(text)")
      if text != "accepted" { refused += 1 }
    }
    #expect(refused > 100)
  }
}
