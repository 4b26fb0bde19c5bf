import Foundation
import GPT2Model
import TestSupport
import Testing

struct SafetensorsReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: SafetensorsFile, _ configuration: Configuration) throws -> Checkpoint {
    let path = try folder.write(file.bytes, to: "model.safetensors")
    try folder.write(Self.config(configuration), to: "config.json")
    let checkpoint = try Checkpoint(folder: folder.path)
    expectEqual(checkpoint.configuration, configuration)
    expectEqual(checkpoint.name, folder.path)
    expectEqual(checkpoint.files, [path])
    return checkpoint
  }

  static func config(_ c: Configuration) -> String {
    """
    {"model_type": "gpt2", "n_layer": \(c.layers), "n_head": \(c.heads), "n_embd": \(c.channels),
     "vocab_size": \(c.vocabulary), "n_positions": \(c.context), "tie_word_embeddings": \(c.tiesEmbeddings)}
    """
  }

  /// As the engine takes them.
  private func expectAllValuesOnce(_ checkpoint: Checkpoint) {
    for (number, parameter) in checkpoint.configuration.parameters.enumerated() {
      let taken = takenOnce(number, from: checkpoint)
      #expect((0..<parameter.count).allSatisfy { taken[$0] == SafetensorsFile.value(number, $0) })
    }
  }

  @Test(arguments: ["", "transformer."], [true, false])
  func namesMayHaveThePrefix(_ prefix: String, _ tied: Bool) throws {
    let configuration = try Configuration.small(tied: tied)
    let checkpoint = try open(SafetensorsFile(of: configuration, prefix: prefix), configuration)
    expectValues(of: checkpoint)
    expectEqual(checkpoint.weightBytes, 4 * configuration.parameterCount)
    let output = configuration.tiesEmbeddings ? 0 : configuration.parameters.count - 1
    let logits = checkpoint.tensor(at: checkpoint.configuration.outputEmbeddingIndex)
    expectEqual(logits.baseAddress, checkpoint.tensor(at: output).baseAddress)
    expectEqual(checkpoint.finalNormBias[0], checkpoint.finalNormWeight[0] + 1)
    expectEqual(checkpoint.tensor(.downBias, layer: 1)[2], SafetensorsFile.value(2 + 23, 2))
  }

  /// An untied matrix has no prefix in Hugging Face's files, where all others do.
  @Test func prefixedFileWithABareOutputMatrix() throws {
    let configuration = try Configuration.small(tied: false)
    var file = SafetensorsFile(of: configuration, prefix: "transformer.")
    file["transformer.lm_head.weight"].name = "lm_head.weight"
    expectValues(of: try open(file, configuration))
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
    expectValues(of: try open(file, configuration))
  }

  @Test(arguments: 0..<8)
  func aMisalignedHeaderLoadsTheSameValues(_ padding: Int) throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration)
    file.padding = padding
    let checkpoint = try open(file, configuration)
    expectValues(of: checkpoint)
    // Handing values over gives their pages back, which must not lose values, wherever they lie.
    expectAllValuesOnce(checkpoint)
    checkpoint.releaseAllPages()
    expectValues(of: checkpoint)
    expectAllValuesOnce(checkpoint)
  }

  @Test func aBareFileShowsItsShapeAndNamesItsHeads() throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration, prefix: "transformer.")
    file.metadata = ["n_head": "2"]
    let path = try folder.write(file.bytes, to: "bare.safetensors")
    let checkpoint = try Checkpoint(safetensors: path)
    expectEqual(checkpoint.configuration, configuration)
    expectEqual(checkpoint.name, path)
    expectValues(of: checkpoint)
  }

  /// The output matrix in a bare file is used: leaving it out would give other logits without a word.
  @Test func aBareFileWithAnOutputMatrixIsUntied() throws {
    let configuration = try Configuration.small(tied: false)
    var file = SafetensorsFile(of: configuration)
    file.metadata = ["n_head": "2"]
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "bare.safetensors"))
    expectEqual(checkpoint.configuration, configuration)
    expectValues(of: checkpoint)
  }

  @Test func aBareFileWithoutHeadsHasOneForEach64Channels() throws {
    let wide = try Configuration(layers: 1, heads: 2, channels: 128, vocabulary: 3, context: 2)
    let path = try folder.write(SafetensorsFile(of: wide).bytes, to: "wide.safetensors")
    try expectEqual(Checkpoint(safetensors: path).configuration, wide)
    let narrow = try Configuration.small()
    let other = try folder.write(SafetensorsFile(of: narrow).bytes, to: "narrow.safetensors")
    let text = refusal(naming: other) { try Checkpoint(safetensors: other) }
    expectEqual(text?.contains("number of heads: found unknown for 6 channels"), true)
  }

  @Test(arguments: ["three", "", "0", "-2", "4", "99999999999999999999"])
  func aBareFileWithSenselessHeadsIsRefused(_ heads: String) throws {
    var file = SafetensorsFile(of: try .small())
    file.metadata = ["n_head": heads]
    let path = try folder.write(file.bytes, to: "bare.safetensors")
    let text = refusal(naming: path) { try Checkpoint(safetensors: path) }
    expectEqual(text?.contains("head"), true)
    expectEqual(text?.hasPrefix("not"), false)
  }

  @Test func aBareFileTakesTheConfigurationBesideIt() throws {
    let configuration = try Configuration(
      layers: 2, heads: 3, channels: 6, vocabulary: 11, context: 5)
    try folder.write(Self.config(configuration), to: "config.json")
    let path = try folder.write(SafetensorsFile(of: configuration).bytes, to: "bare.safetensors")
    try expectEqual(Checkpoint(safetensors: path).configuration.heads, 3)
  }
}

/// A model spread over several files by `model.safetensors.index.json`.
struct ShardedSafetensorsTests {
  let folder: TemporaryFolder
  let configuration: Configuration

  init() throws {
    folder = try TemporaryFolder()
    configuration = try .small()
    try folder.write(SafetensorsReadingTests.config(configuration), to: "config.json")
  }

  private static let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]

  /// Writes both shards, and returns the map of the index.
  private func write() throws -> [String: String] {
    var map: [String: String] = [:]
    let whole = SafetensorsFile(of: configuration, prefix: "transformer.")
    for (shard, name) in Self.names.enumerated() {
      var part = whole
      part.tensors = whole.tensors.enumerated().filter { $0.offset % 2 == shard }.map(\.element)
      for tensor in part.tensors { map[tensor.name] = name }
      try folder.write(part.bytes, to: name)
    }
    return map
  }

  @discardableResult
  private func write(index: [String: String]) throws -> String {
    let json = try JSONSerialization.data(
      withJSONObject: ["metadata": [:], "weight_map": index] as [String: Any])
    return try folder.write(Array(json), to: "model.safetensors.index.json")
  }

  @Test func allShardsAreOneModel() throws {
    let index = try write(index: write())
    for source in [try ModelSource(folder.path), try ModelSource(index)] {
      let checkpoint = try source.open(cacheFolder: "")
      expectEqual(checkpoint.configuration, configuration)
      expectEqual(checkpoint.files, Self.names.map { folder($0) })
      expectValues(of: checkpoint)
    }
  }

  /// What GPT-2 has no use for may be missing; what it has a use for may not.
  @Test func anIndexMayNameATensorThatIsIgnored() throws {
    var map = try write()
    map["transformer.h.0.attn.bias"] = Self.names[0]
    map["h.1.attn.masked_bias"] = "model-00003-of-00002.safetensors"
    let file = try folder.write(
      SafetensorsFile(of: configuration).bytes, to: "model-00003-of-00002.safetensors")
    try write(index: map)
    expectValues(of: try ModelSource(folder.path).open(cacheFolder: ""))
    try FileManager.default.removeItem(atPath: file)
    map["h.1.attn.masked_bias"] = nil
    for name in [
      "transformer.h.\(configuration.layers).ln_1.weight", "h.\(configuration.layers).ln_1.weight",
    ] {
      map[name] = Self.names[1]
      try write(index: map)
      let text = refusal(naming: folder(Self.names[1])) { try ModelSource(folder.path).open(cacheFolder: "") }
      expectEqual(text?.contains("tensor \(name) is missing"), true)
      map[name] = nil
    }
  }

  @Test func whatIsWrongIsNamed() throws {
    let map = try write()
    func outcome(_ index: [String: String], naming file: String) throws -> String {
      try write(index: index)
      return refusal(naming: folder(file)) { try ModelSource(folder.path).open(cacheFolder: "") }
        ?? "accepted"
    }
    let index = "model.safetensors.index.json"
    var missing = map
    missing["transformer.ln_f.bias"] = nil
    try expectContains(outcome(missing, naming: index), "tensor ln_f.bias is missing")
    var wrong = map
    wrong["transformer.ln_f.bias"] = Self.names.first { $0 != map["transformer.ln_f.bias"] }
    try expectContains(
      outcome(wrong, naming: wrong["transformer.ln_f.bias"]!),
      "tensor transformer.ln_f.bias is missing")
    for name in ["../model.safetensors", "a.bin", ""] {
      wrong["transformer.ln_f.bias"] = name
      try expectContains(outcome(wrong, naming: index), "weight_map: found \(name)")
    }
    try expectContains(outcome([:], naming: index), "weight_map: found nothing")
    try FileManager.default.removeItem(atPath: folder(Self.names[1]))
    try expectContains(outcome(map, naming: Self.names[1]), "cannot be read")
    try folder.write("{", to: index)
    #expect(refusal(naming: folder(index)) { try ModelSource(folder.path).open(cacheFolder: "") } != nil)
  }
}

/// Tensors in half precision, which must come out as the float32 of the same value.
struct HalfPrecisionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Every one of the 65,536 patterns, as one token embedding of 256 × 256.
  private func widened(_ dtype: String) throws -> [Float] {
    let configuration = try Configuration(layers: 1, heads: 4, channels: 256, vocabulary: 256, context: 1)
    var file = SafetensorsFile(of: configuration)
    file.metadata = ["n_head": "4"]
    file["wte.weight"].dtype = dtype
    file["wte.weight"].data = (0..<65_536).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "half.safetensors"))
    // The neighbours, in float32, are as they were: a file may mix precisions.
    expectEqual(checkpoint.tensor(at: 1)[3], SafetensorsFile.value(1, 3))
    return Array(checkpoint.tokenEmbedding)
  }

  @Test func bfloat16IsTheUpperHalf() throws {
    let values = try widened("BF16")
    #expect(values.indices.allSatisfy { values[$0].bitPattern == UInt32($0) << 16 })
  }

  /// IEEE 754, by its definition: sign, exponent with a bias of 15, ten bits of fraction.
  @Test func float16IsExact() throws {
    let values = try widened("F16")
    for (pattern, value) in values.enumerated() {
      let exponent = pattern >> 10 & 31
      let fraction = Double(pattern & 1023) / 1024
      let size =
        exponent == 0
        ? fraction * 0x1p-14 : (1 + fraction) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
      #expect((value.sign == .minus) == (pattern >= 0x8000))
      if exponent < 31 {
        expectEqual(Double(value.magnitude), size)
      } else if pattern & 1023 == 0 {
        #expect(value.isInfinite)
      } else {
        #expect(value.isNaN && value.bitPattern & 0x7F_FFFF == UInt32(pattern & 1023) << 13)
      }
    }
  }

  /// All tensors in all three precisions, at every alignment: the same values by each of the ways to read them.
  @Test(arguments: ["F16", "BF16"], 0..<4)
  func everyTensorMayBeHalf(_ dtype: String, _ padding: Int) throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration)
    file.padding = padding
    file.metadata = ["n_head": "2"]
    for (number, tensor) in file.tensors.enumerated() where number % 3 != 2 {
      file.tensors[number].dtype = dtype
      file.tensors[number].data = (0..<tensor.data.count / 4).flatMap { bytes(of: number, $0, dtype) }
    }
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "mixed.safetensors"))
    for (number, parameter) in configuration.parameters.enumerated() {
      let expected = (0..<parameter.count).map {
        number % 3 == 2 ? SafetensorsFile.value(number, $0) : value(number, $0)
      }
      expectEqual(takenOnce(number, from: checkpoint), expected, "\(parameter.name)")
      expectEqual(Array(checkpoint.tensor(at: number)), expected, "\(parameter.name)")
    }
  }

  /// A value that both half precisions hold.
  private func value(_ tensor: Int, _ element: Int) -> Float { Float(tensor) - Float(element % 4) * 32 }

  private func bytes(of tensor: Int, _ element: Int, _ dtype: String) -> [UInt8] {
    let bits = value(tensor, element).bitPattern
    var half = UInt16(bits >> 16)
    if dtype == "F16", bits & 0x7FFF_FFFF != 0 {
      half =
        UInt16(bits >> 16 & 0x8000) | UInt16((bits >> 23 & 0xFF) - 112) << 10 | UInt16(bits >> 13 & 0x3FF)
    }
    return [UInt8(half & 0xFF), UInt8(half >> 8)]
  }
}
