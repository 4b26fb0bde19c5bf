import Foundation
import GPT2Model
import TestSupport
import Testing

/// A model spread over several files by `model.safetensors.index.json`.
@Suite struct ShardedSafetensorsTests {
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
      #expect(checkpoint.configuration == configuration && checkpoint.files == Self.names.map { folder($0) })
      for (number, parameter) in configuration.parameters.enumerated() {
        let tensor = checkpoint.tensor(at: number)
        #expect(
          tensor.indices.allSatisfy { tensor[$0] == SafetensorsFile.value(number, $0) }, "\(parameter.name)")
      }
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
    #expect(try outcome(missing, naming: index).contains("tensor ln_f.bias is missing"))
    var wrong = map
    wrong["transformer.ln_f.bias"] = Self.names.first { $0 != map["transformer.ln_f.bias"] }
    #expect(
      try outcome(wrong, naming: wrong["transformer.ln_f.bias"]!).contains(
        "tensor transformer.ln_f.bias is missing"))
    for name in ["../model.safetensors", "a.bin", ""] {
      wrong["transformer.ln_f.bias"] = name
      #expect(try outcome(wrong, naming: index).contains("weight_map: found \(name)"))
    }
    #expect(try outcome([:], naming: index).contains("weight_map: found nothing"))
    try FileManager.default.removeItem(atPath: folder(Self.names[1]))
    #expect(try outcome(map, naming: Self.names[1]).contains("cannot be read"))
    try folder.write("{", to: index)
    #expect(refusal(naming: folder(index)) { try ModelSource(folder.path).open(cacheFolder: "") } != nil)
  }
}
