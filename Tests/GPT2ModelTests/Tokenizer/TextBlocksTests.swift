import Foundation
import GPT2Model
import TestSupport
import Testing

@Suite struct TextBlocksTests {
  private func blocks(_ text: [UInt8], size: Int, piece: Int) -> [[UInt8]] {
    var blocks = TextBlocks(size: size)
    var found: [[UInt8]] = []
    for start in stride(from: 0, to: text.count, by: piece) {
      blocks.append(text[start..<min(start + piece, text.count)])
      while let block = blocks.next() { found.append(block) }
    }
    blocks.finish()
    while let block = blocks.next() { found.append(block) }
    return found
  }

  /// Spaces in every number, line ends of both kinds, other white space, letters and signs of several scripts.
  static let texts: [String] = {
    var random = RandomStream(seed: 8)
    let parts = [
      " ", "  ", "\n", "\n\n", "\r\n", "\t", "\u{A0}", "\u{3000}", "a", "don't", "'s", "'", "1", "23", "ß",
      "é", "日本",
      "👩‍👧", "...", "<|endoftext|>", "<|", "Wörter",
    ]
    return (0..<60).map { _ in random.ids(60, below: parts.count).map { parts[$0] }.joined() }
  }()

  @Test func blocksEncodeToWhatTheWholeDoes() throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    var cuts = 0
    for (index, text) in Self.texts.enumerated() {
      let bytes = Array(text.utf8)
      let whole = try tokenizer.encode(text)
      for size in [1, 5, 50] {
        let found = blocks(bytes, size: size, piece: 1 + index % 7)
        #expect(found.flatMap { $0 } == bytes)
        #expect(try found.flatMap { try tokenizer.encode(utf8: $0) } == whole)
        cuts += found.count - 1
      }
    }
    #expect(cuts > 500)
  }

  @Test func aBlockEndsBeforeABlankAndIsAsLargeAsAsked() {
    let text = Array("one two  three\nfour five".utf8)
    #expect(
      blocks(text, size: 6, piece: 3).map { String(decoding: $0, as: UTF8.self) } == [
        "one two", "  three", "\nfour five",
      ])
    #expect(blocks(text, size: 1000, piece: 3) == [text])
    #expect(blocks([], size: 6, piece: 3) == [])
  }

  @Test func whereThereIsNoPlaceToCutABlockGrows() {
    let text = [UInt8](repeating: 0x61, count: 100)
    #expect(blocks(text, size: 10, piece: 7) == [text])
    let blank = [UInt8](repeating: 0x20, count: 100)
    #expect(blocks(blank, size: 10, piece: 7) == [blank])
  }
}
