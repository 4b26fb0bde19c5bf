import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// The perplexity of a committed text by the tiny model, against a float64 forward pass in NumPy.
@Suite struct PerplexityReferenceTests {
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
      #expect(found.tokens == windows.tokens && bytes == windows.bytes)
      let nats = try #require(found.natsPerToken)
      #expect(abs(nats - windows.natsPerToken) < 1e-6, "\(windows)")
      #expect(try abs(#require(found.bitsPerByte(bytes: bytes)) - windows.bitsPerByte) < 1e-6)
      #expect(found.perplexity == exp(nats))
    }
  }

  @Test func everyVariantGivesTheSame() throws {
    let (beginning, windows) = (Array(ids[..<200]), TokenWindows(context: 64, stride: 32))
    let expected = try score(beginning, windows, .preferred).0
    for variant in Variant.all {
      let found = try score(beginning, windows, variant).0
      #expect(found.tokens == 199 && abs(found.nats - expected.nats) < 1e-3, "\(variant.name)")
    }
  }

  @Test func nothingScoredHasNoFigures() {
    let score = TextScore()
    #expect(score.natsPerToken == nil && score.perplexity == nil && score.bitsPerByte(bytes: 0) == nil)
  }
}
