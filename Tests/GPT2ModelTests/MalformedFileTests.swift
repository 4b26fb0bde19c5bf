import Foundation
import GPT2Model
import TestSupport
import Testing

/// A corpus of malformed files, made from a valid one of every format: each is refused in one line that names
/// the file, or opens as a model that lies within its file. Never a crash, a hang, or memory for what is not
/// there.
struct MalformedFileTests {
  let folder: TemporaryFolder
  let configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    configuration = try .small()
  }

  /// Writes each mutation of a file and opens `model`, the file or folder that a user would name.
  ///
  /// - Returns: how many were refused.
  private func open(
    _ file: MutatedFile, seed: UInt64, as model: String, _ body: (String) throws -> Void
  ) throws -> (mutations: Int, refused: Int) {
    try folder.write(file.bytes, to: file.name)
    try body(model)
    var mutations = HeaderMutations(file, seed: seed)
    let corpus = mutations.draw(30)
    var refused = 0
    for (number, bytes) in corpus.enumerated() {
      try folder.write(bytes, to: file.name)
      do {
        try body(model)
      } catch {
        refused += 1
        let text = "\(error)"
        let isOurs = error is ModelError || error is TokenizerError
        #expect(
          isOurs && text.hasPrefix(folder.path) && !text.contains(where: \.isNewline)
            && text.utf8.count < 1000,
          "\(file.name), mutation \(number): \(text.prefix(2000))")
      }
    }
    try FileManager.default.removeItem(atPath: folder(file.name))
    return (corpus.count, refused)
  }

  /// A model's folder may hold anything: a pipe without a writer, or a way to a device without an end.
  @Test func whatIsNoFileIsNotRead() throws {
    let pipe = folder("pipe")
    expectEqual(mkfifo(pipe, 0o600), 0)
    try FileManager.default.createSymbolicLink(atPath: folder("endless"), withDestinationPath: "/dev/zero")
    for path in [pipe, folder("endless")] {
      let words = "\(path): cannot be read: it is not a file"
      expectEqual(message { try ModelFile.read(path) }, words)
      expectEqual(message { try NPY(path: path) }, words)
      expectEqual(message { try Checkpoint(safetensors: path) }, words)
      expectEqual(message { try Tokenizer(vocabularyFile: path, mergesFile: path) }, words)
    }
  }

  /// Opens a model as the commands do, and reads all of it.
  private func readModel(_ path: String) throws {
    let source = try ModelSource(path)
    let checkpoint = try source.open(cacheFolder: folder("none"))
    for index in checkpoint.configuration.parameters.indices {
      _ = checkpoint.tensor(at: index).reduce(into: UInt32(0)) { $0 ^= $1.bitPattern }
    }
    let files = try checkpoint.files.reduce(0) { try $0 + Data(contentsOf: URL(fileURLWithPath: $1)).count }
    #expect(checkpoint.weightBytes <= 8 * files, "\(path): more weights than its \(files) bytes can hold")
    if let tokenizer = try source.tokenizer(for: checkpoint.configuration) { try use(tokenizer) }
  }

  /// Bytes for which a damaged vocabulary has no token are refused, and by that name alone.
  private func use(_ tokenizer: Tokenizer) throws {
    do {
      let ids = try tokenizer.encode("the the, <|endoftext|>\u{0} é")
      _ = try tokenizer.decode(ids)
    } catch TokenizerError.byteWithoutToken {}
  }

  @Test(.timeLimit(.minutes(1))) func safetensors() throws {
    var valid = SafetensorsFile(of: configuration)
    valid.metadata = ["n_head": "2"]
    func changed(_ change: (inout SafetensorsFile) -> Void) -> [UInt8] {
      var file = valid
      change(&file)
      return file.bytes
    }
    let json = 8..<8 + valid.json.utf8.count
    let file = MutatedFile(
      name: "model.safetensors", bytes: valid.bytes, header: json.upperBound, integers: [0..<8], json: json,
      special: [
        changed { $0["ln_f.bias"].offsets = $0["ln_f.weight"].offsets ?? [0, 24] },
        changed { $0["wpe.weight"].offsets = [4, 124] },
        changed { $0.tensors.append($0["ln_f.bias"]) },
        changed { $0["ln_f.bias"].name = "ln_f.weight" },
        changed { $0["ln_f.bias"].dtype = "F64" },
        changed { $0.tensors.append(.init(name: "", shape: [], data: [0, 0, 0, 0])) },
        changed { $0.padding = 100_000 },
      ])
    let result = try open(file, seed: 11, as: folder("model.safetensors"), readModel)
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  @Test(.timeLimit(.minutes(1))) func configurationOfHuggingFace() throws {
    try folder.write(SafetensorsFile(of: configuration).bytes, to: "model.safetensors")
    let valid = Array(SafetensorsReadingTests.config(configuration).utf8)
    let file = MutatedFile(
      name: "config.json", bytes: valid, header: valid.count, json: 0..<valid.count,
      special: [
        [0xFF, 0xFE], [0xEF, 0xBB, 0xBF] + valid, valid + valid,
        Array("{\"n_layer\": 2, \"n_layer\": 3}".utf8),
      ])
    let result = try open(file, seed: 12, as: folder.path, readModel)
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  @Test(.timeLimit(.minutes(1)), arguments: [3, 5] as [UInt8])
  func llmc(_ version: UInt8) throws {
    let checkpoint = try Checkpoint(inMemory: configuration, name: "small")
    try checkpoint.exportLLMC(to: folder("model.bin"))
    var valid = try folder.bytes(of: "model.bin")
    if version == 5 {
      valid[4] = version
      let halves = valid.indices.filter { $0 >= 1024 && $0 % 4 > 1 }
      valid = Array(valid[..<1024]) + halves.map { valid[$0] }
    }
    let file = MutatedFile(
      name: "gpt2_small.bin", bytes: valid, header: 1024, integers: (0..<10).map { 4 * $0..<4 * $0 + 4 },
      special: [valid + [0], Array(valid[..<1024]), Array(valid[..<256])])
    let result = try open(file, seed: 13, as: folder("gpt2_small.bin"), readModel)
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  @Test(.timeLimit(.minutes(1))) func seed() throws {
    try Checkpoint(inMemory: configuration, name: "small").exportSeed(to: folder("model.bin"))
    let valid = try folder.bytes(of: "model.bin")
    let file = MutatedFile(
      name: "model.bin", bytes: valid, header: 20, integers: (0..<5).map { 4 * $0..<4 * $0 + 4 },
      special: [valid + [0], valid + valid])
    let result = try open(file, seed: 14, as: folder("model.bin"), readModel)
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  @Test(.timeLimit(.minutes(1))) func gguf() throws {
    var valid = GGUFFile(of: configuration)
    valid.addTokenizer(
      tokens: ["a", "b", "ab", "Ġ", "Ġab", "<|endoftext|>"], merges: ["a b", "Ġ ab"], endOfText: 5)
    func changed(_ change: (inout GGUFFile) -> Void) -> [UInt8] {
      var file = valid
      change(&file)
      return file.bytes
    }
    let fields = valid.headerFields
    let level = littleEndian(UInt32(9)) + littleEndian(UInt64(1))
    let file = MutatedFile(
      name: "model.gguf", bytes: valid.bytes, header: fields.bytes.count, integers: fields.integers,
      special: [
        changed {
          $0.entries.append(.init(key: "nested", type: 9, value: (0..<20_000).flatMap { _ in level }))
        },
        changed { $0.entries.append(.array("many", of: 9, count: 1 << 50, [])) },
        changed { $0.entries.append(.array("long", of: 8, [littleEndian(UInt64.max)])) },
        changed { $0.entries.append(.string(String(repeating: "k", count: 70_000), "")) },
        changed { $0.entries.append(.string("general.name", String(repeating: "v", count: 1_000_000))) },
        changed { $0.entries.append($0.entries[1]) },
        changed { $0.tensors.append($0["output_norm.bias"]) },
        changed { $0["output_norm.bias"].name = String(repeating: "n", count: 70) },
        changed { $0["output_norm.bias"].offset = 32 },
        changed { $0["position_embd.weight"].dimensions = [1 << 62, 4] },
        changed { $0[entry: "tokenizer.ggml.eos_token_id"] = .uint32("tokenizer.ggml.eos_token_id", 6) },
        changed {
          $0[entry: "tokenizer.ggml.tokens"] = .strings(
            "tokenizer.ggml.tokens", ["", "a", "b", "ab", "Ġ", "Ġab"])
          $0[entry: "tokenizer.ggml.eos_token_id"] = .uint32("tokenizer.ggml.eos_token_id", 0)
        },
      ])
    let result = try open(file, seed: 15, as: folder("model.gguf"), readModel)
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  /// Bytes, a few merges and the special token.
  private func writeTokenizer() throws {
    let alphabet = (0...255).map { byte -> String in
      let printable = 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte
      let hidden = (0..<byte).count { !(0x21...0x7E ~= $0 || 0xA1...0xAC ~= $0 || 0xAE...0xFF ~= $0) }
      return String(Unicode.Scalar(UInt32(printable ? byte : 0x100 + hidden))!)
    }
    let tokens = alphabet + ["th", "the", "Ġthe", "<|endoftext|>"]
    let entries = tokens.enumerated().map { id, token in
      "\"\(token.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\": \(id)"
    }
    try folder.write("{\(entries.joined(separator: ", "))}", to: "vocab.json")
    try folder.write("#version: 0.2\nt h\nth e\nĠ the\n", to: "merges.txt")
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["vocab.json", "merges.txt"])
  func tokenizerOfHuggingFace(_ name: String) throws {
    try writeTokenizer()
    let valid = try folder.bytes(of: name)
    let isJSON = name == "vocab.json"
    let file = MutatedFile(
      name: name, bytes: valid, header: valid.count, json: isJSON ? 0..<valid.count : nil,
      special: [
        valid + valid, [0xFF], [0], Array(repeating: 0x20, count: 1000), Array("t h\nt h\n".utf8),
        Array("t  h".utf8),
        Array("{\"a\": 0, \"a\": 1}".utf8), Array("{\"a\": 0, \"b\": 0}".utf8),
        Array("{\"a\": 2147483647}".utf8),
        Array(repeating: UInt8(ascii: "x"), count: 100_000),
        Array(String(repeating: "x", count: 100_000).utf8) + [0x20],
      ])
    let result = try open(file, seed: 16, as: folder.path) { try use(try Tokenizer(folder: $0)) }
    #expect(result.refused > result.mutations / 3, "\(result)")
  }

  @Test(.timeLimit(.minutes(1)), arguments: [true, false])
  func binaryTokenizers(_ isLLMC: Bool) throws {
    try writeTokenizer()
    let tokenizer = try Tokenizer(folder: folder.path)
    for name in ["vocab.json", "merges.txt"] { try FileManager.default.removeItem(atPath: folder(name)) }
    let name = isLLMC ? LLMCTokenizer.fileName : SeedVocabulary.fileName
    if isLLMC {
      try tokenizer.exportLLMC(to: folder(name))
    } else {
      try tokenizer.exportSeed(to: folder(name))
    }
    let valid = try folder.bytes(of: name)
    let integers = isLLMC ? (0..<4).map { 4 * $0..<4 * $0 + 4 } : [0..<4, 4..<8, 9..<13]
    let file = MutatedFile(
      name: name, bytes: valid, header: isLLMC ? 1100 : 200, integers: integers,
      special: [valid + [0], valid + valid])
    let result = try open(file, seed: 17, as: folder.path) { path in
      try use(try #require(try ModelSource(path).tokenizerLocation).load())
    }
    #expect(result.refused > result.mutations / 3, "\(result)")
  }
}

/// A valid file, what of it describes the rest, and the ways in which that is made wrong.
struct MutatedFile {
  /// As the file is called.
  let name: String
  let bytes: [UInt8]
  /// Bytes from the start that describe the rest.
  let header: Int
  /// Little-endian integers in the header.
  var integers: [Range<Int>] = []
  /// The part of the header that is JSON, if there is one.
  var json: Range<Int>?
  /// Whole files that are wrong in a way of their own.
  var special: [[UInt8]] = []
}

/// What is done to a valid file, drawn from a seed.
struct HeaderMutations {
  private let file: MutatedFile
  private var random: RandomStream

  init(_ file: MutatedFile, seed: UInt64) {
    self.file = file
    random = RandomStream(seed: seed)
  }

  /// At most `count` of each kind, and twice as many of JSON's.
  mutating func draw(_ count: Int) -> [[UInt8]] {
    var all = file.special
    all += pick(count, of: truncations()).map { Array(file.bytes[..<$0]) }
    all += flips(count)
    for (place, value) in pick(count, of: Self.pairs(file.integers, Self.integers)) {
      all.append(overwritten(place, by: value))
    }
    if let json = file.json {
      let values = Self.values(in: file.bytes, json)
      for (place, text) in pick(2 * count, of: Self.pairs(values, Self.texts)) {
        all.append(rewritten(place, by: Array(text.utf8)))
      }
    }
    return all
  }

  /// Lengths at the edges of fields, within them, and at the ends of header and file.
  private func truncations() -> [Int] {
    var lengths: Set<Int> = [
      0, 1, 3, 4, 7, 8, 9, file.header - 1, file.header, file.header + 1, file.bytes.count - 1,
    ]
    for field in file.integers {
      lengths.formUnion([field.lowerBound, field.lowerBound + 1, field.upperBound])
    }
    if file.integers.isEmpty { lengths.formUnion(stride(from: 10, to: file.header, by: 13)) }
    return lengths.filter { 0..<file.bytes.count ~= $0 }.sorted()
  }

  private mutating func flips(_ count: Int) -> [[UInt8]] {
    (0..<count).map { _ in
      var bytes = file.bytes
      for _ in 0...random.next() % 3 {
        bytes[Int(random.next() % UInt64(file.header))] ^= 1 << UInt8(random.next() % 8)
      }
      return bytes
    }
  }

  private static let integers: [UInt64] = [
    0, 1, .max, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, UInt64(Int.max), 1 << 63, 1 << 40, 1 << 20, 1_000_003,
  ]

  private func overwritten(_ place: Range<Int>, by value: UInt64) -> [UInt8] {
    var bytes = file.bytes
    for (index, byte) in place.enumerated() {
      bytes[byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
    }
    return bytes
  }

  /// What takes the place of a number or a string of JSON.
  private static let texts = [
    "0", "-1", "1", "1.5", "1e400", "-0", "4294967296", "9223372036854775807", "9223372036854775808",
    "99999999999999999999999", "\"1\"", "\"\"", "null", "true", "[]", "{}", "[[[[[[]]]]]]", "", ",",
    "\"\\u0000\"", String(repeating: "[", count: 20_000), String(repeating: "{\"a\":", count: 20_000),
    "\"" + String(repeating: "x", count: 100_000) + "\"",
  ]

  private static func pairs<First, Second>(_ first: [First], _ second: [Second]) -> [(First, Second)] {
    first.flatMap { one in second.map { (one, $0) } }
  }

  /// The file with other text in its JSON, and the length before it put right where there is one.
  private func rewritten(_ place: Range<Int>, by text: [UInt8]) -> [UInt8] {
    var bytes = file.bytes
    bytes.replaceSubrange(place, with: text)
    if let json = file.json, json.lowerBound == 8 {
      let length = UInt64(json.count + text.count - place.count)
      bytes.replaceSubrange(0..<8, with: littleEndian(length))
    }
    return bytes
  }

  /// Where numbers and strings lie.
  private static func values(in bytes: [UInt8], _ json: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var position = json.lowerBound
    while position < json.upperBound {
      let start = position
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        while position < json.upperBound, bytes[position] != byte {
          position += bytes[position] == 0x5C ? 2 : 1
        }
        position += 1
        found.append(start..<min(position, json.upperBound))
      } else if "-0123456789".utf8.contains(byte) {
        while position < json.upperBound, "-+.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        found.append(start..<position)
      } else {
        position += 1
      }
    }
    return found
  }

  private mutating func pick<Element>(_ count: Int, of all: [Element]) -> [Element] {
    all.count <= count ? all : Array(all.shuffled(using: &random).prefix(count))
  }
}
