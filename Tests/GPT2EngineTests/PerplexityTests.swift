import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import GPT2Engine

/// The perplexity of a committed text by the tiny model, against a float64 forward pass in NumPy.
struct PerplexityReferenceTests {
  private struct Reference: Decodable {
    let text: String
    let ids: Int
    let windows: [Windows]

    struct Windows: Decodable {
      let context, stride, tokens, bytes: Int
      let wholeWindows: Bool
      let natsPerToken, bitsPerByte: Double
    }
  }

  private let reference: Reference
  private let ids: [Int]
  private let tokenizer: Tokenizer
  private let checkpoint: Checkpoint

  init() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let path = Project.file("Benchmarks/reference/tiny-trained/perplexity.json")
    reference = try decoder.decode(Reference.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    checkpoint = try Checkpoint(folder: Project.file("weights/tiny"))
    ids = try tokenizer.encode(utf8: Data(contentsOf: URL(fileURLWithPath: Project.file(reference.text))))
  }

  private func score(
    _ ids: [Int], _ windows: TokenWindows, _ variant: Variant
  ) throws -> (TextScore, bytes: Int) {
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    let sequence = try engine.makeSequence()
    var windows = windows
    windows.append(ids)
    windows.finish()
    var (score, bytes) = (TextScore(), 0)
    while let window = windows.next() {
      score.add(nats: try engine.nats(of: window, in: sequence), tokens: window.targets.count)
      bytes += try tokenizer.bytes(of: window.targets).count
    }
    return (score, bytes)
  }

  @Test func allWindowsGiveTheFiguresOfNumPy() throws {
    #expect(ids.count == reference.ids && reference.windows.count >= 6)
    for windows in reference.windows {
      let cut = TokenWindows(
        context: windows.context, stride: windows.stride, wholeOnly: windows.wholeWindows)
      let (found, bytes) = try score(ids, cut, .preferred)
      expectEqual(found.tokens, windows.tokens)
      expectEqual(bytes, windows.bytes)
      let nats = try #require(found.natsPerToken)
      #expect(abs(nats - windows.natsPerToken) < 1e-6, "\(windows)")
      #expect(try abs(#require(found.bitsPerByte(bytes: bytes)) - windows.bitsPerByte) < 1e-6)
      expectEqual(found.perplexity, exp(nats))
    }
  }

  @Test func everyVariantGivesTheSame() throws {
    let (beginning, windows) = (Array(ids[..<200]), TokenWindows(context: 64, stride: 32))
    let expected = try score(beginning, windows, .preferred).0
    for variant in Variant.exact {
      let found = try score(beginning, windows, variant).0
      #expect(found.tokens == 199 && abs(found.nats - expected.nats) < 1e-3, "\(variant.name)")
    }
  }

  @Test func nothingScoredHasNoFigures() {
    let score = TextScore()
    expectNil(score.natsPerToken)
    expectNil(score.perplexity)
    expectNil(score.bitsPerByte(bytes: 0))
  }
}

struct TokenWindowsTests {
  /// All windows of a text whose tokens are their own positions, given in pieces of one size.
  private func windows(
    _ tokens: Int, context: Int, stride: Int, wholeOnly: Bool = false, piece: Int = .max
  ) -> [TokenWindow] {
    var windows = TokenWindows(context: context, stride: stride, wholeOnly: wholeOnly)
    var found: [TokenWindow] = []
    var next = 0
    while next < tokens {
      let end = min(next + min(piece, tokens), tokens)
      windows.append(next..<end)
      next = end
      while let window = windows.next() { found.append(window) }
    }
    windows.finish()
    while let window = windows.next() { found.append(window) }
    expectNil(windows.next())
    return found
  }

  @Test(arguments: [(1, 1), (2, 1), (2, 2), (5, 2), (5, 5), (8, 3), (8, 8)])
  func everyTokenButTheFirstIsScoredOnce(_ context: Int, _ stride: Int) {
    for tokens in 0...40 {
      let found = windows(tokens, context: context, stride: stride)
      expectEqual(found.flatMap(\.targets), Array(1..<max(tokens, 1)))
      for window in found {
        #expect(window.inputs.count <= context && window.targets.count <= window.inputs.count)
        // Consecutive, and the last target follows the last input.
        expectEqual(window.inputs, Array(window.inputs[0]..<window.inputs[0] + window.inputs.count))
        expectEqual(window.targets.last, window.inputs[window.inputs.count - 1] + 1)
      }
      for window in found.dropFirst() {
        #expect(window.targets[0] - window.inputs[0] >= context - stride + 1)
      }
    }
  }

  @Test func windowsBeginAtMultiplesOfTheStride() {
    let found = windows(11, context: 4, stride: 3)
    expectEqual(
      found,
      [
        TokenWindow(inputs: [0, 1, 2, 3], targets: [1, 2, 3, 4]),
        TokenWindow(inputs: [3, 4, 5, 6], targets: [5, 6, 7]),
        TokenWindow(inputs: [6, 7, 8, 9], targets: [8, 9, 10]),
      ])
  }

  /// As `train` cuts its validation text.
  @Test func wholeAdjacentWindowsAreThoseOfTheTraining() {
    for tokens in 0...40 {
      let count = max(tokens - 1, 0) / 6
      let expected = (0..<count).map {
        TokenWindow(inputs: Array(6 * $0..<6 * $0 + 6), targets: Array(6 * $0 + 1..<6 * $0 + 7))
      }
      expectEqual(windows(tokens, context: 6, stride: 6, wholeOnly: true), expected)
    }
  }

  @Test func theTailIsAWindowOfItsOwn() {
    expectEqual(windows(9, context: 6, stride: 6).last, TokenWindow(inputs: [6, 7], targets: [7, 8]))
    expectEqual(
      windows(9, context: 6, stride: 3).last, TokenWindow(inputs: [3, 4, 5, 6, 7], targets: [7, 8]))
    expectEqual(windows(3, context: 6, stride: 3), [TokenWindow(inputs: [0, 1], targets: [1, 2])])
  }

  @Test(arguments: [1, 2, 5, 7])
  func thePiecesThatATextComesInDoNotMatter(_ piece: Int) {
    for tokens in 0...30 {
      for (context, stride) in [(5, 2), (4, 4)] {
        let expected = windows(tokens, context: context, stride: stride)
        expectEqual(windows(tokens, context: context, stride: stride, piece: piece), expected)
      }
    }
  }
}

struct NegativeLogLikelihoodTests {
  private func nats(_ logits: [Float], _ token: Int) throws -> Double {
    try logits.withUnsafeBufferPointer { try negativeLogLikelihood(of: token, $0, position: 7) }
  }

  /// −log(exp(lₜ) / Σ exp(lᵢ)), which needs no shift where logits are small.
  @Test func itIsTheLogarithmOfTheDirectSum() throws {
    var random = RandomStream(seed: 3)
    for count in [1, 2, 7, 8, 9, 17, 50257] {
      let logits = random.floats(count, spread: 40)
      let sum = logits.reduce(0) { $0 + exp(Double($1)) }
      for token in [0, count / 2, count - 1] {
        #expect(try abs(nats(logits, token) + log(exp(Double(logits[token])) / sum)) < 1e-11)
      }
    }
  }

  @Test func largeLogitsNeitherOverflowNorVanish() throws {
    try expectEqual(nats([3e38, 3e38], 0), log(2))
    try expectEqual(nats([-3e38, -3e38, -3e38, -3e38], 2), log(4))
    try expectEqual(nats([1000, 0], 0), 0)
    try expectEqual(nats([1000, 0], 1), 1000)
    try expectEqual(nats([-3e38, 1], 1), 0)
    try expectEqual(nats([-3e38, 1], 0), Double(Float(3e38)) + 1)
  }

  /// exp of a constant more is a factor that cancels; what is added is exact in float32.
  @Test func aShiftOfAllLogitsChangesNothing() throws {
    let logits: [Float] = [0.5, -1.25, 2, 0.75]
    for shift: Float in [-65536, 1024, 65536] {
      try expectEqual(nats(logits.map { $0 + shift }, 1), nats(logits, 1))
    }
  }

  @Test func whatIsNotFiniteIsNamed() throws {
    for count in [3, 8, 11, 530] {
      for place in 0..<count {
        for value in [Float.nan, .infinity, -.infinity] {
          var logits = [Float](repeating: 1, count: count)
          logits[place] = value
          let error = EngineError.nonFiniteLogit(position: 7, token: place, found: "\(value)")
          #expect(throws: error) { try nats(logits, 2) }
        }
      }
    }
  }
}
