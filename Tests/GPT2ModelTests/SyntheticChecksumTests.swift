import Foundation
import GPT2Model
import TestSupport
import Testing

/// The generator against an independent one in another language (`scripts/synthetic.py`): whole tensors by their
/// checksums.
@Suite struct SyntheticChecksumTests {
  private static let file = "Benchmarks/reference/synthetic_checksums.json"

  private struct Checksums: Decodable {
    struct Tensor: Decodable {
      let shape: [Int]
      let firstBits: [UInt32]
      let fnv1a64: String

      private enum CodingKeys: String, CodingKey {
        case shape, fnv1a64
        case firstBits = "first_bits"
      }
    }

    let format: Int
    let models: [String: [String: Tensor]]
  }

  @Test(.enabled(if: Project.exists(file)))
  func everyTensorHasTheIndependentGeneratorsBits() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Project.file(Self.file)))
    let checksums = try JSONDecoder().decode(Checksums.self, from: data)
    #expect(checksums.format == 1 && !checksums.models.isEmpty)
    for (name, tensors) in checksums.models {
      guard case .synthetic(let configuration, _) = try ModelSource(name) else {
        Issue.record("\(name) is not synthetic")
        continue
      }
      let checkpoint = try Checkpoint(inMemory: configuration, name: name)
      #expect(Set(tensors.keys) == Set(configuration.parameters.map(\.name)))
      for (number, parameter) in configuration.parameters.enumerated() {
        let expected = try #require(tensors[parameter.name])
        let values = checkpoint.tensor(at: number)
        #expect(parameter.shape == expected.shape)
        #expect(values.prefix(4).map(\.bitPattern) == expected.firstBits)
        let checksum = String(fnv1a64(UnsafeRawBufferPointer(values)), radix: 16)
        #expect(String(repeating: "0", count: 16 - checksum.count) + checksum == expected.fnv1a64)
      }
    }
  }
}
