import Foundation
import GPT2Model
import TestSupport
import Testing

@Suite struct SafetensorsReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: SafetensorsFile, _ configuration: Configuration) throws -> Checkpoint {
    let path = try folder.write(file.bytes, to: "model.safetensors")
    try folder.write(Self.config(configuration), to: "config.json")
    let checkpoint = try Checkpoint(folder: folder.path)
    #expect(checkpoint.configuration == configuration && checkpoint.name == folder.path)
    #expect(checkpoint.files == [path])
    return checkpoint
  }

  static func config(_ c: Configuration) -> String {
    """
    {"model_type": "gpt2", "n_layer": \(c.layers), "n_head": \(c.heads), "n_embd": \(c.channels),
     "vocab_size": \(c.vocabulary), "n_positions": \(c.context), "tie_word_embeddings": \(c.tiesEmbeddings)}
    """
  }

  private func expectAllValues(_ checkpoint: Checkpoint) {
    for (number, parameter) in checkpoint.configuration.parameters.enumerated() {
      let tensor = checkpoint.tensor(at: number)
      #expect(tensor.count == parameter.count)
      let wrong = tensor.indices.first { tensor[$0] != SafetensorsFile.value(number, $0) }
      #expect(wrong == nil, "\(parameter.name)")
    }
  }

  /// As the engine takes them.
  private func expectAllValuesOnce(_ checkpoint: Checkpoint) {
    for (number, parameter) in checkpoint.configuration.parameters.enumerated() {
      let taken = GuardedFloats(parameter.count)
      if parameter.role == .linearWeight {
        checkpoint.withMatrixOnce(number) { values, order in
          #expect(order == .inputsFirst)
          taken.base.update(from: values, count: parameter.count)
        }
      } else {
        checkpoint.copyOnce(number, 0..<parameter.count, to: taken.base)
      }
      #expect(taken.guardsHold)
      #expect((0..<parameter.count).allSatisfy { taken.base[$0] == SafetensorsFile.value(number, $0) })
    }
  }

  @Test(arguments: ["", "transformer."], [true, false])
  func namesMayHaveThePrefix(_ prefix: String, _ tied: Bool) throws {
    let configuration = try Configuration.small(tied: tied)
    let checkpoint = try open(SafetensorsFile(of: configuration, prefix: prefix), configuration)
    expectAllValues(checkpoint)
    #expect(checkpoint.weightBytes == 4 * configuration.parameterCount)
    let output = configuration.tiesEmbeddings ? 0 : configuration.parameters.count - 1
    #expect(checkpoint.outputEmbedding.baseAddress == checkpoint.tensor(at: output).baseAddress)
    #expect(checkpoint.finalNormBias[0] == checkpoint.finalNormWeight[0] + 1)
    #expect(checkpoint.tensor(.downBias, layer: 1)[2] == SafetensorsFile.value(2 + 23, 2))
  }

  /// An untied matrix has no prefix in Hugging Face's files, where all others do.
  @Test func prefixedFileWithABareOutputMatrix() throws {
    let configuration = try Configuration.small(tied: false)
    var file = SafetensorsFile(of: configuration, prefix: "transformer.")
    file["transformer.lm_head.weight"].name = "lm_head.weight"
    expectAllValues(try open(file, configuration))
  }

  @Test func tensorsThatGPT2DoesNotHaveAreIgnored() throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration)
    file.tensors += [
      .init(
        name: "h.0.attn.bias", dtype: "BOOL", shape: [1, 1, 4, 4], data: [UInt8](repeating: 1, count: 16)),
      .init(name: "h.0.attn.masked_bias", dtype: "F32", shape: [], data: [0, 0, 128, 191]),
      .init(name: "something.else", dtype: "FUTURE_TYPE", shape: [3], data: [1]),
      .init(name: "empty", dtype: "F16", shape: [0, 7], data: []),
    ]
    file.metadata = ["format": "pt"]
    expectAllValues(try open(file, configuration))
  }

  @Test(arguments: 0..<8)
  func aMisalignedHeaderLoadsTheSameValues(_ padding: Int) throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration)
    file.padding = padding
    let checkpoint = try open(file, configuration)
    expectAllValues(checkpoint)
    // Handing values over gives their pages back, which must not lose values, wherever they lie.
    expectAllValuesOnce(checkpoint)
    checkpoint.releaseAllPages()
    expectAllValues(checkpoint)
    expectAllValuesOnce(checkpoint)
  }

  @Test func aBareFileShowsItsShapeAndNamesItsHeads() throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration, prefix: "transformer.")
    file.metadata = ["n_head": "2"]
    let path = try folder.write(file.bytes, to: "bare.safetensors")
    let checkpoint = try Checkpoint(safetensors: path)
    #expect(checkpoint.configuration == configuration && checkpoint.name == path)
    expectAllValues(checkpoint)
  }

  /// The output matrix in a bare file is used: leaving it out would give other logits without a word.
  @Test func aBareFileWithAnOutputMatrixIsUntied() throws {
    let configuration = try Configuration.small(tied: false)
    var file = SafetensorsFile(of: configuration)
    file.metadata = ["n_head": "2"]
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "bare.safetensors"))
    #expect(checkpoint.configuration == configuration)
    expectAllValues(checkpoint)
  }

  @Test func aBareFileWithoutHeadsHasOneForEach64Channels() throws {
    let wide = try Configuration(layers: 1, heads: 2, channels: 128, vocabulary: 3, context: 2)
    let path = try folder.write(SafetensorsFile(of: wide).bytes, to: "wide.safetensors")
    #expect(try Checkpoint(safetensors: path).configuration == wide)
    let narrow = try Configuration.small()
    let other = try folder.write(SafetensorsFile(of: narrow).bytes, to: "narrow.safetensors")
    let text = refusal(naming: other) { try Checkpoint(safetensors: other) }
    #expect(text?.contains("number of heads: found unknown for 6 channels") == true)
  }

  @Test(arguments: ["three", "", "0", "-2", "4", "99999999999999999999"])
  func aBareFileWithSenselessHeadsIsRefused(_ heads: String) throws {
    var file = SafetensorsFile(of: try .small())
    file.metadata = ["n_head": heads]
    let path = try folder.write(file.bytes, to: "bare.safetensors")
    let text = refusal(naming: path) { try Checkpoint(safetensors: path) }
    #expect(text?.contains("head") == true && text?.hasPrefix("not") == false)
  }

  @Test func aBareFileTakesTheConfigurationBesideIt() throws {
    let configuration = try Configuration(
      layers: 2, heads: 3, channels: 6, vocabulary: 11, context: 5)
    try folder.write(Self.config(configuration), to: "config.json")
    let path = try folder.write(SafetensorsFile(of: configuration).bytes, to: "bare.safetensors")
    #expect(try Checkpoint(safetensors: path).configuration.heads == 3)
  }
}
