import GPT2Model
import TestSupport
import Testing

struct ModelSourceTests {
  @Test(
    arguments: [
      ("synthetic:tiny", [2, 4, 64, 512, 128]), ("synthetic:gpt2", [12, 12, 768, 50257, 1024]),
      ("synthetic:gpt2-medium", [24, 16, 1024, 50257, 1024]),
      ("synthetic:gpt2-large", [36, 20, 1280, 50257, 1024]),
      ("synthetic:gpt2-xl", [48, 25, 1600, 50257, 1024]), ("synthetic:3,5,35,131,33", [3, 5, 35, 131, 33]),
      ("synthetic:1,1,1,1,1", [1, 1, 1, 1, 1]),
    ])
  func syntheticNamesAreShapes(_ name: String, _ n: [Int]) throws {
    let source = try ModelSource(name)
    let configuration = try Configuration(
      layers: n[0], heads: n[1], channels: n[2], vocabulary: n[3], context: n[4])
    expectEqual(source, .synthetic(configuration, name: name))
    expectEqual(source.name, name)
    expectNil(source.tokenizerLocation)
  }

  @Test(arguments: ModelSource.namedSynthetics)
  func everyNamedSyntheticIsKnown(_ name: String) throws {
    try expectEqual(ModelSource(name).name, name)
  }

  @Test(
    arguments: [
      "", "gpt2", "synthetic:", "synthetic:huge", "synthetic:1,2,3", "synthetic:1,1,1,1,1,1",
      "synthetic:1,1,1,1,", "synthetic:1,1,1,1,x", "synthetic:1, 1,1,1,1", "synthetic:1.5,1,1,1,1",
      "synthetic:99999999999999999999,1,1,1,1", "Synthetic:tiny", "two\nlines",
    ])
  func unknownNamesAreRefused(_ name: String) {
    #expect(throws: ModelError.unknownModel(name)) { try ModelSource(name) }
    #expect(!ModelError.unknownModel(name).description.contains { $0.isNewline })
  }

  @Test(arguments: ["synthetic:0,1,1,1,1", "synthetic:1,3,64,9,9", "synthetic:1,1,1,-5,1"])
  func syntheticShapesThatAreNoGPT2AreRefused(_ name: String) {
    #expect(refusal(naming: "model configuration: ") { try ModelSource(name) } != nil)
  }

  @Test(arguments: ["no/such/folder", "none.safetensors", "/none/at/all"])
  func pathsWhereNothingIsAreRefused(_ path: String) {
    let error = #expect(throws: ModelError.self) { try ModelSource(path) }
    expectEqual(error?.description.contains(path), true)
  }

  @Test func foldersAndFiles() throws {
    let folder = try TemporaryFolder()
    try expectEqual(ModelSource(folder.path), .folder(folder.path))
    try expectNil(ModelSource(folder.path).tokenizerLocation)
    #expect(throws: ModelError.self) { try ModelSource(folder.path).open(cacheFolder: folder.path) }
    let empty = try folder.write("", to: "a.safetensors")
    expectEqual(refusal(naming: empty) { try ModelSource(empty) }?.contains("the file is empty"), true)
    let file = try folder.write("no header, really", to: "a.safetensors")
    #expect(try ModelSource(file) == .file(file, .safetensors) && ModelSource(file).name == file)
    #expect(refusal(naming: file) { try ModelSource(file).open(cacheFolder: "") } != nil)
  }

  /// First the files that belong to the weights' format, then any.
  @Test func tokenizersLieBesideTheWeights() throws {
    let folder = try TemporaryFolder()
    let configuration = try Configuration.small()
    let seed = try ModelSource(folder.write(SequentialFile.seed(configuration).bytes, to: "model.bin"))
    let llmc = try ModelSource(
      folder.write(SequentialFile.llmc(configuration, padded: 11).bytes, to: "l.bin"))
    let whole = try ModelSource(folder.path)
    expectNil(seed.tokenizerLocation)
    expectNil(llmc.tokenizerLocation)
    expectNil(whole.tokenizerLocation)
    let vocabulary = TokenizerLocation.seed(try folder.write("", to: "vocab.bin"))
    for source in [seed, llmc, whole] { expectEqual(source.tokenizerLocation, vocabulary) }
    let tokens = TokenizerLocation.llmc(try folder.write("", to: "gpt2_tokenizer.bin"))
    expectEqual(seed.tokenizerLocation, vocabulary)
    for source in [llmc, whole] { expectEqual(source.tokenizerLocation, tokens) }
    try folder.write("", to: "vocab.json")
    expectEqual(seed.tokenizerLocation, vocabulary)
    expectEqual(llmc.tokenizerLocation, tokens)
    expectEqual(whole.tokenizerLocation, .huggingFace(folder: folder.path))
  }
}
