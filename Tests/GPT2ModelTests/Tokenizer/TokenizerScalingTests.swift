import GPT2Model
import Testing

/// Texts that take seconds only if the time grows faster than the text. The bounds are some hundred times
/// what a desktop needs: they tell a square from a line, and not one machine from another.
@Suite(.serialized) struct TokenizerScalingTests {
  private func expectPrompt(_ text: String) throws {
    let tokenizer = try TokenizerFixtures.small()
    var ids: [Int] = []
    let elapsed = try ContinuousClock().measure { ids = try tokenizer.encode(text) }
    #expect(elapsed < .seconds(5))
    #expect(try tokenizer.decode(ids) == text)
  }

  private func letters(_ count: Int, from alphabet: String, seed: UInt64) -> String {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array(alphabet)
    return String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
  }

  @Test func aMegabyteOfText() throws {
    try expectPrompt(letters(1_000_000, from: "etaoinshrdlu      ,.'\n", seed: 5))
  }

  @Test func aMegabyteOfManyScripts() throws {
    try expectPrompt(letters(400_000, from: "aé世界😀ш ١½\u{85}\u{3000}", seed: 6))
  }

  @Test func oneWordOf100_000Letters() throws {
    try expectPrompt(letters(100_000, from: "abcdefghijklmnopqrstuvwxyz", seed: 7))
    try expectPrompt(String(repeating: "a", count: 100_000))
  }

  @Test func aMegabyteOfWhiteSpace() throws {
    try expectPrompt(String(repeating: " ", count: 1_000_000) + "x")
    try expectPrompt(String(repeating: "\n ", count: 300_000))
  }

  @Test func manyAlmostSpecialTokens() throws {
    try expectPrompt(String(repeating: "<", count: 500_000))
    try expectPrompt(String(repeating: "<|endoftext|>", count: 50_000))
  }
}
