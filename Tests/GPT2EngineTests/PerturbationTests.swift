import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// The check can fail: one changed weight, in whichever tensor, is found.
@Suite struct PerturbationTests {
  /// A model's file, which can be reopened with one weight changed.
  private struct Model {
    let folder = Result { try TemporaryFolder() }
    let checkpoint: Checkpoint
    let bytes: [UInt8]
    let prompts = [[3, 1, 4, 1, 5], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4]]

    init() throws {
      checkpoint = try Fixtures.small.get()
      try checkpoint.exportSafetensors(to: folder.get()("model.safetensors"))
      bytes = try folder.get().bytes(of: "model.safetensors")
    }

    /// Tensors lie one after the other at the file's end, in the order of the parameters.
    func reopened(changing tensor: Int, element: Int, by change: (Float) -> Float) throws -> Checkpoint {
      let before = checkpoint.configuration.parameters.prefix(tensor).reduce(0) { $0 + $1.count }
      let offset = bytes.count - checkpoint.weightBytes + 4 * (before + element)
      var changed = bytes
      let old = changed.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
      #expect(old == checkpoint.tensor(at: tensor)[element])
      withUnsafeBytes(of: change(old)) { changed.replaceSubrange(offset..<offset + 4, with: $0) }
      return try Checkpoint(safetensors: folder.get().write(changed, to: "changed.safetensors"))
    }

    /// An element that the prompts use: their last token's embedding, a position, otherwise the middle row. Of the
    /// queries', keys' and values' columns it is a value's, because a constant added to all keys changes nothing.
    func element(of tensor: Int) -> Int {
      let shape = checkpoint.configuration.parameters[tensor].shape
      let columns = shape[shape.count - 1]
      let row = shape.count == 1 ? 0 : tensor == 0 ? 4 : tensor == 1 ? 2 : shape[0] / 2
      return row * columns + columns * 5 / 6
    }
  }

  @Test(arguments: Variant.all)
  func oneChangedWeightIsFoundInEveryTensor(_ variant: Variant) throws {
    let model = try Model()
    let reference = try ReferenceCase(oracleFor: model.checkpoint, prompts: model.prompts)
    #expect(try Engine(model.checkpoint, variant: variant, threads: 2).check(against: reference).passed)
    for (tensor, parameter) in model.checkpoint.configuration.parameters.enumerated() {
      let changed = try model.reopened(changing: tensor, element: model.element(of: tensor)) { $0 + 0.05 }
      let comparison = try Engine(changed, variant: variant, threads: 2).check(against: reference)
      #expect(!comparison.passed && comparison.failure != nil, "\(parameter.name)")
      let same = try model.reopened(changing: tensor, element: model.element(of: tensor)) { $0 }
      #expect(try Engine(same, variant: variant, threads: 2).check(against: reference).passed)
    }
  }

  @Test(arguments: Variant.all)
  func aWeightThatIsNotFiniteIsFoundInEveryTensor(_ variant: Variant) throws {
    let model = try Model()
    let reference = try ReferenceCase(oracleFor: model.checkpoint, prompts: model.prompts)
    for (tensor, parameter) in model.checkpoint.configuration.parameters.enumerated() {
      let broken = try model.reopened(changing: tensor, element: model.element(of: tensor)) { _ in .nan }
      let comparison = try Engine(broken, variant: variant, threads: 2).check(against: reference)
      #expect(!comparison.passed, "\(parameter.name)")
      #expect(comparison.failure?.contains("expected a finite number") == true, "\(parameter.name)")
    }
  }
}
