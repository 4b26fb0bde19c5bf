import GPT2Model
import TestSupport
import Testing

/// Reading llm.c's and seed files, against files put together by hand.
@Suite struct SequentialReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let shapes = [[2, 2, 6, 11, 5], [3, 5, 35, 131, 33], [1, 1, 1, 1, 1]]

  private func configuration(_ n: [Int]) throws -> Configuration {
    try Configuration(layers: n[0], heads: n[1], channels: n[2], vocabulary: n[3], context: n[4])
  }

  private func expectItsValues(_ checkpoint: Checkpoint, _ configuration: Configuration) {
    #expect(checkpoint.configuration == configuration)
    for (number, parameter) in configuration.parameters.enumerated() {
      let tensor = checkpoint.tensor(at: number)
      #expect(
        tensor.indices.allSatisfy { tensor[$0] == SequentialFile.value(number, $0) }, "\(parameter.name)")
      guard parameter.role == .linearWeight else { continue }
      checkpoint.withMatrixOnce(number) { values, order in
        let (inputs, outputs) = (parameter.shape[0], parameter.shape[1])
        #expect(order == .outputsFirst)
        #expect(
          (0..<parameter.count).allSatisfy {
            values[$0] == SequentialFile.value(number, $0 % inputs * outputs + $0 / inputs)
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
      #expect(source == .file(path, .llmc))
      let checkpoint = try source.open(cacheFolder: folder.path)
      #expect(checkpoint.files == [path] && checkpoint.name == path)
      expectItsValues(checkpoint, configuration)
    }
  }

  @Test(arguments: shapes)
  func seed(_ shape: [Int]) throws {
    let configuration = try configuration(shape)
    let path = try folder.write(SequentialFile.seed(configuration).bytes, to: "weights")
    let source = try ModelSource(path)
    #expect(source == .file(path, .seed))
    expectItsValues(try source.open(cacheFolder: folder.path), configuration)
  }

  @Test func aFolderWithOneOfThemIsAModel() throws {
    let configuration = try Configuration.small()
    let seed = try folder.write(SequentialFile.seed(configuration).bytes, to: "model.bin")
    let checkpoint = try ModelSource(folder.path).open(cacheFolder: "")
    #expect(checkpoint.files == [seed] && checkpoint.name == folder.path)
    // A tokenizer's file is no model, and llm.c's weights go before the seed's.
    try folder.write("not a model", to: "gpt2_tokenizer.bin")
    #expect(try ModelSource(folder.path).open(cacheFolder: "").files == [seed])
    let llmc = try folder.write(SequentialFile.llmc(configuration, padded: 128).bytes, to: "gpt2_124M.bin")
    #expect(try ModelSource(folder.path).open(cacheFolder: "").files == [llmc])
    for other in ["gpt2_124M_bf16.bin", "gpt2_124M_debug_state.bin"] { try folder.write("x", to: other) }
    #expect(try ModelSource(folder.path).open(cacheFolder: "").files == [llmc])
    try folder.write("x", to: "gpt2_355M.bin")
    let text = refusal(naming: folder.path) { try ModelSource(folder.path).open(cacheFolder: "") }
    #expect(text?.contains("holds gpt2_124M.bin, gpt2_355M.bin, expected one") == true)
  }
}
