import GPT2Model
import TestSupport
import Testing

@Suite struct ModelSourceTests {
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
    #expect(source == .synthetic(configuration, name: name))
    #expect(source.name == name && source.tokenizerFolder == nil)
  }

  @Test(arguments: ModelSource.namedSynthetics)
  func everyNamedSyntheticIsKnown(_ name: String) throws {
    #expect(try ModelSource(name).name == name)
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
    #expect(error?.description.contains(path) == true)
  }

  @Test func pathsAreFoldersOrSafetensors() throws {
    let folder = try TemporaryFolder()
    #expect(try ModelSource(folder.path) == .folder(folder.path))
    #expect(try ModelSource(folder.path).tokenizerFolder == folder.path)
    let file = try folder.write("", to: "a.safetensors")
    #expect(try ModelSource(file) == .safetensors(file))
    #expect(try ModelSource(file).name == file)
    #expect(try ModelSource(file).tokenizerFolder == folder.path)
    let other = try folder.write("", to: "a.gguf")
    #expect(
      refusal(naming: other) { try ModelSource(other) }?.contains("expected a .safetensors file") == true)
    for path in [folder.path, file] {
      #expect(throws: ModelError.self) { try ModelSource(path).open(cacheFolder: folder.path) }
    }
  }
}
