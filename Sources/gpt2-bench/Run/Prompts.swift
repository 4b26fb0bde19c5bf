import GPT2Model
import Statistics

/// The prompts that tests run on: always the same for the same seed, so that every contestant and every run gets
/// the same tokens.
struct Prompts {
  private let vocabulary: Int
  private let tokenizer: Tokenizer?
  private let seed: UInt64

  init(vocabulary: Int, tokenizer: Tokenizer?, seed: UInt64) {
    self.vocabulary = vocabulary
    self.tokenizer = tokenizer
    self.seed = seed
  }

  /// Token ids drawn evenly from the vocabulary, another draw for each sequence of a batch. Where there is a
  /// tokenizer and one sequence, the prompt is text, if one can be cut that has just this many tokens.
  func make(tokens: Int, batch: Int) throws -> (prompts: [[Int]], text: String?) {
    if batch == 1, let (ids, text) = try cutText(tokens: tokens) { return ([ids], text) }
    let prompts = (0..<batch).map { sequence in
      var generator = SeededGenerator(seed: seed &+ UInt64(sequence))
      return (0..<tokens).map { _ in generator.index(below: vocabulary) }
    }
    return (prompts, nil)
  }

  /// The beginning of a text that encodes to `tokens` ids.
  private func cutText(tokens: Int) throws -> (ids: [Int], text: String)? {
    guard let tokenizer else { return nil }
    var text = Self.sample
    var ids = try tokenizer.encode(text)
    while ids.count < tokens {
      text += Self.sample
      ids = try tokenizer.encode(text)
    }
    let cut = try tokenizer.decode(ids[..<tokens])
    let again = try tokenizer.encode(cut)
    return again.count == tokens ? (again, cut) : nil
  }

  private static let sample = """
    The river had been rising since noon, and by the time the lamps were lit the lower meadow was a sheet of grey \
    water with the tops of the gateposts standing out of it. Nobody in the house spoke of it. The old man wound the \
    clock, as he did each evening at eight; the girl counted the candles and found eleven; and the dog, who had \
    slept through every storm of the past 14 years, lay with his head against the door and listened. "It will turn \
    before morning," said the old man. It didn't. At half past two they heard the first of the fences go.


    """
}
