import Testing

@testable import gpt2_bench

@Suite struct BaselineNameTests {
  @Test(arguments: ["tiny", "gpt2-124M", "a", "2026.11_x", String(repeating: "n", count: 64)])
  func accepted(_ text: String) {
    #expect(Baselines.Name(text)?.text == text)
  }

  @Test(
    arguments: [
      "", ".", "..", ".hidden", "-r", "_x", "a/b", "../tiny", "a b", "naïve", "a\0", "a\n", "tiny.json",
      String(repeating: "n", count: 65),
    ])
  func refused(_ text: String) {
    #expect(Baselines.Name(text) == nil)
  }
}
