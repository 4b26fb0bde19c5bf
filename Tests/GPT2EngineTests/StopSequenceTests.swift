import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

struct StopSequenceTests {
  private static let tokenizer = Result { try Tokenizer(folder: Project.root + "/weights/tiny") }

  /// What a text gives, piece by piece, and the stop sequence that ended it.
  private func pieces(_ ids: [Int], _ stops: [String]) throws -> (pieces: [String], stop: String?) {
    var stream = TextStream(try Self.tokenizer.get(), stops: try StopSequences(stops))
    var pieces = try ids.map { try stream.push($0) }
    pieces.append(stream.finish())
    return (pieces, stream.stop)
  }

  /// A text as one token for each byte.
  private func bytes(_ text: [UInt8]) throws -> [Int] {
    let tokenizer = try Self.tokenizer.get()
    return try text.map { byte in
      try #require((0..<tokenizer.vocabularyCount).first { try tokenizer.bytes(of: $0) == [byte] })
    }
  }

  private func bytes(_ text: String) throws -> [Int] { try bytes(Array(text.utf8)) }

  @Test func textComesAtOnceWithoutStops() throws {
    try expectEqual(pieces(bytes("ab é"), []).pieces, ["a", "b", " ", "", "é", ""])
  }

  @Test func whatMayBecomeAStopWaitsUntilItIsClear() throws {
    let stopped = try pieces(bytes("x\n\nUser: y"), ["\n\nUser:"])
    expectEqual(stopped.pieces.prefix(2), ["x", ""])
    expectEqual(stopped.pieces.joined(), "x")
    expectEqual(stopped.stop, "\n\nUser:")
    // Cleared by another character than the stop's.
    try expectEqual(pieces(bytes("a\n\nUxb"), ["\n\nUser:"]).pieces, ["a", "", "", "", "\n\nUx", "b", ""])
    // What was held back may hold another beginning.
    try expectEqual(pieces(bytes("aab"), ["aac"]).pieces, ["", "", "aab", ""])
    try expectEqual(pieces(bytes("aaac!"), ["aac"]).pieces, ["", "", "a", "", "", ""])
    // At the end nothing more can come.
    try expectEqual(pieces(bytes("abc"), ["bcd"]).pieces, ["a", "", "", "bc"])
  }

  @Test func theFirstToBeCompleteEndsTheText() throws {
    let within = try pieces(bytes("abcd"), ["abcd", "bc"])
    expectEqual(within.pieces, ["", "", "a", "", ""])
    expectEqual(within.stop, "bc")
    // Two that end at the same place: the longer one, which begins earlier.
    let longer = try pieces(bytes("abc"), ["c", "abc"])
    expectEqual(longer.pieces, ["", "", "", ""])
    expectEqual(longer.stop, "abc")
  }

  /// Cut anywhere, the text and its end are the same.
  @Test(arguments: ["ROMEO:\nO my love.\n\nJULIET:\nNo", "the end, the end", "日本語と🙂🙃。\n\n🙂", "aaaaabaab"])
  func tokenBordersDoNotMatter(_ text: String) throws {
    let ids = try Self.tokenizer.get().encode(text)
    let stops = [
      ["\n\n"], ["the end", "e"], ["🙃", "本語と🙂🙂"], ["aab", "aaab"], ["nowhere"], ["\n\n🙂", "。"],
    ]
    for stops in stops {
      let byTokens = try pieces(ids, stops)
      let byBytes = try pieces(bytes(text), stops)
      expectEqual(byTokens.pieces.joined(), byBytes.pieces.joined())
      expectEqual(byTokens.stop, byBytes.stop)
      if let stop = byBytes.stop {
        let shown = byBytes.pieces.joined()
        #expect(text.hasPrefix(shown + stop))
        #expect(stops.allSatisfy { !shown.contains($0) })
      } else {
        expectEqual(byBytes.pieces.joined(), text)
      }
    }
  }

  /// A stop sequence of which a character's first bytes are another character's.
  @Test func charactersAreNeverHalved() throws {
    let result = try pieces(bytes("a🙂🙃b"), ["🙃c"])
    expectEqual(result.pieces, ["a", "", "", "", "🙂", "", "", "", "", "🙃b", ""])
    try expectEqual(pieces(bytes("é"), ["e"]).pieces.joined(), "é")
    try expectEqual(
      pieces(bytes(Array("ab".utf8) + [0xF0, 0x9F]), ["b\u{FFFD}!"]).pieces,
      [
        "a", "", "", "", "b\u{FFFD}",
      ])
    try expectEqual(pieces(bytes(Array("ab".utf8) + [0xF0, 0x9F]), ["b\u{FFFD}"]).pieces.joined(), "a")
  }

  @Test func anEmptyStopIsRefused() {
    #expect(throws: EngineError.emptyStopSequence) { try StopSequences(["a", ""]) }
  }

  @Test func aTokenWithoutTextIsRefused() throws {
    var stream = TextStream(try Self.tokenizer.get())
    #expect(throws: EngineError.tokenWithoutText(id: 1024, vocabulary: 1024)) { try stream.push(1024) }
    try expectEqual(stream.push(65 - 33), "A")
  }

  // MARK: - in a generation

  private func generate(
    _ prompt: String, _ parameters: GenerationParameters
  ) throws -> (text: String, tokens: [Int], ending: GenerationEnding) {
    let tokenizer = try Self.tokenizer.get()
    var (text, tokens) = ("", [Int]())
    let checkpoint = try ModelSource(Project.root + "/weights/tiny").open(cacheFolder: "/nowhere")
    let engine = try Engine(checkpoint, variant: .preferred, threads: 1)
    let ending = try Generator(engine, tokenizer: tokenizer)
      .generate(prompt: tokenizer.encode(prompt), parameters) { step in
        text += step.text
        tokens += [step.token].compactMap(\.self)
        return true
      }
    return (text, tokens, ending)
  }

  @Test func aGenerationEndsBeforeItsStop() throws {
    let free = try generate("ROMEO:", GenerationParameters(maximumNewTokens: 40))
    expectEqual(free.ending, .count)
    try expectEqual(free.text, Self.tokenizer.get().decode(free.tokens))
    // From within a token to within another.
    let characters = Array(free.text)
    let stop = String(characters[20..<27])
    let place = try #require(free.text.range(of: stop))
    let stopped = try generate(
      "ROMEO:", GenerationParameters(maximumNewTokens: 40, stops: StopSequences([stop])))
    expectEqual(stopped.ending, .stopSequence(stop))
    #expect(stopped.text == free.text[..<place.lowerBound])
    #expect(free.tokens.starts(with: stopped.tokens) && stopped.tokens.count < 40)
  }

  @Test func whatIsHeldBackComesAtTheEnd() throws {
    let free = try generate("ROMEO:", GenerationParameters(maximumNewTokens: 10))
    let stop = free.text.suffix(3) + "#"
    let held = try generate(
      "ROMEO:", GenerationParameters(maximumNewTokens: 10, stops: StopSequences([String(stop)])))
    expectEqual(held.text, free.text)
    expectEqual(held.tokens, free.tokens)
    expectEqual(held.ending, .count)
  }
}
