import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// A model through every format that is written: the same bits of weights and of logits.
struct FormatTests {
  enum Format: CaseIterable {
    case safetensorsFolder, safetensorsFile, llmc, seed

    func export(_ checkpoint: Checkpoint, to folder: TemporaryFolder) throws -> String {
      switch self {
      case .safetensorsFolder:
        try checkpoint.exportSafetensors(to: folder.path)
        return folder.path
      case .safetensorsFile:
        try checkpoint.exportSafetensors(to: folder("a.safetensors"))
        return folder("a.safetensors")
      case .llmc:
        try checkpoint.exportLLMC(to: folder("a.bin"))
        return folder("a.bin")
      case .seed:
        try checkpoint.exportSeed(to: folder("a.bin"))
        return folder("a.bin")
      }
    }
  }

  static let models = [Fixtures.ragged, Fixtures.small]

  @Test(arguments: Format.allCases, models.indices)
  func aRoundTripKeepsWeightsAndLogits(_ format: Format, _ model: Int) throws {
    let original = try Self.models[model].get()
    let folder = try TemporaryFolder()
    let reopened = try ModelSource(format.export(original, to: folder)).open(cacheFolder: "")
    #expect(reopened.configuration == original.configuration && !reopened.files.isEmpty)
    for (index, parameter) in original.configuration.parameters.enumerated() {
      expectNil(
        firstBitDifference(reopened.tensor(at: index), original.tensor(at: index)), "\(parameter.name)"
      )
    }
    let ids = Fixtures.ids(7, of: original)
    for variant in Variant.all {
      let expected = try Engine(original, variant: variant, threads: 2).logitsThrough(ids)
      let logits = try Engine(reopened, variant: variant, threads: 2).logitsThrough(ids)
      expectNil(firstBitDifference(logits.joined(), expected.joined()), "\(variant.name)")
    }
  }

  /// From one format to the next, and back to the same bytes.
  @Test func aChainOfFormatsEndsInTheSameFile() throws {
    let folder = try TemporaryFolder()
    try Fixtures.ragged.get().exportSafetensors(to: folder("first.safetensors"))
    try Checkpoint(safetensors: folder("first.safetensors")).exportLLMC(to: folder("second.bin"))
    try ModelSource(folder("second.bin")).open(cacheFolder: "").exportSeed(to: folder("third.bin"))
    try ModelSource(folder("third.bin")).open(cacheFolder: "").exportSafetensors(
      to: folder("last.safetensors"))
    try expectEqual(folder.bytes(of: "first.safetensors"), folder.bytes(of: "last.safetensors"))
    // A file may be replaced by what is read from it.
    try ModelSource(folder("second.bin")).open(cacheFolder: "").exportLLMC(to: folder("second.bin"))
    try ModelSource(folder("second.bin")).open(cacheFolder: "").exportSeed(to: folder("fourth.bin"))
    try expectEqual(folder.bytes(of: "third.bin"), folder.bytes(of: "fourth.bin"))
  }

  @Test(arguments: [Format.llmc, .seed])
  func whatAFormatCannotHoldIsRefused(_ format: Format) throws {
    let folder = try TemporaryFolder()
    func refusal(tied: Bool, epsilon: Float) throws -> String {
      let configuration = try Configuration(
        layers: 1, heads: 1, channels: 2, vocabulary: 3, context: 4, layerNormEpsilon: epsilon,
        tiesEmbeddings: tied)
      let checkpoint = try Checkpoint(inMemory: configuration, name: "")
      let error = #expect(throws: ModelError.self) { try format.export(checkpoint, to: folder) }
      return error?.description ?? ""
    }
    try expectContains(refusal(tied: false, epsilon: 1e-5), "a matrix of the logits' own")
    try expectContains(refusal(tied: true, epsilon: 1e-6), "layer_norm_epsilon")
    #expect(try folder.contents().isEmpty)
  }
}
