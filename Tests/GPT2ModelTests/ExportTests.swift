import Foundation
import GPT2Model
import TestSupport
import Testing

struct ExportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let shapes: [(tied: Bool, epsilon: Float)] = [
    (true, 1e-5), (false, 1e-5), (true, 3e-7), (false, 0.25),
  ]

  private func checkpoint(tied: Bool, epsilon: Float) throws -> Checkpoint {
    let configuration = try Configuration(
      layers: 2, heads: 3, channels: 9, vocabulary: 13, context: 4, layerNormEpsilon: epsilon,
      tiesEmbeddings: tied)
    return try Checkpoint(inMemory: configuration, name: "small")
  }

  @Test(arguments: shapes)
  func aFolderComesBackTheSame(_ tied: Bool, _ epsilon: Float) throws {
    let original = try checkpoint(tied: tied, epsilon: epsilon)
    let target = folder("a/new/folder")
    try original.exportSafetensors(to: target)
    let reopened = try Checkpoint(folder: target)
    expectEqual(reopened.configuration, original.configuration)
    expectNil(firstDifferentTensor(reopened, original))
    expectEqual(reopened.files, [target + "/model.safetensors"])
    try expectEqual(
      FileManager.default.contentsOfDirectory(atPath: target).sorted(),
      [
        "config.json", "model.safetensors",
      ])
  }

  @Test(arguments: shapes)
  func aSingleFileComesBackTheSame(_ tied: Bool, _ epsilon: Float) throws {
    let original = try checkpoint(tied: tied, epsilon: epsilon)
    try original.exportSafetensors(to: folder("one.safetensors"))
    let reopened = try Checkpoint(safetensors: folder("one.safetensors"))
    expectEqual(reopened.configuration, original.configuration)
    expectNil(firstDifferentTensor(reopened, original))
    try expectEqual(folder.contents(), ["one.safetensors"])
  }

  @Test func anExportMayReplaceTheFileItReads() throws {
    try checkpoint(tied: true, epsilon: 1e-5).exportSafetensors(to: folder.path)
    let mapped = try Checkpoint(folder: folder.path)
    try mapped.exportSafetensors(to: folder.path)
    let reopened = try Checkpoint(folder: folder.path)
    expectNil(firstDifferentTensor(reopened, mapped))
    try expectNil(firstDifferentTensor(reopened, checkpoint(tied: true, epsilon: 1e-5)))
  }

  /// The header as another reader needs it: data from a multiple of 64 bytes on, nothing between the tensors.
  @Test func theFileIsWellFormed() throws {
    let original = try checkpoint(tied: true, epsilon: 1e-5)
    try original.exportSafetensors(to: folder("one.safetensors"))
    let bytes = try folder.bytes(of: "one.safetensors")
    let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    #expect((8 + length) % 64 == 0)
    expectEqual(bytes.count, 8 + length + original.weightBytes)
    let header = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
    #expect((header["__metadata__"] as? [String: String])?["n_head"] == "3")
    var end = 0
    for parameter in original.configuration.parameters {
      let entry = try #require(header[parameter.name] as? [String: Any])
      #expect(entry["shape"] as? [Int] == parameter.shape)
      #expect(entry["data_offsets"] as? [Int] == [end, end + 4 * parameter.count])
      end += 4 * parameter.count
    }
  }

  @Test func whatCannotBeWrittenIsRefusedAndLeavesNothing() throws {
    let original = try checkpoint(tied: true, epsilon: 1e-5)
    let file = try folder.write("x", to: "file")
    try FileManager.default.createDirectory(
      atPath: folder("folder.safetensors/inside"), withIntermediateDirectories: true)
    for target in [
      folder("none/one.safetensors"), file + "/one.safetensors", folder("folder.safetensors"),
      file + "/folder",
    ] {
      let text = refusal(naming: target) { try original.exportSafetensors(to: target) }
      expectEqual(text?.contains("cannot be written"), true)
    }
    try expectEqual(folder.contents(), ["file", "folder.safetensors"])
  }
}
