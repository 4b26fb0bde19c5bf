import GPT2Model
import TestSupport
import Testing

/// Reading llm.c's and seed files, against files put together by hand.
struct SequentialReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let shapes = [[2, 2, 6, 11, 5], [3, 5, 35, 131, 33], [1, 1, 1, 1, 1]]

  private func configuration(_ n: [Int]) throws -> Configuration {
    try Configuration(layers: n[0], heads: n[1], channels: n[2], vocabulary: n[3], context: n[4])
  }

  private func expectItsValues(_ checkpoint: Checkpoint, _ configuration: Configuration) {
    expectEqual(checkpoint.configuration, configuration)
    expectValues(of: checkpoint, SequentialFile.value)
    for (number, parameter) in configuration.parameters.enumerated() where parameter.role == .linearWeight {
      checkpoint.withMatrixOnce(number, grain: 1) { values, rows, order in
        let (inputs, outputs) = (parameter.shape[0], parameter.shape[1])
        expectEqual(order, .outputsFirst)
        #expect(
          (0..<rows.count * inputs).allSatisfy {
            let output = rows.lowerBound + $0 / inputs
            return values[$0] == SequentialFile.value(number, $0 % inputs * outputs + output)
          })
      }
    }
  }

  @Test(arguments: shapes, [3, 5])
  func llmc(_ shape: [Int], _ version: Int) throws {
    let configuration = try configuration(shape)
    for padded in [shape[3], shape[3] + 3] {
      let file = SequentialFile.llmc(configuration, padded: padded, version: version)
      // Any name will do: the file says what it is.
      let path = try folder.write(file.bytes, to: "weights")
      let source = try ModelSource(path)
      expectEqual(source, .file(path, .llmc))
      let checkpoint = try source.open(cacheFolder: folder.path)
      expectEqual(checkpoint.files, [path])
      expectEqual(checkpoint.name, path)
      expectItsValues(checkpoint, configuration)
    }
  }

  @Test(arguments: shapes)
  func seed(_ shape: [Int]) throws {
    let configuration = try configuration(shape)
    let path = try folder.write(SequentialFile.seed(configuration).bytes, to: "weights")
    let source = try ModelSource(path)
    expectEqual(source, .file(path, .seed))
    expectItsValues(try source.open(cacheFolder: folder.path), configuration)
  }

  @Test func aFolderWithOneOfThemIsAModel() throws {
    let configuration = try Configuration.small()
    let seed = try folder.write(SequentialFile.seed(configuration).bytes, to: "model.bin")
    let checkpoint = try ModelSource(folder.path).open(cacheFolder: "")
    expectEqual(checkpoint.files, [seed])
    expectEqual(checkpoint.name, folder.path)
    // A tokenizer's file is no model, and llm.c's weights go before the seed's.
    try folder.write("not a model", to: "gpt2_tokenizer.bin")
    try expectEqual(ModelSource(folder.path).open(cacheFolder: "").files, [seed])
    let llmc = try folder.write(SequentialFile.llmc(configuration, padded: 128).bytes, to: "gpt2_124M.bin")
    try expectEqual(ModelSource(folder.path).open(cacheFolder: "").files, [llmc])
    for other in ["gpt2_124M_bf16.bin", "gpt2_124M_debug_state.bin"] { try folder.write("x", to: other) }
    try expectEqual(ModelSource(folder.path).open(cacheFolder: "").files, [llmc])
    try folder.write("x", to: "gpt2_355M.bin")
    let text = refusal(naming: folder.path) { try ModelSource(folder.path).open(cacheFolder: "") }
    expectEqual(text?.contains("holds gpt2_124M.bin, gpt2_355M.bin, expected one"), true)
  }
}

/// Files of llm.c's and seed files that are wrong somewhere: each is refused in one line that says where.
struct SequentialRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func outcome(of bytes: [UInt8], named name: String) throws -> String {
    let path = try folder.write(bytes, to: name)
    return refusal(naming: path) { try ModelSource(path).open(cacheFolder: folder.path) }
      .map { $0.replacing(path, with: "FILE") } ?? "accepted"
  }

  @Test(
    arguments: [
      (0, 20_240_328, "FILE: magic: found 20240328, expected 20240326"),
      (1, 1, "FILE: version: found 1, expected 3 (float32) or 5 (bfloat16)"),
      (1, -3, "FILE: version: found -3"),
      (2, 0, "FILE: context: found 0, expected a number from 1 to"), (2, -1, "FILE: context: found -1"),
      (3, 0, "FILE: vocabulary: found 0"), (3, 2_000_000_000, "FILE: vocabulary: found 2000000000"),
      (4, 5000, "FILE: layers: found 5000, expected a number from 1 to 4096"),
      (4, -2, "FILE: layers: found -2"),
      (5, 4, "FILE: heads: found 4, expected a divisor of the 6 channels"), (5, 0, "FILE: heads: found 0"),
      (6, Int32.max, "FILE: channels: found 2147483647"), (6, 12, "FILE: size: found"),
      (7, 10, "FILE: padded vocabulary: found 10, expected from the vocabulary's 11"),
      (7, 129, "FILE: size: found"), (7, Int32.max, "FILE: padded vocabulary: found 2147483647"),
      (7, -1, "FILE: padded vocabulary: found -1"), (4, 4096, "FILE: size: found"),
    ] as [(Int, Int32, String)])
  func llmcFields(_ field: Int, _ value: Int32, _ says: String) throws {
    var file = SequentialFile.llmc(try .small(), padded: 128)
    file.header[field] = value
    let text = try outcome(of: file.bytes, named: "gpt2_124M.bin")
    #expect(text.hasPrefix(says), "\(text)")
  }

  @Test(
    arguments: [
      (0, 0, "FILE: layers: found 0"), (0, -1, "FILE: layers: found -1"),
      (0, 4097, "FILE: layers: found 4097"),
      (1, 0, "FILE: heads: found 0"), (1, 5, "FILE: heads: found 5, expected a divisor of the 6 channels"),
      (2, 1 << 21, "FILE: channels: found 2097152"), (3, Int32.min, "FILE: vocabulary: found -2147483648"),
      (4, 0, "FILE: context: found 0"), (0, 3, "FILE: size: found"), (3, 12, "FILE: size: found"),
      (0, 4096, "FILE: size: found"),
    ] as [(Int, Int32, String)])
  func seedFields(_ field: Int, _ value: Int32, _ says: String) throws {
    var file = SequentialFile.seed(try .small())
    file.header[field] = value
    let text = try outcome(of: file.bytes, named: "model.bin")
    #expect(text.hasPrefix(says), "\(text)")
  }

  /// Both numbers: what the file has, and what its header asks for.
  @Test(arguments: [-4, -1, 1, 4, 1000])
  func aSizeThatDoesNotFitTheHeader(_ difference: Int) throws {
    for (file, name) in [
      (SequentialFile.seed(try .small()), "model.bin"), (.seed(try .small()), "some.bin"),
      (.llmc(try .small(), padded: 128), "gpt2_124M.bin"),
      (.llmc(try .small(), padded: 128, version: 5), "x"),
    ] {
      let whole = file.bytes
      let bytes =
        difference < 0
        ? Array(whole.dropLast(-difference)) : whole + [UInt8](repeating: 0, count: difference)
      #expect(
        try outcome(of: bytes, named: name).hasPrefix(
          "FILE: size: found \(whole.count + difference) bytes, expected \(whole.count) for a header of 2 layers"
        ))
      try expectEqual(outcome(of: whole, named: name), "accepted")
    }
  }

  @Test func truncatedAtEveryPlace() throws {
    for (file, name) in [
      (SequentialFile.seed(try .small()), "model.bin"), (.llmc(try .small(), padded: 128), "gpt2_124M.bin"),
    ] {
      let whole = file.bytes
      for length in Array(0...24) + [1020, 1023, 1024, 1025]
        + Array(stride(from: 100, to: whole.count, by: 97))
      {
        let text = try outcome(of: Array(whole.prefix(length)), named: name)
        #expect(text.hasPrefix("FILE: ") || length == whole.count, "\(length) bytes: \(text)")
      }
    }
  }

  @Test func aFileInNoFormatShowsHowItBegins() throws {
    let text = try outcome(of: Array("GIF89a, not weights".utf8), named: "some.file")
    expectContains(text, "unknown kind of file, its first bytes are 47 49 46 38 39 61 2c 20, expected a")
    #expect(try outcome(of: [], named: "model.bin").hasSuffix("the file is empty"))
  }

  /// Both containers of PyTorch's, whatever they are called, and nothing of them is read.
  @Test(
    arguments: [
      [0x50, 0x4B, 0x03, 0x04, 0, 0, 8, 8, 0, 0],
      [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20],
      [0x80, 0x04, 0x95, 0, 0, 0, 0, 0, 0, 0],
    ] as [[UInt8]], ["pytorch_model.bin", "model.bin", "gpt2_124M.bin"])
  func picklesAreRefusedWithAWayOut(_ start: [UInt8], _ name: String) throws {
    let text = try outcome(of: start + [UInt8](repeating: 0, count: 100), named: name)
    #expect(
      text.contains("PyTorch") && text.contains("python3 -c ") && text.hasSuffix(folder.path), "\(text)")
  }

  /// A safetensors header of 640 bytes begins like a pickle, and is none.
  @Test func safetensorsThatBeginLikeAPickle() throws {
    let header = Array("{}".utf8) + [UInt8](repeating: 0x20, count: 638)
    let bytes = SafetensorsFile.bytes(header: header, data: [])
    expectEqual(bytes[0], 0x80)
    expectEqual(bytes[1], 0x02)
    try expectEqual(outcome(of: bytes, named: "weights"), "FILE: tensor wte.weight is missing")
  }
}
