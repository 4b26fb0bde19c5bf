import Foundation
import GPT2Model
import TestSupport
import Testing

struct SealedTensorsTests {
  let folder: TemporaryFolder
  let model: Checkpoint

  init() throws {
    folder = try TemporaryFolder()
    model = try Checkpoint(
      inMemory: Configuration(
        layers: 2, heads: 3, channels: 9, vocabulary: 13, context: 4, layerNormEpsilon: 3e-7), name: "small")
  }

  private static let numbers = NewTensor("more.numbers", .float32, shape: [2, 3])
  private static let words = NewTensor("words", .bytes, shape: [5])

  private func write(_ configuration: Configuration? = nil, to name: String) throws -> String {
    try SealedTensors.write(
      configuration ?? model.configuration, [Self.numbers, Self.words], to: folder(name)
    ) {
      _ = $0.update(fromContentsOf: model.tensor(at: $1))
    } _: { target, index in
      target.copyBytes(from: index == 0 ? Array(1...24) : Array("words".utf8))
    }
    return folder(name)
  }

  @Test func whatIsWrittenComesBack() throws {
    let path = try write(to: "state")
    let tensors = try SealedTensors(path)
    let reopened = try tensors.model(named: "again")
    expectEqual(reopened.configuration, model.configuration)
    expectEqual(reopened.name, "again")
    expectNil(firstDifferentTensor(reopened, model))
    try expectEqual(tensors.bytes(of: "words"), Data("words".utf8))
    let numbers = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 4)
    defer { numbers.deallocate() }
    try tensors.read(Self.numbers, into: numbers)
    expectEqual(Array(numbers), Array(1...24))
    try expectEqual(folder.contents(), ["state"])
    // It is a file of the format like any other.
    try expectNil(firstDifferentTensor(Checkpoint(safetensors: path), model))
  }

  @Test func damageIsSeenWhereverItIs() throws {
    let path = try write(to: "state")
    let good = try folder.bytes(of: "state")
    var random = RandomStream(seed: 4)
    for place in [0, 8, good.count - 1, good.count - 9] + random.ids(200, below: good.count) {
      var bytes = good
      bytes[place] ^= 1 << UInt8(random.next() % 8)
      let damaged = try folder.write(bytes, to: "damaged")
      let text = refusal(naming: damaged) { try SealedTensors(damaged) } ?? "accepted byte \(place)"
      #expect(text.hasPrefix(damaged), "\(text)")
    }
    for count in [0, 7, 100, good.count - 9, good.count - 1] {
      let short = try folder.write(good[..<count], to: "short")
      expectEqual(refusal(naming: short) { try SealedTensors(short) }?.hasPrefix(short), true)
    }
    var bytes = good
    bytes[good.count - 20] ^= 1
    let damaged = try folder.write(bytes, to: "damaged")
    expectEqual(
      refusal(naming: damaged) { try SealedTensors(damaged) }?.hasSuffix(
        "which the file's bytes make: it is damaged"), true)
    _ = try SealedTensors(path)
  }

  @Test func whatIsMissingOrOtherIsNamed() throws {
    let tensors = try SealedTensors(write(to: "state"))
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 4)
    defer { target.deallocate() }
    func text(_ tensor: NewTensor) -> String? { message { try tensors.read(tensor, into: target) } }
    expectEqual(text(NewTensor("none", .float32, shape: [6])), "\(folder("state")): tensor none is missing")
    expectEqual(
      text(NewTensor("more.numbers", .float32, shape: [3, 2])),
      "\(folder("state")): tensor more.numbers: shape is [2, 3], expected [3, 2]")
    expectEqual(
      text(NewTensor("more.numbers", .bytes, shape: [24])),
      "\(folder("state")): tensor more.numbers: dtype is F32, expected U8")
    expectEqual(
      message { try tensors.bytes(of: "more.numbers") },
      "\(folder("state")): tensor more.numbers: dtype is F32, expected U8")
    try model.exportSafetensors(to: folder("model.safetensors"))
    expectEqual(
      message { try SealedTensors(folder("model.safetensors")) },
      "\(folder("model.safetensors")): tensor digest is missing")
  }

  /// More than any disk has.
  @Test func aFullDiskLeavesWhatWasThere() throws {
    let path = try write(to: "state")
    let good = try folder.bytes(of: "state")
    let huge = try Configuration(
      layers: 1 << 12, heads: 1, channels: 1 << 18, vocabulary: 1 << 20, context: 1 << 20)
    let text = refusal(naming: path) { try write(huge, to: "state") } ?? "written"
    #expect(text.hasPrefix("\(path): cannot be written: "), "\(text)")
    try expectEqual(folder.bytes(of: "state"), good)
    try expectEqual(folder.contents(), ["state"])
  }
}
