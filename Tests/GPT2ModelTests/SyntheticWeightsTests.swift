import Foundation
import GPT2Model
import TestSupport
import Testing

struct SyntheticWeightsTests {
  /// Elements worked out by hand from splitmix64's definition: for each tensor's number and element the hash, then
  /// (sum of its 16-bit fields − 131,070) · float32(deviation / 37837), one more for a norm's weight.
  @Test func elementsAreThoseOfTheDefinition() throws {
    let configuration = try Configuration.small(tied: false)
    let checkpoint = try Checkpoint(inMemory: configuration, name: "small")
    // Deviations: embeddings and biases 0.02, linear weights 1/√in, norm weights 0.1.
    let cases: [(tensor: Int, name: String, deviation: Double, center: Float)] = [
      (0, "wte.weight", 0.02, 0), (1, "wpe.weight", 0.02, 0), (2, "h.0.ln_1.weight", 0.1, 1),
      (3, "h.0.ln_1.bias", 0.02, 0), (4, "h.0.attn.c_attn.weight", 1 / 6.0.squareRoot(), 0),
      (12, "h.0.mlp.c_proj.weight", 1 / 24.0.squareRoot(), 0), (25, "h.1.mlp.c_proj.bias", 0.02, 0),
      (26, "ln_f.weight", 0.1, 1), (28, "lm_head.weight", 0.02, 0),
    ]
    for (number, name, deviation, center) in cases {
      expectEqual(configuration.parameters[number].name, name)
      let tensor = checkpoint.tensor(at: number)
      for i in tensor.indices {
        // The stream's first number for seed s is splitmix64(s).
        var stream = RandomStream(seed: UInt64(number) << 40 + UInt64(i))
        let hash = stream.next()
        let fields = (0..<4).map { Int((hash >> (16 * UInt64($0))) & 0xFFFF) }
        let scaled = Float(fields.reduce(0, +) - 131_070) * Float(deviation / 37837)
        #expect(tensor[i].bitPattern == (center + scaled).bitPattern, "\(name)[\(i)]")
      }
    }
  }

  /// splitmix64(0) = E220A8397B1DCDAF: fields 57888, 43065, 31517, 52655, which sum to 185,125.
  @Test func theFirstWeightOfAll() throws {
    let checkpoint = try Checkpoint(inMemory: .small(), name: "small")
    expectEqual(checkpoint.tokenEmbedding[0], Float(185_125 - 131_070) * Float(0.02 / 37837))
  }

  @Test func valuesHaveTheirDeviations() throws {
    let configuration = try Configuration(
      layers: 1, heads: 4, channels: 64, vocabulary: 512, context: 128)
    let checkpoint = try Checkpoint(inMemory: configuration, name: "tiny")
    for (values, deviation) in [
      (checkpoint.tokenEmbedding, 0.02), (checkpoint.tensor(.upWeight, layer: 0), 0.125),
      (checkpoint.tensor(.downWeight, layer: 0), 0.0625),
    ] {
      let n = Double(values.count)
      let average = values.reduce(0) { $0 + Double($1) } / n
      let variance = values.reduce(0) { $0 + (Double($1) - average) * (Double($1) - average) } / n
      #expect(abs(average) < 5 * deviation / n.squareRoot())
      #expect(abs(variance.squareRoot() / deviation - 1) < 0.03)
    }
  }

  /// A tensor longer than one thread's block has no seam.
  @Test func aLongTensorIsFilledToItsEnd() throws {
    let configuration = try Configuration(
      layers: 1, heads: 1, channels: 2, vocabulary: 300_001, context: 1)
    let checkpoint = try Checkpoint(inMemory: configuration, name: "long")
    let values = checkpoint.tokenEmbedding
    for i in [1 << 18 - 1, 1 << 18, 1 << 19 - 1, 1 << 19, 600_001] {
      var stream = RandomStream(seed: UInt64(i))
      let hash = stream.next()
      let sum = (0..<4).reduce(0) { $0 + Int((hash >> (16 * UInt64($1))) & 0xFFFF) }
      expectEqual(values[i], Float(sum - 131_070) * Float(0.02 / 37837))
    }
  }

  @Test func theCachedFileHoldsTheSameBits() throws {
    let folder = try TemporaryFolder()
    let source = try ModelSource("synthetic:2,2,6,11,5")
    let memory = try Checkpoint(inMemory: .small(), name: "synthetic:2,2,6,11,5")
    for _ in 0..<2 {
      let checkpoint = try source.open(cacheFolder: folder.path)
      #expect(checkpoint.files.count == 1 && checkpoint.files[0].hasPrefix(folder.path))
      expectEqual(checkpoint.name, memory.name)
      expectEqual(checkpoint.configuration, memory.configuration)
      expectNil(firstDifferentTensor(checkpoint, memory))
    }
    try expectEqual(folder.contents().count, 1)
  }

  @Test func whereNothingCanBeCachedTheWeightsAreInMemory() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try ModelSource("synthetic:2,2,6,11,5").open(cacheFolder: folder("none"))
    #expect(checkpoint.files.isEmpty)
    try expectNil(firstDifferentTensor(checkpoint, Checkpoint(inMemory: .small(), name: "")))
    #expect(try folder.contents().isEmpty)
  }

  @Test func aBrokenCachedFileIsRefusedNotUsed() throws {
    let folder = try TemporaryFolder()
    let source = try ModelSource("synthetic:2,2,6,11,5")
    let path = try #require(try source.open(cacheFolder: folder.path).files.first)
    let name = try #require(try folder.contents().first)
    try folder.write(folder.bytes(of: name).dropLast(5), to: name)
    #expect(refusal(naming: path) { try source.open(cacheFolder: folder.path) } != nil)
  }

  /// Several openers at once, as several workers do on a fresh machine.
  @Test func simultaneousOpenersAllGetTheWeights() throws {
    let folder = try TemporaryFolder()
    let expected = try Checkpoint(inMemory: Configuration.small(), name: "")
    let isRight = UnsafeMutableBufferPointer<Bool>.allocate(capacity: 8)
    isRight.initialize(repeating: false)
    defer { isRight.deallocate() }
    nonisolated(unsafe) let results = isRight
    DispatchQueue.concurrentPerform(iterations: 8) { index in
      guard let source = try? ModelSource("synthetic:2,2,6,11,5"),
        let checkpoint = try? source.open(cacheFolder: folder.path)
      else { return }
      results[index] = firstDifferentTensor(checkpoint, expected) == nil
    }
    #expect(isRight.allSatisfy { $0 })
    try expectEqual(folder.contents().count, 1)
  }
}

/// The generator against an independent one in another language (`scripts/synthetic.py`): whole tensors by their
/// checksums.
struct SyntheticChecksumTests {
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
      expectEqual(Set(tensors.keys), Set(configuration.parameters.map(\.name)))
      for (number, parameter) in configuration.parameters.enumerated() {
        let expected = try #require(tensors[parameter.name])
        let values = checkpoint.tensor(at: number)
        expectEqual(parameter.shape, expected.shape)
        expectEqual(values.prefix(4).map(\.bitPattern), expected.firstBits)
        let checksum = String(fnv1a64(UnsafeRawBufferPointer(values)), radix: 16)
        expectEqual(String(repeating: "0", count: 16 - checksum.count) + checksum, expected.fnv1a64)
      }
    }
  }
}
